// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Program sets: the programs of a policy, as the kernel has them */
#include "program-set.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "hash.h"
#include "parse.h"
#include "pin.h"
#include "shared-map.h"
#include "strv.h"

/* The kernel has a file here for itself and for each module with types. */
#define KERNEL_TYPES "/sys/kernel/btf"

void program_set_done(struct program_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		free(set->items[i].name);
	free(set->items);
	*set = (struct program_set){};
}

static int read_program(const struct pin_path *directory, const char *name, struct program_set *set)
{
	struct program_set_item *item = &set->items[set->n];
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	_cleanup_close_ int fd = pin_open(directory, PIN_PROGRAM, name);

	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	*item = (struct program_set_item){
		.name = strdup(name),
		.id = info.id,
		.btf_id = info.btf_id,
	};
	if (!item->name)
		return -ENOMEM;
	set->n++;
	return 0;
}

int program_set_read(const struct pin_path *directory, struct program_set *ret_set)
{
	_cleanup_(program_set_done) struct program_set set = {};
	_cleanup_strv_ char **names = NULL;
	int r;

	if (access(directory->text, F_OK) < 0)
		return -errno;
	r = pin_names(directory, PIN_PROGRAM, &names);
	if (r < 0)
		return r;
	set.items = calloc(strv_length(names) + 1, sizeof(*set.items));
	if (!set.items)
		return -ENOMEM;
	for (char **name = names; *name; name++) {
		r = read_program(directory, *name, &set);
		if (r < 0)
			return r;
	}
	*ret_set = set;
	set = (struct program_set){};
	return 0;
}

int program_set_modules(uint32_t *ret_digest)
{
	_cleanup_closedir_ DIR *dir = opendir(KERNEL_TYPES);
	struct dirent *entry;
	uint64_t digest = 0;

	if (!dir)
		return -errno;
	/* A sum, since their order may be any. A module that comes again is another one. */
	while ((errno = 0, entry = readdir(dir)))
		digest += hash_bytes(hash_bytes(HASH_INIT, &entry->d_ino, sizeof(entry->d_ino)),
				     entry->d_name, strlen(entry->d_name));
	if (errno)
		return -errno;
	*ret_digest = digest ^ digest >> 32;
	return 0;
}

void program_set_name(const struct checmate_policy *policy, const char *suffix, uint64_t cookie,
		      char ret_name[PROGRAM_SET_NAME_MAX])
{
	char unshared[24] = "";

	if (policy->description.unshared)
		snprintf(unshared, sizeof(unshared), "-%016llx", (unsigned long long)cookie);
	/* A policy's name is short: it was checked. */
	snprintf(ret_name, PROGRAM_SET_NAME_MAX, "%s-%s-%08x%s%s", policy->description.name,
		 policy->object->digest, policy->modules, suffix, unshared);
}

bool program_set_exists(const char *name)
{
	struct pin_path path = pin_set(name, "");

	return !access(path.text, F_OK);
}

static int pin_all(const struct checmate_policy *policy, const struct pin_path *directory)
{
	struct pin_path bindings = pin_below(directory, "bindings");
	struct bpf_program *program;
	struct bpf_map *map;
	int r;

	r = pin_make_directory(directory);
	if (!r)
		r = pin_make_directory(&bindings);
	if (r < 0)
		return r;
	bpf_object__for_each_program(program, policy->loaded) {
		r = pin_write(directory, PIN_PROGRAM, bpf_program__name(program),
			      bpf_program__fd(program));
		if (r < 0)
			return r;
	}
	bpf_object__for_each_map(map, policy->loaded) {
		if (shared_map_is(bpf_map__name(map)) || !bpf_map__autocreate(map))
			continue;
		r = pin_write(directory, PIN_MAP, bpf_map__name(map), bpf_map__fd(map));
		if (r < 0)
			return r;
	}
	return 0;
}

static int remove_set(const struct pin_path *directory)
{
	struct pin_path bindings = pin_below(directory, "bindings");

	if (rmdir(bindings.text) < 0 && errno != ENOENT)
		return -errno;
	return pin_remove_directory(directory);
}

int program_set_pin(const struct checmate_policy *policy, const char *name)
{
	struct pin_path programs = pin_set(NULL, ""), to = pin_set(name, "");
	struct pin_path new = pin_set(name, PIN_NEW);
	int r;

	r = pin_make_directory(&programs);
	/* Left by a process that died. */
	if (!r)
		r = remove_set(&new);
	if (!r)
		r = pin_all(policy, &new);
	if (!r && rename(new.text, to.text) < 0)
		r = -errno;
	if (r < 0)
		(void)remove_set(&new);
	return r;
}

int program_set_use(struct checmate_policy *policy, const char *name)
{
	struct pin_path directory = pin_set(name, "");
	_cleanup_free_ int *fds = NULL;
	size_t n = 0;
	int r = 0;

	fds = calloc(policy->n_programs, sizeof(*fds));
	if (!fds)
		return -ENOMEM;
	for (size_t i = 0; !r && i < policy->n_programs; i++) {
		struct bpf_prog_info info = {};
		__u32 size = sizeof(info);

		r = pin_open(&directory, PIN_PROGRAM, policy->programs[i].name);
		if (r < 0)
			break;
		fds[n++] = r;
		r = bpf_obj_get_info_by_fd(fds[i], &info, &size) ? -errno : 0;
		policy->programs[i].id = info.id;
	}
	if (r < 0) {
		for (size_t i = 0; i < n; i++)
			close(fds[i]);
		return r == -ENOENT ? -EBADMSG : r;
	}
	policy_close_programs(policy);
	policy->program_fds = TAKE_PTR(fds);
	return 0;
}

int program_set_release(const char *name)
{
	struct pin_path directory = pin_set(name, "");
	int r = remove_set(&directory);

	return r == -ENOTEMPTY ? 0 : r;
}
