#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The examples of docs/systemd.md do what it says.
#
# Takes: 30
#
# Functions are called by name, which shellcheck cannot see.
# shellcheck disable=SC2317

# shellcheck source=SCRIPTDIR/../lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=SCRIPTDIR/units.sh
. /usr/libexec/checmate/tests/system/units.sh

guide=/usr/share/doc/checmate/systemd.md
etc=/etc/systemd/system

# example NAME: makes the file of that name as the guide has it.
example() {
	mkdir -p "$(dirname "$etc/$1")"
	awk -v head="# $etc/$1" '
		!indent && substr($0, length($0) - length(head) + 1) == head && /^ +#/ {
			indent = length($0) - length(head)
			blank = sprintf("%*s", indent, "")
		}
		!indent { next }
		$0 == "" { print; next }
		substr($0, 1, indent) != blank { exit }
		{ print substr($0, indent + 1) }' "$guide" >"$etc/$1"
	[ -s "$etc/$1" ] || return 1
	examples="${examples-} ${1%%/*}"
}

guide_end() {
	for name in ${examples-}; do
		rm -rf "${etc:?}/$name"
	done
	case_end
}
trap guide_end EXIT

# listens PORT: whether something takes connections there.
listens() {
	[ "$("$tests/net-probe" connect tcp4 "127.0.0.1:$1")" = ok ]
}

for name in web customer-one; do
	printf '%s\n' '[Service]' Type=oneshot "StandardOutput=append:$out/$name.service" \
		"ExecStart=-$bad" "ExecStart=-$good" "ExecStart=-$tests/proc-probe bpf" |
		unit $name.service
done

check "a service's drop-in" example web.service.d/policy.conf
reload
check_output "is in force from its first act on" "EACCES ok EPERM" acts web.service
check "one that seals it" example web.service.d/seal.conf
printf '%s\n' '[Service]' "ExecStart=-/bin/cat $cgroups/system.slice/web.service/checmate.seal" |
	drop_in web.service 90.conf
reload
check_output "has it sealed" "EACCES ok EPERM 1" acts web.service
rm "$units/web.service.d/90.conf"
check "one that makes it permissive" example web.service.d/trial.conf
reload
free=$(systemd-run --quiet --pipe --wait --collect "$tests/proc-probe" bpf)
check_output "denies nothing" "ok ok $free" acts web.service
check "a template" example port@.service
reload
check "starts" systemctl start port@8070.service
check "and an instance binds its own port" wait_until 30 listens 8070
check_match "which is all that it may" '^/system.slice/system-port.slice/port@8070.service +net-bind .*allow=127.0.0.1:8070 ' \
	checmatectl status
systemctl stop port@8070.service
check "a drop-in for a prefix" example customer-.service.d/policy.conf
check "and for transient services" example run-.service.d/policy.conf
reload
check_output "holds for those of the prefix" "ok ok EPERM" acts customer-one.service
check_output "and for transient ones" EPERM systemd-run --quiet --pipe --wait --collect \
	"$tests/proc-probe" bpf
check "a slice" example customers.slice
reload
check_output "lets out what is in it to this machine" ECONNREFUSED systemd-run --quiet --pipe \
	--wait --collect --slice=customers.slice "$tests/net-probe" connect tcp4 127.0.0.1:1
check_output "and nowhere else" EPERM systemd-run --quiet --pipe --wait --collect \
	--slice=customers.slice "$tests/net-probe" connect tcp4 192.0.2.1:1
check "a section that is wrong" example wrong.service
reload
check_not "does not let the unit start" systemctl start wrong.service
check_match "and says why" "$etc/wrong.service:6: unknown key Polices=" \
	systemctl status wrong.service
check "a section for all services" example service.d/checmate.conf
reload
check_match "has all of them ask" "$helper" \
	systemctl show --property=ExecStartPre --value systemd-journald.service
finish
