/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - The figures over HTTP, on a socket that systemd has opened
 *
 * "GET /metrics" and nothing else.  Requests are served in the loop, between other
 * work; connections, their size and their time are limited.
 */
#pragma once

#include <stddef.h>
#include <systemd/sd-event.h>

struct metrics_http;

/* Gives the text to answer with, which the caller frees. */
typedef int (*metrics_text_t)(char **ret_text, size_t *ret_size, void *userdata);

int metrics_http_new(sd_event *event, int listen_fd, metrics_text_t text, void *userdata,
		     struct metrics_http **ret_http);
struct metrics_http *metrics_http_free(struct metrics_http *http);
void metrics_http_freep(struct metrics_http **http);
