#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# checmated is killed at random steps of what it does over the bus: each time it
# is about to change something that others see, see libchecmate/die-at.c. Whoever
# tries the forbidden meanwhile never succeeds, and in the end everything is as it
# was configured.
#
# CHECMATE_CRASH: how often (default: 50)
# CHECMATE_CRASH_SEED: what to begin with, as the first line of a run tells
#
# Takes: 170
#
# Functions are called by name, which shellcheck cannot see.
# shellcheck disable=SC2317

# shellcheck source=SCRIPTDIR/../lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=SCRIPTDIR/container.sh
. /usr/libexec/checmate/tests/system/container.sh

PATH=$tests:$PATH
ip link set lo up
n=${CHECMATE_CRASH:-50}
seed=${CHECMATE_CRASH_SEED:-$(od -An -N2 -tu2 /dev/urandom | tr -d ' ')}
echo "# $n times; seed $seed"
top=/checmate-crash
file=$top/file
hand=$top/hand
work=/tmp/crash
mkdir -p "$cgroups$file" "$cgroups$hand" "$bindings" "$work"
lsm_before=$(lsm_programs)

listed() {
	call ListBindings | jq -rc --arg cgroup "$1" ".data[0][] | select(.[0] == \$cgroup) | $2"
}

# variant NUMBER: one of the files that follow each other. All deny port 9090.
variant() {
	variant_more=
	case $(($1 % 3)) in
	0) variant_set='Allow=0.0.0.0/0:8080 DenyErrno=EACCES' ;;
	1) variant_set='Allow=0.0.0.0/0:8081 DenyErrno=EPERM' ;;
	*)
		variant_set='Allow=0.0.0.0/0:8080 DenyErrno=EACCES'
		variant_more='[Policy net-connect]'
		;;
	esac
	# shellcheck disable=SC2086 # a line for each word but the first
	binding file <<-END
		[Match]
		Cgroup=$file
		[Policy net-bind]
		$(printf '%s\n' ${variant_set% *} "${variant_set##* }")
		$variant_more
	END
}

binding role <<-'END'
	[Match]
	Annotation=org.checmate.role=crash
	[Policy net-bind]
	DenyErrno=EROFS
END
variant 0
systemctl restart checmated.service
call Apply 'sa(sas)a{sv}' "$hand" 1 net-bind 1 deny-errno=EACCES 0 >/dev/null
systemctl mask --runtime --now checmated.service 2>/dev/null
for cg in $file $hand; do
	check_output "$cg is judged" EACCES sh -c "echo \$\$ >$cgroups$cg/cgroup.procs; probe bind 0.0.0.0 9090 || :"
	(in_cgroup "$cg" probe insist bind 0.0.0.0 9090) >"$work/insist.${cg##*/}" &
done

# --- one death ---------------------------------------------------------------

# Starts a daemon that dies at step $1, and waits until it is ready, or dead.  What
# it says comes through a pipe, whose end is its end.
daemon_start() {
	die-at "$1" checmated 2>"$work/log" &
	death=$!
	exec 4<"$work/log"
	while read -r line <&4; do
		case "$line" in
		*"started with"*) break ;;
		esac
	done
}

# Kills it if it still lives, by the end of who traces it; says whether it died at
# its step.
daemon_end() {
	kill -KILL "$death" 2>/dev/null
	wait "$death" 2>/dev/null
	daemon_status=$?
	while read -r line <&4; do
		:
	done
	exec 4<&-
	return $daemon_status
}

# Toggles the other policy of the cgroup that is bound by hand.
op_apply() {
	if [ -L "$pins/$(stat -c %i "$cgroups$hand")/net-connect" ]; then
		call Remove ss "$hand" net-connect
	else
		call Apply 'sa(sas)a{sv}' "$hand" 1 net-connect 1 deny-errno=EPERM 0 &&
			op_applied=yes
	fi
}

op_replace() {
	call Replace 'sa(sas)a{sv}' "$hand" 1 net-bind 2 \
		"allow=0.0.0.0/0:$((8000 + $1 % 100))" \
		"deny-errno=$([ $(($1 % 2)) -eq 0 ] && echo EACCES || echo EPERM)" 0
}

op_reload() {
	variant "$1"
	call Reload
}

# A container whose first act is the forbidden one; a runtime goes on if it is told to.
op_container() {
	op_cgroup=$top/c$1
	mkdir "$cgroups$op_cgroup"
	sh -c 'read -r go; exec probe bind 0.0.0.0 9090' <"$work/go" >"$work/container" &
	op_pid=$!
	exec 5>"$work/go"
	echo "$op_pid" >"$cgroups$op_cgroup/cgroup.procs"
	call ApplyContainer 'sustsa{ss}' "c$1" "$op_pid" "$op_cgroup" \
		"$(stat -c %i "$cgroups$op_cgroup")" crun 1 org.checmate.role crash &&
		op_started=yes
}

# After the daemon has died.
finish_container() {
	if [ "$op_started" ]; then
		echo go >&5
		wait "$op_pid"
		started=$((started + 1))
		[ "$(cat "$work/container")" = EROFS ] ||
			echo "death $1: the container got $(cat "$work/container")" >>"$work/wrong"
	else
		kill -KILL "$op_pid"
		wait "$op_pid" 2>/dev/null
	fi
	exec 5>&-
	until rmdir "$cgroups$op_cgroup" 2>/dev/null; do
		sleep 0.01
	done
}

# What was answered before the death holds after it.
finish_apply() {
	[ "$op_applied" ] || return 0
	[ "$(in_cgroup "$hand" probe connect 127.0.0.1 1)" = EPERM ] ||
		echo "death $1: what was applied is not in force" >>"$work/wrong"
}

mkfifo "$work/log" "$work/go"
: >"$work/wrong"
died=0
started=0
max_apply=60
max_replace=60
max_reload=60
max_container=150
# Every tenth is a container for which the daemon lives long enough.
awk -v seed="$seed" -v n="$n" 'BEGIN {
	split("apply replace reload container", ops)
	srand(seed)
	for (i = 1; i <= n; i++)
		if (i % 10)
			printf "%d %s %f\n", i, ops[1 + int(rand() * 4)], rand()
		else
			printf "%d container 2\n", i
}' >"$work/plan"
while read -r i op where <&3; do
	eval "max=\$max_$op"
	step=$(awk -v where="$where" -v max="$max" 'BEGIN { print 1 + int(where * max) }')
	op_applied=
	op_started=
	daemon_start "$step"
	"op_$op" "$i" >/dev/null 2>&1
	# The steps there are become known: a little beyond them lies no death.
	if daemon_end; then
		died=$((died + 1))
		[ "$step" -lt $((max * 9 / 10)) ] || max=$((max * 5 / 4))
	else
		[ "$step" -ge "$max" ] || max=$((step + 5))
	fi
	eval "max_$op=$max"
	case $op in
	apply) finish_apply "$i" ;;
	container) finish_container "$i" ;;
	esac
	[ $((i % 50)) -ne 0 ] || echo "# $i deaths, $died at a step; $started containers started"
done 3<"$work/plan"
echo "# steps of apply $max_apply, replace $max_replace, reload $max_reload, container $max_container"

# --- after it all ------------------------------------------------------------

check "more than half died at a step" test $((died * 2)) -gt "$n"
check "some containers were started all the same" test "$started" -gt 0
check_output "what was answered held, and no container did what it must not" "" cat "$work/wrong"

variant 1
systemctl unmask --runtime checmated.service 2>/dev/null
check "checmated starts" systemctl restart checmated.service
check_output "what the file says is in force" \
	'net-bind enforce 0.0.0.0/0:8081 EPERM' listed "$file" \
	'"\(.[2]) \(.[3]) \(.[5].allow) \(.[5]["deny-errno"])"'
check_output "nobody else's programs are attached" "" sh -c \
	"for cg in $file $hand; do checmatectl status --json \$cg; done |
		jq '.local[] | select(.policy == null or .staged)'"
check_output "what is by hand is as well" enforce listed "$hand" 'select(.[2] == "net-bind") | .[3]'
check_output "nothing is left half done" "" find "$pins" -name '*+*'
check_output "nor of the library's own test" "" find "$cgroups" -name 'checmate-selftest*'
for cg in $file $hand; do
	# shellcheck disable=SC2046 # a word for each
	kill -TERM $(cat "$cgroups$cg/cgroup.procs")
done
wait
check_match "a file's policy never lapsed" '^[1-9][0-9]* tries, 0 succeeded$' cat "$work/insist.file"
check_match "nor did one by hand" '^[1-9][0-9]* tries, 0 succeeded$' cat "$work/insist.hand"
sed 's/^/# /' "$work"/insist.*

rm "$bindings"/*.conf
systemctl reload checmated.service
call Remove ss "$hand" "" >/dev/null
rmdir "$cgroups$file" "$cgroups$hand" "$cgroups$top"
check "no pin is left" wait_until 60 no_pins
check "no record" wait_until 60 no_records
programs_gone() {
	[ "$(lsm_programs)" -le "$lsm_before" ]
}
check "and no program" wait_until 60 programs_gone
finish
