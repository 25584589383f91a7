/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libchecmate - The text of the kernel's control files */
#pragma once

#include "checmate.h"

/* Most bytes of one transaction: a page. */
#define CONTROL_MAX 4096

/**
 * struct control_list - The attachments a control file lists.
 * @generation: generation, where the file has one.
 * @items: attachments in the file's order; strings are owned by this.
 * @n: how many.
 */
struct control_list {
	uint64_t generation;
	struct checmate_attachment *items;
	size_t n;
};

/**
 * control_parse() - Read checmate.policy or checmate.effective.
 * @text: the file's text.
 * @ret_list: receives the list, see control_list_done().
 *
 * Keys that are not known are skipped: a newer kernel may have more. What is
 * staged stands at the end.
 *
 * Return: 0; -EBADMSG the text is not of that kind; -ENOMEM.
 */
int control_parse(const char *text, struct control_list *ret_list);

void control_list_done(struct control_list *list);

/* The attachment of the program @prog_id with a cookie that is in force, or NULL. */
const struct checmate_attachment *control_list_find(const struct control_list *list,
						    uint32_t prog_id, uint64_t cookie);

/* The same of what is staged. */
const struct checmate_attachment *control_list_find_staged(const struct control_list *list,
							   uint32_t prog_id, uint64_t cookie);

/**
 * struct control_change - What one transaction changes.
 * @generation: the generation it is based upon.
 * @when_exec: stage it; with nothing to do, withdraw what is staged.
 * @pid: with @when_exec, whose exec; 0 for anybody's in the cgroup.
 * @except_fd: with @when_exec, the file whose exec is none; -1 for none.
 * @permissive: the mode of what is attached, and of @mode.
 * @detach: attachment ids.
 * @n_detach: how many.
 * @attach: program descriptors.
 * @cookies: the cookie of each of @attach, 0 for none; NULL when none has one.
 * @n_attach: how many.
 * @mode: ids of attachments that are to have the mode.
 * @n_mode: how many.
 */
struct control_change {
	uint64_t generation;
	bool when_exec;
	pid_t pid;
	int except_fd;
	bool permissive;
	const uint64_t *detach;
	size_t n_detach;
	const int *attach;
	const uint64_t *cookies;
	size_t n_attach;
	const uint64_t *mode;
	size_t n_mode;
};

/**
 * control_format() - The text of a transaction.
 * @change: what to change.
 * @ret_text: receives the text, to free.
 *
 * Return: 0; -E2BIG it does not fit into CONTROL_MAX bytes; -ENOMEM.
 */
int control_format(const struct control_change *change, char **ret_text);

/**
 * struct control_hooks - The hooks of the running kernel.
 * @items: hooks; names are owned by this.
 * @n: how many.
 */
struct control_hooks {
	struct checmate_hook *items;
	size_t n;
};

/* Reads the securityfs file of the hooks. Returns as control_parse(). */
int control_parse_hooks(const char *text, struct control_hooks *ret_hooks);

void control_hooks_done(struct control_hooks *hooks);
