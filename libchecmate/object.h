/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libchecmate - Policy objects: files that were read, checked and understood
 *
 * A process that opens a file again, which has not changed since, gets the same object.
 */
#pragma once

#include <bpf/libbpf.h>
#include <sys/stat.h>

#include "description.h"

/* Bytes of a digest as text. */
#define OBJECT_DIGEST_SIZE 33

/**
 * struct object - A policy object; does not change.
 * @n_refs: users.
 * @st: which file it was, and when.
 * @data: the file's bytes; @parsed refers to them.
 * @size: how many.
 * @digest: of the bytes, hexadecimal.
 * @parsed: libbpf's view, which is never loaded.
 * @description: what it says about itself.
 * @programs: its programs, without ids; strings belong to @parsed.
 * @n_programs: how many.
 * @defaults: a value per parameter.
 */
struct object {
	unsigned int n_refs;
	struct stat st;
	char *data;
	size_t size;
	char digest[OBJECT_DIGEST_SIZE];
	struct bpf_object *parsed;
	struct description description;
	struct checmate_program *programs;
	size_t n_programs;
	void **defaults;
};

/**
 * object_open() - Open a policy object.
 * @path: the file.
 * @untrusted_ok: do not ask whose it is.
 * @ret_object: receives the object; see object_unref().
 * @ret_error: explanation, or NULL.
 *
 * Return: as checmate_policy_open_opts().
 */
int object_open(const char *path, bool untrusted_ok, struct object **ret_object,
		struct checmate_error **ret_error);

/* Lets go of it. Returns NULL. */
struct object *object_unref(struct object *object);

/* libbpf's view of it, to load and to close; NULL with errno. */
struct bpf_object *object_parse(const struct object *object);
