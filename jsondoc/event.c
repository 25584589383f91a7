// SPDX-License-Identifier: LGPL-2.1-or-later
/* jsondoc - events: the denials that policies tell of */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "build.h"
#include "jsondoc.h"
#include "utf8.h"

#define NS_PER_S 1000000000
#define TIME_TEXT_MAX 64

char *jsondoc_cgroup_path(uint64_t cgroup_id)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *cgroup = NULL;

	if (checmate_cgroup_open_id(cgroup_id, &cgroup, NULL) < 0)
		return NULL;
	return strdup(checmate_cgroup_path(cgroup));
}

/* The name of a cgroup may have been chosen to confuse a terminal. */
static size_t ascii_length(const char *text, size_t size)
{
	(void)size;
	return *text >= ' ' && *text < 0x7f;
}

char *jsondoc_printable(const char *path)
{
	return utf8_escape_by(path, ascii_length);
}

/* "2026-01-31T23:59:59.123456+01:00", of a time since boot. */
static void format_time(uint64_t since_boot, char *text, size_t size)
{
	struct timespec boot, real;
	char day[32], zone[8] = "";
	struct tm tm;
	time_t s;
	int64_t ns;

	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	ns = (real.tv_sec - boot.tv_sec) * (int64_t)NS_PER_S + real.tv_nsec - boot.tv_nsec;
	if (__builtin_add_overflow(ns, since_boot, &ns) || ns < 0)
		ns = 0;
	s = ns / NS_PER_S;
	localtime_r(&s, &tm);
	strftime(day, sizeof(day), "%FT%T", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	snprintf(text, size, "%s.%06d%.3s:%s", day, (int)(ns % NS_PER_S / 1000), zone,
		 zone[0] ? zone + 3 : "");
}

static void build_path(int *r, struct json_object *object, const char *key, const char *path)
{
	_cleanup_free_ char *text = NULL;

	if (*r < 0)
		return;
	text = path ? jsondoc_printable(path) : NULL;
	if (path && !text)
		*r = -ENOMEM;
	build_text(r, object, key, text);
}

int jsondoc_event(const struct checmate_event *event, const char *bound, const char *task,
		  struct json_object **ret_document)
{
	_cleanup_json_ struct json_object *object = NULL;
	char time[TIME_TEXT_MAX];
	int r = 0;

	format_time(event->time_ns, time, sizeof(time));
	object = build_object(&r);
	build_text(&r, object, "time", time);
	build_number(&r, object, "boottime_ns", event->time_ns);
	build_text(&r, object, "policy", event->policy);
	build_text(&r, object, "hook", event->hook);
	build_text(&r, object, "error", strerrorname_np(event->error));
	build_number(&r, object, "errno", event->error);
	build_bool(&r, object, "permissive", event->permissive);
	build_number(&r, object, "pid", event->pid);
	build_number(&r, object, "tid", event->tid);
	build_number(&r, object, "uid", event->uid);
	build_number(&r, object, "gid", event->gid);
	build_text(&r, object, "comm", event->comm);
	build_path(&r, object, "cgroup", task);
	build_number(&r, object, "cgroup_id", event->task_cgroup_id);
	build_path(&r, object, "bound", bound);
	build_number(&r, object, "bound_id", event->cgroup_id);
	build_text(&r, object, "object_type", event->object_type);
	build_text(&r, object, "object", event->object);
	if (r < 0)
		return r;

	*ret_document = TAKE_PTR(object);
	return 0;
}

int jsondoc_lost(uint64_t n, struct json_object **ret_document)
{
	_cleanup_json_ struct json_object *object = NULL;
	int r = 0;

	object = build_object(&r);
	build_number(&r, object, "lost", n);
	if (r < 0)
		return r;

	*ret_document = TAKE_PTR(object);
	return 0;
}
