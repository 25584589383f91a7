/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What plugin.c uses of the interface that QEMU has for plugins (version 1 of it, which
 * QEMU 6.0 to 8.2 offer), since the header comes in no package. QEMU's own
 * documentation, "QEMU TCG Plugins", describes it. Handles of blocks and instructions are
 * good only while the callback runs that was given them.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;

/* What the emulated machine is, given to qemu_plugin_install(). */
struct qemu_info_t {
	const char *target_name;
	struct {
		int min;
		int cur;
	} version;
	bool system_emulation;
	union {
		struct {
			int smp_vcpus;
			int max_vcpus;
		} system;
	};
};

/* Which registers a callback reads or writes: ours, none. */
enum qemu_plugin_cb_flags {
	QEMU_PLUGIN_CB_NO_REGS,
};

/* Which accesses to memory are to be reported. */
enum qemu_plugin_mem_rw {
	QEMU_PLUGIN_MEM_R = 1,
	QEMU_PLUGIN_MEM_W,
	QEMU_PLUGIN_MEM_RW,
};

/* What QEMU looks for in a plugin: the interface's version, and what it calls first. */
#define QEMU_PLUGIN_EXPORT __attribute__((visibility("default")))
extern QEMU_PLUGIN_EXPORT int qemu_plugin_version;
QEMU_PLUGIN_EXPORT int qemu_plugin_install(uint64_t id, const struct qemu_info_t *info, int argc,
					   char **argv);

/* Has a callback called for each block of instructions before it is translated. */
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
					   void (*callback)(uint64_t id, struct qemu_plugin_tb *tb));

/* Has one called when QEMU ends. */
void qemu_plugin_register_atexit_cb(uint64_t id, void (*callback)(uint64_t id, void *data),
				    void *data);

/* Forgets all callbacks and all translations, and calls that one, to begin anew. */
void qemu_plugin_reset(uint64_t id, void (*callback)(uint64_t id));

/* The instructions of a block: how many there are, one of them, its bytes and address. */
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

/* Has a callback called each time before the instruction is executed. */
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*callback)(unsigned int vcpu, void *data),
					    enum qemu_plugin_cb_flags flags, void *data);

/* Has one called after each access to memory that the instruction makes. */
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
				      void (*callback)(unsigned int vcpu, uint32_t info,
						       uint64_t address, void *data),
				      enum qemu_plugin_cb_flags flags, enum qemu_plugin_mem_rw rw,
				      void *data);

/* What info says of an access: the size, as a power of two, and the direction. */
unsigned int qemu_plugin_mem_size_shift(uint32_t info);
bool qemu_plugin_mem_is_store(uint32_t info);
