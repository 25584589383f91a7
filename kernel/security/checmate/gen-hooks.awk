# SPDX-License-Identifier: GPL-2.0-only
#
# Expand include/linux/lsm_hook_defs.h into Checmate's list of hooks.
#
# usage: awk -f gen-hooks.awk kernel/bpf/bpf_lsm.c include/linux/lsm_hook_defs.h
#
# The first file tells which hooks BPF may not attach to, and which return a
# bool: such a hook has no denial to add (a "true" of inode_xattr_skipcap even
# lifts a check, and only the first LSM is asked for
# xfrm_state_pol_flow_match), so both sets are left out.  So are setselfattr,
# with which the framework asks no other LSM than the one whose attribute it is,
# and file_send_sigiotask, which an interrupt calls: nobody knows there who caused
# it.
# From every other hook comes, under the preprocessor conditions it stands in:
#
#	CHECMATE_HOOK(ret, default, name, kind, subject,
#		      concerned,
#		      (declarations),
#		      (declarations and subject), (arguments and subject),
#		      slots, pushes)
#
# subject is the expression that finds the cgroup that acts, concerned
# the cheap one, of a kind, that is false only where no program does and else has
# set a variable of that name; slots adds up a CHECMATE_SLOTS(argument) of every
# argument, and pushes is a CHECMATE_PUSH(argument) for each.

function trim(s)
{
	gsub(/^[ \t]+|[ \t]+$/, "", s)
	return s
}

# The subject of a hook: its socket where the first argument is one or an
# association of SCTP, which has one; the current task otherwise.
function subject(name, type, arg)
{
	if (name == "sk_alloc_security")
		return "checmate_current_cgroup()"
	if (name == "sk_free_security")
		return "checmate_dying_sock_cgroup(" arg ")"
	if (type ~ /^(const )?struct socket \*$/)
		return "checmate_socket_cgroup(" arg ")"
	if (type ~ /^(const )?struct sock \*$/)
		return "checmate_sock_cgroup(" arg ")"
	if (type == "struct sctp_association *")
		return "checmate_sock_cgroup(" arg "->base.sk)"
	return "checmate_current_cgroup()"
}

# Where the fast path of a hook looks for the subject.  Of the hooks of a socket two
# may be called for one that has no sock, or for none.
function kind(name, type)
{
	if (name == "socket_post_create" || name == "socket_getpeersec_dgram")
		return "socket"
	if (type == "struct sctp_association *")
		return "sock"
	if (name == "sk_alloc_security" ||
	    type !~ /^(const )?struct sock(et)? \*$/)
		return "task"
	return "sock"
}

# The question whether the cgroup may have a program of the hook.
function concerned(name, where, type, arg)
{
	if (where == "task")
		return "checmate_current_concerned(CHECMATE_HOOK_" name ", &subject)"
	if (where == "sock" && type ~ /socket \*$/)
		arg = arg "->sk, "
	else if (where == "sock" && type ~ /sctp_association/)
		arg = arg "->base.sk, "
	else
		arg = arg ", "
	return "checmate_" where "_concerned(" arg "CHECMATE_HOOK_" name ", &subject)"
}

function emit(text,	n, i, part, name, arg, type, pushes, decls, who, where,
	      whether, args, slots)
{
	gsub(/[ \t]+/, " ", text)
	sub(/^LSM_HOOK\(/, "", text)
	sub(/\)[ ]*$/, "", text)
	n = split(text, part, ",")
	name = trim(part[3])
	hooks++
	if (name in skipped) {
		left_out++
		return
	}
	who = "checmate_current_cgroup()"
	where = "task"
	whether = concerned(name, where, "", "")
	slots = "0"
	for (i = 4; i <= n; i++) {
		part[i] = trim(part[i])
		if (part[i] == "void")
			continue
		decls = decls part[i] ", "
		match(part[i], /[A-Za-z_0-9]+$/)
		arg = substr(part[i], RSTART)
		type = trim(substr(part[i], 1, RSTART - 1))
		if (i == 4) {
			who = subject(name, type, arg)
			where = kind(name, type)
			whether = concerned(name, where, type, arg)
		}
		args = args arg ", "
		slots = slots " + CHECMATE_SLOTS(" arg ")"
		pushes = pushes " CHECMATE_PUSH(" arg ")"
	}
	printf "CHECMATE_HOOK(%s, %s, %s, %s, %s,\n\t%s,\n",
	       trim(part[1]), trim(part[2]), name, where, who, whether
	printf "\t(%s),\n\t(%sstruct checmate_cgroup *subject), (%ssubject),\n",
	       decls ? substr(decls, 1, length(decls) - 2) : "void", decls, args
	printf "\t%s,%s)\n", slots, pushes
}

function fail(why)
{
	print "gen-hooks.awk: " why >"/dev/stderr"
	failed = 1
	exit 1
}

BEGIN {
	skipped["setselfattr"] = 1
	skipped["file_send_sigiotask"] = 1
	nr_skipped = 2
}

FNR == 1 {
	file++
}

file == 1 && /^BTF_SET_START\((bpf_lsm_disabled_hooks|bool_lsm_hooks)\)/ {
	skipping = 1
	sets++
}

file == 1 && /^BTF_SET_END/ {
	skipping = 0
}

file == 1 && skipping && /^BTF_ID/ && match($0, /bpf_lsm_[a-z_0-9]+\)/) {
	skipped[substr($0, RSTART + 8, RLENGTH - 9)] = 1
	nr_skipped++
}

file == 2 && /^#/ {
	print
}

file == 2 && /^LSM_HOOK\(/ {
	lines++
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

# A change of the kernel that this does not understand must not add a hook that
# should be left out, nor lose one.
END {
	if (failed)
		exit 1
	if (sets != 2)
		fail("bpf_lsm.c: expected two sets of hooks, found " sets + 0)
	if (left_out != nr_skipped)
		fail("bpf_lsm.c names hooks that lsm_hook_defs.h does not have")
	if (!lines || hooks != lines)
		fail("lsm_hook_defs.h: understood " hooks + 0 " of " lines + 0 " hooks")
}
