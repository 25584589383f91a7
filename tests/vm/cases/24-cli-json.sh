#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What --json prints, in all states, is as the schemas say.

# shellcheck source=tests/lib/tap.sh
. /usr/libexec/checmate/tests/lib/tap.sh
# shellcheck source=tests/lib/policy.sh
. /usr/libexec/checmate/tests/lib/policy.sh

clean_slate
ctl=checmatectl
schemas=/usr/share/doc/checmate/schema

# A point: what "checmatectl --json $2…" prints is as schema $1 says.
like() {
	schema=$1
	shift
	$ctl --json "$@" >/tmp/json
	check "$* is like $schema" sh -c "'$tests/json-check' '$schemas/$schema.json' </tmp/json"
}

# A point: it has this member, too.
has() {
	check_match "and has $1" "$1" cat /tmp/json
}

mkdir -p "$cgroups/a/b" "$cgroups/a/c" "$cgroups/d"
like bindings status
like tree tree
like tree tree --all
has '"cgroup":"/a/b"'
like status status /a
like explain explain /a
like features features
has '"name":"socket_bind"'
like policy-list policy list
has '"name":"net-bind"'
for policy in $($ctl policy list | sed '1d; s/ .*//'); do
	like policy-show policy show "$policy"
done
like policy-verify policy verify
has '"loaded":true'
like policy-verify policy verify no-such
has '"accepted":false'

mkdir -p /tmp/bindings
printf '[Match]\nUnit=a.service\n[Policy net-bind]\nMode=permissive\nAllow=0.0.0.0:80\n' \
	>/tmp/bindings/a.conf
like config-verify config verify /tmp/bindings
has '"permissive":true'

like apply apply / net-connect
has '"applied":\['
like apply apply /a net-bind net-family
like apply apply --permissive /a/b net-bind
has '"permissive":true'
like apply apply --when-exec /a/c net-bind
has '"staged":true'
like apply replace /a/b net-bind net-connect
like params get /a net-bind
has '"allow":""'
like params set /a net-bind allow=127.0.0.1:80
has '"allow":"127.0.0.1:80"'
like mode mode /a net-bind permissive
like seal seal /a
has '"sealed":true'

mkdir "$cgroups/e"
$ctl apply /e net-bind >/dev/null
rmdir "$cgroups/e"
$ctl apply /d net-bind >/dev/null
mv "$pins/$(cgroup_id /d)" "$pins/kept"

like bindings status
has '"state":"gone"'
has '"state":"staged"'
has '"state":"permissive"'
has '"state":"in-force"'
like status status /
like status status /a
has '"sealed":true'
like status status /a/b
like status status /a/c
has '"staged":true'
like status status /d
has '"policy":null'
like tree tree
has '"policy":null'
has '"inherited":true'
for cgroup in / /a /a/b /a/c /d; do
	like explain explain $cgroup
done
has '"described":false'
like explain explain /a socket_bind
has '"errno":"EPERM"'
like explain explain /a task_kill
like explain explain /a /bin/true
has '"kind":'

mv "$pins/kept" "$pins/$(cgroup_id /d)"
like gc gc
has '"dropped":1'
like remove remove /a/b net-bind
like remove remove /a/b
has '"removed":null'

clean_slate
finish
