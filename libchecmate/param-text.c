// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Parameters that are lists of ids, paths and names */
#include <stdio.h>
#include <string.h>

#include "param.h"
#include "parse.h"

static bool is_zero(const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i])
			return false;
	return true;
}

/* --- user and group ids --------------------------------------------------- */

/* The last value means "none" to every system call. */
#define ID_MAX (UINT32_MAX - 1)

static int parse_ids(const char *text, void *ret_entry, const char **ret_reason)
{
	struct checmate_id_range range;
	uint64_t first, last;

	if (param_range(text, ID_MAX, &first, &last))
		return param_bad(ret_reason, "not a number from 0 to 4294967294 or a range of them");
	range.first = first;
	range.last = last;
	memcpy(ret_entry, &range, sizeof(range));
	return 0;
}

static int format_ids(const void *entry, char text[PARAM_ENTRY_MAX])
{
	const struct checmate_id_range *range = entry;

	if (range->first > range->last || range->last > ID_MAX)
		return -EINVAL;
	if (range->first == range->last)
		snprintf(text, PARAM_ENTRY_MAX, "%u", range->first);
	else
		snprintf(text, PARAM_ENTRY_MAX, "%u-%u", range->first, range->last);
	return 0;
}

const struct param_list param_ids = {
	.size = sizeof(struct checmate_id_range),
	.max = CHECMATE_LIST_MAX,
	.parse = parse_ids,
	.format = format_ids,
};
static_assert(sizeof(struct checmate_id_ranges) ==
		      8 + CHECMATE_LIST_MAX * sizeof(struct checmate_id_range),
	      "a list is its count and its entries");

/* --- paths ---------------------------------------------------------------- */

/* What a '\' goes before. */
#define ESCAPED " ,\\"

/* Whether @path, which ends with '/', names each folder by its name. */
static const char *path_fault(const char *path)
{
	if (*path != '/')
		return "a path begins with /";
	for (const char *part = path; part[1]; part = strchr(part + 1, '/')) {
		if (startswith(part, "//"))
			return "a path has no //";
		if (startswith(part, "/./") || startswith(part, "/../"))
			return "a path has no . and no ..";
	}
	for (; *path; path++)
		if ((unsigned char)*path < ' ' || *path == '\177')
			return "a path has no control characters";
	return NULL;
}

static int parse_path(const char *text, void *ret_entry, const char **ret_reason)
{
	struct checmate_path_prefix prefix = {};
	const char *fault;

	for (; *text; text++) {
		if (*text == '\\') {
			text++;
			if (!*text || !strchr(ESCAPED, *text))
				return param_bad(ret_reason,
						 "a \\ goes before a blank, comma or \\");
		}
		/* Room for the '/' and the end. */
		if (prefix.length == CHECMATE_PATH_MAX - 2)
			return param_bad(ret_reason, "a path has at most 254 bytes");
		prefix.text[prefix.length++] = *text;
	}
	if (prefix.length && prefix.text[prefix.length - 1] != '/')
		prefix.text[prefix.length++] = '/';

	fault = path_fault(prefix.text);
	if (fault)
		return param_bad(ret_reason, fault);
	memcpy(ret_entry, &prefix, sizeof(prefix));
	return 0;
}

static int format_path(const void *entry, char text[PARAM_ENTRY_MAX])
{
	const struct checmate_path_prefix *prefix = entry;
	__u32 n = prefix->length;

	if (prefix->reserved || n < 1 || n >= CHECMATE_PATH_MAX ||
	    strnlen(prefix->text, CHECMATE_PATH_MAX) != n || prefix->text[n - 1] != '/' ||
	    !is_zero(prefix->text + n, CHECMATE_PATH_MAX - n) || path_fault(prefix->text))
		return -EINVAL;
	/* The last '/' only where there is nothing else. */
	if (n > 1)
		n--;
	for (__u32 i = 0; i < n; i++) {
		if (strchr(ESCAPED, prefix->text[i]))
			*text++ = '\\';
		*text++ = prefix->text[i];
	}
	*text = '\0';
	return 0;
}

const struct param_list param_paths = {
	.size = sizeof(struct checmate_path_prefix),
	.max = CHECMATE_TEXT_LIST_MAX,
	.parse = parse_path,
	.format = format_path,
};
static_assert(sizeof(struct checmate_path_prefixes) ==
		      8 + CHECMATE_TEXT_LIST_MAX * sizeof(struct checmate_path_prefix),
	      "a list is its count and its entries");
static_assert(PARAM_ENTRY_MAX >= 2 * CHECMATE_PATH_MAX, "every byte of a path can have its \\");

/* --- names ---------------------------------------------------------------- */

static bool is_name(const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"0123456789._-");

	return n && !text[n];
}

static int parse_name(const char *text, void *ret_entry, const char **ret_reason)
{
	struct checmate_name name = {};

	if (!is_name(text))
		return param_bad(ret_reason, "a name consists of letters, digits and ._-");
	if (strlen(text) >= sizeof(name.text))
		return param_bad(ret_reason, "a name has at most 31 characters");
	strcpy(name.text, text);
	memcpy(ret_entry, &name, sizeof(name));
	return 0;
}

static int format_name(const void *entry, char text[PARAM_ENTRY_MAX])
{
	const struct checmate_name *name = entry;
	size_t n = strnlen(name->text, sizeof(name->text));

	if (n == sizeof(name->text) || !is_name(name->text) ||
	    !is_zero(name->text + n, sizeof(name->text) - n))
		return -EINVAL;
	strcpy(text, name->text);
	return 0;
}

const struct param_list param_names = {
	.size = sizeof(struct checmate_name),
	.max = CHECMATE_TEXT_LIST_MAX,
	.parse = parse_name,
	.format = format_name,
};
static_assert(sizeof(struct checmate_names) ==
		      8 + CHECMATE_TEXT_LIST_MAX * sizeof(struct checmate_name),
	      "a list is its count and its entries");
