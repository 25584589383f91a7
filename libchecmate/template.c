// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libchecmate - What is kept of a loaded policy, to load it again at less cost
 *
 * To load an object libbpf reads the types of the whole kernel, looks up what the programs
 * name, and forgets it all: most of what a binding costs. What comes of it is the same each
 * time but for the descriptors of maps. So it is kept: the instructions as they were given
 * to the kernel, with numbers of maps in place of descriptors, the attributes of the maps
 * as the kernel tells them, and a descriptor of the types, which then all bindings share.
 *
 * The verifier looks at the programs as before; should it, or anything else, not like them,
 * libbpf loads the object. The lines of the source are not kept: they only make what the
 * verifier says easier to read, and it has nothing to say any more.
 */
#include "template.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>

#include "cleanup.h"
#include "hash.h"
#include "parse.h"

/* As many policies as the catalogue has; that which was not asked for longest goes. */
#define TEMPLATES_MAX 16

/* Kernel types that are added to it later are found here. */
#define KERNEL_TYPES "/sys/kernel/btf"

/* The kernel wants to know no more of it, and takes no other for these programs. */
#define LICENSE "GPL"

/**
 * struct template_program - One program.
 * @insns: its instructions; those that load a map have its number for a descriptor.
 * @n_insns: how many.
 * @funcs: its functions, in order.
 * @n_funcs: how many.
 * @hook: the kernel's id of the function that it is attached to.
 */
struct template_program {
	struct bpf_insn *insns;
	size_t n_insns;
	struct bpf_func_info *funcs;
	size_t n_funcs;
	__u32 hook;
};

/**
 * struct template - A policy.
 * @n_refs: the list's, and that of each who uses it; under the lock.
 * @data: the object file that it was made of.
 * @size: bytes of it.
 * @modules: a digest of the kernel's types, as template_modules() has it.
 * @btf: descriptor of the policy's own types, in the kernel.
 * @maps: its maps as the kernel has them, in libbpf's order.
 * @n_maps: how many.
 * @programs: its programs, in libbpf's order.
 * @n_programs: how many.
 */
struct template
{
	int n_refs;
	char *data;
	size_t size;
	uint64_t modules;
	int btf;
	struct bpf_map_info *maps;
	size_t n_maps;
	struct template_program *programs;
	size_t n_programs;
};

/* The one asked for last is the first. */
static struct template *templates[TEMPLATES_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct template *template_free(struct template *template)
{
	if (!template)
		return NULL;
	for (size_t i = 0; template->programs && i < template->n_programs; i++) {
		free(template->programs[i].insns);
		free(template->programs[i].funcs);
	}
	free(template->programs);
	free(template->maps);
	cleanup_close(&template->btf);
	free(template->data);
	free(template);
	return NULL;
}

static void template_freep(struct template **template)
{
	*template = template_free(*template);
}

/* With the lock held. */
static void unref_locked(struct template *template)
{
	if (template && --template->n_refs == 0)
		template_free(template);
}

static void template_unrefp(struct template **template)
{
	pthread_mutex_lock(&lock);
	unref_locked(*template);
	pthread_mutex_unlock(&lock);
}

/* Whoever looks for leaks finds none. */
__attribute__((destructor)) static void forget_all(void)
{
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < TEMPLATES_MAX; i++) {
		unref_locked(templates[i]);
		templates[i] = NULL;
	}
	pthread_mutex_unlock(&lock);
}

/* --- finding one ------------------------------------------------------------ */

/*
 * What programs read may belong to a module: one that came after they were loaded is not
 * known to them, and the next ones are to know it.
 */
static int digest_modules(uint64_t *ret_digest)
{
	_cleanup_closedir_ DIR *dir = opendir(KERNEL_TYPES);
	uint64_t digest = HASH_INIT;
	const struct dirent *entry;

	if (!dir)
		return -errno;
	while ((errno = 0, entry = readdir(dir))) {
		digest = hash_bytes(digest, &entry->d_ino, sizeof(entry->d_ino));
		digest = hash_bytes(digest, entry->d_name, strlen(entry->d_name));
	}
	if (errno)
		return -errno;
	*ret_digest = digest;
	return 0;
}

static bool is_of(const struct template *template, const char *data, size_t size)
{
	return template->size == size && !memcmp(template->data, data, size);
}

/* With the lock held: the place of an object's template, or TEMPLATES_MAX. */
static size_t find_data(const char *data, size_t size)
{
	for (size_t i = 0; i < TEMPLATES_MAX; i++)
		if (templates[i] && is_of(templates[i], data, size))
			return i;
	return TEMPLATES_MAX;
}

static size_t find_place(const struct checmate_policy *policy)
{
	return find_data(policy->data, policy->size);
}

bool template_knows(const char *data, size_t size)
{
	bool known;

	pthread_mutex_lock(&lock);
	known = find_data(data, size) < TEMPLATES_MAX;
	pthread_mutex_unlock(&lock);
	return known;
}

/* With the lock held: makes room at the front, where the one at @place goes. */
static void drop_locked(size_t place)
{
	if (place == TEMPLATES_MAX)
		place--;
	unref_locked(templates[place]);
	memmove(templates + 1, templates, place * sizeof(*templates));
	templates[0] = NULL;
}

static struct template *find(const struct checmate_policy *policy)
{
	struct template *template = NULL;
	uint64_t modules;
	size_t place;

	if (digest_modules(&modules) < 0)
		return NULL;
	pthread_mutex_lock(&lock);
	place = find_place(policy);
	if (place < TEMPLATES_MAX) {
		template = templates[place];
		template->n_refs++;
		drop_locked(place);
		if (template->modules == modules) {
			templates[0] = template;
			template->n_refs++;
		} else {
			unref_locked(template);
			template = NULL;
		}
	}
	pthread_mutex_unlock(&lock);
	return template;
}

static void forget(const struct checmate_policy *policy)
{
	size_t place;

	pthread_mutex_lock(&lock);
	place = find_place(policy);
	if (place < TEMPLATES_MAX)
		drop_locked(place);
	pthread_mutex_unlock(&lock);
}

/* --- making one ------------------------------------------------------------- */

static bool is_two(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW);
}

/* A list's map holds one map, which libchecmate makes; another kind has what libbpf knows. */
static bool is_known_map(const struct checmate_policy *policy, const struct bpf_map *map)
{
	const char *name = bpf_map__name(map);

	if (!bpf_map__autocreate(map) || bpf_map__pin_path(map) || strstr(name, ".kconfig"))
		return false;
	switch (bpf_map__type(map)) {
	case BPF_MAP_TYPE_PROG_ARRAY:
	case BPF_MAP_TYPE_STRUCT_OPS:
	case BPF_MAP_TYPE_HASH_OF_MAPS:
		return false;
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
		for (size_t i = 0; i < policy->description.n_params; i++)
			if (policy->description.params[i].type->list &&
			    streq(policy->description.params[i].map, name))
				return true;
		return false;
	default:
		return true;
	}
}

static int keep_maps(struct template *template, const struct checmate_policy *policy)
{
	struct bpf_map *map;
	size_t n = 0;

	bpf_object__for_each_map(map, policy->object)
		n++;
	template->maps = calloc(n + 1, sizeof(*template->maps));
	if (!template->maps)
		return -ENOMEM;
	bpf_object__for_each_map(map, policy->object) {
		struct bpf_map_info *info = &template->maps[template->n_maps++];
		__u32 size = sizeof(*info);

		if (!is_known_map(policy, map))
			return -EOPNOTSUPP;
		if (bpf_obj_get_info_by_fd(bpf_map__fd(map), info, &size))
			return -errno;
	}
	return 0;
}

static int find_map(const struct checmate_policy *policy, int fd)
{
	struct bpf_map *map;
	int i = 0;

	bpf_object__for_each_map(map, policy->object) {
		if (bpf_map__fd(map) == fd)
			return i;
		i++;
	}
	return -EOPNOTSUPP;
}

/* Makes numbers of the descriptors that the instructions have. */
static int keep_insns(struct template_program *program, const struct checmate_policy *policy)
{
	for (size_t i = 0; i < program->n_insns; i++) {
		struct bpf_insn *insn = &program->insns[i];
		int r = 0;

		if (insn->code == (BPF_JMP | BPF_CALL)) {
			/* Of a module: there is a descriptor to it. */
			if (insn->src_reg == BPF_PSEUDO_KFUNC_CALL && insn->off)
				return -EOPNOTSUPP;
			continue;
		}
		if (!is_two(insn))
			continue;
		if (i + 1 == program->n_insns)
			return -EOPNOTSUPP;
		switch (insn->src_reg) {
		case 0:
		case BPF_PSEUDO_FUNC:
			break;
		case BPF_PSEUDO_MAP_FD:
		case BPF_PSEUDO_MAP_VALUE:
			r = find_map(policy, insn->imm);
			if (r < 0)
				return r;
			insn->imm = r;
			break;
		case BPF_PSEUDO_BTF_ID:
			/* Of a module, again. */
			if (insn[1].imm)
				return -EOPNOTSUPP;
			break;
		default:
			return -EOPNOTSUPP;
		}
		i++;
	}
	return 0;
}

/* Whether a function begins at @target: another one calls it or hands it on. */
static bool is_func(const struct template_program *program, size_t target)
{
	for (size_t i = 0; i < program->n_insns; i++) {
		const struct bpf_insn *insn = &program->insns[i];
		bool call = insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL;
		bool pointer = is_two(insn) && insn->src_reg == BPF_PSEUDO_FUNC;

		if ((call || pointer) && i + 1 + insn->imm == target)
			return true;
		if (is_two(insn))
			i++;
	}
	return !target;
}

/* The kernel tells the functions' types in order, and where they have come to be by then. */
static int keep_funcs(struct template_program *program, const struct bpf_prog_info *known, int fd)
{
	struct bpf_prog_info info = {
		.nr_func_info = known->nr_func_info,
		.func_info_rec_size = sizeof(*program->funcs),
	};
	__u32 size = sizeof(info);
	size_t n = 0;

	if (!known->nr_func_info || known->func_info_rec_size != sizeof(*program->funcs))
		return -EOPNOTSUPP;
	program->n_funcs = known->nr_func_info;
	program->funcs = calloc(program->n_funcs, sizeof(*program->funcs));
	if (!program->funcs)
		return -ENOMEM;
	info.func_info = (uintptr_t)program->funcs;
	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	for (size_t i = 0; i < program->n_insns; i++) {
		if (!is_func(program, i))
			continue;
		if (n == program->n_funcs)
			return -EOPNOTSUPP;
		program->funcs[n++].insn_off = i;
	}
	/* One that can never run has been taken out. */
	return n == program->n_funcs ? 0 : -EOPNOTSUPP;
}

static int keep_program(struct template_program *program, const struct checmate_policy *policy,
			const struct bpf_program *loaded)
{
	const struct bpf_insn *insns = bpf_program__insns(loaded);
	int fd = bpf_program__fd(loaded), r;
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	program->n_insns = bpf_program__insn_cnt(loaded);
	if (!bpf_program__autoload(loaded) || !insns || !program->n_insns)
		return -EOPNOTSUPP;
	program->insns = calloc(program->n_insns, sizeof(*insns));
	if (!program->insns)
		return -ENOMEM;
	memcpy(program->insns, insns, program->n_insns * sizeof(*insns));
	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	if (!info.attach_btf_id)
		return -EOPNOTSUPP;
	program->hook = info.attach_btf_id;
	r = keep_insns(program, policy);
	return r < 0 ? r : keep_funcs(program, &info, fd);
}

static int keep_programs(struct template *template, const struct checmate_policy *policy)
{
	struct bpf_program *program;
	int r;

	template->programs = calloc(policy->n_programs, sizeof(*template->programs));
	if (!template->programs)
		return -ENOMEM;
	bpf_object__for_each_program(program, policy->object) {
		r = keep_program(&template->programs[template->n_programs++], policy, program);
		if (r < 0)
			return r;
	}
	return 0;
}

void template_keep(const struct checmate_policy *policy)
{
	_cleanup_(template_freep) struct template *template = calloc(1, sizeof(*template));
	size_t place;

	if (!template)
		return;
	template->n_refs = 1;
	template->size = policy->size;
	template->btf = fcntl(bpf_object__btf_fd(policy->object), F_DUPFD_CLOEXEC, 3);
	template->data = malloc(policy->size);
	if (template->btf < 0 || !template->data || digest_modules(&template->modules) < 0)
		return;
	memcpy(template->data, policy->data, policy->size);
	if (keep_maps(template, policy) < 0 || keep_programs(template, policy) < 0)
		return;

	pthread_mutex_lock(&lock);
	place = find_place(policy);
	drop_locked(place);
	templates[0] = TAKE_PTR(template);
	pthread_mutex_unlock(&lock);
}

/* --- using one -------------------------------------------------------------- */

/* Descriptors of what is being made. */
struct fds {
	int *items;
	size_t n;
};

static int fds_init(struct fds *fds, size_t n)
{
	fds->items = malloc((n + 1) * sizeof(*fds->items));
	if (!fds->items)
		return -ENOMEM;
	for (fds->n = 0; fds->n < n; fds->n++)
		fds->items[fds->n] = -1;
	return 0;
}

static void fds_done(struct fds *fds)
{
	for (size_t i = 0; i < fds->n; i++)
		cleanup_close(&fds->items[i]);
	free(fds->items);
}

static const struct param *find_list(const struct checmate_policy *policy, const char *map,
				     size_t *ret_index)
{
	for (size_t i = 0; i < policy->description.n_params; i++) {
		const struct param *param = &policy->description.params[i];

		if (!param->type->list || !streq(param->map, map))
			continue;
		*ret_index = i;
		return param;
	}
	return NULL;
}

/* A list's map, with its list: the one gives the other its form. */
static int make_list(const struct checmate_policy *policy, const struct bpf_map *map,
		     const struct bpf_map_info *info, struct bpf_map_create_opts *opts)
{
	_cleanup_close_ int fd = -1, list = -1;
	const struct param *param;
	__u32 zero = 0;
	size_t i;

	param = find_list(policy, bpf_map__name(map), &i);
	if (!param)
		return -EOPNOTSUPP;
	list = param_make_list(param, policy->values[i]);
	if (list < 0)
		return list;
	opts->inner_map_fd = list;
	fd = bpf_map_create(info->type, info->name, info->key_size, info->value_size,
			    info->max_entries, opts);
	if (fd < 0 || bpf_map_update_elem(fd, &zero, &list, BPF_ANY))
		return -errno;
	return TAKE_FD(fd);
}

static int make_map(const struct template *template, const struct checmate_policy *policy,
		    struct bpf_map *map, const struct bpf_map_info *info)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = info->map_flags,
		    .map_extra = info->map_extra);
	_cleanup_close_ int fd = -1;
	const void *initial;
	__u32 zero = 0;
	size_t size;

	if (info->btf_id) {
		opts.btf_fd = template->btf;
		opts.btf_key_type_id = info->btf_key_type_id;
		opts.btf_value_type_id = info->btf_value_type_id;
	}
	if (info->type == BPF_MAP_TYPE_ARRAY_OF_MAPS)
		return make_list(policy, map, info, &opts);
	fd = bpf_map_create(info->type, info->name, info->key_size, info->value_size,
			    info->max_entries, &opts);
	if (fd < 0)
		return -errno;
	initial = bpf_map__initial_value(map, &size);
	if (initial && bpf_map_update_elem(fd, &zero, initial, BPF_ANY))
		return -errno;
	if (initial && (info->map_flags & BPF_F_RDONLY_PROG) && bpf_map_freeze(fd))
		return -errno;
	return TAKE_FD(fd);
}

/* Those that all policies share are there. */
static int make_maps(const struct template *template, const struct checmate_policy *policy,
		     struct fds *maps)
{
	struct bpf_map *map;
	size_t i = 0;
	int r;

	r = fds_init(maps, template->n_maps);
	if (r < 0)
		return r;
	bpf_object__for_each_map(map, policy->object) {
		if (i == template->n_maps)
			return -EBADMSG;
		if (bpf_map__fd(map) < 0) {
			r = make_map(template, policy, map, &template->maps[i]);
			if (r < 0)
				return r;
			maps->items[i] = r;
		}
		i++;
	}
	return i == template->n_maps ? 0 : -EBADMSG;
}

/* The instructions with this instance's maps. */
static struct bpf_insn *make_insns(const struct template_program *program,
				   const struct checmate_policy *policy, const struct fds *maps)
{
	struct bpf_insn *insns = calloc(program->n_insns, sizeof(*insns));

	if (!insns)
		return NULL;
	memcpy(insns, program->insns, program->n_insns * sizeof(*insns));
	for (size_t i = 0; i < program->n_insns; i++) {
		struct bpf_map *map;
		int n = insns[i].imm;

		if (!is_two(&insns[i]))
			continue;
		if (insns[i].src_reg == BPF_PSEUDO_MAP_FD ||
		    insns[i].src_reg == BPF_PSEUDO_MAP_VALUE) {
			insns[i].imm = maps->items[n];
			/* One that all share, which libbpf has for the object. */
			if (maps->items[n] < 0) {
				map = NULL;
				for (int m = 0; m <= n; m++)
					map = bpf_object__next_map(policy->object, map);
				insns[i].imm = bpf_map__fd(map);
			}
		}
		i++;
	}
	return insns;
}

static int make_program(const struct template *template, const struct template_program *program,
			const struct checmate_policy *policy, const struct bpf_program *opened,
			const struct fds *maps)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = bpf_program__expected_attach_type(opened),
		    .attach_btf_id = program->hook, .prog_flags = bpf_program__flags(opened),
		    .prog_btf_fd = template->btf, .func_info = program->funcs,
		    .func_info_cnt = program->n_funcs,
		    .func_info_rec_size = sizeof(*program->funcs));
	_cleanup_free_ struct bpf_insn *insns = make_insns(program, policy, maps);
	int fd;

	if (!insns)
		return -ENOMEM;
	if (startswith(bpf_program__section_name(opened), "lsm.s/"))
		opts.prog_flags |= BPF_F_SLEEPABLE;
	fd = bpf_prog_load(bpf_program__type(opened), bpf_program__name(opened), LICENSE, insns,
			   program->n_insns, &opts);
	if (fd < 0)
		return -errno;
	/* As libbpf does: bpftool shows what is in there, also of those that do not use it. */
	for (size_t i = 0; i < maps->n; i++)
		if (maps->items[i] >= 0 && (template->maps[i].map_flags & BPF_F_RDONLY_PROG))
			(void)bpf_prog_bind_map(fd, maps->items[i], NULL);
	return fd;
}

static int make_programs(const struct template *template, const struct checmate_policy *policy,
			 const struct fds *maps, struct fds *programs)
{
	struct bpf_program *program;
	size_t i = 0;
	int r;

	r = fds_init(programs, template->n_programs);
	if (r < 0)
		return r;
	bpf_object__for_each_program(program, policy->object) {
		if (i == template->n_programs)
			return -EBADMSG;
		r = make_program(template, &template->programs[i], policy, program, maps);
		if (r < 0)
			return r;
		programs->items[i++] = r;
	}
	return i == template->n_programs ? 0 : -EBADMSG;
}

/* From here on the policy has them. */
static int hand_over(struct checmate_policy *policy, const struct fds *maps, struct fds *programs)
{
	struct bpf_map *map;
	size_t i = 0;
	int r;

	bpf_object__for_each_map(map, policy->object) {
		if (maps->items[i] >= 0) {
			r = bpf_map__reuse_fd(map, maps->items[i]);
			if (r < 0)
				return r;
		}
		i++;
	}
	policy->program_fds = TAKE_PTR(programs->items);
	programs->n = 0;
	return 0;
}

int template_load(struct checmate_policy *policy)
{
	_cleanup_(template_unrefp) struct template *template = find(policy);
	_cleanup_(fds_done) struct fds maps = {}, programs = {};
	int r;

	if (!template)
		return 0;
	r = make_maps(template, policy, &maps);
	if (!r)
		r = make_programs(template, policy, &maps, &programs);
	if (r < 0) {
		forget(policy);
		return 0;
	}
	r = hand_over(policy, &maps, &programs);
	return r < 0 ? r : 1;
}
