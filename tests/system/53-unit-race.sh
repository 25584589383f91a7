#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Twenty starts of a service whose very first act is forbidden, while systemd reloads
# its units over and over, and beside a service that tries the act all the time.
#
# Takes: 90

# shellcheck source=SCRIPTDIR/../lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=SCRIPTDIR/units.sh
. /usr/libexec/checmate/tests/system/units.sh

starts=${CHECMATE_RACE:-20}

service race.service <<-END
	ExecStart=$bad
	Restart=always
	RestartSec=0
END
sed -i '1i [Unit]\nStartLimitIntervalSec=0' "$units/race.service"
service steady.service <<-END
	ExecStart=/bin/sh -c 'while :; do $bad; sleep 0.2; done'
END
reload
systemctl start steady.service race.service

reloads=0
until lines race.service "$starts"; do
	systemctl daemon-reload
	reloads=$((reloads + 1))
	[ "$(systemctl show --property=SubState --value race.service)" != failed ] || break
done
systemctl stop race.service
systemctl stop steady.service
echo "# $(wc -l <"$out/race.service") starts, $reloads reloads, $(wc -l <"$out/steady.service") further attempts"

check "it has started so often" lines race.service "$starts"
check_output "all of its first acts were denied" EACCES sort -u "$out/race.service"
check "the other one has tried as well" lines steady.service "$((starts / 5))"
check_output "and was always denied" EACCES sort -u "$out/steady.service"
check "units were reloaded meanwhile" [ "$reloads" -ge "$((starts / 20))" ]
check_output "no start has failed for want of its policy" "" \
	sh -c 'journalctl -q -o cat -u race.service --grep=checmate-unit || :'
check "systemd has met no ordering cycle" no_cycle
finish
