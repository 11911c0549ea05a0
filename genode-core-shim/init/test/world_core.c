// SPDX-License-Identifier: BSD-2-Clause
/* The played world: core's services as init sees them, and the log. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pith/loader.h>
#include <pith/rpc.h>
#include <session/core.h>
#include "world_private.h"

static const char *fail_service;
static int fail_error;
static uint64_t returning;
static char log_text[65536];
static char last[8][3][PARENT_ARGS_MAX];	/* service, label, args */

/* --- core's services ------------------------------------ */

static void remember(const char *service, const char *label, const char *args)
{
	unsigned int i;

	for (i = 0; i < 7 && last[i][0][0] && strcmp(last[i][0], service); i++)
		;
	snprintf(last[i][0], PARENT_ARGS_MAX, "%s", service);
	snprintf(last[i][1], PARENT_ARGS_MAX, "%s", label);
	snprintf(last[i][2], PARENT_ARGS_MAX, "%s", args);
}

static const char *remembered(const char *service, int what)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		if (!strcmp(last[i][0], service))
			return last[i][what];
	return "";
}

const char *world_last_label(const char *service)
{
	return remembered(service, 1);
}

const char *world_last_args(const char *service)
{
	return remembered(service, 2);
}

void world_return(uint64_t ram)
{
	returning = ram;
}

void world_fail(const char *service, int err)
{
	fail_service = service;
	fail_error = err;
}

int env_session(struct session *s, const char *service, const char *label,
		const char *args, const struct session_quota *quota,
		uint64_t deadline)
{
	return env_session_with(s, service, label, args, quota, -1, deadline);
}

int env_session_with(struct session *s, const char *service, const char *label,
		     const char *args, const struct session_quota *quota,
		     int cap, uint64_t deadline)
{
	(void)cap;
	struct quota q = { 16384, 8 };
	int o;

	(void)deadline;
	*s = (struct session){ .cap = -1 };
	remember(service, label, args);
	if (quota)
		q = (struct quota){ quota->ram, quota->caps };
	if (strcmp(service, "PD") && (q.ram < 4096 || q.caps < 3))
		die("a session with less than core takes");
	if (fail_service && !strcmp(fail_service, service)) {
		fail_service = NULL;
		return fail_error;
	}
	if (!strcmp(service, "ROM") && strstr(label, "missing"))
		return -ENOENT;
	if (q.ram > domains[0].limit.ram - domains[0].used.ram ||
	    q.caps > domains[0].limit.caps - domains[0].used.caps)
		return -EDQUOT;
	quota_add(domains[0].limit, (struct quota){ returning, 0 },
		  &domains[0].limit);
	returning = 0;
	o = object_new(SESSION, -1);
	quota_sub(domains[0].limit, q, &domains[0].limit);
	objects[o].donated = q;
	snprintf(objects[o].service, sizeof(objects[o].service), "%s", service);
	if (!strcmp(service, "PD")) {
		if (ndomains == DOMAINS)
			die("no domains left");
		objects[o].index = ndomains;
		objects[o].donated = (struct quota){ 0, 0 };
		domains[ndomains++] = (struct domain){ .limit = q };
	}
	if (!strcmp(service, "ROM") && strstr(label, "copied")) {
		objects[o].copied = 5000;
		snprintf(objects[o].service, sizeof(objects[o].service), "%s",
			 label);
	}
	objects[o].refs++;	/* the capability; the session is until it is closed */
	s->cap = fd_install(o);
	s->id = (uint64_t)o;
	return 0;
}

void env_close(struct session *s)
{
	struct object *o;

	pith_close(s->cap);
	if (!s->id)
		return;
	o = &objects[s->id];
	if (o->kind != SESSION)
		die("close of what is no session");
	if (!strcmp(o->service, "PD"))
		domain_destroy(o->index);
	quota_add(domains[0].limit, o->donated, &domains[0].limit);
	object_put((int)s->id);
	*s = (struct session){ .cap = -1 };
}

/* A capability that a program starts with, or none. */
static int passed(int fd)
{
	if (fd < 0)
		return 0;
	objects[fds[fd]].refs++;
	return fds[fd];
}

int loader_load(struct loader *l)
{
	struct process *p = &processes[nprocesses];
	int d = domain_of(l->domain);

	if (l->ncaps != PITH_SLOTS || d < 0 || !fd_object(l->binary, MEMORY) ||
	    !fd_object(l->exit_notif, NOTIFICATION) ||
	    !fd_object(l->caps[PITH_SLOT_PARENT], OBJECT) ||
	    !fd_object(l->caps[PITH_SLOT_DOMAIN], DOMAIN))
		die("a program with wrong capabilities");
	if (domains[d].limit.ram - domains[d].used.ram < PROCESS_RAM)
		return -EDQUOT;
	if (nprocesses == PROCESSES)
		die("no processes left");
	*p = (struct process){ .domain = d };
	snprintf(p->name, sizeof(p->name), "%s", l->name);
	p->exit_notif = passed(l->exit_notif);
	p->parent = passed(l->caps[PITH_SLOT_PARENT]);
	p->slots[0] = passed(l->caps[PITH_SLOT_DOMAIN]);
	p->slots[1] = passed(l->caps[PITH_SLOT_LOG]);
	p->ram = PROCESS_RAM;
	domains[d].used.ram += p->ram;
	l->space = fd_install(object_new(PROCESS, -1));
	l->thread = fd_install(object_new(THREAD, -1));
	fd_object(l->space, PROCESS)->index = nprocesses;
	fd_object(l->thread, THREAD)->index = nprocesses++;
	return 0;
}

int loader_start(struct loader *l)
{
	struct object *o = fd_object(l->thread, THREAD);

	if (!o || !processes[o->index].scheduled)
		die("a start without priority");
	processes[o->index].runs = true;
	pith_close(l->thread);
	return 0;
}

void loader_drop(struct loader *l)
{
	struct object *o = fd_object(l->thread, THREAD);

	if (!o)
		die("no program to drop");
	process_end(&processes[o->index], 137);
	pith_close(l->thread);
	pith_close(l->space);
}

static int cpu_sched(struct rpc *r)
{
	struct object *o = fd_object(r->caps[0], THREAD);

	if (!o || r->req_len != sizeof(struct cpu_sched))
		die("CPU_SCHED without a thread");
	if (fail_service && !strcmp(fail_service, "SCHED")) {
		fail_service = NULL;
		return fail_error;
	}
	processes[o->index].scheduled = true;
	return 0;
}

static int world_space(int fd, uint32_t op, void *arg)
{
	struct object *o = fd_object(fd, PROCESS);
	struct process *p = o ? &processes[o->index] : NULL;

	if (!p)
		die("no space");
	if (op == PITH_OP_SPACE_KILL)
		p->killed = true;
	else if (op == PITH_OP_SPACE_INFO)
		*(struct pith_space_info *)arg = (struct pith_space_info){
			.exited = !p->runs, .status = p->status,
			.cpu_ns = 5000000,
		};
	else
		die("unexpected operation");
	return 0;
}

static int set_budget(int domain, const struct pith_cpu_budget *b)
{
	if (domain < 0)
		die("no domain");
	domains[domain].cpu_budget = b->budget;
	domains[domain].cpu_sets++;
	domains[domain].cpu_period = b->period;
	return 0;
}

int world_control(int fd, uint32_t op, void *arg)
{
	if (op == PITH_OP_DOMAIN_CPU)
		return set_budget(domain_of(fd), arg);
	return world_space(fd, op, arg);
}

/* As core: none of what an init below an init can ask. */
static int parent_method(uint64_t method, struct rpc *r)
{
	(void)method;
	(void)r;
	return -ENOSYS;
}

int rpc_simple(int cap, uint64_t method, const void *req, size_t req_len,
	       void *rep, size_t rep_len, uint64_t deadline)
{
	struct rpc r = {
		.req = req, .req_len = req_len, .rep = rep, .rep_len = rep_len,
	};

	return rpc_call(cap, method, &r, deadline);
}

/* A ROM "copied" has 5000 bytes; one that is "copied-endless" grows at each look. */
static int rom_copy(struct object *rom, struct rpc *r)
{
	const struct object *mem = r->ncaps ? fd_object(r->caps[0], MEMORY) :
					      NULL;

	if (r->ncaps && !mem)
		die("a ROM is to be copied into no memory");
	if (mem && strstr(rom->service, "endless"))
		rom->copied = mem->size + 1;
	((struct rom_dataspace *)r->rep)->size = rom->copied;
	if (r->nrep_caps)
		*r->rep_caps = -1;
	return 0;
}

int rpc_call(int cap, uint64_t method, struct rpc *r, uint64_t deadline)
{
	struct object *o = fd_object(cap, SESSION);
	int new;

	(void)deadline;
	if (!o)
		die("call through what is no session of core");
	if (!strcmp(o->service, "PARENT"))
		return parent_method(method, r);
	if (!strcmp(o->service, "PD") && method == PD_FUND) {
		const struct pd_quota *q = r->req;

		return pd_fund(o->index, (struct quota){ q->ram, q->caps });
	}
	if (!strcmp(o->service, "CPU"))
		return method == CPU_SCHED ? cpu_sched(r) : -ENOSYS;
	if (o->copied)
		return rom_copy(o, r);
	new = object_new(!strcmp(o->service, "PD") ? DOMAIN : MEMORY, -1);
	objects[new].index = o->index;
	*r->rep_caps = fd_install(new);
	return 0;
}

/* --- log and end ------------------------------------ */

static void log_add(const char *fmt, va_list ap)
{
	size_t len = strlen(log_text);

	if (len > sizeof(log_text) / 2)
		len = 0;
	vsnprintf(log_text + len, sizeof(log_text) - len, fmt, ap);
	if (getenv("VERBOSE"))
		printf("# %s\n", log_text + len);
	strcat(log_text, "\n");
}

void log_line(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_add(fmt, ap);
	va_end(ap);
}

void log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_add(fmt, ap);
	va_end(ap);
}

void env_fatal(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	die("init gave up");
	abort();
}

bool world_logged(const char *part)
{
	bool found = strstr(log_text, part) != NULL;

	log_text[0] = '\0';
	return found;
}
