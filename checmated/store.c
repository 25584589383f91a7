// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - What all changes of bindings share: the files and the places of records
 */

#include "cleanup.h"
#include "config-policy.h"
#include "store.h"

/**
 * store_load() - Read checmated.conf and the binding files
 * @store: the store, which keeps its former files if one is refused
 * @dirs: see config_load()
 * @ret_error: see config_load()
 */
int store_load(struct store *store, const char *const *dirs, char **ret_error)
{
	_cleanup_(desired_set_done) struct desired_set desired = {};
	_cleanup_(settings_done) struct settings settings = {};
	_cleanup_(config_freep) struct config *config = NULL;
	int r;

	r = settings_load(settings_default_dirs, &settings, ret_error);
	if (r >= 0)
		r = config_load_verified(dirs, &config, ret_error);
	if (r >= 0)
		r = desired_set_load(config, &desired, ret_error);
	if (r < 0)
		return r;

	store_done(store);
	store->settings = settings;
	settings = (struct settings){};
	store->config = TAKE_PTR(config);
	store->desired = desired;
	desired = (struct desired_set){};
	return 0;
}

/* Frees the files. */
void store_done(struct store *store)
{
	desired_set_done(&store->desired);
	store->config = config_free(store->config);
	settings_done(&store->settings);
}
