// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - How many of the same are told
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "hash.h"
#include "parse.h"
#include "ratelimit.h"

#define BUCKETS 256

/* An interval that has begun, and what was done in it. */
struct window {
	uint64_t begin;
	unsigned int n;
};

struct entry {
	struct entry *next;
	uint64_t cgroup_id;
	char *policy;
	char *hook;
	struct window window;
	uint64_t suppressed;
};

struct ratelimit {
	struct ratelimit_limits limits;
	struct entry *buckets[BUCKETS];
	size_t n_entries;
	uint64_t purged; /* when it was last tried to make room */
	struct window all;
	struct entry others; /* all keys for which there was no room */
};

static struct entry *entry_free(struct entry *entry)
{
	if (!entry)
		return NULL;
	free(entry->policy);
	free(entry->hook);
	free(entry);
	return NULL;
}

static void entry_freep(struct entry **entry)
{
	entry_free(*entry);
}

/**
 * ratelimit_new() - Start counting
 * @limits: how many are told, copied
 * @ret_ratelimit: receives the limit
 */
int ratelimit_new(const struct ratelimit_limits *limits, struct ratelimit **ret_ratelimit)
{
	struct ratelimit *ratelimit;

	if (!limits->interval_usec || !limits->each || !limits->all)
		return -EINVAL;
	ratelimit = calloc(1, sizeof(*ratelimit));
	if (!ratelimit)
		return -ENOMEM;
	ratelimit->limits = *limits;
	*ret_ratelimit = ratelimit;
	return 0;
}

struct ratelimit *ratelimit_free(struct ratelimit *ratelimit)
{
	if (!ratelimit)
		return NULL;
	for (size_t i = 0; i < BUCKETS; i++)
		while (ratelimit->buckets[i]) {
			struct entry *entry = ratelimit->buckets[i];

			ratelimit->buckets[i] = entry->next;
			entry_free(entry);
		}
	free(ratelimit);
	return NULL;
}

void ratelimit_freep(struct ratelimit **ratelimit)
{
	ratelimit_free(*ratelimit);
}

/* Keys are names of policies, which nobody chooses to collide for long. */
static struct entry **bucket_of(struct ratelimit *ratelimit, const struct ratelimit_key *key)
{
	uint64_t hash = hash_bytes(HASH_INIT, &key->cgroup_id, sizeof(key->cgroup_id));

	hash = hash_bytes(hash, key->policy, strlen(key->policy));
	hash = hash_bytes(hash, key->hook, strlen(key->hook));
	return &ratelimit->buckets[(hash ^ hash >> 32) % BUCKETS];
}

static bool is_over(const struct ratelimit *ratelimit, const struct window *window, uint64_t now)
{
	return now - window->begin >= ratelimit->limits.interval_usec;
}

/* Lets go of the keys of which nothing is left to tell. */
static void purge(struct ratelimit *ratelimit, uint64_t now)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct entry **link = &ratelimit->buckets[i]; *link;) {
			struct entry *entry = *link;

			if (entry->suppressed || !is_over(ratelimit, &entry->window, now)) {
				link = &entry->next;
				continue;
			}
			*link = entry->next;
			entry_free(entry);
			ratelimit->n_entries--;
		}
}

static struct entry *entry_new(const struct ratelimit_key *key, uint64_t now)
{
	_cleanup_(entry_freep) struct entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->cgroup_id = key->cgroup_id;
	entry->policy = strdup(key->policy);
	entry->hook = strdup(key->hook);
	entry->window.begin = now;
	return entry->policy && entry->hook ? TAKE_PTR(entry) : NULL;
}

static struct entry *find(struct ratelimit *ratelimit, const struct ratelimit_key *key, uint64_t now)
{
	struct entry **bucket = bucket_of(ratelimit, key);
	struct entry *entry;

	for (entry = *bucket; entry; entry = entry->next)
		if (entry->cgroup_id == key->cgroup_id && streq(entry->policy, key->policy) &&
		    streq(entry->hook, key->hook))
			return entry;

	/* Looking through all of them is not for every event of a storm. */
	if (ratelimit->n_entries >= ratelimit->limits.keys &&
	    now - ratelimit->purged >= ratelimit->limits.interval_usec / 8) {
		purge(ratelimit, now);
		ratelimit->purged = now;
	}
	entry = ratelimit->n_entries < ratelimit->limits.keys ? entry_new(key, now) : NULL;
	if (!entry)
		return &ratelimit->others;
	entry->next = *bucket;
	*bucket = entry;
	ratelimit->n_entries++;
	return entry;
}

static bool window_admit(const struct ratelimit *ratelimit, struct window *window,
			 unsigned int limit, uint64_t now)
{
	if (is_over(ratelimit, window, now))
		*window = (struct window){ .begin = now };
	return window->n < limit;
}

/**
 * ratelimit_admit() - Whether one more is told
 * @ratelimit: the limit
 * @key: what it is
 * @now: the time, which never goes back
 * @ret_suppressed: if it is, how many like it were not since the last one that was
 */
bool ratelimit_admit(struct ratelimit *ratelimit, const struct ratelimit_key *key, uint64_t now,
		     uint64_t *ret_suppressed)
{
	struct entry *entry = find(ratelimit, key, now);

	if (!window_admit(ratelimit, &entry->window, ratelimit->limits.each, now) ||
	    !window_admit(ratelimit, &ratelimit->all, ratelimit->limits.all, now)) {
		entry->suppressed++;
		return false;
	}
	entry->window.n++;
	ratelimit->all.n++;
	/* Of which keys the others were nobody knows: ratelimit_flush() tells them. */
	*ret_suppressed = entry == &ratelimit->others ? 0 : entry->suppressed;
	if (entry != &ratelimit->others)
		entry->suppressed = 0;
	return true;
}

static void flush_entry(const struct ratelimit *ratelimit, struct entry *entry, uint64_t now,
			ratelimit_rest_t rest, void *userdata, uint64_t *next)
{
	const struct ratelimit_key key = {
		.cgroup_id = entry->cgroup_id,
		.policy = entry->policy ?: "",
		.hook = entry->hook ?: "",
	};
	uint64_t end = entry->window.begin + ratelimit->limits.interval_usec;

	if (!entry->suppressed)
		return;
	if (!is_over(ratelimit, &entry->window, now)) {
		if (!*next || end < *next)
			*next = end;
		return;
	}
	rest(&key, entry->suppressed, userdata);
	entry->suppressed = 0;
}

/**
 * ratelimit_flush() - Tell the rest of what has ended
 * @ratelimit: the limit
 * @now: the time
 * @rest: told of each key whose interval is over and of which not all was told; not
 *        bounded by the limit of all, but by the number of keys
 * @userdata: for @rest
 *
 * Return: when to call it again; 0 when nothing is left to tell.
 */
uint64_t ratelimit_flush(struct ratelimit *ratelimit, uint64_t now, ratelimit_rest_t rest,
			 void *userdata)
{
	uint64_t next = 0;

	for (size_t i = 0; i < BUCKETS; i++)
		for (struct entry *entry = ratelimit->buckets[i]; entry; entry = entry->next)
			flush_entry(ratelimit, entry, now, rest, userdata, &next);
	flush_entry(ratelimit, &ratelimit->others, now, rest, userdata, &next);
	purge(ratelimit, now);
	return next;
}

/* How many keys are remembered. */
size_t ratelimit_count(const struct ratelimit *ratelimit)
{
	return ratelimit->n_entries;
}
