# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2154
#
# Debian of a release in the cache, for tests/vm/rootfs and the tiers build. The file that
# includes this sets $top (the repository) and defines fail() (print a line and give up).

# debian_key RELEASE PACKAGES FILE…: names what these packages and files make.
debian_key() {
	debian_release=$1
	debian_packages=$2
	shift 2
	{
		echo "$debian_packages"
		dpkg --print-architecture
		cat "$top/tests/lib/debian.sh" "$@"
	} | sha256sum | sed "s/^\(.\{24\}\).*/$debian_release-\1/"
}

# debian_have FILE: the cache has it. If not, no other run makes it until this one ends.
debian_have() {
	mkdir -p "${1%/*}"
	if [ ! -e "$1" ]; then
		exec 9>"${1%-*}.lock"
		flock -n 9 || {
			echo "waiting for another run to make ${1##*/}" >&2
			flock 9
		}
	fi
	[ -e "$1" ] && touch "$1"
}

# debian_prune FILE: what else the cache has of the release goes, but for the newest, which
# other working copies may be using.
debian_prune() {
	debian_name=${1%-*}
	find "${1%/*}" -maxdepth 1 -name "${debian_name##*/}-*" ! -name '*.libraries' \
		-printf '%T@ %p\n' | sort -rn | tail -n +3 | cut -d ' ' -f 2- |
		sed 'p; s/\.ext4$/.libraries/' | xargs -r -d '\n' rm -rf --one-file-system
}

# debian_install TREE RELEASE PACKAGES: the release with these packages (which commas
# separate), from this machine's mirrors.
debian_install() {
	[ "$(id -u)" -eq 0 ] || fail "installing Debian $2 needs root"
	debian_sources=$("$top/tools/apt-sources" --release "$2") || debian_sources=
	[ -n "$debian_sources" ] || fail "apt has no source of this machine's release"
	echo "installing Debian $2" >&2
	rm -rf --one-file-system "$1"
	echo "$debian_sources" | mmdebstrap --variant=minbase --include="$3" \
		--aptopt='Apt::Install-Recommends "false"' \
		--dpkgopt=force-unsafe-io \
		--dpkgopt=path-exclude=/usr/share/doc/* \
		--dpkgopt=path-exclude=/usr/share/man/* \
		--dpkgopt=path-exclude=/usr/share/locale/* \
		--format=directory "" "$1" - >"$1.log" 2>&1 || {
		grep -aE '^(E|W|Err|error)' "$1.log" | tail -n 10 >&2 || :
		! grep -aq NO_PUBKEY "$1.log" ||
			echo "apt does not have the keys of $2: upgrade debian-archive-keyring" >&2
		fail "mmdebstrap failed; all it said: $1.log"
	}
	rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/* "${1:?}"/dev/*
}
