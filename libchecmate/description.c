// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libchecmate - What a policy says about itself in its BTF
 *
 * policies/checmate.bpf.h writes decl tags "checmate:KEY=TEXT": on the licence
 * variable KEY is policy, version, description or programs; on a member of struct
 * checmate_params it is param, type, default, doc, and what its type wants: min and max, or
 * choices. Tags of others are ignored, our own must be understood.
 */
#include "description.h"

#include <errno.h>
#include <string.h>

#include "error.h"
#include "parse.h"

#define VERSION_MAX 31
#define TEXT_MAX 4096

/* The decl tags of one variable, or of one member. */
struct tags {
	const char *policy;
	const char *version;
	const char *description;
	const char *param;
	const char *type;
	const char *doc;
	const char *value;
	const char *min;
	const char *max;
	const char *choices;
	const char *programs;
};

/* Where instances have the parameters. */
#define PARAMS "checmate_params"
#define PARAMS_OFFSET sizeof(struct checmate_head)

static bool is_text(const char *text)
{
	size_t n = strlen(text);

	if (n > TEXT_MAX)
		return false;
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == '\177')
			return false;
	return true;
}

static bool is_version(const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"0123456789.+~-");

	return n > 0 && n <= VERSION_MAX && !text[n];
}

static int read_tag(const char *tag, struct tags *tags)
{
	const struct {
		const char *key;
		const char **slot;
	} keys[] = {
		{ "policy=", &tags->policy },
		{ "version=", &tags->version },
		{ "description=", &tags->description },
		{ "param=", &tags->param },
		{ "type=", &tags->type },
		{ "doc=", &tags->doc },
		{ "default=", &tags->value },
		{ "min=", &tags->min },
		{ "max=", &tags->max },
		{ "choices=", &tags->choices },
		{ "programs=", &tags->programs },
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *text = startswith(tag, keys[i].key);

		if (!text)
			continue;
		if (*keys[i].slot || !is_text(text))
			return -EINVAL;
		*keys[i].slot = text;
		return 0;
	}
	return -EINVAL;
}

/* Collects the tags of the variable @id, or of the member @member of the structure @id. */
static int read_tags(const struct btf *btf, __u32 id, int member, const char *thing,
		     struct tags *ret_tags, struct checmate_error **ret_error)
{
	struct tags tags = {};

	for (__u32 i = 1; i < btf__type_cnt(btf); i++) {
		const struct btf_type *type = btf__type_by_id(btf, i);
		const char *text;

		if (!btf_is_decl_tag(type) || type->type != id ||
		    btf_decl_tag(type)->component_idx != member)
			continue;
		text = btf__name_by_offset(btf, type->name_off);
		text = text ? startswith(text, "checmate:") : NULL;
		if (!text)
			continue;
		if (read_tag(text, &tags) < 0)
			return error_set(ret_error, -EINVAL,
					 "%s: its description \"%s\" is unknown, ill-formed or given twice; build it with this version's checmate.bpf.h",
					 thing, text);
	}

	*ret_tags = tags;
	return 0;
}

/* How many bytes instances have of a parameter. */
static size_t size_in_row(const struct param_type *type)
{
	return type->list ? sizeof(struct checmate_list) : type->size;
}

static int add_param(struct description *description, const struct btf *btf,
		     const struct btf_type *params, __u32 index, const struct tags *tags,
		     const char *thing, struct checmate_error **ret_error)
{
	const struct btf_member *member = btf_members(params) + index;
	size_t bits = btf_member_bit_offset(params, index), offset;
	const struct param_type *type;
	struct param *grown, *param;
	int r;

	if (!name_is_valid(tags->param, POLICY_NAME_MAX))
		return error_set(ret_error, -EINVAL,
				 "%s: its parameter \"%s\" has no valid name; use 1 to %d of a-z, 0-9 and '-'",
				 thing, tags->param, POLICY_NAME_MAX);
	for (size_t i = 0; i < description->n_params; i++)
		if (streq(description->params[i].info.name, tags->param))
			return error_set(ret_error, -EINVAL,
					 "%s: it has two parameters \"%s\"; rename one", thing,
					 tags->param);

	type = tags->type ? param_type_find(tags->type) : NULL;
	if (!type)
		return error_set(ret_error, -EINVAL,
				 "%s: its parameter \"%s\" has the type \"%s\", unknown to libchecmate %s; use a newer one",
				 thing, tags->param, tags->type ?: "", CHECMATE_VERSION);

	offset = PARAMS_OFFSET + bits / 8;
	if (bits % 8 || btf_member_bitfield_size(params, index) || !tags->value ||
	    btf__resolve_size(btf, member->type) != (__s64)size_in_row(type) ||
	    offset + size_in_row(type) > CHECMATE_ROW_SIZE)
		return error_set(ret_error, -EINVAL,
				 "%s: its parameter \"%s\" has not the layout of the type \"%s\"; define it by the macros of checmate.bpf.h",
				 thing, tags->param, type->name);

	grown = reallocarray(description->params, description->n_params + 1, sizeof(*grown));
	if (!grown)
		return error_oom(ret_error);
	description->params = grown;
	param = &grown[description->n_params];
	*param = (struct param){
		.type = type,
		.info = {
			.name = strdup(tags->param),
			.type = type->name,
			.doc = strdup(tags->doc ?: ""),
		},
		.initial = strdup(tags->value),
		.offset = offset,
	};
	description->n_params++;
	if (!param->info.name || !param->info.doc || !param->initial)
		return error_oom(ret_error);

	r = param_limits_read(type, tags->min, tags->max, tags->choices, &param->limits);
	if (r == -EINVAL)
		return error_set(ret_error, -EINVAL,
				 "%s: its parameter \"%s\" has other limits than the type \"%s\" can have; define it by the macros of checmate.bpf.h",
				 thing, tags->param, type->name);
	if (r < 0)
		return error_oom(ret_error);
	param->info.form = param_type_form(type, &param->limits);
	if (!param->info.form)
		return error_oom(ret_error);
	return 0;
}

static int add_policy(struct description *description, const struct tags *tags, const char *thing,
		      struct checmate_error **ret_error)
{
	if (description->name)
		return error_set(ret_error, -EINVAL,
				 "%s: it is described twice; use CHECMATE_POLICY() once", thing);
	if (!name_is_valid(tags->policy, POLICY_NAME_MAX))
		return error_set(ret_error, -EINVAL,
				 "%s: \"%s\" is not a policy name; use 1 to %d of a-z, 0-9 and '-'",
				 thing, tags->policy, POLICY_NAME_MAX);
	if (!tags->version || !is_version(tags->version))
		return error_set(ret_error, -EINVAL,
				 "%s: \"%s\" is not a version; use 1 to %d letters, digits and .+~-",
				 thing, tags->version ?: "", VERSION_MAX);

	if (tags->programs && !streq(tags->programs, "unshared"))
		return error_set(ret_error, -EINVAL,
				 "%s: its programs are \"%s\", unknown to libchecmate %s; use a newer one",
				 thing, tags->programs, CHECMATE_VERSION);

	description->unshared = tags->programs;
	description->name = strdup(tags->policy);
	description->version = strdup(tags->version);
	description->text = strdup(tags->description ?: "");
	if (!description->name || !description->version || !description->text)
		return error_oom(ret_error);
	return 0;
}

/* Adds the members of struct checmate_params that are parameters. */
static int add_params(struct description *description, const struct btf *btf, const char *thing,
		      struct checmate_error **ret_error)
{
	__s32 id = btf__find_by_name_kind(btf, PARAMS, BTF_KIND_STRUCT);
	const struct btf_type *params;
	int r;

	if (id < 0)
		return 0;
	params = btf__type_by_id(btf, id);
	for (int i = 0; i < btf_vlen(params); i++) {
		struct tags tags;

		r = read_tags(btf, id, i, thing, &tags, ret_error);
		if (!r && tags.param)
			r = add_param(description, btf, params, i, &tags, thing, ret_error);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Of a version that had parameters in variables and maps. */
static int explain_former(const char *thing, const struct tags *tags,
			  struct checmate_error **ret_error)
{
	return error_set(ret_error, -EINVAL,
			 "%s: its parameter \"%s\" is no member of struct checmate_params; build it with this version's checmate.bpf.h",
			 thing, tags->param);
}

int description_read(const struct btf *btf, const char *thing, bool former_ok,
		     struct description *ret_description, struct checmate_error **ret_error)
{
	_cleanup_(description_done) struct description description = {};
	int r;

	for (__u32 i = 1; i < btf__type_cnt(btf); i++) {
		struct tags tags = {};

		if (!btf_is_var(btf__type_by_id(btf, i)))
			continue;
		r = read_tags(btf, i, -1, thing, &tags, ret_error);
		if (r < 0)
			return r;
		if (tags.policy)
			r = add_policy(&description, &tags, thing, ret_error);
		else if (tags.param && !former_ok)
			r = explain_former(thing, &tags, ret_error);
		if (r < 0)
			return r;
	}
	if (!description.name)
		return error_set(ret_error, -EINVAL,
				 "%s: it does not say which policy it is; add CHECMATE_POLICY() of checmate.bpf.h",
				 thing);

	r = add_params(&description, btf, thing, ret_error);
	if (r < 0)
		return r;

	*ret_description = description;
	description = (struct description){};
	return 0;
}

void description_done(struct description *description)
{
	for (size_t i = 0; i < description->n_params; i++) {
		struct param *param = &description->params[i];

		free((char *)param->info.name);
		free((char *)param->info.form);
		free((char *)param->info.doc);
		free((char *)param->info.value);
		param_limits_done(&param->limits);
		free(param->initial);
	}
	free(description->params);
	free(description->name);
	free(description->version);
	free(description->text);
	*description = (struct description){};
}

const struct param *description_find(const struct description *description, const char *name,
				     struct checmate_error **ret_error)
{
	char known[256] = "";
	size_t n = 0;

	for (size_t i = 0; i < description->n_params; i++) {
		const char *known_name = description->params[i].info.name;

		if (streq(known_name, name))
			return &description->params[i];
		if (n < sizeof(known))
			n += snprintf(known + n, sizeof(known) - n, "%s%s", n ? ", " : "",
				      known_name);
	}

	error_set(ret_error, -ENOENT, "policy %s: it has no parameter \"%s\"; it has %s",
		  description->name, name, n ? known : "none");
	return NULL;
}

int param_parse(const struct description *description, const struct param *param, const char *text,
		void **ret_value, struct checmate_error **ret_error)
{
	_cleanup_free_ void *value = calloc(1, param->type->size);
	_cleanup_free_ char *reason = NULL;
	int r;

	if (!value)
		return error_oom(ret_error);
	r = param_type_parse(param->type, &param->limits, text, value, &reason);
	if (r == -ENOMEM)
		return error_oom(ret_error);
	if (r < 0)
		return error_set(ret_error, r, "policy %s, parameter %s: %s; give %s",
				 description->name, param->info.name, reason ?: "not understood",
				 param->info.form);

	*ret_value = TAKE_PTR(value);
	return 0;
}

int param_format(const struct description *description, const struct param *param,
		 const void *value, char **ret_text, struct checmate_error **ret_error)
{
	int r = param_type_format(param->type, &param->limits, value, ret_text);

	if (r == -ENOMEM)
		return error_oom(ret_error);
	if (r < 0)
		return error_set(ret_error, r,
				 "policy %s, parameter %s: the value found means nothing; set it anew",
				 description->name, param->info.name);
	return 0;
}
