// SPDX-License-Identifier: LGPL-2.1-or-later
/* systemd - Does a unit file speak of Checmate? */
#include <string.h>
#include <strings.h>

#include "cleanup.h"
#include "detect.h"

#define BOM "\xef\xbb\xbf"

static bool begins(const char *text, size_t size, const char *word)
{
	size_t n = strlen(word);

	return size >= n && !strncasecmp(text, word, n);
}

static bool is_header(const char *text, size_t size)
{
	if (!size || *text != '[')
		return false;
	do {
		text++;
		size--;
	} while (size && (*text == ' ' || *text == '\t'));
	return begins(text, size, "X-Checmate") || begins(text, size, "X-Checkmate");
}

bool detect_section(const char *text, size_t size)
{
	const char *end = text + size;

	for (; text < end && (text = memchr(text, '[', end - text)); text++)
		if (is_header(text, end - text))
			return true;
	return false;
}

bool detect_root(const char *text, size_t size)
{
	static const char directory[] = "RootDirectory", image[] = "RootImage";

	return memmem(text, size, directory, strlen(directory)) ||
	       memmem(text, size, image, strlen(image));
}

unsigned int detect_misspelt(const char *text, size_t size)
{
	const char *end = text + size;
	unsigned int line = 1;

	if (begins(text, size, BOM))
		text += strlen(BOM);
	for (; text < end; text++, line++) {
		while (text < end && (*text == ' ' || *text == '\t'))
			text++;
		if (is_header(text, end - text) &&
		    strncmp(text, "[X-Checmate", strlen("[X-Checmate")))
			return line;
		text = memchr(text, '\n', end - text);
		if (!text)
			break;
	}
	return 0;
}
