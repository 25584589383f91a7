/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Checmate policies - What every policy is written with
 *
 * A policy is one .bpf.c file:
 *
 *	#include "checmate.bpf.h"
 *
 *	CHECMATE_POLICY("my-policy", "1", "One line on what it does");
 *	CHECMATE_PARAM_ERRNO(deny_errno, "deny-errno", EPERM, "What callers see");
 *
 *	CHECMATE_HOOK(socket_listen)
 *	int BPF_PROG(my_listen, struct socket *sock, int backlog)
 *	{
 *		return checmate_deny(deny_errno);
 *	}
 *
 * Name, version, description and parameters are BTF decl tags. They stay with
 * the programs in the kernel, so a binding describes itself without this file.
 * Program names have at most 15 characters, policy names at most 31 of a-z, 0-9
 * and '-'.
 */
#ifndef CHECMATE_BPF_H
#define CHECMATE_BPF_H

#include <linux/bpf.h>
#include <asm/errno.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>
#include "checmate-kernel.h"
#include "checmate-types.h"

#define CHECMATE_TAG(text) __attribute__((btf_decl_tag("checmate:" text)))

/* Names the policy, and its licence towards the kernel. */
#define CHECMATE_POLICY(name, version, description)                         \
	char checmate_license[] SEC("license") CHECMATE_TAG("policy=" name) \
		CHECMATE_TAG("version=" version)                            \
			CHECMATE_TAG("description=" description) = "Dual BSD/GPL"

/* A program for an LSM hook; followed by int BPF_PROG(name, arguments...). */
#define CHECMATE_HOOK(hook) SEC("lsm_cgroup/" #hook)

/* A scalar parameter: the errno that a denied caller sees. */
#define CHECMATE_PARAM_ERRNO(var, name, value, doc)                       \
	volatile __s32 var SEC(".data.param") CHECMATE_TAG("param=" name) \
		CHECMATE_TAG("type=errno") CHECMATE_TAG("doc=" doc) = (value)

struct checmate_endpoints_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct checmate_endpoints));
};

/*
 * A list parameter of endpoints. One slot holds a map with the whole list; a
 * live change puts another map into the slot, so a judgement sees one list or
 * the other, never a mixture. The slot is empty until the list is set.
 */
#define CHECMATE_PARAM_ENDPOINTS(var, name, doc)                                      \
	struct {                                                                      \
		__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);                             \
		__uint(max_entries, 1);                                               \
		__type(key, __u32);                                                   \
		__array(values, struct checmate_endpoints_map);                       \
	} var SEC(".maps") CHECMATE_TAG("param=" name) CHECMATE_TAG("type=endpoints") \
		CHECMATE_TAG("doc=" doc)

/* Changes the address in a socket_bind or socket_connect program. */
extern int bpf_checmate_set_port(struct sockaddr *address, __be16 port) __ksym;
extern int bpf_checmate_set_addr(struct sockaddr *address, const void *addr, __u32 addr__sz) __ksym;
/* Changes the destination that the message of a socket_sendmsg program names. */
extern int bpf_checmate_set_msg_port(struct msghdr *msg, __be16 port) __ksym;
extern int bpf_checmate_set_msg_addr(struct msghdr *msg, const void *addr, __u32 addr__sz) __ksym;

/* The verdict: this program has no objection. */
static __always_inline int checmate_allow(void)
{
	return 1;
}

/*
 * The verdict: denied. An @error that is not a valid errno value is EPERM, so
 * that no value of a parameter turns a denial into something else.
 */
static __always_inline int checmate_deny(__s32 error)
{
	if (error < 1 || error > 4095)
		error = EPERM;
	/* Should the call fail, returning 0 still denies, with EPERM. */
	bpf_set_retval(-error);
	return 0;
}

#endif /* CHECMATE_BPF_H */
