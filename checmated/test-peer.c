// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - For tests: a bus of two, and what the other one answers
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "parse.h"
#include "test-peer.h"

/* Out of memory, or the like: there is nothing to be tested any more. */
static void need(int r)
{
	if (r >= 0)
		return;
	fprintf(stderr, "test-peer: %s\n", strerror(-r));
	abort();
}

static int answer_user(struct peer *peer, sd_bus_message *m)
{
	const char *name;

	peer->n_user++;
	if (peer->no_user)
		return sd_bus_reply_method_errorf(m, peer->no_user, "there is none");
	need(sd_bus_message_read(m, "s", &name));
	return sd_bus_reply_method_return(m, "u", streq(name, PEER_ROOT) ? 0 : peer->uid);
}

static void read_question(struct peer *peer, sd_bus_message *m)
{
	const char *subject, *name, *action, *key, *value;
	size_t n = 0;

	need(sd_bus_message_read(m, "(sa{sv})s", &subject, 1, &key, "s", &name, &action));
	snprintf(peer->subject, sizeof(peer->subject), "%s %s=%s", subject, key, name);
	snprintf(peer->action, sizeof(peer->action), "%s", action);

	peer->details[0] = '\0';
	need(sd_bus_message_enter_container(m, 'a', "{ss}"));
	while (sd_bus_message_read(m, "{ss}", &key, &value) > 0 && n < sizeof(peer->details))
		n += snprintf(peer->details + n, sizeof(peer->details) - n, "%s=%s\n", key, value);
	need(sd_bus_message_exit_container(m));
	need(sd_bus_message_read(m, "u", &peer->flags));
}

static int answer_polkit(struct peer *peer, sd_bus_message *m)
{
	peer->n_polkit++;
	read_question(peer, m);
	if (peer->silent)
		return 1;
	if (peer->no_polkit)
		return sd_bus_reply_method_errorf(m, peer->no_polkit, "it does not feel like it");
	if (peer->strange)
		return sd_bus_reply_method_return(m, "s", "yes");
	return sd_bus_reply_method_return(m, "(bba{ss})", peer->authorized, peer->challenge, 0);
}

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
	struct peer *peer = userdata;

	(void)ret_error;

	if (sd_bus_message_is_method_call(m, "org.freedesktop.DBus", "GetConnectionUnixUser"))
		return answer_user(peer, m);
	if (sd_bus_message_is_method_call(m, "org.freedesktop.PolicyKit1.Authority",
					  "CheckAuthorization"))
		return answer_polkit(peer, m);
	if (sd_bus_message_is_method_call(m, "org.freedesktop.PolicyKit1.Authority",
					  "CancelCheckAuthorization")) {
		peer->n_cancelled++;
		return 1;
	}
	return 0;
}

static sd_bus *connect_fd(int fd, bool server)
{
	sd_bus *bus;
	sd_id128_t id;

	need(sd_bus_new(&bus));
	need(sd_bus_set_fd(bus, fd, fd));
	if (server) {
		need(sd_id128_randomize(&id));
		need(sd_bus_set_server(bus, true, id));
	}
	need(sd_bus_set_anonymous(bus, true));
	need(sd_bus_negotiate_fds(bus, true));
	need(sd_bus_start(bus));
	return bus;
}

void peer_open(struct peer *peer)
{
	int fds[2];

	*peer = (struct peer){ .uid = 1000 };
	need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds));
	peer->daemon = connect_fd(fds[0], true);
	need(sd_event_new(&peer->event));
	need(sd_bus_attach_event(peer->daemon, peer->event, SD_EVENT_PRIORITY_NORMAL));
	peer->other = connect_fd(fds[1], false);
	need(sd_bus_add_filter(peer->other, NULL, on_message, peer));
	peer_run(peer);
}

void peer_close(struct peer *peer)
{
	peer->daemon = sd_bus_close_unref(peer->daemon);
	peer->other = sd_bus_close_unref(peer->other);
	peer->event = sd_event_unref(peer->event);
}

void peer_run(struct peer *peer)
{
	int a, b;

	do {
		a = sd_event_run(peer->event, 0);
		b = sd_bus_process(peer->other, NULL);
		need(a);
		need(b);
	} while (a > 0 || b > 0);
}

sd_bus_message *peer_call_from(struct peer *peer, const char *sender, const char *path,
			       const char *interface, const char *method)
{
	sd_bus_message *m;

	need(sd_bus_message_new_method_call(peer->other, &m, NULL, path, interface, method));
	need(sd_bus_message_set_sender(m, sender));
	return m;
}

sd_bus_message *peer_call(struct peer *peer, const char *path, const char *interface,
			  const char *method)
{
	return peer_call_from(peer, PEER_SENDER, path, interface, method);
}

void peer_leave(struct peer *peer)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;

	need(sd_bus_message_new_signal(peer->other, &m, "/org/freedesktop/DBus",
				       "org.freedesktop.DBus", "NameOwnerChanged"));
	need(sd_bus_message_set_sender(m, "org.freedesktop.DBus"));
	need(sd_bus_message_append(m, "sss", PEER_SENDER, PEER_SENDER, ""));
	need(sd_bus_send(peer->other, m, NULL));
	peer_run(peer);
}
