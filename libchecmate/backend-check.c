// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libchecmate - Whether a backend can take a policy
 *
 * Asked before anything is loaded: the kernel would refuse it too, but cannot
 * say why.
 */
#include "backend-check.h"

#include <bpf/btf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "error.h"
#include "parse.h"
#include "paths.h"
#include "probe.h"
#include "text.h"

const char *backend_check_hook(const struct bpf_program *program)
{
	/* checmate_policy_open() has seen to it that there is one. */
	return strchr(bpf_program__section_name(program), '/') + 1;
}

const struct bpf_program *backend_check_find_sleepable(const struct checmate_policy *policy)
{
	struct bpf_program *program;

	/* By the section: libbpf sets the flag as late as it loads the program. */
	bpf_object__for_each_program(program, policy->object->parsed)
		if (startswith(bpf_program__section_name(program), "lsm.s/") ||
		    (bpf_program__flags(program) & BPF_F_SLEEPABLE))
			return program;
	return NULL;
}

const char *backend_check_find_kfunc(const struct checmate_policy *policy)
{
	const struct btf *btf = bpf_object__btf(policy->object->parsed);

	/* What libbpf has opened does not say any more that it is external. */
	for (__u32 i = 1; i < btf__type_cnt(btf); i++) {
		const struct btf_type *type = btf__type_by_id(btf, i);
		const char *name = btf__name_by_offset(btf, type->name_off);

		/* That one is used where it is there. */
		if ((btf_is_func(type) || btf_is_var(type)) && name &&
		    startswith(name, "bpf_checmate_") && !streq(name, "bpf_checmate_cookie"))
			return name;
	}
	return NULL;
}

/*
 * Which hooks there are does not change while the kernel runs, and to have them listed and to
 * read that costs more than a million instructions. So it is done once for each such file: an
 * inode, in case that securityfs is mounted anew.
 */
static struct control_hooks hooks;
static struct stat hooks_file;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Whoever looks for leaks finds none. */
__attribute__((destructor)) static void forget_hooks(void)
{
	control_hooks_done(&hooks);
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* With the lock held: there are none after it where the kernel does not tell. */
static int read_hooks(void)
{
	_cleanup_free_ char *path = NULL;
	struct stat st = {};

	path = text_format("%s/checmate/hooks", checmate_paths.security);
	if (!path)
		return -ENOMEM;
	if (!stat(path, &st) && hooks.n && is_same(&st, &hooks_file))
		return 0;
	control_hooks_done(&hooks);
	hooks_file = st;
	return probe_hooks(&hooks);
}

static const struct checmate_hook *find_hook(const char *name)
{
	for (size_t i = 0; i < hooks.n; i++)
		if (streq(hooks.items[i].name, name))
			return &hooks.items[i];
	return NULL;
}

static int check_locked(const struct checmate_policy *policy, struct checmate_error **ret_error)
{
	const char *name = policy->description.name;
	struct bpf_program *program;

	if (read_hooks() < 0)
		return error_oom(ret_error);
	/* Without securityfs it is the verifier that knows. */
	if (!hooks.n)
		return 0;
	bpf_object__for_each_program(program, policy->object->parsed) {
		const struct checmate_hook *hook = find_hook(backend_check_hook(program));
		bool sleepable = startswith(bpf_program__section_name(program), "lsm.s/");

		if (!hook)
			return error_set(ret_error, -EOPNOTSUPP,
					 "policy %s: its program %s is for the hook %s, which this kernel lacks or gives to no program; see \"checmatectl features\" for those it has",
					 name, bpf_program__name(program),
					 backend_check_hook(program));
		if (sleepable && !hook->sleepable)
			return error_set(ret_error, -EOPNOTSUPP,
					 "policy %s: its program %s may sleep, and programs of the hook %s may not; build it for the section \"lsm/%s\"",
					 name, bpf_program__name(program), hook->name, hook->name);
	}
	return 0;
}

int backend_check_checmate(const struct checmate_policy *policy, struct checmate_error **ret_error)
{
	int r;

	pthread_mutex_lock(&lock);
	r = check_locked(policy, ret_error);
	pthread_mutex_unlock(&lock);
	return r;
}
