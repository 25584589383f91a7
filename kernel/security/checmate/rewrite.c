// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Rewriting of socket addresses
 *
 * Two kfuncs set the port and the address of the sockaddr that a socket_bind
 * or socket_connect hook was given.  The verifier admits them in programs of
 * these hooks only.  Such a program may also be attached elsewhere than to a
 * cgroup, where nothing says how long the address is: the kfuncs then refuse.
 */

#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/init.h>
#include <linux/lsm_hooks.h>
#include <linux/sched.h>
#include <linux/socket.h>
#include <linux/stddef.h>
#include <net/ipv6.h>

#include "common.h"
#include "rewrite.h"
#include "setup.h"

/* The slots of the address and its length in the hooks' arguments. */
#define SLOT_ADDRESS	1
#define SLOT_ADDRLEN	2

/* Only the task itself looks at its blob, hence no lock. */
static struct checmate_rewrite **current_rewrite(void)
{
	return current->security + checmate_blob_sizes.lbs_task;
}

/**
 * checmate_begin_rewrite - Let kfuncs reach the address of a hook
 * @rewrite: filled in; must outlive the run of the programs
 * @args: the hook's arguments
 *
 * Context: Process context, of a hook for which checmate_can_rewrite().
 * Return: What to give to checmate_end_rewrite().
 */
struct checmate_rewrite *checmate_begin_rewrite(struct checmate_rewrite *rewrite,
						const u64 *args)
{
	struct checmate_rewrite **current_slot = current_rewrite();
	struct checmate_rewrite *outer = *current_slot;

	rewrite->address = (struct sockaddr *)(unsigned long)args[SLOT_ADDRESS];
	rewrite->addrlen = args[SLOT_ADDRLEN];
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

/* How many bytes of @address may be touched; negative where none may. */
static int usable_length(const struct sockaddr *address)
{
	const struct checmate_rewrite *rewrite = *current_rewrite();

	if (!rewrite || rewrite->address != address)
		return -EINVAL;
	if (rewrite->addrlen < (int)offsetofend(struct sockaddr, sa_family))
		return -EINVAL;
	switch (address->sa_family) {
	case AF_INET:
		if (rewrite->addrlen < (int)sizeof(struct sockaddr_in))
			return -EINVAL;
		break;
	case AF_INET6:
		if (rewrite->addrlen < SIN6_LEN_RFC2133)
			return -EINVAL;
		break;
	default:
		return -EAFNOSUPPORT;
	}
	return rewrite->addrlen;
}

__bpf_kfunc_start_defs();

/**
 * bpf_checmate_set_port - Set the port of the address being judged
 * @address: the hook's address argument
 * @port: the port, in network byte order
 *
 * Context: Within a program that Checmate runs for the hook.
 * Return: 0; -EINVAL if @address is not the one being judged or is shorter
 * than its family asks for, -EAFNOSUPPORT if it is neither AF_INET nor
 * AF_INET6.
 */
__bpf_kfunc int bpf_checmate_set_port(struct sockaddr *address, __be16 port)
{
	int length = usable_length(address);

	if (length < 0)
		return length;
	/* The port is at the same place in both families. */
	BUILD_BUG_ON(offsetof(struct sockaddr_in, sin_port) !=
		     offsetof(struct sockaddr_in6, sin6_port));
	((struct sockaddr_in *)address)->sin_port = port;
	return 0;
}

/**
 * bpf_checmate_set_addr - Set the IP address of the address being judged
 * @address: the hook's address argument
 * @addr: the new IP address, in network byte order
 * @addr__sz: its size: 4 for AF_INET, 16 for AF_INET6
 *
 * Context: Within a program that Checmate runs for the hook.
 * Return: 0; -EINVAL if @address is not the one being judged, is shorter than
 * its family asks for, or @addr__sz is not the size for its family,
 * -EAFNOSUPPORT if it is neither AF_INET nor AF_INET6.
 */
__bpf_kfunc int bpf_checmate_set_addr(struct sockaddr *address,
				      const void *addr, u32 addr__sz)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)address;
	struct sockaddr_in *sin = (struct sockaddr_in *)address;
	int length = usable_length(address);

	if (length < 0)
		return length;
	if (address->sa_family == AF_INET &&
	    addr__sz == sizeof(sin->sin_addr)) {
		memcpy(&sin->sin_addr, addr, sizeof(sin->sin_addr));
		return 0;
	}
	if (address->sa_family == AF_INET6 &&
	    addr__sz == sizeof(sin6->sin6_addr)) {
		memcpy(&sin6->sin6_addr, addr, sizeof(sin6->sin6_addr));
		return 0;
	}
	return -EINVAL;
}

__bpf_kfunc_end_defs();

BTF_KFUNCS_START(checmate_rewrite_kfuncs)
BTF_ID_FLAGS(func, bpf_checmate_set_port, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_checmate_set_addr, KF_TRUSTED_ARGS)
BTF_KFUNCS_END(checmate_rewrite_kfuncs)

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
