#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Where a section [X-Checmate] may stand, for which units it holds, and that a unit whose
# section is wrong does not start.
#
# Takes: 90
#
# Functions are called by name, which shellcheck cannot see.
# shellcheck disable=SC2317

# shellcheck source=SCRIPTDIR/../lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=SCRIPTDIR/units.sh
. /usr/libexec/checmate/tests/system/units.sh

service oneshot.service <<-END
	Type=oneshot
	ExecStart=-$bad
	ExecStart=-$bad
	ExecStart=-$good
END

# --- names -------------------------------------------------------------------

{
	printf '%s\n' '[Service]' 'Type=oneshot' "StandardOutput=append:$out/%n" \
		"ExecStart=-$bad" "ExecStart=-$good" '[X-Checmate net-bind]' \
		'Allow=0.0.0.0/0:%i' 'DenyErrno=EACCES'
} | unit tmpl@.service
drop_in tmpl@8080.service 50.conf <<-END
	[X-Checmate net-bind]
	Allow=0.0.0.0/0:9090
END
for name in pre-one pre-two; do
	printf '%s\n' '[Service]' 'Type=oneshot' "StandardOutput=append:$out/%n" \
		"ExecStart=-$bad" | unit $name.service
done
policy | drop_in pre-.service 50.conf
printf '%s\n' '[X-Checmate]' 'Mode=permissive' | drop_in pre-two.service 10.conf
ln -s oneshot.service "$units/alias.service"
echo alias.service >>"$made"
mkdir -p /usr/local/lib/systemd/system
{
	printf '%s\n' '[Service]' 'Type=oneshot' "StandardOutput=append:$out/%n" "ExecStart=-$bad"
	policy
} >/usr/local/lib/systemd/system/vendor.service
cp /usr/local/lib/systemd/system/vendor.service "$units/masked.service"
printf '%s\n' '[X-Checmate]' 'Policy=' '[X-Checmate net-bind]' 'DenyErrno=ENETDOWN' |
	drop_in vendor.service 50.conf
# One that takes back every command before it, by a name that sorts behind ours.
service emptied.service <<-END
	Type=oneshot
	ExecStartPre=-$bad
	ExecStart=-$bad
END
printf '%s\n' '[Service]' 'ExecStartPre=' | drop_in emptied.service zzz.conf
mkdir -p /etc/systemd/system/emptied.service.d
ln -s /dev/null /etc/systemd/system/emptied.service.d/zz-checmate.conf
reload
check_output "an instance's section knows its name" "EACCES EACCES" acts tmpl@8081.service
check_output "and has a drop-in of its own" "ok ok" acts tmpl@8080.service
check_output "a drop-in for a prefix counts" EACCES acts pre-one.service
check_output "and one that sorts before it is overridden by none" ok acts pre-two.service
check_output "by its other name a unit is the same" "EACCES EACCES ok" \
	sh -c "rm -f $out/oneshot.service; systemctl start alias.service; xargs <$out/oneshot.service"
check_output "the vendor's list can be started anew" ENETDOWN acts vendor.service
check_output "a drop-in that takes back all commands does not take ours" EACCES \
	acts emptied.service
check_match "which is in one that sorts behind it" "^DropInPaths=.* $early/emptied.service.d/~checmate.conf\$" \
	systemctl show --property=DropInPaths emptied.service
rm -r /etc/systemd/system/emptied.service.d "$units/emptied.service.d" \
	/usr/local/lib/systemd/system/vendor.service
ln -sf /dev/null "$units/masked.service"
reload
check_match "a masked unit stays masked" 'is masked' systemctl start masked.service

# --- transient units ---------------------------------------------------------

policy | drop_in named.service 50.conf
policy | drop_in run-.service 50.conf
reload
run='systemd-run --quiet --pipe --wait --collect'
check_output "a transient unit has its drop-ins" EACCES sh -c "$run --unit=named $bad || :"
check_output "also by the prefix of names that systemd-run gives" EACCES sh -c "$run $bad || :"
rm -r "$units/run-.service.d"
reload
check_output "without them it is free" ok sh -c "$run $bad || :"
except=
! systemd_is_at_least 255 || except="--except /usr/lib/systemd/systemd-executor"
check_match "a command can be given by hand" "^EACCES\$" sh -c \
	"$run --unit=hand -p 'ExecStartPre=+/usr/bin/checmatectl apply --when-exec $except hand.service net-bind deny-errno=EACCES' $bad || :"

# --- what does not start -----------------------------------------------------

# broken NAME LINE REASON: what the file $units/NAME is refused for.
broken() {
	check_not "broken: $3" systemctl start "$1"
	check_match "and its journal says where" "$units/$1:$2: .*$3" \
		journalctl -q -o cat -u "$1"
	check_output "nothing of it ran" "" said "$1"
}

# What the service's own command may end with is none of the helper's business.
service broken-policy.service <<-END
	ExecStart=-$good
	SuccessExitStatus=1 2 SIGTERM SIGKILL
	[X-Checmate]
	Policy=net-bind no-such
END
service broken-key.service <<-END
	ExecStart=-$good
	[X-Checmate]
	Polices=net-bind
END
printf '%s\n' '[Service]' "StandardOutput=append:$out/broken-value.service" StandardError=journal \
	"ExecStart=-$good" '[X-Checmate net-bind]' 'Allow=somewhere' | unit broken-value.service
service broken-param.service <<-END
	ExecStart=-$good
	StandardError=null
	[X-Checmate net-bind]
	Alow=0.0.0.0/0:80
END
printf '%s\n' '[Service]' "StandardOutput=append:$out/broken-name.service" StandardError=journal \
	"ExecStart=-$good" \
	'[X-Checkmate]' 'Policy=net-bind' | unit broken-name.service
reload
broken broken-policy.service 7 "no-such"
check_match "systemctl status shows it" "$units/broken-policy.service:7: " \
	systemctl status broken-policy.service
broken broken-key.service 6 "unknown key Polices="
broken broken-value.service 6 "somewhere"
broken broken-param.service 7 "alow"
broken broken-name.service 5 "the section is written \\[X-Checmate\\]"
mv /usr/lib/checmate/policies/net-bind.bpf.o "$out/"
check_not "without its policy a service does not start" systemctl start oneshot.service
mv "$out/net-bind.bpf.o" /usr/lib/checmate/policies/
mv $helper-apply "$out/"
check_not "nor without the helper" systemctl start oneshot.service
mv "$out/checmate-unit-apply" $helper-apply
check_output "with both it does" "EACCES EACCES ok" acts oneshot.service
printf '%s\n' '[Timer]' 'OnActiveSec=1h' '[X-Checmate]' 'Policy=net-bind' | unit odd.timer
reload
check_not "a unit that runs nothing does not start either" systemctl start odd.timer
check_match "and says why" 'odd.timer: nothing runs in such a unit' journalctl -q -o cat -u odd.timer

# --- changes -----------------------------------------------------------------

service changing.service <<-END
	Type=oneshot
	ExecStart=-$bad
END
reload
sed -i '/^\[X-Checmate/,$d' "$units/changing.service"
check_output "the section is read when the unit starts" ok acts changing.service
reload
check_output "a unit without it is asked for nothing" "" \
	systemctl show --property=ExecStartPre --value changing.service
check_output "and is free" ok acts changing.service
printf '%s\n' '[X-Checmate]' | drop_in service 50.conf
reload
service new.service <<-END
	Type=oneshot
	ExecStart=-$bad
END
check_output "where all services are asked for, one has no need of a daemon-reload" EACCES \
	acts new.service
check_output "and one without a section is free" ok acts changing.service
rm -r "$units/service.d"
reload

check "systemd has met no ordering cycle" no_cycle
finish
