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
