/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - The reader of denials, and who else is told of them
 *
 * One reader takes denials out of the kernel's buffer, in turns of bounded length
 * and after everything else that waits in the loop: a storm of denials delays
 * neither a container's start nor an answer.  What the buffer cannot hold
 * meanwhile is lost, and counted.
 *
 * From there every denial goes to the counters and to every subscriber that may see
 * it, which gets one document of docs/schema/events.json per message; people are told
 * of it, by the journal and by a signal, as often as the rate limit allows, and of how
 * many more there were.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "checmate.h"

/**
 * struct watch_ops - Who is told; members may be NULL.
 * @counted: of every denial.
 * @denied: of a denial that people are to be told of. @cgroup is the path of the
 *          cgroup that the policy is bound to, NULL when it is gone; @suppressed
 *          like it were not told of since the last one.
 * @rest: of @n denials by @policy at @hook that were not told of, some time after
 *        the last; with @policy "", of several policies and cgroups.
 * @lost: of @n denials that were lost: nobody will know more about them.
 * @failed: reading has ended with an error, or cannot begin; once for each reason.
 */
struct watch_ops {
	void (*counted)(const struct checmate_event *event, void *userdata);
	void (*denied)(const struct checmate_event *event, const char *cgroup, uint64_t suppressed,
		       void *userdata);
	void (*rest)(uint64_t cgroup_id, const char *cgroup, const char *policy, const char *hook,
		     uint64_t n, void *userdata);
	void (*lost)(uint64_t n, void *userdata);
	void (*failed)(int error, const char *reason, void *userdata);
};

struct watch;

int watch_new(sd_event *event, const struct watch_ops *ops, void *userdata,
	      struct watch **ret_watch);
struct watch *watch_free(struct watch *watch);
void watch_freep(struct watch **watch);

int watch_retry(struct watch *watch);
int watch_subscribe(struct watch *watch, uid_t uid, bool all, int *ret_fd);

bool watch_is_reader(const struct watch *watch);
const char *watch_reason(const struct watch *watch);
uint64_t watch_read(const struct watch *watch);
uint64_t watch_lost(const struct watch *watch);
size_t watch_subscribers(const struct watch *watch);
