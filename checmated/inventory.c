// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - How many bindings there are, of which policy and in which mode
 */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "checmate.h"
#include "cleanup.h"
#include "inventory.h"
#include "parse.h"

struct binding {
	char *policy;
	const char *mode;
};

struct known {
	uint64_t cgroup_id;
	bool stale; /* has to be looked at again */
	struct binding *bindings;
	size_t n_bindings;
};

struct inventory {
	struct known *known; /* sorted by id */
	size_t n_known;
};

/**
 * inventory_new() - Know nothing yet
 * @ret_inventory: receives the inventory
 */
int inventory_new(struct inventory **ret_inventory)
{
	struct inventory *inventory = calloc(1, sizeof(*inventory));

	if (!inventory)
		return -ENOMEM;
	*ret_inventory = inventory;
	return 0;
}

static void known_done(struct known *known)
{
	for (size_t i = 0; i < known->n_bindings; i++)
		free(known->bindings[i].policy);
	free(known->bindings);
	known->bindings = NULL;
	known->n_bindings = 0;
}

struct inventory *inventory_free(struct inventory *inventory)
{
	if (!inventory)
		return NULL;
	for (size_t i = 0; i < inventory->n_known; i++)
		known_done(&inventory->known[i]);
	free(inventory->known);
	free(inventory);
	return NULL;
}

void inventory_freep(struct inventory **inventory)
{
	inventory_free(*inventory);
}

/* An id is the first member of what is compared. */
static int compare_ids(const void *a, const void *b)
{
	const uint64_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* Something has changed in a cgroup. */
void inventory_touch(struct inventory *inventory, uint64_t cgroup_id)
{
	struct known *known = NULL;

	if (inventory->n_known)
		known = bsearch(&cgroup_id, inventory->known, inventory->n_known, sizeof(*known),
				compare_ids);
	if (known)
		known->stale = true;
}

/* Something may have changed in any of them. */
void inventory_touch_all(struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->n_known; i++)
		inventory->known[i].stale = true;
}

/* --- looking ----------------------------------------------------------------- */

static void strv_donep(char ***strv)
{
	*strv = checmate_strv_free(*strv);
}

static const char *mode_of(const struct checmate_binding *binding)
{
	if (checmate_binding_staged(binding))
		return "staged";
	for (size_t i = 0; i < checmate_binding_count_programs(binding); i++)
		if (!checmate_binding_get_program(binding, i)->attached)
			return "detached";
	return checmate_binding_permissive(binding) ? "permissive" : "enforce";
}

static int look_at(const struct checmate_cgroup *cgroup, const char *policy, struct known *known)
{
	_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;
	struct binding *bindings;
	int r;

	r = checmate_binding_open(cgroup, policy, &binding, NULL);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	bindings = reallocarray(known->bindings, known->n_bindings + 1, sizeof(*bindings));
	if (!bindings)
		return -ENOMEM;
	known->bindings = bindings;
	bindings[known->n_bindings].policy = strdup(policy);
	if (!bindings[known->n_bindings].policy)
		return -ENOMEM;
	bindings[known->n_bindings++].mode = mode_of(binding);
	return 0;
}

static int look(struct known *known)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *cgroup = NULL;
	_cleanup_(strv_donep) char **policies = NULL;
	int r;

	known_done(known);
	known->stale = true;
	r = checmate_cgroup_open_id(known->cgroup_id, &cgroup, NULL);
	if (r >= 0)
		r = checmate_binding_list(cgroup, &policies, NULL);
	for (char **policy = policies; r >= 0 && policy && *policy; policy++)
		r = look_at(cgroup, *policy, known);
	/* It went meanwhile, and what is left of it goes soon. */
	if (r == -ENOENT || r == -ENODEV) {
		known_done(known);
		r = 0;
	}
	known->stale = r < 0;
	return r;
}

/* Keeps what is known of the cgroups in @ids, which is sorted, and forgets others. */
static int merge(struct inventory *inventory, const uint64_t *ids, size_t n)
{
	struct known *merged = calloc(n + 1, sizeof(*merged));
	size_t i = 0;

	if (!merged)
		return -ENOMEM;
	for (size_t j = 0; j < n; j++) {
		while (i < inventory->n_known && inventory->known[i].cgroup_id < ids[j])
			known_done(&inventory->known[i++]);
		if (i < inventory->n_known && inventory->known[i].cgroup_id == ids[j])
			merged[j] = inventory->known[i++];
		else
			merged[j] = (struct known){ .cgroup_id = ids[j], .stale = true };
	}
	while (i < inventory->n_known)
		known_done(&inventory->known[i++]);
	free(inventory->known);
	inventory->known = merged;
	inventory->n_known = n;
	return 0;
}

/**
 * inventory_refresh() - Look at what may have changed
 * @inventory: the inventory
 *
 * Return: 0, -errno; what was not looked at then stays to be done.
 */
int inventory_refresh(struct inventory *inventory)
{
	_cleanup_free_ uint64_t *ids = NULL;
	size_t n = 0;
	int r;

	r = checmate_binding_list_cgroups(&ids, &n, NULL);
	if (r < 0)
		return r;
	if (n)
		qsort(ids, n, sizeof(*ids), compare_ids);
	r = merge(inventory, ids, n);
	for (size_t i = 0; r >= 0 && i < inventory->n_known; i++)
		if (inventory->known[i].stale)
			r = look(&inventory->known[i]);
	return r;
}

/* --- answers ----------------------------------------------------------------- */

/* How many cgroups have bindings, as of the last refresh. */
size_t inventory_cgroups(const struct inventory *inventory)
{
	size_t n = 0;

	for (size_t i = 0; i < inventory->n_known; i++)
		n += inventory->known[i].n_bindings > 0;
	return n;
}

static int count_one(const struct binding *binding, struct metrics_bindings **counts, size_t *n)
{
	struct metrics_bindings *more;

	for (size_t i = 0; i < *n; i++)
		if (streq((*counts)[i].policy, binding->policy) &&
		    streq((*counts)[i].mode, binding->mode)) {
			(*counts)[i].n++;
			return 0;
		}
	more = reallocarray(*counts, *n + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	*counts = more;
	more[(*n)++] = (struct metrics_bindings){
		.policy = binding->policy,
		.mode = binding->mode,
		.n = 1,
	};
	return 0;
}

static int compare_counts(const void *a, const void *b)
{
	const struct metrics_bindings *left = a, *right = b;

	return strcmp(left->policy, right->policy) ?: strcmp(left->mode, right->mode);
}

/**
 * inventory_bindings() - Count the bindings, as of the last refresh
 * @inventory: the inventory; the names in the answer are its own, until the next
 *             refresh
 * @ret_bindings: receives the counts by policy and mode, sorted; free with free(3)
 * @ret_n: receives how many
 */
int inventory_bindings(const struct inventory *inventory, struct metrics_bindings **ret_bindings,
		       size_t *ret_n)
{
	_cleanup_free_ struct metrics_bindings *counts = NULL;
	size_t n = 0;
	int r;

	for (size_t i = 0; i < inventory->n_known; i++)
		for (size_t j = 0; j < inventory->known[i].n_bindings; j++) {
			r = count_one(&inventory->known[i].bindings[j], &counts, &n);
			if (r < 0)
				return r;
		}
	if (n)
		qsort(counts, n, sizeof(*counts), compare_counts);
	*ret_bindings = TAKE_PTR(counts);
	*ret_n = n;
	return 0;
}
