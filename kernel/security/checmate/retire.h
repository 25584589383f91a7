/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Retired objects
 */
#ifndef _SECURITY_CHECMATE_RETIRE_H
#define _SECURITY_CHECMATE_RETIRE_H

#include <linux/llist.h>
#include <linux/types.h>

struct seq_file;

/**
 * struct checmate_retired - An object that waits for its last readers
 * @node: in a list of retire.c
 * @free: frees the object; called in process context, may sleep
 * @bytes: the memory that the object takes, about
 * @readers_sleep: whether readers of the object may sleep
 *
 * Part of the object.  The owner sets all but @node before it retires the
 * object, and does not touch it afterwards.
 */
struct checmate_retired {
	struct llist_node node;
	void (*free)(struct checmate_retired *retired);
	unsigned int bytes;
	bool readers_sleep;
};

void checmate_retire(struct checmate_retired *retired);
int checmate_wait_for_retired(void);
void checmate_show_retired(struct seq_file *seq);
void checmate_flush_retired(void);

#endif /* _SECURITY_CHECMATE_RETIRE_H */
