/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checmate LSM - Cookies
 */
#ifndef _SECURITY_CHECMATE_COOKIE_H
#define _SECURITY_CHECMATE_COOKIE_H

#include <linux/types.h>

u64 bpf_checmate_cookie(void);

#endif /* _SECURITY_CHECMATE_COOKIE_H */
