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
 *		return checmate_deny("socket_listen", deny_errno);
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
#define CHECMATE_POLICY(name, version, description)                                         \
	char checmate_license[] SEC("license") CHECMATE_TAG("policy=" name)                 \
		CHECMATE_TAG("version=" version)                                            \
			CHECMATE_TAG("description=" description) = "Dual BSD/GPL";          \
	_Static_assert(sizeof(name) <= CHECMATE_NAME_MAX, "the policy's name is too long"); \
	volatile struct checmate_self checmate_self SEC(".data.self") = { .policy = name }

/* A program for an LSM hook; followed by int BPF_PROG(name, arguments...). */
#define CHECMATE_HOOK(hook) SEC("lsm_cgroup/" #hook)

/* --- parameters ------------------------------------------------------------ */

/*
 * Scalars are variables, stored to at once; a program that needs the same value
 * twice reads it once.
 */
#define CHECMATE_PARAM_SCALAR(ctype, var, name, type, value, doc)         \
	volatile ctype var SEC(".data.param") CHECMATE_TAG("param=" name) \
		CHECMATE_TAG("type=" type) CHECMATE_TAG("doc=" doc) = (value)

/* The errno that a denied caller sees. */
#define CHECMATE_PARAM_ERRNO(var, name, value, doc) \
	CHECMATE_PARAM_SCALAR(__s32, var, name, "errno", value, doc)

/* Yes or no: 1 or 0. */
#define CHECMATE_PARAM_BOOL(var, name, value, doc) \
	CHECMATE_PARAM_SCALAR(__u32, var, name, "bool", value, doc)

/* A number; @min and @max are decimal literals. */
#define CHECMATE_PARAM_NUMBER(var, name, value, min, max, doc)                                  \
	volatile __u64 var SEC(".data.param") CHECMATE_TAG("param=" name)                       \
		CHECMATE_TAG("type=number") CHECMATE_TAG("min=" #min) CHECMATE_TAG("max=" #max) \
			CHECMATE_TAG("doc=" doc) = (value)

/* One of several words, "one|two|three", as 0, 1, 2. */
#define CHECMATE_PARAM_CHOICE(var, name, value, choices, doc)                \
	volatile __u32 var SEC(".data.param") CHECMATE_TAG("param=" name)    \
		CHECMATE_TAG("type=choice") CHECMATE_TAG("choices=" choices) \
			CHECMATE_TAG("doc=" doc) = (value)

/* Sets: bit N stands for capability, address family or socket type N. */
#define CHECMATE_PARAM_CAPABILITIES(var, name, value, doc) \
	CHECMATE_PARAM_SCALAR(__u64, var, name, "capabilities", value, doc)
#define CHECMATE_PARAM_FAMILIES(var, name, value, doc) \
	CHECMATE_PARAM_SCALAR(__u64, var, name, "families", value, doc)
#define CHECMATE_PARAM_SOCKET_TYPES(var, name, value, doc) \
	CHECMATE_PARAM_SCALAR(__u64, var, name, "socket-types", value, doc)

/* A set of signals: bit N - 1 stands for signal N, as in a sigset. */
#define CHECMATE_PARAM_SIGNALS(var, name, value, doc) \
	CHECMATE_PARAM_SCALAR(__u64, var, name, "signals", value, doc)

/* The map inside, which holds a whole list. */
#define CHECMATE_LIST_MAP(list)                          \
	struct list##_map {                              \
		__uint(type, BPF_MAP_TYPE_ARRAY);        \
		__uint(max_entries, 1);                  \
		__uint(key_size, sizeof(__u32));         \
		__uint(value_size, sizeof(struct list)); \
	}
CHECMATE_LIST_MAP(checmate_endpoints);
CHECMATE_LIST_MAP(checmate_port_ranges);
CHECMATE_LIST_MAP(checmate_id_ranges);
CHECMATE_LIST_MAP(checmate_path_prefixes);
CHECMATE_LIST_MAP(checmate_names);

/*
 * A list. One slot holds a map with the whole list; a live change puts another
 * map into the slot, so a judgement that takes the list once sees one list or
 * the other, never a mixture. The slot is empty until the list is set, which
 * libchecmate does before the programs can run. @value is the list to begin
 * with, as text.
 */
#define CHECMATE_PARAM_LIST(list, var, name, type_name, value, doc)                    \
	struct {                                                                       \
		__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);                              \
		__uint(max_entries, 1);                                                \
		__type(key, __u32);                                                    \
		__array(values, struct list##_map);                                    \
	} var SEC(".maps") CHECMATE_TAG("param=" name) CHECMATE_TAG("type=" type_name) \
		CHECMATE_TAG("default=" value) CHECMATE_TAG("doc=" doc)

#define CHECMATE_PARAM_ENDPOINTS(var, name, value, doc) \
	CHECMATE_PARAM_LIST(checmate_endpoints, var, name, "endpoints", value, doc)
#define CHECMATE_PARAM_PORTS(var, name, value, doc) \
	CHECMATE_PARAM_LIST(checmate_port_ranges, var, name, "ports", value, doc)
#define CHECMATE_PARAM_UIDS(var, name, value, doc) \
	CHECMATE_PARAM_LIST(checmate_id_ranges, var, name, "uids", value, doc)
#define CHECMATE_PARAM_GIDS(var, name, value, doc) \
	CHECMATE_PARAM_LIST(checmate_id_ranges, var, name, "gids", value, doc)
#define CHECMATE_PARAM_PATHS(var, name, value, doc) \
	CHECMATE_PARAM_LIST(checmate_path_prefixes, var, name, "paths", value, doc)
#define CHECMATE_PARAM_FSTYPES(var, name, value, doc) \
	CHECMATE_PARAM_LIST(checmate_names, var, name, "fstypes", value, doc)

/*
 * The list that a CHECMATE_PARAM_LIST holds now, or NULL: no list was put
 * there. Whoever allows what is listed denies then.
 */
static __always_inline const void *checmate_list(void *param)
{
	__u32 zero = 0;
	void *map = bpf_map_lookup_elem(param, &zero);

	return map ? bpf_map_lookup_elem(map, &zero) : NULL;
}

/*
 * 0, of which the verifier knows no more than of @any: what follows it does not look at
 * once for 0 and once for each other value.
 */
static __always_inline __u64 checmate_zero(__u64 any)
{
	asm volatile("%0 ^= %0" : "+r"(any));
	return any;
}

/* --- kernel functions ------------------------------------------------------ */

/* Changes the address in a socket_bind or socket_connect program. */
extern int bpf_checmate_set_port(struct sockaddr *address, __be16 port) __ksym;
extern int bpf_checmate_set_addr(struct sockaddr *address, const void *addr, __u32 addr__sz) __ksym;
/* Changes the destination that the message of a socket_sendmsg program names. */
extern int bpf_checmate_set_msg_port(struct msghdr *msg, __be16 port) __ksym;
extern int bpf_checmate_set_msg_addr(struct msghdr *msg, const void *addr, __u32 addr__sz) __ksym;

/* --- verdicts and events --------------------------------------------------- */

/*
 * Where all policies tell of denials. libchecmate has one of each, pinned, take
 * the place of these two.
 */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} checmate_events SEC(".maps");

/* How many records found no room. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} checmate_lost SEC(".maps");

extern volatile struct checmate_self checmate_self;

/* The verdict: this program has no objection. */
static __always_inline int checmate_allow(void)
{
	return 1;
}

/*
 * A record of a denial, filled in but for its object; NULL when there is no
 * room. checmate_verdict() hands it on.
 */
static __always_inline struct checmate_event_record *checmate_event(const char *hook, __s32 error)
{
	struct checmate_event_record *record;
	__u32 zero = 0;
	__u64 *lost, id;

	record = bpf_ringbuf_reserve(&checmate_events, sizeof(*record), 0);
	if (!record) {
		lost = bpf_map_lookup_elem(&checmate_lost, &zero);
		if (lost)
			__sync_fetch_and_add(lost, 1);
		return NULL;
	}

	record->version = CHECMATE_EVENT_VERSION;
	record->object = CHECMATE_OBJECT_NONE;
	record->error = error;
	record->time = bpf_ktime_get_boot_ns();
	record->cgroup = checmate_self.cgroup;
	record->task_cgroup = bpf_get_current_cgroup_id();
	id = bpf_get_current_pid_tgid();
	record->pid = id >> 32;
	record->tid = (__u32)id;
	id = bpf_get_current_uid_gid();
	record->uid = (__u32)id;
	record->gid = id >> 32;
	record->permissive = checmate_self.flags & CHECMATE_SELF_PERMISSIVE;
	record->reserved = 0;
	bpf_get_current_comm(record->comm, sizeof(record->comm));
	bpf_probe_read_kernel_str(record->policy, sizeof(record->policy),
				  (const void *)checmate_self.policy);
	bpf_probe_read_kernel_str(record->hook, sizeof(record->hook), hook);
	return record;
}

/* A valid errno value: no value of a parameter turns a denial into something else. */
static __always_inline __s32 checmate_errno(__s32 error)
{
	return error < 1 || error > 4095 ? EPERM : error;
}

/* The verdict: denied, and @record, which may be NULL, is told. */
static __always_inline int checmate_verdict(struct checmate_event_record *record, __s32 error)
{
	if (record)
		bpf_ringbuf_submit(record, 0);
	if (checmate_self.flags & CHECMATE_SELF_YIELD)
		return 1;
	/*
	 * Without the controller every program is run, those of the nearest cgroup
	 * first: what one has denied already keeps its errno. Should the call fail,
	 * returning 0 still denies, with EPERM.
	 */
	if (bpf_get_retval() >= 0)
		bpf_set_retval(-error);
	return 0;
}

/*
 * The verdict: denied. @hook, a string literal, is the hook's name. The variants
 * tell what the call was about.
 */
static __always_inline int checmate_deny(const char *hook, __s32 error)
{
	error = checmate_errno(error);
	return checmate_verdict(checmate_event(hook, error), error);
}

static __always_inline int checmate_deny_number(const char *hook, __s32 error, __u64 number)
{
	struct checmate_event_record *record;

	error = checmate_errno(error);
	record = checmate_event(hook, error);
	if (record) {
		record->object = CHECMATE_OBJECT_NUMBER;
		record->number = number;
	}
	return checmate_verdict(record, error);
}

/* @text: in kernel memory or in a map; @object: CHECMATE_OBJECT_PATH or _TEXT. */
static __always_inline int checmate_deny_string(const char *hook, __s32 error, __u16 object,
						const char *text)
{
	struct checmate_event_record *record;

	error = checmate_errno(error);
	record = checmate_event(hook, error);
	if (record) {
		record->object = object;
		/* What cannot be read is an empty text. */
		if (bpf_probe_read_kernel_str(record->text, sizeof(record->text), text) < 0)
			record->text[0] = '\0';
	}
	return checmate_verdict(record, error);
}

static __always_inline int checmate_deny_path(const char *hook, __s32 error, const char *path)
{
	return checmate_deny_string(hook, error, CHECMATE_OBJECT_PATH, path);
}

static __always_inline int checmate_deny_text(const char *hook, __s32 error, const char *text)
{
	return checmate_deny_string(hook, error, CHECMATE_OBJECT_TEXT, text);
}

static __always_inline int checmate_deny_task(const char *hook, __s32 error,
					      struct task_struct *task, __u32 signal)
{
	struct checmate_event_record *record;

	error = checmate_errno(error);
	record = checmate_event(hook, error);
	if (record) {
		record->object = CHECMATE_OBJECT_TASK;
		record->task.pid = BPF_CORE_READ(task, tgid);
		record->task.signal = signal;
		BPF_CORE_READ_STR_INTO(&record->task.comm, task, comm);
	}
	return checmate_verdict(record, error);
}

/* With family 0 in @endpoint nothing is told of it. */
static __always_inline int checmate_deny_endpoint(const char *hook, __s32 error,
						  const struct checmate_event_endpoint *endpoint)
{
	struct checmate_event_record *record;

	error = checmate_errno(error);
	record = checmate_event(hook, error);
	if (record && endpoint->family) {
		record->object = CHECMATE_OBJECT_ENDPOINT;
		record->endpoint = *endpoint;
	}
	return checmate_verdict(record, error);
}

#endif /* CHECMATE_BPF_H */
