#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# net-bind: what it allows, what it denies, on every path to bind an address.

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=tests/lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh

clean_slate
ip link set lo up
mkdir "$cgroups/a" "$cgroups/sibling"

check "an empty list applies" checmatectl apply /a net-bind
for socket in tcp4 udp4; do
	expect EPERM /a bind $socket 127.0.0.1:80
	expect EPERM /a bind $socket 0.0.0.0:0
	expect ok /sibling bind $socket 127.0.0.1:80
done
for socket in tcp6 udp6; do
	expect EPERM /a bind $socket '[::1]:80'
	expect EPERM /a bind $socket '[::]:0'
	expect ok /sibling bind $socket '[::1]:80'
done
expect EPERM /a bind raw4 127.0.0.1:0
expect EPERM /a bind raw6 '[::1]:0'
expect ok /a bind unix /tmp/a-socket
expect ECONNREFUSED /a connect tcp4 127.0.0.1:80

set_allow() {
	checmatectl set /a net-bind allow="$1" deny-errno=EACCES >/dev/null
}

check "a list applies" set_allow '127.0.0.0/8:80-82,[::1]:443'
expect ok /a bind tcp4 127.0.0.1:80
expect ok /a bind tcp4 127.0.0.2:82
expect ok /a bind udp4 127.0.0.1:81
expect EACCES /a bind tcp4 127.0.0.1:79
expect EACCES /a bind tcp4 127.0.0.1:83
expect EACCES /a bind tcp4 0.0.0.0:80
expect EACCES /a bind tcp4 128.0.0.1:80
expect EACCES /a bind tcp4 127.0.0.1:0
expect ok /a bind tcp6 '[::1]:443'
expect EACCES /a bind tcp6 '[::1]:80'
expect EACCES /a bind tcp6 '[::]:443'
expect EACCES /a bind tcp6 '[::2]:443'

# An IPv4-mapped address is the IPv4 address.
expect ok /a bind tcp6 '[::ffff:127.0.0.1]:80'
expect ok /a bind udp6 '[::ffff:127.0.0.1]:80'
expect EACCES /a bind tcp6 '[::ffff:127.0.0.1]:443'
expect EACCES /a bind udp6 '[::ffff:0.0.0.0]:80'
check "a list of all IPv6" set_allow '[::]/0:0-65535'
expect EACCES /a bind tcp6 '[::ffff:127.0.0.1]:80'
expect ok /a bind tcp6 '[::1]:80'

# AF_UNSPEC, which IPv4 sockets take for AF_INET when the address is 0.0.0.0.
check "a list of all IPv4 on one port" set_allow '0.0.0.0/0:80'
expect ok /a bind tcp4 0.0.0.0:80 family=0
expect EACCES /a bind tcp4 0.0.0.0:81 family=0
expect EACCES /a bind udp4 0.0.0.0:81 family=0
expect EACCES /a bind raw4 127.0.0.1:81 family=0
expect EAFNOSUPPORT /a bind tcp4 127.0.0.1:80 family=0
expect EACCES /a bind tcp6 '[::]:80' family=0

# Other families: raw sockets do not look at it.
expect EACCES /a bind raw4 127.0.0.1:80 family=1
expect EACCES /a bind tcp4 127.0.0.1:80 family=1
expect EACCES /a bind tcp4 127.0.0.1:80 family=65535
check "a list of all IPv6 again" set_allow '[::]/0:0-65535'
expect EACCES /a bind raw4 127.0.0.1:80 family=10 len=28
expect EACCES /a bind tcp4 127.0.0.1:80 family=10 len=28

# Lengths.
check "a list of everything" set_allow '0.0.0.0/0:0-65535 [::]/0:0-65535'
expect ok /a bind tcp4 127.0.0.1:80 len=16
expect ok /a bind tcp4 127.0.0.1:80 len=128
for len in 0 1 2 7 8 15; do
	expect EACCES /a bind tcp4 127.0.0.1:80 len=$len
done
expect ok /a bind tcp6 '[::1]:80' len=24
for len in 0 1 2 8 16 23; do
	expect EACCES /a bind tcp6 '[::1]:80' len=$len
done
expect ok /a bind tcp4 0.0.0.0:0
expect ok /a bind tcp6 '[::]:0'

# Protocols.
check "a list of TCP" set_allow '127.0.0.1:80/tcp,127.0.0.1:81/udp'
expect ok /a bind tcp4 127.0.0.1:80
expect ok /a bind mptcp4 127.0.0.1:80
expect EACCES /a bind udp4 127.0.0.1:80
expect EACCES /a bind udplite4 127.0.0.1:80
expect EACCES /a bind raw4 127.0.0.1:80
expect ok /a bind udp4 127.0.0.1:81
expect EACCES /a bind tcp4 127.0.0.1:81
expect EACCES /a bind mptcp4 127.0.0.1:81
expect EACCES /a bind udplite4 127.0.0.1:81

# By io_uring, where it can.
uring_bind=$(probe /sibling uring-bind tcp4 127.0.0.1:80)
check_match "io_uring binds outside, or knows no such request" '^(ok|EINVAL)$' echo "$uring_bind"
for way in "" worker polled; do
	# shellcheck disable=SC2086
	expect "$uring_bind" /a uring-bind tcp4 127.0.0.1:80 $way
	if [ "$uring_bind" = ok ]; then
		# shellcheck disable=SC2086
		expect EACCES /a uring-bind tcp4 127.0.0.1:81 $way
	fi
done

# Ports that the kernel chooses for sockets which were never bound.
uring_listen=$(probe /sibling uring-listen tcp4)
check_match "io_uring listens outside, or knows no such request" '^(ok|EINVAL)$' \
	echo "$uring_listen"
# implicit TCP UDP: what comes of a way of each.
implicit() {
	expect "$1" /a listen tcp4
	expect "$1" /a listen mptcp4
	expect "$2" /a sendto udp4 127.0.0.1:9
	expect "$2" /a sendto udp6 '[::1]:9'
}
# shellcheck disable=SC2317 # called by check
set_ephemeral() {
	checmatectl set /a net-bind ephemeral="$1" >/dev/null
}
check "a list without port 0" set_allow '0.0.0.0/0:1-65535,[::]/0:1-65535'
implicit EACCES ok
check "the list has to have all of them" set_ephemeral listed
implicit EACCES EACCES
for socket in tcp4 mptcp4; do
	expect EACCES /a reconnect-listen $socket 127.0.0.1:9
	expect ok /a bind-listen $socket 127.0.0.1:80
	expect EACCES /a bind-listen $socket 127.0.0.1:0
done
expect EACCES /a listen tcp6
expect EACCES /a connect-listen tcp4 127.0.0.1:9
expect ok /a bind-listen tcp6 '[::1]:80'
[ "$uring_listen" = EINVAL ] || expect EACCES /a uring-listen tcp4
for call in sendmsg sendmmsg reconnect-sendto uring-send uring-sendzc uring-sendmsg; do
	expect EACCES /a $call udp4 127.0.0.1:9
done
expect EACCES /a sendto udplite4 127.0.0.1:9
expect EACCES /a sendto udp6 '[::ffff:127.0.0.1]:9'
# Before Linux 6.5 no hook sees this, which takes a port and fails.
case $(uname -r) in
6.1.*) expect EDESTADDRREQ /a sendfile udp4 ;;
*) expect EACCES /a sendfile udp4 ;;
esac
# Only the peer reaches a socket that connects.
expect ECONNREFUSED /a connect tcp4 127.0.0.1:9
expect ok /a connect udp4 127.0.0.1:9
expect ok /a send udp4 127.0.0.1:9
expect ok /a send udp6 '[::1]:9'
# A raw socket of UDP's number has no port.
expect ok /a sendto 2:3:17 127.0.0.1:9

check "a list with the wildcards' port 0" set_allow '0.0.0.0:0,[::]:0'
implicit ok ok
expect ok /a bind-listen tcp4 0.0.0.0:0
expect EACCES /a bind-listen tcp4 127.0.0.1:0
check "a list with port 0 of one address" set_allow '127.0.0.1:0,[::1]:0'
implicit EACCES EACCES
expect ok /a bind-listen tcp4 127.0.0.1:0
expect ok /a bind-listen tcp6 '[::1]:0'
expect ok /a bind-listen tcp6 '[::ffff:127.0.0.1]:0'
expect ok /a bind-listen mptcp4 127.0.0.1:0
check "a list with port 0 of TCP" set_allow '0.0.0.0:0/tcp,[::]:0/tcp'
implicit ok EACCES

check "an empty list for ephemeral ports" set_allow ''
check "UDP takes them" set_ephemeral udp
implicit EACCES ok
expect EACCES /a bind udp4 0.0.0.0:0
check "all do" set_ephemeral any
implicit ok ok
expect EACCES /a bind tcp4 0.0.0.0:0
expect EACCES /a bind udp4 0.0.0.0:0

# A datagram for a socket that has such a port already: it takes a race with a
# disconnecting thread to get one, or to have it from before the policy.
start /a "$tests/net-probe" answers udp4 127.0.0.1:9 >/tmp/answers
wait_until 30 test -s /tmp/answers
answers_port=$(head -n 1 /tmp/answers)
check "the list has to have them" set_ephemeral listed
expect ok /sibling sendto udp4 "127.0.0.1:$answers_port"
got=
if backend_is checmate; then
	check_output "the datagram is not delivered" "$answers_port" cat /tmp/answers
else
	# The hook runs for the cgroup of the sender.
	got="
got"
	check "a stock kernel delivers it" wait_until 30 grep -q got /tmp/answers
fi
check "all have them again" set_ephemeral any
expect ok /sibling sendto udp4 "127.0.0.1:$answers_port"
# shellcheck disable=SC2317 # called by check
answers_are() {
	[ "$(cat /tmp/answers)" = "$1" ]
}
check "the next one is delivered, and nothing else" wait_until 30 answers_are "$answers_port$got
got"
kill $!
wait $!
check "the list has to have them at last" set_ephemeral listed

# SMC over IPv4, over IPv6 and as a protocol of IPv4.
for socket in 43:1:0 43:1:1 2:1:256; do
	if ! probe /sibling socket $socket | grep -q '^ok$'; then
		skip "SMC as $socket" "this kernel has none"
		continue
	fi
	address=127.0.0.1
	[ $socket != 43:1:1 ] || address='[::1]'
	check "SMC: a list of one port" set_allow "$address:80"
	expect ok /a bind-listen $socket "$address:80"
	expect EACCES /a listen $socket
	check "SMC: a list of IPv4's port 0" set_allow '0.0.0.0:0'
	if [ $socket = 43:1:1 ]; then
		expect EACCES /a listen $socket
	else
		expect ok /a listen $socket
	fi
done

if probe /sibling socket 2:1:132 | grep -q '^ok$'; then
	for socket in 2:1:132 2:5:132; do
		check "SCTP: a list of one port" set_allow '127.0.0.0/8:80'
		expect EACCES /a listen $socket
		expect EACCES /a connect-listen $socket 127.0.0.1:9
		expect ok /a bind-listen $socket 127.0.0.1:80
		expect ok /a bindx $socket 127.0.0.1:80
		expect ok /a bindx $socket 127.0.0.1:80 also=127.0.0.2:80
		expect EACCES /a bindx $socket 127.0.0.1:81
		expect EACCES /a bindx $socket 127.0.0.1:80 also=127.0.0.2:81
		expect EACCES /a bindx $socket 127.0.0.1:80 also=10.0.0.1:80
		expect EINVAL /a bindx $socket 127.0.0.1:80 family=1
		expect EACCES /a bindx $socket 127.0.0.1:0
		# Port 0 of another address is the port that the socket has.
		expect ok /a bind-bindx $socket 127.0.0.1:80 also=127.0.0.2:0
		expect EACCES /a bind-bindx $socket 127.0.0.1:80 also=10.0.0.1:0
		check "SCTP: a list of port 0" set_allow '0.0.0.0/0:0,127.0.0.1:80'
		expect ok /a listen $socket
		expect ok /a bindx $socket 127.0.0.1:0
		expect EACCES /a bind-bindx $socket 127.0.0.1:80 also=127.0.0.2:0
	done
else
	skip "SCTP" "this kernel has none"
fi

# Port numbers at both ends.
check "a list of the last port" set_allow '0.0.0.0/0:65535'
expect ok /a bind tcp4 127.0.0.1:65535
expect EACCES /a bind tcp4 127.0.0.1:65534
expect EACCES /a bind tcp4 127.0.0.1:0

# The longest list, and its last entry.
long=
i=1
while [ $i -lt 256 ]; do
	long=$long,10.0.0.$i:1
	i=$((i + 1))
done
check "a list of 256" set_allow "$long,127.0.0.1:80"
expect ok /a bind tcp4 127.0.0.1:80
expect EACCES /a bind tcp4 127.0.0.1:81
check_not "a list of 257" set_allow "$long,127.0.0.1:80,127.0.0.1:81"
expect EACCES /a bind tcp4 127.0.0.1:81
check "an empty list again" set_allow ''
expect EACCES /a bind tcp4 127.0.0.1:80

# Two levels: both must allow.
mkdir "$cgroups/a/b"
check "the child's own list" checmatectl apply /a/b net-bind allow=0.0.0.0/0:80-81 deny-errno=EUSERS
check "the parent's" set_allow 0.0.0.0/0:81-82
expect EACCES /a/b bind tcp4 127.0.0.1:80
expect ok /a/b bind tcp4 127.0.0.1:81
expect EUSERS /a/b bind tcp4 127.0.0.1:82
# Of two denials, the nearest tells its errno.
expect EUSERS /a/b bind tcp4 127.0.0.1:83

# A socket belongs to the cgroup that made it.
check "removed from both" checmatectl remove /a/b
check "removed from both" checmatectl remove /a
expect ok /a/b bind tcp4 127.0.0.1:80

# While the list goes back and forth, every judgement uses one of the two whole.
check "alternating lists" checmatectl apply /a net-bind allow=127.0.0.1:80,127.0.0.1:81
(
	i=0
	while [ $i -lt 10 ]; do
		set_allow 127.0.0.1:81,127.0.0.1:80
		set_allow 127.0.0.1:80,10.0.0.0/8:1-2
		i=$((i + 1))
	done
	touch /tmp/alternated
) &
failed=0
while [ ! -e /tmp/alternated ]; do
	[ "$(probe /a bind udp4 127.0.0.1:80)" = ok ] || failed=$((failed + 1))
done
wait
check_output "what both lists allow is never denied" 0 echo $failed
check "removed" checmatectl remove /a

clean_slate
finish
