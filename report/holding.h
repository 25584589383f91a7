/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* report - What holds in a cgroup: policies, and programs of others */
#pragma once

#include "build.h"
#include "checmate.h"

/* In the order in which one is worse to overlook than the one before. */
enum state {
	STATE_IN_FORCE,
	STATE_STAGED,
	STATE_PERMISSIVE,
	STATE_DETACHED,
	STATE_GONE,
};

/* As it is in a document. */
const char *state_word(enum state state);
enum state attachment_state(const struct checmate_attachment *item);

/**
 * struct holding - A policy, or a program that is none's, of one cgroup.
 * @program: name of the first of its programs.
 * @policy: the policy's name, or NULL.
 * @path: path of the cgroup it is attached to.
 * @cgroup_id: id of that cgroup.
 * @inherited: that is an ancestor of the cgroup asked about.
 * @state: of its programs the one that is worst.
 * @permissive: what it denies, now or when it is in force, is told only.
 * @prog_id: the first of its programs.
 */
struct holding {
	char *program;
	char *policy;
	char *path;
	uint64_t cgroup_id;
	bool inherited;
	enum state state;
	bool permissive;
	uint32_t prog_id;
};

struct holdings {
	struct holding *items;
	size_t n;
};

/*
 * Adds what is enforced in @cgroup, and what is staged there, to @holdings, which
 * is empty; free with holdings_done() also after a failure. Returns 0, -ENOMEM.
 */
int holdings_read(struct holdings *holdings, const struct checmate_cgroup *cgroup,
		  const struct checmate_status *status);

/* The one that an attachment is of; NULL when there is none. */
const struct holding *holdings_find(const struct holdings *holdings,
				    const struct checmate_attachment *item);

void holdings_done(struct holdings *holdings);

struct json_object *holding_json(int *r, const struct holding *holding);
