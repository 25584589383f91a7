// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Selftests: torture
 *
 * See torture.h for what it is.  Everything that is found out is printed at the
 * end; what must not happen is printed when it does.
 */

#include <stdarg.h>

#include "torture.h"

#define DEFAULT_OPS	100000
#define DEFAULT_WORKERS	4
/* In a run as long as this, all that can happen does. */
#define LONG_RUN	100000

struct slot slots[NR_SLOTS];
char top_dir[128];
struct shared *shared;
char denied_path[64];
void *shared_page;

/**
 * fail - Print what must not happen
 * @format: as in printf()
 */
void fail(const char *format, ...)
{
	char text[1024];
	va_list args;
	int len;

	/* One of these is enough; nobody reads a thousand. */
	if (add_to(shared->failures) >= 50)
		return;
	len = snprintf(text, sizeof(text), "# FAILURE: ");
	va_start(args, format);
	vsnprintf(text + len, sizeof(text) - len - 1, format, args);
	va_end(args);
	strcat(text, "\n");
	/* In one piece, whatever others print. */
	if (write(STDOUT_FILENO, text, strlen(text)) < 0)
		_exit(1);
}

/* --- before and after ---------------------------------------------------- */

static void set_slot(unsigned int i, enum zone zone, const char *parent,
		     const char *name)
{
	char path[sizeof(slots[i].path)];

	snprintf(path, sizeof(path), "%s/%s", parent, name);
	memcpy(slots[i].path, path, sizeof(path));
	slots[i].zone = zone;
	slots[i].guarded = zone >= ZONE_GUARD;
}

/* Zone, home, and three levels of two cgroups each. */
static void set_zone(unsigned int first, enum zone zone, const char *name)
{
	unsigned int i;

	set_slot(first, zone, top_dir, name);
	set_slot(first + 1, zone, slots[first].path, "home");
	slots[first].fixed = true;
	slots[first + 1].fixed = true;
	slots[first + 1].leaf = true;
	/* 0, the zone, has 2 and 3; 2 has 4 and 5; and so on. */
	for (i = 2; i < TREE_SLOTS; i++)
		set_slot(first + i, zone, slots[first + (i > 3 ? i / 2 : 0)].path,
			 i % 2 ? "b" : "a");
	for (i = TREE_SLOTS / 2; i < TREE_SLOTS; i++)
		slots[first + i].leaf = true;
}

static void set_threads(void)
{
	static const char *const names[] = { "t0", "t1", "t2", "t3" };
	unsigned int i;

	set_slot(SLOT_THREADS, ZONE_GUARD, slots[SLOT_GUARD].path, "threads");
	slots[SLOT_THREADS].fixed = true;
	for (i = 0; i < ARRAY_LEN(names); i++) {
		struct slot *slot = &slots[SLOT_THREADS + 1 + i];

		set_slot(slot - slots, ZONE_GUARD, slots[SLOT_THREADS].path,
			 names[i]);
		slot->threaded = true;
		slot->leaf = true;
		slot->fixed = !i;
	}
}

static int make_slots(void)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < NR_SLOTS && !err; i++) {
		struct slot *slot = &slots[i];

		if (mkdir(slot->path, 0755))
			return -errno;
		if (slot->threaded)
			err = write_text(slot->path, "cgroup.type", "threaded");
		if (!slot->leaf)
			err = enable_controller(slot->path);
	}
	return err;
}

static bool remove_slots(void)
{
	unsigned int i = NR_SLOTS;
	bool well = true;

	while (i--) {
		if (!rmdir(slots[i].path) || errno == ENOENT)
			continue;
		ksft_print_msg("%s: %s\n", slots[i].path, strerror(errno));
		well = false;
	}
	return well;
}

static int attach_all(const char *dir)
{
	char text[512];
	int i, len = 0;

	for (i = 0; i < NR_DEEDS; i++)
		len += snprintf(text + len, sizeof(text) - len, "attach %d\n",
				staying[i][i % NR_STAYING].fd);
	return write_text(dir, "checmate.policy", text);
}

/* Sockets of cgroup @dir, which has no controller. */
static int make_old_sockets(const char *dir, int *fd, unsigned int nr)
{
	unsigned int i;
	int err = join(dir);

	for (i = 0; i < nr && !err; i++) {
		fd[i] = make_internet_socket(i);
		if (fd[i] < 0)
			err = -errno;
	}
	return join(CGROUPFS) ?: err;
}

static int make_shared(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	shared_page = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return shared == MAP_FAILED || shared_page == MAP_FAILED ? -errno : 0;
}

static int make_denied_file(void)
{
	int fd;

	snprintf(denied_path, sizeof(denied_path), "/tmp/torture.%d", getpid());
	fd = open(denied_path, O_CREAT | O_EXCL | O_RDONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static __u32 last_prog_id(void)
{
	__u32 id = 0;

	while (!bpf_prog_get_next_id(id, &id))
		;
	return id;
}

static long cgroup_stat(const char *key)
{
	const char *line = strstr(read_text(CGROUPFS, "cgroup.stat"), key);

	return line ? atol(line + strlen(key)) : -1;
}

static long attached_programs(void)
{
	const char *line = read_text("", HOOKS_FILE);
	long programs = 0;

	if (!*line)
		return -1;
	while ((line = strstr(line, "programs=")))
		programs += atol(line += strlen("programs="));
	return programs;
}

/* What there is of everything that must be gone in the end. */
struct account {
	long programs;
	__u32 last_id;
	long dying;
	long dying_css;
};

static struct account take_account(void)
{
	return (struct account){
		.programs = attached_programs(),
		.last_id = last_prog_id(),
		.dying = cgroup_stat("nr_dying_descendants "),
		.dying_css = cgroup_stat("nr_dying_subsys_checmate "),
	};
}

static bool no_program_since(const struct account *before)
{
	__u32 id;

	return bpf_prog_get_next_id(before->last_id, &id) && errno == ENOENT;
}

static bool no_programs_attached(const struct account *before)
{
	return attached_programs() == before->programs;
}

static bool nothing_dying(const struct account *before)
{
	return before->dying_css >= 0 &&
	       cgroup_stat("nr_dying_descendants ") <= before->dying &&
	       cgroup_stat("nr_dying_subsys_checmate ") <= before->dying_css;
}

static bool comes_true(bool (*condition)(const struct account *before),
		       const struct account *before)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	int i;

	for (i = 0; i < 6000; i++) {
		if (condition(before))
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

/* --- results ------------------------------------------------------------- */

static unsigned long count_ops(unsigned int kind)
{
	unsigned long sum = 0;
	unsigned int err;

	for (err = 0; err < MAX_ERRNO; err++)
		sum += shared->outcome[kind][err];
	return sum;
}

static unsigned long print_kinds(void)
{
	unsigned long total = 0;
	unsigned int kind, err;

	for (kind = 0; kind < nr_kinds(); kind++) {
		char text[512];
		int len;

		total += count_ops(kind);
		len = snprintf(text, sizeof(text), "%s: %lu", kind_name(kind),
			       count_ops(kind));
		for (err = 0; err < MAX_ERRNO; err++)
			if (shared->outcome[kind][err])
				len += snprintf(text + len, sizeof(text) - len,
						", %s %lu", err ?
						strerrorname_np(err) : "ok",
						shared->outcome[kind][err]);
		ksft_print_msg("%s\n", text);
	}
	return total;
}

static bool all_happened(unsigned long ops, unsigned int workers)
{
	unsigned int kind, nth;
	bool all = true;

	for (kind = 0; kind < nr_kinds(); kind++) {
		if (!count_ops(kind) && ops >= LONG_RUN / 10) {
			ksft_print_msg("no %s\n", kind_name(kind));
			all = false;
		}
		for (nth = 0; ops >= LONG_RUN; nth++) {
			int err = must_have_seen(kind, nth);

			if (err < 0)
				break;
			if (shared->outcome[kind][err])
				continue;
			ksft_print_msg("no %s that ended with %d\n",
				       kind_name(kind), err);
			all = false;
		}
	}
	/* More often than once for each, as each worker sees it. */
	if (ops >= LONG_RUN && shared->flips <= workers * NR_RARE) {
		ksft_print_msg("hooks did not come on again\n");
		all = false;
	}
	return all;
}

static void report_oracle(enum oracle oracle)
{
	const struct oracle_tally *tally = &shared->oracle[oracle];
	bool allowed = oracle >= ORACLE_ALLOWED;

	ksft_print_msg("oracle %s: %lu tries, %lu successes, %lu wrong, %lu hindered\n",
		       oracle_name(oracle), tally->tries, tally->successes,
		       tally->wrong, tally->hindered);
	ksft_test_result(tally->tries && !tally->wrong &&
			 tally->successes == (allowed ? tally->tries : 0),
			 "oracle %s\n", oracle_name(oracle));
}

/* --- memory -------------------------------------------------------------- */

#define RETIRED_FILE	"/sys/kernel/security/checmate/retired"

/* What may wait to be freed at a time, by whatever is slow to let it go. */
#define MAX_WAITING	(16 << 20)

static long retired(const char *key)
{
	const char *text = strstr(read_text("", RETIRED_FILE), key);

	return text ? strtol(text + strlen(key), NULL, 10) : -1;
}

static bool nothing_retired(const struct account *unused)
{
	(void)unused;
	return !retired("waiting ");
}

/* --- main ---------------------------------------------------------------- */

struct options {
	unsigned long long seed;
	unsigned long ops;
	unsigned int workers;
};

static void read_options(int argc, char **argv, struct options *options)
{
	const char *ops = getenv("CHECMATE_TORTURE_OPS");
	struct timespec now;
	int option;

	clock_gettime(CLOCK_REALTIME, &now);
	options->seed = (now.tv_nsec ^ now.tv_sec << 20) & 0xffffffff;
	options->ops = ops && *ops ? strtoul(ops, NULL, 10) : DEFAULT_OPS;
	options->workers = DEFAULT_WORKERS;
	while ((option = getopt(argc, argv, "s:n:w:")) != -1) {
		switch (option) {
		case 's':
			options->seed = strtoull(optarg, NULL, 0);
			break;
		case 'n':
			options->ops = strtoul(optarg, NULL, 10);
			break;
		case 'w':
			options->workers = strtoul(optarg, NULL, 10);
			break;
		default:
			ksft_exit_fail_msg("usage: %s [-s SEED] [-n OPS] [-w WORKERS]\n",
					   argv[0]);
		}
	}
	if (!options->ops || !options->workers ||
	    options->workers > MAX_WORKERS)
		ksft_exit_fail_msg("at least 1 operation, 1 to %d workers\n",
				   MAX_WORKERS);
}

static bool run_workers(const struct options *options)
{
	struct mailbox mailbox[MAX_WORKERS];
	int pair[2];
	pid_t pid[MAX_WORKERS];
	bool well = true;
	unsigned int i;
	int status;

	for (i = 0; i < options->workers; i++) {
		if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair))
			return false;
		mailbox[i].receive = pair[0];
		mailbox[i].send = pair[1];
	}
	for (i = 0; i < options->workers; i++) {
		pid[i] = fork();
		if (!pid[i]) {
			unsigned long ops = options->ops / options->workers;

			prctl(PR_SET_PDEATHSIG, SIGKILL);
			ops += i < options->ops % options->workers;
			run_worker(i, options->workers, options->seed, ops,
				   mailbox);
			_exit(0);
		}
	}
	for (i = 0; i < options->workers; i++) {
		close(mailbox[i].receive);
		close(mailbox[i].send);
	}
	for (i = 0; i < options->workers; i++) {
		if (waitpid(pid[i], &status, 0) == pid[i] && !status)
			continue;
		ksft_print_msg("worker %u ended with %#x\n", i, status);
		well = false;
	}
	return well;
}

int main(int argc, char **argv)
{
	int old_socket[4], fd, err;
	struct account before;
	struct options options;
	bool well, oracles_well;
	char late[256];
	unsigned long total;
	unsigned int i;

	ksft_print_header();
	setvbuf(stdout, NULL, _IOLBF, 0);
	read_options(argc, argv, &options);
	ksft_set_plan(9 + NR_ORACLES);
	ksft_print_msg("seed %llu, %lu operations, %u workers\n", options.seed,
		       options.ops, options.workers);

	before = take_account();
	snprintf(top_dir, sizeof(top_dir), CGROUPFS "/torture.%d", getpid());
	snprintf(late, sizeof(late), "%s/late", top_dir);
	set_zone(SLOT_FREE, ZONE_FREE, "free");
	set_zone(SLOT_GUARD, ZONE_GUARD, "guard");
	set_zone(SLOT_SEALED, ZONE_SEALED, "sealed");
	set_threads();
	err = make_shared() ?: make_denied_file();
	err = err ?: load_programs(denied_path);
	if (!err && (mkdir(top_dir, 0755) || mkdir(late, 0755)))
		err = -errno;
	err = err ?: make_old_sockets(late, old_socket, ARRAY_LEN(old_socket));
	err = err ?: enable_controller(CGROUPFS);
	err = err ?: enable_controller(top_dir);
	err = err ?: make_slots();
	err = err ?: attach_all(slots[SLOT_GUARD].path);
	err = err ?: attach_all(slots[SLOT_SEALED].path);
	for (i = 0; i < NR_DEEDS && !err; i++)
		shared->sealed_id[i] = nth_id(slots[SLOT_SEALED].path, i);
	err = err ?: write_text(slots[SLOT_SEALED].path, "checmate.seal", "1");
	err = err ?: attach_all(late);
	err = err ?: start_oracles(old_socket, ARRAY_LEN(old_socket),
				   options.seed);
	if (err)
		ksft_exit_fail_msg("cannot begin: %s\n", strerror(-err));

	well = run_workers(&options);
	oracles_well = stop_oracles();

	total = print_kinds();
	ksft_print_msg("%lu found nothing to work on\n", shared->empty);
	ksft_print_msg("rare hooks came on %lu times\n", shared->flips);
	for (i = 0; i < options.workers; i++)
		ksft_print_msg("worker %u: digest %016llx\n", i,
			       shared->digest[i]);
	ksft_test_result(well && total == options.ops, "%lu operations\n",
			 options.ops);
	ksft_test_result(all_happened(options.ops, options.workers),
			 "every kind of operation\n");
	for (i = 0; i < NR_ORACLES; i++)
		report_oracle(i);
	ksft_test_result(oracles_well && !shared->failures,
			 "nothing unexpected\n");

	for (i = 0; i < ARRAY_LEN(old_socket); i++)
		close(old_socket[i]);
	write_text(CGROUPFS, "checmate.policy", "clear");
	well = remove_slots() && !rmdir(late) && !rmdir(top_dir);
	ksft_test_result(well, "all cgroups removed\n");
	unlink(denied_path);
	/* All others are programs, or what libbpf keeps for itself. */
	for (fd = 3; fd < 1024; fd++)
		close(fd);
	ksft_test_result(comes_true(no_programs_attached, &before),
			 "no program attached\n");
	ksft_test_result(comes_true(no_program_since, &before),
			 "no program left\n");
	ksft_test_result(comes_true(nothing_dying, &before),
			 "no cgroup left\n");
	ksft_print_msg("at most %ld bytes waited to be freed\n",
		       retired("peak "));
	ksft_test_result(retired("peak ") > 0 && retired("peak ") < MAX_WAITING,
			 "no more than %d bytes waited\n", MAX_WAITING);
	ksft_test_result(comes_true(nothing_retired, &before),
			 "nothing waits anymore\n");
	ksft_finished();
}
