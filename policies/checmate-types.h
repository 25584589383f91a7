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

/* --- instances --------------------------------------------------------------- */

/*
 * What the programs of a policy know about one of its bindings is an instance: an array map
 * whose elements are rows of this many bytes. The first row begins with struct
 * checmate_head, and behind it are the parameters. An instance does not change: a change
 * of parameters puts another one in its place.
 */
#define CHECMATE_ROW_SIZE 512

/* Most bindings on a machine; a power of 2. */
#define CHECMATE_INSTANCES_MAX 65536

/* Denials are told, but not enforced: the records say so. */
#define CHECMATE_HEAD_PERMISSIVE (1U << 0)
/* The programs themselves have to let pass what is not enforced. */
#define CHECMATE_HEAD_YIELD (1U << 1)

/**
 * struct checmate_head - What every instance begins with.
 * @cookie: the cookie of the binding's attachments. Modulo CHECMATE_INSTANCES_MAX it is where
 *          the map of instances has this one; the rest tells this one from those that were
 *          there before.
 * @cgroup: id of the cgroup that the policy is bound to.
 * @flags: CHECMATE_HEAD_*.
 * @rows: how many rows there are.
 */
struct checmate_head {
	__u64 cookie;
	__u64 cgroup;
	__u32 flags;
	__u32 rows;
};

/**
 * struct checmate_list - A list parameter.
 * @row: the first of its rows, which follow one another.
 * @count: how many entries it has.
 */
struct checmate_list {
	__u32 row;
	__u32 count;
};

/* As many entries as a row has room for; a power of 2. */
#define CHECMATE_ROW_ENDPOINTS 8
#define CHECMATE_ROW_PORT_RANGES 64
#define CHECMATE_ROW_ID_RANGES 64
#define CHECMATE_ROW_NAMES 16
#define CHECMATE_ROW_PATHS 1

/* A row; what is not in use is 0. */
union checmate_row {
	struct checmate_endpoint endpoint[CHECMATE_ROW_ENDPOINTS];
	struct checmate_port_range port_range[CHECMATE_ROW_PORT_RANGES];
	struct checmate_id_range id_range[CHECMATE_ROW_ID_RANGES];
	struct checmate_name name[CHECMATE_ROW_NAMES];
	struct checmate_path_prefix path[CHECMATE_ROW_PATHS];
	__u8 bytes[CHECMATE_ROW_SIZE];
	__u64 words[CHECMATE_ROW_SIZE / 8];
};

/* What the kernel offers, which libchecmate finds out: programs find their cookies by a kfunc. */
#define CHECMATE_HOST_COOKIES (1U << 0)

/* --- what a policy tells ------------------------------------------------------ */

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
