// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - A cgroup whose bindings change, and what is done in one binding
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "clock.h"
#include "site.h"

/* A site for changes on request: nothing is known but the cgroup. */
struct site site_of(struct store *store, struct checmate_cgroup *cgroup)
{
	return (struct site){
		.store = store,
		.cgroup = cgroup,
		.path = checmate_cgroup_path(cgroup),
		.id = checmate_cgroup_id(cgroup),
	};
}

/**
 * site_report_change() - Report a change to the owner of the store
 * @site: the site
 * @policy: the policy whose binding changed
 * @change: see struct store_change
 * @record: the binding's record, or NULL if there is none
 * @usec: how long the change took
 */
void site_report_change(const struct site *site, const char *policy, const char *change,
			const struct binding_record *record, uint64_t usec)
{
	const struct store *store = site->store;
	_cleanup_free_ char *text = NULL;
	struct store_change told = {
		.cgroup = site->path,
		.cgroup_id = site->id,
		.policy = policy,
		.change = change,
		.usec = usec,
	};

	if (!store->changed)
		return;
	if (record)
		(void)binding_record_describe(record, &text);
	told.origin = text ? text : "";
	store->changed(&told, store->userdata);
}

/* The fields of log entries about a policy in this cgroup; @policy may be NULL. */
struct log_fields site_log_fields(const struct site *site, const char *policy)
{
	return (struct log_fields){
		.cgroup = site->path,
		.cgroup_id = site->id,
		.policy = policy,
		.container = site->container ? site->container->id : NULL,
	};
}

/* Reads the record of a binding. Returns whether there is one, or -errno. */
int site_read_record(const struct site *site, const char *policy, struct binding_record *record,
		     struct store_error *error)
{
	const char *dir = site->store->binding_record_dir;
	int r;

	r = binding_record_read(dir, site->id, policy, record);
	if (r == -ENOENT)
		return false;
	return r < 0 ? store_error_set_record(error, r, dir, "read") : true;
}

/* Writes the record of a binding. */
int site_write_record(const struct site *site, const char *policy,
		      const struct binding_record *record, struct store_error *error)
{
	const char *dir = site->store->binding_record_dir;
	int r;

	r = binding_record_write(dir, site->id, policy, record);
	return r < 0 ? store_error_set_record(error, r, dir, "written") : 0;
}

/**
 * site_make_record() - Make the record of a desired binding
 * @site: the site
 * @desired: the desired binding
 * @ret_record: the record, to be given to binding_record_done()
 *
 * Return: 0; -ENOMEM.
 */
int site_make_record(const struct site *site, const struct desired_binding *desired,
		     struct binding_record *ret_record)
{
	_cleanup_(binding_record_done) struct binding_record record = {
		.kind = site->container ? BINDING_RECORD_CONTAINER : BINDING_RECORD_FILE,
		.digest = desired->digest,
		.cgroup = strdup(site->path),
	};

	if (asprintf(&record.text, "%s%s%s", desired->binding->file, site->container ? " " : "",
		     site->container ? site->container->id : "") < 0)
		record.text = NULL;
	if (!record.cgroup || !record.text)
		return -ENOMEM;
	*ret_record = record;
	record = (struct binding_record){};
	return 0;
}

/**
 * site_identify() - Find out what a cgroup is
 * @site: the site, with its container if the hook has reported one
 * @ret_identity: the identity, to be given to identity_done()
 * @error: what went wrong
 */
int site_identify(const struct site *site, struct identity *ret_identity, struct store_error *error)
{
	const struct container_record *container = site->container;
	_cleanup_(identity_done) struct identity identity = {};
	_cleanup_free_ char *reason = NULL;
	int r;

	r = identity_from_path(site->path, &identity);
	if (r >= 0 && container)
		r = identity_set_container(&identity, container->id);
	if (r >= 0 && container)
		r = identity_add_runtime(&identity, container->runtime);
	if (r >= 0 && container)
		r = identity_add_annotations(&identity, (const char *const *)container->annotations,
					     &reason);
	if (r < 0)
		return store_error_set(error, r == -EBADMSG ? -EINVAL : r,
				       "%s%s: cannot be identified: %s",
				       container ? "container " : "",
				       container ? container->id : site->path,
				       reason ? reason : strerror(-r));
	*ret_identity = identity;
	identity = (struct identity){};
	return 0;
}

/**
 * site_is_undecided() - Whether the hook's report could change a policy's desired binding
 * @site: the site
 * @policy: the policy
 * @desired: its desired binding without the report, or NULL
 *
 * An actual binding of an undecided policy stays: it may have come late, before a
 * restart of the daemon.
 */
bool site_is_undecided(const struct site *site, const char *policy,
		       const struct desired_binding *desired)
{
	const struct desired_binding *later = site->later ? desired_find(site->later, policy) :
							    NULL;

	return later && later != desired;
}

/* False if the seal cannot be read: the kernel refuses each change that a seal forbids. */
bool site_is_sealed(const struct site *site)
{
	return checmate_cgroup_sealed(site->cgroup, NULL) > 0;
}

/* Logs that the cgroup was sealed. */
void site_log_sealed(const struct site *site)
{
	struct log_fields fields = site_log_fields(site, NULL);

	log_event(LOG_NOTICE, LOG_ID_SEALED, &fields, "%s: sealed until the cgroup is removed",
		  site->path);
}

/* Logs that the seal keeps a policy from what the files say. */
void site_log_kept(const struct site *site, const char *policy)
{
	struct log_fields fields = site_log_fields(site, policy);

	log_event(LOG_NOTICE, LOG_ID_SEAL_KEEPS, &fields,
		  "%s: policy %s stays as it is, though the binding files say otherwise: the cgroup is sealed",
		  site->path, policy);
}

/**
 * site_remove_binding() - Remove a binding and its record
 * @site: the site
 * @policy: the policy
 * @record: the binding's record, or NULL if there is none
 * @error: what went wrong
 */
int site_remove_binding(const struct site *site, const char *policy,
			const struct binding_record *record, struct store_error *error)
{
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	struct log_fields fields = site_log_fields(site, policy);
	_cleanup_free_ char *text = NULL;
	uint64_t begun = now_usec();
	int r;

	r = checmate_binding_remove(site->cgroup, policy, &e);
	if (r < 0)
		return store_error_set_library(error, r, e);
	/* A record that stays says nothing: it names a program that is gone. */
	(void)binding_record_remove(site->store->binding_record_dir, site->id, policy);

	if (record)
		(void)binding_record_describe(record, &text);
	fields.origin = text;
	log_event(LOG_INFO, LOG_ID_BINDING_REMOVED, &fields, "%s: policy %s is no longer in force",
		  site->path, policy);
	site_report_change(site, policy, "removed", record, now_usec() - begun);
	return 0;
}

/**
 * site_seal() - Seal the cgroup
 * @site: the site
 * @error: what went wrong
 */
int site_seal(const struct site *site, struct store_error *error)
{
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	int r;

	r = checmate_cgroup_seal(site->cgroup, &e);
	if (r < 0)
		return store_error_set_library(error, r, e);
	site_log_sealed(site);
	return 0;
}
