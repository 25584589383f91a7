// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - Who asks, and may they?
 */

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus-names.h"
#include "cleanup.h"
#include "log.h"
#include "parse.h"
#include "polkit.h"
#include "strv.h"

#define DBUS_NAME "org.freedesktop.DBus"
#define DBUS_PATH "/org/freedesktop/DBus"
#define POLKIT_NAME "org.freedesktop.PolicyKit1"
#define POLKIT_PATH "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE "org.freedesktop.PolicyKit1.Authority"

/* polkit's AllowUserInteraction */
#define FLAG_INTERACTIVE 1u

/*
 * Requests that wait: of one connection, of one user but root, and of all but root. Those
 * that need an authorization and those that do not are counted apart: the former can wait
 * for a password as long as they like.
 */
#define SENDER_MAX 64u
#define USER_MAX 32u
#define ALL_MAX 256u

/* Senders are told apart in so many lists: each message looks through one. */
#define SENDER_LISTS 256u

/* As the denials have it, which take turns with users: root's requests come before both. */
#define PRIORITY_USERS (SD_EVENT_PRIORITY_NORMAL + 50)

/* A request that waits for an answer. */
struct check {
	struct polkit *polkit;
	struct check **list; /* which it is in, NULL for none */
	struct check *prev, *next;
	sd_bus_message *m;
	struct polkit_request request; /* details are the check's own */
	char **details;
	struct polkit_caller caller;
	bool asked; /* polkit, which has not answered */
	bool ready; /* to be run when it is its turn */
	bool interactive;
	char cancel_id[32]; /* which question polkit is to forget */
	sd_bus_slot *call; /* the answer waited for */
	sd_bus_slot *gone; /* that the sender goes away */
};

struct polkit {
	sd_bus *bus;
	struct check *unknown[SENDER_LISTS]; /* of which the user is not known yet, by sender */
	struct check *users; /* of users other than root; the newest is the first */
	sd_event_source *turn; /* on while one of them is ready */
	uint64_t last_id;
};

static void check_leave(struct check *check)
{
	if (check->prev)
		check->prev->next = check->next;
	else if (check->list)
		*check->list = check->next;
	if (check->next)
		check->next->prev = check->prev;
	check->list = NULL;
	check->prev = check->next = NULL;
}

static void check_join(struct check *check, struct check **list)
{
	check_leave(check);
	check->list = list;
	check->next = *list;
	if (*list)
		(*list)->prev = check;
	*list = check;
}

static void polkit_freep(struct polkit **polkit)
{
	polkit_free(*polkit);
}

/* Also what is still waited for is forgotten. */
static struct check *check_free(struct check *check)
{
	if (!check)
		return NULL;
	check_leave(check);
	sd_bus_slot_unref(check->call);
	sd_bus_slot_unref(check->gone);
	if (check->request.free)
		check->request.free(check->request.userdata);
	strv_free(check->details);
	sd_bus_message_unref(check->m);
	free(check);
	return NULL;
}

static void check_freep(struct check **check)
{
	check_free(*check);
}

/* Answers that it failed; whoever does not want an answer gets none. */
static void refuse(struct check *check, int r, sd_bus_error *error)
{
	(void)sd_bus_reply_method_errno(check->m, r, error);
	check_free(check);
}

static void run(struct check *check)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	int r;

	r = check->request.run(check->m, &check->caller, check->request.userdata, &error);
	if (r < 0 || sd_bus_error_is_set(&error))
		refuse(check, r, &error);
	else
		check_free(check);
}

/* --- turns ---------------------------------------------------------------- */

static int on_turn(sd_event_source *source, void *userdata)
{
	struct check *oldest = NULL;
	struct polkit *polkit = userdata;

	for (struct check *check = polkit->users; check; check = check->next)
		if (check->ready)
			oldest = check;
	if (!oldest)
		return sd_event_source_set_enabled(source, SD_EVENT_OFF);
	run(oldest);
	return 0;
}

/*
 * One request of a user is run when no request of root's waits, and then the loop looks
 * again: however many users ask, root waits for one of theirs at most.
 */
static int run_later(struct check *check)
{
	int r;

	r = sd_event_source_set_enabled(check->polkit->turn, SD_EVENT_ON);
	if (r < 0)
		return r;
	check->ready = true;
	return 0;
}

static const char *method_of(const struct check *check)
{
	const char *member = sd_bus_message_get_member(check->m);

	return member ? member : "request";
}

/* --- polkit --------------------------------------------------------------- */

static bool is_absent(const sd_bus_error *error)
{
	return sd_bus_error_has_names(error, SD_BUS_ERROR_SERVICE_UNKNOWN,
				      SD_BUS_ERROR_NAME_HAS_NO_OWNER, SD_BUS_ERROR_NO_REPLY,
				      SD_BUS_ERROR_DISCONNECTED,
				      "org.freedesktop.systemd1.UnitMasked",
				      "org.freedesktop.systemd1.NoSuchUnit",
				      "org.freedesktop.systemd1.LoadFailed",
				      "org.freedesktop.DBus.Error.Spawn.ServiceNotFound",
				      "org.freedesktop.DBus.Error.Spawn.ChildExited",
				      "org.freedesktop.DBus.Error.Spawn.Failed");
}

/* What polkit's answer "no" is called, to the caller. */
static void refuse_denied(struct check *check, bool challenge)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	const bool askable = challenge && !check->interactive;
	const char *remedy = askable ? "allow interactive authorization, or do it as root" :
				       "do it as root, or have a polkit rule allow it";

	sd_bus_error_setf(&error,
			  askable ? SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED :
				    SD_BUS_ERROR_ACCESS_DENIED,
			  "%s: polkit does not grant %s to user %u; %s", method_of(check),
			  check->request.action, (unsigned int)check->caller.uid, remedy);
	refuse(check, -EACCES, &error);
}

static void refuse_unanswered(struct check *check, const sd_bus_error *answer)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

	if (is_absent(answer))
		sd_bus_error_setf(&error, SD_BUS_ERROR_ACCESS_DENIED,
				  "%s: polkit does not answer, and without it only root may do this; start polkit.service, or do it as root",
				  method_of(check));
	else
		sd_bus_error_setf(&error, SD_BUS_ERROR_ACCESS_DENIED,
				  "%s: polkit cannot say whether user %u may do this: %s; see 'systemctl status polkit', or do it as root",
				  method_of(check), (unsigned int)check->caller.uid,
				  answer->message ? answer->message : answer->name);
	refuse(check, -EACCES, &error);
}

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	int authorized = false, challenge = false, r;
	struct check *check = userdata;

	(void)ret_error;

	if (sd_bus_message_is_method_error(m, NULL)) {
		(void)sd_bus_error_copy(&error, sd_bus_message_get_error(m));
		r = -EACCES;
	} else {
		r = sd_bus_message_enter_container(m, 'r', "bba{ss}");
		if (r >= 0)
			r = sd_bus_message_read(m, "bb", &authorized, &challenge);
		if (r < 0)
			sd_bus_error_set_const(&error, SD_BUS_ERROR_FAILED,
					       "its answer is not understood");
	}
	check->asked = false;
	/* Any answer but a clear yes is a no. */
	check->caller.authorized = r >= 0 && authorized;
	if (check->caller.authorized || check->request.optional) {
		r = run_later(check);
		if (r < 0)
			refuse(check, r, NULL);
	} else if (r < 0) {
		refuse_unanswered(check, &error);
	} else {
		refuse_denied(check, challenge);
	}
	return 1;
}

static void withdraw(struct check *check)
{
	if (check->asked)
		(void)sd_bus_call_method_async(check->polkit->bus, NULL, POLKIT_NAME, POLKIT_PATH,
					       POLKIT_INTERFACE, "CancelCheckAuthorization", NULL,
					       NULL, "s", check->cancel_id);
	check_free(check);
}

static int on_gone(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
	(void)m;
	(void)ret_error;
	withdraw(userdata);
	return 0;
}

/* Without being told of its end, a question could outlive the one who asked. */
static int on_gone_watched(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	struct check *check = userdata;

	(void)ret_error;

	if (!sd_bus_message_is_method_error(m, NULL))
		return 0;
	sd_bus_error_setf(&error, BUS_ERROR("LimitReached"),
			  "%s: too much is asked for at once; try again", method_of(check));
	(void)sd_bus_reply_method_error(check->m, &error);
	withdraw(check);
	return 0;
}

static int watch_sender(struct check *check)
{
	_cleanup_free_ char *match = NULL;

	if (asprintf(&match,
		     "type='signal',sender='" DBUS_NAME "',path='" DBUS_PATH
		     "',interface='" DBUS_NAME "',member='NameOwnerChanged',arg0='%s',arg2=''",
		     sd_bus_message_get_sender(check->m)) < 0) {
		match = NULL;
		return -ENOMEM;
	}
	return sd_bus_add_match_async(check->polkit->bus, &check->gone, match, on_gone,
				      on_gone_watched, check);
}

static int append_details(sd_bus_message *m, char **details)
{
	int r;

	r = sd_bus_message_open_container(m, 'a', "{ss}");
	for (char **pair = details; r >= 0 && pair && *pair; pair += 2)
		r = sd_bus_message_append(m, "{ss}", pair[0], pair[1]);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int ask_polkit(struct check *check)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	struct polkit *polkit = check->polkit;
	int r;

	r = sd_bus_message_get_allow_interactive_authorization(check->m);
	if (r < 0)
		return r;
	check->interactive = r > 0;
	snprintf(check->cancel_id, sizeof(check->cancel_id), "checmated-%" PRIu64,
		 ++polkit->last_id);

	r = watch_sender(check);
	if (r < 0)
		return r;
	r = sd_bus_message_new_method_call(polkit->bus, &m, POLKIT_NAME, POLKIT_PATH,
					   POLKIT_INTERFACE, "CheckAuthorization");
	if (r < 0)
		return r;
	r = sd_bus_message_append(m, "(sa{sv})s", "system-bus-name", 1, "name", "s",
				  sd_bus_message_get_sender(check->m), check->request.action);
	if (r < 0)
		return r;
	r = append_details(m, check->details);
	if (r < 0)
		return r;
	r = sd_bus_message_append(m, "us", check->interactive ? FLAG_INTERACTIVE : 0,
				  check->cancel_id);
	if (r < 0)
		return r;

	check->call = sd_bus_slot_unref(check->call);
	/* Somebody may have to find a password first; the sender's patience is the limit. */
	r = sd_bus_call_async(polkit->bus, &check->call, m, on_answer, check,
			      check->interactive ? UINT64_MAX : 0);
	if (r >= 0)
		check->asked = true;
	return r;
}

/* --- the sender ----------------------------------------------------------- */

static bool too_many_of_user(const struct check *check)
{
	size_t n_user = 0, n_all = 0;

	for (const struct check *other = check->polkit->users; other; other = other->next) {
		if (!other->request.action != !check->request.action)
			continue;
		n_all++;
		n_user += other->caller.uid == check->caller.uid;
	}
	return n_user >= USER_MAX || n_all >= ALL_MAX;
}

static void refuse_too_many(struct check *check)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

	if (check->request.action)
		sd_bus_error_setf(&error, BUS_ERROR("LimitReached"),
				  "%s: too many requests wait for an authorization; answer or cancel some of them",
				  method_of(check));
	else
		sd_bus_error_setf(&error, BUS_ERROR("Busy"),
				  "%s: too many requests of users wait; try again when some are answered",
				  method_of(check));
	log_set_user(check->caller.uid);
	log_event(LOG_ERR, LOG_ID_REQUEST_REFUSED, NULL, "%s of user %u: too many requests wait",
		  method_of(check), (unsigned int)check->caller.uid);
	log_set_user(0);
	refuse(check, -ENOBUFS, &error);
}

static int on_user(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	struct check *check = userdata;
	uint32_t uid;
	int r;

	(void)ret_error;

	if (sd_bus_message_is_method_error(m, NULL)) {
		/* It is gone, as a rule, and with it who waits for an answer. */
		sd_bus_error_setf(&error, SD_BUS_ERROR_ACCESS_DENIED,
				  "%s: the bus does not tell which user asks; try again",
				  method_of(check));
		refuse(check, -EACCES, &error);
		return 1;
	}
	r = sd_bus_message_read(m, "u", &uid);
	if (r < 0) {
		refuse(check, r, NULL);
		return 1;
	}

	check->caller.uid = uid;
	if (uid == 0) {
		check->caller.authorized = check->request.action != NULL;
		run(check);
		return 1;
	}
	if (too_many_of_user(check)) {
		refuse_too_many(check);
		return 1;
	}
	check_join(check, &check->polkit->users);
	r = check->request.action ? ask_polkit(check) : run_later(check);
	if (r < 0)
		refuse(check, r, NULL);
	return 1;
}

static struct check **list_of(struct polkit *polkit, const char *sender)
{
	uint32_t hash = 5381;

	for (; *sender; sender++)
		hash = hash * 33 + (unsigned char)*sender;
	return &polkit->unknown[hash % SENDER_LISTS];
}

static bool too_many_of_sender(const struct check *list, const char *sender)
{
	size_t n = 0;

	for (const struct check *check = list; check; check = check->next)
		n += streq(sd_bus_message_get_sender(check->m), sender);
	return n >= SENDER_MAX;
}

/**
 * polkit_check() - Do what was asked for, when whoever asks may
 * @polkit: the askers
 * @m: the request; kept until it is answered
 * @request: what it takes, and what to do then; @request->userdata is the
 *	check's from here on, whatever is returned
 * @ret_error: why it is refused at once
 *
 * Return: 1, it is answered later on; -errno.
 */
int polkit_check(struct polkit *polkit, sd_bus_message *m, const struct polkit_request *request,
		 sd_bus_error *ret_error)
{
	const char *sender = sd_bus_message_get_sender(m);
	_cleanup_(check_freep) struct check *check = NULL;
	struct check **list;
	int r;

	check = calloc(1, sizeof(*check));
	if (!check) {
		if (request->free)
			request->free(request->userdata);
		return -ENOMEM;
	}
	check->polkit = polkit;
	check->request = *request;
	check->request.details = NULL;
	check->m = sd_bus_message_ref(m);

	if (!sender)
		return sd_bus_error_setf(ret_error, SD_BUS_ERROR_ACCESS_DENIED,
					 "%s: it is not told who asks; ask over the system bus",
					 method_of(check));
	list = list_of(polkit, sender);
	if (too_many_of_sender(*list, sender))
		return sd_bus_error_setf(ret_error, BUS_ERROR("LimitReached"),
					 "%s: too many requests of this connection wait; wait for their answers",
					 method_of(check));
	for (const char *const *text = request->details; text && *text; text++) {
		r = strv_extend(&check->details, *text);
		if (r < 0)
			return r;
	}

	r = sd_bus_call_method_async(polkit->bus, &check->call, DBUS_NAME, DBUS_PATH, DBUS_NAME,
				     "GetConnectionUnixUser", on_user, check, "s", sender);
	if (r < 0)
		return r;

	check_join(TAKE_PTR(check), list);
	return 1;
}

/**
 * polkit_new() - Be able to ask
 * @bus: the bus that requests come by, attached to a loop with the normal priority
 * @ret_polkit: the askers
 */
int polkit_new(sd_bus *bus, struct polkit **ret_polkit)
{
	_cleanup_(polkit_freep) struct polkit *polkit = NULL;
	int r;

	polkit = calloc(1, sizeof(*polkit));
	if (!polkit)
		return -ENOMEM;
	polkit->bus = sd_bus_ref(bus);
	r = sd_event_add_defer(sd_bus_get_event(bus), &polkit->turn, on_turn, polkit);
	if (r >= 0)
		r = sd_event_source_set_enabled(polkit->turn, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_source_set_priority(polkit->turn, PRIORITY_USERS);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(polkit->turn, "users");

	*ret_polkit = TAKE_PTR(polkit);
	return 0;
}

/**
 * polkit_free() - Ask no more; what waits is not done
 * @polkit: the askers, or NULL
 */
struct polkit *polkit_free(struct polkit *polkit)
{
	if (!polkit)
		return NULL;
	for (size_t i = 0; i < SENDER_LISTS; i++)
		while (polkit->unknown[i])
			withdraw(polkit->unknown[i]);
	while (polkit->users)
		withdraw(polkit->users);
	sd_event_source_disable_unref(polkit->turn);
	sd_bus_unref(polkit->bus);
	free(polkit);
	return NULL;
}
