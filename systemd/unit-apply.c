// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmate-unit-apply - Give a unit the policies of its [X-Checmate]
 *
 * systemd starts it, by checmate-unit, when a unit is about to start, and does not start
 * the unit when it fails. A service's policies wait for the exec of its first command,
 * which comes after systemd has set the service up; other units' are in force at once.
 *
 * It needs no daemon and no bus.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Every entry would carry the location of complain(), which says nothing. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "binding-record.h"
#include "checmate.h"
#include "cleanup.h"
#include "executor.h"
#include "jsondoc.h"
#include "leave-cgroup.h"
#include "parse.h"
#include "section.h"
#include "status.h"
#include "strv.h"
#include "systemd-client.h"
#include "text.h"
#include "unit-cgroup-path.h"

#define CGROUPS "/sys/fs/cgroup"
#define MESSAGE_ID "d64dd7d3e1c24b6a8f0d9c3b1f6f4a52"

/* What the whole run is about. */
struct run {
	const char *name; /* as given */
	bool prepare; /* before systemd starts the unit, not when it does */
	int back; /* see leave_cgroup() */
	struct systemd_unit unit;
	struct section section;
	struct checmate_cgroup *cgroup;
	struct checmate_policy **policies; /* in the order of the section's */
	bool staged;
	bool sealed; /* by an earlier start: what the cgroup has can only be added to */
};

static void run_done(struct run *run)
{
	for (size_t i = 0; run->policies && i < run->section.n_policies; i++)
		checmate_policy_free(run->policies[i]);
	free(run->policies);
	checmate_cgroup_free(run->cgroup);
	section_done(&run->section);
	systemd_unit_done(&run->unit);
	leave_cgroup_undo(&run->back);
}

/* --- telling ---------------------------------------------------------------- */

static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

static void tell(struct run *run, int priority, const char *text, const char *detail)
{
	const char *unit = run->unit.id ?: run->name;
	bool journal = stderr_is_journal();

	leave_cgroup_undo(&run->back);
	if (journal)
		fprintf(stderr, "<%d>", priority);
	fprintf(stderr, "checmate-unit: %s\n", text);
	if (detail)
		fprintf(stderr, "%s\n", detail);
	/* The unit may send its standard error elsewhere. "journalctl -u" finds this. */
	if (!journal)
		(void)sd_journal_send("MESSAGE=checmate-unit: %s", text, "MESSAGE_ID=" MESSAGE_ID,
				      "PRIORITY=%d", priority, "OBJECT_SYSTEMD_UNIT=%s", unit,
				      "CHECMATE_DETAIL=%s", detail ?: "", NULL);
}

static int fail(struct run *run, int r, const char *format, ...) _printf_(3, 4);

static int fail(struct run *run, int r, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, format);
	text = text_vformat(format, ap);
	va_end(ap);
	tell(run, LOG_ERR, text ?: format, NULL);
	return r;
}

/* @place is "FILE:LINE", a file or the unit. */
static int fail_library(struct run *run, int r, const char *place, const struct checmate_error *e)
{
	_cleanup_free_ char *text = NULL;

	text = text_format("%s: %s", place, checmate_error_text(e));
	tell(run, LOG_ERR, text ?: checmate_error_text(e), checmate_error_log(e));
	return r;
}

static int fail_text(struct run *run, int r, const char *text)
{
	return fail(run, r, "%s", text ?: strerror(-r));
}

/* --- what is wanted --------------------------------------------------------- */

static int read_sections(struct run *run)
{
	_cleanup_free_ char *error = NULL;
	int r = 0;

	if (*run->unit.fragment)
		r = section_read(&run->section, run->unit.id, run->unit.fragment, &error);
	for (char **path = run->unit.drop_ins; r >= 0 && path && *path; path++)
		r = section_read(&run->section, run->unit.id, *path, &error);
	return r < 0 ? fail_text(run, r, error) : 0;
}

/* What is no list has the value that was given last; without one, its default. */
static bool is_list(const struct checmate_policy *policy, const char *name)
{
	for (size_t i = 0; i < checmate_policy_count_params(policy); i++) {
		const struct checmate_param *param = checmate_policy_get_param(policy, i);

		if (streq(param->name, name))
			return !streq(param->type, "errno") && !streq(param->type, "bool") &&
			       !streq(param->type, "number") && !streq(param->type, "choice");
	}
	return true;
}

static int open_policy(struct run *run, const struct section_policy *wanted,
		       struct checmate_policy **ret_policy)
{
	_cleanup_(checmate_policy_freep) struct checmate_policy *policy = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	int r;

	r = checmate_policy_open(wanted->name, &policy, &e);
	if (r < 0)
		return fail_library(run, r, wanted->place, e);
	for (size_t i = 0; i < wanted->n_params; i++) {
		const struct section_param *param = &wanted->params[i];
		bool list = is_list(policy, param->name);

		if (!list && !*param->last)
			continue;
		r = checmate_policy_set(policy, param->name, list ? param->value : param->last, &e);
		if (r < 0)
			return fail_library(run, r, param->place, e);
	}
	*ret_policy = TAKE_PTR(policy);
	return 0;
}

static int open_policies(struct run *run)
{
	size_t n = run->section.n_policies;
	int r;

	run->policies = calloc(n, sizeof(struct checmate_policy *));
	if (!run->policies)
		return fail(run, -ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		r = open_policy(run, &run->section.policies[i], &run->policies[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- where ------------------------------------------------------------------ */

static int make_cgroup(const char *path)
{
	_cleanup_free_ char *full = NULL;

	full = text_format(CGROUPS "%s", path);
	if (!full)
		return -ENOMEM;
	for (char *slash = strchr(full + strlen(CGROUPS) + 1, '/');;
	     slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		if (mkdir(full, 0755) < 0 && errno != EEXIST)
			return -errno;
		if (!slash)
			return 0;
		*slash = '/';
	}
}

/* Where the policies of @run go; before a unit has started, systemd has made nothing. */
static int open_cgroup(struct run *run)
{
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	const struct systemd_unit *unit = &run->unit;
	_cleanup_free_ char *path = NULL;
	int r;

	if (!unit_cgroup_type(unit->id))
		return fail(run, -EINVAL,
			    "%s: nothing runs in such a unit that a policy could judge; put [X-Checmate] into the service, socket, slice, scope, mount or swap that is meant",
			    unit->id);
	if (streq(unit->id, "-.slice") || streq(unit->id, "system.slice") ||
	    streq(unit->id, "init.scope"))
		return fail(run, -EINVAL,
			    "%s: it is there before any policy can be; name the slices, scopes or services that are meant",
			    unit->id);
	if (*unit->cgroup) {
		path = strdup(unit->cgroup);
		r = path ? 0 : -ENOMEM;
	} else if (run->prepare) {
		r = unit_cgroup_path(unit->id, unit->slice, &path);
	} else {
		return fail(run, -ENOENT,
			    "%s: it has no cgroup, as it is not about to start; this is for systemd to execute",
			    unit->id);
	}
	if (!r)
		r = make_cgroup(path);
	if (r < 0)
		return fail(run, r, "%s: its cgroup cannot be made: %s", unit->id, strerror(-r));
	r = checmate_cgroup_open(path, &run->cgroup, &e);
	return r < 0 ? fail_library(run, r, unit->id, e) : 0;
}

/* --- what is there ---------------------------------------------------------- */

/* Whether @binding is what applying @policy would make. Negative: it cannot be told. */
static int is_same(const struct run *run, const struct checmate_binding *binding,
		   const struct checmate_policy *policy)
{
	size_t n = checmate_binding_count_programs(binding);

	if (!streq(checmate_binding_version(binding), checmate_policy_version(policy)) ||
	    n != checmate_policy_count_programs(policy) ||
	    checmate_binding_count_params(binding) != checmate_policy_count_params(policy))
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct checmate_program *program = checmate_binding_get_program(binding, i);

		/* What is staged in a sealed cgroup can be neither replaced nor withdrawn. */
		if (!program->attached && !(run->sealed && program->staged))
			return false;
		if (program->permissive != run->section.permissive)
			return false;
	}
	for (size_t i = 0; i < checmate_policy_count_params(policy); i++) {
		const char *name = checmate_policy_get_param(policy, i)->name;
		_cleanup_free_ char *is = NULL, *should = NULL;

		if (checmate_policy_get(policy, name, &should, NULL) < 0 ||
		    checmate_binding_get(binding, name, &is, NULL) < 0 || !streq(is, should))
			return false;
	}
	return true;
}

/*
 * Whether the cgroup has its policies, with nothing staged that would change them. In a sealed
 * cgroup nothing is staged that takes a policy away.
 */
static bool is_in_force(const struct run *run)
{
	_cleanup_(checmate_status_freep) struct checmate_status *status = NULL;

	if (checmate_status_read(run->cgroup, &status, NULL) < 0)
		return false;
	for (size_t i = 0; !run->sealed && i < checmate_status_count_local(status); i++)
		if (checmate_status_get_local(status, i)->staged)
			return false;
	for (size_t i = 0; i < run->section.n_policies; i++) {
		_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;
		const char *name = checmate_policy_name(run->policies[i]);

		if (checmate_binding_open(run->cgroup, name, &binding, NULL) < 0 ||
		    is_same(run, binding, run->policies[i]) <= 0)
			return false;
	}
	return true;
}

/* --- records ---------------------------------------------------------------- */

static uint64_t former_instance(const struct run *run, const char *policy)
{
	_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;

	if (checmate_binding_open(run->cgroup, policy, &binding, NULL) < 0)
		return 0;
	return checmate_binding_instance(binding);
}

/* Nothing that is enforced depends on them, so that their failure is only told. */
static void record(struct run *run, const uint64_t *former, bool pending)
{
	int r = binding_record_make_dir(BINDING_RECORD_DIR);

	for (size_t i = 0; r >= 0 && i < run->section.n_policies; i++) {
		const struct checmate_policy *policy = run->policies[i];
		const struct binding_record record = {
			.kind = BINDING_RECORD_UNIT,
			.pending = pending,
			.instance = checmate_policy_instance(policy),
			.former_instance = former[i],
			.cgroup = (char *)checmate_cgroup_path(run->cgroup),
			.text = run->section.policies[i].file,
		};

		r = binding_record_write(BINDING_RECORD_DIR, checmate_cgroup_id(run->cgroup),
					 checmate_policy_name(policy), &record);
	}
	if (r < 0) {
		_cleanup_free_ char *text = NULL;

		if (asprintf(&text,
			     BINDING_RECORD_DIR
			     ": %s; checmated will not know where the policies of %s come from",
			     strerror(-r), run->unit.id) < 0)
			text = NULL;
		tell(run, LOG_WARNING, text ?: BINDING_RECORD_DIR, NULL);
	}
}

static bool is_wanted(const struct run *run, const char *policy)
{
	for (size_t i = 0; i < run->section.n_policies; i++)
		if (streq(run->section.policies[i].name, policy))
			return true;
	return false;
}

/* Takes out of force what an earlier [X-Checmate] of the unit has given to the cgroup. */
static int remove_others(struct run *run)
{
	uint64_t id = checmate_cgroup_id(run->cgroup);
	_cleanup_strv_ char **recorded = NULL;

	if (binding_record_policies(BINDING_RECORD_DIR, id, &recorded) < 0)
		return 0;
	for (char **policy = recorded; *policy; policy++) {
		_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
		_cleanup_(binding_record_done) struct binding_record record = {};
		int r;

		if (is_wanted(run, *policy) ||
		    binding_record_read(BINDING_RECORD_DIR, id, *policy, &record) < 0 ||
		    record.kind != BINDING_RECORD_UNIT)
			continue;
		r = checmate_binding_remove(run->cgroup, *policy, &e);
		/* The unit has more than its files ask for, which is no reason not to start it. */
		if (r == -EROFS) {
			tell(run, LOG_WARNING, checmate_error_text(e), NULL);
			continue;
		}
		if (r < 0 && r != -ENOENT)
			return fail_library(run, r, run->unit.id, e);
		(void)binding_record_remove(BINDING_RECORD_DIR, id, *policy);
	}
	return 0;
}

/* Each start of a service has a new cgroup. Without checmated nobody else tidies up. */
static void collect(void)
{
	_cleanup_free_ uint64_t *ids = NULL;
	size_t n;

	(void)checmate_binding_gc(NULL, NULL);
	if (binding_record_cgroups(BINDING_RECORD_DIR, &ids, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *cgroup = NULL;

		if (checmate_cgroup_open_id(ids[i], &cgroup, NULL) == -ENOENT)
			(void)binding_record_forget(BINDING_RECORD_DIR, ids[i]);
	}
}

/* --- applying --------------------------------------------------------------- */

/* Only the kernel's controller can wait for an exec. */
static int find_staging(struct run *run)
{
	_cleanup_(checmate_features_freep) struct checmate_features *features = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	int r;

	if (!unit_cgroup_is_staged(run->unit.id))
		return 0;
	r = checmate_features_probe(&features, &e);
	if (r < 0)
		return fail_library(run, r, run->unit.id, e);
	run->staged = checmate_features_supports(features, "staging");
	return 0;
}

/* A start that came to nothing may have left something staged, which nobody waits for. */
static int withdraw(const struct run *run)
{
	static const char nothing[] = "when=exec\n";
	_cleanup_close_ int fd = openat(checmate_cgroup_fd(run->cgroup), "checmate.policy",
					O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, nothing, strlen(nothing)) > 0 ? 0 : -errno;
}

static int apply(struct run *run, const char *except)
{
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL, *again = NULL;
	const struct checmate_apply_opts opts = {
		.sz = sizeof(opts),
		.replace = true,
		.permissive = run->section.permissive,
		.when_exec = run->staged,
		.except = run->staged ? except : NULL,
		.seal = run->section.seal,
	};
	size_t n = run->section.n_policies;
	int r;

	r = checmate_binding_apply(run->cgroup, run->policies, n, &opts, &e);
	if (r != -EBUSY || withdraw(run) < 0)
		return r < 0 ? fail_library(run, r, run->unit.id, e) : 0;
	r = checmate_binding_apply(run->cgroup, run->policies, n, &opts, &again);
	return r < 0 ? fail_library(run, r, run->unit.id, again) : 0;
}

static int load(struct run *run)
{
	for (size_t i = 0; i < run->section.n_policies; i++) {
		_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
		int r = checmate_policy_load(run->policies[i], &e);

		if (r < 0)
			return fail_library(run, r, run->section.policies[i].place, e);
	}
	return 0;
}

static int put_in_force(struct run *run)
{
	_cleanup_(checmate_error_freep) struct checmate_error *e = NULL;
	_cleanup_free_ uint64_t *former = NULL;
	_cleanup_free_ char *except = NULL;
	int r;

	former = calloc(run->section.n_policies, sizeof(*former));
	if (!former)
		return fail(run, -ENOMEM, "out of memory");
	r = find_staging(run);
	if (r < 0)
		return r;
	r = executor_find("/proc/1/fd", run->unit.version, &except);
	if (r < 0)
		return fail(run, r,
			    "%s: systemd %u should have systemd-executor open, whose exec is not the unit's: %s; see \"ls -l /proc/1/fd\"",
			    run->unit.id, run->unit.version, strerror(-r));
	r = checmate_cgroup_enable(run->cgroup, NULL, &e);
	if (r < 0)
		return fail_library(run, r, run->unit.id, e);
	r = checmate_cgroup_sealed(run->cgroup, &e);
	if (r < 0)
		return fail_library(run, r, run->unit.id, e);
	run->sealed = r;
	if (is_in_force(run)) {
		r = run->section.seal ? checmate_cgroup_seal(run->cgroup, &e) : 0;
		return r < 0 ? fail_library(run, r, run->unit.id, e) : 0;
	}
	/* The helper is inside, where the library cannot try whether the kernel enforces. */
	if (run->sealed && run->back < 0)
		return fail(run, -EROFS,
			    "%s: its cgroup %s is sealed and does not have the policies that its files ask for; end all of its processes, then start it again",
			    run->unit.id, checmate_cgroup_path(run->cgroup));
	r = load(run);
	if (r < 0)
		return r;
	for (size_t i = 0; i < run->section.n_policies; i++)
		former[i] = former_instance(run, checmate_policy_name(run->policies[i]));
	record(run, former, true);
	r = apply(run, except);
	if (r < 0)
		return r;
	record(run, former, false);
	return 0;
}

/* --- listed paths ------------------------------------------------------------ */

/* Which of the warnings is of @entry; each is a line of its own. */
static void warn_of(struct run *run, const struct json_object *entry)
{
	_cleanup_free_ char *warning = jsondoc_path_warning(entry);
	_cleanup_free_ char *text = NULL;

	if (warning && asprintf(&text, "%s: %s", run->unit.id, warning) >= 0)
		tell(run, LOG_WARNING, text, NULL);
}

/*
 * The unit has its policies, whatever is wrong with the paths that they list. What the unit
 * mounts in a namespace of its own is not there yet: paths below an image are not looked at.
 */
static void warn_of_paths(struct run *run)
{
	const char *below = run->unit.root && *run->unit.root ? run->unit.root : NULL;
	const struct jsondoc_root root = { .below = below };
	struct json_object *paths = NULL;
	_cleanup_strv_ char **lists = NULL;

	if (run->unit.image && *run->unit.image)
		return;
	for (size_t i = 0; i < run->section.n_policies; i++)
		if (jsondoc_lists_of_policy(run->policies[i], NULL, &lists) < 0)
			return;
	/* This takes two seconds at most. */
	if (jsondoc_paths(&root, lists, &paths) < 0)
		return;
	for (size_t i = 0; i < json_object_array_length(paths); i++)
		warn_of(run, json_object_array_get_idx(paths, i));
	json_object_put(paths);
}

static int apply_unit(struct run *run)
{
	_cleanup_free_ char *error = NULL;
	int r;

	r = systemd_client_read_unit(run->name, &run->unit, &error);
	if (r < 0)
		return fail_text(run, r, error);
	r = read_sections(run);
	if (r < 0)
		return r;
	/* Mentioned in a comment, or overridden by another file. */
	if (!run->section.n_policies && !*run->unit.cgroup)
		return 0;
	r = open_cgroup(run);
	if (r < 0)
		return r;
	if (run->section.n_policies) {
		r = open_policies(run);
		if (r >= 0)
			r = put_in_force(run);
		if (r < 0)
			return r;
	}
	r = remove_others(run);
	if (r < 0)
		return r;
	collect();
	/* Last: to tell anything ends the escape from the unit's cgroup. */
	warn_of_paths(run);
	return 0;
}

int main(int argc, char **argv)
{
	_cleanup_(run_done) struct run run = { .back = -1 };

	if (argc != 3 || (!streq(argv[1], "apply") && !streq(argv[1], "prepare"))) {
		fprintf(stderr,
			"usage: checmate-unit apply|prepare UNIT\n"
			"\n"
			"Gives a unit the policies of its [X-Checmate], for systemd: \"apply\" as a\n"
			"command of the unit when it starts, \"prepare\" before that. See\n"
			"checmate.unit(5).\n");
		return STATUS_REFUSED;
	}
	run.name = argv[2];
	run.prepare = streq(argv[1], "prepare");
	leave_cgroup(&run.back);
	return apply_unit(&run) < 0 ? STATUS_REFUSED : EXIT_SUCCESS;
}
