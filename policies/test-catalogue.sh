#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The catalogue in README.md has every policy, with as many hooks as its source,
# and says that a stock kernel takes it if one can.
#
# usage: test-catalogue.sh DIRECTORY

set -eu
cd "$1"

status=0
n=0
echo "TAP version 13"
point() {
	n=$((n + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		echo "# README.md has '$3', and it should be '$2'"
		status=1
	fi
}

# Field $2 of the row of policy $1; the first is empty.
field() {
	sed -n "s|^| |; /^ | \[$1\]($1\/README.md) |/p" README.md | cut -d'|' -f "$2" | sed 's/^ //; s/ $//'
}

set -- */*.bpf.c
for source; do
	name=${source%%/*}
	hooks=$(sed -n 's/^CHECMATE_HOOK(\(.*\))$/\1/p' "$source" | sort -u | grep -c .)
	stock=yes
	if [ "$hooks" -gt 10 ]; then
		stock="no: more than 10 hooks"
	elif grep -q bpf_checmate_set_ "$source"; then
		stock="no: it rewrites addresses"
	fi
	point "$name: hooks" "$hooks" "$(field "$name" 4)"
	point "$name: stock kernels" "$stock" "$(field "$name" 5)"
	point "$name: its own README.md" yes "$([ -e "$name/README.md" ] && echo yes)"
done
point "there are no others" $# "$(grep -c '^| \[' README.md)"
echo "1..$n"
exit $status
