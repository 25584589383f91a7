// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Fuzz target - What a runtime tells the hook, and the kernel of a cgroup
 *
 * The input is tried as a container's state, as /proc/PID/cgroup, as two such
 * files, the container's and the hook's own, and as the name of a process.
 */
#include <errno.h>
#include <stdbool.h>

#include "cleanup.h"
#include "fuzz.h"
#include "oci-state.h"

static void check_state(const struct oci_state *state)
{
	must(state->id && *state->id);
	must(state->pid > 0);
	for (size_t i = 0; i < state->n_annotations; i++)
		must(state->annotations[2 * i] && state->annotations[2 * i + 1]);
	must(!state->annotations || !state->annotations[2 * state->n_annotations]);
	must(state->annotations || !state->n_annotations);
}

/* Whatever was read, nothing stays behind and a refusal has its reason. */
static void try_state(const char *text, size_t size)
{
	_cleanup_(oci_state_done) struct oci_state state = {};
	_cleanup_free_ char *error = NULL;
	int r;

	r = oci_state_parse(text, size, &state, &error);
	if (r == 0) {
		must(!error);
		check_state(&state);
	} else {
		must(r == -EBADMSG || r == -E2BIG);
		must(error && *error);
		must(!state.id && !state.annotations);
	}
}

static bool is_path(const char *cgroup)
{
	if (cgroup[0] != '/' || strchr(cgroup, '\n'))
		return false;
	for (const char *part = cgroup; part; part = strchr(part + 1, '/')) {
		size_t n = strcspn(part + 1, "/");

		if ((n == 1 && part[1] == '.') || (n == 2 && !strncmp(part + 1, "..", 2)))
			return false;
	}
	return true;
}

/* The container's own cgroup, or one around it, and none that the hook is in. */
static void check_target(const char *target, const char *container, const char *own)
{
	size_t n = strlen(target);

	must(n > 1 && is_path(target));
	must(!strncmp(container, target, n) && (!container[n] || container[n] == '/'));
	must(strncmp(own, target, n) || (own[n] && own[n] != '/'));
}

static void try_cgroups(const char *text)
{
	_cleanup_free_ char *container = NULL, *own = NULL, *target = NULL, *error = NULL;
	const struct oci_state state = { .id = (char *)"web" };
	const char *second = strstr(text, "\n\n");
	int r;

	r = oci_state_parse_cgroup(text, &container);
	must(r == 0 || r == -ENODATA || r == -ENOENT || r == -EXDEV);
	if (r < 0)
		return;
	must(is_path(container));
	if (!second || oci_state_parse_cgroup(second + 2, &own) < 0)
		return;

	r = oci_state_find_cgroup(&state, container, own, &target, &error);
	must(r == 0 || r == -EXDEV);
	if (r == 0)
		check_target(target, container, own);
	else
		must(error && !target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = malloc(size + 1), *comm = NULL;

	must(text);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';

	try_state(text, size);
	try_cgroups(text);

	comm = fuzz_text(data, size);
	oci_state_trim_runtime(comm);
	must(strlen(comm) <= size && !strpbrk(comm, ":\n"));
	return 0;
}
