// SPDX-License-Identifier: LGPL-2.1-or-later
/* systemd - What a unit's files say in [X-Checmate] */
#include "section.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "detect.h"
#include "file.h"
#include "inifile.h"
#include "parse.h"

#define NAME "X-Checmate"
#define BLANK " \t"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define POLICY_NAME_MAX 48u
#define UNIT_FILE_MAX (16u * 1024 * 1024)

struct reading {
	struct section *section;
	const char *unit;
	const char *path;
};

static void policy_done(struct section_policy *policy)
{
	for (size_t i = 0; i < policy->n_params; i++) {
		free(policy->params[i].name);
		free(policy->params[i].value);
		free(policy->params[i].last);
		free(policy->params[i].place);
	}
	free(policy->params);
	free(policy->name);
	free(policy->file);
	free(policy->place);
}

void section_done(struct section *section)
{
	for (size_t i = 0; i < section->n_policies; i++)
		policy_done(&section->policies[i]);
	free(section->policies);
	*section = (struct section){};
}

static int make_place(const struct reading *reading, unsigned int line, char **ret_place)
{
	return asprintf(ret_place, "%s:%u", reading->path, line) < 0 ? -ENOMEM : 0;
}

/* --- policies --------------------------------------------------------------- */

static int add_policy(struct reading *reading, const char *name, unsigned int line,
		      struct section_policy **ret_policy, char **ret_reason)
{
	struct section *section = reading->section;
	struct section_policy *policies, *policy;
	char *place;

	/* Never a path: a unit file cannot load what is not installed. */
	if (!name_is_valid(name, POLICY_NAME_MAX))
		return inifile_refuse(ret_reason, -EINVAL,
				      "'%s' is not a policy's name; use lower-case letters, digits and '-'",
				      name);
	for (size_t i = 0; i < section->n_policies; i++)
		if (streq(section->policies[i].name, name)) {
			*ret_policy = &section->policies[i];
			return 0;
		}

	policies = reallocarray(section->policies, section->n_policies + 1, sizeof(*policies));
	if (!policies)
		return -ENOMEM;
	section->policies = policies;
	if (make_place(reading, line, &place) < 0)
		return -ENOMEM;
	policy = &policies[section->n_policies++];
	*policy = (struct section_policy){
		.name = strdup(name),
		.file = strdup(reading->path),
		.place = place,
	};
	*ret_policy = policy;
	return policy->name && policy->file ? 0 : -ENOMEM;
}

static int set_policies(struct reading *reading, const struct inifile_item *item, char **ret_reason)
{
	_cleanup_free_ char *copy = strdup(item->value);
	char *rest = copy, *word;

	if (!copy)
		return -ENOMEM;
	if (!*copy) {
		struct section emptied = {
			.permissive = reading->section->permissive,
			.seal = reading->section->seal,
		};

		section_done(reading->section);
		*reading->section = emptied;
		return 0;
	}
	while ((word = strsep(&rest, BLANK))) {
		struct section_policy *policy;
		int r;

		if (!*word)
			continue;
		r = add_policy(reading, word, item->line, &policy, ret_reason);
		if (r < 0)
			return r;
	}
	return 0;
}

static int set_mode(struct section *section, const char *value, char **ret_reason)
{
	if (!*value || streq(value, "enforce"))
		section->permissive = false;
	else if (streq(value, "permissive"))
		section->permissive = true;
	else
		return inifile_refuse(ret_reason, -EINVAL,
				      "Mode=%s: no such mode; there are enforce and permissive",
				      value);
	return 0;
}

static int set_seal(struct section *section, const char *value, char **ret_reason)
{
	bool seal = false;

	if (*value && inifile_parse_bool(value, &seal) < 0)
		return inifile_refuse(ret_reason, -EINVAL, "Seal=%s: expected yes or no", value);
	section->seal = seal;
	return 0;
}

/* --- parameters ------------------------------------------------------------- */

/* DenyErrno -> deny-errno; names that are lower case already stay as they are. */
static int param_name(const char *key, char **ret_name)
{
	char *name, *out;

	if (strspn(key, LOWER UPPER DIGITS "-") != strlen(key))
		return -EINVAL;
	name = malloc(strlen(key) * 2 + 1);
	if (!name)
		return -ENOMEM;
	out = name;
	for (const char *in = key; *in; in++) {
		bool upper = *in >= 'A' && *in <= 'Z';

		if (upper && in != key && in[-1] != '-')
			*out++ = '-';
		*out++ = upper ? *in - 'A' + 'a' : *in;
	}
	*out = '\0';
	*ret_name = name;
	return 0;
}

/* What the specifier @c stands for, as far as the name of the unit tells it. */
static int find_specifier(const char *unit, char c, const char **ret_text, size_t *ret_size)
{
	const char *dot = strrchr(unit, '.'), *at = strchr(unit, '@');

	dot = dot ?: unit + strlen(unit);
	switch (c) {
	case '%':
		*ret_text = "%";
		*ret_size = 1;
		return 0;
	case 'n':
		*ret_text = unit;
		*ret_size = strlen(unit);
		return 0;
	case 'N':
		*ret_text = unit;
		*ret_size = dot - unit;
		return 0;
	case 'p':
		*ret_text = unit;
		*ret_size = (at && at < dot ? at : dot) - unit;
		return 0;
	case 'i':
		*ret_text = at && at < dot ? at + 1 : "";
		*ret_size = at && at < dot ? dot - at - 1 : 0;
		return 0;
	default:
		return -EINVAL;
	}
}

static int expand(const char *unit, const char *value, char **ret_value, char **ret_reason)
{
	size_t longest = strlen(unit) + 1, n = 1;
	char *text, *out;

	for (const char *c = value; *c; c++)
		n += *c == '%' ? longest : 1;
	text = out = malloc(n);
	if (!text)
		return -ENOMEM;
	for (const char *c = value; *c; c++) {
		const char *insert = c;
		size_t size = 1;

		if (*c == '%' && find_specifier(unit, *++c, &insert, &size) < 0) {
			free(text);
			return inifile_refuse(
				ret_reason, -EINVAL,
				"the specifier '%%%.1s' cannot be used here; there are %%n, %%N, %%p, %%i, and %%%% for a '%%'",
				c);
		}
		out = mempcpy(out, insert, size);
	}
	*out = '\0';
	*ret_value = text;
	return 0;
}

static int find_param(struct section_policy *policy, const char *name,
		      struct section_param **ret_param)
{
	struct section_param *params, *param;

	for (size_t i = 0; i < policy->n_params; i++)
		if (streq(policy->params[i].name, name)) {
			*ret_param = &policy->params[i];
			return 0;
		}
	params = reallocarray(policy->params, policy->n_params + 1, sizeof(*params));
	if (!params)
		return -ENOMEM;
	policy->params = params;
	param = &params[policy->n_params++];
	*param = (struct section_param){ .name = strdup(name), .value = strdup("") };
	*ret_param = param;
	return param->name && param->value ? 0 : -ENOMEM;
}

static int set_param(struct reading *reading, struct section_policy *policy,
		     const struct inifile_item *item, char **ret_reason)
{
	_cleanup_free_ char *name = NULL, *value = NULL, *place = NULL;
	struct section_param *param = NULL;
	int r;

	if (streq(item->key, "Mode") || streq(item->key, "Seal"))
		return inifile_refuse(ret_reason, -EINVAL,
				      "%s= is for all policies of a unit; put it into [" NAME "]",
				      item->key);
	r = param_name(item->key, &name);
	if (r == -EINVAL)
		return inifile_refuse(ret_reason, r,
				      "'%s' is not a parameter's name; write it as DenyErrno= or deny-errno=",
				      item->key);
	if (!r)
		r = expand(reading->unit, item->value, &value, ret_reason);
	if (!r)
		r = make_place(reading, item->line, &place);
	if (!r)
		r = find_param(policy, name, &param);
	if (!r)
		r = inifile_list_append(&param->value, value);
	if (r < 0)
		return r;
	free(param->last);
	free(param->place);
	param->last = TAKE_PTR(value);
	param->place = TAKE_PTR(place);
	return 0;
}

/* --- files ------------------------------------------------------------------ */

static int unknown_section(const char *section, char **ret_reason)
{
	return inifile_refuse(ret_reason, -EINVAL,
			      "unknown section [%s]; there are [" NAME "] and [" NAME " POLICY]",
			      section);
}

static int handle(const struct inifile_item *item, char **ret_reason, void *userdata)
{
	struct reading *reading = userdata;
	const char *name = startswith(item->section, NAME);
	struct section_policy *policy;
	int r;

	if (!name || (*name && !strchr(BLANK, *name)))
		return unknown_section(item->section, ret_reason);
	if (*name) {
		r = add_policy(reading, name + strspn(name, BLANK), item->line, &policy, ret_reason);
		return r < 0 || !item->key ? r : set_param(reading, policy, item, ret_reason);
	}
	if (!item->key)
		return 0;
	if (streq(item->key, "Policy"))
		return set_policies(reading, item, ret_reason);
	if (streq(item->key, "Mode"))
		return set_mode(reading->section, item->value, ret_reason);
	if (streq(item->key, "Seal"))
		return set_seal(reading->section, item->value, ret_reason);
	return inifile_refuse(ret_reason, -EINVAL,
			      "unknown key %s= in [" NAME
			      "]; there are Policy=, Mode= and Seal=, a policy's parameters stand in [" NAME
			      " POLICY]",
			      item->key);
}

/* A section that is passed over for its name would leave the unit without policies. */
static int judge_spelling(FILE *stream, const char *path, char **ret_error)
{
	_cleanup_free_ char *text = NULL;
	unsigned int line;
	size_t size;
	int r;

	r = file_read_fd(fileno(stream), UNIT_FILE_MAX, &text, &size);
	if (r < 0)
		return inifile_refuse(ret_error, r, "%s: cannot be read: %s", path, strerror(-r));
	line = detect_misspelt(text, size);
	if (line)
		return inifile_refuse(ret_error, -EINVAL,
				      "%s:%u: the section is written [" NAME "]", path, line);
	rewind(stream);
	return 0;
}

int section_read(struct section *section, const char *unit, const char *path, char **ret_error)
{
	struct reading reading = { .section = section, .unit = unit, .path = path };
	_cleanup_fclose_ FILE *stream = NULL;
	int r;

	r = inifile_open(path, &stream, ret_error);
	if (r < 0 || !stream)
		return r;
	r = judge_spelling(stream, path, ret_error);
	if (r < 0)
		return r;
	return inifile_read(stream, path, INIFILE_UNIT, NAME, handle, &reading, NULL, ret_error);
}
