// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - The text of the kernel's control files */
#include "control.h"

#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "parse.h"

/* Takes a word "KEY=VALUE" apart. Returns the value, or NULL when it is none. */
static char *split(char *word)
{
	char *equals = strchr(word, '=');

	if (!equals)
		return NULL;
	*equals = '\0';
	return equals + 1;
}

static int set_string(const char **slot, const char *text)
{
	if (*slot)
		return -EBADMSG;
	*slot = strdup(text);
	return *slot ? 0 : -ENOMEM;
}

/* Undoes the kernel's seq_escape() in place: a blank is written as \\040. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from;) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
		    from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
			*to++ = (from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0');
			from += 4;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
}

static int set_number(uint64_t max, const char *text, uint64_t *ret_value)
{
	return parse_u64(text, max, ret_value) ? -EBADMSG : 0;
}

static int set_key(struct checmate_attachment *item, const char *key, char *value)
{
	uint64_t number;
	int r;

	if (streq(key, "hook"))
		return set_string(&item->hook, value);
	if (streq(key, "name"))
		return set_string(&item->name, value);
	if (streq(key, "tag"))
		return set_string(&item->tag, value);
	if (streq(key, "mode"))
		return set_string(&item->mode, value);
	if (streq(key, "path")) {
		unescape(value);
		return set_string(&item->path, value);
	}
	if (streq(key, "cgroup"))
		return set_number(UINT64_MAX, value, &item->cgroup_id);
	if (streq(key, "cookie"))
		return set_number(UINT64_MAX, value, &item->cookie);
	if (streq(key, "prog")) {
		r = set_number(UINT32_MAX, value, &number);
		if (!r)
			item->prog_id = number;
		return r;
	}
	return 0;
}

/* "ID key=value …", and "staged" for a program that is not in force yet */
static int parse_attachment(char *line, struct checmate_attachment *item)
{
	char *word = strsep(&line, " ");
	int r;

	r = set_number(UINT64_MAX, word, &item->id);
	while (!r && (word = strsep(&line, " "))) {
		char *value = split(word);

		if (value)
			r = set_key(item, word, value);
		else if (streq(word, "staged"))
			item->staged = true;
	}
	if (!r && (!item->hook || !item->mode || !item->prog_id))
		r = -EBADMSG;
	if (!r && !item->name)
		r = set_string(&item->name, "");
	if (!r && !item->tag)
		r = set_string(&item->tag, "");
	return r;
}

static void attachment_done(struct checmate_attachment *item)
{
	free((char *)item->hook);
	free((char *)item->name);
	free((char *)item->tag);
	free((char *)item->mode);
	free((char *)item->path);
	free((char *)item->policy);
}

static int add_attachment(struct control_list *list, char *line)
{
	struct checmate_attachment *grown;

	grown = reallocarray(list->items, list->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	list->items = grown;
	grown[list->n] = (struct checmate_attachment){};
	return parse_attachment(line, &grown[list->n++]);
}

int control_parse(const char *text, struct control_list *ret_list)
{
	_cleanup_(control_list_done) struct control_list list = {};
	_cleanup_free_ char *copy = strdup(text);
	char *line, *rest = copy;
	int r = 0;

	if (!copy)
		return -ENOMEM;
	while (!r && (line = strsep(&rest, "\n"))) {
		const char *generation = startswith(line, "generation ");

		if (generation)
			r = set_number(UINT64_MAX, generation, &list.generation);
		else if (*line)
			r = add_attachment(&list, line);
	}
	if (r < 0)
		return r;

	*ret_list = list;
	list = (struct control_list){};
	return 0;
}

void control_list_done(struct control_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		attachment_done(&list->items[i]);
	free(list->items);
	*list = (struct control_list){};
}

/* Whoever asks for what is enforced must not find what is only staged. */
static const struct checmate_attachment *find(const struct control_list *list, uint32_t prog_id,
					      uint64_t cookie, bool staged)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].prog_id == prog_id && list->items[i].cookie == cookie &&
		    list->items[i].staged == staged)
			return &list->items[i];
	return NULL;
}

const struct checmate_attachment *control_list_find(const struct control_list *list,
						    uint32_t prog_id, uint64_t cookie)
{
	return find(list, prog_id, cookie, false);
}

const struct checmate_attachment *control_list_find_staged(const struct control_list *list,
							   uint32_t prog_id, uint64_t cookie)
{
	return find(list, prog_id, cookie, true);
}

int control_format(const struct control_change *change, char **ret_text)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_fclose_ FILE *file = NULL;
	size_t size;

	file = open_memstream(&text, &size);
	if (!file)
		return -ENOMEM;
	fprintf(file, "generation %llu\n", (unsigned long long)change->generation);
	if (change->when_exec) {
		fputs("when=exec", file);
		if (change->pid)
			fprintf(file, " pid=%d", (int)change->pid);
		if (change->except_fd >= 0)
			fprintf(file, " except=%d", change->except_fd);
		fputc('\n', file);
	}
	for (size_t i = 0; i < change->n_detach; i++)
		fprintf(file, "detach %llu\n", (unsigned long long)change->detach[i]);
	for (size_t i = 0; i < change->n_attach; i++) {
		fprintf(file, "attach %d%s", change->attach[i],
			change->permissive ? " mode=permissive" : "");
		if (change->cookies && change->cookies[i])
			fprintf(file, " cookie=%llu", (unsigned long long)change->cookies[i]);
		fputc('\n', file);
	}
	for (size_t i = 0; i < change->n_mode; i++)
		fprintf(file, "mode %llu %s\n", (unsigned long long)change->mode[i],
			change->permissive ? "permissive" : "enforce");
	/* glibc's fclose() can succeed and leave no text. */
	if (fclose(TAKE_PTR(file)) == EOF || !text)
		return -ENOMEM;
	if (size > CONTROL_MAX)
		return -E2BIG;

	*ret_text = TAKE_PTR(text);
	return 0;
}

static int parse_hook(char *line, struct checmate_hook *hook)
{
	bool has_sleepable = false, has_active = false, has_programs = false;
	char *word = strsep(&line, " ");
	uint64_t number;

	hook->name = strdup(word);
	if (!hook->name)
		return -ENOMEM;
	while ((word = strsep(&line, " "))) {
		char *value = split(word);

		if (!value)
			continue;
		if (streq(word, "sleepable") && !parse_u64(value, 1, &number)) {
			hook->sleepable = number;
			has_sleepable = true;
		} else if (streq(word, "active") && !parse_u64(value, 1, &number)) {
			hook->active = number;
			has_active = true;
		} else if (streq(word, "programs") && !parse_u64(value, UINT32_MAX, &number)) {
			hook->programs = number;
			has_programs = true;
		}
	}
	return has_sleepable && has_active && has_programs ? 0 : -EBADMSG;
}

int control_parse_hooks(const char *text, struct control_hooks *ret_hooks)
{
	_cleanup_(control_hooks_done) struct control_hooks hooks = {};
	_cleanup_free_ char *copy = strdup(text);
	char *line, *rest = copy;
	int r;

	if (!copy)
		return -ENOMEM;
	while ((line = strsep(&rest, "\n"))) {
		struct checmate_hook *grown;

		if (!*line)
			continue;
		grown = reallocarray(hooks.items, hooks.n + 1, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		hooks.items = grown;
		grown[hooks.n] = (struct checmate_hook){};
		r = parse_hook(line, &grown[hooks.n++]);
		if (r < 0)
			return r;
	}

	*ret_hooks = hooks;
	hooks = (struct control_hooks){};
	return 0;
}

void control_hooks_done(struct control_hooks *hooks)
{
	for (size_t i = 0; i < hooks->n; i++)
		free((char *)hooks->items[i].name);
	free(hooks->items);
	*hooks = (struct control_hooks){};
}
