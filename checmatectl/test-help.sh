#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What --help, the man page and the completion name are the same commands and
# options; and what the command line answers without a kernel that enforces.
#
# usage: test-help.sh CHECMATECTL checmatectl.1.rst COMPLETION

set -u
ctl=$1
man=$2
completion=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source=SCRIPTDIR/../tests/lib/tap.sh
. "$(dirname "$0")/../tests/lib/tap.sh"

# same NAME FILE FILE: they have the same lines.
same() {
	check "$1" diff -u "$work/$2" "$work/$3"
	check "$1, and there are some" test -s "$work/$2"
}

# status NAME STATUS ARGUMENT…: checmatectl ends so; what it prints is in $work/log.
status() {
	status_name=$1
	status_want=$2
	shift 2
	check_status "$status_name: $status_want" "$status_want" run "$@"
}

# Called by the above.
# shellcheck disable=SC2317
run() {
	"$ctl" "$@" >"$work/log" 2>&1
	run_status=$?
	cat "$work/log"
	return "$run_status"
}

"$ctl" --help >"$work/help"
sed -n '/^Commands:/,/^Options:/s/^  \([a-z][a-z-]*\).*/\1/p' "$work/help" | sort >"$work/help-commands"
sed -n '/^Options:/,$s/^ .*--\([a-z-]*\).*/--\1/p' "$work/help" | sort >"$work/help-options"

# "**status** [*TARGET*]" and "-h, --help" begin a line of the page.
sed -n '/^COMMANDS$/,/^OPTIONS$/s/^\*\*\([a-z]*\)[* ].*/\1/p' "$man" | sort -u >"$work/man-commands"
sed -n '/^OPTIONS$/,/^EXIT STATUS$/s/^\(-[a-z], \)\{0,1\}\(--[a-z-]*\).*/\2/p' "$man" |
	sort >"$work/man-options"

sed -n '/^__checmatectl_commands=(/,/)/p' "$completion" |
	sed 's/.*(//; s/)//' | xargs -n 1 | sort >"$work/completion-commands"
sed -n '/^__checmatectl_options()/,/^}/p' "$completion" | grep -o -- '--[a-z][a-z-]*' |
	sort -u >"$work/completion-options"

same "the man page has the commands" help-commands man-commands
same "the completion has the commands" help-commands completion-commands
same "the man page has the options" help-options man-options
same "the completion has the options" help-options completion-options

# Command by command: what it says it takes is what is completed for it.
while read -r command; do
	"$ctl" "$command" --help |
		sed -n '/^Options:/,$s/^ .*--\([a-z-]*\)\(=*\).*/--\1\2/p' | sort >"$work/takes"
	bash -c '. "$1" && __checmatectl_options "$2"' bash "$completion" "$command" |
		sort >"$work/completes"
	same "the options of $command" takes completes
done <"$work/help-commands"
grep '^\*\*[a-z]' "$man" | sed 's/[*\\]//g' | grep -o '^policy [a-z]*' | sort >"$work/man-policy"
sed -n 's/^  policy //p' "$work/help" | tr '|' '\n' | sed 's/^ */policy /' |
	cut -d ' ' -f 1,2 | sort >"$work/help-policy"
same "what policy takes" help-policy man-policy

grep '^\*\*config' "$man" | sed 's/[*\\]//g' | grep -o '^config [a-z]*' | sort >"$work/man-config"
sed -n 's/^  config //p' "$work/help" | sed 's/^ */config /' | cut -d ' ' -f 1,2 >"$work/help-config"
same "what config takes" help-config man-config

status "help is no failure" 0 --help
status "nor is that of a command" 0 run --help
status "nor the version" 0 --version
status "no command" 2
status "an unknown command" 2 frobnicate
status "an unknown option" 2 --frobnicate
status "an unknown letter" 2 -z
status "an option of another command" 2 features --replace
status "the same before the command" 2 --replace features
status "an argument too many for an option" 2 --json=yes features
status "one too few" 2 features --color
status "a colour that is none" 2 --color=red features
status "a backend that is none" 2 --backend=none features
status "too few arguments" 2 apply /a
status "too many" 2 features now
status "run's own failures are 125" 125 run
status "with anything" 125 run --json -- true
mkdir "$work/bindings" "$work/bindings/web.conf.d"
printf '[Match]\nUnit=web.service\n[Policy net-bind]\n' >"$work/bindings/web.conf"
status "binding files that are good" 0 config verify "$work/bindings"
status "a directory that is not there" 1 config verify "$work/none"
status "config takes verify" 2 config check
printf '[Policy net-bind]\nAlow=1\n' >"$work/bindings/web.conf.d/10.conf"
status "a drop-in that is not" 1 config verify "$work/bindings"
check "its file, line and reason are told" \
	grep -q "^checmatectl: $work/bindings/web.conf.d/10.conf:2: .*alow" "$work/log"
check_output "in one line" 1 grep -c '' "$work/log"
status "a policy that is not there" 1 policy show no-such
status "the same for run" 125 run --policy=no-such -- true
"$ctl" policy show no-such 2>"$work/log" >"$work/out"
check "it is said on standard error what, why, and what to do" \
	grep -q '^checmatectl: policy no-such: .*; ' "$work/log"
check_not "and nothing on standard output" test -s "$work/out"
"$ctl" policy list --color=always --json >"$work/log"
check_not "JSON has no colours" grep -q "$(printf '\033')" "$work/log"

mkdir -p "$work/listed/real"
ln -s real "$work/listed/link"
rm "$work/bindings/web.conf.d/10.conf"
printf '[Match]\nUnit=web.service\n[Policy exec-allow]\nDenyErrno=EACCES\nAllow=%s %s\n' \
	"$work/listed/link/x" "$work/listed/real" >"$work/bindings/web.conf"
mkdir "$work/listed/real/x"
status "binding files with a link in a list are good" 0 config verify "$work/bindings"
warning="checmatectl: warning: exec-allow: allow: $work/listed/link/x: $work/listed/link is a"
check_output "the link is told, and nothing else" \
	"$warning symbolic link to real; list $work/listed/real/x" grep '^checmatectl: ' "$work/log"
sed -i 's/^Unit=.*/Runtime=podman/' "$work/bindings/web.conf"
status "so are those of containers" 0 config verify "$work/bindings"
check_not "whose links are others" grep '^checmatectl: ' "$work/log"
finish
