#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# checmatectl where systemd has the cgroups: units as targets, and run from
# within a service.

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=tests/lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh

ctl=checmatectl

systemd-run --quiet --collect --unit=demo-sleep sleep 1000
check "a unit has a policy" $ctl apply demo-sleep.service net-bind allow=127.0.0.1:80
check_match "in its cgroup" '^/system.slice/demo-sleep.service +net-bind +1 +in force ' $ctl status
check_match "status takes it" '^/system.slice/demo-sleep.service \(id ' $ctl status demo-sleep.service
check_match "so does explain" '^socket_bind +1 +net-bind +in force +EPERM ' $ctl explain demo-sleep.service
check_match "and tree, of its slice" '`-demo-sleep.service +net-bind +in force ' $ctl tree system.slice
expect EPERM /system.slice/demo-sleep.service bind tcp4 127.0.0.1:81
check "its parameters change" $ctl set demo-sleep.service net-bind allow=127.0.0.1:81
expect ok /system.slice/demo-sleep.service bind tcp4 127.0.0.1:81
check "it is removed" $ctl remove demo-sleep.service net-bind
systemctl stop demo-sleep.service
check_match "a unit that does not run has no cgroup" 'unit demo-sleep.service: .*; ' \
	$ctl status demo-sleep.service
check_status "which is a failure" 1 $ctl apply demo-sleep.service net-bind
check_status "and one that there is not, too" 1 $ctl status no-such.service

check_output "run within a service" EPERM systemd-run --quiet --collect --pipe --wait --unit=demo-run \
	$ctl run --policy net-bind -- "$tests/net-probe" bind tcp4 127.0.0.1:81
check_match "is below the service's cgroup" '^0::/system.slice/demo-run.service/run-' \
	systemd-run --quiet --collect --pipe --wait --unit=demo-run \
	$ctl run --policy net-bind -- cat /proc/self/cgroup
check_status "its status is the service's" 7 systemd-run --quiet --collect --pipe --wait --unit=demo-run \
	$ctl run --policy net-bind -- sh -c 'exit 7'
check_output "and nothing is left" "" pinned

# Of two dollars systemd leaves one.
# shellcheck disable=SC2016
systemd-run --quiet --collect --unit=demo-run $ctl run --policy net-bind -- \
	sh -c 'echo $$$$ >/run/demo.pid; exec sleep 1000'
wait_until 60 test -s /run/demo.pid
pid=$(cat /run/demo.pid)
check_match "a service that runs so" '^/system.slice/demo-run.service/run-.* net-bind +in force' $ctl tree "$pid"
check "is stopped" systemctl stop demo-run.service
check_not "with the program" kill -0 "$pid"
check_output "and leaves nothing" "" pinned
check_not "no cgroup either" test -e "$cgroups/system.slice/demo-run.service"

finish
