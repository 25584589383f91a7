# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2154
#
# What the tiers of debug kernels share. $config names the kernel, $finding what it has
# found at the end.

# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

# Operations of the torture test: these kernels are slower by an order.
debug_ops=3000

list() {
	list_kunit
	list_kselftests
	[ "$config" != kasan ] || echo failslab_test
	echo torture_test
	echo "$finding"
}

run() {
	suites=" $(list_kunit | xargs) "
	paths=
	for name in "$@"; do
		case "$suites" in
		*" $name "*) paths="$paths kunit:$name" ;;
		*)
			case "$name" in
			"$finding") paths="$paths $name" ;;
			*) paths="$paths $(guest_path "$name")" ;;
			esac
			;;
		esac
	done
	image=$(tools/kernel-build --config "$config")
	# shellcheck disable=SC2086
	CHECMATE_KERNEL=$image CHECMATE_MEMORY=${CHECMATE_MEMORY:-2G} \
		tests/vm/run --kselftest --timeout 5400 --console "$logs/debug-$config.console" \
		--fetch "$logs/debug-$config.fetch" \
		--append 'kunit.enable=1 kunit.filter_glob=checmate*' \
		-- env "CHECMATE_TORTURE_OPS=${CHECMATE_TORTURE_OPS:-$debug_ops}" \
		"$lib/lib/debug" 1800 $paths || return
	# Only what all of them have run says what the tests reach.
	[ "$*" != "$(list | xargs)" ] || echo "$image" >"$logs/debug-$config.whole"
}
