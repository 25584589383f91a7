// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * limit_connections - Limit the connections of a cgroup to each destination
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "../attach.h"
#include "limit_connections.bpf.h"

static struct limit_config config = { .limit = 10 };

static int prepare(struct bpf_object *object);

/*
 * That a socket is freed is watched before any is counted, and still when none
 * is counted any more: every place that was taken is given back.
 */
static struct sample sample = {
	.name = "limit_connections",
	.object = SAMPLE_OBJECTS "/limit_connections.bpf.o",
	.programs = (const char *const[]){ "limit_free", "limit_recvmsg", "limit_sendmsg",
					   "limit_connect", NULL },
	.prepare = prepare,
};

static int prepare(struct bpf_object *object)
{
	struct bpf_map *rodata;
	int r;

	rodata = bpf_object__find_map_by_name(object, ".rodata");
	if (!rodata)
		return complain(&sample, 0, "%s has no constants", sample.object);
	/* Fails when the object's idea of them has another size. */
	r = bpf_map__set_initial_value(rodata, &config, sizeof(config));
	if (r < 0)
		return complain(&sample, r, "%s has other constants", sample.object);
	return 0;
}

static void usage(FILE *out)
{
	fputs("Usage: limit_connections [-n LIMIT] [-o OBJECT] CGROUP [COMMAND [ARGUMENT...]]\n"
	      "\n"
	      "Let the sockets of a cgroup have LIMIT connections (10) to one destination;\n"
	      "one more fails with EUSERS. Runs the command inside the cgroup, or without\n"
	      "one waits for SIGINT or SIGTERM, and then lifts the limit.\n"
	      "\n"
	      "CGROUP is a directory in which the checmate controller is enabled.\n",
	      out);
}

int main(int argc, char **argv)
{
	unsigned long limit;
	char *end;
	int c;

	/* The command's options are its own. */
	while ((c = getopt(argc, argv, "+n:o:h")) != -1) {
		switch (c) {
		case 'n':
			errno = 0;
			limit = strtoul(optarg, &end, 10);
			if (errno || end == optarg || *end || *optarg == '-' || limit > 1000000) {
				complain(&sample, 0, "limit %s is not a number from 0 to 1000000",
					 optarg);
				return 2;
			}
			config.limit = limit;
			break;
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

	if (getrandom(&config.seed, sizeof(config.seed), 0) != sizeof(config.seed)) {
		complain(&sample, -errno, "cannot get a random number");
		return 1;
	}
	return run_sample(&sample, argv[optind], argv + optind + 1);
}
