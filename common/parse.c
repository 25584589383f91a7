// SPDX-License-Identifier: LGPL-2.1-or-later
/* Common - Numbers and words from text, strictly */
#include "parse.h"

#include <errno.h>

int parse_u64(const char *text, uint64_t max, uint64_t *ret_value)
{
	uint64_t value = 0;
	bool over = false;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, *text - '0', &value))
			over = true;
	}
	if (over || value > max)
		return -ERANGE;

	*ret_value = value;
	return 0;
}

bool word_in_text(const char *text, const char *word, const char *separators)
{
	size_t length = strlen(word);

	for (;;) {
		size_t n;

		text += strspn(text, separators);
		n = strcspn(text, separators);
		if (!n)
			return false;
		if (n == length && !memcmp(text, word, n))
			return true;
		text += n;
	}
}

bool name_is_valid(const char *text, size_t max)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return n > 0 && n <= max && !text[n] && text[0] != '-';
}
