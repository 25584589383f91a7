#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# samples/limit_connections: ten connections to a destination, counted exactly.

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=tests/lib/sample.sh
. /usr/libexec/checmate/tests/lib/sample.sh

sample=$samples/limit_connections
program=$tests/test-limit-connections

all_attached()
{
	for hook in socket_connect socket_sendmsg socket_recvmsg sk_free_security; do
		attached $hook "$1"
	done
}

set_up

part "no limit"
subtest within "$limited" "$program" free

part "limit"
start_sample limit_connections
all_attached 1
subtest within "$limited" "$program" limited

part "child"
mkdir "$child"
subtest within "$child" "$program" limited
check "the child goes away" rmdir "$child"

part "sibling"
subtest within "$sibling" "$program" free

part "lifted"
stop_sample
all_attached 0
subtest within "$limited" "$program" free

part "command"
subtest "$sample" "$limited" "$program" limited
check_status "the status is the command's" 7 "$sample" "$limited" sh -c 'exit 7'
# shellcheck disable=SC2016 # for the inner shell
check_status "a signal that ends it is told" 143 "$sample" "$limited" sh -c 'kill -TERM $$'
check_status "a command that is not there" 127 "$sample" "$limited" /nonexistent
all_attached 0

part "cleared by another"
# shellcheck disable=SC2016 # for the inner shell
check_match "the sample tells who else has detached" 'not attached there any more' \
	"$sample" "$limited" sh -c 'echo 0 >"$1/checmate.socket_connect"' - "$limited"
all_attached 0

part "limit 0"
subtest "$sample" -n 0 "$limited" "$program" none

part "bad input"
check_match "a negative limit" 'limit -1 is not' "$sample" -n -1 "$limited"
check_match "a limit with a letter" 'limit 1x is not' "$sample" -n 1x "$limited"
check_match "an empty limit" 'limit  is not' "$sample" -n '' "$limited"
check_match "a cgroup that is not there" 'No such file' "$sample" "$limited/nowhere"
check_match "a file for a cgroup" 'Not a directory' "$sample" "$limited/cgroup.procs"
check_match "an object that is not there" 'cannot open /nonexistent' \
	"$sample" -o /nonexistent "$limited"
check_match "another sample's object" 'other constants|no constants' \
	"$sample" -o "$samples/remap_bind.bpf.o" "$limited"
check_match "a cgroup without the controller" 'controller enabled' "$sample" "$bare"
check_status "and its status" 1 "$sample" "$bare"
check_status "no arguments" 2 "$sample"
all_attached 0

tear_down
finish
