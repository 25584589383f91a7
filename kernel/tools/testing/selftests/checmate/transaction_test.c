// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Selftests: a transaction is all or nothing, for whoever looks
 *
 * What a cgroup enforces is one pointer, read anew by every hook.  Hence:
 *
 * - One call of a hook sees the programs of one transaction, all of them.
 * - What a task has once seen of a transaction, on any hook, it never sees
 *   undone: not on another hook, and not in a later call.
 * - Two hooks of one system call may be on either side of a transaction, the
 *   first before and the second after; never the other way round.
 * - Once write(2) has returned, no call that begins sees what was before.
 * - A file that is read in one go shows one transaction.
 *
 * Here every transaction brings programs that leave its number behind, where
 * the task that they judge can read it.
 */

#include "common.h"

#include <sys/resource.h>

/* Where a program leaves the number of its transaction. */
enum slot {
	FIRST,		/* two programs of one hook... */
	SECOND,
	OTHER,		/* ...one of another... */
	CREATE,		/* ...and two hooks of one system call */
	POST_CREATE,
	OWN_FIRST,	/* the same of a child's own policy */
	OWN_OTHER,
	NR_SLOTS = 8,
};

static const char *const slot_hook[] = {
	[FIRST] = "task_getpgid", [SECOND] = "task_getpgid",
	[OTHER] = "task_getsid",
	[CREATE] = "socket_create", [POST_CREATE] = "socket_post_create",
	[OWN_FIRST] = "task_getpgid", [OWN_OTHER] = "task_getsid",
};

/* Each thread has a row of its own, found by its id. */
#define NR_ROWS		64
#define NR_READERS	2
#define NR_CHUNKS	5
#define CHUNK		16
/* The programs of transactions that must fail. */
#define NEVER		0x7fffffff

struct row {
	__u64 slot[NR_SLOTS];
};

static int load_recorder(int map, enum slot slot, int number)
{
	const struct bpf_insn insn[] = {
		CALL(BPF_FUNC_get_current_pid_tgid),
		INSN(BPF_ALU64 | BPF_AND | BPF_K, 0, 0, 0, NR_ROWS - 1),
		INSN(BPF_STX | BPF_MEM | BPF_W, 10, 0, -4, 0),
		MOV_REG(2, 10), ADD_IMM(2, -4),
		LOAD_MAP(1, map),
		CALL(BPF_FUNC_map_lookup_elem),
		JUMP_IF(BPF_JEQ, 0, 0, 1),
		STORE_IMM(BPF_DW, 0, 8 * slot, number),
		MOV_IMM(0, 0),
		EXIT(),
	};
	char name[BPF_OBJ_NAME_LEN];

	snprintf(name, sizeof(name), "%c%d", slot < OWN_FIRST ? 'n' : 'o',
		 number);
	return load_named(name, slot_hook[slot], BPF_LSM_MAC, 0, insn,
			  ARRAY_LEN(insn));
}

/* What readers and the writer tell each other. */
struct shared {
	int stop;
	/* The last transaction whose write(2) has returned. */
	__u64 written;
	__u64 own_written;
	/* The last that a reader has seen, and how many different ones. */
	struct {
		__u64 last;
		__u64 changes;
	} reader[NR_READERS];
};

static void *share(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* Of what others write, or look at, meanwhile. */
#define GET(WHERE)		__atomic_load_n(&(WHERE), __ATOMIC_ACQUIRE)
#define SET(WHERE, VALUE)	__atomic_store_n(&(WHERE), VALUE, __ATOMIC_RELEASE)

FIXTURE(transaction)
{
	struct tree tree;
	char deep[PATH_MAX + 8];
	int map;
	struct row *row;
	struct shared *shared;
};

/* Whose transactions, and where the readers are. */
FIXTURE_VARIANT(transaction)
{
	bool child;
	bool deep;
	bool own;
};

/* The cgroup itself. */
FIXTURE_VARIANT_ADD(transaction, itself) {};

/* A child that shares its parent's ruleset. */
FIXTURE_VARIANT_ADD(transaction, child) { .child = true };

/* A child with a policy of its own: two levels make one ruleset. */
FIXTURE_VARIANT_ADD(transaction, child_with_policy) {
	.child = true, .own = true,
};

/* Below such a child, where the controller is off. */
FIXTURE_VARIANT_ADD(transaction, grandchild) {
	.child = true, .own = true, .deep = true,
};

FIXTURE_SETUP(transaction)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);

	ASSERT_EQ(0, make_tree(&self->tree, "transaction"));
	snprintf(self->deep, sizeof(self->deep), "%s/deep", self->tree.child);
	ASSERT_EQ(0, mkdir(self->deep, 0755));
	self->map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "rows", 4,
				   sizeof(struct row), NR_ROWS, &opts);
	ASSERT_LE(0, self->map);
	self->row = mmap(NULL, NR_ROWS * sizeof(struct row),
			 PROT_READ | PROT_WRITE, MAP_SHARED, self->map, 0);
	ASSERT_NE(MAP_FAILED, self->row);
	self->shared = share(sizeof(*self->shared));
	ASSERT_NE(NULL, self->shared);
}

FIXTURE_TEARDOWN(transaction)
{
	close(self->map);
	rmdir(self->deep);
	remove_tree(&self->tree);
}

/* A process that does not outlive its test. */
static pid_t fork_helper(void)
{
	pid_t pid = fork();

	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/* What a reader says has gone wrong, as its exit status. */
enum fault {
	NO_FAULT,
	NO_CGROUP,
	NOT_RUN,	/* a program of the policy was not run */
	TORN,		/* one call, programs of two transactions */
	BACKWARDS,	/* an older transaction after a newer one */
	STALE,		/* older than one that was written before the call */
	LISTED_TORN,	/* a file shows programs of two transactions */
	LISTED_STALE,
	ALLOWED,	/* something that every policy denies */
};

/*
 * Do something that passes the hooks of one slot or two, and look at what they
 * left behind: @seen is what has been seen so far.
 */
static enum fault look(struct row *row, enum slot first, enum slot second,
		       __u64 *seen)
{
	__u64 one, two;

	SET(row->slot[first], 0);
	SET(row->slot[second], 0);
	switch (first) {
	case CREATE:
		close(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
		break;
	case OTHER:
	case OWN_OTHER:
		getsid(getpid());
		break;
	default:
		getpgid(getpid());
		break;
	}
	one = GET(row->slot[first]);
	two = GET(row->slot[second]);
	if (!one || !two)
		return NOT_RUN;
	if (one < *seen)
		return BACKWARDS;
	if (!strcmp(slot_hook[first], slot_hook[second]) ? two != one : two < one)
		return TORN;
	*seen = two;
	return NO_FAULT;
}

static int read_rows(struct shared *shared, int nr, struct row *row)
{
	__u64 seen = 0, own_seen = 0, before, written, own_written;
	unsigned int round;
	int err = NO_FAULT;

	row += gettid() % NR_ROWS;
	for (round = 0; !err && !GET(shared->stop); round++) {
		before = seen;
		written = GET(shared->written);
		own_written = GET(shared->own_written);

		/* Both ways round: no order of hooks is the right one. */
		if (round % 2)
			err = look(row, FIRST, SECOND, &seen) ?:
			      look(row, OTHER, OTHER, &seen);
		else
			err = look(row, OTHER, OTHER, &seen) ?:
			      look(row, FIRST, SECOND, &seen);
		if (!err && own_written)
			err = look(row, OWN_FIRST, OWN_FIRST, &own_seen) ?:
			      look(row, OWN_OTHER, OWN_OTHER, &own_seen) ?:
			      look(row, OWN_FIRST, OWN_FIRST, &own_seen);
		if (!err && round % 8 == 0)
			err = look(row, CREATE, POST_CREATE, &seen);
		if (!err && (seen < written || own_seen < own_written))
			err = STALE;
		SET(shared->reader[nr].last, seen);
		shared->reader[nr].changes += seen != before;
	}
	return err;
}

/*
 * All programs of a transaction bear its number behind their initial: @want of
 * them are in a listing, and none older than @seen.
 */
static enum fault check_names(const char *text, char initial, int want,
			      __u64 *seen)
{
	__u64 number = 0, this;
	char key[8];
	int nr;

	snprintf(key, sizeof(key), "name=%c", initial);
	for (nr = 0; (text = strstr(text, key)); nr++) {
		text += strlen(key);
		this = strtoull(text, NULL, 10);
		if (nr && this != number)
			return LISTED_TORN;
		number = this;
	}
	if (nr != want || number < *seen)
		return LISTED_STALE;
	*seen = number;
	return NO_FAULT;
}

/*
 * The listings.  What is in force at @dir shows both policies, that of @owner
 * only its own, and its generation is the number of the transaction.
 */
static int read_files(struct shared *shared, const char *owner, const char *dir)
{
	__u64 seen = 0, own_seen = 0;
	enum fault err = NO_FAULT;
	const char *text;

	while (!err && !GET(shared->stop)) {
		bool own = GET(shared->own_written);

		text = read_text(dir, "checmate.effective");
		err = check_names(text, 'n', 5, &seen);
		if (!err && own)
			err = check_names(text, 'o', 2, &own_seen);
		if (err)
			break;
		/* What one file has shown, the other does not take back. */
		text = read_text(owner, "checmate.policy");
		err = check_names(text, 'n', 5, &seen);
		if (!err && strtoull(text + strlen("generation "), NULL, 10) !=
		    seen)
			err = LISTED_TORN;
	}
	return err;
}

/*
 * Replace everything in one transaction, after one of the same form that fails
 * at its last line.
 */
static int replace(int file, const int *prog, const int *never)
{
	char text[512];
	int err;

	snprintf(text, sizeof(text),
		 "clear\nattach %d\nattach %d\nattach %d\nattach %d\nattach %d\ndetach %llu\n",
		 never[FIRST], never[OTHER], never[CREATE], never[POST_CREATE],
		 never[SECOND], ULLONG_MAX);
	err = write_fd(file, text, strlen(text));
	if (err != -ENOENT)
		return err ?: -EIO;
	snprintf(text, sizeof(text),
		 "clear\nattach %d\nattach %d\nattach %d\nattach %d\nattach %d\n",
		 prog[FIRST], prog[OTHER], prog[CREATE], prog[POST_CREATE],
		 prog[SECOND]);
	return write_fd(file, text, strlen(text));
}

static int replace_own(int file, const int *prog)
{
	char text[64];

	snprintf(text, sizeof(text), "clear\nattach %d\nattach %d\n",
		 prog[OWN_FIRST], prog[OWN_OTHER]);
	return write_fd(file, text, strlen(text));
}

static int open_policy(const char *dir)
{
	char path[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%s/checmate.policy", dir);
	return open(path, O_WRONLY | O_CLOEXEC);
}

/* A child's own programs change at another pace, beginning with the first. */
static int programs_of(bool own, int number)
{
	return own && number % 3 == 0 ? OWN_OTHER + 1 : POST_CREATE + 1;
}

TEST_F_TIMEOUT(transaction, seen_at_once, 600)
{
	const char *top = self->tree.top, *child = self->tree.child;
	const char *dir = variant->deep ? self->deep :
			  variant->child ? child : top;
	struct shared *shared = self->shared;
	int prog[CHUNK][NR_SLOTS], never[NR_SLOTS];
	int file, own_file, i, j, status, number;
	pid_t pid[NR_READERS + 1];

	file = open_policy(top);
	own_file = open_policy(child);
	ASSERT_LE(0, file);
	ASSERT_LE(0, own_file);
	for (j = 0; j <= POST_CREATE; j++) {
		never[j] = load_recorder(self->map, j, NEVER);
		ASSERT_LE(0, never[j]);
	}

	for (number = 0; number < NR_CHUNKS * CHUNK && !GET(shared->stop); ) {
		for (i = 0; i < CHUNK; i++)
			for (j = 0; j < programs_of(variant->own, number + i);
			     j++) {
				prog[i][j] = load_recorder(self->map, j,
							   number + i + 1);
				ASSERT_LE(0, prog[i][j]);
			}

		for (i = 0; i < CHUNK; i++) {
			const int nr = programs_of(variant->own, number);

			ASSERT_EQ(0, replace(file, prog[i], never));
			number++;
			SET(shared->written, number);
			if (nr > OWN_FIRST) {
				ASSERT_EQ(0, replace_own(own_file, prog[i]));
				SET(shared->own_written, number);
			}
			/* Readers begin with something to see. */
			for (j = 0; number == 1 && j <= NR_READERS; j++) {
				pid[j] = fork_helper();
				ASSERT_LE(0, pid[j]);
				if (pid[j])
					continue;
				if (j == NR_READERS)
					status = read_files(shared, top,
							    variant->child ?
							    child : top);
				else if (join(dir))
					status = NO_CGROUP;
				else
					status = read_rows(shared, j,
							   self->row);
				if (status)
					SET(shared->stop, 1);
				_exit(status);
			}
		}
		/* None of them sleeps through it. */
		for (i = 0; i < NR_READERS; i++)
			while (GET(shared->reader[i].last) < (__u64)number &&
			       !GET(shared->stop))
				sched_yield();
		for (i = 0; i < CHUNK; i++)
			for (j = 0; j < programs_of(variant->own,
						    number - CHUNK + i); j++)
				close(prog[i][j]);
	}

	SET(shared->stop, 1);
	for (i = 0; i <= NR_READERS; i++) {
		ASSERT_EQ(pid[i], waitpid(pid[i], &status, 0));
		EXPECT_EQ(0, status) {
			TH_LOG("reader %d: fault %d", i, WEXITSTATUS(status));
		}
	}
	for (i = 0; i < NR_READERS; i++)
		EXPECT_LE(NR_CHUNKS, (int)shared->reader[i].changes);
	EXPECT_EQ(NR_CHUNKS * CHUNK, number);
	EXPECT_EQ(number, policy_generation(top));
	close(file);
	close(own_file);
}

/* --- without numbers ------------------------------------------------------ */

/* Wait for what earlier tests leave behind for a while. */
static bool hook_reaches(const char *hook, const char *key, int value)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	int i;

	for (i = 0; i < 6000 && hook_state(hook, key) != value; i++)
		nanosleep(&pause, NULL);
	return hook_state(hook, key) == value;
}

FIXTURE(replace)
{
	struct tree tree;
	char other[PATH_MAX];
	struct shared *shared;
};

FIXTURE_SETUP(replace)
{
	ASSERT_EQ(0, make_tree(&self->tree, "replace"));
	snprintf(self->other, sizeof(self->other), "%s/other", self->tree.top);
	ASSERT_EQ(0, mkdir(self->other, 0755));
	self->shared = share(sizeof(*self->shared));
	ASSERT_NE(NULL, self->shared);
	/* Removed cgroups are freed a little later. */
	ASSERT_TRUE(hook_reaches("task_getpgid", "programs", 0));
}

FIXTURE_TEARDOWN(replace)
{
	rmdir(self->other);
	remove_tree(&self->tree);
}

static int do_getpgid(void)
{
	return getpgid(getpid()) < 0 ? errno : 0;
}

/* What is denied by whatever stands there never gets through. */
static int keep_trying(const char *dir, struct shared *shared, int nr)
{
	int err;

	if (join(dir)) {
		SET(shared->stop, 1);
		return NO_CGROUP;
	}
	while (!GET(shared->stop)) {
		err = do_getpgid();
		if (err != EUSERS && err != EBADSLT) {
			SET(shared->stop, 1);
			return ALLOWED;
		}
		if (shared->reader[nr].last != (__u64)err) {
			SET(shared->reader[nr].last, err);
			shared->reader[nr].changes++;
		}
	}
	return NO_FAULT;
}

/* Readers are not to sleep through it all. */
static void wait_until_seen(struct shared *shared, __u64 value)
{
	int i;

	for (i = 0; i < NR_READERS; i++)
		while (!GET(shared->stop) && GET(shared->reader[i].last) != value)
			sched_yield();
}

/*
 * A denial is replaced by another: by programs, and by modes of the programs.
 * At no moment does neither hold.
 */
TEST_F_TIMEOUT(replace, never_open, 600)
{
	const char *top = self->tree.top;
	const char *dirs[NR_READERS] = { self->other, self->tree.child };
	struct shared *shared = self->shared;
	unsigned long long one, two;
	int prog[2], status, i;
	pid_t pid[NR_READERS];
	char text[128];
	int file;

	file = open_policy(top);
	prog[0] = load_mac("task_getpgid", EUSERS);
	prog[1] = load_mac("task_getpgid", EBADSLT);
	ASSERT_LE(0, file);
	ASSERT_LE(0, prog[0]);
	ASSERT_LE(0, prog[1]);
	/* One child shares the ruleset, the other has one of its own. */
	i = load_mac("task_getpgid", 0);
	ASSERT_LE(0, i);
	ASSERT_EQ(0, attach(self->tree.child, i));
	close(i);
	ASSERT_EQ(0, attach(top, prog[0]));
	for (i = 0; i < NR_READERS; i++) {
		pid[i] = fork_helper();
		ASSERT_LE(0, pid[i]);
		if (!pid[i])
			_exit(keep_trying(dirs[i], shared, i));
	}

	for (i = 1; i <= 150 && !GET(shared->stop); i++) {
		snprintf(text, sizeof(text), "clear\nattach %d\n", prog[i % 2]);
		ASSERT_EQ(0, write_fd(file, text, strlen(text)));
		if (i % 50 == 0)
			wait_until_seen(shared, EUSERS);
		if (i % 50 == 25)
			wait_until_seen(shared, EBADSLT);
	}

	snprintf(text, sizeof(text),
		 "clear\nattach %d\nattach %d mode=permissive\n", prog[0],
		 prog[1]);
	ASSERT_EQ(0, write_fd(file, text, strlen(text)));
	one = nth_id(top, 0);
	two = nth_id(top, 1);
	for (i = 1; i <= 150 && !GET(shared->stop); i++) {
		snprintf(text, sizeof(text), "mode %llu %s\nmode %llu %s\n",
			 one, i % 2 ? "permissive" : "enforce",
			 two, i % 2 ? "enforce" : "permissive");
		ASSERT_EQ(0, write_fd(file, text, strlen(text)));
		if (i % 50 == 0)
			wait_until_seen(shared, EUSERS);
		if (i % 50 == 25)
			wait_until_seen(shared, EBADSLT);
	}

	SET(shared->stop, 1);
	for (i = 0; i < NR_READERS; i++) {
		ASSERT_EQ(pid[i], waitpid(pid[i], &status, 0));
		EXPECT_EQ(0, status);
		EXPECT_LE(12, shared->reader[i].changes);
	}
	close(prog[0]);
	close(prog[1]);
	close(file);
}

/* --- the first program of a hook ------------------------------------------- */

static int do_getsid(void)
{
	return getsid(getpid()) < 0 ? errno : 0;
}

static int do_getscheduler(void)
{
	return sched_getscheduler(0) < 0 ? errno : 0;
}

static int do_getioprio(void)
{
	/* IOPRIO_WHO_PROCESS */
	return syscall(SYS_ioprio_get, 1, 0) < 0 ? errno : 0;
}

static int do_setnice(void)
{
	return setpriority(PRIO_PROCESS, 0, 0) ? errno : 0;
}

static int do_kill(void)
{
	return kill(getpid(), 0) ? errno : 0;
}

static int do_prctl(void)
{
	return prctl(PR_GET_DUMPABLE) < 0 ? errno : 0;
}

static int do_capget(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	return syscall(SYS_capget, &header, data) ? errno : 0;
}

struct deed {
	const char *hook;
	int (*func)(void);
};

/* Both in turn: when one has been denied, so is the other from then on. */
static int watch_first_use(const char *dir, struct shared *shared,
			   const struct deed *deed)
{
	bool denied = false;
	int i;

	if (join(dir))
		return NO_CGROUP;
	while (!denied) {
		SET(shared->reader[0].changes, shared->reader[0].changes + 1);
		for (i = 0; i < 4; i++) {
			bool this = deed[i % 2].func() == EUSERS;

			if (denied && !this)
				return ALLOWED;
			denied = this;
		}
	}
	return NO_FAULT;
}

/*
 * Hooks that nobody has used go on with a transaction: all of its hooks are
 * seen at once, as with any other transaction.
 */
TEST_F_TIMEOUT(replace, first_use, 300)
{
	static const struct deed deeds[][2] = {
		{ { "task_getpgid", do_getpgid }, { "task_getsid", do_getsid } },
		{ { "task_getscheduler", do_getscheduler },
		  { "task_getioprio", do_getioprio } },
		{ { "task_setnice", do_setnice }, { "task_kill", do_kill } },
		{ { "task_prctl", do_prctl }, { "capget", do_capget } },
	};
	/* Between the two, so that there is a while to look. */
	static const char *const more[] = {
		"syslog", "settime", "sb_statfs", "quotactl", "ptrace_traceme",
		"path_chroot", "sem_semop", "uring_cmd", "inode_setattr",
		"perf_event_open",
	};
	struct shared *shared = self->shared;
	int prog[2], other[ARRAY_LEN(more)], status, j;
	char text[512];
	pid_t pid;
	size_t pair, i;
	int used;

	for (i = 0; i < ARRAY_LEN(more); i++) {
		other[i] = load_mac(more[i], 0);
		ASSERT_LE(0, other[i]);
	}

	for (pair = 0; pair < ARRAY_LEN(deeds); pair++) {
		const struct deed *deed = deeds[pair];

		for (j = 0; j < 2; j++) {
			prog[j] = load_mac(deed[j].hook, EUSERS);
			ASSERT_LE(0, prog[j]);
			/* Another test's: on for a while after its last use. */
			ASSERT_TRUE(hook_reaches(deed[j].hook, "active", 0));
		}
		for (i = 0; i < ARRAY_LEN(more); i++)
			ASSERT_TRUE(hook_reaches(more[i], "active", 0));
		memset(shared->reader, 0, sizeof(shared->reader));
		pid = fork_helper();
		ASSERT_LE(0, pid);
		if (!pid)
			_exit(watch_first_use(self->tree.child, shared, deed));
		while (GET(shared->reader[0].changes) < 2)
			sched_yield();
		used = snprintf(text, sizeof(text), "attach %d\n", prog[0]);
		for (i = 0; i < ARRAY_LEN(more); i++)
			used += snprintf(text + used, sizeof(text) - used,
					 "attach %d\n", other[i]);
		snprintf(text + used, sizeof(text) - used, "attach %d\n",
			 prog[1]);
		EXPECT_EQ(0, write_text(self->tree.top, "checmate.policy",
					text));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(0, status) {
			TH_LOG("%s and %s were not denied at once",
			       deed[0].hook, deed[1].hook);
		}
		ASSERT_EQ(0, write_text(self->tree.top, "checmate.policy",
					"clear"));
		close(prog[0]);
		close(prog[1]);
	}
	for (i = 0; i < ARRAY_LEN(more); i++)
		close(other[i]);
}

/* --- compare and swap ------------------------------------------------------ */

#define NR_WRITERS	3
#define NR_SWAPS	60

struct swaps {
	/* Who has made the step from each generation. */
	int made[NR_WRITERS * NR_SWAPS];
};

static int swap(const char *dir, int prog, struct swaps *swaps)
{
	int file = open_policy(dir), done = 0, err;
	long long generation;
	char text[128];

	if (file < 0)
		return 1;
	while (done < NR_SWAPS) {
		generation = policy_generation(dir);
		if (generation < 0 || generation >= NR_WRITERS * NR_SWAPS)
			return 2;
		snprintf(text, sizeof(text),
			 "generation %lld\nclear\nattach %d\n", generation,
			 prog);
		err = write_fd(file, text, strlen(text));
		if (err == -ESTALE)
			continue;
		if (err)
			return 3;
		__atomic_fetch_add(&swaps->made[generation], 1,
				   __ATOMIC_RELAXED);
		done++;
	}
	return 0;
}

/* From each generation exactly one of several writers makes the next. */
TEST_F_TIMEOUT(replace, compare_and_swap, 300)
{
	struct swaps *swaps = share(sizeof(*swaps));
	int prog[NR_WRITERS], status, i;
	pid_t pid[NR_WRITERS];

	ASSERT_NE(NULL, swaps);
	for (i = 0; i < NR_WRITERS; i++) {
		prog[i] = load_mac("task_getpgid", 0);
		ASSERT_LE(0, prog[i]);
	}
	for (i = 0; i < NR_WRITERS; i++) {
		pid[i] = fork_helper();
		ASSERT_LE(0, pid[i]);
		if (!pid[i])
			_exit(swap(self->tree.top, prog[i], swaps));
	}
	for (i = 0; i < NR_WRITERS; i++) {
		ASSERT_EQ(pid[i], waitpid(pid[i], &status, 0));
		EXPECT_EQ(0, status);
		close(prog[i]);
	}
	for (i = 0; i < NR_WRITERS * NR_SWAPS; i++)
		EXPECT_EQ(1, swaps->made[i]) {
			TH_LOG("from generation %d", i);
		}
	EXPECT_EQ(NR_WRITERS * NR_SWAPS, policy_generation(self->tree.top));
	/* One who comes too late has changed nothing, and is told. */
	EXPECT_EQ(-ESTALE, WRITEF(self->tree.top, "checmate.policy",
				  "generation %d\nclear\n",
				  NR_WRITERS * NR_SWAPS - 1));
	EXPECT_EQ(1, hook_state("task_getpgid", "programs"));
	munmap(swaps, sizeof(*swaps));
}

/* --- failure -------------------------------------------------------------- */

/* Everything that can be read of a cgroup and of the hook. */
static char *state_of(struct tree *tree, const char *other)
{
	static const char *const files[] = {
		"checmate.policy", "checmate.effective",
	};
	const char *const dirs[] = { tree->top, tree->child, other };
	char *text = calloc(1, 1 << 18), programs[32];
	size_t i, j;

	snprintf(programs, sizeof(programs), "programs=%d\n",
		 hook_state("task_getpgid", "programs"));

	for (i = 0; text && i < ARRAY_LEN(dirs); i++)
		for (j = 0; j < ARRAY_LEN(files); j++)
			strcat(text, read_text(dirs[i], files[j]));
	if (text)
		strcat(text, programs);
	return text;
}

/*
 * A transaction of many lines that fails at the last one, or only because of
 * what one descendant has, has changed nothing: neither the cgroup, nor
 * descendants that would have had room.
 */
TEST_F_TIMEOUT(replace, fails_late, 300)
{
	int prog[64], file, i, used;
	const char *top = self->tree.top, *other = self->other;
	char text[4096], *before, *after;
	unsigned long long id;

	for (i = 0; i < 64; i++) {
		prog[i] = load_mac("task_getpgid", i ? 0 : EUSERS);
		ASSERT_LE(0, prog[i]);
	}
	file = open_policy(top);
	ASSERT_LE(0, file);
	ASSERT_EQ(0, attach(top, prog[0]));
	id = nth_id(top, 0);
	/* One child has nearly all it may have, the other a little. */
	for (i = 1; i < 60; i++)
		ASSERT_EQ(0, attach(other, prog[i]));
	ASSERT_EQ(0, attach(self->tree.child, prog[1]));
	before = state_of(&self->tree, other);
	ASSERT_NE(NULL, before);

	for (i = 0; i < 4; i++) {
		static const int expected[] = {
			-ENOENT, -EBADF, -EEXIST, -ENOSPC,
		};
		int line;

		used = snprintf(text, sizeof(text), "detach %llu\n", id);
		for (line = 1; line < 64; line++)
			used += snprintf(text + used, sizeof(text) - used,
					 "attach %d%s\n", prog[line],
					 line % 2 ? " mode=permissive" : "");
		/* The fourth is right by itself: it is the child's 64. */
		if (i == 0)
			used += snprintf(text + used, sizeof(text) - used,
					 "detach %llu\n", id);
		else if (i == 1)
			used += snprintf(text + used, sizeof(text) - used,
					 "attach %d\n", INT_MAX);
		else if (i == 2)
			used += snprintf(text + used, sizeof(text) - used,
					 "attach %d\n", prog[1]);
		EXPECT_EQ(expected[i], write_fd(file, text, used));
		after = state_of(&self->tree, other);
		ASSERT_NE(NULL, after);
		EXPECT_EQ(0, strcmp(before, after));
		free(after);
		EXPECT_EQ(EUSERS, run_in(top, (int (*)(void *))do_getpgid,
					 NULL));
	}

	/* It was not for its length. */
	ASSERT_EQ(0, write_text(other, "checmate.policy", "clear"));
	EXPECT_EQ(0, write_fd(file, text, used));
	EXPECT_EQ(64, hook_state("task_getpgid", "programs"));
	EXPECT_EQ(64, count_lines(read_text(self->tree.child,
					    "checmate.effective")));
	for (i = 0; i < 64; i++)
		close(prog[i]);
	close(file);
	free(before);
}

TEST_HARNESS_MAIN
