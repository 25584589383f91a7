#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What tests/compare/table makes of what two kernels said.
#
# usage: test-table.sh TABLE
#
# The functions that judge are called by name, which shellcheck cannot see.
# shellcheck disable=SC2317

set -u
# shellcheck source=SCRIPTDIR/../lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
table=$(readlink -f "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The table asks the program beside it what there is to be run.
ln -s "$table" "$work/table"
cat >"$work/build" <<'END'
#!/bin/sh
printf 's/%s\n' one two
END
chmod +x "$work/build"

# run STATUS CASE=RESULT…: what one program of a suite prints, as batch marks it;
# $program names it.
run() {
	echo "## begin /usr/libexec/checmate/compare/s/$program"
	n=0
	status=$1
	shift
	for pair in "$@"; do
		n=$((n + 1))
		case "$pair" in
		*=pass) echo "ok $n ${pair%=*}" ;;
		*=fail) echo "not ok $n ${pair%=*}" ;;
		*=skip) echo "ok $n # SKIP ${pair%=*}" ;;
		esac
	done
	echo "1..$n"
	echo "## end /usr/libexec/checmate/compare/s/$program $status"
}

# round BASE OURS: one more round of the program one, each "STATUS CASE=RESULT…".
# The program two says the same on both, in the first round.
round() {
	number=$((number + 1))
	base=$work/base.$number
	ours=$work/ours.$number
	: >"$base"
	: >"$ours"
	program=one
	# shellcheck disable=SC2086
	[ -z "$1" ] || run $1 >>"$base"
	# shellcheck disable=SC2086
	[ -z "$2" ] || run $2 >>"$ours"
	if [ "$number" -eq 1 ]; then
		program=two
		run 0 x=pass | tee -a "$base" >>"$ours"
	fi
	logs="$logs $base $ours"
}

fresh() {
	number=0
	logs=
}


# says LINE: among what the table prints.
# shellcheck disable=SC2086
says() {
	"$work/table" --all s $logs >"$work/out" 2>&1
	grep -Fx -e "$1" "$work/out" || {
		cat "$work/out"
		return 1
	}
}

# differing PROGRAM…: those that are run again.
# shellcheck disable=SC2086
differing() {
	[ "$("$work/table" --differing s $logs 2>&1)" = "$*" ]
}

remark='the kernel without Checmate fails it'

fresh
round '0 a=pass b=skip' '0 a=pass b=skip'
check "the same is agreed" says 'ok 1 - one a: base pass, ours pass'
check "so is a skip" says 'ok 2 - one b: base skip, ours skip'
check "and the exit status" says 'ok 3 - one (exit status): base 0, ours 0'
check "the suite has passed" says '## end s 0'
check "nothing is run again" differing

fresh
round '1 a=fail b=pass' '0 a=pass b=pass'
check "what only base fails is run again" differing s/one
round '1 a=fail b=pass' '0 a=pass b=pass'
check "what base fails each time and ours passes is agreed" \
	says "ok 1 - one a: base fail, ours pass; $remark"
check "its exit status too" \
	says "ok 3 - one (exit status): base 1, ours 0; $remark"
check "and the suite has passed" says '## end s 0'
check "it is run again as long as there are rounds" differing s/one

fresh
round '0 a=pass' '1 a=fail'
round '0 a=pass' '1 a=fail'
check "what ours fails and base passes is not agreed" \
	says 'not ok 1 - one a: base pass, ours fail'
check "nor is its exit status" says 'not ok 2 - one (exit status): base 0, ours 1'
check "the suite has failed" says '## end s 1'
check "and it is run again" differing s/one

fresh
round '1 a=fail b=pass' '1 a=pass b=fail'
round '1 a=fail b=pass' '1 a=pass b=fail'
check "one failure does not excuse another" \
	says 'not ok 2 - one b: base pass, ours fail'

fresh
round '1 a=fail' '0 a=pass'
round '0 a=pass' '0 a=pass'
check "base passes the second time: agreed" \
	says 'ok 1 - one a: base pass, ours pass; not the same each time: fail/pass, pass/pass'
check "nothing is run again then" differing

fresh
round '0 a=pass' '1 a=fail'
round '0 a=pass' '0 a=pass'
check "ours passes the second time: agreed" \
	says 'ok 1 - one a: base pass, ours pass; not the same each time: pass/fail, pass/pass'

fresh
round '0 a=pass' '1 a=fail'
round '1 a=fail' '0 a=pass'
check "both pass and fail, never at the same time: agreed" \
	says 'ok 1 - one a: base fail, ours pass; not the same each time: pass/fail, fail/pass'

fresh
round '1 a=fail' '0 a=pass'
round '1 a=fail' '4 a=skip'
check "ours does not pass each time: not agreed" \
	says 'not ok 1 - one a: base fail, ours skip; not the same each time: fail/pass, fail/skip'

fresh
round '1 a=fail' '0 a=pass'
round '' '0 a=pass'
check "base was not run once: not agreed" \
	says 'not ok 1 - one a: base none, ours pass; not the same each time: fail/pass, none/pass'

fresh
round '124 a=fail' '0 a=pass'
check "a status that tells of no failed case is not excused" \
	says 'not ok 2 - one (exit status): base 124, ours 0'

fresh
round '1 a=fail' '1 a=pass'
check "an exit status seen on both stands for itself" \
	says 'ok 2 - one (exit status): base 1, ours 1'

fresh
round '1 a=pass' '0 a=pass'
check "without such a case neither is the exit status excused" \
	says 'not ok 2 - one (exit status): base 1, ours 0'

fresh
round '1 a=fail b=fail' '0 a=pass'
check "a case that ours never came to is not agreed" \
	says 'not ok 2 - one b: base fail, ours none'
check "nor is its exit status" says 'not ok 3 - one (exit status): base 1, ours 0'

fresh
round '0 a=pass' ''
check "a program that ours did not run is not agreed" \
	says 'not ok 1 - one a: base pass, ours none'
check "and is run again" differing s/one

fresh
round '' ''
check "a program that neither ran is not agreed" \
	says 'not ok 1 - one (exit status): base none, ours none'
check "and is run again too" differing s/one

finish
