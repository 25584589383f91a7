// SPDX-License-Identifier: LGPL-2.1-or-later
/* systemd - Drop-ins for the units that speak of Checmate */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "detect.h"
#include "file.h"
#include "generator.h"
#include "parse.h"
#include "strv.h"
#include "text.h"

#define DROP_IN "zz-checmate"
#define CONF ".conf"

/* Larger than any unit file; what is larger is taken to have a section. */
#define UNIT_FILE_MAX (16u * 1024 * 1024)

/* The longest name of a unit, and what is put around it to name the helper's. */
#define UNIT_NAME_MAX 255u
#define HELPER_PREFIX "checmate-unit@"
#define HELPER_SUFFIX ".service"

/* Units that systemd never starts, as they are there from its own start on. */
static const char *const eternal[] = { "-.slice", "system.slice", "init.scope", NULL };

struct scan {
	const struct generator *generator;
	char **found; /* names whose NAME.d is to have the drop-in */
	char **rooted; /* names that may have a root directory of their own */
	char *last; /* of the names of all drop-ins, the one that sorts last */
	int r; /* the first failure */
};

static void scan_done(struct scan *scan)
{
	strv_free(scan->found);
	strv_free(scan->rooted);
	free(scan->last);
}

static int complain(struct scan *scan, int r, const char *format, ...) _printf_(3, 4);

static int complain(struct scan *scan, int r, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, format);
	text = text_vformat(format, ap);
	va_end(ap);
	scan->generator->complain(text ? text : format);
	if (!scan->r)
		scan->r = r;
	return r;
}

/* The type of a unit, a prefix "foo-.service" or a type "service", as its name says. */
static const char *find_type(const char *name)
{
	static const char *const types[] = { "service", "socket", "slice",     "scope",
					     "mount",	"swap",	  "automount", "timer",
					     "path",	"target", "device" };
	const char *dot = strrchr(name, '.');
	const char *type = dot ? dot + 1 : name;

	for (size_t i = 0; *name != '.' && i < ARRAY_SIZE(types); i++)
		if (streq(type, types[i]))
			return types[i];
	return NULL;
}

/* What the files of one name say. */
struct finding {
	bool section;
	bool root;
};

/*
 * A file that cannot be read may have a section of ours: its unit gets the helper, which
 * says what is wrong with the file.
 */
static void look_into(int dir_fd, const char *name, struct finding *finding)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = -1;
	struct stat st;
	size_t size;

	/* O_NONBLOCK: a FIFO must not hold systemd up. */
	fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 && (errno == ENOENT || errno == ENXIO))
		return;
	/* What is no file, as /dev/null, is no unit to systemd either. */
	if (fd >= 0 && !fstat(fd, &st) && !S_ISREG(st.st_mode))
		return;
	if (fd < 0 || file_read_fd(fd, UNIT_FILE_MAX, &text, &size) < 0) {
		finding->section = true;
		return;
	}
	finding->section = finding->section || detect_section(text, size);
	finding->root = finding->root || detect_root(text, size);
}

static int add_once(char ***names, const char *name)
{
	return strv_contains(*names, name) ? 0 : strv_extend(names, name);
}

static int note(struct scan *scan, const char *name, const struct finding *finding)
{
	int r = 0;

	if (finding->section)
		r = add_once(&scan->found, name);
	if (!r && finding->root)
		r = add_once(&scan->rooted, name);
	return r;
}

static bool is_conf(const char *name)
{
	size_t n = strlen(name);

	return *name != '.' && n > strlen(CONF) && streq(name + n - strlen(CONF), CONF);
}

static int note_last(struct scan *scan, const char *name)
{
	char *copy;

	if (scan->last && strcmp(scan->last, name) >= 0)
		return 0;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	free(scan->last);
	scan->last = copy;
	return 0;
}

/* Opens a folder that may be missing: then *ret_dir is NULL. */
static int open_dir(struct scan *scan, int dir_fd, const char *path, DIR **ret_dir)
{
	_cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = NULL;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		*ret_dir = NULL;
		return 0;
	}
	if (fd >= 0)
		dir = fdopendir(fd);
	if (!dir)
		return complain(scan, -errno,
				"%s: %m; see to it, then reload systemd: units may start without their policies",
				path);
	TAKE_FD(fd);
	*ret_dir = dir;
	return 0;
}

/* @name is the folder's, with ".d". */
static int scan_drop_ins(struct scan *scan, int dir_fd, const char *name)
{
	_cleanup_free_ char *unit = strndup(name, strlen(name) - strlen(".d"));
	_cleanup_closedir_ DIR *dir = NULL;
	const struct dirent *entry;
	struct finding finding = {};
	int r;

	if (!unit)
		return -ENOMEM;
	if (!find_type(unit))
		return 0;
	r = open_dir(scan, dir_fd, name, &dir);
	if (r < 0 || !dir)
		return r;
	while ((errno = 0, entry = readdir(dir))) {
		if (!is_conf(entry->d_name))
			continue;
		r = note_last(scan, entry->d_name);
		if (r < 0)
			return r;
		look_into(dirfd(dir), entry->d_name, &finding);
	}
	/* What follows in the folder may have a section, then. */
	if (errno)
		finding.section = true;
	return note(scan, unit, &finding);
}

static int scan_dir(struct scan *scan, const char *path)
{
	_cleanup_closedir_ DIR *dir = NULL;
	const struct dirent *entry;
	int r;

	r = open_dir(scan, AT_FDCWD, path, &dir);
	if (r < 0 || !dir)
		return r;
	while ((errno = 0, entry = readdir(dir))) {
		const char *name = entry->d_name;
		struct finding finding = {};
		size_t n = strlen(name);

		if (n > 2 && streq(name + n - 2, ".d")) {
			r = scan_drop_ins(scan, dirfd(dir), name);
		} else {
			if (strchr(name, '.') && find_type(name))
				look_into(dirfd(dir), name, &finding);
			r = note(scan, name, &finding);
		}
		if (r < 0)
			return r;
	}
	if (errno)
		return complain(scan, -errno,
				"%s: %m; see to it, then reload systemd: units may start without their policies",
				path);
	return 0;
}

/*
 * Whether what is said of @name holds for @unit as well: it is its type, a prefix of its
 * name, or the template it is made of. Other names of a unit are not known here.
 */
static bool covers(const char *name, const char *unit)
{
	const char *dot = strrchr(name, '.'), *type = find_type(unit);
	size_t n;

	if (streq(name, unit))
		return true;
	if (!dot)
		return streq(name, type);
	n = dot - name;
	return n && strchr("-@", dot[-1]) && streq(dot + 1, type) && !strncmp(name, unit, n);
}

static bool any_covers(char *const *names, const char *unit)
{
	for (char *const *name = names; name && *name; name++)
		if (covers(*name, unit))
			return true;
	return false;
}

/* A name that sorts behind @last. */
static int name_drop_in(const char *last, char **ret_name)
{
	static const char plain[] = DROP_IN CONF, behind[] = "~checmate" CONF;
	char *name;

	if (!last || strcmp(last, plain) < 0)
		name = strdup(plain);
	else if (strcmp(last, behind) < 0)
		name = strdup(behind);
	/* '~' sorts behind the '.' of the one it follows. */
	else
		name = text_format("%.*s%s", (int)(strlen(last) - strlen(CONF)), last, behind);
	if (!name)
		return -ENOMEM;
	if (strlen(name) > NAME_MAX) {
		free(name);
		return -ENAMETOOLONG;
	}
	*ret_name = name;
	return 0;
}

static int link_drop_in(const struct generator *generator, const char *unit, const char *name,
			const char *conf)
{
	_cleanup_free_ char *folder = NULL, *path = NULL, *target = NULL;

	folder = text_format("%s/%s.d", generator->output, unit);
	if (!folder)
		return -ENOMEM;
	path = text_format("%s/%s", folder, name);
	if (!path)
		return -ENOMEM;
	target = text_format("%s/%s", generator->drop_ins, conf);
	if (!target)
		return -ENOMEM;
	/* systemd passes over a link that leads nowhere. */
	if (access(target, R_OK) < 0)
		return -errno;
	if (mkdir(folder, 0755) < 0 && errno != EEXIST)
		return -errno;
	return symlink(target, path) < 0 ? -errno : 0;
}

/* A type or a prefix is no unit. */
static bool is_unit(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && dot > name && dot[-1] != '-';
}

/* Better no unit than one without its policies. */
static void mask(struct scan *scan, const char *unit, const char *why, int r)
{
	_cleanup_free_ char *path = NULL;

	path = text_format("%s/%s", scan->generator->output, unit);
	if (path && is_unit(unit) && !symlink("/dev/null", path))
		(void)complain(scan, r, "%s: it cannot be given its policies, and is masked: %s",
			       unit, why);
	else
		(void)complain(scan, r,
			       "%s: it CANNOT be given its policies and may start without them: %s; see to it, then reload systemd",
			       unit, why);
}

static void write_drop_in(struct scan *scan, const char *unit, const char *name)
{
	static const size_t longest = UNIT_NAME_MAX - strlen(HELPER_PREFIX) - strlen(HELPER_SUFFIX);
	const char *type = find_type(unit);
	/* Its own commands are looked for in its root, and the helper is not there. */
	bool runs = (streq(type, "service") || streq(type, "socket")) &&
		    !any_covers(scan->rooted, unit);
	_cleanup_free_ char *conf = NULL;
	int r;

	/* They are there before any unit is, and the one above the helper's as well. */
	if (strv_contains((char **)eternal, unit)) {
		(void)complain(scan, 0,
			       "%s: it is there before any policy can be, and is given none; name the slices, scopes or services that are meant",
			       unit);
		return;
	}
	if (!runs && strlen(unit) > longest) {
		mask(scan, unit, "its name is too long for that of the helper", -ENAMETOOLONG);
		return;
	}
	conf = text_format("%s" CONF, runs ? type : "unit");
	r = conf ? link_drop_in(scan->generator, unit, name, conf) : -ENOMEM;
	if (r < 0)
		mask(scan, unit, strerror(-r), r);
}

/*
 * What was found for a type or a prefix is not meant for these, nor for the units that
 * carry it out. A drop-in of a unit's own comes before one of the same name for its type.
 */
static void write_exceptions(struct scan *scan, const char *name)
{
	static const char helper[] = HELPER_PREFIX HELPER_SUFFIX;

	for (size_t i = 0; i < ARRAY_SIZE(eternal); i++) {
		const char *unit = eternal[i] ?: helper;
		int r = link_drop_in(scan->generator, unit, name, "none" CONF);

		if (r < 0)
			(void)complain(scan, r,
				       "%s: its drop-in cannot be made: %s; see to it, then reload systemd",
				       unit, strerror(-r));
	}
}

int generator_run(const struct generator *generator)
{
	_cleanup_(scan_done) struct scan scan = { .generator = generator };
	_cleanup_free_ char *name = NULL;
	int r;

	for (const char *const *dir = generator->dirs; *dir; dir++) {
		r = scan_dir(&scan, *dir);
		/* One that cannot be read does not keep the others from being looked at. */
		if (r == -ENOMEM)
			return complain(&scan, r,
					"out of memory; units may start without their policies");
	}
	if (!scan.found)
		return scan.r;

	/* A drop-in for a type or a prefix is not the right one for those. */
	for (char **unit = scan.rooted; unit && *unit; unit++)
		if (any_covers(scan.found, *unit) && add_once(&scan.found, *unit) < 0)
			return complain(&scan, -ENOMEM,
					"out of memory; units may start without their policies");
	r = name_drop_in(scan.last, &name);
	if (!r)
		write_exceptions(&scan, name);
	for (char **unit = scan.found; *unit; unit++) {
		if (r < 0)
			mask(&scan, *unit,
			     "the drop-in that sorts last has a name too long to be followed", r);
		else
			write_drop_in(&scan, *unit, name);
	}
	return scan.r;
}
