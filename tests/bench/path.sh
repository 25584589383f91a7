#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What a hook does between its first instruction and its return: how many instructions
# there are, how often they read, write, jump to where a pointer says and lock, and how
# many lines of the caches they take. A plugin of QEMU's counts (tcg/plugin.c), first a
# function of which all of that is known.
#
# With up to 48 programs on a hook, Checmate must call and jump directly.

set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=SCRIPTDIR/guest
. "$top/tests/bench/guest"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=$(bench_iterations 200)

# watch KERNEL LSM ARM…: arms of bench-hooks, whose rows are thrown away.
watch() {
	image=$1
	modules=$2
	shift 2
	rm -f "$work/counted" "$work/rows"
	# Locks are told by their prefix, which a kernel for one processor takes away.
	CHECMATE_KERNEL=$image "$top/tests/vm/run" --bare --icount --timeout 500 \
		--append "lsm=$modules noreplace-smp" \
		--qemu -plugin \
		--qemu "file=$(bench_program tcg/checmate-path.so),out=$work/counted" \
		--copy "$top/tests/bench/tcg/watch" \
		--copy "$(bench_program tcg/bench-mark)" \
		--copy "$(bench_program tcg/bench-known)" \
		--copy "$(bench_program bench-exec)" \
		--copy "$(bench_program bench-hooks)" \
		-- /root/watch socket_bind file_open task_kill -- \
		/root/bench-hooks "$n" "$@" >"$work/rows" || {
		cat "$work/rows" >&2
		fail "nothing was counted"
	}
	cat "$work/rows" >&2
	known
	cat "$work/counted" >>"$work/all"
	agree
}

# What the plugin says of the function in tcg/known.c has to be what is in it.
known() {
	awk -F '\t' '$1 == "self" { print $3, $4 }' "$work/counted" >"$work/known"
	cat >"$work/known.right" <<-'END'
		instructions 24
		loads 10
		stores 10
		indirect-calls 2
		indirect-jumps 2
		returns 6
		locked 2
		data-lines 3
		code-lines 3
	END
	diff "$work/known.right" "$work/known" >&2 ||
		fail "the plugin does not count right: above, what is known and what it counted"
}

# The processor's counter has counted the whole operation: what it shows and the plugin
# does not, which is what is outside the hook, has to be the same in all arms of a boot.
agree() {
	awk -F '\t' '
		NR == FNR {
			if ($3 == "instructions")
				inside[$1, hook[$2]] = $4
			next
		}
		($1, $2) in inside {
			outside = $3 - inside[$1, $2]
			if (!($2 in all))
				all[$2] = outside
			if (outside != all[$2] || outside <= 0) {
				print "path: " $1 ", " $2 ": " outside " instructions outside the" \
					" hook, in another arm " all[$2] >"/dev/stderr"
				failed = 1
			}
			n++
		}
		END {
			exit failed || !n
		}
		BEGIN {
			hook["socket_bind"] = "bind"
			hook["file_open"] = "openat"
			hook["task_kill"] = "kill 0"
		}' "$work/counted" "$work/rows" || fail "the plugin and the counter do not agree"
}

base=$("$top/tools/kernel-build" --base)
ours=$("$top/tools/kernel-build")
bench_build bench-exec bench-hooks tcg/checmate-path.so tcg/bench-mark tcg/bench-known

ops='bind,openat,kill 0'
: >"$work/all"
watch "$base" '' "unpatched" plain "$ops" - -
watch "$ours" checmate \
	"Checmate, idle" plain "$ops" - - \
	"elsewhere" checmate-elsewhere "$ops" - - \
	"here" checmate-here "$ops" - - \
	"here ×8" checmate-here=8 "$ops" - - \
	"here ×48" checmate-here=48 "$ops" - -
watch "$base" bpf \
	"lsm_cgroup elsewhere" lsm_cgroup-elsewhere "$ops" - - \
	"lsm_cgroup here" lsm_cgroup-here "$ops" - -

# A row for each arm, operation and counter. What most occurrences had is told; how many
# that were at the least, of all of them, is a note.
awk -F '\t' -v OFS='\t' '
	BEGIN {
		op["socket_bind"] = "bind"
		op["file_open"] = "openat"
		op["task_kill"] = "kill 0"
		base["elsewhere"] = base["here"] = base["here ×8"] = base["here ×48"] = "unpatched"
		base["Checmate, idle"] = "unpatched"
		base["lsm_cgroup elsewhere"] = base["lsm_cgroup here"] = "unpatched"
		over["elsewhere"] = "lsm_cgroup elsewhere"
		over["here"] = "lsm_cgroup here"
		least = 1
	}
	$1 == "self" {
		next
	}
	{
		name = op[$2] "." $3
		print $1, name, $4, base[$1] == "" ? "-" : base[$1], over[$1] == "" ? "-" : over[$1]
		count[$1, name] = $4
		if (!(name in seen)) {
			seen[name] = 1
			names[++n_names] = name
		}
		if ($6 / $5 < least)
			least = $6 / $5
	}
	END {
		printf "note\t%.1f %% or more of the occurrences have the figure\n", 100 * least
		n = split("here|here ×8|here ×48", arms, "|")
		for (i = 1; i <= n_names; i++) {
			if (names[i] !~ /[.]indirect-/)
				continue
			for (a = 1; a <= n; a++) {
				more = count[arms[a], names[i]] - count["Checmate, idle", names[i]]
				if (!((arms[a], names[i]) in count) || more > 0) {
					print "path: " arms[a] ", " names[i] ": " more \
						" more than idle" >"/dev/stderr"
					failed = 1
				}
			}
		}
		exit failed || n_names != 27
	}' "$work/all" || fail "a hook of Checmate calls or jumps to where a pointer says"
