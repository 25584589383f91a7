// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - Texts on the bus
 */

#include <errno.h>

#include "bus-text.h"
#include "cleanup.h"
#include "utf8.h"

/**
 * bus_text_append() - Append a text to a message
 * @m: the message
 * @text: the text
 *
 * The bus takes UTF-8 only. Names of files and cgroups may have other bytes, which are
 * escaped.
 */
int bus_text_append(sd_bus_message *m, const char *text)
{
	_cleanup_free_ char *printable = utf8_escape(text);

	return printable ? sd_bus_message_append(m, "s", printable) : -ENOMEM;
}
