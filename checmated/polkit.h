/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - Who asks, and may they?
 *
 * Both are asked over the bus that the request came by, and neither is waited
 * for: the bus says which user the sender is, polkit whether that user may.  The
 * sender's name on the bus is what polkit is told, which nobody else can have
 * later on, as it is with process ids.  Root may do everything, and polkit is not
 * asked about it.
 *
 * Who goes away before the answer has asked for nothing: the question is
 * withdrawn.  What one sender and one user can have waiting is bounded.
 *
 * Root's requests are run at once.  Those of users are run one at a time, the oldest
 * first, when the bus has nothing more to be read: users cannot make root wait.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

struct polkit;

/* Who asked. */
struct polkit_caller {
	uid_t uid;
	bool authorized; /* for the action; always false where none was named */
};

/**
 * typedef polkit_run_t - What is to be done once it is known who asks.
 * @m: the request.
 * @caller: who asks.
 * @userdata: as given.
 * @ret_error: what to answer on failure.
 *
 * Return: not negative when the request is answered; -errno, and it is answered
 * with @ret_error, or that errno.
 */
typedef int (*polkit_run_t)(sd_bus_message *m, const struct polkit_caller *caller, void *userdata,
			    sd_bus_error *ret_error);

/**
 * struct polkit_request - A request that waits for permission.
 * @action: what polkit calls it; NULL when only the caller is wanted.
 * @optional: @run is called without the authorization, too; @caller says which.
 * @details: key, value, …, NULL: what polkit's agents and rules are told; may
 *           be NULL. Copied.
 * @run: called when the caller may, or @optional.
 * @free: frees @userdata, whether @run was called or not; NULL for nothing to
 *        free.
 * @userdata: for the two.
 */
struct polkit_request {
	const char *action;
	bool optional;
	const char *const *details;
	polkit_run_t run;
	void (*free)(void *userdata);
	void *userdata;
};

int polkit_new(sd_bus *bus, struct polkit **ret_polkit);
struct polkit *polkit_free(struct polkit *polkit);

int polkit_check(struct polkit *polkit, sd_bus_message *m, const struct polkit_request *request,
		 sd_bus_error *ret_error);
