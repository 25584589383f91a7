# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The end of what ./check prints, from the points that it has printed before: the plan,
# once more what failed, and how many there were of which sort. Fails if a point has, or
# if there was none.

/^not ok / {
	name = $0
	sub(/^not ok [0-9]* *-? */, "", name)
	fail[++failed] = name
}

/^ok .* # SKIP/ {
	skipped++
	next
}

/^ok / {
	passed++
}

END {
	all = passed + failed + skipped
	print "1.." all
	for (i = 1; i <= failed; i++)
		print "# failed: " fail[i]
	printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
	exit failed > 0 || all == 0
}
