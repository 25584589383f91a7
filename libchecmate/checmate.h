/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libchecmate - load policies made of BPF LSM programs and bind them to cgroups
 *
 * The nouns, in the order a caller meets them:
 *
 *   features   can this machine enforce, and if not, what is missing
 *   policy     a policy object (.bpf.o): its hooks, its parameters
 *   cgroup     where a policy applies
 *   binding    a policy in force in a cgroup; lives in the kernel and in
 *              bpffs, not in the process that made it
 *   status     what the kernel says is attached and enforced
 *
 * Rules that hold for every function:
 *
 * - A function returning int returns 0 (or a documented non-negative value) on
 *   success and a negative errno value on failure.
 * - Arguments named ret_* are written on success only.
 * - The last argument, @ret_error, may be NULL. Otherwise it points to a
 *   pointer that is NULL; on failure it receives an explanation which the
 *   caller frees with checmate_error_free(). It may stay NULL when memory is
 *   short; checmate_error_text() accepts that.
 * - Strings and structures returned as const belong to the object they were
 *   asked of and live as long as it.
 * - *_free() accepts NULL and returns NULL. *_freep() is for
 *   __attribute__((cleanup)).
 * - Nothing is printed or logged.
 * - Threads: an object is used by one thread at a time; functions that take it as
 *   const may be called by several at once. Different objects are independent,
 *   also when they stand for the same cgroup or the same binding: the kernel and a
 *   lock in bpffs order what is changed, for other processes as well. What
 *   concerns the whole process is said with the function, as of
 *   checmate_backend_force(). The library makes no threads and handles no
 *   signals; it opens descriptors with O_CLOEXEC. After fork(2) the child uses
 *   no object of its parent.
 * - Everything here is there since version 1.0.
 * - Structures that this header defines may grow at their end. Callers never
 *   allocate them, except those with a member named sz.
 */
#ifndef CHECMATE_CHECMATE_H
#define CHECMATE_CHECMATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef CHECMATE_API
#define CHECMATE_API __attribute__((visibility("default")))
#endif

/**
 * checmate_version() - Version of the library.
 *
 * Return: "MAJOR.MINOR.PATCH", static.
 */
CHECMATE_API const char *checmate_version(void);

/**
 * checmate_strv_free() - Free a list of strings this library returned.
 * @strv: array of strings ended by NULL, or NULL.
 *
 * Return: NULL.
 */
CHECMATE_API char **checmate_strv_free(char **strv);

/* --- error ---------------------------------------------------------------- */

/* Why a call failed, for a person. */
struct checmate_error;

/**
 * checmate_error_text() - The explanation.
 * @error: what a failing function returned, or NULL.
 *
 * Return: one line "thing: reason; remedy" without a newline; never NULL.
 */
CHECMATE_API const char *checmate_error_text(const struct checmate_error *error);

/**
 * checmate_error_log() - What the BPF verifier or libbpf said.
 * @error: what a failing function returned, or NULL.
 *
 * Return: the meaningful end of the log, several lines, or NULL when the
 * failure has none.
 */
CHECMATE_API const char *checmate_error_log(const struct checmate_error *error);

/**
 * checmate_error_free() - Free an explanation.
 * @error: explanation, or NULL.
 *
 * Return: NULL.
 */
CHECMATE_API struct checmate_error *checmate_error_free(struct checmate_error *error);

static inline void checmate_error_freep(struct checmate_error **error)
{
	*error = checmate_error_free(*error);
}

/* --- features ------------------------------------------------------------- */

/* What this machine offers. */
struct checmate_features;

/**
 * struct checmate_feature - One thing that enforcement depends on.
 * @name: short name, e.g. "lsm-checmate".
 * @present: it was found.
 * @found: what was looked at and seen there, one line.
 * @remedy: what to do about it; NULL when present.
 * @needed: the backend in use needs it, or, when there is none, the one that
 *          this machine is nearest to. Capabilities are this process's: one that
 *          lacks does not keep the machine from enforcing.
 */
struct checmate_feature {
	const char *name;
	bool present;
	const char *found;
	const char *remedy;
	bool needed;
};

/**
 * struct checmate_hook - One LSM hook of the running kernel.
 * @name: e.g. "socket_bind".
 * @sleepable: sleepable programs may use it.
 * @active: at least one program uses it now, so it costs something.
 * @programs: how many programs use it, over all cgroups.
 */
struct checmate_hook {
	const char *name;
	bool sleepable;
	bool active;
	unsigned int programs;
};

/**
 * checmate_features_probe() - Look at the machine.
 * @ret_features: receives the answer; free with checmate_features_free().
 * @ret_error: explanation, or NULL.
 *
 * That something is missing is an answer, not an error.
 *
 * Return: 0; -ENOMEM; -EMFILE or -ENFILE no file can be opened.
 */
CHECMATE_API int checmate_features_probe(struct checmate_features **ret_features,
					 struct checmate_error **ret_error);

/**
 * checmate_features_backend() - How policies would be enforced.
 * @features: features.
 *
 * "checmate" is the controller of that name. "bpf-link" is what kernels from
 * 6.0 on can do by themselves, with less: see checmate_features_supports().
 *
 * Return: "checmate" or "bpf-link"; NULL when this machine cannot enforce, or
 * not by the backend that was forced: the features that are needed and not
 * present say why.
 */
CHECMATE_API const char *checmate_features_backend(const struct checmate_features *features);

/**
 * checmate_features_supports() - Whether the backend can do something.
 * @features: features.
 * @what: "staging", policies that wait for an exec; "rewrite", programs that
 *        change addresses; "seal"; "sleepable", programs that may sleep;
 *        "any-hook", no limit on the hooks in use; "permissive".
 *
 * Return: true; false also when there is no backend, or @what is unknown.
 */
CHECMATE_API bool checmate_features_supports(const struct checmate_features *features,
					     const char *what);

/**
 * checmate_features_count() - How many things were looked for.
 * @features: features.
 *
 * Return: their number.
 */
CHECMATE_API size_t checmate_features_count(const struct checmate_features *features);

/**
 * checmate_features_get() - One feature.
 * @features: features.
 * @index: from 0 to checmate_features_count() - 1.
 *
 * Return: the feature, NULL when @index is too large.
 */
CHECMATE_API const struct checmate_feature *checmate_features_get(
	const struct checmate_features *features, size_t index);

/**
 * checmate_features_count_hooks() - How many LSM hooks are known.
 * @features: features.
 *
 * Return: their number.
 */
CHECMATE_API size_t checmate_features_count_hooks(const struct checmate_features *features);

/**
 * checmate_features_get_hook() - One LSM hook.
 * @features: features.
 * @index: from 0 to checmate_features_count_hooks() - 1.
 *
 * Return: the hook, NULL when @index is too large.
 */
CHECMATE_API const struct checmate_hook *checmate_features_get_hook(
	const struct checmate_features *features, size_t index);

/**
 * checmate_features_free() - Free features.
 * @features: features, or NULL.
 *
 * Return: NULL.
 */
CHECMATE_API struct checmate_features *checmate_features_free(struct checmate_features *features);

static inline void checmate_features_freep(struct checmate_features **features)
{
	*features = checmate_features_free(*features);
}

/**
 * checmate_backend_force() - Choose the backend instead of having it found.
 * @name: "checmate" or "bpf-link"; NULL or "" has it found again.
 * @ret_error: explanation, or NULL.
 *
 * Holds for the whole process, from the next call of any function on. Without
 * it the environment variable CHECMATE_BACKEND decides, which is ignored in a
 * setuid process; without that, "checmate" is used where the kernel has it,
 * else "bpf-link". Whether the machine can enforce by it is another question:
 * see checmate_features_backend().
 *
 * A binding is known to the backend that made it. May be called from any
 * thread.
 *
 * Return: 0; -EINVAL there is no such backend.
 */
CHECMATE_API int checmate_backend_force(const char *name, struct checmate_error **ret_error);

/* --- policy --------------------------------------------------------------- */

/* A policy object, opened: described, configurable, not in force. */
struct checmate_policy;

/**
 * struct checmate_param - A parameter of a policy.
 * @name: e.g. "allow".
 * @type: "errno", "bool", "number", "choice"; sets: "capabilities", "families",
 *        "socket-types", "signals"; lists: "endpoints", "ports", "uids", "gids",
 *        "paths", "fstypes".
 * @form: the accepted text, for a person; with the range or the choices that
 *        this parameter has.
 * @doc: what it does, from the policy's author; may be empty.
 * @value: its default, as text; NULL for a binding's parameter, of which the
 *         kernel keeps only the value in force.
 */
struct checmate_param {
	const char *name;
	const char *type;
	const char *form;
	const char *doc;
	const char *value;
};

/**
 * struct checmate_program - A program of a policy.
 * @name: the program's name, as the kernel shows it.
 * @hook: the LSM hook it judges; of a binding's program, "" when it is not
 *        attached.
 * @type: "lsm_cgroup" or "lsm"; "" for a binding's program.
 * @id: the kernel's program id; 0 before it is loaded.
 * @attached: it is attached in the binding's cgroup (bindings only).
 * @permissive: its denials are told but not enforced (bindings only).
 * @staged: it waits for an exec and is not enforced yet; then @attached is
 *          false (bindings only).
 */
struct checmate_program {
	const char *name;
	const char *hook;
	const char *type;
	uint32_t id;
	bool attached;
	bool permissive;
	bool staged;
};

/**
 * checmate_policy_list() - Names of the policies that can be opened by name.
 * @ret_names: receives the sorted names, NULL ended; free with
 *             checmate_strv_free().
 * @ret_error: explanation, or NULL.
 *
 * Searched are the folders of $CHECMATE_POLICY_PATH (separated by ':', ignored
 * in a setuid process), then /etc/checmate/policies, then the folder the
 * project installs to.
 *
 * Return: 0, -errno. Folders that do not exist are no error.
 */
CHECMATE_API int checmate_policy_list(char ***ret_names, struct checmate_error **ret_error);

/**
 * struct checmate_open_opts - How to open.
 * @sz: sizeof(struct checmate_open_opts), for compatibility. What lies beyond
 *      it is taken as 0.
 * @untrusted_ok: do not ask whose file it is.
 */
struct checmate_open_opts {
	size_t sz;
	bool untrusted_ok;
};

/**
 * checmate_policy_open_opts() - Open and check a policy object.
 * @name_or_path: a path when it contains '/', else a name to search for as
 *                "NAME.bpf.o", see checmate_policy_list().
 * @opts: options, or NULL for none.
 * @ret_policy: receives the policy; free with checmate_policy_free().
 * @ret_error: explanation, or NULL.
 *
 * A policy is code for the kernel. Unless @opts says otherwise, the file, and
 * every folder and symbolic link on the way to it, must belong to root or to the
 * effective user of this process, and nobody else may be able to write to the
 * file or to these folders; folders with the sticky bit may be written to.
 *
 * Needs no privilege and does not ask the kernel.
 *
 * Return: 0; -ENOENT no such policy; -EACCES not trusted, or not readable;
 * -EINVAL not a policy object (truncated, not ELF, no BTF, no or ill-formed
 * description, a default that is no value, a program that is not a BPF LSM
 * program), or bad @opts; another -errno when the file cannot be read.
 */
CHECMATE_API int checmate_policy_open_opts(const char *name_or_path,
					   const struct checmate_open_opts *opts,
					   struct checmate_policy **ret_policy,
					   struct checmate_error **ret_error);

/* The same without options. */
CHECMATE_API int checmate_policy_open(const char *name_or_path, struct checmate_policy **ret_policy,
				      struct checmate_error **ret_error);

/*
 * What a policy says of itself: its name, its version and one line on what it
 * does; and the path of the file. Never NULL; they belong to @policy.
 */
CHECMATE_API const char *checmate_policy_name(const struct checmate_policy *policy);
CHECMATE_API const char *checmate_policy_version(const struct checmate_policy *policy);
CHECMATE_API const char *checmate_policy_description(const struct checmate_policy *policy);
CHECMATE_API const char *checmate_policy_path(const struct checmate_policy *policy);

/**
 * checmate_policy_count_programs() - How many programs a policy has.
 * @policy: policy.
 *
 * Return: their number, at least 1.
 */
CHECMATE_API size_t checmate_policy_count_programs(const struct checmate_policy *policy);

/**
 * checmate_policy_get_program() - One program of the policy.
 * @policy: policy.
 * @index: from 0 to checmate_policy_count_programs() - 1.
 *
 * Return: the program, NULL when @index is too large.
 */
CHECMATE_API const struct checmate_program *checmate_policy_get_program(
	const struct checmate_policy *policy, size_t index);

/**
 * checmate_policy_count_params() - How many parameters a policy has.
 * @policy: policy.
 *
 * Return: their number.
 */
CHECMATE_API size_t checmate_policy_count_params(const struct checmate_policy *policy);

/**
 * checmate_policy_get_param() - One parameter of the policy.
 * @policy: policy.
 * @index: from 0 to checmate_policy_count_params() - 1.
 *
 * Return: the parameter, NULL when @index is too large.
 */
CHECMATE_API const struct checmate_param *checmate_policy_get_param(
	const struct checmate_policy *policy, size_t index);

/**
 * checmate_policy_get() - The value a parameter has now, as text.
 * @policy: policy.
 * @param: parameter's name.
 * @ret_text: receives the text in the form checmate_policy_set() accepts; free
 *            with free(3).
 * @ret_error: explanation, or NULL.
 *
 * Return: 0; -ENOENT no such parameter; -ENOMEM.
 */
CHECMATE_API int checmate_policy_get(const struct checmate_policy *policy, const char *param,
				     char **ret_text, struct checmate_error **ret_error);

/**
 * checmate_policy_set() - Set a parameter before the policy is loaded.
 * @policy: policy.
 * @param: parameter's name.
 * @text: its value, in the form the parameter describes.
 * @ret_error: explanation, or NULL; names parameter, value and accepted form.
 *
 * On failure the former value stays.
 *
 * Return: 0; -ENOENT no such parameter; -EINVAL text not understood; -E2BIG a
 * list too long; -EBUSY the policy is loaded already.
 */
CHECMATE_API int checmate_policy_set(struct checmate_policy *policy, const char *param,
				     const char *text, struct checmate_error **ret_error);

/**
 * checmate_policy_load() - Have the kernel verify and load the programs.
 * @policy: policy.
 * @ret_error: explanation, or NULL; checmate_error_log() has the verifier's
 *             words.
 *
 * checmate_binding_apply() does this where it was not done. The programs of an
 * object are loaded once, and all bindings of it share them: if another binding has
 * loaded them, they are used. A policy can be bound once.
 *
 * Return: 0, also when already loaded; -errno.
 */
CHECMATE_API int checmate_policy_load(struct checmate_policy *policy,
				      struct checmate_error **ret_error);

/**
 * checmate_policy_digest() - What tells an object from others.
 * @policy: policy.
 *
 * Policies of equal content have equal digests, see checmate_binding_digest(). It protects from
 * no one who wants two files to have the same.
 *
 * Return: hexadecimal digits; they belong to @policy.
 */
CHECMATE_API const char *checmate_policy_digest(const struct checmate_policy *policy);

/**
 * checmate_policy_instance() - Which binding is going to be made of a policy.
 * @policy: policy.
 *
 * Whoever keeps a record of a binding can write it before the binding is there, and compare
 * later: see checmate_binding_instance().
 *
 * Return: a number, never 0, that no other binding of the policy in the same cgroup has.
 */
CHECMATE_API uint64_t checmate_policy_instance(const struct checmate_policy *policy);

/**
 * checmate_policy_check() - Whether a backend of this machine could take it.
 * @policy: policy.
 * @backend: "checmate" or "bpf-link"; NULL for the one in use.
 * @ret_error: explanation, or NULL.
 *
 * Looks at the hooks, at the kernel functions that programs call, and at
 * whether they may sleep; on "bpf-link" also at how many hooks are in use by
 * now. checmate_binding_apply() does this too. What the kernel does not tell
 * without privilege is not looked at.
 *
 * Return: 0; -EOPNOTSUPP it could not; -EINVAL there is no such backend;
 * -ENOMEM.
 */
CHECMATE_API int checmate_policy_check(const struct checmate_policy *policy, const char *backend,
				       struct checmate_error **ret_error);

/**
 * checmate_policy_free() - Free a policy; a binding made of it stays in force.
 * @policy: policy, or NULL.
 *
 * Return: NULL.
 */
CHECMATE_API struct checmate_policy *checmate_policy_free(struct checmate_policy *policy);

static inline void checmate_policy_freep(struct checmate_policy **policy)
{
	*policy = checmate_policy_free(*policy);
}

/* --- listed paths --------------------------------------------------------- */

/* The paths of a parameter of the type "paths", each looked at. */
struct checmate_path_list;

/**
 * struct checmate_path_entry - What a listed path is.
 * @path: the path, as listed; without the '/' at its end.
 * @kind: "exact"     it exists, and no symbolic link is on the way: it can match
 *        "link"      a symbolic link is on the way, or is what it names: the path
 *                    that policies see is @resolved
 *        "dangling"  likewise, and the link leads to nothing
 *        "absent"    there is nothing of this name
 *        "unknown"   it could not be looked at
 * @link: the first symbolic link on the way; NULL without one.
 * @target: the text of that link; NULL without one.
 * @resolved: the path of what @path names, without links; NULL unless @kind is
 *            "exact" or "link".
 */
struct checmate_path_entry {
	const char *path;
	const char *kind;
	const char *link;
	const char *target;
	const char *resolved;
};

/**
 * checmate_path_list_resolve() - Look at the paths of a list.
 * @root_fd: the directory that is the root for the processes in question, as of
 *           open("/proc/PID/root", O_PATH); links do not lead out of it.
 * @text: the list, in the form that checmate_policy_set() accepts.
 * @ret_list: receives the list; free with checmate_path_list_free().
 * @ret_error: explanation, or NULL.
 *
 * Nothing is opened for reading. The file systems are asked, though, and one that
 * does not answer, as of a container, makes this wait: call it where that does no
 * harm. The answer holds for the moment only.
 *
 * Return: 0, whatever the paths are; -EINVAL text not understood; -E2BIG a list
 * too long; -ENOMEM.
 */
CHECMATE_API int checmate_path_list_resolve(int root_fd, const char *text,
					    struct checmate_path_list **ret_list,
					    struct checmate_error **ret_error);

/* How many paths the list has. */
CHECMATE_API size_t checmate_path_list_count(const struct checmate_path_list *list);

/* One path, in the order of the text. NULL when @index is too large. */
CHECMATE_API const struct checmate_path_entry *checmate_path_list_get(
	const struct checmate_path_list *list, size_t index);

/**
 * checmate_path_list_free() - Free a list of paths.
 * @list: list, or NULL.
 *
 * Return: NULL.
 */
CHECMATE_API struct checmate_path_list *checmate_path_list_free(struct checmate_path_list *list);

static inline void checmate_path_list_freep(struct checmate_path_list **list)
{
	*list = checmate_path_list_free(*list);
}

/* --- cgroup --------------------------------------------------------------- */

/* A cgroup (v2), held open. */
struct checmate_cgroup;

/**
 * checmate_cgroup_open() - Open a cgroup by path.
 * @path: absolute below the cgroup2 mount ("/sys/fs/cgroup/a/b") or relative to
 *        the mount ("/a/b", "a/b"; "/" is the root).
 * @ret_cgroup: receives the cgroup; free with checmate_cgroup_free().
 * @ret_error: explanation, or NULL.
 *
 * Return: 0; -ENOENT no such cgroup; -EINVAL "..", or not a cgroup2 directory.
 */
CHECMATE_API int checmate_cgroup_open(const char *path, struct checmate_cgroup **ret_cgroup,
				      struct checmate_error **ret_error);

/**
 * checmate_cgroup_open_fd() - Open a cgroup by a descriptor of its directory.
 * @fd: descriptor; stays the caller's, is duplicated.
 * @ret_cgroup: receives the cgroup.
 * @ret_error: explanation, or NULL.
 *
 * Return: 0; -EINVAL not a cgroup2 directory; -errno.
 */
CHECMATE_API int checmate_cgroup_open_fd(int fd, struct checmate_cgroup **ret_cgroup,
					 struct checmate_error **ret_error);

/**
 * checmate_cgroup_open_pid() - Open the cgroup a process is in.
 * @pid: process id.
 * @ret_cgroup: receives the cgroup.
 * @ret_error: explanation, or NULL.
 *
 * Return: 0; -ESRCH no such process; -errno.
 */
CHECMATE_API int checmate_cgroup_open_pid(pid_t pid, struct checmate_cgroup **ret_cgroup,
					  struct checmate_error **ret_error);

/**
 * checmate_cgroup_open_unit() - Open the cgroup of a systemd unit.
 * @unit: the unit's full name, e.g. "nginx.service"; a service, scope, slice,
 *        socket, mount or swap.
 * @ret_cgroup: receives the cgroup.
 * @ret_error: explanation, or NULL.
 *
 * Asks systemd over the system bus, or directly when there is no bus and the
 * caller is root.
 *
 * Return: 0; -ENOENT there is no such unit, or nothing of it runs; -EINVAL not
 * the name of a unit that has a cgroup; another -errno when systemd cannot be
 * asked.
 */
CHECMATE_API int checmate_cgroup_open_unit(const char *unit, struct checmate_cgroup **ret_cgroup,
					   struct checmate_error **ret_error);

/* The cgroup's id: the inode number of its directory, never used twice. */
CHECMATE_API uint64_t checmate_cgroup_id(const struct checmate_cgroup *cgroup);

/* The path relative to the mount, "/" for the root. */
CHECMATE_API const char *checmate_cgroup_path(const struct checmate_cgroup *cgroup);

/* Descriptor of the cgroup's directory; stays the cgroup's. */
CHECMATE_API int checmate_cgroup_fd(const struct checmate_cgroup *cgroup);

/**
 * checmate_cgroup_enable() - Have the controller in this cgroup.
 * @cgroup: cgroup.
 * @ret_enabled: receives the paths (relative to the mount, root first) of the
 *               cgroups in whose cgroup.subtree_control the controller had to
 *               be turned on; free with checmate_strv_free(). May be NULL.
 * @ret_error: explanation, or NULL.
 *
 * What was turned on before a failure stays on: it costs nothing without
 * programs.
 *
 * Return: 0; -EOPNOTSUPP the kernel has no such controller; -errno.
 */
CHECMATE_API int checmate_cgroup_enable(struct checmate_cgroup *cgroup, char ***ret_enabled,
					struct checmate_error **ret_error);

/**
 * checmate_cgroup_seal() - Have a cgroup's policies never loosened again.
 * @cgroup: cgroup with the controller.
 * @ret_error: explanation, or NULL.
 *
 * Until the cgroup is removed nothing is detached from it or made permissive,
 * no task leaves it, and the controller stays on. Policies can still be added.
 * There is no way back. That it is sealed already is no error.
 *
 * Return: 0; -EOPNOTSUPP not with this backend, or the controller is not
 * enabled here; -EINVAL the root; -EBUSY something staged would loosen it;
 * -errno.
 */
CHECMATE_API int checmate_cgroup_seal(struct checmate_cgroup *cgroup,
				      struct checmate_error **ret_error);

/**
 * checmate_cgroup_sealed() - Whether this very cgroup is sealed.
 * @cgroup: cgroup.
 * @ret_error: explanation, or NULL.
 *
 * Return: 1; 0 also where it could not be; -errno.
 */
CHECMATE_API int checmate_cgroup_sealed(const struct checmate_cgroup *cgroup,
					struct checmate_error **ret_error);

/**
 * checmate_cgroup_free() - Let go of a cgroup, which stays as it is.
 * @cgroup: cgroup, or NULL.
 *
 * Return: NULL.
 */
CHECMATE_API struct checmate_cgroup *checmate_cgroup_free(struct checmate_cgroup *cgroup);

static inline void checmate_cgroup_freep(struct checmate_cgroup **cgroup)
{
	*cgroup = checmate_cgroup_free(*cgroup);
}

/* --- binding -------------------------------------------------------------- */

/* A policy in force in a cgroup. */
struct checmate_binding;

/**
 * struct checmate_apply_opts - How to apply.
 * @sz: sizeof(struct checmate_apply_opts), for compatibility. What lies
 *      behind a smaller size counts as 0.
 * @replace: put the new instance in place of a binding of the same policy
 *           instead of failing; there is no moment with neither, and none that
 *           allows what both deny.
 * @permissive: denials are told, but not enforced.
 * @when_exec: stage: take force when an exec begins, which is the first thing
 *             that is judged, and leave what is replaced in force until then.
 * @pid: with @when_exec, the process whose exec it is; 0 for the first exec of
 *       any task in the cgroup. It is dropped when the process is gone.
 * @except: with @when_exec, path of an executable whose exec is none, as that
 *          of a service manager's helper; NULL for none.
 * @seal: seal the cgroup too, see checmate_cgroup_seal(). If nothing is replaced,
 *        the seal comes first: at no moment are the policies in force, or staged,
 *        and can be removed. If something is replaced, the seal comes right after.
 */
struct checmate_apply_opts {
	size_t sz;
	bool replace;
	bool permissive;
	bool when_exec;
	pid_t pid;
	const char *except;
	bool seal;
};

/**
 * checmate_binding_apply() - Put policies in force in a cgroup, all or none.
 * @cgroup: cgroup; the controller must be enabled there, see
 *          checmate_cgroup_enable().
 * @policies: policies, parameters set; loaded here where that was not done.
 * @n_policies: how many; 0 is an error.
 * @opts: options, or NULL for none.
 * @ret_error: explanation, or NULL.
 *
 * Pins programs and maps below /sys/fs/bpf/checmate/<cgroup id>/<policy>/,
 * attaches everything and reads back that it is attached. Once in a process it
 * also tries, in a cgroup of its own, that what is attached does deny.
 * On failure nothing of it remains, what was in force before still is. One
 * failure is an exception: when the kernel's list cannot be read back after the
 * transaction, or is not as it should be (-EIO), the policies stay, in force or
 * staged and pinned, for what they replaced is gone. The explanation says so.
 * With @seal there are two more: the cgroup may stay sealed, and policies that
 * replaced others stay in force if the cgroup cannot be sealed after.
 * Success means: the kernel enforces it, or will when the exec begins.
 *
 * The backend "checmate" attaches all in one transaction. "bpf-link" attaches
 * one program after the other, and detaches what is replaced when all are:
 * what the old or the new instance denies is denied meanwhile.
 *
 * A cgroup has one set of staged policies, given at once. Others can be staged
 * when those have taken force or were removed, or, with replace, when they are
 * all among the others.
 *
 * Return: 0; -EEXIST such a policy is bound here and @opts does not say
 * replace, or the same policy is given twice; -EOPNOTSUPP the controller is
 * not enabled here or not in the kernel, or the backend cannot do it; -ESTALE
 * somebody else kept changing this cgroup; -EINVAL bad @opts; -EBUSY a policy
 * was bound before, or is staged here, or would be staged with @seal to replace
 * one in force; -EROFS the cgroup is sealed; -ESRCH
 * there is no such process; -EIO it is attached and not enforced; -errno.
 */
CHECMATE_API int checmate_binding_apply(struct checmate_cgroup *cgroup,
					struct checmate_policy *const *policies, size_t n_policies,
					const struct checmate_apply_opts *opts,
					struct checmate_error **ret_error);

/**
 * checmate_binding_remove() - Take a policy out of force.
 * @cgroup: cgroup.
 * @policy: the policy's name, or NULL for every binding made here through
 *          this library.
 * @ret_error: explanation, or NULL.
 *
 * What is staged is withdrawn. Programs that somebody detached already are no
 * error.
 *
 * Return: 0; -ENOENT no such binding here; -EBUSY it is staged together with
 * others, which can only be removed all; -EROFS the cgroup is sealed; -ESTALE;
 * -errno.
 */
CHECMATE_API int checmate_binding_remove(struct checmate_cgroup *cgroup, const char *policy,
					 struct checmate_error **ret_error);

/**
 * checmate_binding_remove_id() - The same by cgroup id.
 * @cgroup_id: id of a cgroup, which may have ceased to exist: then only what
 *             bpffs still holds of it goes away.
 * @policy: the policy's name, or NULL for all.
 * @ret_error: explanation, or NULL.
 *
 * Return: as checmate_binding_remove().
 */
CHECMATE_API int checmate_binding_remove_id(uint64_t cgroup_id, const char *policy,
					    struct checmate_error **ret_error);

/**
 * checmate_binding_set_mode() - Have a policy in force enforced or only told.
 * @cgroup: cgroup.
 * @policy: the policy's name.
 * @permissive: true: what it denies is told and goes on; false: it is enforced.
 * @ret_error: explanation, or NULL.
 *
 * Parameters, counters and lists stay as they are.
 *
 * Return: 0; -ENOENT no such binding here, or nobody has it attached any more;
 * -EBUSY it is only staged; -EROFS the cgroup is sealed; -EOPNOTSUPP the
 * policy's programs cannot let pass what they deny; -ESTALE; -errno.
 */
CHECMATE_API int checmate_binding_set_mode(struct checmate_cgroup *cgroup, const char *policy,
					   bool permissive, struct checmate_error **ret_error);

/**
 * checmate_binding_gc() - Drop the bindings of cgroups that are gone.
 * @ret_n: receives how many were dropped; may be NULL.
 * @ret_error: explanation, or NULL.
 *
 * The kernel stops enforcing when a cgroup goes; the pins in bpffs do not go
 * by themselves and keep programs and maps in memory.
 *
 * Return: 0, -errno.
 */
CHECMATE_API int checmate_binding_gc(size_t *ret_n, struct checmate_error **ret_error);

/**
 * checmate_binding_list() - Names of the policies bound in a cgroup.
 * @cgroup: cgroup.
 * @ret_policies: receives the sorted names, NULL ended; free with
 *                checmate_strv_free(). Staged ones are among them, bindings
 *                inherited from above are not.
 * @ret_error: explanation, or NULL.
 *
 * Return: 0, -errno.
 */
CHECMATE_API int checmate_binding_list(const struct checmate_cgroup *cgroup, char ***ret_policies,
				       struct checmate_error **ret_error);

/**
 * checmate_binding_list_cgroups() - Ids of the cgroups that have bindings.
 * @ret_ids: receives an array; free with free(3).
 * @ret_n: receives its length.
 * @ret_error: explanation, or NULL.
 *
 * Includes cgroups that no longer exist until checmate_binding_gc() ran.
 *
 * Return: 0, -errno.
 */
CHECMATE_API int checmate_binding_list_cgroups(uint64_t **ret_ids, size_t *ret_n,
					       struct checmate_error **ret_error);

/**
 * checmate_cgroup_open_id() - Open a cgroup by its id.
 * @cgroup_id: id.
 * @ret_cgroup: receives the cgroup.
 * @ret_error: explanation, or NULL.
 *
 * Return: 0; -ENOENT it is gone; -errno.
 */
CHECMATE_API int checmate_cgroup_open_id(uint64_t cgroup_id, struct checmate_cgroup **ret_cgroup,
					 struct checmate_error **ret_error);

/**
 * checmate_binding_open() - Look at a binding.
 * @cgroup: cgroup.
 * @policy: the policy's name.
 * @ret_binding: receives the binding; free with checmate_binding_free(), which
 *               leaves it in force.
 * @ret_error: explanation, or NULL.
 *
 * Everything is read from the kernel; the policy object file is not needed.
 * Where one instance of the policy is in force and another one staged, it is
 * the one in force.
 *
 * Return: 0; -ENOENT no such binding here; -errno.
 */
CHECMATE_API int checmate_binding_open(const struct checmate_cgroup *cgroup, const char *policy,
				       struct checmate_binding **ret_binding,
				       struct checmate_error **ret_error);

/*
 * What the policy in force says of itself: its name, its version and one line on
 * what it does. Never NULL; they belong to @binding.
 */
CHECMATE_API const char *checmate_binding_policy(const struct checmate_binding *binding);
CHECMATE_API const char *checmate_binding_version(const struct checmate_binding *binding);
CHECMATE_API const char *checmate_binding_description(const struct checmate_binding *binding);

/*
 * checmate_policy_digest() of the policy it was made of; "" of a binding that a version before
 * 1.0 has made. Belongs to @binding.
 */
CHECMATE_API const char *checmate_binding_digest(const struct checmate_binding *binding);

/* What checmate_policy_instance() told of the policy it was made of; never 0. */
CHECMATE_API uint64_t checmate_binding_instance(const struct checmate_binding *binding);

/* It waits for an exec and is not in force yet; as of when it was opened. */
CHECMATE_API bool checmate_binding_staged(const struct checmate_binding *binding);

/* Some denials of it are told and not enforced; as of when it was opened. */
CHECMATE_API bool checmate_binding_permissive(const struct checmate_binding *binding);

/**
 * checmate_binding_count_programs() - How many programs a binding has.
 * @binding: binding.
 *
 * Return: their number.
 */
CHECMATE_API size_t checmate_binding_count_programs(const struct checmate_binding *binding);

/**
 * checmate_binding_get_program() - One program of the binding.
 * @binding: binding.
 * @index: from 0 to checmate_binding_count_programs() - 1.
 *
 * Return: the program, as it was when the binding was opened; NULL when @index is
 * too large.
 */
CHECMATE_API const struct checmate_program *checmate_binding_get_program(
	const struct checmate_binding *binding, size_t index);

/**
 * checmate_binding_count_params() - How many parameters a binding has.
 * @binding: binding.
 *
 * Return: their number.
 */
CHECMATE_API size_t checmate_binding_count_params(const struct checmate_binding *binding);

/**
 * checmate_binding_get_param() - One parameter of the binding.
 * @binding: binding.
 * @index: from 0 to checmate_binding_count_params() - 1.
 *
 * Return: the parameter, NULL when @index is too large.
 */
CHECMATE_API const struct checmate_param *checmate_binding_get_param(
	const struct checmate_binding *binding, size_t index);

/**
 * checmate_binding_get() - The value in force of a parameter, as text.
 * @binding: binding.
 * @param: parameter's name.
 * @ret_text: receives the text; free with free(3).
 * @ret_error: explanation, or NULL.
 *
 * Return: 0; -ENOENT no such parameter; -errno.
 */
CHECMATE_API int checmate_binding_get(const struct checmate_binding *binding, const char *param,
				      char **ret_text, struct checmate_error **ret_error);

/**
 * checmate_binding_check() - Whether checmate_binding_set() would accept a text.
 * @binding: binding.
 * @param: parameter's name.
 * @text: its value.
 * @ret_error: explanation, or NULL.
 *
 * Return: 0; -ENOENT, -EINVAL, -E2BIG as checmate_policy_set().
 */
CHECMATE_API int checmate_binding_check(const struct checmate_binding *binding, const char *param,
					const char *text, struct checmate_error **ret_error);

/**
 * checmate_binding_set() - Change a parameter while the policy is in force.
 * @binding: binding.
 * @param: parameter's name.
 * @text: its value.
 * @ret_error: explanation, or NULL.
 *
 * Every judgement uses either the whole old or the whole new value. When this
 * returns 0, every judgement that starts uses the new one.
 *
 * Return: 0; -ENOENT, -EINVAL, -E2BIG as checmate_policy_set(); -errno.
 */
CHECMATE_API int checmate_binding_set(struct checmate_binding *binding, const char *param,
				      const char *text, struct checmate_error **ret_error);

/**
 * checmate_binding_set_params() - Change several parameters together.
 * @binding: binding.
 * @params: names and values by turns, and NULL at the end.
 * @ret_error: explanation, or NULL.
 *
 * Every judgement uses either all old or all new values. On failure nothing has changed.
 *
 * Return: as checmate_binding_set().
 */
CHECMATE_API int checmate_binding_set_params(struct checmate_binding *binding,
					     const char *const *params,
					     struct checmate_error **ret_error);

/**
 * checmate_binding_free() - Look at a binding no more; it stays in force.
 * @binding: binding, or NULL.
 *
 * Return: NULL.
 */
CHECMATE_API struct checmate_binding *checmate_binding_free(struct checmate_binding *binding);

static inline void checmate_binding_freep(struct checmate_binding **binding)
{
	*binding = checmate_binding_free(*binding);
}

/* --- status --------------------------------------------------------------- */

/* What the kernel says about a cgroup, read at one moment. */
struct checmate_status;

/**
 * struct checmate_attachment - A program attached to a cgroup.
 * @id: attachment id, never used twice.
 * @hook: LSM hook.
 * @name: program's name.
 * @tag: program's tag, hexadecimal.
 * @mode: "enforce" or "permissive".
 * @prog_id: the kernel's program id.
 * @cgroup_id: the cgroup it is attached to.
 * @path: that cgroup's path relative to the mount.
 * @policy: the policy it belongs to, NULL when it was not attached through
 *          this library.
 * @staged: it waits for an exec and is not enforced yet.
 * @cookie: the cookie that the attachment gives the program to find; 0 for none.
 * @instance: of the binding it belongs to, see checmate_policy_instance(); 0 when @policy
 *            is NULL.
 */
struct checmate_attachment {
	uint64_t id;
	const char *hook;
	const char *name;
	const char *tag;
	const char *mode;
	uint32_t prog_id;
	uint64_t cgroup_id;
	const char *path;
	const char *policy;
	bool staged;
	uint64_t cookie;
	uint64_t instance;
};

/**
 * checmate_status_read() - Ask the kernel about a cgroup.
 * @cgroup: cgroup. Where the controller is not enabled there, nothing is
 *          attached, and what is enforced is what the nearest ancestor with
 *          the controller says.
 * @ret_status: receives the answer; free with checmate_status_free().
 * @ret_error: explanation, or NULL.
 *
 * Return: 0; -EOPNOTSUPP the kernel has no such controller; -errno.
 */
CHECMATE_API int checmate_status_read(const struct checmate_cgroup *cgroup,
				      struct checmate_status **ret_status,
				      struct checmate_error **ret_error);

/* The controller is enabled in this very cgroup. */
CHECMATE_API bool checmate_status_enabled(const struct checmate_status *status);

/* Generation of what is attached here; 0 where the controller is not enabled. */
CHECMATE_API uint64_t checmate_status_generation(const struct checmate_status *status);

/* How many programs are attached to this very cgroup, or staged for it. */
CHECMATE_API size_t checmate_status_count_local(const struct checmate_status *status);

/*
 * Attached to this very cgroup, in attach order, and behind them what is staged.
 * NULL when @index is too large.
 */
CHECMATE_API const struct checmate_attachment *checmate_status_get_local(
	const struct checmate_status *status, size_t index);

/* How many programs are enforced in this cgroup, inherited ones included. */
CHECMATE_API size_t checmate_status_count_effective(const struct checmate_status *status);

/* Enforced in this cgroup, in order of evaluation. NULL when @index is too large. */
CHECMATE_API const struct checmate_attachment *checmate_status_get_effective(
	const struct checmate_status *status, size_t index);

/**
 * checmate_status_free() - Free a status.
 * @status: status, or NULL.
 *
 * Return: NULL.
 */
CHECMATE_API struct checmate_status *checmate_status_free(struct checmate_status *status);

static inline void checmate_status_freep(struct checmate_status **status)
{
	*status = checmate_status_free(*status);
}

/* --- events --------------------------------------------------------------- */

/* The reader of denials; this machine has one at a time. */
struct checmate_events;

/**
 * struct checmate_event - A denial that a policy told of.
 * @time_ns: nanoseconds since boot, the time of suspension included
 *           (CLOCK_BOOTTIME).
 * @cgroup_id: the cgroup that the policy is bound to; 0 when the program ran
 *             without a binding of this library.
 * @task_cgroup_id: the cgroup of the task that made the call.
 * @pid: process id, in the initial namespace.
 * @tid: thread id, likewise.
 * @uid: user id, in the initial namespace.
 * @gid: group id, likewise.
 * @error: errno of the denial, positive.
 * @permissive: it was told only: the call went on.
 * @comm: name of the thread.
 * @policy: the policy's name.
 * @hook: the LSM hook's name.
 * @object_type: what @object is:
 *                "none"      nothing is told, @object is empty
 *                "endpoint"  "tcp 10.0.0.1:80", "udp [::1]:53", without the
 *                            protocol where the policy does not tell it;
 *                            "family 99" for an address of another family
 *                "path"      a path, as long as there was room for it
 *                "text"      a name, as of a filesystem type
 *                "number"    decimal digits
 *                "task"      "pid 12 (comm)" or "pid 12 (comm) signal TERM"
 *                "unknown"   something that this library is too old for
 * @object: what the call was about, as text; never NULL.
 *
 * In the texts, control characters, backslashes and bytes that are not UTF-8 are
 * written "\ooo", the byte in octal: they can be printed to a terminal.
 */
struct checmate_event {
	uint64_t time_ns;
	uint64_t cgroup_id;
	uint64_t task_cgroup_id;
	uint32_t pid;
	uint32_t tid;
	uint32_t uid;
	uint32_t gid;
	int error;
	bool permissive;
	const char *comm;
	const char *policy;
	const char *hook;
	const char *object_type;
	const char *object;
};

/**
 * checmate_events_open() - Become the reader of denials.
 * @ret_events: receives the reader; free with checmate_events_free(), which
 *              lets another one read. So does the end of the process.
 * @ret_error: explanation, or NULL; names the process that reads on -EBUSY.
 *
 * Denials are kept from the moment the first policy is loaded, whether there is a
 * reader or not, as long as there is room: about 650 of them. A child process
 * must not use the reader of its parent.
 *
 * Return: 0; -EBUSY another reader has it; -EACCES, -EPERM not root; -EEXIST
 * what is pinned in bpffs is something else; -EOPNOTSUPP there is no bpffs; -errno.
 */
CHECMATE_API int checmate_events_open(struct checmate_events **ret_events,
				      struct checmate_error **ret_error);

/**
 * checmate_events_fd() - What to wait for.
 * @events: the reader.
 *
 * Return: a descriptor which poll(2) finds readable while there may be events to
 * read; belongs to @events.
 */
CHECMATE_API int checmate_events_fd(const struct checmate_events *events);

/**
 * checmate_events_read() - Take the oldest event out.
 * @events: the reader.
 * @ret_event: receives the event, which is valid until the next call with
 *             @events. Not written when the function returns 0.
 * @ret_error: explanation, or NULL.
 *
 * Never waits.
 *
 * Return: 1 an event; 0 none now; -errno.
 */
CHECMATE_API int checmate_events_read(struct checmate_events *events,
				      const struct checmate_event **ret_event,
				      struct checmate_error **ret_error);

/**
 * checmate_events_lost() - How many events this reader will never get.
 * @events: the reader.
 *
 * They found no room, or were damaged. As an event, a loss is told to one
 * reader: the first one to look after it.
 *
 * Return: the number that was known at the last checmate_events_open() or
 * checmate_events_read(); never decreases.
 */
CHECMATE_API uint64_t checmate_events_lost(const struct checmate_events *events);

/**
 * checmate_events_free() - Read no more.
 * @events: the reader, or NULL.
 *
 * Events that were not read stay for the next reader.
 *
 * Return: NULL.
 */
CHECMATE_API struct checmate_events *checmate_events_free(struct checmate_events *events);

static inline void checmate_events_freep(struct checmate_events **events)
{
	*events = checmate_events_free(*events);
}

#ifdef __cplusplus
}
#endif

#endif /* CHECMATE_CHECMATE_H */
