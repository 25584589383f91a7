// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Where all policies tell of denials: reading */
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "error.h"
#include "event-decode.h"
#include "file.h"
#include "libbpf-log.h"
#include "pin.h"
#include "shared-map.h"

static int explain(const char *path, int code, struct checmate_error **ret_error)
{
	return error_set(ret_error, code, "%s: %s; run as root, see \"checmatectl features\"", path,
			 strerror(-code));
}

/* Opens both maps, made where they are missing. */
static int open_maps(int *ret_ring, int *ret_lost, struct checmate_error **ret_error)
{
	_cleanup_close_ int lock = -1, ring = -1, lost = -1;
	int r;

	r = pin_lock(true, &lock, ret_error);
	if (!r)
		r = shared_map_open(SHARED_MAP_RING, &ring, ret_error);
	if (!r)
		r = shared_map_open(SHARED_MAP_LOST, &lost, ret_error);
	if (r < 0)
		return r;

	*ret_ring = TAKE_FD(ring);
	*ret_lost = TAKE_FD(lost);
	return 0;
}

/**
 * struct checmate_events - The one who reads.
 * @directory: descriptor of the directory, whose lock says that there is a reader.
 * @ring: the ring's descriptor; @buffer needs it.
 * @buffer: libbpf's view of it.
 * @counter: the lost map's value, which the kernel adds to.
 * @lost: what was taken out of it, and the records that were not understood.
 * @found: @event is a new one.
 * @event: the last record.
 */
struct checmate_events {
	int directory;
	int ring;
	struct ring_buffer *buffer;
	uint64_t *counter;
	uint64_t lost;
	bool found;
	struct event event;
};

static size_t counter_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

static void take_lost(struct checmate_events *events)
{
	if (__atomic_load_n(events->counter, __ATOMIC_RELAXED))
		events->lost += __atomic_exchange_n(events->counter, 0, __ATOMIC_RELAXED);
}

/* One record at a time: a negative answer makes libbpf stop behind it. */
static int take_record(void *context, void *data, size_t size)
{
	struct checmate_events *events = context;

	if (event_decode(data, size, &events->event) < 0) {
		events->lost++;
		return 0;
	}
	events->found = true;
	return -ECANCELED;
}

/* The process that holds the lock of a file, 0 when it cannot be told. */
static int lock_holder(int fd)
{
	_cleanup_free_ char *locks = NULL;
	char *line, *rest;
	struct stat st;

	if (fstat(fd, &st) < 0 || file_read(AT_FDCWD, "/proc/locks", SIZE_MAX, &locks, NULL) < 0)
		return 0;
	rest = locks;
	while ((line = strsep(&rest, "\n"))) {
		unsigned int major, minor;
		unsigned long inode;
		int pid;

		if (sscanf(line, "%*d: FLOCK %*s WRITE %d %x:%x:%lu", &pid, &major, &minor,
			   &inode) == 4 &&
		    makedev(major, minor) == st.st_dev && inode == st.st_ino && pid > 0)
			return pid;
	}
	return 0;
}

static int explain_busy(int directory, const char *path, struct checmate_error **ret_error)
{
	int pid = lock_holder(directory);

	if (pid)
		return error_set(ret_error, -EBUSY,
				 "%s: the process %d reads the events; ask it for them, or end it",
				 path, pid);
	return error_set(ret_error, -EBUSY,
			 "%s: another process reads the events; find it by \"fuser %s\", and ask it for them, or end it",
			 path, path);
}

static int lock_directory(struct checmate_events *events, struct checmate_error **ret_error)
{
	struct pin_path directory = pin_events(NULL);

	events->directory = open(directory.text, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (events->directory < 0)
		return explain(directory.text, -errno, ret_error);
	if (!flock(events->directory, LOCK_EX | LOCK_NB))
		return 0;
	if (errno != EWOULDBLOCK)
		return explain(directory.text, -errno, ret_error);
	return explain_busy(events->directory, directory.text, ret_error);
}

int checmate_events_open(struct checmate_events **ret_events, struct checmate_error **ret_error)
{
	_cleanup_(checmate_events_freep) struct checmate_events *events = NULL;
	_cleanup_libbpf_log_ struct libbpf_log capture;
	_cleanup_close_ int lost = -1;
	void *counter;
	int r;

	libbpf_log_begin(&capture);
	events = calloc(1, sizeof(*events));
	if (!events)
		return error_oom(ret_error);
	events->directory = -1;
	events->ring = -1;

	r = open_maps(&events->ring, &lost, ret_error);
	if (!r)
		r = lock_directory(events, ret_error);
	if (r < 0)
		return r;

	counter = mmap(NULL, counter_size(), PROT_READ | PROT_WRITE, MAP_SHARED, lost, 0);
	if (counter == MAP_FAILED)
		return explain(pin_events("lost").text, -errno, ret_error);
	events->counter = counter;
	events->buffer = ring_buffer__new(events->ring, take_record, events, NULL);
	if (!events->buffer)
		return explain(pin_events("ring").text, -errno, ret_error);

	take_lost(events);
	*ret_events = TAKE_PTR(events);
	return 0;
}

int checmate_events_fd(const struct checmate_events *events)
{
	return ring_buffer__epoll_fd(events->buffer);
}

int checmate_events_read(struct checmate_events *events, const struct checmate_event **ret_event,
			 struct checmate_error **ret_error)
{
	int r;

	events->found = false;
	r = ring_buffer__consume(events->buffer);
	take_lost(events);
	if (events->found) {
		*ret_event = &events->event.info;
		return 1;
	}
	return r < 0 ? explain(pin_events("ring").text, r, ret_error) : 0;
}

uint64_t checmate_events_lost(const struct checmate_events *events)
{
	return events->lost;
}

struct checmate_events *checmate_events_free(struct checmate_events *events)
{
	if (!events)
		return NULL;
	ring_buffer__free(events->buffer);
	if (events->counter)
		munmap(events->counter, counter_size());
	if (events->ring >= 0)
		close(events->ring);
	/* The last: now another may read. */
	if (events->directory >= 0)
		close(events->directory);
	free(events);
	return NULL;
}
