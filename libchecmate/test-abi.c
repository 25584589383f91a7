// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Print the layout of the public structures, for test-abi.sh */
#include <stdio.h>

#include "checmate.h"

#define STRUCT(type) printf(#type " size %zu\n", sizeof(type));
#define MEMBER(type, text, member)                                           \
	printf(#type " offset %zu size %zu %s %s\n", offsetof(type, member), \
	       sizeof(((type *)0)->member), text, #member);

int main(void)
{
#include "abi-members.inc"
	return 0;
}
