// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Rewriting of socket addresses
 *
 * Kfuncs set the port and the address of the sockaddr that a socket_bind or
 * socket_connect hook was given, or that the message of a socket_sendmsg hook
 * names.  The verifier admits them in programs of these hooks only.  Such a
 * program may also be attached elsewhere than to a cgroup, where nothing says
 * how long the address is: the kfuncs then refuse.
 *
 * In all three the address is a copy in kernel memory that lives until the
 * call is done, whoever made it: sock_sendmsg() copies those of the kernel.
 *
 * A program that changes the address changes what the programs before it have
 * evaluated, be these a descendant's or sealed.  They evaluate the call again, and
 * their denials count.  In that round the address stays as it is.
 */

#include <linux/array_size.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/filter.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/init.h>
#include <linux/lsm_hooks.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/socket.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <net/ipv6.h>

#include "common.h"
#include "lsm.h"
#include "rewrite.h"

/* Slots of the hooks' arguments: bind and connect, sendmsg. */
#define SLOT_ADDRESS	1
#define SLOT_ADDRLEN	2
#define SLOT_MSG	1

/* Only the task itself looks at its blob, hence no lock. */
static struct checmate_rewrite **current_rewrite(void)
{
	return current->security + checmate_blob_sizes.lbs_task;
}

/**
 * checmate_begin_rewrite - Let kfuncs reach the address of a hook
 * @rewrite: filled in; must outlive the run of the programs
 * @hook: the hook, for which checmate_can_rewrite()
 * @args: the hook's arguments
 *
 * Context: Process context.
 * Return: What to give to checmate_end_rewrite().
 */
struct checmate_rewrite *checmate_begin_rewrite(struct checmate_rewrite *rewrite,
						enum checmate_hook hook,
						const u64 *args)
{
	struct checmate_rewrite **current_slot = current_rewrite();
	struct checmate_rewrite *outer = *current_slot;

	if (hook == CHECMATE_HOOK_socket_sendmsg) {
		rewrite->msg = (struct msghdr *)(unsigned long)args[SLOT_MSG];
		rewrite->address = rewrite->msg->msg_name;
		rewrite->addrlen = rewrite->msg->msg_namelen;
	} else {
		rewrite->msg = NULL;
		rewrite->address =
			(struct sockaddr *)(unsigned long)args[SLOT_ADDRESS];
		rewrite->addrlen = args[SLOT_ADDRLEN];
	}
	rewrite->is_changed = false;
	rewrite->is_repeated = false;
	rewrite->reported = 0;
	*current_slot = rewrite;
	return outer;
}

/**
 * checmate_end_rewrite - Take the address out of reach again
 * @outer: what checmate_begin_rewrite() returned
 *
 * Context: As checmate_begin_rewrite().
 */
void checmate_end_rewrite(struct checmate_rewrite *outer)
{
	*current_rewrite() = outer;
}

/* Whether the caller gave all of the address that its family asks for. */
static int check_address(const struct checmate_rewrite *rewrite)
{
	int needed;

	if (!rewrite->address ||
	    rewrite->addrlen < (int)offsetofend(struct sockaddr, sa_family))
		return -EINVAL;
	switch (rewrite->address->sa_family) {
	case AF_INET:
		needed = sizeof(struct sockaddr_in);
		break;
	case AF_INET6:
		needed = SIN6_LEN_RFC2133;
		break;
	default:
		return -EAFNOSUPPORT;
	}
	return rewrite->addrlen < needed ? -EINVAL : 0;
}

/* A program that runs again has had its say: others have changed that since. */
static void set_bytes(struct checmate_rewrite *rewrite, size_t offset,
		      const void *bytes, size_t size)
{
	void *to = (void *)rewrite->address + offset;

	if (rewrite->is_repeated || !memcmp(to, bytes, size))
		return;
	memcpy(to, bytes, size);
	rewrite->is_changed = true;
}

static int set_port(struct checmate_rewrite *rewrite, __be16 port)
{
	int err = check_address(rewrite);

	if (err)
		return err;
	/* The port is at the same place in both families. */
	BUILD_BUG_ON(offsetof(struct sockaddr_in, sin_port) !=
		     offsetof(struct sockaddr_in6, sin6_port));
	set_bytes(rewrite, offsetof(struct sockaddr_in, sin_port), &port,
		  sizeof(port));
	return 0;
}

static int set_addr(struct checmate_rewrite *rewrite, const void *addr,
		    u32 size)
{
	int err = check_address(rewrite);
	size_t offset, room;

	if (err)
		return err;
	if (rewrite->address->sa_family == AF_INET) {
		offset = offsetof(struct sockaddr_in, sin_addr);
		room = sizeof(struct in_addr);
	} else {
		offset = offsetof(struct sockaddr_in6, sin6_addr);
		room = sizeof(struct in6_addr);
	}
	if (size != room)
		return -EINVAL;
	set_bytes(rewrite, offset, addr, size);
	return 0;
}

/* The rewrite state of the current call, if @address is its address. */
static struct checmate_rewrite *find_address(const struct sockaddr *address)
{
	struct checmate_rewrite *rewrite = *current_rewrite();

	return rewrite && !rewrite->msg && rewrite->address == address ?
	       rewrite : NULL;
}

/* The rewrite state of the current call, if @msg is its message. */
static struct checmate_rewrite *find_msg(const struct msghdr *msg)
{
	struct checmate_rewrite *rewrite = *current_rewrite();

	return rewrite && rewrite->msg == msg ? rewrite : NULL;
}

__bpf_kfunc_start_defs();

/**
 * bpf_checmate_set_port - Set the port of the address being evaluated
 * @address: the address argument of socket_bind or socket_connect
 * @port: the port, in network byte order
 *
 * Context: Within a program that Checmate runs for the hook.
 * Return: 0; -EINVAL if @address is not the one being evaluated or is
 * shorter than its family asks for, -EAFNOSUPPORT if it is neither AF_INET nor
 * AF_INET6.  Where bpf_checmate_is_repeated(), nothing is changed, either.
 */
__bpf_kfunc int bpf_checmate_set_port(struct sockaddr *address, __be16 port)
{
	struct checmate_rewrite *rewrite = find_address(address);

	return rewrite ? set_port(rewrite, port) : -EINVAL;
}

/**
 * bpf_checmate_set_addr - Set the IP address of the address being evaluated
 * @address: the address argument of socket_bind or socket_connect
 * @addr: the new IP address, in network byte order
 * @addr__sz: its size: 4 for AF_INET, 16 for AF_INET6
 *
 * Context: Within a program that Checmate runs for the hook.
 * Return: 0; -EINVAL if @address is not the one being evaluated, is shorter than
 * its family asks for, or @addr__sz is not the size for its family,
 * -EAFNOSUPPORT if it is neither AF_INET nor AF_INET6.  Where
 * bpf_checmate_is_repeated(), nothing is changed, either.
 */
__bpf_kfunc int bpf_checmate_set_addr(struct sockaddr *address,
				      const void *addr, u32 addr__sz)
{
	struct checmate_rewrite *rewrite = find_address(address);

	return rewrite ? set_addr(rewrite, addr, addr__sz) : -EINVAL;
}

/**
 * bpf_checmate_set_msg_port - Set the destination port of a message
 * @msg: the message argument of socket_sendmsg
 * @port: the port, in network byte order
 *
 * Context: Within a program that Checmate runs for the hook.
 * Return: As bpf_checmate_set_port(); -EINVAL also if the message names no
 * destination.
 */
__bpf_kfunc int bpf_checmate_set_msg_port(struct msghdr *msg, __be16 port)
{
	struct checmate_rewrite *rewrite = find_msg(msg);

	return rewrite ? set_port(rewrite, port) : -EINVAL;
}

/**
 * bpf_checmate_set_msg_addr - Set the destination IP address of a message
 * @msg: the message argument of socket_sendmsg
 * @addr: the new IP address, in network byte order
 * @addr__sz: its size: 4 for AF_INET, 16 for AF_INET6
 *
 * Context: Within a program that Checmate runs for the hook.
 * Return: As bpf_checmate_set_addr(); -EINVAL also if the message names no
 * destination.
 */
__bpf_kfunc int bpf_checmate_set_msg_addr(struct msghdr *msg,
					  const void *addr, u32 addr__sz)
{
	struct checmate_rewrite *rewrite = find_msg(msg);

	return rewrite ? set_addr(rewrite, addr, addr__sz) : -EINVAL;
}

/**
 * bpf_checmate_is_repeated - Whether a program evaluates a call again
 *
 * A program that has evaluated a call evaluates it again if another program
 * changes the address afterwards.  Its denial counts then, and what it sets is
 * ignored.  For programs that count calls.
 *
 * Context: Within a program that Checmate runs for the hook.
 * Return: true if the program has evaluated this call before.
 */
__bpf_kfunc bool bpf_checmate_is_repeated(void)
{
	const struct checmate_rewrite *rewrite;

	/* An interrupt evaluates for itself. */
	if (!in_task())
		return false;
	rewrite = *current_rewrite();
	return rewrite && rewrite->is_repeated;
}

__bpf_kfunc_end_defs();

BTF_KFUNCS_START(checmate_rewrite_kfuncs)
BTF_ID_FLAGS(func, bpf_checmate_set_port, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_checmate_set_addr, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_checmate_set_msg_port, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_checmate_set_msg_addr, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_checmate_is_repeated)
BTF_KFUNCS_END(checmate_rewrite_kfuncs)

/* All kfuncs that reach the address, in the same order twice. */
BTF_ID_LIST(setter_ids)
BTF_ID(func, bpf_checmate_set_port)
BTF_ID(func, bpf_checmate_set_addr)
BTF_ID(func, bpf_checmate_set_msg_port)
BTF_ID(func, bpf_checmate_set_msg_addr)

static const void *const setters[] = {
	bpf_checmate_set_port,
	bpf_checmate_set_addr,
	bpf_checmate_set_msg_port,
	bpf_checmate_set_msg_addr,
};

/**
 * checmate_sets_address - Whether an instruction calls a kfunc that sets an address
 * @insn: an instruction of a program that is loaded
 *
 * The verifier has replaced the id of the kfunc by the place of its function, except
 * for architectures whose calls reach farther.
 *
 * Context: Any context.
 * Return: true if it does.
 */
bool checmate_sets_address(const struct bpf_insn *insn)
{
	const bool has_id = bpf_jit_supports_far_kfunc_call();
	unsigned int i;

	if (insn->code != (BPF_JMP | BPF_CALL) ||
	    insn->src_reg != BPF_PSEUDO_KFUNC_CALL)
		return false;
	for (i = 0; i < ARRAY_SIZE(setters); i++)
		if (insn->imm == (s32)(has_id ? setter_ids[i] :
						BPF_CALL_IMM(setters[i])))
			return true;
	return false;
}

/* The set is registered for all tracing programs: admit only our hooks'. */
static int filter_kfuncs(const struct bpf_prog *prog, u32 kfunc_id)
{
	int hook;

	if (!btf_id_set8_contains(&checmate_rewrite_kfuncs, kfunc_id))
		return 0;
	if (prog->type != BPF_PROG_TYPE_LSM)
		return -EACCES;
	hook = checmate_find_hook(prog->aux->attach_btf_id);
	if (hook < 0 || !checmate_can_rewrite(hook))
		return -EACCES;
	return 0;
}

static const struct btf_kfunc_id_set rewrite_kfunc_set = {
	.owner = THIS_MODULE,
	.set = &checmate_rewrite_kfuncs,
	.filter = filter_kfuncs,
};

static int __init register_kfuncs(void)
{
	/* Without the LSM there is no blob to find the address through. */
	if (!checmate_is_active())
		return 0;
	return register_btf_kfunc_id_set(BPF_PROG_TYPE_LSM, &rewrite_kfunc_set);
}
late_initcall(register_kfuncs);
