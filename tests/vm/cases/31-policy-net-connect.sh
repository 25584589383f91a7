#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# net-connect: what it allows, what it denies, on every path to a remote address.

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=tests/lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh

clean_slate
ip link set lo up
mkdir "$cgroups/a" "$cgroups/sibling"

check "an empty list applies" checmatectl apply /a net-connect
for call in connect fastopen; do
	expect EPERM /a $call tcp4 127.0.0.1:9
	expect EPERM /a $call tcp6 '[::1]:9'
	expect EPERM /a $call tcp6 '[::ffff:127.0.0.1]:9'
	expect ECONNREFUSED /sibling $call tcp4 127.0.0.1:9
	expect ECONNREFUSED /sibling $call tcp6 '[::1]:9'
done
for call in connect sendto sendmsg sendmmsg; do
	expect EPERM /a $call udp4 127.0.0.1:9
	expect EPERM /a $call udp6 '[::1]:9'
	expect EPERM /a $call udp6 '[::ffff:127.0.0.1]:9'
	expect ok /sibling $call udp4 127.0.0.1:9
	expect ok /sibling $call udp6 '[::1]:9'
done
expect EPERM /a sendto raw4 127.0.0.1:0
expect EPERM /a sendto raw6 '[::1]:0'
expect ok /a bind tcp4 127.0.0.1:9
expect ENOENT /a connect unix /tmp/nobody
expect ENOENT /a sendto unix /tmp/nobody

# shellcheck disable=SC2317 # called by check
set_allow() {
	checmatectl set /a net-connect allow="$1" deny-errno=EACCES >/dev/null
}

check "a list applies" set_allow '127.0.0.0/8:7-9,[::1]:9'
expect ECONNREFUSED /a connect tcp4 127.0.0.1:9
expect ECONNREFUSED /a fastopen tcp4 127.0.0.1:7
expect ECONNREFUSED /a connect tcp6 '[::1]:9'
expect ECONNREFUSED /a connect tcp6 '[::ffff:127.0.0.1]:8'
expect ok /a connect udp4 127.0.0.1:9
expect ok /a sendto udp4 127.0.0.1:9
expect ok /a sendmmsg udp4 127.0.0.1:9
expect ok /a sendto udp6 '[::1]:9'
expect ok /a sendto udp6 '[::ffff:127.0.0.1]:7'
expect ok /a send udp4 127.0.0.1:9
expect EACCES /a connect tcp4 127.0.0.1:10
expect EACCES /a fastopen tcp4 127.0.0.1:10
expect EACCES /a connect tcp4 126.255.255.255:9
expect EACCES /a connect tcp4 0.0.0.0:9
expect EACCES /a connect tcp6 '[::]:9'
expect EACCES /a connect tcp6 '[::1]:8'
expect EACCES /a sendto udp4 127.0.0.1:10
expect EACCES /a sendmsg udp4 127.0.0.1:10
expect EACCES /a sendmmsg udp4 127.0.0.1:10
expect EACCES /a sendto udp6 '[::1]:8'
expect EACCES /a sendto udp6 '[::ffff:127.0.0.1]:10'

# IPv4 addresses on IPv6 sockets, which UDP takes.
expect ok /a connect udp6 127.0.0.1:9
expect ok /a sendto udp6 127.0.0.1:9
expect EACCES /a connect udp6 127.0.0.1:10
expect EACCES /a sendto udp6 127.0.0.1:10

# AF_UNSPEC dissolves an association when connecting; when sending on an IPv4
# socket it is an address like any other.
expect ok /a reconnect udp4 127.0.0.1:9
expect ok /a reconnect udp4 127.0.0.1:10
expect ok /a connect udp4 127.0.0.1:10 family=0
expect ok /a sendto udp4 127.0.0.1:9 family=0
expect EACCES /a sendto udp4 127.0.0.1:10 family=0
expect EACCES /a sendmsg udp4 127.0.0.1:10 family=0
expect EACCES /a sendto raw4 127.0.0.1:10 family=0
expect EACCES /a sendto raw6 '[::2]:9' family=0
expect EACCES /a sendto udp6 '[::2]:9' family=0
expect EACCES /a fastopen tcp4 127.0.0.1:10 family=0

# By io_uring, in the call, by a worker and by a polling thread.
for way in "" worker polled; do
	# shellcheck disable=SC2086
	{
		expect ECONNREFUSED /sibling uring-connect tcp4 127.0.0.1:10 $way
		expect ECONNREFUSED /a uring-connect tcp4 127.0.0.1:9 $way
		expect EACCES /a uring-connect tcp4 127.0.0.1:10 $way
		expect EACCES /a uring-connect udp6 '[::ffff:127.0.0.1]:10' $way
		for call in uring-send uring-sendzc uring-sendmsg; do
			expect ok /sibling $call udp4 127.0.0.1:10 $way
			expect ok /a $call udp4 127.0.0.1:9 $way
			expect EACCES /a $call udp4 127.0.0.1:10 $way
			expect EACCES /a $call udp4 127.0.0.1:10 family=0 $way
			expect EACCES /a $call udp6 '[::1]:8' $way
		done
	}
done

# Deferred to the first write.
expect ECONNREFUSED /a deferred tcp4 127.0.0.1:9
expect EACCES /a deferred tcp4 127.0.0.1:10

# Protocols.
check "a list of TCP and UDP" set_allow '127.0.0.1:9/tcp,127.0.0.1:10/udp'
expect ECONNREFUSED /a connect tcp4 127.0.0.1:9
expect ECONNREFUSED /a connect mptcp4 127.0.0.1:9
expect ECONNREFUSED /a connect tcp6 '[::ffff:127.0.0.1]:9'
expect EACCES /a connect tcp4 127.0.0.1:10
expect EACCES /a connect mptcp4 127.0.0.1:10
expect EACCES /a sendto udp4 127.0.0.1:9
expect ok /a sendto udp4 127.0.0.1:10
expect ok /a sendmmsg udp6 '[::ffff:127.0.0.1]:10'
expect EACCES /a connect udplite4 127.0.0.1:9
expect EACCES /a connect udplite4 127.0.0.1:10
expect EACCES /a sendto raw4 127.0.0.1:10

# Destinations that are not in the address. Options and control messages, as
# LEVEL:NAME: IP_HDRINCL, IP_OPTIONS and IP_RETOPTS; IPV6_HDRINCL at two levels,
# IPV6_RTHDR, IPV6_2292PKTOPTIONS, IPV6_FLOWLABEL_MGR and IPV6_2292RTHDR.
expect ok /sibling header 2:3:255 127.0.0.1:0 header=127.0.0.2
expect ok /sibling option raw4 option=0:3
expect ok /sibling option raw6 option=41:36
expect ok /sibling option raw6 option=255:36
expect ok /sibling control udp4 127.0.0.1:9 option=0:7
check "a list of one address" set_allow '127.0.0.1:0-65535,[::1]:0-65535'
for socket in raw4 raw6; do
	expect EACCES /a option $socket option=0:3
	expect EACCES /a option $socket option=41:36
	expect EACCES /a option $socket option=255:36
done
for socket in tcp4 tcp6 udp4 udp6; do
	expect EACCES /a option $socket option=0:4
	expect EACCES /a option $socket option=41:57
	expect EACCES /a option $socket option=41:6
	expect EACCES /a option $socket option=41:32
done
expect EACCES /a header 2:3:255 127.0.0.1:0 header=127.0.0.2
expect EACCES /a header 2:3:255 127.0.0.1:0 header=127.0.0.1
expect ok /a header raw4 127.0.0.1:0
expect EACCES /a control udp4 127.0.0.1:9 option=0:7
expect EACCES /a control raw4 127.0.0.1:0 option=0:7
for option in 41:57 41:5; do
	expect EACCES /a control udp6 '[::1]:9' option=$option
	expect EACCES /a control raw6 '[::1]:0' option=$option
done
# Other options and messages reach the kernel, which refuses messages of this size:
# IP_TTL, IPV6_TCLASS and SO_MARK.
expect ok /a option udp4 option=0:2
expect ok /a option udp6 option=41:67
expect EINVAL /a control udp4 127.0.0.1:9 option=0:2
expect EINVAL /a control udp4 127.0.0.1:9 option=1:36

check "a list of all IPv4" set_allow '[::1]:0-65535,0.0.0.0/0:0-65535'
expect ok /a header 2:3:255 127.0.0.1:0 header=127.0.0.2
expect ok /a option raw4 option=0:3
expect ok /a control udp4 127.0.0.1:9 option=0:7
expect EACCES /a option raw6 option=41:36
expect EACCES /a option tcp6 option=41:57
expect EACCES /a control udp6 '[::1]:9' option=41:57
check "a list of all IPv6" set_allow '127.0.0.1:0-65535,[::]/0:0-65535'
expect ok /a option raw6 option=41:36
expect ok /a option raw6 option=255:36
expect EACCES /a option raw4 option=0:3
expect EACCES /a header 2:3:255 127.0.0.1:0 header=127.0.0.2
# All but one port, address or protocol is not all.
for list in 0.0.0.0/0:1-65535 0.0.0.0/0:0-65534 0.0.0.0/0:0-65535/udp 0.0.0.0/1:0-65535; do
	check "a list of nearly all" set_allow "$list"
	expect EACCES /a option raw4 option=0:3
	expect EACCES /a control udp4 1.2.3.4:9 option=0:7
done

# A socket that had its headers before the policy.
check "removed for a while" checmatectl remove /a
start /a "$tests/net-probe" header-later raw4 127.0.0.1:0 header=127.0.0.2 >/tmp/header
wait_until 30 grep -q ready /tmp/header
check "applied again" checmatectl apply /a net-connect allow=127.0.0.1:0-65535 deny-errno=EACCES
kill -USR1 $!
wait $!
check_output "its packets are denied then" EACCES tail -n 1 /tmp/header

if probe /sibling socket 2:1:132 | grep -q '^ok$'; then
	for socket in 2:1:132 2:5:132; do
		check "SCTP: a list of one port" set_allow '127.0.0.1:9'
		expect EACCES /a connect $socket 127.0.0.1:10
		expect EACCES /a sendto $socket 127.0.0.1:10
		expect ECONNREFUSED /a connectx $socket 127.0.0.1:9
		expect EACCES /a connectx $socket 127.0.0.1:10
		expect EACCES /a connectx $socket 127.0.0.1:9 also=127.0.0.2:9
		expect EACCES /a connectx $socket 127.0.0.2:9 also=127.0.0.1:9
		expect EACCES /a connectx $socket 127.0.0.1:9 family=1
		expect ok /a bindx $socket 127.0.0.1:80
		expect EACCES /a control $socket 127.0.0.1:9 option=132:7
		expect EACCES /a control $socket 127.0.0.1:9 option=132:8
		# SCTP_REMOTE_UDP_ENCAPS_PORT
		expect EACCES /a option $socket option=132:36
		check "SCTP: a list of two addresses" set_allow '127.0.0.0/8:9'
		expect ECONNREFUSED /a connectx $socket 127.0.0.1:9 also=127.0.0.2:9
		check "SCTP: a list of all IPv4" set_allow '0.0.0.0/0:0-65535'
		expect EACCES /a control $socket 127.0.0.1:9 option=132:8
	done
else
	skip "SCTP" "this kernel has none"
fi

# Other families and lengths.
check "a list of everything" set_allow '0.0.0.0/0:0-65535,[::]/0:0-65535'
expect ECONNREFUSED /a connect tcp4 127.0.0.1:10
expect EACCES /a connect tcp4 127.0.0.1:9 family=1
expect EACCES /a connect tcp4 127.0.0.1:9 family=10 len=28
expect EACCES /a sendto udp4 127.0.0.1:9 family=10 len=28
for len in 1 2 8 15; do
	expect EACCES /a connect tcp4 127.0.0.1:9 len=$len
	expect EACCES /a sendto udp4 127.0.0.1:9 len=$len
	expect EACCES /a sendto udp6 '[::1]:9' len=$len
done
expect EACCES /a connect tcp6 '[::1]:9' len=23
expect ECONNREFUSED /a connect tcp6 '[::1]:9' len=24

# A live change opens exactly what it names.
check "one port" set_allow 127.0.0.1:9
expect ok /a sendto udp4 127.0.0.1:9
expect EACCES /a sendto udp4 127.0.0.1:8
check "another port" set_allow 127.0.0.1:8
expect EACCES /a sendto udp4 127.0.0.1:9
expect ok /a sendto udp4 127.0.0.1:8

check "removed" checmatectl remove /a
expect ok /a sendto udp4 127.0.0.1:9
expect ECONNREFUSED /a connect tcp4 127.0.0.1:9

clean_slate
finish
