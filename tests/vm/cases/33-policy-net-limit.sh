#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# net-limit: so many sockets per destination and in all, counted exactly.
#
# shellcheck disable=SC2317 # called by check and wait_until

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=tests/lib/sample.sh
. /usr/libexec/checmate/tests/lib/sample.sh
# shellcheck source=tests/lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh

clean_slate
ip link set lo up
mkdir "$cgroups/a" "$cgroups/sibling"
work=$(mktemp -d)
holders=

# settled RESULT CGROUP ARGUMENT…: filling gives the result, or too much. Sockets
# of before may take a while to be gone; that there are too many is seen at once.
settled() {
	settled_result=$1
	shift
	# shellcheck disable=SC2086
	probe "$1" fill "$2" "$3" $4 >"$work/filled" || return
	[ "$(cat "$work/filled")" = "$settled_result" ] ||
		[ "$(cut -d ' ' -f 1 "$work/filled")" -gt "${settled_result% *}" ]
}

# fills RESULT CGROUP SOCKET ADDRESS [OPTIONS]: that many sockets fit.
fills() {
	wait_until 20 settled "$1" "$2" "$3" "$4" "${5-}"
	check_output "$2 $3 $4 ${5-} takes $1" "$1" cat "$work/filled"
}

# held COUNT CGROUP SOCKET ADDRESS [OPTIONS]: so many sockets or more are open now.
held() {
	held_count=$1
	held_cgroup=$2
	shift 2
	: >"$work/held"
	# shellcheck disable=SC2086
	start "$held_cgroup" "$tests/net-probe" fill "$1" "$2" ${3-} hold >"$work/held"
	held_by=$!
	wait_until 20 grep -q . "$work/held"
	[ "$(cut -d ' ' -f 1 "$work/held")" -lt "$held_count" ] || return 0
	kill "$held_by"
	wait "$held_by" 2>/dev/null
	return 1
}

# hold COUNT CGROUP SOCKET ADDRESS [OPTIONS]: so many sockets fit, and are open until
# let_go.
hold() {
	wait_until 20 held "$@"
	check_output "$2 holds $1 at $4" "$1 EUSERS" cat "$work/held"
	holders="$holders $held_by"
}

let_go() {
	for holder in $holders; do
		kill "$holder"
		wait "$holder" 2>/dev/null
	done
	holders=
}

set_parameters() {
	checmatectl set /a net-limit "$@" >/dev/null
}

# serve SOCKET ADDRESS: a server outside.
serve() {
	start /sibling "$tests/net-probe" serve "$@" >"$work/served"
	server=$!
	wait_until 20 grep -q ready "$work/served"
}

part "the account"
subtest inside /a "$tests/test-limit-connections" free
check "ten per destination" checmatectl apply /a net-limit per-destination=10 total=16384
subtest inside /a "$tests/test-limit-connections" limited
subtest inside /sibling "$tests/test-limit-connections" free
check "none" set_parameters per-destination=0
subtest inside /a "$tests/test-limit-connections" none

part "paths"
check "three per destination" set_parameters per-destination=3
for options in "" via=sendto via=sendmsg via=sendmmsg via=send \
	via=uring-connect via=uring-send via=uring-sendmsg via=uring-sendzc \
	"via=uring-connect worker" "via=uring-send polled"; do
	fills "3 EUSERS" /a udp4 127.0.0.1:9 "$options"
done
fills "3 EUSERS" /a udp6 '[::1]:9'
fills "3 EUSERS" /a udp6 '[::1]:9' via=sendto
fills "3 EUSERS" /a raw4 127.0.0.1:0
fills "100 ok" /sibling udp4 127.0.0.1:9
fills "100 ok" /a udp4 127.0.0.1:1000 ports
fills "100 ok" /a udp4 127.0.0.1:1000 "ports via=sendto"
serve tcp4 127.0.0.1:7000
for options in "" via=fastopen via=deferred via=uring-connect; do
	fills "3 EUSERS" /a tcp4 127.0.0.1:7000 "$options"
done

part "one destination by several names"
hold 3 /a udp4 127.0.0.1:9
fills "0 EUSERS" /a udp6 '[::ffff:127.0.0.1]:9'
fills "0 EUSERS" /a udp4 0.0.0.0:9
fills "0 EUSERS" /a udp6 127.0.0.1:9 via=sendto
fills "0 EUSERS" /a udp4 127.0.0.1:9 "via=sendto family=0"
fills "3 EUSERS" /a udp4 127.0.0.2:9
fills "3 EUSERS" /a udp4 127.0.0.1:10
fills "3 EUSERS" /a udplite4 127.0.0.1:9
let_go
fills "3 EUSERS" /a udp4 127.0.0.1:9
hold 3 /a tcp4 127.0.0.1:7000
fills "0 EUSERS" /a mptcp4 127.0.0.1:7000
let_go
fills "3 EUSERS" /a mptcp4 127.0.0.1:7000
hold 3 /a udp6 '[::1]:9'
fills "0 EUSERS" /a udp6 '[::]:9'
let_go

part "addresses that are none"
expect EUSERS /a connect udp4 127.0.0.1:9 len=8
expect EUSERS /a sendto udp4 127.0.0.1:9 len=8
expect EUSERS /a connect udp4 127.0.0.1:9 family=1
expect ok /a reconnect udp4 127.0.0.1:9
expect ENOENT /a connect unix /tmp/nobody
expect ok /a bind udp4 127.0.0.1:9

part "the subtree"
mkdir "$cgroups/a/b" "$cgroups/a/c"
hold 3 /a/b udp4 127.0.0.1:9
fills "0 EUSERS" /a udp4 127.0.0.1:9
fills "0 EUSERS" /a/b udp4 127.0.0.1:9
# From here on, /a has no processes: its children have the controller.
check "the child's own limit" checmatectl apply /a/b net-limit per-destination=1 deny-errno=EACCES
fills "1 EACCES" /a/b udp4 127.0.0.1:10
fills "3 EUSERS" /a/c udp4 127.0.0.1:10
check "goes away" checmatectl remove /a/b
let_go
fills "3 EUSERS" /a/b udp4 127.0.0.1:9

part "the sum"
check "five in all" set_parameters total=5
fills "5 EUSERS" /a/c udp4 127.0.0.1:1000 ports
fills "5 EUSERS" /a/c udp4 127.0.0.1:1000 "ports via=sendto"
fills "3 EUSERS" /a/c udp4 127.0.0.1:9
fills "3 EUSERS" /a/c udp4 127.0.0.1:9
hold 3 /a/c udp4 127.0.0.1:9
fills "2 EUSERS" /a/c udp4 127.0.0.1:1000 ports
fills "2 EUSERS" /a/c udp6 '[::1]:1000' ports
let_go
fills "5 EUSERS" /a/c udp4 127.0.0.1:1000 ports
hold 5 /a/b udp4 127.0.0.1:1000 ports
fills "0 EUSERS" /a/c udp4 127.0.0.1:9
expect EUSERS /a/c sendto udp4 127.0.0.1:9

part "a live change"
check "one more in all" set_parameters total=6
fills "1 EUSERS" /a/c udp4 127.0.0.1:2000 ports
check "fewer than there are" set_parameters total=2 deny-errno=EACCES
fills "0 EACCES" /a/c udp4 127.0.0.1:2000
check "none" set_parameters total=0
fills "0 EACCES" /a/c udp4 127.0.0.1:2000
let_go
fills "0 EACCES" /a/c udp4 127.0.0.1:2000
check "many" set_parameters total=100 deny-errno=EUSERS
hold 3 /a/c udp4 127.0.0.1:9
check "more per destination" set_parameters per-destination=5
fills "2 EUSERS" /a/c udp4 127.0.0.1:9
check "fewer than there are" set_parameters per-destination=1
fills "0 EUSERS" /a/c udp4 127.0.0.1:9
fills "1 EUSERS" /a/c udp4 127.0.0.1:10
let_go
fills "1 EUSERS" /a/c udp4 127.0.0.1:9

part "which destinations"
check "two ports by TCP, and a network" \
	set_parameters per-destination=2 total=3 destinations=127.0.0.1:7000-7001/tcp,127.3.0.0/16:0-65535
fills "100 ok" /a/c udp4 127.0.0.1:9
fills "100 ok" /a/c udp4 127.0.0.1:7000
fills "100 ok" /a/c udp6 '[::1]:9'
fills "2 EUSERS" /a/c tcp4 127.0.0.1:7000
fills "2 EUSERS" /a/c udp4 127.3.2.1:9
fills "3 EUSERS" /a/c udp4 127.3.2.1:1000 ports
hold 2 /a/c tcp4 127.0.0.1:7000
fills "1 EUSERS" /a/c udp4 127.3.2.1:9
check "other destinations" set_parameters "destinations=[::]/0:9" total=4
fills "2 EUSERS" /a/c udp6 '[::1]:9'
fills "100 ok" /a/c udp4 127.0.0.1:9
let_go
check "no destination" set_parameters destinations=
fills "100 ok" /a/c udp6 '[::1]:9'

check "removed" checmatectl remove /a
fills "100 ok" /a/c udp4 127.0.0.1:9
kill "$server"
rm -r "$work"
clean_slate
finish
