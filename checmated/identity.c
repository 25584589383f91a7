// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - What a cgroup is: the unit, slice or container that it belongs to
 */

#include "identity.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "parse.h"
#include "strv.h"
#include "text.h"

#define HEX "0123456789abcdef"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* What systemd takes in a unit's name, and OCI runtimes in a container's id. */
#define UNIT_CHARS LETTERS DIGITS ":-_.\\@"
#define ID_CHARS LETTERS DIGITS "_+-."

#define ENGINE_ID_LENGTH 64 /* podman, docker, containerd for Kubernetes, CRI-O */
#define POD_UID_LENGTH_MIN 32 /* static pods have no dashes in theirs */

/* How engines name the cgroups of containers: PREFIX, the id, and ".scope" where systemd makes it. */
static const struct engine {
	const char *prefix;
	const char *runtimes[2];
	bool any_id; /* the id is whatever the user chose */
	bool not_a_container;
} engines[] = {
	{ .prefix = "libpod-conmon-", .not_a_container = true },
	{ .prefix = "crio-conmon-", .not_a_container = true },
	{ .prefix = "libpod-payload-", .runtimes = { "podman" } },
	{ .prefix = "libpod-", .runtimes = { "podman" } },
	{ .prefix = "docker-", .runtimes = { "docker" } },
	{ .prefix = "cri-containerd-", .runtimes = { "containerd" } },
	{ .prefix = "nerdctl-", .runtimes = { "nerdctl", "containerd" } },
	{ .prefix = "crio-", .runtimes = { "cri-o" } },
	{ .prefix = "crun-", .runtimes = { "crun" }, .any_id = true },
	{ .prefix = "runc-", .runtimes = { "runc" }, .any_id = true },
};

/* Engines whose containers have a cgroup of their bare id, in a cgroup of this name. */
static const struct {
	const char *parent;
	const char *runtime;
} bare_parents[] = {
	{ "docker", "docker" },
	{ "k8s.io", "containerd" },
};

/* An annotation whose key begins so is written by, or for, this engine. */
static const struct {
	const char *prefix;
	const char *runtimes[2];
} annotation_prefixes[] = {
	{ "io.podman.annotations.", { "podman" } },
	{ "io.kubernetes.cri.", { "containerd" } },
	{ "nerdctl/", { "nerdctl", "containerd" } },
};

/*
 * Keys of a pod's namespace and name. CRI-O copies a pod's annotations over its
 * own keys, and then the kubelet's labels over all; containerd writes its own keys
 * last. docs/oci.md has the table.
 */
static const struct pod_keys {
	const char *engine; /* whose they are; NULL: everybody's */
	const char *writer; /* the engine on which the workload cannot write them */
	const char *namespace; /* NULL: @name holds both, as CRI-O's SandboxName does */
	const char *name;
} pod_keys[] = {
	{ "containerd", "containerd", "io.kubernetes.cri.sandbox-namespace",
	  "io.kubernetes.cri.sandbox-name" },
	{ "cri-o", NULL, NULL, "io.kubernetes.cri-o.SandboxName" },
	{ "cri-o", NULL, "io.kubernetes.cri-o.Namespace", "io.kubernetes.cri-o.KubeName" },
	{ NULL, "cri-o", "io.kubernetes.pod.namespace", "io.kubernetes.pod.name" },
};

/* Where a walk down a path has come to. */
struct walk {
	struct identity *identity;
	const char *parent; /* the component above; NULL at the top */
	bool in_slices; /* everything so far was a slice */
	bool in_kubepods;
	bool in_container;
	const char *id; /* a container that is looked for, or NULL */
	bool found; /* in this component */
};

static bool is_made_of(const char *text, size_t n, const char *chars)
{
	return n > 0 && strspn(text, chars) >= n;
}

static bool is_unit_name(const char *name)
{
	static const char *const types[] = { ".service", ".scope", ".socket", ".mount", ".swap" };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		const char *end = endswith(name, types[i]);

		if (end)
			return name[0] != '@' && is_made_of(name, end - name, UNIT_CHARS);
	}
	return false;
}

/* Is @name a slice that systemd would put into @parent, "a-b.slice" into "a.slice"? */
static bool is_slice_name(const char *name, const char *parent)
{
	const char *end = endswith(name, ".slice");
	const char *dash;
	size_t n;

	if (!end || !is_made_of(name, end - name, UNIT_CHARS))
		return false;
	if (name[0] == '-' || end[-1] == '-' || memmem(name, end - name, "--", 2))
		return false;

	dash = memrchr(name, '-', end - name);
	if (!dash || !parent)
		return !dash && !parent;
	n = dash - name;
	return strlen(parent) == n + strlen(".slice") && memcmp(parent, name, n) == 0;
}

static bool is_engine_id(const char *text, size_t n)
{
	return n == ENGINE_ID_LENGTH && is_made_of(text, n, HEX);
}

static int set_text(char **text, const char *value, size_t n)
{
	char *copy = strndup(value, n);

	if (!copy)
		return -ENOMEM;
	free(*text);
	*text = copy;
	return 0;
}

/* Adds to the front. */
static int add_slice(struct identity *identity, const char *name)
{
	size_t n;
	int r;

	r = strv_extend(&identity->slices, name);
	if (r < 0)
		return r;
	n = strv_length(identity->slices);
	for (char *first = identity->slices[n - 1]; n > 1; n--) {
		identity->slices[n - 1] = identity->slices[n - 2];
		identity->slices[n - 2] = first;
	}
	return 0;
}

static int add_runtimes(struct identity *identity, const char *const runtimes[2])
{
	int r = identity_add_runtime(identity, runtimes[0]);

	return r < 0 ? r : identity_add_runtime(identity, runtimes[1]);
}

static int found(struct identity *identity, const char *id, size_t n, bool by_runtime,
		 const char *const runtimes[2])
{
	int r;

	/* Any engine may have crun or runc name the cgroup. */
	identity->engine = by_runtime ? NULL : runtimes[0];
	r = set_text(&identity->container, id, n);
	if (r >= 0)
		r = add_runtimes(identity, runtimes);
	return r < 0 ? r : 1;
}

/*
 * PREFIX-ID or PREFIX-ID.scope.  Where a runtime was given "SLICE:PREFIX:ID" for
 * systemd and takes it for a path, the last component is that, as it stands.
 */
static int container_by_prefix(struct identity *identity, const char *name)
{
	const char *end = endswith(name, ".scope");
	const char *colon = strrchr(name, ':');
	bool scope = end;

	if (!end)
		end = name + strlen(name);
	if (!scope && colon)
		colon = memrchr(name, ':', colon - name);
	if (!scope && colon)
		name = colon + 1;

	for (size_t i = 0; i < ARRAY_SIZE(engines); i++) {
		const struct engine *engine = &engines[i];
		size_t prefix = strlen(engine->prefix);
		const char *id = name + prefix;

		if (strncmp(name, engine->prefix, prefix - 1) != 0 ||
		    (name[prefix - 1] != '-' && name[prefix - 1] != ':'))
			continue;
		if (engine->not_a_container)
			return 0;
		if (is_engine_id(id, end - id) ||
		    (engine->any_id && scope && is_made_of(id, end - id, ID_CHARS)))
			return found(identity, id, end - id, engine->any_id, engine->runtimes);
		return 0;
	}
	return 0;
}

static bool is_pod(const char *name)
{
	const char *uid = startswith(name, "pod");

	return uid && strlen(uid) >= POD_UID_LENGTH_MIN &&
	       is_made_of(uid, strlen(uid), LETTERS DIGITS "-_");
}

static int container_by_parent(const struct walk *walk, const char *name)
{
	size_t n = strlen(name);

	if (!walk->parent || !is_engine_id(name, n))
		return 0;

	for (size_t i = 0; i < ARRAY_SIZE(bare_parents); i++)
		if (streq(walk->parent, bare_parents[i].parent))
			return found(walk->identity, name, n, false,
				     (const char *const[2]){ bare_parents[i].runtime });

	/* containerd's or docker's; docker writes no annotations. */
	if (!walk->in_kubepods || !is_pod(walk->parent))
		return 0;
	walk->identity->of_kubelet = true;
	return found(walk->identity, name, n, false, (const char *const[2]){});
}

/* Forgets the container around the cgroup: to be in one is not to be one. */
static void step_into_container(struct walk *walk)
{
	struct identity *identity = walk->identity;

	walk->in_container = true;
	free(TAKE_PTR(identity->container));
	identity->runtimes = strv_free(identity->runtimes);
	identity->claimed = strv_free(identity->claimed);
	identity->engine = NULL;
	identity->of_kubelet = false;
}

static int step(struct walk *walk, const char *name, bool last)
{
	struct identity *identity = walk->identity;
	int r;

	if (walk->in_slices && is_slice_name(name, walk->parent)) {
		identity->is_slice = last;
		return add_slice(identity, name);
	}
	if (walk->in_slices && is_unit_name(name)) {
		identity->is_unit = last;
		r = set_text(&identity->unit, name, strlen(name));
		if (r < 0)
			return r;
		identity->of_user = !last && startswith(name, "user@") && endswith(name, ".service");
	}
	walk->in_slices = false;

	if (walk->in_container)
		return 0;
	r = container_by_prefix(identity, name);
	if (r == 0)
		r = container_by_parent(walk, name);
	if (r < 0)
		return r;
	walk->found = r > 0 && walk->id && streq(identity->container, walk->id);
	if (r > 0 && !last)
		step_into_container(walk);
	if (streq(name, "kubepods"))
		walk->in_kubepods = true;
	return 0;
}

/* @ret_length: where a container that is looked for was found, or 0 */
static int walk_path(struct walk *walk, const char *path, size_t *ret_length)
{
	_cleanup_free_ char *parent = NULL;
	const char *begin = path;
	size_t length = 0;

	walk->in_slices = true;
	while (*path) {
		_cleanup_free_ char *name = NULL;
		size_t n = strcspn(++path, "/");
		int r;

		if (n == 0 || n > NAME_MAX || (n <= 2 && strspn(path, ".") == n))
			return -EINVAL;
		/* systemd puts a '_' before names that the kernel could take for its own. */
		name = strndup(path + (n > 1 && path[0] == '_'), n - (n > 1 && path[0] == '_'));
		if (!name)
			return -ENOMEM;
		path += n;

		walk->found = false;
		r = step(walk, name, *path == '\0');
		if (r < 0)
			return r;
		if (walk->found)
			length = path - begin;
		free(parent);
		walk->parent = parent = TAKE_PTR(name);
	}
	*ret_length = length;
	return 0;
}

int identity_from_path(const char *path, struct identity *ret)
{
	_cleanup_(identity_done) struct identity identity = {};
	struct walk walk = { .identity = &identity };
	size_t length;
	int r;

	if (path[0] != '/')
		return -EINVAL;
	identity.path = strdup(path);
	if (!identity.path)
		return -ENOMEM;
	r = streq(path, "/") ? 0 : walk_path(&walk, path, &length);
	if (r < 0)
		return r;

	*ret = identity;
	identity = (struct identity){};
	return 0;
}

int identity_find_container(const char *path, const char *id, size_t *ret_length)
{
	_cleanup_(identity_done) struct identity identity = {};
	struct walk walk = { .identity = &identity, .id = id };
	size_t length;
	int r;

	r = path[0] == '/' ? walk_path(&walk, path, &length) : -EINVAL;
	if (r < 0)
		return r;
	if (length == 0)
		return -ENOENT;
	*ret_length = length;
	return 0;
}

int identity_set_container(struct identity *identity, const char *id)
{
	return set_text(&identity->container, id, strlen(id));
}

static int add_name(char ***names, const char *name)
{
	if (!name || !*name || strv_contains(*names, name))
		return 0;
	return strv_extend(names, name);
}

int identity_add_runtime(struct identity *identity, const char *runtime)
{
	return add_name(identity->of_user ? &identity->claimed : &identity->runtimes, runtime);
}

static int compare_key(const void *key, const void *annotation)
{
	return strcmp(key, *(char *const *)annotation);
}

const char *identity_annotation(const struct identity *identity, const char *key)
{
	char **found;

	if (!identity->annotations)
		return NULL;
	found = bsearch(key, identity->annotations, strv_length(identity->annotations) / 2,
			2 * sizeof(char *), compare_key);
	return found ? found[1] : NULL;
}

struct annotation {
	char *key, *value;
	size_t order;
};

static int compare_annotations(const void *a, const void *b)
{
	const struct annotation *x = a, *y = b;

	return strcmp(x->key, y->key) ?: (x->order > y->order) - (x->order < y->order);
}

static void free_annotations(struct annotation *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(items[i].key);
		free(items[i].value);
	}
}

/* There may be as many as a message can hold: they are sorted, not searched one by one. */
static int add_annotations(struct identity *identity, const char *const *annotations)
{
	size_t n_old = strv_length(identity->annotations) / 2;
	size_t n_new = strv_length((char *const *)annotations) / 2;
	_cleanup_free_ struct annotation *items = calloc(n_old + n_new + 1, sizeof(*items));
	_cleanup_free_ char **sorted = calloc(2 * (n_old + n_new) + 1, sizeof(*sorted));
	size_t n = 0;

	if (!items || !sorted)
		return -ENOMEM;
	for (size_t i = 0; i < n_new; i++) {
		struct annotation *item = &items[n_old + i];

		item->key = strdup(annotations[2 * i]);
		item->value = strdup(annotations[2 * i + 1]);
		item->order = n_old + i;
		if (!item->key || !item->value) {
			free_annotations(items + n_old, i + 1);
			return -ENOMEM;
		}
	}
	for (size_t i = 0; i < n_old; i++) {
		items[i].key = identity->annotations[2 * i];
		items[i].value = identity->annotations[2 * i + 1];
		items[i].order = i;
	}

	qsort(items, n_old + n_new, sizeof(*items), compare_annotations);
	for (size_t i = 0; i < n_old + n_new; i++) {
		if (i + 1 < n_old + n_new && streq(items[i].key, items[i + 1].key)) {
			free_annotations(&items[i], 1);
			continue;
		}
		sorted[n++] = items[i].key;
		sorted[n++] = items[i].value;
	}
	free(identity->annotations);
	identity->annotations = TAKE_PTR(sorted);
	return 0;
}

__attribute__((format(printf, 2, 3))) static int contradict(char **ret_reason, const char *format,
							    ...)
{
	va_list ap;

	va_start(ap, format);
	*ret_reason = text_vformat(format, ap);
	va_end(ap);
	return *ret_reason ? -EBADMSG : -ENOMEM;
}

static int claim_prefixes(struct identity *identity)
{
	int r = 0;

	for (char **a = identity->annotations; a && *a && r >= 0; a += 2) {
		for (size_t i = 0; i < ARRAY_SIZE(annotation_prefixes) && r >= 0; i++) {
			const char *const *runtimes = annotation_prefixes[i].runtimes;

			if (!startswith(a[0], annotation_prefixes[i].prefix))
				continue;
			r = add_name(&identity->claimed, runtimes[0]);
			if (r >= 0)
				r = add_name(&identity->claimed, runtimes[1]);
		}
	}
	return r;
}

/* Of the two engines that name a cgroup so, one writes annotations. */
static bool is_containerd(const struct identity *identity)
{
	return identity->of_kubelet &&
	       identity_annotation(identity, "io.kubernetes.cri.container-type");
}

/*
 * Podman writes io.kubernetes.cri-o.* too: these keys do not speak of CRI-O, which
 * always says that it manages the container.
 */
static int runtimes_by_annotations(struct identity *identity, char **ret_reason)
{
	const char *manager = identity_annotation(identity, "io.container.manager");
	int r;

	if (!identity->engine && is_containerd(identity)) {
		identity->engine = "containerd";
		r = identity_add_runtime(identity, identity->engine);
		if (r < 0)
			return r;
	}
	if (manager && streq(manager, "libpod"))
		manager = "podman";
	if (manager && *manager && identity->engine && !streq(manager, identity->engine))
		return contradict(ret_reason,
				  "annotation io.container.manager does not name %s, whose cgroup %s is; remove the annotation",
				  identity->engine, identity->path);
	if (identity->engine)
		return 0;
	r = add_name(&identity->claimed, manager);
	return r < 0 ? r : claim_prefixes(identity);
}

struct pod {
	const char *namespace, *name; /* not terminated */
	int namespace_length, name_length;
};

static bool same_text(const char *a, int n, const char *b, int m)
{
	return n == m && memcmp(a, b, n) == 0;
}

/* k8s_NAME_NAMESPACE_UID_ATTEMPT */
static bool pod_by_sandbox_name(const char *text, struct pod *ret_pod)
{
	const char *name, *namespace, *uid;

	name = startswith(text, "k8s_");
	namespace = name ? strchr(name, '_') : NULL;
	uid = namespace ? strchr(namespace + 1, '_') : NULL;
	if (!uid || namespace == name || uid == namespace + 1 || !strchr(uid + 1, '_'))
		return false;
	*ret_pod = (struct pod){
		.namespace = namespace + 1,
		.namespace_length = uid - namespace - 1,
		.name = name,
		.name_length = namespace - name,
	};
	return true;
}

/* Half a pod is none. */
static bool pod_by_keys(const struct identity *identity, const struct pod_keys *keys,
			struct pod *ret_pod)
{
	const char *name = identity_annotation(identity, keys->name), *namespace;

	if (!name || !*name)
		return false;
	if (!keys->namespace)
		return pod_by_sandbox_name(name, ret_pod);
	namespace = identity_annotation(identity, keys->namespace);
	if (!namespace || !*namespace)
		return false;
	*ret_pod = (struct pod){
		.namespace = namespace,
		.namespace_length = strlen(namespace),
		.name = name,
		.name_length = strlen(name),
	};
	return true;
}

static bool is_engine(const struct identity *identity, const char *engine)
{
	return identity->engine ? streq(identity->engine, engine) :
				  strv_contains(identity->claimed, engine);
}

static int set_pod(struct identity *identity, const struct pod *pod)
{
	int r;

	r = set_text(&identity->pod_namespace, pod->namespace, pod->namespace_length);
	return r < 0 ? r : set_text(&identity->pod_name, pod->name, pod->name_length);
}

/*
 * Of a pair of keys that is not the engine's nobody takes the pod. It has to agree
 * all the same: an author who writes it means to be taken for another pod.
 */
static int pod_by_annotations(struct identity *identity, char **ret_reason)
{
	const struct pod_keys *first = NULL;
	struct pod pod = {};
	bool known = false, claimed = true;

	for (size_t i = 0; i < ARRAY_SIZE(pod_keys); i++) {
		const struct pod_keys *keys = &pod_keys[i];
		struct pod one;

		if (!pod_by_keys(identity, keys, &one))
			continue;
		if (first && (!same_text(one.namespace, one.namespace_length, pod.namespace,
					 pod.namespace_length) ||
			      !same_text(one.name, one.name_length, pod.name, pod.name_length)))
			return contradict(ret_reason,
					  "annotations %s and %s name two pods; remove what the engine does not write",
					  first->name, keys->name);
		first = first ?: keys;
		pod = one;
		known |= !keys->engine || is_engine(identity, keys->engine);
		/* Only the path proves the engine. */
		claimed &= !keys->writer || !identity->engine || identity->of_user ||
			   !streq(keys->writer, identity->engine);
	}
	if (!known)
		return 0;
	identity->pod_claimed = claimed;
	return set_pod(identity, &pod);
}

int identity_add_annotations(struct identity *identity, const char *const *annotations,
			     char **ret_reason)
{
	int r;

	r = add_annotations(identity, annotations);
	if (r >= 0)
		r = runtimes_by_annotations(identity, ret_reason);
	if (r >= 0)
		r = pod_by_annotations(identity, ret_reason);
	return r < 0 ? r : 0;
}

bool identity_is_container(const struct identity *identity)
{
	return identity->container;
}

void identity_done(struct identity *identity)
{
	free(identity->path);
	free(identity->unit);
	strv_free(identity->slices);
	free(identity->container);
	strv_free(identity->runtimes);
	strv_free(identity->claimed);
	free(identity->pod_namespace);
	free(identity->pod_name);
	strv_free(identity->annotations);
	*identity = (struct identity){};
}
