#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The cgroup of a systemd unit: over the bus, without it, and when there is none.

# shellcheck source=SCRIPTDIR/../lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh

ctl=checmatectl
unit=checmate-unit-test.service
trap 'systemctl stop $unit 2>/dev/null; systemctl start dbus.socket dbus.service' EXIT

check_match "a unit that there is not" 'systemd has no such unit loaded' $ctl status $unit
systemd-run --quiet --unit=$unit sleep 1000
check_match "a service" "^/system.slice/$unit \\(id " $ctl status $unit
check_match "a slice" '^/system.slice \(id ' $ctl status system.slice
check "a policy applies to a unit" $ctl apply $unit net-bind
check_match "and is in force in its cgroup" " net-bind .* /system.slice/$unit\$" \
	$ctl status "/system.slice/$unit"
check "and is removed" $ctl remove $unit

systemctl stop dbus.socket dbus.service
check_match "without the bus root asks systemd itself" "^/system.slice/$unit \\(id " \
	$ctl status $unit
check_match "and others are told what is missing" \
	'there is no system bus: .*; give the cgroup by its path, or start dbus' \
	setpriv --reuid=65534 --regid=65534 --clear-groups $ctl status $unit
systemctl start dbus.socket dbus.service

systemctl stop $unit
check_match "a unit that has stopped" 'no such unit loaded|nothing of it runs' $ctl status $unit
finish
