// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - Settings of the daemon: checmated.conf
 */

#include "settings.h"

#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "config-match.h"
#include "config-parse.h"
#include "inifile.h"
#include "parse.h"
#include "strv.h"
#include "trust.h"

#define BLANK " \t"

/* Engines that find the hook where it is installed, and runtimes whose bundles name it. */
#define HOOK_ENGINES "podman cri-o crun runc"

const char *const settings_default_dirs[] = {
	"/usr/lib/checmate",
	"/etc/checmate",
	"/run/checmate",
	NULL,
};

/* Adds the globs of @value; an empty value leaves none. */
static int add_engines(char ***engines, const char *value, char **ret_reason)
{
	if (!*value)
		*engines = strv_free(*engines);
	while (*value) {
		size_t n = strcspn(value, BLANK);
		_cleanup_free_ char *glob = strndup(value, n);
		int r;

		r = glob ? config_parse_check_runtime("HookEngines", glob, ret_reason) : -ENOMEM;
		if (r >= 0)
			r = strv_extend(engines, glob);
		if (r < 0)
			return r;
		value += n;
		value += strspn(value, BLANK);
	}
	return 0;
}

struct parser {
	struct settings *settings;
	bool has_engines;
};

static int handle_item(const struct inifile_item *item, char **ret_reason, void *userdata)
{
	struct parser *p = userdata;

	if (!item->section)
		return inifile_refuse(ret_reason, -EINVAL, "%s= stands before the first section",
				      item->key);
	if (!streq(item->section, "Containers"))
		return inifile_refuse(ret_reason, -EINVAL,
				      "unknown section [%s]; known is [Containers]", item->section);
	if (!item->key)
		return 0;
	if (!streq(item->key, "HookEngines"))
		return inifile_refuse(ret_reason, -EINVAL,
				      "unknown key %s= in [Containers]; known is HookEngines=",
				      item->key);
	p->has_engines = true;
	return add_engines(&p->settings->hook_engines, item->value, ret_reason);
}

/**
 * settings_parse() - Read a file of settings
 * @stream: the file, or NULL for the defaults
 * @path: its name, for messages
 * @ret_settings: the settings, to be given to settings_done()
 * @ret_error: on failure other than -ENOMEM, what is wrong and where
 */
int settings_parse(FILE *stream, const char *path, struct settings *ret_settings, char **ret_error)
{
	_cleanup_(settings_done) struct settings settings = {};
	struct parser p = { .settings = &settings };
	int r = 0;

	if (stream)
		r = inifile_read(stream, path, INIFILE_BINDING, NULL, handle_item, &p, NULL,
				 ret_error);
	if (r >= 0 && !p.has_engines)
		r = add_engines(&settings.hook_engines, HOOK_ENGINES, ret_error);
	if (r < 0)
		return r;
	*ret_settings = settings;
	settings = (struct settings){};
	return 0;
}

/* @ret_stream stays NULL if there is no such file, or a link to /dev/null. */
static int open_file(const char *path, FILE **ret_stream, char **ret_error)
{
	_cleanup_free_ char *reason = NULL;
	_cleanup_close_ int fd = -EBADF;
	int r;

	r = trust_open(path, &fd, &reason);
	if (r >= 0)
		return inifile_open_fd(fd, path, ret_stream, ret_error);
	if (r == -ENOENT || r == -ENODEV)
		return r;
	return inifile_refuse(ret_error, r, "%s: %s%s", path,
			      reason ? "not trusted: " : "cannot be read: ",
			      reason ? reason : strerror(-r));
}

/**
 * settings_load() - Read checmated.conf
 * @dirs: directories, NULL-terminated; of the files in them the last counts
 * @ret_settings: the settings, to be given to settings_done(); the defaults if there
 *	is no file, or a link to /dev/null
 * @ret_error: as of settings_parse()
 */
int settings_load(const char *const *dirs, struct settings *ret_settings, char **ret_error)
{
	_cleanup_fclose_ FILE *stream = NULL;
	_cleanup_free_ char *path = NULL;
	size_t n = 0;
	int r = -ENOENT;

	while (dirs[n])
		n++;
	while (n > 0 && r == -ENOENT) {
		free(path);
		if (asprintf(&path, "%s/checmated.conf", dirs[--n]) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		r = open_file(path, &stream, ret_error);
	}
	if (r < 0 && r != -ENOENT && r != -ENODEV)
		return r;
	return settings_parse(stream, path, ret_settings, ret_error);
}

void settings_done(struct settings *settings)
{
	settings->hook_engines = strv_free(settings->hook_engines);
}

/**
 * settings_expects_hook() - Does the OCI hook tell of a container?
 * @settings: the settings
 * @identity: the container, of which the hook has not told yet
 */
bool settings_expects_hook(const struct settings *settings, const struct identity *identity)
{
	/* A bare id in the cgroup of a pod is one of these. */
	static const char *const of_kubelet[] = { "containerd", "docker", NULL };
	char *const *globs = settings->hook_engines;

	return config_match_runtimes(globs, identity->runtimes) ||
	       config_match_runtimes(globs, identity->claimed) ||
	       (identity->of_kubelet && config_match_runtimes(globs, (char *const *)of_kubelet));
}
