/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jsondoc - What holds in a cgroup: policies, and programs of others */
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
 * struct cgroup_policy - A policy, or a program that is none's, of one cgroup.
 * @program: name of the first of its programs.
 * @policy: the policy's name, or NULL.
 * @path: path of the cgroup it is attached to.
 * @cgroup_id: id of that cgroup.
 * @inherited: that is an ancestor of the cgroup asked about.
 * @state: of its programs the one that is worst.
 * @permissive: what it denies, now or when it is in force, is told only.
 * @prog_id: the first of its programs.
 */
struct cgroup_policy {
	char *program;
	char *policy;
	char *path;
	uint64_t cgroup_id;
	bool inherited;
	enum state state;
	bool permissive;
	uint32_t prog_id;
};

struct cgroup_policies {
	struct cgroup_policy *items;
	size_t n;
};

/*
 * Adds what is enforced in @cgroup, and what is staged there, to @policies, which
 * is empty; free with cgroup_policies_done() also after a failure. Returns 0, -ENOMEM.
 */
int cgroup_policies_read(struct cgroup_policies *policies, const struct checmate_cgroup *cgroup,
			 const struct checmate_status *status);

/* The one that an attachment is of; NULL when there is none. */
const struct cgroup_policy *cgroup_policies_find(const struct cgroup_policies *policies,
						 const struct checmate_attachment *item);

void cgroup_policies_done(struct cgroup_policies *policies);

struct json_object *cgroup_policy_json(int *r, const struct cgroup_policy *policy);
