// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libchecmate - Whether what is attached is enforced
 *
 * A kernel that was booted without the LSM in lsm= attaches programs and never
 * runs them: its own lists look as they should. So it is tried.
 */
#include "selftest.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "backend-check.h"
#include "error.h"
#include "parse.h"
#include "paths.h"
#include "pin.h"
#include "strv.h"
#include "text.h"

#define FOLDER "checmate-selftest."

/* Not in the headers of every libc. */
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* --- what a child tries ----------------------------------------------------- */

/*
 * Each makes the kernel ask one hook, and needs nothing but the kernel. They run
 * in a child that shares no memory and may use system calls only. None of them
 * returns 0 unless the hook was asked and allowed it.
 */
static int try_socket_create(void)
{
	return socket(AF_UNIX, SOCK_DGRAM, 0) < 0 ? -errno : 0;
}

static int try_socket_bind(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	/* The kernel chooses a name. */
	return bind(fd, (struct sockaddr *)&address, sizeof(address.sun_family)) < 0 ? -errno : 0;
}

static int try_socket_connect(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNSPEC };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	return connect(fd, (struct sockaddr *)&address, sizeof(address.sun_family)) < 0 ? -errno :
											  0;
}

static int try_socket_listen(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&address, sizeof(address.sun_family)) < 0)
		return -EIO;
	return listen(fd, 1) < 0 ? -errno : 0;
}

static int try_socket_sendmsg(void)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) < 0)
		return -EIO;
	return send(fds[0], "", 1, MSG_DONTWAIT) < 0 ? -errno : 0;
}

static int try_file_open(void)
{
	return open("/", O_RDONLY | O_DIRECTORY) < 0 ? -errno : 0;
}

static int try_task_kill(void)
{
	return kill((pid_t)syscall(SYS_getpid), 0) < 0 ? -errno : 0;
}

/* The first one is for policies whose hooks are not among these. */
static const struct attempt {
	const char *hook;
	int (*make)(void);
} attempts[] = {
	{ "socket_create", try_socket_create },	  { "socket_bind", try_socket_bind },
	{ "socket_connect", try_socket_connect }, { "socket_listen", try_socket_listen },
	{ "socket_sendmsg", try_socket_sendmsg }, { "file_open", try_file_open },
	{ "task_kill", try_task_kill },
};

/* What a child says by its exit status. */
enum {
	CHILD_ALLOWED,
	CHILD_DENIED,
	CHILD_FAILED,
	CHILD_SEALED,
};

/*
 * The same where seccomp hides clone3(2), as RestrictNamespaces= does: the child
 * moves itself. Returns 0 in the child.
 */
static long clone_and_move(const struct checmate_cgroup *cgroup, int *ret_pidfd)
{
	long pid = syscall(SYS_clone, CLONE_PIDFD, NULL, ret_pidfd, NULL, NULL);
	int fd;

	if (pid)
		return pid;
	fd = openat(cgroup->fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	if (write(fd, "0", 1) != 1)
		_exit(errno == EROFS ? CHILD_SEALED : CHILD_FAILED);
	return 0;
}

/*
 * Has a child in the cgroup make the attempt. Returns 1 it was denied with EPERM, 0 it
 * was allowed, -errno it came to nothing.
 */
static int run_child(const struct checmate_cgroup *cgroup, const struct attempt *attempt)
{
	_cleanup_close_ int pidfd = -1;
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP | CLONE_PIDFD,
		.pidfd = (uintptr_t)&pidfd,
		/* No signal: the child is no business of the caller's handlers and waits. */
		.exit_signal = 0,
		.cgroup = cgroup->fd,
	};
	siginfo_t info = {};
	long pid;
	int r;

	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0 && (errno == ENOSYS || errno == EPERM))
		pid = clone_and_move(cgroup, &pidfd);
	if (pid < 0)
		return -errno;
	if (!pid) {
		r = attempt->make();
		_exit(!r ? CHILD_ALLOWED : r == -EPERM ? CHILD_DENIED : CHILD_FAILED);
	}
	do
		r = waitid(P_PIDFD, pidfd, &info, WEXITED | __WALL);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	if (info.si_code == CLD_EXITED && info.si_status == CHILD_SEALED)
		return -EROFS;
	if (info.si_code != CLD_EXITED || info.si_status > CHILD_DENIED)
		return -EIO;
	return info.si_status;
}

/* --- the program ------------------------------------------------------------ */

/* The kernel's id of a hook's function: from a program for it, or from the kernel's types. */
static int find_hook_id(struct checmate_policy *const *policies, size_t n_policies, const char *hook)
{
	for (size_t i = 0; i < n_policies; i++) {
		struct bpf_program *program;

		bpf_object__for_each_program(program, policies[i]->object->parsed) {
			struct bpf_prog_info info = {};
			__u32 size = sizeof(info);

			if (!streq(backend_check_hook(program), hook))
				continue;
			if (bpf_obj_get_info_by_fd(policy_program_fd(policies[i], program), &info,
						   &size))
				return -errno;
			if (info.attach_btf_id)
				return info.attach_btf_id;
		}
	}
	return libbpf_find_vmlinux_btf_id(hook, BPF_LSM_CGROUP);
}

static bool has_hook(struct checmate_policy *const *policies, size_t n_policies, const char *hook)
{
	for (size_t i = 0; i < n_policies; i++)
		for (size_t j = 0; j < policies[i]->n_programs; j++)
			if (streq(policies[i]->programs[j].hook, hook))
				return true;
	return false;
}

/* A program that denies everything with EPERM. */
static int load_program(int hook_id)
{
	static const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_LSM_CGROUP,
		    .attach_btf_id = hook_id);
	int fd;

	fd = bpf_prog_load(BPF_PROG_TYPE_LSM, "checmate_test", "GPL", code, ARRAY_SIZE(code), &opts);
	return fd < 0 ? -errno : fd;
}

/* --- the test --------------------------------------------------------------- */

static int explain(const struct backend *backend, const struct attempt *attempt, int code,
		   const char *what, struct checmate_error **ret_error)
{
	if (code == -EROFS)
		return error_set(
			ret_error, code,
			"test of enforcement: this process cannot leave its sealed cgroup; run from outside of it");
	if (code == -ENOMEM)
		return error_oom(ret_error);
	return error_set(ret_error, code,
			 "test of enforcement: backend %s, hook %s: %s: %s; see \"checmatectl features\"",
			 backend->name, attempt->hook, what, strerror(-code));
}

static int explain_not_enforced(const struct backend *backend, const struct attempt *attempt,
				const char *what, struct checmate_error **ret_error)
{
	bool is_link = streq(backend->name, "bpf-link");

	return error_set(ret_error, -EIO,
			 "test of enforcement: backend %s, hook %s: %s, so nothing was applied; check that %s is in %s/lsm, see \"checmatectl features\"",
			 backend->name, attempt->hook, what, is_link ? "bpf" : "checmate",
			 checmate_paths.security);
}

/* Whether an attempt is allowed while nothing denies it: else it proves nothing. */
static bool is_usable(const struct checmate_cgroup *cgroup, const struct attempt *attempt)
{
	return !run_child(cgroup, attempt);
}

static const struct attempt *choose(const struct checmate_cgroup *cgroup,
				    struct checmate_policy *const *policies, size_t n_policies)
{
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++)
		if (has_hook(policies, n_policies, attempts[i].hook) &&
		    is_usable(cgroup, &attempts[i]))
			return &attempts[i];
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++)
		if (is_usable(cgroup, &attempts[i]))
			return &attempts[i];
	return NULL;
}

static int test_in(const struct backend *backend, const struct checmate_cgroup *cgroup,
		   struct checmate_policy *const *policies, size_t n_policies,
		   struct checmate_error **ret_error)
{
	const struct attempt *attempt = choose(cgroup, policies, n_policies);
	_cleanup_close_ int program = -1;
	int r, handle, denied;

	if (!attempt) {
		attempt = &attempts[0];
		r = run_child(cgroup, attempt);
		if (r < 0)
			return explain(backend, attempt, r, "a child cannot try it", ret_error);
		return error_set(
			ret_error, -EIO,
			"test of enforcement: all that could be tried is denied already in the root cgroup; remove the policy there first");
	}
	r = find_hook_id(policies, n_policies, attempt->hook);
	if (r < 0)
		return explain(backend, attempt, r, "the kernel does not know it", ret_error);
	program = load_program(r);
	if (program < 0)
		return explain(backend, attempt, program, "a program cannot be loaded", ret_error);

	handle = backend->attach_test(cgroup, program);
	if (handle == -EOPNOTSUPP)
		return explain_not_enforced(backend, attempt, "the kernel attaches no programs",
					    ret_error);
	if (handle < 0)
		return explain(backend, attempt, handle, "a program cannot be attached", ret_error);
	denied = run_child(cgroup, attempt);
	r = backend->detach_test(cgroup, handle);
	if (denied < 0)
		return explain(backend, attempt, denied, "a child cannot try it", ret_error);
	if (!denied)
		return explain_not_enforced(backend, attempt,
					    "an attached program that denies was not asked",
					    ret_error);
	if (r < 0)
		return explain(backend, attempt, r, "a program cannot be detached", ret_error);
	r = run_child(cgroup, attempt);
	if (r < 0)
		return explain(backend, attempt, r, "a child cannot try it", ret_error);
	if (r)
		return explain_not_enforced(backend, attempt,
					    "a program that was detached still denies", ret_error);
	return 0;
}

/* Whoever has the lock is alone with these: what is there was left by a process that died. */
static void remove_stale(void)
{
	_cleanup_closedir_ DIR *dir = opendir(checmate_paths.cgroup);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (startswith(entry->d_name, FOLDER))
			(void)unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
}

static int test(const struct backend *backend, struct checmate_policy *const *policies,
		size_t n_policies, struct checmate_error **ret_error)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *cgroup = NULL;
	_cleanup_free_ char *path = NULL;
	int r;

	remove_stale();
	path = text_format("%s/" FOLDER "%d", checmate_paths.cgroup, (int)getpid());
	if (!path)
		return error_oom(ret_error);
	if (mkdir(path, 0700) < 0)
		return error_set(ret_error, -errno,
				 "test of enforcement: %s: %m; run as root, with cgroups that can be made",
				 path);
	r = checmate_cgroup_open(path, &cgroup, ret_error);
	if (!r)
		r = backend->enable(cgroup, NULL, ret_error);
	if (!r)
		r = test_in(backend, cgroup, policies, n_policies, ret_error);
	(void)rmdir(path);
	return r;
}

int selftest_run(const struct backend *backend, struct checmate_policy *const *policies,
		 size_t n_policies, struct checmate_error **ret_error)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	static const struct backend *passed[4];
	size_t n;
	int r;

	pthread_mutex_lock(&mutex);
	for (n = 0; passed[n]; n++)
		if (passed[n] == backend) {
			pthread_mutex_unlock(&mutex);
			return 0;
		}
	r = test(backend, policies, n_policies, ret_error);
	if (!r)
		passed[n] = backend;
	pthread_mutex_unlock(&mutex);
	return r;
}
