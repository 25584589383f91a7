// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - Tests of who may ask
 *
 * What has to hold: nothing is done for anybody else than root before polkit has
 * said yes, and everybody is answered once.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cleanup.h"
#include "log.h"
#include "parse.h"
#include "polkit.h"
#include "test-peer.h"

#define ACTION "org.checmate1.manage"

static uid_t log_user;
static unsigned int n_logged;

void log_set_user(uid_t uid)
{
	log_user = uid;
}

void log_event(int priority, const char *message_id, const struct log_fields *fields,
	       const char *format, ...)
{
	(void)priority;
	(void)fields;
	(void)format;
	assert_string_equal(message_id, LOG_ID_REQUEST_REFUSED);
	assert_int_equal(log_user, 1000);
	n_logged++;
}

struct fixture {
	struct peer peer;
	struct polkit *polkit;
	const char *action;
	unsigned int n_run;
	unsigned int n_freed;
	struct polkit_caller caller;
	char order[128]; /* in which they were run: 'u' a user's, 'r' root's */
	int result; /* of what is run */

	unsigned int n_answers;
	unsigned int n_busy; /* of them */
	char error[128]; /* name of the last answer's; "" for none */
	char text[256];
};

static int on_run(sd_bus_message *m, const struct polkit_caller *caller, void *userdata,
		  sd_bus_error *ret_error)
{
	struct fixture *f = userdata;

	if (f->n_run < sizeof(f->order) - 1)
		f->order[f->n_run] = caller->uid ? 'u' : 'r';
	f->n_run++;
	f->caller = *caller;
	if (f->result < 0)
		return sd_bus_error_set(ret_error, "org.checmate1.Error.Test", "as wanted");
	return sd_bus_reply_method_return(m, "");
}

static void on_free(void *userdata)
{
	struct fixture *f = userdata;

	f->n_freed++;
}

static int on_request(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
	const char *const details[] = { "target", "/web", "policy", "net-bind", NULL };
	struct fixture *f = userdata;
	const struct polkit_request request = {
		.action = f->action,
		.details = details,
		.run = on_run,
		.free = on_free,
		.userdata = f,
	};

	return polkit_check(f->polkit, m, &request, ret_error);
}

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Do", "", "", on_request, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	peer_open(&f->peer);
	f->action = ACTION;
	assert_true(polkit_new(f->peer.daemon, &f->polkit) >= 0);
	assert_true(sd_bus_add_object_vtable(f->peer.daemon, NULL, "/test", "test.Test", vtable,
					     f) >= 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	polkit_free(f->polkit);
	peer_close(&f->peer);
	free(f);
	return 0;
}

static int on_reply(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
	const sd_bus_error *error = sd_bus_message_get_error(m);
	struct fixture *f = userdata;

	(void)ret_error;

	f->n_answers++;
	f->n_busy += error && streq(error->name, "org.checmate1.Error.Busy");
	snprintf(f->error, sizeof(f->error), "%s", error ? error->name : "");
	snprintf(f->text, sizeof(f->text), "%s", error && error->message ? error->message : "");
	return 0;
}

static void send_from(struct fixture *f, const char *sender, bool interactive)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;

	if (sender) {
		m = peer_call_from(&f->peer, sender, "/test", "test.Test", "Do");
	} else {
		assert_true(sd_bus_message_new_method_call(f->peer.other, &m, NULL, "/test",
							   "test.Test", "Do") >= 0);
	}
	assert_true(sd_bus_message_set_allow_interactive_authorization(m, interactive) >= 0);
	assert_true(sd_bus_call_async(f->peer.other, NULL, m, on_reply, f, 0) >= 0);
}

/* A request, and all that comes of it. */
static void ask(struct fixture *f)
{
	send_from(f, PEER_SENDER, false);
	peer_run(&f->peer);
}

static void assert_refused(const struct fixture *f, const char *error, const char *word)
{
	assert_int_equal(f->n_run, 0);
	assert_int_equal(f->n_freed, 1);
	assert_int_equal(f->n_answers, 1);
	assert_string_equal(f->error, error);
	if (!strstr(f->text, word))
		fail_msg("'%s' does not say '%s'", f->text, word);
}

static void test_root(void **state)
{
	struct fixture *f = *state;

	f->peer.uid = 0;
	ask(f);
	assert_int_equal(f->n_run, 1);
	assert_int_equal(f->n_freed, 1);
	assert_true(f->caller.authorized);
	assert_int_equal(f->caller.uid, 0);
	assert_int_equal(f->n_answers, 1);
	assert_string_equal(f->error, "");
	/* Not even where polkit would say no. */
	assert_int_equal(f->peer.n_polkit, 0);
}

static void test_yes(void **state)
{
	struct fixture *f = *state;

	f->peer.authorized = true;
	ask(f);
	assert_int_equal(f->n_run, 1);
	assert_int_equal(f->n_freed, 1);
	assert_true(f->caller.authorized);
	assert_int_equal(f->caller.uid, 1000);
	assert_int_equal(f->n_answers, 1);
	assert_string_equal(f->error, "");
	assert_int_equal(f->peer.n_polkit, 1);
	assert_int_equal(f->peer.n_cancelled, 0);
	assert_string_equal(f->peer.action, ACTION);
	assert_string_equal(f->peer.subject, "system-bus-name name=" PEER_SENDER);
	assert_string_equal(f->peer.details, "target=/web\npolicy=net-bind\n");
	assert_int_equal(f->peer.flags, 0);
}

static void test_no(void **state)
{
	struct fixture *f = *state;

	ask(f);
	assert_refused(f, SD_BUS_ERROR_ACCESS_DENIED, ACTION);
}

static void test_challenge(void **state)
{
	struct fixture *f = *state;

	f->peer.challenge = true;
	ask(f);
	assert_refused(f, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, "user 1000");
}

static void test_interactive(void **state)
{
	struct fixture *f = *state;

	f->peer.challenge = true;
	send_from(f, PEER_SENDER, true);
	peer_run(&f->peer);
	assert_int_equal(f->peer.flags, 1);
	/* It was asked for a password, and has not given it. */
	assert_refused(f, SD_BUS_ERROR_ACCESS_DENIED, ACTION);
}

static void test_no_polkit(void **state)
{
	struct fixture *f = *state;

	f->peer.no_polkit = SD_BUS_ERROR_SERVICE_UNKNOWN;
	ask(f);
	assert_refused(f, SD_BUS_ERROR_ACCESS_DENIED, "only root");
}

static void test_polkit_fails(void **state)
{
	struct fixture *f = *state;

	f->peer.no_polkit = "org.freedesktop.PolicyKit1.Error.Failed";
	ask(f);
	assert_refused(f, SD_BUS_ERROR_ACCESS_DENIED, "does not feel like it");
}

static void test_polkit_strange(void **state)
{
	struct fixture *f = *state;

	f->peer.strange = true;
	ask(f);
	assert_refused(f, SD_BUS_ERROR_ACCESS_DENIED, "not understood");
}

static void test_no_user(void **state)
{
	struct fixture *f = *state;

	f->peer.uid = 0;
	f->peer.no_user = SD_BUS_ERROR_NAME_HAS_NO_OWNER;
	ask(f);
	assert_refused(f, SD_BUS_ERROR_ACCESS_DENIED, "which user");
	assert_int_equal(f->peer.n_polkit, 0);
}

static void test_no_sender(void **state)
{
	struct fixture *f = *state;

	f->peer.uid = 0;
	send_from(f, NULL, false);
	peer_run(&f->peer);
	assert_refused(f, SD_BUS_ERROR_ACCESS_DENIED, "system bus");
	assert_int_equal(f->peer.n_user, 0);
}

static void test_no_action(void **state)
{
	struct fixture *f = *state;

	f->action = NULL;
	ask(f);
	assert_int_equal(f->n_run, 1);
	assert_false(f->caller.authorized);
	assert_int_equal(f->caller.uid, 1000);
	assert_int_equal(f->peer.n_polkit, 0);
}

static void test_failure(void **state)
{
	struct fixture *f = *state;

	f->peer.uid = 0;
	f->result = -1;
	ask(f);
	assert_int_equal(f->n_answers, 1);
	assert_string_equal(f->error, "org.checmate1.Error.Test");
	assert_string_equal(f->text, "as wanted");
}

static void test_leaves(void **state)
{
	struct fixture *f = *state;

	f->peer.silent = true;
	f->peer.authorized = true;
	ask(f);
	ask(f);
	assert_int_equal(f->peer.n_polkit, 2);
	assert_int_equal(f->n_freed, 0);
	peer_leave(&f->peer);
	assert_int_equal(f->peer.n_cancelled, 2);
	assert_int_equal(f->n_freed, 2);
	assert_int_equal(f->n_run, 0);
	assert_int_equal(f->n_answers, 0);
}

static void test_end(void **state)
{
	struct fixture *f = *state;

	f->peer.silent = true;
	ask(f);
	f->polkit = polkit_free(f->polkit);
	peer_run(&f->peer);
	assert_int_equal(f->peer.n_cancelled, 1);
	assert_int_equal(f->n_freed, 1);
	assert_int_equal(f->n_run, 0);
}

/* One user cannot have all of them wait, and root is not kept from anything. */
static void test_many(void **state)
{
	struct fixture *f = *state;

	f->peer.silent = true;
	for (unsigned int i = 0; i < 100; i++)
		ask(f);
	assert_true(f->peer.n_polkit < 100);
	assert_int_equal(f->peer.n_polkit + f->n_answers, 100);
	assert_string_equal(f->error, "org.checmate1.Error.LimitReached");
	assert_int_equal(f->n_run, 0);

	f->peer.uid = 0;
	ask(f);
	assert_int_equal(f->n_run, 1);
	assert_string_equal(f->error, "");
}

/* Requests that need no authorization are bounded, and do not wait behind those that do. */
static void test_many_without_action(void **state)
{
	struct fixture *f = *state;

	f->peer.silent = true;
	for (unsigned int i = 0; i < 100; i++)
		ask(f);
	f->action = NULL;
	n_logged = 0;
	for (unsigned int i = 0; i < 60; i++) {
		char sender[16];

		snprintf(sender, sizeof(sender), ":1.%u", 100 + i);
		send_from(f, sender, false);
	}
	peer_run(&f->peer);
	assert_int_equal(f->n_run, 32);
	assert_int_equal(f->n_busy, 28);
	assert_int_equal(n_logged, 28);
	assert_int_equal(log_user, 0);
	/* Those were not forgotten, and there is room again. */
	ask(f);
	assert_int_equal(f->n_run, 33);
	assert_int_equal(f->n_busy, 28);
}

/* Root's request is run first, though it has come last. */
static void test_root_first(void **state)
{
	struct fixture *f = *state;

	f->action = NULL;
	for (unsigned int i = 0; i < 20; i++)
		send_from(f, PEER_SENDER, false);
	send_from(f, PEER_ROOT, false);
	peer_run(&f->peer);
	assert_int_equal(f->n_run, 21);
	assert_string_equal(f->order, "ruuuuuuuuuuuuuuuuuuuu");
}

/* So it is with users whom polkit lets. */
static void test_root_first_of_authorized(void **state)
{
	struct fixture *f = *state;

	f->peer.authorized = true;
	for (unsigned int i = 0; i < 20; i++)
		send_from(f, PEER_SENDER, false);
	send_from(f, PEER_ROOT, false);
	peer_run(&f->peer);
	assert_int_equal(f->n_run, 21);
	assert_string_equal(f->order, "ruuuuuuuuuuuuuuuuuuuu");
}

/* The same before it is known who asks. */
static void test_burst(void **state)
{
	struct fixture *f = *state;

	f->peer.uid = 0;
	for (unsigned int i = 0; i < 100; i++)
		send_from(f, PEER_SENDER, false);
	peer_run(&f->peer);
	assert_int_equal(f->n_answers, 100);
	assert_int_equal(f->n_freed, 100);
	assert_true(f->n_run > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_root, setup, teardown),
		cmocka_unit_test_setup_teardown(test_yes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no, setup, teardown),
		cmocka_unit_test_setup_teardown(test_challenge, setup, teardown),
		cmocka_unit_test_setup_teardown(test_interactive, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_polkit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_polkit_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_polkit_strange, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_user, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_sender, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_action, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failure, setup, teardown),
		cmocka_unit_test_setup_teardown(test_leaves, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_without_action, setup, teardown),
		cmocka_unit_test_setup_teardown(test_root_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_root_first_of_authorized, setup, teardown),
		cmocka_unit_test_setup_teardown(test_burst, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
