#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The header, the version script and the shared library name the same functions.
#
# usage: test-symbols.sh HEADER MAP LIBRARY

set -eu
header=$1
map=$2
library=$3

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A declaration may break after its return type.
awk '/^CHECMATE_API/ { text = "" } { text = text $0 } /;$/ { print text; text = "" }' "$header" |
	sed -n 's/^CHECMATE_API[^(]*\<\(checmate_[a-z0-9_]*\)(.*/\1/p' | sort >"$work/header"
sed -n 's/^\t\(checmate_[a-z0-9_]*\);$/\1/p' "$map" | sort >"$work/map"
nm -D --defined-only --format=posix "$library" |
	sed -n 's/^\([^ @]*\)@*\(CHECMATE_[0-9.]*\)* T .*/\1/p' | sort >"$work/library"
nm -D --defined-only --format=posix "$library" |
	awk '$2 != "A" && $1 !~ /@@CHECMATE_1\.0$/ { print $1 }' >"$work/stray"

# A comment stands before each function, or before the group without blank lines
# that it is in. One in kernel-doc form has the function's name.
awk '
	/^\/\*/ { comment = 1; named = "" }
	/^ \* checmate_[a-z0-9_]*\(\) - / { named = $2; sub(/\(\)$/, "", named) }
	/^$/ { comment = 0 }
	/^CHECMATE_API/ {
		name = $0
		sub(/\(.*/, "", name)
		sub(/.*[ *]/, "", name)
		if (!comment || (named && named != name))
			print name
		named = ""
	}' "$header" >"$work/bare"

status=0
n=0
point() {
	n=$((n + 1))
	name=$1
	shift
	if "$@" >"$work/out" 2>&1; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		sed 's/^/# /' "$work/out"
		status=1
	fi
}

echo "1..5"
point "the header declares functions" test -s "$work/header"
point "the map has what the header declares" diff "$work/header" "$work/map"
point "the library has what the map names" diff "$work/map" "$work/library"
point "the library shows nothing else" cmp /dev/null "$work/stray"
point "every function is documented" cmp /dev/null "$work/bare"
[ ! -s "$work/bare" ] || sed 's/^/# /' "$work/bare"
exit "$status"
