# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the completion offers, as bash would ask it. The argument is its file.

# shellcheck source=completions/checmatectl
. "$1" || exit 1

count=0
failed=0
echo 'TAP version 13'

# compopt is for the shell that completes.
compopt() {
	:
}

# complete_line LINE: COMPREPLY as of the cursor at the end of the line.
complete_line() {
	COMP_LINE=$1
	COMP_POINT=${#1}
	COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
	COMPREPLY=()
	_checmatectl
}

point() {
	count=$((count + 1))
	if [[ $1 == "$2" ]]; then
		echo "ok $count - $3"
		return
	fi
	failed=$((failed + 1))
	echo "not ok $count - $3"
	echo "# '$2' was to be offered, not '$1'"
}

# offers LINE WORD…: these, in whatever order, and nothing else.
offers() {
	local line=$1
	shift

	complete_line "$line"
	point "$(printf '%s\n' "${COMPREPLY[@]}" | sort | xargs)" \
		"$(printf '%s\n' "$@" | sort | xargs)" "'$line'"
}

# has LINE WORD: this, maybe among others.
has() {
	complete_line "$1"
	point "$(printf '%s\n' "${COMPREPLY[@]}" | grep -Fxe "$2")" "$2" "'$1' has $2"
}

offers 'checmatectl st' status
offers 'checmatectl re' replace remove
has 'checmatectl ' explain
offers 'checmatectl --js status --js' --json
offers 'checmatectl --color=a' auto always
offers 'checmatectl --color n' never
offers 'checmatectl --backend=' checmate bpf-link
offers 'checmatectl policy ' list show verify
offers 'checmatectl policy show net-b' net-bind
offers 'checmatectl policy verify net-bind net-b' net-bind
offers 'checmatectl policy list ' ''
offers 'checmatectl config ' verify
offers 'checmatectl config verify /etc/sky' ''
has 'checmatectl config verify /et' /etc/
offers 'checmatectl apply --w' --when-exec
offers 'checmatectl replace --rep' ''
offers 'checmatectl apply --replace /a net-b' net-bind
offers 'checmatectl apply /a net-bind al' allow=
offers 'checmatectl apply /a net-bind deny-errno=' EPERM
offers 'checmatectl apply /a net-bind allow=1 net-con' net-connect
offers 'checmatectl apply /a net-bind allow=1 net-connect al' allow=
offers 'checmatectl set /a net-b' net-bind
offers 'checmatectl set /a net-bind de' deny-errno=
offers 'checmatectl get /a net-bind de' deny-errno
offers 'checmatectl mode /a net-bind ' enforce permissive
offers 'checmatectl run --policy net-b' net-bind
offers 'checmatectl run --policy=net-b' net-bind
offers 'checmatectl run --policy net-bind al' allow=
offers 'checmatectl run --policy=net-bind allow=x --policy net-connect deny-errno=' EPERM
offers 'checmatectl run net' ''
offers 'checmatectl run --policy net-bind -- checmatectl-no' ''
has 'checmatectl run --policy net-bind -- checmatec' checmatectl
offers 'checmatectl run --js' ''
offers 'checmatectl gc ' ''
offers 'checmatectl frobnicate x net-bind x' ''

CHECMATE_COMPLETION_CGROUPS=$(mktemp -d)
export CHECMATE_COMPLETION_CGROUPS
mkdir -p "$CHECMATE_COMPLETION_CGROUPS/one/deep" "$CHECMATE_COMPLETION_CGROUPS/other"
: >"$CHECMATE_COMPLETION_CGROUPS/one.file"
offers 'checmatectl status /on' /one/
offers 'checmatectl apply /o' /one/ /other/
offers 'checmatectl tree /one/' /one/deep/
offers 'checmatectl tree ' /one/ /other/
offers 'checmatectl run --parent=/ot' /other/
rm -r "$CHECMATE_COMPLETION_CGROUPS"

echo "1..$count"
[[ $failed -eq 0 ]]
