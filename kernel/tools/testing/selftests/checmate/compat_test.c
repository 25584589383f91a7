// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Selftests: readers in small steps, and 32-bit processes
 *
 * What a 32-bit process does is judged like what others do: hooks are behind the
 * system calls.  It also reads, awaits and writes the same files.
 */

#include "common.h"

#include <libgen.h>
#include <sys/ioctl.h>

#define NO_EXEC		126

static const char *helper(void)
{
	static char path[PATH_MAX + 16];
	char self[PATH_MAX] = "";

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return "";
	snprintf(path, sizeof(path), "%s/compat32", dirname(self));
	return path;
}

/* A 32-bit process, the ends of its input and output, and the output. */
struct compat {
	pid_t pid;
	int in;
	int out;
	char text[65536];
};

static int start(struct compat *compat, const char *dir, const char *const *args)
{
	const char *argv[8] = { "compat32" };
	int in[2], out[2], i;

	for (i = 0; args[i] && i < 6; i++)
		argv[i + 1] = args[i];
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		return -errno;
	compat->pid = fork();
	if (compat->pid < 0)
		return -errno;
	if (!compat->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (join(dir) || dup2(in[0], 0) || dup2(out[1], 1) != 1)
			_exit(255);
		execv(helper(), (char **)argv);
		_exit(NO_EXEC);
	}
	close(in[0]);
	close(out[1]);
	compat->in = in[1];
	compat->out = out[0];
	return 0;
}

#define START(COMPAT, DIR, ...) \
	start(COMPAT, DIR, (const char *const[]){ __VA_ARGS__, NULL })

static bool gets_ready(struct compat *compat)
{
	static const char word[] = "ready\n";
	char text[sizeof(word)] = "";
	size_t len = 0;

	while (len < strlen(word) && read(compat->out, text + len, 1) == 1)
		len++;
	return !strcmp(text, word);
}

/* Let it go on, keep what it prints, and return what it exits with. */
static int finish(struct compat *compat)
{
	size_t len = 0;
	ssize_t ret;
	int status;

	ret = write(compat->in, "x", 1);
	close(compat->in);
	while ((ret = read(compat->out, compat->text + len,
			   sizeof(compat->text) - 1 - len)) > 0)
		len += ret;
	compat->text[len] = '\0';
	close(compat->out);
	if (waitpid(compat->pid, &status, 0) != compat->pid ||
	    !WIFEXITED(status))
		return 255;
	return WEXITSTATUS(status);
}

FIXTURE(compat)
{
	struct tree tree;
	struct compat *compat;
};

FIXTURE_SETUP(compat)
{
	signal(SIGPIPE, SIG_IGN);
	self->compat = calloc(1, sizeof(*self->compat));
	ASSERT_NE(NULL, self->compat);
	ASSERT_EQ(0, START(self->compat, CGROUPFS, "nothing"));
	if (finish(self->compat) == NO_EXEC)
		SKIP(return, "no 32-bit processes, or compat32 was not built");
	ASSERT_EQ(0, make_tree(&self->tree, "compat"));
}

FIXTURE_TEARDOWN(compat)
{
	free(self->compat);
	remove_tree(&self->tree);
}

static const struct {
	const char *hook;
	const char *name;
	/* Can be had from socketcall(2) as well. */
	bool multiplexed;
} deeds[] = {
	{ "socket_create", "socket", true },
	{ "socket_socketpair", "socketpair", true },
	{ "socket_bind", "bind", true },
	{ "socket_connect", "connect", true },
	{ "socket_listen", "listen", true },
	{ "socket_accept", "accept", true },
	{ "socket_getsockname", "getsockname", true },
	{ "socket_getpeername", "getpeername", true },
	{ "socket_setsockopt", "setsockopt", true },
	{ "socket_getsockopt", "getsockopt", true },
	{ "socket_shutdown", "shutdown", true },
	{ "socket_sendmsg", "sendmsg", true },
	{ "socket_sendmsg", "sendmmsg", true },
	{ "socket_recvmsg", "recvmsg", true },
	{ "socket_recvmsg", "recvfrom", true },
	{ "file_open", "open", false },
	{ "file_open", "openat", false },
	{ "file_open", "openat2", false },
	{ "bprm_check_security", "execve", false },
	{ "bprm_check_security", "execveat", false },
	{ "task_prctl", "prctl", false },
	{ "task_kill", "kill", false },
	{ "task_getpgid", "getpgid", false },
	{ "file_ioctl_compat", "ioctl", false },
};

/* The policy comes when the process is there: it may deny what starting takes. */
TEST_F_TIMEOUT(compat, denied, 300)
{
	const char *child = self->tree.child;
	int prog = -1, way, round;
	size_t i;

	for (i = 0; i < ARRAY_LEN(deeds); i++) {
		prog = load_mac(deeds[i].hook, EDOM);
		ASSERT_LE(0, prog);
		for (way = 0; way <= deeds[i].multiplexed; way++)
			for (round = 0; round < 2; round++) {
				ASSERT_EQ(0, START(self->compat, child,
						   deeds[i].name,
						   way ? "socketcall" : NULL));
				ASSERT_TRUE(gets_ready(self->compat));
				if (round)
					ASSERT_EQ(0, attach(child, prog));
				EXPECT_EQ(round ? EDOM : 0,
					  finish(self->compat)) {
					TH_LOG("%s %s", deeds[i].name,
					       way ? "by socketcall" : "");
				}
				ASSERT_EQ(0, write_text(child,
							"checmate.policy",
							"clear"));
			}
		close(prog);
	}
}

/*
 * There is a hook of its own for what ioctl(2) of such a process asks: a policy
 * needs programs for both.
 */
TEST_F(compat, ioctl)
{
	const char *child = self->tree.child;
	int prog = load_mac("file_ioctl", EDOM);
	int pair[2], nr;

	ASSERT_LE(0, prog);
	ASSERT_EQ(0, attach(child, prog));
	ASSERT_EQ(0, START(self->compat, child, "ioctl"));
	ASSERT_TRUE(gets_ready(self->compat));
	EXPECT_EQ(0, finish(self->compat));
	EXPECT_STREQ("denied 0\npermissive 0\n",
		     read_text(child, "checmate.events"));
	ASSERT_EQ(0, pipe(pair));
	EXPECT_EQ(0, ioctl(pair[0], FIONREAD, &nr));
	close(pair[0]);
	close(pair[1]);
	close(prog);
}

/* Files with something in them, in more than one line. */
static int fill(struct tree *tree)
{
	int prog[3], err = 0, i;

	prog[0] = load_mac("socket_bind", EDOM);
	prog[1] = load_mac("socket_listen", EDOM);
	prog[2] = load_mac("socket_connect", EDOM);
	err = attach(tree->top, prog[0]) ?: attach(tree->top, prog[1]) ?:
	      WRITEF(tree->child, "checmate.policy",
		     "attach %d mode=permissive\n", prog[2]);
	for (i = 0; i < 12 && !err; i++)
		if (run_in(tree->child, do_bind, NULL) != EDOM ||
		    run_in(tree->child, do_connect, NULL))
			err = -EIO;
	for (i = 0; i < 3; i++)
		close(prog[i]);
	return err;
}

static const char *const files[] = {
	"checmate.policy", "checmate.effective", "checmate.events",
	"checmate.events.local", "checmate.stat", "checmate.socket_bind",
};

static const int sizes[] = { 1, 7, 4096 };

/* Anyone may read in small pieces, also from the end to the beginning. */
TEST(pieces)
{
	char path[2 * PATH_MAX], *want, got[4096];
	struct tree tree;
	size_t i, j, len;
	int fd;

	ASSERT_EQ(0, make_tree(&tree, "pieces"));
	ASSERT_EQ(0, fill(&tree));
	for (i = 0; i < ARRAY_LEN(files); i++) {
		want = strdup(read_text(tree.top, files[i]));
		ASSERT_NE(NULL, want);
		len = strlen(want);
		ASSERT_NE(0, len);
		ASSERT_GT(sizeof(got), len);
		snprintf(path, sizeof(path), "%s/%s", tree.top, files[i]);
		for (j = 0; j < ARRAY_LEN(sizes); j++) {
			const size_t size = sizes[j];
			size_t offset;

			fd = open(path, O_RDONLY | O_CLOEXEC);
			ASSERT_LE(0, fd);
			memset(got, 0, sizeof(got));
			for (offset = 0; offset < len; offset += size)
				EXPECT_LT(0, read(fd, got + offset, size));
			EXPECT_STREQ(want, got);
			EXPECT_EQ(0, read(fd, got, size));

			memset(got, 0, sizeof(got));
			offset = (len - 1) / size * size;
			for (;; offset -= size) {
				EXPECT_LT(0, pread(fd, got + offset, size,
						   offset));
				if (!offset)
					break;
			}
			EXPECT_STREQ(want, got);

			/* From the start again, it is what there is now. */
			ASSERT_EQ(0, lseek(fd, 0, SEEK_SET));
			EXPECT_LT(0, read(fd, got, size));
			EXPECT_EQ(want[0], got[0]);
			EXPECT_EQ(0, pread(fd, got, size, len + 1));
			EXPECT_EQ(0, pread(fd, got, size, 1LL << 32));
			close(fd);
		}
		free(want);
	}
	remove_tree(&tree);
}

static char *read_copy(const char *path)
{
	return strdup(read_text("", path) ?: "");
}

/*
 * A 32-bit reader sees what others see, in whatever pieces it reads.  What earlier
 * tests attached can still be on its way out of the list of hooks: what changed
 * meanwhile is read again.
 */
TEST_F_TIMEOUT(compat, reads, 300)
{
	static const char *const securityfs[] = {
		"/sys/kernel/security/checmate/version", HOOKS_FILE,
	};
	char path[2 * PATH_MAX], size[16], *before, *after;
	size_t i, j, way;
	bool same;

	ASSERT_EQ(0, fill(&self->tree));
	for (i = 0; i < ARRAY_LEN(files) + ARRAY_LEN(securityfs); i++) {
		if (i < ARRAY_LEN(files))
			snprintf(path, sizeof(path), "%s/%s", self->tree.top,
				 files[i]);
		else
			snprintf(path, sizeof(path), "%s",
				 securityfs[i - ARRAY_LEN(files)]);
		for (j = 0; j < ARRAY_LEN(sizes) * 2; j++) {
			way = j % 2;
			snprintf(size, sizeof(size), "%d", sizes[j / 2]);
			do {
				before = read_copy(path);
				EXPECT_NE('\0', *before);
				ASSERT_EQ(0, START(self->compat, CGROUPFS,
						   way ? "pread" : "read", path,
						   size));
				EXPECT_EQ(0, finish(self->compat));
				after = read_copy(path);
				same = !strcmp(before, after);
				free(after);
				if (same)
					EXPECT_STREQ(before, self->compat->text) {
						TH_LOG("%s by %s", path, size);
					}
				free(before);
			} while (!same);
		}
	}
}

/* It is woken, and then reads the new counts. */
TEST_F(compat, polls)
{
	char path[2 * PATH_MAX];

	ASSERT_EQ(0, fill(&self->tree));
	snprintf(path, sizeof(path), "%s/checmate.events", self->tree.top);
	ASSERT_EQ(0, START(self->compat, CGROUPFS, "poll", path));
	ASSERT_TRUE(gets_ready(self->compat));
	EXPECT_EQ(EDOM, run_in(self->tree.child, do_bind, NULL));
	EXPECT_EQ(0, finish(self->compat));
	EXPECT_STREQ("denied 13\npermissive 12\n", self->compat->text);
	EXPECT_STREQ("denied 13\npermissive 12\n",
		     read_text(self->tree.top, "checmate.events"));
}

/* It attaches programs, with descriptors of its own, and is told errors. */
TEST_F(compat, writes)
{
	int prog = load_mac("socket_bind", EDOM);
	char path[2 * PATH_MAX], text[32];
	int inherited = fcntl(prog, F_DUPFD, 500);
	int closed = fcntl(prog, F_DUPFD_CLOEXEC, 600);

	ASSERT_LE(0, inherited);
	ASSERT_LE(0, closed);
	snprintf(path, sizeof(path), "%s/checmate.policy", self->tree.top);
	snprintf(text, sizeof(text), "attach %d\n", closed);
	ASSERT_EQ(0, START(self->compat, CGROUPFS, "write", path, text));
	EXPECT_EQ(EBADF, finish(self->compat));
	snprintf(text, sizeof(text), "attach %d\n", inherited);
	ASSERT_EQ(0, START(self->compat, CGROUPFS, "write", path, text));
	EXPECT_EQ(0, finish(self->compat));
	EXPECT_EQ(1, policy_generation(self->tree.top));
	EXPECT_EQ(EDOM, run_in(self->tree.child, do_bind, NULL));
	ASSERT_EQ(0, START(self->compat, CGROUPFS, "write", path, text));
	EXPECT_EQ(EEXIST, finish(self->compat));
	close(inherited);
	close(closed);
	close(prog);
}

TEST_HARNESS_MAIN
