// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Fuzz target - Requests that come over the bus
 *
 * The interface is the real one, and so is who may call; what stands behind it
 * looks at what it is given, see checmated/test-bus-fakes.c.  The input says who asks,
 * what polkit and the store answer, which methods are called, and with what: most
 * arguments are of the type that the method takes, made of words that it knows and of
 * the input's bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "bus-names.h"
#include "bus-request.h"
#include "cleanup.h"
#include "fuzz.h"
#include "parse.h"
#include "test-bus-fakes.h"

/* Requests made of one input. */
#define REQUESTS_MAX 16u

struct input {
	const uint8_t *data;
	size_t size;
};

/* The methods, with the types of what they take. */
static const struct {
	const char *name;
	const char *types;
	bool changes;
} methods[] = {
	{ "Apply", "sa(sas)a{sv}", true },
	{ "Replace", "sa(sas)a{sv}", true },
	{ "Remove", "ss", true },
	{ "SetParameters", "ssas", true },
	{ "SetMode", "sss", true },
	{ "Seal", "s", true },
	{ "ApplyContainer", "sustsa{ss}", true },
	{ "Reload", "", true },
	{ "ListBindings", "", false },
	{ "ListPolicies", "", false },
	{ "GetStatus", "s", false },
	{ "GetTree", "sb", false },
	{ "Explain", "ss", false },
	{ "GetParameters", "ss", false },
	{ "OpenEvents", "", false },
	{ "NoSuchMethod", "s", false },
};

static const char *const words[] = {
	"",
	"/",
	"/web",
	"web.service",
	"id:42",
	"4711",
	"net-bind",
	"enforce",
	"permissive",
	"mode",
	"allow",
	"a=b",
	"allow=10.0.0.0/8",
	"=",
	"../policy",
	"socket_bind",
	"net-connect",
};

static uint8_t take_byte(struct input *input)
{
	if (!input->size)
		return 0;
	input->size--;
	return *input->data++;
}

static uint64_t take_number(struct input *input)
{
	uint64_t number = 0;
	uint8_t n = take_byte(input) % 9;

	while (n--)
		number = number << 8 | take_byte(input);
	return number;
}

/* What is not UTF-8 does not get over the bus; the rest of what it takes does. */
static void append_bytes(struct input *input, sd_bus_message *m)
{
	size_t n = take_byte(input), times = 1;
	_cleanup_free_ char *text = NULL;

	/* Some are as long as nobody expects. */
	if (n >= 0xf0)
		times = (size_t)1 << (n - 0xf0);
	n %= 32;
	text = calloc(times, n + 1);
	must(text);
	for (size_t i = 0; i < n; i++) {
		uint8_t byte = take_byte(input);

		text[i] = byte && byte < 0x80 ? byte : 'x';
	}
	for (size_t i = 1; n && i < times; i++)
		memcpy(text + i * n, text, n);
	must(sd_bus_message_append(m, "s", text) >= 0);
}

static void append_text(struct input *input, sd_bus_message *m)
{
	uint8_t choice = take_byte(input);

	if (choice < 0x80)
		must(sd_bus_message_append(m, "s", words[choice % ARRAY_SIZE(words)]) >= 0);
	else
		append_bytes(input, m);
}

/* How many there are of something; now and then more than are taken. */
static unsigned int take_count(struct input *input)
{
	uint8_t n = take_byte(input);

	return n < 0xf8 ? n % 4 : n == 0xff ? 5000 : 60 + n % 8;
}

static void append_strings(struct input *input, sd_bus_message *m)
{
	must(sd_bus_message_open_container(m, 'a', "s") >= 0);
	for (unsigned int n = take_count(input); n; n--)
		append_text(input, m);
	must(sd_bus_message_close_container(m) >= 0);
}

static void append_policies(struct input *input, sd_bus_message *m)
{
	must(sd_bus_message_open_container(m, 'a', "(sas)") >= 0);
	for (unsigned int n = take_count(input); n; n--) {
		must(sd_bus_message_open_container(m, 'r', "sas") >= 0);
		append_text(input, m);
		append_strings(input, m);
		must(sd_bus_message_close_container(m) >= 0);
	}
	must(sd_bus_message_close_container(m) >= 0);
}

static void append_variant(struct input *input, sd_bus_message *m)
{
	static const char *const types[] = { "s", "b", "t", "as", "a(sas)" };
	const char *type = types[take_byte(input) % ARRAY_SIZE(types)];

	must(sd_bus_message_open_container(m, 'v', type) >= 0);
	if (!strcmp(type, "s"))
		append_text(input, m);
	else if (!strcmp(type, "b"))
		must(sd_bus_message_append(m, "b", take_byte(input) & 1) >= 0);
	else if (!strcmp(type, "t"))
		must(sd_bus_message_append(m, "t", take_number(input)) >= 0);
	else if (!strcmp(type, "as"))
		append_strings(input, m);
	else
		append_policies(input, m);
	must(sd_bus_message_close_container(m) >= 0);
}

static void append_dict(struct input *input, sd_bus_message *m, const char *types)
{
	must(sd_bus_message_open_container(m, 'a', !strcmp(types, "sv") ? "{sv}" : "{ss}") >= 0);
	for (unsigned int n = take_count(input); n; n--) {
		must(sd_bus_message_open_container(m, 'e', types) >= 0);
		append_text(input, m);
		if (!strcmp(types, "sv"))
			append_variant(input, m);
		else
			append_text(input, m);
		must(sd_bus_message_close_container(m) >= 0);
	}
	must(sd_bus_message_close_container(m) >= 0);
}

static void append_arguments(struct input *input, sd_bus_message *m, const char *types)
{
	while (*types) {
		if (!strncmp(types, "a(sas)", 6)) {
			append_policies(input, m);
			types += 6;
		} else if (!strncmp(types, "a{sv}", 5)) {
			append_dict(input, m, "sv");
			types += 5;
		} else if (!strncmp(types, "a{ss}", 5)) {
			append_dict(input, m, "ss");
			types += 5;
		} else if (!strncmp(types, "as", 2)) {
			append_strings(input, m);
			types += 2;
		} else if (*types == 's') {
			append_text(input, m);
			types++;
		} else if (*types == 'u') {
			must(sd_bus_message_append(m, "u", (uint32_t)take_number(input)) >= 0);
			types++;
		} else if (*types == 't') {
			must(sd_bus_message_append(m, "t", take_number(input)) >= 0);
			types++;
		} else {
			must(*types == 'b');
			must(sd_bus_message_append(m, "b", take_byte(input) & 1) >= 0);
			types++;
		}
	}
}

/* What became of the requests of an input. */
struct answers {
	unsigned int n;
	unsigned int n_errors;
};

static int on_reply(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
	const sd_bus_error *error = sd_bus_message_get_error(m);
	struct answers *answers = userdata;

	(void)ret_error;
	answers->n++;
	if (error) {
		answers->n_errors++;
		must(error->name && *error->name);
		fuzz_check_harmless(error->message);
		must(*error->message);
	}
	return 0;
}

static void prepare(struct input *input, struct peer *peer)
{
	static const int results[] = { 0, 0, 0, -ENOENT, -EINVAL, -EPERM, -ENOMEM, -EUSERS };
	static const uint32_t users[] = { 0, 1000, 1000, 65534 };
	uint8_t who = take_byte(input);

	peer->uid = users[who & 3];
	peer->authorized = who & 4;
	peer->challenge = who & 8;
	peer->silent = who & 16;
	peer->strange = who & 32;
	peer->no_polkit = who & 64 ? SD_BUS_ERROR_SERVICE_UNKNOWN : NULL;
	peer->no_user = who & 128 ? SD_BUS_ERROR_NAME_HAS_NO_OWNER : NULL;
	bus_fakes.result = results[take_byte(input) % ARRAY_SIZE(results)];
	bus_fakes.n_changed = 0;
	bus_fakes.n_looked = 0;
}

static void request(struct input *input, struct peer *peer, struct answers *answers)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	uint8_t choice = take_byte(input);
	size_t i = choice % ARRAY_SIZE(methods);
	const char *types = methods[i].types;
	bool may, own, was_changed;

	/* What is of another method's type is no business of ours to understand. */
	if (choice >= 0xf0)
		types = methods[take_byte(input) % ARRAY_SIZE(methods)].types;
	m = peer_call(peer, BUS_PATH, BUS_INTERFACE, methods[i].name);
	must(sd_bus_message_set_allow_interactive_authorization(m, choice & 16) >= 0);
	append_arguments(input, m, types);

	bus_fakes.n_changed = 0;
	bus_fakes.n_looked = 0;
	bus_fakes.last[0] = '\0';
	must(sd_bus_call_async(peer->other, NULL, m, on_reply, answers, 0) >= 0);
	peer_run(peer);

	was_changed = bus_fakes.n_changed;
	may = !peer->no_user && (!peer->uid || (!peer->no_polkit && !peer->silent &&
						!peer->strange && peer->authorized));
	/* Denials of the caller's own cgroups are for everybody of whom it is known who it is. */
	own = !peer->no_user && startswith(bus_fakes.last, "events of ");
	must(may || own || !(was_changed || bus_fakes.n_looked));
	must(!was_changed || methods[i].changes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	struct answers answers = {};
	struct manager manager;
	struct peer peer;
	unsigned int n;

	if (bus_fakes.cgroup_fd < 0)
		bus_fakes.cgroup_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	must(bus_fakes.cgroup_fd >= 0);
	bus_fakes_serve(&manager, &peer);

	prepare(&input, &peer);
	for (n = 0; input.size && n < REQUESTS_MAX; n++)
		request(&input, &peer, &answers);
	/* Everybody is answered once, but for those who are still waited for. */
	must(answers.n <= n);
	must(peer.silent || answers.n == n);
	if (peer.silent) {
		unsigned int answered = answers.n;

		peer_leave(&peer);
		must(answers.n == answered);
		must(peer.n_cancelled <= peer.n_polkit);
	}

	bus_fakes_end(&manager);
	peer_close(&peer);
	return 0;
}
