// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Retired objects
 *
 * Rulesets and requests are read under RCU without a reference.  Once nobody can
 * find such an object anymore it is retired, and freed when its last readers
 * have left it.
 *
 * One work item frees all objects that were retired before one grace period of
 * RCU.  Objects whose readers may sleep then go to a second work item, which
 * waits for a grace period of RCU tasks trace for all of them.  A program may
 * sleep for as long as it likes, so the second work item holds up neither the
 * first one nor writers.
 *
 * Writers retire objects faster than a busy machine frees them.  A writer that
 * finds too much memory waiting for RCU waits itself, before it takes any lock.
 */

#include <linux/atomic.h>
#include <linux/init.h>
#include <linux/kconfig.h>
#include <linux/panic.h>
#include <linux/rcupdate.h>
#include <linux/rcupdate_trace.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "common.h"
#include "limits.h"
#include "retire.h"

static void free_after_readers(struct work_struct *work);
static void free_after_sleepers(struct work_struct *work);

static DECLARE_WORK(readers_work, free_after_readers);
static DECLARE_WORK(sleepers_work, free_after_sleepers);

/* The objects that each work item is going to take over. */
static LLIST_HEAD(left_by_writers);
static LLIST_HEAD(left_by_readers);

/* Bytes: waiting for readers, waiting for either, and the most of the latter. */
static atomic_long_t readers_bytes;
static atomic_long_t waiting_bytes;
static atomic_long_t peak_bytes;

/* Writers that wait for @readers_bytes to fall. */
static DECLARE_WAIT_QUEUE_HEAD(writers);

/* Two work items at a time, so that neither waits for the other. */
static struct workqueue_struct *retire_wq __ro_after_init;

static void free_retired(struct checmate_retired *retired)
{
	atomic_long_sub(retired->bytes, &waiting_bytes);
	retired->free(retired);
}

static void free_after_readers(struct work_struct *work)
{
	struct llist_node *list = llist_del_all(&left_by_writers);
	struct checmate_retired *retired, *next;
	bool sleepers = false;

	synchronize_rcu();
	llist_for_each_entry_safe(retired, next, list, node) {
		atomic_long_sub(retired->bytes, &readers_bytes);
		if (retired->readers_sleep) {
			llist_add(&retired->node, &left_by_readers);
			sleepers = true;
		} else {
			free_retired(retired);
		}
		cond_resched();
	}
	if (sleepers)
		queue_work(retire_wq, &sleepers_work);
	wake_up_all(&writers);
}

/* Readers took rcu_read_lock_trace() before they gave rcu_read_lock() up. */
static void free_after_sleepers(struct work_struct *work)
{
	struct llist_node *list = llist_del_all(&left_by_readers);
	struct checmate_retired *retired, *next;

	synchronize_rcu_tasks_trace();
	llist_for_each_entry_safe(retired, next, list, node) {
		free_retired(retired);
		cond_resched();
	}
}

static void note_peak(long bytes)
{
	long peak = atomic_long_read(&peak_bytes);

	while (bytes > peak &&
	       !atomic_long_try_cmpxchg(&peak_bytes, &peak, bytes))
		;
}

/**
 * checmate_retire - Free an object when its last readers have left it
 * @retired: part of the object, which nobody can find anymore
 *
 * Context: Any context.
 */
void checmate_retire(struct checmate_retired *retired)
{
	note_peak(atomic_long_add_return(retired->bytes, &waiting_bytes));
	atomic_long_add(retired->bytes, &readers_bytes);
	/* The work item takes the list over, and is queued again after that. */
	if (llist_add(&retired->node, &left_by_writers))
		queue_work(retire_wq, &readers_work);
}

/**
 * checmate_wait_for_retired - Wait while too much memory waits for readers
 *
 * Memory that waits for readers who sleep does not count: no writer waits for a
 * program.  That memory is charged to the memory cgroups of the writers.
 *
 * Context: Process context, may sleep; without locks.
 * Return: 0, or -ERESTARTSYS if a fatal signal comes first.
 */
int checmate_wait_for_retired(void)
{
	return wait_event_killable(writers, atomic_long_read(&readers_bytes) <
					    CHECMATE_MAX_RETIRED);
}

/**
 * checmate_show_retired - Print how much memory waits
 * @seq: where to
 *
 * Context: Process context.
 */
void checmate_show_retired(struct seq_file *seq)
{
	seq_printf(seq, "waiting %ld\npeak %ld\nlimit %d\n",
		   atomic_long_read(&waiting_bytes),
		   atomic_long_read(&peak_bytes), CHECMATE_MAX_RETIRED);
}

#if IS_ENABLED(CONFIG_SECURITY_CHECMATE_KUNIT_TEST)
/**
 * checmate_flush_retired - Wait until all that is retired by now is freed
 *
 * Context: Process context, may sleep.
 */
void checmate_flush_retired(void)
{
	flush_work(&readers_work);
	flush_work(&sleepers_work);
}
#endif

static int __init create_wq(void)
{
	retire_wq = alloc_workqueue("checmate", WQ_UNBOUND, 2);
	if (!retire_wq)
		panic("%s: no memory for a workqueue\n", CHECMATE_NAME);
	return 0;
}
core_initcall(create_wq);
