# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2034
#
# For test cases about policies, in a guest: cgroups, and calls made inside.

tests=/usr/libexec/checmate/tests
cgroups=/sys/fs/cgroup
pins=/sys/fs/bpf/checmate

# inside CGROUP COMMAND…: runs a command as a member of the cgroup.
inside() {
	(
		# Whoever writes 0 moves itself.
		echo 0 >"$cgroups$1/cgroup.procs" && shift && exec "$@"
	)
}

# start CGROUP COMMAND…: the same in the background. $! is the command itself.
# shellcheck disable=SC2016
start() {
	sh -c 'echo $$ >"/sys/fs/cgroup$1/cgroup.procs" && shift && exec "$@"' sh "$@" &
}

# probe CGROUP CALL SOCKET ADDRESS…: what came of a socket call there.
probe() {
	probe_cgroup=$1
	shift
	inside "$probe_cgroup" "$tests/net-probe" "$@"
}

# expect RESULT CGROUP CALL SOCKET ADDRESS…: a point of its own.
expect() {
	expect_result=$1
	shift
	check_output "$* is $expect_result" "$expect_result" probe "$@"
}

# proc CGROUP CALL ARGUMENT…: what came of a call of proc-probe there.
proc() {
	proc_cgroup=$1
	shift
	inside "$proc_cgroup" "$tests/proc-probe" "$@"
}

# expect_proc RESULT CGROUP CALL ARGUMENT…: a point of its own.
expect_proc() {
	expect_result=$1
	shift
	check_output "$* is $expect_result" "$expect_result" proc "$@"
}

# sleeper CGROUP: a process in that cgroup, which does nothing; sets $sleeper.
sleeper() {
	sleep 1000 &
	sleeper=$!
	sleepers="${sleepers-} $sleeper"
	echo $sleeper >"$cgroups$1/cgroup.procs"
}

# end_sleepers: all of them, and not before they are gone.
end_sleepers() {
	# shellcheck disable=SC2086 # one word for each
	kill -KILL ${sleepers-} 2>/dev/null
	wait
	sleepers=
}

# expect_file RESULT CGROUP CALL PATH…: a point too; the call is fs-probe's.
expect_file() {
	expect_result=$1
	expect_cgroup=$2
	shift 2
	check_output "$expect_cgroup: $* is $expect_result" "$expect_result" \
		inside "$expect_cgroup" "$tests/fs-probe" "$@"
}

# hand_over CGROUP FILE: what comes of a task there that is handed a file, opened
# by one outside.
hand_over() {
	rm -f /run/hand-over
	"$tests/fs-probe" pass /run/hand-over "$2" >/dev/null &
	hand_over_pid=$!
	wait_until 30 test -S /run/hand-over
	inside "$1" "$tests/fs-probe" receive /run/hand-over
	wait "$hand_over_pid"
}

# mount_aliases vfat|casefold FOLDER: mounts a filesystem there, which is made, that finds
# its files by other names, too; with casefold those in FOLDER/dir.
mount_aliases() {
	mkdir -p "$2"
	truncate -s 4M "/tmp/$1.image"
	aliases_type=$1
	case "$1" in
	vfat) busybox mkdosfs "/tmp/$1.image" >/dev/null ;;
	casefold)
		aliases_type=ext4
		"$tests/mke2fs" -q -t ext4 -O casefold "/tmp/$1.image"
		;;
	esac
	aliases_device=$(losetup -f)
	# Detached, it stays until the filesystem is unmounted.
	losetup "$aliases_device" "/tmp/$1.image" &&
		mount -t "$aliases_type" "$aliases_device" "$2" &&
		losetup -d "$aliases_device" || return
	[ "$1" != casefold ] || {
		mkdir "$2/dir" && "$tests/fs-probe" casefold "$2/dir" >/dev/null
	}
}

# as_nobody PROGRAM ARGUMENT…: runs a program without any right.
as_nobody() {
	nobody_program=$(command -v "$1")
	shift
	start-stop-daemon -S -c 65534:65534 -x "$nobody_program" -- "$@"
}

# attached CGROUP: how many programs are attached there.
attached() {
	grep -c hook= "$cgroups$1/checmate.policy" || :
}

# cgroup_id CGROUP: the cgroup's id.
cgroup_id() {
	stat -c %i "$cgroups$1"
}

# backend_is NAME: policies are enforced by this backend, "checmate" or
# "bpf-link": by the one that CHECMATE_BACKEND forces, or that checmatectl names.
backend_is() {
	[ -n "${backend-}" ] || backend=${CHECMATE_BACKEND-}
	[ -n "$backend" ] || backend=$(checmatectl features --json |
		sed -n 's/.*"backend": *"\([^"]*\)".*/\1/p')
	[ "$backend" = "$1" ]
}

# pinned: the ids of cgroups that have pins, and the program sets; beside them are only maps
# that all policies share.
pinned() {
	find "$pins" -mindepth 1 -maxdepth 1 ! -name events ! -name instances ! -name programs \
		-exec basename {} \;
	ls "$pins/programs" 2>/dev/null || :
}

# clean_slate: no policy, no cgroup and no controller is left of other cases.
clean_slate() {
	if backend_is checmate; then
		[ ! -e "$cgroups/checmate.policy" ] || echo clear >"$cgroups/checmate.policy"
	else
		find "$cgroups" -depth -type d | while read -r clean_path; do
			clean_path=${clean_path#"$cgroups"}
			checmatectl remove "${clean_path:-/}" >/dev/null 2>&1
		done
	fi
	find "$cgroups" -mindepth 1 -depth -type d -exec rmdir {} + 2>/dev/null
	checmatectl gc >/dev/null
	if backend_is checmate; then
		checmatectl remove / >/dev/null 2>&1
		echo -checmate >"$cgroups/cgroup.subtree_control"
	fi
}
