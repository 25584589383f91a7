/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libchecmate - What this machine has */
#pragma once

#include "cleanup.h"
#include "control.h"

#define PROBE_MAX 20

/* Who needs a feature. */
enum {
	BY_CHECMATE = 1 << 0,
	BY_LINK = 1 << 1,
	BY_BOTH = BY_CHECMATE | BY_LINK,
	/* It is a matter of the process: the machine could. */
	BY_PROCESS = 1 << 2,
	/* It is a matter of what was asked for. */
	BY_NAME = 1 << 3,
};

/**
 * struct probe - What was found.
 * @items: features; @found is owned by this.
 * @by: of each, who needs it.
 * @n: how many.
 * @lsm_known: the list of LSMs could be read.
 */
struct probe {
	struct checmate_feature items[PROBE_MAX];
	unsigned int by[PROBE_MAX];
	size_t n;
	bool lsm_known;
};

/* Looks at everything. @probe is empty; probe_done() it also after a failure. */
int probe_read(struct probe *probe);

/* Adds a feature. Returns 0, -ENOMEM. */
int probe_add(struct probe *probe, unsigned int by, const char *name, bool present,
	      const char *remedy, const char *format, ...) _printf_(6, 7);

void probe_done(struct probe *probe);

/*
 * The backend for this machine. Where both are half there, the controller: it is
 * what the kernel was made for.
 */
const char *probe_backend(const struct probe *probe);

/**
 * probe_choose() - The backend that this machine has, unless one is forced.
 * @ret_name: receives its name.
 * @ret_error: explanation, or NULL.
 *
 * The other backend would take the pins of this one for its own, so what cannot
 * be read is not taken for missing.
 *
 * Return: 0; -ENOMEM; -EMFILE or -ENFILE no file can be opened.
 */
int probe_choose(const char **ret_name, struct checmate_error **ret_error);

/* Explains why the machine could not be looked at. Returns @code. */
int probe_explain(int code, struct checmate_error **ret_error);

/* The hooks that the controller says it has; none where there is none. */
int probe_hooks(struct control_hooks *ret_hooks);
