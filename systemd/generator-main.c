// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmate-generator - Have systemd ask for the policies of units
 *
 * systemd runs it before it loads any unit, at boot and at each daemon-reload, and
 * waits. See systemd.generator(7) for the arguments.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "generator.h"
#include "strv.h"

/* There may be no journal yet. A record of the kernel's log is one write. */
static int write_kmsg(const char *text)
{
	_cleanup_close_ int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY);
	_cleanup_free_ char *record = NULL;
	int n;

	n = asprintf(&record, "<2>checmate-generator: %s\n", text);
	if (n < 0)
		record = NULL;
	return fd >= 0 && record && write(fd, record, n) == n ? 0 : -1;
}

static void complain(const char *text)
{
	if (write_kmsg(text) < 0)
		fprintf(stderr, "checmate-generator: %s\n", text);
}

/* What $SYSTEMD_UNIT_PATH names, which systemd would take for its own folders, too. */
static int add_environment(char ***dirs)
{
	const char *path = getenv("SYSTEMD_UNIT_PATH");
	_cleanup_free_ char *copy = path ? strdup(path) : NULL;
	char *rest = copy, *dir;
	int r;

	if (path && !copy)
		return -ENOMEM;
	while ((dir = strsep(&rest, ":"))) {
		r = *dir ? strv_extend(dirs, dir) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

static int list_dirs(char **outputs, char ***ret_dirs)
{
	static const char *const unit_path[] = {
		"/etc/systemd/system.control",	"/run/systemd/system.control",
		"/run/systemd/transient",	"/etc/systemd/system",
		"/etc/systemd/system.attached", "/run/systemd/system",
		"/run/systemd/system.attached", "/usr/local/lib/systemd/system",
		"/usr/lib/systemd/system",	"/lib/systemd/system",
	};
	_cleanup_strv_ char **dirs = NULL;
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(unit_path); i++)
		r = strv_extend(&dirs, unit_path[i]);
	for (size_t i = 0; !r && i < 3; i++)
		r = strv_extend(&dirs, outputs[i]);
	if (!r)
		r = add_environment(&dirs);
	if (r < 0)
		return r;
	*ret_dirs = TAKE_PTR(dirs);
	return 0;
}

int main(int argc, char **argv)
{
	_cleanup_strv_ char **dirs = NULL;
	struct generator generator = {
		.drop_ins = CHECMATE_DROP_IN_DIR,
		.complain = complain,
	};

	if (argc != 4) {
		fprintf(stderr, "usage: %s NORMAL EARLY LATE\n", program_invocation_short_name);
		return 2;
	}
	if (list_dirs(argv + 1, &dirs) < 0) {
		complain("out of memory; units may start without their policies");
		return 1;
	}
	generator.dirs = (const char *const *)dirs;
	/* Before what the administrator writes: that cannot hide it by its name. */
	generator.output = argv[2];
	return generator_run(&generator) < 0 ? 1 : 0;
}
