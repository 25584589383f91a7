/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libchecmate - What is kept of a loaded policy, to load it again at less cost */
#pragma once

#include "policy.h"

/**
 * template_keep() - Remember how libbpf has loaded a policy.
 * @policy: a policy that libbpf has just loaded.
 *
 * Nothing is remembered where memory is short, or of a policy of which more would have to
 * be known: it is loaded by libbpf again the next time.
 */
void template_keep(const struct checmate_policy *policy);

/**
 * template_knows() - Whether an object file is one that a policy was loaded from.
 * @data: the file's bytes.
 * @size: how many.
 */
bool template_knows(const char *data, size_t size);

/**
 * template_load() - Load a policy as it was loaded before in this process.
 * @policy: the policy, with its scalars staged and the shared maps in place. On success it
 *          has its programs' descriptors, its maps, and its lists.
 *
 * Return: 1; 0 when it was not, or the kernel does not take it in this way: nothing has
 * changed then; -errno when it cannot be loaded in any other way either.
 */
int template_load(struct checmate_policy *policy);
