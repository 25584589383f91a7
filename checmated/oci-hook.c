// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmate-oci-hook - Have a container's policies applied before it starts
 *
 * A container runtime starts this program as a createRuntime hook, with the
 * container's state on standard input and the container's process waiting in
 * its cgroup.  The program finds that cgroup and asks checmated for the
 * policies that its binding files give to the container; checmated stages them
 * for the process, and they take force when it becomes the container's program.
 * When anything is in the way the hook fails, and the runtime does not start
 * the container.
 *
 * Every container is asked for: what it runs in, the runtime and the pod can
 * match as well as an annotation.  An annotation grants nothing by itself, it
 * is matched against the binding files, which are the administrator's.  A
 * container that carries an annotation of ours and gets no policy is refused
 * rather than started without one.
 *
 * Then it looks at the paths that the policies list, in what will be the container's root, and
 * logs those that are symbolic links or do not exist. checmated does not: it has neither the
 * capability to see other processes' roots nor their mounts, and it must never wait for a file
 * system of a container. The hook can wait, and does for two seconds at most.
 *
 * As a poststart hook, with --poststart, it waits until what was staged is
 * activated. If a handler of the runtime runs the container in the waiting process,
 * no exec ever activates the policies: the hook kills the container, since a runtime
 * ignores that a poststart hook fails.
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "bus-names.h"
#include "checmate.h"
#include "cleanup.h"
#include "clock.h"
#include "file.h"
#include "jsondoc.h"
#include "log.h"
#include "oci-state.h"
#include "parse.h"
#include "strv.h"
#include "text.h"
#include "utf8.h"

/*
 * How long the daemon may take, its restarts included: long enough for a burst
 * of starts on a busy machine, and less than the 60 s after which the runtime
 * ends the hook and nobody learns why.
 */
#define DEADLINE_USEC (45 * USEC_PER_SEC)

/* The bus knows of no such service: that is so while its files are replaced, and not for long. */
#define UNKNOWN_USEC (5 * USEC_PER_SEC)

#define RETRY_USEC (USEC_PER_SEC / 10)

/*
 * How long a started container may take until it executes its program: less than the
 * 60 s after which the runtime ends the hook, and nobody would kill the container.
 */
#define START_USEC (30 * USEC_PER_SEC)

/* The kernel signals no activation: checmate.policy is read again after so long. */
#define START_RETRY_MSEC 20

/* checmate.policy: a line for each program */
#define POLICY_MAX (1024u * 1024u)

/* /proc/PID/cgroup: a line for each v1 hierarchy and one of up to a path's length. */
#define PROC_CGROUP_MAX (64u * 1024u)

/* A name of at most 15 bytes. */
#define PROC_COMM_MAX 64u

/* The bus, of a service that did not come up in the time that the bus gives it. */
#define BUS_ERROR_TIMED_OUT "org.freedesktop.DBus.Error.TimedOut"

/* What the words of a failure are about, as far as it is known. */
static const char *container_id, *container_cgroup;

/* What a failure means for the container. */
static const char *outcome = "not started";

/* What the daemon is asked. */
struct request {
	const struct oci_state *state;
	char *cgroup;
	uint64_t cgroup_id;
	char *runtime;
};

static void request_done(struct request *request)
{
	free(request->cgroup);
	free(request->runtime);
}

/* Names and texts that others have chosen are shown as text, whatever is in them. */
__attribute__((format(printf, 1, 2))) static int complain(const char *format, ...)
{
	_cleanup_free_ char *text = NULL, *shown = NULL, *id = NULL;
	const char *reason, *name;
	va_list ap;

	va_start(ap, format);
	text = text_vformat(format, ap);
	va_end(ap);

	shown = utf8_escape(text ? text : format);
	reason = shown ? shown : "out of memory";
	id = utf8_escape(container_id ? container_id : "(unknown)");
	name = id ? id : "(unknown)";

	fprintf(stderr, "checmate-oci-hook: %s%s%s%s\n", container_id ? "container " : "",
		container_id ? name : "", container_id ? ": " : "", reason);
	/* Runtimes commonly keep what a hook prints to themselves. */
	(void)sd_journal_send("MESSAGE=container %s is %s: %s", name, outcome, reason,
			      "MESSAGE_ID=" LOG_ID_CONTAINER_REFUSED, "PRIORITY=%d", LOG_ERR,
			      "CHECMATE_CONTAINER=%s", container_id ? container_id : "",
			      container_cgroup ? "CHECMATE_CGROUP=%s" : NULL, container_cgroup,
			      NULL);
	return -EPERM;
}

static void warn_of(const struct json_object *entry)
{
	_cleanup_free_ char *warning = jsondoc_path_warning(entry);
	_cleanup_free_ char *id = utf8_escape(container_id);

	if (!warning || !id)
		return;
	fprintf(stderr, "checmate-oci-hook: container %s: warning: %s\n", id, warning);
	(void)sd_journal_send("MESSAGE=container %s: %s", id, warning,
			      "MESSAGE_ID=" LOG_ID_CONTAINER_PATH, "PRIORITY=%d", LOG_WARNING,
			      "CHECMATE_CONTAINER=%s", container_id, "CHECMATE_CGROUP=%s",
			      container_cgroup, "CHECMATE_POLICY=%s",
			      jsondoc_get_text(entry, "policy"), NULL);
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
	return oci_state_parse_cgroup(text, ret_cgroup);
}

static int find_cgroup(const struct oci_state *state, char **ret_cgroup)
{
	pid_t pid = state->pid;
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

	r = oci_state_find_cgroup(state, container, own, ret_cgroup, &error);
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
	if (sd_bus_error_has_name(error, "org.freedesktop.systemd1.UnitMasked"))
		return complain(
			"checmated is not running, and its unit is masked; 'systemctl unmask checmated.service'");
	if (sd_bus_error_has_names(error, SD_BUS_ERROR_SERVICE_UNKNOWN,
				   SD_BUS_ERROR_NAME_HAS_NO_OWNER,
				   "org.freedesktop.systemd1.NoSuchUnit",
				   "org.freedesktop.DBus.Error.Spawn.ServiceNotFound"))
		return complain("checmated is not running; 'systemctl start checmated.service'");
	if (sd_bus_error_has_name(error, BUS_ERROR_TIMED_OUT))
		return complain(
			"checmated does not start; see 'systemctl status checmated.service'");
	if (r == -ETIMEDOUT ||
	    sd_bus_error_has_names(error, SD_BUS_ERROR_NO_REPLY, SD_BUS_ERROR_TIMEOUT))
		return complain(
			"checmated does not answer; see 'systemctl status checmated.service'");
	if (sd_bus_error_has_name(error, SD_BUS_ERROR_ACCESS_DENIED))
		return complain("checmated refuses: %s; a container is started by root, or by the user to whom its cgroup belongs",
				error->message);
	return complain("%s", error->message ? error->message : strerror(-r));
}

/*
 * How long after the first try it is worth to try again: a daemon that is
 * started anew, or replaced, must not cost a container its start. Nor must it that
 * a user starts many at once.
 */
static uint64_t patience_usec(int r, const sd_bus_error *error)
{
	if (sd_bus_error_has_names(error, SD_BUS_ERROR_SERVICE_UNKNOWN,
				   SD_BUS_ERROR_NAME_HAS_NO_OWNER))
		return UNKNOWN_USEC;
	if (r == -ECONNRESET || r == -ENOTCONN || r == -EPIPE ||
	    sd_bus_error_has_names(error, SD_BUS_ERROR_NO_REPLY, SD_BUS_ERROR_DISCONNECTED,
				   BUS_ERROR("Busy")))
		return DEADLINE_USEC;
	return 0;
}

/*
 * The runtime hands on its environment, and with it what whoever started the container says:
 * another bus could answer in checmated's place.
 */
static int open_bus(sd_bus **ret_bus)
{
	_cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
	int r;

	r = sd_bus_new(&bus);
	if (r >= 0)
		r = sd_bus_set_address(bus, BUS_ADDRESS);
	if (r >= 0)
		r = sd_bus_set_bus_client(bus, true);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r < 0)
		return r;
	*ret_bus = TAKE_PTR(bus);
	return 0;
}

static int call_daemon(const struct request *request, uint64_t timeout_usec,
		       sd_bus_error *ret_error, sd_bus_message **ret_reply)
{
	_cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	int r;

	r = open_bus(&bus);
	if (r < 0)
		return sd_bus_error_setf(ret_error, SD_BUS_ERROR_FAILED,
					 "system bus cannot be reached at " BUS_ADDRESS
					 ": %s; checmated is asked over it",
					 strerror(-r));

	r = sd_bus_message_new_method_call(bus, &m, BUS_NAME, BUS_PATH, BUS_INTERFACE,
					   "ApplyContainer");
	if (r >= 0)
		r = sd_bus_message_append(m, "susts", request->state->id,
					  (uint32_t)request->state->pid, request->cgroup,
					  request->cgroup_id, request->runtime);
	if (r >= 0)
		r = append_annotations(m, request->state);
	if (r < 0)
		return sd_bus_error_setf(ret_error, SD_BUS_ERROR_FAILED,
					 "request cannot be made: %s", strerror(-r));

	return sd_bus_call(bus, m, timeout_usec, ret_error, ret_reply);
}

/* @ret_policies: those that the container has now. */
static int ask_daemon(const struct request *request, char ***ret_policies)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	uint64_t start = now_usec(), spent = 0;
	int r;

	for (;;) {
		_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

		r = call_daemon(request, DEADLINE_USEC - spent, &error, &reply);
		if (r >= 0)
			break;
		(void)usleep(RETRY_USEC);
		spent = now_usec() - start;
		if (spent >= patience_usec(r, &error))
			return complain_call(r, &error);
	}

	r = sd_bus_message_read_strv(reply, ret_policies);
	if (r < 0)
		return complain("answer of checmated is not understood: %s", strerror(-r));
	if (!strv_length(*ret_policies) && has_own_annotation(request->state))
		return complain(
			"no binding of checmated matches its annotations; correct them or add a file to /etc/checmate/bindings.d");
	return 0;
}

/*
 * The runtime is who started the hook.  Binding files name what that program is
 * called, unless the hook was told a name.
 */
static int find_runtime(const char *name, char **ret_runtime)
{
	_cleanup_free_ char *comm = NULL;
	char path[sizeof("/proc/2147483647/comm")];
	int r;

	if (name) {
		comm = strdup(name);
		if (!comm)
			return complain("out of memory");
	} else {
		snprintf(path, sizeof(path), "/proc/%d/comm", (int)getppid());
		r = file_read(AT_FDCWD, path, PROC_COMM_MAX, &comm, NULL);
		if (r < 0)
			return complain("name of the runtime cannot be told: %s: %s", path,
					strerror(-r));
		oci_state_trim_runtime(comm);
	}
	*ret_runtime = TAKE_PTR(comm);
	return 0;
}

/*
 * Nothing that goes wrong here keeps the container from starting. Rootless, the kernel does not
 * show the policies: then nothing is said.
 */
static void warn_of_paths(const struct request *request, char *const *policies)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *cgroup = NULL;
	_cleanup_strv_ char **lists = NULL;
	_cleanup_free_ char *folder = NULL;
	struct json_object *paths = NULL;

	if (checmate_cgroup_open(request->cgroup, &cgroup, NULL) < 0)
		return;
	for (; *policies; policies++) {
		_cleanup_(checmate_binding_freep) struct checmate_binding *binding = NULL;

		if (checmate_binding_open(cgroup, *policies, &binding, NULL) < 0 ||
		    jsondoc_lists_of_binding(binding, NULL, &lists) < 0)
			return;
	}
	/* Only for those that list paths is anything read of the bundle. */
	if (!lists || !request->state->bundle ||
	    oci_state_bundle_root(request->state->bundle, &folder) < 0)
		return;
	if (jsondoc_paths(&(struct jsondoc_root){ .pid = request->state->pid, .below = folder },
			  lists, &paths) < 0)
		return;
	for (size_t i = 0; i < json_object_array_length(paths); i++)
		warn_of(json_object_array_get_idx(paths, i));
	json_object_put(paths);
}

static int read_state(struct oci_state *ret_state)
{
	_cleanup_free_ char *text = NULL, *error = NULL;
	size_t size;
	int r;

	r = oci_state_read(STDIN_FILENO, &text, &size, &error);
	if (r >= 0)
		r = oci_state_parse(text, size, ret_state, &error);
	return r < 0 ? complain_error(r, error) : 0;
}

static int run(const char *runtime)
{
	_cleanup_strv_ char **policies = NULL;
	_cleanup_(oci_state_done) struct oci_state state = {};
	_cleanup_(request_done) struct request request = { .state = &state };
	int r;

	r = read_state(&state);
	if (r < 0)
		return r;
	/* A process that runs, or that runc restores, never comes to an exec that activates. */
	if (state.status == OCI_STATUS_OTHER)
		return complain(
			"container state: 'status' is not \"creating\" or \"created\"; the hook belongs under createRuntime, before the container runs; start a container anew instead of restoring it");
	container_id = state.id;

	r = find_cgroup(&state, &request.cgroup);
	if (r >= 0) {
		container_cgroup = request.cgroup;
		r = cgroup_id(request.cgroup, &request.cgroup_id);
	}
	if (r >= 0)
		r = find_runtime(runtime, &request.runtime);
	if (r >= 0)
		r = ask_daemon(&request, &policies);
	if (r >= 0 && policies)
		warn_of_paths(&request, policies);

	/* They are the state's and the request's. */
	container_id = container_cgroup = NULL;
	return r;
}

/*
 * Whether policies wait for an exec in a cgroup, or -errno.  A user's hook may not use
 * libchecmate, but everybody can read the file.
 */
static int is_staged(const char *cgroup)
{
	_cleanup_free_ char *path = NULL, *text = NULL;
	int r;

	if (asprintf(&path, "/sys/fs/cgroup%s/checmate.policy", cgroup) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	r = file_read(AT_FDCWD, path, POLICY_MAX, &text, NULL);
	/* The cgroup is gone, or the kernel stages nothing. */
	if (r == -ENOENT || r == -ENODEV)
		return false;
	return r < 0 ? r : strstr(text, " staged\n") != NULL;
}

static int kill_cgroup(const char *cgroup)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -EBADF;

	if (asprintf(&path, "/sys/fs/cgroup%s/cgroup.kill", cgroup) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 || write(fd, "1", 1) < 0 ? -errno : 0;
}

/* Returns whether the container may go on, or -errno after it was complained. */
static int await_exec(const char *cgroup, int pidfd)
{
	struct pollfd end = { .fd = pidfd, .events = POLLIN };
	uint64_t start = now_usec();
	bool ended;
	int r;

	for (int timeout = 0;; timeout = START_RETRY_MSEC) {
		ended = poll(&end, 1, timeout) > 0;
		r = is_staged(cgroup);
		if (r <= 0 || ended || now_usec() - start >= START_USEC)
			break;
	}
	if (r < 0)
		return complain("%s/checmate.policy cannot be read: %s", cgroup, strerror(-r));
	if (r > 0)
		return complain(
			"its process executes no program, for which its policies wait; have the runtime execute one, without a handler");
	/* The kernel drops what is staged for a process that ends, and others may be left. */
	return !ended;
}

static int watch_start(const struct oci_state *state, int pidfd, char **ret_cgroup)
{
	int r;

	r = find_cgroup(state, ret_cgroup);
	if (r < 0)
		return r;
	container_cgroup = *ret_cgroup;
	return await_exec(*ret_cgroup, pidfd);
}

/* A runtime ignores that this fails: unless the policies are known to be active, kill. */
static int run_started(void)
{
	_cleanup_(oci_state_done) struct oci_state state = {};
	_cleanup_free_ char *cgroup = NULL;
	_cleanup_close_ int pidfd = -EBADF;
	int r;

	outcome = "killed";
	r = read_state(&state);
	if (r < 0)
		return r;
	/* runc has its poststart hooks run before the start. It has no handlers. */
	if (state.status == OCI_STATUS_CREATED)
		return 0;
	container_id = state.id;
	pidfd = pidfd_open(state.pid, 0);
	if (pidfd >= 0) {
		r = watch_start(&state, pidfd, &cgroup);
		if (r <= 0 && (!cgroup || kill_cgroup(cgroup) < 0))
			(void)pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
	} else if (errno != ESRCH) {
		r = complain("process %d cannot be opened: %s", (int)state.pid, strerror(errno));
		(void)kill(state.pid, SIGKILL);
	}
	container_id = container_cgroup = NULL;
	return r < 0 ? r : 0;
}

static int usage(FILE *to)
{
	fputs("usage: checmate-oci-hook [--runtime=NAME] [--poststart] <STATE\n"
	      "\n"
	      "createRuntime hook of a container runtime: has checmated stage the policies that\n"
	      "its binding files give to the container, and fails when that cannot be done.\n"
	      "\n"
	      "  --runtime=NAME  what Runtime= of a binding file matches; by default what the\n"
	      "                  program is called that started the hook\n"
	      "  --poststart     poststart hook: wait until the staged policies are activated, and\n"
	      "                  kill the container if they are not after 30 s\n",
	      to);
	return to == stdout ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "poststart", no_argument, NULL, 'p' },
		{ "runtime", required_argument, NULL, 'r' },
		{},
	};
	const char *runtime = NULL;
	bool started = false;
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		switch (c) {
		case 'h':
			return usage(stdout);
		case 'p':
			started = true;
			break;
		case 'r':
			runtime = optarg;
			break;
		default:
			return usage(stderr);
		}
	}
	if (optind < argc)
		return usage(stderr);

	return (started ? run_started() : run(runtime)) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
