#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Denials by the command line: shown, chosen from, followed, counted.

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=tests/lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh

clean_slate
ctl=checmatectl
mkdir -p "$cgroups/a/b" "$cgroups/c"
$ctl apply /a net-bind net-connect deny-errno=EACCES >/dev/null
$ctl apply /c net-bind >/dev/null

# denials: one of each kind.
denials() {
	probe /a bind tcp4 10.0.0.1:80
	probe /a/b connect tcp6 '[::1]:443'
	probe /c bind udp4 127.0.0.1:53
}
# shown OPTION…: what is to be seen of them, without time and process.
# shellcheck disable=SC2317 # called by check_output
shown() {
	denials >/dev/null
	$ctl events "$@" | sed 's/^[^ ]* //; s/ [0-9]* (/ (/'
}
a='net-bind socket_bind EPERM (net-probe) /a: tcp 10.0.0.1:80'
b='net-connect socket_connect EACCES (net-probe) /a/b: tcp [::1]:443'
c='net-bind socket_bind EPERM (net-probe) /c: udp 127.0.0.1:53'

$ctl events >/dev/null
check_output "no denial, no line" "" $ctl events
check_output "each denial is a line" "$a
$b
$c" shown
check_output "which is shown once" "" $ctl events

check_output "of a policy" "$a
$c" shown --policy=net-bind
check_output "of a policy that there is not" "" shown --policy net-bond
check_output "of a hook" "$b" shown --hook socket_connect
check_output "of a cgroup and what is below" "$a
$b" shown --cgroup /a
check_output "of one below" "$b" shown --cgroup "$cgroups/a/b"
check_output "of one by id" "$c" shown --cgroup "id:$(cgroup_id /c)"
check_output "of the root, which is all" "$a
$b
$c" shown --cgroup /
check_output "by errno" "$b" shown --errno=EACCES
check_output "by its number" "$b" shown --errno=13
check_output "all are enforced" "$a
$b
$c" shown --enforced
check_output "several at once" "$a" shown --cgroup /a --policy net-bind
check_output "what was not chosen is taken out, too" "" $ctl events
check_output "the first ones" "$a
$b" shown -n 2
check_output "the others stay" "$c" sh -c "$ctl events | sed 's/^[^ ]* //; s/ [0-9]* (/ (/'"
# shellcheck disable=SC2016 # for the inner shell
pid=$(inside /a sh -c 'echo $$; exec "$0" bind tcp4 10.0.0.1:80' "$tests/net-probe" | head -n 1)
probe /c bind tcp4 10.0.0.2:80 >/dev/null
check_match "of a process" " $pid \(net-probe\) /a: tcp 10\.0\.0\.1:80\$" $ctl events --pid "$pid"

# All that a line of JSON has.
probe /a/b bind tcp4 10.0.0.1:80 >/dev/null
$ctl events --json >/tmp/json
check_output "a line is an object" 1 sh -c 'wc -l </tmp/json'
# like_schema FILE
# shellcheck disable=SC2317 # called by check
like_schema() {
	"$tests/json-check" /usr/share/doc/checmate/schema/events.json --each-line <"$1"
}
check "as the schema says" like_schema /tmp/json
for member in '"policy":"net-bind"' '"hook":"socket_bind"' '"error":"EPERM"' '"errno":1' \
	'"permissive":false' '"pid":[0-9]+' '"tid":[0-9]+' '"uid":0' '"gid":0' '"comm":"net-probe"' \
	'"cgroup":"/a/b"' "\"cgroup_id\":$(cgroup_id /a/b)" \
	'"bound":"/a"' "\"bound_id\":$(cgroup_id /a)" '"object_type":"endpoint"' \
	'"object":"tcp 10.0.0.1:80"' '"boottime_ns":[0-9]+'; do
	check_match "with $member" "^\{.*${member}[,}]" cat /tmp/json
done
now=$(TZ=UTC0 date +%FT%H:)
probe /a bind tcp4 10.0.0.1:80 >/dev/null
TZ=XYZ-5:30 $ctl events >/tmp/time
check_match "the time is local" \
	'^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}\+05:30 net-bind ' cat /tmp/time
probe /a bind tcp4 10.0.0.1:80 >/dev/null
TZ=UTC0 $ctl events >/tmp/time
check "and the right one" grep -qE "^($now|$(TZ=UTC0 date +%FT%H:))" /tmp/time

# What is told only.
$ctl mode /c net-bind permissive >/dev/null
check_output "not enforced" 'net-bind socket_bind EPERM (permissive) (net-probe) /c: udp 127.0.0.1:53' \
	shown --permissive
check_output "enforced, the others" "$a
$b" shown --enforced
$ctl mode /c net-bind enforce >/dev/null

# A cgroup that is gone, and one whose name would be more than text.
probe /a/b bind tcp4 10.0.0.1:80 >/dev/null
gone=$(cgroup_id /a/b)
rmdir "$cgroups/a/b"
check_match "a gone cgroup is a number" " id:$gone: tcp 10" $ctl events
mkdir "$cgroups/a/b"
probe /a/b bind tcp4 10.0.0.1:80 >/dev/null
gone=$(cgroup_id /a/b)
rmdir "$cgroups/a/b"
check_match "by which its events are found" " id:$gone: tcp 10" $ctl events --cgroup "id:$gone"
strange=/a/$(printf 'x\033[31my')
mkdir "$cgroups$strange"
probe "$strange" bind tcp4 10.0.0.1:80 >/dev/null
check_match "no control character is printed" ' /a/x\\033\[31my: tcp 10' $ctl events
rmdir "$cgroups$strange"
mkdir "$cgroups/a/b"

# What is lost, exactly. Each call that is denied is kept or counted.
# shellcheck disable=SC2016 # for the inner shell
flood() {
	inside /a sh -c 'i=0; while [ $i -lt 800 ]; do "$0" bind tcp4 10.0.0.1:80; i=$((i + 1)); done' \
		"$tests/net-probe" >/dev/null
}
flood
$ctl events -n 1 >/tmp/kept 2>/tmp/lost
check_output "one is shown" 1 sh -c 'wc -l </tmp/kept'
check_match "what is lost is told" '^checmatectl: [0-9]+ records lost: ' cat /tmp/lost
for _ in 1 2 3 4 5; do
	probe /c bind tcp4 10.0.0.1:80 >/dev/null
done
$ctl events --json >/tmp/json
check_match "in JSON too" '^\{"lost":[0-9]+\}$' cat /tmp/json
check "all of it as the schema says" like_schema /tmp/json
sed -n 's/^{"lost":\([0-9]*\)}$/\1/p' /tmp/json >>/tmp/lost
# shellcheck disable=SC2016
check_output "kept and lost is all" 805 \
	sh -c 'echo $((1 + $(grep -c policy /tmp/json) + $(sed "s/[^0-9]//g" /tmp/lost | paste -sd+)))'
check_output "and told once" "" $ctl events

# follow OPTION…: follows in the background, into /tmp/followed.
follow() {
	: >/tmp/followed
	$ctl events -f "$@" >/tmp/followed &
	follower=$!
	wait_until 20 is_followed
}
# Somebody reads: the folder is locked.
# shellcheck disable=SC2317 # called by wait_until
is_followed() {
	grep -q "FLOCK .*:$(stat -c %i "$pins/events") " /proc/locks
}
follow
check_match "one reads at a time, and it is told who" "the process $follower reads the events" \
	$ctl events
denials >/dev/null
check "followed: a denial shows at once" wait_until 20 grep -q '/c: udp' /tmp/followed
check_output "followed: all do" 3 sh -c 'wc -l </tmp/followed'
kill -INT "$follower"
check "interrupted it is done" wait "$follower"
follow
kill -TERM "$follower"
check "terminated it is done" wait "$follower"
follow -n 2 --policy=net-bind
denials >/dev/null
check "followed up to a number" wait "$follower"
check_output "it has shown so many" 2 sh -c 'wc -l </tmp/followed'
$ctl events >/dev/null

# The reader of its output goes away: it notices without another denial.
mkfifo /tmp/fifo
$ctl events -f >/tmp/fifo &
follower=$!
exec 9</tmp/fifo
wait_until 20 is_followed
exec 9<&-
check "the end of its reader is its own" wait "$follower"
probe /a bind tcp4 10.0.0.1:80 >/dev/null
$ctl events >/tmp/fifo &
follower=$!
sh -c 'exec 9</tmp/fifo'
check "also when it does not follow" wait "$follower"
$ctl events >/dev/null

check_status "a bad errno" 2 $ctl events --errno=EWHAT
check_status "errno 0" 2 $ctl events --errno=0
check_status "no number" 2 $ctl events -n x
check_status "none at all" 2 $ctl events -n 0
check_status "an argument" 2 $ctl events net-bind
check_status "a cgroup that is not there" 1 $ctl events --cgroup /nowhere
check_match "nobody may read" 'run as root' as_nobody $ctl events

clean_slate
finish
