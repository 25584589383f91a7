// SPDX-License-Identifier: LGPL-2.1-or-later
/* libchecmate - Whether a policy object is whole */
#include "object-validate.h"

#include <elf.h>
#include <errno.h>
#include <linux/btf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "cleanup.h"
#include "error.h"
#include "parse.h"

/* Many more than a policy has, few enough to compare each with each. */
#define TYPES_MAX 65535
#define SECTIONS_MAX 4096

/* What each BTF header has; newer kernels declare more, which a compiler need not write. */
#define BTF_HEADER_SIZE (offsetof(struct btf_header, str_len) + sizeof(__u32))

/* Longest chain of typedefs, qualifiers and arrays that libbpf follows. */
#define CHAIN_MAX 32

/* Bytes, and whether they are there. */
struct span {
	const char *data;
	size_t size;
};

/* The part of @span; *ret_part is empty and false is returned when it is not whole. */
static bool cut(const struct span *span, uint64_t offset, uint64_t size, struct span *ret_part)
{
	*ret_part = (struct span){};
	if (offset > span->size || size > span->size - offset)
		return false;
	*ret_part = (struct span){ .data = span->data + offset, .size = size };
	return true;
}

/* Copies a structure, which need not be aligned there. */
static bool fetch(const struct span *span, uint64_t offset, void *ret_value, size_t size)
{
	struct span part;

	if (!cut(span, offset, size, &part))
		return false;
	memcpy(ret_value, part.data, size);
	return true;
}

/* Whether all texts in it end in it. */
static bool is_strings(const struct span *span)
{
	return span->size && !span->data[0] && !span->data[span->size - 1];
}

/* --- BTF ------------------------------------------------------------------ */

/**
 * struct types - The types of an object.
 * @types: the section's part with the types.
 * @strings: the one with the names.
 * @at: where each type begins; that of id 0, which is void, is not used.
 * @n: how many, void included.
 */
struct types {
	struct span types;
	struct span strings;
	uint32_t *at;
	size_t n;
};

static void types_done(struct types *types)
{
	free(types->at);
}

/* Bytes that follow a type, -EINVAL for an unknown kind. */
static int64_t extra_size(const struct btf_type *type)
{
	int64_t n = BTF_INFO_VLEN(type->info);

	switch (BTF_INFO_KIND(type->info)) {
	case BTF_KIND_PTR:
	case BTF_KIND_FWD:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_FLOAT:
	case BTF_KIND_TYPE_TAG:
		return 0;
	case BTF_KIND_INT:
		return sizeof(__u32);
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return n * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return n * sizeof(struct btf_enum);
	case BTF_KIND_ENUM64:
		return n * sizeof(struct btf_enum64);
	case BTF_KIND_FUNC_PROTO:
		return n * sizeof(struct btf_param);
	case BTF_KIND_VAR:
		return sizeof(struct btf_var);
	case BTF_KIND_DATASEC:
		return n * sizeof(struct btf_var_secinfo);
	case BTF_KIND_DECL_TAG:
		return sizeof(struct btf_decl_tag);
	default:
		return -EINVAL;
	}
}

static int find_types(const struct span *section, struct types *types)
{
	struct btf_header header;
	struct btf_type type;
	struct span body;

	if (!fetch(section, 0, &header, BTF_HEADER_SIZE) || header.magic != BTF_MAGIC ||
	    header.hdr_len < BTF_HEADER_SIZE ||
	    !cut(section, header.hdr_len, section->size - header.hdr_len, &body) ||
	    !cut(&body, header.type_off, header.type_len, &types->types) ||
	    !cut(&body, header.str_off, header.str_len, &types->strings) ||
	    !is_strings(&types->strings))
		return -EINVAL;

	types->at = calloc(TYPES_MAX + 1, sizeof(*types->at));
	if (!types->at)
		return -ENOMEM;
	types->n = 1;
	for (size_t at = 0; at < types->types.size;) {
		int64_t extra;
		struct span whole;

		if (types->n > TYPES_MAX || !fetch(&types->types, at, &type, sizeof(type)))
			return -EINVAL;
		extra = extra_size(&type);
		if (extra < 0 || !cut(&types->types, at, sizeof(type) + extra, &whole))
			return -EINVAL;
		types->at[types->n++] = at;
		at += whole.size;
	}
	return 0;
}

static bool is_name(const struct types *types, uint32_t offset)
{
	return offset < types->strings.size;
}

static bool is_id(const struct types *types, uint32_t id)
{
	return id < types->n;
}

/* The kind of a type that is there; void is BTF_KIND_UNKN. */
static unsigned int get_type(const struct types *types, uint32_t id, struct btf_type *ret_type)
{
	*ret_type = (struct btf_type){};
	if (id)
		(void)fetch(&types->types, types->at[id], ret_type, sizeof(*ret_type));
	return BTF_INFO_KIND(ret_type->info);
}

/* Reads the part @index of those that follow the type @id; they are there. */
static void get_part(const struct types *types, uint32_t id, size_t index, void *ret_part,
		     size_t size)
{
	memset(ret_part, 0, size);
	(void)fetch(&types->types, types->at[id] + sizeof(struct btf_type) + index * size, ret_part,
		    size);
}

static bool check_members(const struct types *types, uint32_t id, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct btf_member member;

		get_part(types, id, i, &member, sizeof(member));
		if (!is_name(types, member.name_off) || !is_id(types, member.type))
			return false;
	}
	return true;
}

/* The names of an enum's values come first in both kinds of it. */
static bool check_values(const struct types *types, uint32_t id, size_t n, size_t size)
{
	char value[sizeof(struct btf_enum64)];
	__u32 name;

	for (size_t i = 0; i < n; i++) {
		get_part(types, id, i, value, size);
		memcpy(&name, value, sizeof(name));
		if (!is_name(types, name))
			return false;
	}
	return true;
}

static bool check_arguments(const struct types *types, uint32_t id, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct btf_param param;

		get_part(types, id, i, &param, sizeof(param));
		if (!is_name(types, param.name_off) || !is_id(types, param.type))
			return false;
	}
	return true;
}

static bool check_variables(const struct types *types, uint32_t id, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct btf_var_secinfo info;
		struct btf_type type;
		unsigned int kind;

		get_part(types, id, i, &info, sizeof(info));
		if (!is_id(types, info.type))
			return false;
		kind = get_type(types, info.type, &type);
		if (kind != BTF_KIND_VAR && kind != BTF_KIND_FUNC)
			return false;
	}
	return true;
}

/* Whether typedefs, qualifiers and arrays come to an end. */
static bool check_chain(const struct types *types, uint32_t id)
{
	for (int i = 0; i < CHAIN_MAX; i++) {
		struct btf_array array;
		struct btf_type type;

		switch (get_type(types, id, &type)) {
		case BTF_KIND_TYPEDEF:
		case BTF_KIND_VOLATILE:
		case BTF_KIND_CONST:
		case BTF_KIND_RESTRICT:
		case BTF_KIND_TYPE_TAG:
			id = type.type;
			break;
		case BTF_KIND_ARRAY:
			get_part(types, id, 0, &array, sizeof(array));
			id = array.type;
			break;
		default:
			return true;
		}
		if (!is_id(types, id))
			return false;
	}
	return false;
}

static bool check_type(const struct types *types, uint32_t id)
{
	struct btf_decl_tag tag;
	struct btf_type type, other;
	struct btf_array array;
	unsigned int kind = get_type(types, id, &type);
	size_t n = BTF_INFO_VLEN(type.info);

	if (!is_name(types, type.name_off))
		return false;
	switch (kind) {
	case BTF_KIND_PTR:
	case BTF_KIND_VAR:
		return is_id(types, type.type);
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
		return is_id(types, type.type) && check_chain(types, id);
	case BTF_KIND_ARRAY:
		get_part(types, id, 0, &array, sizeof(array));
		return is_id(types, array.type) && is_id(types, array.index_type) &&
		       check_chain(types, id);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return check_members(types, id, n);
	case BTF_KIND_ENUM:
		return check_values(types, id, n, sizeof(struct btf_enum));
	case BTF_KIND_ENUM64:
		return check_values(types, id, n, sizeof(struct btf_enum64));
	case BTF_KIND_FUNC:
		return is_id(types, type.type) &&
		       get_type(types, type.type, &other) == BTF_KIND_FUNC_PROTO;
	case BTF_KIND_FUNC_PROTO:
		return is_id(types, type.type) && check_arguments(types, id, n);
	case BTF_KIND_DATASEC:
		return check_variables(types, id, n);
	case BTF_KIND_DECL_TAG:
		get_part(types, id, 0, &tag, sizeof(tag));
		return is_id(types, type.type) && tag.component_idx >= -1;
	default:
		/* These refer to nothing. */
		return true;
	}
}

static int check_types(const struct span *section)
{
	_cleanup_(types_done) struct types types = {};
	int r;

	r = find_types(section, &types);
	if (r < 0)
		return r;
	for (uint32_t id = 1; id < types.n; id++)
		if (!check_type(&types, id))
			return -EINVAL;
	return 0;
}

/* --- ELF ------------------------------------------------------------------ */

/**
 * struct object - An object that is looked at.
 * @file: the whole file.
 * @header: its header.
 * @names: names of the sections.
 */
struct object {
	struct span file;
	Elf64_Ehdr header;
	struct span names;
};

static bool get_section(const struct object *object, size_t index, Elf64_Shdr *ret_section)
{
	return index < object->header.e_shnum &&
	       fetch(&object->file, object->header.e_shoff + index * sizeof(*ret_section),
		     ret_section, sizeof(*ret_section));
}

/* What a section has in the file. */
static bool get_content(const struct object *object, const Elf64_Shdr *section,
			struct span *ret_content)
{
	*ret_content = (struct span){};
	return section->sh_type == SHT_NOBITS || section->sh_type == SHT_NULL ||
	       cut(&object->file, section->sh_offset, section->sh_size, ret_content);
}

/* Every symbol has a name, and lies in the section that it says. */
static bool check_symbols(const struct object *object, const Elf64_Shdr *section,
			  const struct span *content)
{
	struct span names;
	Elf64_Shdr other;

	if (section->sh_entsize != sizeof(Elf64_Sym) || content->size % sizeof(Elf64_Sym) ||
	    !get_section(object, section->sh_link, &other) || other.sh_type != SHT_STRTAB ||
	    !get_content(object, &other, &names) || !is_strings(&names))
		return false;
	for (size_t at = 0; at < content->size; at += sizeof(Elf64_Sym)) {
		Elf64_Sym symbol;

		(void)fetch(content, at, &symbol, sizeof(symbol));
		if (symbol.st_name >= names.size)
			return false;
		if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx >= SHN_LORESERVE)
			continue;
		if (!get_section(object, symbol.st_shndx, &other) ||
		    symbol.st_value > other.sh_size ||
		    symbol.st_size > other.sh_size - symbol.st_value)
			return false;
	}
	return true;
}

static bool check_relocations(const struct object *object, const Elf64_Shdr *section,
			      const struct span *content)
{
	Elf64_Shdr target, symbols;

	if (section->sh_entsize != sizeof(Elf64_Rel) || content->size % sizeof(Elf64_Rel) ||
	    !get_section(object, section->sh_info, &target) ||
	    !get_section(object, section->sh_link, &symbols) || symbols.sh_type != SHT_SYMTAB)
		return false;
	for (size_t at = 0; at < content->size; at += sizeof(Elf64_Rel)) {
		Elf64_Rel relocation;

		(void)fetch(content, at, &relocation, sizeof(relocation));
		if (relocation.r_offset >= target.sh_size ||
		    ELF64_R_SYM(relocation.r_info) >= symbols.sh_size / sizeof(Elf64_Sym))
			return false;
	}
	return true;
}

static int check_section(const struct object *object, const Elf64_Shdr *section)
{
	struct span content;
	const char *name;

	if (!get_content(object, section, &content) || section->sh_name >= object->names.size)
		return -EINVAL;
	name = object->names.data + section->sh_name;
	if (section->sh_type == SHT_SYMTAB && !check_symbols(object, section, &content))
		return -EINVAL;
	if (section->sh_type == SHT_REL && !check_relocations(object, section, &content))
		return -EINVAL;
	return streq(name, ".BTF") ? check_types(&content) : 0;
}

static bool find_names(struct object *object)
{
	Elf64_Shdr section;

	return object->header.e_shentsize == sizeof(section) && object->header.e_shnum &&
	       object->header.e_shnum <= SECTIONS_MAX &&
	       get_section(object, object->header.e_shstrndx, &section) &&
	       section.sh_type == SHT_STRTAB && get_content(object, &section, &object->names) &&
	       is_strings(&object->names);
}

static int check_sections(const struct object *object, const char **ret_name)
{
	for (size_t i = 0; i < object->header.e_shnum; i++) {
		Elf64_Shdr section;
		int r;

		*ret_name = "";
		if (!get_section(object, i, &section))
			return -EINVAL;
		if (section.sh_name < object->names.size)
			*ret_name = object->names.data + section.sh_name;
		r = check_section(object, &section);
		if (r < 0)
			return r;
	}
	return 0;
}

int object_validate(const char *path, const char *data, size_t size,
		    struct checmate_error **ret_error)
{
	static const char remedy[] = "build it with clang -target bpf -g -O2";
	struct object object = { .file = { .data = data, .size = size } };
	const Elf64_Ehdr *header = &object.header;
	const char *name = "";
	int r;

	if (!size)
		return error_set(ret_error, -EINVAL, "%s: the file is empty; %s", path, remedy);
	if (size < SELFMAG || memcmp(data, ELFMAG, SELFMAG))
		return error_set(ret_error, -EINVAL, "%s: not an ELF object; %s", path, remedy);
	if (!fetch(&object.file, 0, &object.header, sizeof(object.header)))
		return error_set(ret_error, -EINVAL, "%s: truncated; %s", path, remedy);
	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_machine != EM_BPF)
		return error_set(ret_error, -EINVAL, "%s: not a BPF object; %s", path, remedy);
	if (header->e_shoff > size ||
	    (uint64_t)header->e_shnum * header->e_shentsize > size - header->e_shoff)
		return error_set(ret_error, -EINVAL, "%s: truncated; copy or build it again", path);
	if (header->e_ident[EI_DATA] != (BYTE_ORDER == LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB) ||
	    !find_names(&object))
		return error_set(ret_error, -EINVAL, "%s: its sections cannot be told; %s", path,
				 remedy);

	r = check_sections(&object, &name);
	if (r == -ENOMEM)
		return error_oom(ret_error);
	if (r < 0)
		return error_set(ret_error, r,
				 "%s: its section \"%s\" is damaged; copy or build it again", path,
				 name);
	return 0;
}
