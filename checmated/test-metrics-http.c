// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - The figures over HTTP, asked for well and badly
 */

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "cleanup.h"
#include "metrics-http.h"

/* Ample for a loaded machine; reached only when an answer never comes. */
#define PATIENCE_USEC (30ull * 1000 * 1000)

struct fixture {
	char path[64];
	sd_event *event;
	struct metrics_http *http;
	struct sockaddr_un address;
	unsigned int asked;
	int text_result;
};

static int on_text(char **ret_text, size_t *ret_size, void *userdata)
{
	struct fixture *f = userdata;

	f->asked++;
	if (f->text_result < 0)
		return f->text_result;
	*ret_text = strdup("figures\n# EOF\n");
	assert_non_null(*ret_text);
	*ret_size = strlen(*ret_text);
	return 0;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int fd;

	assert_non_null(f);
	snprintf(f->path, sizeof(f->path), "/tmp/checmate-metrics-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	f->address.sun_family = AF_UNIX;
	snprintf(f->address.sun_path, sizeof(f->address.sun_path), "%s/metrics", f->path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&f->address, sizeof(f->address)), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_true(sd_event_new(&f->event) >= 0);
	assert_int_equal(metrics_http_new(f->event, fd, on_text, f, &f->http), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	metrics_http_free(f->http);
	sd_event_unref(f->event);
	unlink(f->address.sun_path);
	rmdir(f->path);
	free(f);
	return 0;
}

static int open_connection(const struct fixture *f)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&f->address, sizeof(f->address)), 0);
	return fd;
}

/* Sends a request and gives all that comes until the server closes; free(3) it. */
static char *ask(struct fixture *f, const char *request, size_t size)
{
	_cleanup_close_ int fd = open_connection(f);
	char *text = NULL, part[4096];
	FILE *to;
	size_t all;
	ssize_t n = -1;

	to = open_memstream(&text, &all);
	assert_non_null(to);
	while (size || n) {
		n = send(fd, request, size, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (size && n > 0) {
			request += n;
			size -= n;
		}
		n = recv(fd, part, sizeof(part), MSG_DONTWAIT);
		if (n > 0)
			assert_int_equal(fwrite(part, 1, n, to), n);
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			break;
		if (n < 0)
			assert_true(sd_event_run(f->event, size ? 0 : PATIENCE_USEC) >= 0);
	}
	fclose(to);
	return text;
}

static void check_answer(struct fixture *f, const char *request, const char *beginning,
			 const char *part)
{
	_cleanup_free_ char *answer = ask(f, request, strlen(request));

	if (strncmp(answer, beginning, strlen(beginning)) != 0)
		fail_msg("'%s' was answered by '%s'", request, answer);
	if (part && !strstr(answer, part))
		fail_msg("no '%s' in '%s'", part, answer);
}

#define CLOSE "Host: x\r\nConnection: close\r\n\r\n"

static void test_get(void **state)
{
	struct fixture *f = *state;

	check_answer(f, "GET /metrics HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200 ", "figures\n# EOF\n");
	check_answer(f, "GET /metrics HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200 ",
		     "Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8");
	check_answer(f, "GET /metrics?a=b HTTP/1.0\r\n\r\n", "HTTP/1.", "figures");
	assert_int_equal(f->asked, 3);
}

static void test_nothing_else(void **state)
{
	struct fixture *f = *state;

	check_answer(f, "GET / HTTP/1.1\r\n" CLOSE, "HTTP/1.1 404 ", "/metrics");
	check_answer(f, "GET /metrics/ HTTP/1.1\r\n" CLOSE, "HTTP/1.1 404 ", NULL);
	check_answer(f, "GET /../metrics HTTP/1.1\r\n" CLOSE, "HTTP/1.1 404 ", NULL);
	check_answer(f, "POST /metrics HTTP/1.1\r\nContent-Length: 1\r\n" CLOSE "x",
		     "HTTP/1.1 405 ", "Allow: GET, HEAD");
	check_answer(f, "DELETE /metrics HTTP/1.1\r\n" CLOSE, "HTTP/1.1 405 ", NULL);
	check_answer(f, "nonsense\r\n\r\n", "", NULL);
	assert_int_equal(f->asked, 0);
	check_answer(f, "HEAD /metrics HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200 ", "Content-Length: 14");
}

static void test_no_text(void **state)
{
	struct fixture *f = *state;

	f->text_result = -ENOMEM;
	check_answer(f, "GET /metrics HTTP/1.1\r\n" CLOSE, "HTTP/1.1 500 ", "journal");
	f->text_result = 0;
	check_answer(f, "GET /metrics HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200 ", NULL);
}

/* More than a request may have, which is then no request. */
static void test_too_large(void **state)
{
	struct fixture *f = *state;
	const size_t size = 1 << 20;
	_cleanup_free_ char *request = malloc(size), *answer = NULL;

	assert_non_null(request);
	memset(request, 'a', size);
	memcpy(request, "GET /metrics HTTP/1.1\r\nX: ", 26);
	answer = ask(f, request, size);
	assert_int_equal(f->asked, 0);
	assert_null(strstr(answer, "figures"));
	check_answer(f, "GET /metrics HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200 ", NULL);
}

/* Of many connections those that wait are served when others have gone. */
static void test_many(void **state)
{
	struct fixture *f = *state;
	int fds[40];

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = open_connection(f);
	while (sd_event_run(f->event, 0) > 0)
		;
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	check_answer(f, "GET /metrics HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200 ", NULL);
}

static void test_no_socket(void **state)
{
	struct fixture *f = *state;
	struct metrics_http *http = NULL;

	assert_true(metrics_http_new(f->event, -1, on_text, f, &http) < 0);
	assert_null(http);
	assert_null(metrics_http_free(NULL));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_get),	      TEST(test_nothing_else), TEST(test_no_text),
		TEST(test_too_large), TEST(test_many),	       TEST(test_no_socket),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
