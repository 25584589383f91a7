// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Policy objects: files that were read, checked and understood */
#include "object.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "error.h"
#include "file.h"
#include "hash.h"
#include "libbpf-log.h"
#include "object-validate.h"
#include "parse.h"
#include "trust.h"

#define OBJECT_MAX (16 * 1024 * 1024)

/* How many objects are remembered: more than a node has policies. */
#define KNOWN_MAX 64

/*
 * A file that was changed this short ago may be changed again without another time: it is not
 * remembered.
 */
#define YOUNG_SECONDS 2

/* What is remembered, the last used first; each counts as a user. */
static struct object *known[KNOWN_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct object *object_free(struct object *object)
{
	if (!object)
		return NULL;
	for (size_t i = 0; object->defaults && i < object->description.n_params; i++)
		free(object->defaults[i]);
	free(object->defaults);
	free(object->programs);
	description_done(&object->description);
	bpf_object__close(object->parsed);
	free(object->data);
	free(object);
	return NULL;
}

static void unref_locked(struct object *object)
{
	if (object && !--object->n_refs)
		object_free(object);
}

struct object *object_unref(struct object *object)
{
	pthread_mutex_lock(&lock);
	unref_locked(object);
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void object_unrefp(struct object **object)
{
	*object = object_unref(*object);
}

/* Whoever looks for leaks finds none. */
__attribute__((destructor)) static void forget_all(void)
{
	for (size_t i = 0; i < KNOWN_MAX; i++) {
		object_unref(known[i]);
		known[i] = NULL;
	}
}

/* --- what is remembered --------------------------------------------------------- */

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       is_same_time(&a->st_ctim, &b->st_ctim) && is_same_time(&a->st_mtim, &b->st_mtim);
}

static void put_first_locked(struct object *object, size_t place)
{
	memmove(known + 1, known, place * sizeof(*known));
	known[0] = object;
}

static struct object *find(const struct stat *st)
{
	struct object *found = NULL;

	pthread_mutex_lock(&lock);
	for (size_t i = 0; !found && i < KNOWN_MAX && known[i]; i++) {
		if (!is_same(&known[i]->st, st))
			continue;
		found = known[i];
		found->n_refs++;
		put_first_locked(found, i);
	}
	pthread_mutex_unlock(&lock);
	return found;
}

static void remember(struct object *object)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (object->st.st_ctim.tv_sec + YOUNG_SECONDS > now.tv_sec)
		return;
	pthread_mutex_lock(&lock);
	unref_locked(known[KNOWN_MAX - 1]);
	object->n_refs++;
	put_first_locked(object, KNOWN_MAX - 1);
	pthread_mutex_unlock(&lock);
}

/* --- what a file says ----------------------------------------------------------- */

/* Whether @name is made of what a C compiler makes names of: it becomes a file. */
static bool is_plain(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");

	return n && !name[n];
}

static int check_maps(const struct object *object, const char *path,
		      struct checmate_error **ret_error)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object->parsed)
		if (!is_plain(bpf_map__name(map)))
			return error_set(ret_error, -EINVAL,
					 "%s: its map \"%s\" has no valid name; use letters, digits, '_' and '.'",
					 path, bpf_map__name(map));
	return 0;
}

static int add_programs(struct object *object, const char *path, struct checmate_error **ret_error)
{
	struct bpf_program *program;
	size_t n = 0;

	bpf_object__for_each_program(program, object->parsed)
		n++;
	if (!n)
		return error_set(ret_error, -EINVAL,
				 "%s: it has no program; add a CHECMATE_PROGRAM()", path);
	object->programs = calloc(n, sizeof(*object->programs));
	if (!object->programs)
		return error_oom(ret_error);

	bpf_object__for_each_program(program, object->parsed) {
		const char *section = bpf_program__section_name(program);
		const char *slash = strchr(section, '/');

		if (bpf_program__type(program) != BPF_PROG_TYPE_LSM || !slash || !slash[1])
			return error_set(ret_error, -EINVAL,
					 "%s: its program %s is in section \"%s\"; a policy has programs in \"lsm_cgroup/HOOK\" and \"lsm/HOOK\" only",
					 path, bpf_program__name(program), section);
		if (!is_plain(bpf_program__name(program)) || !is_plain(slash + 1))
			return error_set(ret_error, -EINVAL,
					 "%s: its program \"%s\" for \"%s\" has no valid name; use letters, digits and '_'",
					 path, bpf_program__name(program), slash + 1);
		object->programs[object->n_programs++] = (struct checmate_program){
			.name = bpf_program__name(program),
			.hook = slash + 1,
			.type = bpf_program__expected_attach_type(program) == BPF_LSM_CGROUP ?
					"lsm_cgroup" :
					"lsm",
		};
	}
	return 0;
}

/* The value that a parameter begins with. */
static int add_value(struct object *object, const char *path, size_t index,
		     struct checmate_error **ret_error)
{
	struct param *param = &object->description.params[index];
	_cleanup_free_ char *reason = NULL, *text = NULL;
	int r;

	object->defaults[index] = calloc(1, param->type->size);
	if (!object->defaults[index])
		return error_oom(ret_error);
	r = param_type_parse(param->type, &param->limits, param->initial, object->defaults[index],
			     &reason);
	if (!r)
		r = param_type_format(param->type, &param->limits, object->defaults[index], &text);
	if (r == -ENOMEM)
		return error_oom(ret_error);
	if (r < 0)
		return error_set(ret_error, -EINVAL,
				 "%s: the default of its parameter \"%s\" cannot be: %s; make it %s",
				 path, param->info.name, reason ?: "its bytes mean nothing",
				 param->info.form);
	param->info.value = TAKE_PTR(text);
	return 0;
}

/* What else tells that an object was built with a former version's header. */
#define FORMER_MAP ".data.self"

/* Whether its programs can find their parameters, if they have any. */
static int check_instances(struct object *object, const char *path,
			   struct checmate_error **ret_error)
{
	bool has = bpf_object__find_map_by_name(object->parsed, "checmate_instances");

	if (bpf_object__find_map_by_name(object->parsed, FORMER_MAP) ||
	    (object->description.n_params && !has))
		return error_set(ret_error, -EINVAL,
				 "%s: built with the header of a former version; build it with this version's checmate.bpf.h",
				 path);
	if (!has)
		object->description.unshared = true;
	return 0;
}

static int parse(struct object *object, const char *path, struct checmate_error **ret_error)
{
	_cleanup_libbpf_log_ struct libbpf_log capture;
	const struct btf *btf;
	int r;

	libbpf_log_begin(&capture);
	object->parsed = object_parse(object);
	if (!object->parsed) {
		_cleanup_free_ char *reason = libbpf_log_cause(&capture);

		return error_set_log(ret_error, -EINVAL, capture.text,
				     "%s: not a policy object: %s; build it again", path,
				     reason ?: "?");
	}

	btf = bpf_object__btf(object->parsed);
	if (!btf)
		return error_set(ret_error, -EINVAL,
				 "%s: it has no BTF, which describes it; build it with clang -g",
				 path);

	r = description_read(btf, path, false, &object->description, ret_error);
	if (!r)
		r = check_instances(object, path, ret_error);
	if (r < 0)
		return r;
	r = check_maps(object, path, ret_error);
	if (r < 0)
		return r;
	r = add_programs(object, path, ret_error);
	if (r < 0)
		return r;

	if (!object->description.n_params)
		return 0;
	object->defaults = calloc(object->description.n_params, sizeof(*object->defaults));
	if (!object->defaults)
		return error_oom(ret_error);
	for (size_t i = 0; i < object->description.n_params; i++) {
		r = add_value(object, path, i, ret_error);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Names the content among others; who trusts the file knows whose it is. */
static void compute_digest(struct object *object)
{
	snprintf(object->digest, sizeof(object->digest), "%016llx%016llx",
		 (unsigned long long)hash_bytes(HASH_INIT, object->data, object->size),
		 (unsigned long long)hash_bytes(~HASH_INIT, object->data, object->size));
}

static int explain_file(const char *path, int code, struct checmate_error **ret_error)
{
	if (code == -ENOMEM)
		return error_oom(ret_error);
	return error_set(ret_error, code, "%s: %s; give the path of a policy object", path,
			 strerror(-code));
}

static int read_object(const char *path, int fd, const struct stat *st, struct object **ret_object,
		       struct checmate_error **ret_error)
{
	_cleanup_(object_unrefp) struct object *object = calloc(1, sizeof(*object));
	int r;

	if (!object)
		return error_oom(ret_error);
	object->n_refs = 1;
	object->st = *st;
	r = file_read_fd(fd, OBJECT_MAX, &object->data, &object->size);
	if (r < 0)
		return explain_file(path, r, ret_error);
	r = object_validate(path, object->data, object->size, ret_error);
	if (!r)
		r = parse(object, path, ret_error);
	if (r < 0)
		return r;
	compute_digest(object);
	*ret_object = TAKE_PTR(object);
	return 0;
}

int object_open(const char *path, bool untrusted_ok, struct object **ret_object,
		struct checmate_error **ret_error)
{
	_cleanup_free_ char *reason = NULL;
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	r = untrusted_ok ? trust_open_any(path, &fd) : trust_open(path, &fd, &reason);
	if (reason)
		return error_set(ret_error, r,
				 "%s: not trusted: %s, or use \"checmatectl --untrusted-ok\"", path,
				 reason);
	if (!r && fstat(fd, &st) < 0)
		r = -errno;
	if (r < 0)
		return explain_file(path, r, ret_error);
	*ret_object = find(&st);
	if (*ret_object)
		return 0;
	r = read_object(path, fd, &st, ret_object, ret_error);
	if (!r)
		remember(*ret_object);
	return r;
}

struct bpf_object *object_parse(const struct object *object)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "checmate");

	return bpf_object__open_mem(object->data, object->size, &opts);
}
