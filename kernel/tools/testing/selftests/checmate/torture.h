/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Selftests: torture
 *
 * Workers do random operations on a tree of cgroups, while oracles try what is
 * denied, or allowed, for good:
 *
 *	guard	has programs that are never without force; not one of the deeds
 *		in enum deed may succeed here or below, whatever workers do
 *	sealed	the same, and a seal keeps it that way: workers try to change it
 *		as they do with all others
 *	free	no program here or below ever denies; no deed may fail
 *
 * In all of them, workers make and remove cgroups, turn the controller on and
 * off, attach, detach and stage programs, and move processes about.
 */
#ifndef _SELFTESTS_CHECMATE_TORTURE_H
#define _SELFTESTS_CHECMATE_TORTURE_H

#define WITHOUT_HARNESS
#include "common.h"

/* The errno of the programs that stay, and of those that come and go. */
#define STAYING_ERRNO	EUSERS
#define PASSING_ERRNO	EKEYREJECTED

#define MAX_WORKERS	16
#define MAX_KIDS	6
#define MAX_LISTENERS	2
#define MAX_SOCKETS	24
#define MAX_MOVABLE	16
#define MAX_THREADS	4

/* --- random numbers ------------------------------------------------------ */

static inline __u64 next_random(__u64 *state)
{
	__u64 z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* --- cgroups ------------------------------------------------------------- */

enum zone {
	/* Where no program is attached but those that allow: the root. */
	ZONE_OUT,
	ZONE_FREE,
	/* From here on deeds are denied. */
	ZONE_GUARD,
	/* The same, with no way out. */
	ZONE_SEALED,
};

/**
 * struct slot - A place for a cgroup
 * @path: its directory
 * @zone: what it is part of
 * @fixed: it is always there
 * @leaf: the controller is never turned on below it, so that processes can be
 *	moved there at any time
 * @guarded: it has the programs that stay
 * @threaded: it is part of a threaded subtree
 */
struct slot {
	char path[256];
	enum zone zone;
	bool fixed;
	bool leaf;
	bool guarded;
	bool threaded;
};

#define TREE_SLOTS	16
#define THREAD_SLOTS	5
#define SLOT_FREE	0
#define SLOT_GUARD	TREE_SLOTS
#define SLOT_SEALED	(2 * TREE_SLOTS)
/* The threaded subtree, its root first, then one that is always there. */
#define SLOT_THREADS	(3 * TREE_SLOTS)
#define NR_SLOTS	(SLOT_THREADS + THREAD_SLOTS)
/* Behind the slot of a zone itself comes the leaf that is always there. */
#define HOME(SLOT)	((SLOT) + 1)

extern struct slot slots[NR_SLOTS];

/* The slot of a zone itself. */
static inline unsigned int zone_root(enum zone zone)
{
	switch (zone) {
	case ZONE_GUARD:
		return SLOT_GUARD;
	case ZONE_SEALED:
		return SLOT_SEALED;
	default:
		return SLOT_FREE;
	}
}

extern char top_dir[128];

/* --- programs ------------------------------------------------------------ */

/* What guard denies and free allows. */
enum deed {
	/* bind() of an internet socket */
	DEED_BIND,
	/* socket() of one kind */
	DEED_CREATE,
	/* open() of one file */
	DEED_OPEN,
	/* kill() with one signal */
	DEED_KILL,
	/* shutdown() of any socket */
	DEED_SHUTDOWN,
	/* a UDP packet that comes in */
	DEED_PACKET,
	NR_DEEDS,
};

/**
 * struct program - One of those that workers attach
 * @fd: descriptor, the same in all processes
 * @id: id of the BPF program
 * @hook: hook
 * @file: the control file of the hook, or NULL if it has none
 * @denies: it denies something
 */
struct program {
	int fd;
	__u32 id;
	const char *hook;
	const char *file;
	bool denies;
};

#define NR_STAYING	2
#define MAX_PASSING	48
#define NR_RARE		6

/* Two for each deed; one of them is always attached to guard. */
extern struct program staying[NR_DEEDS][NR_STAYING];
extern struct program passing[MAX_PASSING];
extern unsigned int nr_passing;
/* For hooks that nothing else uses. */
extern struct program rare[NR_RARE];

int load_programs(const char *denied_file);
int load_fresh(unsigned int which);

/* --- what all processes share -------------------------------------------- */

enum oracle {
	ORACLE_BIND,
	ORACLE_CREATE,
	ORACLE_OPEN,
	ORACLE_KILL,
	ORACLE_OLD_SOCKET,
	ORACLE_ACCEPTED,
	ORACLE_PASSED,
	ORACLE_INHERITED,
	ORACLE_PACKET,
	ORACLE_THREADS,
	/* When something staged has taken force. */
	ORACLE_STAGED,
	/* Ways out of a seal. */
	ORACLE_SEALED,
	ORACLE_SEALED_THREAD,
	/* The workers themselves and their children, in guard. */
	ORACLE_WORKERS,
	/* From here on those that may not be denied. */
	ORACLE_ALLOWED,
	ORACLE_ALLOWED_WORKERS,
	NR_ORACLES,
};

/**
 * struct oracle_tally - What an oracle has found out
 * @tries: how often it tried
 * @successes: how often the deed succeeded
 * @wrong: how often something else happened than it should
 * @hindered: how often a program that comes and goes kept it from trying
 */
struct oracle_tally {
	unsigned long tries;
	unsigned long successes;
	unsigned long wrong;
	unsigned long hindered;
};

struct listener {
	int family;
	socklen_t len;
	struct sockaddr_storage address;
};

#define MAX_KINDS	40
#define MAX_ERRNO	160

/**
 * struct shared - What all processes see
 * @failures: number of failures that were printed
 * @ready: oracles that have begun
 * @stop: oracles shall end
 * @listener_lock: 1 while somebody uses @listener
 * @listener: where workers listen
 * @kid: children of workers, 0 if there is none
 * @movable: oracles that workers may move within their zone
 * @thread: threads that workers may move in the threaded subtree
 * @sealed_thread: a thread that nobody may move
 * @sealed_id: attachments that nobody may make looser
 * @outcome: of each kind, how often it ended with which errno
 * @empty: operations that found nothing to work on
 * @digest: of the operations of a worker
 * @oracle: what oracles have found
 * @flips: how often a rare hook was seen to be on after it was off
 */
struct shared {
	unsigned long failures;
	unsigned int ready;
	int stop;
	int listener_lock;
	struct listener listener[MAX_WORKERS][MAX_LISTENERS];
	pid_t kid[MAX_WORKERS][MAX_KIDS];
	struct {
		pid_t pid;
		enum zone zone;
	} movable[MAX_MOVABLE];
	pid_t thread[MAX_THREADS];
	pid_t sealed_thread;
	unsigned long long sealed_id[NR_DEEDS];
	unsigned long outcome[MAX_KINDS][MAX_ERRNO];
	unsigned long empty;
	__u64 digest[MAX_WORKERS];
	struct oracle_tally oracle[NR_ORACLES];
	unsigned long flips;
};

extern struct shared *shared;
extern char denied_path[64];
/* A page that sleeping programs read; it may have to be brought in. */
extern void *shared_page;

#define add_to(COUNTER)	__atomic_fetch_add(&(COUNTER), 1, __ATOMIC_RELAXED)
#define look_at(VALUE)	__atomic_load_n(&(VALUE), __ATOMIC_ACQUIRE)
#define set_to(VALUE, NEW) \
	__atomic_store_n(&(VALUE), (NEW), __ATOMIC_RELEASE)

void __printf(1, 2) fail(const char *format, ...);

/* --- deeds --------------------------------------------------------------- */

int try_deed(enum deed deed, __u64 random);
int bind_socket(int fd);
int make_internet_socket(__u64 random);
int send_labelled(int channel, int fd, char label);
int receive_labelled(int channel, char *label);
bool judge(enum oracle oracle, enum zone zone, int err, const char *what);
int exec_junk(void);
pid_t clone_into(const char *dir);
int try_to_leave(pid_t pid, __u32 random);

/* --- parts --------------------------------------------------------------- */

int start_oracles(const int *old_socket, unsigned int nr_old, __u64 seed);
bool stop_oracles(void);
const char *oracle_name(enum oracle oracle);

/* Where a worker gets sockets from the others; both ends of a pair. */
struct mailbox {
	int receive;
	int send;
};

void run_worker(unsigned int index, unsigned int workers, __u64 seed,
		unsigned long ops, const struct mailbox *mailbox);
unsigned int nr_kinds(void);
const char *kind_name(unsigned int kind);
int must_have_seen(unsigned int kind, unsigned int nth);
bool guard_is_whole(const char *effective);

#endif /* _SELFTESTS_CHECMATE_TORTURE_H */
