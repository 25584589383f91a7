/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libchecmate - Event records: from bytes to words
 *
 * The bytes come from policies, which any root process may have loaded: nothing
 * about them is taken for granted.
 */
#pragma once

#include <stddef.h>

#include "checmate-types.h"
#include "checmate.h"
#include "utf8.h"

/**
 * struct event - A record that was understood.
 * @info: what a caller sees; its strings are those below, so a copy of the
 *        structure shows the original's.
 * @comm: name of the thread.
 * @policy: name of the policy.
 * @hook: name of the hook.
 * @object: the object as text; the longest of them has a name in it.
 */
struct event {
	struct checmate_event info;
	char comm[UTF8_ESCAPED(sizeof(((struct checmate_event_record *)0)->comm))];
	char policy[UTF8_ESCAPED(sizeof(((struct checmate_event_record *)0)->policy))];
	char hook[UTF8_ESCAPED(sizeof(((struct checmate_event_record *)0)->hook))];
	char object[UTF8_ESCAPED(CHECMATE_EVENT_TEXT_MAX)];
};

/**
 * event_decode() - Understand a record, as far as this version can.
 * @data: the record; need not be aligned.
 * @size: its bytes, which may be fewer or more than this version knows.
 * @event: receives the outcome; undefined on failure.
 *
 * A text that lacks its end ends with its field. In every text, control
 * characters, backslashes and what is not UTF-8 become "\ooo", the byte in
 * octal, so that no terminal takes it for more than text. A kind of object
 * that is not known has the type "unknown" and an empty text.
 *
 * Return: 0; -EBADMSG the record ends before its object begins, or has no
 * version.
 */
int event_decode(const void *data, size_t size, struct event *event);
