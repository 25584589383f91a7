/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Common - Texts that are made of a format */
#pragma once

#include <stdarg.h>
#include <stdio.h>

#include "cleanup.h"

/* As asprintf(3), but returns the text, which the caller frees; NULL: no memory. */
_printf_(1, 0) static inline char *text_vformat(const char *format, va_list ap)
{
	char *text;

	return vasprintf(&text, format, ap) < 0 ? NULL : text;
}

_printf_(1, 2) static inline char *text_format(const char *format, ...)
{
	va_list ap;
	char *text;

	va_start(ap, format);
	text = text_vformat(format, ap);
	va_end(ap);
	return text;
}
