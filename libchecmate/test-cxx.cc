// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - The header and the library, used from C++ */
#include <checmate.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace
{

template <typename T, T *(*release)(T *)> struct Release {
	void operator()(T *object) const
	{
		release(object);
	}
};

template <typename T, T *(*release)(T *)> using Owned = std::unique_ptr<T, Release<T, release>>;

using Error = Owned<checmate_error, checmate_error_free>;
using Features = Owned<checmate_features, checmate_features_free>;
using Policy = Owned<checmate_policy, checmate_policy_free>;
using Cgroup = Owned<checmate_cgroup, checmate_cgroup_free>;
using Binding = Owned<checmate_binding, checmate_binding_free>;
using Status = Owned<checmate_status, checmate_status_free>;
using Events = Owned<checmate_events, checmate_events_free>;

bool probe()
{
	checmate_error *reason = nullptr;
	checmate_features *raw = nullptr;

	if (checmate_features_probe(&raw, &reason) < 0) {
		Error error(reason);
		std::printf("# %s\n", checmate_error_text(error.get()));
		return false;
	}
	Features features(raw);
	return checmate_features_count(features.get()) > 0;
}

bool refuse()
{
	checmate_error *reason = nullptr;
	checmate_policy *policy = nullptr;

	int r = checmate_policy_open("no-such-policy", &policy, &reason);
	Error error(reason);
	return r == -ENOENT && !policy &&
	       std::strstr(checmate_error_text(error.get()), "no-such-policy");
}

/* Every destructor takes nothing. */
bool release_nothing()
{
	Policy policy(nullptr);
	Cgroup cgroup(nullptr);
	Binding binding(nullptr);
	Status status(nullptr);
	Events events(nullptr);
	checmate_apply_opts opts = {};

	opts.sz = sizeof(opts);
	return !checmate_policy_free(nullptr) && !checmate_cgroup_free(nullptr) &&
	       !checmate_binding_free(nullptr) && !checmate_status_free(nullptr) &&
	       !checmate_events_free(nullptr) && !checmate_strv_free(nullptr) &&
	       opts.sz >= sizeof(size_t) + sizeof(bool);
}

bool point(int number, const char *name, bool fine)
{
	std::printf("%sok %d - %s\n", fine ? "" : "not ", number, name);
	return fine;
}

} // namespace

int main()
{
	bool fine = true;

	std::printf("1..3\n");
	fine &= point(1, "the machine is looked at", probe());
	fine &= point(2, "a failure explains itself", refuse());
	fine &= point(3, "nothing can be released", release_nothing());
	return !fine;
}
