// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - Desired bindings, and how they differ from the actual ones
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "config-match.h"
#include "config-policy.h"
#include "desired.h"
#include "hash.h"
#include "parse.h"
#include "strv.h"

/* With the NUL, so that "ab" "c" is not "a" "bc". */
static uint64_t hash_text(uint64_t hash, const char *text)
{
	return hash_bytes(hash, text, strlen(text) + 1);
}

static uint64_t hash_binding(const struct desired_binding *desired)
{
	uint64_t hash = HASH_INIT;

	hash = hash_text(hash, desired->object);
	hash = hash_text(hash, desired->policy->permissive ? "permissive" : "enforce");
	for (char **p = desired->params; *p; p++)
		hash = hash_text(hash, *p);
	return hash;
}

static void binding_done(struct desired_binding *desired)
{
	free(desired->object);
	strv_free(desired->params);
}

/**
 * desired_refresh() - Update a desired binding from its policy's object
 * @desired: the desired binding
 * @policy: its policy, opened, with its parameters set
 * @ret_error: explanation
 *
 * The object may have been installed anew since the files were loaded.
 */
int desired_refresh(struct desired_binding *desired, const struct checmate_policy *policy,
		    struct checmate_error **ret_error)
{
	_cleanup_strv_ char **params = calloc(1, sizeof(*params));
	_cleanup_free_ char *object = strdup(checmate_policy_digest(policy));
	int r;

	if (!params || !object)
		return -ENOMEM;
	for (size_t i = 0; i < checmate_policy_count_params(policy); i++) {
		const char *name = checmate_policy_get_param(policy, i)->name;
		_cleanup_free_ char *value = NULL;

		r = checmate_policy_get(policy, name, &value, ret_error);
		if (r >= 0)
			r = strv_extend(&params, name);
		if (r >= 0)
			r = strv_extend(&params, value);
		if (r < 0)
			return r;
	}

	binding_done(desired);
	desired->object = TAKE_PTR(object);
	desired->params = TAKE_PTR(params);
	desired->n_programs = checmate_policy_count_programs(policy);
	desired->digest = hash_binding(desired);
	return 0;
}

static int explain(const struct desired_binding *desired, int r, const struct checmate_error *e,
		   char **ret_error)
{
	if (asprintf(ret_error, "%s:%u: %s", desired->policy->place.file,
		     desired->policy->place.line, e ? checmate_error_text(e) : strerror(-r)) < 0) {
		*ret_error = NULL;
		return -ENOMEM;
	}
	return r;
}

/**
 * desired_set_load() - Make the desired bindings of all binding files
 * @config: the files; must outlive the set
 * @ret_set: the desired bindings
 * @ret_error: what is wrong, and where
 */
int desired_set_load(const struct config *config, struct desired_set *ret_set, char **ret_error)
{
	_cleanup_(desired_set_done) struct desired_set set = {};
	size_t n = 0;

	for (size_t i = 0; i < config->n_bindings; i++)
		n += config->bindings[i]->n_policies;
	set.items = calloc(n + 1, sizeof(*set.items));
	if (!set.items)
		return -ENOMEM;

	for (size_t i = 0; i < config->n_bindings; i++) {
		for (size_t j = 0; j < config->bindings[i]->n_policies; j++) {
			_cleanup_(checmate_policy_freep) struct checmate_policy *policy = NULL;
			_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
			struct desired_binding *desired = &set.items[set.n++];
			int r;

			desired->binding = config->bindings[i];
			desired->policy = &desired->binding->policies[j];
			r = config_policy_open(desired->policy, &policy, &e);
			if (r >= 0)
				r = desired_refresh(desired, policy, &e);
			if (r < 0)
				return explain(desired, r, e, ret_error);
		}
	}

	*ret_set = set;
	set = (struct desired_set){};
	return 0;
}

void desired_set_done(struct desired_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		binding_done(&set->items[i]);
	free(set->items);
	*set = (struct desired_set){};
}

/* The later file counts, but nobody who can write what it matches by replaces another's. */
static bool replaces(const struct desired_binding *item, const struct desired_binding *former,
		     const struct identity *identity)
{
	return config_match_is_claimed(former->binding, identity) ||
	       !config_match_is_claimed(item->binding, identity);
}

static int list_add(struct desired_list *list, struct desired_binding *item,
		    const struct identity *identity)
{
	struct desired_binding **items;

	for (size_t i = 0; i < list->n; i++) {
		if (!streq(list->items[i]->policy->name, item->policy->name))
			continue;
		if (replaces(item, list->items[i], identity))
			list->items[i] = item;
		return 0;
	}

	items = reallocarray(list->items, list->n + 1, sizeof(struct desired_binding *));
	if (!items)
		return -ENOMEM;
	list->items = items;
	items[list->n++] = item;
	return 0;
}

/**
 * desired_match() - Find the desired bindings of a cgroup
 * @set: the desired bindings of all files
 * @identity: the cgroup
 * @ret_list: those whose files match it
 */
int desired_match(const struct desired_set *set, const struct identity *identity,
		  struct desired_list *ret_list)
{
	_cleanup_(desired_list_done) struct desired_list list = {};

	for (size_t i = 0; i < set->n; i++) {
		int r;

		if (!config_match(set->items[i].binding, identity))
			continue;
		list.seal |= set->items[i].binding->seal;
		r = list_add(&list, &set->items[i], identity);
		if (r < 0)
			return r;
	}
	*ret_list = list;
	list = (struct desired_list){};
	return 0;
}

/**
 * desired_find() - Find the desired binding of a policy
 * @list: a cgroup's desired bindings
 * @policy: name of the policy
 *
 * Return: the desired binding, or NULL.
 */
struct desired_binding *desired_find(const struct desired_list *list, const char *policy)
{
	for (size_t i = 0; i < list->n; i++)
		if (streq(list->items[i]->policy->name, policy))
			return list->items[i];
	return NULL;
}

void desired_list_done(struct desired_list *list)
{
	free(list->items);
	*list = (struct desired_list){};
}

static bool same_programs(const struct desired_binding *desired,
			  const struct checmate_binding *binding)
{
	if (!streq(checmate_binding_digest(binding), desired->object) ||
	    checmate_binding_count_programs(binding) != desired->n_programs ||
	    checmate_binding_count_params(binding) != strv_length(desired->params) / 2)
		return false;
	for (size_t i = 0; i < desired->n_programs; i++)
		if (!checmate_binding_get_program(binding, i)->attached)
			return false;
	return true;
}

/* Some programs let pass what they deny and others do not: neither mode. */
static bool same_mode(const struct desired_binding *desired, const struct checmate_binding *binding)
{
	for (size_t i = 0; i < desired->n_programs; i++)
		if (checmate_binding_get_program(binding, i)->permissive !=
		    desired->policy->permissive)
			return false;
	return true;
}

/**
 * desired_compare() - Compare a desired binding with the actual one
 * @desired: the desired binding
 * @binding: the actual binding
 * @ret_difference: how they differ
 * @ret_error: explanation
 */
int desired_compare(const struct desired_binding *desired, const struct checmate_binding *binding,
		    enum desired_difference *ret_difference, struct checmate_error **ret_error)
{
	bool mode, params = true;

	if (!same_programs(desired, binding)) {
		*ret_difference = DESIRED_OTHER;
		return 0;
	}

	mode = same_mode(desired, binding);
	for (size_t i = 0; desired->params[i]; i += 2) {
		_cleanup_free_ char *value = NULL;
		int r;

		r = checmate_binding_get(binding, desired->params[i], &value, ret_error);
		if (r == -ENOENT) {
			*ret_difference = DESIRED_OTHER;
			return 0;
		}
		if (r < 0)
			return r;
		params &= streq(value, desired->params[i + 1]);
	}

	if (params)
		*ret_difference = mode ? DESIRED_SAME : DESIRED_MODE;
	else
		*ret_difference = mode ? DESIRED_PARAMS : DESIRED_OTHER;
	return 0;
}
