// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checmated - Figures of what the daemon did and saw, as OpenMetrics text
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "checmate.h"
#include "cleanup.h"
#include "clock.h"
#include "metrics.h"
#include "parse.h"

/* Denials are told apart by so many combinations of policy, hook and mode. */
#define SERIES_MAX 1024
#define BUCKETS 128

/* Upper bounds of the histogram in microseconds; the text is the label. */
static const struct bound {
	uint64_t usec;
	const char *text;
} bounds[] = {
	{ 1000, "0.001" },    { 2500, "0.0025" }, { 5000, "0.005" },  { 10000, "0.01" },
	{ 25000, "0.025" },   { 50000, "0.05" },  { 100000, "0.1" },  { 250000, "0.25" },
	{ 500000, "0.5" },    { 1000000, "1.0" }, { 2500000, "2.5" }, { 5000000, "5.0" },
	{ 10000000, "10.0" },
};

struct series {
	struct series *next; /* of the bucket */
	char *policy;
	char *hook;
	bool permissive;
	uint64_t n;
};

struct metrics {
	struct series *buckets[BUCKETS];
	size_t n_series;
	uint64_t others[2]; /* denials without a series, by whether they were permissive */
	uint64_t lost;
	uint64_t drifted;
	uint64_t failed;
	uint64_t applied[ARRAY_SIZE(bounds) + 1];
	uint64_t applied_usec;
};

/**
 * metrics_new() - Begin to count
 * @ret_metrics: receives the counters
 */
int metrics_new(struct metrics **ret_metrics)
{
	struct metrics *metrics = calloc(1, sizeof(*metrics));

	if (!metrics)
		return -ENOMEM;
	*ret_metrics = metrics;
	return 0;
}

static struct series *series_free(struct series *series)
{
	if (!series)
		return NULL;
	free(series->policy);
	free(series->hook);
	free(series);
	return NULL;
}

struct metrics *metrics_free(struct metrics *metrics)
{
	if (!metrics)
		return NULL;
	for (size_t i = 0; i < BUCKETS; i++)
		while (metrics->buckets[i]) {
			struct series *series = metrics->buckets[i];

			metrics->buckets[i] = series->next;
			series_free(series);
		}
	free(metrics);
	return NULL;
}

void metrics_freep(struct metrics **metrics)
{
	metrics_free(*metrics);
}

static size_t hash_text(size_t hash, const char *text)
{
	for (; *text; text++)
		hash = hash * 31 + (unsigned char)*text;
	return hash;
}

/* NULL: there are too many, or too little memory for another. */
static struct series *find_series(struct metrics *metrics, const char *policy, const char *hook,
				  bool permissive)
{
	size_t hash = hash_text(hash_text(permissive, policy), hook);
	struct series **bucket = &metrics->buckets[hash % BUCKETS];
	struct series *series;

	for (series = *bucket; series; series = series->next)
		if (series->permissive == permissive && streq(series->policy, policy) &&
		    streq(series->hook, hook))
			return series;

	series = metrics->n_series < SERIES_MAX ? calloc(1, sizeof(*series)) : NULL;
	if (!series)
		return NULL;
	series->policy = strdup(policy);
	series->hook = strdup(hook);
	series->permissive = permissive;
	if (!series->policy || !series->hook)
		return series_free(series);
	series->next = *bucket;
	*bucket = series;
	metrics->n_series++;
	return series;
}

/* A policy has denied something, or would have. */
void metrics_denied(struct metrics *metrics, const char *policy, const char *hook, bool permissive)
{
	struct series *series = find_series(metrics, policy, hook, permissive);

	if (series)
		series->n++;
	else
		metrics->others[permissive]++;
}

/* @n denials were lost. */
void metrics_lost(struct metrics *metrics, uint64_t n)
{
	metrics->lost += n;
}

/* Policies were put in force in a cgroup, which took so long. */
void metrics_applied(struct metrics *metrics, uint64_t usec)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(bounds) && usec > bounds[i].usec)
		i++;
	metrics->applied[i]++;
	metrics->applied_usec += usec;
}

/* A binding was found to be other than what was configured. */
void metrics_drifted(struct metrics *metrics)
{
	metrics->drifted++;
}

/* A desired binding could not be applied. */
void metrics_failed(struct metrics *metrics)
{
	metrics->failed++;
}

/* --- text -------------------------------------------------------------------- */

static void write_family(FILE *to, const char *name, const char *type, const char *unit,
			 const char *help)
{
	fprintf(to, "# TYPE %s %s\n", name, type);
	if (unit)
		fprintf(to, "# UNIT %s %s\n", name, unit);
	fprintf(to, "# HELP %s %s\n", name, help);
}

/* As the value of a label. */
static void write_escaped(FILE *to, const char *text)
{
	for (; *text; text++)
		if (*text == '\n')
			fputs("\\n", to);
		else if (*text == '"' || *text == '\\')
			fprintf(to, "\\%c", *text);
		else
			fputc(*text, to);
}

static void write_label(FILE *to, const char *before, const char *name, const char *value)
{
	fprintf(to, "%s%s=\"", before, name);
	write_escaped(to, value);
	fputc('"', to);
}

static void write_denials(FILE *to, const char *policy, const char *hook, bool permissive,
			  uint64_t n)
{
	write_label(to, "checmate_denials_total{", "policy", policy);
	write_label(to, ",", "hook", hook);
	write_label(to, ",", "mode", permissive ? "permissive" : "enforce");
	fprintf(to, "} %" PRIu64 "\n", n);
}

static int compare_series(const void *a, const void *b)
{
	const struct series *const *left = a, *const *right = b;
	int r = strcmp((*left)->policy, (*right)->policy);

	if (!r)
		r = strcmp((*left)->hook, (*right)->hook);
	return r ?: (*left)->permissive - (*right)->permissive;
}

static int write_all_denials(const struct metrics *metrics, FILE *to)
{
	_cleanup_free_ const struct series **all = calloc(metrics->n_series + 1,
							  sizeof(const struct series *));
	size_t n = 0;

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < BUCKETS; i++)
		for (const struct series *s = metrics->buckets[i]; s; s = s->next)
			all[n++] = s;
	qsort(all, n, sizeof(const struct series *), compare_series);

	write_family(to, "checmate_denials", "counter", NULL,
		     "Calls that a policy denied; in permissive mode, would have denied.");
	for (size_t i = 0; i < n; i++)
		write_denials(to, all[i]->policy, all[i]->hook, all[i]->permissive, all[i]->n);
	for (int permissive = 0; permissive < 2; permissive++)
		if (metrics->others[permissive])
			write_denials(to, "other", "other", permissive, metrics->others[permissive]);
	return 0;
}

static void write_durations(const struct metrics *metrics, FILE *to)
{
	static const char name[] = "checmate_apply_duration_seconds";
	uint64_t n = 0;

	write_family(to, name, "histogram", "seconds",
		     "How long it took to put policies in force in a cgroup.");
	for (size_t i = 0; i < ARRAY_SIZE(bounds); i++) {
		n += metrics->applied[i];
		fprintf(to, "%s_bucket{le=\"%s\"} %" PRIu64 "\n", name, bounds[i].text, n);
	}
	n += metrics->applied[ARRAY_SIZE(bounds)];
	fprintf(to, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, n);
	fprintf(to, "%s_sum %" PRIu64 ".%06" PRIu64 "\n", name,
		metrics->applied_usec / USEC_PER_SEC, metrics->applied_usec % USEC_PER_SEC);
	fprintf(to, "%s_count %" PRIu64 "\n", name, n);
}

static void write_counter(FILE *to, const char *name, const char *help, uint64_t n)
{
	write_family(to, name, "counter", NULL, help);
	fprintf(to, "%s_total %" PRIu64 "\n", name, n);
}

static void write_gauge(FILE *to, const char *name, const char *help, uint64_t n)
{
	write_family(to, name, "gauge", NULL, help);
	fprintf(to, "%s %" PRIu64 "\n", name, n);
}

static void write_bindings(const struct metrics_state *state, FILE *to)
{
	write_family(to, "checmate_bindings", "gauge", NULL, "Bindings of policies to cgroups.");
	for (size_t i = 0; i < state->n_bindings; i++) {
		write_label(to, "checmate_bindings{", "policy", state->bindings[i].policy);
		write_label(to, ",", "mode", state->bindings[i].mode);
		fprintf(to, "} %" PRIu64 "\n", state->bindings[i].n);
	}
}

/**
 * metrics_write() - Write all figures
 * @metrics: the counters
 * @state: what else there is to tell
 * @to: receives OpenMetrics text 1.0, whole
 *
 * Return: 0; -ENOMEM, -EIO not all was written.
 */
int metrics_write(const struct metrics *metrics, const struct metrics_state *state, FILE *to)
{
	int r;

	write_family(to, "checmate_build", "info", NULL, "The daemon that says this.");
	write_label(to, "checmate_build_info{", "version", checmate_version());
	write_label(to, ",", "backend", state->backend);
	fputs("} 1\n", to);

	write_bindings(state, to);
	write_gauge(to, "checmate_cgroups_bound", "Cgroups that have bindings of their own.",
		    state->cgroups);
	r = write_all_denials(metrics, to);
	if (r < 0)
		return r;
	write_gauge(to, "checmate_events_reader",
		    "1: denials are read by checmated; 0: another process reads them.",
		    state->is_reader);
	write_counter(to, "checmate_events_lost",
		      "Denials of which nothing but their number is known.", metrics->lost);
	write_durations(metrics, to);
	write_counter(to, "checmate_apply_failures",
		      "Cgroups and containers that did not get what they were to have.",
		      metrics->failed);
	write_counter(to, "checmate_drift",
		      "Bindings found to be other than what is configured, and restored.",
		      metrics->drifted);
	fputs("# EOF\n", to);
	return ferror(to) ? -EIO : 0;
}
