/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libchecmate - Program sets: the programs of a policy, as the kernel has them
 *
 *	<bpffs>/checmate/programs/<set>/prog_<program>
 *	                                map_<map>
 *	                                bindings/<cookie>	see record.h
 *
 * All bindings of a policy object share a set. It is made by the first of them and goes
 * with the last. Its name is that of the policy, a digest of the object, one of the kernel's
 * modules and, where it is not the controller that attaches, the backend. An object whose
 * maps belong to one binding has a set for each.
 */
#pragma once

#include "pin.h"
#include "policy.h"

/**
 * struct program_set_item - A program of a set.
 * @name: its name.
 * @id: the kernel's id.
 * @btf_id: the kernel's id of its types.
 */
struct program_set_item {
	char *name;
	uint32_t id;
	uint32_t btf_id;
};

/**
 * struct program_set - The programs that are pinned somewhere.
 * @items: the programs.
 * @n: how many.
 */
struct program_set {
	struct program_set_item *items;
	size_t n;
};

void program_set_done(struct program_set *set);

/* Reads the programs pinned in a directory. Returns 0; -ENOENT no such directory; -errno. */
int program_set_read(const struct pin_path *directory, struct program_set *ret_set);

/**
 * program_set_modules() - Which modules the kernel has.
 * @ret_digest: receives a digest of their names.
 *
 * What programs read may belong to a module. One that came after they were loaded is not
 * known to them, so bindings made since then have another set.
 *
 * Return: 0, -errno.
 */
int program_set_modules(uint32_t *ret_digest);

/**
 * program_set_name() - How the set of a policy is called.
 * @policy: the policy.
 * @suffix: of the backend.
 * @cookie: the binding's, which counts where the set is not shared.
 * @ret_name: receives the name.
 */
void program_set_name(const struct checmate_policy *policy, const char *suffix, uint64_t cookie,
		      char ret_name[PROGRAM_SET_NAME_MAX]);

/* Whether there is a set of that name. With the lock of pins that stays so. */
bool program_set_exists(const char *name);

/* Pins a loaded policy as a set. With the lock of pins. Returns 0, -errno. */
int program_set_pin(const struct checmate_policy *policy, const char *name);

/**
 * program_set_use() - Have a policy use the programs of a set.
 * @policy: the policy, loaded or not.
 * @name: the set.
 *
 * Return: 0; -EBADMSG the set has other programs; -errno.
 */
int program_set_use(struct checmate_policy *policy, const char *name);

/* Removes a set that no binding uses any more; that there is none is fine. Returns 0, -errno. */
int program_set_release(const char *name);
