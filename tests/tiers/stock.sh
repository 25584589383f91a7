# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2154
#
# What the tiers of stock kernels share. $series names the kernel.

# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

# The policies' cases, and those of the library and the command line that say so.
list_stock() {
	{
		list_cases | grep -e '-policy-'
		grep -l '^# Runs on stock kernels too\.' tests/vm/cases/*.sh |
			sed 's,.*/\(.*\)\.sh,\1,'
	} | sort
}

run() {
	paths=
	without=
	demo=
	for name in "$@"; do
		case "$name" in
		no-bpf-in-lsm) without=$lib/cases/$name.sh ;;
		10-demo) demo=$lib/system/$name.sh ;;
		*) paths="$paths $(guest_path "$name")" ;;
		esac
	done
	status=0
	# shellcheck disable=SC2086
	[ -z "$paths" ] || tests/vm/run --stock "$series" --timeout "${CHECMATE_TIMEOUT:-3600}" \
		--console "$logs/stock-$series.console" \
		-- env ${CHECMATE_FAULTS:+"CHECMATE_FAULTS=$CHECMATE_FAULTS"} \
		"$lib/lib/batch" 900 $paths || status=$?
	[ -z "$without" ] || tests/vm/run --stock "$series" --append lsm=landlock,yama \
		--console "$logs/stock-$series-without.console" \
		-- "$lib/lib/batch" 100 "$without" || status=$?
	[ -z "$demo" ] || tests/vm/run --guest system --stock "$series" --timeout 900 \
		--console "$logs/stock-$series-demo.console" \
		-- "$lib/lib/batch" 600 "$demo" || status=$?
	return "$status"
}
