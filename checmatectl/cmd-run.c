// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmatectl - run: a command in a cgroup of its own
 *
 * The cgroup is made below our own, so that everything that holds for us holds
 * for the command, and only more. It is made by mkdir(2): libcgroup takes a
 * cgroup that is there already for a fresh one, and systemd would put a scope
 * elsewhere. Since there are processes beside it, it is a threaded cgroup, with
 * those a single one for controllers of memory and the like.
 *
 * A child waits in the cgroup until the policies are there, and then executes
 * the command. Should we die before, it ends. Should we die after, the command
 * stays under its policies.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "cgroup-ref.h"
#include "command.h"
#include "file.h"
#include "parse.h"
#include "paths.h"
#include "policy-args.h"

/* Where fresh cgroups are when we are in the root, which others may look into. */
#define RUN_FOLDER "checmate-run"

/* What is passed on to the command. */
static const int forwarded[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2 };

/**
 * struct run - One run.
 * @parent: where @cgroup is.
 * @cgroup: the fresh cgroup, or NULL.
 * @name: its name below @parent.
 * @signals: signalfd of SIGCHLD and what is forwarded; all these are blocked.
 * @mask: what was blocked before.
 * @pid: the child, or 0.
 * @go: a byte written there has the child execute the command.
 * @result: where the errno comes from if that fails.
 */
struct run {
	struct checmate_cgroup *parent;
	struct checmate_cgroup *cgroup;
	char name[64];
	int signals;
	sigset_t mask;
	pid_t pid;
	int go;
	int result;
};

/* --- the cgroup ------------------------------------------------------------- */

/* Returns an exit status. */
static int open_parent(const struct options *options, struct checmate_cgroup **ret_parent)
{
	_cleanup_error_ struct checmate_error *error = NULL;
	_cleanup_cgroup_ struct checmate_cgroup *own = NULL;
	int r;

	if (options->parent)
		return cgroup_ref_open(options->parent, ret_parent);
	if (checmate_cgroup_open_pid(getpid(), &own, &error) < 0)
		return fail(error);
	if (!streq(checmate_cgroup_path(own), "/")) {
		*ret_parent = TAKE_PTR(own);
		return EXIT_DONE;
	}
	/* Another run may be removing it, as the last one. */
	do {
		error = checmate_error_free(error);
		if (mkdirat(checmate_cgroup_fd(own), RUN_FOLDER, 0755) < 0 && errno != EEXIST)
			return fail_text("cgroup /%s: not made: %m; run as root", RUN_FOLDER);
		r = checmate_cgroup_open("/" RUN_FOLDER, ret_parent, &error);
	} while (r == -ENOENT);
	return r < 0 ? fail(error) : EXIT_DONE;
}

/* As the kernel has it for a cgroup beside processes, unless that is done. */
static int make_threaded(const struct checmate_cgroup *cgroup)
{
	_cleanup_free_ char *type = NULL;
	int r;

	r = file_read(checmate_cgroup_fd(cgroup), "cgroup.type", 64, &type, NULL);
	if (r < 0 || !streq(type, "domain invalid\n"))
		return r;
	return file_write(checmate_cgroup_fd(cgroup), "cgroup.type", "threaded");
}

/* Returns an exit status. */
static int make_folder(struct run *run, const struct options *options)
{
	int i = 0, status;

	for (;;) {
		status = run->parent ? EXIT_DONE : open_parent(options, &run->parent);
		if (status)
			return status;
		/* One that an earlier process of our id has left is not ours. */
		snprintf(run->name, sizeof(run->name), "run-%d.%d", (int)getpid(), i++);
		if (mkdirat(checmate_cgroup_fd(run->parent), run->name, 0755) == 0)
			return EXIT_DONE;
		if (errno == EEXIST)
			continue;
		if (options->parent || (errno != ENOENT && errno != ENODEV))
			return fail_text("cgroup %s: nothing can be made in it: %m; run as root, "
					 "or give another with --parent",
					 checmate_cgroup_path(run->parent));
		/* The folder for all has just gone. */
		run->parent = checmate_cgroup_free(run->parent);
	}
}

/* Returns an exit status. */
static int make_cgroup(struct run *run, const struct options *options)
{
	_cleanup_error_ struct checmate_error *error = NULL;
	_cleanup_close_ int fd = -1;
	int r;

	r = make_folder(run, options);
	if (r)
		return r;
	fd = openat(checmate_cgroup_fd(run->parent), run->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || checmate_cgroup_open_fd(fd, &run->cgroup, &error) < 0) {
		unlinkat(checmate_cgroup_fd(run->parent), run->name, AT_REMOVEDIR);
		return fd < 0 ? fail_text("cgroup %s: not opened: %m; try again", run->name) :
				fail(error);
	}
	if (checmate_cgroup_enable(run->cgroup, NULL, &error) < 0)
		return fail(error);
	r = make_threaded(run->cgroup);
	if (r < 0)
		return fail_text("cgroup %s: not made a threaded one: %s; give another with "
				 "--parent",
				 checmate_cgroup_path(run->cgroup), strerror(-r));
	return EXIT_DONE;
}

static void warn(const char *path, const char *what, int r)
{
	fail_text("cgroup %s: %s: %s; see what is in it, remove it, and then \"checmatectl gc\"",
		  path, what, strerror(-r));
}

static bool populated(int events_fd)
{
	char text[256];
	ssize_t n;

	n = pread(events_fd, text, sizeof(text) - 1, 0);
	if (n < 0)
		return false; /* it has been removed */
	text[n] = '\0';
	return strstr(text, "populated 1");
}

/* Calls a function with every cgroup in this one. Returns what the first failure does. */
static int each_child(int fd, int (*function)(int parent_fd, const char *name))
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *entry;
	int copy, r;

	copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (copy < 0)
		return -errno;
	dir = fdopendir(copy);
	if (!dir) {
		close(copy);
		return -ENOMEM;
	}
	while ((entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || streq(entry->d_name, ".") ||
		    streq(entry->d_name, ".."))
			continue;
		r = function(fd, entry->d_name);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What is frozen can neither fork nor go elsewhere, but be killed. */
static int kill_threads(int parent_fd, const char *name)
{
	_cleanup_free_ char *threads = NULL;
	_cleanup_close_ int fd = -1;
	char *line, *rest;
	uint64_t tid;
	int r;

	fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = file_read(fd, "cgroup.threads", 16 * 1024 * 1024, &threads, NULL);
	if (r < 0)
		return r;
	rest = threads;
	while ((line = strsep(&rest, "\n")))
		if (!parse_u64(line, INT32_MAX, &tid) && tid)
			kill(tid, SIGKILL);
	return each_child(fd, kill_threads);
}

/* Kills all at once where the kernel can, which it cannot in a threaded cgroup. */
static int kill_all(int fd)
{
	int r;

	r = file_write(fd, "cgroup.kill", "1");
	if (r != -EOPNOTSUPP)
		return r;
	r = file_write(fd, "cgroup.freeze", "1");
	if (r < 0)
		return r;
	return kill_threads(fd, ".");
}

/* Ends what the command has left behind. A signal ends the waiting for it. */
static int kill_rest(const struct run *run)
{
	int cgroup_fd = checmate_cgroup_fd(run->cgroup);
	_cleanup_close_ int events = -1;
	int r;

	events = openat(cgroup_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	if (events < 0)
		return -errno;
	r = kill_all(cgroup_fd);
	if (r < 0)
		return r;
	while (populated(events)) {
		struct pollfd fds[] = {
			{ .fd = events, .events = POLLPRI },
			{ .fd = run->signals, .events = POLLIN },
		};
		struct signalfd_siginfo info;

		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			return -errno;
		if (fds[1].revents && read(run->signals, &info, sizeof(info)) == sizeof(info) &&
		    info.ssi_signo != SIGCHLD)
			return -EINTR;
	}
	return 0;
}

/* Removes a cgroup, those that the command has made in it, and their pins. */
static int remove_cgroup(int parent_fd, const char *name)
{
	_cleanup_cgroup_ struct checmate_cgroup *cgroup = NULL;
	_cleanup_close_ int fd = -1;
	int r;

	fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = checmate_cgroup_open_fd(fd, &cgroup, NULL);
	if (r < 0)
		return r;
	r = each_child(fd, remove_cgroup);
	if (r < 0)
		return r;

	/* In this order its policies hold as long as anything is in it. */
	if (unlinkat(parent_fd, name, AT_REMOVEDIR) < 0)
		return -errno;
	r = checmate_binding_remove_id(checmate_cgroup_id(cgroup), NULL, NULL);
	return r == -ENOENT ? 0 : r;
}

static void run_done(struct run *run)
{
	int r;

	cleanup_close(&run->go);
	cleanup_close(&run->result);
	if (run->pid > 0)
		waitpid(run->pid, NULL, 0);
	if (run->cgroup) {
		r = kill_rest(run);
		if (r < 0)
			warn(checmate_cgroup_path(run->cgroup), "not all in it has ended", r);
		r = remove_cgroup(checmate_cgroup_fd(run->parent), run->name);
		if (r < 0)
			warn(checmate_cgroup_path(run->cgroup), "not removed", r);
	}
	/* The folder for all goes with the last of them. */
	if (run->parent && streq(checmate_cgroup_path(run->parent), "/" RUN_FOLDER))
		unlinkat(checmate_cgroup_fd(run->parent), "../" RUN_FOLDER, AT_REMOVEDIR);
	checmate_cgroup_free(run->cgroup);
	checmate_cgroup_free(run->parent);
	cleanup_close(&run->signals);
}

/* --- the child -------------------------------------------------------------- */

static void __attribute__((noreturn)) child(const struct run *run, int go, int result, char **exec)
{
	int error;
	char byte;

	sigprocmask(SIG_SETMASK, &run->mask, NULL);
	if (read(go, &byte, 1) != 1)
		_exit(EXIT_NO_SETUP);
	execvp(exec[0], exec);
	error = errno;
	/* The policies may deny even this; then the status is all that tells. */
	(void)!write(result, &error, sizeof(error));
	_exit(error == ENOENT ? EXIT_NOT_FOUND : EXIT_NO_EXEC);
}

/* Returns an exit status. */
static int start(struct run *run, char **exec)
{
	int go[2], result[2];
	char text[24];
	int r;

	if (pipe2(go, O_CLOEXEC) < 0)
		return fail_text("run: no pipe: %m; close files");
	if (pipe2(result, O_CLOEXEC) < 0) {
		close(go[0]);
		close(go[1]);
		return fail_text("run: no pipe: %m; close files");
	}
	run->pid = fork();
	if (!run->pid) {
		close(go[1]);
		child(run, go[0], result[1], exec);
	}
	close(go[0]);
	close(result[1]);
	run->go = go[1];
	run->result = result[0];
	if (run->pid < 0)
		return fail_text("run: no process: %m; try again");

	snprintf(text, sizeof(text), "%d", (int)run->pid);
	r = file_write(checmate_cgroup_fd(run->cgroup), "cgroup.procs", text);
	if (r < 0)
		return fail_text("cgroup %s: no process can be in it: %s; give another with "
				 "--parent",
				 checmate_cgroup_path(run->cgroup), strerror(-r));
	return EXIT_DONE;
}

/* Until the command ends. Returns its exit status. */
static int supervise(struct run *run)
{
	struct signalfd_siginfo signal;
	siginfo_t info = {};

	for (;;) {
		if (waitid(P_PID, run->pid, &info, WEXITED | WNOHANG) < 0 && errno != EINTR) {
			fail_text("run: process %d: %m; see what it does", (int)run->pid);
			return EXIT_NO_SETUP;
		}
		if (info.si_pid)
			break;
		if (read(run->signals, &signal, sizeof(signal)) != sizeof(signal))
			continue;
		/* What the terminal sends, it sends to the command too. */
		if (signal.ssi_signo != SIGCHLD && signal.ssi_code <= 0)
			kill(run->pid, signal.ssi_signo);
	}
	run->pid = 0;
	return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

/* --- the command ------------------------------------------------------------ */

static int block_signals(struct run *run)
{
	sigset_t set, blocked;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
		sigaddset(&set, forwarded[i]);
	/* Writing to somebody who has ended is an error like any other. */
	blocked = set;
	sigaddset(&blocked, SIGPIPE);
	if (sigprocmask(SIG_BLOCK, &blocked, &run->mask) < 0)
		return -errno;
	/* Ignored, nobody could be waited for; and the command shall have the usual. */
	signal(SIGCHLD, SIG_DFL);
	run->signals = signalfd(-1, &set, SFD_CLOEXEC);
	return run->signals < 0 ? -errno : 0;
}

/* Everything up to the policies. Returns an exit status. */
static int set_up(struct run *run, const struct options *options, struct policy_args *args)
{
	struct checmate_apply_opts opts = {
		.sz = sizeof(opts),
		.permissive = options->permissive,
		.seal = options->seal,
	};
	_cleanup_features_ struct checmate_features *features = NULL;
	_cleanup_error_ struct checmate_error *error = NULL;
	int status;

	if (checmate_features_probe(&features, &error) < 0)
		return fail(error);
	if (!checmate_features_backend(features))
		return fail_text("run: this machine cannot enforce policies; \"checmatectl "
				 "features\" says why");
	if (policy_args_load(args, &error) < 0)
		return fail(error);
	status = make_cgroup(run, options);
	if (!status)
		status = start(run, options->exec);
	if (status)
		return status;

	opts.when_exec = checmate_features_supports(features, "staging");
	if (opts.when_exec)
		opts.pid = run->pid;
	else
		fail_text("run: %s: its policies hold already before it is executed; the backend "
			  "%s has no staging",
			  options->exec[0], checmate_features_backend(features));
	if (checmate_binding_apply(run->cgroup, args->policies, args->n, &opts, &error) < 0)
		return fail(error);
	return EXIT_DONE;
}

int command_run(const struct options *options, int argc, char **argv)
{
	_cleanup_(run_done) struct run run = { .signals = -1, .go = -1, .result = -1 };
	_cleanup_(policy_args_done) struct policy_args args = {};
	_cleanup_strv_ char **lists = NULL;
	int error, r;

	if (policy_args_read(&args, options, argc, argv))
		return EXIT_NO_SETUP;
	if (policy_args_lists(&args, &lists) >= 0)
		json_object_put(paths_warn(0, lists));
	r = block_signals(&run);
	if (r < 0) {
		fail_text("run: signals: %s; try again", strerror(-r));
		return EXIT_NO_SETUP;
	}
	if (set_up(&run, options, &args))
		return EXIT_NO_SETUP;

	if (write(run.go, "", 1) != 1) {
		fail_text("run: the process to be has ended; try again");
		return EXIT_NO_SETUP;
	}
	if (read(run.result, &error, sizeof(error)) == sizeof(error))
		fail_text("run: %s: %s; see whether it is there, and what the policies say",
			  options->exec[0], strerror(error));
	return supervise(&run);
}
