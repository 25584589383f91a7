// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libchecmate - Tests that no failure takes a policy out of force
 *
 * Each allocation and each system call of a change fails in turn: once, or with all that
 * come after it. The cgroup then has the old set of policies or the new one, and both are
 * listed as they are. Until somebody looks, a process may be held to both sets; nothing that
 * both deny is ever allowed.
 *
 * Allocations fail in this program's own malloc(3). System calls fail by seccomp: a thread
 * of the process that makes the change answers for the kernel.
 *
 * Run in a guest as root, with CHECMATE_BACKEND naming the backend. CHECMATE_FAULTS=STEP tries
 * each STEPth point only, of each operation from another one on.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "parse.h"
#include "strv.h"
#include "test-check.h"

#define ROOT "/sys/fs/cgroup"
#define FOLDER ROOT "/test-faults"
#define OBJECTS "/usr/libexec/checmate/tests/objects"

/* The old policy allows the first port only, the new one the second, none the third. */
#define OLD_PORT 1001
#define NEW_PORT 1002
#define NO_PORT 1003
#define OLD_ALLOW "127.0.0.1:1001"
#define NEW_ALLOW "127.0.0.1:1002"

static bool is_link;
static struct checmate_cgroup *cgroup;

/* --- faults ----------------------------------------------------------------- */

/* What a child leaves to its parent. */
static struct outcome {
	atomic_long n_points;
	int result;
	char text[512];
} * outcome;

/* The point that fails, from 1; 0 for none. */
static long fault;
/* Whether all that come after it fail, too. */
static bool lasting;
/* Every how many points one is tried. */
static long step = 1;
/* Whether the process dies at the first call that renames something. */
static bool dies;
static atomic_bool armed;

static bool fails(void)
{
	long n;

	if (!armed)
		return false;
	n = atomic_fetch_add(&outcome->n_points, 1) + 1;
	return fault && (n == fault || (lasting && n > fault));
}

/* As glibc has them, for programs that have their own. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static void *no_memory(void)
{
	errno = ENOMEM;
	return NULL;
}

void *malloc(size_t size)
{
	return fails() ? no_memory() : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? no_memory() : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
	return fails() ? no_memory() : __libc_realloc(old, size);
}

/* Calls for which the kernel can lack memory, or the process descriptors. */
static int install_filter(void)
{
#define NOTIFY(number)                                       \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF)
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		NOTIFY(SYS_bpf),
		NOTIFY(SYS_clone),
		NOTIFY(SYS_clone3),
		NOTIFY(SYS_faccessat),
		NOTIFY(SYS_faccessat2),
		NOTIFY(SYS_fcntl),
		NOTIFY(SYS_flock),
		NOTIFY(SYS_getdents64),
		NOTIFY(SYS_mkdirat),
		NOTIFY(SYS_mmap),
		NOTIFY(SYS_name_to_handle_at),
		NOTIFY(SYS_open_by_handle_at),
		NOTIFY(SYS_openat),
		NOTIFY(SYS_read),
		NOTIFY(SYS_readlinkat),
		NOTIFY(SYS_renameat2),
		NOTIFY(SYS_unlinkat),
		NOTIFY(SYS_write),
#ifdef SYS_open
		NOTIFY(SYS_access),
		NOTIFY(SYS_mkdir),
		NOTIFY(SYS_open),
		NOTIFY(SYS_readlink),
		NOTIFY(SYS_rmdir),
		NOTIFY(SYS_unlink),
#endif
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = ARRAY_SIZE(filter), .filter = filter };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
		       &program);
}

static int fault_of(int number)
{
	switch (number) {
	case SYS_bpf:
	case SYS_fcntl:
	case SYS_open_by_handle_at:
	case SYS_openat:
#ifdef SYS_open
	case SYS_open:
#endif
		return -EMFILE;
	default:
		return -ENOMEM;
	}
}

static sem_t has_listener;
static int listener;

/* Answers for the kernel. The filter does not concern this thread. */
static void *answer(void *arg)
{
	(void)arg;
	sem_wait(&has_listener);
	for (;;) {
		struct seccomp_notif_resp response = {};
		struct seccomp_notif request = {};

		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0)
			continue;
		if (dies && armed && request.data.nr == SYS_renameat2)
			_exit(0);
		response.id = request.id;
		if (fails())
			response.error = fault_of(request.data.nr);
		else
			response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
	}
	return NULL;
}

/* An operation on the cgroup, made in a child. */
typedef int operation(void *arg, struct checmate_error **ret_error);

static void run_child(operation *operate, void *arg)
{
	_cleanup_error_ struct checmate_error *error = NULL;
	pthread_t thread;
	int r;

	/* Not cmocka's, which would go on with the tests in this process. */
	signal(SIGSEGV, SIG_DFL);
	if (sem_init(&has_listener, 0, 0) || pthread_create(&thread, NULL, answer, NULL))
		_exit(2);
	listener = install_filter();
	if (listener < 0)
		_exit(3);
	sem_post(&has_listener);

	armed = true;
	r = operate(arg, &error);
	armed = false;
	outcome->result = r;
	snprintf(outcome->text, sizeof(outcome->text), "%s",
		 error ? checmate_error_text(error) : "");
	_exit(0);
}

/* Makes an operation with a fault at a point; 0 for none. Returns what came of it. */
static int operate_with(operation *operate, void *arg, long point)
{
	int status;
	pid_t pid;

	*outcome = (struct outcome){ .result = 1 };
	fault = point;
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		run_child(operate, arg);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	return outcome->result;
}

/* The same without, where it has to succeed. */
static void operate_well(operation *operate, void *arg)
{
	if (operate_with(operate, arg, 0))
		fail_msg("without a fault: %d: %s", outcome->result, outcome->text);
}

/* --- what is in force --------------------------------------------------------- */

static int move_to(const char *folder)
{
	char path[256];
	_cleanup_close_ int fd = -1;

	snprintf(path, sizeof(path), "%s/cgroup.procs", folder);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return write(fd, "0", 1) == 1 ? 0 : -1;
}

static bool can_bind(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return !bind(fd, (struct sockaddr *)&address, sizeof(address));
}

/* Which policy judges; several can. */
enum {
	NOTHING = 0,
	OLD = 1 << 0,
	NEW = 1 << 1,
	BROKEN = 1 << 2,
};

static int judge(void)
{
	bool old = can_bind(OLD_PORT), new = can_bind(NEW_PORT), none = can_bind(NO_PORT);

	if (none)
		return old && new ? NOTHING : BROKEN;
	if (old && new)
		return BROKEN;
	return old ? OLD : new ? NEW : OLD | NEW;
}

static int judge_inside(void)
{
	int judges;

	assert_int_equal(move_to(FOLDER), 0);
	judges = judge();
	assert_int_equal(move_to(ROOT), 0);
	return judges;
}

/* --- operations ------------------------------------------------------------- */

/* Policies are loaded once, by the parent, and bound by one child after the other. */
static struct checmate_policy *old_policy, *new_policy, *other_policy;

struct applied {
	struct checmate_policy **policies;
	size_t n;
	struct checmate_apply_opts opts;
};

static int do_apply(void *arg, struct checmate_error **ret_error)
{
	const struct applied *applied = arg;

	return checmate_binding_apply(cgroup, applied->policies, applied->n, &applied->opts,
				      ret_error);
}

static int do_remove(void *arg, struct checmate_error **ret_error)
{
	return checmate_binding_remove(cgroup, arg, ret_error);
}

static int do_list(void *arg, struct checmate_error **ret_error)
{
	_cleanup_strv_ char **names = NULL;

	(void)arg;
	return checmate_binding_list(cgroup, &names, ret_error);
}

static int do_set(void *arg, struct checmate_error **ret_error)
{
	_cleanup_binding_ struct checmate_binding *binding = NULL;
	int r;

	r = checmate_binding_open(cgroup, "one-program", &binding, ret_error);
	return r < 0 ? r : checmate_binding_set(binding, "allow", arg, ret_error);
}

static int do_mode(void *arg, struct checmate_error **ret_error)
{
	return checmate_binding_set_mode(cgroup, "one-program", *(bool *)arg, ret_error);
}

static struct applied apply_old = {
	.policies = &old_policy,
	.n = 1,
	.opts = { .sz = sizeof(apply_old.opts), .replace = true },
};

static struct applied apply_new = {
	.policies = &new_policy,
	.n = 1,
	.opts = { .sz = sizeof(apply_new.opts), .replace = true },
};

/* --- what is listed ----------------------------------------------------------- */

struct listing {
	size_t n_attached;
	size_t n_staged;
	size_t n_unnamed;
	size_t n_detached;
	size_t n_programs;
};

/* Looks, which settles what the child may have left. */
static struct listing look(void)
{
	_cleanup_status_ struct checmate_status *status = NULL;
	_cleanup_strv_ char **names = NULL;
	struct listing listing = {};

	check(0, checmate_binding_list(cgroup, &names, &error));
	check(0, checmate_status_read(cgroup, &status, &error));
	for (size_t i = 0; i < checmate_status_count_local(status); i++) {
		const struct checmate_attachment *item = checmate_status_get_local(status, i);

		listing.n_attached += !item->staged;
		listing.n_staged += item->staged;
		listing.n_unnamed += !item->policy;
	}
	for (char **name = names; *name; name++) {
		_cleanup_binding_ struct checmate_binding *binding = NULL;

		check(0, checmate_binding_open(cgroup, *name, &binding, &error));
		for (size_t i = 0; i < checmate_binding_count_programs(binding); i++) {
			const struct checmate_program *program;

			program = checmate_binding_get_program(binding, i);
			listing.n_programs += program->attached || program->staged;
			listing.n_detached += !program->attached && !program->staged;
		}
	}
	return listing;
}

/* What the policy that is in force says it allows. */
static void check_allow(const char *allow)
{
	_cleanup_binding_ struct checmate_binding *binding = NULL;
	_cleanup_free_ char *text = NULL;

	check(0, checmate_binding_open(cgroup, "one-program", &binding, &error));
	check(0, checmate_binding_get(binding, "allow", &text, &error));
	assert_string_equal(text, allow);
}

/* --- trying all points -------------------------------------------------------- */

/**
 * struct trial - An operation of which each point fails in turn.
 * @what: its name.
 * @operate: what it does.
 * @arg: with what.
 * @from: what judges before.
 * @to: what judges after.
 * @prepare: makes the cgroup as it is before.
 * @says: what an explanation has in it when the operation failed and was done.
 */
struct trial {
	const char *what;
	operation *operate;
	void *arg;
	int from;
	int to;
	void (*prepare)(void);
	const char *says;
};

#define wrong(format, ...)                                                              \
	fail_msg("%s, point %ld%s, which came to %d (%s): " format, trial->what, point, \
		 lasting ? " and all after it" : "", outcome->result, outcome->text, ##__VA_ARGS__)

/* Both sets judge until somebody has looked. Returns what judges then. */
static int check_after(const struct trial *trial, long point)
{
	int result = outcome->result, judges = judge_inside();
	struct listing listing;

	if (judges != trial->from && judges != trial->to && judges != (trial->from | trial->to))
		wrong("%d is in force", judges);
	listing = look();
	judges = judge_inside();
	if (judges != trial->from && judges != trial->to)
		wrong("%d is in force after a look", judges);
	if (!result && judges != trial->to)
		wrong("it was not done");
	if (result < 0 && judges == trial->to && trial->from != trial->to && trial->says &&
	    !lasting && !strstr(outcome->text, trial->says))
		wrong("it was done, and nothing says so");
	if (listing.n_unnamed)
		wrong("a program is in force that belongs to no policy");
	if (listing.n_programs != listing.n_attached)
		wrong("%zu programs are in force, and policies list %zu", listing.n_attached,
		      listing.n_programs);
	/* Once it is out of force, it can be removed again. */
	if (listing.n_detached && judges != NOTHING)
		wrong("a policy is listed that is not in force");
	if (judges == OLD)
		check_allow(OLD_ALLOW);
	else if (judges == NEW)
		check_allow(NEW_ALLOW);
	return judges;
}

/* The first point that is tried: each operation has one of its own, of those up to the step. */
static long first_point(void)
{
	static long n_operations;

	return 1 + n_operations++ % step;
}

static void try_points(const struct trial *trial)
{
	long n_points;

	trial->prepare();
	operate_well(trial->operate, trial->arg);
	n_points = outcome->n_points;
	assert_int_equal(check_after(trial, 0), trial->to);
	trial->prepare();
	for (long point = first_point(); point <= n_points; point += step) {
		operate_with(trial->operate, trial->arg, point);
		if (check_after(trial, point) != trial->from || trial->from == trial->to)
			trial->prepare();
	}
	print_message("%s: %ld points%s\n", trial->what, n_points, lasting ? ", lasting" : "");
}

static void try_all(const struct trial *trial)
{
	lasting = false;
	try_points(trial);
	lasting = true;
	try_points(trial);
	lasting = false;
}

/* --- tests -------------------------------------------------------------------- */

static void prepare_nothing(void)
{
	(void)checmate_binding_remove(cgroup, NULL, NULL);
	assert_int_equal(judge_inside(), NOTHING);
}

/* Whatever fails by then, this does not. */
static void prepare(operation *operate, void *arg)
{
	bool was = lasting;

	lasting = false;
	operate_well(operate, arg);
	lasting = was;
}

static void prepare_old(void)
{
	prepare_nothing();
	prepare(do_apply, &apply_old);
	assert_int_equal(judge_inside(), OLD);
}

/* The list is in a map that the policy keeps. */
static void prepare_list(void)
{
	prepare_nothing();
	prepare(do_apply, &apply_old);
	prepare(do_set, OLD_ALLOW);
	assert_int_equal(judge_inside(), OLD);
}

static void prepare_permissive(void)
{
	bool permissive = true;

	prepare_old();
	prepare(do_mode, &permissive);
	assert_int_equal(judge_inside(), NOTHING);
}

/* What a process left that died when it had replaced one by the other. */
static void prepare_dead(void)
{
	prepare_old();
	dies = true;
	operate_with(do_apply, &apply_new, 0);
	dies = false;
	/* It did die. */
	assert_int_equal(outcome->result, 1);
}

static void test_apply(void **state)
{
	(void)state;
	try_all(&(struct trial){ "apply", do_apply, &apply_new, NOTHING, NEW, prepare_nothing,
				 "in force" });
}

static void test_replace(void **state)
{
	(void)state;
	try_all(&(struct trial){ "replace", do_apply, &apply_new, OLD, NEW, prepare_old,
				 "in force" });
}

/* All of them, or none. */
static void test_replace_two(void **state)
{
	struct checmate_policy *policies[] = { other_policy, new_policy };
	struct applied applied = apply_new;

	(void)state;
	applied.policies = policies;
	applied.n = ARRAY_SIZE(policies);
	try_all(&(struct trial){ "replace one and add one", do_apply, &applied, OLD, NEW,
				 prepare_old, "in force" });
}

static void test_set(void **state)
{
	(void)state;
	try_all(&(struct trial){ "set", do_set, NEW_ALLOW, OLD, NEW, prepare_list, NULL });
	prepare_list();
}

static void test_mode(void **state)
{
	static bool permissive = true, enforce = false;

	(void)state;
	try_all(&(struct trial){ "make permissive", do_mode, &permissive, OLD, NOTHING, prepare_old,
				 NULL });
	try_all(&(struct trial){ "enforce", do_mode, &enforce, NOTHING, OLD, prepare_permissive,
				 NULL });
}

static void test_remove(void **state)
{
	(void)state;
	try_all(&(struct trial){ "remove", do_remove, NULL, OLD, NOTHING, prepare_old, NULL });
}

/* What a dead process has begun is ended, and not undone, by whoever looks. */
static void test_settle(void **state)
{
	(void)state;
	try_all(&(struct trial){ "settle", do_list, NULL, NEW, NEW, prepare_dead, NULL });
}

/* --- staging ------------------------------------------------------------------ */

static pid_t waiting;
static int tell = -1;

/* A child in the cgroup, which executes this program anew when it is told. */
static void start_waiting(void)
{
	int fds[2];
	char c;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	waiting = fork();
	assert_true(waiting >= 0);
	if (!waiting) {
		close(fds[1]);
		if (move_to(FOLDER) || read(fds[0], &c, 1) != 1)
			_exit(99);
		execl("/proc/self/exe", "test-faults", "judge", NULL);
		_exit(98);
	}
	close(fds[0]);
	tell = fds[1];
}

/* What judges it once it was executed. */
static int finish_waiting(void)
{
	int status;

	assert_int_equal(write(tell, "x", 1), 1);
	close(tell);
	assert_int_equal(waitpid(waiting, &status, 0), waiting);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void try_staging(const struct trial *trial, struct applied *applied)
{
	long n_points = 1;

	for (long point = 0; point <= n_points; point += point ? step : first_point()) {
		struct listing listing;
		int judges, result;

		trial->prepare();
		start_waiting();
		applied->opts.pid = waiting;
		result = operate_with(do_apply, applied, point);
		if (!point)
			n_points = outcome->n_points;
		/* Nothing has changed yet. */
		if (judge_inside() != trial->from)
			wrong("%d is in force before the exec", judge_inside());
		listing = look();
		if (listing.n_unnamed || listing.n_detached)
			wrong("what is listed is not what is staged or in force");
		if (!result && listing.n_staged != 1)
			wrong("nothing is staged");
		if (result < 0 && listing.n_staged && !lasting &&
		    !strstr(outcome->text, trial->says))
			wrong("it was staged, and nothing says so");
		judges = finish_waiting();
		if (judges != (listing.n_staged ? trial->to : trial->from))
			wrong("%d is in force after the exec", judges);
		if (judge_inside() != judges)
			wrong("others in the cgroup are held to %d", judge_inside());
		listing = look();
		if (listing.n_unnamed || listing.n_detached || listing.n_staged)
			wrong("what is listed is not what is in force");
	}
	print_message("%s: %ld points%s\n", trial->what, n_points, lasting ? ", lasting" : "");
}

static void test_stage(void **state)
{
	struct applied applied = apply_new;
	const struct trial first = {
		.what = "stage",
		.from = NOTHING,
		.to = NEW,
		.prepare = prepare_nothing,
		.says = "staged",
	};
	const struct trial second = {
		.what = "stage a replacement",
		.from = OLD,
		.to = NEW,
		.prepare = prepare_old,
		.says = "staged",
	};

	(void)state;
	if (is_link)
		return;
	applied.opts.when_exec = true;
	for (int i = 0; i < 2; i++) {
		lasting = i;
		try_staging(&first, &applied);
		try_staging(&second, &applied);
	}
	lasting = false;
}

/* --- main --------------------------------------------------------------------- */

static struct checmate_policy *load_policy(const char *name, const char *allow)
{
	struct checmate_policy *policy;

	check(0, checmate_policy_open(name, &policy, &error));
	check(0, checmate_policy_set(policy, "allow", allow, &error));
	check(0, checmate_policy_load(policy, &error));
	return policy;
}

/* A test that fails leaves what it has set. */
static int teardown(void **state)
{
	(void)state;
	lasting = dies = false;
	(void)checmate_binding_remove(cgroup, NULL, NULL);
	return 0;
}

static int group_setup(void **state)
{
	_cleanup_policy_ struct checmate_policy *first = NULL;

	(void)state;
	outcome = mmap(NULL, sizeof(*outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	if (outcome == MAP_FAILED || mkdir(FOLDER, 0755) < 0)
		return -1;
	check(0, checmate_cgroup_open(FOLDER, &cgroup, &error));
	check(0, checmate_cgroup_enable(cgroup, NULL, &error));
	old_policy = load_policy(OBJECTS "/one-program.bpf.o", OLD_ALLOW);
	new_policy = load_policy(OBJECTS "/one-program.bpf.o", NEW_ALLOW);
	other_policy = load_policy("net-connect", "");
	/* What is done once in a process is done. */
	first = load_policy(OBJECTS "/one-program.bpf.o", "");
	check(0, checmate_binding_apply(cgroup, &first, 1, NULL, &error));
	check(0, checmate_binding_remove(cgroup, NULL, &error));
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	(void)checmate_binding_remove(cgroup, NULL, NULL);
	checmate_cgroup_free(cgroup);
	checmate_policy_free(old_policy);
	checmate_policy_free(new_policy);
	checmate_policy_free(other_policy);
	return rmdir(FOLDER);
}

int main(int argc, char **argv)
{
#define TEST(test) cmocka_unit_test_teardown(test, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(test_apply), TEST(test_replace), TEST(test_replace_two), TEST(test_set),
		TEST(test_mode),  TEST(test_remove),  TEST(test_settle),      TEST(test_stage),
	};
	const char *backend = getenv("CHECMATE_BACKEND"), *faults = getenv("CHECMATE_FAULTS");

	if (argc == 2 && streq(argv[1], "judge"))
		return judge();
	is_link = backend && streq(backend, "bpf-link");
	if (faults)
		step = strtol(faults, NULL, 10);
	if (step < 1)
		return 2;
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
