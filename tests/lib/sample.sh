# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# What the cases of the samples share. A case writes TAP without numbers in a
# function and has it numbered by number().

samples=/usr/libexec/checmate/samples
root=/sys/fs/cgroup
limited=$root/sample/limited
sibling=$root/sample/sibling
bare=$root/sample/sibling/bare

# The tests of function $1, numbered and followed by their plan.
number()
{
	"$1" 2>&1 | awk '
		/^1\.\.[0-9]+/ { next }
		/^(not )?ok/ {
			n++
			bad += $1 == "not"
			sub(/ok( [0-9]+)?/, "ok " n)
		}
		{ print; fflush() }
		END { print "1.." n + 0; exit bad || !n }'
}

part()
{
	echo "# $*"
}

# check NAME COMMAND...: it succeeds.
check()
{
	name=$1
	shift
	if "$@"; then
		echo "ok - $name"
	else
		echo "not ok - $name"
	fi
}

# check_status STATUS NAME COMMAND...: it exits so.
check_status()
{
	status=$1
	name=$2
	shift 2
	"$@"
	have=$?
	[ $have -eq "$status" ] || echo "# status $have"
	check "$name" [ $have -eq "$status" ]
}

# check_fails TEXT COMMAND...: it fails, and says TEXT.
check_fails()
{
	text=$1
	shift
	if said=$("$@" 2>&1); then
		echo "not ok - $* fails"
		return
	fi
	echo "# $said"
	case $said in
	*"$text"*) echo "ok - $* fails and says why" ;;
	*) echo "not ok - $* fails without saying '$text'" ;;
	esac
}

# The program of tests $1.
program()
{
	program=/usr/libexec/checmate/tests/$1
	check "$1 is there" [ -x "$program" ]
}

# subtest COMMAND...: its tests are among ours; it has to reach its plan.
subtest()
{
	"$@" >"$work/out" 2>&1
	status=$?
	cat "$work/out"
	if ! grep -q '^1\.\.' "$work/out"; then
		echo "not ok - $* ends early with status $status"
	elif [ $status -ne 0 ] && ! grep -q '^not ok' "$work/out"; then
		echo "not ok - $* ends with status $status"
	fi
}

# within CGROUP COMMAND...
within()
{
	# shellcheck disable=SC2016 # for the inner shell
	sh -c 'echo 0 >"$1/cgroup.procs" && shift && exec "$@"' - "$@"
}

set_up()
{
	work=$(mktemp -d)
	mkfifo "$work/fifo"
	mkdir -p "$limited" "$sibling"
	echo +checmate >"$root/cgroup.subtree_control"
	echo +checmate >"$root/sample/cgroup.subtree_control"
	# The controller ends at the sibling.
	mkdir -p "$bare"
}

# start_sample SAMPLE CGROUP: in the background; back when it is attached.
start_sample()
{
	"$samples/$1" "$2" >"$work/fifo" &
	sample_pid=$!
	said=
	read -r said <"$work/fifo"
	check "the sample says when it is attached" [ "$said" = "attached to $2" ]
}

stop_sample()
{
	kill -TERM "$sample_pid"
	check_status 0 "the sample ends when it is told to" wait "$sample_pid"
}

tear_down()
{
	rm -r "$work"
	rmdir "$bare"
	check "the cgroups go away" rmdir "$limited" "$sibling" "$root/sample"
}
