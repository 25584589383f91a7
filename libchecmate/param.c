// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libchecmate - Parameter values: text to bytes and back
 *
 * Parsing is strict: what is not understood whole is refused, since a rule that
 * means something else than its author thought is worse than none. Formatting
 * gives the text that parses to the same bytes.
 */
#include "param.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "parse.h"
#include "strv.h"

/* What separates the entries of a set or a list, unless after a '\'. */
#define SEPARATORS ", \t\n"

/* Most of a text that an explanation repeats. */
#define QUOTE_MAX 80

/* --- limits --------------------------------------------------------------- */

static int read_choices(const char *text, char ***ret_choices)
{
	_cleanup_strv_ char **choices = NULL;
	_cleanup_free_ char *copy = strdup(text);
	char *word, *rest = copy;

	if (!copy)
		return -ENOMEM;
	while ((word = strsep(&rest, "|"))) {
		if (!name_is_valid(word, CHECMATE_NAME_MAX - 1) || strv_contains(choices, word) ||
		    strv_length(choices) == PARAM_CHOICES_MAX)
			return -EINVAL;
		if (strv_extend(&choices, word) < 0)
			return -ENOMEM;
	}
	*ret_choices = TAKE_PTR(choices);
	return 0;
}

int param_limits_read(const struct param_type *type, const char *min, const char *max,
		      const char *choices, struct param_limits *ret_limits)
{
	_cleanup_(param_limits_done) struct param_limits limits = {};
	bool number = type->single == &param_number, choice = type->single == &param_choice;
	int r;

	if (!min != !number || !max != !number || !choices != !choice)
		return -EINVAL;
	if (number && (parse_u64(min, UINT64_MAX, &limits.min) ||
		       parse_u64(max, UINT64_MAX, &limits.max) || limits.min > limits.max))
		return -EINVAL;
	if (choice) {
		r = read_choices(choices, &limits.choices);
		if (r < 0)
			return r;
	}

	*ret_limits = limits;
	limits = (struct param_limits){};
	return 0;
}

void param_limits_done(struct param_limits *limits)
{
	strv_free(limits->choices);
	*limits = (struct param_limits){};
}

/* --- what several kinds need ----------------------------------------------- */

int param_range(const char *text, uint64_t max, uint64_t *ret_first, uint64_t *ret_last)
{
	const char *dash = strchr(text, '-');
	uint64_t first, last;
	char number[24];
	size_t n;

	if (parse_u64(dash ? dash + 1 : text, max, &last))
		return -EINVAL;
	first = last;
	if (dash) {
		n = dash - text;
		if (n >= sizeof(number))
			return -EINVAL;
		memcpy(number, text, n);
		number[n] = '\0';
		if (parse_u64(number, max, &first))
			return -EINVAL;
	}
	if (first > last)
		return -ERANGE;

	*ret_first = first;
	*ret_last = last;
	return 0;
}

/* --- text to bytes -------------------------------------------------------- */

/* *ret_reason: the text that is at fault, not longer than a line takes, and why. */
static int explain(int code, const char *text, const char *why, char **ret_reason)
{
	size_t n = strlen(text);
	bool cut = n > QUOTE_MAX;

	if (asprintf(ret_reason, "\"%.*s%s\": %s", cut ? QUOTE_MAX : (int)n, text, cut ? "..." : "",
		     why) < 0)
		*ret_reason = NULL;
	return code;
}

static int explain_number(size_t max, char **ret_reason)
{
	if (asprintf(ret_reason, "more than %zu entries", max) < 0)
		*ret_reason = NULL;
	return -E2BIG;
}

/* Cuts the next entry off *rest. A separator after a '\' is part of an entry. */
static char *next_entry(char **rest)
{
	char *entry = *rest + strspn(*rest, SEPARATORS), *end = entry;

	if (!*entry)
		return NULL;
	while (*end && !strchr(SEPARATORS, *end))
		end += end[0] == '\\' && end[1] ? 2 : 1;
	*rest = *end ? end + 1 : end;
	*end = '\0';
	return entry;
}

static int parse_set(const struct param_set *set, char *text, void *ret_value, char **ret_reason)
{
	__u64 value = 0;
	char *entry;

	while ((entry = next_entry(&text))) {
		int bit = set->find(entry);

		if (bit < 0)
			return explain(bit, entry, set->unknown, ret_reason);
		value |= 1ULL << bit;
	}
	memcpy(ret_value, &value, sizeof(value));
	return 0;
}

/* What all lists begin with. */
struct list_head {
	__u32 count;
	__u32 reserved;
};

static int parse_list(const struct param_type *type, char *text, void *ret_value, char **ret_reason)
{
	const struct param_list *list = type->entries;
	_cleanup_free_ char *value = calloc(1, type->size);
	struct list_head head = {};
	char *entry;
	int r;

	if (!value)
		return -ENOMEM;
	while ((entry = next_entry(&text))) {
		const char *why = "not understood";

		if (head.count == list->max)
			return explain_number(list->max, ret_reason);
		r = list->parse(entry, value + sizeof(head) + head.count * list->size, &why);
		if (r < 0)
			return explain(r, entry, why, ret_reason);
		head.count++;
	}
	memcpy(value, &head, sizeof(head));
	memcpy(ret_value, value, type->size);
	return 0;
}

int param_type_parse(const struct param_type *type, const struct param_limits *limits,
		     const char *text, void *ret_value, char **ret_reason)
{
	const char *why = "not understood";
	_cleanup_free_ char *copy = NULL;
	int r;

	*ret_reason = NULL;
	if (type->single) {
		r = type->single->parse(limits, text, ret_value, &why);
		return r < 0 ? explain(r, text, why, ret_reason) : 0;
	}

	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	if (type->set)
		return parse_set(type->set, copy, ret_value, ret_reason);
	return parse_list(type, copy, ret_value, ret_reason);
}

/* --- bytes to text -------------------------------------------------------- */

static int write_set(const struct param_set *set, const void *value, FILE *file)
{
	const char *separator = "";
	__u64 bits;
	int r;

	memcpy(&bits, value, sizeof(bits));
	for (unsigned int bit = 0; bit < 64; bit++) {
		char member[PARAM_MEMBER_MAX];

		if (!(bits & (1ULL << bit)))
			continue;
		r = set->name(bit, member);
		if (r < 0)
			return r;
		fprintf(file, "%s%s", separator, member);
		separator = ",";
	}
	return 0;
}

static int write_list(const struct param_type *type, const char *value, FILE *file)
{
	const struct param_list *list = type->entries;
	const char *entry = value + sizeof(struct list_head);
	const char *end = value + type->size;
	struct list_head head;
	int r;

	memcpy(&head, value, sizeof(head));
	if (head.count > list->max || head.reserved)
		return -EINVAL;
	for (__u32 i = 0; i < head.count; i++, entry += list->size) {
		char text[PARAM_ENTRY_MAX];

		r = list->format(entry, text);
		if (r < 0)
			return r;
		fprintf(file, "%s%s", i ? "," : "", text);
	}
	for (; entry < end; entry++)
		if (*entry)
			return -EINVAL;
	return 0;
}

int param_type_format(const struct param_type *type, const struct param_limits *limits,
		      const void *value, char **ret_text)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_fclose_ FILE *file = NULL;
	size_t size;
	int r;

	if (type->single)
		return type->single->format(limits, value, ret_text);

	file = open_memstream(&text, &size);
	if (!file)
		return -ENOMEM;
	r = type->set ? write_set(type->set, value, file) : write_list(type, value, file);
	if (r < 0)
		return r;
	/* glibc's fclose() can succeed and leave no text. */
	if (fclose(TAKE_PTR(file)) == EOF || !text)
		return -ENOMEM;

	*ret_text = TAKE_PTR(text);
	return 0;
}

/* --- types ---------------------------------------------------------------- */

#define SEVERAL ", several separated by commas or blanks"

static const struct param_type types[] = {
	{
		.name = "errno",
		.form = "an errno by name or number, as EPERM or 1",
		.size = sizeof(__s32),
		.single = &param_errno,
	},
	{
		.name = "bool",
		.form = "yes or no",
		.size = sizeof(__u32),
		.single = &param_bool,
	},
	{
		.name = "number",
		.size = sizeof(__u64),
		.single = &param_number,
	},
	{
		.name = "choice",
		.size = sizeof(__u32),
		.single = &param_choice,
	},
	{
		.name = "capabilities",
		.form = "CAP_NAME, as CAP_NET_ADMIN" SEVERAL,
		.size = sizeof(__u64),
		.set = &param_capabilities,
	},
	{
		.name = "families",
		.form = "a socket family, as AF_INET" SEVERAL,
		.size = sizeof(__u64),
		.set = &param_families,
	},
	{
		.name = "socket-types",
		.form = "a socket type, as SOCK_STREAM" SEVERAL,
		.size = sizeof(__u64),
		.set = &param_socket_types,
	},
	{
		.name = "signals",
		.form = "a signal by name or number, as TERM, RTMIN+1 or 9" SEVERAL,
		.size = sizeof(__u64),
		.set = &param_signals,
	},
	{
		.name = "endpoints",
		.form = "ADDRESS[/PREFIX]:PORT[-PORT][/PROTOCOL], IPv6 in []" SEVERAL,
		.list = true,
		.size = sizeof(struct checmate_endpoints),
		.entries = &param_endpoints,
	},
	{
		.name = "ports",
		.form = "PORT[-PORT][/PROTOCOL], as 8000-8100/tcp" SEVERAL,
		.list = true,
		.size = sizeof(struct checmate_port_ranges),
		.entries = &param_ports,
	},
	{
		.name = "uids",
		.form = "UID[-UID], as 1000-1999" SEVERAL,
		.list = true,
		.size = sizeof(struct checmate_id_ranges),
		.entries = &param_ids,
	},
	{
		.name = "gids",
		.form = "GID[-GID], as 1000-1999" SEVERAL,
		.list = true,
		.size = sizeof(struct checmate_id_ranges),
		.entries = &param_ids,
	},
	{
		.name = "paths",
		.form = "an absolute path, with a \\ before a blank, comma or \\ in it" SEVERAL,
		.list = true,
		.size = sizeof(struct checmate_path_prefixes),
		.entries = &param_paths,
	},
	{
		.name = "fstypes",
		.form = "a filesystem type, as tmpfs" SEVERAL,
		.list = true,
		.size = sizeof(struct checmate_names),
		.entries = &param_names,
	},
};

const struct param_type *param_type_get(size_t index)
{
	return index < ARRAY_SIZE(types) ? &types[index] : NULL;
}

const struct param_type *param_type_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (streq(types[i].name, name))
			return &types[i];
	return NULL;
}

/* Writes what depends on the limits. */
static void write_form(const struct param_type *type, const struct param_limits *limits, FILE *file)
{
	if (type->single == &param_number) {
		fprintf(file, "a number from %" PRIu64 " to %" PRIu64, limits->min, limits->max);
		return;
	}
	fputs("one of", file);
	for (char **choice = limits->choices; *choice; choice++)
		fprintf(file, "%s %s", choice == limits->choices ? "" : ",", *choice);
}

char *param_type_form(const struct param_type *type, const struct param_limits *limits)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_fclose_ FILE *file = NULL;
	size_t size;

	if (type->form)
		return strdup(type->form);
	file = open_memstream(&text, &size);
	if (!file)
		return NULL;
	write_form(type, limits, file);
	return fclose(TAKE_PTR(file)) == EOF ? NULL : TAKE_PTR(text);
}
