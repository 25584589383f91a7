// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - The interface org.checmate1.Manager and its methods
 *
 * The bus and sd-bus let every user call. The table of methods below names the polkit
 * action that each one needs; polkit.c checks it.
 *
 * A call is read, then checked, then carried out. Nothing else happens in between.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "binding-list.h"
#include "bus-methods.h"
#include "bus-names.h"
#include "bus-properties.h"
#include "bus-request.h"
#include "bus-text.h"
#include "checmate.h"
#include "cleanup.h"
#include "container-apply.h"
#include "container-record.h"
#include "denial-reader.h"
#include "identity.h"
#include "jsondoc.h"
#include "log.h"
#include "manager-events.h"
#include "manager.h"
#include "manual.h"
#include "parse.h"
#include "polkit.h"
#include "store-error.h"
#include "strv.h"
#include "target.h"
#include "utf8.h"

/* An answer that is larger than the bus takes would end the connection to it. */
#define REPLY_MAX (16u * 1024u * 1024u)

#define ACTION_EVENTS "org.checmate1.events"
#define ACTION_INSPECT "org.checmate1.inspect"
#define ACTION_MANAGE "org.checmate1.manage"

#define _cleanup_cgroup_ _cleanup_(checmate_cgroup_freep)
#define _cleanup_message_ _cleanup_(sd_bus_message_unrefp)

struct call;

/* What a method takes, whom it is for, and what it does. */
struct method {
	const char *name;
	const char *action; /* NULL: it decides itself by who asks */
	bool optional; /* without the authorization it does less, by who asks */
	int (*read)(sd_bus_message *m, struct bus_request *request, sd_bus_error *ret_error);
	int (*run)(sd_bus_message *m, const struct call *call, sd_bus_error *ret_error);
};

/* A method that was called, and maybe waits for permission. */
struct call {
	struct manager *manager;
	const struct method *method;
	const struct polkit_caller *caller;
	struct bus_request request;
};

/* --- failures --------------------------------------------------------------- */

static const char *error_name(int r)
{
	switch (-r) {
	case ENOENT:
	case ENODEV:
	case ESRCH:
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
	case EROFS:
		return BUS_ERROR("Sealed");
	case EPERM:
		return BUS_ERROR("Configured");
	case ENOSPC:
	case ENOBUFS:
	case EMFILE:
		return BUS_ERROR("LimitReached");
	default:
		return BUS_ERROR("Failed");
	}
}

/* The user whose entries are limited, see log.h; 0: root, or a user whom polkit lets. */
static uid_t limited_user(const struct call *call)
{
	return call->caller->authorized ? 0 : call->caller->uid;
}

/* A failed change is the administrator's to know, too. */
static void log_failure(const struct call *call, int r, const char *text, const char *detail)
{
	const struct bus_request *request = &call->request;

	log_event(LOG_ERR, limited_user(call) ? LOG_ID_REQUEST_REFUSED : LOG_ID_BINDING_FAILED,
		  &(struct log_fields){
			  .cgroup = request->target && *request->target == '/' ? request->target :
										 NULL,
			  .policy = request->policy,
			  .container = request->id,
			  .error = -r,
			  .detail = detail,
		  },
		  "%s of user %u: %s", call->method->name, (unsigned int)call->caller->uid, text);
}

/* Makes a failure the answer. */
static int refuse(const struct call *call, int r, const char *text, const char *detail,
		  sd_bus_error *ret_error)
{
	_cleanup_free_ char *printable = NULL;

	if (!text)
		text = strerror(-r);
	if (!call->method->action || streq(call->method->action, ACTION_MANAGE))
		log_failure(call, r, text, detail);
	/* The library's text may quote a file name. */
	printable = utf8_escape(text);
	return sd_bus_error_set(ret_error, error_name(r), printable ? printable : strerror(-r));
}

static int refuse_store(const struct call *call, int r, const struct store_error *error,
			sd_bus_error *ret_error)
{
	return refuse(call, r, error->text, error->detail, ret_error);
}

static int refuse_report(const struct call *call, int r, const struct jsondoc_error *error,
			 sd_bus_error *ret_error)
{
	return refuse(call, r, error->text, error->detail, ret_error);
}

static int refuse_library(const struct call *call, int r, const struct checmate_error *error,
			  sd_bus_error *ret_error)
{
	return refuse(call, r, checmate_error_text(error), checmate_error_log(error), ret_error);
}

/* --- what the methods share --------------------------------------------------- */

static int done(sd_bus_message *m)
{
	return sd_bus_reply_method_return(m, "");
}

/* A process stands for its cgroup where nothing is changed. */
static int open_cgroup(const struct call *call, struct checmate_cgroup **ret_cgroup,
		       sd_bus_error *ret_error)
{
	_cleanup_(jsondoc_error_done) struct jsondoc_error error = {};
	const bool pids = call->method->action && streq(call->method->action, ACTION_INSPECT);
	int r;

	r = target_open(call->request.target, pids, ret_cgroup, &error);
	return r < 0 ? refuse_report(call, r, &error, ret_error) : 0;
}

static int check_reply(size_t size, sd_bus_error *ret_error)
{
	if (size <= REPLY_MAX)
		return 0;
	return sd_bus_error_setf(ret_error, BUS_ERROR("LimitReached"),
				 "the answer has more than %u MiB; ask about a part of it",
				 REPLY_MAX >> 20);
}

static int reply_document(sd_bus_message *m, struct json_object *document, sd_bus_error *ret_error)
{
	const char *text = jsondoc_text(document, false);
	int r;

	r = text ? check_reply(strlen(text), ret_error) : -ENOMEM;
	if (r >= 0)
		r = sd_bus_reply_method_return(m, "s", text);
	json_object_put(document);
	return r;
}

/* --- changes -------------------------------------------------------------------- */

static int apply(sd_bus_message *m, const struct call *call, bool replace, sd_bus_error *ret_error)
{
	const struct bus_request *request = &call->request;
	const struct manual_apply_opts opts = {
		.replace = replace,
		.permissive = request->permissive,
	};
	_cleanup_(store_error_done) struct store_error error = {};
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	int r;

	r = open_cgroup(call, &cgroup, ret_error);
	if (r < 0)
		return r;
	r = manual_apply(&call->manager->store, cgroup, request->policies, request->n_policies,
			 &opts, &error);
	return r < 0 ? refuse_store(call, r, &error, ret_error) : done(m);
}

static int run_apply(sd_bus_message *m, const struct call *call, sd_bus_error *ret_error)
{
	return apply(m, call, false, ret_error);
}

static int run_replace(sd_bus_message *m, const struct call *call, sd_bus_error *ret_error)
{
	return apply(m, call, true, ret_error);
}

static int run_remove(sd_bus_message *m, const struct call *call, sd_bus_error *ret_error)
{
	_cleanup_(store_error_done) struct store_error error = {};
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	int r;

	r = open_cgroup(call, &cgroup, ret_error);
	if (r < 0)
		return r;
	r = manual_remove(&call->manager->store, cgroup, call->request.policy, &error);
	return r < 0 ? refuse_store(call, r, &error, ret_error) : done(m);
}

static int run_set_parameters(sd_bus_message *m, const struct call *call, sd_bus_error *ret_error)
{
	const struct bus_request *request = &call->request;
	_cleanup_(store_error_done) struct store_error error = {};
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	int r;

	r = open_cgroup(call, &cgroup, ret_error);
	if (r < 0)
		return r;
	r = manual_set_parameters(&call->manager->store, cgroup, &request->policies[0], &error);
	return r < 0 ? refuse_store(call, r, &error, ret_error) : done(m);
}

static int run_set_mode(sd_bus_message *m, const struct call *call, sd_bus_error *ret_error)
{
	_cleanup_(store_error_done) struct store_error error = {};
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	int r;

	r = open_cgroup(call, &cgroup, ret_error);
	if (r < 0)
		return r;
	r = manual_set_mode(&call->manager->store, cgroup, call->request.policy,
			    call->request.permissive, &error);
	return r < 0 ? refuse_store(call, r, &error, ret_error) : done(m);
}

static int run_seal(sd_bus_message *m, const struct call *call, sd_bus_error *ret_error)
{
	_cleanup_(store_error_done) struct store_error error = {};
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	int r;

	r = open_cgroup(call, &cgroup, ret_error);
	if (r < 0)
		return r;
	r = manual_seal(&call->manager->store, cgroup, &error);
	return r < 0 ? refuse_store(call, r, &error, ret_error) : done(m);
}

static int run_reload(sd_bus_message *m, const struct call *call, sd_bus_error *ret_error)
{
	_cleanup_free_ char *error = NULL;
	size_t n_failed;
	int r;

	r = manager_reload(call->manager, &n_failed, &error);
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
	return done(m);
}

/* --- containers ------------------------------------------------------------------ */

static int refuse_owner(const struct call *call, const char *what, const char *remedy,
			sd_bus_error *ret_error)
{
	sd_bus_error_setf(ret_error, SD_BUS_ERROR_ACCESS_DENIED, "container %s: cgroup %s is %s; %s",
			  call->request.id, call->request.target, what, remedy);
	log_failure(call, -EACCES, ret_error->message, NULL);
	return -EACCES;
}

/*
 * A cgroup that was given to a user is the user's to have containers in, and to have
 * them judged.  It is the directory that counts which the id stands for: an id is
 * never used twice, and the store goes by it as well.
 *
 * A unit is no container, even if its cgroup was given to a user: it would get the
 * policies of one whose annotations the user invents, in place of its own.
 */
static int check_owner(const struct call *call, sd_bus_error *ret_error)
{
	const struct bus_request *request = &call->request;
	_cleanup_(checmate_error_freep) struct checmate_error *error = NULL;
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	_cleanup_(identity_done) struct identity identity = {};
	char what[32];
	struct stat st;
	int r;

	if (call->caller->uid == 0)
		return 0;
	r = checmate_cgroup_open(request->target, &cgroup, &error);
	if (r < 0)
		return refuse_library(call, r, error, ret_error);
	if (fstat(checmate_cgroup_fd(cgroup), &st) < 0)
		return -errno;
	if (checmate_cgroup_id(cgroup) != request->cgroup_id || st.st_uid != call->caller->uid) {
		snprintf(what, sizeof(what), "not one of user %u", (unsigned int)call->caller->uid);
		return refuse_owner(call, what, "have it delegated, or start the container as root",
				    ret_error);
	}
	r = identity_from_path(checmate_cgroup_path(cgroup), &identity);
	if (r < 0)
		return r;
	if (identity.is_unit || identity.is_slice)
		return refuse_owner(call, "that of a unit",
				    "let the container have one of its own below", ret_error);
	return 0;
}

static int run_apply_container(sd_bus_message *m, const struct call *call, sd_bus_error *ret_error)
{
	const struct bus_request *request = &call->request;
	const struct container_record container = {
		.id = (char *)request->id,
		.cgroup = (char *)request->target,
		.cgroup_id = request->cgroup_id,
		.runtime = (char *)request->runtime,
		.pid = (pid_t)request->pid,
		.annotations = (char **)request->annotations,
	};
	_cleanup_(store_error_done) struct store_error error = {};
	_cleanup_message_ sd_bus_message *reply = NULL;
	_cleanup_strv_ char **policies = NULL;
	int r;

	r = check_owner(call, ret_error);
	if (r < 0)
		return r;
	r = container_apply(&call->manager->store, &container, call->caller->uid != 0, &policies,
			    &error);
	if (r < 0) {
		manager_events_failed(call->manager);
		return refuse_store(call, r, &error, ret_error);
	}
	/* Also that it was told of is kept. */
	manager_expect(call->manager, request->target);

	r = sd_bus_message_new_method_return(m, &reply);
	if (r >= 0)
		r = sd_bus_message_append_strv(reply, policies);
	return r < 0 ? r : sd_bus_message_send(reply);
}

/* --- looking ---------------------------------------------------------------------- */

static int append_binding(sd_bus_message *m, const struct listed_binding *binding)
{
	int r;

	r = sd_bus_message_open_container(m, 'r', "stsssa{ss}");
	if (r >= 0)
		r = bus_text_append(m, binding->cgroup);
	if (r >= 0)
		r = sd_bus_message_append(m, "tss", binding->cgroup_id, binding->policy,
					  binding->mode);
	if (r >= 0)
		r = bus_text_append(m, binding->origin);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "{ss}");
	for (char **p = binding->params; r >= 0 && p && *p; p += 2) {
		r = sd_bus_message_open_container(m, 'e', "ss");
		if (r >= 0)
			r = sd_bus_message_append(m, "s", p[0]);
		if (r >= 0)
			r = bus_text_append(m, p[1]);
		if (r >= 0)
			r = sd_bus_message_close_container(m);
	}
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

/* About what it takes on the bus. */
static size_t size_of_binding(const struct listed_binding *binding)
{
	size_t n = 64 + strlen(binding->cgroup) + strlen(binding->policy) + strlen(binding->origin);

	for (char **p = binding->params; p && *p; p++)
		n += 16 + strlen(*p);
	return n;
}

static size_t size_of_bindings(const struct listed_binding *bindings, size_t n)
{
	size_t size = 0;

	for (size_t i = 0; i < n; i++)
		size += size_of_binding(&bindings[i]);
	return size;
}

static int reply_bindings(sd_bus_message *m, const struct listed_binding *bindings, size_t n)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	int r;

	r = sd_bus_message_new_method_return(m, &reply);
	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'a', "(stsssa{ss})");
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = append_binding(reply, &bindings[i]);
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	return r < 0 ? r : sd_bus_message_send(reply);
}

static int run_list_bindings(sd_bus_message *m, const struct call *call, sd_bus_error *ret_error)
{
	_cleanup_(store_error_done) struct store_error error = {};
	struct listed_binding *bindings;
	size_t n;
	int r;

	r = binding_list_read(&call->manager->store, &bindings, &n, &error);
	if (r < 0)
		return refuse_store(call, r, &error, ret_error);
	r = check_reply(size_of_bindings(bindings, n), ret_error);
	if (r >= 0)
		r = reply_bindings(m, bindings, n);
	binding_list_free(bindings, n);
	return r;
}

/* One bad object does not hide the others: it has no version, and says why instead. */
static int append_policy(sd_bus_message *m, const char *name)
{
	_cleanup_(checmate_policy_freep) struct checmate_policy *policy = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *error = NULL;
	const char *version = "", *description;
	int r;

	r = checmate_policy_open(name, &policy, &error);
	if (r == -ENOENT)
		return 0; /* removed meanwhile */
	if (r >= 0)
		version = checmate_policy_version(policy);
	description = r < 0 ? checmate_error_text(error) : checmate_policy_description(policy);

	r = sd_bus_message_open_container(m, 'r', "sss");
	if (r >= 0)
		r = bus_text_append(m, name);
	if (r >= 0)
		r = bus_text_append(m, version);
	if (r >= 0)
		r = bus_text_append(m, description);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int run_list_policies(sd_bus_message *m, const struct call *call, sd_bus_error *ret_error)
{
	_cleanup_(checmate_error_freep) struct checmate_error *error = NULL;
	_cleanup_message_ sd_bus_message *reply = NULL;
	char **names = NULL;
	int r;

	r = checmate_policy_list(&names, &error);
	if (r < 0)
		return refuse_library(call, r, error, ret_error);
	r = sd_bus_message_new_method_return(m, &reply);
	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'a', "(sss)");
	for (char **name = names; r >= 0 && name && *name; name++)
		r = append_policy(reply, *name);
	checmate_strv_free(names);
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	return r < 0 ? r : sd_bus_message_send(reply);
}

static int run_get_status(sd_bus_message *m, const struct call *call, sd_bus_error *ret_error)
{
	_cleanup_(jsondoc_error_done) struct jsondoc_error error = {};
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	struct json_object *document = NULL;
	int r;

	if (!*call->request.target) {
		r = jsondoc_bindings(&document, &error);
	} else {
		r = open_cgroup(call, &cgroup, ret_error);
		if (r < 0)
			return r;
		r = jsondoc_status(cgroup, &document, &error);
	}
	return r < 0 ? refuse_report(call, r, &error, ret_error) :
		       reply_document(m, document, ret_error);
}

static int run_get_tree(sd_bus_message *m, const struct call *call, sd_bus_error *ret_error)
{
	_cleanup_(jsondoc_error_done) struct jsondoc_error error = {};
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	struct json_object *document = NULL;
	int r;

	if (!*call->request.target)
		r = target_open("/", false, &cgroup, &error);
	else
		r = target_open(call->request.target, true, &cgroup, &error);
	if (r >= 0)
		r = jsondoc_tree(cgroup, call->request.all, &document, &error);
	return r < 0 ? refuse_report(call, r, &error, ret_error) :
		       reply_document(m, document, ret_error);
}

static int run_explain(sd_bus_message *m, const struct call *call, sd_bus_error *ret_error)
{
	const char *hook = call->request.hook;
	_cleanup_(jsondoc_error_done) struct jsondoc_error error = {};
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	struct json_object *document = NULL;
	int r;

	r = open_cgroup(call, &cgroup, ret_error);
	if (r < 0)
		return r;
	r = jsondoc_explain(cgroup, *hook ? hook : NULL, &document, &error);
	return r < 0 ? refuse_report(call, r, &error, ret_error) :
		       reply_document(m, document, ret_error);
}

static int run_get_parameters(sd_bus_message *m, const struct call *call, sd_bus_error *ret_error)
{
	_cleanup_(jsondoc_error_done) struct jsondoc_error error = {};
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	struct json_object *document = NULL;
	int r;

	r = open_cgroup(call, &cgroup, ret_error);
	if (r < 0)
		return r;
	r = jsondoc_params_of(cgroup, call->request.policy, NULL, &document, &error);
	return r < 0 ? refuse_report(call, r, &error, ret_error) :
		       reply_document(m, document, ret_error);
}

static int run_open_events(sd_bus_message *m, const struct call *call, sd_bus_error *ret_error)
{
	const bool all = call->caller->authorized;
	_cleanup_close_ int fd = -1;
	int r;

	r = denial_reader_subscribe(call->manager->reader, call->caller->uid, all, &fd);
	if (r == -EUSERS)
		return sd_bus_error_setf(ret_error, BUS_ERROR("LimitReached"),
					 "events: too much of user %u follows them already; end some of it",
					 (unsigned int)call->caller->uid);
	if (r < 0)
		return refuse(call, r, denial_reader_reason(call->manager->reader), NULL, ret_error);
	/* Duplicated into the message. */
	return sd_bus_reply_method_return(m, "hb", fd, all);
}

/* --- the interface ------------------------------------------------------------------ */

static const struct method methods[] = {
	{ "Apply", ACTION_MANAGE, false, bus_read_apply, run_apply },
	{ "Replace", ACTION_MANAGE, false, bus_read_apply, run_replace },
	{ "Remove", ACTION_MANAGE, false, bus_read_remove, run_remove },
	{ "SetParameters", ACTION_MANAGE, false, bus_read_set_parameters, run_set_parameters },
	{ "SetMode", ACTION_MANAGE, false, bus_read_set_mode, run_set_mode },
	{ "Seal", ACTION_MANAGE, false, bus_read_target, run_seal },
	{ "ApplyContainer", NULL, false, bus_read_container, run_apply_container },
	{ "Reload", ACTION_MANAGE, false, bus_read_nothing, run_reload },
	{ "ListBindings", ACTION_INSPECT, false, bus_read_nothing, run_list_bindings },
	{ "ListPolicies", ACTION_INSPECT, false, bus_read_nothing, run_list_policies },
	{ "GetStatus", ACTION_INSPECT, false, bus_read_any_target, run_get_status },
	{ "GetTree", ACTION_INSPECT, false, bus_read_tree, run_get_tree },
	{ "Explain", ACTION_INSPECT, false, bus_read_explain, run_explain },
	{ "GetParameters", ACTION_INSPECT, false, bus_read_get_parameters, run_get_parameters },
	{ "OpenEvents", ACTION_EVENTS, true, bus_read_nothing, run_open_events },
};

static void call_free(void *userdata)
{
	struct call *call = userdata;

	bus_request_done(&call->request);
	free(call);
}

static void call_freep(struct call **call)
{
	if (*call)
		call_free(*call);
}

static int run_call(sd_bus_message *m, const struct polkit_caller *caller, void *userdata,
		    sd_bus_error *ret_error)
{
	struct call *call = userdata;
	int r;

	call->caller = caller;
	/* Whatever has gone wrong before: a change is made for who may only. */
	if (call->method->action && !call->method->optional && !caller->authorized)
		return -EACCES;
	log_set_user(limited_user(call));
	r = call->method->run(m, call, ret_error);
	log_set_user(0);
	return r;
}

static const struct method *find_method(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_SIZE(methods); i++)
		if (streq(methods[i].name, name))
			return &methods[i];
	return NULL;
}

static int on_call(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
	const struct method *method = find_method(sd_bus_message_get_member(m));
	_cleanup_(call_freep) struct call *call = NULL;
	const char *details[7] = { "method" };
	struct polkit_request request;
	struct manager *manager = userdata;
	size_t n = 1;
	int r;

	if (!method)
		return -EOPNOTSUPP;
	call = calloc(1, sizeof(*call));
	if (!call)
		return -ENOMEM;
	call->manager = manager;
	call->method = method;
	r = method->read(m, &call->request, ret_error);
	if (r < 0)
		return r;

	details[n++] = method->name;
	if (call->request.target) {
		details[n++] = "target";
		details[n++] = call->request.target;
	}
	if (call->request.policy) {
		details[n++] = "policy";
		details[n++] = call->request.policy;
	}
	request = (struct polkit_request){
		.action = method->action,
		.optional = method->optional,
		.details = details,
		.run = run_call,
		.free = call_free,
		.userdata = TAKE_PTR(call),
	};
	return polkit_check(manager->polkit, m, &request, ret_error);
}

/* docs/man/org.checmate1.5.rst says the same; a test compares the two. */
static const sd_bus_vtable manager_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("Apply",
				SD_BUS_ARGS("s", target, "a(sas)", policies, "a{sv}", options),
				SD_BUS_NO_RESULT, on_call, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Replace",
				SD_BUS_ARGS("s", target, "a(sas)", policies, "a{sv}", options),
				SD_BUS_NO_RESULT, on_call, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Remove", SD_BUS_ARGS("s", target, "s", policy), SD_BUS_NO_RESULT,
				on_call, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("SetParameters",
				SD_BUS_ARGS("s", target, "s", policy, "as", parameters),
				SD_BUS_NO_RESULT, on_call, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("SetMode", SD_BUS_ARGS("s", target, "s", policy, "s", mode),
				SD_BUS_NO_RESULT, on_call, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Seal", SD_BUS_ARGS("s", target), SD_BUS_NO_RESULT, on_call,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("ApplyContainer",
				SD_BUS_ARGS("s", id, "u", pid, "s", cgroup, "t", cgroup_id, "s",
					    runtime, "a{ss}", annotations),
				SD_BUS_RESULT("as", policies), on_call, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, on_call,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("ListBindings", SD_BUS_NO_ARGS,
				SD_BUS_RESULT("a(stsssa{ss})", bindings), on_call,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("ListPolicies", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(sss)", policies),
				on_call, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("GetStatus", SD_BUS_ARGS("s", target), SD_BUS_RESULT("s", document),
				on_call, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("GetTree", SD_BUS_ARGS("s", target, "b", all),
				SD_BUS_RESULT("s", document), on_call, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Explain", SD_BUS_ARGS("s", target, "s", hook),
				SD_BUS_RESULT("s", document), on_call, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("GetParameters", SD_BUS_ARGS("s", target, "s", policy),
				SD_BUS_RESULT("s", document), on_call, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("OpenEvents", SD_BUS_NO_ARGS, SD_BUS_RESULT("h", events, "b", all),
				on_call, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_SIGNAL_WITH_ARGS("Denied",
				SD_BUS_ARGS("s", cgroup, "t", cgroup_id, "s", policy, "s", hook,
					    "i", error, "b", permissive, "u", pid, "u", uid, "s",
					    comm, "s", object_type, "s", object),
				0),
	SD_BUS_SIGNAL_WITH_ARGS("BindingChanged",
				SD_BUS_ARGS("s", cgroup, "t", cgroup_id, "s", policy, "s", change,
					    "s", origin),
				0),
	SD_BUS_PROPERTY("Version", "s", bus_properties_get, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("Backend", "s", bus_properties_get, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("BindingFiles", "as", bus_properties_get, 0,
			SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Bindings", "u", bus_properties_get, 0, 0),
	SD_BUS_PROPERTY("EventsRead", "t", bus_properties_get, 0, 0),
	SD_BUS_PROPERTY("EventsLost", "t", bus_properties_get, 0, 0),
	SD_BUS_VTABLE_END,
};

/**
 * bus_methods_attach() - Offer org.checmate1.Manager
 * @manager: the manager, whose bus is connected
 *
 * Has logged what is in the way when it fails.
 *
 * Return: 0; -errno.
 */
int bus_methods_attach(struct manager *manager)
{
	int r;

	r = polkit_new(manager->bus, &manager->polkit);
	if (r >= 0)
		r = sd_bus_add_object_vtable(manager->bus, NULL, BUS_PATH, BUS_INTERFACE,
					     manager_vtable, manager);
	if (r < 0)
		log_event(LOG_ERR, LOG_ID_FAILED, &(struct log_fields){ .error = -r },
			  "system bus cannot be used: %s", strerror(-r));
	return r < 0 ? r : 0;
}
