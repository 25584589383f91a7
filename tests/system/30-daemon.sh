#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# checmated: its binding files, and that it can go at any time without taking a
# policy along.
#
# Functions are called by name, which shellcheck cannot see.
# shellcheck disable=SC2317

# shellcheck source=SCRIPTDIR/../lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=SCRIPTDIR/container.sh
. /usr/libexec/checmate/tests/system/container.sh

PATH=$tests:$PATH
ip link set lo up
cg=/checmate-daemon
mkdir -p "$cgroups$cg" "$bindings"

main_pid() {
	systemctl show --property=MainPID --value checmated.service
}

# What checmated lists of cgroup $1, filtered by the jq program $2.
listed() {
	call ListBindings | jq -rc --arg cgroup "$1" ".data[0][] | select(.[0] == \$cgroup) | $2"
}

# Prints what came of binding port $2 in cgroup $1.
bind_in() {
	in_cgroup "$1" probe bind 0.0.0.0 "$2" || :
}

bind_gives() {
	[ "$(bind_in "$1" "$2")" = "$3" ]
}

# --- start -------------------------------------------------------------------

check "checmated starts without binding files" systemctl restart checmated.service
check_match "its status is told to systemd" '0 binding files in use' \
	systemctl show --property=StatusText checmated.service

# --- death -------------------------------------------------------------------

call Apply 'sa(sas)a{sv}' "$cg" 1 net-bind 2 allow=0.0.0.0/0:8080 deny-errno=EACCES 0 >/dev/null
ids=$(attachments "$cg")
before=$(call ListBindings)
systemctl mask --runtime checmated.service 2>/dev/null
pid=$(main_pid)
kill -KILL "$pid"
check "checmated is dead" wait_until 20 test ! -e "/proc/$pid"
check_output "the policy holds" EACCES bind_in "$cg" 9090
check_output "and allows what it allowed" ok bind_in "$cg" 8080
systemctl unmask --runtime checmated.service 2>/dev/null
systemctl reset-failed checmated.service 2>/dev/null
check "checmated starts again" systemctl restart checmated.service
check_output "it knows everything" "$before" call ListBindings
check_output "it changed nothing" "$ids" attachments "$cg"
check "a stop leaves the policy" systemctl stop checmated.service
check_output "it holds" EACCES bind_in "$cg" 9090
systemctl start checmated.service
call Remove ss "$cg" "" >/dev/null

# --- binding files -----------------------------------------------------------

binding slice <<-'END'
	[Match]
	Cgroup=/demo.slice

	[Policy net-bind]
	Allow=0.0.0.0/0:8080
	DenyErrno=EACCES
END
check "a new binding file is taken" systemctl reload checmated.service
systemctl start demo.slice
check "a slice that comes gets its policy" wait_until 20 has_policy /demo.slice net-bind
service='systemd-run --quiet --pipe --wait --collect --slice=demo.slice --service-type=exec'
check_output "a service in it is judged" EACCES \
	sh -c "$service $tests/probe bind 0.0.0.0 9090 || :"
check_output "and may do what is allowed" ok sh -c "$service $tests/probe bind 0.0.0.0 8080 || :"
check_output "where it comes from is listed" "file $bindings/slice.conf" \
	listed /demo.slice '.[4]'
check "the journal has it" sh -c \
	"journalctl -q -o cat CHECMATE_CGROUP=/demo.slice CHECMATE_POLICY=net-bind | grep -q 'is in force'"

ids=$(attachments /demo.slice)
check "a reload without changes succeeds" systemctl reload checmated.service
check_output "and leaves the programs alone" "$ids" attachments /demo.slice
check "so does a restart" systemctl restart checmated.service
check_output "with the same programs" "$ids" attachments /demo.slice

sed -i 's/8080/8081/' "$bindings/slice.conf"
call Reload >/dev/null
check_output "a changed parameter takes effect" ok bind_in /demo.slice 8081
check_output "entirely" EACCES bind_in /demo.slice 8080

# Nothing of a refused file takes effect, nor of the others beside it.
sed -i 's/8081/8082/' "$bindings/slice.conf"
binding wrong <<-'END'
	[Match]
	Cgroup=/demo.slice
	[Policy net-connect]
	Alow=127.0.0.1:80
END
check_match "a wrong file is refused with file, line and reason" \
	"$bindings/wrong.conf:4: .*alow" call Reload
check_not "systemctl reload fails as well" systemctl reload checmated.service
check_output "the running binding stays" ok bind_in /demo.slice 8081
check_output "as it was" EACCES bind_in /demo.slice 8082
check_match "checmated says the same without being started" \
	"wrong.conf:4: .*alow" checmated --check-config
check_not "and does not start with it" systemctl restart checmated.service
check_output "what was in force still is" EACCES bind_in /demo.slice 8082
check_match "nor is it tried again in vain" 'Result=exit-code ActiveState=failed' sh -c \
	"systemctl show --property=Result,ActiveState checmated.service | xargs"
check_match "systemd knows why" "Refused: $bindings/wrong.conf:4: " \
	systemctl show --property=StatusText checmated.service
rm "$bindings/wrong.conf"
systemctl reset-failed checmated.service 2>/dev/null
check "without the file it starts" systemctl restart checmated.service
check_output "and applies what changed" ok bind_in /demo.slice 8082

# A policy that vanishes between two reloads is an error that is told.
mv /usr/lib/checmate/policies/net-bind.bpf.o /tmp/net-bind.bpf.o
binding later <<-'END'
	[Match]
	Cgroup=/demo.slice/again.service
	[Policy net-connect]
END
check_match "a reload names the file whose policy vanished" 'slice.conf:4: .*net-bind' call Reload
mv /tmp/net-bind.bpf.o /usr/lib/checmate/policies/net-bind.bpf.o
check "and takes them when it is back" call Reload
mv /usr/lib/checmate/policies/net-connect.bpf.o /tmp/net-connect.bpf.o
systemd-run --quiet --slice=demo.slice --unit=again --service-type=exec "$tests/probe" pause
check "a cgroup that cannot get its policy is told of" wait_until 20 sh -c \
	"journalctl -q -o cat -p err CHECMATE_CGROUP=/demo.slice/again.service | grep -q net-connect"
mv /tmp/net-connect.bpf.o /usr/lib/checmate/policies/net-connect.bpf.o
check "and gets it with the next reload" call Reload
check "for it is there now" has_policy /demo.slice/again.service net-connect
systemctl stop again.service
rm "$bindings/later.conf"
call Reload >/dev/null

call Apply 'sa(sas)a{sv}' /demo.slice 1 net-connect 1 deny-errno=EPERM 0 >/dev/null
rm "$bindings/slice.conf"
call Reload >/dev/null
check_output "a binding whose file went goes" ok bind_in /demo.slice 9090
check_output "one made by hand stays" net-connect listed /demo.slice '.[2]'
call Remove ss /demo.slice "" >/dev/null

# --- cgroups that come and go ------------------------------------------------

binding many <<-END
	[Match]
	Cgroup=$cg/*
	[Policy net-bind]
	DenyErrno=EACCES
END
mkdir "$cgroups$cg/old"
call Reload >/dev/null
check_output "a cgroup that was there is bound" EACCES bind_in "$cg/old" 9090
mkdir "$cgroups$cg/new" "$cgroups$cg/new/inner"
check "one that comes is bound" wait_until 20 bind_gives "$cg/new" 9090 EACCES
check_output "one below it inherits" EACCES bind_in "$cg/new/inner" 9090
check_output "and has none itself" "" listed "$cg/new/inner" '.'
ids=$(program_ids "$cg/new")
rmdir "$cgroups$cg/new/inner" "$cgroups$cg/new" "$cgroups$cg/old"
check "when they go so do the pins" wait_until 20 no_pins
for id in $ids; do
	check "and program $id" wait_until 20 no_such_program "$id"
done
check_output "nothing is listed" 0 sh -c \
	"busctl --json=short call org.checmate1 /org/checmate1 org.checmate1.Manager ListBindings | jq '.data[0] | length'"
check "no record is left" wait_until 20 no_records
check_match "checmated is well" 'ActiveState=active' systemctl show checmated.service

# --- what systemd is told ----------------------------------------------------

status_is() {
	systemctl show --property=StatusText --value checmated.service | grep -Eq "$1"
}
mkdir "$cgroups$cg/one"
check "the status counts files and cgroups" \
	wait_until 20 status_is '^1 binding file in use, 1 cgroup bound$'
binding broken <<-'END'
	[Match]
END
systemctl kill --kill-whom=main --signal=HUP checmated.service
check "a file that SIGHUP finds broken is told of" \
	wait_until 20 status_is "1 cgroup bound; refused: $bindings/broken.conf"
check_output "what was in use still is" EACCES bind_in "$cg/one" 9090
rm "$bindings/broken.conf"
systemctl kill --kill-whom=main --signal=HUP checmated.service
check "and no longer when it is mended" \
	wait_until 20 status_is '^1 binding file in use, 1 cgroup bound$'
check_output "which does not start it anew" active systemctl is-active checmated.service
rmdir "$cgroups$cg/one"
check "a cgroup that went is not counted" wait_until 20 status_is ', 0 cgroups bound$'
check_match "systemd watches it" '^WatchdogTimestampMonotonic=[1-9]' \
	systemctl show --property=WatchdogTimestampMonotonic checmated.service

# What does not concern it does not wake it: files, processes, cgroups without policies.
mkdir "$cgroups$cg/unbound" "$cgroups$cg/unbound/inner"
switches() {
	sed -n 's/^voluntary_ctxt_switches:.//p' "/proc/$(main_pid)/status"
}
sleeps_through() {
	switches_before=$(switches)
	for i in 1 2 3 4 5 6 7 8; do
		in_cgroup "$cg/unbound/inner" touch "/tmp/file-$i"
		rm "/tmp/file-$i"
	done
	[ "$(switches)" = "$switches_before" ]
}
check "it sleeps while nothing concerns it" wait_until 60 sleeps_through
rmdir "$cgroups$cg/unbound/inner" "$cgroups$cg/unbound"

systemd-analyze security --no-pager checmated.service | sed -n 's/.*Overall/# Overall/p'
check "it is locked in" systemd-analyze security --no-pager --threshold=25 checmated.service
journalctl --update-catalog
check_match "the journal explains its entries" 'Subject: Policy net-bind is in force in /demo.slice' \
	journalctl -q -x CHECMATE_CGROUP=/demo.slice CHECMATE_POLICY=net-bind

# --- many at once ------------------------------------------------------------

# More of them at once than the daemon can look at in between.
storm() {
	for i in $(seq "$1" "$2"); do
		mkdir "$cgroups$cg/storm-$i" "$cgroups$cg/storm-$i/inner"
	done
	for i in $(seq "$1" "$2"); do
		rmdir "$cgroups$cg/storm-$i/inner" "$cgroups$cg/storm-$i"
	done
}
storm 1 60 &
storm_1=$!
storm 61 120 &
storm_2=$!
check "cgroups come and go" wait "$storm_1" "$storm_2"
mkdir "$cgroups$cg/calm"
check "one after the storm is bound" wait_until 60 bind_gives "$cg/calm" 9090 EACCES
rmdir "$cgroups$cg/calm"
check "and nothing of it all is left" wait_until 60 no_pins
check "not even a record" wait_until 20 no_records
check_match "checmated has lived through it" 'NRestarts=0' \
	systemctl show --property=NRestarts checmated.service
check_output "without a complaint" "" \
	sh -c "journalctl -q -o cat -p err -u checmated.service --grep=storm || :"

# --- a cgroup that was given away --------------------------------------------

rm "$bindings/many.conf"
call Reload >/dev/null
mkdir "$cgroups$cg/user" "$cgroups$cg/user/own"
chown -R 65534:65534 "$cgroups$cg/user"
check "a delegated cgroup can be bound" call Apply 'sa(sas)a{sv}' "$cg/user/own" 1 \
	net-bind 1 deny-errno=EACCES 0
check_output "and is judged" EACCES bind_in "$cg/user/own" 9090
rmdir "$cgroups$cg/user/own" "$cgroups$cg/user"

rmdir "$cgroups$cg"
systemctl stop demo.slice
finish
