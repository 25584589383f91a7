/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM checmate

#if !defined(_TRACE_CHECMATE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_CHECMATE_H

#include <linux/tracepoint.h>

/**
 * checmate_denied - a program has denied, or would have if it were enforced
 * @cgroup: id of the cgroup whose task or socket it met
 * @hook: name of the hook
 * @id: attachment id of the program
 * @prog: BPF id of the program
 * @err: the errno, negative
 * @permissive: the call went on all the same
 */
TRACE_EVENT(checmate_denied,

	TP_PROTO(u64 cgroup, const char *hook, u64 id, u32 prog, int err,
		 bool permissive),

	TP_ARGS(cgroup, hook, id, prog, err, permissive),

	TP_STRUCT__entry(
		__field(u64, cgroup)
		__field(u64, id)
		__field(u32, prog)
		__field(int, err)
		__field(bool, permissive)
		__string(hook, hook)
	),

	TP_fast_assign(
		__entry->cgroup = cgroup;
		__entry->id = id;
		__entry->prog = prog;
		__entry->err = err;
		__entry->permissive = permissive;
		__assign_str(hook);
	),

	TP_printk("cgroup=%llu hook=%s id=%llu prog=%u errno=%d mode=%s",
		  __entry->cgroup, __get_str(hook), __entry->id,
		  __entry->prog, -__entry->err,
		  __entry->permissive ? "permissive" : "enforce")
);

/**
 * checmate_dropped - the controller was turned off for a cgroup with a program
 * @cgroup: id of the cgroup
 * @hook: name of the hook
 * @id: attachment id of the program
 * @prog: BPF id of the program
 * @permissive: the program was in permissive mode
 * @staged: the program was staged, and not attached
 */
TRACE_EVENT(checmate_dropped,

	TP_PROTO(u64 cgroup, const char *hook, u64 id, u32 prog,
		 bool permissive, bool staged),

	TP_ARGS(cgroup, hook, id, prog, permissive, staged),

	TP_STRUCT__entry(
		__field(u64, cgroup)
		__field(u64, id)
		__field(u32, prog)
		__field(bool, permissive)
		__field(bool, staged)
		__string(hook, hook)
	),

	TP_fast_assign(
		__entry->cgroup = cgroup;
		__entry->id = id;
		__entry->prog = prog;
		__entry->permissive = permissive;
		__entry->staged = staged;
		__assign_str(hook);
	),

	TP_printk("cgroup=%llu hook=%s id=%llu prog=%u mode=%s state=%s",
		  __entry->cgroup, __get_str(hook), __entry->id,
		  __entry->prog, __entry->permissive ? "permissive" : "enforce",
		  __entry->staged ? "staged" : "attached")
);

#endif /* _TRACE_CHECMATE_H */

/* This part must be outside protection */
#include <trace/define_trace.h>
