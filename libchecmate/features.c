// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - What this machine offers */
#include "checmate.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <string.h>
#include <sys/vfs.h>

#include "backend.h"
#include "error.h"
#include "file.h"
#include "parse.h"
#include "paths.h"
#include "probe.h"

#define FEATURES_MAX 8

struct paths checmate_paths = {
	.cgroup = "/sys/fs/cgroup",
	.bpffs = "/sys/fs/bpf",
	.security = "/sys/kernel/security",
	.btf = "/sys/kernel/btf/vmlinux",
};

struct checmate_features {
	struct checmate_feature items[FEATURES_MAX];
	size_t n;
	struct control_hooks hooks;
	bool usable;
};

_printf_(5, 6) static int add(struct checmate_features *features, const char *name, bool present,
			      const char *remedy, const char *format, ...)
{
	struct checmate_feature *item = &features->items[features->n];
	char *found;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vasprintf(&found, format, ap);
	va_end(ap);
	if (n < 0)
		return -ENOMEM;

	*item = (struct checmate_feature){
		.name = name,
		.present = present,
		.found = found,
		.remedy = present ? NULL : remedy,
	};
	features->n++;
	if (!present)
		features->usable = false;
	return 0;
}

/* Reads a file that ends with a newline; what went wrong is in *ret_why. */
static int read_line(const char *folder, const char *file, char **ret_path, char **ret_text,
		     const char **ret_why)
{
	_cleanup_free_ char *text = NULL, *path = NULL;
	int r;

	if (asprintf(&path, "%s/%s", folder, file) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	r = file_read(AT_FDCWD, path, 65536, &text, NULL);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		*ret_why = strerror(-r);
		text = strdup("");
		if (!text)
			return -ENOMEM;
	} else {
		*ret_why = NULL;
		text[strcspn(text, "\n")] = '\0';
	}

	*ret_path = TAKE_PTR(path);
	*ret_text = TAKE_PTR(text);
	return 0;
}

static int probe_lsm(struct checmate_features *features)
{
	_cleanup_free_ char *path = NULL, *text = NULL;
	const char *why;
	int r;

	r = read_line(checmate_paths.security, "lsm", &path, &text, &why);
	if (r < 0)
		return r;

	r = add(features, "lsm-checmate", word_in_text(text, "checmate", ","),
		why ? "mount it: mount -t securityfs none /sys/kernel/security" :
		      "boot a kernel with CONFIG_SECURITY_CHECMATE and checmate in lsm=",
		"%s: %s", path, why ?: text);
	if (r < 0)
		return r;
	return add(features, "lsm-bpf", word_in_text(text, "bpf", ","),
		   "boot with CONFIG_BPF_LSM and bpf in lsm=", "%s: %s", path, why ?: text);
}

static int probe_fs(struct checmate_features *features, const char *name, const char *path,
		    long magic, const char *remedy)
{
	struct statfs fs;

	if (statfs(path, &fs) < 0)
		return add(features, name, false, remedy, "%s: %s", path, strerror(errno));
	if ((unsigned long)fs.f_type != (unsigned long)magic)
		return add(features, name, false, remedy, "%s: another file system", path);
	return add(features, name, true, NULL, "%s", path);
}

static int probe_controller(struct checmate_features *features)
{
	_cleanup_free_ char *path = NULL, *text = NULL;
	const char *why;
	int r;

	r = read_line(checmate_paths.cgroup, "cgroup.controllers", &path, &text, &why);
	if (r < 0)
		return r;
	return add(features, "controller", word_in_text(text, "checmate", " "),
		   "boot a kernel with CONFIG_SECURITY_CHECMATE, without cgroup_disable=checmate",
		   "%s: %s", path, why ?: text);
}

static int probe_btf(struct checmate_features *features)
{
	if (access(checmate_paths.btf, R_OK) < 0)
		return add(features, "btf", false, "boot a kernel with CONFIG_DEBUG_INFO_BTF",
			   "%s: %s", checmate_paths.btf, strerror(errno));
	return add(features, "btf", true, NULL, "%s", checmate_paths.btf);
}

static int probe_abi(struct checmate_features *features)
{
	_cleanup_free_ char *path = NULL, *text = NULL;
	const char *why;
	int r;

	r = read_line(checmate_paths.security, "checmate/version", &path, &text, &why);
	if (r < 0)
		return r;
	return add(features, "abi", streq(text, "1"),
		   "use a library and a kernel of the same generation", "%s: %s", path, why ?: text);
}

int features_read_hooks(struct control_hooks *ret_hooks)
{
	_cleanup_free_ char *path = NULL, *text = NULL;
	int r;

	if (asprintf(&path, "%s/checmate/hooks", checmate_paths.security) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	r = file_read(AT_FDCWD, path, 1024 * 1024, &text, NULL);
	if (!r)
		r = control_parse_hooks(text, ret_hooks);
	/* Only a table for a person; that it is missing shows as "abi". */
	return r == -ENOMEM ? r : 0;
}

int checmate_features_probe(struct checmate_features **ret_features,
			    struct checmate_error **ret_error)
{
	_cleanup_(checmate_features_freep) struct checmate_features *features = NULL;
	int r;

	features = calloc(1, sizeof(*features));
	if (!features)
		return error_oom(ret_error);
	features->usable = true;

	r = probe_lsm(features);
	if (!r)
		r = probe_abi(features);
	if (!r)
		r = probe_fs(features, "cgroup2", checmate_paths.cgroup, CGROUP2_SUPER_MAGIC,
			     "mount it: mount -t cgroup2 none /sys/fs/cgroup");
	if (!r)
		r = probe_controller(features);
	if (!r)
		r = probe_fs(features, "bpffs", checmate_paths.bpffs, BPF_FS_MAGIC,
			     "mount it: mount -t bpf none /sys/fs/bpf");
	if (!r)
		r = probe_btf(features);
	if (!r)
		r = features_read_hooks(&features->hooks);
	if (r < 0)
		return error_oom(ret_error);

	*ret_features = TAKE_PTR(features);
	return 0;
}

const char *checmate_features_backend(const struct checmate_features *features)
{
	return features->usable ? "checmate" : NULL;
}

const char *features_choose(void)
{
	return NULL;
}

bool checmate_features_supports(const struct checmate_features *features, const char *what)
{
	const char *name = checmate_features_backend(features);

	return name && backend_can(backend_find(name), what);
}

size_t checmate_features_count(const struct checmate_features *features)
{
	return features->n;
}

const struct checmate_feature *checmate_features_get(const struct checmate_features *features,
						     size_t index)
{
	return index < features->n ? &features->items[index] : NULL;
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
	for (size_t i = 0; i < features->n; i++)
		free((char *)features->items[i].found);
	control_hooks_done(&features->hooks);
	free(features);
	return NULL;
}
