/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Rewriting of socket addresses
 */
#ifndef _SECURITY_CHECMATE_REWRITE_H
#define _SECURITY_CHECMATE_REWRITE_H

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>
#include <uapi/linux/checmate.h>

#include "hook_table.h"

struct bpf_insn;
struct msghdr;
struct sockaddr;

/**
 * struct checmate_rewrite - The address that programs may now set
 * @msg: argument of the hook, if that is a message
 * @address: argument of the hook or of @msg, in kernel memory; NULL if the
 *	message has none
 * @addrlen: how much of it the caller of the system call gave
 * @is_changed: a program has changed the address since this was last cleared
 * @is_repeated: programs evaluate the call again and may not change the address
 * @reported: a bit for each permissive program whose denial has been reported
 *
 * Lives on the stack of checmate_dispatch(); the current task's blob points to
 * the innermost one while programs of a hook with an address run.
 */
struct checmate_rewrite {
	const struct msghdr *msg;
	struct sockaddr *address;
	int addrlen;
	bool is_changed;
	bool is_repeated;
	u64 reported;
};

static_assert(CHECMATE_MAX_PROGS <=
	      BITS_PER_BYTE * sizeof_field(struct checmate_rewrite, reported));

struct checmate_rewrite *checmate_begin_rewrite(struct checmate_rewrite *rewrite,
						enum checmate_hook hook,
						const u64 *args);
void checmate_end_rewrite(struct checmate_rewrite *outer);
bool checmate_sets_address(const struct bpf_insn *insn);

int bpf_checmate_set_port(struct sockaddr *address, __be16 port);
int bpf_checmate_set_addr(struct sockaddr *address, const void *addr,
			  u32 addr__sz);
int bpf_checmate_set_msg_port(struct msghdr *msg, __be16 port);
int bpf_checmate_set_msg_addr(struct msghdr *msg, const void *addr,
			      u32 addr__sz);
bool bpf_checmate_is_repeated(void);

#endif /* _SECURITY_CHECMATE_REWRITE_H */
