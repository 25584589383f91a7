// SPDX-License-Identifier: LGPL-2.1-or-later
/* checmatectl - Command line: options, the table of commands */
#include <getopt.h>

#include "command.h"
#include "output.h"
#include "parse.h"

/* Of what checmated can do, too. */
#define DAEMON " direct daemon no-ask-password"

static const struct command commands[] = {
	{
		.name = "status",
		.arguments = "[TARGET]",
		.help = "What is attached and enforced; without TARGET, every binding",
		.options = "json" DAEMON,
		.max = 1,
		.run = command_status,
	},
	{
		.name = "tree",
		.arguments = "[TARGET]",
		.help = "What holds in the cgroups, and where it comes from",
		.options = "all json" DAEMON,
		.max = 1,
		.run = command_tree,
	},
	{
		.name = "explain",
		.arguments = "TARGET [HOOK] [PATH]",
		.help = "Who judges what is done there, in which order, and what they would say",
		.options = "json" DAEMON,
		.min = 1,
		.max = 3,
		.run = command_explain,
	},
	{
		.name = "policy",
		.arguments = "list | show POLICY | verify [POLICY…]",
		.help = "What policies there are, what one does and takes, whether they would load",
		.options = "untrusted-ok json" DAEMON,
		.min = 1,
		.max = -1,
		.run = command_policy,
	},
	{
		.name = "config",
		.arguments = "verify [DIR…]",
		.help = "Whether checmated takes the binding files, and what they say",
		.options = "json",
		.min = 1,
		.max = -1,
		.run = command_config,
	},
	{
		.name = "apply",
		.arguments = "CGROUP POLICY [PARAM=VALUE…] [POLICY…]",
		.help = "Put policies in force in a cgroup, all or none",
		.options = "replace permissive when-exec pid except untrusted-ok json" DAEMON,
		.min = 2,
		.max = -1,
		.run = command_apply,
	},
	{
		.name = "replace",
		.arguments = "CGROUP POLICY [PARAM=VALUE…] [POLICY…]",
		.help = "The same, in place of what is there of these policies, without a gap",
		.options = "permissive when-exec pid except untrusted-ok json" DAEMON,
		.min = 2,
		.max = -1,
		.run = command_replace,
	},
	{
		.name = "remove",
		.arguments = "CGROUP [POLICY]",
		.help = "Take a policy, or every policy, out of force",
		.options = "json" DAEMON,
		.min = 1,
		.max = 2,
		.run = command_remove,
	},
	{
		.name = "set",
		.arguments = "CGROUP POLICY PARAM=VALUE…",
		.help = "Change parameters while the policy is in force",
		.options = "json" DAEMON,
		.min = 3,
		.max = -1,
		.run = command_set,
	},
	{
		.name = "get",
		.arguments = "CGROUP POLICY [PARAM…]",
		.help = "Show the parameters in force",
		.options = "json" DAEMON,
		.min = 2,
		.max = -1,
		.run = command_get,
	},
	{
		.name = "mode",
		.arguments = "CGROUP POLICY enforce|permissive",
		.help = "Have a policy in force deny, or only tell what it would deny",
		.options = "json" DAEMON,
		.min = 3,
		.max = 3,
		.run = command_mode,
	},
	{
		.name = "seal",
		.arguments = "CGROUP",
		.help = "Let nobody loosen what holds in a cgroup any more, until it is removed",
		.options = "json" DAEMON,
		.min = 1,
		.max = 1,
		.run = command_seal,
	},
	{
		.name = "events",
		.arguments = "",
		.help = "Take out and show the denials that policies told of",
		.options =
			"follow json policy hook cgroup pid errno permissive enforced count" DAEMON,
		.run = command_events,
	},
	{
		.name = "run",
		.arguments = "--policy=POLICY [PARAM=VALUE…]… -- PROGRAM [ARGUMENT…]",
		.help = "Run a program under policies, in a cgroup of its own",
		.options = "policy permissive seal parent untrusted-ok",
		.max = -1,
		.execs = true,
		.run = command_run,
	},
	{
		.name = "gc",
		.arguments = "",
		.help = "Drop what is left of cgroups that are gone",
		.options = "json",
		.run = command_gc,
	},
	{
		.name = "features",
		.arguments = "",
		.help = "Whether this machine can enforce, and what is missing",
		.options = "json",
		.run = command_features,
	},
};

/* --- options --------------------------------------------------------------- */

enum {
	OPTION_BACKEND = 256,
	OPTION_CGROUP,
	OPTION_COLOR,
	OPTION_DAEMON,
	OPTION_DIRECT,
	OPTION_ENFORCED,
	OPTION_ERRNO,
	OPTION_EXCEPT,
	OPTION_HOOK,
	OPTION_JSON,
	OPTION_NO_ASK_PASSWORD,
	OPTION_PARENT,
	OPTION_PERMISSIVE,
	OPTION_PID,
	OPTION_POLICY,
	OPTION_REPLACE,
	OPTION_SEAL,
	OPTION_UNTRUSTED_OK,
	OPTION_VERSION,
	OPTION_WHEN_EXEC,
};

/* What each option is; which commands take it is said with them. */
static const struct option_info {
	const char *name;
	int value; /* a letter when it has one */
	const char *argument;
	bool everywhere;
	const char *help;
} option_infos[] = {
	{ "help", 'h', NULL, true, "print this, or of a command what it takes" },
	{ "version", OPTION_VERSION, NULL, true, "print the version" },
	{ "backend", OPTION_BACKEND, "NAME", true,
	  "checmate or bpf-link, instead of what is found" },
	{ "color", OPTION_COLOR, "WHEN", true, "auto, always or never; auto is on a terminal" },
	{ "json", OPTION_JSON, NULL, false, "print JSON" },
	{ "direct", OPTION_DIRECT, NULL, false, "do it here, whatever rights there are" },
	{ "daemon", OPTION_DAEMON, NULL, false, "have checmated do it, also for root" },
	{ "no-ask-password", OPTION_NO_ASK_PASSWORD, NULL, false,
	  "fail rather than have a password asked for" },
	{ "all", 'a', NULL, false, "cgroups without policies, too" },
	{ "replace", OPTION_REPLACE, NULL, false,
	  "take the place of the same policy, without a gap" },
	{ "permissive", OPTION_PERMISSIVE, NULL, false,
	  "tell denials, do not enforce them; events: those only" },
	{ "when-exec", OPTION_WHEN_EXEC, NULL, false, "stage: in force from the next exec on" },
	{ "pid", OPTION_PID, "PID", false,
	  "that of this process, not of any in the cgroup; events: its own" },
	{ "except", OPTION_EXCEPT, "PATH", false, "an exec of this file is none" },
	{ "seal", OPTION_SEAL, NULL, false, "let nobody loosen them, nor the program leave" },
	{ "policy", OPTION_POLICY, "POLICY", false,
	  "policy to run under; its parameters follow; events: its own" },
	{ "parent", OPTION_PARENT, "CGROUP", false, "where to make the cgroup; default: our own" },
	{ "untrusted-ok", OPTION_UNTRUSTED_OK, NULL, false,
	  "take policy objects that others than root can change" },
	{ "follow", 'f', NULL, false, "events: go on until interrupted" },
	{ "hook", OPTION_HOOK, "HOOK", false, "events: of this LSM hook" },
	{ "cgroup", OPTION_CGROUP, "CGROUP", false, "events: of this cgroup and those below" },
	{ "errno", OPTION_ERRNO, "ERRNO", false, "events: with this errno, by name or number" },
	{ "enforced", OPTION_ENFORCED, NULL, false, "events: that were enforced" },
	{ "count", 'n', "COUNT", false, "events: end after so many" },
};

static bool takes(const struct command *command, const struct option_info *info)
{
	return info->everywhere || word_in_text(command->options, info->name, " ");
}

static void help_option(const struct option_info *info)
{
	char left[40];

	if (info->value < 256)
		snprintf(left, sizeof(left), "-%c, --%s", info->value, info->name);
	else
		snprintf(left, sizeof(left), "    --%s", info->name);
	if (info->argument) {
		size_t n = strlen(left);

		snprintf(left + n, sizeof(left) - n, "=%s", info->argument);
	}
	printf("  %-20s  %s\n", left, info->help);
}

static void help_command(const struct command *command)
{
	printf("  %s%s%s\n      %s\n", command->name, *command->arguments ? " " : "",
	       command->arguments, command->help);
}

static void help(const struct command *only)
{
	printf("checmatectl [OPTION…] %s …\n\n%s:\n", only ? only->name : "COMMAND",
	       only ? "Command" : "Commands");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!only || only == &commands[i])
			help_command(&commands[i]);
	puts("\nOptions:");
	for (size_t i = 0; i < ARRAY_SIZE(option_infos); i++)
		if (!only || takes(only, &option_infos[i]))
			help_option(&option_infos[i]);
	puts("\n"
	     "CGROUP is a path that begins with the mount (/sys/fs/cgroup/a) or below it (/a, a/b;\n"
	     "/ is the root), or id:NUMBER. TARGET is one of these or a process id. POLICY is a\n"
	     "name, or a path with a '/'.\n"
	     "See checmatectl(1).");
}

/* --- main ------------------------------------------------------------------- */

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
	if (fflush(stdout) == EOF || ferror(stdout))
		return fail_text("standard output: not written; see where it goes");
	return status;
}

static int version(void)
{
	printf("checmatectl %s\n", checmate_version());
	return flush(EXIT_DONE);
}

/* The command line, taken apart. */
struct line {
	const struct command *command;
	struct options options;
	bool given[ARRAY_SIZE(option_infos)];
	bool help;
	bool version;
	bool ran;
	char **words;
	int n_words;
};

/* Returns an exit status. */
static int take_option(struct line *line, const struct option_info *info, char *value)
{
	struct options *options = &line->options;
	_cleanup_error_ struct checmate_error *error = NULL;
	uint64_t pid;

	switch (info->value) {
	case 'h':
		line->help = true;
		return EXIT_DONE;
	case OPTION_VERSION:
		line->version = true;
		return EXIT_DONE;
	case OPTION_COLOR:
		if (!color_choose(value))
			return usage("--color=%s: it is auto, always or never", value);
		return EXIT_DONE;
	case OPTION_BACKEND:
		options->backend = true;
		if (checmate_backend_force(value, &error) >= 0)
			return EXIT_DONE;
		fail(error);
		return EXIT_USAGE;
	case OPTION_DIRECT:
		options->direct = true;
		return EXIT_DONE;
	case OPTION_DAEMON:
		options->daemon = true;
		return EXIT_DONE;
	case OPTION_NO_ASK_PASSWORD:
		options->no_ask_password = true;
		return EXIT_DONE;
	case OPTION_JSON:
		options->json = true;
		return EXIT_DONE;
	case 'a':
		options->all = true;
		return EXIT_DONE;
	case OPTION_REPLACE:
		options->replace = true;
		return EXIT_DONE;
	case OPTION_PERMISSIVE:
		options->permissive = true;
		return EXIT_DONE;
	case OPTION_WHEN_EXEC:
		options->when_exec = true;
		return EXIT_DONE;
	case OPTION_PID:
		if (parse_u64(value, INT32_MAX, &pid) || !pid)
			return usage("--pid=%s: not a process id", value);
		options->pid = pid;
		return EXIT_DONE;
	case OPTION_EXCEPT:
		options->except = value;
		return EXIT_DONE;
	case OPTION_POLICY:
		options->policy = value;
		if (line->command && !line->command->execs)
			return EXIT_DONE;
		line->words[line->n_words++] = value;
		return EXIT_DONE;
	case OPTION_PARENT:
		options->parent = value;
		return EXIT_DONE;
	case OPTION_SEAL:
		options->seal = true;
		return EXIT_DONE;
	case OPTION_CGROUP:
		options->cgroup = value;
		return EXIT_DONE;
	case OPTION_ERRNO:
		options->error = value;
		return EXIT_DONE;
	case OPTION_HOOK:
		options->hook = value;
		return EXIT_DONE;
	case 'f':
		options->follow = true;
		return EXIT_DONE;
	case OPTION_ENFORCED:
		options->enforced = true;
		return EXIT_DONE;
	case 'n':
		options->count = value;
		return EXIT_DONE;
	case OPTION_UNTRUSTED_OK:
		options->untrusted_ok = true;
		return EXIT_DONE;
	}
	return EXIT_DONE;
}

/* Returns an exit status. */
static int take_word(struct line *line, char *word)
{
	if (line->command->execs && !strchr(word, '='))
		return usage("%s: %s: policies are arguments of --policy, and the program stands "
			     "after --",
			     line->command->name, word);
	line->words[line->n_words++] = word;
	return EXIT_DONE;
}

/*
 * Options, up to the first word when @line has no command yet; all that is
 * there and the words between them otherwise. Returns an exit status.
 */
static int take_options(struct line *line, int argc, char **argv)
{
	struct option long_options[ARRAY_SIZE(option_infos) + 1] = {};
	char letters[3 * ARRAY_SIZE(option_infos) + 3];
	const struct option_info *info;
	int c, status, n = 0;

	letters[n++] = line->command ? '-' : '+';
	letters[n++] = ':';
	for (size_t i = 0; i < ARRAY_SIZE(option_infos); i++) {
		info = &option_infos[i];
		long_options[i] = (struct option){
			.name = info->name,
			.has_arg = info->argument ? required_argument : no_argument,
			.val = info->value,
		};
		if (info->value < 256)
			letters[n++] = info->value;
		if (info->value < 256 && info->argument)
			letters[n++] = ':';
	}
	letters[n] = '\0';

	/* 0 begins anew, with GNU's getopt. */
	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, letters, long_options, NULL)) >= 0) {
		if (c == 1) {
			status = take_word(line, optarg);
			if (status)
				return status;
			continue;
		}
		if (c == ':')
			return usage("%s: its argument is missing", argv[optind - 1]);
		if (c == '?' && optopt > 0 && optopt < 256)
			return usage("-%c: no such option", optopt);
		if (c == '?')
			return usage("%s: no such option", argv[optind - 1]);

		for (info = option_infos; info->value != c;)
			info++;
		line->given[info - option_infos] = true;
		status = take_option(line, info, optarg);
		if (status)
			return status;
	}
	return EXIT_DONE;
}

/* Who is to do it cannot be said twice. Returns an exit status. */
static int check_way(const struct options *options)
{
	if (options->daemon && options->direct)
		return usage("--daemon and --direct: it is done one way");
	if (options->daemon && options->backend)
		return usage("--backend: checmated has its own; give --direct");
	if (options->daemon && options->untrusted_ok)
		return usage("--untrusted-ok: not for checmated; give --direct, as root");
	if (options->daemon && options->when_exec)
		return usage("--when-exec: not for checmated, which stages for containers only; "
			     "give --direct, as root");
	return EXIT_DONE;
}

static int run_command(struct line *line, int argc, char **argv)
{
	const struct command *command = line->command;
	int status;

	status = take_options(line, argc, argv);
	if (status)
		return status;
	for (size_t i = 0; i < ARRAY_SIZE(option_infos); i++)
		if (line->given[i] && !takes(command, &option_infos[i]))
			return usage("%s: --%s is no option of this command", command->name,
				     option_infos[i].name);
	if (line->version)
		return version();
	if (line->help) {
		help(command);
		return flush(EXIT_DONE);
	}
	status = check_way(&line->options);
	if (status)
		return status;
	if (command->execs)
		line->options.exec = argv + optind;
	else
		for (int i = optind; i < argc; i++)
			line->words[line->n_words++] = argv[i];
	if (command->execs && (optind == argc || !line->n_words))
		return usage("%s: it takes %s", command->name, command->arguments);
	if (line->n_words < command->min || (command->max >= 0 && line->n_words > command->max))
		return usage("%s: it takes %s", command->name,
			     *command->arguments ? command->arguments : "no argument");
	line->ran = true;
	return flush(command->run(&line->options, line->n_words, line->words));
}

int main(int argc, char **argv)
{
	_cleanup_free_ char **words = calloc(argc + 1, sizeof(*words));
	struct line line = { .words = words };
	int status;

	if (!words)
		return fail(NULL);
	status = take_options(&line, argc, argv);
	if (status)
		return status;
	if (line.version)
		return version();
	argc -= optind;
	argv += optind;
	if (line.help && !argc) {
		help(NULL);
		return flush(EXIT_DONE);
	}
	if (!argc)
		return usage("no command");

	line.command = find_command(argv[0]);
	if (!line.command)
		return usage("%s: no such command", argv[0]);
	status = run_command(&line, argc, argv);
	/* What could be the program's own is not said of ours. */
	if (status == EXIT_USAGE && line.command->execs && !line.ran)
		status = EXIT_NO_SETUP;
	return status;
}
