/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * systemd - The helper that systemd executes before a unit's command
 *
 * From version 255 on systemd does not set its services up itself: a child of it first
 * executes systemd-executor, which does, and that executes the command. systemd keeps
 * the file open from its start on. After an update it is still the old one that is
 * executed, which only this descriptor leads to.
 */
#pragma once

/* The first version that has one. */
#define EXECUTOR_VERSION 255u

/**
 * executor_find() - Find the helper that the running systemd executes.
 * @fd_dir: "/proc/1/fd".
 * @version: systemd's version.
 * @ret_path: receives a path that opens the very file; NULL where there is none. To be
 *	freed.
 *
 * Return: 0; -ENOENT there should be one; -errno.
 */
int executor_find(const char *fd_dir, unsigned int version, char **ret_path);

/* Of a version as systemd tells it: "252.39-1~deb12u2", "v257". 0 when there is none. */
unsigned int executor_parse_version(const char *text);
