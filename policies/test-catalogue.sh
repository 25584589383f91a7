#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The catalogue in README.md has every policy, with as many hooks as its source,
# and says that a stock kernel takes it if one can.
#
# usage: test-catalogue.sh DIRECTORY
#
# Functions are called by name, which shellcheck cannot see.
# shellcheck disable=SC2317

set -u
# shellcheck source=SCRIPTDIR/../tests/lib/tap.sh
. "$(dirname "$0")/../tests/lib/tap.sh"
cd "$1" || exit 1

# Field $2 of the row of policy $1; the first is empty.
field() {
	sed -n "s|^| |; /^ | \[$1\]($1\/README.md) |/p" README.md | cut -d'|' -f "$2" | sed 's/^ //; s/ $//'
}

set -- */*.bpf.c
for source; do
	name=${source%%/*}
	hooks=$(sed -n 's/^CHECMATE_PROGRAM(\([a-z0-9_]*\),.*/\1/p' "$source" | sort -u | grep -c .)
	stock=yes
	if [ "$hooks" -gt 10 ]; then
		stock="no: more than 10 hooks"
	elif grep -q bpf_checmate_set_ "$source"; then
		stock="no: it rewrites addresses"
	fi
	check_output "$name: hooks" "$hooks" field "$name" 4
	check_output "$name: stock kernels" "$stock" field "$name" 5
	check "$name: its own README.md" test -e "$name/README.md"
done
check_output "there are no others" $# grep -c '^| \[' README.md
finish
