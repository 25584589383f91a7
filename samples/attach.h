/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Samples - Attach BPF programs to a cgroup through its control files
 *
 * All that an orchestrator has to do by itself: load an object with libbpf,
 * write "FD" to checmate.<hook> of the cgroup, and "-FD" to take it back.
 */
#pragma once

#include <stddef.h>

#include <bpf/libbpf.h>

/**
 * struct sample - What one sample consists of
 * @name: short name, for messages
 * @object: path of the BPF object
 * @programs: names of its programs in the order in which they are attached,
 *	ended by NULL. They are detached in the reverse order.
 * @prepare: called between opening and loading; complains by itself and
 *	returns a negative errno, or 0. May be NULL.
 */
struct sample {
	const char *name;
	const char *object;
	const char *const *programs;
	int (*prepare)(struct bpf_object *object);
};

/**
 * complain() - Say what went wrong on standard error
 * @sample: whose name begins the line
 * @err: negative errno that ends the line, or 0 for none
 * @format: what it was
 *
 * Return: @err, or -EINVAL when that is 0.
 */
int complain(const struct sample *sample, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * run_sample() - Load and attach, run or wait, detach
 * @sample: what to attach
 * @cgroup: path of the cgroup's directory
 * @command: NULL-terminated command to run inside the cgroup, or empty to wait
 *	for SIGINT or SIGTERM
 *
 * Once all programs are attached, "attached to CGROUP" is printed, when there
 * is no command.
 *
 * Return: exit status of this program: that of the command, or 128 and the
 * number of the signal that ended it; 1 when anything else failed.
 */
int run_sample(const struct sample *sample, const char *cgroup, char *const *command);
