// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - From what the binding files say to what is in force
 */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "binding-record.h"
#include "cleanup.h"
#include "clock.h"
#include "container-root.h"
#include "log.h"
#include "parse.h"
#include "store.h"
#include "strv.h"

/* The library tries a cgroup that others keep changing again by itself, and gives up. */
#define TRIES 3

/* Where the library keeps what is bound, in a directory for each cgroup's id. */
#define PINS "/sys/fs/bpf/checmate"

/* The library's cgroup for trying whether the kernel enforces. */
#define SELFTEST_PREFIX "/checmate-selftest."

/* A cgroup that something is done to. */
struct site {
	struct store *store;
	struct checmate_cgroup *cgroup;
	const char *path;
	uint64_t id;
	const struct container_record *container; /* what runs in it, or NULL */
	bool stage; /* it does not run yet */
	bool waits; /* by what was staged before, which its exec may end at any time */
	bool at_once; /* no exec is to come: nothing is staged for one */
	bool restage; /* what is staged may wait for another process than its own */
	bool by_user; /* who is not root asks: what others made is not theirs to replace */
	bool seal; /* what is applied is sealed in the same step */
	/* What it has if it is a container of which the hook does not tell; or NULL. */
	const struct desired_list *later;
};

/* What is to be done about one policy that files give. */
enum action {
	ACTION_KEEP,
	ACTION_KEEP_STAGED,
	ACTION_PARAM,
	ACTION_MODE,
	ACTION_APPLY,
};

struct step {
	struct desired_binding *desired;
	enum action action;
	size_t param; /* ACTION_PARAM: index of its name */
	bool staged; /* an instance waits for an exec */
	bool drift; /* somebody else changed it */
	uint32_t prog_id; /* of the instance that is there, 0 for none */
};

/* A policy opened, about to be applied together with others. */
struct batch_item {
	struct checmate_policy *policy;
	struct binding_record record;
	bool replaces;
};

struct batch {
	struct batch_item *items;
	size_t n;
	bool permissive;
};

static void library_strv_freep(char ***strv)
{
	*strv = checmate_strv_free(*strv);
}

static void batch_done(struct batch *batch)
{
	for (size_t i = 0; i < batch->n; i++) {
		checmate_policy_free(batch->items[i].policy);
		binding_record_done(&batch->items[i].record);
	}
	free(batch->items);
}

/* --- errors --------------------------------------------------------------- */

void store_error_done(struct store_error *error)
{
	free(error->text);
	free(error->detail);
	*error = (struct store_error){};
}

__attribute__((format(printf, 3, 4))) static int fail(struct store_error *error, int r,
						      const char *format, ...)
{
	va_list ap;

	store_error_done(error);
	va_start(ap, format);
	if (vasprintf(&error->text, format, ap) < 0)
		error->text = NULL;
	va_end(ap);
	return r;
}

static int fail_oom(struct store_error *error)
{
	return fail(error, -ENOMEM, "out of memory");
}

static int fail_library(struct store_error *error, int r, const struct checmate_error *e)
{
	const char *log = checmate_error_log(e);

	fail(error, r, "%s", checmate_error_text(e));
	if (log)
		error->detail = strdup(log);
	return r;
}

static int fail_record(struct store_error *error, int r, const char *dir, const char *what)
{
	return fail(error, r, "%s: a record cannot be %s: %s; see to space and permissions", dir,
		    what, strerror(-r));
}

/* Adds what went wrong with one policy to what did with others. */
static void add_failure(struct store_error *all, struct store_error *one)
{
	char *text;

	if (!all->text) {
		store_error_done(all);
		*all = *one;
		*one = (struct store_error){};
		return;
	}
	if (one->text && asprintf(&text, "%s; %s", all->text, one->text) >= 0) {
		free(all->text);
		all->text = text;
	}
	if (!all->detail)
		all->detail = TAKE_PTR(one->detail);
	store_error_done(one);
}

/* --- what was done -------------------------------------------------------- */

static void tell(const struct site *site, const char *policy, const char *change,
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

static struct log_fields log_fields(const struct site *site, const char *policy)
{
	return (struct log_fields){
		.cgroup = site->path,
		.cgroup_id = site->id,
		.policy = policy,
		.container = site->container ? site->container->id : NULL,
	};
}

/* --- records -------------------------------------------------------------- */

/* Returns whether there is one, or -errno. */
static int read_record(const struct site *site, const char *policy, struct binding_record *record,
		       struct store_error *error)
{
	const char *dir = site->store->binding_record_dir;
	int r;

	r = binding_record_read(dir, site->id, policy, record);
	if (r == -ENOENT)
		return false;
	return r < 0 ? fail_record(error, r, dir, "read") : true;
}

static int write_record(const struct site *site, const char *policy,
			const struct binding_record *record, struct store_error *error)
{
	const char *dir = site->store->binding_record_dir;
	int r;

	r = binding_record_write(dir, site->id, policy, record);
	return r < 0 ? fail_record(error, r, dir, "written") : 0;
}

/* The record of what a file gives. */
static int make_record(const struct site *site, const struct desired_binding *desired,
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

/* --- applying ------------------------------------------------------------- */

static struct batch_item *batch_add(struct batch *batch)
{
	struct batch_item *items;

	items = reallocarray(batch->items, batch->n + 1, sizeof(*items));
	if (!items)
		return NULL;
	batch->items = items;
	items[batch->n] = (struct batch_item){};
	return &items[batch->n++];
}

static int enable_controller(const struct site *site, struct checmate_error **ret_error)
{
	_cleanup_(library_strv_freep) char **enabled = NULL;
	int r;

	r = checmate_cgroup_enable(site->cgroup, &enabled, ret_error);
	if (r < 0)
		return r;
	for (char **path = enabled; path && *path; path++)
		log_event(LOG_INFO, LOG_ID_CONTROLLER_ENABLED,
			  &(struct log_fields){ .cgroup = *path },
			  "%s: checmate controller enabled for the cgroups below", *path);
	return 0;
}

/*
 * The record comes first: without it a crash in between would leave a binding
 * that no reload dares to touch.
 */
static int batch_prepare(const struct site *site, struct batch *batch, struct store_error *error)
{
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	int r;

	r = enable_controller(site, &e);
	for (size_t i = 0; r >= 0 && i < batch->n; i++)
		r = checmate_policy_load(batch->items[i].policy, &e);
	if (r < 0)
		return fail_library(error, r, e);

	for (size_t i = 0; i < batch->n; i++) {
		struct batch_item *item = &batch->items[i];
		const struct checmate_program *program = checmate_policy_get_program(item->policy,
										     0);

		item->record.pending = true;
		item->record.prog_id = program ? program->id : 0;
		r = write_record(site, checmate_policy_name(item->policy), &item->record, error);
		if (r < 0)
			return r;
	}
	return 0;
}

static int batch_commit(const struct site *site, const struct batch *batch, bool stage,
			struct store_error *error)
{
	struct checmate_apply_opts opts = {
		.sz = sizeof(opts),
		.permissive = batch->permissive,
		.when_exec = stage,
		.pid = stage ? site->container->pid : 0,
		.seal = site->seal,
	};
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	_cleanup_free_ struct checmate_policy **policies = NULL;
	int r;

	policies = calloc(batch->n, sizeof(struct checmate_policy *));
	if (!policies)
		return fail_oom(error);
	for (size_t i = 0; i < batch->n; i++) {
		policies[i] = batch->items[i].policy;
		opts.replace |= batch->items[i].replaces;
	}
	r = checmate_binding_apply(site->cgroup, policies, batch->n, &opts, &e);
	return r < 0 ? fail_library(error, r, e) : 0;
}

static uint32_t first_prog_id(const struct checmate_binding *binding)
{
	const struct checmate_program *program = checmate_binding_get_program(binding, 0);

	return program ? program->id : 0;
}

/* Whether the policy is not bound, or another instance of it is. */
static bool is_absent(const struct site *site, const struct batch_item *item)
{
	_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;
	int r;

	r = checmate_binding_open(site->cgroup, checmate_policy_name(item->policy), &binding, NULL);
	if (r < 0)
		return r == -ENOENT;
	return !binding_record_is_of(&item->record, first_prog_id(binding));
}

/*
 * A call that failed left the former binding, of which the record speaks as well. Where only
 * reading back failed the new one is in force, and without its record no reload touches it.
 */
static void batch_forget(const struct site *site, const struct batch *batch)
{
	for (size_t i = 0; i < batch->n; i++)
		if (!batch->items[i].replaces && is_absent(site, &batch->items[i]))
			(void)binding_record_remove(site->store->binding_record_dir, site->id,
						    checmate_policy_name(batch->items[i].policy));
}

static void batch_tell(const struct site *site, const struct batch *batch, bool stage, uint64_t usec)
{
	for (size_t i = 0; i < batch->n; i++) {
		const struct batch_item *item = &batch->items[i];
		const char *name = checmate_policy_name(item->policy);
		struct log_fields fields = log_fields(site, name);
		_cleanup_free_ char *origin = NULL;

		(void)binding_record_describe(&item->record, &origin);
		fields.origin = origin;
		log_event(LOG_INFO, stage ? LOG_ID_BINDING_STAGED : LOG_ID_BINDING_APPLIED, &fields,
			  stage ? "%s: policy %s is in force from the next exec on" :
				  "%s: policy %s is in force",
			  site->path, name);
		tell(site, name,
		     stage	    ? "staged" :
		     item->replaces ? "replaced" :
				      "applied",
		     &item->record, usec);
	}
}

/*
 * Loading takes its time.  What is staged for a process that runs by then would wait
 * for an exec that may never come.
 */
static int check_waits(const struct site *site, struct store_error *error)
{
	_cleanup_(checmate_status_freep) struct checmate_status *status = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	int r;

	r = checmate_status_read(site->cgroup, &status, &e);
	if (r < 0)
		return fail_library(error, r, e);
	for (size_t i = 0; i < checmate_status_count_local(status); i++)
		if (checmate_status_get_local(status, i)->staged)
			return 0;
	return fail(error, -ESTALE, "%s: its container began to run meanwhile; it is tried again",
		    site->path);
}

static int batch_apply(const struct site *site, struct batch *batch, bool stage,
		       struct store_error *error)
{
	uint64_t begun = now_usec();
	int r;

	r = batch_prepare(site, batch, error);
	if (r >= 0 && stage && site->waits)
		r = check_waits(site, error);
	if (r >= 0)
		r = batch_commit(site, batch, stage, error);
	if (r < 0) {
		batch_forget(site, batch);
		return r;
	}

	for (size_t i = 0; i < batch->n; i++) {
		struct batch_item *item = &batch->items[i];

		item->record.pending = false;
		r = write_record(site, checmate_policy_name(item->policy), &item->record, error);
		if (r < 0)
			return r;
	}
	batch_tell(site, batch, stage, now_usec() - begun);
	return 0;
}

static int batch_add_desired(const struct site *site, struct batch *batch, const struct step *step,
			     struct store_error *error)
{
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	struct batch_item *item = batch_add(batch);
	int r;

	if (!item)
		return fail_oom(error);
	r = config_policy_open(step->desired->policy, &item->policy, &e);
	if (r >= 0)
		r = desired_refresh(step->desired, item->policy, &e);
	if (r < 0)
		return fail_library(error, r, e);
	if (make_record(site, step->desired, &item->record) < 0)
		return fail_oom(error);
	item->record.former_prog_id = step->prog_id;
	item->replaces = step->prog_id != 0;
	return 0;
}

/* --- looking -------------------------------------------------------------- */

/* Nobody has any of it attached: pins, and nothing else. */
static bool is_dead(const struct checmate_binding *binding)
{
	for (size_t i = 0; i < checmate_binding_count_programs(binding); i++) {
		const struct checmate_program *p = checmate_binding_get_program(binding, i);

		if (p->attached || p->staged)
			return false;
	}
	return true;
}

/* Whether an instance of the policy is staged, and is the one recorded. */
static int is_staged(const struct site *site, const struct binding_record *record,
		     struct checmate_error **ret_error)
{
	_cleanup_(checmate_status_freep) struct checmate_status *status = NULL;
	int r;

	r = checmate_status_read(site->cgroup, &status, ret_error);
	if (r < 0)
		return r;
	for (size_t i = 0; i < checmate_status_count_local(status); i++) {
		const struct checmate_attachment *a = checmate_status_get_local(status, i);

		if (a->staged && a->prog_id == record->prog_id)
			return true;
	}
	return false;
}

/* The record says who has what is there, though nothing about it has to change. */
static int keep(const struct site *site, const struct step *step,
		const struct binding_record *recorded, struct store_error *error)
{
	_cleanup_(binding_record_done) struct binding_record record = {};

	if (make_record(site, step->desired, &record) < 0)
		return fail_oom(error);
	record.prog_id = step->prog_id;
	if (!recorded->pending && recorded->kind == record.kind &&
	    recorded->digest == record.digest && recorded->prog_id == record.prog_id &&
	    streq(recorded->text, record.text))
		return 0;
	return write_record(site, step->desired->policy->name, &record, error);
}

/* False if the seal cannot be read: then the kernel refuses each change that it forbids. */
static bool is_sealed(const struct site *site)
{
	return checmate_cgroup_sealed(site->cgroup, NULL) > 0;
}

static void tell_sealed(const struct site *site)
{
	struct log_fields fields = log_fields(site, NULL);

	log_event(LOG_NOTICE, LOG_ID_SEALED, &fields, "%s: sealed until the cgroup is removed",
		  site->path);
}

static void tell_kept(const struct site *site, const char *policy)
{
	struct log_fields fields = log_fields(site, policy);

	log_event(LOG_NOTICE, LOG_ID_SEAL_KEEPS, &fields,
		  "%s: policy %s stays as it is, though the binding files say otherwise: the cgroup is sealed",
		  site->path, policy);
}

/*
 * A sealed cgroup keeps what it has until it is removed; only enforcing is stricter. This is no
 * failure, except for a container that is about to start: it does not start without what its
 * files say.
 */
static void keep_sealed(const struct site *site, bool claims, struct step *step)
{
	bool stricter = step->action == ACTION_MODE && !step->desired->policy->permissive;

	if (claims || step->action == ACTION_KEEP || stricter || !is_sealed(site))
		return;
	step->action = step->staged ? ACTION_KEEP_STAGED : ACTION_KEEP;
	step->drift = false;
	tell_kept(site, step->desired->policy->name);
}

static int look_at_difference(const struct site *site, struct step *step,
			      const struct checmate_binding *binding,
			      const struct binding_record *recorded, struct store_error *error)
{
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	enum desired_difference difference;
	int r;

	r = desired_compare(step->desired, binding, &difference, &step->param, &e);
	if (r < 0)
		return fail_library(error, r, e);
	switch (difference) {
	case DESIRED_SAME:
		step->drift = false;
		return keep(site, step, recorded, error);
	case DESIRED_PARAM:
		step->action = ACTION_PARAM;
		break;
	case DESIRED_MODE:
		step->action = ACTION_MODE;
		break;
	case DESIRED_OTHER:
		step->action = ACTION_APPLY;
		break;
	}
	return 0;
}

/*
 * Without a word of the hook it is not clear yet which of two files gives a policy,
 * or whether one does.  What is in force may have come late, before the daemon was
 * started anew.
 */
static bool is_undecided(const struct site *site, const char *policy,
			 const struct desired_binding *desired)
{
	const struct desired_binding *later = site->later ? desired_find(site->later, policy) :
							    NULL;

	return later && later != desired;
}

/*
 * What has to be done so that a policy is in force as a file gives it?  For the
 * OCI hook, which @claims, also where somebody else has put it in force before.
 */
static int look_at(const struct site *site, bool claims, struct step *step,
		   struct store_error *error)
{
	_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	_cleanup_(binding_record_done) struct binding_record record = {};
	const char *name = step->desired->policy->name;
	bool ours, current;
	int r;

	r = read_record(site, name, &record, error);
	if (r < 0)
		return r;
	ours = r > 0 && binding_record_is_configured(&record);
	current = ours && !record.pending && record.digest == step->desired->digest;

	r = checmate_binding_open(site->cgroup, name, &binding, &e);
	if (r < 0 && r != -ENOENT)
		return fail_library(error, r, e);
	step->action = ACTION_APPLY;
	step->drift = current;
	if (r == -ENOENT)
		return 0;

	step->prog_id = first_prog_id(binding);
	if (is_dead(binding))
		return 0;
	if ((!ours && !claims) || is_undecided(site, name, step->desired)) {
		step->action = ACTION_KEEP;
		step->drift = false;
		return 0;
	}
	if (!ours && site->by_user)
		return fail(error, -EBUSY,
			    "container %s: policy %s is in force in its cgroup %s already, and by no binding file; give it a cgroup of its own",
			    site->container->id, name, site->path);

	step->staged = checmate_binding_staged(binding);
	if (!step->staged && ours && !record.pending && record.prog_id != step->prog_id) {
		r = is_staged(site, &record, &e);
		if (r < 0)
			return fail_library(error, r, e);
		step->staged = r;
	}
	if (step->staged) {
		/* What it was given is in its record; it is compared when it is in force. */
		step->drift = false;
		if (current && !site->restage)
			step->action = ACTION_KEEP_STAGED;
		else
			keep_sealed(site, claims, step);
		return 0;
	}

	step->action = ACTION_KEEP;
	r = look_at_difference(site, step, binding, &record, error);
	if (r >= 0)
		keep_sealed(site, claims, step);
	return r;
}

/* --- putting right -------------------------------------------------------- */

static void report_drift(const struct site *site, const struct step *step)
{
	const char *name = step->desired->policy->name;
	struct log_fields fields = log_fields(site, name);
	_cleanup_(binding_record_done) struct binding_record record = {};
	_cleanup_free_ char *text = NULL;
	const char *what = "it is not the one that was put in force";

	if (!step->prog_id)
		what = "it was taken out of force";
	else if (step->action == ACTION_PARAM)
		what = "a parameter has another value";
	else if (step->action == ACTION_MODE)
		what = "its mode is another";

	if (make_record(site, step->desired, &record) == 0)
		(void)binding_record_describe(&record, &text);
	fields.origin = text;
	log_event(LOG_WARNING, LOG_ID_DRIFT, &fields,
		  "%s: policy %s is not as %s says: %s; putting it right", site->path, name,
		  step->desired->binding->file, what);
	if (text)
		tell(site, name, "drift", &record, 0);
}

/* A change of what is in force, one after which the record is written anew. */
static int changed_live(const struct site *site, const struct step *step, const char *change,
			uint64_t begun, struct store_error *error)
{
	const char *name = step->desired->policy->name;
	struct log_fields fields = log_fields(site, name);
	_cleanup_(binding_record_done) struct binding_record record = {};
	_cleanup_free_ char *text = NULL;

	if (make_record(site, step->desired, &record) < 0)
		return fail_oom(error);
	record.prog_id = step->prog_id;
	(void)binding_record_describe(&record, &text);
	fields.origin = text;
	log_event(LOG_INFO, LOG_ID_BINDING_CHANGED, &fields, "%s: policy %s has its %s changed",
		  site->path, name, change);
	tell(site, name, change, &record, now_usec() - begun);
	return write_record(site, name, &record, error);
}

static int set_param(const struct site *site, const struct step *step, struct store_error *error)
{
	_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	char **param = &step->desired->params[step->param];
	uint64_t begun = now_usec();
	int r;

	r = checmate_binding_open(site->cgroup, step->desired->policy->name, &binding, &e);
	if (r >= 0)
		r = checmate_binding_set(binding, param[0], param[1], &e);
	if (r < 0)
		return fail_library(error, r, e);
	return changed_live(site, step, "parameters", begun, error);
}

static int set_mode(const struct site *site, const struct step *step, struct store_error *error)
{
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	uint64_t begun = now_usec();
	int r;

	r = checmate_binding_set_mode(site->cgroup, step->desired->policy->name,
				      step->desired->policy->permissive, &e);
	if (r < 0)
		return fail_library(error, r, e);
	return changed_live(site, step, "mode", begun, error);
}

static int change_live(const struct site *site, struct step *steps, size_t n,
		       struct store_error *error)
{
	int ret = 0;

	for (size_t i = 0; i < n; i++) {
		_cleanup_(store_error_done) struct store_error one = {};
		int r = 0;

		if (steps[i].action == ACTION_PARAM)
			r = set_param(site, &steps[i], &one);
		else if (steps[i].action == ACTION_MODE)
			r = set_mode(site, &steps[i], &one);
		if (r >= 0)
			continue;
		add_failure(error, &one);
		ret = r;
	}
	return ret;
}

static int apply_steps(const struct site *site, struct step *const *steps, size_t n, bool stage,
		       struct store_error *error)
{
	_cleanup_(batch_done) struct batch batch = {};
	int r;

	for (size_t i = 0; i < n; i++) {
		r = batch_add_desired(site, &batch, steps[i], error);
		if (r < 0)
			return r;
	}
	batch.permissive = n && steps[0]->desired->policy->permissive;
	r = n ? batch_apply(site, &batch, stage, error) : 0;
	/* Whom it was to wait for is gone. */
	return r == -ESRCH && stage ? apply_steps(site, steps, n, false, error) : r;
}

/* All at once, or, where that fails, as many as can be: each denies something. */
static int apply_most(const struct site *site, struct step *const *steps, size_t n,
		      struct store_error *error)
{
	_cleanup_(store_error_done) struct store_error whole = {};
	int ret, r;

	ret = apply_steps(site, steps, n, false, &whole);
	if (ret >= 0)
		return ret;
	if (n < 2) {
		add_failure(error, &whole);
		return ret;
	}
	ret = 0;
	for (size_t i = 0; i < n; i++) {
		_cleanup_(store_error_done) struct store_error one = {};

		r = apply_steps(site, &steps[i], 1, false, &one);
		if (r >= 0)
			continue;
		add_failure(error, &one);
		ret = r;
	}
	return ret;
}

/*
 * A container that does not run yet gets all that is enforced in one set which
 * waits for its exec; the kernel keeps one.  What is permissive denies nothing
 * that the runtime does, and comes at once.
 */
static int apply_mode(const struct site *site, struct step *steps, size_t n_steps, bool permissive,
		      struct store_error *error)
{
	_cleanup_free_ struct step **some = calloc(n_steps + 1, sizeof(struct step *));
	bool stage = site->stage && !permissive && site->store->can_stage;
	bool needed = false;
	size_t n = 0;

	if (!some)
		return fail_oom(error);
	for (size_t i = 0; i < n_steps; i++) {
		struct step *step = &steps[i];

		if (step->desired->policy->permissive != permissive)
			continue;
		if (step->action == ACTION_APPLY)
			needed = true;
		else if (!stage || step->action != ACTION_KEEP_STAGED)
			continue;
		some[n++] = step;
	}
	if (!needed)
		return 0;
	return stage ? apply_steps(site, some, n, true, error) : apply_most(site, some, n, error);
}

static int remove_binding(const struct site *site, const char *policy,
			  const struct binding_record *record, struct store_error *error)
{
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	struct log_fields fields = log_fields(site, policy);
	_cleanup_free_ char *text = NULL;
	uint64_t begun = now_usec();
	int r;

	r = checmate_binding_remove(site->cgroup, policy, &e);
	if (r < 0)
		return fail_library(error, r, e);
	/* A record that stays says nothing: it names a program that is gone. */
	(void)binding_record_remove(site->store->binding_record_dir, site->id, policy);

	if (record)
		(void)binding_record_describe(record, &text);
	fields.origin = text;
	log_event(LOG_INFO, LOG_ID_BINDING_REMOVED, &fields, "%s: policy %s is no longer in force",
		  site->path, policy);
	tell(site, policy, "removed", record, now_usec() - begun);
	return 0;
}

/* Takes a policy out of force that came from a file, if no file says so any more. */
static int remove_one(const struct site *site, const char *policy, struct store_error *error)
{
	_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	_cleanup_(binding_record_done) struct binding_record record = {};
	int r;

	r = read_record(site, policy, &record, error);
	if (r <= 0)
		return r;
	r = checmate_binding_open(site->cgroup, policy, &binding, &e);
	if (r < 0 && r != -ENOENT)
		return fail_library(error, r, e);
	/* Somebody else's by now, or nobody's. */
	if (r == -ENOENT || !binding_record_is_of(&record, first_prog_id(binding))) {
		(void)binding_record_remove(site->store->binding_record_dir, site->id, policy);
		return 0;
	}
	if (!binding_record_is_configured(&record))
		return 0;
	/* Without the annotations it is unknown which files match the container. */
	if (record.kind == BINDING_RECORD_CONTAINER && !site->container)
		return 0;
	if (is_sealed(site)) {
		tell_kept(site, policy);
		return 0;
	}
	return remove_binding(site, policy, &record, error);
}

static int remove_undesired(const struct site *site, const struct desired_list *list,
			    struct store_error *error)
{
	const char *dir = site->store->binding_record_dir;
	_cleanup_strv_ char **policies = NULL;
	int ret = 0, r;

	r = binding_record_policies(dir, site->id, &policies);
	if (r < 0)
		return fail_record(error, r, dir, "listed");
	for (char **policy = policies; *policy; policy++) {
		_cleanup_(store_error_done) struct store_error one = {};

		if (desired_find(list, *policy) || is_undecided(site, *policy, NULL))
			continue;
		r = remove_one(site, *policy, &one);
		if (r >= 0)
			continue;
		add_failure(error, &one);
		ret = r;
	}
	return ret;
}

/* Is it for containers, rather than for cgroups that may have one in them? */
static bool is_for_containers(const struct config_binding *binding)
{
	return binding->runtimes || binding->pods || binding->n_annotations;
}

/* Looks at every policy of the list.  What cannot be looked at is left as it is. */
static int look_at_all(const struct site *site, bool claims, const struct desired_list *list,
		       struct step *steps, struct store_look *look, struct store_error *error)
{
	int ret = 0;

	for (size_t i = 0; i < list->n; i++) {
		_cleanup_(store_error_done) struct store_error one = {};
		int r;

		steps[i] = (struct step){ .desired = list->items[i] };
		r = look_at(site, claims, &steps[i], &one);
		if (r < 0) {
			steps[i].action = ACTION_KEEP;
			add_failure(error, &one);
			ret = r;
			continue;
		}
		if (steps[i].drift) {
			report_drift(site, &steps[i]);
			look->n_drift++;
		} else if (look->untold && steps[i].action == ACTION_APPLY &&
			   is_for_containers(steps[i].desired->binding)) {
			look->n_late++;
		}
	}
	return ret;
}

/*
 * Whether the policies are sealed in the step that applies them. They are not where files gave
 * others before, which have to go first, nor before the hook has told of a container: what it
 * tells may replace policies.
 */
static bool is_sealed_at_once(const struct site *site, bool claims, const struct desired_list *list)
{
	_cleanup_strv_ char **policies = NULL;

	if (!list->seal || !site->store->can_seal || site->later)
		return false;
	return claims || (binding_record_policies(site->store->binding_record_dir, site->id,
						  &policies) >= 0 &&
			  !*policies);
}

/*
 * Seals what was there already. Not before all is as the files say: a sealed cgroup would keep
 * what is still to be replaced.
 */
static int seal_rest(const struct site *site, bool was_sealed, const struct desired_list *list,
		     struct store_error *error)
{
	if (!list->seal || site->later || was_sealed)
		return 0;
	if (!is_sealed(site))
		return store_seal(site->store, site->cgroup, error);
	tell_sealed(site);
	return 0;
}

/* Makes a cgroup have what is on the list.  New ones come first, and nothing goes unless all came. */
static int converge(struct site *site, bool claims, const struct desired_list *list,
		    struct store_look *look, struct store_error *error)
{
	_cleanup_free_ struct step *steps = calloc(list->n + 1, sizeof(*steps));
	bool was_sealed;
	int ret, r;

	if (!steps)
		return fail_oom(error);
	ret = look_at_all(site, claims, list, steps, look, error);
	/* It did not run when its policies were staged, and they still are. */
	site->waits = false;
	for (size_t i = 0; site->container && !claims && i < list->n; i++)
		site->waits |= steps[i].staged;
	site->stage = (claims && !site->at_once) || site->waits;
	was_sealed = list->seal && is_sealed(site);
	site->seal = is_sealed_at_once(site, claims, list);

	r = change_live(site, steps, list->n, error);
	ret = r < 0 ? r : ret;
	r = apply_mode(site, steps, list->n, false, error);
	ret = r < 0 ? r : ret;
	r = apply_mode(site, steps, list->n, true, error);
	ret = r < 0 ? r : ret;
	if (ret >= 0 && !claims)
		ret = remove_undesired(site, list, error);
	return ret < 0 ? ret : seal_rest(site, was_sealed, list, error);
}

static int converge_stubbornly(struct site *site, bool claims, const struct desired_list *list,
			       struct store_look *look, struct store_error *error)
{
	int r = -ESTALE;

	for (int try = 0; r == -ESTALE && try < TRIES; try++) {
		store_error_done(error);
		r = converge(site, claims, list, look, error);
	}
	return r;
}

/* --- the binding files ---------------------------------------------------- */

/**
 * store_load() - Read checmated.conf and the binding files, and check these against the policies
 * @store: the store, which keeps what it had when one is refused
 * @dirs: see config_load()
 * @ret_error: see config_load()
 */
int store_load(struct store *store, const char *const *dirs, char **ret_error)
{
	_cleanup_(desired_set_done) struct desired_set desired = {};
	_cleanup_(settings_done) struct settings settings = {};
	_cleanup_(config_freep) struct config *config = NULL;
	int r;

	r = settings_load(settings_default_dirs, &settings, ret_error);
	if (r >= 0)
		r = config_load_verified(dirs, &config, ret_error);
	if (r >= 0)
		r = desired_set_load(config, &desired, ret_error);
	if (r < 0)
		return r;

	store_done(store);
	store->settings = settings;
	settings = (struct settings){};
	store->config = TAKE_PTR(config);
	store->desired = desired;
	desired = (struct desired_set){};
	return 0;
}

/* Lets go of what was read. */
void store_done(struct store *store)
{
	desired_set_done(&store->desired);
	store->config = config_free(store->config);
	settings_done(&store->settings);
}

/* Is the cgroup still the one of its path?  Of one that was removed nobody wants to hear. */
static bool still_there(const struct checmate_cgroup *cgroup)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *now = NULL;
	int r;

	r = checmate_cgroup_open(checmate_cgroup_path(cgroup), &now, NULL);
	return r < 0 ? r != -ENOENT : checmate_cgroup_id(now) == checmate_cgroup_id(cgroup);
}

/* The library makes it below the root, where only root can: elsewhere the name is no way out. */
static bool is_selftest(const char *path)
{
	return startswith(path, SELFTEST_PREFIX) && strrchr(path, '/') == path;
}

/* What is known of the cgroup, and of the container in it if the hook has told. */
static int identify(const char *path, const struct container_record *container,
		    struct identity *ret_identity, struct store_error *error)
{
	_cleanup_(identity_done) struct identity identity = {};
	_cleanup_free_ char *reason = NULL;
	int r;

	r = identity_from_path(path, &identity);
	if (r >= 0 && container)
		r = identity_set_container(&identity, container->id);
	if (r >= 0 && container)
		r = identity_add_runtime(&identity, container->runtime);
	if (r >= 0 && container)
		r = identity_add_annotations(&identity, (const char *const *)container->annotations,
					     &reason);
	if (r < 0)
		return fail(error, r == -EBADMSG ? -EINVAL : r, "%s%s: cannot be identified: %s",
			    container ? "container " : "", container ? container->id : path,
			    reason ? reason : strerror(-r));
	*ret_identity = identity;
	identity = (struct identity){};
	return 0;
}

/* Until the hook has told of it, or was given the time to, it is a cgroup like others. */
static void hide_container(struct identity *identity)
{
	free(identity->container);
	identity->container = NULL;
}

static int reconcile(struct site *site, struct store_look *look, struct store_error *error)
{
	const char *dir = site->store->container_record_dir;
	_cleanup_(container_record_done) struct container_record container = {};
	_cleanup_(desired_list_done) struct desired_list list = {}, later = {};
	_cleanup_(identity_done) struct identity identity = {};
	int r;

	r = container_record_read(dir, site->id, &container);
	if (r < 0 && r != -ENOENT)
		return fail_record(error, r, dir, "read");
	site->container = r < 0 ? NULL : &container;

	r = identify(site->path, site->container, &identity, error);
	if (r < 0)
		return r;
	look->untold = !site->container && identity_is_container(&identity) &&
		       settings_expects_hook(&site->store->settings, &identity);
	look->started = look->untold && container_root_is_entered(checmate_cgroup_fd(site->cgroup));
	if (look->untold && !look->late && !look->started) {
		r = desired_match(&site->store->desired, &identity, &later);
		if (r < 0)
			return fail_oom(error);
		site->later = &later;
		hide_container(&identity);
	}
	r = desired_match(&site->store->desired, &identity, &list);
	if (r < 0)
		return fail_oom(error);
	look->bound = list.n > 0;
	r = converge_stubbornly(site, false, &list, look, error);
	site->container = NULL;
	site->later = NULL;
	return r;
}

/**
 * store_reconcile() - Make a cgroup have what the binding files give to it
 * @store: the store
 * @cgroup: path below the mount
 * @look: how to look, and what was seen
 * @error: what went wrong
 *
 * As much as can be is put right; nothing is taken away unless all was.
 *
 * Return: 0, also when there is no such cgroup any more; -errno.
 */
int store_reconcile(struct store *store, const char *cgroup, struct store_look *look,
		    struct store_error *error)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *c = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	struct site site = { .store = store };
	int r;

	if (is_selftest(cgroup))
		return 0;
	r = checmate_cgroup_open(cgroup, &c, &e);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return fail_library(error, r, e);
	site.cgroup = c;
	site.path = checmate_cgroup_path(c);
	site.id = checmate_cgroup_id(c);

	r = reconcile(&site, look, error);
	return r < 0 && still_there(c) ? r : 0;
}

/* --- containers ----------------------------------------------------------- */

static int names_of(const struct desired_list *list, char ***ret_names)
{
	_cleanup_strv_ char **names = calloc(1, sizeof(*names));
	int r;

	if (!names)
		return -ENOMEM;
	for (size_t i = 0; i < list->n; i++) {
		r = strv_extend(&names, list->items[i]->policy->name);
		if (r < 0)
			return r;
	}
	*ret_names = TAKE_PTR(names);
	return 0;
}

/* The process may be in a cgroup that the runtime made inside. */
static int check_process(const struct container_record *container, const char *path,
			 struct store_error *error)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *now = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	const char *rest;
	int r;

	if (!container->pid)
		return 0;
	r = checmate_cgroup_open_pid(container->pid, &now, &e);
	if (r < 0)
		return fail_library(error, r, e);
	rest = startswith(checmate_cgroup_path(now), path);
	if (!rest || (*rest != '\0' && *rest != '/'))
		return fail(error, -EINVAL,
			    "container %s: its process %d is in %s and not in %s; start the container anew",
			    container->id, (int)container->pid, checmate_cgroup_path(now), path);
	return 0;
}

static int check_container(const struct container_record *container,
			   const struct checmate_cgroup *cgroup, struct store_error *error)
{
	const char *path = checmate_cgroup_path(cgroup);

	if (streq(path, "/"))
		return fail(error, -EINVAL,
			    "container %s: it is in the root cgroup; give it one of its own",
			    container->id);
	if (checmate_cgroup_id(cgroup) != container->cgroup_id)
		return fail(error, -ESTALE,
			    "container %s: cgroup %s is not the one it was; start the container anew",
			    container->id, path);
	return check_process(container, path, error);
}

/*
 * Two containers in one cgroup would have one set of policies, that of the last, and
 * so would one of which something else is told once it runs.  Returns whether it is
 * the one that was asked for before, or -errno.
 */
static int check_record(struct store *store, const struct container_record *container,
			const char *path, struct store_error *error)
{
	_cleanup_(container_record_done) struct container_record known = {};
	_cleanup_(store_error_done) struct store_error gone = {};
	int r;

	r = container_record_read(store->container_record_dir, container->cgroup_id, &known);
	if (r == -ENOENT)
		return false;
	if (r < 0)
		return fail_record(error, r, store->container_record_dir, "read");
	if (container_record_equal(&known, container))
		return true;
	if (known.pid && check_process(&known, path, &gone) >= 0)
		return fail(error, -EBUSY,
			    "container %s: container %s is in its cgroup %s already; give each a cgroup of its own",
			    container->id, known.id, path);
	return false;
}

/* Does a binding file that matches name the annotation? */
static bool is_expected(const struct store *store, const struct identity *identity, const char *key)
{
	for (size_t i = 0; i < store->config->n_bindings; i++) {
		const struct config_binding *binding = store->config->bindings[i];

		for (size_t j = 0; j < binding->n_annotations; j++)
			if (streq(binding->annotations[j].key, key) &&
			    config_match(binding, identity))
				return true;
	}
	return false;
}

/*
 * By these annotations crun chooses a handler, which runs the container in the process
 * that would execute its program: what is staged for that exec is never activated.
 * Returns whether there is one, or -EINVAL unless the administrator's files expect it.
 */
static int check_handler(const struct site *site, const struct identity *identity,
			 struct store_error *error)
{
	static const char *const keys[] = { "run.oci.handler", "module.wasm.image/variant" };
	bool found = false;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!identity_annotation(identity, keys[i]))
			continue;
		if (!is_expected(site->store, identity, keys[i]))
			return fail(error, -EINVAL,
				    "container %s: annotation %s chooses a handler, which executes no program; remove it, or expect it in a binding file by Annotation=%s=",
				    site->container->id, keys[i], keys[i]);
		found = true;
	}
	return found;
}

/**
 * store_apply_container() - Put in force what the binding files give to a container
 * @store: the store
 * @container: what the hook knows of it
 * @by_user: it is not root who tells of it
 * @ret_policies: names of the policies that it has, or will have with its first
 *	instruction; to be given to strv_free()
 * @error: what went wrong
 *
 * May be asked again; what is staged or in force already stays.
 *
 * Return: 0 when it has all of them; -errno when it must not be started.
 */
int store_apply_container(struct store *store, const struct container_record *container,
			  bool by_user, char ***ret_policies, struct store_error *error)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *c = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	_cleanup_(desired_list_done) struct desired_list list = {};
	_cleanup_(identity_done) struct identity identity = {};
	_cleanup_strv_ char **names = NULL;
	struct container_record told = *container;
	struct store_look look = {};
	struct site site;
	int r;

	r = checmate_cgroup_open(container->cgroup, &c, &e);
	if (r < 0)
		return fail_library(error, r, e);
	r = check_container(container, c, error);
	if (r >= 0)
		r = check_record(store, container, checmate_cgroup_path(c), error);
	if (r < 0)
		return r;

	site = (struct site){
		.restage = !r,
		.by_user = by_user,
		.store = store,
		.cgroup = c,
		.path = checmate_cgroup_path(c),
		.id = checmate_cgroup_id(c),
		.container = container,
	};
	r = identify(site.path, container, &identity, error);
	if (r < 0)
		return r;
	r = desired_match(&store->desired, &identity, &list);
	if (r >= 0)
		r = names_of(&list, &names);
	if (r < 0)
		return fail_oom(error);

	r = list.n && store->can_stage ? check_handler(&site, &identity, error) : 0;
	if (r < 0)
		return r;
	site.at_once = r;
	r = converge_stubbornly(&site, true, &list, &look, error);
	if (r < 0)
		return r;
	/* Last: with it a look at the cgroup could take the container for one that runs. */
	told.cgroup = (char *)site.path;
	r = container_record_write(store->container_record_dir, &told);
	if (r < 0)
		return fail_record(error, r, store->container_record_dir, "written");

	*ret_policies = TAKE_PTR(names);
	return 0;
}

/* --- by hand -------------------------------------------------------------- */

static struct site site_of(struct store *store, struct checmate_cgroup *cgroup)
{
	return (struct site){
		.store = store,
		.cgroup = cgroup,
		.path = checmate_cgroup_path(cgroup),
		.id = checmate_cgroup_id(cgroup),
	};
}

/* What a file gives is changed in the file: the next look would put it right again. */
static int check_by_hand(const struct site *site, const char *policy, uint32_t prog_id,
			 struct store_error *error)
{
	_cleanup_(binding_record_done) struct binding_record record = {};
	_cleanup_free_ char *text = NULL;
	int r;

	r = read_record(site, policy, &record, error);
	if (r <= 0)
		return r;
	if (!binding_record_is_configured(&record) || !binding_record_is_of(&record, prog_id))
		return 0;
	if (binding_record_describe(&record, &text) < 0)
		return fail_oom(error);
	return fail(error, -EPERM,
		    "%s: policy %s comes from %s; change that file, then \"systemctl reload checmated\"",
		    site->path, policy, text);
}

/* Opens what is in force of a policy, if it may be changed by hand. */
static int open_by_hand(const struct site *site, const char *policy,
			struct checmate_binding **ret_binding, struct store_error *error)
{
	_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	int r;

	r = checmate_binding_open(site->cgroup, policy, &binding, &e);
	if (r < 0)
		return fail_library(error, r, e);
	r = check_by_hand(site, policy, first_prog_id(binding), error);
	if (r < 0)
		return r;
	*ret_binding = TAKE_PTR(binding);
	return 0;
}

static int batch_add_manual(const struct site *site, struct batch *batch,
			    const struct config_policy *policy, bool replace,
			    struct store_error *error)
{
	_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	struct batch_item *item;
	int r;

	for (size_t i = 0; i < batch->n; i++)
		if (streq(checmate_policy_name(batch->items[i].policy), policy->name))
			return fail(error, -EINVAL, "%s: policy %s was given twice; merge the two",
				    site->path, policy->name);
	item = batch_add(batch);
	if (!item)
		return fail_oom(error);
	r = config_policy_open(policy, &item->policy, &e);
	if (r < 0) {
		batch->n--;
		return fail_library(error, r, e);
	}
	item->record = (struct binding_record){
		.kind = BINDING_RECORD_MANUAL,
		.cgroup = strdup(site->path),
		.text = strdup(""),
	};
	if (!item->record.cgroup || !item->record.text)
		return fail_oom(error);

	r = checmate_binding_open(site->cgroup, policy->name, &binding, &e);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return fail_library(error, r, e);
	if (!is_dead(binding) && !replace)
		return fail(error, -EEXIST,
			    "%s: policy %s is in force here already; replace it instead",
			    site->path, policy->name);
	r = is_dead(binding) ? 0 : check_by_hand(site, policy->name, first_prog_id(binding), error);
	if (r < 0)
		return r;
	item->record.former_prog_id = first_prog_id(binding);
	item->replaces = true;
	return 0;
}

/**
 * store_apply() - Put policies in force on request
 * @store: the store
 * @cgroup: where
 * @policies: which, with their parameters
 * @n_policies: how many
 * @opts: how; NULL for nothing special
 * @error: what went wrong
 *
 * Return: 0; -EEXIST when one of them is in force there already, and is not to be
 * replaced; -EPERM when it is one that a binding file gives; another -errno.
 */
int store_apply(struct store *store, struct checmate_cgroup *cgroup,
		const struct config_policy *policies, size_t n_policies,
		const struct store_apply_opts *opts, struct store_error *error)
{
	struct site site = site_of(store, cgroup);
	int r = -ESTALE;

	if (n_policies == 0)
		return fail(error, -EINVAL, "%s: no policy was given; name at least one", site.path);

	for (int try = 0; r == -ESTALE && try < TRIES; try++) {
		_cleanup_(batch_done) struct batch batch = {
			.permissive = opts && opts->permissive,
		};

		r = 0;
		for (size_t i = 0; r >= 0 && i < n_policies; i++)
			r = batch_add_manual(&site, &batch, &policies[i], opts && opts->replace,
					     error);
		if (r >= 0)
			r = batch_apply(&site, &batch, false, error);
	}
	return r;
}

/* Takes one out of force that may be. */
static int remove_by_hand(const struct site *site, const char *policy, struct store_error *error)
{
	_cleanup_(binding_record_done) struct binding_record record = {};
	int r;

	r = read_record(site, policy, &record, error);
	if (r < 0)
		return r;
	return remove_binding(site, policy, r ? &record : NULL, error);
}

/**
 * store_remove() - Take policies out of force on request
 * @store: the store
 * @cgroup: where
 * @policy: which, or NULL for all
 * @error: what went wrong
 *
 * Return: 0; -ENOENT when there is none; -EPERM when one is given by a binding
 * file, and then none is removed; another -errno.
 */
int store_remove(struct store *store, struct checmate_cgroup *cgroup, const char *policy,
		 struct store_error *error)
{
	const struct site site = site_of(store, cgroup);
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	_cleanup_(library_strv_freep) char **policies = NULL;
	int r;

	if (policy) {
		_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;

		r = open_by_hand(&site, policy, &binding, error);
		return r < 0 ? r : remove_by_hand(&site, policy, error);
	}

	r = checmate_binding_list(cgroup, &policies, &e);
	if (r < 0)
		return fail_library(error, r, e);
	if (!policies || !policies[0])
		return fail(error, -ENOENT, "%s: no policy is in force here", site.path);
	for (char **p = policies; *p; p++) {
		_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;

		r = open_by_hand(&site, *p, &binding, error);
		if (r < 0)
			return r;
	}
	for (char **p = policies; *p; p++) {
		r = remove_by_hand(&site, *p, error);
		if (r < 0)
			return r;
	}
	return 0;
}

static void tell_by_hand(const struct site *site, const char *policy, const char *change,
			 uint64_t begun)
{
	_cleanup_(store_error_done) struct store_error error = {};
	const struct binding_record manual = { .kind = BINDING_RECORD_MANUAL };
	struct log_fields fields = log_fields(site, policy);
	_cleanup_(binding_record_done) struct binding_record record = {};
	bool known = read_record(site, policy, &record, &error) > 0;

	log_event(LOG_INFO, LOG_ID_BINDING_CHANGED, &fields, "%s: policy %s has its %s changed",
		  site->path, policy, change);
	tell(site, policy, change, known ? &record : &manual, now_usec() - begun);
}

/**
 * store_set_parameter() - Give a parameter of a policy in force another value
 * @store: the store
 * @cgroup: where
 * @policy: the policy
 * @parameter: its parameter
 * @value: the value
 * @error: what went wrong
 *
 * Return: 0; -ENOENT when there is no such thing; -EPERM when a binding file
 * gives the policy; another -errno.
 */
int store_set_parameter(struct store *store, struct checmate_cgroup *cgroup, const char *policy,
			const char *parameter, const char *value, struct store_error *error)
{
	const struct site site = site_of(store, cgroup);
	_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	uint64_t begun = now_usec();
	int r;

	r = open_by_hand(&site, policy, &binding, error);
	if (r < 0)
		return r;
	r = checmate_binding_set(binding, parameter, value, &e);
	if (r < 0)
		return fail_library(error, r, e);
	tell_by_hand(&site, policy, "parameters", begun);
	return 0;
}

/**
 * store_set_mode() - Have a policy in force enforced or only told
 * @store: the store
 * @cgroup: where
 * @policy: the policy
 * @permissive: only told
 * @error: what went wrong
 *
 * Return: as store_set_parameter().
 */
int store_set_mode(struct store *store, struct checmate_cgroup *cgroup, const char *policy,
		   bool permissive, struct store_error *error)
{
	const struct site site = site_of(store, cgroup);
	_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	uint64_t begun = now_usec();
	int r;

	r = open_by_hand(&site, policy, &binding, error);
	if (r < 0)
		return r;
	r = checmate_binding_set_mode(cgroup, policy, permissive, &e);
	if (r < 0)
		return fail_library(error, r, e);
	tell_by_hand(&site, policy, "mode", begun);
	return 0;
}

/**
 * store_seal() - Have a cgroup's policies never loosened again
 * @store: the store
 * @cgroup: which
 * @error: what went wrong
 */
int store_seal(struct store *store, struct checmate_cgroup *cgroup, struct store_error *error)
{
	const struct site site = site_of(store, cgroup);
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	int r;

	r = checmate_cgroup_seal(cgroup, &e);
	if (r < 0)
		return fail_library(error, r, e);
	tell_sealed(&site);
	return 0;
}

/* --- cgroups that are gone ------------------------------------------------ */

/* Returns whether there is a cgroup of this id, or -errno. */
static int exists(uint64_t id, struct store_error *error)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *cgroup = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	int r;

	r = checmate_cgroup_open_id(id, &cgroup, &e);
	if (r == -ENOENT)
		return false;
	return r < 0 ? fail_library(error, r, e) : true;
}

static int forget_policies(struct store *store, uint64_t id)
{
	_cleanup_strv_ char **policies = NULL;
	int r;

	r = binding_record_policies(store->binding_record_dir, id, &policies);
	for (char **policy = policies; r >= 0 && *policy; policy++) {
		_cleanup_(binding_record_done) struct binding_record record = {};
		bool known = binding_record_read(store->binding_record_dir, id, *policy, &record) ==
			     0;
		const struct site site = {
			.store = store,
			.path = record.cgroup,
			.id = id,
		};

		if (known && !record.pending)
			tell(&site, *policy, "gone", &record, 0);
	}
	return r < 0 ? r : binding_record_forget(store->binding_record_dir, id);
}

static int forget_gone(struct store *store, struct store_error *error)
{
	_cleanup_free_ uint64_t *record_ids = NULL, *container_ids = NULL;
	size_t n_records = 0, n_containers = 0;
	int r;

	r = binding_record_cgroups(store->binding_record_dir, &record_ids, &n_records);
	for (size_t i = 0; r >= 0 && i < n_records; i++) {
		r = exists(record_ids[i], error);
		if (r < 0)
			return r;
		r = r ? 0 : forget_policies(store, record_ids[i]);
	}
	if (r < 0)
		return fail_record(error, r, store->binding_record_dir, "removed");

	r = container_record_tidy(store->container_record_dir);
	if (r >= 0)
		r = container_record_list(store->container_record_dir, &container_ids,
					  &n_containers);
	for (size_t i = 0; r >= 0 && i < n_containers; i++) {
		r = exists(container_ids[i], error);
		if (r < 0)
			return r;
		r = r ? 0 : container_record_remove(store->container_record_dir, container_ids[i]);
	}
	return r < 0 ? fail_record(error, r, store->container_record_dir, "removed") : 0;
}

static bool is_there(const char *dir, uint64_t id)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/%" PRIu64, dir, id) < 0) {
		path = NULL;
		return true;
	}
	return access(path, F_OK) == 0 || errno != ENOENT;
}

/**
 * store_holds() - Whether anything may be held for a cgroup
 * @store: the store
 * @id: the cgroup's id
 *
 * Cheaper than store_gc(), which looks at all cgroups, and most that go had nothing.
 */
bool store_holds(const struct store *store, uint64_t id)
{
	return is_there(PINS, id) || is_there(store->binding_record_dir, id) ||
	       is_there(store->container_record_dir, id);
}

/**
 * store_gc() - Let go of what is still held for cgroups that are gone
 * @store: the store
 * @error: what went wrong
 */
int store_gc(struct store *store, struct store_error *error)
{
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	size_t n_gone = 0;
	int r;

	r = checmate_binding_gc(&n_gone, &e);
	if (r < 0)
		return fail_library(error, r, e);
	if (n_gone)
		log_event(LOG_INFO, LOG_ID_CGROUPS_GONE, NULL, "%zu %s of removed cgroups let go",
			  n_gone, n_gone == 1 ? "binding" : "bindings");
	return forget_gone(store, error);
}

/* --- list ----------------------------------------------------------------- */

static void store_binding_done(struct store_binding *binding)
{
	free(binding->cgroup);
	free(binding->policy);
	free(binding->origin);
	strv_free(binding->params);
}

void store_list_free(struct store_binding *bindings, size_t n)
{
	for (size_t i = 0; i < n; i++)
		store_binding_done(&bindings[i]);
	free(bindings);
}

static const char *binding_mode(const struct checmate_binding *binding)
{
	if (checmate_binding_staged(binding))
		return "staged";
	for (size_t i = 0; i < checmate_binding_count_programs(binding); i++)
		if (!checmate_binding_get_program(binding, i)->attached)
			return "detached";
	return checmate_binding_permissive(binding) ? "permissive" : "enforce";
}

static int binding_params(const struct checmate_binding *binding, char ***ret_params,
			  struct checmate_error **ret_error)
{
	_cleanup_strv_ char **params = NULL;

	for (size_t i = 0; i < checmate_binding_count_params(binding); i++) {
		const char *name = checmate_binding_get_param(binding, i)->name;
		_cleanup_free_ char *value = NULL;
		int r;

		r = checmate_binding_get(binding, name, &value, ret_error);
		if (r >= 0)
			r = strv_extend(&params, name);
		if (r >= 0)
			r = strv_extend(&params, value);
		if (r < 0)
			return r;
	}
	*ret_params = TAKE_PTR(params);
	return 0;
}

static int origin_text(struct store *store, const struct checmate_binding *binding,
		       uint64_t cgroup_id, char **ret_text)
{
	_cleanup_(binding_record_done) struct binding_record record = {};
	const struct binding_record manual = { .kind = BINDING_RECORD_MANUAL };
	bool known;
	int r;

	r = binding_record_read(store->binding_record_dir, cgroup_id,
				checmate_binding_policy(binding), &record);
	if (r < 0 && r != -ENOENT)
		return r;
	known = r == 0 && binding_record_is_of(&record, first_prog_id(binding));
	return binding_record_describe(known ? &record : &manual, ret_text);
}

static int describe(struct store *store, const struct checmate_cgroup *cgroup, const char *policy,
		    struct store_binding *ret, struct checmate_error **ret_error)
{
	_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;
	_cleanup_(store_binding_done) struct store_binding b = {};
	int r;

	r = checmate_binding_open(cgroup, policy, &binding, ret_error);
	if (r < 0)
		return r;
	r = binding_params(binding, &b.params, ret_error);
	if (r < 0)
		return r;

	b.cgroup_id = checmate_cgroup_id(cgroup);
	b.mode = binding_mode(binding);
	r = origin_text(store, binding, b.cgroup_id, &b.origin);
	if (r < 0)
		return r;
	b.cgroup = strdup(checmate_cgroup_path(cgroup));
	b.policy = strdup(policy);
	if (!b.cgroup || !b.policy)
		return -ENOMEM;

	*ret = b;
	b = (struct store_binding){};
	return 0;
}

static int list_cgroup(struct store *store, uint64_t id, struct store_binding **bindings, size_t *n,
		       struct checmate_error **ret_error)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *cgroup = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *gone = NULL;
	_cleanup_(library_strv_freep) char **policies = NULL;
	int r;

	r = checmate_cgroup_open_id(id, &cgroup, &gone);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		*ret_error = TAKE_PTR(gone);
	else
		r = checmate_binding_list(cgroup, &policies, ret_error);
	if (r < 0)
		return r;

	for (char **policy = policies; policy && *policy; policy++) {
		_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
		struct store_binding *more;

		more = reallocarray(*bindings, *n + 1, sizeof(*more));
		if (!more)
			return -ENOMEM;
		*bindings = more;
		r = describe(store, cgroup, *policy, &more[*n], &e);
		if (r == -ENOENT)
			continue; /* removed meanwhile */
		if (r < 0) {
			*ret_error = TAKE_PTR(e);
			return r;
		}
		(*n)++;
	}
	return 0;
}

/**
 * store_list() - All bindings there are
 * @store: the store
 * @ret_bindings: the bindings, to be given to store_list_free()
 * @ret_n: how many
 * @error: what went wrong
 */
int store_list(struct store *store, struct store_binding **ret_bindings, size_t *ret_n,
	       struct store_error *error)
{
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	_cleanup_free_ uint64_t *ids = NULL;
	struct store_binding *bindings = NULL;
	size_t n = 0, n_ids = 0;
	int r;

	r = checmate_binding_list_cgroups(&ids, &n_ids, &e);
	for (size_t i = 0; r >= 0 && i < n_ids; i++)
		r = list_cgroup(store, ids[i], &bindings, &n, &e);
	if (r < 0) {
		store_list_free(bindings, n);
		return e ? fail_library(error, r, e) : fail(error, r, "%s", strerror(-r));
	}

	*ret_bindings = bindings;
	*ret_n = n;
	return 0;
}
