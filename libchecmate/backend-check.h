/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libchecmate - Whether a backend can take a policy */
#pragma once

#include "policy.h"

/* As checmate_policy_check() with the backend "checmate". */
int backend_check_checmate(const struct checmate_policy *policy, struct checmate_error **ret_error);

/* The first program of a policy that may sleep, or NULL. */
const struct bpf_program *backend_check_find_sleepable(const struct checmate_policy *policy);

/* The first function of the kernel's module checmate that a policy calls, or NULL. */
const char *backend_check_find_kfunc(const struct checmate_policy *policy);

/* The hook of a program, from its section. */
const char *backend_check_hook(const struct bpf_program *program);
