# SPDX-License-Identifier: GPL-2.0-only
#
# Expand include/linux/lsm_hook_defs.h into Checmate's list of hooks.
#
# usage: awk -f gen-hooks.awk kernel/bpf/bpf_lsm.c include/linux/lsm_hook_defs.h
#
# The first file tells which hooks BPF may not attach to, and which return a
# bool: such a hook has no denial to add (a "true" of inode_xattr_skipcap even
# lifts a check, and only the first LSM is asked for
# xfrm_state_pol_flow_match), so both sets are left out.  From every other hook
# comes, under the preprocessor conditions it stands in:
#
#	CHECMATE_HOOK(ret, default, name, subject, (declarations), pushes)
#
# subject is the expression that finds whose ruleset judges the call; pushes is
# a CHECMATE_PUSH(argument) for every argument.

function trim(s)
{
	gsub(/^[ \t]+|[ \t]+$/, "", s)
	return s
}

# The subject of a hook: its socket where the first argument is one, the
# current task otherwise.
function subject(name, type, arg)
{
	if (name == "sk_alloc_security")
		return "checmate_current_ruleset()"
	if (name == "sk_free_security")
		return "checmate_dying_sock_ruleset(" arg ")"
	if (type ~ /^(const )?struct socket \*$/)
		return "checmate_socket_ruleset(" arg ")"
	if (type ~ /^(const )?struct sock \*$/)
		return "checmate_sock_ruleset(" arg ")"
	return "checmate_current_ruleset()"
}

function emit(text,	n, i, part, name, arg, type, pushes, decls, who)
{
	gsub(/[ \t]+/, " ", text)
	sub(/^LSM_HOOK\(/, "", text)
	sub(/\)[ ]*$/, "", text)
	n = split(text, part, ",")
	name = trim(part[3])
	if (name in skipped)
		return
	who = "checmate_current_ruleset()"
	for (i = 4; i <= n; i++) {
		part[i] = trim(part[i])
		decls = decls (i > 4 ? ", " : "") part[i]
		if (part[i] == "void")
			continue
		match(part[i], /[A-Za-z_0-9]+$/)
		arg = substr(part[i], RSTART)
		type = trim(substr(part[i], 1, RSTART - 1))
		if (i == 4)
			who = subject(name, type, arg)
		pushes = pushes " CHECMATE_PUSH(" arg ")"
	}
	printf "CHECMATE_HOOK(%s, %s, %s, %s,\n\t(%s),%s)\n",
	       trim(part[1]), trim(part[2]), name, who, decls, pushes
}

FNR == 1 {
	file++
}

file == 1 && /^BTF_SET_START\((bpf_lsm_disabled_hooks|bool_lsm_hooks)\)/ {
	skipping = 1
}

file == 1 && /^BTF_SET_END/ {
	skipping = 0
}

file == 1 && skipping && match($0, /bpf_lsm_[a-z_0-9]+\)/) {
	skipped[substr($0, RSTART + 8, RLENGTH - 9)] = 1
}

file == 2 && /^#/ {
	print
}

file == 2 && /^LSM_HOOK\(/ {
	collecting = 1
	text = ""
}

file == 2 && collecting {
	text = text " " $0
	if (/\)[ \t]*$/) {
		sub(/^ /, "", text)
		emit(text)
		collecting = 0
	}
}
