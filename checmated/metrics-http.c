// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - The figures over HTTP, on a socket that systemd has opened
 */

#include <errno.h>
#include <microhttpd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include "cleanup.h"
#include "metrics-http.h"
#include "parse.h"

/* Behind all that has the normal priority. */
#define PRIORITY (SD_EVENT_PRIORITY_NORMAL + 50)

#define CONNECTIONS_MAX 16
#define TIMEOUT_SEC 10
#define REQUEST_MAX (16 * 1024)

#define CONTENT_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

struct metrics_http {
	struct MHD_Daemon *daemon;
	sd_event_source *source;
	sd_event_source *timer; /* on while there are connections that can be late */
	metrics_text_t text;
	void *userdata;
};

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned int status,
			      const char *type, const char *allow, char *text, size_t size,
			      enum MHD_ResponseMemoryMode memory)
{
	struct MHD_Response *response;
	enum MHD_Result r;

	response = MHD_create_response_from_buffer(size, text, memory);
	if (!response) {
		if (memory == MHD_RESPMEM_MUST_FREE)
			free(text);
		return MHD_NO;
	}
	r = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (r == MHD_YES && allow)
		r = MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, allow);
	if (r == MHD_YES)
		r = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return r;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned int status,
			      const char *allow, const char *text)
{
	return answer(connection, status, "text/plain; charset=utf-8", allow, (char *)text,
		      strlen(text), MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result on_request(void *userdata, struct MHD_Connection *connection,
				  const char *url, const char *method, const char *version,
				  const char *upload, size_t *upload_size, void **state)
{
	static int seen;
	struct metrics_http *http = userdata;
	char *text;
	size_t size;

	(void)version;
	(void)upload;
	/* The first call is for the headers: what is refused then is not read. */
	if (!streq(url, "/metrics"))
		return refuse(connection, MHD_HTTP_NOT_FOUND, NULL, "the figures are at /metrics\n");
	if (!streq(method, MHD_HTTP_METHOD_GET) && !streq(method, MHD_HTTP_METHOD_HEAD))
		return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET, HEAD",
			      "there is nothing but GET\n");
	if (!*state) {
		*state = &seen;
		return MHD_YES;
	}
	/* What comes with a GET is nobody's. */
	if (*upload_size) {
		*upload_size = 0;
		return MHD_YES;
	}
	if (http->text(&text, &size, http->userdata) < 0)
		return refuse(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, NULL,
			      "the figures cannot be had; see the journal of checmated.service\n");
	return answer(connection, MHD_HTTP_OK, CONTENT_TYPE, NULL, text, size,
		      MHD_RESPMEM_MUST_FREE);
}

/* Wakes up when the next connection is too late, if there is one. */
static int set_timer(struct metrics_http *http)
{
	MHD_UNSIGNED_LONG_LONG ms;
	uint64_t now;
	int r;

	if (MHD_get_timeout(http->daemon, &ms) != MHD_YES)
		return sd_event_source_set_enabled(http->timer, SD_EVENT_OFF);
	r = sd_event_now(sd_event_source_get_event(http->timer), CLOCK_MONOTONIC, &now);
	if (r >= 0)
		r = sd_event_source_set_time(http->timer, now + ms * 1000);
	return r < 0 ? r : sd_event_source_set_enabled(http->timer, SD_EVENT_ONESHOT);
}

static unsigned int count_connections(const struct metrics_http *http)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon,
							       MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

	return info ? info->num_connections : 0;
}

static int run(struct metrics_http *http)
{
	unsigned int n = count_connections(http);

	if (MHD_run(http->daemon) != MHD_YES)
		return -EIO;
	/* Full, it stops listening; when there is room, it listens from the next run on. */
	if (count_connections(http) < n && MHD_run(http->daemon) != MHD_YES)
		return -EIO;
	return set_timer(http);
}

static int on_ready(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	(void)source;
	(void)fd;
	(void)revents;
	return run(userdata);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	return run(userdata);
}

static int add_sources(struct metrics_http *http, sd_event *event)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon,
							       MHD_DAEMON_INFO_EPOLL_FD);
	int r;

	if (!info || info->epoll_fd < 0)
		return -EOPNOTSUPP;
	r = sd_event_add_time(event, &http->timer, CLOCK_MONOTONIC, 0, 0, on_timer, http);
	if (r >= 0)
		r = sd_event_source_set_enabled(http->timer, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_source_set_priority(http->timer, PRIORITY);
	if (r >= 0)
		r = sd_event_add_io(event, &http->source, info->epoll_fd, EPOLLIN, on_ready, http);
	if (r >= 0)
		r = sd_event_source_set_priority(http->source, PRIORITY);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(http->source, "metrics");
	return sd_event_source_set_description(http->timer, "metrics-timeout");
}

/**
 * metrics_http_new() - Serve requests
 * @event: the loop
 * @listen_fd: a listening stream socket; the server's from now on, also on failure
 * @text: gives what is answered
 * @userdata: for @text
 * @ret_http: receives the server
 *
 * Return: 0; -EIO the library refuses; -errno.
 */
int metrics_http_new(sd_event *event, int listen_fd, metrics_text_t text, void *userdata,
		     struct metrics_http **ret_http)
{
	_cleanup_(metrics_http_freep) struct metrics_http *http = NULL;
	_cleanup_close_ int fd = listen_fd;
	int r;

	/* The library would open one of its own. */
	if (fd < 0)
		return -EBADF;
	http = calloc(1, sizeof(*http));
	if (!http)
		return -ENOMEM;
	http->text = text;
	http->userdata = userdata;
	http->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, http,
					MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
					CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT_SEC,
					MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_MAX,
					MHD_OPTION_END);
	if (!http->daemon)
		return -EIO;
	TAKE_FD(fd);
	r = add_sources(http, event);
	if (r < 0)
		return r;

	*ret_http = TAKE_PTR(http);
	return 0;
}

struct metrics_http *metrics_http_free(struct metrics_http *http)
{
	if (!http)
		return NULL;
	sd_event_source_disable_unref(http->source);
	sd_event_source_disable_unref(http->timer);
	if (http->daemon)
		MHD_stop_daemon(http->daemon);
	free(http);
	return NULL;
}

void metrics_http_freep(struct metrics_http **http)
{
	metrics_http_free(*http);
}
