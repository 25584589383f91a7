/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - From what the binding files say to what is in force
 *
 * The store keeps nothing in memory about cgroups: what is in force is asked of
 * libchecmate each time, what should be is worked out of the configuration.  A
 * binding whose actual state is the desired one is left alone, so that starting the
 * daemon anew changes nothing.
 *
 * Where several files give the same policy to a cgroup, the last one counts.
 * What files give is theirs: whatever differs from it is put right.  What they do
 * not give, or what was in force by somebody's hand before they gave it, is left
 * alone.
 *
 * A sealed cgroup keeps what it has: there, policies are only added or enforced.
 *
 * Nothing is ever loosened on the way: what is new comes before the old goes, and
 * what cannot be put in force leaves the old as it is.
 *
 * Failures come back as -errno with a struct store_error; successes are logged
 * here, because only here is known what was done.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "checmate.h"
#include "config-policy.h"
#include "container-record.h"
#include "desired.h"
#include "settings.h"

/* Something that was done, or found. */
struct store_change {
	const char *cgroup;
	uint64_t cgroup_id;
	const char *policy;
	/*
	 * "applied", "staged", "replaced", "parameters", "mode", "removed"; "drift"
	 * when somebody else changed what a file gives; "gone" with its cgroup.
	 */
	const char *change;
	const char *origin; /* as struct store_binding has it; "" where it is not known */
	uint64_t usec; /* how long it took */
};

struct store {
	struct settings settings;
	struct config *config;
	struct desired_set desired;
	const char *binding_record_dir;
	const char *container_record_dir;
	bool can_stage; /* else containers get their policies at once */
	bool can_seal; /* else what is to be sealed fails, with its policies in force */
	/* Told of each change, when it is made; may be NULL. */
	void (*changed)(const struct store_change *change, void *userdata);
	void *userdata;
};

struct store_error {
	char *text; /* one line */
	char *detail; /* several lines, or NULL */
};

struct store_apply_opts {
	bool replace; /* take the place of what is in force of the same policy */
	bool permissive;
};

/* A look at a cgroup. */
struct store_look {
	bool late; /* give a container its own also when the hook has yet to tell of it */
	bool bound; /* answer: it has what files give, and should be watched */
	bool untold; /* answer: there is a container of which the hook has yet to tell */
	bool started; /* answer: it is @untold, and too late for the hook to tell of it */
	size_t n_drift; /* answer: how many policies somebody else had changed */
	size_t n_late; /* answer: how many came now to a container that is @untold */
};

/* What a binding is, read from the kernel. */
struct store_binding {
	char *cgroup;
	uint64_t cgroup_id;
	char *policy;
	const char *mode; /* "enforce", "permissive", "staged", "detached" */
	char *origin; /* "manual", "file FILE", "container FILE ID", "unit UNIT" */
	char **params; /* name, value, name, value, …, NULL */
};

int store_load(struct store *store, const char *const *dirs, char **ret_error);
void store_done(struct store *store);

int store_reconcile(struct store *store, const char *cgroup, struct store_look *look,
		    struct store_error *error);
int store_apply_container(struct store *store, const struct container_record *container,
			  bool by_user, char ***ret_policies, struct store_error *error);
int store_apply(struct store *store, struct checmate_cgroup *cgroup,
		const struct config_policy *policies, size_t n_policies,
		const struct store_apply_opts *opts, struct store_error *error);
int store_remove(struct store *store, struct checmate_cgroup *cgroup, const char *policy,
		 struct store_error *error);
int store_set_parameter(struct store *store, struct checmate_cgroup *cgroup, const char *policy,
			const char *parameter, const char *value, struct store_error *error);
int store_set_mode(struct store *store, struct checmate_cgroup *cgroup, const char *policy,
		   bool permissive, struct store_error *error);
int store_seal(struct store *store, struct checmate_cgroup *cgroup, struct store_error *error);
bool store_holds(const struct store *store, uint64_t id);
int store_gc(struct store *store, struct store_error *error);

int store_list(struct store *store, struct store_binding **ret_bindings, size_t *ret_n,
	       struct store_error *error);
void store_list_free(struct store_binding *bindings, size_t n);

void store_error_done(struct store_error *error);
