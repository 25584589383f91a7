// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Selftests: what the workers of the torture test do
 *
 * All that is random about an operation is drawn before it begins, so that the
 * seed decides what a worker does and in which order.  What comes of it depends
 * on the others; it must be one of the results that the operation may have.
 */

#include <assert.h>
#include <linux/sched.h>

#include "torture.h"

/* Nothing there to work on. */
#define NOTHING	1

struct op {
	unsigned int kind;
	__u32 a, b, c;
};

struct own_socket {
	int fd;
	/* Whose policy it is under; ZONE_OUT has none that denies. */
	enum zone zone;
	int family;
	int type;
};

/**
 * struct worker - One worker
 * @index: which
 * @workers: how many there are
 * @zone: where it is
 * @socket: its sockets, by whomever they were made; fd is -1 if there is none
 * @listener: its listening sockets
 * @kid: its children, 0 if there is none
 * @mailbox: of each worker
 * @rare_on: what was last seen of the rare hooks
 */
struct worker {
	unsigned int index;
	unsigned int workers;
	enum zone zone;
	struct own_socket socket[MAX_SOCKETS];
	struct own_socket listener[MAX_LISTENERS];
	pid_t kid[MAX_KIDS];
	const struct mailbox *mailbox;
	bool rare_on[NR_RARE];
};

/* --- choosing ------------------------------------------------------------ */

/* The operation works with something sealed, which it may not be allowed to. */
static bool met_seal;

static const struct slot *any_slot(__u32 random)
{
	const struct slot *slot = &slots[random % NR_SLOTS];

	met_seal |= slot->zone == ZONE_SEALED;
	return slot;
}

/* One that can be left again. */
static const struct slot *open_slot(__u32 random)
{
	random %= NR_SLOTS - TREE_SLOTS;
	return &slots[random < SLOT_SEALED ? random : random + TREE_SLOTS];
}

/* One whose policy may be changed at will, or else is sealed. */
static const struct slot *policy_slot(__u32 random)
{
	const struct slot *slot = any_slot(random);

	return slot == &slots[SLOT_GUARD] ? slot + 1 : slot;
}

static const struct slot *zone_slot(enum zone zone, __u32 random)
{
	return &slots[zone_root(zone) + random % TREE_SLOTS];
}

static const struct program *any_program(__u32 random)
{
	unsigned int i = random % (nr_passing + NR_DEEDS);

	return i < nr_passing ? &passing[i] :
				&staying[i - nr_passing][random / 64 % 2];
}

static const struct program *find_program(__u32 id)
{
	unsigned int i, j;

	for (i = 0; i < nr_passing; i++)
		if (passing[i].id == id)
			return &passing[i];
	for (i = 0; i < NR_RARE; i++)
		if (rare[i].id == id)
			return &rare[i];
	for (i = 0; i < NR_DEEDS; i++)
		for (j = 0; j < NR_STAYING; j++)
			if (staying[i][j].id == id)
				return &staying[i][j];
	return NULL;
}

/* Nothing may deny in the free zone. */
static const char *mode_for(const struct slot *slot,
			    const struct program *program, __u32 random)
{
	if ((slot->zone == ZONE_FREE && (!program || program->denies)) ||
	    random % 4 == 0)
		return "permissive";
	return "enforce";
}

/**
 * struct line - What checmate.policy says of an attachment
 * @generation: the generation that it was read at
 * @id: attachment id
 * @program: the program, NULL if it is none that all know
 */
struct line {
	unsigned long long generation;
	unsigned long long id;
	const struct program *program;
};

/* Read a policy and choose one of its lines. */
static int read_line(const struct slot *slot, __u32 random, struct line *line)
{
	const char *text = read_text(slot->path, "checmate.policy");
	const char *pos, *prog;
	int nr;

	if (sscanf(text, "generation %llu\n", &line->generation) != 1)
		return NOTHING;
	nr = count_lines(text) - 1;
	if (nr < 1)
		return NOTHING;
	nr = random % nr;
	pos = strchr(text, '\n') + 1;
	while (nr--)
		pos = strchr(pos, '\n') + 1;
	line->id = strtoull(pos, NULL, 10);
	prog = strstr(pos, " prog=");
	line->program = prog ? find_program(atoi(prog + 6)) : NULL;
	return 0;
}

/* --- policies ------------------------------------------------------------ */

static int op_attach(struct worker *w, const struct op *op)
{
	const struct slot *slot = policy_slot(op->a);
	const struct program *program = any_program(op->b);

	return WRITEF(slot->path, "checmate.policy", "attach %d mode=%s\n",
		      program->fd, mode_for(slot, program, op->c));
}

static int op_multi(struct worker *w, const struct op *op)
{
	const struct slot *slot = policy_slot(op->a);
	unsigned int i, first = op->b, nr = 2 + op->c % 5;
	char text[512];
	int len;

	len = snprintf(text, sizeof(text), "clear\n");
	for (i = 0; i < nr; i++) {
		const struct program *program =
			&passing[(first + i) % nr_passing];

		len += snprintf(text + len, sizeof(text) - len,
				"attach %d mode=%s\n", program->fd,
				mode_for(slot, program, op->c >> i));
	}
	return write_text(slot->path, "checmate.policy", text);
}

static int op_replace(struct worker *w, const struct op *op)
{
	const struct slot *slot = policy_slot(op->a);
	const struct program *program = any_program(op->b);
	struct line line;
	int err = read_line(slot, op->c, &line);

	if (err)
		return err;
	return WRITEF(slot->path, "checmate.policy",
		      "detach %llu\nattach %d mode=%s\n", line.id, program->fd,
		      mode_for(slot, program, op->c));
}

static int op_detach(struct worker *w, const struct op *op)
{
	const struct slot *slot = policy_slot(op->a);
	struct line line;
	int err = read_line(slot, op->b, &line);

	return err ?: WRITEF(slot->path, "checmate.policy", "detach %llu\n",
			     line.id);
}

static int op_clear(struct worker *w, const struct op *op)
{
	return write_text(policy_slot(op->a)->path, "checmate.policy",
			  "clear\n");
}

static int op_mode(struct worker *w, const struct op *op)
{
	const struct slot *slot = policy_slot(op->a);
	struct line line;
	int err = read_line(slot, op->b, &line);

	return err ?: WRITEF(slot->path, "checmate.policy", "mode %llu %s\n",
			     line.id, mode_for(slot, line.program, op->c));
}

/* Compare and swap, sometimes with a generation that has gone by. */
static int op_generation(struct worker *w, const struct op *op)
{
	const struct slot *slot = policy_slot(op->a);
	const struct program *program = any_program(op->b);
	struct line line;
	int err = read_line(slot, op->b, &line);

	if (err)
		return err;
	if (op->c % 8 == 0)
		line.generation--;
	return WRITEF(slot->path, "checmate.policy",
		      "generation %llu\nclear\nattach %d mode=%s\n",
		      line.generation, program->fd,
		      mode_for(slot, program, op->c));
}

/*
 * Programs that are written here are enforced.  Now and then it is the file of
 * another hook.
 */
static int op_hook_file(struct worker *w, const struct op *op)
{
	const struct slot *slot = policy_slot(op->a);
	const struct program *program = any_program(op->b);
	const char *file = program->file;

	if (!file || (slot->zone == ZONE_FREE && program->denies))
		return NOTHING;
	switch (op->c % 16) {
	case 0:
		return write_text(slot->path, file, "0");
	case 1:
		if (!strcmp(file, "checmate.socket_bind"))
			file = "checmate.socket_listen";
		else
			file = "checmate.socket_bind";
		return WRITEF(slot->path, file, "%d", program->fd);
	case 2 ... 7:
		return WRITEF(slot->path, file, "-%d\n", program->fd);
	default:
		return WRITEF(slot->path, file, "%d\n", program->fd);
	}
}

static int op_invalid(struct worker *w, const struct op *op)
{
	static const char *const texts[] = {
		"attach", "attach -1", "attach 0x1", "detach 1 2", "clear 1",
		"mode 1 maybe", "\n", "clear\n\nclear", "generation 1\nattac 1",
		"clear\ngeneration 1", "attach 1 mode=enforce mode=enforce",
		" clear\n", "attach 99999999999999",
	};

	return write_text(policy_slot(op->a)->path, "checmate.policy",
			  texts[op->b % ARRAY_LEN(texts)]);
}

/* The descriptor is none, or none of a program. */
static int op_bad_fd(struct worker *w, const struct op *op)
{
	return WRITEF(policy_slot(op->a)->path, "checmate.policy",
		      "attach %d\n", op->b % 2 ? 1000 : 1);
}

/* One program of each deed is there after every transaction, in force. */
static int op_guard(struct worker *w, const struct op *op)
{
	const struct slot *guard = &slots[SLOT_GUARD];
	char text[1024], generation[64] = "";
	struct line line;
	int i, j, len, err;

	if (op->a % 4 == 0) {
		len = snprintf(text, sizeof(text), "clear\n");
		for (i = 0; i < NR_DEEDS; i++)
			len += snprintf(text + len, sizeof(text) - len,
					"attach %d\n",
					staying[i][op->b >> i & 1].fd);
		snprintf(text + len, sizeof(text) - len, "attach %d\n",
			 passing[op->c % nr_passing].fd);
		return write_text(guard->path, "checmate.policy", text);
	}

	err = read_line(guard, op->b, &line);
	if (err)
		return err;
	if (op->c % 2)
		snprintf(generation, sizeof(generation), "generation %llu\n",
			 line.generation);
	for (i = 0; i < NR_DEEDS; i++) {
		for (j = 0; j < NR_STAYING; j++) {
			if (line.program != &staying[i][j])
				continue;
			if (op->a % 4 == 1)
				return WRITEF(guard->path, "checmate.policy",
					      "%smode %llu permissive\nattach %d\n",
					      generation, line.id,
					      staying[i][!j].fd);
			return WRITEF(guard->path, "checmate.policy",
				      "%sdetach %llu\nattach %d\n", generation,
				      line.id, staying[i][!j].fd);
		}
	}
	return WRITEF(guard->path, "checmate.policy", "%sdetach %llu\n",
		      generation, line.id);
}

/* Above both zones there are only programs that allow. */
static int op_ancestor(struct worker *w, const struct op *op)
{
	const char *dir = op->a % 2 ? CGROUPFS : top_dir;
	const struct program *program = &passing[op->b % nr_passing];

	if (op->c % 4 == 0)
		return write_text(dir, "checmate.policy", "clear");
	return WRITEF(dir, "checmate.policy", "attach %d mode=%s", program->fd,
		      program->denies ? "permissive" : "enforce");
}

/* A hook that only this turns on; it goes off by itself some time after. */
static int op_rare_hook(struct worker *w, const struct op *op)
{
	const struct slot *home = &slots[HOME(SLOT_FREE)];
	const struct program *program = &rare[op->a % NR_RARE];
	const char *line;
	char word[32];
	int err;

	err = WRITEF(home->path, "checmate.policy", "attach %d\n", program->fd);
	if (err != -EEXIST)
		return err;
	snprintf(word, sizeof(word), " prog=%u ", program->id);
	line = strstr(read_text(home->path, "checmate.policy"), word);
	if (!line)
		return NOTHING;
	while (line[-1] != '\n')
		line--;
	return WRITEF(home->path, "checmate.policy", "detach %llu\n",
		      strtoull(line, NULL, 10));
}

/* A program that nobody else knows of, and whose only user is the cgroup. */
static int op_fresh(struct worker *w, const struct op *op)
{
	const struct slot *slot = policy_slot(op->a);
	int prog, err;

	/* It could never be detached. */
	if (slot == &slots[SLOT_SEALED])
		slot++;
	prog = load_fresh(op->b);
	if (prog < 0)
		return prog;
	err = attach(slot->path, prog);
	close(prog);
	return err;
}

/*
 * Stage something, for any process or none in particular, or withdraw it.  What
 * is staged takes force as if it were written then, and must not deny in free
 * either.
 */
static int op_stage(struct worker *w, const struct op *op)
{
	const struct slot *slot = policy_slot(op->a);
	const struct program *program = any_program(op->b);
	char text[256], when[64] = "when=exec";
	struct line line;
	pid_t pid;

	switch (op->c % 8) {
	case 0 ... 2:
		pid = look_at(shared->kid[op->b % w->workers]
				[op->b / MAX_WORKERS % MAX_KIDS]);
		if (!pid)
			return NOTHING;
		snprintf(when, sizeof(when), "when=exec pid=%d", pid);
		break;
	case 3:
		snprintf(when, sizeof(when), "when=exec pid=%d except=%d",
			 getpid(), op->b % 8 ? 1 : 1000);
		break;
	case 4:
		/* Threads are no processes. */
		pid = look_at(shared->thread[op->b % MAX_THREADS]);
		snprintf(when, sizeof(when), "when=exec pid=%d",
			 op->b % 8 < 4 || !pid ? INT_MAX : pid);
		break;
	}
	switch (op->c / 8 % 8) {
	case 0:
		snprintf(text, sizeof(text), "%s\n", when);
		break;
	case 1:
		snprintf(text, sizeof(text), "%s\nclear\nattach %d mode=%s\n",
			 when, program->fd, mode_for(slot, program, op->c));
		break;
	case 2 ... 3:
		if (read_line(slot, op->b, &line))
			return NOTHING;
		snprintf(text, sizeof(text), "%s\ndetach %llu\n", when,
			 line.id);
		break;
	default:
		snprintf(text, sizeof(text), "%s\nattach %d mode=%s\n", when,
			 program->fd, mode_for(slot, program, op->c / 64));
		break;
	}
	return write_text(slot->path, "checmate.policy", text);
}

/* --- cgroups ------------------------------------------------------------- */

static int op_mkdir(struct worker *w, const struct op *op)
{
	const struct slot *slot = any_slot(op->a);

	if (slot->fixed)
		return NOTHING;
	if (mkdir(slot->path, 0755))
		return -errno;
	if (!slot->threaded)
		return 0;
	return write_text(slot->path, "cgroup.type", "threaded");
}

static int op_rmdir(struct worker *w, const struct op *op)
{
	const struct slot *slot = any_slot(op->a);

	if (slot->fixed)
		return NOTHING;
	return rmdir(slot->path) ? -errno : 0;
}

/* On more often than off, or else there would be little below. */
static int op_controller(struct worker *w, const struct op *op)
{
	const struct slot *slot = any_slot(op->a);

	if (slot->leaf)
		return NOTHING;
	return write_text(slot->path, "cgroup.subtree_control",
			  op->b % 4 ? "+checmate" : "-checmate");
}

/* --- reading ------------------------------------------------------------- */

/**
 * guard_is_whole - Whether a text has what guard must have
 * @effective: what checmate.effective says
 *
 * Return: true if for each deed there is a program in force.
 */
bool guard_is_whole(const char *effective)
{
	unsigned int found = 0;
	const char *line;

	for (line = effective; *line; line = strchr(line, '\n') + 1) {
		const char *prog = strstr(line, " prog=");
		const char *mode = prog ? strstr(prog, " mode=") : NULL;
		int i, j;

		if (!mode || !strchr(line, '\n'))
			return false;
		if (strncmp(mode, " mode=enforce ", 14))
			continue;
		for (i = 0; i < NR_DEEDS; i++)
			for (j = 0; j < NR_STAYING; j++)
				if (staying[i][j].id == (__u32)atoi(prog + 6))
					found |= 1 << i;
	}
	return found == (1 << NR_DEEDS) - 1;
}

static int op_read(struct worker *w, const struct op *op)
{
	static const char *const files[] = {
		"checmate.policy", "checmate.effective", "checmate.events",
		"checmate.events.local", "checmate.stat",
		"checmate.socket_bind", "checmate.sk_free_security",
		"checmate.seal",
	};
	const struct slot *slot = any_slot(op->a);
	unsigned int which = op->b % ARRAY_LEN(files);
	char path[PATH_MAX];
	const char *text;

	snprintf(path, sizeof(path), "%s/%s", slot->path, files[which]);
	if (access(path, R_OK))
		return -errno;
	text = read_text(slot->path, files[which]);
	/* The file may be gone by now. */
	if (!*text)
		return NOTHING;
	if (which == 0 && strncmp(text, "generation ", 11))
		fail("%s: %s", path, text);
	if (which == 1 && slot->guarded && !guard_is_whole(text))
		fail("%s lacks what guard has: %s", path, text);
	return 0;
}

static int op_hooks(struct worker *w, const struct op *op)
{
	unsigned int i;

	for (i = 0; i < NR_RARE; i++) {
		int on = hook_state(rare[i].hook, "active");

		if (on < 0)
			return -EIO;
		if (on && !w->rare_on[i])
			add_to(shared->flips);
		w->rare_on[i] = on;
	}
	return 0;
}

/* --- processes ----------------------------------------------------------- */

/* Have a worker, or a child of one, do what it may not or may. */
static void judge_here(enum zone zone, enum deed deed, __u32 random)
{
	int err;

	/* A packet is the oracle's: it takes more than one call. */
	if (deed == DEED_PACKET)
		deed = DEED_BIND;
	err = try_deed(deed, random);
	judge(zone >= ZONE_GUARD ? ORACLE_WORKERS : ORACLE_ALLOWED_WORKERS,
	      zone, err, "worker");
}

static int op_deed(struct worker *w, const struct op *op)
{
	judge_here(w->zone, op->a % NR_DEEDS, op->b);
	return 0;
}

/* Move the worker itself. */
static int op_join(struct worker *w, const struct op *op)
{
	const struct slot *slot = open_slot(op->a);
	enum zone zone = slot->zone;
	int err;

	if (op->b % 8 == 0) {
		err = join(CGROUPFS);
		zone = ZONE_OUT;
	} else {
		err = join(slot->path);
	}
	if (!err)
		w->zone = zone;
	return err;
}

/**
 * clone_into - Fork a child into a cgroup
 * @dir: the cgroup
 *
 * Return: as fork(), but a negative errno.
 */
pid_t clone_into(const char *dir)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD,
	};
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t pid;

	if (fd < 0)
		return -errno;
	args.cgroup = fd;
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		pid = -errno;
	if (pid)
		close(fd);
	return pid;
}

static void kill_kid(struct worker *w, unsigned int i)
{
	siginfo_t info;

	if (!w->kid[i])
		return;
	if (kill(w->kid[i], SIGKILL))
		fail("kill: %s", strerror(errno));
	/* It has to be off the table before its number can be used again. */
	if (waitid(P_PID, w->kid[i], &info, WEXITED | WNOWAIT))
		fail("waitid: %s", strerror(errno));
	set_to(shared->kid[w->index][i], 0);
	if (waitpid(w->kid[i], NULL, 0) != w->kid[i])
		fail("waitpid: %s", strerror(errno));
	w->kid[i] = 0;
}

/*
 * A child does one deed in its first moments, and can be moved by everybody
 * from then on.
 */
static int make_kid(struct worker *w, const struct op *op, pid_t pid,
		    enum zone zone)
{
	unsigned int i = op->c % MAX_KIDS;

	if (pid < 0)
		return pid;
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		judge_here(zone, op->b % NR_DEEDS, op->b);
		set_to(shared->kid[w->index][i], getpid());
		for (;;)
			pause();
	}
	w->kid[i] = pid;
	return 0;
}

static int op_fork(struct worker *w, const struct op *op)
{
	pid_t pid;

	kill_kid(w, op->c % MAX_KIDS);
	pid = fork();
	return make_kid(w, op, pid < 0 ? -errno : pid, w->zone);
}

static int op_clone_into(struct worker *w, const struct op *op)
{
	const struct slot *slot = any_slot(op->a);

	kill_kid(w, op->c % MAX_KIDS);
	return make_kid(w, op, clone_into(slot->path), slot->zone);
}

static int op_kill(struct worker *w, const struct op *op)
{
	if (!w->kid[op->a % MAX_KIDS])
		return NOTHING;
	kill_kid(w, op->a % MAX_KIDS);
	return 0;
}

/* Move a child of any worker anywhere, or an oracle within its zone. */
static int op_migrate(struct worker *w, const struct op *op)
{
	const struct slot *slot = any_slot(op->a);
	unsigned int i = op->b % MAX_MOVABLE;
	pid_t pid;

	if (op->c % 2) {
		pid = look_at(shared->movable[i].pid);
		slot = zone_slot(shared->movable[i].zone, op->a);
	} else {
		pid = look_at(shared->kid[op->b % w->workers]
				[op->b / MAX_WORKERS % MAX_KIDS]);
	}
	if (!pid)
		return NOTHING;
	return WRITEF(slot->path, "cgroup.procs", "%d", pid);
}

/* Within the threaded subtree; elsewhere it is not possible. */
static int op_migrate_thread(struct worker *w, const struct op *op)
{
	pid_t tid = look_at(shared->thread[op->a % MAX_THREADS]);
	unsigned int i = op->b % THREAD_SLOTS;
	const struct slot *slot = &slots[SLOT_THREADS + i];

	if (!tid)
		return NOTHING;
	if (op->c % 16 == 0)
		slot = &slots[HOME(SLOT_GUARD)];
	return WRITEF(slot->path, "cgroup.threads", "%d", tid);
}

/**
 * exec_junk - Begin an exec that cannot succeed
 *
 * The file is none that can be executed, which the kernel finds out after it
 * has asked everybody for permission.
 *
 * Return: the errno.
 */
int exec_junk(void)
{
	char *const argv[] = { "", NULL };
	int fd = memfd_create("torture", MFD_CLOEXEC);
	int err;

	if (fd < 0)
		return errno;
	if (write(fd, "junk", 4) != 4 || fchmod(fd, 0700))
		err = EIO;
	else
		err = execveat(fd, "", argv, argv, AT_EMPTY_PATH) ? errno : 0;
	close(fd);
	return err;
}

static int op_exec(struct worker *w, const struct op *op)
{
	return -exec_junk();
}

/* --- children that execute ------------------------------------------------ */

#define EXEC_NAME "checmate-exec"

static __attribute__((constructor)) void end_if_executed(int argc, char **argv)
{
	if (argc && !strcmp(argv[0], EXEC_NAME))
		_exit(0);
}

static void exec_in_kid(int sig)
{
	char *const argv[] = { EXEC_NAME, NULL };
	int saved = errno;
	int err;

	if (sig == SIGUSR2)
		execv("/proc/self/exe", argv);
	err = exec_junk();
	if (err != ENOEXEC)
		fail("exec in a child: %d (%s)", err, strerror(err));
	errno = saved;
}

/* Have a child exec; it may be what something staged waits for. */
static int op_poke(struct worker *w, const struct op *op)
{
	pid_t pid = w->kid[op->a % MAX_KIDS];

	if (!pid)
		return NOTHING;
	return kill(pid, op->b % 16 ? SIGUSR1 : SIGUSR2) ? -errno : 0;
}

/* --- ways out of a seal ---------------------------------------------------- */

/**
 * try_to_leave - Try to move a process out of what is sealed
 * @pid: the process or thread, 0 for the caller
 * @random: chooses the way
 *
 * Return: 0 or a negative errno; 0 must not be.
 */
int try_to_leave(pid_t pid, __u32 random)
{
	const struct slot *slot = open_slot(random / 16);
	const char *dir = slot->path;

	if (random % 4 == 0)
		dir = random % 8 ? CGROUPFS : top_dir;
	return WRITEF(dir, random / 4 % 4 ? "cgroup.procs" : "cgroup.threads",
		      "%d", pid);
}

/* Others, too, cannot get one out. */
static int op_leave(struct worker *w, const struct op *op)
{
	unsigned int i = op->a % MAX_MOVABLE;
	pid_t pid = look_at(shared->sealed_thread);
	int err;

	if (op->a / MAX_MOVABLE % 4) {
		if (shared->movable[i].zone != ZONE_SEALED)
			return NOTHING;
		pid = look_at(shared->movable[i].pid);
	}
	if (!pid)
		return NOTHING;
	err = try_to_leave(pid, op->b);
	if (!err)
		fail("worker: moved %d out of its seal (%u)", pid, op->b);
	return err;
}

/* --- sockets ------------------------------------------------------------- */

static const int families[] = { AF_INET, AF_INET6, AF_UNIX };

/* What is denied by one that comes and goes can happen to guard's only. */
static int check_passing(enum zone zone, int err, const char *what)
{
	if (zone < ZONE_GUARD && (err == -PASSING_ERRNO ||
				  err == -STAYING_ERRNO))
		fail("%s denied outside of guard: %d", what, -err);
	return err;
}

static void close_socket(struct own_socket *sock)
{
	if (sock->fd >= 0)
		close(sock->fd);
	sock->fd = -1;
}

static int make_socket(struct worker *w, struct own_socket *sock, int family,
		       int type)
{
	/* Nothing of a connection stays behind when it is closed. */
	const struct linger linger = { .l_onoff = 1 };

	close_socket(sock);
	sock->fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (sock->fd < 0)
		return check_passing(w->zone, -errno, "socket");
	setsockopt(sock->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	sock->zone = w->zone;
	sock->family = family;
	sock->type = type;
	return 0;
}

static struct own_socket *any_socket(struct worker *w, __u32 random)
{
	return &w->socket[random % MAX_SOCKETS];
}

static int op_socket(struct worker *w, const struct op *op)
{
	return make_socket(w, any_socket(w, op->c),
			   families[op->a % ARRAY_LEN(families)],
			   op->b % 2 ? SOCK_STREAM : SOCK_DGRAM);
}

static int op_close(struct worker *w, const struct op *op)
{
	struct own_socket *sock = any_socket(w, op->a);

	if (sock->fd < 0)
		return NOTHING;
	close_socket(sock);
	return 0;
}

static int op_bind(struct worker *w, const struct op *op)
{
	struct own_socket *sock = any_socket(w, op->a);
	int err;

	if (sock->fd < 0)
		return NOTHING;
	err = bind_socket(sock->fd);
	/* Only those of the internet are denied for good. */
	if (sock->zone == ZONE_GUARD && sock->family != AF_UNIX)
		judge(ORACLE_WORKERS, sock->zone, err, "worker's bind");
	return check_passing(sock->zone, -err, "bind");
}

static int op_shutdown(struct worker *w, const struct op *op)
{
	struct own_socket *sock = any_socket(w, op->a);
	int err = 0;

	if (sock->fd < 0)
		return NOTHING;
	if (shutdown(sock->fd, SHUT_RD))
		err = errno;
	if (sock->zone == ZONE_GUARD)
		judge(ORACLE_WORKERS, sock->zone, err, "worker's shutdown");
	return check_passing(sock->zone, -err, "shutdown");
}

static void lock_listeners(void)
{
	while (__atomic_exchange_n(&shared->listener_lock, 1, __ATOMIC_ACQUIRE))
		sched_yield();
}

static void unlock_listeners(void)
{
	set_to(shared->listener_lock, 0);
}

static int op_listen(struct worker *w, const struct op *op)
{
	unsigned int i = op->a % MAX_LISTENERS;
	int family = families[op->b % ARRAY_LEN(families)];
	struct own_socket *sock = &w->listener[i];
	struct listener *entry = &shared->listener[w->index][i];
	struct listener found = { .family = family };
	const sa_family_t unnamed = AF_UNIX;
	int err;

	lock_listeners();
	entry->len = 0;
	unlock_listeners();

	err = make_socket(w, sock, family, SOCK_STREAM);
	if (!err && family == AF_UNIX &&
	    bind(sock->fd, (struct sockaddr *)&unnamed, sizeof(unnamed)))
		err = -errno;
	if (!err && listen(sock->fd, 4))
		err = -errno;
	found.len = sizeof(found.address);
	if (!err && getsockname(sock->fd, (struct sockaddr *)&found.address,
				&found.len))
		err = -errno;
	if (err) {
		close_socket(sock);
		return check_passing(w->zone, err, "listen");
	}
	lock_listeners();
	*entry = found;
	unlock_listeners();
	return 0;
}

static int op_connect(struct worker *w, const struct op *op)
{
	struct own_socket *sock = any_socket(w, op->a);
	struct listener to;
	int err;

	lock_listeners();
	to = shared->listener[op->b % w->workers][op->c % MAX_LISTENERS];
	unlock_listeners();
	if (!to.len)
		return NOTHING;
	/* It listens on all addresses; the loopback's is the one to reach. */
	if (to.family == AF_INET6)
		((struct sockaddr_in6 *)&to.address)->sin6_addr = in6addr_loopback;
	else if (to.family == AF_INET)
		((struct sockaddr_in *)&to.address)->sin_addr.s_addr =
			htonl(INADDR_LOOPBACK);
	err = make_socket(w, sock, to.family, SOCK_STREAM);
	if (!err && connect(sock->fd, (struct sockaddr *)&to.address, to.len))
		err = -errno;
	return check_passing(w->zone, err, "connect");
}

static int op_accept(struct worker *w, const struct op *op)
{
	struct own_socket *listener = &w->listener[op->a % MAX_LISTENERS];
	struct own_socket *sock = any_socket(w, op->b);
	int fd;

	if (listener->fd < 0)
		return NOTHING;
	fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return check_passing(listener->zone, -errno, "accept");
	close_socket(sock);
	*sock = *listener;
	sock->fd = fd;
	return 0;
}

static int op_pass(struct worker *w, const struct op *op)
{
	struct own_socket *sock = any_socket(w, op->a);
	int err;

	if (sock->fd < 0)
		return NOTHING;
	err = send_labelled(w->mailbox[op->b % w->workers].send, sock->fd,
			    sock->zone << 4 | (sock->family == AF_UNIX));
	if (!err && op->c % 2)
		close_socket(sock);
	return err;
}

static int op_receive(struct worker *w, const struct op *op)
{
	struct own_socket *sock = any_socket(w, op->a);
	char label;
	int fd = receive_labelled(w->mailbox[w->index].receive, &label);

	if (fd < 0)
		return fd;
	close_socket(sock);
	*sock = (struct own_socket){
		.fd = fd, .zone = label >> 4,
		.family = label & 1 ? AF_UNIX : AF_INET,
	};
	return 0;
}

/*
 * Two connected sockets, and a byte from the one to the other.  Packets that
 * guard lets nobody receive are dropped on the way, those of unix as well.
 */
static int op_pair(struct worker *w, const struct op *op)
{
	int type = op->a % 2 ? SOCK_STREAM : SOCK_DGRAM;
	int pair[2], err = 0;
	char byte = 0;

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair))
		return check_passing(w->zone, -errno, "socketpair");
	if (send(pair[0], "x", 1, MSG_DONTWAIT) != 1 ||
	    recv(pair[1], &byte, 1, MSG_DONTWAIT) != 1)
		err = -errno;
	else if (byte != 'x')
		err = -EIO;
	close(pair[0]);
	close(pair[1]);
	if (type == SOCK_DGRAM && err != -PASSING_ERRNO) {
		judge(w->zone == ZONE_GUARD ? ORACLE_WORKERS :
					      ORACLE_ALLOWED_WORKERS, w->zone,
		      err == -EAGAIN ? STAYING_ERRNO : -err, "packet");
		err = 0;
	}
	return check_passing(w->zone, err, "send");
}

/* --- all of them --------------------------------------------------------- */

/**
 * struct kind - A kind of operation
 * @name: for people
 * @weight: how often, of all weights together
 * @func: does it; returns 0, a negative errno, or NOTHING
 * @by_name: it works with a cgroup by its name, and may find it gone: ENOENT at
 *	once, ENODEV later
 * @must: errnos that a long run will have seen; 0 for success
 * @may: further errnos that it may give
 */
struct kind {
	const char *name;
	unsigned int weight;
	int (*func)(struct worker *w, const struct op *op);
	bool by_name;
	int must[4];
	int may[4];
};

#define END	-1

static const struct kind kinds[] = {
	{ "attach", 80, op_attach, true, { 0, EEXIST, ENOENT, END },
	  { EBUSY, END } },
	{ "multi-attach", 40, op_multi, true, { 0, ENOENT, END }, { END } },
	{ "replace", 60, op_replace, true, { 0, EEXIST, EROFS, END },
	  { EBUSY, END } },
	{ "detach", 40, op_detach, true, { 0, EROFS, END }, { EBUSY, END } },
	{ "clear", 15, op_clear, true, { 0, ENOENT, EROFS, END }, { END } },
	{ "mode", 50, op_mode, true, { 0, EROFS, END }, { EBUSY, END } },
	{ "generation", 40, op_generation, true, { 0, ESTALE, END }, { END } },
	{ "hook-file", 60, op_hook_file, true, { 0, EEXIST, ENOENT, EINVAL },
	  { EBUSY, END } },
	{ "invalid", 15, op_invalid, true, { EINVAL, END }, { END } },
	{ "bad-fd", 10, op_bad_fd, true, { EBADF, EINVAL, END }, { END } },
	{ "guard", 20, op_guard, false, { 0, EEXIST, END },
	  { ENOENT, ESTALE, END } },
	{ "ancestor", 5, op_ancestor, false, { 0, EEXIST, END }, { END } },
	{ "rare-hook", 3, op_rare_hook, false, { 0, END },
	  { ENOENT, EEXIST, EBUSY, END } },
	{ "fresh-program", 3, op_fresh, true, { 0, END }, { END } },
	{ "stage", 40, op_stage, true, { 0, EEXIST, ESRCH, EBADF }, { END } },
	{ "mkdir", 40, op_mkdir, true, { 0, EEXIST, ENOENT, END }, { END } },
	{ "rmdir", 40, op_rmdir, true, { 0, EBUSY, ENOENT, END }, { END } },
	{ "controller", 25, op_controller, true, { 0, ENOENT, EROFS, END },
	  { EBUSY, EOPNOTSUPP, END } },
	{ "read", 60, op_read, true, { 0, ENOENT, END }, { END } },
	{ "hooks", 10, op_hooks, false, { 0, END }, { END } },
	{ "deed", 60, op_deed, false, { 0, END }, { END } },
	{ "join", 30, op_join, true, { 0, ENOENT, END },
	  { EBUSY, EOPNOTSUPP, END } },
	{ "fork", 8, op_fork, false, { 0, END }, { END } },
	{ "clone-into", 8, op_clone_into, true, { 0, ENOENT, END },
	  { EBUSY, EOPNOTSUPP, END } },
	{ "kill", 15, op_kill, false, { 0, END }, { END } },
	{ "migrate", 40, op_migrate, true, { 0, ENOENT, EROFS, END },
	  { EBUSY, EOPNOTSUPP, ESRCH, END } },
	{ "migrate-thread", 25, op_migrate_thread, true, { 0, EOPNOTSUPP, END },
	  { EBUSY, END } },
	{ "exec", 15, op_exec, false, { ENOEXEC, END }, { END } },
	{ "poke", 10, op_poke, false, { 0, END }, { END } },
	{ "leave", 10, op_leave, true, { EROFS, EOPNOTSUPP, END },
	  { EBUSY, ESRCH, END } },
	{ "socket", 50, op_socket, false, { 0, END }, { PASSING_ERRNO, END } },
	{ "close", 20, op_close, false, { 0, END }, { END } },
	{ "bind", 50, op_bind, false,
	  { 0, STAYING_ERRNO, PASSING_ERRNO, EINVAL },
	  { END } },
	{ "shutdown", 30, op_shutdown, false,
	  { 0, STAYING_ERRNO, ENOTCONN, END },
	  { END } },
	{ "listen", 15, op_listen, false, { 0, PASSING_ERRNO, END }, { END } },
	{ "connect", 25, op_connect, false,
	  { 0, EINPROGRESS, PASSING_ERRNO, END },
	  { ECONNREFUSED, EAGAIN, END } },
	{ "accept", 20, op_accept, false, { 0, EAGAIN, END }, { END } },
	{ "pass", 25, op_pass, false, { 0, END }, { EAGAIN, END } },
	{ "receive", 25, op_receive, false, { 0, EAGAIN, END }, { END } },
	{ "pair", 20, op_pair, false, { 0, PASSING_ERRNO, END }, { END } },
};

static_assert(ARRAY_LEN(kinds) <= MAX_KINDS);

unsigned int nr_kinds(void)
{
	return ARRAY_LEN(kinds);
}

const char *kind_name(unsigned int kind)
{
	return kinds[kind].name;
}

/**
 * must_have_seen - What a long run must have seen of a kind of operation
 * @kind: the kind
 * @nth: from 0
 *
 * Return: an errno, 0 for success, or -1 if there are no more.
 */
int must_have_seen(unsigned int kind, unsigned int nth)
{
	return nth < ARRAY_LEN(kinds[kind].must) ? kinds[kind].must[nth] : END;
}

static bool is_one_of(int err, const int *list, size_t nr)
{
	size_t i;

	for (i = 0; i < nr && list[i] != END; i++)
		if (list[i] == err)
			return true;
	return false;
}

/* Whether it found something to work on. */
static bool run_op(struct worker *w, const struct op *op)
{
	const struct kind *kind = &kinds[op->kind];
	int err;

	met_seal = false;
	err = kind->func(w, op);
	if (err == NOTHING) {
		add_to(shared->empty);
		return false;
	}
	err = -err;
	if (!(met_seal && err == EROFS) &&
	    !(kind->by_name && (err == ENOENT || err == ENODEV)) &&
	    !is_one_of(err, kind->must, ARRAY_LEN(kind->must)) &&
	    !is_one_of(err, kind->may, ARRAY_LEN(kind->may)))
		fail("worker %u: %s(%u, %u, %u): unexpected errno %d (%s)",
		     w->index, kind->name, op->a, op->b, op->c, err,
		     strerror(err));
	if (err >= 0 && err < MAX_ERRNO)
		add_to(shared->outcome[op->kind][err]);
	return true;
}

static struct op draw_op(__u64 *random)
{
	static unsigned int total;
	unsigned int i, weight;
	struct op op;
	__u64 draw;

	if (!total)
		for (i = 0; i < ARRAY_LEN(kinds); i++)
			total += kinds[i].weight;
	weight = next_random(random) % total;
	for (i = 0; weight >= kinds[i].weight; i++)
		weight -= kinds[i].weight;
	op.kind = i;
	draw = next_random(random);
	op.a = draw;
	op.b = draw >> 32;
	op.c = next_random(random);
	return op;
}

/**
 * run_worker - Do random operations
 * @index: which worker this is
 * @workers: how many there are
 * @seed: decides what is done
 * @ops: how many; those that find nothing to work on are not counted
 * @mailbox: of each worker
 */
void run_worker(unsigned int index, unsigned int workers, __u64 seed,
		unsigned long ops, const struct mailbox *mailbox)
{
	struct worker w = {
		.index = index, .workers = workers, .mailbox = mailbox,
	};
	__u64 random = seed + index, digest = 0;
	unsigned long left = ops;
	unsigned int i;

	/* For the children. */
	signal(SIGUSR1, exec_in_kid);
	signal(SIGUSR2, exec_in_kid);
	for (i = 0; i < MAX_SOCKETS; i++)
		w.socket[i].fd = -1;
	for (i = 0; i < MAX_LISTENERS; i++)
		w.listener[i].fd = -1;
	/* Two seeds that are close to each other have nothing in common. */
	random = next_random(&random);
	while (ops) {
		struct op op = draw_op(&random);

		/* How many more are drawn depends on the others as well. */
		if (left && left--)
			digest = digest * 31 + op.kind + op.a + op.b + op.c;
		ops -= run_op(&w, &op);
		if (look_at(shared->failures) > 20)
			break;
	}
	shared->digest[index] = digest;
	for (i = 0; i < MAX_KIDS; i++)
		kill_kid(&w, i);
}
