# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Judges what hooks cost by what they have cost: first the stored figures, lines of
# "arm TAB operation TAB instructions", then rows as the benches print them, whose fields
# besides the first three do not matter here. An arm's figure is its value without that of
# the arm it is compared with: C, Checmate idle, with A, a kernel without it; D, attached
# elsewhere, and E1, attached here, with C.
#
# Prints what ./check makes points of, each arm a unit and each operation a point, for the
# arms in the variable wanted, or all. With -v update=1 it prints stored figures instead.

BEGIN {
	FS = OFS = "\t"
	n_arms = split(wanted == "" ? "C D E1" : wanted, arms, " ")
	base["C"] = "A"
	base["D"] = base["E1"] = "C"
}

/^#/ || NF < 3 {
	next
}

FILENAME == ARGV[1] {
	stored[$1, $2] = $3
	if (!(($1, $2) in named)) {
		named[$1, $2] = 1
		ops[$1, ++n_ops[$1]] = $2
	}
	next
}

{
	value[$1, $2] = $3
	if (($1 in base) && !(($1, $2) in named)) {
		named[$1, $2] = 1
		ops[$1, ++n_ops[$1]] = $2
	}
}

# What an operation may differ by without a reason. An execve() takes one of a few ways
# through the management of memory, hundreds of instructions apart, and which is chance.
function margin(op) {
	return op == "execve" ? 500 : 3
}

# Sets figure, if there is one.
function measure(arm, op) {
	if (!((arm, op) in value) || !((base[arm], op) in value))
		return 0
	figure = value[arm, op] - value[base[arm], op]
	return 1
}

function judge(arm, op) {
	if (!measure(arm, op)) {
		print "# " op ": was not counted"
		return 0
	}
	if (!((arm, op) in stored)) {
		print "# " op ": " figure " instructions, and none are stored"
		return 0
	}
	if (figure > stored[arm, op] + margin(op)) {
		print "# " op ": " figure " instructions, where " stored[arm, op] " are stored"
		return 0
	}
	if (figure < stored[arm, op] - margin(op))
		print "## note " arm ", " op ": " figure " instructions are less than the " \
			stored[arm, op] " stored; tests/bench/cost --update stores them"
	return 1
}

END {
	for (a = 1; a <= n_arms; a++) {
		arm = arms[a]
		if (!update)
			print "## begin " arm
		bad = 0
		for (i = 1; i <= n_ops[arm]; i++) {
			op = ops[arm, i]
			if (update) {
				if (measure(arm, op))
					print arm, op, figure
			} else if (judge(arm, op)) {
				print "ok " i " - " op
			} else {
				print "not ok " i " - " op
				bad = 1
			}
		}
		if (!update) {
			if (!n_ops[arm]) {
				n_ops[arm] = bad = 1
				print "not ok 1 - nothing is stored and nothing was counted"
			}
			print "1.." n_ops[arm]
			print "## end " arm " " bad
		}
	}
}
