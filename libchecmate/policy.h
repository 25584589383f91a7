/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libchecmate - Policy objects */
#pragma once

#include "object.h"

/* Bytes of the name of a program set: policy, digest, backend, cookie. */
#define PROGRAM_SET_NAME_MAX 128

/**
 * struct checmate_policy - An opened policy object.
 * @path: where it was found.
 * @object: what the file says.
 * @description: @object's, whose strings it has.
 * @programs: @object's, with ids; likewise.
 * @n_programs: how many.
 * @loaded: libbpf's view of what it has loaded; NULL where others have, or nobody.
 * @program_fds: the programs in the kernel; NULL while there are none.
 * @values: a value per parameter.
 * @modules: a digest of the kernel's modules that the programs know.
 * @set: the program set of the binding that is made of it.
 * @generation: what tells that binding from others that have the same place.
 * @cookie: that binding's cookie; 0 for a policy without instances.
 * @broken: loading failed.
 * @bound: a binding was made of it.
 */
struct checmate_policy {
	char *path;
	struct object *object;
	struct description description;
	struct checmate_program *programs;
	size_t n_programs;
	struct bpf_object *loaded;
	int *program_fds;
	void **values;
	uint32_t modules;
	char set[PROGRAM_SET_NAME_MAX];
	uint32_t generation;
	uint64_t cookie;
	bool broken;
	bool bound;
};

/**
 * policy_program_fd() - A program in the kernel.
 * @policy: a loaded policy.
 * @program: one of its programs.
 *
 * Return: its descriptor, which is the policy's.
 */
int policy_program_fd(const struct checmate_policy *policy, const struct bpf_program *program);

/* Lets go of the programs. */
void policy_close_programs(struct checmate_policy *policy);

/* Whether its programs find their parameters in instances. */
bool policy_has_instances(const struct checmate_policy *policy);

struct backend;

/**
 * policy_get_programs() - Have the programs in the kernel.
 * @policy: the policy.
 * @backend: by which they are going to be attached.
 * @ret_error: explanation, or NULL.
 *
 * What another binding has loaded is used; whether that is there still, the lock of pins
 * tells. Else the kernel verifies and loads them.
 *
 * Return: as checmate_policy_load().
 */
int policy_get_programs(struct checmate_policy *policy, const struct backend *backend,
			struct checmate_error **ret_error);
