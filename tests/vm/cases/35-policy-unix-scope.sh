#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# unix-scope: Unix sockets reach peers inside, by whatever name, and no others.

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=tests/lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh

clean_slate
ip link set lo up
mkdir "$cgroups/a" "$cgroups/a/b" "$cgroups/a/c" "$cgroups/ab" "$cgroups/sibling"
work=$(mktemp -d)
servers=

# serve NAME CGROUP SOCKET ADDRESS: a server there.
serve() {
	serve_name=$1
	serve_cgroup=$2
	shift 2
	start "$serve_cgroup" "$tests/net-probe" serve "$@" >"$work/$serve_name"
	servers="$servers $!"
	wait_until 20 grep -q ready "$work/$serve_name"
}

for socket in unix unix-stream unix-seqpacket; do
	# /ab, since a name must not be taken for a beginning.
	for cgroup in / /ab /sibling /a /a/b; do
		name=$(echo "$cgroup-$socket" | tr / -)
		serve "path$name" $cgroup $socket "$work/$name.sock"
		serve "abstract$name" $cgroup $socket "@$name"
		expect ok /a connect $socket "$work/$name.sock"
		expect ok /a connect $socket "@$name"
	done
done

# reaches RESULT CGROUP PEER: by all the ways there are.
reaches() {
	reaches_result=$1
	reaches_from=$2
	for socket in unix unix-stream unix-seqpacket; do
		name=$(echo "$3-$socket" | tr / -)
		for address in "$work/$name.sock" "@$name"; do
			for call in send uring-connect; do
				expect "$reaches_result" "$reaches_from" $call $socket "$address"
			done
			[ $socket = unix ] || continue
			for call in connect sendto sendmsg sendmmsg uring-send uring-sendmsg; do
				expect "$reaches_result" "$reaches_from" $call $socket "$address"
			done
		done
	done
}

check "it applies" checmatectl apply /a unix-scope
reaches ok /a /a
reaches ok /a /a/b
reaches ok /a/b /a
reaches ok /a/c /a/b
reaches EPERM /a /
reaches EPERM /a /ab
reaches EPERM /a /sibling
reaches EPERM /a/b /sibling
for way in worker polled; do
	expect EPERM /a uring-connect unix-stream @-sibling-unix-stream $way
	expect EPERM /a uring-send unix @-sibling-unix $way
	expect ok /a uring-connect unix-stream @-a-b-unix-stream $way
done
# Who is outside is not judged.
reaches ok /sibling /a

# Other names for the same socket.
ln "$work/-sibling-unix.sock" "$work/hard"
ln -s "$work/-sibling-unix-stream.sock" "$work/soft"
mount --bind "$work/-sibling-unix-stream.sock" "$work/-a-unix-stream.sock"
expect EPERM /a sendto unix "$work/hard"
expect EPERM /a connect unix-stream "$work/soft"
expect EPERM /a connect unix-stream "$work/-a-unix-stream.sock"
expect EPERM /a connect unix-stream "/proc/self/root$work/soft"
umount "$work/-a-unix-stream.sock"
ln -s "$work/-a-unix-stream.sock" "$work/own"
expect ok /a connect unix-stream "$work/own"

# Whoever serves: it is the socket that counts, which stays where it was made.
for server in $servers; do
	echo "$server" >"$cgroups/a/cgroup.procs"
done
expect EPERM /a sendto unix @-sibling-unix
expect EPERM /a connect unix-stream @-ab-unix-stream
for server in $servers; do
	echo "$server" >"$cgroups/sibling/cgroup.procs"
done
expect ok /a connect unix-stream "$work/-a-unix-stream.sock"
expect EPERM /a connect unix-stream "$work/--unix-stream.sock"

# Pairs, other families, and names that nobody has, are no matter.
expect ok /a socketpair 1:1:0
expect ok /a socketpair 1:2:0
expect ok /a bind unix "$work/fresh"
expect ok /a connect udp4 127.0.0.1:9
expect ENOENT /a connect unix "$work/nobody"
expect ECONNREFUSED /a connect unix-stream @nobody
check "the errno" checmatectl set /a unix-scope deny-errno=EACCES
expect EACCES /a connect unix-stream @-sibling-unix-stream
expect EACCES /a sendto unix @-sibling-unix

# Two levels: to be inside the nearer one.
check "the child's own" checmatectl apply /a/b unix-scope deny-errno=EUSERS
expect ok /a/b connect unix-stream @-a-b-unix-stream
expect EUSERS /a/b connect unix-stream @-a-unix-stream
# Of two denials, the nearest tells its errno.
expect EUSERS /a/b connect unix-stream @-sibling-unix-stream
expect ok /a/c connect unix-stream @-a-b-unix-stream
check "removed from both" checmatectl remove /a/b
check "removed from both" checmatectl remove /a
expect ok /a/b connect unix-stream @-sibling-unix-stream

for server in $servers; do
	kill "$server"
	wait "$server" 2>/dev/null
done
rm -r "$work"
clean_slate
finish
