# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2034
#
# For test cases with units that have a section [X-Checmate]. Included after tap.sh.

tests=/usr/libexec/checmate/tests
helper=/usr/libexec/checmate/checmate-unit
cgroups=/sys/fs/cgroup
pins=/sys/fs/bpf/checmate
units=/run/systemd/system
early=/run/systemd/generator.early
out=/run/units

# What the policies of these cases forbid, and what they allow.
bad="$tests/probe bind 0.0.0.0 9090"
good="$tests/probe bind 0.0.0.0 8080"

# Units and drop-ins that were made; a file, as pipes make them in shells of their own.
made=/run/units-made
: >"$made"
mkdir -p "$out" "$units"
ip link set lo up

# What a case leaves behind is not the next one's.
case_end() {
	grep -v '\.d$' "$made" | xargs -r systemctl stop -- 2>/dev/null
	while read -r made_name; do
		rm -rf "${units:?}/$made_name" "$units/$made_name.d"
	done <"$made"
	rm -rf "$out" "$made"
	systemctl daemon-reload
	systemctl reset-failed 2>/dev/null
}
trap case_end EXIT

# policy: the section that most units of these cases have.
policy() {
	cat <<-'END'
		[X-Checmate]
		Policy=net-bind
		[X-Checmate net-bind]
		Allow=0.0.0.0/0:8080
		DenyErrno=EACCES
	END
}

# unit NAME: makes the unit of what it reads.
unit() {
	cat >"$units/$1"
	echo "$1" >>"$made"
}

# drop_in NAME FILE: makes a drop-in of what it reads.
drop_in() {
	mkdir -p "$units/$1.d"
	cat >"$units/$1.d/$2"
	echo "$1.d" >>"$made"
}

# service NAME: a service with that section, of further lines that it reads. What its
# commands print goes to $out/NAME.
service() {
	{
		echo "[Service]"
		echo "StandardOutput=append:$out/$1"
		echo "StandardError=journal"
		cat
		policy
	} | unit "$1"
}

reload() {
	systemctl daemon-reload
}

# said NAME: what the commands of the service have printed.
said() {
	[ ! -e "$out/$1" ] || xargs <"$out/$1"
}

# acts NAME: starts the service, waits until it has ended, and prints what they printed.
acts() {
	rm -f "$out/$1"
	systemctl start "$1" 2>/dev/null || :
	wait_until 60 ended "$1"
	said "$1"
}

ended() {
	case "$(systemctl show --property=ActiveState --value "$1")" in
	inactive | failed) return 0 ;;
	*) return 1 ;;
	esac
}

# says NAME TEXT: whether its commands have printed that.
says() {
	[ "$(said "$1")" = "$2" ]
}

# lines NAME N: whether its commands have printed as many lines.
lines() {
	[ -e "$out/$1" ] && [ "$(wc -l <"$out/$1")" -ge "$2" ]
}

# path NAME: the path of the unit's cgroup.
path() {
	systemctl show --property=ControlGroup --value "$1"
}

# attached NAME: the ids of what is attached to it; another binding has others, of the same
# programs.
attached() {
	sed -n 's/^\([0-9]*\) hook=.*/\1/p' "$cgroups$(path "$1")/checmate.policy" | xargs
}

# systemd_is_at_least VERSION
systemd_is_at_least() {
	[ "$(systemctl --version | sed -n '1s/systemd \([0-9]*\).*/\1/p')" -ge "$1" ]
}

# no_cycle: systemd has never met an ordering cycle since it was booted.
no_cycle() {
	! journalctl -q -o cat _PID=1 --grep='ordering cycle' || return 1
}
