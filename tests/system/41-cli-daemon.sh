#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# checmatectl through checmated: what who may, by polkit, and that nothing that is
# shown depends on the way.
#
# Takes: 120
#
# Functions are called by name, which shellcheck cannot see.
# shellcheck disable=SC2317

# shellcheck source=SCRIPTDIR/../lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=SCRIPTDIR/../lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh

ctl=checmatectl
schemas=/usr/share/doc/checmate/schema
work=$(mktemp -d)
chmod 755 "$work"
cg=/checmate-cli
rules=/etc/polkit-1/rules.d/48-checmate-cli.rules
logind=/etc/systemd/system/systemd-logind.service
pam=/etc/pam.d/checmate-cli

# carol has nothing; alice a session in front of the machine; bob is in the group that
# a rule lets manage, and looks as one of it, too.
alice=4001
bob=4002
carol=4003
admins=4010

end() {
	systemctl unmask --runtime checmated.service
	systemctl stop checmate-cli-session.service checmated.service
	loginctl kill-user "$alice" --signal=KILL
	systemctl stop systemd-logind.service
	ln -sf /dev/null "$logind"
	rm -rf "$rules" "$pam" "$work"
	systemctl daemon-reload
	sed -i '/:checmate-cli:/d' /etc/passwd
	sed -i '/^checmate-cli-admins:/d' /etc/group
	rmdir "$cgroups$cg"/*/* "$cgroups$cg"/* "$cgroups$cg"
	$ctl gc
} >/dev/null 2>&1
trap end EXIT

for user in alice bob carol; do
	eval "id=\$$user"
	# shellcheck disable=SC2154
	echo "$user:*:$id:$id:checmate-cli:/:/bin/sh" >>/etc/passwd
done
echo "checmate-cli-admins:x:$admins:bob" >>/etc/group
mkdir -p "${rules%/*}"
cat >"$rules" <<'END'
polkit.addRule(function(action, subject) {
	if (action.id.indexOf("org.checmate1.") == 0 && subject.isInGroup("checmate-cli-admins"))
		return polkit.Result.YES;
});
polkit.addAdminRule(function(action, subject) {
	return ["unix-user:root"];
});
END
chmod 644 "$rules"

mkdir -p "$cgroups$cg/a/b" "$cgroups$cg/c"

# as USER COMMAND…: without a session.
as() {
	as_user=$1
	shift
	setpriv --reuid="$as_user" --regid="$as_user" --init-groups "$@" </dev/null
}

# follow USER FILE ARGUMENT…: events in the background. $! is checmatectl itself.
follow() {
	follow_user=$1
	follow_file=$2
	shift 2
	exec setpriv --reuid="$follow_user" --regid="$follow_user" --init-groups \
		$ctl events --follow "$@" >"$work/$follow_file" 2>&1
}

# as COMMAND…, in alice's session.
# shellcheck disable=SC2016
as_alice() {
	sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$session" \
		setpriv --reuid=$alice --regid=$alice --init-groups "$@" </dev/null
}

# both NAME ARGUMENT…: root is shown the same by the library and by checmated.
both() {
	both_name=$1
	shift
	$ctl --direct "$@" >"$work/direct" 2>&1
	echo "status $?" >>"$work/direct"
	$ctl --daemon "$@" >"$work/daemon" 2>&1
	echo "status $?" >>"$work/daemon"
	check "$both_name" cmp "$work/direct" "$work/daemon"
}

# like SCHEMA COMMAND…: what is printed is as the schema says.
like() {
	like_schema=$1
	shift
	"$@" >"$work/json"
	check "$* is like $like_schema" \
		sh -c "$tests/json-check '$schemas/$like_schema.json' <'$work/json'"
}

is_waiting() {
	busctl --system --json=short get-property org.checmate1 /org/checmate1 \
		org.checmate1.Manager Version
}

check "checmated starts" systemctl restart checmated.service
wait_until 60 is_waiting
check "a policy is in force" $ctl apply $cg/a net-bind allow=127.0.0.1:80
check "and one above" $ctl apply $cg net-connect allow=127.0.0.0/8:0-65535

# --- one document, whoever makes it ----------------------------------------------

both "all bindings" --json status
both "as a table" status
both "a cgroup" --json status $cg/a
both "by its id, as a table" status "id:$(stat -c %i "$cgroups$cg/a")"
both "of a process" --json status $$
both "the tree" tree
both "all of it" --json tree --all
both "who judges" explain $cg/a/b
both "at a hook" --json explain $cg/a socket_bind
both "parameters" --json get $cg/a net-bind
both "one of them" get $cg/a net-bind allow
both "the policies" --json policy list
both "what is not there" status $cg/none
both "nor that hook" explain $cg/a task_murder
both "what is not bound" get $cg/c net-bind
check_match "a parameter that is none" 'policy net-bind: it has no parameter "no-such"' \
	$ctl --daemon get $cg/a net-bind no-such

# changed ARGUMENT…: as both, for what changes something: $cg/c is as before each time,
# and as the other way leaves it after.
changed() {
	for changed_way in direct daemon; do
		$ctl remove $cg/c >/dev/null 2>&1
		case $* in
		*apply*) ;;
		*) $ctl apply $cg/c net-bind net-connect >/dev/null ;;
		esac
		$ctl --$changed_way "$@" >"$work/$changed_way" 2>&1
		echo "status $?" >>"$work/$changed_way"
		$ctl status >>"$work/$changed_way"
	done
	check "$*" cmp "$work/direct" "$work/daemon"
}

changed --json apply $cg/c net-bind allow=127.0.0.1:80 net-connect
changed apply --permissive $cg/c net-bind
changed apply $cg/c net-bind no-such=1
changed apply $cg/c no-such
changed replace $cg/c net-bind allow=127.0.0.1:81
changed --json set $cg/c net-bind allow=127.0.0.1:82 deny-errno=EACCES
changed set $cg/c net-bind allow=127.0.0.1:83 deny-errno=NONE
changed mode $cg/c net-bind permissive
changed mode $cg/c no-such permissive
changed --json remove $cg/c net-bind
changed remove $cg/c
changed remove $cg/none

$ctl remove $cg/c >/dev/null 2>&1
mkdir "$cgroups$cg/d" "$cgroups$cg/d/e"
check_match "what had to be turned on is told by the daemon, too" \
	"^$cg/d: controller checmate turned on" $ctl --daemon apply $cg/d/e net-bind
check "gone with its policy" rmdir "$cgroups$cg/d/e" "$cgroups$cg/d"

# --- what it is not for --------------------------------------------------------------

check_status "both ways at once" 2 $ctl --daemon --direct status
check_status "another backend than the daemon's" 2 $ctl --daemon --backend=checmate status
check_status "staging" 2 $ctl --daemon apply --when-exec $cg/c net-bind
check_status "untrusted objects" 2 $ctl --daemon apply --untrusted-ok $cg/c net-bind
check_match "a path" 'a path is not for checmated; .*--direct' \
	$ctl --daemon apply $cg/c /usr/lib/checmate/policies/net-bind.bpf.o
check_status "a process that is to be changed" 2 $ctl --daemon apply $$ net-bind
check_status "a parameter without a policy" 2 $ctl --daemon apply $cg/c allow=1
check_status "what is left of cgroups" 2 $ctl --daemon gc
check_status "and run" 125 $ctl run --daemon --policy=net-bind -- true
check_status "no name is not every policy" 2 $ctl --daemon remove $cg/a ""
check_status "nor every hook" 2 $ctl --daemon explain $cg/a ""
both "nor every cgroup" status ""
check_status "policy show" 2 $ctl --daemon policy show net-bind

# --- who may nothing -------------------------------------------------------------------

check_match "who has no session may not see all" \
	'polkit does not grant org\.checmate1\.inspect to user 4003; ' as $carol $ctl status
check_match "nor get" 'org\.checmate1\.inspect' as $carol $ctl get $cg/a net-bind
check_match "nor all events" 'polkit does not grant org\.checmate1\.events to user 4003; ' \
	as $carol $ctl events --follow --daemon --no-ask-password
for command in "apply $cg/c net-bind" "replace $cg/a net-bind" "remove $cg/a" \
	"set $cg/a net-bind allow=" "mode $cg/a net-bind permissive" "seal $cg/a"; do
	# shellcheck disable=SC2086
	check_match "nor $command" 'org\.checmate1\.manage to user 4003; .*root' as $carol $ctl $command
done
check_status "which is a failure, too" 1 as $carol $ctl --no-ask-password seal $cg/a
for command in "status $cg/a" "explain $cg/a" "tree $cg"; do
	# shellcheck disable=SC2086
	as $carol $ctl $command >"$work/seen" 2>&1
	check_match "$command says what is missing" 'org\.checmate1\.inspect' cat "$work/seen"
	check_match "and shows what everybody may see" "^$cg" cat "$work/seen"
done
check_status "unless all was asked for" 1 as $carol $ctl --daemon status $cg/a
check_output "--direct asks nobody" "" sh -c \
	"setpriv --reuid=$carol --regid=$carol --clear-groups $ctl --direct status $cg/a 2>&1 >/dev/null"
check_match "and has no rights either" 'run as root' as $carol $ctl --direct apply $cg/c net-bind
check_match "what is not for the daemon says so" 'run as root' \
	as $carol $ctl apply --when-exec $cg/c net-bind
check_match "nor is run" 'run as root' as $carol $ctl run --policy net-bind -- true
check_match "nor gc" 'run as root' as $carol $ctl gc
check "what needs no rights has them" as $carol $ctl policy list
check_output "nothing has come of all that" "$cg net-connect $cg/a net-bind" sh -c \
	"$ctl status | sed 1d | awk '{ print \$1, \$2 }' | xargs"

# --- who sits in front of the machine ----------------------------------------------------

printf '%s\n' 'account required pam_permit.so' 'auth required pam_permit.so' \
	'session required pam_systemd.so' >"$pam"
rm -f "$logind"
systemctl daemon-reload
systemctl start systemd-logind.service
systemd-run --quiet --unit=checmate-cli-session --uid=$alice -p PAMName=${pam##*/} \
	-p "Environment=XDG_SEAT=seat0 XDG_VTNR=1 XDG_SESSION_CLASS=user XDG_SESSION_TYPE=tty" sleep 10000

# Sets $session to the folder of alice's session.
has_session() {
	for session in "$cgroups/user.slice/user-$alice.slice"/session-*.scope; do
		[ ! -e "$session/cgroup.procs" ] || return 0
	done
	return 1
}
check "a session begins" wait_until 120 has_session
has_session

for command in status "status $cg/a" "tree --all" "explain $cg/a" "get $cg/a net-bind"; do
	# shellcheck disable=SC2086
	$ctl --direct --json $command >"$work/direct"
	# shellcheck disable=SC2086
	as_alice $ctl --json $command >"$work/daemon" 2>&1
	check "in a session one may see: $command" cmp "$work/direct" "$work/daemon"
done
for command in "apply $cg/c net-bind" "replace $cg/a net-bind" "remove $cg/a" \
	"set $cg/a net-bind allow=" "mode $cg/a net-bind permissive" "seal $cg/a"; do
	# shellcheck disable=SC2086
	check_match "and not $command" 'org\.checmate1\.manage' as_alice $ctl $command
done
check_output "nothing has come of it either" "$cg net-connect $cg/a net-bind" sh -c \
	"$ctl status | sed 1d | awk '{ print \$1, \$2 }' | xargs"

# A terminal of alice's session, on which a password can be asked for.
cat >"$work/terminal" <<END
#!/bin/sh
echo \$\$ >"$session/cgroup.procs" &&
	setpriv --reuid=$alice --regid=$alice --init-groups $ctl "\$@"
# Of what ends with a failure, socat may drop the last words.
exit 0
END
chmod 755 "$work/terminal"
mkfifo "$work/keys"

# says FILE TEXT: it has come by now.
says() {
	grep -q "$2" "$work/$1"
}

# on_terminal ARGUMENT…: what is typed goes to descriptor 3, what is shown to a file.
on_terminal() {
	socat - "EXEC:$work/terminal $*,pty,setsid,ctty,stderr" <"$work/keys" >"$work/shown" 2>&1 &
	terminal=$!
	exec 3>"$work/keys"
}

echo root:secret | chpasswd
on_terminal apply $cg/c net-bind
check "on a terminal a password is asked for" wait_until 60 says shown 'Password'
echo wrong >&3
check "a wrong one will not do" wait_until 60 says shown 'polkit does not grant'
exec 3>&-
wait $terminal
check_not "and nothing is in force" says shown 'is in force'
on_terminal apply $cg/c net-bind
check "once more" wait_until 60 says shown 'Password'
echo secret >&3
check "with an administrator's one may" wait_until 60 says shown "$cg/c: net-bind is in force"
exec 3>&-
wait $terminal
expect EPERM $cg/c bind tcp4 127.0.0.1:81
on_terminal --no-ask-password remove $cg/c net-bind
check "unless nobody is to be asked" wait_until 60 says shown 'org.checmate1.manage'
exec 3>&-
wait $terminal
check_not "then nobody is" says shown 'Password'
check "it is for root to remove" $ctl remove $cg/c net-bind

# --- who may all ---------------------------------------------------------------------------

like apply as $bob $ctl --json apply $cg/c net-bind allow=127.0.0.1:80
expect EPERM $cg/c bind tcp4 127.0.0.1:81
expect ok $cg/c bind tcp4 127.0.0.1:80
check_output "what a rule allows says the same as for root" "$cg/c: net-connect is in force, permissive" \
	as $bob $ctl apply --permissive $cg/c net-connect
expect ok $cg/c connect udp4 127.0.0.1:9
like params as $bob $ctl --json set $cg/c net-bind allow=127.0.0.1:81 deny-errno=EACCES
expect EACCES $cg/c bind tcp4 127.0.0.1:80
check_match "of two values one is bad" 'deny-errno' \
	as $bob $ctl set $cg/c net-bind allow=127.0.0.1:1 deny-errno=NONE
check_match "then none is set" '^allow +127.0.0.1:81$' as $bob $ctl get $cg/c net-bind
check_output "and it is judged as before" EACCES probe $cg/c bind tcp4 127.0.0.1:1
like mode as $bob $ctl --json mode $cg/c net-bind permissive
expect ok $cg/c bind tcp4 127.0.0.1:80
check_output "and back" "$cg/c: net-bind is enforced" as $bob $ctl mode $cg/c net-bind enforce
like apply as $bob $ctl --json replace $cg/c net-bind
expect EPERM $cg/c bind tcp4 127.0.0.1:81
like remove as $bob $ctl --json remove $cg/c net-connect
like bindings as $bob $ctl --json status
like explain as $bob $ctl --json explain $cg/c socket_bind
like policy-list as $bob $ctl --json --daemon policy list
check_output "by its id" "id:$(stat -c %i "$cgroups$cg/c"): every policy is removed" \
	as $bob $ctl remove "id:$(stat -c %i "$cgroups$cg/c")"
expect ok $cg/c bind tcp4 127.0.0.1:81
check "once more" as $bob $ctl apply $cg/c net-bind
like seal as $bob $ctl --json seal $cg/c
check_match "sealed is sealed" 'sealed' as $bob $ctl remove $cg/c net-bind
expect EPERM $cg/c bind tcp4 127.0.0.1:81
check_match "a unit is asked about" 'unit no-such.service: ' as $bob $ctl status no-such.service

# --- events ---------------------------------------------------------------------------------

# A denial in a cgroup, until one is told of in a file.
denied_in() {
	probe "${3-$cg/c}" bind tcp4 127.0.0.1:81 >/dev/null
	says "$1" "$2"
}

# has_sockets PID COUNT: to the bus, and then that of the events.
has_sockets() {
	[ "$(find "/proc/$1/fd" -lname 'socket:*' | wc -l)" -ge "$2" ]
}

# told_more COUNT: bob has been told of so many, one of them now.
told_more() {
	denied_in bob socket_bind && [ "$(grep -c socket_bind "$work/bob")" -ge "$1" ]
}

follow $bob bob --json --cgroup=$cg/c &
follower=$!
check "denials are told of as they come" wait_until 60 denied_in bob socket_bind
check "each as the schema says" \
	sh -c "$tests/json-check '$schemas/events.json' --each-line <'$work/bob'"
mkdir "$cgroups$cg/own"
chown $alice "$cgroups$cg/own"
$ctl apply $cg/own net-bind >/dev/null
as_alice $ctl events --follow -n 2 >"$work/alice" 2>&1 &
other=$!
check "also to a user whose cgroup it is" \
	wait_until 60 denied_in alice "net-bind socket_bind EPERM .* $cg/own" $cg/own
check "who is told that there may be others" says alice 'belong to user 4001; --daemon asks'
follow $carol carol --json &
stranger=$!
check "a user without cgroups may ask" wait_until 60 has_sockets $stranger 2
$ctl events --follow -n 1 --policy=net-bind >"$work/root" 2>&1 &
third=$!
check "and to root, of a daemon that reads" wait_until 60 denied_in root socket_bind
check "who has enough ends" wait $third
probe $cg/own bind tcp4 127.0.0.1:81 >/dev/null
check "so do others" wait $other
check_output "after as many" 2 grep -c socket_bind "$work/alice"
check_not "which are of no cgroup of others" says alice "$cg/c"
as_alice journalctl -q -o cat MESSAGE_ID=fe502dc2340c4096a2fb2006f99d3629 \
	>"$work/journal" 2>/dev/null
check_output "nor does the journal show any" "" cat "$work/journal"
check "a socket stays open" has_sockets $stranger 2
check_not "from which nothing is read of others' cgroups" says carol socket_bind
kill -TERM $stranger
wait $stranger
check_match "all are not to be had without a password" 'polkit does not grant org\.checmate1\.events' \
	as_alice $ctl events --follow --daemon --no-ask-password
on_terminal events --follow --daemon -n 1
check "for all a password is asked for" wait_until 60 says shown 'Password'
echo secret >&3
check "and then they are shown" wait_until 60 denied_in shown "socket_bind .* $cg/c"
exec 3>&-
wait $terminal
follow $bob other --cgroup=$cg/a &
other=$!
check "of one cgroup only" wait_until 60 denied_in other "socket_bind .* $cg/a" $cg/a
check "though there are others" denied_in bob socket_bind $cg/c
check "and more of its own" wait_until 60 denied_in other "socket_bind .* $cg/a" $cg/a
kill -TERM $other
check "a signal is an end" wait $other
check_not "of what is elsewhere nothing was told" says other "$cg/c"
mkdir "$cgroups$cg/gone"
gone=$(stat -c %i "$cgroups$cg/gone")
rmdir "$cgroups$cg/gone"
follow $bob gone -n 1 "--cgroup=id:$gone" &
late=$!
check "a cgroup may be gone" wait_until 60 has_sockets $late 2
told=$(grep -c socket_bind "$work/bob")
check "and what is denied elsewhere" wait_until 60 told_more $((told + 2))
check_output "is not of it" "" cat "$work/gone"
kill -TERM $late
check "though it waits" wait $late
kill -TERM $follower
check "for each" wait $follower
check_match "the reader is one" "process $(systemctl show -P MainPID checmated.service) reads the events" \
	$ctl --direct events
check_match "without waiting there is nothing" '\-\-follow shows those from now on' $ctl events
check_status "which is said to be a failure" 1 as $bob $ctl events
follow $bob bob &
follower=$!
check "somebody listens" wait_until 60 denied_in bob socket_bind
systemctl stop checmated.service
check_status "the end of the daemon is told" 1 wait $follower
check_match "with what is to be done" 'checmated has ended' cat "$work/bob"

# --- no daemon ---------------------------------------------------------------------------------

check "a call starts it again" as $bob $ctl status
systemctl mask --runtime --quiet checmated.service
systemctl stop checmated.service
check_match "where it must not start, who has no rights has none" 'run as root' \
	as $bob $ctl apply $cg/a net-connect
check_match "nor with it" 'checmated: not reached: .*; .*--direct' $ctl --daemon status
check_status "which is a failure" 1 $ctl --daemon status
check_match "what everybody may see is there" "^$cg/a " as $bob $ctl status $cg/a
check "and root needs none" $ctl status

finish
