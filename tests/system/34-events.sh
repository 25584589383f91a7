#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Denials: who is told of them, that a storm of them holds nothing up, and that every
# one is told or counted.
#
# Takes: 70
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
cg=/checmate-events
denied_id=fe502dc2340c4096a2fb2006f99d3629
rest_id=fce8f2e8f05945e489cf7d8b9d737e6c
storms='1 2 3 4'
calls=25000
mkdir -p "$bindings"
for i in $storms few; do
	mkdir -p "$cgroups$cg/$i"
done

events_end() {
	touch /tmp/storm-end
	figures_off
	case_end
}
trap events_end EXIT

# Journal entries of checmated with message id $1, as JSON lines.
entries() {
	journalctl --sync
	journalctl -q -o json -u checmated.service MESSAGE_ID="$1"
}

# How many denials the journal has entries of, and counts in them.
in_journal() {
	{
		entries "$denied_id" | jq -c '1 + (.CHECMATE_SUPPRESSED // 0 | tonumber)'
		entries "$rest_id" | jq -c '.CHECMATE_SUPPRESSED | tonumber'
	} | awk '{ n += $1 } END { print n + 0 }'
}

# How many denials checmated has read, and how many it knows to be lost.
read_and_lost() {
	echo $(($(figure checmate_denials_total) + $(figure checmate_events_lost_total)))
}

equal() {
	equal_is=$1
	shift
	[ "$("$@")" = "$equal_is" ]
}

# A denial of port $1 that is no part of the storm.
deny_one() {
	in_cgroup "$cg/few" probe bind 0.0.0.0 "$1" >/dev/null
}

# Counts the denials that are told, and those that are told to be lost. Leaves a file
# at the first one of few, and the sum in another for each one of its port 4242.
subscribe() {
	checmatectl --daemon events --follow --json | awk -v few="$cg/few\"" '
		/^[{]"lost": *[0-9]+ *[}]/ { gsub(/[^0-9]/, ""); n += $0; next }
		index($0, "0.0.0.0:4242") { print n + 0 >"/tmp/sum"; close("/tmp/sum"); next }
		index($0, few) { print >"/tmp/first"; close("/tmp/first"); next }
		{ n++ }'
}

first_is_told() {
	deny_one 80
	[ -e /tmp/first ]
}

# They come in order: once this one is told so were all before, or their loss.
sum_is_told() {
	deny_one 4242
	[ -e /tmp/sum ]
}

# The peak of the daemon's memory, in kB.
peak() {
	sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$(main_pid)/status"
}

apply() {
	call Apply 'sa(sas)a{sv}' "$1" 1 net-bind 0 0
}

check "checmated starts" figures_on
for i in $storms few; do
	apply "$cg/$i" >/dev/null
done

# --- a few -------------------------------------------------------------------

for i in 1 2 3 4 5 6 7 8; do
	in_cgroup "$cg/few" probe bind 0.0.0.0 $((8000 + i)) >/dev/null
done
check "each is counted" wait_until 30 equal 8 figure checmate_denials_total
check_output "by policy, hook and mode" 8 \
	sample 'checmate_denials_total{policy="net-bind",hook="socket_bind",mode="enforce"}'
check "the journal tells of the first" wait_until 30 equal 5 sh -c \
	"journalctl --sync; journalctl -q -o cat -u checmated MESSAGE_ID=$denied_id | wc -l"
check_match "in words" \
	"^$cg/few: policy net-bind denied socket_bind of probe .*: tcp 0.0.0.0:8001: EPERM" \
	journalctl -q -o cat -u checmated MESSAGE_ID=$denied_id
check_output "and in fields" "$cg/few net-bind socket_bind enforce probe tcp 0.0.0.0:8001 1" sh -c \
	"journalctl -q -o json -u checmated MESSAGE_ID=$denied_id | head -n 1 | jq -r '[.CHECMATE_CGROUP,
	.CHECMATE_POLICY, .CHECMATE_HOOK, .CHECMATE_MODE, .CHECMATE_COMM, .CHECMATE_OBJECT, .ERRNO] | join(\" \")'"
check "and of how many more there were" wait_until 30 equal 8 in_journal
check_match "at the end" "^$cg/few: 3 more denials by policy net-bind at socket_bind" \
	journalctl -q -o cat -u checmated MESSAGE_ID=$rest_id

# --- a storm -----------------------------------------------------------------

binding many <<-'END'
	[Match]
	Annotation=org.checmate.test=storm
	[Policy net-bind]
END
call Reload >/dev/null
for i in 1 2; do
	bundle "storm-$i" "/storm-$i" '{"org.checmate.test": "storm"}' probe bind 0.0.0.0 80
done
before=$(peak)
subscribe &
subscriber=$!
check "somebody wants to know of each" wait_until 60 first_is_told
before_storm=$(read_and_lost)
for i in $storms; do
	in_cgroup "$cg/$i" storm 1 $calls /tmp/storm-end >"/tmp/storm-$i" &
	eval "storm_$i=$!"
done
check "it has begun" wait_until 60 sh -c "[ \$(curl -sS --unix-socket $metrics http://x/metrics |
	sed -n 's/^checmate_denials_total.* //p') -gt 1000 ]"
for i in 1 2; do
	check "a container starts during it" start "storm-$i"
	mkdir "$cgroups$cg/new-$i"
	check "a policy is applied" apply "$cg/new-$i"
	check_output "and in force" EPERM sh -c "echo \$\$ >$cgroups$cg/new-$i/cgroup.procs
		$tests/probe bind 0.0.0.0 80 || :"
	check "figures are told" figure checmate_events_lost_total
done
check "binding files are read again" call Reload
check_output "all of that has happened during the storm" "" find /tmp/storm-1 /tmp/storm-2 \
	/tmp/storm-3 /tmp/storm-4 -size +0
touch /tmp/storm-end
for i in $storms; do
	eval "check 'storm $i was denied all it tried' wait \$storm_$i"
done
tried=$(cat /tmp/storm-? | awk '{ n += $1 } END { print n }')
echo "# $tried denials tried"
check "there were enough of them" [ "$tried" -ge 100000 ]
# Two others after apply, and one of each container.
check "each of them was read or is known to be lost" wait_until 120 \
	equal $((before_storm + tried + 4)) read_and_lost
check "who wanted to know has been told something of each" wait_until 60 sum_is_told
check_output "exactly" $((tried + 4)) cat /tmp/sum
check "a subscriber that goes is no trouble" kill "$(pgrep -x checmatectl)"
wait "$subscriber"
read=$(figure checmate_denials_total)
lost=$(figure checmate_events_lost_total)
echo "# $read read, $lost lost"
check "the journal tells or counts those that were read" wait_until 60 equal "$read" in_journal
n=$({
	entries "$denied_id"
	entries "$rest_id"
} | wc -l)
echo "# in $n entries"
check "in few entries" [ "$n" -lt 500 ]
after=$(peak)
echo "# the daemon's peak was $before kB before and $after kB after"
check "the daemon has not grown" [ $((after - before)) -lt 4096 ]
check_match "and is the same" 'NRestarts=0' systemctl show --property=NRestarts checmated.service

# --- another reader ----------------------------------------------------------

systemctl stop checmated.service
checmatectl --direct events --follow >/tmp/reader 2>&1 &
reader=$!
in_cgroup "$cg/few" probe bind 0.0.0.0 81 >/dev/null
check "somebody else reads" wait_until 30 grep -q 0.0.0.0:81 /tmp/reader
check "checmated starts nevertheless" systemctl start checmated.service
journalctl --sync
check_match "says that nobody is told by it" "nobody is told of them: .*another process reads" \
	journalctl -q -o cat -u checmated
check_output "and so do the figures" 0 figure checmate_events_reader
check "it enforces" apply "$cg"
check_output "as ever" EPERM sh -c "echo \$\$ >$cgroups$cg/cgroup.procs
	$tests/probe bind 0.0.0.0 80 || :"
kill "$reader"
wait "$reader"
check "when the other has gone a reload makes it the reader" call Reload
check_output "say the figures" 1 figure checmate_events_reader
in_cgroup "$cg/few" probe bind 0.0.0.0 82 >/dev/null
check "it tells again" wait_until 30 sh -c \
	"journalctl --sync; journalctl -q -o cat -u checmated MESSAGE_ID=$denied_id | grep -q 0.0.0.0:82"

finish
