/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libchecmate - What libbpf and the verifier say, kept instead of printed */
#pragma once

#include <stddef.h>

#include "cleanup.h"

/*
 * While a capture exists, what libbpf says in this thread goes there. Other
 * threads, and libbpf's other users in this process, are not affected.
 * Captures do not nest.
 */
struct bpf_capture {
	char *text;
	size_t size;
};

void bpf_capture_begin(struct bpf_capture *capture);
void bpf_capture_end(struct bpf_capture *capture);

#define _cleanup_capture_ _cleanup_(bpf_capture_end)

/**
 * bpf_log_tail() - The end of a log, which is where the reason is.
 * @log: any number of lines.
 * @lines: how many lines to keep.
 *
 * Return: a pointer into @log, at the beginning of a line.
 */
const char *bpf_log_tail(const char *log, size_t lines);

/**
 * bpf_log_reason() - The one line of a verifier log that gives the reason.
 * @log: the log.
 *
 * Return: the line without its newline, to free; NULL when there is none or
 * memory is short.
 */
char *bpf_log_reason(const char *log);

/**
 * bpf_log_program() - The program that libbpf says was refused.
 * @text: what libbpf said.
 *
 * Return: its name, to free; NULL when it named none.
 */
char *bpf_log_program(const char *text);
