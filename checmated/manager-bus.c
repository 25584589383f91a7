// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - org.checmate1.Manager
 *
 * None of the methods is marked unprivileged: sd-bus turns away whoever is
 * neither root nor has CAP_SYS_ADMIN, also where the policy of the bus was
 * replaced.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus-names.h"
#include "checmate.h"
#include "cleanup.h"
#include "log.h"
#include "manager.h"
#include "parse.h"
#include "strv.h"

/* Policies of one request as they stand in the message, which they point into. */
struct request {
	struct config_policy *policies;
	size_t n_policies;
};

static void request_done(struct request *request)
{
	for (size_t i = 0; i < request->n_policies; i++) {
		struct config_policy *policy = &request->policies[i];

		for (size_t j = 0; j < policy->n_params; j++)
			free(policy->params[j].name);
		free(policy->params);
	}
	free(request->policies);
}

static const char *error_name(int r)
{
	switch (-r) {
	case ENOENT:
	case ENODEV:
		return BUS_ERROR("NotFound");
	case EEXIST:
		return BUS_ERROR("Exists");
	case EINVAL:
	case E2BIG:
		return BUS_ERROR("InvalidArgument");
	case EOPNOTSUPP:
		return BUS_ERROR("NotSupported");
	case ESTALE:
	case EBUSY:
		return BUS_ERROR("Conflict");
	case ENOSPC:
		return BUS_ERROR("LimitReached");
	default:
		return BUS_ERROR("Failed");
	}
}

/* Logs a failure and makes it the answer. */
static int refuse(sd_bus_error *ret_error, const char *method, int r, struct store_error *error,
		  struct log_fields fields)
{
	const char *text = error->text ? error->text : strerror(-r);

	fields.error = -r;
	fields.detail = error->detail;
	log_event(LOG_ERR, LOG_ID_BINDING_FAILED, &fields, "%s: %s", method, text);
	return sd_bus_error_set(ret_error, error_name(r), text);
}

static int add_param(struct config_policy *policy, const char *assignment)
{
	const char *equals = strchr(assignment, '=');
	struct config_param *params;
	char *name;

	if (!equals || equals == assignment)
		return -EINVAL;
	params = reallocarray(policy->params, policy->n_params + 1, sizeof(*params));
	if (!params)
		return -ENOMEM;
	policy->params = params;
	name = strndup(assignment, equals - assignment);
	if (!name)
		return -ENOMEM;
	/* The value stays the message's; nothing here writes to it. */
	params[policy->n_params++] = (struct config_param){
		.name = name,
		.value = (char *)equals + 1,
	};
	return 0;
}

static int read_policy(sd_bus_message *m, struct request *request, sd_bus_error *ret_error)
{
	struct config_policy *policies, *policy;
	const char *name, *assignment;
	int r;

	r = sd_bus_message_read(m, "s", &name);
	if (r < 0)
		return r;
	/* A path would let the caller load what is not installed. */
	if (!name_is_valid(name, CONFIG_POLICY_NAME_MAX))
		return sd_bus_error_setf(ret_error, BUS_ERROR("InvalidArgument"),
					 "'%s' is not a policy name; it has lower-case letters, digits and '-'",
					 name);

	policies = reallocarray(request->policies, request->n_policies + 1, sizeof(*policies));
	if (!policies)
		return -ENOMEM;
	request->policies = policies;
	policy = &policies[request->n_policies++];
	*policy = (struct config_policy){ .name = (char *)name };

	r = sd_bus_message_enter_container(m, 'a', "s");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_read(m, "s", &assignment)) > 0) {
		r = add_param(policy, assignment);
		if (r == -EINVAL)
			return sd_bus_error_setf(ret_error, BUS_ERROR("InvalidArgument"),
						 "policy %s: '%s' is not of the form PARAMETER=VALUE",
						 name, assignment);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	return sd_bus_message_exit_container(m);
}

static int read_request(sd_bus_message *m, struct request *request, sd_bus_error *ret_error)
{
	int r;

	r = sd_bus_message_enter_container(m, 'a', "(sas)");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(m, 'r', "sas")) > 0) {
		r = read_policy(m, request, ret_error);
		if (r < 0)
			return r;
		r = sd_bus_message_exit_container(m);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	return sd_bus_message_exit_container(m);
}

static int method_apply(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
	_cleanup_(store_error_done) struct store_error error = {};
	_cleanup_(request_done) struct request request = {};
	struct manager *manager = userdata;
	const char *cgroup;
	int r;

	r = sd_bus_message_read(m, "s", &cgroup);
	if (r < 0)
		return r;
	r = read_request(m, &request, ret_error);
	if (r < 0)
		return r;

	r = store_apply(&manager->store, cgroup, request.policies, request.n_policies, &error);
	if (r < 0)
		return refuse(ret_error, "Apply", r, &error,
			      (struct log_fields){ .cgroup = cgroup });
	return sd_bus_reply_method_return(m, "");
}

static int method_remove(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
	_cleanup_(store_error_done) struct store_error error = {};
	struct manager *manager = userdata;
	const char *cgroup, *policy;
	int r;

	r = sd_bus_message_read(m, "ss", &cgroup, &policy);
	if (r < 0)
		return r;

	r = store_remove(&manager->store, cgroup, *policy ? policy : NULL, &error);
	if (r < 0)
		return refuse(ret_error, "Remove", r, &error,
			      (struct log_fields){ .cgroup = cgroup, .policy = policy });
	return sd_bus_reply_method_return(m, "");
}

/* Flattens a{ss} to key, value, …, NULL; the strings stay the message's. */
static int read_annotations(sd_bus_message *m, const char ***ret_annotations)
{
	_cleanup_free_ const char **annotations = NULL;
	const char *key, *value;
	size_t n = 0;
	int r;

	annotations = calloc(1, sizeof(*annotations));
	if (!annotations)
		return -ENOMEM;

	r = sd_bus_message_enter_container(m, 'a', "{ss}");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_read(m, "{ss}", &key, &value)) > 0) {
		const char **more;

		more = reallocarray(annotations, n + 3, sizeof(*more));
		if (!more)
			return -ENOMEM;
		annotations = more;
		annotations[n++] = key;
		annotations[n++] = value;
		annotations[n] = NULL;
	}
	if (r < 0)
		return r;
	r = sd_bus_message_exit_container(m);
	if (r < 0)
		return r;

	*ret_annotations = TAKE_PTR(annotations);
	return 0;
}

static int method_apply_container(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(store_error_done) struct store_error error = {};
	_cleanup_free_ const char **annotations = NULL;
	_cleanup_strv_ char **policies = NULL;
	struct manager *manager = userdata;
	const char *container, *cgroup;
	uint64_t cgroup_id;
	int r;

	r = sd_bus_message_read(m, "sst", &container, &cgroup, &cgroup_id);
	if (r < 0)
		return r;
	r = read_annotations(m, &annotations);
	if (r < 0)
		return r;

	r = store_apply_container(&manager->store, container, cgroup, cgroup_id, annotations,
				  &policies, &error);
	if (r < 0)
		return refuse(ret_error, "ApplyContainer", r, &error,
			      (struct log_fields){ .cgroup = cgroup, .container = container });

	r = sd_bus_message_new_method_return(m, &reply);
	if (r < 0)
		return r;
	r = sd_bus_message_append_strv(reply, policies);
	if (r < 0)
		return r;
	return sd_bus_message_send(reply);
}

static int append_binding(sd_bus_message *m, const struct store_binding *binding)
{
	int r;

	r = sd_bus_message_open_container(m, 'r', "stsssa{ss}");
	if (r < 0)
		return r;
	r = sd_bus_message_append(m, "stsss", binding->cgroup, binding->cgroup_id, binding->policy,
				  binding->mode, binding->origin);
	if (r < 0)
		return r;
	r = sd_bus_message_open_container(m, 'a', "{ss}");
	if (r < 0)
		return r;
	for (char **p = binding->params; p && *p; p += 2) {
		r = sd_bus_message_append(m, "{ss}", p[0], p[1]);
		if (r < 0)
			return r;
	}
	r = sd_bus_message_close_container(m);
	if (r < 0)
		return r;
	return sd_bus_message_close_container(m);
}

static int reply_bindings(sd_bus_message *m, const struct store_binding *bindings, size_t n)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	int r;

	r = sd_bus_message_new_method_return(m, &reply);
	if (r < 0)
		return r;
	r = sd_bus_message_open_container(reply, 'a', "(stsssa{ss})");
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		r = append_binding(reply, &bindings[i]);
		if (r < 0)
			return r;
	}
	r = sd_bus_message_close_container(reply);
	if (r < 0)
		return r;
	return sd_bus_message_send(reply);
}

static int method_list(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
	_cleanup_(store_error_done) struct store_error error = {};
	struct manager *manager = userdata;
	struct store_binding *bindings;
	size_t n;
	int r;

	r = store_list(&manager->store, &bindings, &n, &error);
	if (r < 0)
		return refuse(ret_error, "List", r, &error, (struct log_fields){});
	r = reply_bindings(m, bindings, n);
	store_list_free(bindings, n);
	return r;
}

static int method_reload(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
	struct manager *manager = userdata;
	_cleanup_free_ char *error = NULL;
	size_t n_failed;
	int r;

	r = manager_reload(manager, &n_failed, &error);
	if (r < 0) {
		log_event(LOG_ERR, LOG_ID_CONFIG_REFUSED, &(struct log_fields){ .error = -r },
			  "%s; what was loaded before stays in use", error ? error : strerror(-r));
		return sd_bus_error_set(ret_error, BUS_ERROR("ConfigRefused"),
					error ? error : strerror(-r));
	}
	if (n_failed)
		return sd_bus_error_setf(
			ret_error, BUS_ERROR("Failed"),
			"the binding files are in use, but in %zu %s not all they say is in force; see 'journalctl -u checmated'",
			n_failed, n_failed == 1 ? "cgroup" : "cgroups");
	return sd_bus_reply_method_return(m, "");
}

static int property_version(sd_bus *bus, const char *path, const char *interface,
			    const char *property, sd_bus_message *reply, void *userdata,
			    sd_bus_error *ret_error)
{
	(void)bus;
	(void)path;
	(void)interface;
	(void)property;
	(void)userdata;
	(void)ret_error;
	return sd_bus_message_append(reply, "s", checmate_version());
}

static const sd_bus_vtable manager_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Version", "s", property_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_METHOD_WITH_ARGS("Apply", SD_BUS_ARGS("s", cgroup, "a(sas)", policies),
				SD_BUS_NO_RESULT, method_apply, 0),
	SD_BUS_METHOD_WITH_ARGS("Remove", SD_BUS_ARGS("s", cgroup, "s", policy), SD_BUS_NO_RESULT,
				method_remove, 0),
	SD_BUS_METHOD_WITH_ARGS("ApplyContainer",
				SD_BUS_ARGS("s", id, "s", cgroup, "t", cgroup_id, "a{ss}",
					    annotations),
				SD_BUS_RESULT("as", policies), method_apply_container, 0),
	SD_BUS_METHOD_WITH_ARGS("List", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(stsssa{ss})", bindings),
				method_list, 0),
	SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_reload, 0),
	SD_BUS_VTABLE_END,
};

/**
 * manager_bus_attach() - Offer org.checmate1.Manager
 * @manager: the manager, whose bus is connected
 */
int manager_bus_attach(struct manager *manager)
{
	return sd_bus_add_object_vtable(manager->bus, NULL, BUS_PATH, BUS_INTERFACE, manager_vtable,
					manager);
}
