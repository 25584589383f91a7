// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Test object: a policy as the header of a former version made it, with its parameters in
 * variables. It has the name of one that there is, and denies every bind.
 */
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

#define TAG(text) __attribute__((btf_decl_tag("checmate:" text)))

char former_license[] SEC("license") TAG("policy=net-bind") TAG("version=1")
	TAG("description=Former") = "Dual BSD/GPL";

volatile struct {
	__u64 cgroup;
	__u32 flags;
	__u32 reserved;
	char policy[32];
} self SEC(".data.self") = { .policy = "net-bind" };

volatile __s32 deny_errno SEC(".data.param") TAG("param=deny-errno") TAG("type=errno")
	TAG("doc=Error") = 1;

SEC("lsm_cgroup/socket_bind")
int former_bind(void *ctx)
{
	/* Both maps are in use. */
	return self.cgroup + deny_errno == 0;
}
