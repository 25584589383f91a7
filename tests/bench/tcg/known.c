// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Runs, in a guest, a function of which everything is known that the plugin counts, and
 * has the plugin count it, as the path "known" of the arm "self".
 */

#include <stdint.h>
#include <stdio.h>

#include "mark.h"

void known(void);
void call_known(void);
extern uint64_t known_data[16];

uint64_t known_data[16] __attribute__((aligned(64)));

/*
 * The stack is aligned, so that what is pushed takes one line. In known(), in the order
 * of the comments: instructions, loads, stores; the rest is in words.
 */
__asm__(".pushsection .text\n"
	"	.globl call_known, known\n"
	"call_known:\n"
	"	push %rbp\n"
	"	mov %rsp, %rbp\n"
	"	and $-64, %rsp\n"
	"	call known\n"
	"	leave\n"
	"	ret\n"
	"	.balign 64\n"
	"known:\n"
	"	push %rbx				# 1 0 1\n"
	"	mov known_data(%rip), %rbx		# 1 1 0\n"
	"	lock incq known_data(%rip)		# 1 1 1, locked\n"
	"	xchg %rbx, known_data+64(%rip)		# 1 1 1, locked, another line\n"
	"	test %rbx, %rbx				# 1 0 0\n"
	"	call leaf				# 1 0 1\n"
	"	lea leaf(%rip), %rax			# 1 0 0\n"
	"	call *%rax				# 1 0 1, an indirect call\n"
	"	call thunk				# 1 0 1\n"
	"	lea 1f(%rip), %rax			# 1 0 0\n"
	"	jmp *%rax				# 1 0 0, an indirect jump\n"
	"	.balign 64\n"
	"1:	lea 2f(%rip), %rax			# 1 0 0, another line\n"
	"	jmp thunk				# 1 0 0\n"
	"2:	pop %rbx				# 1 1 0\n"
	"	ret					# 1 1 0, a return\n"
	/* Called three times, as leaf() is by the thunk that was called. */
	"	.balign 64\n"
	"leaf:\n"
	"	ret					# 3 3 0, 3 returns, another line\n"
	/* A retpoline, gone through twice: an indirect call and an indirect jump. */
	"thunk:\n"
	"	call 3f					# 2 0 2\n"
	"4:	pause\n"
	"	jmp 4b\n"
	"3:	mov %rax, (%rsp)			# 2 0 2\n"
	"	ret					# 2 2 0, 2 returns\n"
	".popsection\n");

int main(void)
{
	char text[64];
	int i;

	snprintf(text, sizeof(text), "path known %lx\n", (unsigned long)known);
	mark_text(text);
	mark_start("known", "self");
	for (i = 0; i < 1000; i++)
		call_known();
	mark_stop();
	return 0;
}
