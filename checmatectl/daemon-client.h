/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmatectl - What checmated does for who may not do it himself
 *
 * Each function returns an exit status, after having said why it is not EXIT_DONE; or
 * USE_LIBRARY when the library is to be used: since the command line says so, since
 * the caller has the rights himself, or since there is no daemon to be asked.
 */
#pragma once

#include <systemd/sd-bus.h>

#include "command.h"
#include "output.h"

#define USE_LIBRARY (-1)

#define _cleanup_message_ _cleanup_(sd_bus_message_unrefp)

/* The daemon is to be asked, if there is one. */
bool daemon_client_is_wanted(const struct options *options);

/* There is one now: nothing is started to find out. */
bool daemon_client_is_running(void);

/* A request to be filled in. */
int daemon_client_new(const struct options *options, const char *method,
		      sd_bus_message **ret_message);

/* Sends it; @ret_reply may be NULL. Asks for a password where one helps. */
int daemon_client_send(const struct options *options, sd_bus_message *message,
		       sd_bus_message **ret_reply);

/*
 * Sends a request once more and has a password asked for: of a method that does less
 * without an authorization instead of refusing.
 */
int daemon_client_send_again(const struct options *options, sd_bus_message *message,
			     sd_bus_message **ret_reply);

/* daemon_client_new() and daemon_client_send(), of arguments as sd_bus_message_append(3) has them. */
int daemon_client_call(const struct options *options, sd_bus_message **ret_reply,
		       const char *method, const char *types, ...);

/* Why a request could not be filled in, or a reply not be read. */
int daemon_client_failed(int r);

/**
 * daemon_client_document() - A document that the daemon makes.
 * @options: of the command line.
 * @everybody: what everybody may see will do: that the daemon refuses is said, and the
 *             library is to be used.
 * @ret_document: receives the document.
 * @method: the method that returns it.
 * @types: of the arguments, which follow.
 */
int daemon_client_document(const struct options *options, bool everybody,
			   struct json_object **ret_document, const char *method, const char *types,
			   ...);

/* The same, with nothing said; NULL when there is none. */
struct json_object *daemon_client_try(const struct options *options, const char *method,
				      const char *types, ...);

/* The text of a document, checked; NULL: it is none. */
struct json_object *daemon_client_parse(const char *text, size_t size);
