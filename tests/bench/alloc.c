// SPDX-License-Identifier: LGPL-2.1-or-later
/* Benches - What the kernel allocates for one task */

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../common/cleanup.h"
#include "alloc.h"

/* As many programs as alloc.bpf.c has. */
#define MAX_LINKS 6

/* alloc.bpf.o, so that the program is a single file. */
static const __attribute__((aligned(8))) unsigned char alloc_object[] = {
#include "alloc.bpf.o.h"
};

struct symbol {
	uint64_t address;
	char name[64];
};

static struct bpf_object *object;
static struct bpf_link *links[MAX_LINKS];
static volatile struct alloc_state *state;
static struct symbol *symbols;
static size_t n_symbols;

static int compare_symbols(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

static void read_symbols(void)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/kallsyms", "re");
	struct symbol symbol;
	size_t room = 0;
	char line[512];

	if (!file)
		err(1, "/proc/kallsyms");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx %*c %63s", &symbol.address, symbol.name) != 2)
			continue;
		if (n_symbols == room) {
			room = room ? 2 * room : 1 << 15;
			symbols = reallocarray(symbols, room, sizeof(*symbols));
			if (!symbols)
				err(1, "symbols");
		}
		symbols[n_symbols++] = symbol;
	}
	qsort(symbols, n_symbols, sizeof(*symbols), compare_symbols);
}

static const char *symbol_name(uint64_t address)
{
	size_t low = 0, high = n_symbols;

	while (high - low > 1) {
		size_t middle = (low + high) / 2;

		if (symbols[middle].address <= address)
			low = middle;
		else
			high = middle;
	}
	return n_symbols ? symbols[low].name : "?";
}

/** alloc_load - Begin to watch the allocators */
void alloc_load(void)
{
	struct bpf_program *program;
	struct bpf_map *map;
	unsigned int n = 0;

	if (!symbols)
		read_symbols();
	object = bpf_object__open_mem(alloc_object, sizeof(alloc_object), NULL);
	if (!object || bpf_object__load(object) < 0)
		err(1, "loading alloc.bpf.o");
	map = bpf_object__find_map_by_name(object, ".bss");
	if (!map)
		errx(1, "alloc.bpf.o has no state");
	state = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
	if (state == MAP_FAILED)
		err(1, "mapping the state of alloc.bpf.o");
	bpf_object__for_each_program(program, object) {
		if (n == MAX_LINKS)
			errx(1, "alloc.bpf.o has too many programs");
		links[n] = bpf_program__attach(program);
		if (!links[n])
			err(1, "attaching %s", bpf_program__name(program));
		n++;
	}
}

/* Each is deleted when the one behind it is known: looking from the start takes long. */
static void empty(const char *map)
{
	int fd = bpf_object__find_map_fd_by_name(object, map);
	uint64_t key, next;
	int r = bpf_map_get_next_key(fd, NULL, &key);

	while (r == 0) {
		r = bpf_map_get_next_key(fd, &key, &next);
		bpf_map_delete_elem(fd, &key);
		key = next;
	}
}

/**
 * alloc_start - From now on count what the calling thread is given
 *
 * All that was counted before is forgotten.
 */
void alloc_start(void)
{
	empty("sites");
	empty("objects");
	memset((void *)state, 0, sizeof(*state));
	state->thread = (uint32_t)syscall(SYS_gettid);
	state->on = 1;
}

/**
 * alloc_stop - Count no more
 *
 * What is freed still lessens what is held.
 */
void alloc_stop(void)
{
	state->on = 0;
	if (state->lost)
		errx(1, "%llu allocations were not remembered", state->lost);
}

/**
 * alloc_total - What was counted
 * @ret_total: all of it
 * @ret_percpu: of that, the per-CPU memory
 */
void alloc_total(struct alloc_sum *ret_total, struct alloc_sum *ret_percpu)
{
	*ret_total = *(struct alloc_sum *)&state->total;
	*ret_percpu = *(struct alloc_sum *)&state->percpu;
}

static int compare_sites(const void *a, const void *b)
{
	const struct alloc_site *x = a, *y = b;

	return x->sum.held < y->sum.held ? 1 : x->sum.held > y->sum.held ? -1 : 0;
}

/**
 * alloc_sites - What was counted, by caller
 * @sites: where to
 * @max: how many there is room for
 *
 * Return: How many there are; those that hold most come first.
 */
unsigned int alloc_sites(struct alloc_site *sites, unsigned int max)
{
	int fd = bpf_object__find_map_fd_by_name(object, "sites");
	uint64_t key, *last = NULL;
	unsigned int i, n = 0;

	while (bpf_map_get_next_key(fd, last, &key) == 0) {
		struct alloc_sum sum;
		const char *name = symbol_name(key);

		last = &key;
		if (bpf_map_lookup_elem(fd, &key, &sum) < 0)
			err(1, "sites");
		for (i = 0; i < n && strcmp(sites[i].name, name); i++)
			;
		if (i == max)
			errx(1, "more than %u functions allocate", max);
		if (i == n) {
			sites[n++] = (struct alloc_site){ 0 };
			snprintf(sites[i].name, sizeof(sites[i].name), "%s", name);
		}
		sites[i].sum.nr += sum.nr;
		sites[i].sum.bytes += sum.bytes;
		sites[i].sum.held += sum.held;
	}
	qsort(sites, n, sizeof(*sites), compare_sites);
	return n;
}

/** alloc_unload - Watch no more */
void alloc_unload(void)
{
	for (unsigned int i = 0; i < MAX_LINKS; i++) {
		bpf_link__destroy(links[i]);
		links[i] = NULL;
	}
	munmap((void *)state, sizeof(*state));
	state = NULL;
	bpf_object__close(object);
	object = NULL;
}
