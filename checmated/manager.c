// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - What ties the loop, the bus, the cgroups and the store together
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "bus-names.h"
#include "cleanup.h"
#include "log.h"
#include "manager-events.h"
#include "manager.h"
#include "origin.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

/* A walk through all cgroups. */
struct sweep {
	struct manager *manager;
	size_t n_failed;
};

/* What goes wrong in one cgroup must not keep the others from theirs. */
static int reconcile(struct manager *manager, const char *cgroup)
{
	_cleanup_(store_error_done) struct store_error error = {};
	struct store_look look = {};
	int r;

	r = store_reconcile(&manager->store, cgroup, &look, &error);
	if (r < 0)
		log_event(LOG_ERR, LOG_ID_BINDING_FAILED,
			  &(struct log_fields){
				  .cgroup = cgroup,
				  .error = -r,
				  .detail = error.detail,
			  },
			  "%s: what its binding files say is not in force: %s", cgroup,
			  error.text ? error.text : strerror(-r));
	return r;
}

static void reconcile_each(const char *path, void *userdata)
{
	struct sweep *sweep = userdata;

	if (reconcile(sweep->manager, path) < 0)
		sweep->n_failed++;
}

/* Returns in how many cgroups something failed. */
static size_t reconcile_all(struct manager *manager)
{
	struct sweep sweep = { .manager = manager };

	tree_foreach(manager->tree, reconcile_each, &sweep);
	return sweep.n_failed;
}

static void on_added(const char *path, void *userdata)
{
	struct manager *manager = userdata;

	/* The first scan comes before the bindings that exist are looked at. */
	if (manager->tree)
		(void)reconcile(manager, path);
}

static void on_removed(const char *path, void *userdata)
{
	struct manager *manager = userdata;

	(void)path;
	(void)sd_event_source_set_enabled(manager->gc_source, SD_EVENT_ONESHOT);
}

static void collect(struct manager *manager)
{
	_cleanup_(store_error_done) struct store_error error = {};
	int r;

	r = store_gc(&manager->store, &error);
	if (r < 0)
		log_event(LOG_WARNING, LOG_ID_FAILED,
			  &(struct log_fields){ .error = -r, .detail = error.detail },
			  "bindings of removed cgroups cannot be let go: %s",
			  error.text ? error.text : strerror(-r));
}

static int on_gc(sd_event_source *source, void *userdata)
{
	(void)source;
	collect(userdata);
	return 0;
}

static void notify_status(const struct manager *manager, const char *state)
{
	size_t n = manager->store.config->n_bindings;

	(void)sd_notifyf(0, "%sSTATUS=%zu binding %s in use", state, n, n == 1 ? "file" : "files");
}

/**
 * manager_reload() - Read the binding files again and make the cgroups follow
 * @manager: the manager
 * @ret_n_failed: in how many cgroups not all of what the files say is in force
 * @ret_error: on failure, what was not understood
 *
 * Return: 0, or -errno when a file was refused; nothing has changed then.
 */
int manager_reload(struct manager *manager, size_t *ret_n_failed, char **ret_error)
{
	int r;

	r = store_load(&manager->store, manager->dirs, ret_error);
	if (r < 0)
		return r;

	log_event(LOG_INFO, LOG_ID_CONFIG_LOADED, NULL, "%zu binding files loaded",
		  manager->store.config->n_bindings);
	manager_bus_config_changed(manager);

	*ret_n_failed = reconcile_all(manager);
	(void)watch_retry(manager->watch);
	notify_status(manager, "");
	return 0;
}

static int load_config(struct manager *manager)
{
	_cleanup_free_ char *error = NULL;
	int r;

	r = store_load(&manager->store, manager->dirs, &error);
	if (r < 0)
		log_event(LOG_ERR, LOG_ID_CONFIG_REFUSED, &(struct log_fields){ .error = -r }, "%s",
			  error ? error : strerror(-r));
	return r;
}

static int check_features(struct manager *manager)
{
	_cleanup_(checmate_features_freep) struct checmate_features *features = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	int r;

	r = checmate_features_probe(&features, &e);
	if (r < 0) {
		log_event(LOG_ERR, LOG_ID_FAILED, NULL, "%s", checmate_error_text(e));
		return r;
	}
	if (checmate_features_backend(features)) {
		manager->store.can_stage = checmate_features_supports(features, "staging");
		return 0;
	}

	for (size_t i = 0; i < checmate_features_count(features); i++) {
		const struct checmate_feature *feature = checmate_features_get(features, i);

		if (!feature->present)
			log_event(LOG_ERR, LOG_ID_FAILED, NULL,
				  "this machine cannot enforce: %s: %s; %s", feature->name,
				  feature->found,
				  feature->remedy ? feature->remedy : "no remedy known");
	}
	return -EOPNOTSUPP;
}

static int make_dirs(const struct manager *manager)
{
	const char *const dirs[] = { manager->store.origin_dir, manager->store.container_dir };

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		int r = origin_make_dir(dirs[i]);

		if (r < 0) {
			log_event(LOG_ERR, LOG_ID_FAILED, &(struct log_fields){ .error = -r },
				  "%s: cannot be made: %s", dirs[i], strerror(-r));
			return r;
		}
	}
	return 0;
}

static int fail_setup(int r, const char *what)
{
	log_event(LOG_ERR, LOG_ID_FAILED, &(struct log_fields){ .error = -r }, "%s: %s", what,
		  strerror(-r));
	return r;
}

static int setup_signals(struct manager *manager)
{
	static const int signals[] = { SIGTERM, SIGINT };
	sigset_t mask;
	int r;

	sigemptyset(&mask);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&mask, signals[i]);
	if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
		return -errno;

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		/* Without a handler the signal ends the loop. */
		r = sd_event_add_signal(manager->event, NULL, signals[i], NULL, NULL);
		if (r < 0)
			return r;
	}
	return 0;
}

static int setup_loop(struct manager *manager)
{
	int r;

	r = sd_event_default(&manager->event);
	if (r < 0)
		return r;
	r = setup_signals(manager);
	if (r < 0)
		return r;
	r = sd_event_set_watchdog(manager->event, true);
	if (r < 0)
		return r;

	r = sd_event_add_defer(manager->event, &manager->gc_source, on_gc, manager);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(manager->gc_source, "gc");
	/* After the events of this turn, of which there may be many. */
	r = sd_event_source_set_priority(manager->gc_source, SD_EVENT_PRIORITY_IDLE);
	if (r < 0)
		return r;
	return sd_event_source_set_enabled(manager->gc_source, SD_EVENT_OFF);
}

static int setup_bus(struct manager *manager)
{
	int r;

	r = sd_bus_default_system(&manager->bus);
	if (r < 0)
		return r;
	r = sd_bus_attach_event(manager->bus, manager->event, SD_EVENT_PRIORITY_NORMAL);
	if (r < 0)
		return r;
	/* A daemon that cannot be asked is to be started anew, with a bus. */
	r = sd_bus_set_exit_on_disconnect(manager->bus, true);
	if (r < 0)
		return r;
	return manager_bus_attach(manager);
}

/**
 * manager_new() - Start up: configuration, cgroups, bus
 * @dirs: directories of binding files, NULL-terminated; must outlive the manager
 * @ret_manager: the manager
 *
 * Has logged what is in the way when it fails.
 */
int manager_new(const char *const *dirs, struct manager **ret_manager)
{
	_cleanup_(manager_freep) struct manager *manager = NULL;
	int r;

	manager = calloc(1, sizeof(*manager));
	if (!manager)
		return fail_setup(-ENOMEM, "startup");
	manager->dirs = dirs;
	manager->store.origin_dir = ORIGIN_DIR;
	manager->store.container_dir = CONTAINER_DIR;

	r = check_features(manager);
	if (r < 0)
		return r;
	r = make_dirs(manager);
	if (r < 0)
		return r;
	r = load_config(manager);
	if (r < 0)
		return r;
	r = setup_loop(manager);
	if (r < 0)
		return fail_setup(r, "event loop cannot be set up");
	r = setup_bus(manager);
	if (r < 0)
		return fail_setup(r, "system bus cannot be used");
	r = manager_events_attach(manager);
	if (r < 0)
		return fail_setup(r, "denials and figures cannot be seen to");
	r = tree_new(manager->event, CGROUP_ROOT, on_added, on_removed, manager, &manager->tree);
	if (r < 0)
		return fail_setup(r, CGROUP_ROOT " cannot be watched");

	*ret_manager = TAKE_PTR(manager);
	return 0;
}

/**
 * manager_run() - Reconcile everything, then serve until told to end
 * @manager: the manager
 *
 * The name on the bus is taken last: whoever finds it there finds everything
 * in force that was configured.
 */
int manager_run(struct manager *manager)
{
	int r;

	collect(manager);
	(void)reconcile_all(manager);

	r = sd_bus_request_name(manager->bus, BUS_NAME, 0);
	if (r < 0)
		return fail_setup(r, "name " BUS_NAME " cannot be had on the system bus");

	log_event(LOG_INFO, LOG_ID_STARTED, NULL, "started with %zu binding files",
		  manager->store.config->n_bindings);
	notify_status(manager, "READY=1\n");

	r = sd_event_loop(manager->event);
	(void)sd_notify(0, "STOPPING=1\nSTATUS=Stopping; what is in force stays in force");
	if (r < 0)
		return fail_setup(r, "event loop");
	return r;
}

struct manager *manager_free(struct manager *manager)
{
	if (!manager)
		return NULL;
	tree_free(manager->tree);
	manager_events_detach(manager);
	sd_event_source_disable_unref(manager->gc_source);
	polkit_free(manager->polkit);
	sd_bus_flush_close_unref(manager->bus);
	sd_event_unref(manager->event);
	store_done(&manager->store);
	free(manager);
	return NULL;
}

void manager_freep(struct manager **manager)
{
	manager_free(*manager);
}
