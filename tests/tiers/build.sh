# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2154
#
# What the tiers of builds on other releases share. $release names the release of Debian.

# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/../lib/debian.sh
. "$top/tests/lib/debian.sh"

tier=${0##*/}
objects=$build_check/$tier

list() {
	echo build
	tests/tiers/unit --list
}

# Sets $root, the release with what tools/deps installs for building.
need_release() {
	tools/deps vm || fail "the packages that install the release cannot be installed"
	include=$(tools/deps --print userspace | tr '\n' ',')
	root=$cache/build/$(debian_key "$release" "$include" "$top/tests/tiers/build.sh")
	if ! debian_have "$root"; then
		tree=$cache/build/tree.$release
		debian_install "$tree" "$release" "${include%,}"
		mkdir "$tree/source" "$tree/build"
		mv "$tree" "$root"
		debian_prune "$root"
	fi
	exec 9>&-
	# Compilers and libraries may be others.
	if [ "$(cat "$objects/root" 2>/dev/null)" != "$root" ]; then
		rm -rf "$objects"
		mkdir -p "$objects"
		echo "$root" >"$objects/root"
	fi
}

# inside COMMAND…: runs it in the root, with the project at /source, read-only, and $objects
# at /build.
inside() {
	# shellcheck disable=SC2016
	unshare --mount --pid --fork --kill-child sh -euc '
		root=$1
		mount --bind -o ro "$2" "$root/source"
		mount --bind "$3" "$root/build"
		shift 3
		mount -t tmpfs tmpfs "$root/tmp"
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin HOME=/tmp LC_ALL=C.UTF-8 "$@"
	' sh "$root" "$top" "$objects" "$@" </dev/null
}

# Builds everything.
build() {
	if [ ! -e "$objects/build.ninja" ]; then
		# Of a setup that was ended.
		rm -rf "$objects/meson-private"
		inside meson setup /build /source || return
	fi
	inside ninja -C /build -j "${CHECMATE_JOBS:-$(nproc)}"
}

run() {
	[ "$(id -u)" -eq 0 ] || fail "needs root, to install $release and to build there"
	need_release
	exec 8>"$objects/lock"
	flock 8
	echo "building on Debian $release" >&2
	echo "## begin build"
	status=0
	build >"$work/build.log" 2>&1 || status=$?
	[ "$status" -eq 0 ] || sed -n '/^FAILED/,$p; /ERROR/p' "$work/build.log" | sed 's/^/# /'
	echo "## end build $status"
	[ "$status" -eq 0 ] || fail "building on Debian $release failed"
	[ "$*" != build ] || return 0

	rm -f "$objects/meson-logs/testlog.json"
	inside meson test -C /build --no-rebuild --timeout-multiplier 4 \
		--num-processes "${CHECMATE_JOBS:-$(nproc)}" >"$work/meson.log" 2>&1 || status=$?
	if [ ! -e "$objects/meson-logs/testlog.json" ]; then
		cat "$work/meson.log" >&2
		fail "meson test ended with $status and no results"
	fi
	tests/tiers/meson-results "$@" <"$objects/meson-logs/testlog.json"
}
