#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What becomes of a bench's rows.
#
# usage: test-report.sh REPORT
#
# The functions that judge are called by name, which shellcheck cannot see.
# shellcheck disable=SC2317

set -u
# shellcheck source=SCRIPTDIR/../lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
report=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# As much of a bzImage as says its version.
{
	head -c 514 /dev/zero
	printf 'HdrS'
	head -c 8 /dev/zero
	printf '\000\003'
	head -c 752 /dev/zero
	printf '6.12.1-test (somebody) #1\000'
} >"$work/image"

# document FILE: makes one of these rows.
document() {
	"$report" json try --kernel "$work/image" <"$1" >"$work/try.json"
}

# has PATH VALUE: in the document.
has() {
	python3 - "$work/try.json" "$1" "$2" <<-'END'
		import json, sys
		value = json.load(open(sys.argv[1]))
		for key in sys.argv[2].split("."):
		    value = value[int(key)] if key.isdigit() else value[key]
		if json.dumps(value) != sys.argv[3]:
		    sys.exit(f"{sys.argv[2]} is {json.dumps(value)}, not {sys.argv[3]}")
	END
}

refused() {
	! document "$work/bad" && grep -q '^report: ' "$tap_log"
}

cat >"$work/rows" <<'END'
# what begins so means nothing
note	all is well
unpatched	bind	400	-	-
theirs	bind	500	unpatched	-
ours	bind	410	unpatched	theirs
END
check "rows make a document" document "$work/rows"
check "which says the kernel" has kernel '"6.12.1-test"'
check "and the unit" has unit '"instructions"'
check "and the notes" has notes '["all is well"]'
check "a figure with nothing to compare it with" \
	has rows.0 '{"arm": "unpatched", "op": "bind", "value": 400, "delta": null, "ratio": null}'
check "a difference" has rows.1.delta 100
check "a ratio of differences" has rows.2.ratio 0.1

printf 'unit\tbytes\nx\tcss\t200\t-\t-\ny\tcss\t100\t-\tx\n' >"$work/bytes"
check "another unit" document "$work/bytes"
check "is said" has unit '"bytes"'
check "a ratio without a difference is of the figures" has rows.1.ratio 0.5

echo 'the guest has crashed' >"$work/bad"
check "what is no row is refused" refused
printf 'ours\tbind\tmany\t-\t-\n' >"$work/bad"
check "and a row without a figure" refused
printf 'ours\tbind\t1\ttheirs\t-\n' >"$work/bad"
check "and one that compares with nothing" refused
printf 'ours\tbind\t1\t-\t-\nours\tbind\t2\t-\t-\n' >"$work/bad"
check "and one that is there twice" refused
: >"$work/bad"
check "and none" refused

written() {
	document "$work/rows" || return
	printf '%s\n' before '<!-- bench: try -->' old '<!-- end -->' between \
		'<!-- bench: other -->' kept '<!-- end -->' >"$work/page"
	"$report" docs "$work" "$work/page" || return
	cat "$work/page"
	grep -qx before "$work/page" && grep -qx between "$work/page" &&
		grep -qx kept "$work/page" && ! grep -qx old "$work/page" &&
		grep -q '^| ours | +10 (0.10×) |$' "$work/page"
}
check "a table takes its place in a page" written

again() {
	cp "$work/page" "$work/page.old"
	"$report" docs "$work" "$work/page" && cmp "$work/page" "$work/page.old"
}
check "and is the same when it does so again" again

dearest() {
	printf '%s\t%s\t%s\tunpatched\t-\n' "Checmate, idle" bind 401 "Checmate, idle" "read 0" 901 \
		"Checmate, idle" "kill 0" 503 >"$work/rows"
	printf 'unpatched\t%s\t%s\t-\t-\n' bind 400 "read 0" 900 "kill 0" 500 >>"$work/rows"
	"$report" json hooks --kernel "$work/image" <"$work/rows" >"$work/hooks.json" &&
		"$report" targets "$work" >"$work/targets" && cat "$work/targets" &&
		grep -Eq '^idle, each hook +1 +3 +missed$' "$work/targets" &&
		grep -Eq '^a denial beyond allowing +400 +not counted$' "$work/targets"
}
check "the dearest meets a target, or no operation does" dearest

contained() {
	printf '%s\tcrun run\t%s\t-\twithout\n' without 1000 above 1050 bound 1051 >"$work/rows"
	"$report" json container --kernel "$work/image" <"$work/rows" >"$work/container.json" &&
		"$report" targets "$work" >"$work/targets" && cat "$work/targets" &&
		grep -Eq '^crun run below a cgroup .* +1.05 +1.05 +met$' "$work/targets" &&
		grep -Eq '^crun run with a hook .* +1.05 +1.05 +missed$' "$work/targets"
}
check "a container's start by what it is without, however little it is more" contained
finish
