// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Fuzz target - Binding files, sections of ours in unit files, and identities
 *
 * See parts.h for what the input is. The first text is tried as a unit file and as
 * checmated.conf, too.
 */
#include <ctype.h>
#include <errno.h>

#include "cleanup.h"
#include "config-match.h"
#include "config-parse.h"
#include "config.h"
#include "fuzz.h"
#include "inifile.h"
#include "parse.h"
#include "parts.h"
#include "settings.h"
#include "strv.h"

#define UNIT_SECTION "X-Checmate"

static void check_error(const char *error, const char *prefix)
{
	must(error);
	fuzz_check_harmless(error);
	must(startswith(error, prefix));
	must(!strchr(error, '\n'));
}

/* One line, in which there may be tabs. */
static void check_text(const char *text)
{
	for (; *text; text++)
		must(*text == '\t' || !iscntrl((unsigned char)*text));
}

/* As read by itself: in order, and without what a handler should have to expect. */
static int check_item(const struct inifile_item *item, char **ret_reason, void *userdata)
{
	unsigned int *line = userdata;

	must(item->line > 0 && item->line >= *line);
	must(item->key || item->line > *line || *line == 0);
	*line = item->line;
	must(item->section && startswith(item->section, UNIT_SECTION));
	check_text(item->section);
	if (!item->key)
		return 0;
	check_text(item->key);
	check_text(item->value);
	must(*item->key && !strchr(item->key, '='));
	must(!isspace(*item->value));
	if (streq(item->key, "Refuse"))
		return inifile_refuse(ret_reason, -1, "refused");
	return 0;
}

static void try_unit(const struct part *part)
{
	_cleanup_fclose_ FILE *stream = NULL;
	_cleanup_free_ char *error = NULL;
	unsigned int line = 0, lines = 0;
	int r;

	if (part->size == 0)
		return;
	stream = fmemopen((void *)part->text, part->size, "r");
	must(stream);
	r = inifile_read(stream, "unit", INIFILE_UNIT, UNIT_SECTION, check_item, &line, &lines,
			 &error);
	if (r < 0)
		check_error(error, "unit:");
	else
		must(!error && lines >= line);
}

static FILE *open_text(const char *text, size_t size)
{
	FILE *stream = fmemopen((void *)text, size, "r");

	/* It does not open what is empty. */
	if (!stream && size == 0)
		stream = fopen("/dev/null", "re");
	must(stream);
	return stream;
}

static void try_settings(const struct part *part)
{
	_cleanup_(settings_done) struct settings settings = {};
	_cleanup_fclose_ FILE *stream = open_text(part->text, part->size);
	_cleanup_free_ char *error = NULL;

	if (settings_parse(stream, "settings", &settings, &error) < 0) {
		check_error(error, "settings:");
		must(!settings.hook_engines);
		return;
	}
	must(!error);
	for (char **glob = settings.hook_engines; glob && *glob; glob++)
		must(**glob && !strpbrk(*glob, "/ \t"));
}

static int parse(const struct part *parts, size_t n, struct config_binding **ret_binding,
		 char **ret_error)
{
	static char *paths[PARTS_MAX] = { "file",      "drop-in-1", "drop-in-2", "drop-in-3",
					  "drop-in-4", "drop-in-5", "drop-in-6", "drop-in-7" };
	struct config_source sources[PARTS_MAX] = {};
	int r;

	for (size_t i = 0; i < n; i++)
		sources[i] = (struct config_source){
			.path = paths[i],
			.stream = open_text(parts[i].text, parts[i].size),
		};
	r = config_parse(sources, n, ret_binding, ret_error);
	for (size_t i = 0; i < n; i++)
		fclose(sources[i].stream);
	return r;
}

static void write_globs(FILE *file, const char *key, char *const *globs)
{
	for (; globs && *globs; globs++)
		fprintf(file, "%s=%s\n", key, *globs);
}

/* Elements one by one: together they could be too long for a line. */
static void write_param(FILE *file, const struct config_param *param)
{
	const char *value = param->value;

	fprintf(file, "%s=\n", param->name);
	while (*value) {
		size_t n = 0;

		while (value[n] && value[n] != ',')
			n += value[n] == '\\' ? 2 : 1;
		/* What is blank at the end would be lost. */
		fprintf(file, "%s=%.*s,\n", param->name, (int)n, value);
		value += n;
		value += *value == ',';
	}
}

/* The binding as a file. */
static char *write_binding(const struct config_binding *binding)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	must(file);
	fputs("[Match]\n", file);
	write_globs(file, "Unit", binding->units);
	write_globs(file, "Slice", binding->slices);
	write_globs(file, "Cgroup", binding->cgroups);
	write_globs(file, "Runtime", binding->runtimes);
	for (char **pod = binding->pods; pod && *pod; pod += 2)
		fprintf(file, "Pod=%s/%s\n", pod[0], pod[1]);
	for (size_t i = 0; i < binding->n_annotations; i++)
		fprintf(file, "Annotation=%s=%s\n", binding->annotations[i].key,
			binding->annotations[i].glob);
	for (size_t i = 0; i < binding->n_policies; i++) {
		const struct config_policy *policy = &binding->policies[i];

		fprintf(file, "[Policy %s]\n%s", policy->name,
			policy->permissive ? "Mode=permissive\n" : "");
		for (size_t j = 0; j < policy->n_params; j++)
			write_param(file, &policy->params[j]);
	}
	must(fclose(file) == 0);
	return text;
}

static void check_binding(const struct config_binding *binding)
{
	must(binding->units || binding->slices || binding->cgroups || binding->runtimes ||
	     binding->pods || binding->n_annotations);
	must(strv_length(binding->pods) % 2 == 0);
	must(binding->n_policies > 0);
	for (size_t i = 0; i < binding->n_policies; i++) {
		const struct config_policy *policy = &binding->policies[i];

		must(name_is_valid(policy->name, CONFIG_POLICY_NAME_MAX));
		must(policy->place.file && policy->place.line > 0);
		for (size_t j = 0; j < policy->n_params; j++) {
			const struct config_param *param = &policy->params[j];

			must(name_is_valid(param->name, SIZE_MAX));
			must(param->place.file && param->place.line > 0);
			must(strlen(param->last) <= strlen(param->value));
			must(streq(param->value + strlen(param->value) - strlen(param->last),
				   param->last));
		}
	}
}

/* Words so long that with their key they do not fit a line, or that end like one that goes on. */
static bool unwritable(const char *text)
{
	if (strstr(text, "\\\n"))
		return true;
	while (*text) {
		size_t n = strcspn(text, "\n");

		if (n > 180)
			return true;
		text += n + (text[n] == '\n');
	}
	return false;
}

/* What was read, written as one file, is read as the same. */
static void check_again(const struct config_binding *binding)
{
	_cleanup_(config_binding_freep) struct config_binding *again = NULL;
	_cleanup_free_ char *text = write_binding(binding), *other = NULL, *error = NULL;
	const struct part part = { .text = text, .size = strlen(text) };
	int r;

	if (unwritable(text))
		return;
	r = parse(&part, 1, &again, &error);
	if (r < 0)
		fprintf(stderr, "%s\n%s", error, text);
	must(r == 0);
	other = write_binding(again);
	must(streq(text, other));
}

static void check_identity(const struct identity *identity)
{
	must(identity->path[0] == '/');
	must(!identity->pod_name == !identity->pod_namespace);
	must(!identity->unit || !strchr(identity->unit, '/'));
	must(!identity->is_unit || identity->unit);
	must(!identity->is_slice || (identity->slices && !identity->unit));
	must(!identity->is_slice || !identity_is_container(identity));
	must(strv_length(identity->annotations) % 2 == 0);
	for (char **slice = identity->slices; slice && *slice; slice++)
		must(!strchr(*slice, '/'));
	for (char **runtime = identity->runtimes; runtime && *runtime; runtime++)
		must(**runtime && !strv_contains(runtime + 1, *runtime));
	for (char **claimed = identity->claimed; claimed && *claimed; claimed++)
		must(**claimed && !strv_contains(claimed + 1, *claimed));
	must(!identity->of_user || !identity->runtimes);
}

static void try_identity(const struct config_binding *binding, char *text)
{
	_cleanup_(identity_done) struct identity identity = {};
	_cleanup_free_ char *reason = NULL;
	char *path = strsep(&text, "\n"), *line;
	bool matched;
	int r;

	if (identity_from_path(path, &identity) < 0)
		return;
	check_identity(&identity);
	matched = binding && config_match(binding, &identity);
	while ((line = strsep(&text, "\n"))) {
		char *equals = strchr(line, '=');
		const char *annotations[3] = { line, equals ? equals + 1 : NULL, NULL };

		if (!equals)
			continue;
		*equals = '\0';
		r = identity_add_annotations(&identity, annotations, &reason);
		must(r == 0 || (r == -EBADMSG && *reason));
		if (r < 0)
			return;
		check_identity(&identity);
	}

	must(identity_add_runtime(&identity, "runc") == 0);
	/* What is asked of a path alone, nothing that is told can take back. */
	if (matched && binding->n_annotations == 0 && !binding->pods)
		must(config_match(binding, &identity));
	must(identity_set_container(&identity, "container") == 0);
	must(identity_is_container(&identity));
	if (binding && config_match(binding, &identity))
		must(config_match_is_claimed(binding, &identity) || !binding->n_annotations);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(config_binding_freep) struct config_binding *binding = NULL;
	_cleanup_free_ char *error = NULL;
	struct part parts[PARTS_MAX], files[PARTS_MAX];
	size_t n, n_files = 0;
	int r;

	n = parts_split((const char *)data, size, parts);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || parts[i].size == 0 || parts[i].text[0] != '/')
			files[n_files++] = parts[i];

	try_unit(&parts[0]);
	try_settings(&parts[0]);
	r = parse(files, n_files, &binding, &error);
	if (r < 0) {
		check_error(error, strchr(error, ':') && startswith(error, "drop-in-") ? "drop-in-" :
											 "file:");
		must(!binding);
	} else {
		check_binding(binding);
		check_again(binding);
	}

	for (size_t i = 1; i < n; i++) {
		_cleanup_free_ char *text = NULL;

		if (parts[i].size == 0 || parts[i].text[0] != '/')
			continue;
		text = fuzz_text((const uint8_t *)parts[i].text, parts[i].size);
		try_identity(binding, text);
	}
	if (binding && binding->n_policies > 0 && binding->policies[0].n_params > 0) {
		_cleanup_free_ char *name = strdup(binding->policies[0].params[0].name);

		must(name);
		config_policy_unlist(&binding->policies[0], name);
		check_binding(binding);
	}
	return 0;
}
