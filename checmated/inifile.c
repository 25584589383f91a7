// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - Files of sections and KEY=VALUE lines
 */

#include "inifile.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "parse.h"
#include "text.h"
#include "utf8.h"

#define BLANK " \t"
#define FILE_MAX (1024 * 1024) /* nobody has written that by hand */

/* What a line fed to inih is. */
enum feed {
	FEED_NOTHING,
	FEED_SECTION,
	FEED_KEY,
	FEED_CONTINUATION,
};

/*
 * inih splits keys from values, knows comments, blanks and indented lines.  It
 * passes neither line numbers nor empty sections to its handler, cuts what is
 * too long for its buffers and goes on after an error.  All of that matters
 * here, so the function that feeds it lines looks at each before.
 */
struct reader {
	FILE *stream;
	const char *path;
	const char *only;
	enum inifile_syntax syntax;
	inifile_handler_t handler;
	void *userdata;

	unsigned int line;
	char *section;
	bool passed_over; /* the section is none of ours */
	bool backslash; /* the line before ended with one */
	enum feed feed;

	/* What waits for the lines that may continue it. */
	char *key, *value;
	unsigned int key_line;

	int r;
	char *error;
};

static void reader_done(struct reader *reader)
{
	free(reader->section);
	free(reader->key);
	free(reader->value);
	free(reader->error);
}

int inifile_refuse(char **ret_reason, int r, const char *format, ...)
{
	_cleanup_free_ char *reason = NULL;
	va_list ap;
	char *text;

	va_start(ap, format);
	reason = text_vformat(format, ap);
	va_end(ap);
	if (!reason)
		return -ENOMEM;
	/* It goes to terminals, to the journal and over the bus. */
	text = utf8_escape(reason);
	if (!text)
		return -ENOMEM;
	*ret_reason = text;
	return r;
}

static int fail_at(struct reader *reader, unsigned int line, int r, const char *reason)
{
	if (reader->r < 0)
		return reader->r;
	if (r != -ENOMEM)
		r = inifile_refuse(&reader->error, r, "%s:%u: %s", reader->path, line, reason);
	reader->r = r;
	return r;
}

static int fail(struct reader *reader, const char *reason)
{
	return fail_at(reader, reader->line, -EINVAL, reason);
}

static int hand_over(struct reader *reader, const struct inifile_item *item)
{
	_cleanup_free_ char *reason = NULL;
	int r;

	r = reader->handler(item, &reason, reader->userdata);
	return r < 0 ? fail_at(reader, item->line, r, reason ? reason : strerror(-r)) : 0;
}

/* The key that waits is complete. */
static int flush(struct reader *reader)
{
	const struct inifile_item item = {
		.section = reader->section,
		.key = reader->key,
		.value = reader->value,
		.line = reader->key_line,
	};
	int r;

	if (!reader->key)
		return 0;
	r = hand_over(reader, &item);
	free(TAKE_PTR(reader->key));
	free(TAKE_PTR(reader->value));
	return r;
}

static int judge_text(struct reader *reader, const char *text)
{
	for (size_t n, left = strlen(text); left > 0; text += n, left -= n) {
		n = *text == '\t' ? 1 : utf8_length(text, left);
		if (n == 0 && ((unsigned char)*text < ' ' || *text == '\177'))
			return fail(reader, "control character; this is not a text file");
		if (n == 0)
			return fail(reader, "not UTF-8; write the file in that encoding");
	}
	return 0;
}

static int begin_section(struct reader *reader, const char *header)
{
	const char *end = strrchr(header, ']');
	struct inifile_item item = { .line = reader->line };
	bool ours = !reader->only || startswith(header + 1, reader->only);
	int r;

	r = flush(reader);
	if (r < 0)
		return r;
	reader->passed_over = !ours;
	reader->feed = ours ? FEED_SECTION : FEED_NOTHING;
	if (!ours)
		return 0;

	if (reader->backslash)
		return fail(reader, "a section's line cannot be continued");
	if (judge_text(reader, header) < 0)
		return reader->r;
	if (!end)
		return fail(reader, "section has no closing ']'");
	if (end[1 + strspn(end + 1, BLANK)] != '\0')
		return fail(reader, "text after the section's closing ']'");

	free(reader->section);
	reader->section = strndup(header + 1, end - header - 1);
	if (!reader->section)
		return fail_at(reader, 0, -ENOMEM, NULL);
	item.section = reader->section;
	return hand_over(reader, &item);
}

/* A comment may end what inih looks at; a ':' would be as good to it as '='. */
static int judge_key(struct reader *reader, const char *text)
{
	for (const char *c = text; *c; c++) {
		if (*c == '=' && c == text)
			return fail(reader, "nothing before the '='");
		if (*c == '=')
			return 0;
		if (*c == ':' || (*c == ';' && c > text && strchr(BLANK, c[-1])))
			break;
	}
	return fail(reader, "neither a section, a comment nor KEY=VALUE");
}

static bool has_inline_comment(const char *text)
{
	for (const char *c = text; (c = strchr(c, ';')); c++)
		if (c > text && strchr(BLANK, c[-1]))
			return true;
	return false;
}

static int judge_binding_line(struct reader *reader, const char *line)
{
	const char *text = line + strspn(line, BLANK);

	if (!*text || strchr("#;", *text))
		return 0;

	/* An indented '[' may be of a list ("[::]:80"). */
	if (text > line && reader->key) {
		reader->feed = FEED_CONTINUATION;
		return 0;
	}
	if (text > line)
		return fail(reader, *text == '[' ?
					    "section does not begin at the start of the line" :
					    "indented, and nothing above that it could continue");
	if (*text == '[')
		return begin_section(reader, text);

	reader->feed = FEED_KEY;
	return judge_key(reader, text);
}

/* One that stands for itself: of two, the first takes from the second what it means. */
static bool ends_in_backslash(const char *text)
{
	size_t n = strlen(text), backslashes = 0;

	while (backslashes < n && text[n - backslashes - 1] == '\\')
		backslashes++;
	return backslashes % 2;
}

/* Takes the backslash off that continues the line. */
static bool chop_backslash(char *text)
{
	if (!ends_in_backslash(text))
		return false;
	text[strlen(text) - 1] = '\0';
	return true;
}

static int judge_unit_line(struct reader *reader, char *line)
{
	char *text = line + strspn(line, BLANK);
	bool continues = reader->backslash;

	/* Comments may stand between the lines of a value. */
	if (*text && strchr("#;", *text))
		return 0;
	reader->backslash = chop_backslash(text);

	if (!continues && *text == '[')
		return begin_section(reader, text);
	if (reader->passed_over || (!reader->section && reader->only))
		return 0;
	if (!*text && !(reader->backslash && !continues))
		return 0;
	if (has_inline_comment(text))
		return fail(reader,
			    "';' after a blank: in a unit file, a comment is a line of its own");

	if (continues && reader->key) {
		reader->feed = FEED_CONTINUATION;
		return 0;
	}
	reader->feed = FEED_KEY;
	return judge_key(reader, text);
}

static int judge_bytes(struct reader *reader, char *line, size_t size)
{
	if (memchr(line, '\0', size))
		return fail(reader, "NUL byte; this is not a text file");
	if (size > 0 && line[size - 1] == '\n')
		line[--size] = '\0';
	if (size > 0 && line[size - 1] == '\r')
		line[--size] = '\0';
	if (memchr(line, '\r', size))
		return fail(reader, "carriage return within a line; lines end with a newline");
	return 0;
}

/* Writes to @buffer what inih is to see of @line. */
static int feed(struct reader *reader, char *buffer, int size, char *line)
{
	static const char *const markers[] = {
		[FEED_NOTHING] = "\n",
		[FEED_SECTION] = "[section]\n",
	};
	const char *text = line + strspn(line, BLANK);
	int n;

	if (reader->feed == FEED_NOTHING || reader->feed == FEED_SECTION) {
		strcpy(buffer, markers[reader->feed]);
		return 0;
	}

	if (judge_text(reader, text) < 0)
		return reader->r;
	n = snprintf(buffer, size, "%s%s\n", reader->feed == FEED_CONTINUATION ? " " : "", text);
	if (n >= size) {
		_cleanup_free_ char *reason = NULL;
		int r;

		r = inifile_refuse(&reason, -EINVAL,
				   "line has more than %d characters; continue a list on %s",
				   size - 3,
				   reader->syntax == INIFILE_UNIT ?
					   "further lines, with '\\' at the end of each but the last" :
					   "indented lines");
		return fail_at(reader, reader->line, r, reason);
	}
	return 0;
}

static char *read_line(char *buffer, int size, void *userdata)
{
	static const char bom[] = "\xef\xbb\xbf";
	struct reader *reader = userdata;
	_cleanup_free_ char *line = NULL;
	size_t allocated = 0;
	char *text;
	ssize_t n;
	int r;

	if (reader->r < 0)
		return NULL;

	errno = 0;
	n = getline(&line, &allocated, reader->stream);
	if (n < 0) {
		if (ferror(reader->stream))
			(void)fail_at(reader, reader->line, errno ? -errno : -EIO,
				      strerror(errno ? errno : EIO));
		return NULL;
	}

	reader->line++;
	reader->feed = FEED_NOTHING;
	if (judge_bytes(reader, line, n) < 0)
		return NULL;
	text = line;
	if (reader->line == 1 && startswith(line, bom))
		text += strlen(bom);

	r = reader->syntax == INIFILE_UNIT ? judge_unit_line(reader, text) :
					     judge_binding_line(reader, text);
	if (r < 0 || feed(reader, buffer, size, text) < 0)
		return NULL;
	return buffer;
}

static int begin_key(struct reader *reader, const char *key, const char *value)
{
	int r;

	r = flush(reader);
	if (r < 0)
		return r;
	reader->key = strdup(key);
	reader->value = strdup(value);
	reader->key_line = reader->line;
	return reader->key && reader->value ? 0 : fail_at(reader, 0, -ENOMEM, NULL);
}

static int continue_value(struct reader *reader, const char *value)
{
	char *joined;

	if (asprintf(&joined, "%s%s%s", reader->value, *reader->value && *value ? " " : "", value) <
	    0)
		return fail_at(reader, 0, -ENOMEM, NULL);
	free(reader->value);
	reader->value = joined;
	return 0;
}

/* @section and @key may be cut, the latter in lines that continue one. */
static int on_key(void *userdata, const char *section, const char *key, const char *value)
{
	struct reader *reader = userdata;
	int r;

	(void)section;

	if (reader->r < 0)
		return 0;
	/* It would be taken for part of what comes next, by whoever splits the value. */
	if (ends_in_backslash(value)) {
		(void)fail(reader,
			   reader->syntax == INIFILE_UNIT ?
				   "a blank after the backslash at the end; remove the blank" :
				   "backslash at the end; indent the lines that go on, without it");
		return 0;
	}
	r = reader->feed == FEED_CONTINUATION ? continue_value(reader, value) :
						begin_key(reader, key, value);
	return r == 0;
}

int inifile_read(FILE *stream, const char *path, enum inifile_syntax syntax, const char *only,
		 inifile_handler_t handler, void *userdata, unsigned int *ret_lines,
		 char **ret_error)
{
	_cleanup_(reader_done) struct reader reader = {
		.stream = stream,
		.path = path,
		.only = only,
		.syntax = syntax,
		.handler = handler,
		.userdata = userdata,
	};
	int r;

	r = ini_parse_stream(read_line, &reader, on_key, &reader);
	if (r > 0) {
		reader.line = r;
		(void)fail(&reader, "neither a section, a comment nor KEY=VALUE");
	} else if (r < 0) {
		(void)fail_at(&reader, 0, -ENOMEM, NULL);
	}
	if (reader.r == 0)
		(void)flush(&reader);
	if (reader.r < 0) {
		if (reader.r != -ENOMEM)
			*ret_error = TAKE_PTR(reader.error);
		return reader.r;
	}
	if (ret_lines)
		*ret_lines = reader.line;
	return 0;
}

static int unreadable(const char *path, int r, char **ret_error)
{
	return inifile_refuse(ret_error, r, "%s: cannot be read: %s", path, strerror(-r));
}

static bool is_dev_null(const struct stat *st)
{
	struct stat null;

	return S_ISCHR(st->st_mode) && stat("/dev/null", &null) == 0 && null.st_rdev == st->st_rdev;
}

int inifile_open_fd(int fd, const char *path, FILE **ret_stream, char **ret_error)
{
	_cleanup_close_ int copy = -EBADF;
	struct stat st;
	FILE *stream;

	if (fstat(fd, &st) < 0)
		return unreadable(path, -errno, ret_error);
	if (is_dev_null(&st)) {
		*ret_stream = NULL;
		return 0;
	}
	if (!S_ISREG(st.st_mode))
		return unreadable(path, S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL, ret_error);
	if (st.st_size > FILE_MAX)
		return unreadable(path, -EFBIG, ret_error);

	copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	stream = copy < 0 ? NULL : fdopen(copy, "r");
	if (!stream)
		return unreadable(path, -errno, ret_error);
	TAKE_FD(copy);
	*ret_stream = stream;
	return 0;
}

int inifile_open(const char *path, FILE **ret_stream, char **ret_error)
{
	_cleanup_close_ int fd = -EBADF;

	/* O_NONBLOCK: a FIFO must not hold anybody up. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return unreadable(path, -errno, ret_error);
	return inifile_open_fd(fd, path, ret_stream, ret_error);
}

/* The length of an element: to a separator that no backslash makes part of it. */
static size_t element_length(const char *text, const char *separators)
{
	size_t n = 0;

	while (text[n] && !strchr(separators, text[n]))
		n += text[n] == '\\' && text[n + 1] ? 2 : 1;
	return n;
}

int inifile_list_append(char **list, const char *value)
{
	static const char separators[] = "," BLANK;
	_cleanup_free_ char *text = NULL;
	char *out;

	text = malloc(strlen(*list) + 1 + strlen(value) + 1);
	if (!text)
		return -ENOMEM;

	value += strspn(value, separators);
	out = *value ? stpcpy(text, *list) : text;

	while (*value) {
		size_t n = element_length(value, separators);

		if (out != text)
			*out++ = ',';
		out = mempcpy(out, value, n);
		value += n;
		value += strspn(value, separators);
	}
	*out = '\0';

	free(*list);
	*list = TAKE_PTR(text);
	return 0;
}

int inifile_parse_bool(const char *value, bool *ret_value)
{
	static const char *const words[] = { "no", "yes", "false", "true", "off", "on", "0", "1" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!streq(value, words[i]))
			continue;
		*ret_value = i % 2;
		return 0;
	}
	return -EINVAL;
}
