// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * remap_bind - Give a cgroup port 12345 where it asks for 6789
 */
#include <getopt.h>
#include <stdio.h>

#include "../attach.h"

static struct sample sample = {
	.name = "remap_bind",
	.object = SAMPLE_OBJECTS "/remap_bind.bpf.o",
	.programs = (const char *const[]){ "remap_bind", NULL },
};

static void usage(FILE *out)
{
	fputs("Usage: remap_bind [-o OBJECT] CGROUP [COMMAND [ARGUMENT...]]\n"
	      "\n"
	      "Have the sockets of a cgroup that bind port 6789 of an IPv4 address bind port\n"
	      "12345 instead. Runs the command inside the cgroup, or without one waits for\n"
	      "SIGINT or SIGTERM, and then lets them bind what they ask for.\n"
	      "\n"
	      "CGROUP is a directory in which the checmate controller is enabled.\n",
	      out);
}

int main(int argc, char **argv)
{
	int c;

	/* The command's options are its own. */
	while ((c = getopt(argc, argv, "+o:h")) != -1) {
		switch (c) {
		case 'o':
			sample.object = optarg;
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind >= argc) {
		usage(stderr);
		return 2;
	}
	return run_sample(&sample, argv[optind], argv + optind + 1);
}
