# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Reads the output of test programs marked as tests/lib/batch does and prints
# one line for each point: "ok - TIER/UNIT/POINT", "not ok - …", or
# "ok - … # SKIP …". What a program prints besides is shown around points that
# failed, and in any case what it prints after "## note ".
#
# Where the output is that of several guests, "## guest UNIT…" begins that of one,
# and "## ended REASON" says why it may have stopped early.
#
# Variables: tier; expect, names of the units that have to appear, separated by
# blanks; only, the points wanted (a prefix of UNIT/POINT), or empty; ended, why
# the output may have stopped early, or empty.

function base(path) {
	sub(/^.*\//, "", path)
	sub(/\.sh$/, "", path)
	return path
}

function report(verdict, name) {
	if (only != "" && index(name "/", only "/") != 1 && verdict == "ok")
		return
	print verdict " - " tier "/" name
}

function flush_held(i) {
	for (i = 1; i <= held; i++)
		print hold[i]
	held = 0
}

function keep(text) {
	if (held < 400)
		hold[++held] = text ~ /^#/ ? text : "# " text
}

function point(verdict, text) {
	points++
	if (verdict != "ok" || failing)
		flush_held()
	held = 0
	failing = verdict != "ok"
	failures += failing
	sub(/^[0-9]+ */, "", text)
	sub(/^- */, "", text)
	report(verdict, unit "/" text)
}

function close_unit(status) {
	if (plan_skip != "" && points == 0) {
		report("ok", unit " # SKIP " plan_skip)
	} else if (points == 0 && plan < 0) {
		if (status == 0) {
			report("ok", unit)
		} else if (status == 4 || status == 77) {
			report("ok", unit " # SKIP it says so by its exit status")
		} else {
			flush_held()
			report("not ok", unit ": ended with " status)
		}
	} else {
		if (failing)
			flush_held()
		if (plan != points) {
			flush_held()
			report("not ok", unit ": " (plan < 0 ? "no plan" : plan " points planned") \
			       ", " points " seen, ended with " status)
		} else if (status != 0 && failures == 0) {
			flush_held()
			report("not ok", unit ": every point passed, but it ended with " status)
		}
	}
	open = 0
	held = 0
	failing = 0
}

# The units in guest have come to no end, or were never begun, because of reason.
function early(reason, i, n, want, told) {
	if (open) {
		flush_held()
		report("not ok", unit ": did not come to its end: " reason)
		open = 0
		told = 1
	}
	n = split(guest, want, " ")
	for (i = 1; i <= n; i++)
		if (!(want[i] in seen)) {
			seen[want[i]] = 1
			report("not ok", want[i] ": was not run: " reason)
			told = 1
		}
	if (!told)
		report("not ok", "guest of " guest ": " reason)
}

/^## begin / {
	if (open)
		close_unit("nothing")
	unit = base($3)
	seen[unit] = 1
	open = 1
	points = failures = failing = held = 0
	plan = -1
	plan_skip = ""
	next
}

/^## end / {
	if (open)
		close_unit($4)
	next
}

/^## guest / {
	guest = substr($0, 10)
	next
}

/^## ended / {
	early(substr($0, 10))
	next
}

!open {
	next
}

# Shown whatever comes of it.
/^## note / {
	print "# " substr($0, 9)
	next
}

/^ok( |$)/ {
	point("ok", substr($0, 4))
	next
}

/^not ok( |$)/ {
	point("not ok", substr($0, 8))
	next
}

/^1\.\.[0-9]+/ {
	plan = substr($1, 4) + 0
	if (plan == 0) {
		plan_skip = $0
		sub(/^[^#]*#? *(SKIP *)?/, "", plan_skip)
		if (plan_skip == "")
			plan_skip = "nothing planned"
	}
	next
}

/^Bail out!/ {
	keep($0)
	flush_held()
	report("not ok", unit ": " $0)
	failures++
	next
}

/^(K?TAP version|$)/ {
	next
}

{
	keep($0)
}

END {
	if (open) {
		flush_held()
		report("not ok", unit ": did not come to its end" (ended != "" ? ": " ended : ""))
	}
	n = split(expect, want, " ")
	for (i = 1; i <= n; i++)
		if (!(want[i] in seen))
			report("not ok", want[i] ": was not run" (ended != "" ? ": " ended : ""))
	if (!open && ended != "" && n > 0)
		report("not ok", "all: " ended)
}
