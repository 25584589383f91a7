// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - What this machine offers */
#include "checmate.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "backend.h"
#include "error.h"
#include "file.h"
#include "parse.h"
#include "paths.h"
#include "probe.h"

#define FEATURES_MAX 20

struct paths checmate_paths = {
	.cgroup = "/sys/fs/cgroup",
	.bpffs = "/sys/fs/bpf",
	.security = "/sys/kernel/security",
	.btf = "/sys/kernel/btf/vmlinux",
	.mounts = "/proc/self/mountinfo",
	.status = "/proc/self/status",
};

/* Who needs a feature. */
enum {
	BY_CHECMATE = 1 << 0,
	BY_LINK = 1 << 1,
	BY_BOTH = BY_CHECMATE | BY_LINK,
	/* It is a matter of the process: the machine could. */
	BY_PROCESS = 1 << 2,
	/* It is a matter of what was asked for. */
	BY_NAME = 1 << 3,
};

struct checmate_features {
	struct checmate_feature items[FEATURES_MAX];
	unsigned int by[FEATURES_MAX];
	size_t n;
	struct control_hooks hooks;
	const char *backend;
	bool lsm_known;
	bool usable;
};

_printf_(6, 7) static int add(struct checmate_features *features, unsigned int by, const char *name,
			      bool present, const char *remedy, const char *format, ...)
{
	char *found;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vasprintf(&found, format, ap);
	va_end(ap);
	if (n < 0)
		return -ENOMEM;

	features->by[features->n] = by;
	features->items[features->n++] = (struct checmate_feature){
		.name = name,
		.present = present,
		.found = found,
		.remedy = present ? NULL : remedy,
	};
	return 0;
}

/* These errors say nothing about the machine: the process lacks memory or descriptors. */
static bool is_shortage(int code)
{
	return code == -ENOMEM || code == -EMFILE || code == -ENFILE;
}

/* Reads a file's first line; what went wrong is in *ret_why, and the text is "". */
static int read_line(const char *path, char **ret_text, const char **ret_why)
{
	_cleanup_free_ char *text = NULL;
	int r;

	r = file_read(AT_FDCWD, path, 65536, &text, NULL);
	if (is_shortage(r))
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

	*ret_text = TAKE_PTR(text);
	return 0;
}

static int read_line_in(const char *folder, const char *file, char **ret_path, char **ret_text,
			const char **ret_why)
{
	char *path;
	int r;

	if (asprintf(&path, "%s/%s", folder, file) < 0)
		return -ENOMEM;
	r = read_line(path, ret_text, ret_why);
	if (r < 0)
		free(path);
	else
		*ret_path = path;
	return r;
}

/* --- mounts ----------------------------------------------------------------- */

/* What is mounted where it matters. */
struct mounts {
	char security[32];
	char cgroup[32];
	char bpffs[32];
	/* Where there is a cgroup2 at all; the first such place. */
	char cgroup2[PATH_MAX];
};

static void set_type(char *to, size_t size, const char *type)
{
	snprintf(to, size, "%s", type);
}

/* "ID PARENT DEVICE ROOT POINT OPTIONS… - TYPE SOURCE SUPEROPTIONS" */
static void add_mount(struct mounts *mounts, char *line)
{
	char *dash = strstr(line, " - "), *point = line, *type;

	if (!dash)
		return;
	type = dash + strlen(" - ");
	*dash = '\0';
	type[strcspn(type, " ")] = '\0';
	for (int i = 0; i < 4 && point; i++) {
		point = strchr(point, ' ');
		point = point ? point + 1 : NULL;
	}
	if (!point)
		return;
	point[strcspn(point, " ")] = '\0';

	/* Of several at one place the last one is on top. */
	if (streq(point, checmate_paths.security))
		set_type(mounts->security, sizeof(mounts->security), type);
	if (streq(point, checmate_paths.cgroup))
		set_type(mounts->cgroup, sizeof(mounts->cgroup), type);
	if (streq(point, checmate_paths.bpffs))
		set_type(mounts->bpffs, sizeof(mounts->bpffs), type);
	if (streq(type, "cgroup2") && !*mounts->cgroup2)
		set_type(mounts->cgroup2, sizeof(mounts->cgroup2), point);
}

static int read_mounts(struct mounts *mounts)
{
	_cleanup_free_ char *text = NULL;
	char *line, *rest;
	int r;

	r = file_read(AT_FDCWD, checmate_paths.mounts, 16 * 1024 * 1024, &text, NULL);
	if (r < 0)
		return is_shortage(r) ? r : 0;
	rest = text;
	while ((line = strsep(&rest, "\n")))
		add_mount(mounts, line);
	return 0;
}

static int probe_mount(struct checmate_features *features, const char *name, const char *path,
		       const char *type, const char *wanted, const char *remedy)
{
	return add(features, BY_BOTH, name, streq(type, wanted), remedy, "%s: %s", path,
		   *type ? type : "nothing mounted");
}

static int probe_mounts(struct checmate_features *features)
{
	_cleanup_free_ struct mounts *mounts = calloc(1, sizeof(*mounts));
	bool hybrid;
	int r;

	if (!mounts)
		return -ENOMEM;
	r = read_mounts(mounts);
	if (!r)
		r = probe_mount(features, "securityfs", checmate_paths.security, mounts->security,
				"securityfs",
				"mount it: mount -t securityfs none /sys/kernel/security");
	if (!r)
		r = probe_mount(features, "bpffs", checmate_paths.bpffs, mounts->bpffs, "bpf",
				"mount it: mount -t bpf none /sys/fs/bpf");
	if (r < 0)
		return r;

	r = add(features, BY_BOTH, "cgroup2", *mounts->cgroup2,
		"mount it: mount -t cgroup2 none /sys/fs/cgroup", "%s",
		*mounts->cgroup2 ? mounts->cgroup2 : "mounted nowhere");
	if (r < 0)
		return r;
	hybrid = *mounts->cgroup2 && !streq(mounts->cgroup, "cgroup2");
	return add(features, BY_BOTH, "cgroup-unified", !hybrid,
		   "have cgroup2 alone: boot with systemd.unified_cgroup_hierarchy=1, or mount cgroup2 there",
		   "%s: %s%s%s", checmate_paths.cgroup,
		   *mounts->cgroup ? mounts->cgroup : "nothing mounted",
		   hybrid ? ", and cgroup2 at " : "", hybrid ? mounts->cgroup2 : "");
}

/* --- the others -------------------------------------------------------------- */

static int probe_lsm(struct checmate_features *features)
{
	_cleanup_free_ char *path = NULL, *text = NULL;
	const char *why;
	int r;

	r = read_line_in(checmate_paths.security, "lsm", &path, &text, &why);
	if (r < 0)
		return r;
	features->lsm_known = !why;
	r = add(features, BY_CHECMATE, "lsm-checmate", word_in_text(text, "checmate", ","),
		"boot a kernel with CONFIG_SECURITY_CHECMATE and checmate in lsm=", "%s: %s", path,
		why ?: text);
	if (r < 0)
		return r;
	return add(features, BY_LINK, "lsm-bpf", word_in_text(text, "bpf", ","),
		   "boot a kernel with CONFIG_BPF_LSM and bpf in lsm=; without it programs are attached and never asked",
		   "%s: %s", path, why ?: text);
}

static int probe_controller(struct checmate_features *features)
{
	_cleanup_free_ char *path = NULL, *text = NULL;
	const char *why;
	int r;

	r = read_line_in(checmate_paths.cgroup, "cgroup.controllers", &path, &text, &why);
	if (r < 0)
		return r;
	return add(features, BY_CHECMATE, "controller", word_in_text(text, "checmate", " "),
		   "boot a kernel with CONFIG_SECURITY_CHECMATE, without cgroup_disable=checmate",
		   "%s: %s", path, why ?: text);
}

static int probe_btf(struct checmate_features *features)
{
	if (access(checmate_paths.btf, R_OK) < 0)
		return add(features, BY_BOTH, "btf", false,
			   "boot a kernel with CONFIG_DEBUG_INFO_BTF", "%s: %s", checmate_paths.btf,
			   strerror(errno));
	return add(features, BY_BOTH, "btf", true, NULL, "%s", checmate_paths.btf);
}

static int probe_abi(struct checmate_features *features)
{
	_cleanup_free_ char *path = NULL, *text = NULL;
	const char *why;
	int r;

	r = read_line_in(checmate_paths.security, "checmate/version", &path, &text, &why);
	if (r < 0)
		return r;
	return add(features, BY_CHECMATE, "abi", streq(text, "1"),
		   "use a library and a kernel of the same generation", "%s: %s", path, why ?: text);
}

/* Whether a release as of uname(2), "6.1.0-13-amd64", has links of BPF_LSM_CGROUP programs. */
static bool has_lsm_cgroup(const char *release)
{
	char *end;
	unsigned long major = strtoul(release, &end, 10);

	return isdigit((unsigned char)*release) && *end == '.' && major >= 6;
}

static int probe_kernel(struct checmate_features *features)
{
	const char *release = checmate_paths.release;
	struct utsname names;

	/* Not from /proc, of which a service may see the processes only. */
	if (!release && uname(&names) < 0)
		return -errno;
	if (!release)
		release = names.release;
	return add(features, BY_LINK, "kernel", has_lsm_cgroup(release),
		   "boot a kernel from 6.0 on, or one with the controller checmate", "%s",
		   *release ? release : "no release");
}

/* The effective capabilities of this process, as bits. */
static uint64_t read_capabilities(void)
{
	_cleanup_free_ char *text = NULL;
	const char *line;

	if (file_read(AT_FDCWD, checmate_paths.status, 65536, &text, NULL) < 0)
		return 0;
	line = strstr(text, "\nCapEff:");
	return line ? strtoull(line + strlen("\nCapEff:"), NULL, 16) : 0;
}

static int probe_capabilities(struct checmate_features *features)
{
	static const struct {
		const char *name;
		int bit;
		unsigned int by;
		const char *what;
	} needed[] = {
		{ "CAP_BPF", CAP_BPF, BY_BOTH, "load programs" },
		{ "CAP_PERFMON", CAP_PERFMON, BY_BOTH, "load programs that read the kernel" },
		{ "CAP_SYS_ADMIN", CAP_SYS_ADMIN, BY_BOTH, "find what is loaded" },
		{ "CAP_NET_ADMIN", CAP_NET_ADMIN, BY_LINK, "list what is attached to a cgroup" },
		{ "CAP_MAC_ADMIN", CAP_MAC_ADMIN, BY_CHECMATE, "change a cgroup's policy" },
	};
	uint64_t have = read_capabilities();

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		bool present = have >> needed[i].bit & 1;
		int r;

		r = add(features, needed[i].by | BY_PROCESS, needed[i].name, present,
			"run as root, or with this capability in the initial user namespace",
			"%s: this process %s %s", checmate_paths.status,
			present ? "may" : "may not", needed[i].what);
		if (r < 0)
			return r;
	}
	return 0;
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
	return is_shortage(r) ? r : 0;
}

static bool is_present(const struct checmate_features *features, const char *name)
{
	for (size_t i = 0; i < features->n; i++)
		if (streq(features->items[i].name, name))
			return features->items[i].present;
	return false;
}

/*
 * The backend for this machine. Where both are half there, the controller: it is
 * what the kernel was made for.
 */
static const char *choose(const struct checmate_features *features)
{
	if (is_present(features, "controller") &&
	    (is_present(features, "lsm-checmate") || !features->lsm_known ||
	     !is_present(features, "lsm-bpf")))
		return "checmate";
	if (is_present(features, "lsm-checmate") && !is_present(features, "lsm-bpf"))
		return "checmate";
	return is_present(features, "kernel") ? "bpf-link" : "checmate";
}

static int decide(struct checmate_features *features)
{
	unsigned int by;

	features->backend = backend_forced() ?: choose(features);
	if (!backend_find(features->backend)) {
		by = BY_NAME;
		if (add(features, BY_NAME, "backend", false, "give checmate or bpf-link",
			"CHECMATE_BACKEND=%s: there is no such backend", features->backend) < 0)
			return -ENOMEM;
	} else {
		by = streq(features->backend, "bpf-link") ? BY_LINK : BY_CHECMATE;
	}
	features->usable = true;
	for (size_t i = 0; i < features->n; i++) {
		struct checmate_feature *item = &features->items[i];

		item->needed = features->by[i] & by;
		if (item->needed && !item->present && !(features->by[i] & BY_PROCESS))
			features->usable = false;
	}
	return 0;
}

/* What the choice depends upon. */
static int probe_choice(struct checmate_features *features)
{
	int r;

	r = probe_kernel(features);
	if (!r)
		r = probe_lsm(features);
	if (!r)
		r = probe_controller(features);
	return r;
}

static int probe(struct checmate_features *features)
{
	int r;

	r = probe_choice(features);
	if (!r)
		r = probe_abi(features);
	if (!r)
		r = probe_mounts(features);
	if (!r)
		r = probe_btf(features);
	if (!r)
		r = probe_capabilities(features);
	return r;
}

static int explain_probe(int code, struct checmate_error **ret_error)
{
	if (code == -ENOMEM)
		return error_oom(ret_error);
	return error_set(ret_error, code,
			 "features: cannot read what this machine has: %s; raise the limit of open files",
			 strerror(-code));
}

int checmate_features_probe(struct checmate_features **ret_features,
			    struct checmate_error **ret_error)
{
	_cleanup_(checmate_features_freep) struct checmate_features *features = NULL;
	int r;

	features = calloc(1, sizeof(*features));
	if (!features)
		return error_oom(ret_error);
	r = probe(features);
	if (!r)
		r = features_read_hooks(&features->hooks);
	if (!r)
		r = decide(features);
	if (r < 0)
		return explain_probe(r, ret_error);
	*ret_features = TAKE_PTR(features);
	return 0;
}

int features_choose(const char **ret_name, struct checmate_error **ret_error)
{
	_cleanup_(checmate_features_freep) struct checmate_features *features = NULL;
	int r;

	features = calloc(1, sizeof(*features));
	if (!features)
		return error_oom(ret_error);
	r = probe_choice(features);
	if (r < 0)
		return explain_probe(r, ret_error);
	*ret_name = choose(features);
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
