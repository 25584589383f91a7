// SPDX-License-Identifier: LGPL-2.1-or-later
/* checmatectl - The policies that a command line names, and their parameters */
#include <errno.h>

#include "command.h"

void selection_done(struct selection *selection)
{
	for (size_t i = 0; i < selection->n; i++)
		checmate_policy_free(selection->policies[i]);
	free(selection->policies);
}

int open_policy(const struct options *options, const char *name,
		struct checmate_policy **ret_policy, struct checmate_error **ret_error)
{
	const struct checmate_open_opts opts = {
		.sz = sizeof(opts),
		.untrusted_ok = options->untrusted_ok,
	};

	return checmate_policy_open_opts(name, &opts, ret_policy, ret_error);
}

int select_policies(struct selection *selection, const struct options *options, int argc,
		    char **argv)
{
	_cleanup_error_ struct checmate_error *error = NULL;

	selection->policies = calloc(argc, sizeof(*selection->policies));
	if (!selection->policies)
		return fail(NULL);
	for (int i = 0; i < argc; i++) {
		char *value = split_assignment(argv[i]);

		if (!value) {
			if (open_policy(options, argv[i], &selection->policies[selection->n],
					&error) < 0)
				return fail(error);
			selection->n++;
			continue;
		}
		if (!selection->n)
			return usage("%s=%s: a parameter stands before its policy", argv[i], value);
		if (checmate_policy_set(selection->policies[selection->n - 1], argv[i], value,
					&error) < 0)
			return fail(error);
	}
	return EXIT_DONE;
}

int selection_load(const struct selection *selection, struct checmate_error **ret_error)
{
	int r;

	for (size_t i = 0; i < selection->n; i++) {
		/* The backend can say why, where the kernel only refuses. */
		r = checmate_policy_check(selection->policies[i], NULL, ret_error);
		if (!r)
			r = checmate_policy_load(selection->policies[i], ret_error);
		if (r < 0)
			return r;
	}
	return 0;
}

int selection_lists(const struct selection *selection, char ***lists)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < selection->n; i++)
		r = jsondoc_lists_of_policy(selection->policies[i], NULL, lists);
	return r;
}
