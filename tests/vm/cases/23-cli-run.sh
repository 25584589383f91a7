#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# checmatectl run: a program under policies, what its end is, and what is left of
# it; and apply --when-exec, which it is made of.
#
# shellcheck disable=SC2016,SC2086

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=tests/lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh

clean_slate
ctl=checmatectl
run="$ctl run --policy net-bind allow=127.0.0.1:80"
bind="$tests/net-probe bind tcp4"

# Cgroups that runs have made and not removed.
# shellcheck disable=SC2317 # called by check
left() {
	find "$cgroups" -name 'run-*' -o -name checmate-run
}

check_output "what is allowed is allowed" ok $run -- $bind 127.0.0.1:80
check_output "and the rest is denied" EPERM $run -- $bind 127.0.0.1:81
check_output "with the errno of the parameter" EACCES $run deny-errno=EACCES -- $bind 127.0.0.1:81
check_output "not so when permissive" ok $run --permissive -- $bind 127.0.0.1:81
check_output "nor for others" ok $bind 127.0.0.1:81
check_output "a second policy judges too" EPERM \
	$run --policy=net-connect deny-errno=EPERM -- "$tests/net-probe" connect tcp4 127.0.0.1:9
check_output "an equals sign joins as well" EPERM \
	$ctl run --policy=net-bind -- $bind 127.0.0.1:80
check_output "input and output are the program's" text sh -c "echo text | $run -- cat"
check_output "so are arguments like options" '--json -x' $run -- echo --json -x
check_output "and the environment" there env WHAT=there $run -- sh -c 'echo $WHAT'
check_match "the cgroup is a fresh one" '^0::/checmate-run/run-[0-9]+\.0$' $run -- cat /proc/self/cgroup
# Each of them removes the folder that the others want to use.
check_output "several at once" "1 2 3 4 5 6" sh -c "for i in 1 2 3 4 5 6; do
	$run -- echo \$i & done | sort | xargs"
check_output "nothing is left of all that" "" left
check_output "and no pin" "" pinned

check_status "the exit status is the program's" 7 $run -- sh -c 'exit 7'
check_status "0 too" 0 $run -- true
check_status "and 255" 255 $run -- sh -c 'exit 255'
check_status "a program that kills itself" 137 $run -- sh -c 'kill -KILL $$'
check_status "by another signal" 134 $run -- sh -c 'kill -ABRT $$'
check_status "a program that is not there" 127 $run -- no-such-program
check_match "is said to be so" 'no-such-program: No such file' $run -- no-such-program
echo 'x' >/tmp/plain
check_status "one that cannot be executed" 126 $run -- /tmp/plain
check_match "is said to be so, too" '/tmp/plain: Permission denied' $run -- /tmp/plain
check_status "a directory" 126 $run -- /tmp

check_status "no program" 125 $run
check_status "nothing after --" 125 $run --
check_status "no policy" 125 $ctl run -- true
check_status "a policy without --policy" 125 $ctl run net-bind -- true
check_status "a program without --" 125 $run true
check_status "an unknown policy" 125 $ctl run --policy=no-such -- true
check_status "an unknown parameter" 125 $run alow=1 -- true
check_status "an unknown option" 125 $run --frobnicate -- true
check_status "an option of others" 125 $run --json -- true
check_status "an unknown backend" 125 $run --backend=none -- true
check_status "a parent that is not there" 125 $run --parent=/nowhere -- true
check_status "without rights" 125 as_nobody $run -- true
check_output "and nothing is left of those" "" left

check_output "a program can leave its cgroup" ok \
	$run -- sh -c "echo \$\$ >$cgroups/cgroup.procs 2>/dev/null; exec $bind 127.0.0.1:81"
check_output "not when that is sealed" EPERM \
	$run --seal -- sh -c "echo \$\$ >$cgroups/cgroup.procs 2>/dev/null; exec $bind 127.0.0.1:81"
check_output "nor take its policies away" EPERM $run --seal -- \
	sh -c "$ctl remove \$(cut -d : -f 3 /proc/self/cgroup) >/dev/null 2>&1; exec $bind 127.0.0.1:81"
check_status "the status is as ever" 7 $run --seal -- sh -c 'exit 7'
check_output "and nothing is left of it" "" left

# --- signals -------------------------------------------------------------------

forever='while :; do sleep 0.1; done'
check_status "SIGTERM reaches the program" 143 $run -- sh -c "kill -TERM \$PPID; $forever"
check_status "which may do with it what it likes" 9 \
	$run -- sh -c "trap 'exit 9' TERM; kill -TERM \$PPID; $forever"
check_status "SIGINT" 130 $run -- sh -c "kill -INT \$PPID; $forever"
check_status "SIGHUP" 129 $run -- sh -c "kill -HUP \$PPID; $forever"
check_status "SIGUSR1" 3 $run -- sh -c "trap 'exit 3' USR1; kill -USR1 \$PPID; $forever"
check_output "nothing is left of those either" "" left
check_output "nor a pin" "" pinned

# --- what the program leaves behind --------------------------------------------

check "what goes on in the background" $run -- sh -c 'sleep 1000 & echo $! >/tmp/background'
check_not "is killed" kill -0 "$(cat /tmp/background)"
check "so is what does not want to" \
	$run -- sh -c "(trap '' TERM HUP INT; $forever) & echo \$! >/tmp/background"
check_not "really" kill -0 "$(cat /tmp/background)"
check "a program may have cgroups of its own" \
	$run -- sh -c 'mkdir -p "/sys/fs/cgroup$(cut -d : -f 3 /proc/self/cgroup)/x/y"'
check "with policies of their own" \
	$run -- sh -c 'own=$(cut -d : -f 3 /proc/self/cgroup)/x &&
		mkdir "/sys/fs/cgroup$own" && checmatectl apply "$own" net-connect'
check_output "they go with it" "" left
check_output "with their pins" "" pinned

mkfifo /tmp/fifo
$run -- sh -c 'echo $$ >/tmp/fifo; exec sleep 1000' &
ctl_pid=$!
read -r pid </tmp/fifo
kill -KILL $ctl_pid
wait $ctl_pid 2>/dev/null
place=$(cut -d : -f 3 "/proc/$pid/cgroup")
check "a program whose checmatectl is killed goes on" kill -0 "$pid"
check_match "under its policies" " socket_bind +net-bind .* enforce +$place$" $ctl status "$pid"
echo 1 >"$cgroups$place/cgroup.kill"
check "when it has ended" wait_until 20 rmdir "$cgroups$place"
check "the rest is gc's" $ctl gc
check_output "which leaves nothing" "" pinned
rmdir "$cgroups/checmate-run"

# --- where the cgroup is -----------------------------------------------------

mkdir "$cgroups/a" "$cgroups/b"
check "a policy for the caller" $ctl apply /a net-connect
check_match "the cgroup is below the caller's" '^0::/a/run-[0-9]+\.0$' \
	inside /a $run -- cat /proc/self/cgroup
check_output "whose policies hold for the program" EPERM \
	inside /a $run -- "$tests/net-probe" connect tcp4 127.0.0.1:9
check_output "two at once do not meet" "EPERM EPERM" \
	sh -c ". $tests/lib/policy.sh; (inside /a $run -- $bind 127.0.0.1:81 &
		inside /a $run -- $bind 127.0.0.1:82; wait) | xargs"
check_match "or where --parent says" '^0::/b/run-' inside /a $run --parent=/b -- cat /proc/self/cgroup
check "the caller's cgroup is sealed" $ctl seal /a
check_match "then it is said what has to be done" 'cannot leave its sealed cgroup; run from outside' \
	inside /a $run -- true
check_output "from outside it can be done" EPERM $run --parent=/a -- $bind 127.0.0.1:81
check_output "nothing is left of any of them" "" left

# --- staging -----------------------------------------------------------------

mkdir "$cgroups/c"
check_match "staging is said to be staging" '^/c: net-bind is staged until an exec$' \
	$ctl apply --when-exec /c net-bind allow=127.0.0.1:80
check_match "and shown so" '^/c +net-bind +1 +staged +allow=127.0.0.1:80 ' $ctl status
check_match "nothing is enforced" '^Enforced here: nothing$' $ctl status /c
check_match "the mode of what is staged stays" 'staged' $ctl mode /c net-bind permissive
check_output "an exec arms it" EPERM probe /c bind tcp4 127.0.0.1:81
check_match "then it is in force" '^/c +net-bind +1 +in force ' $ctl status
check "what is to replace it can be staged" \
	$ctl replace --when-exec --except=/usr/bin/busybox /c net-bind allow=127.0.0.1:81
check "an exec of the excepted file is none" inside /c /usr/bin/busybox true
check_match "it is still staged" '^socket_bind +- +net-bind +staged ' $ctl explain /c
check_output "by another exec it takes its place" ok probe /c bind tcp4 127.0.0.1:81
check_output "and only it" 5 attached /c
check "it can be removed" $ctl remove /c

sh -c "read -r go </tmp/fifo; exec $bind 127.0.0.1:81" >/tmp/result &
pid=$!
echo $pid >"$cgroups/c/cgroup.procs"
check "one process can be waited for" $ctl apply --when-exec --pid=$pid /c net-bind
check_output "the exec of another does not arm it" ok probe /c bind tcp4 127.0.0.1:81
echo go >/tmp/fifo
wait $pid
check_output "its own does" EPERM cat /tmp/result
check "and it can be removed, too" $ctl remove /c
check_match "a process that is not there" 'process' \
	$ctl apply --when-exec --pid=2147483647 /c net-bind
check_status "--pid alone is wrong" 2 $ctl apply --pid=1 /c net-bind
check_status "so is --except" 2 $ctl apply --except=/bin/sh /c net-bind
check_status "and a process id that is none" 2 $ctl apply --when-exec --pid=0 /c net-bind
check "a staged policy can be withdrawn" $ctl apply --when-exec /c net-bind
check "at any time" $ctl remove /c
check_output "and then nothing happens" ok probe /c bind tcp4 127.0.0.1:81

# --- the other backend --------------------------------------------------------

link="--backend=bpf-link"
check_match "bpf-link enforces, too" "^EPERM\$" $run $link -- $bind 127.0.0.1:81
check_match "and says that it cannot stage" 'run: true: its policies hold already before it is executed' \
	$run $link -- true
check_status "the program's status is kept" 7 $run $link -- sh -c 'exit 7'
check_output "nothing is left of it" "" left
check_match "staging by hand is refused" 'checmatectl: .*(staging|stage)' \
	$ctl apply $link --when-exec /c net-bind

clean_slate
finish
