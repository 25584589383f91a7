// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - The number of bindings, by policy and mode
 */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "actual.h"
#include "binding-count.h"
#include "checmate.h"
#include "cleanup.h"
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

struct binding_count {
	struct known *known; /* sorted by id */
	size_t n_known;
};

/**
 * binding_count_new() - Make a count that knows no cgroup yet
 * @ret_count: receives the count
 */
int binding_count_new(struct binding_count **ret_count)
{
	struct binding_count *count = calloc(1, sizeof(*count));

	if (!count)
		return -ENOMEM;
	*ret_count = count;
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

struct binding_count *binding_count_free(struct binding_count *count)
{
	if (!count)
		return NULL;
	for (size_t i = 0; i < count->n_known; i++)
		known_done(&count->known[i]);
	free(count->known);
	free(count);
	return NULL;
}

void binding_count_freep(struct binding_count **count)
{
	binding_count_free(*count);
}

/* An id is the first member of what is compared. */
static int compare_ids(const void *a, const void *b)
{
	const uint64_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* Has the next refresh read a cgroup again. */
void binding_count_touch(struct binding_count *count, uint64_t cgroup_id)
{
	struct known *known = NULL;

	if (count->n_known)
		known = bsearch(&cgroup_id, count->known, count->n_known, sizeof(*known),
				compare_ids);
	if (known)
		known->stale = true;
}

/* Has the next refresh read all cgroups again. */
void binding_count_touch_all(struct binding_count *count)
{
	for (size_t i = 0; i < count->n_known; i++)
		count->known[i].stale = true;
}

/* --- looking ----------------------------------------------------------------- */

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
	bindings[known->n_bindings++].mode = actual_mode(binding);
	return 0;
}

static int look(struct known *known)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *cgroup = NULL;
	_cleanup_(actual_strv_freep) char **policies = NULL;
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
static int merge(struct binding_count *count, const uint64_t *ids, size_t n)
{
	struct known *merged = calloc(n + 1, sizeof(*merged));
	size_t i = 0;

	if (!merged)
		return -ENOMEM;
	for (size_t j = 0; j < n; j++) {
		while (i < count->n_known && count->known[i].cgroup_id < ids[j])
			known_done(&count->known[i++]);
		if (i < count->n_known && count->known[i].cgroup_id == ids[j])
			merged[j] = count->known[i++];
		else
			merged[j] = (struct known){ .cgroup_id = ids[j], .stale = true };
	}
	while (i < count->n_known)
		known_done(&count->known[i++]);
	free(count->known);
	count->known = merged;
	count->n_known = n;
	return 0;
}

/**
 * binding_count_refresh() - Read the cgroups that may have changed
 * @count: the count
 *
 * Return: 0; -errno, and then the next refresh reads the rest.
 */
int binding_count_refresh(struct binding_count *count)
{
	_cleanup_free_ uint64_t *ids = NULL;
	size_t n = 0;
	int r;

	r = checmate_binding_list_cgroups(&ids, &n, NULL);
	if (r < 0)
		return r;
	if (n)
		qsort(ids, n, sizeof(*ids), compare_ids);
	r = merge(count, ids, n);
	for (size_t i = 0; r >= 0 && i < count->n_known; i++)
		if (count->known[i].stale)
			r = look(&count->known[i]);
	return r;
}

/* --- answers ----------------------------------------------------------------- */

/* The number of cgroups that have bindings, as of the last refresh. */
size_t binding_count_cgroups(const struct binding_count *count)
{
	size_t n = 0;

	for (size_t i = 0; i < count->n_known; i++)
		n += count->known[i].n_bindings > 0;
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
 * binding_count_by_policy() - The number of bindings as of the last refresh
 * @count: the count; the names in the answer are its own, until the next
 *             refresh
 * @ret_bindings: receives the counts by policy and mode, sorted; free with free(3)
 * @ret_n: receives how many
 */
int binding_count_by_policy(const struct binding_count *count,
			    struct metrics_bindings **ret_bindings, size_t *ret_n)
{
	_cleanup_free_ struct metrics_bindings *counts = NULL;
	size_t n = 0;
	int r;

	for (size_t i = 0; i < count->n_known; i++)
		for (size_t j = 0; j < count->known[i].n_bindings; j++) {
			r = count_one(&count->known[i].bindings[j], &counts, &n);
			if (r < 0)
				return r;
		}
	if (n)
		qsort(counts, n, sizeof(*counts), compare_counts);
	*ret_bindings = TAKE_PTR(counts);
	*ret_n = n;
	return 0;
}
