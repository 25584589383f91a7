# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2034
#
# The tiers of ./check. Each is an executable file in this directory: "TIER --list" prints
# the names of its units, "TIER UNIT…" runs some of them and prints what tests/lib/points.awk
# reads. A '-' in the name of the file is a '/' in that of the tier. The first lines of the
# file say what the tier is, and these what it needs:
#
#   # Kernel: kasan       the kernel to be built before: checmate, base, kasan or lockdep
#   # After: debug/kasan  the tier whose results it uses, if that runs as well
#   # Guests: 2           how many guests run at once; 1 unless this says so
#   # Minutes: 5          on an idle machine with two processors, without building kernels
#   # Left out            ./check runs it by its name or with --all
#   # Paths: kernel/ …    what the tier tries, for ./check changed: beginnings of paths
#
# This file is included by those that are shell scripts. It sets $top, $logs and $work, a
# directory that is removed at the end.

set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top"
build_check=${CHECMATE_BUILD_CHECK:-$top/build-check}
logs=$build_check/log
mkdir -p "$logs"
work=$(mktemp -d "${TMPDIR:-/tmp}/checmate-tier.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Where a guest has the tests.
lib=/usr/libexec/checmate/tests
kselftests=kernel/tools/testing/selftests/checmate

# Ends the tier; the reason becomes a point of its own.
fail() {
	echo "${0##*/}: $*" >&2
	exit 125
}

# shellcheck source=SCRIPTDIR/../lib/guest.sh
. "$top/tests/lib/guest.sh"

# How the unit tests and fuzz targets are built.
sanitize='-Db_sanitize=address,undefined -Db_lundef=false -Dbuildtype=debugoptimized'

# The suites of the kernel code's unit tests.
list_kunit() {
	sed -n 's/^	\.name = "\(.*\)",$/\1/p' kernel/security/checmate/tests/*_kunit.c |
		sort
}

# The kernel selftests for which any kernel will do. One takes long, another needs a
# kernel whose allocations fail on demand: these belong to tiers of their own.
list_kselftests() {
	find "$kselftests" -name '*_test.c' ! -name torture_test.c ! -name failslab_test.c \
		-exec basename {} .c \; | sort
}

# The cases in tests/vm/cases that have numbers.
list_cases() {
	find tests/vm/cases -name '[0-9]*.sh' -exec basename {} .sh \; | sort
}

# Where a guest has the unit $1.
guest_path() {
	if [ -e "tests/vm/cases/$1.sh" ]; then
		echo "$lib/cases/$1.sh"
	else
		echo "/usr/libexec/checmate/kselftest/$1"
	fi
}

# Calls the tier's list() or run().
main() {
	if [ "${1-}" = --list ]; then
		list
	else
		run "$@"
	fi
}
