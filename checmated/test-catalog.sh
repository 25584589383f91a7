#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# test-catalog.sh LOG_H CATALOG: every kind of journal entry is explained in the
# catalogue, and nothing else is.
set -u
# shellcheck source=SCRIPTDIR/../tests/lib/tap.sh
. "$(dirname "$0")/../tests/lib/tap.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sed -n 's/^#define \(LOG_ID_[A-Z_]*\) "\([0-9a-f]*\)"$/\1 \2/p' "$1" >"$work/header"
awk '/^# LOG_ID_/ { name = $2 } /^-- / { print name, $2; name = "?" }' "$2" >"$work/catalog"

grep -c '#define LOG_ID_' "$1" | grep -vx "$(grep -c '' "$work/header")" >"$work/wrong" || :
[ -s "$work/header" ] || echo "no ids" >"$work/wrong"
check "the ids are read" diff /dev/null "$work/wrong"

sort "$work/header" >"$work/a"
sort "$work/catalog" >"$work/b"
diff "$work/a" "$work/b" >"$work/wrong" || :
check "each has its entry, and each entry its id" diff /dev/null "$work/wrong"

cut -d ' ' -f 2 "$work/header" | sort | uniq -d >"$work/wrong"
grep -Evx 'LOG_ID_[A-Z_]+ [0-9a-f]{32}' "$work/header" >>"$work/wrong" || :
check "no id is used twice, and each is one" diff /dev/null "$work/wrong"

# A subject, who defines it, a man page, a blank line and a text.
awk '
	function check() {
		if (id && (!subject || !by || !page || !text))
			print id
	}
	/^-- / { check(); id = $2; subject = by = page = text = body = 0; next }
	/^#/ { next }
	/^$/ { body = 1; next }
	body { text = 1; next }
	/^Subject: ./ { subject = 1; next }
	/^Defined-By: Checmate$/ { by = 1; next }
	/^Documentation: man:[a-z-]+\([0-9]\)$/ { page = 1; next }
	{ if (id) print id ": " $0 }
	END { check() }' "$2" >"$work/wrong"
check "each entry is complete" diff /dev/null "$work/wrong"
finish
