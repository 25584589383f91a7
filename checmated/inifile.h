/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmated - Files of sections and KEY=VALUE lines
 *
 * One reader for binding files and for the sections of ours in systemd's unit
 * files. It judges the form; what sections, keys and values there may be is for
 * the handler to say. The first thing that is wrong ends the reading.
 *
 * Refused are: NUL bytes and other control characters, what is not UTF-8,
 * carriage returns but before a newline, lines too long for inih, sections that do not end with ']',
 * lines that are neither a comment nor KEY=VALUE, continuations of nothing, and
 * values that end in a backslash which would make part of them what comes next.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "cleanup.h"

enum inifile_syntax {
	/*
	 * Binding files: an indented line continues the value above it, a
	 * section begins at the start of its line, comments begin with '#' or
	 * ';' at the start of a line, or with ';' after a blank.
	 */
	INIFILE_BINDING,
	/*
	 * Unit files as systemd reads them: a backslash at a line's end
	 * continues it, indentation means nothing, and comments are lines of
	 * their own. What follows a blank and ';' is part of the value there
	 * although it looks like a comment: such lines are refused.
	 */
	INIFILE_UNIT,
};

/* A section's beginning (@key is NULL) or a KEY=VALUE, both in the order of the file. */
struct inifile_item {
	const char *section; /* between '[' and ']'; NULL before the first */
	const char *key; /* never empty */
	const char *value; /* without blanks around it; lines that continue it joined by one blank */
	unsigned int line; /* on which it begins */
};

/*
 * Returns 0, or -errno to end the reading, with the reason (allocated) in
 * @ret_reason unless that is -ENOMEM. inifile_refuse() does both.
 */
typedef int (*inifile_handler_t)(const struct inifile_item *item, char **ret_reason, void *userdata);

/* Sets @ret_reason to a text, fit to be shown; returns @r, or -ENOMEM. */
int inifile_refuse(char **ret_reason, int r, const char *format, ...) _printf_(3, 4);

/**
 * inifile_open() - Open a file for inifile_read().
 * @path: its path.
 * @ret_stream: receives the file; NULL for an empty device or a link to one,
 *	that is /dev/null, which hides a file of the same name elsewhere.
 * @ret_error: on failure other than -ENOMEM, "PATH: reason".
 *
 * Return: 0; -errno, also when it is not a regular file, or larger than 1 MiB.
 */
int inifile_open(const char *path, FILE **ret_stream, char **ret_error);

/* The same of a file that is open; the descriptor remains the caller's. */
int inifile_open_fd(int fd, const char *path, FILE **ret_stream, char **ret_error);

/**
 * inifile_read() - Read a file.
 * @stream: the file.
 * @path: its name, for messages.
 * @syntax: how lines are joined, and what a comment is.
 * @only: NULL, or how the names of the sections begin that the file is read for;
 *	the others are passed over without being judged.
 * @handler: gets sections and keys.
 * @userdata: for @handler.
 * @ret_lines: receives the number of lines; may be NULL.
 * @ret_error: on failure other than -ENOMEM, "PATH:LINE: reason".
 *
 * Return: 0; -EINVAL what the file holds is wrong; what @handler returned; -errno.
 */
int inifile_read(FILE *stream, const char *path, enum inifile_syntax syntax, const char *only,
		 inifile_handler_t handler, void *userdata, unsigned int *ret_lines,
		 char **ret_error);

/**
 * inifile_list_append() - Add the elements of a value to a list.
 * @list: the list, one comma between any two elements; never NULL.
 * @value: further elements, with commas or blanks between them; a backslash makes what
 *	follows it part of an element. An empty value starts the list anew.
 *
 * Return: 0; -ENOMEM.
 */
int inifile_list_append(char **list, const char *value);

/**
 * inifile_parse_bool() - What "yes" and "no" mean.
 * @value: one of yes, true, on, 1, no, false, off, 0.
 * @ret_value: receives it.
 *
 * Return: 0; -EINVAL it is none of these.
 */
int inifile_parse_bool(const char *value, bool *ret_value);
