// SPDX-License-Identifier: LGPL-2.1-or-later
/* Fuzz target - Policy objects: opening, describing, and every parameter */
#include <sys/mman.h>
#include <unistd.h>

#include "checmate.h"
#include "cleanup.h"
#include "fuzz.h"

static void check_param(struct checmate_policy *policy, const struct checmate_param *param)
{
	_cleanup_free_ char *text = NULL, *again = NULL;

	fuzz_check_harmless(param->name);
	fuzz_check_harmless(param->type);
	fuzz_check_harmless(param->form);
	fuzz_check_harmless(param->doc);
	must(!checmate_policy_get(policy, param->name, &text, NULL));
	must(!strcmp(text, param->value));
	must(!checmate_policy_set(policy, param->name, text, NULL));
	must(!checmate_policy_get(policy, param->name, &again, NULL));
	must(!strcmp(text, again));
}

static void check_policy(struct checmate_policy *policy)
{
	fuzz_check_harmless(checmate_policy_name(policy));
	fuzz_check_harmless(checmate_policy_version(policy));
	fuzz_check_harmless(checmate_policy_description(policy));
	must(checmate_policy_count_programs(policy));
	for (size_t i = 0; i < checmate_policy_count_programs(policy); i++) {
		const struct checmate_program *program = checmate_policy_get_program(policy, i);

		fuzz_check_harmless(program->name);
		fuzz_check_harmless(program->hook);
	}
	for (size_t i = 0; i < checmate_policy_count_params(policy); i++)
		check_param(policy, checmate_policy_get_param(policy, i));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct checmate_open_opts opts = { .sz = sizeof(opts), .untrusted_ok = true };
	_cleanup_(checmate_policy_freep) struct checmate_policy *policy = NULL;
	_cleanup_(checmate_error_freep) struct checmate_error *error = NULL;
	static int file = -1;
	static char path[64];

	if (file < 0) {
		file = memfd_create("object", MFD_CLOEXEC);
		must(file >= 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	}
	must(!ftruncate(file, 0));
	must(pwrite(file, data, size, 0) == (ssize_t)size);

	if (!checmate_policy_open_opts(path, &opts, &policy, &error))
		check_policy(policy);
	else
		fuzz_check_harmless(checmate_error_text(error));
	return 0;
}
