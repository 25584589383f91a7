// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - What a cgroup is: paths and annotations as systemd and engines make them
 */

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cleanup.h"
#include "identity.h"
#include "parse.h"
#include "strv.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER_ID "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
#define POD_UID "aaaa2b4a-f398-41c0-928b-049e1cc4ec40"
#define USER "/user.slice/user-1000.slice/user@1000.service"

enum kind {
	OTHER,
	UNIT,
	SLICE,
};

/* The last members of what is not a container. */
#define NONE NULL, ""

static const struct path {
	const char *path;
	enum kind kind; /* of the cgroup itself */
	const char *unit; /* NULL: none */
	const char *slices; /* blank separated, the nearest first */
	const char *container; /* NULL: not one */
	const char *runtimes; /* blank separated */
} paths[] = {
	/* systemd's */
	{ "/", OTHER, NULL, "", NONE },
	{ "/init.scope", UNIT, "init.scope", "", NONE },
	{ "/system.slice", SLICE, NULL, "system.slice", NONE },
	{ "/system.slice/web.service", UNIT, "web.service", "system.slice", NONE },
	{ "/system.slice/web.service/sub", OTHER, "web.service", "system.slice", NONE },
	{ "/system.slice/web.service/a.service", OTHER, "web.service", "system.slice", NONE },
	{ "/system.slice/web.service/b.slice", OTHER, "web.service", "system.slice", NONE },
	{ "/system.slice/system-getty.slice/getty@tty1.service", UNIT, "getty@tty1.service",
	  "system-getty.slice system.slice", NONE },
	{ "/a.slice/a-b.slice/a-b-c.slice", SLICE, NULL, "a-b-c.slice a-b.slice a.slice", NONE },
	{ "/a.slice/a-b.slice/x.mount", UNIT, "x.mount", "a-b.slice a.slice", NONE },
	{ "/system.slice/dev-disk-by\\x2duuid.swap", UNIT, "dev-disk-by\\x2duuid.swap",
	  "system.slice", NONE },
	{ "/system.slice/x.socket", UNIT, "x.socket", "system.slice", NONE },
	/* escaped: what the kernel could take for a file of its own */
	{ "/system.slice/_memory.service", UNIT, "memory.service", "system.slice", NONE },
	{ "/_cgroup.slice/_cgroup.service", UNIT, "cgroup.service", "cgroup.slice", NONE },
	{ "/system.slice/__x.service", UNIT, "_x.service", "system.slice", NONE },
	/* of user managers */
	{ USER, UNIT, "user@1000.service", "user-1000.slice user.slice", NONE },
	{ USER "/app.slice", OTHER, "user@1000.service", "user-1000.slice user.slice", NONE },
	{ USER "/app.slice/web.service", OTHER, "user@1000.service", "user-1000.slice user.slice",
	  NONE },
	/* not systemd's, though it may look so */
	{ "/web", OTHER, NULL, "", NONE },
	{ "/web/x.service", OTHER, NULL, "", NONE },
	{ "/system.slice/web", OTHER, NULL, "system.slice", NONE },
	{ "/system.slice/web/x.service", OTHER, NULL, "system.slice", NONE },
	{ "/a-b.slice", OTHER, NULL, "", NONE },
	{ "/a.slice/b-c.slice", OTHER, NULL, "a.slice", NONE },
	{ "/a.slice/ab-c.slice", OTHER, NULL, "a.slice", NONE },
	{ "/a.slice/a--b.slice", OTHER, NULL, "a.slice", NONE },
	{ "/-.slice", OTHER, NULL, "", NONE },
	{ "/.slice", OTHER, NULL, "", NONE },
	{ "/a-.slice", OTHER, NULL, "", NONE },
	{ "/system.slice/.service", OTHER, NULL, "system.slice", NONE },
	{ "/system.slice/@x.service", OTHER, NULL, "system.slice", NONE },
	{ "/system.slice/a b.service", OTHER, NULL, "system.slice", NONE },
	{ "/system.slice/x.target", OTHER, NULL, "system.slice", NONE },

	/* podman: systemd's and cgroupfs' cgroups, pods, rootless, --cgroups=split */
	{ "/machine.slice/libpod-" ID ".scope", UNIT, "libpod-" ID ".scope", "machine.slice", ID,
	  "podman" },
	{ "/machine.slice/machine-libpod_pod_" ID ".slice/libpod-" ID ".scope", UNIT,
	  "libpod-" ID ".scope", "machine-libpod_pod_" ID ".slice machine.slice", ID, "podman" },
	{ USER "/user.slice/libpod-" ID ".scope", OTHER, "user@1000.service",
	  "user-1000.slice user.slice", ID, "podman" },
	{ USER "/user.slice/user-libpod_pod_" ID ".slice/libpod-" ID ".scope", OTHER,
	  "user@1000.service", "user-1000.slice user.slice", ID, "podman" },
	{ "/libpod_parent/libpod-" ID, OTHER, NULL, "", ID, "podman" },
	{ "/libpod_parent/" OTHER_ID "/libpod-" ID, OTHER, NULL, "", ID, "podman" },
	{ "/libpod_parent/" OTHER_ID, OTHER, NULL, "", NONE },
	{ "/system.slice/web.service/libpod-payload-" ID, OTHER, "web.service", "system.slice", ID,
	  "podman" },
	/* what it has beside its containers */
	{ "/machine.slice/libpod-conmon-" ID ".scope", UNIT, "libpod-conmon-" ID ".scope",
	  "machine.slice", NONE },
	{ "/libpod_parent/conmon", OTHER, NULL, "", NONE },
	{ "/system.slice/web.service/runtime", OTHER, "web.service", "system.slice", NONE },
	{ "/machine.slice/machine-libpod_pod_" ID ".slice", SLICE, NULL,
	  "machine-libpod_pod_" ID ".slice machine.slice", NONE },
	/* what is inside one */
	{ "/machine.slice/libpod-" ID ".scope/container", OTHER, "libpod-" ID ".scope",
	  "machine.slice", NONE },
	{ "/machine.slice/libpod-" ID ".scope/container/system.slice/docker-" OTHER_ID ".scope",
	  OTHER, "libpod-" ID ".scope", "machine.slice", NONE },

	/* docker, nerdctl */
	{ "/system.slice/docker-" ID ".scope", UNIT, "docker-" ID ".scope", "system.slice", ID,
	  "docker" },
	{ "/docker/" ID, OTHER, NULL, "", ID, "docker" },
	{ "/docker/buildkit", OTHER, NULL, "", NONE },
	{ "/system.slice/nerdctl-" ID ".scope", UNIT, "nerdctl-" ID ".scope", "system.slice", ID,
	  "nerdctl containerd" },
	{ "/system.slice/docker-compose.scope", UNIT, "docker-compose.scope", "system.slice", NONE },

	/* runtimes by themselves */
	{ "/system.slice/crun-web.scope", UNIT, "crun-web.scope", "system.slice", "web", "crun" },
	{ "/system.slice/runc-web_1.2.scope", UNIT, "runc-web_1.2.scope", "system.slice", "web_1.2",
	  "runc" },
	{ "/crun-web", OTHER, NULL, "", NONE },
	{ "/system.slice/crun-.scope", UNIT, "crun-.scope", "system.slice", NONE },
	{ "/system.slice/crun-web.service", UNIT, "crun-web.service", "system.slice", NONE },

	/* Kubernetes: CRI-O and containerd, systemd's cgroups and cgroupfs' */
	{ "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" ID ".slice", SLICE,
	  NULL, "kubepods-burstable-pod" ID ".slice kubepods-burstable.slice kubepods.slice", NONE },
	{ "/kubepods.slice/kubepods-pod1.slice/cri-containerd-" ID ".scope", UNIT,
	  "cri-containerd-" ID ".scope", "kubepods-pod1.slice kubepods.slice", ID, "containerd" },
	{ "/kubepods.slice/kubepods-pod1.slice/crio-" ID ".scope", UNIT, "crio-" ID ".scope",
	  "kubepods-pod1.slice kubepods.slice", ID, "cri-o" },
	{ "/kubepods.slice/kubepods-pod1.slice/crio-" ID ".scope/container", OTHER,
	  "crio-" ID ".scope", "kubepods-pod1.slice kubepods.slice", NONE },
	{ "/kubepods.slice/kubepods-pod1.slice/crio-conmon-" ID ".scope", UNIT,
	  "crio-conmon-" ID ".scope", "kubepods-pod1.slice kubepods.slice", NONE },
	{ "/kubepods/burstable/pod" POD_UID "/" ID, OTHER, NULL, "", ID, "" },
	{ "/kubepods/pod" POD_UID "/" ID, OTHER, NULL, "", ID, "" },
	{ "/kubepods/pod" POD_UID "/crio-" ID, OTHER, NULL, "", ID, "cri-o" },
	{ "/kubepods/pod" POD_UID, OTHER, NULL, "", NONE },
	{ "/pod" POD_UID "/" ID, OTHER, NULL, "", NONE },
	{ "/kubepods/pod1/" ID, OTHER, NULL, "", NONE },
	{ "/k8s.io/" ID, OTHER, NULL, "", ID, "containerd" },
	/* a cgroup made for systemd, of which the runtime has made a path */
	{ "/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:" ID, OTHER,
	  "containerd.service", "system.slice", ID, "containerd" },

	/* ids that are none */
	{ "/machine.slice/libpod-0123.scope", UNIT, "libpod-0123.scope", "machine.slice", NONE },
	{ "/machine.slice/libpod-" ID "0.scope", UNIT, "libpod-" ID "0.scope", "machine.slice",
	  NONE },
	{ "/docker/" ID "0", OTHER, NULL, "", NONE },
	{ "/docker/g" ID, OTHER, NULL, "", NONE },
	{ "/" ID, OTHER, NULL, "", NONE },
};

static char *joined(char *const *strv)
{
	char *text = strdup("");

	for (; strv && *strv; strv++) {
		char *longer;

		assert_true(asprintf(&longer, "%s%s%s", text, *text ? " " : "", *strv) >= 0);
		free(text);
		text = longer;
	}
	assert_non_null(text);
	return text;
}

static void same(const char *path, const char *what, const char *is, const char *should)
{
	if (!is != !should || (is && strcmp(is, should) != 0))
		fail_msg("%s: %s: expected '%s', got '%s'", path, what, should ? should : "(none)",
			 is ? is : "(none)");
}

static void test_paths(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		const struct path *p = &paths[i];
		_cleanup_(identity_done) struct identity identity = {};
		_cleanup_free_ char *slices = NULL, *runtimes = NULL;
		/* What a user's manager makes is called what the user likes. */
		bool of_user = startswith(p->path, USER "/");

		assert_int_equal(identity_from_path(p->path, &identity), 0);
		slices = joined(identity.slices);
		runtimes = joined(of_user ? identity.claimed : identity.runtimes);
		assert_null(of_user ? identity.runtimes : identity.claimed);
		same(p->path, "path", identity.path, p->path);
		same(p->path, "unit", identity.unit, p->unit);
		same(p->path, "slices", slices, p->slices);
		same(p->path, "container", identity.container, p->container);
		same(p->path, "runtimes", runtimes, p->runtimes);
		if (identity.is_unit != (p->kind == UNIT) || identity.is_slice != (p->kind == SLICE))
			fail_msg("%s: another kind", p->path);
		assert_int_equal(identity_is_container(&identity), p->container != NULL);
		assert_null(identity.pod_namespace);
		assert_null(identity.pod_name);
	}
}

static void test_bad_paths(void **state)
{
	static const char *const bad[] = { "",	    "a",    "a/b", "//",    "/a//b",
					   "/a/b/", "/./a", "/..", "/a/..", "/../a.slice" };
	char longest[NAME_MAX + 3];
	struct identity identity = { .is_unit = true };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (identity_from_path(bad[i], &identity) != -EINVAL)
			fail_msg("'%s' is taken", bad[i]);

	memset(longest, 'a', sizeof(longest));
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(identity_from_path(longest, &identity), -EINVAL);
	/* What came back from a failure is what was there. */
	assert_true(identity.is_unit);
	assert_null(identity.path);

	longest[sizeof(longest) - 2] = '\0';
	assert_int_equal(identity_from_path(longest, &identity), 0);
	identity_done(&identity);
	identity_done(&identity);
}

#define PODMAN "/machine.slice/libpod-" ID ".scope"
#define CRIO "/kubepods.slice/kubepods-pod1.slice/crio-" ID ".scope"
#define CONTAINERD "/kubepods.slice/kubepods-pod1.slice/cri-containerd-" ID ".scope"
#define KUBELET "/kubepods/burstable/pod" POD_UID "/" ID
#define KUBE_POD(namespace, name) \
	"io.kubernetes.pod.name", name, "io.kubernetes.pod.namespace", namespace
#define CRI_POD(namespace, name) \
	"io.kubernetes.cri.sandbox-name", name, "io.kubernetes.cri.sandbox-namespace", namespace
#define CRIO_POD(namespace, name) \
	"io.kubernetes.cri-o.KubeName", name, "io.kubernetes.cri-o.Namespace", namespace

static const struct annotations {
	const char *path;
	const char *const *annotations;
	const char *runtimes; /* blank separated */
	const char *claimed; /* as well */
	const char *pod; /* "namespace/name"; NULL: none */
	bool pod_claimed;
	const char *reason; /* what is said against it; NULL: nothing */
} annotations[] = {
	{ "/a", NULL, "", "", NULL, false, NULL },
	{ "/a", (const char *const[]){ NULL }, "", "", NULL, false, NULL },

	/* podman 4.3 writes some of CRI-O's keys; the pod is what its user says. */
	{ PODMAN,
	  (const char *const[]){ "io.container.manager", "libpod", "io.kubernetes.cri-o.Created",
				 "2023-01-01T00:00:00Z", "io.kubernetes.cri-o.TTY", "false",
				 "io.podman.annotations.autoremove", "FALSE",
				 "org.opencontainers.image.stopSignal", "15", NULL },
	  "podman", "", NULL, false, NULL },
	{ PODMAN,
	  (const char *const[]){ "io.container.manager", "libpod", "io.kubernetes.cri-o.SandboxID",
				 ID, "io.kubernetes.cri-o.ContainerType", "container", NULL },
	  "podman", "", NULL, false, NULL },
	{ PODMAN, (const char *const[]){ KUBE_POD("shop", "web-1"), NULL }, "podman", "",
	  "shop/web-1", true, NULL },
	{ PODMAN, (const char *const[]){ CRI_POD("shop", "web-1"), NULL }, "podman", "", NULL,
	  false, NULL },
	{ PODMAN, (const char *const[]){ CRIO_POD("shop", "web-1"), NULL }, "podman", "", NULL,
	  false, NULL },
	/* CRI-O: a sandbox, and a container in it */
	{ CRIO,
	  (const char *const[]){ "io.container.manager", "cri-o",
				 "io.kubernetes.cri-o.ContainerType", "sandbox",
				 CRIO_POD("shop", "web-1"), KUBE_POD("shop", "web-1"), NULL },
	  "cri-o", "", "shop/web-1", false, NULL },
	{ CRIO,
	  (const char *const[]){ "io.container.manager", "cri-o", "io.kubernetes.cri-o.SandboxName",
				 "k8s_web-1_shop_" POD_UID "_0", KUBE_POD("shop", "web-1"), NULL },
	  "cri-o", "", "shop/web-1", false, NULL },
	/* without the kubelet's labels, which nobody can leave out there */
	{ CRIO,
	  (const char *const[]){ "io.kubernetes.cri-o.SandboxName", "k8s_web-1_shop_uid_0", NULL },
	  "cri-o", "", "shop/web-1", true, NULL },
	{ CRIO, (const char *const[]){ CRIO_POD("shop", "web-1"), NULL }, "cri-o", "", "shop/web-1",
	  true, NULL },
	/* containerd, also where the cgroup does not name it */
	{ CONTAINERD, (const char *const[]){ CRI_POD("shop", "web-1"), NULL }, "containerd", "",
	  "shop/web-1", false, NULL },
	{ CONTAINERD, (const char *const[]){ KUBE_POD("shop", "web-1"), NULL }, "containerd", "",
	  "shop/web-1", true, NULL },
	{ KUBELET,
	  (const char *const[]){ "io.kubernetes.cri.container-type", "container",
				 CRI_POD("shop", "web-1"), NULL },
	  "containerd", "", "shop/web-1", false, NULL },
	/* The cgroup names no engine: annotations do, and are not believed. */
	{ "/a", (const char *const[]){ "io.container.manager", "libpod", NULL }, "", "podman", NULL,
	  false, NULL },
	{ "/a",
	  (const char *const[]){ "io.container.manager", "cri-o", KUBE_POD("shop", "web-1"), NULL },
	  "", "cri-o", "shop/web-1", true, NULL },
	{ "/a", (const char *const[]){ CRI_POD("shop", "web-1"), NULL }, "", "containerd",
	  "shop/web-1", true, NULL },
	{ "/a", (const char *const[]){ CRIO_POD("shop", "web-1"), NULL }, "", "", NULL, false,
	  NULL },
	{ "/a", (const char *const[]){ KUBE_POD("shop", "web-1"), NULL }, "", "", "shop/web-1",
	  true, NULL },
	{ "/a", (const char *const[]){ "nerdctl/name", "web", NULL }, "", "nerdctl containerd",
	  NULL, false, NULL },
	{ "/a", (const char *const[]){ "io.container.manager", "new", NULL }, "", "new", NULL,
	  false, NULL },
	{ "/a", (const char *const[]){ "io.container.manager", "", NULL }, "", "", NULL, false,
	  NULL },
	/* Nor are they where a user made the cgroup. */
	{ USER "/user.slice/crio-" ID ".scope",
	  (const char *const[]){ "io.container.manager", "cri-o", KUBE_POD("shop", "web-1"), NULL },
	  "", "cri-o", "shop/web-1", true, NULL },

	/* An author adds other engines' keys: nobody asks them. */
	{ CRIO,
	  (const char *const[]){ "io.container.manager", "cri-o", KUBE_POD("shop", "web-1"),
				 CRI_POD("shop", "web-1"), "nerdctl/name", "x",
				 "io.podman.annotations.init", "TRUE", NULL },
	  "cri-o", "", "shop/web-1", false, NULL },
	{ CRIO, (const char *const[]){ CRI_POD("kube-system", "lie"), NULL }, "cri-o", "", NULL,
	  false, NULL },
	/* An author names another pod, by any engine's keys. */
	{ CRIO,
	  (const char *const[]){ "io.container.manager", "cri-o", KUBE_POD("shop", "web-1"),
				 CRI_POD("kube-system", "lie"), NULL },
	  NULL, NULL, NULL, false,
	  "annotations io.kubernetes.cri.sandbox-name and io.kubernetes.pod.name name two pods; " },
	{ CRIO,
	  (const char *const[]){ CRIO_POD("kube-system", "lie"), KUBE_POD("shop", "web-1"), NULL },
	  NULL, NULL, NULL, false,
	  "annotations io.kubernetes.cri-o.KubeName and io.kubernetes.pod.name name two pods" },
	{ CRIO,
	  (const char *const[]){ "io.kubernetes.cri-o.SandboxName", "k8s_lie_kube-system_uid_0",
				 KUBE_POD("shop", "web-1"), NULL },
	  NULL, NULL, NULL, false,
	  "annotations io.kubernetes.cri-o.SandboxName and io.kubernetes.pod.name name two pods" },
	{ CONTAINERD,
	  (const char *const[]){ KUBE_POD("kube-system", "lie"), CRI_POD("shop", "web-1"), NULL },
	  NULL, NULL, NULL, false,
	  "annotations io.kubernetes.cri.sandbox-name and io.kubernetes.pod.name name two pods" },
	/* An author names another engine. */
	{ CRIO,
	  (const char *const[]){ "io.container.manager", "libpod", KUBE_POD("shop", "web-1"), NULL },
	  NULL, NULL, NULL, false,
	  "annotation io.container.manager does not name cri-o, whose cgroup " CRIO " is; " },
	{ KUBELET,
	  (const char *const[]){ "io.kubernetes.cri.container-type", "container",
				 "io.container.manager", "cri-o", NULL },
	  NULL, NULL, NULL, false, "does not name containerd, whose cgroup" },
	{ PODMAN, (const char *const[]){ "io.container.manager", "cri-o", NULL }, NULL, NULL, NULL,
	  false, "does not name podman, whose cgroup" },

	/* Half a pod is none. */
	{ "/a", (const char *const[]){ "io.kubernetes.pod.name", "web-1", NULL }, "", "", NULL,
	  false, NULL },
	{ "/a", (const char *const[]){ KUBE_POD("", "web-1"), NULL }, "", "", NULL, false, NULL },
	{ CRIO, (const char *const[]){ "io.kubernetes.cri-o.SandboxName", "k8s_web-1_shop", NULL },
	  "cri-o", "", NULL, false, NULL },
	{ CRIO, (const char *const[]){ "io.kubernetes.cri-o.SandboxName", "k8s__shop_uid_0", NULL },
	  "cri-o", "", NULL, false, NULL },
	{ CRIO, (const char *const[]){ "io.kubernetes.cri-o.SandboxName", "k8s_a__uid_0", NULL },
	  "cri-o", "", NULL, false, NULL },
	{ CRIO, (const char *const[]){ "io.kubernetes.cri-o.SandboxName", "web_1_2_3_4", NULL },
	  "cri-o", "", NULL, false, NULL },
};

static void try_annotations(const struct annotations *a)
{
	_cleanup_(identity_done) struct identity identity = {};
	_cleanup_free_ char *runtimes = NULL, *claimed = NULL, *pod = NULL, *name = NULL;
	_cleanup_free_ char *reason = NULL;
	int r;

	assert_true(asprintf(&name, "annotations %td", a - annotations) > 0);
	assert_int_equal(identity_from_path(a->path, &identity), 0);
	r = identity_add_annotations(&identity, a->annotations, &reason);
	if (a->reason) {
		if (r != -EBADMSG || !strstr(reason, a->reason))
			fail_msg("%s: expected '%s', got %d '%s'", name, a->reason, r,
				 reason ? reason : "");
		return;
	}
	assert_int_equal(r, 0);
	assert_null(reason);
	runtimes = joined(identity.runtimes);
	claimed = joined(identity.claimed);
	same(name, "runtimes", runtimes, a->runtimes);
	same(name, "claimed", claimed, a->claimed);
	assert_int_equal(!identity.pod_name, !identity.pod_namespace);
	if (identity.pod_name)
		assert_true(asprintf(&pod, "%s/%s", identity.pod_namespace, identity.pod_name) > 0);
	same(name, "pod", pod, a->pod);
	if (identity.pod_claimed != a->pod_claimed)
		fail_msg("%s: pod is claimed: %s", name, a->pod_claimed ? "no" : "yes");
}

static void test_annotations(void **state)
{
	_cleanup_(identity_done) struct identity identity = {};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(annotations); i++)
		try_annotations(&annotations[i]);

	/* Annotations alone do not make a cgroup a container's. */
	assert_int_equal(identity_from_path("/a", &identity), 0);
	assert_int_equal(identity_add_annotations(&identity,
						  (const char *const[]){ CRI_POD("a", "b"), NULL },
						  NULL),
			 0);
	assert_false(identity_is_container(&identity));
}

static void test_sources_are_united(void **state)
{
	static const char *const first[] = { "io.container.manager", "libpod", "role", "web", NULL };
	static const char *const second[] = { "role", "db", "site", "x", NULL };
	_cleanup_(identity_done) struct identity identity = {};
	_cleanup_free_ char *runtimes = NULL, *all = NULL;

	(void)state;
	assert_int_equal(identity_from_path("/machine.slice/libpod-" ID ".scope", &identity), 0);
	assert_int_equal(identity_add_runtime(&identity, "crun"), 0);
	assert_int_equal(identity_add_runtime(&identity, "crun"), 0);
	assert_int_equal(identity_add_runtime(&identity, ""), 0);
	assert_int_equal(identity_add_runtime(&identity, NULL), 0);
	assert_int_equal(identity_add_annotations(&identity, first, NULL), 0);
	runtimes = joined(identity.runtimes);
	assert_string_equal(runtimes, "podman crun");

	assert_int_equal(identity_add_annotations(&identity, second, NULL), 0);
	all = joined(identity.annotations);
	assert_string_equal(all, "io.container.manager libpod role db site x");

	assert_int_equal(identity_set_container(&identity, "web"), 0);
	assert_string_equal(identity.container, "web");
}

static void test_many_annotations(void **state)
{
	enum {
		MANY = 100000
	};
	_cleanup_(identity_done) struct identity identity = {};
	_cleanup_strv_ char **all = calloc(2 * MANY + 1, sizeof(*all));

	(void)state;
	assert_non_null(all);
	/* From behind, and every key twice. */
	for (size_t i = 0; i < MANY; i++) {
		assert_true(asprintf(&all[2 * i], "key-%zu", (MANY - i) / 2) > 0);
		assert_true(asprintf(&all[2 * i + 1], "%zu", i) > 0);
	}
	assert_int_equal(identity_from_path("/a", &identity), 0);
	assert_null(identity_annotation(&identity, "key-1"));
	assert_int_equal(identity_add_annotations(&identity, (const char *const *)all, NULL), 0);
	assert_int_equal(strv_length(identity.annotations) / 2, MANY / 2 + 1);
	/* The later one counts. */
	assert_string_equal(identity_annotation(&identity, "key-0"), "99999");
	assert_string_equal(identity_annotation(&identity, "key-1"), "99998");
	assert_string_equal(identity_annotation(&identity, "key-49999"), "2");
	assert_string_equal(identity_annotation(&identity, "key-50000"), "0");
	assert_null(identity_annotation(&identity, "key-50001"));
	assert_null(identity_annotation(&identity, ""));
	/* The earlier ones are there as well. */
	assert_int_equal(identity_add_annotations(&identity,
						  (const char *const[]){ "key-0", "new", NULL },
						  NULL),
			 0);
	assert_string_equal(identity_annotation(&identity, "key-0"), "new");
	assert_string_equal(identity_annotation(&identity, "key-7"), "99986");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_bad_paths),
		cmocka_unit_test(test_annotations),
		cmocka_unit_test(test_sources_are_united),
		cmocka_unit_test(test_many_annotations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
