/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Control files
 */
#ifndef _SECURITY_CHECMATE_FILES_H
#define _SECURITY_CHECMATE_FILES_H

struct cftype;

extern struct cftype checmate_files[];

#endif /* _SECURITY_CHECMATE_FILES_H */
