#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the command line shows of a tree of cgroups with policies of all states,
# and the commands that change a state: mode and seal.

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=tests/lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh

clean_slate
ctl=checmatectl
mkdir -p "$cgroups/a/b" "$cgroups/a/c" "$cgroups/d/e"

check_output "a tree without policies says so" "/: no policy holds there or below" $ctl tree
check_match "unless all is to be seen" '^  [|`]-e +$' $ctl tree --all

check "one" $ctl apply / net-connect allow=127.0.0.0/8:0-65535
check "two" $ctl apply /a net-bind allow=127.0.0.1:80 deny-errno=EACCES
check "three, permissive" $ctl apply --permissive /a/b net-bind
check "four, staged" $ctl apply --when-exec /a/c net-bind
# Attached, and not by checmatectl: its pins are away.
check "five" $ctl apply /d net-bind
mv "$pins/$(cgroup_id /d)" "$pins/kept"

# --- tree ----------------------------------------------------------------------

check_match "the root" '^/ +net-connect +in force +-$' $ctl tree
check_match "its child" '^\|-a +net-bind +in force +-$' $ctl tree
check_match "and what that inherits" '^[| ]+ net-connect +in force +/$' $ctl tree
check_match "what is permissive" '^\| \|-b +net-bind +permissive +-$' $ctl tree
check_match "and is inherited beside it" '^\| [| ] +net-bind +in force +/a$' $ctl tree
check_match "what is staged" 'net-bind +staged +-$' $ctl tree
check_match "what is somebody else's" '^`-d +\(program net_bind\) +in force +-$' $ctl tree
check_match "a child that has only that" '^  `-e +\(program net_bind\) +in force +/d$' $ctl tree
check_match "part of it" '^/a +net-bind +in force +-$' $ctl tree /a
check_not "is without the rest" sh -c "$ctl tree /a | grep program"
check_match "of a process" '^/a/b +net-bind +permissive' inside /a/b sh -c 'checmatectl tree $$'
check_status "of what is not there" 1 $ctl tree /nowhere

# --- explain -------------------------------------------------------------------

check_match "who is asked first" '^socket_bind +1 +net-bind +permissive +EPERM +/a/b$' $ctl explain /a/b
check_match "and then" '^socket_bind +2 +net-bind +in force +EACCES +/a$' $ctl explain /a/b
check_match "for another hook" '^socket_connect +1 +net-connect +in force +EPERM +/$' $ctl explain /a/b
check_match "what it says" '^  What it denies fails with EACCES\.$' $ctl explain /a/b
check_match "what the permissive one says" \
	'^  What it would let fail with EPERM is told, and let pass\.$' $ctl explain /a/b
check_match "by which parameters" '^    allow=127\.0\.0\.1:80$' $ctl explain /a/b
check_match "whose it is" '^  Inherited by /a/b\.$' $ctl explain /a/b
check_match "what it is for" '^  Allow list for binding IPv4 and IPv6 sockets$' $ctl explain /a
check_match "what is staged comes last" '^socket_bind +- +net-bind +staged +EPERM +/a/c$' $ctl explain /a/c
check_match "and says nothing" '^  Judges nothing before an exec begins; what it denies then fails with EPERM\.$' \
	$ctl explain /a/c
check_match "what is not ours" '^socket_bind +1 +\(program net_bind, id [0-9]+\) +in force +- +/d$' \
	$ctl explain /d
check_match "is said not to be" "^  Not of Checmate's policies: only its author knows" $ctl explain /d
check_match "one hook" '^socket_connect +1 ' $ctl explain /a socket_connect
check_not "is without the others" sh -c "$ctl explain /a socket_connect | grep -e socket_bind -e net-bind"
check_output "a hook that nobody judges" "task_kill: nothing is judged here by a policy" \
	sh -c "$ctl explain /a task_kill | tail -n 1"
check_match "a hook that there is not" 'hook task_murder: the kernel has none of this name' \
	$ctl explain /a task_murder
check_status "is a failure" 1 $ctl explain /a task_murder
check_match "a process" '^/a/b \(id ' inside /a/b sh -c 'checmatectl explain $$'
check_match "somebody without rights sees who, if not what" '^socket_bind +1 ' as_nobody $ctl explain /a

# --- listed paths ----------------------------------------------------------------

# They are those of the processes in the cgroup.
mkdir -p "$cgroups/r" /other/bin
cp /usr/bin/busybox /other/bin/
ln -s bin /other/link
start /r chroot /other /bin/busybox sleep 1000
other=$!
check "a process with another root" wait_until 20 test /proc/$other/root -ef /other
check_match "a link there is told" \
	'^checmatectl: warning: exec-allow: allow: /link is a symbolic link to bin; list /bin$' \
	$ctl apply /r exec-allow allow=/link
check_match "and explained" '^/link/x/y does not exist$' $ctl explain $other /link/x/y
check_match "a path with .. is refused" 'a path has no \. and no \.\.' $ctl explain /r /link/../x
check_status "it is a failure" 1 $ctl explain /r /link/../x
check_status "two paths are too many" 2 $ctl explain /r /a /b
kill -KILL $other
wait $other 2>/dev/null

# One that asks a daemon which does not answer, as of a container's FUSE. This shell is none.
mkfifo /tmp/automount
mkdir /stuck
exec 9<>/tmp/automount
setsid sleep 1000 &
daemon=$!
check "a file system that answers nobody" mount -t autofs \
	-o fd=9,pgrp=$daemon,minproto=5,maxproto=5,indirect automount /stuck
check_match "is told of" '^checmatectl: warning: listed paths: a file system does not answer' \
	$ctl set /r exec-allow allow=/stuck/x,/link
check_output "and is no failure" "/r: exec-allow is in force" \
	sh -c "$ctl replace /r exec-allow allow=/stuck/x 2>/dev/null"
check_status "it cannot be explained" 1 $ctl explain /r /stuck/x
umount -l /stuck
kill -KILL $daemon
wait $daemon 2>/dev/null
exec 9>&-
$ctl remove /r >/dev/null

# --- status ----------------------------------------------------------------------

check_match "status has the states, too" '^/a/b +net-bind +1 +permissive ' $ctl status
check_match "of what is staged" '^/a/c +net-bind +1 +staged ' $ctl status
check_match "and in a cgroup" ' socket_bind +net-bind +net_bind +[0-9]+ +staged +/a/c$' $ctl status /a/c

# --- mode ------------------------------------------------------------------------

expect EACCES /a bind tcp4 127.0.0.1:81
check_output "permissive" "/a: net-bind is permissive" $ctl mode /a net-bind permissive
expect ok /a bind tcp4 127.0.0.1:81
check_match "is shown" '^\|-a +net-bind +permissive +-$' $ctl tree
check_output "enforced again" "/a: net-bind is enforced" $ctl mode /a net-bind enforce
expect EACCES /a bind tcp4 127.0.0.1:81
check_match "with its parameters as they were" '^allow +127.0.0.1:80$' $ctl get /a net-bind
check_status "another word" 2 $ctl mode /a net-bind off
check_match "a policy that is not bound there" 'net-connect' $ctl mode /a net-connect permissive
check_status "is a failure" 1 $ctl mode /a net-connect permissive

# --- seal ------------------------------------------------------------------------

check_output "sealed" "/a: sealed until it is removed" $ctl seal /a
check_match "tree says so" '^[| ]+ \(sealed\)' $ctl tree
check_match "so does status" '^/a \(id [0-9]+\), generation [0-9]+, sealed$' $ctl status /a
check_match "nothing is made permissive" 'sealed' $ctl mode /a net-bind permissive
check_match "nor removed" 'sealed' $ctl remove /a net-bind
check_status "each a failure" 1 $ctl remove /a net-bind
expect EACCES /a bind tcp4 127.0.0.1:81
check "what is below is not sealed" $ctl remove /a/b net-bind
check "sealing again is none" $ctl seal /a
check_status "the root cannot be" 1 $ctl seal /

# --- arguments --------------------------------------------------------------------

check_status "a number is no cgroup to change" 2 $ctl apply 1 net-bind
check_match "it is said what it is" 'a process id; .*status 1' $ctl apply 1 net-bind
check_status "seal takes none either" 2 $ctl seal 1
mkdir "$cgroups/77" "$cgroups/x.service"
check_match "with a slash it is one" '^/77: net-bind is in force$' $ctl apply /77 net-bind
check_match "a unit is asked of systemd" 'unit x\.service: .*systemd' $ctl status x.service
check_match "with a slash it is a path" '^/x.service \(id ' $ctl status /x.service
check_match "without rights a policy is not loaded" 'net-bind +not loaded: run as root' \
	as_nobody $ctl policy verify net-bind
check_match "with them it is" '^net-bind +loads$' $ctl policy verify net-bind
check_output "and nothing of it stays" "" sh -c "$ctl status | grep '^/.*verify'; :"
check "all of them load" $ctl policy verify
check_status "one that is not there" 1 $ctl policy verify no-such
cp /usr/lib/checmate/policies/net-bind.bpf.o /tmp/mine.bpf.o
chmod 666 /tmp/mine.bpf.o
check_status "what others can change" 1 $ctl policy verify /tmp/mine.bpf.o
check "needs an option" $ctl policy verify --untrusted-ok /tmp/mine.bpf.o

# --- colours ----------------------------------------------------------------------

escape=$(printf '\033')
check_match "colours when wanted" "$escape\\[3[0-9]" $ctl --color=always status
check_not "none without a terminal" sh -c "$ctl status | grep '$escape'"
check_not "none if not wanted" sh -c "$ctl --color never tree | grep '$escape'"
check_status "when else" 2 $ctl --color=sometimes status
check_not "none in JSON" sh -c "$ctl --color=always status --json | grep '$escape'"

mv "$pins/kept" "$pins/$(cgroup_id /d)"
clean_slate
finish
