// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmate-oci-hook - Have a container's policies applied before it starts
 *
 * A container runtime starts this program as a createRuntime hook, with the
 * container's state on standard input and the container's process waiting in
 * its cgroup.  The program finds that cgroup and asks checmated for the
 * policies that its binding files give to the container's annotations.  When
 * anything is in the way it fails, and the runtime does not start the
 * container.
 *
 * An annotation grants nothing by itself: it is matched against Annotation=
 * of the binding files, which are the administrator's.  A container that
 * carries an annotation of ours which matches nothing is refused rather than
 * started without a policy.
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "bus-names.h"
#include "cleanup.h"
#include "file.h"
#include "log.h"
#include "oci.h"
#include "parse.h"

/* Long enough for a cold start of the daemon, short enough for someone who waits. */
#define CALL_TIMEOUT_USEC (30ull * 1000 * 1000)

/* /proc/PID/cgroup: a line for each v1 hierarchy and one of up to a path's length. */
#define PROC_CGROUP_MAX (64u * 1024u)

static const char *container_id;

__attribute__((format(printf, 1, 2))) static int complain(const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);

	fprintf(stderr, "checmate-oci-hook: %s%s%s%s\n", container_id ? "container " : "",
		container_id ? container_id : "", container_id ? ": " : "", text ? text : format);
	/* Runtimes commonly keep what a hook prints to themselves. */
	(void)sd_journal_send("MESSAGE=container %s is not started: %s",
			      container_id ? container_id : "(unknown)", text ? text : format,
			      "MESSAGE_ID=" LOG_ID_CONTAINER_REFUSED, "PRIORITY=%d", LOG_ERR,
			      "CHECMATE_CONTAINER=%s", container_id ? container_id : "", NULL);
	return -EPERM;
}

static int complain_error(int r, const char *error)
{
	return complain("%s", error ? error : strerror(-r));
}

static int read_cgroup(const char *path, char **ret_cgroup)
{
	_cleanup_free_ char *text = NULL;
	int r;

	r = file_read(AT_FDCWD, path, PROC_CGROUP_MAX, &text, NULL);
	if (r < 0)
		return r;
	return oci_cgroup_parse(text, ret_cgroup);
}

static int find_cgroup(pid_t pid, char **ret_cgroup)
{
	_cleanup_free_ char *container = NULL, *own = NULL, *error = NULL;
	char path[sizeof("/proc/2147483647/cgroup")];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	r = read_cgroup(path, &container);
	if (r == -ENOENT)
		return complain("process %d is gone", (int)pid);
	if (r == -ENODATA)
		return complain("process %d is in no cgroup v2; Checmate needs the unified hierarchy",
				(int)pid);
	if (r < 0)
		return complain("cgroup of process %d cannot be told: %s", (int)pid, strerror(-r));

	r = read_cgroup("/proc/self/cgroup", &own);
	if (r < 0)
		return complain("own cgroup cannot be told: %s", strerror(-r));

	r = oci_cgroup_target(container, own, ret_cgroup, &error);
	if (r < 0)
		return complain_error(r, error);
	return 0;
}

/*
 * The path alone could come to mean another cgroup before the daemon gets round
 * to the request, the id cannot.
 */
static int cgroup_id(const char *cgroup, uint64_t *ret_id)
{
	_cleanup_free_ char *path = NULL;
	struct stat st;

	if (asprintf(&path, "/sys/fs/cgroup%s", cgroup) < 0) {
		path = NULL;
		return complain("out of memory");
	}
	if (stat(path, &st) < 0)
		return complain("%s: %s; Checmate needs cgroup v2 there", path, strerror(errno));
	*ret_id = st.st_ino;
	return 0;
}

static bool has_own_annotation(const struct oci_state *state)
{
	for (size_t i = 0; i < state->n_annotations; i++)
		if (startswith(state->annotations[2 * i], OCI_ANNOTATION_PREFIX))
			return true;
	return false;
}

static int append_annotations(sd_bus_message *m, const struct oci_state *state)
{
	int r;

	r = sd_bus_message_open_container(m, 'a', "{ss}");
	if (r < 0)
		return r;
	for (size_t i = 0; i < state->n_annotations; i++) {
		r = sd_bus_message_append(m, "{ss}", state->annotations[2 * i],
					  state->annotations[2 * i + 1]);
		if (r < 0)
			return r;
	}
	return sd_bus_message_close_container(m);
}

static int complain_call(int r, const sd_bus_error *error)
{
	if (sd_bus_error_has_names(error, SD_BUS_ERROR_SERVICE_UNKNOWN,
				   SD_BUS_ERROR_NAME_HAS_NO_OWNER,
				   "org.freedesktop.systemd1.UnitMasked",
				   "org.freedesktop.systemd1.NoSuchUnit",
				   "org.freedesktop.DBus.Error.Spawn.ServiceNotFound"))
		return complain("checmated is not running; start checmated.service");
	if (r == -ETIMEDOUT ||
	    sd_bus_error_has_names(error, SD_BUS_ERROR_NO_REPLY, SD_BUS_ERROR_TIMEOUT))
		return complain("checmated does not answer; see 'systemctl status checmated'");
	if (sd_bus_error_has_names(error, SD_BUS_ERROR_ACCESS_DENIED))
		return complain("checmated refuses: %s; the runtime has to run as root",
				error->message);
	return complain("%s", error->message ? error->message : strerror(-r));
}

static int ask_daemon(const struct oci_state *state, const char *cgroup)
{
	_cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	uint64_t id = 0;
	int r;

	r = cgroup_id(cgroup, &id);
	if (r < 0)
		return r;

	r = sd_bus_open_system(&bus);
	if (r < 0)
		return complain("system bus cannot be reached: %s; checmated is asked over it",
				strerror(-r));

	r = sd_bus_message_new_method_call(bus, &m, BUS_NAME, BUS_PATH, BUS_INTERFACE,
					   "ApplyContainer");
	if (r >= 0)
		r = sd_bus_message_append(m, "susts", state->id, (uint32_t)state->pid, cgroup, id,
					  "");
	if (r >= 0)
		r = append_annotations(m, state);
	if (r < 0)
		return complain("request cannot be made: %s", strerror(-r));

	r = sd_bus_call(bus, m, CALL_TIMEOUT_USEC, &error, &reply);
	if (r < 0)
		return complain_call(r, &error);

	r = sd_bus_message_enter_container(reply, 'a', "s");
	if (r < 0)
		return complain("answer of checmated is not understood: %s", strerror(-r));
	r = sd_bus_message_at_end(reply, false);
	if (r < 0)
		return complain("answer of checmated is not understood: %s", strerror(-r));
	if (r > 0)
		return complain(
			"no binding of checmated matches its annotations; correct them or add a file to /etc/checmate/bindings.d");
	return 0;
}

static int run(void)
{
	_cleanup_(oci_state_done) struct oci_state state = {};
	_cleanup_free_ char *text = NULL, *cgroup = NULL, *error = NULL;
	size_t size;
	int r;

	r = oci_state_read(STDIN_FILENO, &text, &size, &error);
	if (r < 0)
		return complain_error(r, error);
	r = oci_state_parse(text, size, &state, &error);
	if (r < 0)
		return complain_error(r, error);
	container_id = state.id;

	if (!has_own_annotation(&state))
		r = 0;
	else
		r = find_cgroup(state.pid, &cgroup);
	if (r == 0 && cgroup)
		r = ask_daemon(&state, cgroup);

	container_id = NULL; /* owned by state */
	return r;
}

static int usage(FILE *to)
{
	fputs("usage: checmate-oci-hook <STATE\n"
	      "\n"
	      "createRuntime hook of a container runtime: has checmated apply the policies\n"
	      "of a container that has an annotation beginning with " OCI_ANNOTATION_PREFIX ".\n"
	      "Containers without such annotations are left alone.\n",
	      to);
	return to == stdout ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' }, {} };
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		switch (c) {
		case 'h':
			return usage(stdout);
		default:
			return usage(stderr);
		}
	}
	if (optind < argc)
		return usage(stderr);

	return run() < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
