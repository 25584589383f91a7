#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What ./check runs, in which order, and what it says of it; with tiers made here.
#
# usage: test-schedule.sh SCHEDULE

set -u
schedule=$1
# shellcheck source=SCRIPTDIR/../lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
dir=$(mktemp -d)
trap 'rm -rf "$dir" "$tap_log"' EXIT
export CHECMATE_TIERS="$dir/tiers" CHECMATE_BUILD_CHECK="$dir/build"
mkdir "$dir/tiers"

# tier NAME NEEDS: a tier; standard input is what runs its units, "a b".
tier() {
	{
		printf '#!/bin/sh\n#\n#\n# made for a test\n#\n# Minutes: 1\n%s\n' "$2"
		printf '\n[ "$*" != --list ] || { echo a; echo b; exit; }\n'
		cat
	} >"$dir/tiers/$1"
	chmod 755 "$dir/tiers/$1"
}

# shellcheck disable=SC2317 # called by check
# points STATUS NAME…: what comes of a run that ends with that status, without the times.
points() {
	points_status=0
	points_wanted=$1
	shift
	"$schedule" "$@" >"$dir/out" 2>&1 || points_status=$?
	grep -v '^# took ' "$dir/out"
	[ "$points_status" -eq "$points_wanted" ]
}

tier good '' <<-'END'
	for unit; do
		printf '## begin %s\n1..1\nok 1 - point of %s\n## end %s 0\n' "$unit" "$unit" "$unit"
	done
END
tier slow-one '# After: good' <<-'END'
	[ -s "$CHECMATE_BUILD_CHECK/log/good" ] || exit 9
	printf '## begin a\n1..1\nok 1 - after it\n## end a 0\n## begin b\n## end b 0\n'
END
tier left '# Left out' <<-'END'
	printf '## begin a\n## end a 0\n## begin b\n## end b 0\n'
END
check_output "all but what is left out" 'TAP version 13
# good
ok 1 - good/a/point of a
ok 2 - good/b/point of b
# slow/one
ok 3 - slow/one/a/after it
ok 4 - slow/one/b
# not run: left; ./check --all runs these too
1..4
4 passed, 0 failed, 0 skipped' points 0
check_match "and that by its name" '^ok 1 - left/a$' points 0 left
check_match "or with --all" '^ok [0-9]+ - left/b$' points 0 --all
check_match "how long it took" '^# took good: [0-9]+ s, [0-9]+ s of processors$' \
	"$schedule" good
check_output "it is left in a file, too" 1 grep -c '^good: ' "$dir/build/log/times"
check_output "one unit" 'TAP version 13
# good
ok 1 - good/b/point of b
1..1
1 passed, 0 failed, 0 skipped' points 0 good/b
check_output "names" 'good/a
good/b' points 0 --list good
check_match "a family of tiers" '^slow/one/a$' points 0 --list slow
check_match "no such tier" 'check: bad: no such tier; there are: good left slow/one' points 1 bad
check_match "no such unit" '^not ok 1 - good/c: no such test' points 1 good/c

tier ends '' <<-'END'
	printf '## begin a\n1..2\nok 1 - begun\n'
	echo 'it broke' >&2
	exit 3
END
check_output "a tier that ends early" 'TAP version 13
# ends
# it broke
ok 1 - ends/a/begun
not ok 2 - ends/a: did not come to its end: it broke
not ok 3 - ends/b: was not run: it broke
1..3
# failed: ends/a: did not come to its end: it broke
# failed: ends/b: was not run: it broke
1 passed, 2 failed, 0 skipped' points 1 ends
check_match "of which the others know nothing" '^ok [0-9]+ - good/a/point of a$' points 1 ends good

# What is running ends with it.
mkfifo "$dir/started" "$dir/ended"
tier stays '' <<-END
	sh -c 'trap "echo ended >$dir/ended; exit" TERM
		echo \$\$ >$dir/started
		sleep 1000 & wait' &
	wait
END
"$schedule" stays >/dev/null 2>&1 &
pid=$!
check_match "a tier has started something" '^[0-9]+$' cat "$dir/started"
kill -TERM "$pid"
check_output "which ends when the tests are ended" ended cat "$dir/ended"
wait "$pid"
check_output "as they do" 143 echo $?

finish
