// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Selftests: programs that sleep
 *
 * A program reads a page of its task that userfaultfd keeps from being there,
 * and so sleeps for as long as the test wants it to.
 */

#include <linux/userfaultfd.h>
#include <sys/ioctl.h>

#include "common.h"

/*
 * Read 8 bytes from the address in element 0 of array @map; deny with EUSERS
 * if that went well, with EACCES if it did not.
 */
static int load_reader(const char *hook, int map)
{
	const struct bpf_insn insn[] = {
		STORE_IMM(BPF_W, 10, -4, 0),
		MOV_REG(2, 10), ADD_IMM(2, -4),
		LOAD_MAP(1, map),
		CALL(BPF_FUNC_map_lookup_elem),
		JUMP_IF(BPF_JEQ, 0, 0, 7),
		LOAD(BPF_DW, 3, 0, 0),
		MOV_REG(1, 10), ADD_IMM(1, -16),
		MOV_IMM(2, 8),
		CALL(BPF_FUNC_copy_from_user),
		JUMP_IF(BPF_JNE, 0, 0, 2),
		MOV_IMM(0, -EUSERS),
		EXIT(),
		MOV_IMM(0, -EACCES),
		EXIT(),
	};

	return load_prog(hook, BPF_LSM_MAC, BPF_F_SLEEPABLE, insn,
			 ARRAY_LEN(insn));
}

FIXTURE(sleepable)
{
	struct tree tree;
	int map;
	int prog;
	/* A task of the child, once start_sleeper() is done. */
	pid_t pid;
	int uffd;
	void *page;
};

FIXTURE_SETUP(sleepable)
{
	ASSERT_EQ(0, make_tree(&self->tree, "sleepable"));
	self->map = make_counters();
	ASSERT_LE(0, self->map);
	self->prog = load_reader("socket_bind", self->map);
	ASSERT_LE(0, self->prog);
}

FIXTURE_TEARDOWN(sleepable)
{
	if (self->prog >= 0)
		close(self->prog);
	close(self->map);
	remove_tree(&self->tree);
}

/* A page of this process that whoever has the descriptor must fill in. */
static int absent_page(void **page)
{
	const size_t size = sysconf(_SC_PAGESIZE);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	*page = mmap(NULL, size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg.range.start = (unsigned long)*page;
	reg.range.len = size;
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) ||
	    ioctl(fd, UFFDIO_REGISTER, &reg))
		return -1;
	return fd;
}

/* Have a task of the child bind a socket, and wait until it sleeps in there. */
static bool start_sleeper(FIXTURE_DATA(sleepable) *self)
{
	struct uffd_msg msg;
	int channel[2], key = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, channel))
		return false;
	self->pid = fork();
	if (!self->pid) {
		__u64 address;
		int fd;

		if (join(self->tree.child))
			_exit(251);
		fd = absent_page(&self->page);
		address = (unsigned long)self->page;
		if (fd < 0 ||
		    bpf_map_update_elem(self->map, &key, &address, 0) ||
		    send_fd(channel[1], fd))
			_exit(250);
		_exit(do_bind(NULL));
	}
	close(channel[1]);
	self->uffd = receive_fd(channel[0]);
	close(channel[0]);
	if (self->uffd < 0 ||
	    read(self->uffd, &msg, sizeof(msg)) != sizeof(msg))
		return false;
	self->page = (void *)(unsigned long)msg.arg.pagefault.address;
	return msg.event == UFFD_EVENT_PAGEFAULT;
}

/* Let it go on; returns how its bind() ended. */
static int end_sleeper(FIXTURE_DATA(sleepable) *self)
{
	const size_t size = sysconf(_SC_PAGESIZE);
	struct uffdio_zeropage zero = {
		.range = {
			.start = (unsigned long)self->page & ~(size - 1),
			.len = size,
		},
	};
	int status;

	if (ioctl(self->uffd, UFFDIO_ZEROPAGE, &zero))
		return 249;
	close(self->uffd);
	if (waitpid(self->pid, &status, 0) != self->pid || !WIFEXITED(status))
		return 248;
	return WEXITSTATUS(status);
}

TEST_F(sleepable, sleeps)
{
	ASSERT_EQ(0, attach(self->tree.top, self->prog));
	ASSERT_TRUE(start_sleeper(self));
	EXPECT_EQ(0, waitpid(self->pid, NULL, WNOHANG));
	EXPECT_EQ(EUSERS, end_sleeper(self));
	EXPECT_STREQ("denied 1\npermissive 0\n",
		     read_text(self->tree.child, "checmate.events.local"));
}

/* Sleeping and other programs of a hook take turns, in order. */
TEST_F(sleepable, mixed)
{
	int count = make_counters();
	int before = load_counter("socket_bind", BPF_LSM_CGROUP, count, 0, 1);
	int after = load_counter("socket_bind", BPF_LSM_MAC, count, 1, 0);

	ASSERT_LE(0, before);
	ASSERT_LE(0, after);
	ASSERT_EQ(0, WRITEF(self->tree.top, "checmate.policy",
			    "attach %d\nattach %d mode=permissive\nattach %d\n",
			    before, self->prog, after));
	ASSERT_TRUE(start_sleeper(self));
	EXPECT_EQ(1, counter(count, 0));
	EXPECT_EQ(0, counter(count, 1));
	EXPECT_EQ(0, end_sleeper(self));
	EXPECT_EQ(1, counter(count, 1));
	EXPECT_STREQ("denied 0\npermissive 1\n",
		     read_text(self->tree.child, "checmate.events.local"));
	close(before);
	close(after);
	close(count);
}

/*
 * Replaced while it sleeps: whoever comes now meets the new program, the
 * sleeper goes by what it has begun with.
 */
TEST_F(sleepable, replaced)
{
	__u32 id = prog_id(self->prog);
	int other = load_mac("socket_bind", EPERM);

	ASSERT_LE(0, other);
	ASSERT_EQ(0, attach(self->tree.child, self->prog));
	ASSERT_TRUE(start_sleeper(self));
	ASSERT_EQ(0, WRITEF(self->tree.child, "checmate.policy",
			    "clear\nattach %d\n", other));
	close(self->prog);
	self->prog = -1;
	EXPECT_EQ(EPERM, run_in(self->tree.child, do_bind, NULL));
	EXPECT_EQ(EUSERS, end_sleeper(self));
	EXPECT_TRUE(prog_goes(id));
	close(other);
}

/* Its task has moved on and its cgroup is gone when it wakes up. */
TEST_F(sleepable, cgroup_removed)
{
	__u32 id = prog_id(self->prog);

	ASSERT_EQ(0, attach(self->tree.child, self->prog));
	ASSERT_TRUE(start_sleeper(self));
	ASSERT_EQ(0, WRITEF(CGROUPFS, "cgroup.procs", "%d", self->pid));
	ASSERT_EQ(0, rmdir(self->tree.child));
	close(self->prog);
	self->prog = -1;
	EXPECT_EQ(EUSERS, end_sleeper(self));
	EXPECT_TRUE(prog_goes(id));
}

/* A hook that cannot sleep takes no program that does: it does not load. */
TEST_F(sleepable, other_hooks)
{
	static const char *const hooks[] = {
		"socket_sock_rcv_skb", "task_kill", "sk_free_security",
		"inode_permission",
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(hooks); i++)
		EXPECT_GT(0, load_reader(hooks[i], self->map)) {
			TH_LOG("%s", hooks[i]);
		}
}

TEST_HARNESS_MAIN
