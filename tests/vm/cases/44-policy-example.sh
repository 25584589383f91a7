#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# keep-time, the example in the policies' README.md: it does what is said there.

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=tests/lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh

clean_slate
mkdir "$cgroups/a" "$cgroups/sibling"
policy=$tests/keep-time.bpf.o

# What came of setting the clock to what it shows.
# shellcheck disable=SC2317 # called by check_output
set_clock() {
	clock_said=$(inside "$1" date -s "@$(date +%s)" 2>&1 >/dev/null)
	echo "${clock_said:-ok}" | sed 's/.*: //'
}

check_output "the clock can be set" ok set_clock /a
check_match "the policy describes itself" "Users who may set it" checmatectl policy show "$policy"
check "the policy applies" checmatectl apply /a "$policy"
check_output "nobody can set the clock" "Operation not permitted" set_clock /a
check_output "it can be set elsewhere" ok set_clock /sibling
check "root may" checmatectl set /a keep-time allow=0
check_output "root can" ok set_clock /a
check "others may" checmatectl set /a keep-time allow=1-999,65534 deny-errno=EACCES
check_output "root cannot" "Permission denied" set_clock /a
check "removed" checmatectl remove /a
check_output "the clock can be set again" ok set_clock /a

clean_slate
finish
