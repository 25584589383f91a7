/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Checmate policies - What every policy is written with
 *
 * A policy is one .bpf.c file:
 *
 *	#include "checmate.bpf.h"
 *
 *	struct checmate_params {
 *		CHECMATE_PARAM_ERRNO(deny_errno, "deny-errno", "EPERM", "What callers see");
 *	};
 *	CHECMATE_POLICY("my-policy", "1", "One line on what it does");
 *
 *	CHECMATE_PROGRAM(socket_listen, my_listen, struct socket *sock, int backlog)
 *	{
 *		return checmate_deny(self, "socket_listen", self->param->deny_errno);
 *	}
 *
 * Name, version, description and parameters are BTF decl tags. They stay with
 * the programs in the kernel, so a binding describes itself without this file.
 * Program names have at most 15 characters, policy names at most 31 of a-z, 0-9
 * and '-'.
 *
 * The programs are loaded once, and all bindings of the policy share them. What
 * differs is an instance, which a program finds by the cookie of its attachment.
 * Maps of a policy are shared as well: what belongs to one binding has the
 * binding's cookie in its key.
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

/*
 * Names the policy, and its licence towards the kernel. struct checmate_params comes before
 * it, and may be empty.
 */
#define CHECMATE_POLICY(name, version, description) \
	CHECMATE_POLICY_WITH(name, version, description, CHECMATE_TAG("description=" description))

/*
 * The same of a policy whose maps hold what belongs to one binding and has no cookie in its
 * key: each binding loads programs and maps of its own.
 */
#define CHECMATE_POLICY_UNSHARED(name, version, description)          \
	CHECMATE_POLICY_WITH(name, version, description,              \
			     CHECMATE_TAG("description=" description) \
				     CHECMATE_TAG("programs=unshared"))

#define CHECMATE_POLICY_WITH(name, version, description, tags)                                   \
	char checmate_license[] SEC("license") CHECMATE_TAG("policy=" name)                      \
		CHECMATE_TAG("version=" version) tags = "Dual BSD/GPL";                          \
	_Static_assert(sizeof(name) <= CHECMATE_NAME_MAX, "the policy's name is too long");      \
	_Static_assert(sizeof(struct checmate_head) + sizeof(struct checmate_params) <=          \
			       CHECMATE_ROW_SIZE,                                                \
		       "the parameters do not fit into a row");                                  \
	const char checmate_policy[CHECMATE_NAME_MAX] = name;                                    \
	/* Keeps the types of the parameters in BTF. The kernel takes no variable of 0 bytes. */ \
	const union {                                                                            \
		char byte;                                                                       \
		struct checmate_params params;                                                   \
	} checmate_types __attribute__((used)) = {}

/* --- parameters ------------------------------------------------------------ */

/*
 * They are the members of struct checmate_params. @value is what a parameter begins with, as
 * the text that users write.
 */
#define CHECMATE_PARAM(ctype, member, name, type, value, doc)               \
	ctype member CHECMATE_TAG("param=" name) CHECMATE_TAG("type=" type) \
		CHECMATE_TAG("default=" value) CHECMATE_TAG("doc=" doc)

/* The errno that a denied caller sees. */
#define CHECMATE_PARAM_ERRNO(member, name, value, doc) \
	CHECMATE_PARAM(__s32, member, name, "errno", value, doc)

/* Yes or no: 1 or 0. */
#define CHECMATE_PARAM_BOOL(member, name, value, doc) \
	CHECMATE_PARAM(__u32, member, name, "bool", value, doc)

/* A number; @min and @max are decimal literals. */
#define CHECMATE_PARAM_NUMBER(member, name, value, min, max, doc) \
	CHECMATE_PARAM(__u64, member, name, "number", value, doc) \
	CHECMATE_TAG("min=" #min) CHECMATE_TAG("max=" #max)

/* One of several words, "one|two|three", as 0, 1, 2. */
#define CHECMATE_PARAM_CHOICE(member, name, value, choices, doc)  \
	CHECMATE_PARAM(__u32, member, name, "choice", value, doc) \
	CHECMATE_TAG("choices=" choices)

/* Sets: bit N stands for capability, address family or socket type N. */
#define CHECMATE_PARAM_CAPABILITIES(member, name, value, doc) \
	CHECMATE_PARAM(__u64, member, name, "capabilities", value, doc)
#define CHECMATE_PARAM_FAMILIES(member, name, value, doc) \
	CHECMATE_PARAM(__u64, member, name, "families", value, doc)
#define CHECMATE_PARAM_SOCKET_TYPES(member, name, value, doc) \
	CHECMATE_PARAM(__u64, member, name, "socket-types", value, doc)

/* A set of signals: bit N - 1 stands for signal N, as in a sigset. */
#define CHECMATE_PARAM_SIGNALS(member, name, value, doc) \
	CHECMATE_PARAM(__u64, member, name, "signals", value, doc)

/* Lists: their entries are in rows of their own, which checmate_row() finds. */
#define CHECMATE_PARAM_ENDPOINTS(member, name, value, doc) \
	CHECMATE_PARAM(struct checmate_list, member, name, "endpoints", value, doc)
#define CHECMATE_PARAM_PORTS(member, name, value, doc) \
	CHECMATE_PARAM(struct checmate_list, member, name, "ports", value, doc)
#define CHECMATE_PARAM_UIDS(member, name, value, doc) \
	CHECMATE_PARAM(struct checmate_list, member, name, "uids", value, doc)
#define CHECMATE_PARAM_GIDS(member, name, value, doc) \
	CHECMATE_PARAM(struct checmate_list, member, name, "gids", value, doc)
#define CHECMATE_PARAM_PATHS(member, name, value, doc) \
	CHECMATE_PARAM(struct checmate_list, member, name, "paths", value, doc)
#define CHECMATE_PARAM_FSTYPES(member, name, value, doc) \
	CHECMATE_PARAM(struct checmate_list, member, name, "fstypes", value, doc)

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

/* The cookie of the attachment that the program runs for. */
extern __u64 bpf_checmate_cookie(void) __ksym __weak;
/* Changes the address in a socket_bind or socket_connect program. */
extern int bpf_checmate_set_port(struct sockaddr *address, __be16 port) __ksym;
extern int bpf_checmate_set_addr(struct sockaddr *address, const void *addr, __u32 addr__sz) __ksym;
/* Changes the destination that the message of a socket_sendmsg program names. */
extern int bpf_checmate_set_msg_port(struct msghdr *msg, __be16 port) __ksym;
extern int bpf_checmate_set_msg_addr(struct msghdr *msg, const void *addr, __u32 addr__sz) __ksym;

/* --- instances --------------------------------------------------------------- */

/* What libchecmate has found out about the kernel: CHECMATE_HOST_*. */
const volatile __u32 checmate_host SEC(".rodata.host") = 0;

/* A map of rows: one instance. Maps of different sizes can take its place. */
struct checmate_rows {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_INNER_MAP);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, CHECMATE_ROW_SIZE);
};

/* The instances of all policies; libchecmate has one map, pinned, that takes its place. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, CHECMATE_INSTANCES_MAX);
	__type(key, __u32);
	__array(values, struct checmate_rows);
} checmate_instances SEC(".maps");

/*
 * The cookies of attachments where the kernel has no kfunc for that: each cgroup has a word
 * of its own, which libchecmate sets.
 */
struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_STORAGE);
	__type(key, __u64);
	__type(value, __u64);
} checmate_cookies SEC(".maps");

struct checmate_params;

/**
 * struct checmate_self - The binding that a program runs for.
 * @head: what every binding has.
 * @param: the parameters.
 * @rows: the map of which these are the first row.
 *
 * Found once for each run of a program: all of it is of one moment.
 */
struct checmate_self {
	const struct checmate_head *head;
	const struct checmate_params *param;
	void *rows;
};

static __always_inline __u64 checmate_cookie(void)
{
	if (checmate_host & CHECMATE_HOST_COOKIES)
		return bpf_checmate_cookie();
	return *(__u64 *)bpf_get_local_storage(&checmate_cookies, 0);
}

/*
 * The row @index of an instance, or NULL: it has none. Whoever allows what is listed denies
 * then.
 */
static __always_inline const union checmate_row *checmate_row(const struct checmate_self *self,
							      __u32 index)
{
	return bpf_map_lookup_elem(self->rows, &index);
}

/* How many rows a list has, of which each has room for @entries. */
static __always_inline __u32 checmate_list_rows(const struct checmate_list *list, __u32 entries)
{
	return list->count / entries + (list->count % entries != 0);
}

/* False if there is none, or if it is another binding's by now. */
static __always_inline bool checmate_find_self(struct checmate_self *self)
{
	__u64 cookie = checmate_cookie();
	__u32 index = cookie % CHECMATE_INSTANCES_MAX;

	self->rows = bpf_map_lookup_elem(&checmate_instances, &index);
	if (!self->rows)
		return false;
	self->head = (const struct checmate_head *)checmate_row(self, 0);
	if (!self->head || self->head->cookie != cookie)
		return false;
	self->param = (const struct checmate_params *)(self->head + 1);
	return true;
}

/*
 * A program for an LSM hook, with the hook's arguments; followed by its body, which has
 * self, a pointer to struct checmate_self, and ctx, an array of the arguments.
 */
#define CHECMATE_PROGRAM(hook, name, args...)                                            \
	static __always_inline int checmate_run_##name(const struct checmate_self *self, \
						       unsigned long long *ctx, ##args); \
	SEC("lsm_cgroup/" #hook) int name(unsigned long long *ctx)                       \
	{                                                                                \
		struct checmate_self self;                                               \
                                                                                         \
		/* Deny: there is no binding, or it is about to go or to come. */        \
		if (!checmate_find_self(&self))                                          \
			return 0;                                                        \
		_Pragma("GCC diagnostic push");                                          \
		_Pragma("GCC diagnostic ignored \"-Wint-conversion\"");                  \
		return checmate_run_##name(&self, ___bpf_ctx_cast(args));                \
		_Pragma("GCC diagnostic pop");                                           \
	}                                                                                \
	static __always_inline int checmate_run_##name(const struct checmate_self *self, \
						       unsigned long long *ctx, ##args)

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

extern const char checmate_policy[CHECMATE_NAME_MAX];

/* The verdict: this program has no objection. */
static __always_inline int checmate_allow(void)
{
	return 1;
}

/*
 * A record of a denial, filled in but for its object; NULL when there is no
 * room. checmate_verdict() hands it on.
 */
static __always_inline struct checmate_event_record *checmate_event(const struct checmate_self *self,
								    const char *hook, __s32 error)
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
	record->cgroup = self->head->cgroup;
	record->task_cgroup = bpf_get_current_cgroup_id();
	id = bpf_get_current_pid_tgid();
	record->pid = id >> 32;
	record->tid = (__u32)id;
	id = bpf_get_current_uid_gid();
	record->uid = (__u32)id;
	record->gid = id >> 32;
	record->permissive = self->head->flags & CHECMATE_HEAD_PERMISSIVE;
	record->reserved = 0;
	bpf_get_current_comm(record->comm, sizeof(record->comm));
	bpf_probe_read_kernel_str(record->policy, sizeof(record->policy), checmate_policy);
	bpf_probe_read_kernel_str(record->hook, sizeof(record->hook), hook);
	return record;
}

/* A valid errno value: no value of a parameter turns a denial into something else. */
static __always_inline __s32 checmate_errno(__s32 error)
{
	return error < 1 || error > 4095 ? EPERM : error;
}

/* The verdict: denied, and @record, which may be NULL, is told. */
static __always_inline int checmate_verdict(const struct checmate_self *self,
					    struct checmate_event_record *record, __s32 error)
{
	if (record)
		bpf_ringbuf_submit(record, 0);
	if (self->head->flags & CHECMATE_HEAD_YIELD)
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
static __always_inline int checmate_deny(const struct checmate_self *self, const char *hook,
					 __s32 error)
{
	error = checmate_errno(error);
	return checmate_verdict(self, checmate_event(self, hook, error), error);
}

static __always_inline int checmate_deny_number(const struct checmate_self *self, const char *hook,
						__s32 error, __u64 number)
{
	struct checmate_event_record *record;

	error = checmate_errno(error);
	record = checmate_event(self, hook, error);
	if (record) {
		record->object = CHECMATE_OBJECT_NUMBER;
		record->number = number;
	}
	return checmate_verdict(self, record, error);
}

/* @text: in kernel memory or in a map; @object: CHECMATE_OBJECT_PATH or _TEXT. */
static __always_inline int checmate_deny_string(const struct checmate_self *self, const char *hook,
						__s32 error, __u16 object, const char *text)
{
	struct checmate_event_record *record;

	error = checmate_errno(error);
	record = checmate_event(self, hook, error);
	if (record) {
		record->object = object;
		/* What cannot be read is an empty text. */
		if (bpf_probe_read_kernel_str(record->text, sizeof(record->text), text) < 0)
			record->text[0] = '\0';
	}
	return checmate_verdict(self, record, error);
}

static __always_inline int checmate_deny_path(const struct checmate_self *self, const char *hook,
					      __s32 error, const char *path)
{
	return checmate_deny_string(self, hook, error, CHECMATE_OBJECT_PATH, path);
}

static __always_inline int checmate_deny_text(const struct checmate_self *self, const char *hook,
					      __s32 error, const char *text)
{
	return checmate_deny_string(self, hook, error, CHECMATE_OBJECT_TEXT, text);
}

static __always_inline int checmate_deny_task(const struct checmate_self *self, const char *hook,
					      __s32 error, struct task_struct *task, __u32 signal)
{
	struct checmate_event_record *record;

	error = checmate_errno(error);
	record = checmate_event(self, hook, error);
	if (record) {
		record->object = CHECMATE_OBJECT_TASK;
		record->task.pid = BPF_CORE_READ(task, tgid);
		record->task.signal = signal;
		BPF_CORE_READ_STR_INTO(&record->task.comm, task, comm);
	}
	return checmate_verdict(self, record, error);
}

/* With family 0 in @endpoint nothing is told of it. */
static __always_inline int checmate_deny_endpoint(const struct checmate_self *self,
						  const char *hook, __s32 error,
						  const struct checmate_event_endpoint *endpoint)
{
	struct checmate_event_record *record;

	error = checmate_errno(error);
	record = checmate_event(self, hook, error);
	if (record && endpoint->family) {
		record->object = CHECMATE_OBJECT_ENDPOINT;
		record->endpoint = *endpoint;
	}
	return checmate_verdict(self, record, error);
}

#endif /* CHECMATE_BPF_H */
