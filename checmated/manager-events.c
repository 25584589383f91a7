// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - Denial events and changes of bindings in the journal, on the bus and in metrics
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "bus-signals.h"
#include "cleanup.h"
#include "log.h"
#include "manager-events.h"
#include "parse.h"
#include "strv.h"

/* As checmated-metrics.socket names its descriptor. */
#define SOCKET_NAME "metrics"

/* --- denials ----------------------------------------------------------------- */

static void on_counted(const struct checmate_event *event, void *userdata)
{
	struct manager *manager = userdata;

	metrics_denied(manager->metrics, event->policy, event->hook, event->permissive);
}

/* Where: a path, or the id of a cgroup that is gone. */
static void format_place(const char *cgroup, uint64_t id, char *text, size_t size)
{
	if (cgroup)
		snprintf(text, size, "%s", cgroup);
	else
		snprintf(text, size, "cgroup %" PRIu64, id);
}

static void on_denied(const struct checmate_event *event, const char *cgroup, uint64_t suppressed,
		      void *userdata)
{
	const struct log_fields fields = {
		.cgroup = cgroup,
		.cgroup_id = event->cgroup_id ?: event->task_cgroup_id,
		.policy = event->policy,
		.error = event->error,
		.denial = event,
		.suppressed = suppressed,
	};
	const char *error = strerrorname_np(event->error);
	char place[512], more[64] = "";
	int r;

	format_place(cgroup, fields.cgroup_id, place, sizeof(place));
	if (suppressed)
		snprintf(more, sizeof(more), "; %" PRIu64 " more before it", suppressed);
	log_event(LOG_NOTICE, LOG_ID_DENIED, &fields, "%s: policy %s %s %s of %s (%u)%s%s: %s%s",
		  place, event->policy, event->permissive ? "would deny" : "denied", event->hook,
		  event->comm, event->pid, *event->object ? ": " : "", event->object,
		  error ?: "unknown error", more);
	r = bus_signals_denied(userdata, event, cgroup);
	if (r < 0)
		log_event(LOG_WARNING, LOG_ID_FAILED, &(struct log_fields){ .error = -r },
			  "a denial cannot be told over the bus: %s", strerror(-r));
}

static void on_rest(uint64_t cgroup_id, const char *cgroup, const char *policy, const char *hook,
		    uint64_t n, void *userdata)
{
	const struct log_fields fields = {
		.cgroup = cgroup,
		.cgroup_id = cgroup_id,
		.policy = *policy ? policy : NULL,
		.hook = *hook ? hook : NULL,
		.suppressed = n,
	};
	char place[512];

	(void)userdata;
	if (!*policy) {
		log_event(LOG_NOTICE, LOG_ID_DENIED_REST, &fields,
			  "%" PRIu64 " more denials by several policies and in several cgroups", n);
		return;
	}
	format_place(cgroup, cgroup_id, place, sizeof(place));
	log_event(LOG_NOTICE, LOG_ID_DENIED_REST, &fields,
		  "%s: %" PRIu64 " more denials by policy %s at %s", place, n, policy, hook);
}

static void on_lost(uint64_t n, void *userdata)
{
	struct manager *manager = userdata;

	metrics_lost(manager->metrics, n);
}

static void on_failed(int error, const char *reason, void *userdata)
{
	(void)userdata;
	log_event(LOG_WARNING, LOG_ID_DENIALS_UNREAD, &(struct log_fields){ .error = error },
		  "denials are enforced, but nobody is told of them: %s", reason);
}

static const struct denial_reader_ops denial_ops = {
	.counted = on_counted,
	.denied = on_denied,
	.rest = on_rest,
	.lost = on_lost,
	.failed = on_failed,
};

/* --- changes ------------------------------------------------------------------ */

/**
 * manager_events_changed() - Count what became of a binding
 * @manager: the manager
 * @change: what it is
 */
void manager_events_changed(struct manager *manager, const struct store_change *change)
{
	static const char *const applied[] = { "applied", "staged", "replaced" };

	/* Before the first of them, while starting. */
	if (!manager->metrics || !manager->binding_count)
		return;
	binding_count_touch(manager->binding_count, change->cgroup_id);
	for (size_t i = 0; i < ARRAY_SIZE(applied); i++)
		if (streq(change->change, applied[i]))
			metrics_applied(manager->metrics, change->usec);
	if (streq(change->change, "drift"))
		metrics_drifted(manager->metrics);
}

/* A cgroup, or a container, did not get what it was to have. */
void manager_events_failed(struct manager *manager)
{
	if (manager->metrics)
		metrics_failed(manager->metrics);
}

/* Others may have changed bindings without our being told, or have ended to read denials. */
void manager_events_reloaded(struct manager *manager)
{
	binding_count_touch_all(manager->binding_count);
	(void)denial_reader_retry(manager->reader);
}

/* --- figures ----------------------------------------------------------------- */

static int write_text(struct manager *manager, FILE *to)
{
	_cleanup_free_ struct metrics_bindings *bindings = NULL;
	struct metrics_state state = {
		.backend = manager->backend,
		.is_reader = denial_reader_is_active(manager->reader),
	};
	int r;

	/* What is linked by itself changes without our being told. */
	if (!streq(manager->backend, "checmate"))
		binding_count_touch_all(manager->binding_count);
	r = binding_count_refresh(manager->binding_count);
	if (r < 0)
		return r;
	r = binding_count_by_policy(manager->binding_count, &bindings, &state.n_bindings);
	if (r < 0)
		return r;
	state.bindings = bindings;
	state.cgroups = binding_count_cgroups(manager->binding_count);
	return metrics_write(manager->metrics, &state, to);
}

static int on_text(char **ret_text, size_t *ret_size, void *userdata)
{
	_cleanup_free_ char *text = NULL;
	FILE *to;
	size_t size;
	int r;

	to = open_memstream(&text, &size);
	if (!to)
		return -ENOMEM;
	r = write_text(userdata, to);
	/* glibc's fclose() can succeed and leave no text. */
	if ((fclose(to) == EOF || !text) && r >= 0)
		r = -ENOMEM;
	if (r < 0) {
		log_event(LOG_WARNING, LOG_ID_FAILED, &(struct log_fields){ .error = -r },
			  "figures were asked for and cannot be had: %s", strerror(-r));
		return r;
	}
	*ret_text = TAKE_PTR(text);
	*ret_size = size;
	return 0;
}

/* Without such a socket there are no figures to be had. */
static int serve_metrics(struct manager *manager)
{
	_cleanup_strv_ char **names = NULL;
	int r, n;

	n = sd_listen_fds_with_names(true, &names);
	if (n < 0)
		return n;
	for (int i = 0; i < n; i++) {
		int fd = SD_LISTEN_FDS_START + i;

		if (!streq(names[i], SOCKET_NAME) || manager->metrics_http ||
		    sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0) {
			close(fd);
			continue;
		}
		r = metrics_http_new(manager->event, fd, on_text, manager, &manager->metrics_http);
		if (r < 0)
			return r;
	}
	return 0;
}

/**
 * manager_events_attach() - Read denials, and serve metrics if their socket was passed
 * @manager: the manager, with its loop
 */
int manager_events_attach(struct manager *manager)
{
	int r;

	r = metrics_new(&manager->metrics);
	if (r >= 0)
		r = binding_count_new(&manager->binding_count);
	if (r >= 0)
		r = denial_reader_new(manager->event, &denial_ops, manager, &manager->reader);
	return r < 0 ? r : serve_metrics(manager);
}

/* Undoes manager_events_attach(), also when it failed. */
void manager_events_detach(struct manager *manager)
{
	manager->metrics_http = metrics_http_free(manager->metrics_http);
	manager->reader = denial_reader_free(manager->reader);
	manager->binding_count = binding_count_free(manager->binding_count);
	manager->metrics = metrics_free(manager->metrics);
}
