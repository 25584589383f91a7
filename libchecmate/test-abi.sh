#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What programs that are linked to the library rely on, against the record of
# it: where the members of the public structures are, and which functions there
# are, of which type. A structure may grow at its end, and functions may be
# added; then the record has to be extended. Nothing of it may change or go.
#
# usage: test-abi.sh [--update] HEADER LIBRARY TEST-ABI RECORD
#
# Functions are called by name, which shellcheck cannot see.
# shellcheck disable=SC2317

set -eu
export LC_ALL=C
update=
if [ "${1-}" = --update ]; then
	update=yes
	shift
fi
header=$1
library=$2
program=$3
record=$4

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# "NAME TYPE" of each function, without the names of arguments.
awk '
	/^CHECMATE_API/ { text = "" }
	{ text = text $0 " " }
	/;$/ {
		if (text ~ /^CHECMATE_API/) {
			gsub(/[ \t]+/, " ", text)
			sub(/^CHECMATE_API /, "", text)
			sub(/ ?\); $/, "", text)
			n = index(text, "(")
			name = type = substr(text, 1, n - 1)
			sub(/^.*[ *]/, "", name)
			type = substr(type, 1, length(type) - length(name))
			sub(/ $/, "", type)
			n = split(substr(text, n + 1), argument, ",")
			line = name " " type " ("
			for (i = 1; i <= n; i++) {
				sub(/^ /, "", argument[i])
				if (argument[i] ~ /[ *]/)
					sub(/ ?[a-z_0-9]+$/, "", argument[i])
				line = line (i > 1 ? ", " : "") argument[i]
			}
			print line ")"
		}
		text = ""
	}' "$header" | sort >"$work/types"
nm -D --defined-only --format=posix "$library" |
	sed -n 's/^\([^ @]*\)@*\(CHECMATE_[0-9.]*\) T .*/\1 \2/p' | sort >"$work/symbols"
{
	"$program"
	join "$work/symbols" "$work/types" | sed 's/^\([^ ]*\) \([^ ]*\)/function \1@\2/'
} >"$work/found"

# Sizes are compared apart: they may grow.
sed '/^#/d; / size [0-9]*$/d' "$record" | sort >"$work/recorded"
sed '/ size [0-9]*$/d' "$work/found" | sort >"$work/present"
comm -23 "$work/recorded" "$work/present" >"$work/gone"
awk '
	!/ size [0-9]+$/ { next }
	NR == FNR { size[$2] = $4 + 0; next }
	/^#/ { next }
	size[$2] < $4 { print }' "$work/found" "$record" >>"$work/gone"
sed '/^#/d' "$record" | sort >"$work/recorded"
sort "$work/found" | comm -13 "$work/recorded" - >"$work/added"

if [ "$update" ]; then
	if [ -s "$work/gone" ]; then
		echo "test-abi: what is recorded may not change:" >&2
		cat "$work/gone" >&2
		exit 1
	fi
	sed -n '/^#/p' "$record" >"$work/record"
	cat "$work/found" >>"$work/record"
	cp "$work/record" "$record"
	exit 0
fi

# typed: what has a type is as many functions as the library shows.
typed() {
	join -v 1 "$work/symbols" "$work/types"
	[ -s "$work/present" ] &&
		[ "$(wc -l <"$work/symbols")" -eq "$(grep -c ^function "$work/found")" ]
}

# empty FILE REMEDY: nothing is in the file.
empty() {
	cat "$1"
	echo "$2"
	[ ! -s "$1" ]
}

# shellcheck source=SCRIPTDIR/../tests/lib/tap.sh
. "$(dirname "$0")/../tests/lib/tap.sh"
check "every function has a type" typed
check "what programs rely on is as it was" empty "$work/gone" \
	"Programs that are linked to the library would break: keep this as it was and add something new beside it, or begin a library with another soversion and another record."
check "what is new is recorded" empty "$work/added" \
	"Look at it well, since it cannot be changed any more once it is released; then run \"ninja -C BUILD abi-update\"."
finish
