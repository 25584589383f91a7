/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Samples - What their programs share: the kernel's types, and verdicts
 *
 * The catalogue's checmate.bpf.h is for policies that libchecmate binds. The samples are
 * attached without libchecmate, and need less.
 */
#ifndef SAMPLE_BPF_H
#define SAMPLE_BPF_H

#include <linux/bpf.h>
#include <asm/errno.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>
#include "checmate-kernel.h"

char sample_license[] SEC("license") = "Dual BSD/GPL";

/* Changes the port of the address in a socket_bind or socket_connect program. */
extern int bpf_checmate_set_port(struct sockaddr *address, __be16 port) __ksym;

/* The verdict: this program has no objection. */
static __always_inline int sample_allow(void)
{
	return 1;
}

/*
 * The verdict: denied with @error. If the call fails, returning 0 still denies, with EPERM.
 * An errno that an earlier program has denied with stays.
 */
static __always_inline int sample_deny(int error)
{
	if (bpf_get_retval() >= 0)
		bpf_set_retval(-error);
	return 0;
}

#endif /* SAMPLE_BPF_H */
