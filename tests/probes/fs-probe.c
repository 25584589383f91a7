// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Checmate policies - Make one call about files and say what came of it
 *
 *	fs-probe CALL [PATH [PATH]]
 *	fs-probe chroot DIRECTORY CALL PATH [PATH]
 *	fs-probe unshare CALL PATH [PATH]	in a mount namespace of its own
 *
 * See the table at the end for the calls. Those that begin with "uring-" are
 * made by io_uring, those with "exec-" execute the file, in a child, as
 * "PATH true", which has to succeed.
 *
 * Prints "ok" or the name of the errno. Exit status 0 either way, 2 for wrong
 * usage, 1 when what is needed for the call cannot be had.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* These have another header in some C libraries, which cannot go with ours. */
int mount(const char *source, const char *target, const char *type, unsigned long flags,
	  const void *data);
int umount2(const char *target, int flags);
#define MS_REMOUNT 32
#define MS_BIND 4096
#define MS_MOVE 8192
#define MNT_DETACH 2

#define STORM_PROCESSES 16
#define STORM_OPENS 1000

#define PATH_PROC_FD "/proc/self/fd/%d"

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int closed(int fd)
{
	return fd < 0 ? -1 : close(fd);
}

/* --- opening --------------------------------------------------------------- */

static int open_read(const char *path, const char *other)
{
	return closed(open(path, O_RDONLY | O_CLOEXEC));
}

static int open_write(const char *path, const char *other)
{
	return closed(open(path, O_WRONLY | O_CLOEXEC));
}

static int open_trunc(const char *path, const char *other)
{
	return closed(open(path, O_RDONLY | O_TRUNC | O_CLOEXEC));
}

static int open_create(const char *path, const char *other)
{
	return closed(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700));
}

static int open_tmpfile(const char *path, const char *other)
{
	return closed(open(path, O_WRONLY | O_TMPFILE | O_CLOEXEC, 0700));
}

/* Opened without access first, then by the link of that descriptor. */
static int open_proc(const char *path, const char *other)
{
	char link[64];
	int fd;

	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return -1;
	snprintf(link, sizeof(link), PATH_PROC_FD, fd);
	return closed(open(link, O_RDONLY | O_CLOEXEC));
}

/* When the directory is the root. */
static int open_chroot(const char *path, const char *name)
{
	if (chroot(path))
		fail(path);
	return closed(open(name, O_RDONLY | O_CLOEXEC));
}

static int open_handle(const char *path, const char *other)
{
	struct {
		struct file_handle handle;
		unsigned char room[MAX_HANDLE_SZ];
	} h = { .handle.handle_bytes = MAX_HANDLE_SZ };
	int mount_id, dir;

	if (name_to_handle_at(AT_FDCWD, path, &h.handle, &mount_id, 0))
		fail("name_to_handle_at");
	dir = open(other, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		fail(other);
	return closed(open_by_handle_at(dir, &h.handle, O_RDONLY | O_CLOEXEC));
}

/* By a copy of the mount that is in no namespace; @path is a directory. */
static int open_detached(const char *path, const char *name)
{
	int tree;

	tree = syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		fail("open_tree");
	return closed(openat(tree, name, O_RDONLY | O_CLOEXEC));
}

/* Has a directory find its files by names of any case. */
static int casefold(const char *path, const char *other)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), flags = 0;

	if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
		fail(path);
	flags |= FS_CASEFOLD_FL;
	return ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

/* Hands an open file to the first who asks. The socket appears when it is ready. */
static int pass(const char *path, const char *file)
{
	char control[CMSG_SPACE(sizeof(int))] = {}, byte = 'x';
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int listener, peer, fd;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s.new", path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(listener, 1) || rename(address.sun_path, path))
		fail("pass");
	peer = accept(listener, NULL, NULL);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(peer, &msg, 0) == 1 ? 0 : -1;
}

/* The kernel keeps a descriptor back without telling why: EBADF here. */
static int receive(const char *path, const char *other)
{
	char control[CMSG_SPACE(sizeof(int))] = {}, byte;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int fd;

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		fail("connect");
	if (recvmsg(fd, &msg, MSG_CMSG_CLOEXEC) != 1)
		fail("recvmsg");
	if ((msg.msg_flags & MSG_CTRUNC) || !CMSG_FIRSTHDR(&msg)) {
		errno = EBADF;
		return -1;
	}
	return 0;
}

/*
 * Opens both at once, by several processes, many times. Only the second may ever
 * be opened, and always has to be.
 */
static int storm(const char *path, const char *other)
{
	int status, failed = 0;

	for (int i = 0; i < STORM_PROCESSES; i++) {
		const char *mine = i % 2 ? other : path;
		pid_t pid = fork();

		if (pid < 0)
			fail("fork");
		if (pid)
			continue;
		for (int k = 0; k < STORM_OPENS; k++) {
			int fd = open(mine, O_RDONLY | O_CLOEXEC);

			if ((fd >= 0) != (mine == other))
				_exit(1);
			closed(fd);
		}
		_exit(0);
	}
	while (wait(&status) > 0)
		failed |= status;
	errno = EBADMSG;
	return failed ? -1 : 0;
}

/* --- directories and attributes -------------------------------------------- */

static int do_truncate(const char *path, const char *other)
{
	return truncate(path, 0);
}

static int do_mknod(const char *path, const char *other)
{
	return mknod(path, S_IFIFO | 0600, 0);
}

static int do_mkdir(const char *path, const char *other)
{
	return mkdir(path, 0700);
}

static int do_rmdir(const char *path, const char *other)
{
	return rmdir(path);
}

static int do_unlink(const char *path, const char *other)
{
	return unlink(path);
}

static int do_symlink(const char *path, const char *other)
{
	return symlink("/nowhere", path);
}

static int do_link(const char *path, const char *other)
{
	return link(path, other);
}

static int do_rename(const char *path, const char *other)
{
	return rename(path, other);
}

static int do_exchange(const char *path, const char *other)
{
	return renameat2(AT_FDCWD, path, AT_FDCWD, other, RENAME_EXCHANGE);
}

static int do_chmod(const char *path, const char *other)
{
	return chmod(path, 0700);
}

static int do_chown(const char *path, const char *other)
{
	return chown(path, 0, 0);
}

static int do_bind_socket(const char *path, const char *other)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	return bind(fd, (struct sockaddr *)&address, sizeof(address));
}

/* --- io_uring -------------------------------------------------------------- */

/* Submits one entry and waits for it, in a worker of io_uring's own. */
static int uring(const struct io_uring_sqe *sqe)
{
	struct io_uring_params params = {};
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
	char *ring;
	int fd, res;

	fd = syscall(SYS_io_uring_setup, 1, &params);
	if (fd < 0)
		fail("io_uring_setup");
	ring = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQ_RING);
	sqes = mmap(NULL, sizeof(*sqes), PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQES);
	if (ring == MAP_FAILED || sqes == MAP_FAILED || !(params.features & IORING_FEAT_SINGLE_MMAP))
		fail("io_uring");
	*sqes = *sqe;
	sqes->flags |= IOSQE_ASYNC;
	((unsigned int *)(ring + params.sq_off.array))[0] = 0;
	__atomic_store_n((unsigned int *)(ring + params.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		fail("io_uring_enter");
	cqes = (struct io_uring_cqe *)(ring + params.cq_off.cqes);
	res = cqes[0].res;
	close(fd);
	if (res >= 0)
		return 0;
	errno = -res;
	return -1;
}

static int uring_open(const char *path, int flags)
{
	return uring(&(struct io_uring_sqe){
		.opcode = IORING_OP_OPENAT,
		.fd = AT_FDCWD,
		.addr = (unsigned long)path,
		.open_flags = flags,
	});
}

static int uring_read(const char *path, const char *other)
{
	return uring_open(path, O_RDONLY);
}

static int uring_write(const char *path, const char *other)
{
	return uring_open(path, O_WRONLY);
}

static int uring_unlink(const char *path, const char *other)
{
	return uring(&(struct io_uring_sqe){
		.opcode = IORING_OP_UNLINKAT,
		.fd = AT_FDCWD,
		.addr = (unsigned long)path,
	});
}

static int uring_mkdir(const char *path, const char *other)
{
	return uring(&(struct io_uring_sqe){
		.opcode = IORING_OP_MKDIRAT,
		.fd = AT_FDCWD,
		.addr = (unsigned long)path,
		.len = 0700,
	});
}

static int uring_two(int opcode, const char *path, const char *other)
{
	return uring(&(struct io_uring_sqe){
		.opcode = opcode,
		.fd = AT_FDCWD,
		.addr = (unsigned long)path,
		.len = (__u32)AT_FDCWD,
		.addr2 = (unsigned long)other,
	});
}

static int uring_rename(const char *path, const char *other)
{
	return uring_two(IORING_OP_RENAMEAT, path, other);
}

static int uring_link(const char *path, const char *other)
{
	return uring_two(IORING_OP_LINKAT, path, other);
}

/* --- mounts ---------------------------------------------------------------- */

static int mount_bind(const char *path, const char *other)
{
	return mount(path, other, NULL, MS_BIND, NULL);
}

static int mount_move(const char *path, const char *other)
{
	return mount(path, other, NULL, MS_MOVE, NULL);
}

static int mount_tmpfs(const char *path, const char *other)
{
	return mount("tmpfs", path, "tmpfs", 0, NULL);
}

static int do_umount(const char *path, const char *other)
{
	return umount2(path, MNT_DETACH);
}

static int mount_tree(const char *path, const char *other)
{
	int tree = syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0)
		fail("open_tree");
	return syscall(SYS_move_mount, tree, "", AT_FDCWD, other, MOVE_MOUNT_F_EMPTY_PATH);
}

static int pivot_root(const char *path, const char *other)
{
	return syscall(SYS_pivot_root, path, other);
}

/* --- executing ------------------------------------------------------------- */

static char *const exec_argv[] = { "busybox", "true", NULL };

/* What came of it: the errno from the pipe, which a successful execve() closes. */
static int child_result(pid_t pid, int from)
{
	int error = 0, status;

	if (read(from, &error, sizeof(error)) < 0)
		fail("read");
	close(from);
	if (waitpid(pid, &status, 0) != pid)
		fail("waitpid");
	if (!error && status) {
		/* It was let begin and then killed. */
		error = WIFSIGNALED(status) ? EINTR : EIO;
	}
	errno = error;
	return error ? -1 : 0;
}

static int execute(int fd, const char *path, int flags)
{
	int ends[2], error;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		fail("pipe");
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (!pid) {
		syscall(SYS_execveat, fd, path, exec_argv, environ, flags);
		error = errno;
		if (write(ends[1], &error, sizeof(error)) < 0)
			fail("write");
		_exit(1);
	}
	close(ends[1]);
	return child_result(pid, ends[0]);
}

static int exec_path(const char *path, const char *other)
{
	return execute(AT_FDCWD, path, 0);
}

static int exec_fd(const char *path, const char *other)
{
	int fd = open(path, O_PATH);

	return fd < 0 ? -1 : execute(fd, "", AT_EMPTY_PATH);
}

static int exec_link(int fd)
{
	char link[64];

	snprintf(link, sizeof(link), PATH_PROC_FD, fd);
	return execute(AT_FDCWD, link, 0);
}

static int exec_proc(const char *path, const char *other)
{
	int fd = open(path, O_RDONLY);

	return fd < 0 ? -1 : exec_link(fd);
}

static void copy_to(const char *path, int to)
{
	int from = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	off_t offset = 0;

	if (from < 0 || fstat(from, &st))
		fail(path);
	while (offset < st.st_size)
		if (sendfile(to, from, &offset, st.st_size - offset) <= 0)
			fail("sendfile");
	close(from);
}

static int memfd_of(const char *path)
{
	int fd = memfd_create("busybox", 0);

	if (fd < 0)
		fail("memfd_create");
	copy_to(path, fd);
	return fd;
}

static int exec_memfd(const char *path, const char *other)
{
	return execute(memfd_of(path), "", AT_EMPTY_PATH);
}

static int exec_memfd_proc(const char *path, const char *other)
{
	return exec_link(memfd_of(path));
}

/* @other is where a copy is made, to be removed before it is executed. */
static int exec_deleted(const char *path, const char *other)
{
	int to = open(other, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755), fd;

	if (to < 0)
		fail(other);
	copy_to(path, to);
	close(to);
	fd = open(other, O_RDONLY);
	if (fd < 0 || unlink(other))
		fail(other);
	return execute(fd, "", AT_EMPTY_PATH);
}

static int map(int fd, int prot)
{
	return mmap(NULL, 4096, prot, MAP_PRIVATE, fd, 0) == MAP_FAILED ? -1 : 0;
}

static int map_exec(const char *path, const char *other)
{
	return map(open(path, O_RDONLY | O_CLOEXEC), PROT_READ | PROT_EXEC);
}

static int map_memfd(const char *path, const char *other)
{
	return map(memfd_of(path), PROT_READ | PROT_EXEC);
}

static int map_later(const char *path, const char *other)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *memory = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);

	if (memory == MAP_FAILED)
		fail("mmap");
	return mprotect(memory, 4096, PROT_READ | PROT_EXEC);
}

static int map_shm(const char *path, const char *other)
{
	int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0700), r, error;

	if (id < 0)
		fail("shmget");
	r = shmat(id, NULL, SHM_EXEC) == (void *)-1 ? -1 : 0;
	error = errno;
	shmctl(id, IPC_RMID, NULL);
	errno = error;
	return r;
}

/* Says that this process executes another file. */
static int claim(const char *path, const char *other)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fail(path);
	return prctl(PR_SET_MM, PR_SET_MM_EXE_FILE, fd, 0, 0);
}

/* Whether this process was told to mistrust its environment. */
static int secure(const char *path, const char *other)
{
	errno = ENODATA;
	return getauxval(AT_SECURE) ? 0 : -1;
}

static const struct {
	const char *name;
	int (*run)(const char *path, const char *other);
	int paths;
} calls[] = {
	{ "read", open_read, 1 },
	{ "write", open_write, 1 },
	{ "trunc", open_trunc, 1 },
	{ "create", open_create, 1 },
	{ "tmpfile", open_tmpfile, 1 },
	{ "proc", open_proc, 1 },
	{ "read-in", open_chroot, 2 },
	{ "handle", open_handle, 2 },
	{ "detached", open_detached, 2 },
	{ "casefold", casefold, 1 },
	{ "pass", pass, 2 },
	{ "receive", receive, 1 },
	{ "storm", storm, 2 },
	{ "truncate", do_truncate, 1 },
	{ "mknod", do_mknod, 1 },
	{ "mkdir", do_mkdir, 1 },
	{ "rmdir", do_rmdir, 1 },
	{ "unlink", do_unlink, 1 },
	{ "symlink", do_symlink, 1 },
	{ "link", do_link, 2 },
	{ "rename", do_rename, 2 },
	{ "exchange", do_exchange, 2 },
	{ "chmod", do_chmod, 1 },
	{ "chown", do_chown, 1 },
	{ "socket", do_bind_socket, 1 },
	{ "uring-read", uring_read, 1 },
	{ "uring-write", uring_write, 1 },
	{ "uring-unlink", uring_unlink, 1 },
	{ "uring-mkdir", uring_mkdir, 1 },
	{ "uring-rename", uring_rename, 2 },
	{ "uring-link", uring_link, 2 },
	{ "bind", mount_bind, 2 },
	{ "move", mount_move, 2 },
	{ "tmpfs", mount_tmpfs, 1 },
	{ "umount", do_umount, 1 },
	{ "tree", mount_tree, 2 },
	{ "pivot-root", pivot_root, 2 },
	{ "exec", exec_path, 1 },
	{ "exec-fd", exec_fd, 1 },
	{ "exec-proc", exec_proc, 1 },
	{ "exec-memfd", exec_memfd, 1 },
	{ "exec-memfd-proc", exec_memfd_proc, 1 },
	{ "exec-deleted", exec_deleted, 2 },
	{ "map", map_exec, 1 },
	{ "map-memfd", map_memfd, 1 },
	{ "map-later", map_later, 1 },
	{ "map-shm", map_shm, 1 },
	{ "claim", claim, 1 },
	{ "secure", secure, 0 },
};

int main(int argc, char **argv)
{
	if (argc > 3 && !strcmp(argv[1], "chroot")) {
		if (chroot(argv[2]) || chdir("/"))
			fail(argv[2]);
		argv += 2;
		argc -= 2;
	}
	if (argc > 2 && !strcmp(argv[1], "unshare")) {
		if (unshare(CLONE_NEWNS))
			fail("unshare");
		argv++;
		argc--;
	}
	if (argc < 2)
		return 2;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (strcmp(calls[i].name, argv[1]))
			continue;
		if (argc != 2 + calls[i].paths)
			return 2;
		puts(calls[i].run(argv[2], argc > 3 ? argv[3] : NULL) ? strerrorname_np(errno) :
									"ok");
		return 0;
	}
	return 2;
}
