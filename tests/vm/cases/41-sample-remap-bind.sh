#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# samples/remap_bind: who asks for port 6789 gets 12345.

here=$(dirname "$0")
# shellcheck source=tests/lib/sample.sh
. "$here/../lib/sample.sh"

sample=remap_bind

is_attached()
{
	check "checmate.socket_bind counts $1" \
		[ "$(cat "$limited/checmate.socket_bind")" = "$1" ]
}

cases()
{
	set_up
	program test-remap-bind

	part "before"
	subtest within "$limited" "$program" free

	part "attached"
	start_sample "$sample" "$limited"
	is_attached 1
	subtest within "$limited" "$program" remapped

	part "in a sibling"
	subtest within "$sibling" "$program" free

	part "attached twice"
	subtest "$samples/$sample" "$limited" "$program" remapped
	is_attached 1

	part "detached"
	stop_sample
	is_attached 0
	subtest within "$limited" "$program" free

	tear_down
}

number cases
