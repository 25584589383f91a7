// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - What ties the loop, the bus, the cgroups and the store together
 */

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "binding-record.h"
#include "bus-names.h"
#include "bus-signals.h"
#include "cleanup.h"
#include "clock.h"
#include "gc.h"
#include "log.h"
#include "manager-events.h"
#include "manager.h"
#include "parse.h"
#include "reconcile.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

/*
 * How long the OCI hook has to tell of a container after its cgroup was made.  One
 * that it has not told of by then was started without it.
 */
#define LATE_USEC (10ull * 1000 * 1000)

/* Meanwhile it is looked at whether it has started: first after so long, then twice that. */
#define STARTED_USEC (250ull * 1000)

/*
 * Who changes the same cgroup back again and again must not keep the daemon busy:
 * after so many troubles within this time it waits.
 */
#define TROUBLES_MAX 4
#define TROUBLES_USEC (10ull * 1000 * 1000)

/* What failed is tried again, each time after twice as long. */
#define RETRY_MIN_USEC (10ull * 1000 * 1000)
#define RETRY_MAX_USEC (600ull * 1000 * 1000)

/* How long what removed cgroups left is kept: looking for it takes a walk through all. */
#define GC_USEC (1ull * 1000 * 1000)

/* How often a long walk tells systemd that it is one. */
#define ALIVE_USEC (5ull * 1000 * 1000)

/* A walk through all cgroups. */
struct sweep {
	struct manager *manager;
	uint64_t told; /* when systemd was last told of it */
};

/* --- status --------------------------------------------------------------- */

static const char *plural(size_t n, const char *one, const char *more)
{
	return n == 1 ? one : more;
}

/* @state is what else is told, in lines. */
static void notify_status(struct manager *manager, const char *state)
{
	size_t n = manager->store.config->n_bindings;
	_cleanup_free_ char *failed = NULL, *status = NULL;

	if (manager->n_failed &&
	    asprintf(&failed, ", in %zu not all that they say", manager->n_failed) < 0)
		failed = NULL;
	if (asprintf(&status, "%zu binding %s in use, %zu %s bound%s%s%s", n,
		     plural(n, "file", "files"), manager->n_bound,
		     plural(manager->n_bound, "cgroup", "cgroups"), failed ? failed : "",
		     manager->refused ? "; refused: " : "",
		     manager->refused ? manager->refused : "") < 0) {
		status = NULL;
		return;
	}
	if (!*state && manager->status && streq(status, manager->status))
		return;
	(void)sd_notifyf(0, "%sSTATUS=%s", state, status);
	free(manager->status);
	manager->status = TAKE_PTR(status);
}

static int on_status(sd_event_source *source, void *userdata)
{
	(void)source;
	notify_status(userdata, "");
	return 0;
}

static void status_changed(struct manager *manager)
{
	(void)sd_event_source_set_enabled(manager->status_source, SD_EVENT_ONESHOT);
}

static void set_bound(struct manager *manager, struct watched_cgroup *cgroup, bool bound)
{
	int r;

	if (cgroup->bound != bound) {
		cgroup->bound = bound;
		manager->n_bound += bound ? 1 : -1;
		status_changed(manager);
	}
	r = cgroup_watch_writes(cgroup, bound);
	if (r < 0)
		log_event(LOG_WARNING, LOG_ID_FAILED,
			  &(struct log_fields){ .cgroup = cgroup->path, .error = -r },
			  "%s: cannot be watched, what others change is put right at the next reload only: %s",
			  cgroup->path, strerror(-r));
}

static void set_failed(struct manager *manager, struct watched_cgroup *cgroup, bool failed)
{
	if (cgroup->failed == failed)
		return;
	cgroup->failed = failed;
	manager->n_failed += failed ? 1 : -1;
	status_changed(manager);
}

/* --- cgroups -------------------------------------------------------------- */

static void wake(struct watched_cgroup *cgroup, uint64_t usec)
{
	int r;

	r = cgroup_watch_wake(cgroup, usec);
	if (r < 0)
		log_event(LOG_WARNING, LOG_ID_FAILED,
			  &(struct log_fields){ .cgroup = cgroup->path, .error = -r },
			  "%s: will not be looked at again before the next reload: %s",
			  cgroup->path, strerror(-r));
}

static void count_trouble(struct watched_cgroup *cgroup, uint64_t now)
{
	if (now - cgroup->troubled_since > TROUBLES_USEC) {
		cgroup->n_troubles = 0;
		cgroup->troubled_since = now;
	}
	cgroup->n_troubles++;
}

static void retry_later(struct watched_cgroup *cgroup, uint64_t now)
{
	cgroup->retry = cgroup->retry ? cgroup->retry * 2 : RETRY_MIN_USEC;
	if (cgroup->retry > RETRY_MAX_USEC)
		cgroup->retry = RETRY_MAX_USEC;
	wake(cgroup, now + cgroup->retry);
}

/* The owner of a cgroup's directory can make as many below as they like. */
static uid_t owner_of(const struct watched_cgroup *cgroup)
{
	_cleanup_free_ char *path = NULL;
	struct stat st;

	if (asprintf(&path, CGROUP_ROOT "%s", cgroup->path) < 0) {
		path = NULL;
		return 0;
	}
	/* It is gone: there is nothing more to be logged of it. */
	return stat(path, &st) < 0 ? 0 : st.st_uid;
}

/* When to look again at a container of which the hook has yet to tell. */
static uint64_t next_look(const struct watched_cgroup *cgroup, uint64_t now)
{
	uint64_t age = now - cgroup->since;

	if (age < STARTED_USEC)
		return cgroup->since + STARTED_USEC;
	return cgroup->since + (2 * age < LATE_USEC ? 2 * age : LATE_USEC);
}

/* What goes wrong in one cgroup must not keep the others from theirs. */
static void reconcile(struct manager *manager, struct watched_cgroup *cgroup)
{
	_cleanup_(store_error_done) struct store_error error = {};
	uint64_t now = now_usec();
	struct reconcile_look look = { .late = now - cgroup->since >= LATE_USEC };
	int r;

	log_set_user(owner_of(cgroup));
	r = reconcile_cgroup(&manager->store, cgroup->path, &look, &error);
	if (r < 0)
		log_event(LOG_ERR, LOG_ID_BINDING_FAILED,
			  &(struct log_fields){
				  .cgroup = cgroup->path,
				  .error = -r,
				  .detail = error.detail,
			  },
			  "%s: what its binding files say is not in force: %s", cgroup->path,
			  error.text ? error.text : strerror(-r));
	if (look.n_late)
		log_event(LOG_WARNING, LOG_ID_CONTAINER_LATE,
			  &(struct log_fields){ .cgroup = cgroup->path },
			  look.started ?
				  "%s: a container that has started, or was restored, without checmate-oci-hook; its policies came late" :
				  "%s: a container that checmate-oci-hook has not told of; its policies came late",
			  cgroup->path);

	if (r < 0)
		manager_events_failed(manager);
	set_bound(manager, cgroup, look.bound);
	set_failed(manager, cgroup, r < 0);
	if (look.untold && !look.late && !look.started)
		wake(cgroup, next_look(cgroup, now));
	if (r < 0 || look.n_drift)
		count_trouble(cgroup, now);
	if (r < 0)
		retry_later(cgroup, now);
	else
		cgroup->retry = 0;
	log_set_user(0);
}

static void keep_alive(struct sweep *sweep)
{
	uint64_t now = now_usec();

	if (now - sweep->told < ALIVE_USEC)
		return;
	sweep->told = now;
	(void)sd_notify(0, sweep->manager->running ? "WATCHDOG=1" :
						     "WATCHDOG=1\nEXTEND_TIMEOUT_USEC=90000000");
}

static void reconcile_each(struct watched_cgroup *cgroup, void *userdata)
{
	struct sweep *sweep = userdata;

	keep_alive(sweep);
	reconcile(sweep->manager, cgroup);
}

static void reconcile_all(struct manager *manager)
{
	struct sweep sweep = { .manager = manager, .told = now_usec() };

	cgroup_watch_foreach(manager->cgroups, reconcile_each, &sweep);
}

static void on_added(struct watched_cgroup *cgroup, void *userdata)
{
	struct manager *manager = userdata;

	/* The first scan comes before the bindings that exist are looked at. */
	if (manager->cgroups)
		reconcile(manager, cgroup);
}

static void collect_later(struct manager *manager)
{
	int enabled, r;

	r = sd_event_source_get_enabled(manager->gc_source, &enabled);
	if (r > 0)
		return;
	if (r == 0)
		r = sd_event_source_set_time_relative(manager->gc_source, GC_USEC);
	if (r >= 0)
		r = sd_event_source_set_enabled(manager->gc_source, SD_EVENT_ONESHOT);
	if (r < 0)
		log_event(LOG_WARNING, LOG_ID_FAILED, &(struct log_fields){ .error = -r },
			  "bindings of removed cgroups are kept until the next reload: %s",
			  strerror(-r));
}

static void on_removed(struct watched_cgroup *cgroup, void *userdata)
{
	struct manager *manager = userdata;

	set_failed(manager, cgroup, false);
	if (cgroup->bound)
		set_bound(manager, cgroup, false);
	if (gc_is_needed(&manager->store, cgroup->id))
		collect_later(manager);
}

static void on_changed(struct watched_cgroup *cgroup, void *userdata)
{
	bool troubled = cgroup->n_troubles >= TROUBLES_MAX &&
			now_usec() - cgroup->troubled_since <= TROUBLES_USEC;

	if (troubled)
		wake(cgroup, cgroup->troubled_since + TROUBLES_USEC + 1);
	else
		reconcile(userdata, cgroup);
}

static const struct cgroup_watch_ops watch_ops = {
	.added = on_added,
	.removed = on_removed,
	.changed = on_changed,
};

/**
 * manager_expect() - Have the pins and records of a cgroup freed when it is gone
 * @manager: the manager
 * @path: the cgroup
 *
 * A cgroup that cgroup-watch.c has not reported yet may go unreported.
 */
void manager_expect(struct manager *manager, const char *path)
{
	if (manager->cgroups && !cgroup_watch_find(manager->cgroups, path))
		collect_later(manager);
}

/* What the store did: everybody who wants to know of bindings is told here. */
static void on_binding_changed(const struct store_change *change, void *userdata)
{
	bool configured = startswith(change->origin, "file ") ||
			  startswith(change->origin, "container ");
	bool there = !streq(change->change, "removed") && !streq(change->change, "gone");
	struct manager *manager = userdata;
	struct watched_cgroup *cgroup;

	/* The hook asks for a container whose cgroup was looked at before. */
	cgroup = configured && there && manager->cgroups ?
			 cgroup_watch_find(manager->cgroups, change->cgroup) :
			 NULL;
	if (cgroup)
		set_bound(manager, cgroup, true);
	if (there)
		manager_expect(manager, change->cgroup);
	bus_signals_changed(manager, change);
	manager_events_changed(manager, change);
}

static void collect(struct manager *manager)
{
	_cleanup_(store_error_done) struct store_error error = {};
	int r;

	r = gc_run(&manager->store, &error);
	if (r < 0)
		log_event(LOG_WARNING, LOG_ID_FAILED,
			  &(struct log_fields){ .error = -r, .detail = error.detail },
			  "bindings of removed cgroups cannot be let go: %s",
			  error.text ? error.text : strerror(-r));
}

static int on_gc(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	collect(userdata);
	return 0;
}

/* --- binding files -------------------------------------------------------- */

static void set_refused(struct manager *manager, const char *text)
{
	free(manager->refused);
	manager->refused = text ? strdup(text) : NULL;
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
	_cleanup_free_ char *error = NULL;
	int r;

	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\nSTATUS=Reading binding files",
			 now_usec());
	r = store_load(&manager->store, manager->dirs, &error);
	set_refused(manager, r < 0 ? (error ? error : strerror(-r)) : NULL);
	if (r < 0) {
		notify_status(manager, "READY=1\n");
		*ret_error = TAKE_PTR(error);
		return r;
	}

	log_event(LOG_INFO, LOG_ID_CONFIG_LOADED, NULL, "%zu binding files loaded",
		  manager->store.config->n_bindings);
	bus_signals_config_changed(manager);

	collect(manager);
	reconcile_all(manager);
	manager_events_reloaded(manager);
	notify_status(manager, "READY=1\n");
	*ret_n_failed = manager->n_failed;
	return 0;
}

static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata)
{
	struct manager *manager = userdata;
	_cleanup_free_ char *error = NULL;
	size_t n_failed;
	int r;

	(void)source;
	(void)si;

	r = manager_reload(manager, &n_failed, &error);
	if (r < 0)
		log_event(LOG_ERR, LOG_ID_CONFIG_REFUSED, &(struct log_fields){ .error = -r },
			  "%s; what was loaded before stays in use", error ? error : strerror(-r));
	return 0;
}

static int load_config(struct manager *manager)
{
	_cleanup_free_ char *error = NULL;
	int r;

	r = store_load(&manager->store, manager->dirs, &error);
	if (r >= 0)
		return 0;
	log_event(LOG_ERR, LOG_ID_CONFIG_REFUSED, &(struct log_fields){ .error = -r }, "%s",
		  error ? error : strerror(-r));
	(void)sd_notifyf(0, "ERRNO=%d\nSTATUS=Refused: %s", -r, error ? error : strerror(-r));
	return -EBADMSG;
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
		/* The names live longer than the features. */
		manager->backend = streq(checmate_features_backend(features), "checmate") ?
					   "checmate" :
					   "bpf-link";
		manager->store.can_stage = checmate_features_supports(features, "staging");
		manager->store.can_seal = checmate_features_supports(features, "seal");
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
	const char *const dirs[] = { manager->store.binding_record_dir,
				     manager->store.container_record_dir };

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		int r = binding_record_make_dir(dirs[i]);

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
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	sigset_t mask;
	int r;

	sigemptyset(&mask);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&mask, signals[i]);
	if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
		return -errno;

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		bool hangup = signals[i] == SIGHUP;

		/* Without a handler the signal ends the loop, @userdata being the result. */
		r = sd_event_add_signal(manager->event, NULL, signals[i], hangup ? on_hangup : NULL,
					hangup ? manager : NULL);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_gc(struct manager *manager)
{
	int r;

	r = sd_event_add_time_relative(manager->event, &manager->gc_source, CLOCK_MONOTONIC,
				       GC_USEC, 0, on_gc, manager);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(manager->gc_source, "gc");
	return sd_event_source_set_enabled(manager->gc_source, SD_EVENT_OFF);
}

static int add_status(struct manager *manager)
{
	int r;

	r = sd_event_add_defer(manager->event, &manager->status_source, on_status, manager);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(manager->status_source, "status");
	/* After the events of this turn, of which there may be many. */
	r = sd_event_source_set_priority(manager->status_source, SD_EVENT_PRIORITY_IDLE);
	return r < 0 ? r : sd_event_source_set_enabled(manager->status_source, SD_EVENT_OFF);
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
	r = log_limit_start(manager->event);
	if (r < 0)
		return r;

	r = add_gc(manager);
	return r < 0 ? r : add_status(manager);
}

static int setup_bus(struct manager *manager)
{
	const char *name;
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
	/* The bus waits 30 seconds for us to come in, and looking at many cgroups takes longer. */
	return sd_bus_get_unique_name(manager->bus, &name);
}

/**
 * manager_new() - Start up: configuration, cgroups, bus
 * @dirs: directories of binding files, NULL-terminated; must outlive the manager
 * @ret_manager: the manager
 *
 * Has logged what is in the way when it fails.
 *
 * Return: 0; -EBADMSG when a binding file was refused; another -errno.
 */
int manager_new(const char *const *dirs, struct manager **ret_manager)
{
	_cleanup_(manager_freep) struct manager *manager = NULL;
	int r;

	manager = calloc(1, sizeof(*manager));
	if (!manager)
		return fail_setup(-ENOMEM, "startup");
	manager->dirs = dirs;
	manager->store.binding_record_dir = BINDING_RECORD_DIR;
	manager->store.container_record_dir = CONTAINER_RECORD_DIR;
	manager->store.changed = on_binding_changed;
	manager->store.userdata = manager;

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
	r = cgroup_watch_new(manager->event, CGROUP_ROOT, &watch_ops, manager, &manager->cgroups);
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
	reconcile_all(manager);

	r = sd_bus_request_name(manager->bus, BUS_NAME, 0);
	if (r < 0)
		return fail_setup(r, "name " BUS_NAME " cannot be had on the system bus");

	log_event(LOG_INFO, LOG_ID_STARTED, NULL, "started with %zu binding files",
		  manager->store.config->n_bindings);
	manager->running = true;
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
	cgroup_watch_free(manager->cgroups);
	manager_events_detach(manager);
	sd_event_source_disable_unref(manager->gc_source);
	sd_event_source_disable_unref(manager->status_source);
	polkit_free(manager->polkit);
	log_limit_end();
	sd_bus_flush_close_unref(manager->bus);
	sd_event_unref(manager->event);
	store_done(&manager->store);
	free(manager->refused);
	free(manager->status);
	free(manager);
	return NULL;
}

void manager_freep(struct manager **manager)
{
	manager_free(*manager);
}
