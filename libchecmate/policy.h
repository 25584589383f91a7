/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libchecmate - Policy objects */
#pragma once

#include <bpf/libbpf.h>

#include "description.h"

/**
 * struct checmate_policy - An opened policy object.
 * @path: where it was found.
 * @data: the file's bytes; @object refers to them.
 * @object: libbpf's view.
 * @description: what it says about itself.
 * @programs: its programs; strings belong to @object, except @hook.
 * @n_programs: how many.
 * @values: a value per parameter.
 * @loaded: the kernel has it.
 * @broken: loading failed.
 * @bound: a binding was made of it.
 */
struct checmate_policy {
	char *path;
	char *data;
	struct bpf_object *object;
	struct description description;
	struct checmate_program *programs;
	size_t n_programs;
	void **values;
	bool loaded;
	bool broken;
	bool bound;
};

/**
 * param_store_list() - Replace a list in the kernel as a whole.
 * @param: a list parameter.
 * @map_fd: its outer map.
 * @value: the list, @param->type->size bytes.
 *
 * Return: 0, -errno.
 */
int param_store_list(const struct param *param, int map_fd, const void *value);
