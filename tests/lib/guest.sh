# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2154
#
# What tests/vm/run, tests/vm/shell and ./check share: building what goes into
# a guest, and starting one. The file that includes this sets $top (the
# repository) and defines fail() (say a line and give up); $work is a directory
# of its own that it removes at the end.

build=${CHECMATE_BUILD:-$top/build}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/checmate

# A meson build directory $1, set up with the rest of the arguments.
meson_setup() {
	dir=$1
	shift
	"$top/tools/deps" userspace || fail "the packages to build with cannot be installed"
	mkdir -p "$dir"
	(
		flock 8
		if [ ! -e "$dir/build.ninja" ]; then
			# Of a setup that was ended.
			rm -rf "$dir/meson-private"
			reconfigure=
		elif [ "$(cat "$dir/.checmate-options" 2>/dev/null)" != "$*" ]; then
			reconfigure=--reconfigure
		else
			reconfigure=no
		fi
		if [ "$reconfigure" != no ]; then
			meson setup ${reconfigure:+"$reconfigure"} "$dir" "$top" "$@" \
				>"$dir/setup.log" 2>&1 </dev/null || {
				tail -n 20 "$dir/setup.log" >&2
				exit 1
			}
			echo "$*" >"$dir/.checmate-options"
		fi
		# Again, if a meson.build has changed.
		ninja -C "$dir" build.ninja >"$dir/ninja.log" 2>&1 </dev/null || {
			tail -n 20 "$dir/ninja.log" >&2
			exit 1
		}
	) 8>"$dir/.checmate-lock" || fail "setting up the build failed"
}

# The same, and built.
meson_build() {
	meson_setup "$@"
	(
		flock 8
		ninja -C "$dir" -j "${CHECMATE_JOBS:-$(nproc)}" >"$dir/ninja.log" 2>&1 </dev/null || {
			sed -n '/^FAILED/,$p; /ERROR/p' "$dir/ninja.log" | head -n 40 >&2
			exit 1
		}
	) 8>"$dir/.checmate-lock" || fail "building the project failed"
}

# The kernel's selftests, built from the current tree into $1. One that does
# not build is missing there, which whoever runs it will notice.
build_kselftests() {
	source=kernel/tools/testing/selftests/checmate
	[ -e "$top/$source/Makefile" ] || return 0
	"$top/tools/deps" userspace kernel || fail "the packages to build with cannot be installed"
	kernel_tree=$("$top/tools/kernel-build" --tree) || fail "no kernel tree"
	headers=$("$top/tools/kernel-build" --headers) || fail "no kernel headers"
	objects=$cache/kselftest/$(echo "$top" | sha256sum | cut -c 1-16)
	mkdir -p "$objects" "$1"
	(
		flock 8
		if ! make_kselftests >"$objects/make.log" 2>&1; then
			# Nothing of an earlier time may stand for what fails.
			find "$objects" -mindepth 1 ! -name .lock ! -name make.log -delete
			make_kselftests -k >"$objects/make.log" 2>&1 || :
			grep -E '(error|undefined|No such file|\*\*\*)' "$objects/make.log" | head -n 20 >&2
			echo "building the kernel selftests failed; all it said: $objects/make.log" >&2
		fi
		find "$objects" -maxdepth 1 -type f ! -name '.*' ! -name '*.log' ! -name '*.d' \
			-exec cp -t "$1" {} +
		find "$top/$source" -maxdepth 1 -type f -name '*.sh' -exec cp -t "$1" {} +
	) 8>"$objects/.lock"
}

make_kselftests() {
	make -C "$kernel_tree/tools/testing/selftests/checmate" -s "$@" \
		OUTPUT="$objects" KHDR_INCLUDES="-isystem $headers" all </dev/null
}

# Copies into the tree $1 the shared libraries its programs need, and the
# loader, at the paths where this machine has them; with $2 only those of which
# the list $2 has no file of that name.
add_libraries() {
	find "$1" -type f \( -perm -u+x -o -name '*.so*' \) ! -name '*.o' -print |
		while read -r file; do
			[ "$(head -c 4 "$file" | tail -c 3)" = ELF ] || continue
			LD_LIBRARY_PATH=$(find "$1"/usr/lib* -name 'lib*.so*' -printf '%h:' 2>/dev/null) \
				ldd "$file" 2>/dev/null || :
		done | awk '
			/not found/ { print "missing " $1; next }
			$2 == "=>" { print $3; next }
			$1 ~ /^\// { print $1 }' | sort -u >"$work/libraries"
	! grep '^missing ' "$work/libraries" >&2 || fail "a program for the guest lacks a library"
	while read -r file; do
		case "$file" in
		"$1"/*) continue ;;
		# A link to /usr, on this machine and in every guest.
		/lib*) file=/usr$file ;;
		esac
		[ -z "${2-}" ] || ! grep -qxF -e "${file##*/}" "$2" || continue
		mkdir -p "$1${file%/*}"
		[ -e "$1$file" ] || cp -L "$file" "$1$file"
	done <"$work/libraries"
}

# Fills $1 with the project's files at their installed paths.
# $2: "all" with the project's programs.
fill_payload() {
	usr=$1/usr
	mkdir -p "$usr/libexec/checmate/vm" "$usr/libexec/checmate/tests"
	if [ "$2" = all ]; then
		meson_build "$build"
		DESTDIR=$1 meson install -C "$build" --no-rebuild --quiet >"$work/install.log" 2>&1 || {
			tail -n 20 "$work/install.log" >&2
			fail "installing the project failed"
		}
	fi
	cp "$top/tests/vm/job" "$usr/libexec/checmate/vm/"
	mkdir -p "$usr/libexec/checmate/tests/lib"
	cp "$(command -v mke2fs || echo /sbin/mke2fs)" "$usr/libexec/checmate/tests/"
	cp "$top"/tests/lib/* "$usr/libexec/checmate/tests/lib/"
	for set in vm/cases system; do
		mkdir -p "$usr/libexec/checmate/tests/${set##*/}"
		cp -t "$usr/libexec/checmate/tests/${set##*/}" "$top/tests/$set"/*.sh
	done
}

# Makes the archive $1 of the directory $2.
archive() {
	(cd "$2" && find . -print0 | cpio -o0 -H newc -R 0:0 --quiet) >"$1"
}

# What a guest needs of a distribution's kernel that has it in modules: devices,
# and what the project's own kernel has built in.
stock_modules='virtio_pci virtio_console virtio_blk overlay loop autofs4 vfat nls_cp437 nls_ascii
	unix_diag inet_diag tcp_diag udp_diag mptcp_diag af_packet sctp'

# Puts them into the tree $1, numbered in the order in which they load.
add_modules() {
	mkdir "$1/modules"
	release=${modules##*/}
	: >"$work/depends"
	for module in $stock_modules; do
		modprobe -d "${modules%/lib/modules/*}" -S "$release" --show-depends "$module" \
			>>"$work/depends" || fail "$module: the kernel $release has no such module"
	done
	awk '$1 == "insmod" && !seen[$2]++ { print $2 }' "$work/depends" >"$work/modules"
	number=100
	while read -r file; do
		cp "$file" "$1/modules/$number-${file##*/}"
		number=$((number + 1))
	done <"$work/modules"
}

# $1: small, system or system-RELEASE. Leaves the complete initramfs at $work/initrd; expects
# what belongs into /job in $work/job. $2: what to put in, "all", "kselftest"
# (only the kernel's selftests) or "bare" (nothing of either).
make_initrd() {
	root=$work/initrd.tree
	rm -rf "$work/initrd.tree"
	mkdir -p "$root/usr/bin" "$root/usr/sbin" "$root/usr/lib" "$root/usr/lib64"
	for dir in bin sbin lib lib64; do
		ln -s "usr/$dir" "$root/$dir"
	done
	busybox=$(command -v busybox) || fail "busybox: not found; run tools/deps vm"
	cp "$busybox" "$root/usr/bin/busybox"
	cp "$top/tests/vm/init" "$root/init"
	mkdir -p "$root/dev" "$root/proc" "$root/sys" "$root/run" "$root/tmp" "$root/root"
	[ -z "${stock-}" ] || add_modules "$root"
	if [ "$1" = small ]; then
		mkdir -p "$root/etc" "$root/var"
		ln -s ../run "$root/var/run"
		ln -s ../tmp "$root/var/tmp"
		printf '%s\n' root:x:0:0:root:/root:/bin/sh \
			nobody:x:65534:65534:nobody:/:/bin/sh >"$root/etc/passwd"
		printf '%s\n' root:x:0: nogroup:x:65534: >"$root/etc/group"
		printf '%s\n' '127.0.0.1 localhost checmate' '::1 localhost' >"$root/etc/hosts"
		printf '%s\n' 'hosts: files' >"$root/etc/nsswitch.conf"
		fill_payload "$root" "$2"
		# On a distribution's kernel there is nothing for them to test.
		[ "$2" = bare ] || [ -n "${stock-}" ] ||
			build_kselftests "$root/usr/libexec/checmate/kselftest"
		cp -a "$work/job" "$root/job"
		add_libraries "$root"
	else
		fill_payload "$root/payload" "$2"
		# Those of another release may lack one of the name.
		add_libraries "$root/payload" "${root_image%.ext4}.libraries"
		cp -a "$work/job" "$root/payload/job"
	fi
	archive "$work/initrd" "$root"
	rm -rf "$work/initrd.tree"
}

# The counter's frequency for an emulated guest, see there.
tsc_khz() {
	program=$cache/guest/tsc-khz-$(sha256sum "$top/tests/vm/tsc-khz.c" | cut -c 1-12)
	if [ ! -x "$program" ]; then
		mkdir -p "$cache/guest"
		gcc -O2 -o "$program.$$" "$top/tests/vm/tsc-khz.c" || return
		mv "$program.$$" "$program"
	fi
	"$program"
}

# Before 8.1 QEMU can translate code while another CPU changes it and then keep
# the breakpoint it saw half way: a guest that patches its text, as a kernel does
# whenever a static branch flips, then dies of an int3 every some dozen boots.
# Older ones run the CPUs in turns.
tcg_thread() {
	qemu-system-x86_64 --version | awk '
		match($0, /[0-9]+\.[0-9]+/) {
			split(substr($0, RSTART, RLENGTH), v, ".")
			fixed = v[1] > 8 || (v[1] == 8 && v[2] >= 1)
			print fixed ? "multi" : "single"
			exit
		}'
}

# Replaces this shell by, or starts, the guest $1, named as for make_initrd; the rest
# are further arguments of QEMU. $append has the caller's kernel arguments.
qemu_guest() {
	guest=$1
	shift
	processors=2
	if [ -n "${icount-}" ]; then
		# Time goes on by a nanosecond with each instruction, and at once while idle;
		# not with a disk, whose answers would come after hours.
		sleep=off
		[ "$guest" = small ] || sleep=on
		processors=1
		accel=tcg,thread=single
		append="checmate.icount tsc_early_khz=1000000 nokaslr ${append-}"
		set -- -icount shift=0,sleep=$sleep "$@"
	else
		accel=${CHECMATE_ACCEL:-tcg}
		[ "$accel" != tcg ] || accel=tcg,thread=$(tcg_thread)
	fi
	case "$accel" in
	tcg,*)
		set -- -accel "$accel" -cpu max "$@"
		if [ -z "${icount-}" ] && khz=$(tsc_khz); then
			append="tsc_early_khz=$khz ${append-}"
		fi
		;;
	kvm) set -- -accel kvm -cpu host "$@" ;;
	*) fail "CHECMATE_ACCEL=$accel: must be tcg or kvm" ;;
	esac
	machine=microvm,acpi=off,rtc=on,pit=on,pic=on,isa-serial=on
	bus=device
	if [ -n "${stock-}" ]; then
		# It has to be told of devices by ACPI, and measures its timers by one that
		# microvm lacks; against another, a busy host makes it think them broken.
		machine=q35
		bus=pci
		append="lsm=$(stock_lsm) ${append-}"
	fi
	memory=512M
	if [ "$guest" != small ]; then
		memory=1G
		set -- -drive "id=root,file=$root_image,format=raw,if=none,snapshot=on" \
			-device "virtio-blk-$bus,drive=root" "$@"
	fi
	# Kernel messages from warnings on reach the console; it is slow.
	set -- -append "console=ttyS0 loglevel=${CHECMATE_LOGLEVEL:-5} panic=-1 panic_on_warn=1 oops=panic reboot=t tsc=reliable watchdog_thresh=40 rcupdate.rcu_cpu_stall_timeout=60 checmate.guest=$guest ${append-}" "$@"
	exec qemu-system-x86_64 \
		-M "$machine" \
		-nodefaults -no-user-config -display none -no-reboot \
		-smp "$processors" -m "${CHECMATE_MEMORY:-$memory}" \
		-kernel "$kernel" -initrd "$work/initrd" \
		-device "virtio-serial-$bus" "$@"
}

# The security modules that the distribution's kernel starts with, and bpf.
stock_lsm() {
	sed -n 's/^CONFIG_LSM="\(.*\)"$/\1/p' "${kernel%/*}/config" |
		awk '{ print ("," $0 "," ~ /,bpf,/) ? $0 : $0 ",bpf" }'
}

# Sets $kernel: the distribution's if $stock has its series, and then $modules
# too, else what CHECMATE_KERNEL names, or the project's own.
need_kernel() {
	if [ -n "${stock-}" ]; then
		"$top/tests/vm/stock" "$stock" >"$work/stock" || fail "there is no stock kernel $stock"
		kernel=$(sed -n 1p "$work/stock")
		modules=$(sed -n 2p "$work/stock")
		return
	fi
	kernel=${CHECMATE_KERNEL-}
	[ -n "$kernel" ] || kernel=$("$top/tools/kernel-build") || fail "there is no guest kernel"
	[ -r "$kernel" ] || fail "$kernel: no such kernel"
}

# Sets $root_image, the disk of the guest $1, if it has one.
need_root() {
	root_image=
	case "$1" in
	small) ;;
	system) root_image=$("$top/tests/vm/rootfs") || fail "there is no root image" ;;
	system-*) root_image=$("$top/tests/vm/rootfs" "${1#system-}") || fail "there is no root image" ;;
	esac
}

need_programs() {
	"$top/tools/deps" vm || fail "the packages the guests need cannot be installed"
}
