#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Services with a section [X-Checmate]: their first act is judged, whatever their type,
# and what systemd has to do for them before is not. What cannot have its policies does
# not start.
#
# Guest: system system-trixie
# Takes: 60
#
# Functions are called by name, which shellcheck cannot see.
# shellcheck disable=SC2317

# shellcheck source=SCRIPTDIR/../lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=SCRIPTDIR/units.sh
. /usr/libexec/checmate/tests/system/units.sh

# --- the first act -----------------------------------------------------------

service oneshot.service <<-END
	Type=oneshot
	ExecStart=-$bad
	ExecStart=-$bad
	ExecStart=-$good
END
service simple.service <<-END
	ExecStart=-$bad
END
service forking.service <<-END
	Type=forking
	PIDFile=$out/forking.pid
	ExecStart=/bin/sh -c '$bad; sleep 1000 & echo \$! >$out/forking.pid'
END
service notify.service <<-END
	Type=notify
	NotifyAccess=all
	ExecStart=/bin/sh -c '$bad; systemd-notify --ready; exec sleep 1000'
END
service moments.service <<-END
	Type=exec
	ExecCondition=/bin/sh -c 'echo condition; $bad'
	ExecStartPre=/bin/sh -c 'echo pre; $bad'
	ExecStart=/bin/sleep 1000
	ExecStartPost=/bin/sh -c 'echo post; $bad || :'
	ExecReload=/bin/sh -c 'echo reload; $bad || :'
	ExecStop=/bin/sh -c 'echo stop; $bad || :; kill \$MAINPID'
	ExecStopPost=/bin/sh -c 'echo stop-post; $bad || :'
END
service exited.service <<-END
	Type=oneshot
	RemainAfterExit=yes
	ExecStart=-$bad
	ExecStop=-$bad
END
service held.service <<-END
	Type=oneshot
	RemainAfterExit=yes
	Slice=held.slice
	ExecStart=-$bad
	ExecStop=-$bad
END
policy | unit held.slice
reload

check_output "the first command is judged, and so are the others" "EACCES EACCES ok" \
	acts oneshot.service
check_output "a simple service's first act is judged" EACCES acts simple.service
check "one of type forking starts" systemctl start forking.service
check_output "and is judged" EACCES said forking.service
check "one of type notify starts" systemctl start notify.service
check_output "and is judged" EACCES said notify.service

check "a service with commands for all moments starts" systemctl start moments.service
check_output "those before the start are not judged, those after are" \
	"condition ok pre ok post EACCES" said moments.service
: >"$out/moments.service"
systemctl reload moments.service
systemctl stop moments.service
check_output "nor is what reloads it or stops it exempt" \
	"reload EACCES stop EACCES stop-post EACCES" said moments.service
# As systemd removes the cgroup of a service that is active without a process.
systemctl start exited.service held.service
systemctl stop exited.service held.service
check_output "what stops a service without a process is" "EACCES ok" said exited.service
check_output "unless its slice has the policy" "EACCES EACCES" said held.service

# --- what systemd does for a service -----------------------------------------

root=$out/root
mkdir -p "$root/bin" "$root/proc" "$root/sys" "$root/dev" "$root/tmp" "$root/run"
cp "$tests/probe" "$root/bin/probe"
# Nothing of this can be done under these policies.
strict='[X-Checmate]
Policy=kernel-surface cap-limit'
service private.service <<-END
	Type=oneshot
	DynamicUser=yes
	StateDirectory=units-private
	PrivateMounts=yes
	PrivateTmp=yes
	PrivateDevices=yes
	ProtectSystem=strict
	ProtectKernelModules=yes
	ProtectControlGroups=yes
	RestrictNamespaces=yes
	SystemCallFilter=@system-service
	Environment=LD_LIBRARY_PATH=/run/units CHECMATE_BACKEND=none CHECMATE_POLICY_PATH=/run/units
	Environment=DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nonexistent
	ExecStart=-$bad
	$strict
END
service root.service <<-END
	Type=oneshot
	RootDirectory=$root
	MountAPIVFS=yes
	ExecStart=-/bin/probe bind 0.0.0.0 9090
	ExecStart=-/bin/probe bind 0.0.0.0 8080
END
ln -s bin/probe "$root/link"
service listed.service <<-END
	Type=oneshot
	RootDirectory=$root
	ExecStart=-/bin/probe bind 0.0.0.0 8080
	[X-Checmate secrets]
	Files=/link /none /bin
END
service mounts.service <<-END
	Type=oneshot
	PrivateMounts=yes
	ProtectHome=tmpfs
	ExecStart=-$tests/proc-probe mount /mnt
	$strict
END
service delegate.service <<-END
	Type=exec
	Delegate=yes
	ExecStart=/bin/sh -c 'cat /proc/self/cgroup; $bad || :; exec sleep 1000'
	ExecStartPost=/bin/sh -c 'cat /proc/self/cgroup; $bad || :'
END
# What a unit's file of variables names would be loaded into what root executes.
echo nonsense >"$out/libchecmate.so.1"
echo nonsense >"$out/libsystemd.so.0"
reload
check_output "systemd sets a confined service up, and its first act is judged" EACCES \
	acts private.service
check_output "one with a root of its own" "EACCES ok" acts root.service
acts listed.service >/dev/null
for path in '/link is a symbolic link to bin/probe; list /bin/probe' '/none does not exist;'; do
	check "the journal tells of a listed path there" wait_until 20 sh -c "journalctl -q -o cat \
		-u listed.service -u 'checmate-unit@*' | grep -q '^checmate-unit: listed.service: \
secrets: files: $path'"
done
check_output "one whose policy forbids to mount, by the kernel" EPERM acts mounts.service
check "one to which its cgroup is delegated starts" systemctl start delegate.service
check "and is judged" wait_until 60 lines delegate.service 4
check_output "in its cgroup and below" "$(printf '%s\n' 0::/system.slice/delegate.service \
	0::/system.slice/delegate.service/.control EACCES EACCES)" sort "$out/delegate.service"
systemctl stop delegate.service

# --- again and again ---------------------------------------------------------

service lasting.service <<-END
	ExecStart=/bin/sh -c '$bad; exec sleep 1000'
END
service always.service <<-END
	Restart=always
	RestartSec=0
	ExecStart=/bin/sh -c '$bad; [ \$\$(wc -l <$out/always.service) -lt 4 ] || exec sleep 1000'
END
service leftover.service <<-END
	Type=forking
	KillMode=process
	GuessMainPID=no
	ExecStart=/bin/sh -c '$bad; sleep 1000 & $tests/proc-probe bpf'
	$strict
END
reload
systemctl start lasting.service
check "what it does is judged" wait_until 60 says lasting.service EACCES
check_match "where it comes from is recorded" "^unit done " \
	cat "/run/checmate/origins/$(stat -c %i "$cgroups$(path lasting.service)")/net-bind"
check_match "checmatectl shows it" '^/system.slice/lasting.service +net-bind .*in force .*allow=0.0.0.0/0:8080 deny-errno=EACCES' \
	checmatectl status
ids=$(attached lasting.service)
former=$(stat -c %i "$cgroups$(path lasting.service)")
systemctl restart lasting.service
check "after a restart it is judged again" wait_until 60 says lasting.service "EACCES EACCES"
check_not "by another binding" [ "$ids" = "$(attached lasting.service)" ]
check_not "what was pinned for the former is gone" test -e "$pins/$former"
check_not "and its record" test -e "/run/checmate/origins/$former"
systemctl stop lasting.service
systemctl start always.service
check "one that systemd restarts by itself is judged each time" \
	wait_until 120 says always.service "EACCES EACCES EACCES EACCES"
systemctl stop always.service
check "a service that leaves processes behind starts" systemctl start leftover.service
left=$(attached leftover.service)
systemctl stop leftover.service
check "and again, although these may not do what the helper has to" systemctl start leftover.service
check_output "what it does is judged as before" "EACCES EPERM EACCES EPERM" said leftover.service
check_output "what was right is left alone" "$left" attached leftover.service
systemctl stop leftover.service
systemctl kill --kill-whom=all --signal=KILL leftover.service

# --- sealed ------------------------------------------------------------------

# What keeps its policy although the service itself, as root, tries to be rid of it.
service sealed.service <<-END
	ExecStart=/bin/sh -c 'checmatectl --direct remove /system.slice/sealed.service || echo kept; \
		echo \$\$\$\$ >$cgroups/cgroup.procs || echo stays; $bad; exec sleep 1000'
END
service kept.service <<-END
	Type=forking
	KillMode=process
	GuessMainPID=no
	ExecStart=/bin/sh -c '$bad; sleep 1000 &'
END
for name in sealed kept; do
	printf '%s\n' '[X-Checmate]' 'Seal=yes' | drop_in $name.service 50.conf
done
reload
check "a sealed service starts" systemctl start sealed.service
check "from its first act it cannot take its policy away, nor leave" \
	wait_until 60 says sealed.service "kept stays EACCES"
check_match "status says why" '^/system.slice/sealed.service .*, sealed$' checmatectl status sealed.service
check "it starts again" systemctl restart sealed.service
check "and is sealed again" \
	wait_until 60 says sealed.service "kept stays EACCES kept stays EACCES"
check "it stops" systemctl stop sealed.service
check_not "and nothing is left" test -e "$cgroups/system.slice/sealed.service"
check "one that leaves processes behind is sealed" systemctl start kept.service
systemctl stop kept.service
check "it starts again in its cgroup" systemctl start kept.service
check_output "and is judged as before" "EACCES EACCES" said kept.service
systemctl stop kept.service
printf '%s\n' '[X-Checmate net-bind]' 'Allow=0.0.0.0/0:9090' | drop_in kept.service 60.conf
reload
check_not "but not with another policy than what the cgroup keeps" systemctl start kept.service
check_match "which is said" 'is sealed and does not have the policies' journalctl -q -o cat -u kept.service
systemctl kill --kill-whom=all --signal=KILL kept.service
check "nor does it stay so when its processes are gone" wait_until 60 systemctl start kept.service
check_output "it has the new one" "EACCES EACCES ok" said kept.service
systemctl kill --kill-whom=all --signal=KILL kept.service

# --- sockets that start services ---------------------------------------------

for name in once each; do
	accept=no
	[ $name = once ] || accept=yes
	printf '%s\n' '[Socket]' "ListenStream=$out/$name.sock" "Accept=$accept" | unit $name.socket
done
service once.service <<-END
	ExecStart=/bin/sh -c '$bad; exec sleep 1000'
END
{
	printf '%s\n' '[Service]' "StandardOutput=append:$out/each.service" "ExecStart=-$bad"
	policy
} | unit each@.service
reload
systemctl start once.socket each.socket
for name in once each; do
	echo | socat -u - "UNIX-CONNECT:$out/$name.sock"
	check "a service that a socket starts is judged ($name)" wait_until 60 says $name.service EACCES
done
systemctl stop once.socket each.socket once.service

# --- without daemon, without bus ---------------------------------------------

systemctl mask --runtime --now checmated.service 2>/dev/null
systemctl stop dbus.socket dbus.service
check_output "neither checmated nor the bus is needed" "EACCES EACCES ok" acts oneshot.service
systemctl start dbus.socket dbus.service
systemctl unmask --runtime checmated.service 2>/dev/null

check "systemd has met no ordering cycle" no_cycle
finish
