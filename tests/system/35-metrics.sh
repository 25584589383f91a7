#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# checmated's figures: that nobody gets any unless somebody has turned them on, who
# gets them then, and that they are right. Their text is for the unit tests to judge.
#
# Takes: 30
#
# Functions are called by name, which shellcheck cannot see.
# shellcheck disable=SC2317

# shellcheck source=SCRIPTDIR/../lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=SCRIPTDIR/container.sh
. /usr/libexec/checmate/tests/system/container.sh
# shellcheck source=SCRIPTDIR/figures.sh
. /usr/libexec/checmate/tests/system/figures.sh

PATH=$tests:$PATH
ip link set lo up
cg=/checmate-metrics
dropins=/run/systemd/system/checmated-metrics.socket.d
mkdir -p "$cgroups$cg/a" "$cgroups$cg/b" "$bindings"

metrics_end() {
	figures_off
	rm -rf "$dropins"
	systemctl daemon-reload
	case_end
}
trap metrics_end EXIT

# get PATH [OPTION…]: what is answered.
get() {
	get_path=$1
	shift
	curl -sS --max-time 60 --unix-socket "$metrics" "$@" "http://localhost$get_path"
}

# status PATH [OPTION…]: the status of the answer.
status() {
	get "$@" -o /dev/null -w '%{http_code}'
}

apply() {
	call Apply 'sa(sas)a{sv}' "$1" 1 "$2" 0 "${3-0}"
}

# --- off and on --------------------------------------------------------------

check_output "the socket is not enabled by itself" disabled \
	sh -c 'systemctl is-enabled checmated-metrics.socket || :'
systemctl restart checmated.service
check "checmated runs" systemctl is-active checmated.service
check_not "nobody can ask for figures" get /metrics
check "with the socket checmated starts too" figures_on
check_output "the figures are there" 200 status /metrics
check_output "as what they are" 'application/openmetrics-text; version=1.0.0; charset=utf-8' \
	get /metrics -o /dev/null -w '%{content_type}'
check_output "to the end" '# EOF' sh -c "curl -sS --unix-socket $metrics http://localhost/metrics |
	tail -n 1"
check_output "nothing else is" 404 status /
check_output "whatever it is" 404 status /metrics/../etc/passwd --path-as-is
check_output "and nothing can be put there" 405 status /metrics -X POST -d x
check_output "only root may ask" 'root root 660' stat -c '%U %G %a' "$metrics"
check_not "others may not" setpriv --reuid=65534 --regid=65534 --clear-groups \
	curl -sS --unix-socket "$metrics" http://localhost/metrics

# --- bindings ----------------------------------------------------------------

check_output "there are no bindings" 0 figure checmate_cgroups_bound
apply "$cg/a" net-bind >/dev/null
apply "$cg/a" net-connect >/dev/null
apply "$cg/b" net-bind '1 mode s permissive' >/dev/null 2>&1 ||
	call Apply 'sa(sas)a{sv}' "$cg/b" 1 net-bind 0 1 mode s permissive >/dev/null
check_output "two cgroups have some" 2 figure checmate_cgroups_bound
check_output "one of them enforced" 1 sample 'checmate_bindings{policy="net-bind",mode="enforce"}'
check_output "the other permissive" 1 \
	sample 'checmate_bindings{policy="net-bind",mode="permissive"}'
check_output "three in all" 3 figure checmate_bindings
check_output "each was applied" 3 figure checmate_apply_duration_seconds_count
check_output "in some time" 3 sample 'checmate_apply_duration_seconds_bucket{le="+Inf"}'
call SetMode sss "$cg/b" net-bind enforce >/dev/null
check_output "another mode shows" 2 sample 'checmate_bindings{policy="net-bind",mode="enforce"}'
call Remove ss "$cg/a" net-connect >/dev/null
check_output "what is removed is not there" "" \
	sample 'checmate_bindings{policy="net-connect",mode="enforce"}'
check_output "the rest is" 2 figure checmate_bindings

# --- denials -----------------------------------------------------------------

for i in 1 2 3; do
	in_cgroup "$cg/a" probe bind 0.0.0.0 $i >/dev/null
done
call SetMode sss "$cg/b" net-bind permissive >/dev/null
in_cgroup "$cg/b" probe bind 0.0.0.0 4 >/dev/null
check "denials are counted" wait_until 30 sh -c \
	"[ \$(curl -sS --unix-socket $metrics http://x/metrics | grep -c '^checmate_denials_total.* [13]$') = 2 ]"
check_output "as they were enforced" 3 \
	sample 'checmate_denials_total{policy="net-bind",hook="socket_bind",mode="enforce"}'
check_output "or only told" 1 \
	sample 'checmate_denials_total{policy="net-bind",hook="socket_bind",mode="permissive"}'

# --- what others do ----------------------------------------------------------

binding drift <<-END
	[Match]
	Cgroup=$cg/drift
	[Policy net-bind]
END
call Reload >/dev/null
mkdir "$cgroups$cg/drift"
check "a cgroup that a file names is bound" wait_until 30 has_policy "$cg/drift" net-bind
check_output "nothing has drifted" 0 figure checmate_drift_total
check "somebody takes it away" checmatectl --direct remove "$cg/drift" net-bind
check "which is seen, and undone" wait_until 30 has_policy "$cg/drift" net-bind
check_output "and counted" 1 figure checmate_drift_total
rmdir "$cgroups$cg/drift"
check "a cgroup that goes takes its bindings along" wait_until 30 sh -c \
	"[ \$(curl -sS --unix-socket $metrics http://x/metrics | sed -n 's/^checmate_cgroups_bound //p') = 2 ]"

# --- who asks badly ----------------------------------------------------------

# More than may be connected, and none of them says anything.
idle=
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	socat -u "UNIX-CONNECT:$metrics" - &
	idle="$idle $!"
done
check "idle connections hold up no call" call ListPolicies
check_output "and figures for no longer than they may last" 200 status /metrics
# shellcheck disable=SC2086 # one word for each
kill $idle 2>/dev/null
head -c 200000 /dev/zero | tr '\0' a >/tmp/much
check_not "a request may not be long" get /metrics -f -H "X: $(head -c 60000 /tmp/much)"
check_output "a short one is answered" 200 status /metrics

# --- on the loopback ---------------------------------------------------------

mkdir -p "$dropins"
cat >"$dropins/port.conf" <<-'END'
	[Socket]
	ListenStream=
	ListenStream=127.0.0.1:9464
END
figures_off
systemctl daemon-reload
check "with a drop-in they are on a port" figures_on
check_match "of the loopback" '^checmate_cgroups_bound 2$' \
	curl -sS --max-time 60 http://127.0.0.1:9464/metrics
check_match "what was in force is counted after a new start" \
	'checmate_bindings.policy="net-bind",mode="enforce". 1$' \
	curl -sS --max-time 60 http://127.0.0.1:9464/metrics

# What is in force is not the next case's.
for name in a b; do
	checmatectl --direct remove "$cg/$name" >/dev/null
	rmdir "$cgroups$cg/$name"
done

finish
