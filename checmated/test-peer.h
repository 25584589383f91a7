/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - For tests: a bus of two, and what the other one answers
 *
 * The daemon's side of a connection without a bus in between.  The other side is at
 * once the bus itself, polkit, and the client who asks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#define PEER_SENDER ":1.7"
/* Another client, who is root. */
#define PEER_ROOT ":1.1"

struct peer {
	sd_event *event; /* the daemon's */
	sd_bus *daemon;
	sd_bus *other;

	/* What it answers. */
	uint32_t uid; /* but of PEER_ROOT */
	const char *no_user; /* name of the error instead of a user */
	bool authorized;
	bool challenge;
	const char *no_polkit; /* name of the error instead of an answer */
	bool strange; /* answers of a type that nobody expects */
	bool silent; /* polkit thinks about it */

	/* What it was asked. */
	unsigned int n_user;
	unsigned int n_polkit;
	unsigned int n_cancelled;
	uint32_t flags;
	char action[64];
	char subject[64];
	char details[512]; /* "key=value\n"… */
};

void peer_open(struct peer *peer);
void peer_close(struct peer *peer);

/* Until neither side has anything to do. */
void peer_run(struct peer *peer);

/* A call of a client's: of PEER_SENDER, or PEER_ROOT. */
sd_bus_message *peer_call_from(struct peer *peer, const char *sender, const char *path,
			       const char *interface, const char *method);
sd_bus_message *peer_call(struct peer *peer, const char *path, const char *interface,
			  const char *method);

/* The client goes away. */
void peer_leave(struct peer *peer);
