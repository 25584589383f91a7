/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - What is kept where others keep their things
 */
#ifndef _LINUX_CHECMATE_H
#define _LINUX_CHECMATE_H

#include <linux/types.h>

struct cgroup;

/**
 * struct checmate_sock - Whose a sock is
 * @home: the cgroup it belongs to, with a reference; NULL where @at_home, and
 *	where the sock was made before socks had owners, which stands for what
 *	sk_cgrp_data has
 * @owner: the controller's state of @home, or of the nearest ancestor that had
 *	one when it was looked for, with a reference; as its distance from the
 *	root's, so that a sock which never had an owner is the
 *	root's
 * @epoch: the state of all attachment sets that @owner was looked for in
 * @at_home: @owner is a state of the very cgroup that the sock belongs to, and
 *	keeps that
 *
 * Part of struct sock, all zero when that is made, and not copied with it.
 * @home and @at_home are set before others know of the sock, and once more, with
 * @owner, when it is accepted and turns out to be another cgroup's.
 */
struct checmate_sock {
	struct cgroup *home;
	unsigned long owner;
	unsigned int epoch;
	bool at_home;
};

#endif /* _LINUX_CHECMATE_H */
