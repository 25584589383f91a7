// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checmate LSM - Selftests: the programs of the torture test
 */

#include <bpf/btf.h>
#include <sys/sysmacros.h>

#include "torture.h"

struct program staying[NR_DEEDS][NR_STAYING];
struct program passing[MAX_PASSING];
unsigned int nr_passing;
struct program rare[NR_RARE];

static struct btf *vmlinux;

/* Where a member is, in the structure itself or in one within it. */
static int member_offset(const struct btf_type *type, const char *name)
{
	const struct btf_member *member = btf_members(type);
	int i, offset;

	for (i = 0; i < btf_vlen(type); i++) {
		const struct btf_type *inner;
		const char *own = btf__name_by_offset(vmlinux,
						      member[i].name_off);

		offset = btf_member_bit_offset(type, i) / 8;
		if (!strcmp(own, name))
			return offset;
		inner = btf__type_by_id(vmlinux, member[i].type);
		if (!*own && btf_is_composite(inner)) {
			int deeper = member_offset(inner, name);

			if (deeper >= 0)
				return offset + deeper;
		}
	}
	return -1;
}

static int offset_of(const char *structure, const char *member)
{
	int id = btf__find_by_name_kind(vmlinux, structure, BTF_KIND_STRUCT);

	if (id < 0)
		return id;
	return member_offset(btf__type_by_id(vmlinux, id), member);
}

static int load(const char *hook, enum bpf_attach_type type, bool sleepable,
		const struct bpf_insn *insn, size_t nr)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = type,
		    .prog_flags = sleepable ? BPF_F_SLEEPABLE : 0);
	char name[64];
	int id;

	snprintf(name, sizeof(name), "bpf_lsm_%s", hook);
	id = btf__find_by_name_kind(vmlinux, name, BTF_KIND_FUNC);
	if (id < 0)
		return id;
	opts.attach_btf_id = id;
	return bpf_prog_load(BPF_PROG_TYPE_LSM, "torture", "GPL", insn, nr,
			     &opts);
}

/* A jump of a condition to where the program allows. */
#define TO_ALLOW	INT16_MIN

/*
 * Load a program that denies with @err unless @condition, which finds the
 * arguments in register 1, jumps away.  A sleepable one first reads the page
 * that may not be there.
 */
static int load_conditional(const char *hook, enum bpf_attach_type type,
			    bool sleepable, int err,
			    const struct bpf_insn *condition, size_t nr)
{
	const struct bpf_insn sleep[] = {
		MOV_REG(6, 1),
		MOV_REG(1, 10), ADD_IMM(1, -8),
		MOV_IMM(2, 8),
		INSN(BPF_LD | BPF_DW | BPF_IMM, 3, 0, 0,
		     (int)(unsigned long)shared_page),
		INSN(0, 0, 0, 0, (int)((unsigned long)shared_page >> 32)),
		CALL(BPF_FUNC_copy_from_user),
		MOV_REG(1, 6),
	};
	const struct bpf_insn deny_mac[] = { MOV_IMM(0, -err), EXIT() };
	const struct bpf_insn deny_cgroup[] = {
		MOV_IMM(1, -err), CALL(BPF_FUNC_set_retval),
		MOV_IMM(0, 0), EXIT(),
	};
	const struct bpf_insn allow[] = {
		MOV_IMM(0, type == BPF_LSM_CGROUP), EXIT(),
	};
	struct bpf_insn insn[64];
	size_t i, len = 0, target;

	if (sleepable) {
		memcpy(insn, sleep, sizeof(sleep));
		len += ARRAY_LEN(sleep);
	}
	memcpy(&insn[len], condition, nr * sizeof(*insn));
	len += nr;
	if (err && type == BPF_LSM_MAC) {
		memcpy(&insn[len], deny_mac, sizeof(deny_mac));
		len += ARRAY_LEN(deny_mac);
	} else if (err) {
		memcpy(&insn[len], deny_cgroup, sizeof(deny_cgroup));
		len += ARRAY_LEN(deny_cgroup);
	}
	target = len;
	/* Nobody would get there: the verifier refuses such code. */
	if (nr || !err) {
		memcpy(&insn[len], allow, sizeof(allow));
		len += ARRAY_LEN(allow);
	}
	for (i = 0; i < len; i++)
		if (insn[i].off == TO_ALLOW)
			insn[i].off = target - i - 1;
	return load(hook, type, sleepable, insn, len);
}

static int set_program(struct program *program, int fd, const char *hook,
		       const char *file, bool denies)
{
	if (fd < 0) {
		ksft_print_msg("no program for %s: %s\n", hook, strerror(-fd));
		return fd;
	}
	*program = (struct program){
		.fd = fd, .id = prog_id(fd), .hook = hook, .file = file,
		.denies = denies,
	};
	return 0;
}

static int load_staying(enum deed deed, const char *hook, const char *file,
			bool can_sleep, const struct bpf_insn *condition,
			size_t nr)
{
	int err, fd;

	fd = load_conditional(hook, BPF_LSM_MAC, can_sleep, STAYING_ERRNO,
			      condition, nr);
	err = set_program(&staying[deed][0], fd, hook, file, true);
	if (err)
		return err;
	fd = load_conditional(hook, BPF_LSM_CGROUP, false, STAYING_ERRNO,
			      condition, nr);
	return set_program(&staying[deed][1], fd, hook, file, true);
}

static int load_all_staying(const char *denied_file)
{
	int inode = offset_of("file", "f_inode");
	int ino = offset_of("inode", "i_ino");
	int sb = offset_of("inode", "i_sb");
	int dev = offset_of("super_block", "s_dev");
	int sk_type = offset_of("sock", "sk_type");
	struct stat st;

	if (inode < 0 || ino < 0 || sb < 0 || dev < 0 || sk_type < 0 ||
	    stat(denied_file, &st))
		return -ENOENT;

	const struct bpf_insn internet[] = {
		LOAD(BPF_DW, 2, 1, 8),
		LOAD(BPF_H, 2, 2, 0),
		JUMP_IF(BPF_JEQ, 2, AF_INET, 1),
		JUMP_IF(BPF_JNE, 2, AF_INET6, TO_ALLOW),
	};
	const struct bpf_insn seqpacket[] = {
		LOAD(BPF_DW, 2, 1, 8),
		JUMP32_IF(BPF_JNE, 2, SOCK_SEQPACKET, TO_ALLOW),
	};
	const struct bpf_insn file[] = {
		LOAD(BPF_DW, 2, 1, 0),
		LOAD(BPF_DW, 2, 2, inode),
		LOAD(BPF_DW, 3, 2, ino),
		JUMP_IF(BPF_JNE, 3, (int)st.st_ino, TO_ALLOW),
		LOAD(BPF_DW, 2, 2, sb),
		LOAD(BPF_W, 2, 2, dev),
		JUMP_IF(BPF_JNE, 2,
			(int)(major(st.st_dev) << 20 | minor(st.st_dev)),
			TO_ALLOW),
	};
	const struct bpf_insn urgent[] = {
		LOAD(BPF_DW, 2, 1, 16),
		JUMP32_IF(BPF_JNE, 2, SIGURG, TO_ALLOW),
	};
	const struct bpf_insn datagram[] = {
		LOAD(BPF_DW, 2, 1, 0),
		LOAD(BPF_H, 2, 2, sk_type),
		JUMP_IF(BPF_JNE, 2, SOCK_DGRAM, TO_ALLOW),
	};

	return load_staying(DEED_BIND, "socket_bind", "checmate.socket_bind",
			    true, internet, ARRAY_LEN(internet)) ?:
	       load_staying(DEED_CREATE, "socket_create",
			    "checmate.socket_create", true, seqpacket,
			    ARRAY_LEN(seqpacket)) ?:
	       load_staying(DEED_OPEN, "file_open", NULL, true, file,
			    ARRAY_LEN(file)) ?:
	       load_staying(DEED_KILL, "task_kill", NULL, false, urgent,
			    ARRAY_LEN(urgent)) ?:
	       load_staying(DEED_SHUTDOWN, "socket_shutdown",
			    "checmate.socket_shutdown", true, NULL, 0) ?:
	       load_staying(DEED_PACKET, "socket_sock_rcv_skb",
			    "checmate.socket_sock_rcv_skb", false, datagram,
			    ARRAY_LEN(datagram));
}

static int add_passing(const char *hook, const char *file,
		       enum bpf_attach_type type, bool sleepable, int err)
{
	int fd = load_conditional(hook, type, sleepable, err, NULL, 0);

	return set_program(&passing[nr_passing++], fd, hook, file, err);
}

/* Hooks that are called all the time. */
static const struct {
	const char *hook;
	const char *file;
	bool can_sleep;
	bool may_deny;
} busy_hooks[] = {
	{ "socket_bind", "checmate.socket_bind", true, true },
	{ "socket_connect", "checmate.socket_connect", true, true },
	{ "socket_sendmsg", "checmate.socket_sendmsg", true, true },
	{ "socket_create", "checmate.socket_create", true, false },
	{ "socket_listen", "checmate.socket_listen", true, false },
	{ "socket_accept", "checmate.socket_accept", true, false },
	{ "socket_shutdown", "checmate.socket_shutdown", true, false },
	{ "socket_sock_rcv_skb", "checmate.socket_sock_rcv_skb", false, false },
	{ "sk_free_security", "checmate.sk_free_security", false, false },
	{ "unix_stream_connect", "checmate.unix_stream_connect", false, false },
	{ "unix_may_send", "checmate.unix_may_send", false, false },
	{ "file_open", NULL, true, false },
	{ "task_kill", NULL, false, false },
	{ "task_alloc", NULL, true, false },
	{ "inode_rmdir", NULL, true, false },
	{ "bprm_check_security", NULL, true, false },
	{ "file_receive", NULL, true, false },
};

static int load_passing(void)
{
	size_t i;
	int err = 0;

	for (i = 0; i < ARRAY_LEN(busy_hooks) && !err; i++) {
		const char *hook = busy_hooks[i].hook;
		const char *file = busy_hooks[i].file;
		bool is_void = !strcmp(hook, "sk_free_security");

		err = add_passing(hook, file, BPF_LSM_MAC,
				  busy_hooks[i].can_sleep, 0);
		if (!err && !is_void)
			err = add_passing(hook, file, BPF_LSM_CGROUP, false, 0);
		if (!err && busy_hooks[i].may_deny)
			err = add_passing(hook, file, BPF_LSM_MAC, false,
					  PASSING_ERRNO);
	}
	return err;
}

static const char *const rare_hooks[NR_RARE] = {
	"syslog", "settime", "quotactl", "sb_mount", "path_chroot",
	"ptrace_traceme",
};

/**
 * load_programs - Load all programs
 * @denied_file: the file that guard lets nobody open
 *
 * Return: 0, or a negative errno after it was printed.
 */
int load_programs(const char *denied_file)
{
	int i, fd, err;

	vmlinux = btf__load_vmlinux_btf();
	if (!vmlinux)
		return -errno;
	err = load_all_staying(denied_file) ?: load_passing();
	for (i = 0; i < NR_RARE && !err; i++) {
		fd = load_conditional(rare_hooks[i], BPF_LSM_MAC, false, 0,
				      NULL, 0);
		err = set_program(&rare[i], fd, rare_hooks[i], NULL, false);
	}
	return err;
}

/**
 * load_fresh - Load a program that allows, once more
 * @which: any number, which chooses the hook
 *
 * Return: its descriptor, or a negative errno.
 */
int load_fresh(unsigned int which)
{
	const char *hook = busy_hooks[which % ARRAY_LEN(busy_hooks)].hook;

	return load_conditional(hook, BPF_LSM_MAC, false, 0, NULL, 0);
}
