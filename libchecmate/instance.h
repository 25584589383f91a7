/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libchecmate - Instances: what the programs of a policy know about one binding
 *
 * An instance is a map of rows, see checmate-types.h, in the machine's map of instances. It
 * does not change while programs can find it: a change puts another one in its place, by
 * one store. Programs find it by the cookie of their attachment, and deny when it is not
 * there or has another cookie.
 */
#pragma once

#include <stdint.h>

#include "checmate-types.h"
#include "description.h"

/**
 * struct instance - What the programs know, in memory.
 * @rows: the rows.
 * @n_rows: how many.
 */
struct instance {
	union checmate_row *rows;
	size_t n_rows;
};

void instance_done(struct instance *instance);

/* What it begins with. */
static inline struct checmate_head *instance_head(const struct instance *instance)
{
	return (struct checmate_head *)instance->rows[0].bytes;
}

/**
 * instance_build() - Write parameters down.
 * @description: the policy.
 * @values: a value for each of its parameters.
 * @cgroup_id: the cgroup that it is bound to.
 * @flags: CHECMATE_HEAD_*.
 * @ret_instance: receives the instance, without a cookie.
 *
 * Return: 0; -ENOMEM.
 */
int instance_build(const struct description *description, void *const *values, uint64_t cgroup_id,
		   uint32_t flags, struct instance *ret_instance);

/**
 * instance_value() - Read a parameter.
 * @instance: the instance.
 * @param: one of its policy's parameters.
 * @ret_value: receives @param->type->size bytes, to free.
 *
 * Return: 0; -EBADMSG the instance does not have it; -ENOMEM.
 */
int instance_value(const struct instance *instance, const struct param *param, void **ret_value);

/*
 * The following are called with the lock of pins.
 */

/**
 * instances_place() - Give new instances their cookies.
 * @instances: the instances; each gets a cookie, which no other one has.
 * @generations: for each what its cookie has besides the place; not 0.
 * @n: how many.
 * @ret_error: explanation, or NULL.
 *
 * The places are theirs for as long as the lock is held.
 *
 * Return: 0; -ENOSPC there are too many bindings; -errno.
 */
int instances_place(struct instance *const *instances, const uint32_t *generations, size_t n,
		    struct checmate_error **ret_error);

/**
 * instances_add() - Have programs find new instances.
 * @instances: the instances, with their cookies.
 * @n: how many.
 * @ret_error: explanation, or NULL.
 *
 * Waits once for the kernel, however many there are.
 *
 * Return: 0, -errno. On failure some may be there.
 */
int instances_add(struct instance *const *instances, size_t n, struct checmate_error **ret_error);

/**
 * instances_remove() - Have programs find instances no more.
 * @cookies: their cookies; those that are 0 or of none are skipped.
 * @n: how many.
 *
 * Nothing may be attached with these cookies any more. Waits for programs that still run
 * with one, so that none of them denies for lack of it.
 *
 * Return: 0, -errno.
 */
int instances_remove(const uint64_t *cookies, size_t n);

/**
 * instance_read() - Look at what programs find.
 * @cookie: the cookie.
 * @ret_instance: receives the instance.
 *
 * Return: 0; -ENOENT there is none with this cookie; -errno.
 */
int instance_read(uint64_t cookie, struct instance *ret_instance);

/* Reads the flags alone. Returns as instance_read(). */
int instance_read_flags(uint64_t cookie, uint32_t *ret_flags);

/**
 * instance_replace() - Put an instance in the place of the one with its cookie.
 * @instance: the instance.
 *
 * When this returns, no program looks at the former one any more, but for those that may sleep.
 *
 * Return: 0; -ENOENT there is none with this cookie; -errno.
 */
int instance_replace(const struct instance *instance);
