#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# net-family: which sockets may be made, on every path to make one.

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=tests/lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh

clean_slate
mkdir "$cgroups/a" "$cgroups/sibling"

# As FAMILY:TYPE:PROTOCOL.
unix=1:1:0
unix_datagram=1:2:0
tcp=2:1:0
tcp6=10:1:0
udp=2:2:0
icmp=2:3:1
netlink=16:3:0
packet=17:3:0
# What socket(2) takes for a packet socket.
old_packet=2:10:0
# SOCK_CLOEXEC and SOCK_NONBLOCK are no part of the type.
tcp_flags=2:$((1 | 02000000 | 04000)):0
# SMC as a protocol of IP.
smc=2:1:256
smc6=10:1:256

for socket in $unix $tcp $tcp6 $udp $icmp $netlink; do
	expect ok /a socket "$socket"
done

check "without families it applies" checmatectl apply /a net-family
for socket in $unix $tcp $tcp6 $udp $icmp $netlink $packet $old_packet $tcp_flags; do
	expect EAFNOSUPPORT /a socket "$socket"
done
expect ok /sibling socket $tcp
expect ok /sibling socket $netlink
for socket in $unix $tcp; do
	expect EAFNOSUPPORT /a uring-socket "$socket"
	expect EAFNOSUPPORT /a uring-socket "$socket" worker
	expect EAFNOSUPPORT /a uring-socket "$socket" polled
	expect ok /sibling uring-socket "$socket"
done
expect EAFNOSUPPORT /a socketpair $unix
expect EAFNOSUPPORT /a socketpair $unix_datagram
expect ok /sibling socketpair $unix

# The kernel makes sockets for a network namespace, which are not the caller's.
check "a network namespace can be made" inside /a unshare -n true
check_output "but no socket in it" EAFNOSUPPORT \
	inside /a unshare -n "$tests/net-probe" socket $tcp

# shellcheck disable=SC2317 # called by check
set_parameters() {
	checmatectl set /a net-family deny-errno=EACCES "$@" >/dev/null
}

check "two families" set_parameters families=AF_UNIX,AF_INET
expect EACCES /a socket $smc
expect EACCES /a socket $smc6
for socket in $unix $unix_datagram $tcp $udp $icmp $tcp_flags; do
	expect ok /a socket "$socket"
done
expect ok /a socketpair $unix
expect ok /a uring-socket $tcp
expect ok /a connect udp4 127.0.0.1:9
for socket in $tcp6 $netlink $packet $old_packet; do
	expect EACCES /a socket "$socket"
done
expect EACCES /a uring-socket $tcp6

# Numbers that are no family or type: the kernel's answer, or a denial.
expect EAFNOSUPPORT /a socket 64:1:0
expect EAFNOSUPPORT /a socket -1:1:0
expect EINVAL /a socket 2:11:0
expect EACCES /a socket 2:9:0
expect EACCES /a socket 45:1:0

check "one type" set_parameters socket-types=SOCK_STREAM
for socket in $unix $tcp $tcp_flags; do
	expect ok /a socket "$socket"
done
expect ok /a socketpair $unix
for socket in $unix_datagram $udp $icmp $tcp6; do
	expect EACCES /a socket "$socket"
done
expect EACCES /a socketpair $unix_datagram
expect EACCES /a uring-socket $udp
check "no type" set_parameters socket-types=
expect EACCES /a socket $tcp

check "a list of what is denied" \
	set_parameters mode=deny families=AF_NETLINK,AF_PACKET socket-types=SOCK_STREAM,SOCK_DGRAM,SOCK_RAW
for socket in $unix $tcp $tcp6 $udp $icmp; do
	expect ok /a socket "$socket"
done
for socket in $netlink $packet; do
	expect EACCES /a socket "$socket"
done
check "with all types" \
	set_parameters socket-types=SOCK_STREAM,SOCK_DGRAM,SOCK_RAW,SOCK_PACKET
expect EACCES /a socket $old_packet
expect EACCES /a uring-socket $netlink
check "a list of nothing that is denied" set_parameters families=
expect ok /a socket $netlink

# Two levels: both must allow.
mkdir "$cgroups/a/b"
check "the child's own" checmatectl apply /a/b net-family families=AF_INET,AF_INET6 deny-errno=EUSERS
check "the parent's" set_parameters mode=allow families=AF_UNIX,AF_INET
expect ok /a/b socket $tcp
expect EUSERS /a/b socket $unix
expect EACCES /a/b socket $tcp6
# Of two denials, the nearest tells its errno.
expect EUSERS /a/b socket $netlink

check "removed from both" checmatectl remove /a/b
check "removed from both" checmatectl remove /a
expect ok /a/b socket $netlink

clean_slate
finish
