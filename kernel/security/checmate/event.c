// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Events
 *
 * All that happens beyond the denial itself, and only then: the way of a call
 * that is allowed does not lead here.
 *
 * A denial counts for its cgroup and those above.  That their files have changed
 * is told by a work item, to which the cgroup goes by a list, if it is not there
 * already: most denials of a storm find it there.  The list is without a lock,
 * for a denial may come in any context.  Counting comes before the look at the
 * list, and leaving the list before the telling: no change goes untold.  What is
 * in the list keeps its css, even if the cgroup goes; then there is no file of it
 * left, but those above are told.
 */

#include <linux/audit.h>
#include <linux/cgroup.h>
#include <linux/jiffies.h>
#include <linux/kernfs.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/math.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>
#include <linux/workqueue.h>

#include "audit.h"
#include "cgroup.h"
#include "event.h"
#include "hook_table.h"
#include "program.h"

#define CREATE_TRACE_POINTS
#include <trace/events/checmate.h>

/* How often files are notified at most, as the cgroup core does. */
#define NOTIFY_INTERVAL	DIV_ROUND_UP(HZ, 100)

static void notify_changed(struct work_struct *work);
static DECLARE_DELAYED_WORK(notify_work, notify_changed);

/* Cgroups in which something was denied. */
static LLIST_HEAD(changed_cgroups);

/* When files were notified for the last time, in jiffies. */
static unsigned long notified_at;

static void notify_file(const struct checmate_cgroup *cgroup, const char *name)
{
	struct kernfs_node *kn;

	kn = kernfs_find_and_get(cgroup->css.cgroup->kn, name);
	if (!kn)
		return;
	kernfs_notify(kn);
	kernfs_put(kn);
}

/* Have those above @cgroup told as well, each once. */
static void add_ancestors(struct list_head *list,
			  const struct checmate_cgroup *cgroup)
{
	struct checmate_cgroup *pos = checmate_cgroup_parent(cgroup);

	for (; pos; pos = checmate_cgroup_parent(pos)) {
		if (!list_empty(&pos->extra->changed))
			return;
		css_get(&pos->css);
		list_add_tail(&pos->extra->changed, list);
	}
}

static void notify_changed(struct work_struct *work)
{
	struct checmate_cgroup *cgroup, *next_cgroup;
	struct checmate_extra *extra, *next_extra;
	LIST_HEAD(above);

	WRITE_ONCE(notified_at, jiffies);
	llist_for_each_entry_safe(cgroup, next_cgroup,
				  llist_del_all(&changed_cgroups), changed) {
		WRITE_ONCE(cgroup->changed.next, &cgroup->changed);
		/*
		 * Who counts after this comes here again.  Pairs with the
		 * barrier in add_changed().
		 */
		smp_mb();
		notify_file(cgroup, "checmate.events.local");
		notify_file(cgroup, "checmate.events");
		add_ancestors(&above, cgroup);
		css_put(&cgroup->css);
		cond_resched();
	}
	list_for_each_entry_safe(extra, next_extra, &above, changed) {
		list_del_init(&extra->changed);
		notify_file(extra->cgroup, "checmate.events");
		css_put(&extra->cgroup->css);
		cond_resched();
	}
}

/* Like the cgroup core: at once, unless that was done just now. */
static void schedule_notification(void)
{
	unsigned long last = READ_ONCE(notified_at);
	bool soon = time_in_range(jiffies, last, last + NOTIFY_INTERVAL);

	schedule_delayed_work(&notify_work, soon ? NOTIFY_INTERVAL : 0);
}

/*
 * A css without references is about to be freed and its files are gone, but
 * those of its ancestors are not.  The root always has references.
 */
static noinline void list_changed(struct checmate_cgroup *cgroup)
{
	struct llist_node *node;

	while (!css_tryget(&cgroup->css))
		cgroup = checmate_cgroup_parent(cgroup);
	node = &cgroup->changed;
	if (cmpxchg(&node->next, node, NULL) != node)
		css_put(&cgroup->css);
	else if (llist_add(node, &changed_cgroups))
		schedule_notification();
}

static void add_changed(struct checmate_cgroup *cgroup)
{
	/* First counted, then looked.  Pairs with that in notify_changed(). */
	smp_mb__after_atomic();
	if (READ_ONCE(cgroup->changed.next) == &cgroup->changed)
		list_changed(cgroup);
}

/**
 * checmate_count_denial - Count a denial for a cgroup and those above
 * @cgroup: the cgroup whose task or socket was denied
 * @permissive: whether the call goes on all the same
 *
 * Context: Any context, within rcu_read_lock() or with a reference to @cgroup.
 */
void checmate_count_denial(struct checmate_cgroup *cgroup, bool permissive)
{
	struct checmate_cgroup *pos;

	/* Whoever has a child can count for it. */
	for (pos = checmate_cgroup_parent(cgroup); pos;
	     pos = checmate_cgroup_parent(pos))
		checmate_count_event(&pos->extra->below, permissive);
	checmate_count_event(&cgroup->local, permissive);
	add_changed(cgroup);
}

/**
 * checmate_report_denial - Tell that a program has denied
 * @cgroup: the cgroup whose task or socket it met
 * @program: the program
 * @err: the errno, negative
 *
 * Context: Any context, within rcu_read_lock() or with a reference to @cgroup.
 */
void checmate_report_denial(struct checmate_cgroup *cgroup,
			    struct checmate_program *program, int err)
{
	const bool permissive = program->permissive;

	checmate_count_event(&program->tally->events, permissive);
	checmate_count_denial(cgroup, permissive);

	if (trace_checmate_denied_enabled())
		trace_checmate_denied(cgroup_id(cgroup->css.cgroup),
				      checmate_hook_name(program->hook),
				      program->id, checmate_prog_id(program),
				      err, permissive);
	if (audit_enabled)
		checmate_audit_denial(cgroup, program, err);
}

/**
 * checmate_show_events - Print counters, one to a line
 * @seq: where to
 * @local: the counters
 * @below: what is to be added, or NULL
 *
 * None of these ever gets less, and so do their sums.
 *
 * Context: Process context.
 */
void checmate_show_events(struct seq_file *seq,
			  const struct checmate_events *local,
			  const struct checmate_events *below)
{
	seq_printf(seq, "denied %lld\npermissive %lld\n",
		   atomic64_read(&local->denied) +
		   (below ? atomic64_read(&below->denied) : 0),
		   atomic64_read(&local->permissive) +
		   (below ? atomic64_read(&below->permissive) : 0));
}
