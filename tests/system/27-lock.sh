#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A process that keeps the lock of the pins, as one does that was stopped, blocks others
# for a limited time.
#
# Takes: 40

# shellcheck source=SCRIPTDIR/../lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=SCRIPTDIR/container.sh
. /usr/libexec/checmate/tests/system/container.sh

mkdir "$cgroups/lock"
check "a policy is applied" checmatectl --direct apply /lock net-bind allow=127.0.0.1:80
# shellcheck disable=SC2016
sh -c 'exec 9<"$1" && flock 9 && exec sleep 1000' sh "$pins" &
holder=$!
# shellcheck disable=SC2317 # called by wait_until
lock_is_taken() {
	! flock -n "$pins" true
}
check "a process keeps the lock" wait_until 30 lock_is_taken
check_match "others give up" "$pins: another process keeps it locked; .*lslocks" \
	checmatectl --direct replace /lock net-bind allow=
kill $holder
wait $holder
check_match "and have changed nothing" '127.0.0.1:80' checmatectl --direct get /lock net-bind
check "the policy goes" checmatectl --direct remove /lock
rmdir "$cgroups/lock"
finish
