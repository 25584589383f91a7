// SPDX-License-Identifier: LGPL-2.1-or-later
/* checmatectl - What checmated does for who may not do it himself */
#include "daemon-client.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/capability.h>

#include "parse.h"
#include "polkit-agent.h"

#define BUS_NAME "org.checmate1"
#define BUS_PATH "/org/checmate1"
#define BUS_INTERFACE "org.checmate1.Manager"

/* To load policies takes a while on a busy machine; somebody may look for a password. */
#define USEC_PER_S 1000000ULL
#define TIMEOUT (120 * USEC_PER_S)
#define TIMEOUT_PASSWORD (600 * USEC_PER_S)

/* As deep as a path of cgroups can be: each has an object and an array of its own. */
#define DEPTH_MAX 8192

/* The connection; it ends with the program. */
static sd_bus *bus;

/* --- whether ------------------------------------------------------------------- */

static bool has_capability(cap_t caps, cap_value_t cap)
{
	cap_flag_value_t value = CAP_CLEAR;

	return cap_get_flag(caps, cap, CAP_EFFECTIVE, &value) == 0 && value == CAP_SET;
}

static bool has_rights(void)
{
	cap_t caps = cap_get_proc();
	bool has = caps && has_capability(caps, CAP_MAC_ADMIN) &&
		   has_capability(caps, CAP_SYS_ADMIN);

	cap_free(caps);
	return has;
}

/* A backend that is forced is one of the library's here. */
bool daemon_client_is_wanted(const struct options *options)
{
	return options->daemon || (!options->direct && !options->backend && !has_rights());
}

/* There is none, and none can be started. */
static bool is_absent(const sd_bus_error *error)
{
	return sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
	       sd_bus_error_has_name(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER) ||
	       (error->name && (startswith(error->name, "org.freedesktop.DBus.Error.Spawn.") ||
				startswith(error->name, "org.freedesktop.systemd1.")));
}

static bool is_refusal(const sd_bus_error *error)
{
	return sd_bus_error_has_name(error, SD_BUS_ERROR_ACCESS_DENIED) ||
	       sd_bus_error_has_name(error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED);
}

/* --- calls --------------------------------------------------------------------- */

static int say_absent(const struct options *options, const char *reason)
{
	if (!options->daemon)
		return USE_LIBRARY;
	return fail_text("checmated: not reached: %s; see \"systemctl status checmated\", or run "
			 "as root with --direct",
			 reason);
}

static int say_error(const struct options *options, const sd_bus_error *error)
{
	const char *text = error->message ?: error->name;

	if (is_absent(error))
		return say_absent(options, text);
	if (sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY) ||
	    sd_bus_error_has_name(error, SD_BUS_ERROR_TIMEOUT) ||
	    sd_bus_error_has_name(error, SD_BUS_ERROR_DISCONNECTED))
		return fail_text("checmated: it has not answered: %s; see what has become of it "
				 "with \"checmatectl status\"",
				 text);
	return fail_text("%s", text);
}

int daemon_client_failed(int r)
{
	return fail_text("checmated: %s; see \"systemctl status checmated\" and \"systemctl status "
			 "dbus\"",
			 strerror(-r));
}

static int open_bus(void)
{
	return bus ? 0 : sd_bus_open_system(&bus);
}

bool daemon_client_is_running(void)
{
	_cleanup_(sd_bus_creds_unrefp) sd_bus_creds *creds = NULL;

	return open_bus() >= 0 && sd_bus_get_name_creds(bus, BUS_NAME, 0, &creds) >= 0;
}

int daemon_client_new(const struct options *options, const char *method,
		      sd_bus_message **ret_message)
{
	int r;

	if (!daemon_client_is_wanted(options))
		return USE_LIBRARY;
	r = open_bus();
	if (r < 0)
		return say_absent(options, strerror(-r));
	r = sd_bus_message_new_method_call(bus, ret_message, BUS_NAME, BUS_PATH, BUS_INTERFACE,
					   method);
	return r < 0 ? daemon_client_failed(r) : EXIT_DONE;
}

/* Once more, with somebody there who can be asked. */
static int call_interactively(sd_bus_message *former, sd_bus_error *error,
			      sd_bus_message **ret_reply)
{
	_cleanup_message_ sd_bus_message *message = NULL;
	_cleanup_(polkit_agent_close) struct polkit_agent agent = polkit_agent_open();
	int r;

	r = sd_bus_message_new_method_call(bus, &message, BUS_NAME, BUS_PATH, BUS_INTERFACE,
					   sd_bus_message_get_member(former));
	if (r >= 0)
		r = sd_bus_message_rewind(former, true);
	if (r >= 0)
		r = sd_bus_message_copy(message, former, true);
	if (r >= 0)
		r = sd_bus_message_set_allow_interactive_authorization(message, true);
	if (r < 0)
		return r;
	sd_bus_error_free(error);
	return sd_bus_call(bus, message, TIMEOUT_PASSWORD, error, ret_reply);
}

static int call(const struct options *options, bool ask, sd_bus_message *message,
		sd_bus_error *error, sd_bus_message **ret_reply)
{
	int r;

	r = sd_bus_call(bus, message, TIMEOUT, error, ret_reply);
	if (r < 0 && ask && !options->no_ask_password &&
	    sd_bus_error_has_name(error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED))
		r = call_interactively(message, error, ret_reply);
	if (r < 0 && !sd_bus_error_is_set(error))
		sd_bus_error_set_errno(error, r);
	return r;
}

int daemon_client_send(const struct options *options, sd_bus_message *message,
		       sd_bus_message **ret_reply)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_message_ sd_bus_message *reply = NULL;

	if (call(options, true, message, &error, &reply) < 0)
		return say_error(options, &error);
	if (ret_reply)
		*ret_reply = TAKE_PTR(reply);
	return EXIT_DONE;
}

int daemon_client_send_again(const struct options *options, sd_bus_message *message,
			     sd_bus_message **ret_reply)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_message_ sd_bus_message *reply = NULL;
	int r;

	r = call_interactively(message, &error, &reply);
	if (r < 0 && !sd_bus_error_is_set(&error))
		sd_bus_error_set_errno(&error, r);
	if (r < 0)
		return say_error(options, &error);
	*ret_reply = TAKE_PTR(reply);
	return EXIT_DONE;
}

static int new_call(const struct options *options, sd_bus_message **ret_message, const char *method,
		    const char *types, va_list ap)
{
	int r, status;

	status = daemon_client_new(options, method, ret_message);
	if (status)
		return status;
	r = sd_bus_message_appendv(*ret_message, types, ap);
	return r < 0 ? daemon_client_failed(r) : EXIT_DONE;
}

int daemon_client_call(const struct options *options, sd_bus_message **ret_reply,
		       const char *method, const char *types, ...)
{
	_cleanup_message_ sd_bus_message *message = NULL;
	va_list ap;
	int status;

	va_start(ap, types);
	status = new_call(options, &message, method, types, ap);
	va_end(ap);
	return status ?: daemon_client_send(options, message, ret_reply);
}

/* --- documents ------------------------------------------------------------------ */

struct json_object *daemon_client_parse(const char *text, size_t size)
{
	struct json_object *document = NULL;
	struct json_tokener *tokener;

	tokener = size > INT32_MAX ? NULL : json_tokener_new_ex(DEPTH_MAX);
	if (!tokener)
		return NULL;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	document = json_tokener_parse_ex(tokener, text, size);
	if (json_tokener_get_error(tokener) != json_tokener_success) {
		json_object_put(document);
		document = NULL;
	}
	json_tokener_free(tokener);
	return document;
}

static int read_document(sd_bus_message *reply, struct json_object **ret_document)
{
	const char *text;
	int r;

	r = sd_bus_message_read(reply, "s", &text);
	if (r < 0)
		return daemon_client_failed(r);
	*ret_document = daemon_client_parse(text, strlen(text));
	if (!*ret_document)
		return fail_text("checmated: its answer is not JSON; have it and checmatectl of "
				 "one version");
	return EXIT_DONE;
}

int daemon_client_document(const struct options *options, bool everybody,
			   struct json_object **ret_document, const char *method, const char *types,
			   ...)
{
	_cleanup_message_ sd_bus_message *message = NULL, *reply = NULL;
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	va_list ap;
	int r, status;

	va_start(ap, types);
	status = new_call(options, &message, method, types, ap);
	va_end(ap);
	if (status)
		return status;
	everybody = everybody && !options->daemon;
	r = call(options, !everybody, message, &error, &reply);
	if (r < 0 && everybody && is_refusal(&error)) {
		say("%s", error.message ?: error.name);
		say("shown is what everybody may see; --daemon asks for a password");
		return USE_LIBRARY;
	}
	if (r < 0)
		return say_error(options, &error);
	return read_document(reply, ret_document);
}

struct json_object *daemon_client_try(const struct options *options, const char *method,
				      const char *types, ...)
{
	_cleanup_message_ sd_bus_message *message = NULL, *reply = NULL;
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	struct json_object *document = NULL;
	va_list ap;
	int status;

	va_start(ap, types);
	status = new_call(options, &message, method, types, ap);
	va_end(ap);
	if (status || call(options, false, message, &error, &reply) < 0 ||
	    read_document(reply, &document))
		return NULL;
	return document;
}
