/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checmate-oci-hook - What a runtime says about a container
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* A container that has an annotation which begins so asks for policies, and gets some or is refused. */
#define OCI_ANNOTATION_PREFIX "org.checmate."

/* Larger than any state a runtime writes, small enough to hold in memory. */
#define OCI_STATE_MAX (1024u * 1024u)

/* Whether the container runs, as far as its state says so. */
enum oci_status {
	OCI_STATUS_UNKNOWN,
	OCI_STATUS_CREATED, /* not yet: "creating", "created" */
	OCI_STATUS_OTHER,
};

struct oci_state {
	char *id;
	pid_t pid;
	char *bundle; /* or NULL, if the state has none that can be understood */
	enum oci_status status;
	char **annotations; /* key, value, key, value, …, NULL */
	size_t n_annotations; /* pairs */
};

int oci_state_read(int fd, char **ret_text, size_t *ret_size, char **ret_error);
int oci_state_parse(const char *text, size_t size, struct oci_state *ret_state, char **ret_error);
void oci_state_done(struct oci_state *state);

int oci_state_parse_cgroup(const char *text, char **ret_cgroup);
int oci_state_find_cgroup(const struct oci_state *state, const char *container, const char *own,
			  char **ret_cgroup, char **ret_error);

int oci_state_bundle_root(const char *bundle, char **ret_root);

void oci_state_trim_runtime(char *comm);
