/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libchecmate - Policy objects */
#pragma once

#include <bpf/libbpf.h>

#include "description.h"

/**
 * struct checmate_policy - An opened policy object.
 * @path: where it was found.
 * @data: the file's bytes; @object refers to them.
 * @size: how many.
 * @object: libbpf's view.
 * @description: what it says about itself.
 * @programs: its programs; strings belong to @object, except @hook.
 * @n_programs: how many.
 * @program_fds: the programs in the kernel, where it was not libbpf that loaded them.
 * @values: a value per parameter.
 * @loaded: the kernel has it.
 * @broken: loading failed.
 * @bound: a binding was made of it.
 */
struct checmate_policy {
	char *path;
	char *data;
	size_t size;
	struct bpf_object *object;
	struct description description;
	struct checmate_program *programs;
	size_t n_programs;
	int *program_fds;
	void **values;
	bool loaded;
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

/**
 * param_make_list() - Make the map that holds a list.
 * @param: a list parameter.
 * @value: the list, @param->type->size bytes.
 *
 * Return: the map's descriptor, -errno.
 */
int param_make_list(const struct param *param, const void *value);

/**
 * param_store_list() - Replace a list in the kernel as a whole.
 * @param: a list parameter.
 * @map_fd: its outer map.
 * @value: the list, @param->type->size bytes.
 *
 * Return: 0, -errno.
 */
int param_store_list(const struct param *param, int map_fd, const void *value);
