#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The packages in /root/packages, in a guest that has nothing else of the project:
# installed, used and purged. ./check package runs this.
#
# Functions are called by name, which shellcheck cannot see.
# shellcheck disable=SC2317

# shellcheck source=SCRIPTDIR/../lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh

packages='libchecmate1 libchecmate-dev checmate checmated'
cgroup=/sys/fs/cgroup/package

# Every file but those that keep the system's own account of what has happened.
files() {
	find / -xdev \( -path /var/lib/dpkg -o -path /var/log -o -path /tmp \
		-o -path /var/cache -o -path /var/lib/systemd/deb-systemd-helper-enabled \
		-o -path /etc/ld.so.cache \) -prune -o -print | sort
	find /run/checmate /sys/fs/bpf 2>/dev/null
}

# connect PORT: what a process of the cgroup hears when it connects there.
connect() {
	bash -c 'echo $$ >"$0/cgroup.procs" && echo >"/dev/tcp/127.0.0.1/$1"' "$cgroup" "$1"
}

install_packages() {
	for name in $packages; do
		set -- "$@" /root/packages/"$name"_*.deb
	done
	dpkg -i "$@"
}

active() {
	[ "$(systemctl is-active checmated.service)" = active ]
}

denied() {
	connect 10 2>&1 | grep -q 'Permission denied'
}

# Ids of the programs attached there, as the kernel tells them.
in_force() {
	sed -n 's/^\([0-9]*\) hook=.*/\1/p' "$cgroup/checmate.policy"
}

listed() {
	checmatectl status | grep -Eq '^/package +net-connect '
}

another_daemon() {
	active && [ "$(systemctl show -P MainPID checmated.service)" != "$1" ]
}

# Connects there where the policy does not let it, until the file is removed.
probe() {
	: >/tmp/probed
	: >/tmp/probing
	# shellcheck disable=SC2016
	bash -c 'echo $$ >"$0/cgroup.procs"
		while [ -e /tmp/probing ]; do
			{ echo >/dev/tcp/127.0.0.1/10; } 2>&1 | tail -n 1
		done >/tmp/probed' "$cgroup"
}

probed() {
	[ "$(wc -l </tmp/probed)" -gt 2 ]
}

ip link set lo up
mkdir "$cgroup"
check_not "there is no checmatectl yet" which checmatectl
files >/tmp/before

# A unit that asks for a policy before there is anybody who could give it.
mkdir -p /run/systemd/system
cat >/run/systemd/system/asks.service <<-'END'
	[Service]
	Type=oneshot
	ExecStart=-bash -c 'echo >/dev/tcp/127.0.0.1/10'
	StandardError=file:/tmp/asked

	[X-Checmate]
	Policy=net-connect
END
systemctl daemon-reload

check "the packages install" install_packages
check_output "all of them" 4 sh -c "dpkg-query -W -f '\${db:Status-Abbrev}\\n' $packages | grep -c ^ii"
check "checmatectl is there" checmatectl --version
check_output "of the same version" "$(dpkg-query -W -f '${Version}' checmate)" \
	sh -c "checmatectl --version | grep -Eo '[0-9]+\\.[0-9]+\\.[0-9]+' | head -n 1"
check_match "it finds the policies" '^net-connect ' checmatectl policy list
check "this machine can enforce them" checmatectl features
check "the daemon runs" wait_until 30 active
check "its files are in order" checmated --check-config
check_output "it runs after the next boot" enabled systemctl is-enabled checmated.service
check_match "figures are given to nobody" '^disabled$' systemctl is-enabled checmated-metrics.socket
check_match "the journal's catalogue has its messages" 'checmate' journalctl --list-catalog
check_match "polkit knows its actions" '^org.checmate1.manage$' pkaction
check "a unit that asks for a policy starts" systemctl start asks.service
check_match "and is held by it" 'not permitted' cat /tmp/asked

check_match "nothing listens at the ports" 'refused' connect 10
check "a policy applies" checmatectl apply /package net-connect allow=127.0.0.1:9 deny-errno=EACCES
check_match "what it allows goes on" 'refused' connect 9
check_match "the rest is denied" 'Permission denied' connect 10
check_match "it is listed" '^/package +net-connect ' checmatectl status
check "it is removed" checmatectl remove /package
check_match "and denies no more" 'refused' connect 10

rm /run/systemd/system/asks.service

# --- an upgrade, while a policy that a file gives is in force ------------------

mkdir -p /etc/checmate/bindings.d
cat >/etc/checmate/bindings.d/mine.conf <<-'END'
	[Match]
	Cgroup=/package

	[Policy net-connect]
	Allow=127.0.0.1:9
	DenyErrno=EACCES
END
check "a binding file is taken" systemctl reload checmated.service
check "and put in force" wait_until 20 denied
programs=$(in_force)
check "by programs of its own" test -n "$programs"
pid=$(systemctl show -P MainPID checmated.service)
probe &
prober=$!
wait_until 20 probed
check "the packages can be installed again" install_packages
check "the daemon is another one" wait_until 30 another_daemon "$pid"
check "which knows the binding" wait_until 20 listed
check_output "the programs are the same" "$programs" in_force
rm /tmp/probing
wait "$prober"
check_output "they denied all the time" "" sed -n '/Permission denied/!p' /tmp/probed
echo "## note $(wc -l </tmp/probed) calls were denied meanwhile"

# --- removed, while it is ------------------------------------------------------

# shellcheck disable=SC2086
check "the packages can be removed" dpkg -r $packages
check "the administrator's files stay" test -e /etc/checmate/bindings.d/mine.conf
check_not "the daemon does not" active
check_output "what was in force still is" "$programs" in_force
check "and denies" denied
# shellcheck disable=SC2086
check "they can be purged" dpkg -P $packages
check_output "dpkg knows none of them" "" sh -c "dpkg-query -W $packages 2>/dev/null | grep -v '[[:blank:]]\$' || :"
check_output "what was in force still is, even then" "$programs" in_force
check "and denies as well" denied
rmdir "$cgroup"

# --- and removed, when nothing is in force -------------------------------------

check "they can be installed after that" install_packages
check "what is in force nowhere is removed" checmatectl gc
# shellcheck disable=SC2086
check "they can be purged again" dpkg -P $packages
files >/tmp/after
check_output "nothing is left of them" "" diff /tmp/before /tmp/after
finish
