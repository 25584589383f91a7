/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - The reader of denial events, and their subscribers
 *
 * One reader takes denial events out of the kernel's buffer, in turns of bounded
 * length and after all other events of the loop. A storm of denials therefore delays
 * neither a container's start nor a reply. Events that the buffer cannot take meanwhile
 * are lost and counted.
 *
 * The reader counts every event. It sends every event to every subscriber that may see
 * it, as one document of docs/schema/events.json per message. The journal and the bus
 * get as many events as the rate limit allows, and the number of the others.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "checmate.h"

/**
 * struct denial_reader_ops - The callbacks of a reader; members may be NULL.
 * @counted: called for every event.
 * @denied: called for an event within the rate limit. @cgroup is the path of the cgroup
 *          that the policy is bound to, NULL if the cgroup is gone. @suppressed is the
 *          number of events of the same key beyond the limit since the last call.
 * @rest: called some time after the last @denied, for @n events of @policy at @hook
 *        beyond the limit; with @policy "" for several policies and cgroups.
 * @lost: called when @n events were lost.
 * @failed: called when the reader stops or cannot start, once for each reason.
 */
struct denial_reader_ops {
	void (*counted)(const struct checmate_event *event, void *userdata);
	void (*denied)(const struct checmate_event *event, const char *cgroup, uint64_t suppressed,
		       void *userdata);
	void (*rest)(uint64_t cgroup_id, const char *cgroup, const char *policy, const char *hook,
		     uint64_t n, void *userdata);
	void (*lost)(uint64_t n, void *userdata);
	void (*failed)(int error, const char *reason, void *userdata);
};

struct denial_reader;

int denial_reader_new(sd_event *event, const struct denial_reader_ops *ops, void *userdata,
		      struct denial_reader **ret_reader);
struct denial_reader *denial_reader_free(struct denial_reader *reader);
void denial_reader_freep(struct denial_reader **reader);

int denial_reader_retry(struct denial_reader *reader);
int denial_reader_subscribe(struct denial_reader *reader, uid_t uid, bool all, int *ret_fd);

bool denial_reader_is_active(const struct denial_reader *reader);
const char *denial_reader_reason(const struct denial_reader *reader);
uint64_t denial_reader_n_read(const struct denial_reader *reader);
uint64_t denial_reader_n_lost(const struct denial_reader *reader);
size_t denial_reader_n_subscribers(const struct denial_reader *reader);
