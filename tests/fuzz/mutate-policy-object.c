// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Fuzz target - How libFuzzer changes a policy object
 *
 * Changes anywhere mostly hit what nobody reads. Half of them go to one section
 * therefore, or to what the table of sections says of one.
 */
#include <elf.h>

#include "fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed);

/* The part of an object that a change is to go to; the whole for want of one. */
static void choose_part(const uint8_t *data, size_t size, unsigned int seed, size_t *ret_start,
			size_t *ret_length)
{
	Elf64_Ehdr header;
	Elf64_Shdr section;
	size_t at;

	*ret_start = 0;
	*ret_length = size;
	if (size < sizeof(header))
		return;
	memcpy(&header, data, sizeof(header));
	at = header.e_shoff + (seed / 2 % (header.e_shnum ?: 1)) * sizeof(section);
	if (header.e_shoff > size || at + sizeof(section) > size)
		return;
	memcpy(&section, data + at, sizeof(section));
	if (seed % 8 == 0) {
		*ret_start = at;
		*ret_length = sizeof(section);
	} else if (section.sh_offset < size && section.sh_size <= size - section.sh_offset) {
		*ret_start = section.sh_offset;
		*ret_length = section.sh_size;
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	size_t start, length;

	if (seed & 1)
		return LLVMFuzzerMutate(data, size, max);
	choose_part(data, size, seed >> 1, &start, &length);
	/* What comes after it stays where it is. */
	if (length)
		(void)LLVMFuzzerMutate(data + start, length, length);
	return size;
}
