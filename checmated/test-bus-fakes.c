// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - For tests: fakes of what the bus interface calls
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "binding-list.h"
#include "bus-methods.h"
#include "bus-request.h"
#include "checmate.h"
#include "cleanup.h"
#include "container-apply.h"
#include "denial-reader.h"
#include "log.h"
#include "manager-events.h"
#include "manual.h"
#include "parse.h"
#include "polkit.h"
#include "strv.h"
#include "target.h"
#include "test-bus-fakes.h"

struct bus_fakes bus_fakes = { .cgroup_fd = -1 };

struct checmate_cgroup {
	char *path;
};

struct checmate_policy {
	char *name;
};

#define must(condition)                                                                         \
	do {                                                                                    \
		if (!(condition)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                \
		}                                                                               \
	} while (0)

static void must_be_line(const char *text, size_t max)
{
	must(text && strlen(text) <= max);
	for (; *text; text++)
		must((unsigned char)*text >= ' ' && *text != '\177');
}

static void must_be_target(const char *target)
{
	must_be_line(target, BUS_TARGET_MAX);
	must(*target);
}

static void must_be_policy(const char *name)
{
	must(name_is_valid(name, CONFIG_POLICY_NAME_MAX));
}

static void must_be_policies(const struct config_policy *policies, size_t n)
{
	must(n > 0 && n <= BUS_POLICIES_MAX);
	for (size_t i = 0; i < n; i++) {
		must_be_policy(policies[i].name);
		must(policies[i].n_params <= BUS_PARAMS_MAX);
		for (size_t j = 0; j < policies[i].n_params; j++) {
			must_be_line(policies[i].params[j].name, BUS_TEXT_MAX);
			must(*policies[i].params[j].name);
			must(!strchr(policies[i].params[j].name, '='));
			must_be_line(policies[i].params[j].value, BUS_TEXT_MAX);
		}
	}
}

__attribute__((format(printf, 1, 2))) static void asked(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(bus_fakes.last, sizeof(bus_fakes.last), format, ap);
	va_end(ap);
}

static int store_answer(struct store_error *error)
{
	if (bus_fakes.result < 0)
		error->text = strdup("bus-fakes: it fails; do not ask it");
	return bus_fakes.result;
}

static int changed(struct store_error *error)
{
	bus_fakes.n_changed++;
	return store_answer(error);
}

static const char *text_of_size(void)
{
	static char *text;

	text = realloc(text, bus_fakes.size + 1);
	must(text);
	memset(text, 'a', bus_fakes.size);
	text[bus_fakes.size] = '\0';
	return text;
}

static int looked(struct json_object **ret_document, struct jsondoc_error *error)
{
	bus_fakes.n_looked++;
	if (bus_fakes.result < 0)
		error->text = strdup("bus-fakes: it shows nothing; do not ask it");
	else if (!bus_fakes.size)
		*ret_document = json_object_new_object();
	else
		*ret_document = json_object_new_string_len(text_of_size(), bus_fakes.size);
	return bus_fakes.result;
}

/* --- store ------------------------------------------------------------------ */

void store_error_done(struct store_error *error)
{
	free(error->text);
	free(error->detail);
}

int manual_apply(struct store *store, struct checmate_cgroup *cgroup,
		 const struct config_policy *policies, size_t n_policies,
		 const struct manual_apply_opts *opts, struct store_error *error)
{
	must(store);
	must_be_policies(policies, n_policies);
	asked("%s %s %s %zu %s", opts->replace ? "replace" : "apply", cgroup->path,
	      policies[0].name, policies[0].n_params, opts->permissive ? "permissive" : "enforce");
	return changed(error);
}

int manual_remove(struct store *store, struct checmate_cgroup *cgroup, const char *policy,
		  struct store_error *error)
{
	must(store);
	if (policy)
		must_be_policy(policy);
	asked("remove %s %s", cgroup->path, policy ? policy : "all");
	return changed(error);
}

int manual_set_parameters(struct store *store, struct checmate_cgroup *cgroup,
			  const struct config_policy *policy, struct store_error *error)
{
	must(store);
	must_be_policies(policy, 1);
	must(policy->n_params);
	asked("set %s %s %zu %s=%s", cgroup->path, policy->name, policy->n_params,
	      policy->params[0].name, policy->params[0].value);
	return changed(error);
}

int manual_set_mode(struct store *store, struct checmate_cgroup *cgroup, const char *policy,
		    bool permissive, struct store_error *error)
{
	must(store);
	must_be_policy(policy);
	asked("mode %s %s %s", cgroup->path, policy, permissive ? "permissive" : "enforce");
	return changed(error);
}

int manual_seal(struct store *store, struct checmate_cgroup *cgroup, struct store_error *error)
{
	must(store);
	asked("seal %s", cgroup->path);
	return changed(error);
}

int container_apply(struct store *store, const struct container_record *container, bool by_user,
		    char ***ret_policies, struct store_error *error)
{
	size_t n = 0;
	int r;

	must(store);
	must_be_line(container->id, BUS_NAME_MAX);
	must(*container->id);
	must_be_target(container->cgroup);
	must(*container->cgroup == '/');
	must_be_line(container->runtime, BUS_NAME_MAX);
	must(container->pid > 0);
	must(container->annotations);
	while (container->annotations[n])
		n++;
	must(n % 2 == 0 && n <= 2 * BUS_ANNOTATIONS_MAX);
	asked("container %s %d %s %zu%s", container->id, (int)container->pid, container->runtime,
	      n / 2, by_user ? " by a user" : "");
	r = changed(error);
	if (r >= 0)
		r = strv_extend(ret_policies, "net-bind");
	return r;
}

int binding_list_read(struct store *store, struct listed_binding **ret_bindings, size_t *ret_n,
		      struct store_error *error)
{
	struct listed_binding *binding;

	must(store);
	bus_fakes.n_looked++;
	asked("list");
	if (bus_fakes.result < 0)
		return store_answer(error);
	binding = calloc(1, sizeof(*binding));
	must(binding);
	/* What a user may call a cgroup. */
	binding->cgroup = strdup("/we\xff"
				 "b");
	binding->cgroup_id = BUS_FAKES_CGROUP_ID;
	binding->policy = strdup("net-bind");
	binding->mode = "enforce";
	binding->origin = strdup("manual");
	must(strv_extend(&binding->params, "allow") >= 0);
	must(strv_extend(&binding->params, bus_fakes.size ? text_of_size() : "10.0.0.0/8:80") >= 0);
	*ret_bindings = binding;
	*ret_n = 1;
	return 0;
}

void binding_list_free(struct listed_binding *bindings, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(bindings[i].cgroup);
		free(bindings[i].policy);
		free(bindings[i].origin);
		strv_free(bindings[i].params);
	}
	free(bindings);
}

void manager_expect(struct manager *manager, const char *path)
{
	must(manager);
	must_be_target(path);
	bus_fakes.n_expected++;
}

int manager_reload(struct manager *manager, size_t *ret_n_failed, char **ret_error)
{
	must(manager);
	bus_fakes.n_changed++;
	asked("reload");
	if (bus_fakes.result < 0)
		*ret_error = strdup("bus-fakes.conf:1: it fails");
	else
		*ret_n_failed = 0;
	return bus_fakes.result;
}

/* --- reports ---------------------------------------------------------------- */

void jsondoc_error_done(struct jsondoc_error *error)
{
	free(error->text);
	free(error->detail);
}

const char *jsondoc_text(struct json_object *document, bool pretty)
{
	(void)pretty;
	return json_object_to_json_string(document);
}

int jsondoc_status(const struct checmate_cgroup *cgroup, struct json_object **ret_document,
		   struct jsondoc_error *error)
{
	asked("status %s", cgroup->path);
	return looked(ret_document, error);
}

int jsondoc_bindings(struct json_object **ret_document, struct jsondoc_error *error)
{
	asked("bindings");
	return looked(ret_document, error);
}

int jsondoc_tree(const struct checmate_cgroup *cgroup, bool all, struct json_object **ret_document,
		 struct jsondoc_error *error)
{
	asked("tree %s%s", cgroup->path, all ? " all" : "");
	return looked(ret_document, error);
}

int jsondoc_explain(const struct checmate_cgroup *cgroup, const char *hook,
		    struct json_object **ret_document, struct jsondoc_error *error)
{
	if (hook) {
		must_be_line(hook, BUS_NAME_MAX);
		must(*hook);
	}
	asked("explain %s %s", cgroup->path, hook ? hook : "all");
	return looked(ret_document, error);
}

int jsondoc_params_of(const struct checmate_cgroup *cgroup, const char *policy, char *const *names,
		      struct json_object **ret_document, struct jsondoc_error *error)
{
	must_be_policy(policy);
	must(!names);
	asked("params %s %s", cgroup->path, policy);
	return looked(ret_document, error);
}

int target_open(const char *target, bool pids, struct checmate_cgroup **ret_cgroup,
		struct jsondoc_error *error)
{
	must_be_target(target);
	if (!pids && !strchr(target, '/') && target[strspn(target, "0123456789")] == '\0') {
		error->text = strdup("it is a process");
		return -EINVAL;
	}
	return checmate_cgroup_open(target, ret_cgroup, NULL);
}

/* --- denials ---------------------------------------------------------------- */

void manager_events_failed(struct manager *manager)
{
	(void)manager;
}

int denial_reader_subscribe(struct denial_reader *reader, uid_t uid, bool all, int *ret_fd)
{
	(void)reader;
	bus_fakes.n_looked++;
	if (all)
		asked("events");
	else
		asked("events of %u", (unsigned int)uid);
	if (bus_fakes.result < 0)
		return bus_fakes.result;
	*ret_fd = dup(bus_fakes.cgroup_fd);
	return *ret_fd < 0 ? -errno : 0;
}

const char *denial_reader_reason(const struct denial_reader *reader)
{
	(void)reader;
	return "bus-fakes: another one reads them";
}

uint64_t denial_reader_n_read(const struct denial_reader *reader)
{
	(void)reader;
	return 7;
}

uint64_t denial_reader_n_lost(const struct denial_reader *reader)
{
	(void)reader;
	return 3;
}

/* --- the journal ------------------------------------------------------------ */

void log_event(int priority, const char *message_id, const struct log_fields *fields,
	       const char *format, ...)
{
	char text[8192];
	va_list ap;

	(void)priority;
	must(message_id);
	if (fields && fields->cgroup)
		must_be_line(fields->cgroup, BUS_TARGET_MAX);
	va_start(ap, format);
	must(vsnprintf(text, sizeof(text), format, ap) > 0);
	va_end(ap);
	bus_fakes.n_logged++;
	bus_fakes.logged_user = bus_fakes.log_user;
}

void log_set_user(uid_t uid)
{
	bus_fakes.log_user = uid;
}

/* --- libchecmate ------------------------------------------------------------ */

const char *checmate_version(void)
{
	return "1.2.3";
}

char **checmate_strv_free(char **strv)
{
	return strv_free(strv);
}

const char *checmate_error_text(const struct checmate_error *error)
{
	(void)error;
	return "bus-fakes: it is not there; make it";
}

const char *checmate_error_log(const struct checmate_error *error)
{
	(void)error;
	return NULL;
}

struct checmate_error *checmate_error_free(struct checmate_error *error)
{
	must(!error);
	return NULL;
}

int checmate_cgroup_open(const char *path, struct checmate_cgroup **ret_cgroup,
			 struct checmate_error **ret_error)
{
	struct checmate_cgroup *cgroup;

	(void)ret_error;
	must_be_target(path);
	if (bus_fakes.result == -ENOENT)
		return -ENOENT;
	cgroup = calloc(1, sizeof(*cgroup));
	must(cgroup);
	cgroup->path = strdup(path);
	must(cgroup->path);
	*ret_cgroup = cgroup;
	return 0;
}

struct checmate_cgroup *checmate_cgroup_free(struct checmate_cgroup *cgroup)
{
	if (cgroup)
		free(cgroup->path);
	free(cgroup);
	return NULL;
}

const char *checmate_cgroup_path(const struct checmate_cgroup *cgroup)
{
	return cgroup->path;
}

uint64_t checmate_cgroup_id(const struct checmate_cgroup *cgroup)
{
	(void)cgroup;
	return BUS_FAKES_CGROUP_ID;
}

int checmate_cgroup_fd(const struct checmate_cgroup *cgroup)
{
	(void)cgroup;
	return bus_fakes.cgroup_fd;
}

int checmate_cgroup_open_id(uint64_t cgroup_id, struct checmate_cgroup **ret_cgroup,
			    struct checmate_error **ret_error)
{
	must(cgroup_id == BUS_FAKES_CGROUP_ID);
	return checmate_cgroup_open("/web", ret_cgroup, ret_error);
}

int checmate_binding_list_cgroups(uint64_t **ret_ids, size_t *ret_n,
				  struct checmate_error **ret_error)
{
	(void)ret_error;
	if (bus_fakes.result < 0)
		return bus_fakes.result;
	*ret_ids = malloc(sizeof(**ret_ids));
	must(*ret_ids);
	**ret_ids = BUS_FAKES_CGROUP_ID;
	*ret_n = 1;
	return 0;
}

int checmate_binding_list(const struct checmate_cgroup *cgroup, char ***ret_policies,
			  struct checmate_error **ret_error)
{
	(void)cgroup;
	(void)ret_error;
	*ret_policies = NULL;
	must(strv_extend(ret_policies, "net-bind") >= 0);
	must(strv_extend(ret_policies, "net-connect") >= 0);
	return 0;
}

int checmate_policy_list(char ***ret_names, struct checmate_error **ret_error)
{
	char **names = NULL;

	(void)ret_error;
	bus_fakes.n_looked++;
	asked("policies");
	if (bus_fakes.result < 0)
		return bus_fakes.result;
	must(strv_extend(&names, "broken") >= 0);
	must(strv_extend(&names, "net-bind") >= 0);
	*ret_names = names;
	return 0;
}

int checmate_policy_open(const char *name_or_path, struct checmate_policy **ret_policy,
			 struct checmate_error **ret_error)
{
	static struct checmate_policy policy;

	(void)ret_error;
	must_be_policy(name_or_path);
	if (streq(name_or_path, "broken"))
		return -EINVAL;
	*ret_policy = &policy;
	return 0;
}

struct checmate_policy *checmate_policy_free(struct checmate_policy *policy)
{
	(void)policy;
	return NULL;
}

const char *checmate_policy_version(const struct checmate_policy *policy)
{
	(void)policy;
	return "1.0";
}

const char *checmate_policy_description(const struct checmate_policy *policy)
{
	(void)policy;
	return "which ports may be bound";
}

/* --- the interface ---------------------------------------------------------- */

void bus_fakes_serve(struct manager *manager, struct peer *peer)
{
	peer_open(peer);
	*manager = (struct manager){ .bus = peer->daemon, .backend = "checmate" };
	must(bus_methods_attach(manager) >= 0);
}

void bus_fakes_end(struct manager *manager)
{
	manager->polkit = polkit_free(manager->polkit);
}
