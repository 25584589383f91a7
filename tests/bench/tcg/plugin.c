// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A plugin for QEMU's emulation that counts what happens from a function's first
 * instruction to its return, in the kernel or in a program: instructions, loads, stores,
 * indirect calls and jumps, returns, locked operations, and distinct lines of 64 bytes
 * that data and code take.
 *
 *	qemu-system-x86_64 -plugin file=checmate-path.so,out=FILE …
 *
 * with one processor, and a kernel that is not moved at random (nokaslr). The guest says,
 * with the program of mark.c, what to do:
 *
 *	path NAME ADDRESS	count calls of the function there (hexadecimal)
 *	start NAME ARM		begin to count that path, if it has been named; until then,
 *				emulation is as fast as ever
 *	stop			and end; a line for each counter is added to FILE, with tabs
 *				between:
 *				ARM PATH COUNTER VALUE OCCURRENCES ALIKE
 *				VALUE is the mode, and ALIKE how many had it
 *
 * Registers cannot be seen, but all addresses can. A path's frame is known from the
 * address to which the last call that has not returned pushed its return address: the
 * return that reads it from there is the end, whatever was called or jumped to between.
 * A path in which instructions do not follow each other, since an interrupt came, is
 * left out; where it came just after a jump that does not show, and is what the mode is
 * for. A return that does not go where its call came from, as one of a retpoline, is
 * an indirect call or jump.
 *
 * A call's push and a return's pop are a store and a load. An instruction with a repeat
 * prefix counts once for each time round, as in QEMU's own count.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "insn.h"
#include "mark.h"
#include "qemu-plugin.h"

#define LINE_SHIFT 6
#define MAX_LINES 1024
#define MAX_PATHS 32
#define MAX_DEPTH 256
#define MAX_RUNS 65536

/* Beside what insn_classify() says: the first instruction of a path. */
#define INSN_ENTRY (1 << 7)

/* What a path is counted by, in the order of counter_names. */
enum counter {
	INSTRUCTIONS,
	LOADS,
	STORES,
	INDIRECT_CALLS,
	INDIRECT_JUMPS,
	RETURNS,
	LOCKED,
	DATA_LINES,
	CODE_LINES,
	N_COUNTERS,
};

static const char *const counter_names[N_COUNTERS] = {
	[INSTRUCTIONS] = "instructions",
	[LOADS] = "loads",
	[STORES] = "stores",
	[INDIRECT_CALLS] = "indirect-calls",
	[INDIRECT_JUMPS] = "indirect-jumps",
	[RETURNS] = "returns",
	[LOCKED] = "locked",
	[DATA_LINES] = "data-lines",
	[CODE_LINES] = "code-lines",
};

struct run {
	uint32_t count[N_COUNTERS];
};

struct path {
	char name[32];
	uint64_t address;
	struct run *runs;
	size_t n_runs;
};

struct lines {
	uint64_t line[MAX_LINES];
	uint32_t n;
};

/* A call that has not returned. */
struct call {
	/* Where its return address is, and what that is. */
	uint64_t frame;
	uint64_t back;
	/* Where the call is, and where it went, 0 until that is known. */
	uint64_t site;
	uint64_t target;
};

int qemu_plugin_version = 1;

static FILE *out;
static char said[256];
static size_t n_said;
static char arm[64];
static bool counting;
/* What of paths is counted, NULL if it is none of them. */
static struct path *wanted;

static struct path paths[MAX_PATHS];
static size_t n_paths;

static struct call calls[MAX_DEPTH];
static size_t depth;

/* The instruction before this one. */
static uint64_t last_address, last_end;
static unsigned int last_kind;
/* Where the return that was last executed belongs, 0 if it was none. */
static struct call returned;

/* Is the processor on the path that is wanted? */
static bool on;
static uint64_t on_frame;
static bool disturbed;
static struct run now;
static struct lines data_lines, code_lines;

static void watch(uint64_t id);

static uint64_t plugin_id;

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("checmate-path: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

static void add_line(struct lines *lines, uint64_t line)
{
	uint32_t i;

	for (i = 0; i < lines->n; i++)
		if (lines->line[i] == line)
			return;
	if (lines->n == MAX_LINES)
		disturbed = true;
	else
		lines->line[lines->n++] = line;
}

static void add_lines(struct lines *lines, uint64_t address, uint64_t size)
{
	add_line(lines, address >> LINE_SHIFT);
	if ((address + size - 1) >> LINE_SHIFT != address >> LINE_SHIFT)
		add_line(lines, (address + size - 1) >> LINE_SHIFT);
}

static void begin(void)
{
	on = wanted && depth > 0;
	if (!on)
		return;
	on_frame = calls[depth - 1].frame;
	disturbed = false;
	memset(&now, 0, sizeof(now));
	data_lines.n = 0;
	code_lines.n = 0;
}

static void finish(void)
{
	on = false;
	if (disturbed || wanted->n_runs == MAX_RUNS)
		return;
	now.count[DATA_LINES] = data_lines.n;
	now.count[CODE_LINES] = code_lines.n;
	wanted->runs[wanted->n_runs++] = now;
}

/*
 * What an instruction is, in the pointer that its callbacks are given: 48 bits of its
 * address, 8 of its size, 8 of its kind.
 */
static void *pack(uint64_t address, size_t size, unsigned int kind)
{
	return (void *)(uintptr_t)(address << 16 | size << 8 | kind);
}

static uint64_t address_of(void *data)
{
	return (uint64_t)((int64_t)(intptr_t)data >> 16);
}

static uint64_t size_of(void *data)
{
	return (uintptr_t)data >> 8 & 255;
}

static unsigned int kind_of(void *data)
{
	return (uintptr_t)data & 255;
}

/* Judges how the processor came to the instruction at @address. */
static void follow(uint64_t address)
{
	if (last_kind & INSN_CALL) {
		if (depth && calls[depth - 1].site == last_address)
			calls[depth - 1].target = address;
	} else if (last_kind & INSN_RETURN) {
		if (!on || !returned.frame || returned.back == address)
			return;
		/* Who calls a thunk is the caller of what the thunk goes to. */
		if (depth && calls[depth - 1].target == returned.site)
			now.count[INDIRECT_CALLS]++;
		else
			now.count[INDIRECT_JUMPS]++;
	} else if (!(last_kind & INSN_JUMP)) {
		/* One with a repeat prefix is there again. */
		if (address != last_end && address != last_address)
			disturbed = true;
	}
}

static void execute(unsigned int vcpu, void *data)
{
	uint64_t address = address_of(data), size = size_of(data);
	unsigned int kind = kind_of(data);

	(void)vcpu;
	follow(address);
	if (kind & INSN_ENTRY)
		begin();
	if (kind & INSN_LEAVE) {
		/* What is left on the stack is of no use to whatever runs next. */
		depth = 0;
		on = false;
	}
	returned.frame = 0;
	last_address = address;
	last_end = address + size;
	last_kind = kind;
	if (!on)
		return;
	now.count[INSTRUCTIONS]++;
	if (kind & INSN_LOCKED)
		now.count[LOCKED]++;
	if (kind & INSN_RETURN)
		now.count[RETURNS]++;
	if (kind & INSN_INDIRECT)
		now.count[kind & INSN_CALL ? INDIRECT_CALLS : INDIRECT_JUMPS]++;
	add_lines(&code_lines, address, size);
}

static void push(uint64_t frame)
{
	/* What is below on the same stack has returned unseen. */
	while (depth && calls[depth - 1].frame <= frame && frame - calls[depth - 1].frame < 0x4000)
		depth--;
	if (depth == MAX_DEPTH) {
		memmove(calls, calls + 1, sizeof(*calls) * (MAX_DEPTH - 1));
		depth--;
	}
	calls[depth++] = (struct call){
		.frame = frame,
		.back = last_end,
		.site = last_address,
	};
}

static void pop(uint64_t frame)
{
	size_t i;

	for (i = depth; i > 0; i--)
		if (calls[i - 1].frame == frame)
			break;
	/* None: this is another stack. */
	depth = i > 0 ? i - 1 : 0;
	if (i > 0)
		returned = calls[i - 1];
}

static void touch(unsigned int vcpu, uint32_t info, uint64_t address, void *data)
{
	unsigned int kind = kind_of(data);
	bool store = qemu_plugin_mem_is_store(info);

	(void)vcpu;
	if (on) {
		now.count[store ? STORES : LOADS]++;
		add_lines(&data_lines, address, (uint64_t)1 << qemu_plugin_mem_size_shift(info));
	}
	if (kind & INSN_CALL && store) {
		push(address);
	} else if (kind & INSN_RETURN && !store) {
		pop(address);
		if (on && address == on_frame)
			finish();
	}
}

/* --- what the guest says ---------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void print_counter(enum counter counter)
{
	static uint32_t values[MAX_RUNS];
	size_t i, first = 0, alike = 0;
	uint32_t mode = 0;

	for (i = 0; i < wanted->n_runs; i++)
		values[i] = wanted->runs[i].count[counter];
	qsort(values, wanted->n_runs, sizeof(*values), compare);
	for (i = 0; i < wanted->n_runs; i++) {
		if (values[i] != values[first])
			first = i;
		if (i - first + 1 > alike) {
			alike = i - first + 1;
			mode = values[i];
		}
	}
	fprintf(out, "%s\t%s\t%s\t%" PRIu32 "\t%zu\t%zu\n", arm, wanted->name,
		counter_names[counter], mode, wanted->n_runs, alike);
}

static void start(const char *name)
{
	size_t i;

	wanted = NULL;
	for (i = 0; i < n_paths; i++)
		if (!strcmp(paths[i].name, name))
			wanted = &paths[i];
	if (!wanted)
		return;
	wanted->n_runs = 0;
	depth = 0;
	on = false;
	returned.frame = 0;
	last_kind = INSN_JUMP;
	qemu_plugin_reset(plugin_id, watch);
}

static void stop(void)
{
	int counter;

	if (!wanted)
		return;
	for (counter = 0; wanted->n_runs && counter < N_COUNTERS; counter++)
		print_counter((enum counter)counter);
	if (fflush(out) || ferror(out))
		die("what was counted cannot be written: %s", strerror(errno));
	wanted = NULL;
	on = false;
	qemu_plugin_reset(plugin_id, watch);
}

/* Its half of the addresses is the negative one. */
static bool in_kernel(uint64_t address)
{
	return (int64_t)address < 0;
}

static void add_path(const char *name, uint64_t address)
{
	struct path *path = &paths[n_paths];

	if (n_paths == MAX_PATHS)
		die("path %s: there is no room for more than %d", name, MAX_PATHS);
	path->runs = calloc(MAX_RUNS, sizeof(*path->runs));
	if (!path->runs)
		die("path %s: no memory", name);
	snprintf(path->name, sizeof(path->name), "%s", name);
	path->address = address;
	n_paths++;
}

static void obey(void)
{
	char name[32];
	uint64_t address;

	if (sscanf(said, "path %31s %" SCNx64, name, &address) == 2 && !counting) {
		add_path(name, address);
	} else if (sscanf(said, "start %31s %63[^\n]", name, arm) == 2 && !counting) {
		counting = true;
		start(name);
	} else if (!strcmp(said, "stop") && counting) {
		counting = false;
		stop();
	} else {
		die("the guest says \"%s\": not known, or not now", said);
	}
}

static void hear(unsigned int vcpu, uint32_t info, uint64_t address, void *data)
{
	char c = (char)(address & 255);

	(void)vcpu;
	(void)info;
	(void)data;
	if (c == '\n') {
		said[n_said] = '\0';
		n_said = 0;
		obey();
	} else if (n_said + 1 < sizeof(said)) {
		said[n_said++] = c;
	}
}

/*
 * An instruction that ends a block and calls one of QEMU's helpers to do so, as a return
 * does, leaves its callbacks, in QEMU 7.2, to whatever comes next that goes on after a
 * helper. Should a reset have forgotten them by then, QEMU aborts. So a program asks for
 * its processor's name, which is such an instruction, before it says anything.
 */
static void touch_nothing(unsigned int vcpu, uint32_t info, uint64_t address, void *data)
{
	(void)vcpu;
	(void)info;
	(void)address;
	(void)data;
}

/* --- what QEMU calls ---------------------------------------------------------------- */

static void translate(uint64_t id, struct qemu_plugin_tb *tb)
{
	static const uint8_t mark[] = MARK_BYTES, before[] = MARK_BEFORE;
	size_t n = qemu_plugin_tb_n_insns(tb), i, size;
	struct qemu_plugin_insn *insn;
	const uint8_t *bytes;
	unsigned int kind;
	uint64_t address;
	void *data;

	(void)id;
	for (i = 0; i < n; i++) {
		insn = qemu_plugin_tb_get_insn(tb, i);
		address = qemu_plugin_insn_vaddr(insn);
		bytes = qemu_plugin_insn_data(insn);
		size = qemu_plugin_insn_size(insn);
		if (!in_kernel(address)) {
			/* Of loads alone QEMU 7.2 tells nothing: it takes them for stores. */
			if (size == sizeof(mark) && !memcmp(bytes, mark, size))
				qemu_plugin_register_vcpu_mem_cb(insn, hear, QEMU_PLUGIN_CB_NO_REGS,
								 QEMU_PLUGIN_MEM_RW, NULL);
			if (size == sizeof(before) && !memcmp(bytes, before, size))
				qemu_plugin_register_vcpu_mem_cb(insn, touch_nothing,
								 QEMU_PLUGIN_CB_NO_REGS,
								 QEMU_PLUGIN_MEM_RW, NULL);
			if (!wanted || in_kernel(wanted->address))
				continue;
		}
		if (!wanted)
			continue;
		kind = insn_classify(bytes, size);
		if (address == wanted->address)
			kind |= INSN_ENTRY;
		data = pack(address, size, kind);
		qemu_plugin_register_vcpu_insn_exec_cb(insn, execute, QEMU_PLUGIN_CB_NO_REGS, data);
		qemu_plugin_register_vcpu_mem_cb(insn, touch, QEMU_PLUGIN_CB_NO_REGS,
						 QEMU_PLUGIN_MEM_RW, data);
	}
}

static void end(uint64_t id, void *data)
{
	size_t i;

	(void)id;
	(void)data;
	for (i = 0; i < n_paths; i++)
		free(paths[i].runs);
	fclose(out);
}

static void watch(uint64_t id)
{
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	qemu_plugin_register_atexit_cb(id, end, NULL);
}

/**
 * qemu_plugin_install() - Begins
 * @id: What QEMU calls this plugin.
 * @info: What machine it emulates.
 * @argc: Number of arguments.
 * @argv: The arguments; "out=FILE" is the one there is, and has to be there.
 *
 * Return: 0 on success, -1 if it is not a machine or arguments that this is made for.
 */
int qemu_plugin_install(uint64_t id, const struct qemu_info_t *info, int argc, char **argv)
{
	int i;

	if (strcmp(info->target_name, "x86_64") || !info->system_emulation ||
	    info->system.max_vcpus != 1) {
		fprintf(stderr, "checmate-path: made for one x86-64 processor\n");
		return -1;
	}
	for (i = 0; i < argc; i++) {
		if (strncmp(argv[i], "out=", 4) || out) {
			fprintf(stderr, "checmate-path: %s: no such argument\n", argv[i]);
			return -1;
		}
		out = fopen(argv[i] + 4, "w");
		if (!out) {
			fprintf(stderr, "checmate-path: %s: %s\n", argv[i] + 4, strerror(errno));
			return -1;
		}
	}
	if (!out) {
		fprintf(stderr, "checmate-path: out=FILE is missing\n");
		return -1;
	}
	plugin_id = id;
	watch(id);
	return 0;
}
