// SPDX-License-Identifier: LGPL-2.1-or-later
/* jsondoc - What holds in a cgroup: policies, and programs of others */
#include "cgroup-policies.h"

#include <errno.h>
#include <string.h>

#include "parse.h"

const char *state_word(enum state state)
{
	static const char *const words[] = {
		[STATE_IN_FORCE] = "in-force",
		[STATE_STAGED] = "staged",
		[STATE_PERMISSIVE] = "permissive",
		[STATE_DETACHED] = "detached",
		[STATE_GONE] = "gone",
	};

	return words[state];
}

enum state attachment_state(const struct checmate_attachment *item)
{
	if (item->staged)
		return STATE_STAGED;
	return streq(item->mode, "permissive") ? STATE_PERMISSIVE : STATE_IN_FORCE;
}

/* A policy is one that is in force and one that is staged in its place. */
static bool is_of(const struct cgroup_policy *policy, const struct checmate_attachment *item)
{
	if (policy->cgroup_id != item->cgroup_id || (policy->state == STATE_STAGED) != item->staged)
		return false;
	if (!policy->policy || !item->policy)
		return !policy->policy && !item->policy && policy->prog_id == item->prog_id;
	return streq(policy->policy, item->policy);
}

const struct cgroup_policy *cgroup_policies_find(const struct cgroup_policies *policies,
						 const struct checmate_attachment *item)
{
	for (size_t i = 0; i < policies->n; i++)
		if (is_of(&policies->items[i], item))
			return &policies->items[i];
	return NULL;
}

static int add(struct cgroup_policies *policies, const struct checmate_cgroup *cgroup,
	       const struct checmate_attachment *item)
{
	struct cgroup_policy *found = (struct cgroup_policy *)cgroup_policies_find(policies, item),
			     *items;
	bool permissive = streq(item->mode, "permissive");
	enum state state = attachment_state(item);

	if (found) {
		found->state = state > found->state ? state : found->state;
		found->permissive |= permissive;
		return 0;
	}
	items = reallocarray(policies->items, policies->n + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	policies->items = items;
	found = &items[policies->n++];
	*found = (struct cgroup_policy){
		.path = strdup(item->path),
		.cgroup_id = item->cgroup_id,
		.inherited = item->cgroup_id != checmate_cgroup_id(cgroup),
		.state = state,
		.permissive = permissive,
		.prog_id = item->prog_id,
	};
	found->program = strdup(item->name);
	found->policy = item->policy ? strdup(item->policy) : NULL;
	return found->path && found->program && !found->policy == !item->policy ? 0 : -ENOMEM;
}

int cgroup_policies_read(struct cgroup_policies *policies, const struct checmate_cgroup *cgroup,
			 const struct checmate_status *status)
{
	int r;

	for (size_t i = 0; i < checmate_status_count_effective(status); i++) {
		r = add(policies, cgroup, checmate_status_get_effective(status, i));
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < checmate_status_count_local(status); i++) {
		const struct checmate_attachment *item = checmate_status_get_local(status, i);

		r = item->staged ? add(policies, cgroup, item) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

void cgroup_policies_done(struct cgroup_policies *policies)
{
	for (size_t i = 0; i < policies->n; i++) {
		free(policies->items[i].program);
		free(policies->items[i].policy);
		free(policies->items[i].path);
	}
	free(policies->items);
}

struct json_object *cgroup_policy_json(int *r, const struct cgroup_policy *policy)
{
	struct json_object *object = build_object(r);

	build_text(r, object, "policy", policy->policy);
	build_text(r, object, "name", policy->program);
	build_number(r, object, "prog", policy->prog_id);
	build_text(r, object, "cgroup", policy->path);
	build_number(r, object, "id", policy->cgroup_id);
	build_bool(r, object, "inherited", policy->inherited);
	build_text(r, object, "state", state_word(policy->state));
	build_bool(r, object, "permissive", policy->permissive);
	return object;
}
