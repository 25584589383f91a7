# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2154
#
# For test cases about processes that die, in a guest; after tests/lib/policy.sh.

# killed WHAT LOCK COMMAND…: kills a command before each step in turn, see
# libchecmate/die-at.c, until it gets through. After each the case's function
# state_is_right must say so.
killed() {
	killed_what=$1
	killed_lock=$2
	shift 2
	killed_step=1
	killed_wrong=
	while "$tests/die-at" "$killed_step@$killed_lock" "$@" >/dev/null 2>&1; do
		state_is_right >/dev/null 2>&1 || killed_wrong="$killed_wrong $killed_step"
		killed_step=$((killed_step + 1))
		[ $killed_step -lt 200 ] || break
	done
	check_output "killed at each of $killed_step steps of $killed_what" "" echo "$killed_wrong"
	check "there was more than one step of $killed_what" test $killed_step -gt 5
}
