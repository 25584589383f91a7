/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libchecmate - What libbpf and the verifier say, kept instead of printed */
#pragma once

#include <stddef.h>

#include "cleanup.h"

/*
 * While a log is open, what libbpf says in this thread goes there. Other
 * threads, and libbpf's other users in this process, are not affected.
 * Logs do not nest.
 */
struct libbpf_log {
	char *text;
	size_t size;
};

void libbpf_log_begin(struct libbpf_log *capture);
void libbpf_log_end(struct libbpf_log *capture);

/*
 * The first thing libbpf said, without its prefix and newline: that is the
 * cause, the following lines are what came of it. Never NULL, to be freed.
 */
char *libbpf_log_cause(const struct libbpf_log *capture);

#define _cleanup_libbpf_log_ _cleanup_(libbpf_log_end)

/**
 * libbpf_log_tail() - The end of a log, which is where the reason is.
 * @log: any number of lines.
 * @lines: how many lines to keep.
 *
 * Return: a pointer into @log, at the beginning of a line.
 */
const char *libbpf_log_tail(const char *log, size_t lines);

/**
 * libbpf_log_reason() - The one line of a verifier log that gives the reason.
 * @log: the log.
 *
 * Return: the line without its newline, to free; NULL when there is none or
 * memory is short.
 */
char *libbpf_log_reason(const char *log);

/**
 * libbpf_log_program() - The program that libbpf says was refused.
 * @text: what libbpf said.
 *
 * Return: its name, to free; NULL when it named none.
 */
char *libbpf_log_program(const char *text);
