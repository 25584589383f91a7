// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - What this machine has */
#include "probe.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "error.h"
#include "file.h"
#include "parse.h"
#include "paths.h"
#include "text.h"

int probe_add(struct probe *probe, unsigned int by, const char *name, bool present,
	      const char *remedy, const char *format, ...)
{
	char *found;
	va_list ap;

	va_start(ap, format);
	found = text_vformat(format, ap);
	va_end(ap);
	if (!found)
		return -ENOMEM;

	probe->by[probe->n] = by;
	probe->items[probe->n++] = (struct checmate_feature){
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

static int probe_mount(struct probe *probe, const char *name, const char *path, const char *type,
		       const char *wanted, const char *remedy)
{
	return probe_add(probe, BY_BOTH, name, streq(type, wanted), remedy, "%s: %s", path,
			 *type ? type : "nothing mounted");
}

static int probe_mounts(struct probe *probe)
{
	_cleanup_free_ struct mounts *mounts = calloc(1, sizeof(*mounts));
	bool hybrid;
	int r;

	if (!mounts)
		return -ENOMEM;
	r = read_mounts(mounts);
	if (!r)
		r = probe_mount(probe, "securityfs", checmate_paths.security, mounts->security,
				"securityfs",
				"mount it: mount -t securityfs none /sys/kernel/security");
	if (!r)
		r = probe_mount(probe, "bpffs", checmate_paths.bpffs, mounts->bpffs, "bpf",
				"mount it: mount -t bpf none /sys/fs/bpf");
	if (r < 0)
		return r;

	r = probe_add(probe, BY_BOTH, "cgroup2", *mounts->cgroup2,
		      "mount it: mount -t cgroup2 none /sys/fs/cgroup", "%s",
		      *mounts->cgroup2 ? mounts->cgroup2 : "mounted nowhere");
	if (r < 0)
		return r;
	hybrid = *mounts->cgroup2 && !streq(mounts->cgroup, "cgroup2");
	return probe_add(probe, BY_BOTH, "cgroup-unified", !hybrid,
			 "have cgroup2 alone: boot with systemd.unified_cgroup_hierarchy=1, or mount cgroup2 there",
			 "%s: %s%s%s", checmate_paths.cgroup,
			 *mounts->cgroup ? mounts->cgroup : "nothing mounted",
			 hybrid ? ", and cgroup2 at " : "", hybrid ? mounts->cgroup2 : "");
}

/* --- the others -------------------------------------------------------------- */

static int probe_lsm(struct probe *probe)
{
	_cleanup_free_ char *path = NULL, *text = NULL;
	const char *why;
	int r;

	r = read_line_in(checmate_paths.security, "lsm", &path, &text, &why);
	if (r < 0)
		return r;
	probe->lsm_known = !why;
	r = probe_add(probe, BY_CHECMATE, "lsm-checmate", word_in_text(text, "checmate", ","),
		      "boot a kernel with CONFIG_SECURITY_CHECMATE and checmate in lsm=", "%s: %s",
		      path, why ?: text);
	if (r < 0)
		return r;
	return probe_add(probe, BY_LINK, "lsm-bpf", word_in_text(text, "bpf", ","),
			 "boot a kernel with CONFIG_BPF_LSM and bpf in lsm=; without it programs are attached and never asked",
			 "%s: %s", path, why ?: text);
}

static int probe_controller(struct probe *probe)
{
	_cleanup_free_ char *path = NULL, *text = NULL;
	const char *why;
	int r;

	r = read_line_in(checmate_paths.cgroup, "cgroup.controllers", &path, &text, &why);
	if (r < 0)
		return r;
	return probe_add(probe, BY_CHECMATE, "controller", word_in_text(text, "checmate", " "),
			 "boot a kernel with CONFIG_SECURITY_CHECMATE, without cgroup_disable=checmate",
			 "%s: %s", path, why ?: text);
}

static int probe_btf(struct probe *probe)
{
	if (access(checmate_paths.btf, R_OK) < 0)
		return probe_add(probe, BY_BOTH, "btf", false,
				 "boot a kernel with CONFIG_DEBUG_INFO_BTF", "%s: %s",
				 checmate_paths.btf, strerror(errno));
	return probe_add(probe, BY_BOTH, "btf", true, NULL, "%s", checmate_paths.btf);
}

static int probe_abi(struct probe *probe)
{
	_cleanup_free_ char *path = NULL, *text = NULL;
	const char *why;
	int r;

	r = read_line_in(checmate_paths.security, "checmate/version", &path, &text, &why);
	if (r < 0)
		return r;
	return probe_add(probe, BY_CHECMATE, "abi", streq(text, "1"),
			 "use a library and a kernel of the same generation", "%s: %s", path,
			 why ?: text);
}

/* Whether a release as of uname(2), "6.1.0-13-amd64", has links of BPF_LSM_CGROUP programs. */
static bool has_lsm_cgroup(const char *release)
{
	char *end;
	unsigned long major = strtoul(release, &end, 10);

	return isdigit((unsigned char)*release) && *end == '.' && major >= 6;
}

static int probe_kernel(struct probe *probe)
{
	const char *release = checmate_paths.release;
	struct utsname names;

	/* Not from /proc, of which a service may see the processes only. */
	if (!release && uname(&names) < 0)
		return -errno;
	if (!release)
		release = names.release;
	return probe_add(probe, BY_LINK, "kernel", has_lsm_cgroup(release),
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

static int probe_capabilities(struct probe *probe)
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

		r = probe_add(probe, needed[i].by | BY_PROCESS, needed[i].name, present,
			      "run as root, or with this capability in the initial user namespace",
			      "%s: this process %s %s", checmate_paths.status,
			      present ? "may" : "may not", needed[i].what);
		if (r < 0)
			return r;
	}
	return 0;
}

int probe_hooks(struct control_hooks *ret_hooks)
{
	_cleanup_free_ char *path = NULL, *text = NULL;
	int r;

	path = text_format("%s/checmate/hooks", checmate_paths.security);
	if (!path)
		return -ENOMEM;
	r = file_read(AT_FDCWD, path, 1024 * 1024, &text, NULL);
	if (!r)
		r = control_parse_hooks(text, ret_hooks);
	/* Only a table for a person; that it is missing shows as "abi". */
	return is_shortage(r) ? r : 0;
}

static bool is_present(const struct probe *probe, const char *name)
{
	for (size_t i = 0; i < probe->n; i++)
		if (streq(probe->items[i].name, name))
			return probe->items[i].present;
	return false;
}

/*
 * The backend for this machine. Where both are half there, the controller: it is
 * what the kernel was made for.
 */
const char *probe_backend(const struct probe *probe)
{
	if (is_present(probe, "controller") && (is_present(probe, "lsm-checmate") ||
						!probe->lsm_known || !is_present(probe, "lsm-bpf")))
		return "checmate";
	if (is_present(probe, "lsm-checmate") && !is_present(probe, "lsm-bpf"))
		return "checmate";
	return is_present(probe, "kernel") ? "bpf-link" : "checmate";
}

/* What the choice depends upon. */
static int read_choice(struct probe *probe)
{
	int r;

	r = probe_kernel(probe);
	if (!r)
		r = probe_lsm(probe);
	if (!r)
		r = probe_controller(probe);
	return r;
}

int probe_read(struct probe *probe)
{
	int r;

	r = read_choice(probe);
	if (!r)
		r = probe_abi(probe);
	if (!r)
		r = probe_mounts(probe);
	if (!r)
		r = probe_btf(probe);
	if (!r)
		r = probe_capabilities(probe);
	return r;
}

void probe_done(struct probe *probe)
{
	for (size_t i = 0; i < probe->n; i++)
		free((char *)probe->items[i].found);
}

int probe_explain(int code, struct checmate_error **ret_error)
{
	if (code == -ENOMEM)
		return error_oom(ret_error);
	return error_set(ret_error, code,
			 "features: cannot read what this machine has: %s; raise the limit of open files",
			 strerror(-code));
}

int probe_choose(const char **ret_name, struct checmate_error **ret_error)
{
	_cleanup_(probe_done) struct probe probe = {};
	int r;

	r = read_choice(&probe);
	if (r < 0)
		return probe_explain(r, ret_error);
	*ret_name = probe_backend(&probe);
	return 0;
}
