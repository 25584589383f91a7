// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libchecmate - Enforcing by links of BPF_LSM_CGROUP programs
 *
 * What kernels from 6.0 on can do without the controller. Each program is
 * attached by a link of its own, and a link lives as long as its pin. Nothing
 * of it is a transaction, so bpffs has to be one:
 *
 *	1. new bindings are recorded and linked in "<policy>+new"; what is to be
 *	   removed is renamed to "<policy>+gone", links and all
 *	2. the directory "+commit" is made
 *	3. programs that the old and the new binding share find the new one; what is
 *	   old or gone is detached and removed, what is new is renamed
 *	4. the directory "+commit" is removed
 *
 * Who finds "+commit" after a crash goes on with 3, who finds none undoes 1.
 * Until 3 all that was in force still is: old and new programs are asked both,
 * and each can deny.
 */
#include "backend.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include "backend-check.h"
#include "cookie.h"
#include "error.h"
#include "instance.h"
#include "parse.h"
#include "program-set.h"
#include "record.h"
#include "strv.h"

#define PIN_COMMIT "+commit"

/* Hooks that the kernel has room for on the whole machine: CGROUP_LSM_NUM. */
#define HOOKS_MAX 10

/* Beyond this somebody attaches faster than this can look. */
#define PROGRAMS_MAX 65536

/* --- what the kernel says --------------------------------------------------- */

static struct btf *kernel_types;

static void load_types(void)
{
	kernel_types = btf__load_vmlinux_btf();
}

/* The kernel's types, kept for the life of the process; NULL when it has none. */
static const struct btf *get_types(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load_types);
	return kernel_types;
}

/* The hook whose function has the id; "?" when that cannot be told. */
static const char *hook_name(__u32 btf_id)
{
	const struct btf *btf = get_types();
	const struct btf_type *type = btf ? btf__type_by_id(btf, btf_id) : NULL;
	const char *name = type ? btf__name_by_offset(btf, type->name_off) : NULL;

	return name ? startswith(name, "bpf_lsm_") ?: name : "?";
}

/* A link by which a program is attached. */
struct link {
	uint32_t id;
	uint32_t prog_id;
	uint64_t cgroup_id;
};

struct links {
	struct link *items;
	size_t n;
};

static void links_done(struct links *links)
{
	free(links->items);
}

/* All links of BPF_LSM_CGROUP programs on this machine. */
static int read_links(struct links *ret_links)
{
	_cleanup_(links_done) struct links links = {};
	__u32 id = 0;

	while (!bpf_link_get_next_id(id, &id)) {
		struct bpf_link_info info = {};
		__u32 size = sizeof(info);
		_cleanup_close_ int fd = bpf_link_get_fd_by_id(id);
		struct link *grown;

		/* It may have gone since. */
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
			return -errno;
		if (info.type != BPF_LINK_TYPE_CGROUP || info.cgroup.attach_type != BPF_LSM_CGROUP)
			continue;
		grown = reallocarray(links.items, links.n + 1, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		links.items = grown;
		grown[links.n++] = (struct link){
			.id = info.id,
			.prog_id = info.prog_id,
			.cgroup_id = info.cgroup.cgroup_id,
		};
	}
	if (errno != ENOENT)
		return -errno;

	*ret_links = links;
	links = (struct links){};
	return 0;
}

static uint32_t find_link(const struct links *links, uint64_t cgroup_id, uint32_t prog_id)
{
	for (size_t i = 0; i < links->n; i++)
		if (links->items[i].cgroup_id == cgroup_id && links->items[i].prog_id == prog_id)
			return links->items[i].id;
	return 0;
}

/* The ids of the programs attached to a cgroup itself, in the kernel's order. */
static int query(const struct checmate_cgroup *cgroup, __u32 **ret_ids, size_t *ret_n)
{
	for (__u32 room = 64; room <= PROGRAMS_MAX; room *= 2) {
		_cleanup_free_ __u32 *ids = calloc(room, sizeof(*ids));
		/* Not of interest, but the kernel insists. */
		_cleanup_free_ __u32 *flags = calloc(room, sizeof(*flags));
		LIBBPF_OPTS(bpf_prog_query_opts, opts, .prog_ids = ids, .prog_attach_flags = flags,
			    .prog_cnt = room);

		if (!ids || !flags)
			return -ENOMEM;
		if (!bpf_prog_query_opts(cgroup->fd, BPF_LSM_CGROUP, &opts)) {
			*ret_ids = TAKE_PTR(ids);
			*ret_n = opts.prog_cnt;
			return 0;
		}
		if (errno != ENOSPC)
			return -errno;
	}
	return -E2BIG;
}

/* Whether the programs of a binding let pass what they deny. */
static int is_permissive(uint64_t cookie)
{
	uint32_t flags;
	int r;

	if (!cookie)
		return 0;
	r = instance_read_flags(cookie, &flags);
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : !!(flags & CHECMATE_HEAD_YIELD);
}

static int add_program(struct control_list *list, const struct checmate_cgroup *cgroup,
		       const struct links *links, __u32 id)
{
	struct checmate_attachment *grown, *item;
	_cleanup_close_ int fd = bpf_prog_get_fd_by_id(id);
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	char tag[2 * BPF_TAG_SIZE + 1];
	int permissive, r;
	uint64_t cookie;

	/* It may have been detached since. */
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	r = cookie_read(fd, cgroup->id, &cookie);
	if (r < 0)
		return r;
	permissive = is_permissive(cookie);
	if (permissive < 0)
		return permissive;

	grown = reallocarray(list->items, list->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	list->items = grown;
	for (size_t i = 0; i < BPF_TAG_SIZE; i++)
		snprintf(tag + 2 * i, 3, "%02x", info.tag[i]);
	item = &grown[list->n++];
	*item = (struct checmate_attachment){
		.id = find_link(links, cgroup->id, id),
		.hook = strdup(hook_name(info.attach_btf_id)),
		.name = strdup(info.name),
		.tag = strdup(tag),
		.mode = strdup(permissive ? "permissive" : "enforce"),
		.prog_id = id,
		.cgroup_id = cgroup->id,
		.path = strdup(cgroup->path),
		.cookie = cookie,
	};
	return item->hook && item->name && item->tag && item->mode && item->path ? 0 : -ENOMEM;
}

static int explain_read(const struct checmate_cgroup *cgroup, int code,
			struct checmate_error **ret_error)
{
	switch (code) {
	case -ENOMEM:
		return error_oom(ret_error);
	case -ENOENT:
	case -ENODEV:
		return error_set(ret_error, -ENODEV, "cgroup %s: it is gone; give another",
				 cgroup->path);
	case -EPERM:
	case -EACCES:
		return error_set(ret_error, code,
				 "cgroup %s: looking at its BPF programs is not permitted; run as root with CAP_BPF, CAP_NET_ADMIN and CAP_SYS_ADMIN",
				 cgroup->path);
	case -EINVAL:
	case -EOPNOTSUPP:
		return error_set(ret_error, -EOPNOTSUPP,
				 "cgroup %s: this kernel cannot attach BPF LSM programs to cgroups; see \"checmatectl features\"",
				 cgroup->path);
	default:
		return error_set(ret_error, code,
				 "cgroup %s: its BPF programs cannot be listed: %s; try again",
				 cgroup->path, strerror(-code));
	}
}

/* Appends what is attached to one cgroup. */
static int add_cgroup(struct control_list *list, const struct checmate_cgroup *cgroup,
		      const struct links *links)
{
	_cleanup_free_ __u32 *ids = NULL;
	size_t n = 0;
	int r;

	r = query(cgroup, &ids, &n);
	for (size_t i = 0; !r && i < n; i++)
		r = add_program(list, cgroup, links, ids[i]);
	return r;
}

static int read_local(const struct checmate_cgroup *cgroup, struct control_list *ret_list,
		      struct checmate_error **ret_error)
{
	_cleanup_(control_list_done) struct control_list list = {};
	_cleanup_(links_done) struct links links = {};
	int r;

	r = read_links(&links);
	if (!r)
		r = add_cgroup(&list, cgroup, &links);
	if (r < 0)
		return explain_read(cgroup, r, ret_error);
	*ret_list = list;
	list = (struct control_list){};
	return 0;
}

/* The cgroup's own first, then those of its ancestors. */
static int add_upwards(struct control_list *list, const struct checmate_cgroup *cgroup,
		       const struct links *links, struct checmate_error **ret_error)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *parent = NULL;
	int r;

	r = add_cgroup(list, cgroup, links);
	if (r < 0)
		return explain_read(cgroup, r, ret_error);
	r = cgroup_open_parent(cgroup, &parent, ret_error);
	if (r == -ENOENT && streq(cgroup->path, "/"))
		return 0;
	return r < 0 ? r : add_upwards(list, parent, links, ret_error);
}

/* Programs of the same hook follow one another, in the order they had. */
static int group_by_hook(struct control_list *list)
{
	struct checmate_attachment *grouped = calloc(list->n ?: 1, sizeof(*grouped));
	size_t n = 0;

	if (!grouped)
		return -ENOMEM;
	for (size_t i = 0; i < list->n; i++) {
		bool seen = false;

		for (size_t j = 0; !seen && j < i; j++)
			seen = streq(list->items[j].hook, list->items[i].hook);
		for (size_t j = i; !seen && j < list->n; j++)
			if (streq(list->items[j].hook, list->items[i].hook))
				grouped[n++] = list->items[j];
	}
	free(list->items);
	list->items = grouped;
	return 0;
}

static int read_effective(const struct checmate_cgroup *cgroup, struct control_list *ret_list,
			  struct checmate_error **ret_error)
{
	_cleanup_(control_list_done) struct control_list list = {};
	_cleanup_(links_done) struct links links = {};
	int r;

	r = read_links(&links);
	if (r < 0)
		return explain_read(cgroup, r, ret_error);
	r = add_upwards(&list, cgroup, &links, ret_error);
	if (r < 0)
		return r;
	if (group_by_hook(&list) < 0)
		return error_oom(ret_error);
	*ret_list = list;
	list = (struct control_list){};
	return 0;
}

static int enable(struct checmate_cgroup *cgroup, char ***ret_enabled,
		  struct checmate_error **ret_error)
{
	char **none;

	/* There is nothing to turn on. */
	(void)cgroup;
	if (!ret_enabled)
		return 0;
	none = calloc(1, sizeof(*none));
	if (!none)
		return error_oom(ret_error);
	*ret_enabled = none;
	return 0;
}

/* --- what it can take ------------------------------------------------------- */

/* Adds the hooks that have a place in the kernel by now, as far as links tell. */
static int add_hooks_in_use(char ***hooks)
{
	_cleanup_(links_done) struct links links = {};
	int r;

	r = read_links(&links);
	/* Without privilege nobody knows; the kernel refuses what is too much. */
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; i < links.n; i++) {
		_cleanup_close_ int fd = bpf_prog_get_fd_by_id(links.items[i].prog_id);
		struct bpf_prog_info info = {};
		__u32 size = sizeof(info);

		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
			continue;
		if (!strv_contains(*hooks, hook_name(info.attach_btf_id)) &&
		    strv_extend(hooks, hook_name(info.attach_btf_id)) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Whether the kernel has room for the hooks of all of the policies. */
static int check_room(const struct checmate_policy *const *policies, size_t n_policies,
		      struct checmate_error **ret_error)
{
	_cleanup_strv_ char **hooks = calloc(1, sizeof(*hooks));
	size_t in_use;

	if (!hooks || add_hooks_in_use(&hooks) < 0)
		return error_oom(ret_error);
	in_use = strv_length(hooks);
	for (size_t i = 0; i < n_policies; i++) {
		struct bpf_program *program;

		bpf_object__for_each_program(program, policies[i]->object->parsed)
			if (!strv_contains(hooks, backend_check_hook(program)) &&
			    strv_extend(&hooks, backend_check_hook(program)) < 0)
				return error_oom(ret_error);
	}
	if (strv_length(hooks) <= HOOKS_MAX)
		return 0;
	return error_set(ret_error, -EOPNOTSUPP,
			 "policy %s: it needs %zu hooks that are not in use yet, %zu are in use on this machine, and this kernel has room for %d; remove other policies, or boot a kernel with the controller checmate",
			 policies[0]->description.name, strv_length(hooks) - in_use, in_use,
			 HOOKS_MAX);
}

static int check(const struct checmate_policy *policy, struct checmate_error **ret_error)
{
	static const char remedy[] = "boot a kernel with the controller checmate";
	const struct bpf_program *sleepable = backend_check_find_sleepable(policy);
	const char *kfunc = backend_check_find_kfunc(policy), *name = policy->description.name;
	const struct btf *btf = get_types();
	struct bpf_program *program;

	if (kfunc)
		return error_set(ret_error, -EOPNOTSUPP,
				 "policy %s: it calls %s(), which this kernel lacks, so it cannot rewrite addresses with the backend bpf-link; %s",
				 name, kfunc, remedy);
	if (sleepable)
		return error_set(ret_error, -EOPNOTSUPP,
				 "policy %s: its program %s may sleep, and such programs cannot be attached to a cgroup with the backend bpf-link; %s",
				 name, bpf_program__name(sleepable), remedy);
	bpf_object__for_each_program(program, policy->object->parsed) {
		char function[128];

		if (bpf_program__expected_attach_type(program) != BPF_LSM_CGROUP)
			return error_set(ret_error, -EOPNOTSUPP,
					 "policy %s: its program %s is of the kind lsm/, which cannot be attached to a cgroup with the backend bpf-link; build it for lsm_cgroup/, or %s",
					 name, bpf_program__name(program), remedy);
		snprintf(function, sizeof(function), "bpf_lsm_%s", backend_check_hook(program));
		if (btf && btf__find_by_name_kind(btf, function, BTF_KIND_FUNC) < 0)
			return error_set(ret_error, -EOPNOTSUPP,
					 "policy %s: its program %s is for the hook %s, which this kernel lacks; boot a newer one",
					 name, bpf_program__name(program),
					 backend_check_hook(program));
	}
	return check_room(&policy, 1, ret_error);
}

/* --- links and their pins --------------------------------------------------- */

/*
 * Detaches what is linked in a directory, and removes it. A pin that is removed
 * detaches too, but some time later.
 */
static int drop(const struct pin_path *path, struct checmate_error **ret_error)
{
	_cleanup_strv_ char **names = NULL;
	int r;

	r = pin_names(path, PIN_LINK, &names);
	/* A record without links is one of the controller's. */
	if (r == -ENOTDIR)
		r = 0;
	for (char **name = names; !r && name && *name; name++) {
		_cleanup_close_ int fd = pin_open(path, PIN_LINK, *name);

		r = fd < 0 ? fd : bpf_link_detach(fd) ? -errno : 0;
	}
	if (!r)
		r = record_remove(path);
	return r < 0 ? pin_explain(path, r, ret_error) : 0;
}

static int move(const struct pin_path *from, const struct pin_path *to,
		struct checmate_error **ret_error)
{
	int r = record_move(from, to);

	return r < 0 ? pin_explain(from, r, ret_error) : 0;
}

/* Whether @name is "<policy><suffix>"; cuts the suffix off then. */
static bool cut_suffix(char *name, const char *suffix)
{
	char *plus = strchr(name, '+');

	if (!plus || plus == name || !streq(plus, suffix))
		return false;
	*plus = '\0';
	return true;
}

/* From here on the programs of a new binding, and those that it replaces, find the new one. */
static int switch_cookie(uint64_t cgroup_id, const struct pin_path *path)
{
	_cleanup_(checmate_cgroup_freep) struct checmate_cgroup *cgroup = NULL;
	_cleanup_(record_done) struct record record = {};
	int r;

	r = checmate_cgroup_open_id(cgroup_id, &cgroup, NULL);
	/* It is gone, and with it all that was attached. */
	if (r == -ENOENT)
		return 0;
	if (!r)
		r = record_read(path, &record);
	/* The word is there: programs of the set are attached. */
	return r < 0 ? r : cookie_set(cgroup, record.set, -1, record.cookie);
}

/* Goes on from "+commit". */
static int finish(uint64_t cgroup_id, struct checmate_error **ret_error)
{
	struct pin_path directory = pin_path(cgroup_id, NULL, "");
	struct pin_path commit = pin_path(cgroup_id, "", PIN_COMMIT);
	_cleanup_strv_ char **names = NULL;
	int r;

	r = pin_list(directory.text, &names);
	if (r < 0)
		return pin_explain(&directory, r, ret_error);
	for (char **name = names; *name; name++) {
		struct pin_path path = pin_path(cgroup_id, *name, "");

		if (cut_suffix(*name, PIN_GONE)) {
			r = drop(&path, ret_error);
		} else if (cut_suffix(*name, PIN_NEW)) {
			struct pin_path to = pin_path(cgroup_id, *name, "");

			r = switch_cookie(cgroup_id, &path);
			if (r < 0)
				return pin_explain(&path, r, ret_error);
			r = drop(&to, ret_error);
			if (!r)
				r = move(&path, &to, ret_error);
		}
		if (r < 0)
			return r;
	}
	return rmdir(commit.text) < 0 ? pin_explain(&commit, -errno, ret_error) : 0;
}

/* Undoes what "+commit" did not come after. */
static int undo(uint64_t cgroup_id, struct checmate_error **ret_error)
{
	struct pin_path directory = pin_path(cgroup_id, NULL, "");
	_cleanup_strv_ char **names = NULL;
	int r;

	r = pin_list(directory.text, &names);
	if (r < 0)
		return pin_explain(&directory, r, ret_error);
	for (char **name = names; *name; name++) {
		struct pin_path path = pin_path(cgroup_id, *name, "");

		if (cut_suffix(*name, PIN_NEW)) {
			r = drop(&path, ret_error);
		} else if (cut_suffix(*name, PIN_GONE)) {
			struct pin_path to = pin_path(cgroup_id, *name, "");

			r = move(&path, &to, ret_error);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static int recover(uint64_t cgroup_id, const struct control_list *list,
		   struct checmate_error **ret_error)
{
	struct pin_path commit = pin_path(cgroup_id, "", PIN_COMMIT);

	(void)list;
	if (!access(commit.text, F_OK))
		return finish(cgroup_id, ret_error);
	/* Undoing a committed change would leave neither the old policy nor the new one. */
	if (errno != ENOENT)
		return pin_explain(&commit, -errno, ret_error);
	return undo(cgroup_id, ret_error);
}

/* The step from which on there is no way back. */
static int commit(uint64_t cgroup_id, struct checmate_error **ret_error)
{
	struct pin_path path = pin_path(cgroup_id, "", PIN_COMMIT);

	return mkdir(path.text, 0700) < 0 ? pin_explain(&path, -errno, ret_error) : 0;
}

/* --- apply ------------------------------------------------------------------ */

static int explain_link(const struct checmate_cgroup *cgroup, const struct bpf_program *program,
			int code, struct checmate_error **ret_error)
{
	const char *name = bpf_program__name(program), *hook = backend_check_hook(program);

	if (code == -ENOMEM)
		return error_oom(ret_error);
	if (code == -EPERM || code == -EACCES)
		return error_set(ret_error, code,
				 "cgroup %s: attaching the program %s is not permitted; run as root with CAP_BPF and CAP_NET_ADMIN",
				 cgroup->path, name);
	if (code == -ENODEV || code == -ENOENT)
		return error_set(ret_error, -ENODEV, "cgroup %s: it is gone; give another",
				 cgroup->path);
	/* Kernels differ in what they say when all places are taken. */
	if (code == -EINVAL || code == -E2BIG || code == -ENOSPC || code == -EBUSY)
		return error_set(ret_error, code,
				 "cgroup %s: the kernel has no place for the program %s of the hook %s: %s; it has room for %d hooks on the whole machine and 64 programs of a hook in a cgroup, remove other policies",
				 cgroup->path, name, hook, strerror(-code), HOOKS_MAX);
	return error_set(ret_error, code,
			 "cgroup %s: the program %s of the hook %s cannot be attached: %s; see \"checmatectl features\"",
			 cgroup->path, name, hook, strerror(-code));
}

static int link_program(const struct checmate_cgroup *cgroup, const struct pin_path *path,
			const struct checmate_policy *policy, const struct bpf_program *program,
			struct checmate_error **ret_error)
{
	_cleanup_close_ int fd = -1;
	int r;

	fd = bpf_link_create(policy_program_fd(policy, program), cgroup->fd, BPF_LSM_CGROUP, NULL);
	if (fd < 0)
		return explain_link(cgroup, program, -errno, ret_error);
	r = pin_write(path, PIN_LINK, bpf_program__name(program), fd);
	if (r < 0) {
		(void)bpf_link_detach(fd);
		return pin_explain(path, r, ret_error);
	}
	return 0;
}

/* A binding that has no links was made by the controller, which would keep its programs. */
static int check_ours(const struct checmate_cgroup *cgroup, const char *policy,
		      struct checmate_error **ret_error)
{
	struct pin_path path = pin_path(cgroup->id, policy, "");
	_cleanup_strv_ char **names = NULL;
	int r;

	if (!record_exists(&path))
		return 0;
	r = pin_names(&path, PIN_LINK, &names);
	if (r < 0 && r != -ENOTDIR)
		return pin_explain(&path, r, ret_error);
	if (r < 0 || !*names)
		return error_set(ret_error, -EBUSY,
				 "cgroup %s: the policy %s was put in force by another backend; use that one to change it",
				 cgroup->path, policy);
	return 0;
}

static int check_apply(const struct apply *apply, struct checmate_error **ret_error)
{
	int r;

	r = check_room((const struct checmate_policy *const *)apply->policies, apply->n_policies,
		       ret_error);
	for (size_t i = 0; !r && i < apply->n_policies; i++) {
		const struct checmate_policy *policy = apply->policies[i];

		if (apply->permissive && !policy_has_instances(policy))
			return error_set(ret_error, -EOPNOTSUPP,
					 "policy %s: with the backend bpf-link its programs have to let pass what is only to be told, and they cannot; build it with this version's checmate.bpf.h",
					 policy->description.name);
		r = check_ours(apply->cgroup, policy->description.name, ret_error);
	}
	return r;
}

/*
 * What a policy of the same program set has bound keeps its cookie until all is committed: the
 * new links only have it evaluated twice.
 */
static int prepare_cookie(const struct apply *apply, const struct checmate_policy *policy)
{
	struct pin_path old = pin_path(apply->cgroup->id, policy->description.name, "");
	_cleanup_(record_done) struct record record = {};
	int r;

	r = record_read(&old, &record);
	if (r < 0 && r != -ENOENT)
		return r;
	if (!r && streq(record.set, policy->set))
		return 0;
	return cookie_set(apply->cgroup, policy->set,
			  policy_program_fd(policy,
					    bpf_object__next_program(policy->object->parsed, NULL)),
			  policy->cookie);
}

static int link_all(const struct apply *apply, struct checmate_error **ret_error)
{
	for (size_t i = 0; i < apply->n_policies; i++) {
		const struct checmate_policy *policy = apply->policies[i];
		struct pin_path path = pin_path(apply->cgroup->id, policy->description.name,
						PIN_NEW);
		struct bpf_program *program;
		int r;

		r = prepare_cookie(apply, policy);
		if (r < 0)
			return explain_link(apply->cgroup,
					    bpf_object__next_program(policy->object->parsed, NULL),
					    r, ret_error);
		bpf_object__for_each_program(program, policy->object->parsed) {
			r = link_program(apply->cgroup, &path, policy, program, ret_error);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static bool is_linked(const struct control_list *list, uint32_t prog_id)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].prog_id == prog_id)
			return true;
	return false;
}

/* Whether the kernel says that all programs are attached, whatever their cookies are yet. */
static int check_linked(const struct apply *apply, const struct control_list *list,
			struct checmate_error **ret_error)
{
	for (size_t i = 0; i < apply->n_policies; i++)
		for (size_t j = 0; j < apply->policies[i]->n_programs; j++)
			if (!is_linked(list, apply->policies[i]->programs[j].id))
				return backend_explain_not_enforced(apply, i, j, ret_error);
	return 0;
}

static int apply(const struct apply *apply, struct checmate_error **ret_error)
{
	_cleanup_(control_list_done) struct control_list list = {};
	int r;

	r = check_apply(apply, ret_error);
	if (r < 0)
		return r;
	r = link_all(apply, ret_error);
	/* Checked while what it replaces is in force, too. */
	if (!r)
		r = read_local(apply->cgroup, &list, ret_error);
	if (!r)
		r = check_linked(apply, &list, ret_error);
	if (!r)
		r = commit(apply->cgroup->id, ret_error);
	if (r < 0) {
		(void)undo(apply->cgroup->id, NULL);
		return r;
	}
	for (size_t i = 0; i < apply->n_policies; i++)
		apply->policies[i]->bound = true;
	/* In force. Should this fail, the next one to hold the lock does it. */
	(void)finish(apply->cgroup->id, NULL);
	return 0;
}

/* --- remove, change --------------------------------------------------------- */

static int remove_bindings(const struct checmate_cgroup *cgroup, uint64_t cgroup_id,
			   char *const *names, struct checmate_error **ret_error)
{
	int r;

	for (char *const *name = names; cgroup && *name; name++) {
		r = check_ours(cgroup, *name, ret_error);
		if (r < 0)
			return r;
	}
	for (char *const *name = names; *name; name++) {
		struct pin_path path = pin_path(cgroup_id, *name, "");
		struct pin_path gone = pin_path(cgroup_id, *name, PIN_GONE);

		r = move(&path, &gone, ret_error);
		if (r < 0) {
			(void)undo(cgroup_id, NULL);
			return r;
		}
	}
	if (!*names)
		return 0;
	r = commit(cgroup_id, ret_error);
	if (r < 0) {
		(void)undo(cgroup_id, NULL);
		return r;
	}
	return finish(cgroup_id, ret_error);
}

static int set_mode(const struct checmate_cgroup *cgroup, const char *policy, bool permissive,
		    struct checmate_error **ret_error)
{
	struct pin_path path = pin_path(cgroup->id, policy, "");
	_cleanup_(control_list_done) struct control_list list = {};
	_cleanup_(instance_done) struct instance instance = {};
	_cleanup_(record_done) struct record record = {};
	int r;

	r = check_ours(cgroup, policy, ret_error);
	if (!r)
		r = read_local(cgroup, &list, ret_error);
	if (r < 0)
		return r;
	r = record_read(&path, &record);
	if (r < 0)
		return pin_explain(&path, r, ret_error);
	if (!record_any_attached(&record, &list))
		return error_set(ret_error, -ENOENT,
				 "cgroup %s: somebody has detached the policy %s; apply it again",
				 cgroup->path, policy);
	r = instance_read(record.cookie, &instance);
	if (r == -ENOENT && !permissive)
		return 0;
	if (r == -ENOENT)
		return error_set(ret_error, -EOPNOTSUPP,
				 "policy %s: with the backend bpf-link its programs have to let pass what is only to be told, and they cannot; build it with this version's checmate.bpf.h",
				 policy);
	/* The programs ask for it at each denial. */
	if (!r) {
		instance_head(&instance)->flags = permissive ? backend_link.flags_permissive : 0;
		r = instance_replace(&instance);
	}
	return r < 0 ? pin_explain(&path, r, ret_error) : 0;
}

static int seal(const struct checmate_cgroup *cgroup, struct checmate_error **ret_error)
{
	return error_set(ret_error, -EOPNOTSUPP,
			 "cgroup %s: the backend bpf-link cannot seal, only the kernel's controller checmate can; boot a kernel with it",
			 cgroup->path);
}

static int sealed(const struct checmate_cgroup *cgroup, struct checmate_error **ret_error)
{
	(void)cgroup;
	(void)ret_error;
	return 0;
}

/* --- test ------------------------------------------------------------------- */

static int attach_test(const struct checmate_cgroup *cgroup, int prog_fd)
{
	int fd = bpf_link_create(prog_fd, cgroup->fd, BPF_LSM_CGROUP, NULL);

	return fd < 0 ? -errno : fd;
}

static int detach_test(const struct checmate_cgroup *cgroup, int handle)
{
	_cleanup_close_ int fd = handle;

	(void)cgroup;
	return bpf_link_detach(fd) ? -errno : 0;
}

const struct backend backend_link = {
	.name = "bpf-link",
	.abilities = (const char *const[]){ "permissive", NULL },
	.set_suffix = "-link",
	.has_links = true,
	.flags_permissive = CHECMATE_HEAD_PERMISSIVE | CHECMATE_HEAD_YIELD,
	.enable = enable,
	.read_local = read_local,
	.read_effective = read_effective,
	.check = check,
	.apply = apply,
	.remove = remove_bindings,
	.set_mode = set_mode,
	.recover = recover,
	.seal = seal,
	.sealed = sealed,
	.attach_test = attach_test,
	.detach_test = detach_test,
};
