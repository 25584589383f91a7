#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What is installed, against the list "files" beside this.
#
# usage: test-install.sh SOURCE BUILD VERSION

set -u
# shellcheck source=SCRIPTDIR/../lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
export LC_ALL=C
source=$1
build=$2
version=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The files below $1, and the directories in which nothing is.
below() {
	(cd "$1" && {
		find . ! -type d
		find . -type d -empty | sed 's,$,/,'
	} | sed 's,^\./,,' | sort)
}

# Those that the guest tests need.
for_tests='^usr/libexec/checmate/(tests|samples)/'

grep -v '^#' "$source/tests/install/files" >"$work/patterns"

: >"$work/wrong"
DESTDIR=$work/tree meson install -C "$build" --no-rebuild --quiet \
	>"$work/install.log" 2>&1 </dev/null || cp "$work/install.log" "$work/wrong"
check "meson install with DESTDIR" diff /dev/null "$work/wrong"
below "$work/tree" | grep -Ev "$for_tests" >"$work/installed"

while read -r pattern; do
	while read -r file; do
		# shellcheck disable=SC2254 # a pattern is what it is
		case "$file" in
		$pattern) echo "$file" ;;
		esac
	done <"$work/installed" >"$work/matched"
	[ -s "$work/matched" ] || echo "$pattern: not installed" >&2
	cat "$work/matched"
done <"$work/patterns" 2>"$work/wrong" | sort -u >"$work/known"
check "everything listed is installed" diff /dev/null "$work/wrong"

comm -23 "$work/installed" "$work/known" |
	sed 's/$/: installed, but not listed in tests\/install\/files/' >"$work/wrong"
check "and nothing else" diff /dev/null "$work/wrong"

# A directory stands for what is in it.
grep -hv '^#' "$source"/debian/*.install >"$work/shared"
while read -r file; do
	times=0
	while read -r pattern; do
		# shellcheck disable=SC2254 # a pattern is what it is
		case "${file%/}" in
		$pattern | $pattern/*) times=$((times + 1)) ;;
		esac
	done <"$work/shared"
	[ "$times" -eq 1 ] || echo "$file: in $times of debian/*.install"
done <"$work/known" >"$work/wrong"
check "each is in one package" diff /dev/null "$work/wrong"

for dir in "$source"/policies/*/; do
	name=$(basename "$dir")
	[ ! -e "$dir/$name.bpf.c" ] ||
		[ -e "$work/tree/usr/lib/checmate/policies/$name.bpf.o" ] ||
		echo "$name: not installed"
done >"$work/wrong"
check "every policy is" diff /dev/null "$work/wrong"

# The same without tests, from what meson would do.
: >"$work/wrong"
if meson setup -Dtests=false "$work/build" "$source" >"$work/setup.log" 2>&1 </dev/null; then
	meson introspect --installed "$work/build" | python3 -c '
import json, os, sys
for source, path in json.load(sys.stdin).items():
	if not os.path.isdir(source):
		print(path)
	for folder, _, files in os.walk(source):
		for name in files:
			print(os.path.join(path, os.path.relpath(os.path.join(folder, name), source)))
' | sed 's,^/,,' | sort >"$work/without"
	grep -v '/$' "$work/installed" | diff - "$work/without" >"$work/wrong"
else
	cp "$work/setup.log" "$work/wrong"
fi
check "with -Dtests=false the same, and nothing for tests" diff /dev/null "$work/wrong"

sed -n '1s/^checmate (\([^)]*\)).*/\1/p' "$source/debian/changelog" |
	grep -vxF -e "$version" | sed "s/\$/ instead of $version/" >"$work/wrong"
check "the packages are of this version" diff /dev/null "$work/wrong"
finish
