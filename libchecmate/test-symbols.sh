#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The header, the version script and the shared library name the same functions.
#
# usage: test-symbols.sh HEADER MAP LIBRARY

set -u
# shellcheck source=SCRIPTDIR/../tests/lib/tap.sh
. "$(dirname "$0")/../tests/lib/tap.sh"
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

check "the header declares functions" test -s "$work/header"
check "the map has what the header declares" diff "$work/header" "$work/map"
check "the library has what the map names" diff "$work/map" "$work/library"
check "the library shows nothing else" diff /dev/null "$work/stray"
check "every function is documented" diff /dev/null "$work/bare"
finish
