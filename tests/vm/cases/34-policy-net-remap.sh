#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# net-remap: what is replaced, by what, and who judges it afterwards.
#
# shellcheck disable=SC2317 # called by check and wait_until

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=tests/lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh

clean_slate
ip link set lo up
mkdir "$cgroups/a" "$cgroups/sibling"

if ! backend_is checmate; then
	check_match "it needs a kernel that can rewrite, and says so" \
		'bpf_checmate_set|rewrit' checmatectl apply /a net-remap
	check_not "and is not applied" checmatectl apply /a net-remap
	expect 127.0.0.1:6789 /a bound tcp4 127.0.0.1:6789
	clean_slate
	finish
fi

work=$(mktemp -d)
servers=

# serve SOCKET ADDRESS: a server outside, which counts.
serve() {
	start /sibling "$tests/net-probe" serve "$@" >"$work/$1"
	servers="$servers $!"
	wait_until 20 grep -q ready "$work/$1"
}

# got SOCKET COUNT: the server has got so many by now, and forgets them.
has_got() {
	[ "$(grep -c got "$work/$1")" -ge "$2" ]
}
got() {
	wait_until 20 has_got "$@"
	check_output "the $1 server got $2" "$2" grep -c got "$work/$1"
	: >"$work/$1"
}

set_parameters() {
	checmatectl set /a net-remap "$@" >/dev/null
}

check "an empty list applies" checmatectl apply /a net-remap
expect 127.0.0.1:6789 /a bound tcp4 127.0.0.1:6789
expect 127.0.0.1:9 /a peer udp4 127.0.0.1:9

# Ports alone, when binding alone.
check "one port, when binding" \
	set_parameters calls=bind "to=0.0.0.0/0:12345,[::]/0:4321" "match=0.0.0.0/0:6789,[::]/0:6789"
for socket in tcp4 udp4; do
	expect 127.0.0.1:12345 /a bound $socket 127.0.0.1:6789
	expect 0.0.0.0:12345 /a bound $socket 0.0.0.0:6789
	expect 127.0.0.1:6788 /a bound $socket 127.0.0.1:6788
	expect 127.0.0.1:6789 /sibling bound $socket 127.0.0.1:6789
done
for socket in tcp6 udp6; do
	expect '[::1]:4321' /a bound $socket '[::1]:6789'
	expect '[::]:4321' /a bound $socket '[::]:6789'
	expect '[::ffff:127.0.0.1]:12345' /a bound $socket '[::ffff:127.0.0.1]:6789'
done
expect 127.0.0.1:6789 /a peer udp4 127.0.0.1:6789
expect '[::1]:6789' /a peer udp6 '[::1]:6789'

# What cannot be replaced, or not be understood, is denied.
expect EPERM /a bind tcp4 0.0.0.0:6789 family=0
expect ok /a bind tcp4 0.0.0.0:6788 family=0
expect EPERM /a bind tcp4 127.0.0.1:6789 len=15
expect EPERM /a bind tcp4 127.0.0.1:6789 len=2
expect EPERM /a bind tcp6 '[::1]:6789' len=23
expect EPERM /a bind raw4 127.0.0.1:6789 family=10 len=28
expect ok /a bind unix /tmp/another-socket

# Both calls; a protocol; an address.
check "a name server by UDP" set_parameters calls=both match=10.9.9.9:53/udp to=127.0.0.1:5353
expect 127.0.0.1:5353 /a peer udp4 10.9.9.9:53
expect '[::ffff:127.0.0.1]:5353' /a peer udp6 '[::ffff:10.9.9.9]:53'
expect 127.0.0.1:5353 /a bound udp4 10.9.9.9:53
expect EADDRNOTAVAIL /a bound tcp4 10.9.9.9:53
expect ENETUNREACH /a connect tcp4 10.9.9.9:53
expect ENETUNREACH /a peer udp4 10.9.9.8:53
expect ENETUNREACH /sibling peer udp4 10.9.9.9:53

serve udp4 127.0.0.1:5353
for call in sendto sendmsg send uring-send uring-sendmsg uring-sendzc; do
	expect ok /a $call udp4 10.9.9.9:53
	got udp4 1
done
for way in worker polled; do
	expect ok /a uring-send udp4 10.9.9.9:53 $way
	got udp4 1
done
expect ok /a sendmmsg udp4 10.9.9.9:53
got udp4 3
expect ok /a sendto udp6 '[::ffff:10.9.9.9]:53'
got udp4 1
expect ok /a sendto udp6 10.9.9.9:53
got udp4 1
# The kernel would take it for an IPv4 address.
expect EPERM /a sendto udp4 10.9.9.9:53 family=0
expect EPERM /a sendto udp4 10.9.9.9:53 len=8
expect EPERM /a connect udp4 10.9.9.9:53 len=8
expect ok /a connect udp4 10.9.9.9:53 family=0

check "a web server by TCP" set_parameters "match=10.9.9.9:80,[2001:db8::1]:80" "to=127.0.0.1:7777/tcp,[::1]:7777"
serve tcp4 127.0.0.1:7777
serve tcp6 '[::1]:7777'
for call in connect fastopen deferred uring-connect; do
	expect ok /a $call tcp4 10.9.9.9:80
	got tcp4 1
	expect ok /a $call tcp6 '[2001:db8::1]:80'
	got tcp6 1
done
expect ok /a connect mptcp4 10.9.9.9:80
got tcp4 1
expect ok /a connect tcp6 '[::ffff:10.9.9.9]:80'
got tcp4 1
# The entry of "to" is for TCP, the one of "match" for all.
expect EPERM /a connect udp4 10.9.9.9:80
expect '[::1]:7777' /a peer udp6 '[2001:db8::1]:80'
check "nothing to replace it by" set_parameters "to=[::1]:7777"
expect EPERM /a connect tcp4 10.9.9.9:80

# Only some bits; only a port that is out of range.
check "a network by a network" \
	set_parameters "match=10.1.0.0/16:0-65535,[2001:db8::]/32:9" "to=127.3.0.0/16:100-200,[::]/0:100-200"
expect 127.3.2.1:150 /a peer udp4 10.1.2.1:150
expect 127.3.2.1:100 /a peer udp4 10.1.2.1:99
expect 127.3.2.1:100 /a peer udp4 10.1.2.1:201
expect 127.3.255.254:200 /a peer udp4 10.1.255.254:200

# All of it, to one place.
check "everything" set_parameters match=0.0.0.0/0:0-65535 to=127.0.0.1:5353
: >"$work/udp4"
expect ok /a sendmmsg udp4 192.0.2.1:1
got udp4 3
expect 127.0.0.1:5353 /a peer udp4 127.0.0.1:5353
expect '[::1]:9' /a peer udp6 '[::1]:9'

# Ancestors judge what it has become.
mkdir "$cgroups/a/b"
check "for the child" checmatectl apply /a/b net-remap match=10.9.9.9:53 to=127.0.0.1:5353
check "not for the parent" checmatectl remove /a
check "the parent allows the new address" checmatectl apply /a net-connect allow=127.0.0.1:5353
expect 127.0.0.1:5353 /a/b peer udp4 10.9.9.9:53
expect ok /a/b sendto udp4 10.9.9.9:53
expect EPERM /a/b connect udp4 127.0.0.1:9
expect EPERM /a connect udp4 10.9.9.9:53
check "the parent allows the old address" checmatectl set /a net-connect allow=10.9.9.9:53
expect EPERM /a/b connect udp4 10.9.9.9:53
expect EPERM /a/b sendto udp4 10.9.9.9:53
expect EPERM /a/b sendmmsg udp4 10.9.9.9:53

# So does what was applied later to the same cgroup.
check "the list of the child itself" checmatectl apply /a/b net-connect allow=127.0.0.1:5353
check "the parent allows all" checmatectl set /a net-connect allow=0.0.0.0/0:0-65535
expect 127.0.0.1:5353 /a/b peer udp4 10.9.9.9:53
check "removed" checmatectl remove /a/b
check "removed" checmatectl remove /a
expect ENETUNREACH /a/b peer udp4 10.9.9.9:53

for server in $servers; do
	kill "$server"
done
rm -r "$work"
clean_slate
finish
