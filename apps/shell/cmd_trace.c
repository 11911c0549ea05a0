// SPDX-License-Identifier: BSD-2-Clause
/* What TRACE tells about threads: threads, top and trace. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <session/core.h>

#include "shell.h"
#include "text.h"

#define CALL_TIMEOUT	PITH_SEC(10)
#define SUBJECTS_MAX	4096u
#define TOP_LINES	20

struct sample {
	struct trace_subject *list;	/* by id */
	size_t n;
	uint64_t at;			/* ns */
};

struct part {
	struct trace_subjects_reply head;
	struct trace_subject list[TRACE_SUBJECTS_MAX];
};

/* --- samples -------------------------------------------------------------- */

static int add(struct sample *s, const struct part *part, size_t bytes)
{
	struct trace_subject *more;
	size_t n = part->head.count;

	if (bytes != n * sizeof(*more) || n > SUBJECTS_MAX - s->n)
		return -EPROTO;
	more = realloc(s->list, (s->n + n) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	s->list = more;
	for (size_t i = 0; i < n; i++) {
		struct trace_subject *to = &s->list[s->n];

		*to = part->list[i];
		to->label[sizeof(to->label) - 1] = '\0';
		to->name[sizeof(to->name) - 1] = '\0';
		if (s->n && to->id <= to[-1].id)
			return -EPROTO;
		s->n++;
	}
	return 0;
}

static int take(struct shell *sh, struct sample *s)
{
	static struct part part;
	int err;

	*s = (struct sample){ .at = pith_now() };
	do {
		struct trace_subjects req = {
			.first = s->n ? s->list[s->n - 1].id + 1 : 0,
		};
		struct rpc r = {
			.req = &req, .req_len = sizeof(req),
			.rep = &part.head, .rep_len = sizeof(part.head),
			.rep_tail = part.list,
			.rep_tail_size = sizeof(part.list),
		};

		err = sh_call(&sh->trace, "TRACE", TRACE_SUBJECTS, &r,
			      CALL_TIMEOUT, true);
		if (!err && part.head.count)
			err = add(s, &part, r.rep_tail_len);
	} while (!err && part.head.count);
	if (err)
		free(s->list);
	return err;
}

static const struct trace_subject *find(const struct sample *s, uint64_t id)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (s->list[mid].id == id)
			return &s->list[mid];
		if (s->list[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* What happened since @before: counters only grow, and begin with 0. */
static void subtract(struct sample *now, const struct sample *before)
{
	for (size_t i = 0; i < now->n; i++) {
		const struct trace_subject *b = find(before, now->list[i].id);
		struct trace_subject *s = &now->list[i];

		if (!b)
			continue;
		s->cpu_ns -= b->cpu_ns;
		s->calls -= b->calls;
		s->receives -= b->receives;
		s->faults -= b->faults;
		s->switches -= b->switches;
	}
}

/* Until a second has passed: false if somebody wants an end. */
static bool wait_second(struct shell *sh)
{
	uint64_t end = pith_now() + PITH_SEC(1);

	term_flush(&sh->term);
	while (pith_now() < end && !sh_interrupted(sh))
		ep_dispatch(&sh->ep, end);
	return !sh_interrupted(sh);
}

/* The second after now: 0 or a negative errno, -EINTR for ctrl-C. */
static int take_second(struct shell *sh, struct sample *s)
{
	struct sample before;
	int err = take(sh, &before);

	if (err)
		return err;
	err = wait_second(sh) ? take(sh, s) : -EINTR;
	if (!err)
		subtract(s, &before);
	free(before.list);
	if (!err)
		s->at -= before.at;
	return err;
}

/* --- shown ---------------------------------------------------------------- */

static const char *state_name(uint32_t state)
{
	static const char *const names[] = {
		[PITH_THREAD_RUNNING] = "running",
		[PITH_THREAD_WAITING] = "waiting",
		[PITH_THREAD_PAUSED] = "paused",
		[PITH_THREAD_FAULTED] = "faulted",
		[PITH_THREAD_ENDED] = "ended",
	};

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : "?";
}

static void show_head(struct shell *sh, const char *time)
{
	sh_printf(sh, "%9s %9s %9s %7s %9s %3s %4s %-8s %s\n", time, "CALLS",
		  "RECEIVES", "FAULTS", "SWITCHES", "CPU", "PRIO", "STATE",
		  "THREAD");
}

static void show_rest(struct shell *sh, const struct trace_subject *s)
{
	sh_printf(sh, " %9llu %9llu %7llu %9llu %3u %4u %-8s ",
		  (unsigned long long)s->calls, (unsigned long long)s->receives,
		  (unsigned long long)s->faults,
		  (unsigned long long)s->switches, s->cpu, s->priority_now,
		  state_name(s->state));
	sh_name(sh, s->label);
	if (s->name[0]) {
		sh_puts(sh, ": ");
		sh_name(sh, s->name);
	}
	sh_puts(sh, "\n");
}

static void show_seconds(struct shell *sh, const struct trace_subject *s)
{
	uint64_t ms = s->cpu_ns / 1000000;

	sh_printf(sh, "%5llu.%03u", (unsigned long long)ms / 1000,
		  (unsigned int)(ms % 1000));
	show_rest(sh, s);
}

/* Of the time of one CPU, in tenths of a percent. */
static void show_share(struct shell *sh, const struct trace_subject *s,
		       uint64_t ns)
{
	uint64_t share = s->cpu_ns * 1000 / (ns ? ns : 1);

	sh_printf(sh, "%7llu.%u", (unsigned long long)share / 10,
		  (unsigned int)(share % 10));
	show_rest(sh, s);
}

static int trace_error(struct shell *sh, const char *command, int err)
{
	return sh_service_error(sh, command, NULL, "TRACE", sh->trace.cap >= 0,
				err);
}

/* --- commands ------------------------------------------------------------- */

int cmd_threads(struct shell *sh, int argc, char **argv)
{
	struct sample s;
	int err = take(sh, &s);

	(void)argc;
	(void)argv;
	if (err)
		return trace_error(sh, "threads", err);
	show_head(sh, "CPU s");
	for (size_t i = 0; i < s.n; i++)
		show_seconds(sh, &s.list[i]);
	free(s.list);
	return STATUS_OK;
}

/* Those that ran longest first, else the older ones. */
static int by_time(const void *left, const void *right)
{
	const struct trace_subject *a = left, *b = right;

	if (a->cpu_ns != b->cpu_ns)
		return a->cpu_ns < b->cpu_ns ? 1 : -1;
	return a->id < b->id ? -1 : 1;
}

static int top(struct shell *sh)
{
	struct sample s;
	int err = take_second(sh, &s);

	if (err)
		return err;
	qsort(s.list, s.n, sizeof(s.list[0]), by_time);
	show_head(sh, "CPU %");
	for (size_t i = 0; i < s.n && i < TOP_LINES; i++)
		show_share(sh, &s.list[i], s.at);
	free(s.list);
	return 0;
}

/* What is meant by @name: the label, or its last element. */
static bool is_named(const struct trace_subject *s, const char *name)
{
	size_t label = strlen(s->label), len = strlen(name);

	return !strcmp(s->label, name) ||
	       (label > len + 4 && !strcmp(s->label + label - len, name) &&
		!strncmp(s->label + label - len - 4, " -> ", 4));
}

static int trace(struct shell *sh, const char *name)
{
	struct sample s;
	int err = take_second(sh, &s), found = -ENOENT;

	if (err)
		return err;
	for (size_t i = 0; i < s.n; i++) {
		if (!is_named(&s.list[i], name))
			continue;
		show_share(sh, &s.list[i], s.at);
		found = 0;
	}
	free(s.list);
	return found;
}

/* Argument @i as a number of seconds, 1 if there is none. 0: it is wrong. */
static uint64_t seconds(int argc, char **argv, int i)
{
	uint64_t n = 1;

	return argc > i && text_number(argv[i], &n) < 0 ? 0 : n;
}

static int usage(struct shell *sh, const char *text)
{
	sh_printf(sh, "usage: %s\n", text);
	return STATUS_USAGE;
}

int cmd_top(struct shell *sh, int argc, char **argv)
{
	uint64_t n = seconds(argc, argv, 1);
	int err = 0;

	if (!n)
		return usage(sh, "top [SECONDS]");
	while (n-- && !err)
		err = top(sh);
	return err ? trace_error(sh, "top", err) : STATUS_OK;
}

int cmd_trace(struct shell *sh, int argc, char **argv)
{
	uint64_t n = seconds(argc, argv, 2);
	int err = 0;

	if (!n)
		return usage(sh, "trace NAME [SECONDS]");
	show_head(sh, "CPU %");
	while (n-- && !err)
		err = trace(sh, argv[1]);
	if (err != -ENOENT || sh->trace.cap < 0)
		return err ? trace_error(sh, "trace", err) : STATUS_OK;
	sh_puts(sh, "trace: ");
	sh_name(sh, argv[1]);
	sh_puts(sh, ": no such component runs\n");
	return STATUS_FAILED;
}
