// SPDX-License-Identifier: LGPL-2.1-or-later
/* report - What holds in a cgroup: policies, and programs of others */
#include "holding.h"

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
static bool is_of(const struct holding *holding, const struct checmate_attachment *item)
{
	if (holding->cgroup_id != item->cgroup_id ||
	    (holding->state == STATE_STAGED) != item->staged)
		return false;
	if (!holding->policy || !item->policy)
		return !holding->policy && !item->policy && holding->prog_id == item->prog_id;
	return streq(holding->policy, item->policy);
}

const struct holding *holdings_find(const struct holdings *holdings,
				    const struct checmate_attachment *item)
{
	for (size_t i = 0; i < holdings->n; i++)
		if (is_of(&holdings->items[i], item))
			return &holdings->items[i];
	return NULL;
}

static int add(struct holdings *holdings, const struct checmate_cgroup *cgroup,
	       const struct checmate_attachment *item)
{
	struct holding *found = (struct holding *)holdings_find(holdings, item), *items;
	bool permissive = streq(item->mode, "permissive");
	enum state state = attachment_state(item);

	if (found) {
		found->state = state > found->state ? state : found->state;
		found->permissive |= permissive;
		return 0;
	}
	items = reallocarray(holdings->items, holdings->n + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	holdings->items = items;
	found = &items[holdings->n++];
	*found = (struct holding){
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

int holdings_read(struct holdings *holdings, const struct checmate_cgroup *cgroup,
		  const struct checmate_status *status)
{
	int r;

	for (size_t i = 0; i < checmate_status_count_effective(status); i++) {
		r = add(holdings, cgroup, checmate_status_get_effective(status, i));
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < checmate_status_count_local(status); i++) {
		const struct checmate_attachment *item = checmate_status_get_local(status, i);

		r = item->staged ? add(holdings, cgroup, item) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

void holdings_done(struct holdings *holdings)
{
	for (size_t i = 0; i < holdings->n; i++) {
		free(holdings->items[i].program);
		free(holdings->items[i].policy);
		free(holdings->items[i].path);
	}
	free(holdings->items);
}

struct json_object *holding_json(int *r, const struct holding *holding)
{
	struct json_object *object = build_object(r);

	build_text(r, object, "policy", holding->policy);
	build_text(r, object, "name", holding->program);
	build_number(r, object, "prog", holding->prog_id);
	build_text(r, object, "cgroup", holding->path);
	build_number(r, object, "id", holding->cgroup_id);
	build_bool(r, object, "inherited", holding->inherited);
	build_text(r, object, "state", state_word(holding->state));
	build_bool(r, object, "permissive", holding->permissive);
	return object;
}
