#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What pkg-config says of the installed library is enough to build with it.
#
# usage: test-pkgconfig.sh BUILD VERSION LIBDIR SANITIZE COMPILER…
#
# Functions are called by name, which shellcheck cannot see.
# shellcheck disable=SC2317

set -u
# shellcheck source=SCRIPTDIR/../tests/lib/tap.sh
. "$(dirname "$0")/../tests/lib/tap.sh"
build=$1
version=$2
libdir=$3
sanitize=$4
shift 4

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LC_ALL=C
# A library with sanitizers needs programs with them.
[ "$sanitize" = none ] || set -- "$@" "-fsanitize=$sanitize"
# Of the system only what the library's file asks for; nothing that is installed
# already may stand in for what is tested.
PKG_CONFIG_SYSROOT_DIR=$work/tree
PKG_CONFIG_PATH=$work/tree$libdir/pkgconfig
export PKG_CONFIG_SYSROOT_DIR PKG_CONFIG_PATH

install() {
	DESTDIR=$work/tree meson install -C "$build" --no-rebuild --quiet </dev/null
}

# build STANDARD: as strict as a compiler can be.
build() {
	# shellcheck disable=SC2046,SC2086 # they are words
	"$compiler" $flags "-std=$1" -Wall -Wextra -Werror -pedantic -o "$work/program" \
		"$work/program.c" $(pkg-config --cflags --libs libchecmate)
}

run() {
	[ "$(LD_LIBRARY_PATH=$work/tree$libdir "$work/program")" = "$version" ]
}

# The program is linked with the library by its soname, and with no other of its own.
needs() {
	readelf -d "$work/program" | grep -q 'NEEDED.*\[libchecmate\.so\.1\]' &&
		! readelf -d "$work/program" | grep -q 'NEEDED.*\[lib\(bpf\|cap\)\.so'
}

cat >"$work/program.c" <<'END'
#include <checmate.h>
#include <stdio.h>
int main(void) { return puts(checmate_version()) < 0; }
END
compiler=$1
shift
flags=$*

check "meson install with DESTDIR" install
check "pkg-config knows the library" pkg-config --exists "libchecmate = $version"
check "a C11 program builds" build c11
check "and runs" run
check "needing that library only" needs
check "a C99 program builds" build c99
finish
