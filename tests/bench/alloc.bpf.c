// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Benches - Count what the kernel allocates for one task
 *
 * The slab and the per-CPU allocator tell of each object they give and take
 * back. What is given to the task is remembered until it is taken back,
 * whoever does that.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "alloc.h"

struct kmem_cache {
	unsigned int size;
} __attribute__((preserve_access_index));

struct object {
	__u64 site;
	__u64 bytes;
	bool percpu;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 16);
	__type(key, __u64);
	__type(value, struct object);
} objects SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct alloc_sum);
} sites SEC(".maps");

volatile struct alloc_state state;

static __always_inline void add(volatile struct alloc_sum *sum, __u64 bytes)
{
	sum->nr++;
	sum->bytes += bytes;
	sum->held += bytes;
}

static __always_inline int given(__u64 site, const void *ptr, __u64 bytes, bool percpu)
{
	struct object object = { .site = site, .bytes = bytes, .percpu = percpu };
	struct alloc_sum first = { .nr = 1, .bytes = bytes, .held = bytes };
	struct alloc_sum *sum;
	__u64 key = (__u64)ptr;

	if (!state.on || !ptr || (__u32)bpf_get_current_pid_tgid() != state.thread)
		return 0;
	add(&state.total, bytes);
	if (percpu)
		add(&state.percpu, bytes);
	if (bpf_map_update_elem(&objects, &key, &object, BPF_ANY))
		state.lost++;
	sum = bpf_map_lookup_elem(&sites, &site);
	if (sum)
		add(sum, bytes);
	else if (bpf_map_update_elem(&sites, &site, &first, BPF_ANY))
		state.lost++;
	return 0;
}

static __always_inline int taken(const void *ptr)
{
	struct object *object;
	struct alloc_sum *sum;
	__u64 key = (__u64)ptr;

	object = bpf_map_lookup_elem(&objects, &key);
	if (!object)
		return 0;
	state.total.held -= object->bytes;
	if (object->percpu)
		state.percpu.held -= object->bytes;
	sum = bpf_map_lookup_elem(&sites, &object->site);
	if (sum)
		sum->held -= object->bytes;
	bpf_map_delete_elem(&objects, &key);
	return 0;
}

SEC("raw_tp/kmalloc")
int BPF_PROG(on_kmalloc, unsigned long site, const void *ptr, size_t asked, size_t bytes)
{
	return given(site, ptr, bytes, false);
}

SEC("raw_tp/kmem_cache_alloc")
int BPF_PROG(on_cache_alloc, unsigned long site, const void *ptr, struct kmem_cache *cache)
{
	return given(site, ptr, BPF_CORE_READ(cache, size), false);
}

SEC("raw_tp/kfree")
int BPF_PROG(on_kfree, unsigned long site, const void *ptr)
{
	return taken(ptr);
}

SEC("raw_tp/kmem_cache_free")
int BPF_PROG(on_cache_free, unsigned long site, const void *ptr)
{
	return taken(ptr);
}

/* What one processor has of it: how many there are is the guest's business. */
SEC("raw_tp/percpu_alloc_percpu")
int BPF_PROG(on_percpu_alloc, unsigned long site, bool reserved, bool atomic, size_t bytes,
	     size_t align, void *base, int offset, void *ptr)
{
	return given(site, ptr, bytes, true);
}

SEC("raw_tp/percpu_free_percpu")
int BPF_PROG(on_percpu_free, void *base, int offset, void *ptr)
{
	return taken(ptr);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
