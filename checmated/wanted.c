// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - What binding files give, ready to be compared with what is in force
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "config-policy.h"
#include "hash.h"
#include "parse.h"
#include "strv.h"
#include "wanted.h"

/* With the NUL, so that "ab" "c" is not "a" "bc". */
static uint64_t hash_text(uint64_t hash, const char *text)
{
	return hash_bytes(hash, text, strlen(text) + 1);
}

static uint64_t hash_wanted(const struct wanted *wanted)
{
	uint64_t hash = HASH_INIT;

	hash = hash_text(hash, wanted->version);
	hash = hash_text(hash, wanted->policy->permissive ? "permissive" : "enforce");
	for (char **p = wanted->params; *p; p++)
		hash = hash_text(hash, *p);
	return hash;
}

static void wanted_done(struct wanted *wanted)
{
	free(wanted->version);
	strv_free(wanted->params);
}

/**
 * wanted_refresh() - Take over what a policy says of itself now
 * @wanted: what a file gives
 * @policy: that policy, opened, its parameters set
 * @ret_error: explanation
 *
 * Its object may have been installed anew since the files were loaded.
 */
int wanted_refresh(struct wanted *wanted, const struct checmate_policy *policy,
		   struct checmate_error **ret_error)
{
	_cleanup_strv_ char **params = calloc(1, sizeof(*params));
	_cleanup_free_ char *version = strdup(checmate_policy_version(policy));
	int r;

	if (!params || !version)
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

	wanted_done(wanted);
	wanted->version = TAKE_PTR(version);
	wanted->params = TAKE_PTR(params);
	wanted->n_programs = checmate_policy_count_programs(policy);
	wanted->digest = hash_wanted(wanted);
	return 0;
}

static int explain(const struct wanted *wanted, int r, const struct checmate_error *e,
		   char **ret_error)
{
	if (asprintf(ret_error, "%s:%u: %s", wanted->policy->place.file, wanted->policy->place.line,
		     e ? checmate_error_text(e) : strerror(-r)) < 0) {
		*ret_error = NULL;
		return -ENOMEM;
	}
	return r;
}

/**
 * wanted_set_load() - Ask the policies about all that the files give
 * @config: the files; must outlive the set
 * @ret_set: what they give
 * @ret_error: what is wrong, and where
 */
int wanted_set_load(const struct config *config, struct wanted_set *ret_set, char **ret_error)
{
	_cleanup_(wanted_set_done) struct wanted_set set = {};
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
			struct wanted *wanted = &set.items[set.n++];
			int r;

			wanted->binding = config->bindings[i];
			wanted->policy = &wanted->binding->policies[j];
			r = config_policy_open(wanted->policy, &policy, &e);
			if (r >= 0)
				r = wanted_refresh(wanted, policy, &e);
			if (r < 0)
				return explain(wanted, r, e, ret_error);
		}
	}

	*ret_set = set;
	set = (struct wanted_set){};
	return 0;
}

void wanted_set_done(struct wanted_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		wanted_done(&set->items[i]);
	free(set->items);
	*set = (struct wanted_set){};
}

/* The later file counts, but nobody who can write what it matches by replaces another's. */
static bool replaces(const struct wanted *item, const struct wanted *former,
		     const struct identity *identity)
{
	return config_match_is_claimed(former->binding, identity) ||
	       !config_match_is_claimed(item->binding, identity);
}

static int list_add(struct wanted_list *list, struct wanted *item, const struct identity *identity)
{
	struct wanted **items;

	for (size_t i = 0; i < list->n; i++) {
		if (!streq(list->items[i]->policy->name, item->policy->name))
			continue;
		if (replaces(item, list->items[i], identity))
			list->items[i] = item;
		return 0;
	}

	items = reallocarray(list->items, list->n + 1, sizeof(struct wanted *));
	if (!items)
		return -ENOMEM;
	list->items = items;
	items[list->n++] = item;
	return 0;
}

/**
 * wanted_match() - What the files give to a cgroup
 * @set: what they give at all
 * @identity: the cgroup
 * @ret_list: what it is to have
 */
int wanted_match(const struct wanted_set *set, const struct identity *identity,
		 struct wanted_list *ret_list)
{
	_cleanup_(wanted_list_done) struct wanted_list list = {};

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
	list = (struct wanted_list){};
	return 0;
}

/**
 * wanted_find() - Look for a policy
 * @list: what a cgroup is to have
 * @policy: name of the policy
 *
 * Return: what is wanted of it, or NULL.
 */
struct wanted *wanted_find(const struct wanted_list *list, const char *policy)
{
	for (size_t i = 0; i < list->n; i++)
		if (streq(list->items[i]->policy->name, policy))
			return list->items[i];
	return NULL;
}

void wanted_list_done(struct wanted_list *list)
{
	free(list->items);
	*list = (struct wanted_list){};
}

static bool same_programs(const struct wanted *wanted, const struct checmate_binding *binding)
{
	if (!streq(checmate_binding_version(binding), wanted->version) ||
	    checmate_binding_count_programs(binding) != wanted->n_programs ||
	    checmate_binding_count_params(binding) != strv_length(wanted->params) / 2)
		return false;
	for (size_t i = 0; i < wanted->n_programs; i++)
		if (!checmate_binding_get_program(binding, i)->attached)
			return false;
	return true;
}

/* Some programs let pass what they deny and others do not: neither mode. */
static bool same_mode(const struct wanted *wanted, const struct checmate_binding *binding)
{
	for (size_t i = 0; i < wanted->n_programs; i++)
		if (checmate_binding_get_program(binding, i)->permissive !=
		    wanted->policy->permissive)
			return false;
	return true;
}

/**
 * wanted_compare() - Is a binding what a file wants?
 * @wanted: what the file wants
 * @binding: what is in force
 * @ret_difference: the answer
 * @ret_param: index of the name of the parameter that differs in @wanted->params
 * @ret_error: explanation
 */
int wanted_compare(const struct wanted *wanted, const struct checmate_binding *binding,
		   enum wanted_difference *ret_difference, size_t *ret_param,
		   struct checmate_error **ret_error)
{
	size_t n_params = 0, param = 0;
	bool mode;

	if (!same_programs(wanted, binding)) {
		*ret_difference = WANTED_OTHER;
		return 0;
	}

	mode = same_mode(wanted, binding);
	for (size_t i = 0; wanted->params[i]; i += 2) {
		_cleanup_free_ char *value = NULL;
		int r;

		r = checmate_binding_get(binding, wanted->params[i], &value, ret_error);
		if (r == -ENOENT) {
			*ret_difference = WANTED_OTHER;
			return 0;
		}
		if (r < 0)
			return r;
		if (streq(value, wanted->params[i + 1]))
			continue;
		param = i;
		n_params++;
	}

	if (!n_params)
		*ret_difference = mode ? WANTED_SAME : WANTED_MODE;
	else
		*ret_difference = mode && n_params == 1 ? WANTED_PARAM : WANTED_OTHER;
	*ret_param = param;
	return 0;
}
