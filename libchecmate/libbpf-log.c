// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - What libbpf and the verifier say, kept instead of printed */
#include "libbpf-log.h"

#include <bpf/libbpf.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "parse.h"
#include "text.h"

/* Enough for what matters; a verifier log goes elsewhere. */
#define CAPTURE_MAX 65536

static _Thread_local struct libbpf_log *current;
static libbpf_print_fn_t former;
static pthread_once_t once = PTHREAD_ONCE_INIT;

_printf_(2, 0) static int keep(enum libbpf_print_level level, const char *format, va_list ap)
{
	char *line, *grown;
	size_t n;

	if (!current)
		return former ? former(level, format, ap) : 0;
	if (level == LIBBPF_DEBUG)
		return 0;

	line = text_vformat(format, ap);
	if (!line)
		return 0;
	n = strlen(line);
	if (current->size + n < CAPTURE_MAX) {
		grown = realloc(current->text, current->size + n + 1);
		if (grown) {
			memcpy(grown + current->size, line, n + 1);
			current->text = grown;
			current->size += n;
		}
	}
	free(line);
	return 0;
}

static void install(void)
{
	former = libbpf_set_print(keep);
}

void libbpf_log_begin(struct libbpf_log *capture)
{
	pthread_once(&once, install);
	*capture = (struct libbpf_log){};
	current = capture;
}

void libbpf_log_end(struct libbpf_log *capture)
{
	if (current == capture)
		current = NULL;
	free(capture->text);
	*capture = (struct libbpf_log){};
}

char *libbpf_log_cause(const struct libbpf_log *capture)
{
	const char *line = capture->text;

	if (!line || !*line)
		line = "no reason given";
	line = startswith(line, "libbpf: ") ?: line;
	return strndup(line, strcspn(line, "\n"));
}

const char *libbpf_log_tail(const char *log, size_t lines)
{
	const char *begin = log + strlen(log);

	if (begin > log && begin[-1] == '\n')
		begin--;
	while (begin > log) {
		if (begin[-1] == '\n' && --lines == 0)
			break;
		begin--;
	}
	return begin;
}

/* Lines of a verifier log that describe, instead of judging. */
static bool is_narrative(const char *line, size_t n)
{
	static const char *const beginnings[] = {
		"processed ",
		"verification time",
		"stack depth",
		"peak_states",
		"mark_precise",
		"Validating ",
		"Func#",
		"arg#",
		";",
		"-- ",
		"from ",
		"parent ",
		"last_idx ",
	};
	const char *colon;

	line += strspn(line, " \t");
	if (n == 0 || *line == '\n' || *line == '\0')
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++)
		if (startswith(line, beginnings[i]))
			return true;

	/* "17: (85) call …" and "17: R0=…" are the program itself. */
	colon = line + strspn(line, "0123456789");
	return colon > line && *colon == ':';
}

char *libbpf_log_reason(const char *log)
{
	const char *end = log + strlen(log);

	while (end > log) {
		const char *begin = end;

		while (begin > log && begin[-1] != '\n')
			begin--;
		if (!is_narrative(begin, end - begin))
			return strndup(begin, end - begin);
		end = begin > log ? begin - 1 : log;
	}
	return NULL;
}

char *libbpf_log_program(const char *text)
{
	static const char mark[] = "prog '";
	const char *failed = strstr(text, "BPF program load failed");
	const char *begin, *end;

	if (!failed)
		return NULL;
	for (begin = failed; begin > text && begin[-1] != '\n'; begin--)
		;
	begin = strstr(begin, mark);
	if (!begin || begin > failed)
		return NULL;
	begin += strlen(mark);
	end = strchr(begin, '\'');
	return end ? strndup(begin, end - begin) : NULL;
}
