// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pith/rpc.h>
#include <session/core.h>
#include "world_private.h"

struct object objects[OBJECTS];
static int nobjects = 1;
int fds[FDS];
struct domain domains[DOMAINS];
int ndomains;
struct process processes[PROCESSES];
int nprocesses;
static struct call calls[CALLS];
static int ncalls;
static int current_call;
static uint64_t now = PITH_SEC(1);
static jmp_buf booted;
static int ended = -1;
static const char *config_text;
static uint64_t config_watch;
static struct entrypoint *the_ep;
static struct ep_slot slots[SLOTS];

/* --- objects ------------------------------------ */

_Noreturn void die(const char *what)
{
	printf("not ok 0 - the world is broken: %s\n", what);
	fflush(stdout);
	abort();
}

int object_new(enum kind kind, int payer)
{
	static int next = 1;
	int i, n;

	for (n = 0; n < OBJECTS; n++) {
		i = next;
		next = next + 1 < OBJECTS ? next + 1 : 1;
		if (objects[i].kind == FREE)
			break;
	}
	if (n == OBJECTS)
		die("no objects left");
	if (payer >= 0) {
		if (domains[payer].limit.caps == domains[payer].used.caps)
			return -EDQUOT;
		domains[payer].used.caps++;
	}
	objects[i] = (struct object){ .kind = kind, .refs = 1, .payer = payer };
	nobjects++;
	return i;
}

void object_put(int i)
{
	struct object *o = &objects[i];

	if (!i || --o->refs)
		return;
	if (o->payer >= 0)
		domains[o->payer].used.caps--;
	if (o->mem) {
		domains[o->mem_payer].used.ram -= o->size;
		free(o->mem);
	}
	if (o->kind == REPLY && !calls[o->index].answer.done) {
		calls[o->index].answer.done = true;
		calls[o->index].answer.status = -EPIPE;
	}
	o->kind = FREE;
	nobjects--;
}

static int lowest = 3;

void world_few_fds(unsigned int left)
{
	lowest = left ? FDS - (int)left : 3;
}

int fd_install(int object)
{
	int fd;

	if (object < 0)
		return object;
	for (fd = lowest; fd < FDS && fds[fd]; fd++)
		;
	if (fd == FDS)
		die("no descriptors left");
	fds[fd] = object;
	return fd;
}

struct object *fd_object(int fd, enum kind kind)
{
	if (fd < 0 || fd >= FDS || !fds[fd] || objects[fds[fd]].kind != kind)
		return NULL;
	return &objects[fds[fd]];
}

void pith_close(int fd)
{
	if (fd < 0)
		return;
	if (fd >= FDS || !fds[fd])
		die("close of a descriptor that is not open");
	object_put(fds[fd]);
	fds[fd] = 0;
}

unsigned int world_fds(void)
{
	unsigned int n = 0;
	int fd;

	for (fd = 0; fd < FDS; fd++)
		n += fds[fd] != 0;
	return n;
}

/* --- domains ------------------------------------ */

int domain_of(int fd)
{
	struct object *o = fd_object(fd, DOMAIN);

	return o ? o->index : -1;
}

int pith_domain_info(int fd, struct pith_domain_info *info)
{
	int d = domain_of(fd);

	if (d < 0)
		return -EBADF;
	*info = (struct pith_domain_info){
		domains[d].limit.ram, domains[d].used.ram,
		domains[d].limit.caps, domains[d].used.caps, 0
	};
	return 0;
}

static int transfer(int from, int to, struct quota q)
{
	struct domain *f = &domains[from], *t = &domains[to];

	if (from == to)
		return -EINVAL;
	if (f->dead || t->dead || q.ram > f->limit.ram - f->used.ram ||
	    q.caps > f->limit.caps - f->used.caps)
		return -EDQUOT;
	quota_sub(f->limit, q, &f->limit);
	quota_add(t->limit, q, &t->limit);
	return 0;
}

int pd_fund(int domain, struct quota q)
{
	return transfer(0, domain, q);
}

int pith_domain_transfer(int from, int to, uint64_t ram, uint64_t caps)
{
	int f = domain_of(from), t = domain_of(to);

	if (f < 0 || t < 0)
		return -EBADF;
	return transfer(f, t, (struct quota){ ram, caps });
}

void domain_destroy(int d)
{
	struct domain *dom = &domains[d];
	struct quota unused;

	if (dom->used.ram || dom->used.caps)
		die("a domain is destroyed while something is in use");
	unused = dom->limit;
	dom->limit = (struct quota){ 0, 0 };
	dom->dead = true;
	quota_add(domains[0].limit, unused, &domains[0].limit);
}

/* --- what init calls on capabilities ------------------------------------ */

int pith_mint(int fd, uint32_t rights)
{
	int from = fds[fd], o;

	(void)rights;
	o = object_new(objects[from].kind, 0);
	if (o < 0)
		return o;
	objects[o].index = objects[from].index;
	if (objects[from].mem) {	/* the mint is what stays */
		objects[o].mem = objects[from].mem;
		objects[o].size = objects[from].size;
		objects[o].mem_payer = objects[from].mem_payer;
		objects[from].mem = NULL;
	}
	return fd_install(o);
}

int pith_mem_create(int domain, uint64_t size, uint32_t flags)
{
	int d = domain < 0 ? 0 : domain_of(domain), o;

	(void)flags;
	if (d < 0 || size % 4096 || !size)
		die("mem_create");
	if (size > domains[d].limit.ram - domains[d].used.ram)
		return -EDQUOT;
	o = object_new(MEMORY, 0);
	if (o < 0)
		return o;
	domains[d].used.ram += size;
	objects[o].mem = calloc(1, size);
	objects[o].size = size;
	objects[o].mem_payer = d;
	return fd_install(o);
}

int64_t pith_mem_lent(int mem)
{
	struct object *o = fd_object(mem, MEMORY);

	return o ? (int64_t)o->size : -EBADF;
}

void *pith_map(int mem, uint64_t offset, uint64_t size, unsigned int prot,
	       int *err)
{
	struct object *o = fd_object(mem, MEMORY);

	(void)offset;
	(void)size;
	(void)prot;
	*err = o ? 0 : -EBADF;
	return o ? o->mem : NULL;
}

int pith_unmap(void *addr, uint64_t size)
{
	(void)addr;
	(void)size;
	return 0;
}

int pith_identify(int fd, struct pith_identify *id)
{
	bool n = fd_object(fd, NOTIFICATION) != NULL;

	*id = (struct pith_identify){
		.type = n ? PITH_T_NOTIFICATION : PITH_T_ENDPOINT,
		.rights = n ? PITH_R_SIGNAL : PITH_R_CALL,
	};
	return 0;
}

/* Only pith_signal() and pith_control() come here. */
long pith_syscall4(long nr, long a, long b, long c, long d)
{
	struct object *o;

	(void)d;
	if (nr == PITH_NR_CONTROL)
		return world_control((int)a, (uint32_t)b, (void *)c);
	o = fd_object((int)a, NOTIFICATION);
	if (nr != PITH_NR_SIGNAL || !o)
		die("unexpected system call");
	o->signals += (uint64_t)b;
	return 0;
}

uint64_t pith_now(void)
{
	return now;
}

/* --- entrypoint ------------------------------------ */

int ep_init(struct entrypoint *ep)
{
	the_ep = ep;
	memset(ep, 0, sizeof(*ep));
	return 0;
}

static struct ep_slot *slot_of(uint64_t badge)
{
	struct ep_slot *s = &slots[(badge & 0xffff) - 1];

	return (badge & 0xffff) - 1 < SLOTS && s->used &&
	       s->generation == badge >> 16 ? s : NULL;
}

static int slot_new(ep_call_fn call, ep_notify_fn notify, void *ctx,
		    uint64_t *badge)
{
	unsigned int i;

	for (i = 0; i < SLOTS && slots[i].used; i++)
		;
	if (i == SLOTS)
		return -EMFILE;
	slots[i] = (struct ep_slot){
		.call = call, .notify = notify, .ctx = ctx,
		.generation = slots[i].generation + 1, .used = 1,
	};
	*badge = (uint64_t)slots[i].generation << 16 | (i + 1);
	return 0;
}

int ep_new_object(struct entrypoint *ep, ep_call_fn call, void *ctx,
		  uint64_t *badge)
{
	int o, err = slot_new(call, NULL, ctx, badge);

	if (err)
		return err;
	o = object_new(OBJECT, 0);
	if (o < 0)
		ep_remove(ep, *badge);
	else
		objects[o].badge = *badge;
	return fd_install(o);
}

int ep_new_notification(struct entrypoint *ep, ep_notify_fn notify, void *ctx,
			uint64_t *badge)
{
	int o, err = slot_new(NULL, notify, ctx, badge);

	if (err)
		return err;
	o = object_new(NOTIFICATION, 0);
	if (o < 0)
		ep_remove(ep, *badge);
	else
		objects[o].badge = *badge;
	return fd_install(o);
}

void ep_remove(struct entrypoint *ep, uint64_t badge)
{
	struct ep_slot *s = badge ? slot_of(badge) : NULL;

	(void)ep;
	if (s)
		s->used = 0;
}

void ep_timer_cancel(struct entrypoint *ep, struct ep_timer *t)
{
	struct ep_timer **p;

	for (p = &ep->timers; *p && *p != t; p = &(*p)->next)
		;
	if (*p)
		*p = t->next;
	t->at = PITH_NO_DEADLINE;
}

void ep_timer_set(struct entrypoint *ep, struct ep_timer *t, uint64_t at)
{
	struct ep_timer **p;

	ep_timer_cancel(ep, t);
	t->at = at;
	for (p = &ep->timers; *p && (*p)->at <= at; p = &(*p)->next)
		;
	t->next = *p;
	*p = t;
}

void ep_run(struct entrypoint *ep)
{
	(void)ep;
	longjmp(booted, 1);
}

int ep_reply_data(struct entrypoint *ep, struct ep_request *in,
		  const void *data, size_t len)
{
	if (len > PITH_MSG_BYTES - in->rep_len)
		return -EMSGSIZE;
	memcpy(ep->reply + in->rep_len, data, len);
	in->rep_len += len;
	return 0;
}

int ep_reply_cap(struct ep_request *in, int fd, int close)
{
	in->rep_caps[in->rep_ncaps++] = fd;
	in->rep_close |= close ? 1u : 0;
	return 0;
}

int ep_take_cap(struct ep_request *in, unsigned int i)
{
	int fd = i < in->ncaps ? in->caps[i] : -1;

	if (fd >= 0)
		in->caps[i] = PITH_CAP_NONE;
	return fd < 0 ? -EBADF : fd;
}

int ep_save_reply(struct entrypoint *ep, struct ep_request *in)
{
	int o = object_new(REPLY, 0);

	(void)ep;
	(void)in;
	if (o >= 0)
		objects[o].index = current_call;
	return fd_install(o);
}

/* The process of a call gets capability @fd of init. */
static int pass_to(int process, int fd)
{
	struct process *p = &processes[process];

	if (fd < 0)
		return 0;
	if (!fds[fd])
		die("a closed capability is passed");
	if (p->nheld == HELD)
		die("a process holds too much");
	p->held[p->nheld++] = fds[fd];
	objects[fds[fd]].refs++;
	return fds[fd];
}

int ep_answer(int reply, int status, const void *data, size_t len, int cap)
{
	struct object *o = fd_object(reply, REPLY);
	struct call *c;
	int gone;

	if (!o)
		die("answer to what is no reply");
	c = &calls[o->index];
	gone = c->gone;
	if (c->answer.done)
		die("a second answer");
	c->answer.done = true;
	c->answer.status = status;
	if (!gone && !status) {
		c->answer.len = len;
		memcpy(c->answer.data, data ? data : "", data ? len : 0);
		c->answer.cap = pass_to(c->process, cap);
	}
	pith_close(reply);
	return gone ? PITH_CALLER_GONE : 0;
}

/* --- the end ------------------------------------ */

/* init's own end. */
void _Exit(int status)
{
	ended = status;
	longjmp(booted, 2);
}

int world_ended(void)
{
	return ended;
}

/* --- the test's side ------------------------------------ */

int rom_session(struct rom *rom, const char *name)
{
	(void)name;
	*rom = (struct rom){ .mem = -1, .session.cap = -1 };
	return 0;
}

int rom_watch(struct rom *rom, int notification)
{
	(void)rom;
	config_watch = objects[fds[notification]].badge;
	return 0;
}

int rom_update(struct rom *rom)
{
	rom->data = config_text;
	rom->size = strlen(config_text);
	return 0;
}

void world_config(const char *config)
{
	struct ep_slot *s = slot_of(config_watch);

	config_text = config;
	if (!setjmp(booted))
		s->notify(s->ctx, 1);
}

int component_main(void);

void world_boot(const char *config)
{
	config_text = config;
	fds[PITH_SLOT_DOMAIN] = object_new(DOMAIN, -1);
	fds[PITH_SLOT_PARENT] = object_new(SESSION, -1);
	strcpy(objects[fds[PITH_SLOT_PARENT]].service, "PARENT");
	fds[PITH_SLOT_LOG] = object_new(SESSION, -1);
	domains[ndomains++] = (struct domain){
		.limit = { WORLD_RAM, WORLD_CAPS } };
	if (!setjmp(booted))
		component_main();
}

static struct process *process(const char *name)
{
	int i;

	for (i = nprocesses - 1; i >= 0; i--)
		if (processes[i].runs && !strcmp(processes[i].name, name))
			return &processes[i];
	return NULL;
}

bool world_runs(const char *name)
{
	return process(name) != NULL;
}

unsigned int world_starts(const char *name)
{
	unsigned int n = 0;
	int i;

	for (i = 0; i < nprocesses; i++)
		n += !strcmp(processes[i].name, name);
	return n;
}

void process_end(struct process *p, uint32_t status)
{
	struct ep_slot *s;
	unsigned int i;
	int n;

	p->runs = false;
	p->status = status;
	domains[p->domain].used.ram -= p->ram;
	for (i = 0; i < p->nheld; i++)
		object_put(p->held[i]);
	object_put(p->parent);
	object_put(p->slots[0]);
	object_put(p->slots[1]);
	for (n = 0; n < CALLS; n++)
		if (calls[n].process == (int)(p - processes))
			calls[n].gone = true;
	s = slot_of(objects[p->exit_notif].badge);
	if (s)
		s->notify(s->ctx, 1);
	object_put(p->exit_notif);
}

void world_exit(const char *name, uint32_t status)
{
	struct process *p = process(name);

	if (!p)
		die("exit of a process that does not run");
	if (!setjmp(booted))
		process_end(p, status);
}

static bool one_event(void)
{
	struct ep_timer *t = the_ep->timers;
	int i;

	for (i = 0; i < nprocesses; i++) {
		if (!processes[i].runs || !processes[i].killed)
			continue;
		process_end(&processes[i], 137);
		return true;
	}
	if (!t || t->at > now)
		return false;
	ep_timer_cancel(the_ep, t);
	t->fire(t->ctx);
	return true;
}

void world_run(uint64_t ms)
{
	uint64_t end = now + PITH_MS(ms);

	if (setjmp(booted))
		return;
	for (;;) {
		while (one_event())
			;
		if (!the_ep->timers || the_ep->timers->at > end)
			break;
		now = the_ep->timers->at;
	}
	now = end;
}

struct quota world_limit(void)
{
	return domains[0].limit;
}

struct quota world_init_unused(void)
{
	return quota_unused(PITH_SLOT_DOMAIN);
}

void world_init_use(int64_t ram)
{
	domains[0].used.ram += (uint64_t)ram;
}

uint64_t world_init_caps(void)
{
	return domains[0].used.caps;
}

static struct domain *domain_named(const char *name)
{
	struct process *p = process(name);

	if (!p)
		die("domain of a process that does not run");
	return &domains[p->domain];
}

struct quota world_unused(const char *name)
{
	struct domain *d = domain_named(name);

	return (struct quota){ d->limit.ram - d->used.ram,
			       d->limit.caps - d->used.caps };
}

struct quota world_assigned(const char *name)
{
	return domain_named(name)->limit;
}

uint64_t world_cpu(const char *name)
{
	struct domain *d = domain_named(name);

	return d->cpu_period == PITH_MS(100) ? d->cpu_budget : UINT64_MAX;
}

uint64_t world_cpu_sets(const char *name)
{
	return domain_named(name)->cpu_sets;
}

void world_use(const char *name, int64_t ram)
{
	domain_named(name)->used.ram += (uint64_t)ram;
	process(name)->ram += (uint64_t)ram;
}

void world_move(int pd, const char *to, struct quota q)
{
	struct process *p = process(to);

	if (objects[pd].kind != SESSION || !p ||
	    transfer(objects[pd].index, p->domain, q))
		die("quota cannot be moved");
}

static bool impatient;

void world_impatient(void)
{
	impatient = true;
}

static int run_call(struct process *p, int object, uint64_t method,
		    const void *req, size_t len, int cap)
{
	static uint64_t data[PITH_MSG_BYTES / 8];
	struct ep_slot *s = slot_of(objects[object].badge);
	struct ep_request in = { .method = method, .len = len, .data = data };
	struct call *c;
	int status;

	current_call = ncalls;
	ncalls = (ncalls + 1) % CALLS;
	c = &calls[current_call];
	*c = (struct call){ .process = (int)(p - processes),
			    .gone = impatient };
	impatient = false;
	memcpy(data, req ? req : "", req ? len : 0);
	in.caps[0] = PITH_CAP_NONE;
	if (cap) {
		objects[cap].refs++;
		in.ncaps = 1;
		in.caps[0] = fd_install(cap);
	}
	status = s && s->call ? s->call(s->ctx, &in) : -EBADF;
	if (in.ncaps)
		pith_close(in.caps[0]);
	if (status != EP_DEFERRED) {
		c->answer.done = true;
		c->answer.status = status;
		if (!status) {
			c->answer.len = in.rep_len;
			memcpy(c->answer.data, the_ep->reply, in.rep_len);
			if (in.rep_ncaps)
				c->answer.cap = pass_to(c->process,
							in.rep_caps[0]);
		}
		if (in.rep_close && in.rep_ncaps)
			pith_close(in.rep_caps[0]);
	}
	return (int)(c - calls);
}

int world_call(const char *name, uint64_t method, const void *req, size_t len,
	       int cap)
{
	struct process *p = process(name);

	if (!p)
		die("call of a process that does not run");
	return run_call(p, p->parent, method, req, len, cap);
}

int world_invoke(const char *name, int object, uint64_t method,
		 const void *req, size_t len)
{
	return run_call(process(name), object, method, req, len, 0);
}

int world_invoke_cap(const char *name, int object, uint64_t method, int cap)
{
	return run_call(process(name), object, method, NULL, 0, cap);
}

const struct answer *world_answer(int call)
{
	return &calls[call].answer;
}

void world_give_up(int call)
{
	calls[call].gone = true;
}

int world_notification(void)
{
	return object_new(NOTIFICATION, -1);
}

int world_endpoint(void)
{
	return object_new(ENDPOINT, -1);
}

uint64_t world_signals(int notification)
{
	return objects[notification].signals;
}

const char *world_memory(int object)
{
	return objects[object].mem;
}
