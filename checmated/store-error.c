// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - What a change of bindings failed with
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "store-error.h"
#include "text.h"

/* Frees the texts of @error and leaves it empty. */
void store_error_done(struct store_error *error)
{
	free(error->text);
	free(error->detail);
	*error = (struct store_error){};
}

/**
 * store_error_set() - Set the text of an error
 * @error: the error; a former text is freed
 * @r: what to return
 * @format: one line, as for printf(3)
 *
 * Return: @r.
 */
int store_error_set(struct store_error *error, int r, const char *format, ...)
{
	va_list ap;

	store_error_done(error);
	va_start(ap, format);
	error->text = text_vformat(format, ap);
	va_end(ap);
	return r;
}

/* Sets the text of -ENOMEM and returns it. */
int store_error_set_oom(struct store_error *error)
{
	return store_error_set(error, -ENOMEM, "out of memory");
}

/**
 * store_error_set_library() - Set the text and the detail of a library's error
 * @error: the error
 * @r: what to return
 * @e: the library's error
 *
 * Return: @r.
 */
int store_error_set_library(struct store_error *error, int r, const struct checmate_error *e)
{
	const char *log = checmate_error_log(e);

	store_error_set(error, r, "%s", checmate_error_text(e));
	if (log)
		error->detail = strdup(log);
	return r;
}

/**
 * store_error_set_record() - Set the text of a failure with a record
 * @error: the error
 * @r: what failed, as -errno
 * @dir: the directory of the records
 * @what: the participle of the verb that failed, such as "read"
 *
 * Return: @r.
 */
int store_error_set_record(struct store_error *error, int r, const char *dir, const char *what)
{
	return store_error_set(error, r,
			       "%s: a record cannot be %s: %s; see to space and permissions", dir,
			       what, strerror(-r));
}

/**
 * store_error_join() - Add the error of one policy to that of others
 * @all: the errors of the others
 * @one: the error to add; empty afterwards
 */
void store_error_join(struct store_error *all, struct store_error *one)
{
	char *text;

	if (!all->text) {
		store_error_done(all);
		*all = *one;
		*one = (struct store_error){};
		return;
	}
	if (one->text && asprintf(&text, "%s; %s", all->text, one->text) >= 0) {
		free(all->text);
		all->text = text;
	}
	if (!all->detail)
		all->detail = TAKE_PTR(one->detail);
	store_error_done(one);
}
