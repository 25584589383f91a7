/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libchecmate - Records: which binding a cgroup has of a policy
 *
 *	<bpffs>/checmate/<cgroup id>/<policy>		 -> ../programs/<set>/bindings/<cookie>
 *	<bpffs>/checmate/<cgroup id>/<policy>/instance	 -> ../../programs/...
 *	                                      link_<program>
 *
 * A record is a symbolic link that names the program set and the cookie. With the backend
 * "bpf-link" it is in a directory, beside the links that attach. The set has the record a
 * second time, so a set without any is not in use.
 *
 * What versions before 1.0 have bound is a directory with programs and maps of its own.
 */
#pragma once

#include "control.h"
#include "pin.h"
#include "program-set.h"

/**
 * struct record - A binding, as bpffs has it.
 * @set: the name of its program set; "" for a binding that has programs of its own.
 * @cookie: its cookie; 0 for such a one.
 * @programs: its programs; none when the set is gone.
 */
struct record {
	char set[PROGRAM_SET_NAME_MAX];
	uint64_t cookie;
	struct program_set programs;
};

void record_done(struct record *record);

/**
 * record_read() - Read a record.
 * @path: where.
 * @ret_record: receives it.
 *
 * Return: 0; -ENOENT there is none; -EBADMSG not a record; -errno.
 */
int record_read(const struct pin_path *path, struct record *ret_record);

/* The digest of the object file that a policy's binding was made of; "" of a former version. */
void record_digest(const struct record *record, const char *policy,
		   char ret_digest[OBJECT_DIGEST_SIZE]);

/* Whether there is something: the link leads to nothing that could be opened. */
bool record_exists(const struct pin_path *path);

/* What checmate_binding_instance() says of it. */
uint64_t record_instance(const struct record *record);

/* Reads the cookie alone; 0 where there is none. Returns as record_read(). */
int record_read_cookie(const struct pin_path *path, uint64_t *ret_cookie);

/**
 * record_write() - Make a record.
 * @path: where; its directory is there.
 * @set: the name of the program set.
 * @cookie: the cookie.
 * @in_directory: in a directory of its own, for links.
 *
 * It comes before what it names, so that whoever finds it after a crash knows what there may be.
 *
 * Return: 0, -errno.
 */
int record_write(const struct pin_path *path, const char *set, uint64_t cookie, bool in_directory);

/* Has the program set of a record, which is there by now, stay for as long as the record. */
int record_keep_set(const struct pin_path *path);

/* Puts @from in the place of @to, which may exist, and removes that. Returns 0, -errno. */
int record_move(const struct pin_path *from, const struct pin_path *to);

/*
 * Removes a record, its instance and, when it was the last, its program set; that there is
 * none is fine. Nothing is attached by it any more. Returns 0, -errno.
 */
int record_remove(const struct pin_path *path);

/* The attachment of a program of the record that is in force, or NULL; of the one at @index. */
const struct checmate_attachment *record_attached(const struct record *record, size_t index,
						  const struct control_list *list);

/* The same of what is staged. */
const struct checmate_attachment *record_staged(const struct record *record, size_t index,
						const struct control_list *list);

/* Whether any program of it is in force, or staged. */
bool record_any_attached(const struct record *record, const struct control_list *list);
bool record_any_staged(const struct record *record, const struct control_list *list);
