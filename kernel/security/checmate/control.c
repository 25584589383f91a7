// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Control text
 *
 * Text in, operations out: no locks, no programs, no cgroups.  Whatever is not
 * understood to the last character is refused, so that no typing error makes a
 * policy looser than it reads.
 */

#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/kstrtox.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "common.h"
#include "control.h"

/* Digits only: the kstrto*() family would also take a sign and a newline. */
static bool is_number(const char *word)
{
	return *word && !word[strspn(word, "0123456789")];
}

/* Of a file descriptor or a process. */
static int parse_int(const char *word, int *value)
{
	if (!is_number(word) || kstrtoint(word, 10, value))
		return -EINVAL;
	return 0;
}

static int parse_u64(const char *word, u64 *value)
{
	if (!is_number(word) || kstrtou64(word, 10, value))
		return -EINVAL;
	return 0;
}

static int parse_mode(const char *word, bool *permissive)
{
	if (!strcmp(word, "permissive"))
		*permissive = true;
	else if (!strcmp(word, "enforce"))
		*permissive = false;
	else
		return -EINVAL;
	return 0;
}

/* The options behind the descriptor, in any order, each at most once. */
static int parse_attach(char *line, struct checmate_op *op)
{
	bool has_mode = false, has_cookie = false;
	const char *word;
	int err = 0;

	while (!err && (word = strsep(&line, " "))) {
		size_t mode = str_has_prefix(word, "mode=");
		size_t cookie = str_has_prefix(word, "cookie=");

		if (mode && !has_mode) {
			has_mode = true;
			err = parse_mode(word + mode, &op->permissive);
		} else if (cookie && !has_cookie) {
			has_cookie = true;
			err = parse_u64(word + cookie, &op->cookie);
		} else {
			err = -EINVAL;
		}
	}
	return err;
}

/* A line is a verb and its arguments, with one space between two words. */
static int parse_op(char *line, struct checmate_op *op)
{
	const char *verb = strsep(&line, " ");
	const char *arg = strsep(&line, " ");
	int err;

	if (!strcmp(verb, "clear")) {
		op->type = CHECMATE_OP_CLEAR;
		return arg ? -EINVAL : 0;
	}
	if (!arg)
		return -EINVAL;
	if (!strcmp(verb, "attach")) {
		op->type = CHECMATE_OP_ATTACH;
		return parse_int(arg, &op->fd) ?: parse_attach(line, op);
	}
	if (!strcmp(verb, "mode")) {
		op->type = CHECMATE_OP_MODE;
		err = parse_u64(arg, &op->id);
		if (err || !line)
			return -EINVAL;
		return parse_mode(line, &op->permissive);
	}
	if (!strcmp(verb, "cookie")) {
		op->type = CHECMATE_OP_COOKIE;
		err = parse_u64(arg, &op->id);
		if (err || !line)
			return -EINVAL;
		return parse_u64(line, &op->cookie);
	}
	if (line || strcmp(verb, "detach"))
		return -EINVAL;
	op->type = CHECMATE_OP_DETACH;
	return parse_u64(arg, &op->id);
}

static int parse_generation(const char *number, struct checmate_transaction *txn)
{
	if (txn->has_generation || txn->at_exec || txn->nr)
		return -EINVAL;
	txn->has_generation = true;
	return parse_u64(number, &txn->generation);
}

/* What tells which exec, each at most once. */
static int parse_when(char *line, struct checmate_transaction *txn)
{
	const char *word = strsep(&line, " ");
	int err = 0;

	if (txn->at_exec || txn->nr || strcmp(word, "exec"))
		return -EINVAL;
	txn->at_exec = true;
	txn->except = -1;
	while (!err && (word = strsep(&line, " "))) {
		size_t pid = str_has_prefix(word, "pid=");
		size_t except = str_has_prefix(word, "except=");

		if (pid && !txn->pid)
			err = parse_int(word + pid, &txn->pid) ?:
				(txn->pid ? 0 : -EINVAL);
		else if (except && txn->except < 0)
			err = parse_int(word + except, &txn->except);
		else
			err = -EINVAL;
	}
	return err;
}

/* What the transaction is comes first, then what it does. */
static int parse_line(char *line, struct checmate_transaction *txn)
{
	size_t arg;

	arg = str_has_prefix(line, "generation ");
	if (arg)
		return parse_generation(line + arg, txn);
	arg = str_has_prefix(line, "when=");
	if (arg)
		return parse_when(line + arg, txn);
	txn->nr++;
	return parse_op(line, &txn->op[txn->nr - 1]);
}

/**
 * checmate_parse_policy - Parse a write to checmate.policy
 * @text: the text, NUL-terminated behind @len; modified
 * @len: number of characters written
 *
 * The text is lines "attach FD [mode=MODE] [cookie=N]", "detach ID",
 * "mode ID MODE", "cookie ID N" and "clear"; "generation N" and then
 * "when=exec [pid=P] [except=FD]" may stand before them or alone.  The last
 * newline may be left out.
 *
 * Context: Process context, may sleep.
 * Return: The transaction, to be freed with kfree(); -EINVAL if the text is not
 * understood or holds nothing, or -ENOMEM.  Nothing is attached on failure.
 */
struct checmate_transaction *checmate_parse_policy(char *text, size_t len)
{
	struct checmate_transaction *txn __free(kfree) = NULL;
	unsigned int lines = 1;
	char *line;
	size_t i;
	int err;

	/* A NUL would hide what stands behind it. */
	if (!len || memchr(text, 0, len))
		return ERR_PTR(-EINVAL);
	if (text[len - 1] == '\n')
		text[len - 1] = '\0';
	for (i = 0; i < len; i++)
		lines += text[i] == '\n';

	txn = kzalloc(struct_size(txn, op, lines), GFP_KERNEL_ACCOUNT);
	if (!txn)
		return ERR_PTR(-ENOMEM);

	while ((line = strsep(&text, "\n"))) {
		err = parse_line(line, txn);
		if (err)
			return ERR_PTR(err);
	}
	return_ptr(txn);
}

/**
 * checmate_parse_hook - Parse a write to the file of one hook
 * @text: the text, NUL-terminated behind @len; modified
 * @len: number of characters written
 * @op: set to the operation
 *
 * "FD" attaches, "-FD" detaches, "0" clears.  File descriptor 0 can thus not
 * be named here; checmate.policy takes it.
 *
 * Context: Any context.
 * Return: 0, or -EINVAL if the text is none of these.
 */
int checmate_parse_hook(char *text, size_t len, struct checmate_op *op)
{
	bool detach;
	int err;

	if (!len || memchr(text, 0, len))
		return -EINVAL;
	if (text[len - 1] == '\n')
		text[len - 1] = '\0';
	detach = *text == '-';
	err = parse_int(text + detach, &op->fd);
	if (err)
		return err;
	if (op->fd)
		op->type = detach ? CHECMATE_OP_DETACH_FD : CHECMATE_OP_ATTACH;
	else if (!detach)
		op->type = CHECMATE_OP_CLEAR;
	else
		return -EINVAL;
	return 0;
}

/**
 * checmate_parse_switch - Parse a write to checmate.seal, or to another switch
 * @text: the text, NUL-terminated behind @len; modified
 * @len: number of characters written
 * @on: set to what it asks for
 *
 * Context: Any context.
 * Return: 0, or -EINVAL if the text is neither "0" nor "1".
 */
int checmate_parse_switch(char *text, size_t len, bool *on)
{
	if (!len || memchr(text, 0, len))
		return -EINVAL;
	if (text[len - 1] == '\n')
		text[len - 1] = '\0';
	if (strcmp(text, "0") && strcmp(text, "1"))
		return -EINVAL;
	*on = *text == '1';
	return 0;
}
