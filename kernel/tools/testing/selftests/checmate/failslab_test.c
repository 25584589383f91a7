// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Selftests: allocations that fail
 *
 * Of each way to change or read a policy, the first allocation is made to fail,
 * then the second, and so on, until it succeeds with none having failed.  Each
 * time the error is ENOMEM and nothing has changed; or else that allocation was
 * one that can be done without, and everything has.
 */

#include "common.h"

#define FAIL_NTH	"/proc/thread-self/fail-nth"
#define DEBUGFS	"/sys/kernel/debug"

enum prog {
	PROG_DENY_BIND,
	/* Denies with another errno. */
	PROG_DENY_BIND_TOO,
	PROG_DENY_CONNECT,
	PROG_ALLOW_LISTEN,
	PROG_ALLOW_OPEN,
	PROG_ALLOW_SEND,
	NR_PROGS,
};

/**
 * struct setup - What there is at first
 * @tree: the test runs in its child
 * @deep: a cgroup below that
 * @other: one beside it
 * @spare: the name of another that is not there
 * @prog: the programs; top has one that denies, the others one that allows
 * @last_id: no program that was there before has a higher id
 * @fail_nth: which allocation fails is asked for with a file that is open
 * @junk: a file that can be executed, but with no success
 * @id: attachment id of what base() has attached
 * @generation: of top after that
 */
struct setup {
	struct tree tree;
	char deep[PATH_MAX];
	char other[PATH_MAX];
	char spare[PATH_MAX];
	int prog[NR_PROGS];
	__u32 last_id;
	int fail_nth;
	int junk;
	unsigned long long id;
	long long generation;
};

/**
 * struct way - A way to change or read a policy
 * @name: for people
 * @prepare: has the attempt find what it needs, beyond the base
 * @attempt: does it; returns 0 or a negative errno
 * @done: whether it has had its whole effect
 * @undo: what base() does not
 */
struct way {
	const char *name;
	int (*prepare)(struct setup *self);
	int (*attempt)(struct setup *self);
	bool (*done)(struct setup *self);
	void (*undo)(struct setup *self);
};

static int write_policy(const char *dir, const char *text)
{
	return write_text(dir, "checmate.policy", text);
}

/* The state that all begin with. */
static int base(struct setup *self)
{
	int err = WRITEF(self->tree.top, "checmate.policy",
			 "clear\nattach %d\n", self->prog[PROG_DENY_BIND]);

	self->id = nth_id(self->tree.top, 0);
	self->generation = policy_generation(self->tree.top);
	return err;
}

static bool denies(int bind_err, int connect_err)
{
	return do_bind(NULL) == bind_err && do_connect(NULL) == connect_err;
}

static int lines(struct setup *self)
{
	return count_lines(read_text(self->tree.top, "checmate.policy")) - 1;
}

static bool is_staged(const char *dir)
{
	return strstr(read_text(dir, "checmate.policy"), " staged\n");
}

/* --- transactions -------------------------------------------------------- */

static int attach_one(struct setup *self)
{
	return attach(self->tree.top, self->prog[PROG_DENY_CONNECT]);
}

static bool attached_one(struct setup *self)
{
	return lines(self) == 2 && denies(EUSERS, EACCES);
}

static int attach_several(struct setup *self)
{
	return WRITEF(self->tree.top, "checmate.policy",
		      "attach %d\nattach %d\nattach %d\nattach %d\n",
		      self->prog[PROG_DENY_CONNECT],
		      self->prog[PROG_ALLOW_LISTEN],
		      self->prog[PROG_ALLOW_OPEN],
		      self->prog[PROG_DENY_BIND_TOO]);
}

static bool attached_several(struct setup *self)
{
	return lines(self) == 5 && denies(EUSERS, EACCES);
}

static int replace(struct setup *self)
{
	return WRITEF(self->tree.top, "checmate.policy",
		      "detach %llu\nattach %d\n", self->id,
		      self->prog[PROG_DENY_BIND_TOO]);
}

static bool replaced(struct setup *self)
{
	return lines(self) == 1 && denies(EPERM, 0);
}

static int change_mode(struct setup *self)
{
	return WRITEF(self->tree.top, "checmate.policy",
		      "mode %llu permissive\n", self->id);
}

static bool changed_mode(struct setup *self)
{
	return lines(self) == 1 && denies(0, 0);
}

static int detach(struct setup *self)
{
	return WRITEF(self->tree.top, "checmate.policy", "detach %llu\n",
		      self->id);
}

static int clear_all(struct setup *self)
{
	return write_policy(self->tree.top, "clear\n");
}

static int compare(struct setup *self)
{
	return WRITEF(self->tree.top, "checmate.policy",
		      "generation %lld\nclear\n", self->generation);
}

static bool nothing_left(struct setup *self)
{
	return lines(self) == 0 && denies(0, 0);
}

static int hook_attach(struct setup *self)
{
	return WRITEF(self->tree.top, "checmate.socket_connect", "%d\n",
		      self->prog[PROG_DENY_CONNECT]);
}

static int hook_detach(struct setup *self)
{
	return WRITEF(self->tree.top, "checmate.socket_bind", "-%d\n",
		      self->prog[PROG_DENY_BIND]);
}

static int hook_clear(struct setup *self)
{
	return write_text(self->tree.top, "checmate.socket_bind", "0\n");
}

/* --- staging ------------------------------------------------------------- */

static int stage(struct setup *self)
{
	return WRITEF(self->tree.top, "checmate.policy",
		      "when=exec\nattach %d\nattach %d\n",
		      self->prog[PROG_DENY_CONNECT],
		      self->prog[PROG_ALLOW_LISTEN]);
}

static int stage_for_process(struct setup *self)
{
	return WRITEF(self->tree.top, "checmate.policy",
		      "when=exec pid=%d except=%d\nattach %d\nattach %d\n",
		      getpid(), self->fail_nth, self->prog[PROG_DENY_CONNECT],
		      self->prog[PROG_ALLOW_LISTEN]);
}

static bool staged(struct setup *self)
{
	return is_staged(self->tree.top) && lines(self) == 3 &&
	       denies(EUSERS, 0);
}

static int stage_other(struct setup *self)
{
	return WRITEF(self->tree.top, "checmate.policy",
		      "when=exec\nattach %d\n", self->prog[PROG_ALLOW_OPEN]);
}

static bool staged_other(struct setup *self)
{
	return is_staged(self->tree.top) && lines(self) == 2 &&
	       denies(EUSERS, 0);
}

static int withdraw(struct setup *self)
{
	return write_policy(self->tree.top, "when=exec\n");
}

static bool withdrawn(struct setup *self)
{
	return lines(self) == 1 && denies(EUSERS, 0);
}

/* Something else while something is staged, which has to fit to it. */
static int attach_besides(struct setup *self)
{
	return attach(self->tree.top, self->prog[PROG_DENY_BIND_TOO]);
}

static bool attached_besides(struct setup *self)
{
	return is_staged(self->tree.top) && lines(self) == 4 &&
	       denies(EUSERS, 0);
}

/*
 * The file is none that can be executed, which the kernel finds out after what
 * is staged has taken force.
 */
static int begin_exec(struct setup *self)
{
	char *const argv[] = { "", NULL };

	if (!execveat(self->junk, "", argv, argv, AT_EMPTY_PATH))
		return 0;
	return errno == ENOEXEC ? 0 : -errno;
}

static bool armed(struct setup *self)
{
	return !is_staged(self->tree.top) && lines(self) == 3 &&
	       denies(EUSERS, EACCES);
}

/* --- seal ---------------------------------------------------------------- */

static int make_spare(struct setup *self)
{
	if (mkdir(self->spare, 0755))
		return -errno;
	return attach(self->spare, self->prog[PROG_DENY_BIND]);
}

static int make_staged_spare(struct setup *self)
{
	return make_spare(self) ?:
	       WRITEF(self->spare, "checmate.policy",
		      "when=exec\nattach %d\n", self->prog[PROG_ALLOW_OPEN]);
}

static int make_sealed_spare(struct setup *self)
{
	return make_spare(self) ?: write_text(self->spare, "checmate.seal", "1");
}

static int seal_spare(struct setup *self)
{
	return write_text(self->spare, "checmate.seal", "1");
}

static bool sealed(struct setup *self)
{
	return !strcmp(read_text(self->spare, "checmate.seal"), "1\n") &&
	       write_policy(self->spare, "clear") == -EROFS;
}

static int attach_sealed(struct setup *self)
{
	return attach(self->spare, self->prog[PROG_DENY_CONNECT]);
}

static bool attached_sealed(struct setup *self)
{
	return count_lines(read_text(self->spare, "checmate.policy")) == 3 &&
	       count_lines(read_text(self->spare, "checmate.effective")) == 3;
}

static void remove_spare(struct setup *self)
{
	rmdir(self->spare);
}

/* --- cgroups ------------------------------------------------------------- */

static int make_cgroup(struct setup *self)
{
	return mkdir(self->spare, 0755) ? -errno : 0;
}

static bool made_cgroup(struct setup *self)
{
	return !strcmp(read_text(self->spare, "checmate.policy"),
		       "generation 0\n") &&
	       count_lines(read_text(self->spare, "checmate.effective")) == 1;
}

/* The controller for a cgroup that is there, as is one with a policy below. */
static int disable(struct setup *self)
{
	return write_text(self->tree.child, "cgroup.subtree_control",
			  "-checmate");
}

static int enable(struct setup *self)
{
	return enable_controller(self->tree.child);
}

static bool enabled(struct setup *self)
{
	return !strcmp(read_text(self->deep, "checmate.policy"),
		       "generation 0\n") && denies(EUSERS, 0);
}

static void attach_deep(struct setup *self)
{
	attach(self->deep, self->prog[PROG_ALLOW_SEND]);
}

/* --- reading ------------------------------------------------------------- */

/* Read a file; 1 if the end comes early. */
static int read_whole(const char *dir, const char *file)
{
	static char text[16384];
	char path[PATH_MAX];
	size_t len = 0;
	ssize_t ret;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while ((ret = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += ret;
	if (ret < 0)
		ret = -errno;
	close(fd);
	text[len] = '\0';
	if (!ret && (!len || text[len - 1] != '\n'))
		return -EIO;
	return ret;
}

static int read_policy(struct setup *self)
{
	return read_whole(self->tree.child, "checmate.policy");
}

static int read_effective(struct setup *self)
{
	return read_whole(self->deep, "checmate.effective");
}

static int read_stat(struct setup *self)
{
	return read_whole(self->tree.top, "checmate.stat");
}

static int read_events(struct setup *self)
{
	return read_whole(self->tree.top, "checmate.events");
}

static int read_hook(struct setup *self)
{
	return read_whole(self->tree.top, "checmate.socket_bind");
}

static int read_hooks(struct setup *self)
{
	return read_whole("", HOOKS_FILE);
}

static bool unchanged(struct setup *self)
{
	return lines(self) == 1 && denies(EUSERS, 0);
}

/* --- failing ------------------------------------------------------------- */

/* All that can be seen from outside, deeds included. */
static void take_picture(struct setup *self, char *picture, size_t size)
{
	const char *const dirs[] = {
		self->tree.top, self->tree.child, self->deep, self->other,
		self->spare,
	};
	size_t i, len;

	len = snprintf(picture, size, "bind %d connect %d\n", do_bind(NULL),
		       do_connect(NULL));
	for (i = 0; i < ARRAY_LEN(dirs); i++) {
		len += snprintf(picture + len, size - len, "%s%s:\n%s", dirs[i],
				access(dirs[i], F_OK) ? " (none)" : "",
				read_text(dirs[i], "checmate.policy"));
		len += snprintf(picture + len, size - len, "%s",
				read_text(dirs[i], "checmate.effective"));
		len += snprintf(picture + len, size - len, "%s",
				read_text(dirs[i], "checmate.seal"));
	}
}

static void fail_nth(struct setup *self, unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	if (pwrite(self->fail_nth, text, len, 0) != len)
		_exit(KSFT_FAIL);
}

/* Whether the allocation came; none fails from now on. */
static bool has_failed(struct setup *self)
{
	char text[16] = "";

	if (pread(self->fail_nth, text, sizeof(text) - 1, 0) <= 0)
		_exit(KSFT_FAIL);
	fail_nth(self, 0);
	return atoi(text) == 0;
}

static void fail_all(struct __test_metadata *_metadata, struct setup *self,
		     const struct way *way)
{
	static char before[65536], after[65536];
	unsigned int nth, failed = 0, survived = 0;
	bool prepared = false;

	for (nth = 1; nth < 1000; nth++) {
		bool hit, done;
		int err;

		if (!prepared) {
			ASSERT_EQ(0, base(self));
			ASSERT_EQ(0, way->prepare ? way->prepare(self) : 0);
			take_picture(self, before, sizeof(before));
			prepared = true;
		}
		fail_nth(self, nth);
		err = way->attempt(self);
		hit = has_failed(self);

		if (err) {
			ASSERT_TRUE(hit) {
				TH_LOG("%s: %d without a failure", way->name,
				       err);
			}
		}
		take_picture(self, after, sizeof(after));
		if (err && !strcmp(before, after)) {
			EXPECT_EQ(-ENOMEM, err) {
				TH_LOG("%s: allocation %u", way->name, nth);
			}
			failed++;
			continue;
		}
		/*
		 * What an exec does after the moment at which something takes
		 * force may fail as well, with what is now in force, and with
		 * an errno of its own.
		 */
		done = way->done(self);
		ASSERT_TRUE(done && (!err || way->attempt == begin_exec)) {
			TH_LOG("%s: allocation %u: error %d, before:\n%s\nafter:\n%s",
			       way->name, nth, err, before, after);
		}
		if (way->undo)
			way->undo(self);
		prepared = false;
		if (!hit)
			break;
		survived++;
	}
	EXPECT_GT(1000, nth);
	EXPECT_LT(0, failed) {
		TH_LOG("%s: no allocation failed", way->name);
	}
	ksft_print_msg("%s: %u allocations failed, %u were not needed\n",
		       way->name, failed, survived);
}

/* --- all of them --------------------------------------------------------- */

FIXTURE(failslab)
{
	struct setup s;
};

FIXTURE_VARIANT(failslab)
{
	struct way way;
};

FIXTURE_VARIANT_ADD(failslab, attach)
{
	.way = {
		.name = "attach",
		.attempt = attach_one,
		.done = attached_one,
	},
};

FIXTURE_VARIANT_ADD(failslab, multi_attach)
{
	.way = {
		.name = "multi_attach",
		.attempt = attach_several,
		.done = attached_several,
	},
};

FIXTURE_VARIANT_ADD(failslab, replace)
{
	.way = {
		.name = "replace",
		.attempt = replace,
		.done = replaced,
	},
};

FIXTURE_VARIANT_ADD(failslab, mode)
{
	.way = {
		.name = "mode",
		.attempt = change_mode,
		.done = changed_mode,
	},
};

FIXTURE_VARIANT_ADD(failslab, detach)
{
	.way = {
		.name = "detach",
		.attempt = detach,
		.done = nothing_left,
	},
};

FIXTURE_VARIANT_ADD(failslab, clear)
{
	.way = {
		.name = "clear",
		.attempt = clear_all,
		.done = nothing_left,
	},
};

FIXTURE_VARIANT_ADD(failslab, generation)
{
	.way = {
		.name = "generation",
		.attempt = compare,
		.done = nothing_left,
	},
};

FIXTURE_VARIANT_ADD(failslab, hook_attach)
{
	.way = {
		.name = "hook_attach",
		.attempt = hook_attach,
		.done = attached_one,
	},
};

FIXTURE_VARIANT_ADD(failslab, hook_detach)
{
	.way = {
		.name = "hook_detach",
		.attempt = hook_detach,
		.done = nothing_left,
	},
};

FIXTURE_VARIANT_ADD(failslab, hook_clear)
{
	.way = {
		.name = "hook_clear",
		.attempt = hook_clear,
		.done = nothing_left,
	},
};

FIXTURE_VARIANT_ADD(failslab, stage)
{
	.way = {
		.name = "stage",
		.attempt = stage,
		.done = staged,
	},
};

FIXTURE_VARIANT_ADD(failslab, stage_for_process)
{
	.way = {
		.name = "stage_for_process",
		.attempt = stage_for_process,
		.done = staged,
	},
};

FIXTURE_VARIANT_ADD(failslab, stage_other)
{
	.way = {
		.name = "stage_other",
		.prepare = stage,
		.attempt = stage_other,
		.done = staged_other,
	},
};

FIXTURE_VARIANT_ADD(failslab, withdraw)
{
	.way = {
		.name = "withdraw",
		.prepare = stage,
		.attempt = withdraw,
		.done = withdrawn,
	},
};

FIXTURE_VARIANT_ADD(failslab, attach_besides_staged)
{
	.way = {
		.name = "attach_besides_staged",
		.prepare = stage,
		.attempt = attach_besides,
		.done = attached_besides,
	},
};

FIXTURE_VARIANT_ADD(failslab, arm)
{
	.way = {
		.name = "arm",
		.prepare = stage,
		.attempt = begin_exec,
		.done = armed,
	},
};

FIXTURE_VARIANT_ADD(failslab, arm_process)
{
	.way = {
		.name = "arm_process",
		.prepare = stage_for_process,
		.attempt = begin_exec,
		.done = armed,
	},
};

FIXTURE_VARIANT_ADD(failslab, seal)
{
	.way = {
		.name = "seal",
		.prepare = make_spare,
		.attempt = seal_spare,
		.done = sealed,
		.undo = remove_spare,
	},
};

FIXTURE_VARIANT_ADD(failslab, seal_staged)
{
	.way = {
		.name = "seal_staged",
		.prepare = make_staged_spare,
		.attempt = seal_spare,
		.done = sealed,
		.undo = remove_spare,
	},
};

FIXTURE_VARIANT_ADD(failslab, attach_sealed)
{
	.way = {
		.name = "attach_sealed",
		.prepare = make_sealed_spare,
		.attempt = attach_sealed,
		.done = attached_sealed,
		.undo = remove_spare,
	},
};

FIXTURE_VARIANT_ADD(failslab, mkdir)
{
	.way = {
		.name = "mkdir",
		.attempt = make_cgroup,
		.done = made_cgroup,
		.undo = remove_spare,
	},
};

FIXTURE_VARIANT_ADD(failslab, enable)
{
	.way = {
		.name = "enable",
		.prepare = disable,
		.attempt = enable,
		.done = enabled,
		.undo = attach_deep,
	},
};

FIXTURE_VARIANT_ADD(failslab, read_policy)
{
	.way = {
		.name = "read_policy",
		.attempt = read_policy,
		.done = unchanged,
	},
};

FIXTURE_VARIANT_ADD(failslab, read_effective)
{
	.way = {
		.name = "read_effective",
		.attempt = read_effective,
		.done = unchanged,
	},
};

FIXTURE_VARIANT_ADD(failslab, read_stat)
{
	.way = {
		.name = "read_stat",
		.attempt = read_stat,
		.done = unchanged,
	},
};

FIXTURE_VARIANT_ADD(failslab, read_events)
{
	.way = {
		.name = "read_events",
		.attempt = read_events,
		.done = unchanged,
	},
};

FIXTURE_VARIANT_ADD(failslab, read_hook)
{
	.way = {
		.name = "read_hook",
		.attempt = read_hook,
		.done = unchanged,
	},
};

FIXTURE_VARIANT_ADD(failslab, read_hooks)
{
	.way = {
		.name = "read_hooks",
		.attempt = read_hooks,
		.done = unchanged,
	},
};

/* These files can only be written from where they are, unlike a cgroup's. */
static bool set_knob(const char *dir, const char *knob, const char *value)
{
	char path[PATH_MAX];
	ssize_t ret;
	int fd;

	snprintf(path, sizeof(path), DEBUGFS "/%s/%s", dir, knob);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ret = write(fd, value, strlen(value));
	close(fd);
	return ret > 0;
}

/* Whatever the task allocates may fail, and nothing else does. */
static bool prepare_faults(const char *dir)
{
	return set_knob(dir, "ignore-gfp-wait", "N") &&
	       set_knob(dir, "probability", "0") &&
	       set_knob(dir, "verbose", "0");
}

/* Each test is a process of its own; what takes long is done before. */
static __attribute__((constructor)) void look_hooks_up(void)
{
	static const char *const hooks[] = {
		"socket_bind", "socket_connect", "socket_listen", "file_open",
		"socket_sendmsg",
	};
	size_t i;

	if (access(FAIL_NTH, W_OK))
		return;
	for (i = 0; i < ARRAY_LEN(hooks); i++)
		hook_btf_id(hooks[i]);
}

FIXTURE_SETUP(failslab)
{
	int i;

	if (access(FAIL_NTH, W_OK) || !prepare_faults("failslab"))
		SKIP(return, "the kernel has no CONFIG_FAILSLAB");
	ASSERT_TRUE(set_knob("failslab", "cache-filter", "N"));
	if (prepare_faults("fail_page_alloc")) {
		ASSERT_TRUE(set_knob("fail_page_alloc", "min-order", "0"));
		ASSERT_TRUE(set_knob("fail_page_alloc", "ignore-gfp-highmem",
				     "N"));
	}
	self->s.last_id = 0;
	while (!bpf_prog_get_next_id(self->s.last_id, &self->s.last_id))
		;

	ASSERT_EQ(0, make_tree(&self->s.tree, "failslab"));
	ASSERT_EQ(0, enable_controller(self->s.tree.child));
	snprintf(self->s.deep, sizeof(self->s.deep), "%s/deep", self->s.tree.child);
	snprintf(self->s.other, sizeof(self->s.other), "%s/other", self->s.tree.top);
	snprintf(self->s.spare, sizeof(self->s.spare), "%s/spare", self->s.tree.top);
	ASSERT_EQ(0, mkdir(self->s.deep, 0755));
	ASSERT_EQ(0, mkdir(self->s.other, 0755));

	self->s.prog[PROG_DENY_BIND] = load_mac("socket_bind", EUSERS);
	self->s.prog[PROG_DENY_BIND_TOO] = load_cgroup("socket_bind", EPERM);
	self->s.prog[PROG_DENY_CONNECT] = load_mac("socket_connect", EACCES);
	self->s.prog[PROG_ALLOW_LISTEN] = load_mac("socket_listen", 0);
	self->s.prog[PROG_ALLOW_OPEN] = load_mac("file_open", 0);
	self->s.prog[PROG_ALLOW_SEND] = load_mac("socket_sendmsg", 0);
	for (i = 0; i < NR_PROGS; i++)
		ASSERT_LE(0, self->s.prog[i]);
	ASSERT_EQ(0, attach(self->s.tree.child, self->s.prog[PROG_ALLOW_SEND]));
	ASSERT_EQ(0, attach(self->s.deep, self->s.prog[PROG_ALLOW_SEND]));
	ASSERT_EQ(0, attach(self->s.other, self->s.prog[PROG_ALLOW_SEND]));

	self->s.junk = memfd_create("junk", MFD_CLOEXEC);
	ASSERT_LE(0, self->s.junk);
	ASSERT_EQ(4, write(self->s.junk, "junk", 4));
	ASSERT_EQ(0, fchmod(self->s.junk, 0700));
	self->s.fail_nth = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->s.fail_nth);
	ASSERT_EQ(0, join(self->s.tree.child));
}

FIXTURE_TEARDOWN(failslab)
{
	join(CGROUPFS);
	rmdir(self->s.spare);
	rmdir(self->s.deep);
	rmdir(self->s.other);
	remove_tree(&self->s.tree);
}

TEST_F_TIMEOUT(failslab, every_allocation, 1800)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	__u32 id;
	int i;

	fail_all(_metadata, &self->s, &variant->way);

	/* Nothing is kept of what failed. */
	ASSERT_EQ(0, join(CGROUPFS));
	rmdir(self->s.spare);
	ASSERT_EQ(0, rmdir(self->s.deep));
	ASSERT_EQ(0, rmdir(self->s.other));
	ASSERT_EQ(0, rmdir(self->s.tree.child));
	ASSERT_EQ(0, rmdir(self->s.tree.top));
	for (i = 0; i < NR_PROGS; i++)
		close(self->s.prog[i]);
	for (i = 0; i < 6000; i++) {
		if (bpf_prog_get_next_id(self->s.last_id, &id))
			break;
		nanosleep(&pause, NULL);
	}
	EXPECT_NE(0, bpf_prog_get_next_id(self->s.last_id, &id)) {
		TH_LOG("%s: a program is left", variant->way.name);
	}
}

TEST_HARNESS_MAIN
