// SPDX-License-Identifier: LGPL-2.1-or-later
/* Fuzz target - Unit files with sections of ours, each a unit's file and then a drop-in */
#include <ctype.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cleanup.h"
#include "detect.h"
#include "fuzz.h"
#include "parse.h"
#include "section.h"

/* No element is empty; a blank is part of one only behind a backslash. */
static void check_list(const char *list)
{
	bool begun = false;

	for (; *list; list++) {
		must(!isspace((unsigned char)*list));
		must(*list != ',' || begun);
		begun = *list != ',';
		if (*list == '\\' && list[1])
			list++;
	}
}

static void check_section(const struct section *section)
{
	for (size_t i = 0; i < section->n_policies; i++) {
		const struct section_policy *policy = &section->policies[i];

		must(name_is_valid(policy->name, 48));
		must(policy->file && policy->place);
		for (size_t j = 0; j < i; j++)
			must(!streq(policy->name, section->policies[j].name));
		for (size_t j = 0; j < policy->n_params; j++) {
			const struct section_param *param = &policy->params[j];

			must(*param->name && param->value && param->last && param->place);
			check_list(param->value);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(section_done) struct section section = {};
	_cleanup_free_ char *path = NULL, *error = NULL;
	_cleanup_close_ int fd = memfd_create("unit", MFD_CLOEXEC);
	int r;

	must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	must(asprintf(&path, "/proc/self/fd/%d", fd) > 0);
	r = section_read(&section, "a-b@c.service", path, &error);
	if (r < 0) {
		fuzz_check_harmless(error);
		must(startswith(error, path));
		return 0;
	}
	check_section(&section);
	/* The generator sees whatever the helper would find. */
	must(!section.n_policies || detect_section((const char *)data, size));
	must(!section_read(&section, "a-b@c.service", path, &error));
	check_section(&section);
	return 0;
}
