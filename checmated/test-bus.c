// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - Tests of org.checmate1.Manager
 *
 * The interface is the real one, and so is who may call; behind it is nothing.  With
 * "--introspect" it prints what the interface says of itself.
 */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "bus-names.h"
#include "bus-request.h"
#include "bus-signals.h"
#include "cleanup.h"
#include "parse.h"
#include "test-bus-fakes.h"

struct fixture {
	struct peer peer;
	struct manager manager;
	sd_bus_message *reply; /* the last */
	unsigned int n_answers;
	char error[128]; /* name of the last answer's; "" for none */
	char text[1024];
	unsigned int n_signals;
	char signal[64];
	sd_bus_message *signal_message;
};

static int on_signal(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
	struct fixture *f = userdata;

	(void)ret_error;
	f->n_signals++;
	snprintf(f->signal, sizeof(f->signal), "%s", sd_bus_message_get_member(m));
	sd_bus_message_unref(f->signal_message);
	f->signal_message = sd_bus_message_ref(m);
	return 0;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	bus_fakes = (struct bus_fakes){ .cgroup_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC) };
	assert_true(bus_fakes.cgroup_fd >= 0);
	bus_fakes_serve(&f->manager, &f->peer);
	assert_true(sd_bus_match_signal(f->peer.other, NULL, NULL, BUS_PATH, NULL, NULL, on_signal,
					f) >= 0);
	/* Root, unless a test says otherwise. */
	f->peer.uid = 0;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	sd_bus_message_unref(f->reply);
	sd_bus_message_unref(f->signal_message);
	bus_fakes_end(&f->manager);
	peer_close(&f->peer);
	close(bus_fakes.cgroup_fd);
	free(f);
	return 0;
}

static int on_reply(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
	const sd_bus_error *error = sd_bus_message_get_error(m);
	struct fixture *f = userdata;

	(void)ret_error;
	f->n_answers++;
	snprintf(f->error, sizeof(f->error), "%s", error ? error->name : "");
	snprintf(f->text, sizeof(f->text), "%s", error && error->message ? error->message : "");
	sd_bus_message_unref(f->reply);
	f->reply = sd_bus_message_ref(m);
	return 0;
}

static void send_message(struct fixture *f, sd_bus_message *m)
{
	unsigned int n = f->n_answers;

	bus_fakes.last[0] = '\0';
	assert_true(sd_bus_call_async(f->peer.other, NULL, m, on_reply, f, 0) >= 0);
	sd_bus_message_unref(m);
	peer_run(&f->peer);
	assert_int_equal(f->n_answers, n + 1);
}

static sd_bus_message *new_call(struct fixture *f, const char *method)
{
	return peer_call(&f->peer, BUS_PATH, BUS_INTERFACE, method);
}

/* Calls a method with arguments as sd_bus_message_append() takes them. */
#define call(f, method, ...)                                              \
	do {                                                              \
		sd_bus_message *_m = new_call(f, method);                 \
		assert_true(sd_bus_message_append(_m, __VA_ARGS__) >= 0); \
		send_message(f, _m);                                      \
	} while (0)

static void assert_done(const struct fixture *f, const char *what)
{
	if (*f->error)
		fail_msg("%s: %s", f->error, f->text);
	assert_string_equal(bus_fakes.last, what);
}

/* Refused, and nothing was done. */
static void assert_refused(const struct fixture *f, const char *error, const char *word)
{
	assert_string_equal(f->error, error);
	if (!strstr(f->text, word))
		fail_msg("'%s' does not say '%s'", f->text, word);
	assert_string_equal(bus_fakes.last, "");
}

#define INVALID BUS_ERROR("InvalidArgument")
#define TOO_MUCH BUS_ERROR("LimitReached")

static void test_changes(void **state)
{
	struct fixture *f = *state;

	call(f, "Apply", "sa(sas)a{sv}", "/web", 2, "net-bind", 2, "allow=10.0.0.0/8:80", "x=a=b",
	     "net-connect", 0, 0);
	assert_done(f, "apply /web net-bind 2 enforce");
	call(f, "Apply", "sa(sas)a{sv}", "/web", 1, "net-bind", 0, 1, "mode", "s", "permissive");
	assert_done(f, "apply /web net-bind 0 permissive");
	call(f, "Replace", "sa(sas)a{sv}", "web.service", 1, "net-bind", 0, 1, "mode", "s",
	     "enforce");
	assert_done(f, "replace web.service net-bind 0 enforce");
	call(f, "Remove", "ss", "id:7", "net-bind");
	assert_done(f, "remove id:7 net-bind");
	call(f, "Remove", "ss", "/web", "");
	assert_done(f, "remove /web all");
	call(f, "SetParameters", "ssas", "/web", "net-bind", 2, "allow=", "a=b=c");
	assert_done(f, "set /web net-bind 2 allow=");
	call(f, "SetMode", "sss", "/web", "net-bind", "permissive");
	assert_done(f, "mode /web net-bind permissive");
	call(f, "SetMode", "sss", "/web", "net-bind", "enforce");
	assert_done(f, "mode /web net-bind enforce");
	call(f, "Seal", "s", "/web");
	assert_done(f, "seal /web");
	call(f, "Reload", "");
	assert_done(f, "reload");
	assert_int_equal(bus_fakes.n_changed, 10);
	/* Root is not asked about. */
	assert_int_equal(f->peer.n_polkit, 0);
}

static void test_looks(void **state)
{
	struct fixture *f = *state;
	const char *document;

	call(f, "GetStatus", "s", "4711");
	assert_done(f, "status 4711");
	assert_true(sd_bus_message_read(f->reply, "s", &document) > 0);
	assert_string_equal(document, "{ }");
	call(f, "GetStatus", "s", "");
	assert_done(f, "bindings");
	call(f, "GetTree", "sb", "", true);
	assert_done(f, "tree / all");
	call(f, "GetTree", "sb", "/web", false);
	assert_done(f, "tree /web");
	call(f, "Explain", "ss", "/web", "");
	assert_done(f, "explain /web all");
	call(f, "Explain", "ss", "/web", "socket_bind");
	assert_done(f, "explain /web socket_bind");
	call(f, "GetParameters", "ss", "/web", "net-bind");
	assert_done(f, "params /web net-bind");
	call(f, "ListPolicies", "");
	assert_done(f, "policies");
	call(f, "ListBindings", "");
	assert_done(f, "list");
	call(f, "OpenEvents", "");
	assert_done(f, "events");
	assert_int_equal(bus_fakes.n_changed, 0);
}

static void test_lists(void **state)
{
	struct fixture *f = *state;
	const char *a, *b, *c, *d, *key, *value;
	uint64_t id;
	int fd, all;

	call(f, "ListBindings", "");
	assert_true(sd_bus_message_read(f->reply, "a(stsssa{ss})", 1, &a, &id, &b, &c, &d, 1, &key,
					&value) > 0);
	/* A name that is not UTF-8 keeps nobody from seeing the others. */
	assert_string_equal(a, "/we\\377b");
	assert_int_equal(id, BUS_FAKES_CGROUP_ID);
	assert_string_equal(b, "net-bind");
	assert_string_equal(c, "enforce");
	assert_string_equal(d, "manual");
	assert_string_equal(key, "allow");
	assert_string_equal(value, "10.0.0.0/8:80");

	call(f, "ListPolicies", "");
	assert_true(sd_bus_message_read(f->reply, "a(sss)", 2, &a, &b, &c, &d, &key, &value) > 0);
	assert_string_equal(a, "broken");
	assert_string_equal(b, "");
	assert_string_equal(c, "bus-fakes: it is not there; make it");
	assert_string_equal(d, "net-bind");
	assert_string_equal(key, "1.0");

	call(f, "OpenEvents", "");
	assert_true(sd_bus_message_read(f->reply, "hb", &fd, &all) > 0);
	assert_true(fd >= 0);
	assert_true(all);
}

/* Denials tell what everybody's processes went for: that is more than to inspect. */
static void test_events(void **state)
{
	struct fixture *f = *state;
	int fd, all;

	f->peer.uid = 1000;
	f->peer.authorized = true;
	call(f, "OpenEvents", "");
	assert_done(f, "events");
	assert_string_equal(f->peer.action, "org.checmate1.events");
	assert_true(sd_bus_message_read(f->reply, "hb", &fd, &all) > 0);
	assert_true(all);

	f->peer.authorized = false;
	call(f, "OpenEvents", "");
	assert_done(f, "events of 1000");
	assert_true(sd_bus_message_read(f->reply, "hb", &fd, &all) > 0);
	assert_true(fd >= 0);
	assert_false(all);
	f->peer.challenge = true;
	call(f, "OpenEvents", "");
	assert_done(f, "events of 1000");
	/* A polkit that fails grants nothing. */
	f->peer.authorized = true;
	f->peer.strange = true;
	call(f, "OpenEvents", "");
	assert_done(f, "events of 1000");
	f->peer.no_polkit = SD_BUS_ERROR_SERVICE_UNKNOWN;
	call(f, "OpenEvents", "");
	assert_done(f, "events of 1000");
}

static void test_malformed(void **state)
{
	static const char *const names[] = { "",	 "../net-bind", "/tmp/x", "Net-bind",
					     "net_bind", "-x",		"a b",	  "net-bind.bpf.o" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		call(f, "Apply", "sa(sas)a{sv}", "/web", 1, names[i], 0, 0);
		assert_refused(f, INVALID, "not a policy name");
		call(f, "SetMode", "sss", "/web", names[i], "enforce");
		assert_refused(f, INVALID, "not a policy name");
		call(f, "SetParameters", "ssas", "/web", names[i], 1, "a=b");
		assert_refused(f, INVALID, "not a policy name");
		call(f, "GetParameters", "ss", "/web", names[i]);
		assert_refused(f, INVALID, "not a policy name");
		if (!*names[i])
			continue;
		call(f, "Remove", "ss", "/web", names[i]);
		assert_refused(f, INVALID, "not a policy name");
	}
	call(f, "Apply", "sa(sas)a{sv}", "", 1, "net-bind", 0, 0);
	assert_refused(f, INVALID, "target");
	call(f, "Seal", "s", "");
	assert_refused(f, INVALID, "target");
	call(f, "Seal", "s", "/a\nb");
	assert_refused(f, INVALID, "control characters");
	call(f, "Seal", "s", "4711");
	assert_refused(f, INVALID, "process");
	call(f, "Apply", "sa(sas)a{sv}", "/web", 0, 0);
	assert_refused(f, INVALID, "no policy");
	call(f, "Apply", "sa(sas)a{sv}", "/web", 1, "net-bind", 1, "allow", 0);
	assert_refused(f, INVALID, "PARAMETER=VALUE");
	call(f, "Apply", "sa(sas)a{sv}", "/web", 1, "net-bind", 1, "=80", 0);
	assert_refused(f, INVALID, "PARAMETER=VALUE");
	call(f, "Apply", "sa(sas)a{sv}", "/web", 1, "net-bind", 0, 1, "mode", "s", "relaxed");
	assert_refused(f, INVALID, "relaxed");
	call(f, "Apply", "sa(sas)a{sv}", "/web", 1, "net-bind", 0, 1, "mode", "b", true);
	assert_refused(f, INVALID, "type 'b'");
	call(f, "Apply", "sa(sas)a{sv}", "/web", 1, "net-bind", 0, 1, "replace", "b", true);
	assert_refused(f, INVALID, "replace");
	call(f, "SetMode", "sss", "/web", "net-bind", "");
	assert_refused(f, INVALID, "mode");
	call(f, "SetParameters", "ssas", "/web", "net-bind", 1, "a\tb=c");
	assert_refused(f, INVALID, "parameter");
	call(f, "SetParameters", "ssas", "/web", "net-bind", 1, "allow");
	assert_refused(f, INVALID, "PARAMETER=VALUE");
	call(f, "SetParameters", "ssas", "/web", "net-bind", 0);
	assert_refused(f, INVALID, "no parameter");
	call(f, "Explain", "ss", "", "socket_bind");
	assert_refused(f, INVALID, "target");
	assert_int_equal(bus_fakes.n_changed, 0);
	assert_int_equal(f->peer.n_user, 1); /* of Seal: a process id is the form of a target */

	/* What is of another type does not come as far. */
	call(f, "Seal", "u", 7);
	assert_string_equal(f->error, SD_BUS_ERROR_INVALID_ARGS);
	call(f, "Unseal", "s", "/web");
	assert_string_equal(f->error, SD_BUS_ERROR_UNKNOWN_METHOD);
}

static char *long_text(size_t n)
{
	char *text = malloc(n + 1);

	assert_non_null(text);
	memset(text, 'a', n);
	text[n] = '\0';
	return text;
}

static void append_policies(sd_bus_message *m, unsigned int n_policies, unsigned int n_params,
			    const char *param)
{
	assert_true(sd_bus_message_append(m, "s", "/web") >= 0);
	assert_true(sd_bus_message_open_container(m, 'a', "(sas)") >= 0);
	for (unsigned int i = 0; i < n_policies; i++) {
		assert_true(sd_bus_message_open_container(m, 'r', "sas") >= 0);
		assert_true(sd_bus_message_append(m, "s", "net-bind") >= 0);
		assert_true(sd_bus_message_open_container(m, 'a', "s") >= 0);
		for (unsigned int j = 0; j < n_params; j++)
			assert_true(sd_bus_message_append(m, "s", param) >= 0);
		assert_true(sd_bus_message_close_container(m) >= 0);
		assert_true(sd_bus_message_close_container(m) >= 0);
	}
	assert_true(sd_bus_message_close_container(m) >= 0);
	assert_true(sd_bus_message_append(m, "a{sv}", 0) >= 0);
}

static void apply_many(struct fixture *f, unsigned int n_policies, unsigned int n_params,
		       const char *param)
{
	sd_bus_message *m = new_call(f, "Apply");

	append_policies(m, n_policies, n_params, param);
	send_message(f, m);
}

static void test_bounds(void **state)
{
	_cleanup_free_ char *target = long_text(BUS_TARGET_MAX + 1);
	_cleanup_free_ char *value = long_text(BUS_TEXT_MAX);
	struct fixture *f = *state;
	char param[5000];

	memset(param, 'p', sizeof(param));
	param[1] = '=';
	param[sizeof(param) - 1] = '\0';

	apply_many(f, BUS_POLICIES_MAX, 0, NULL);
	assert_done(f, "apply /web net-bind 0 enforce");
	apply_many(f, BUS_POLICIES_MAX + 1, 0, NULL);
	assert_refused(f, TOO_MUCH, "policies");
	apply_many(f, 1, BUS_PARAMS_MAX, "a=b");
	assert_done(f, "apply /web net-bind 64 enforce");
	apply_many(f, 1, BUS_PARAMS_MAX + 1, "a=b");
	assert_refused(f, TOO_MUCH, "parameters");
	/* Each is short enough, and together they are not. */
	apply_many(f, 2, 40, param);
	assert_refused(f, TOO_MUCH, "text");

	call(f, "Seal", "s", target);
	assert_refused(f, TOO_MUCH, "target");
	target[BUS_TARGET_MAX] = '\0';
	call(f, "Seal", "s", target);
	assert_string_equal(f->error, "");
	call(f, "SetParameters", "ssas", "/web", "net-bind", 1, value);
	assert_refused(f, TOO_MUCH, "text");
}

/* What would be more than the bus takes is not sent, or nobody were heard any more. */
static void test_answers(void **state)
{
	struct fixture *f = *state;

	bus_fakes.size = 15u * 1024 * 1024;
	call(f, "GetTree", "sb", "", true);
	assert_string_equal(f->error, "");
	call(f, "ListBindings", "");
	assert_string_equal(f->error, "");
	bus_fakes.size = 16u * 1024 * 1024;
	call(f, "GetTree", "sb", "", true);
	assert_string_equal(f->error, TOO_MUCH);
	call(f, "GetStatus", "s", "");
	assert_string_equal(f->error, TOO_MUCH);
	call(f, "ListBindings", "");
	assert_string_equal(f->error, TOO_MUCH);
}

/* What nobody may is not begun; what is malformed is refused without a question. */
static void test_who(void **state)
{
	struct fixture *f = *state;

	f->peer.uid = 1000;
	call(f, "Apply", "sa(sas)a{sv}", "/web", 1, "net-bind", 0, 0);
	assert_refused(f, SD_BUS_ERROR_ACCESS_DENIED, "org.checmate1.manage");
	assert_string_equal(f->peer.action, "org.checmate1.manage");
	assert_string_equal(f->peer.details, "method=Apply\ntarget=/web\n");
	call(f, "Remove", "ss", "/web", "net-bind");
	assert_refused(f, SD_BUS_ERROR_ACCESS_DENIED, "org.checmate1.manage");
	assert_string_equal(f->peer.details, "method=Remove\ntarget=/web\npolicy=net-bind\n");
	call(f, "Replace", "sa(sas)a{sv}", "/web", 1, "net-bind", 0, 0);
	assert_refused(f, SD_BUS_ERROR_ACCESS_DENIED, "org.checmate1.manage");
	call(f, "SetParameters", "ssas", "/web", "net-bind", 1, "a=b");
	assert_refused(f, SD_BUS_ERROR_ACCESS_DENIED, "org.checmate1.manage");
	call(f, "SetMode", "sss", "/web", "net-bind", "enforce");
	assert_refused(f, SD_BUS_ERROR_ACCESS_DENIED, "org.checmate1.manage");
	call(f, "Seal", "s", "/web");
	assert_refused(f, SD_BUS_ERROR_ACCESS_DENIED, "org.checmate1.manage");
	call(f, "Reload", "");
	assert_refused(f, SD_BUS_ERROR_ACCESS_DENIED, "org.checmate1.manage");
	call(f, "ListBindings", "");
	assert_refused(f, SD_BUS_ERROR_ACCESS_DENIED, "org.checmate1.inspect");
	call(f, "ListPolicies", "");
	assert_refused(f, SD_BUS_ERROR_ACCESS_DENIED, "org.checmate1.inspect");
	call(f, "GetStatus", "s", "");
	assert_refused(f, SD_BUS_ERROR_ACCESS_DENIED, "org.checmate1.inspect");
	call(f, "GetTree", "sb", "", true);
	assert_refused(f, SD_BUS_ERROR_ACCESS_DENIED, "org.checmate1.inspect");
	call(f, "Explain", "ss", "/web", "");
	assert_refused(f, SD_BUS_ERROR_ACCESS_DENIED, "org.checmate1.inspect");
	call(f, "GetParameters", "ss", "/web", "net-bind");
	assert_refused(f, SD_BUS_ERROR_ACCESS_DENIED, "org.checmate1.inspect");
	assert_int_equal(bus_fakes.n_changed + bus_fakes.n_looked + bus_fakes.n_logged, 0);

	f->peer.n_polkit = 0;
	call(f, "Remove", "ss", "/web", "../x");
	assert_refused(f, INVALID, "policy name");
	assert_int_equal(f->peer.n_polkit, 0);

	f->peer.authorized = true;
	call(f, "Remove", "ss", "/web", "net-bind");
	assert_done(f, "remove /web net-bind");
}

static void test_failures(void **state)
{
	static const struct {
		int result;
		const char *error;
	} results[] = {
		{ -ENOENT, BUS_ERROR("NotFound") },
		{ -ESRCH, BUS_ERROR("NotFound") },
		{ -EEXIST, BUS_ERROR("Exists") },
		{ -EINVAL, BUS_ERROR("InvalidArgument") },
		{ -E2BIG, BUS_ERROR("InvalidArgument") },
		{ -EOPNOTSUPP, BUS_ERROR("NotSupported") },
		{ -ESTALE, BUS_ERROR("Conflict") },
		{ -EBUSY, BUS_ERROR("Conflict") },
		{ -EROFS, BUS_ERROR("Sealed") },
		{ -EPERM, BUS_ERROR("Configured") },
		{ -ENOSPC, BUS_ERROR("LimitReached") },
		{ -EIO, BUS_ERROR("Failed") },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
		bus_fakes.result = results[i].result;
		bus_fakes.n_logged = 0;
		call(f, "SetMode", "sss", "/web", "net-bind", "enforce");
		assert_string_equal(f->error, results[i].error);
		/* An administrator finds it in the journal, too. */
		assert_int_equal(bus_fakes.n_logged, 1);
		assert_int_equal(bus_fakes.logged_user, 0);
		bus_fakes.n_logged = 0;
		call(f, "GetStatus", "s", "");
		assert_string_equal(f->error, results[i].error);
		assert_string_equal(f->text, "bus-fakes: it shows nothing; do not ask it");
		assert_int_equal(bus_fakes.n_logged, 0);
	}
	call(f, "Reload", "");
	assert_string_equal(f->error, BUS_ERROR("ConfigRefused"));
	assert_string_equal(f->text, "bus-fakes.conf:1: it fails");
	bus_fakes.result = -EUSERS;
	call(f, "OpenEvents", "");
	assert_string_equal(f->error, BUS_ERROR("LimitReached"));
	bus_fakes.result = -EBUSY;
	call(f, "OpenEvents", "");
	assert_string_equal(f->error, BUS_ERROR("Conflict"));
	assert_string_equal(f->text, "bus-fakes: another one reads them");
}

#define CONTAINER "susts"

static void apply_container(struct fixture *f, const char *id, uint32_t pid, const char *cgroup,
			    uint64_t cgroup_id, unsigned int n_annotations)
{
	sd_bus_message *m = new_call(f, "ApplyContainer");

	assert_true(sd_bus_message_append(m, CONTAINER, id, pid, cgroup, cgroup_id, "crun") >= 0);
	assert_true(sd_bus_message_open_container(m, 'a', "{ss}") >= 0);
	for (unsigned int i = 0; i < n_annotations; i++)
		assert_true(sd_bus_message_append(m, "{ss}", "org.checmate.role", "a\tb\nc") >= 0);
	assert_true(sd_bus_message_close_container(m) >= 0);
	send_message(f, m);
}

static void test_container(void **state)
{
	struct fixture *f = *state;
	const char *name;

	apply_container(f, "web", 7, "/web", BUS_FAKES_CGROUP_ID, 2);
	assert_done(f, "container web 7 crun 2");
	assert_int_equal(bus_fakes.n_expected, 1);
	assert_true(sd_bus_message_read(f->reply, "as", 1, &name) > 0);
	assert_string_equal(name, "net-bind");
	apply_container(f, "web", 7, "/web", BUS_FAKES_CGROUP_ID, BUS_ANNOTATIONS_MAX);
	assert_done(f, "container web 7 crun 4096");

	apply_container(f, "web", 7, "/web", BUS_FAKES_CGROUP_ID, BUS_ANNOTATIONS_MAX + 1);
	assert_refused(f, TOO_MUCH, "annotations");
	apply_container(f, "", 7, "/web", BUS_FAKES_CGROUP_ID, 0);
	assert_refused(f, INVALID, "id");
	apply_container(f, "web", 0, "/web", BUS_FAKES_CGROUP_ID, 0);
	assert_refused(f, INVALID, "process id");
	apply_container(f, "web", 1u << 31, "/web", BUS_FAKES_CGROUP_ID, 0);
	assert_refused(f, INVALID, "process id");
	apply_container(f, "web", 7, "web.service", BUS_FAKES_CGROUP_ID, 0);
	assert_refused(f, INVALID, "not a path");
}

/* Whose cgroup it is may have containers in it, and nobody else but root. */
static void test_rootless(void **state)
{
	char path[] = "/tmp/checmate-test-bus.XXXXXX";
	struct fixture *f = *state;
	const uid_t owner = geteuid() ? geteuid() : 1000;

	close(bus_fakes.cgroup_fd);
	assert_non_null(mkdtemp(path));
	bus_fakes.cgroup_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(bus_fakes.cgroup_fd >= 0);
	assert_int_equal(rmdir(path), 0);
	if (geteuid() == 0)
		assert_int_equal(fchown(bus_fakes.cgroup_fd, owner, owner), 0);

	f->peer.uid = owner;
	apply_container(f, "web", 7, "/web", BUS_FAKES_CGROUP_ID, 1);
	assert_done(f, "container web 7 crun 1 by a user");
	/* Another cgroup has come to be at the path. */
	apply_container(f, "web", 7, "/web", BUS_FAKES_CGROUP_ID + 1, 1);
	assert_refused(f, SD_BUS_ERROR_ACCESS_DENIED, "not one of user");
	/* A unit is the service manager's, whoever its cgroup was given to. */
	apply_container(f, "web", 7, "/system.slice/web.service", BUS_FAKES_CGROUP_ID, 1);
	assert_refused(f, SD_BUS_ERROR_ACCESS_DENIED, "unit");
	/* What a user is refused is logged as that user's. */
	assert_int_equal(bus_fakes.n_logged, 2);
	assert_int_equal(bus_fakes.logged_user, owner);
	bus_fakes.result = -EBUSY;
	apply_container(f, "web", 7, "/web", BUS_FAKES_CGROUP_ID, 1);
	assert_string_equal(f->error, BUS_ERROR("Conflict"));
	assert_int_equal(bus_fakes.n_logged, 3);
	assert_int_equal(bus_fakes.logged_user, owner);
	assert_int_equal(bus_fakes.log_user, 0);
	bus_fakes.result = 0;
	f->peer.uid = owner + 1;
	/* Not even if polkit would say yes: it is not asked. */
	f->peer.authorized = true;
	apply_container(f, "web", 7, "/web", BUS_FAKES_CGROUP_ID, 1);
	assert_refused(f, SD_BUS_ERROR_ACCESS_DENIED, "not one of user");
	assert_int_equal(f->peer.n_polkit, 0);
	f->peer.uid = 0;
	apply_container(f, "web", 7, "/web", BUS_FAKES_CGROUP_ID, 1);
	assert_done(f, "container web 7 crun 1");
}

static void get_property(struct fixture *f, const char *name)
{
	sd_bus_message *m;

	m = peer_call(&f->peer, BUS_PATH, "org.freedesktop.DBus.Properties", "Get");
	assert_true(sd_bus_message_append(m, "ss", BUS_INTERFACE, name) >= 0);
	send_message(f, m);
	assert_string_equal(f->error, "");
}

static void test_properties(void **state)
{
	static struct config_binding one = { .file = "/etc/checmate/bindings.d/a\xff.conf" };
	static struct config_binding *bindings[] = { &one };
	static struct config config = { .bindings = bindings, .n_bindings = 1 };
	struct fixture *f = *state;
	const char *text;
	uint64_t t;
	uint32_t u;

	/* Everybody may. */
	f->peer.uid = 1000;
	get_property(f, "Version");
	assert_true(sd_bus_message_read(f->reply, "v", "s", &text) > 0);
	assert_string_equal(text, "1.2.3");
	get_property(f, "Backend");
	assert_true(sd_bus_message_read(f->reply, "v", "s", &text) > 0);
	assert_string_equal(text, "checmate");
	f->manager.store.config = &config;
	get_property(f, "BindingFiles");
	assert_true(sd_bus_message_read(f->reply, "v", "as", 1, &text) > 0);
	assert_string_equal(text, "/etc/checmate/bindings.d/a\\377.conf");
	get_property(f, "Bindings");
	assert_true(sd_bus_message_read(f->reply, "v", "u", &u) > 0);
	assert_int_equal(u, 2);
	get_property(f, "EventsRead");
	assert_true(sd_bus_message_read(f->reply, "v", "t", &t) > 0);
	assert_int_equal(t, 7);
	get_property(f, "EventsLost");
	assert_true(sd_bus_message_read(f->reply, "v", "t", &t) > 0);
	assert_int_equal(t, 3);
}

static void test_signals(void **state)
{
	const struct checmate_event event = {
		.cgroup_id = 9,
		.pid = 11,
		.uid = 12,
		.error = EACCES,
		.permissive = true,
		.comm = "nc",
		.policy = "net-bind",
		.hook = "socket_bind",
		.object_type = "endpoint",
		.object = "tcp 10.0.0.1:80",
	};
	const struct store_change change = {
		.cgroup = "/we\xff"
			  "b",
		.cgroup_id = 9,
		.policy = "net-bind",
		.change = "applied",
		.origin = "manual",
	};
	const char *cgroup, *policy, *hook, *comm, *type, *object, *origin;
	struct fixture *f = *state;
	uint32_t pid, uid;
	int32_t error;
	uint64_t id;
	int permissive;

	assert_true(bus_signals_denied(&f->manager, &event, "/web") >= 0);
	peer_run(&f->peer);
	assert_int_equal(f->n_signals, 1);
	assert_string_equal(f->signal, "Denied");
	assert_true(sd_bus_message_read(f->signal_message, "stssibuusss", &cgroup, &id, &policy,
					&hook, &error, &permissive, &pid, &uid, &comm, &type,
					&object) > 0);
	assert_string_equal(cgroup, "/web");
	assert_int_equal(id, 9);
	assert_string_equal(policy, "net-bind");
	assert_string_equal(hook, "socket_bind");
	assert_int_equal(error, EACCES);
	assert_true(permissive);
	assert_int_equal(pid, 11);
	assert_int_equal(uid, 12);
	assert_string_equal(comm, "nc");
	assert_string_equal(type, "endpoint");
	assert_string_equal(object, "tcp 10.0.0.1:80");

	/* Its cgroup is gone. */
	assert_true(bus_signals_denied(&f->manager, &event, NULL) >= 0);
	peer_run(&f->peer);
	assert_int_equal(f->n_signals, 2);
	assert_true(sd_bus_message_read(f->signal_message, "s", &cgroup) > 0);
	assert_string_equal(cgroup, "");

	bus_signals_changed(&f->manager, &change);
	peer_run(&f->peer);
	assert_int_equal(f->n_signals, 3);
	assert_string_equal(f->signal, "BindingChanged");
	assert_true(sd_bus_message_read(f->signal_message, "stsss", &cgroup, &id, &policy, &comm,
					&origin) > 0);
	assert_string_equal(cgroup, "/we\\377b");
	assert_string_equal(comm, "applied");
	assert_string_equal(origin, "manual");

	bus_signals_config_changed(&f->manager);
	peer_run(&f->peer);
	assert_int_equal(f->n_signals, 4);
	assert_string_equal(f->signal, "PropertiesChanged");
	assert_int_equal(bus_fakes.n_logged, 0);
}

/* The page on the interface is compared with this. */
static int introspect(void)
{
	struct fixture *f;
	const char *xml;
	void *state;

	if (setup(&state))
		return 1;
	f = state;
	send_message(f, peer_call(&f->peer, BUS_PATH, "org.freedesktop.DBus.Introspectable",
				  "Introspect"));
	if (sd_bus_message_read(f->reply, "s", &xml) <= 0)
		return 1;
	fputs(xml, stdout);
	return teardown(&state);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_looks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lists, setup, teardown),
		cmocka_unit_test_setup_teardown(test_events, setup, teardown),
		cmocka_unit_test_setup_teardown(test_malformed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failures, setup, teardown),
		cmocka_unit_test_setup_teardown(test_container, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rootless, setup, teardown),
		cmocka_unit_test_setup_teardown(test_properties, setup, teardown),
		cmocka_unit_test_setup_teardown(test_signals, setup, teardown),
	};

	if (argc > 1 && streq(argv[1], "--introspect"))
		return introspect();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
