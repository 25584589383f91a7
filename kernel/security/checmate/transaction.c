// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Transactions
 *
 * A transaction changes the attachment set of one cgroup, and with it the
 * rulesets of that cgroup and of all its descendants.  It builds all new
 * rulesets first, which may fail, and then publishes them, which may not; on
 * failure nothing has changed, and what was enforced still is.
 */

#include <linux/cgroup.h>
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/percpu-refcount.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>

#include "cgroup.h"
#include "common.h"
#include "hooks.h"
#include "limits.h"
#include "attachments.h"
#include "program.h"
#include "request.h"
#include "ruleset.h"
#include "sock.h"
#include "transaction.h"

/* What @cgroup would inherit if the rulesets prepared from @top on held. */
static struct checmate_ruleset *
inherited_ruleset(const struct checmate_cgroup *cgroup,
		  const struct checmate_cgroup *top)
{
	lockdep_assert_held(&checmate_mutex);

	while (cgroup != top) {
		cgroup = checmate_cgroup_parent(cgroup);
		if (cgroup->extra->next)
			return cgroup->extra->next;
	}
	cgroup = checmate_cgroup_parent(top);
	return cgroup ? checmate_effective_ruleset(cgroup) :
			&checmate_empty_ruleset;
}

/*
 * Enforce @new for @cgroup.  The filter has the hooks of what was enforced before
 * as well, as @both says, while one takes the place of the other: whoever passes
 * it finds the old or the new ruleset as a whole, and whoever does not pass
 * misses nothing of either.
 */
static void enforce(struct checmate_cgroup *cgroup,
		    struct checmate_ruleset *new, unsigned long both,
		    unsigned long filter)
{
	lockdep_assert_held(&checmate_mutex);

	WRITE_ONCE(cgroup->filter, both);
	rcu_assign_pointer(cgroup->effective, new);
	/* Pairs with the acquire in checmate_cgroup_concerned(). */
	smp_store_release(&cgroup->filter, filter);
}

/**
 * checmate_inherit_ruleset - Let what is enforced for its parent be for a cgroup
 * @cgroup: the cgroup, which is new
 *
 * Context: Process context; under checmate_mutex.
 */
void checmate_inherit_ruleset(struct checmate_cgroup *cgroup)
{
	struct checmate_ruleset *ruleset = inherited_ruleset(cgroup, cgroup);

	enforce(cgroup, checmate_get_ruleset(ruleset), ruleset->filter,
		ruleset->filter);
}

/*
 * The next one after @pos, @top and below, that has an attachment set or is on
 * the way to one that has: parents come before their children.
 */
static struct checmate_extra *next_holder(struct checmate_extra *pos,
					  const struct checmate_extra *top)
{
	struct checmate_extra *parent;

	if (!list_empty(&pos->holders))
		return list_first_entry(&pos->holders, struct checmate_extra,
					holder);
	while (pos != top) {
		parent = checmate_cgroup_parent(pos->cgroup)->extra;
		if (!list_is_last(&pos->holder, &parent->holders))
			return list_next_entry(pos, holder);
		pos = parent;
	}
	return NULL;
}

/* Have a cgroup found, or not anymore, from above by who looks for attachment sets. */
static void update_holder(struct checmate_extra *extra)
{
	struct checmate_cgroup *parent;
	bool holds;

	lockdep_assert_held(&checmate_mutex);

	for (;;) {
		parent = checmate_cgroup_parent(extra->cgroup);
		holds = (extra->set && extra->set->nr) ||
			!list_empty(&extra->holders);
		if (!parent || holds == !list_empty(&extra->holder))
			return;
		if (holds)
			list_add_tail(&extra->holder, &parent->extra->holders);
		else
			list_del_init(&extra->holder);
		extra = parent->extra;
	}
}

/* Drop what was prepared, be it that it shall not be or that it is. */
static void abandon(struct checmate_cgroup *top)
{
	struct checmate_extra *pos;

	lockdep_assert_held(&checmate_mutex);

	for (pos = top->extra; pos; pos = next_holder(pos, top->extra)) {
		checmate_put_ruleset(pos->next);
		pos->next = NULL;
		cond_resched();
	}
}

/* Whether a removed cgroup is kept by its sockets and has a ruleset to rebuild. */
static bool is_kept(const struct checmate_extra *extra)
{
	return css_is_dying(&extra->cgroup->css) && extra->set &&
	       extra->set->nr &&
	       !percpu_ref_is_zero(&extra->cgroup->css.refcnt) &&
	       checmate_effective_ruleset(extra->cgroup) !=
		       &checmate_closed_ruleset;
}

/*
 * How many of the removed cgroups below @top are to be closed.  Sockets that are
 * passed around keep any number of them; each would make every transaction of an
 * ancestor longer.
 */
static unsigned int count_excess(struct checmate_cgroup *top)
{
	unsigned int kept = 0;
	struct checmate_extra *pos;

	for (pos = top->extra; pos; pos = next_holder(pos, top->extra)) {
		kept += is_kept(pos);
		cond_resched();
	}
	return kept > CHECMATE_MAX_REMOVED ? kept - CHECMATE_MAX_REMOVED : 0;
}

/*
 * Prepare new rulesets for @top, which is to have @set, and for all of its
 * descendants that have an attachment set of their own.  Of the removed ones,
 * those that were bound first are closed where there are too many.
 */
static int prepare(struct checmate_cgroup *top,
		   const struct checmate_attachments *set)
{
	unsigned int excess = count_excess(top);
	struct checmate_ruleset *ruleset;
	struct checmate_extra *pos;

	lockdep_assert_held(&checmate_mutex);

	for (pos = top->extra; pos; pos = next_holder(pos, top->extra)) {
		const struct checmate_attachments *own =
			pos == top->extra ? set : pos->set;

		cond_resched();
		/* Without a reference left nobody asks for its ruleset. */
		if (!own || !own->nr ||
		    percpu_ref_is_zero(&pos->cgroup->css.refcnt))
			continue;
		if (excess && is_kept(pos)) {
			excess--;
			pos->next = checmate_get_ruleset(&checmate_closed_ruleset);
			continue;
		}
		/* A cgroup that is closed stays so. */
		if (checmate_effective_ruleset(pos->cgroup) ==
		    &checmate_closed_ruleset)
			continue;
		ruleset = checmate_build_ruleset(own,
						 inherited_ruleset(pos->cgroup,
								   top));
		if (IS_ERR(ruleset)) {
			abandon(top);
			return PTR_ERR(ruleset);
		}
		pos->next = ruleset;
	}
	return 0;
}

static void exchange_references(struct checmate_ruleset *old,
				struct checmate_ruleset *new, unsigned int nr)
{
	if (!nr)
		return;
	refcount_add(nr, &new->usage);
	checmate_put_rulesets(old, nr);
}

/*
 * The next css in a walk from @top, parents before their children.  That is
 * css_next_descendant_pre() without its calls and without what it does for
 * walks that leave rcu_read_lock() in between: one that is removed meanwhile
 * still leads on to the next, which then is there until rcu_read_unlock().
 */
static __always_inline struct cgroup_subsys_state *
next_descendant(struct cgroup_subsys_state *css,
		const struct cgroup_subsys_state *top)
{
	struct list_head *next = rcu_dereference(list_next_rcu(&css->children));

	if (next != &css->children)
		return list_entry(next, struct cgroup_subsys_state, sibling);
	while (css != top) {
		next = rcu_dereference(list_next_rcu(&css->sibling));
		if (next != &css->parent->children)
			return list_entry(next, struct cgroup_subsys_state,
					  sibling);
		css = css->parent;
	}
	return NULL;
}

/*
 * Point @top and its descendants at what is prepared.  Most go from the same
 * ruleset to the same as the one before them, and references are counted for as
 * many at a time.  Nothing goes away meanwhile: what is prepared has a reference
 * until abandon().  The walk is within one rcu_read_lock() and so does not
 * reschedule: it takes some 30 instructions for each cgroup.
 */
static void publish(struct checmate_cgroup *top)
{
	struct checmate_ruleset *from, *to, *old = NULL, *new = NULL;
	unsigned long both = 0, filter = 0;
	struct cgroup_subsys_state *css;
	unsigned int nr = 0;

	lockdep_assert_held(&checmate_mutex);

	if (!top->extra->next)
		top->extra->next =
			checmate_get_ruleset(inherited_ruleset(top, top));
	rcu_read_lock();
	for (css = &top->css; css; css = next_descendant(css, &top->css)) {
		struct checmate_cgroup *cgroup = css_checmate(css);

		/* Parents come before their children in this walk. */
		to = checmate_cgroup_extra(cgroup)->next;
		if (!to)
			to = checmate_effective_ruleset(css_checmate(css->parent));
		from = checmate_effective_ruleset(cgroup);
		if (from != old || to != new) {
			/*
			 * Not online yet: it will inherit then.  Closed: it stays
			 * so, and so do its descendants, which are removed, too.
			 */
			if (!from || from == to ||
			    from == &checmate_closed_ruleset)
				continue;
			exchange_references(old, new, nr);
			nr = 0;
			old = from;
			new = to;
			filter = new->filter;
			both = old->filter | filter;
		}
		enforce(cgroup, new, both, filter);
		nr++;
	}
	exchange_references(old, new, nr);
	rcu_read_unlock();
	abandon(top);

	checmate_step_epoch();
}

static void use_hooks(const struct checmate_attachments *set)
{
	unsigned int i;

	for (i = 0; set && i < set->nr; i++)
		checmate_use_hook(set->program[i]->hook);
}

static void unuse_hooks(const struct checmate_attachments *set)
{
	unsigned int i;

	for (i = 0; set && i < set->nr; i++)
		checmate_unuse_hook(set->program[i]->hook);
}

/* Whether @request could be applied to @old. */
static int try(const struct checmate_request *request,
	       const struct checmate_attachments *old)
{
	struct checmate_attachments *set __free(checmate_attachments) = NULL;
	struct checmate_cgroup *cgroup = request->cgroup;
	int err;

	set = checmate_edit_attachments(old, &request->edit,
					cgroup->extra->sealed);
	if (IS_ERR(set))
		return PTR_ERR(set);
	err = prepare(cgroup, set);
	if (!err)
		abandon(cgroup);
	return err;
}

/**
 * checmate_try_request - Whether a request would succeed now
 * @request: the request
 *
 * Context: Process context, may sleep; under checmate_mutex.
 * Return: What checmate_apply_request() would return.
 */
int checmate_try_request(const struct checmate_request *request)
{
	lockdep_assert_held(&checmate_mutex);

	return try(request, request->cgroup->extra->set);
}

/**
 * checmate_apply_request - Enforce what a request asks for
 * @request: the request
 * @then: what must still be applicable afterwards, or NULL
 *
 * The hooks go on before the rulesets are out, so that all programs count from
 * one moment on, and go off, later, after that.
 *
 * Context: Process context, may sleep; under checmate_mutex.
 * Return: 0; what checmate_edit_attachments() or checmate_build_ruleset()
 * return, or -EBUSY if @then stands against it.  Nothing has changed on
 * failure.
 */
int checmate_apply_request(const struct checmate_request *request,
			   const struct checmate_request *then)
{
	struct checmate_attachments *set __free(checmate_attachments) = NULL;
	struct checmate_cgroup *cgroup = request->cgroup;
	struct checmate_extra *extra = cgroup->extra;
	int err;

	lockdep_assert_held(&checmate_mutex);

	set = checmate_edit_attachments(extra->set, &request->edit,
					extra->sealed);
	if (IS_ERR(set))
		return PTR_ERR(set);
	/* What is at fault in the request itself is told first. */
	err = prepare(cgroup, set);
	if (err)
		return err;
	if (then) {
		abandon(cgroup);
		err = try(then, set);
		if (err)
			return err == -ENOMEM ? -ENOMEM : -EBUSY;
		err = prepare(cgroup, set);
		if (err)
			return err;
	}

	use_hooks(set);
	publish(cgroup);
	unuse_hooks(extra->set);
	if (request->edit.nr)
		extra->generation++;
	/* The old attachment set is freed in place of the new one. */
	swap(extra->set, set);
	update_holder(extra);
	return 0;
}

/**
 * checmate_drop_attachments - Let go of all that is enforced for a cgroup
 * @cgroup: the cgroup, which nobody asks for anymore
 *
 * Context: Process context, may sleep.
 */
void checmate_drop_attachments(struct checmate_cgroup *cgroup)
{
	struct checmate_attachments *set __free(checmate_attachments) = NULL;
	struct checmate_extra *extra = checmate_cgroup_extra(cgroup);

	guard(mutex)(&checmate_mutex);

	checmate_put_ruleset(checmate_effective_ruleset(cgroup));
	if (!extra->set)
		return;
	unuse_hooks(extra->set);
	swap(extra->set, set);
	update_holder(extra);
}
