// SPDX-License-Identifier: LGPL-2.1-or-later
/* checmatectl - The policies that a command line names, and their parameters */
#include "policy-args.h"

#include <string.h>

#include "parse.h"

bool policy_args_is_assignment(const char *argument)
{
	const char *equals = strchr(argument, '=');
	_cleanup_free_ char *name = equals ? strndup(argument, equals - argument) : NULL;

	return name && name_is_valid(name, SIZE_MAX);
}

char *policy_args_split(char *argument)
{
	char *equals;

	if (!policy_args_is_assignment(argument))
		return NULL;
	equals = strchr(argument, '=');
	*equals = '\0';
	return equals + 1;
}

void policy_args_done(struct policy_args *args)
{
	for (size_t i = 0; i < args->n; i++)
		checmate_policy_free(args->policies[i]);
	free(args->policies);
}

int policy_args_open(const struct options *options, const char *name,
		     struct checmate_policy **ret_policy, struct checmate_error **ret_error)
{
	const struct checmate_open_opts opts = {
		.sz = sizeof(opts),
		.untrusted_ok = options->untrusted_ok,
	};

	return checmate_policy_open_opts(name, &opts, ret_policy, ret_error);
}

int policy_args_read(struct policy_args *args, const struct options *options, int argc, char **argv)
{
	_cleanup_error_ struct checmate_error *error = NULL;

	args->policies = calloc(argc, sizeof(*args->policies));
	if (!args->policies)
		return fail(NULL);
	for (int i = 0; i < argc; i++) {
		char *value = policy_args_split(argv[i]);

		if (!value) {
			if (policy_args_open(options, argv[i], &args->policies[args->n], &error) < 0)
				return fail(error);
			args->n++;
			continue;
		}
		if (!args->n)
			return usage("%s=%s: a parameter stands before its policy", argv[i], value);
		if (checmate_policy_set(args->policies[args->n - 1], argv[i], value, &error) < 0)
			return fail(error);
	}
	return EXIT_DONE;
}

int policy_args_load(const struct policy_args *args, struct checmate_error **ret_error)
{
	int r;

	for (size_t i = 0; i < args->n; i++) {
		/* The backend can say why, where the kernel only refuses. */
		r = checmate_policy_check(args->policies[i], NULL, ret_error);
		if (!r)
			r = checmate_policy_load(args->policies[i], ret_error);
		if (r < 0)
			return r;
	}
	return 0;
}

int policy_args_lists(const struct policy_args *args, char ***lists)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < args->n; i++)
		r = jsondoc_lists_of_policy(args->policies[i], NULL, lists);
	return r;
}
