# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2034,SC2154
#
# What the cases of the samples share, beyond tap.sh, which they include first.

samples=/usr/libexec/checmate/samples
tests=/usr/libexec/checmate/tests
root=/sys/fs/cgroup
limited=$root/sample/limited
child=$limited/child
sibling=$root/sample/sibling
bare=$root/sample/sibling/bare

# part NAME: names of the points that follow begin with it.
part()
{
	part=$1
}

# subtest COMMAND...: a program that prints TAP. Its points become ours; it has
# to reach its plan.
subtest()
{
	status=0
	"$@" >"$work/out" 2>&1 || status=$?
	: >"$tap_log"
	while IFS= read -r line; do
		name=${line#*ok * - }
		case $line in
		"not ok "*) tap_point "not ok" "$part: $name" ;;
		"ok "*" # SKIP "*) skip "$part: ${name%% \# SKIP *}" "${name##* \# SKIP }" ;;
		"ok "*) tap_point ok "$part: $name" ;;
		1..*) ;;
		*) echo "# ${line#\# }" ;;
		esac
	done <"$work/out"
	check "$part: it comes to its end" grep -q '^1\.\.' "$work/out"
	if ! grep -q '^not ok' "$work/out"; then
		check "$part: its status is 0" [ "$status" -eq 0 ]
	fi
}

# within CGROUP COMMAND...
within()
{
	# shellcheck disable=SC2016 # for the inner shell
	sh -c 'echo 0 >"$1/cgroup.procs" && shift && exec "$@"' - "$@"
}

# attached FILE COUNT: so many programs are attached through the file.
attached()
{
	check_output "$part: checmate.$1 counts $2" "$2" cat "$limited/checmate.$1"
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

# start_sample SAMPLE: in the background; back when it is attached.
start_sample()
{
	"$samples/$1" "$limited" >"$work/fifo" &
	sample_pid=$!
	said=
	read -r said <"$work/fifo" || :
	check "$part: the sample says when it is attached" \
		[ "$said" = "attached to $limited" ]
	# Without it there is nothing to try.
	[ -n "$said" ] || finish
}

stop_sample()
{
	kill -TERM "$sample_pid"
	check "$part: the sample ends when it is told to" wait "$sample_pid"
}

tear_down()
{
	rm -r "$work"
	rmdir "$bare"
	check "the cgroups go away" rmdir "$limited" "$sibling" "$root/sample"
}
