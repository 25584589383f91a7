// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Benches - What the operations cost under one arm after the other
 *
 *	bench-hooks ITERATIONS NAME KIND OPERATIONS BASE OVER …
 *
 * NAME, BASE and OVER are for the rows. OPERATIONS is "all", or some with commas between.
 * KIND is what is done before counting, see the table at the end; programs only allow.
 * Between two arms everything is taken away, and only when operations cost what they did
 * in the beginning does the next one start.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "cleanup.h"
#include "operations.h"
#include "tcg/mark.h"

#define CGROUPS "/sys/fs/cgroup"
#define BENCH CGROUPS "/bench"
#define HERE BENCH "/here"
#define OTHER BENCH "/other"
#define DEEP BENCH "/deep"

#define MAX_DEPTH 16
#define MAX_PROGRAMS 64
#define MAX_HELD (MAX_PROGRAMS * 10)
/* Longer than a hook stays on without a program, and than one takes to be called directly. */
#define SETTLE_SECONDS 4
#define SETTLE_TRIES 50
/* So many times nothing changes where programs cannot be called directly. */
#define SETTLE_REPEATS 3
#define HOOKS_FILE "/sys/kernel/security/checmate/hooks"
/* As many programs as a hook can call directly. */
#define DIRECT_MAX 48

struct arm {
	const char *name;
	const char *kind;
	const char *operations;
	const char *base;
	const char *over;
	/* What follows "=" in the kind, or 1. */
	int number;
	/* Where the process is that runs the operations. */
	char cgroup[256];
	/* Programs, links and maps, closed at the end. */
	int held[MAX_HELD];
	unsigned int n_held;
};

static struct btf *types;
static bool controller;

static int complain(int r, const char *what)
{
	fprintf(stderr, "bench-hooks: %s: %s\n", what, strerror(-r));
	return r;
}

static int write_text(const char *dir, const char *name, const char *text)
{
	_cleanup_close_ int fd = -1;
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return complain(-errno, path);
	return 0;
}

/* Makes a cgroup, and lets its children have the controller. */
static int make_cgroup(const char *path)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return complain(-errno, path);
	return 0;
}

static int delegate(const char *path)
{
	return controller ? write_text(path, "cgroup.subtree_control", "+checmate") : 0;
}

static bool wanted(const struct arm *arm, const char *operation)
{
	size_t n = strlen(operation);
	const char *p = arm->operations;

	if (!strcmp(p, "all"))
		return true;
	for (; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL)
		if (!strncmp(p, operation, n) && (p[n] == ',' || !p[n]))
			return true;
	return false;
}

static int hold(struct arm *arm, int fd, const char *what)
{
	if (fd < 0)
		return complain(fd == -1 ? -errno : fd, what);
	if (arm->n_held == MAX_HELD)
		return complain(-E2BIG, what);
	arm->held[arm->n_held++] = fd;
	return fd;
}

/* --- programs ------------------------------------------------------------- */

#define INSN(c, d, s, o, i) \
	((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define RETURN(value)                                              \
	INSN(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, value), \
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static int load_lsm(struct arm *arm, const char *hook, enum bpf_attach_type type,
		    const struct bpf_insn *insns, size_t n)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = type);
	char name[64];
	int id;

	snprintf(name, sizeof(name), "bpf_lsm_%s", hook);
	id = btf__find_by_name_kind(types, name, BTF_KIND_FUNC);
	if (id < 0)
		return complain(id, name);
	options.attach_btf_id = (__u32)id;
	return hold(arm, bpf_prog_load(BPF_PROG_TYPE_LSM, "bench", "GPL", insns, n, &options), name);
}

static int load_returning(struct arm *arm, const char *hook, enum bpf_attach_type type, int value)
{
	const struct bpf_insn insns[] = { RETURN(value) };

	return load_lsm(arm, hook, type, insns, ARRAY_SIZE(insns));
}

/* One that first asks a map whether the process's cgroup concerns it. */
static int load_asking(struct arm *arm, const char *hook, int map)
{
	const struct bpf_insn insns[] = {
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_get_current_cgroup_id),
		INSN(BPF_STX | BPF_MEM | BPF_DW, BPF_REG_10, BPF_REG_0, -8, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_10, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -8),
		INSN(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, map),
		INSN(0, 0, 0, 0, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem),
		INSN(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_0, 0, 2, 0),
		RETURN(0),
		RETURN(0),
	};

	return load_lsm(arm, hook, BPF_LSM_MAC, insns, ARRAY_SIZE(insns));
}

/* --- what is done before counting ------------------------------------------- */

static int plain(struct arm *arm)
{
	(void)arm;
	return 0;
}

static int attach_checmate(struct arm *arm, const char *cgroup, int value)
{
	for (const struct bench_operation *op = bench_operations; op->name; op++) {
		if (!wanted(arm, op->name))
			continue;
		for (int i = 0; i < arm->number; i++) {
			char text[32];
			int fd, r;

			fd = load_returning(arm, op->hook, BPF_LSM_MAC, value);
			if (fd < 0)
				return fd;
			snprintf(text, sizeof(text), "attach %d\n", fd);
			r = write_text(cgroup, "checmate.policy", text);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int checmate_elsewhere(struct arm *arm)
{
	return attach_checmate(arm, OTHER, 0);
}

static int checmate_here(struct arm *arm)
{
	return attach_checmate(arm, HERE, 0);
}

static int checmate_denied(struct arm *arm)
{
	return attach_checmate(arm, HERE, -EPERM);
}

/* Attached at the top of a chain of cgroups, at whose end the process is. */
static int checmate_above(struct arm *arm)
{
	int depth = arm->number;

	if (depth > MAX_DEPTH)
		return complain(-EINVAL, arm->kind);
	snprintf(arm->cgroup, sizeof(arm->cgroup), DEEP);
	for (int i = 0;; i++) {
		size_t n = strlen(arm->cgroup);
		int r;

		r = make_cgroup(arm->cgroup);
		if (r < 0)
			return r;
		if (i == depth)
			break;
		r = delegate(arm->cgroup);
		if (r < 0)
			return r;
		snprintf(arm->cgroup + n, sizeof(arm->cgroup) - n, "/d");
	}
	arm->number = 1;
	return attach_checmate(arm, DEEP, 0);
}

static int attach_kernel(struct arm *arm, const char *cgroup, int program, enum bpf_attach_type type)
{
	LIBBPF_OPTS(bpf_link_create_opts, options);
	_cleanup_close_ int fd = -1;
	int r;

	fd = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return complain(-errno, cgroup);
	r = hold(arm, bpf_link_create(program, fd, type, &options), "a link to a cgroup");
	return r < 0 ? r : 0;
}

static int attach_lsm_cgroup(struct arm *arm, const char *cgroup)
{
	for (const struct bench_operation *op = bench_operations; op->name; op++) {
		if (!wanted(arm, op->name))
			continue;
		for (int i = 0; i < arm->number; i++) {
			int fd, r;

			fd = load_returning(arm, op->hook, BPF_LSM_CGROUP, 1);
			if (fd < 0)
				return fd;
			r = attach_kernel(arm, cgroup, fd, BPF_LSM_CGROUP);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int lsm_cgroup_elsewhere(struct arm *arm)
{
	return attach_lsm_cgroup(arm, OTHER);
}

static int lsm_cgroup_here(struct arm *arm)
{
	return attach_lsm_cgroup(arm, HERE);
}

static int attach_global(struct arm *arm, const char *cgroup)
{
	struct stat st;
	__u64 id;
	__u8 one = 1;
	int map;

	if (stat(cgroup, &st) < 0)
		return complain(-errno, cgroup);
	id = st.st_ino;
	map = hold(arm, bpf_map_create(BPF_MAP_TYPE_HASH, "cgroups", sizeof(id), 1, 1024, NULL),
		   "a map");
	if (map < 0)
		return map;
	if (bpf_map_update_elem(map, &id, &one, BPF_ANY) < 0)
		return complain(-errno, "a map");
	for (const struct bench_operation *op = bench_operations; op->name; op++) {
		int fd;

		if (!wanted(arm, op->name))
			continue;
		fd = load_asking(arm, op->hook, map);
		if (fd < 0)
			return fd;
		fd = hold(arm, bpf_raw_tracepoint_open(NULL, fd), op->hook);
		if (fd < 0)
			return fd;
	}
	return 0;
}

static int global_elsewhere(struct arm *arm)
{
	return attach_global(arm, OTHER);
}

static int global_here(struct arm *arm)
{
	return attach_global(arm, HERE);
}

static int attach_address(struct arm *arm, const char *cgroup)
{
	static const enum bpf_attach_type attach_types[] = {
		BPF_CGROUP_INET4_BIND,
		BPF_CGROUP_INET4_CONNECT,
		BPF_CGROUP_UDP4_SENDMSG,
	};
	const struct bpf_insn insns[] = { RETURN(1) };

	for (size_t i = 0; i < ARRAY_SIZE(attach_types); i++) {
		LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = attach_types[i]);
		int fd, r;

		fd = hold(arm,
			  bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, "bench", "GPL", insns,
					ARRAY_SIZE(insns), &options),
			  "a program for addresses");
		if (fd < 0)
			return fd;
		r = attach_kernel(arm, cgroup, fd, attach_types[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int address_elsewhere(struct arm *arm)
{
	return attach_address(arm, OTHER);
}

static int address_here(struct arm *arm)
{
	return attach_address(arm, HERE);
}

/* --- what the process does to itself before counting ------------------------- */

static int install_filter(struct sock_filter *insns, unsigned short n)
{
	struct sock_fprog program = { .len = n, .filter = insns };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0)
		return complain(-errno, "seccomp");
	return 0;
}

/* The kernel sees that it allows whatever the arguments are, and does not run it. */
static int seccomp_bitmap(void)
{
	struct sock_filter insns[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };

	return install_filter(insns, ARRAY_SIZE(insns));
}

static int seccomp_filter(void)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	return install_filter(insns, ARRAY_SIZE(insns));
}

static int landlock(void)
{
	struct landlock_ruleset_attr attr = {
		.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1,
	};
	struct landlock_path_beneath_attr rule = {
		.allowed_access = attr.handled_access_fs,
	};
	_cleanup_close_ int root = -1, ruleset = -1;

	root = open("/", O_PATH | O_CLOEXEC);
	rule.parent_fd = root;
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (root < 0 || ruleset < 0 ||
	    syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return complain(-errno, "landlock");
	return 0;
}

/* --- arms -------------------------------------------------------------------- */

static const struct kind {
	const char *name;
	/* Before there is the process that runs the operations. */
	int (*prepare)(struct arm *arm);
	/* In that process. */
	int (*enter)(void);
	bool denied;
} kinds[] = {
	{ "plain", plain, NULL, false },
	{ "checmate-elsewhere", checmate_elsewhere, NULL, false },
	{ "checmate-here", checmate_here, NULL, false },
	{ "checmate-above", checmate_above, NULL, false },
	{ "checmate-denied", checmate_denied, NULL, true },
	{ "lsm_cgroup-elsewhere", lsm_cgroup_elsewhere, NULL, false },
	{ "lsm_cgroup-here", lsm_cgroup_here, NULL, false },
	{ "global-elsewhere", global_elsewhere, NULL, false },
	{ "global-here", global_here, NULL, false },
	{ "address-elsewhere", address_elsewhere, NULL, false },
	{ "address-here", address_here, NULL, false },
	{ "seccomp-bitmap", plain, seccomp_bitmap, false },
	{ "seccomp-filter", plain, seccomp_filter, false },
	{ "landlock", plain, landlock, false },
};

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t n = strlen(kinds[i].name);

		if (!strncmp(kinds[i].name, name, n) && (!name[n] || name[n] == '='))
			return &kinds[i];
	}
	return NULL;
}

static int count_arm(const struct arm *arm, const struct kind *kind, unsigned int iterations)
{
	const struct bench_operation *op;
	int r;

	r = write_text(arm->cgroup, "cgroup.procs", "0");
	if (r >= 0 && kind->enter)
		r = kind->enter();
	op = kind->denied ? bench_denied_operations : bench_operations;
	for (; r >= 0 && op->name; op++) {
		struct count count;

		if (!wanted(arm, op->name))
			continue;
		mark_start(op->hook, arm->name);
		r = op->count(iterations, &count);
		mark_stop();
		if (r < 0) {
			complain(r, op->name);
			break;
		}
		count_print(arm->name, op->name, &count, arm->base, arm->over);
	}
	return r;
}

static void release(struct arm *arm)
{
	if (controller) {
		write_text(HERE, "checmate.policy", "clear\n");
		write_text(OTHER, "checmate.policy", "clear\n");
	}
	/* Links come after their programs, and go before them. */
	while (arm->n_held)
		close(arm->held[--arm->n_held]);
	while (strlen(arm->cgroup) >= strlen(DEEP) && !strncmp(arm->cgroup, DEEP, strlen(DEEP))) {
		rmdir(arm->cgroup);
		*strrchr(arm->cgroup, '/') = '\0';
	}
}

/* What tells whether anything of an earlier arm is left. */
static const char *const signs[] = { "bind", "openat", "kill 0" };

static int look_for_signs(uint64_t *ret_values)
{
	for (size_t i = 0; i < ARRAY_SIZE(signs); i++) {
		struct count count;
		int r;

		r = bench_find_operation(signs[i])->count(50, &count);
		if (r < 0)
			return complain(r, signs[i]);
		ret_values[i] = count.value;
	}
	return 0;
}

static int settle(const uint64_t *first)
{
	uint64_t now[ARRAY_SIZE(signs)];

	for (int i = 0; i < SETTLE_TRIES; i++) {
		int r;

		r = look_for_signs(now);
		if (r < 0)
			return r;
		if (!memcmp(now, first, sizeof(now)))
			return 0;
		/* No time at all: the guest's clock jumps. */
		sleep(SETTLE_SECONDS);
	}
	return complain(-ETIMEDOUT, "operations do not cost again what they did");
}

/* How many programs of all hooks are called directly, and how many could be. */
static void read_direct(unsigned int *ret_direct, unsigned int *ret_programs)
{
	_cleanup_fclose_ FILE *file = fopen(HOOKS_FILE, "re");
	unsigned int direct, programs;
	char line[256];

	*ret_direct = 0;
	*ret_programs = 0;
	while (file && fgets(line, sizeof(line), file)) {
		const char *words = strstr(line, " programs=");

		if (!words || sscanf(words, " programs=%u direct=%u", &programs, &direct) != 2)
			continue;
		*ret_direct += direct;
		*ret_programs += programs < DIRECT_MAX ? programs : DIRECT_MAX;
	}
}

/*
 * What is attached is called in the best way only some time later: the kernel tells a hook of
 * one program after the other.
 */
static void wait_for_direct_calls(void)
{
	unsigned int direct, programs, last = 0, repeats = 0;

	for (int i = 0; i < SETTLE_TRIES && repeats < SETTLE_REPEATS; i++) {
		sleep(SETTLE_SECONDS);
		read_direct(&direct, &programs);
		if (direct == programs)
			return;
		repeats = direct == last ? repeats + 1 : 0;
		last = direct;
	}
}

static int run_arm(struct arm *arm, unsigned int iterations)
{
	const struct kind *kind;
	const char *number;
	int status, r;
	pid_t pid;

	kind = find_kind(arm->kind);
	if (!kind)
		return complain(-EINVAL, arm->kind);
	number = strchr(arm->kind, '=');
	arm->number = number ? atoi(number + 1) : 1;
	if (arm->number < 1 || arm->number > MAX_PROGRAMS)
		return complain(-EINVAL, arm->kind);
	snprintf(arm->cgroup, sizeof(arm->cgroup), HERE);
	r = kind->prepare(arm);
	if (r < 0)
		return r;
	wait_for_direct_calls();
	pid = fork();
	if (pid < 0)
		return complain(-errno, "fork");
	if (pid == 0)
		_exit(count_arm(arm, kind, iterations) < 0);
	if (waitpid(pid, &status, 0) < 0)
		return complain(-errno, "waitpid");
	release(arm);
	return status ? complain(-ECHILD, arm->name) : 0;
}

static int prepare(void)
{
	struct arm first = { 0 };
	char text[256] = "";
	_cleanup_close_ int fd = -1;
	int r;

	fd = open(CGROUPS "/cgroup.controllers", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		return complain(-errno, CGROUPS);
	controller = strstr(text, "checmate");
	types = btf__load_vmlinux_btf();
	if (!types)
		return complain(-errno, "the kernel's types");
	/* Loading takes memory that stays: let all arms find it taken. */
	r = load_returning(&first, bench_operations[0].hook, BPF_LSM_MAC, 0);
	if (r < 0)
		return r;
	close(r);
	r = delegate(CGROUPS);
	if (r >= 0)
		r = make_cgroup(BENCH);
	if (r >= 0)
		r = delegate(BENCH);
	if (r >= 0)
		r = make_cgroup(HERE);
	if (r >= 0)
		r = make_cgroup(OTHER);
	return r;
}

static const char *or_none(const char *arm)
{
	return strcmp(arm, "-") ? arm : NULL;
}

int main(int argc, char *argv[])
{
	uint64_t first[ARRAY_SIZE(signs)];
	unsigned int iterations;

	if (argc < 7 || argc % 5 != 2) {
		fputs("usage: bench-hooks ITERATIONS NAME KIND OPERATIONS BASE OVER ...\n", stderr);
		return 2;
	}
	iterations = (unsigned int)atoi(argv[1]);
	if (count_calibrate() < 0 || prepare() < 0 || look_for_signs(first) < 0)
		return 1;
	for (char **arg = argv + 2; *arg; arg += 5) {
		struct arm arm = {
			.name = arg[0],
			.kind = arg[1],
			.operations = arg[2],
			.base = or_none(arg[3]),
			.over = or_none(arg[4]),
		};

		if (settle(first) < 0 || run_arm(&arm, iterations) < 0)
			return 1;
	}
	return 0;
}
