// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Version, and what the language lacks */
#include "checmate.h"
#include "cleanup.h"
#include "strv.h"

const char *checmate_version(void)
{
	return CHECMATE_VERSION;
}

char **checmate_strv_free(char **strv)
{
	return strv_free(strv);
}
