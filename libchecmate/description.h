/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libchecmate - What a policy says about itself in its BTF
 *
 * The same BTF is in the object file and, once loaded, in the kernel; so a
 * binding is described as well as a file is.
 */
#pragma once

#include <bpf/btf.h>
#include <stdint.h>

#include "checmate.h"
#include "param.h"

/* bpffs names: policy directories, with room for a suffix. */
#define POLICY_NAME_MAX 31

/**
 * struct param - One parameter of a policy.
 * @info: as shown to callers; strings are owned by this.
 * @type: its type.
 * @limits: what it makes of its type.
 * @initial: what it begins with, as its author wrote it.
 * @offset: where it is in the first row of an instance: a scalar, or struct checmate_list.
 */
struct param {
	struct checmate_param info;
	const struct param_type *type;
	struct param_limits limits;
	char *initial;
	size_t offset;
};

/**
 * struct description - What a policy says about itself.
 * @name: its name.
 * @version: its version.
 * @text: what it does.
 * @unshared: each binding has programs and maps of its own.
 * @params: its parameters.
 * @n_params: how many.
 */
struct description {
	char *name;
	char *version;
	char *text;
	bool unshared;
	struct param *params;
	size_t n_params;
};

/**
 * description_read() - Read and check a description.
 * @btf: the policy's types.
 * @thing: what to call the policy in explanations.
 * @former_ok: it may be of a former version, which had parameters elsewhere: it is described
 *             without them then.
 * @ret_description: receives the description, see description_done().
 * @ret_error: explanation, or NULL.
 *
 * Return: 0; -EINVAL there is none, or it is ill-formed; -ENOMEM.
 */
int description_read(const struct btf *btf, const char *thing, bool former_ok,
		     struct description *ret_description, struct checmate_error **ret_error);

/* Frees what it holds and empties it. */
void description_done(struct description *description);

/* The parameter of that name; NULL and an explanation when there is none. */
const struct param *description_find(const struct description *description, const char *name,
				     struct checmate_error **ret_error);

/**
 * param_parse() - A parameter's text to bytes.
 * @description: the policy.
 * @param: one of its parameters.
 * @text: text.
 * @ret_value: receives param->type->size bytes, to free.
 * @ret_error: names parameter, value and accepted form.
 *
 * Return: 0, -EINVAL, -E2BIG, -ENOMEM.
 */
int param_parse(const struct description *description, const struct param *param, const char *text,
		void **ret_value, struct checmate_error **ret_error);

/* A parameter's bytes to text, to free. Returns 0, -EINVAL, -ENOMEM. */
int param_format(const struct description *description, const struct param *param,
		 const void *value, char **ret_text, struct checmate_error **ret_error);
