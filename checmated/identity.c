// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - What a cgroup is: the unit, slice or container that it belongs to
 */

#include "identity.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "parse.h"
#include "strv.h"

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

/* Keys of a pod's namespace and name; engines' own keys first. */
static const struct {
	const char *namespace;
	const char *name;
} pod_keys[] = {
	{ "io.kubernetes.cri.sandbox-namespace", "io.kubernetes.cri.sandbox-name" },
	{ "io.kubernetes.cri-o.Namespace", "io.kubernetes.cri-o.KubeName" },
	{ "io.kubernetes.pod.namespace", "io.kubernetes.pod.name" },
};

/* Where a walk down a path has come to. */
struct walk {
	struct identity *identity;
	const char *parent; /* the component above; NULL at the top */
	bool in_slices; /* everything so far was a slice */
	bool in_kubepods;
	bool in_container;
};

static const char *endswith(const char *text, const char *suffix)
{
	size_t n = strlen(text), m = strlen(suffix);

	return n >= m && streq(text + n - m, suffix) ? text + n - m : NULL;
}

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

static int found(struct identity *identity, const char *id, size_t n, const char *const runtimes[2])
{
	int r;

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
			return found(identity, id, end - id, engine->runtimes);
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
			return found(walk->identity, name, n,
				     (const char *const[2]){ bare_parents[i].runtime });

	/* containerd's, or whose they may be. */
	if (walk->in_kubepods && is_pod(walk->parent))
		return found(walk->identity, name, n, (const char *const[2]){});
	return 0;
}

/* Forgets the container around the cgroup: to be in one is not to be one. */
static void step_into_container(struct walk *walk)
{
	struct identity *identity = walk->identity;

	walk->in_container = true;
	free(TAKE_PTR(identity->container));
	identity->runtimes = strv_free(identity->runtimes);
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
	}
	walk->in_slices = false;

	if (walk->in_container)
		return 0;
	r = container_by_prefix(identity, name);
	if (r == 0)
		r = container_by_parent(walk, name);
	if (r < 0)
		return r;
	if (r > 0 && !last)
		step_into_container(walk);
	if (streq(name, "kubepods"))
		walk->in_kubepods = true;
	return 0;
}

static int walk_path(struct identity *identity, const char *path)
{
	struct walk walk = {
		.identity = identity,
		.in_slices = true,
	};
	_cleanup_free_ char *parent = NULL;

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

		r = step(&walk, name, *path == '\0');
		if (r < 0)
			return r;
		free(parent);
		walk.parent = parent = TAKE_PTR(name);
	}
	return 0;
}

int identity_from_path(const char *path, struct identity *ret)
{
	_cleanup_(identity_done) struct identity identity = {};
	int r;

	if (path[0] != '/')
		return -EINVAL;
	identity.path = strdup(path);
	if (!identity.path)
		return -ENOMEM;
	r = streq(path, "/") ? 0 : walk_path(&identity, path);
	if (r < 0)
		return r;

	*ret = identity;
	identity = (struct identity){};
	return 0;
}

int identity_set_container(struct identity *identity, const char *id)
{
	return set_text(&identity->container, id, strlen(id));
}

int identity_add_runtime(struct identity *identity, const char *runtime)
{
	if (!runtime || !*runtime || strv_contains(identity->runtimes, runtime))
		return 0;
	return strv_extend(&identity->runtimes, runtime);
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

static int runtimes_by_annotations(struct identity *identity)
{
	const char *manager = identity_annotation(identity, "io.container.manager");
	int r;

	/*
	 * Podman writes io.kubernetes.cri-o.* too, so that these keys alone do
	 * not speak of CRI-O, which always says that it manages the container.
	 */
	r = identity_add_runtime(identity, manager && streq(manager, "libpod") ? "podman" : manager);
	for (char **a = identity->annotations; a && *a && r >= 0; a += 2)
		for (size_t i = 0; i < ARRAY_SIZE(annotation_prefixes) && r >= 0; i++)
			if (startswith(a[0], annotation_prefixes[i].prefix))
				r = add_runtimes(identity, annotation_prefixes[i].runtimes);
	return r;
}

static int set_pod(struct identity *identity, const char *namespace, size_t namespace_length,
		   const char *name, size_t name_length)
{
	_cleanup_free_ char *namespace_copy = strndup(namespace, namespace_length);
	_cleanup_free_ char *name_copy = strndup(name, name_length);

	if (!namespace_copy || !name_copy)
		return -ENOMEM;
	free(identity->pod_namespace);
	free(identity->pod_name);
	identity->pod_namespace = TAKE_PTR(namespace_copy);
	identity->pod_name = TAKE_PTR(name_copy);
	return 1;
}

/* k8s_NAME_NAMESPACE_UID_ATTEMPT, in which CRI-O writes the pod of each container */
static int pod_by_sandbox_name(struct identity *identity)
{
	const char *text = identity_annotation(identity, "io.kubernetes.cri-o.SandboxName");
	const char *name, *namespace, *uid;

	text = text ? startswith(text, "k8s_") : NULL;
	if (!text)
		return 0;
	name = text;
	namespace = strchr(name, '_');
	uid = namespace ? strchr(namespace + 1, '_') : NULL;
	if (!uid || namespace == name || uid == namespace + 1 || !strchr(uid + 1, '_'))
		return 0;
	return set_pod(identity, namespace + 1, uid - namespace - 1, name, namespace - name);
}

static int pod_by_annotations(struct identity *identity)
{
	for (size_t i = 0; i < ARRAY_SIZE(pod_keys); i++) {
		const char *namespace = identity_annotation(identity, pod_keys[i].namespace);
		const char *name = identity_annotation(identity, pod_keys[i].name);
		int r;

		if (namespace && name && *namespace && *name)
			return set_pod(identity, namespace, strlen(namespace), name, strlen(name));
		/* CRI-O's own as well; a sandbox has the keys, its containers have the name. */
		r = i == 0 ? pod_by_sandbox_name(identity) : 0;
		if (r != 0)
			return r;
	}
	return 0;
}

int identity_add_annotations(struct identity *identity, const char *const *annotations)
{
	int r;

	r = add_annotations(identity, annotations);
	if (r >= 0)
		r = runtimes_by_annotations(identity);
	if (r >= 0)
		r = pod_by_annotations(identity);
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
	free(identity->pod_namespace);
	free(identity->pod_name);
	strv_free(identity->annotations);
	*identity = (struct identity){};
}
