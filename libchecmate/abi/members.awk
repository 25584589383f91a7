# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The structures that a header defines, as calls of STRUCT() and MEMBER() for
# test-abi.c.

/^struct checmate_[a-z_]+ \{$/ {
	type = "struct " $2
	printf "STRUCT(%s)\n", type
	next
}

/^\};$/ {
	type = ""
}

type && /;/ {
	sub(/^\t/, "")
	# What is no simple member has to be taught here first.
	if ($0 !~ /^[a-z_0-9 *]+;$/) {
		printf "#error %s: not understood: %s\n", type, $0
		next
	}
	sub(/;$/, "")
	name = $0
	sub(/^.*[ *]/, "", name)
	text = substr($0, 1, length($0) - length(name))
	sub(/ $/, "", text)
	printf "MEMBER(%s, \"%s\", %s)\n", type, text, name
}
