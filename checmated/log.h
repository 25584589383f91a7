/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - Journal entries
 *
 * Only the functions that decide what becomes of a failure log it: main, the
 * handlers of the bus and of events.  Everything below returns it.
 *
 * Entries that users can cause at will are limited for each user, and those left out
 * are counted: they must not make journald drop denials.  Entries of root are never
 * left out.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>
#include <syslog.h>
#include <systemd/sd-event.h>

struct checmate_event;

#define LOG_ID_STARTED "8c4b122058b743d2950b1f6ef9e7eac5"
#define LOG_ID_CONFIG_REFUSED "52317c9dcdeb4729ac14213abe82e667"
#define LOG_ID_CONFIG_LOADED "96d77cf4bff34062aaf0700e9be7cae5"
#define LOG_ID_BINDING_APPLIED "73b5f61c9ea84aaf8b34ac56ca98b1db"
#define LOG_ID_BINDING_STAGED "86eecea5f23645a48548ee3001cec113"
#define LOG_ID_BINDING_CHANGED "8eafb8361d40443faa36706c7ef2be06"
#define LOG_ID_BINDING_REMOVED "1d825355bc1c49fe9aec71dae99a2d01"
#define LOG_ID_BINDING_FAILED "917d8a28ae2941b4ae6312338b2d97e1"
#define LOG_ID_DRIFT "b0208a99c1f84c979720bd723f0ac23c"
#define LOG_ID_SEALED "6d0e5db8c1fe4690947ee6202d82d8ab"
#define LOG_ID_SEAL_KEEPS "3b6c5f0e1d9a4c72a8e5704bd2f19c66"
#define LOG_ID_CONTROLLER_ENABLED "e38a25d8e1ab45bca9c5d015d0ff4284"
#define LOG_ID_CGROUPS_GONE "b029b8fa9c164f75a0a7e3c633a7d098"
#define LOG_ID_CONTAINER_LATE "e7b85362208b4bedb92f4611255e3a7f"
#define LOG_ID_CONTAINER_PATH "21662c009d4549feaabdb642606a2e70"
#define LOG_ID_CONTAINER_REFUSED "d93241ba69d34fbf91d125285fb23763"
#define LOG_ID_REQUEST_REFUSED "aadbc78fac1947a9838bf1af64792b48"
#define LOG_ID_USER_REST "a01f7fcafe7c4ec19a89785c6c0391ec"
#define LOG_ID_DENIED "fe502dc2340c4096a2fb2006f99d3629"
#define LOG_ID_DENIED_REST "fce8f2e8f05945e489cf7d8b9d737e6c"
#define LOG_ID_DENIALS_UNREAD "ddf3c58e5a784502a20c9ad2365aa975"
#define LOG_ID_FAILED "ef83645c91954deb9f7cf7e32a12bba4"

/* What an entry is about; members that are NULL or 0 are left out of it. */
struct log_fields {
	const char *cgroup; /* CHECMATE_CGROUP */
	uint64_t cgroup_id; /* CHECMATE_CGROUP_ID */
	const char *policy; /* CHECMATE_POLICY, several separated by ',' */
	const char *container; /* CHECMATE_CONTAINER */
	const char *origin; /* CHECMATE_ORIGIN */
	const struct checmate_event *denial; /* CHECMATE_HOOK and more, see docs/operations.md */
	uint64_t suppressed; /* CHECMATE_SUPPRESSED: how many like it were not written */
	const char *hook; /* CHECMATE_HOOK, where there is no denial */
	const char *detail; /* CHECMATE_DETAIL: verifier's words, several lines */
	int error; /* ERRNO, positive */
};

__attribute__((format(printf, 4, 5))) void log_event(int priority, const char *message_id,
						     const struct log_fields *fields,
						     const char *format, ...);

int log_limit_start(sd_event *event);
void log_limit_end(void);
uint64_t log_limit_flush(uint64_t now);
void log_set_user(uid_t uid);
