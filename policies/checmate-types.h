/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Checmate policies - Values shared by policies and libchecmate
 *
 * The bytes behind the parameter types. Text is turned into these bytes and
 * back in libchecmate/param*.c only.
 */
#ifndef CHECMATE_TYPES_H
#define CHECMATE_TYPES_H

#include <linux/types.h>

/* Most entries a list of endpoints, ports or ids can have. */
#define CHECMATE_LIST_MAX 256
/* Most entries a list of paths or names can have. */
#define CHECMATE_TEXT_LIST_MAX 64
/* Bytes of a path prefix with its last '/' and its end; a multiple of 8. */
#define CHECMATE_PATH_MAX 256
/* Bytes of a name with its end. */
#define CHECMATE_NAME_MAX 32

/**
 * struct checmate_endpoint - An address prefix, a range of ports, a protocol.
 * @addr: address in network byte order; IPv4 uses the first word, the others
 *        are 0. No bit is set where @mask has none.
 * @mask: network mask of the same shape.
 * @family: AF_INET or AF_INET6. An IPv4-mapped IPv6 address is AF_INET.
 * @port_first: first port, host byte order.
 * @port_last: last port, host byte order, not below @port_first.
 * @protocol: IPPROTO_TCP, IPPROTO_UDP or another; 0 for every protocol.
 */
struct checmate_endpoint {
	__u32 addr[4];
	__u32 mask[4];
	__u16 family;
	__u16 port_first;
	__u16 port_last;
	__u16 protocol;
};

/**
 * struct checmate_port_range - A range of ports of a protocol.
 * @first: first port, host byte order.
 * @last: last port, not below @first.
 * @protocol: as of struct checmate_endpoint.
 * @reserved: 0.
 */
struct checmate_port_range {
	__u16 first;
	__u16 last;
	__u16 protocol;
	__u16 reserved;
};

/**
 * struct checmate_id_range - A range of user or group ids.
 * @first: first id, as in the initial user namespace.
 * @last: last id, not below @first.
 */
struct checmate_id_range {
	__u32 first;
	__u32 last;
};

/**
 * struct checmate_path_prefix - A path and all that is below it.
 * @length: bytes of @text, its last '/' included, its end not.
 * @reserved: 0.
 * @text: absolute, without ".", "..", or "//", ended by '/', then filled up
 *        with 0. A path is matched with a '/' appended.
 */
struct checmate_path_prefix {
	__u32 length;
	__u32 reserved;
	char text[CHECMATE_PATH_MAX];
};

/**
 * struct checmate_name - A name, as of a filesystem type.
 * @text: the name, filled up with 0.
 */
struct checmate_name {
	char text[CHECMATE_NAME_MAX];
};

/*
 * The lists, each replaced as a whole: @count of the entries are in use, the
 * others are 0.
 */
struct checmate_endpoints {
	__u32 count;
	__u32 reserved;
	struct checmate_endpoint entry[CHECMATE_LIST_MAX];
};

struct checmate_port_ranges {
	__u32 count;
	__u32 reserved;
	struct checmate_port_range entry[CHECMATE_LIST_MAX];
};

struct checmate_id_ranges {
	__u32 count;
	__u32 reserved;
	struct checmate_id_range entry[CHECMATE_LIST_MAX];
};

struct checmate_path_prefixes {
	__u32 count;
	__u32 reserved;
	struct checmate_path_prefix entry[CHECMATE_TEXT_LIST_MAX];
};

struct checmate_names {
	__u32 count;
	__u32 reserved;
	struct checmate_name entry[CHECMATE_TEXT_LIST_MAX];
};

/* --- who a policy is, and what it tells ------------------------------------ */

/* Denials are told, but not enforced: the records say so. */
#define CHECMATE_SELF_PERMISSIVE (1U << 0)
/* The programs themselves have to let pass what is not enforced. */
#define CHECMATE_SELF_YIELD (1U << 1)

/**
 * struct checmate_self - What the programs of a binding know about it.
 * @cgroup: id of the cgroup they are bound to; 0 before they are.
 * @flags: CHECMATE_SELF_*.
 * @reserved: 0.
 * @policy: the policy's name; from the policy object.
 *
 * Kept by libchecmate in the map of the section ".data.self".
 */
struct checmate_self {
	__u64 cgroup;
	__u32 flags;
	__u32 reserved;
	char policy[CHECMATE_NAME_MAX];
};

#define CHECMATE_EVENT_VERSION 1
#define CHECMATE_EVENT_TEXT_MAX 256

/**
 * enum checmate_event_object - What a denied call was about.
 * @CHECMATE_OBJECT_NONE: nothing more is told.
 * @CHECMATE_OBJECT_ENDPOINT: an address and a port.
 * @CHECMATE_OBJECT_PATH: a path.
 * @CHECMATE_OBJECT_TEXT: a name, as of a filesystem type or a kernel service.
 * @CHECMATE_OBJECT_NUMBER: a number, such as a socket family.
 * @CHECMATE_OBJECT_TASK: another process, and a signal or 0.
 */
enum checmate_event_object {
	CHECMATE_OBJECT_NONE,
	CHECMATE_OBJECT_ENDPOINT,
	CHECMATE_OBJECT_PATH,
	CHECMATE_OBJECT_TEXT,
	CHECMATE_OBJECT_NUMBER,
	CHECMATE_OBJECT_TASK,
};

/* An address and a port; @family tells how much of @addr is in use. */
struct checmate_event_endpoint {
	__u32 addr[4];
	__u16 family;
	__u16 port;
	__u16 protocol;
	__u16 reserved;
};

struct checmate_event_task {
	__u32 pid;
	__u32 signal;
	char comm[16];
};

/**
 * struct checmate_event_record - A denial, as the ring buffer carries it.
 * @version: CHECMATE_EVENT_VERSION.
 * @object: enum checmate_event_object.
 * @time: nanoseconds since boot, the time of suspension included.
 * @cgroup: id of the cgroup that the policy is bound to.
 * @task_cgroup: id of the cgroup of the task that was running, which need not
 *               be the one that made the socket a policy judges by.
 * @pid: process id, in the initial namespace.
 * @tid: thread id, likewise.
 * @uid: user id, in the initial namespace.
 * @gid: group id, likewise.
 * @error: the errno of the denial, positive.
 * @permissive: it was not enforced.
 * @comm: name of the thread.
 * @policy: name of the policy.
 * @hook: name of the LSM hook.
 * @endpoint: for CHECMATE_OBJECT_ENDPOINT.
 * @task: for CHECMATE_OBJECT_TASK.
 * @number: for CHECMATE_OBJECT_NUMBER.
 * @text: for CHECMATE_OBJECT_PATH and CHECMATE_OBJECT_TEXT; ended by 0.
 */
struct checmate_event_record {
	__u16 version;
	__u16 object;
	__u32 error;
	__u64 time;
	__u64 cgroup;
	__u64 task_cgroup;
	__u32 pid;
	__u32 tid;
	__u32 uid;
	__u32 gid;
	__u32 permissive;
	__u32 reserved;
	char comm[16];
	char policy[CHECMATE_NAME_MAX];
	char hook[CHECMATE_NAME_MAX];
	union {
		struct checmate_event_endpoint endpoint;
		struct checmate_event_task task;
		__u64 number;
		char text[CHECMATE_EVENT_TEXT_MAX];
	};
};

#endif /* CHECMATE_TYPES_H */
