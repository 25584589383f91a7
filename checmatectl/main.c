// SPDX-License-Identifier: LGPL-2.1-or-later
/* checmatectl - Command line: options, the table of commands */
#include <getopt.h>
#include <stdarg.h>

#include "command.h"
#include "parse.h"

static const struct command commands[] = {
	{
		.name = "policy",
		.arguments = "list | show POLICY",
		.help = "What policies there are, what one does and takes",
		.min = 1,
		.max = 2,
		.run = command_policy,
	},
	{
		.name = "apply",
		.arguments = "CGROUP POLICY [PARAM=VALUE…] [POLICY…]",
		.help = "Put policies in force in a cgroup, all or none",
		.min = 2,
		.max = -1,
		.run = command_apply,
	},
	{
		.name = "remove",
		.arguments = "CGROUP [POLICY]",
		.help = "Take a policy, or every policy, out of force",
		.min = 1,
		.max = 2,
		.run = command_remove,
	},
	{
		.name = "set",
		.arguments = "CGROUP POLICY PARAM=VALUE…",
		.help = "Change parameters while the policy is in force",
		.min = 3,
		.max = -1,
		.run = command_set,
	},
	{
		.name = "get",
		.arguments = "CGROUP POLICY [PARAM…]",
		.help = "Show the parameters in force",
		.min = 2,
		.max = -1,
		.run = command_get,
	},
	{
		.name = "status",
		.arguments = "[CGROUP | PID]",
		.help = "What is attached and enforced; without argument, every binding",
		.min = 0,
		.max = 1,
		.run = command_status,
	},
	{
		.name = "gc",
		.arguments = "",
		.help = "Drop what is left of cgroups that are gone",
		.min = 0,
		.max = 0,
		.run = command_gc,
	},
	{
		.name = "features",
		.arguments = "",
		.help = "Whether this machine can enforce, and what is missing",
		.min = 0,
		.max = 0,
		.run = command_features,
	},
};

enum {
	OPTION_JSON = 256,
	OPTION_REPLACE,
	OPTION_VERSION,
};

static const struct option long_options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "replace", no_argument, NULL, OPTION_REPLACE },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{},
};

static void help(void)
{
	puts("checmatectl [OPTION…] COMMAND …\n\nCommands:");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %s %s\n      %s\n", commands[i].name, commands[i].arguments,
		       commands[i].help);
	puts("\nOptions:\n"
	     "      --json      print JSON\n"
	     "      --replace   apply: take the place of the same policy, without a gap\n"
	     "  -h, --help      print this\n"
	     "      --version   print the version\n"
	     "\n"
	     "CGROUP is a path below /sys/fs/cgroup, or relative to it (\"/a/b\", \"/\" is the\n"
	     "root), or id:NUMBER. POLICY is a name, or a path with a '/'.\n"
	     "Exit status: 0 done, 1 failed, 2 wrong usage.");
}

int fail(const struct checmate_error *error)
{
	const char *log = checmate_error_log(error);

	fprintf(stderr, "checmate: %s\n", checmate_error_text(error));
	while (log && *log) {
		int n = strcspn(log, "\n");

		fprintf(stderr, "    %.*s\n", n, log);
		log += n + (log[n] == '\n');
	}
	return EXIT_FAILED;
}

int usage(const char *format, ...)
{
	va_list ap;

	fputs("checmate: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputs("; see \"checmatectl --help\"\n", stderr);
	return EXIT_USAGE;
}

char *split_assignment(char *argument)
{
	char *equals = strchr(argument, '=');

	if (!equals)
		return NULL;
	*equals = '\0';
	if (!name_is_valid(argument, SIZE_MAX)) {
		*equals = '=';
		return NULL;
	}
	return equals + 1;
}

bool parse_cgroup_id(const char *argument, uint64_t *ret_id)
{
	const char *number = startswith(argument, "id:");

	return number && !parse_u64(number, UINT64_MAX, ret_id);
}

int open_cgroup(const char *argument, struct checmate_cgroup **ret_cgroup,
		struct checmate_error **ret_error)
{
	uint64_t id;

	if (parse_cgroup_id(argument, &id))
		return checmate_cgroup_open_id(id, ret_cgroup, ret_error);
	return checmate_cgroup_open(argument, ret_cgroup, ret_error);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (streq(commands[i].name, name))
			return &commands[i];
	return NULL;
}

/* What is still in the buffer may not reach its reader: then say so. */
static int flush(int status)
{
	if (fflush(stdout) == EOF || ferror(stdout)) {
		fputs("checmate: standard output: not written; see where it goes\n", stderr);
		return EXIT_FAILED;
	}
	return status;
}

int main(int argc, char **argv)
{
	struct options options = {};
	const struct command *command;
	int option;

	while ((option = getopt_long(argc, argv, "h", long_options, NULL)) >= 0) {
		switch (option) {
		case 'h':
			help();
			return flush(EXIT_DONE);
		case OPTION_JSON:
			options.json = true;
			break;
		case OPTION_REPLACE:
			options.replace = true;
			break;
		case OPTION_VERSION:
			printf("checmatectl %s\n", checmate_version());
			return flush(EXIT_DONE);
		default:
			return EXIT_USAGE;
		}
	}
	argc -= optind;
	argv += optind;
	if (!argc)
		return usage("no command");

	command = find_command(argv[0]);
	if (!command)
		return usage("%s: no such command", argv[0]);
	argc--;
	argv++;
	if (argc < command->min || (command->max >= 0 && argc > command->max))
		return usage("%s: it takes %s", command->name,
			     *command->arguments ? command->arguments : "no argument");
	return flush(command->run(&options, argc, argv));
}
