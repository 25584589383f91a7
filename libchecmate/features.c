// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - What this machine offers */
#include "checmate.h"

#include <errno.h>
#include <string.h>

#include "backend.h"
#include "error.h"
#include "parse.h"
#include "probe.h"

/**
 * struct checmate_features - What this machine offers.
 * @probe: what was found.
 * @hooks: the hooks of the controller.
 * @backend: the name of the backend in use.
 * @usable: it can enforce here.
 */
struct checmate_features {
	struct probe probe;
	struct control_hooks hooks;
	const char *backend;
	bool usable;
};

static int decide(struct checmate_features *features)
{
	unsigned int by;

	features->backend = backend_forced() ?: probe_backend(&features->probe);
	if (!backend_find(features->backend)) {
		by = BY_NAME;
		if (probe_add(&features->probe, BY_NAME, "backend", false,
			      "give checmate or bpf-link",
			      "CHECMATE_BACKEND=%s: there is no such backend",
			      features->backend) < 0)
			return -ENOMEM;
	} else {
		by = streq(features->backend, "bpf-link") ? BY_LINK : BY_CHECMATE;
	}
	features->usable = true;
	for (size_t i = 0; i < features->probe.n; i++) {
		struct checmate_feature *item = &features->probe.items[i];

		item->needed = features->probe.by[i] & by;
		if (item->needed && !item->present && !(features->probe.by[i] & BY_PROCESS))
			features->usable = false;
	}
	return 0;
}

int checmate_features_probe(struct checmate_features **ret_features,
			    struct checmate_error **ret_error)
{
	_cleanup_(checmate_features_freep) struct checmate_features *features = NULL;
	int r;

	features = calloc(1, sizeof(*features));
	if (!features)
		return error_oom(ret_error);
	r = probe_read(&features->probe);
	if (!r)
		r = probe_hooks(&features->hooks);
	if (!r)
		r = decide(features);
	if (r < 0)
		return probe_explain(r, ret_error);
	*ret_features = TAKE_PTR(features);
	return 0;
}

const char *checmate_features_backend(const struct checmate_features *features)
{
	return features->usable ? features->backend : NULL;
}

bool checmate_features_supports(const struct checmate_features *features, const char *what)
{
	return features->usable && backend_can(backend_find(features->backend), what);
}

size_t checmate_features_count(const struct checmate_features *features)
{
	return features->probe.n;
}

const struct checmate_feature *checmate_features_get(const struct checmate_features *features,
						     size_t index)
{
	return index < features->probe.n ? &features->probe.items[index] : NULL;
}

size_t checmate_features_count_hooks(const struct checmate_features *features)
{
	return features->hooks.n;
}

const struct checmate_hook *checmate_features_get_hook(const struct checmate_features *features,
						       size_t index)
{
	return index < features->hooks.n ? &features->hooks.items[index] : NULL;
}

struct checmate_features *checmate_features_free(struct checmate_features *features)
{
	if (!features)
		return NULL;
	probe_done(&features->probe);
	control_hooks_done(&features->hooks);
	free(features);
	return NULL;
}
