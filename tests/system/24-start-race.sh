#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The start race: containers whose very first act is the forbidden one, started
# several at once while checmated is restarted, stopped and killed at random. Not
# one succeeds; each either was denied or did not start, and then was told why.
#
# CHECMATE_RACE: how many containers (default: 100; 1000 for the long form)
# CHECMATE_RACE_SEED: what to begin with, as the first line of a run tells
#
# Takes: 150
#
# Functions are called by name, which shellcheck cannot see.
# shellcheck disable=SC2317

# shellcheck source=SCRIPTDIR/../lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=SCRIPTDIR/container.sh
. /usr/libexec/checmate/tests/system/container.sh

ip link set lo up
parent=/checmate-race
mkdir -p "$cgroups$parent"
n=${CHECMATE_RACE:-100}
at_once=4
seed=${CHECMATE_RACE_SEED:-$(od -An -N2 -tu2 /dev/urandom | tr -d ' ')}
echo "# $n containers, $at_once at once; seed $seed"
race=$bundles/race
results=/tmp/race
mkdir -p "$results"

binding race <<-'END'
	[Match]
	Annotation=org.checmate.role=race
	[Policy net-bind]
	DenyErrno=EROFS
END

# It is started more often than systemd would let it.
override=/run/systemd/system/checmated.service.d
mkdir -p "$override"
printf '%s\n' '[Unit]' 'StartLimitIntervalSec=0' >"$override/race.conf"
systemctl daemon-reload

# All have the root of one bundle: it is the start that is looked at.
bundle race "$parent/race" '{ "org.checmate.role": "race" }' probe bind 0.0.0.0 9090
edit race '.root.path = "'"$race"'/rootfs"'
for i in $(seq "$n"); do
	mkdir "$bundles/$i"
	sed "s,$parent/race,$parent/$i,; s,$race/hook,$results/$i.hook," \
		"$race/config.json" >"$bundles/$i/config.json"
done
cat >"$bundles/one" <<-END
	#!/bin/sh
	crun run --bundle $bundles/\$1 race-\$1 >$results/\$1.out 2>$results/\$1.err </dev/null
	echo >>$results/done
END
chmod 755 "$bundles/one"

# What counts below means something: the act succeeds where it is not denied.
edit race 'del(.annotations["org.checmate.role"])'
check_match "the act succeeds in a container that is given nothing" '^ok$' output race
edit race 'del(.hooks)'

# --- what a start costs ------------------------------------------------------

seconds() {
	cut -d ' ' -f 1 /proc/uptime
}

# each SINCE COUNT: milliseconds.
each() {
	awk -v since="$1" -v now="$(seconds)" -v n="$2" \
		'BEGIN { printf "%d", (now - since) * 1000 / n }'
}

since=$(seconds)
for i in 1 2 3; do
	output race >/dev/null
done
plain=$(each "$since" 3)
since=$(seconds)
for i in 1 2 3; do
	"$bundles/one" "$i"
done
echo "# one start after the other: $plain ms without the hook, $(each "$since" 3) ms with hook and policy"

# --- the race ----------------------------------------------------------------

kill_daemon() {
	daemon=$(systemctl show --property=MainPID --value checmated.service)
	[ "${daemon:-0}" -eq 0 ] || kill -KILL "$daemon"
}

# What becomes of the daemon, when so many more starts have come to an end and so
# much of a second has passed. It goes by starts, so that it is the same trouble on
# a machine that is slow.
awk -v seed="$seed" -v n="$n" 'BEGIN {
	srand(seed)
	while ((ends += int(1 + rand() * 12)) < n)
		print int(rand() * 4), ends, rand() / 2
}' >"$results/plan"

ended() {
	[ "$(wc -l <"$results/done")" -ge "$1" ]
}

trouble() {
	while read -r what ends pause; do
		until ended "$ends"; do
			sleep 0.1
		done
		sleep "$pause"
		echo "$what" >>"$results/troubles"
		case "$what" in
		0) systemctl restart checmated.service ;;
		1) systemctl stop checmated.service ;;
		*) kill_daemon ;;
		esac 2>/dev/null
	done <"$results/plan"
}
: >"$results/done"
: >"$results/troubles"
trouble &
troubling=$!
since=$(seconds)
seq "$n" | xargs -n 1 -P "$at_once" "$bundles/one"
echo "# $at_once at once: $(each "$since" "$n") ms each"
wait "$troubling"
echo "# the daemon: $(sed 's/0/restarted/; s/1/stopped/; s/[23]/killed/' "$results/troubles" | sort | uniq -c | xargs)"

said() {
	cat "$results"/[0-9]*.out
}

# Those of which there is no word, and none of the hook either.
unexplained() {
	for i in $(seq "$n"); do
		[ -s "$results/$i.out" ] || grep -q checmate-oci-hook "$results/$i.hook" || {
			echo "container $i:"
			cat "$results/$i.err"
		}
	done
}

denied=$(said | grep -cx EROFS)
started=$(said | grep -c .)
echo "# $denied were denied, $((n - started)) did not start"
check_output "of $n first acts none succeeds" 0 sh -c "cat $results/[0-9]*.out | grep -cx ok || :"
check_output "all that started were denied" "$started" echo "$denied"
check "most started" test "$denied" -ge $((n / 2))
check_output "of those that did not it is known why" "" unexplained
cat "$results"/*.hook | sed 's/.*container race-[0-9]*: //' | sort | uniq -c | sed 's/^/# /'

# --- after it ----------------------------------------------------------------

rm -r "$override"
systemctl daemon-reload
check "checmated starts again" systemctl restart checmated.service
check "nothing is pinned any more" wait_until 60 no_pins
check_output "no container's cgroup is left" 0 sh -c \
	"find $cgroups$parent -mindepth 1 -type d | wc -l"
check "and the next container" "$bundles/one" 1
check_output "is held as all were" EROFS cat "$results/1.out"
rm -rf "$results"
rmdir "$cgroups$parent"
finish
