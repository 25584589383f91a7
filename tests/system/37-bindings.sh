#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Binding files find the units and slices that systemd makes, under the names that
# it gives them; of several files and drop-ins the right one counts; and what is
# wrong with a file is told beforehand, by an ordinary user too.
#
# Takes: 60
#
# Functions are called by name, which shellcheck cannot see.
# shellcheck disable=SC2317

# shellcheck source=SCRIPTDIR/../lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=SCRIPTDIR/container.sh
. /usr/libexec/checmate/tests/system/container.sh

PATH=$tests:$PATH
ip link set lo up
etc=/etc/checmate/bindings.d
slice=/checmatetest.slice
units='checmate-web-1.service checmate-web-2.service checmate-db.service io.service'

bindings_end() {
	# shellcheck disable=SC2086 # a word for each
	systemctl stop $units checmatetest.slice 2>/dev/null
	rm -rf "${etc:?}"/*.conf "${etc:?}"/*.conf.d
	case_end
}
trap bindings_end EXIT

# unit NAME SLICE: a service that does nothing.
unit() {
	systemd-run -q --unit="$1" --slice="$2" sleep infinity
}

# What comes of binding port $2 in cgroup $1.
bind_in() {
	in_cgroup "$1" probe bind 0.0.0.0 "$2" || :
}

bind_gives() {
	[ "$(bind_in "$1" "$2")" = "$3" ]
}

policies_of() {
	checmatectl status --json "$1" | jq -r '[.local[].policy] | unique | join(" ")'
}

# What checmated lists of cgroup $1, filtered by the jq program $2.
listed() {
	call ListBindings | jq -rc --arg cgroup "$1" ".data[0][] | select(.[0] == \$cgroup) | $2"
}

as_nobody() {
	setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}

# --- what files are for --------------------------------------------------------

binding 10-web <<-END
	[Match]
	Unit=checmate-web-*.service
	Slice=checmatetest.slice
	[Policy net-bind]
	Allow=0.0.0.0/0:8080
	DenyErrno=EACCES
END
binding 10-slice <<-END
	[Match]
	Slice=checmatetest.slice
	[Policy net-connect]
	Mode=permissive
END
binding 10-escaped <<-END
	[Match]
	Unit=io.service
	[Policy net-bind]
END
check "the files are taken" checmatectl config verify "$bindings"
check "what they say is as the schema has it" sh -c "checmatectl config verify --json $bindings |
	$tests/json-check /usr/share/doc/checmate/schema/config-verify.json"
check "checmated starts" systemctl restart checmated.service

check "units start" unit checmate-web-1 checmatetest.slice
check "one of the name, in a slice below" unit checmate-web-2 checmatetest-below.slice
check "another of the slice" unit checmate-db checmatetest.slice
check "one whose cgroup systemd has to call otherwise" unit io system.slice
check "the unit is bound" wait_until 20 has_policy "$slice/checmate-web-1.service" net-bind
check "so is that in the slice below" \
	wait_until 20 has_policy "$slice/checmatetest-below.slice/checmate-web-2.service" net-bind
check "so is the slice" wait_until 20 has_policy "$slice" net-connect
check "so is the unit whose cgroup is called _io.service" \
	wait_until 20 has_policy /system.slice/_io.service net-bind
check_output "the unit has what the file for it gives" net-bind policies_of \
	"$slice/checmate-web-1.service"
check_output "the other has nothing of its own" '' policies_of "$slice/checmate-db.service"
check_output "nor has the slice below" '' policies_of "$slice/checmatetest-below.slice"
check_output "the policy holds" EACCES bind_in "$slice/checmate-web-1.service" 9090
check_output "with its parameters" ok bind_in "$slice/checmate-web-1.service" 8080
check_output "that of the slice is permissive" permissive listed "$slice" '.[3]'
mkdir "$cgroups$slice/checmate-db.service/checmate-web-3.service"
check "what is called like a unit inside one is none" systemctl reload checmated.service
check_output "it has nothing" '' policies_of "$slice/checmate-db.service/checmate-web-3.service"

# --- which file counts ---------------------------------------------------------

web=$slice/checmate-web-1.service
binding 20-exception <<-END
	[Match]
	Unit=checmate-web-1.service
	[Policy net-bind]
	Allow=0.0.0.0/0:9090
END
check "a file of a later name gives the same policy" systemctl reload checmated.service
check_output "it counts" ok bind_in "$web" 9090
check_output "and nothing of the other" EPERM bind_in "$web" 8080
check_output "but not for others" EACCES bind_in \
	"$slice/checmatetest-below.slice/checmate-web-2.service" 9090

mkdir -p "$etc/10-web.conf.d" "$bindings/10-web.conf.d"
printf '[Policy net-bind]\nAllow=0.0.0.0/0:7070\n' >"$etc/10-web.conf.d/port.conf"
ln -s /dev/null "$bindings/20-exception.conf.new"
mv "$bindings/20-exception.conf.new" "$bindings/20-exception.conf"
check "it is hidden, the first has a drop-in" systemctl reload checmated.service
check_output "the drop-in's port is added" ok bind_in "$web" 7070
check_output "to the file's" ok bind_in "$web" 8080
check_output "all else is as the file has it" EACCES bind_in "$web" 9090

printf '[Policy net-bind]\nAllow=\nAllow=0.0.0.0/0:6060\nDenyErrno=EPERM\n' \
	>"$bindings/10-web.conf.d/port.conf"
check "a drop-in in a later directory replaces it" systemctl reload checmated.service
check_output "what it empties is gone" EPERM bind_in "$web" 8080
check_output "what it says counts" ok bind_in "$web" 6060

# --- what is refused -----------------------------------------------------------

printf '[Policy net-bind]\n\nAlow=0.0.0.0/0:1\n' >"$bindings/10-web.conf.d/wrong.conf"
check_match "a drop-in that is wrong is told, to an ordinary user" \
	"^checmatectl: $bindings/10-web.conf.d/wrong.conf:3: .*alow" as_nobody checmatectl config verify
check_status "by the exit status as well" 1 as_nobody checmatectl config verify
check_match "checmated says the same" "10-web.conf.d/wrong.conf:3: .*alow" \
	checmated --check-config
check_not "a reload fails" systemctl reload checmated.service
check_output "and changes nothing" ok bind_in "$web" 6060
rm "$bindings/10-web.conf.d/wrong.conf"

chmod g+w "$bindings/10-web.conf"
check_match "what a group can change is refused" \
	'10-web.conf: not trusted: others can write to "10-web.conf"; chmod' \
	checmatectl config verify
chmod g-w "$bindings/10-web.conf"
chmod g+w "$bindings"
check_match "so is a directory that a group can change" \
	"$bindings: not trusted: others can write to \"" as_nobody checmatectl config verify
check_not "and checmated does not load it" systemctl reload checmated.service
chmod g-w "$bindings"
mkdir "$etc/10-wbe.conf.d"
check_match "so are drop-ins of no file" "$etc/10-wbe.conf.d: there is no file 10-wbe.conf" \
	checmatectl config verify
rmdir "$etc/10-wbe.conf.d"
binding 30-nginx <<-END
	[Match]
	Unit=nginx
	[Policy net-bind]
END
check_match "and what could match nothing" '30-nginx.conf:2: Unit=nginx: not a unit' \
	checmatectl config verify
rm "$bindings/30-nginx.conf"
binding 30-mandatory <<-END
	[Match]
	Runtime=*
	[Policy net-connect]
	[Policy net-bind]
	DenyErrno=EACCES
END
binding 40-chosen <<-END
	[Match]
	Annotation=org.checmate.role=web
	[Policy net-bind]
	Allow=0.0.0.0/0:8080
END
check_match "and an annotation that would replace what all containers have" \
	"$bindings/40-chosen.conf:3: policy net-bind cannot replace that of $bindings/30-mandatory.conf:4: " \
	checmatectl config verify
check_not "a reload refuses it" systemctl reload checmated.service
mv "$bindings/40-chosen.conf" "$bindings/20-chosen.conf"
check "the mandatory one may be the later" checmatectl config verify
rm "$bindings/30-mandatory.conf" "$bindings/20-chosen.conf"
check "without them all is well" as_nobody checmatectl config verify

rm -rf "${bindings:?}"/*
check_match "a file goes, its drop-in stays" "$etc/10-web.conf.d: there is no file 10-web.conf" \
	checmatectl config verify
rm -r "$etc/10-web.conf.d"
check "without files" systemctl reload checmated.service
check_output "the unit has nothing" '' policies_of "$web"
check_output "nor has the slice" '' policies_of "$slice"

finish
