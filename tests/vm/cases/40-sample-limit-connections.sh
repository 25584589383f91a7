#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# samples/limit_connections: ten connections to a destination, counted exactly.

here=$(dirname "$0")
# shellcheck source=tests/lib/sample.sh
. "$here/../lib/sample.sh"

sample=limit_connections
hooks='socket_connect socket_sendmsg socket_recvmsg sk_free_security'

is_attached()
{
	for hook in $hooks; do
		check "checmate.$hook counts $1" \
			[ "$(cat "$limited/checmate.$hook")" = "$1" ]
	done
}

cases()
{
	set_up
	program test-limit-connections

	part "without the limit"
	subtest within "$limited" "$program" free

	part "with the limit"
	start_sample "$sample" "$limited"
	is_attached 1
	subtest within "$limited" "$program" limited

	part "in a child of the cgroup"
	mkdir "$limited/child"
	subtest within "$limited/child" "$program" limited
	check "the child goes away" rmdir "$limited/child"

	part "in a sibling"
	subtest within "$sibling" "$program" free

	part "when the limit is lifted"
	stop_sample
	is_attached 0
	subtest within "$limited" "$program" free

	part "around a command"
	subtest "$samples/$sample" "$limited" "$program" limited
	check_status 7 "the status is the command's" \
		"$samples/$sample" "$limited" sh -c 'exit 7'
	check_status 143 "a signal that ends it is told" \
		"$samples/$sample" "$limited" sh -c 'kill -TERM $$'
	check_status 127 "a command that is not there" \
		"$samples/$sample" "$limited" /nonexistent
	is_attached 0

	part "bad input"
	check_fails "limit" "$samples/$sample" -n -1 "$limited"
	check_fails "limit" "$samples/$sample" -n 1x "$limited"
	check_fails "No such file" "$samples/$sample" "$limited/nowhere"
	check_fails "Not a directory" "$samples/$sample" "$limited/cgroup.procs"
	check_fails "No such file" "$samples/$sample" -o /nonexistent "$limited"
	check_fails "controller" "$samples/$sample" "$bare"
	is_attached 0

	tear_down
}

number cases
