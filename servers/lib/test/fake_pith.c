// SPDX-License-Identifier: BSD-2-Clause
/* A small Pith inside one process: see fake_pith.h. */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pith/rpc.h>

#include "fake_pith.h"

#define FDS	4096

struct object {
	uint32_t type;
	unsigned int refs;
	uint64_t serial;
	/* memory */
	uint8_t *mem;
	uint64_t size;
	int device;
	/* notification */
	uint64_t count;
	struct entrypoint *ep;	/* bound to; also of an endpoint object */
	uint64_t badge;
	/* endpoint */
	int dead;
	struct object *watchers[8];
	unsigned int nwatchers;
};

static struct fd {
	struct object *o;
	uint32_t rights;
} fds[FDS];

static struct object *all[FDS * 4];
static unsigned int nall;
static uint64_t serial;

int (*fake_session)(const char *, const char *, const char *);
void (*fake_session_closed)(int cap);
int (*fake_idle)(void);
uint64_t fake_clock = 1000;
unsigned int fake_signals, fake_mappings;
int fake_mem_budget = -1, fake_quiet;
char fake_rom[4096];
const void *fake_rom_data;
size_t fake_rom_size;

static void put(struct object *o)
{
	if (--o->refs)
		return;
	for (unsigned int i = 0; i < o->nwatchers; i++)
		put(o->watchers[i]);
	for (unsigned int i = 0; i < nall; i++)
		if (all[i] == o)
			all[i] = all[--nall];
	free(o->mem);
	free(o);
}

static struct object *new_object(uint32_t type)
{
	struct object *o = calloc(1, sizeof(*o));

	o->type = type;
	o->serial = ++serial;
	all[nall++] = o;
	return o;
}

static int new_fd(struct object *o, uint32_t rights)
{
	for (int i = 3; i < FDS; i++) {
		if (fds[i].o)
			continue;
		fds[i].o = o;
		fds[i].rights = rights;
		o->refs++;
		return i;
	}
	return -EMFILE;
}

static struct object *get(int fd, uint32_t type)
{
	if (fd < 0 || fd >= FDS || !fds[fd].o)
		return NULL;
	return !type || fds[fd].o->type == type ? fds[fd].o : NULL;
}

void pith_close(int fd)
{
	struct object *o = get(fd, 0);

	if (fd < 0)
		return;
	assert(o);	/* closing what is not open is a bug of the tested code */
	fds[fd].o = NULL;
	put(o);
}

unsigned int fake_open_fds(void)
{
	unsigned int n = 0;

	for (int i = 0; i < FDS; i++)
		n += !!fds[i].o;
	return n;
}

int pith_mem_create(int domain, uint64_t size, uint32_t flags)
{
	struct object *o;

	assert(domain == -1 && !flags && size && !(size & 4095));
	if (!fake_mem_budget)
		return -EDQUOT;
	if (fake_mem_budget > 0)
		fake_mem_budget--;
	o = new_object(PITH_T_MEMORY);
	o->mem = calloc(1, size);
	o->size = size;
	return new_fd(o, PITH_R_READ | PITH_R_WRITE | PITH_R_EXEC);
}

int64_t pith_mem_size(int mem)
{
	struct object *o = get(mem, PITH_T_MEMORY);

	return o ? (int64_t)o->size : -EBADF;
}

int64_t pith_mem_lent(int mem)
{
	struct object *o = get(mem, PITH_T_MEMORY);

	return o && o->device ? -EINVAL : pith_mem_size(mem);
}

void fake_make_device(int cap)
{
	get(cap, PITH_T_MEMORY)->device = 1;
}

int pith_mint(int fd, uint32_t rights)
{
	struct object *o = get(fd, 0);

	if (!o)
		return -EBADF;
	if ((fds[fd].rights & rights) != rights)
		return -EPERM;
	return new_fd(o, rights);
}

int pith_identify(int fd, struct pith_identify *id)
{
	struct object *o = get(fd, 0);

	if (!o)
		return -EBADF;
	id->type = o->type;
	id->rights = fds[fd].rights;
	id->object = o->serial;
	return 0;
}

void *pith_map(int mem, uint64_t offset, uint64_t size, unsigned int prot,
	       int *err)
{
	struct object *o = get(mem, PITH_T_MEMORY);
	int dummy;

	err = err ? err : &dummy;
	*err = o ? 0 : -EBADF;
	if (!o)
		return NULL;
	if ((prot & PITH_MAP_WRITE && !(fds[mem].rights & PITH_R_WRITE)) ||
	    !(fds[mem].rights & PITH_R_READ))
		*err = -EACCES;
	else if (offset > o->size || size > o->size - offset)
		*err = -EINVAL;
	if (*err)
		return NULL;
	o->refs++;
	fake_mappings++;
	return o->mem + offset;
}

int pith_unmap(void *addr, uint64_t size)
{
	uint8_t *a = addr;

	(void)size;
	for (unsigned int i = 0; i < nall; i++) {
		if (!all[i]->mem || a < all[i]->mem ||
		    a >= all[i]->mem + all[i]->size)
			continue;
		fake_mappings--;
		put(all[i]);
		return 0;
	}
	assert(!"unmap of what is not mapped");
	return -EINVAL;
}

void *fake_memory(int cap)
{
	return get(cap, PITH_T_MEMORY)->mem;
}

static int signal_notification(int notif, uint64_t count)
{
	struct object *o = get(notif, PITH_T_NOTIFICATION);

	if (!o)
		return -EBADF;
	if (!(fds[notif].rights & PITH_R_SIGNAL))
		return -EPERM;
	fake_signals++;
	o->count += count;
	return 0;
}

long pith_syscall4(long nr, long a, long b, long c, long d)
{
	(void)c;
	(void)d;
	assert(nr == PITH_NR_SIGNAL);	/* the others have functions here */
	return signal_notification(a, b);
}

int pith_ep_watch(int ep, int notif)
{
	struct object *o = get(ep, PITH_T_ENDPOINT);
	struct object *n = get(notif, PITH_T_NOTIFICATION);

	if (!o || !n)
		return -EBADF;
	if (o->dead) {
		n->count++;
		return 0;
	}
	assert(o->nwatchers < 8);
	o->watchers[o->nwatchers++] = n;
	n->refs++;
	return 0;
}

void fake_kill(int cap)
{
	struct object *o = get(cap, PITH_T_ENDPOINT);

	o->dead = 1;
	for (unsigned int i = 0; i < o->nwatchers; i++) {
		o->watchers[i]->count++;
		put(o->watchers[i]);
	}
	o->nwatchers = 0;
}

uint64_t pith_now(void)
{
	return fake_clock;
}

/* --- entrypoint --------------------------------------------------------------- */

#define SLOTS	512

/* Slots of up to 4 entrypoints; generations go on over ep_init(). */
static struct ep_table {
	struct entrypoint *ep;
	struct ep_slot slots[SLOTS];
} tables[4];

int ep_init(struct entrypoint *ep)
{
	struct ep_table *t = tables;

	memset(ep, 0, sizeof(*ep));
	while (t->ep && t->ep != ep)
		t++;
	assert(t < tables + 4);
	t->ep = ep;
	for (unsigned int i = 0; i < SLOTS; i++)
		t->slots[i].used = 0;
	ep->slots = t->slots;
	return 0;
}

int64_t ep_add(struct entrypoint *ep, ep_call_fn call, ep_notify_fn notify,
	       void *ctx)
{
	for (unsigned int i = 1; i < SLOTS; i++) {
		struct ep_slot *s = &ep->slots[i];

		if (s->used)
			continue;
		s->used = 1;
		s->generation++;
		s->call = call;
		s->notify = notify;
		s->ctx = ctx;
		return (int64_t)s->generation << 16 | i;
	}
	return -EMFILE;
}

static struct ep_slot *slot(struct entrypoint *ep, uint64_t badge)
{
	struct ep_slot *s = &ep->slots[badge % SLOTS];

	return s->used && s->generation == badge >> 16 ? s : NULL;
}

void ep_remove(struct entrypoint *ep, uint64_t badge)
{
	struct ep_slot *s = slot(ep, badge);

	assert(s);
	s->used = 0;
}

static int new_bound(struct entrypoint *ep, uint32_t type, uint32_t rights,
		     int64_t b, uint64_t *badge)
{
	struct object *o;

	if (b < 0)
		return b;
	o = new_object(type);
	o->ep = ep;
	o->badge = *badge = b;
	return new_fd(o, rights);
}

int ep_new_object(struct entrypoint *ep, ep_call_fn call, void *ctx,
		  uint64_t *badge)
{
	return new_bound(ep, PITH_T_ENDPOINT, PITH_R_CALL,
			 ep_add(ep, call, NULL, ctx), badge);
}

int ep_new_notification(struct entrypoint *ep, ep_notify_fn notify, void *ctx,
			uint64_t *badge)
{
	return new_bound(ep, PITH_T_NOTIFICATION,
			 PITH_R_SIGNAL | PITH_R_MANAGE,
			 ep_add(ep, NULL, notify, ctx), badge);
}

void ep_timer_cancel(struct entrypoint *ep, struct ep_timer *t)
{
	for (struct ep_timer **p = &ep->timers; *p; p = &(*p)->next) {
		if (*p != t)
			continue;
		*p = t->next;
		return;
	}
}

void ep_timer_set(struct entrypoint *ep, struct ep_timer *t, uint64_t at)
{
	ep_timer_cancel(ep, t);
	t->at = at;
	t->next = ep->timers;
	ep->timers = t;
}

static int dispatch_notification(struct entrypoint *ep)
{
	for (unsigned int i = 0; i < nall; i++) {
		struct object *o = all[i];
		struct ep_slot *s;
		uint64_t n = o->count;

		if (o->type != PITH_T_NOTIFICATION || !n || o->ep != ep)
			continue;
		o->count = 0;
		s = slot(ep, o->badge);
		if (!s)
			continue;
		s->notify(s->ctx, n);
		return 1;
	}
	return 0;
}

static int dispatch_timer(struct entrypoint *ep, uint64_t deadline, int wait)
{
	struct ep_timer *first = NULL;

	for (struct ep_timer *t = ep->timers; t; t = t->next)
		if (t->at != PITH_NO_DEADLINE && (!first || t->at < first->at))
			first = t;
	if (!first || (first->at > fake_clock && !wait) || first->at > deadline)
		return 0;
	if (fake_clock < first->at)
		fake_clock = first->at;
	ep_timer_cancel(ep, first);
	first->fire(first->ctx);
	return 1;
}

int ep_dispatch(struct entrypoint *ep, uint64_t deadline)
{
	int idle = 0;

	fake_clock += 1000;
	for (;;) {
		if (dispatch_notification(ep) || dispatch_timer(ep, deadline, 0))
			return 1;
		if (fake_idle && !idle && fake_idle()) {
			idle = 1;
			continue;
		}
		if (dispatch_timer(ep, deadline, 1))
			return 1;
		assert(deadline != PITH_NO_DEADLINE);	/* would hang */
		if (fake_clock < deadline)
			fake_clock = deadline;
		return 0;
	}
}

void fake_run(struct entrypoint *ep)
{
	for (int i = 0; i < 100000; i++) {
		if (dispatch_notification(ep) || dispatch_timer(ep, fake_clock, 0))
			continue;
		if (!fake_idle || !fake_idle())
			return;
	}
	assert(!"never idle");
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
	if (in->rep_ncaps == PITH_MSG_CAPS)
		return -EMSGSIZE;
	if (close)
		in->rep_close |= 1u << in->rep_ncaps;
	in->rep_caps[in->rep_ncaps++] = fd;
	return 0;
}

int ep_take_cap(struct ep_request *in, unsigned int i)
{
	int fd;

	if (i >= in->ncaps || in->caps[i] < 0)
		return -EBADF;
	fd = in->caps[i];
	in->caps[i] = PITH_CAP_NONE;
	return fd;
}

/* An answer made with ep_answer(), for the call that is just going on. */
static struct {
	int fd, status;
	size_t len;
	uint8_t data[PITH_MSG_BYTES];
} saved = { .fd = -1 };

int ep_save_reply(struct entrypoint *ep, struct ep_request *in)
{
	(void)ep;
	(void)in;
	assert(saved.fd < 0);
	saved.status = 1;
	saved.fd = new_fd(new_object(PITH_T_REPLY), 0);
	return saved.fd;
}

int ep_answer(int reply, int status, const void *data, size_t len, int cap)
{
	assert(reply == saved.fd && status <= 0 && cap < 0);
	assert(len <= PITH_MSG_BYTES);
	saved.status = status;
	saved.len = len;
	memcpy(saved.data, data, len);
	pith_close(reply);
	return 0;
}

/* The handler has answered by itself: make that the reply. */
static int take_saved(struct entrypoint *ep, struct ep_request *in)
{
	assert(saved.fd >= 0 && saved.status <= 0);
	saved.fd = -1;
	memcpy(ep->reply, saved.data, saved.len);
	in->rep_len = saved.len;
	return saved.status;
}

/* --- calls ----------------------------------------------------------------------- */

static int take_reply(struct entrypoint *ep, struct ep_request *in,
		      struct rpc *r)
{
	size_t tail;

	for (unsigned int i = 0; i < in->rep_ncaps; i++) {
		if (i < r->nrep_caps)
			r->rep_caps[i] = pith_mint(in->rep_caps[i],
						   fds[in->rep_caps[i]].rights);
		if (in->rep_close & 1u << i)
			pith_close(in->rep_caps[i]);
	}
	if (in->rep_len < r->rep_len)
		return -EPROTO;
	if (r->rep_len)
		memcpy(r->rep, ep->reply, r->rep_len);
	tail = in->rep_len - r->rep_len;
	if (tail > r->rep_tail_size)
		return -EPROTO;
	if (tail)
		memcpy(r->rep_tail, ep->reply + r->rep_len, tail);
	r->rep_tail_len = tail;
	return 0;
}

int rpc_call(int cap, uint64_t method, struct rpc *r, uint64_t deadline)
{
	struct object *o = get(cap, PITH_T_ENDPOINT);
	uint64_t data[PITH_MSG_BYTES / 8];
	struct ep_request in = { .method = method, .data = data };
	struct ep_slot *s;
	int err;

	assert(deadline > fake_clock);
	for (unsigned int i = 0; i < r->nrep_caps; i++)
		r->rep_caps[i] = -1;
	if (!o)
		return -EBADF;
	s = o->dead ? NULL : slot(o->ep, o->badge);
	if (!s)
		return -EPIPE;
	if (r->req_len)
		memcpy(data, r->req, r->req_len);
	if (r->tail_len)
		memcpy((uint8_t *)data + r->req_len, r->tail, r->tail_len);
	in.len = r->req_len + r->tail_len;
	in.badge = o->badge;
	in.ncaps = r->ncaps;
	for (unsigned int i = 0; i < r->ncaps; i++)
		in.caps[i] = r->caps[i] < 0 ? PITH_CAP_NONE :
			     pith_mint(r->caps[i], fds[r->caps[i]].rights);
	err = s->call(s->ctx, &in);
	if (err == EP_DEFERRED)
		err = take_saved(o->ep, &in);
	for (unsigned int i = 0; i < in.ncaps; i++)
		if (in.caps[i] >= 0)
			pith_close(in.caps[i]);
	assert(err <= 0);
	return err ? err : take_reply(o->ep, &in, r);
}

int rpc_simple(int cap, uint64_t method, const void *req, size_t req_len,
	       void *rep, size_t rep_len, uint64_t deadline)
{
	struct rpc r = {
		.req = req, .req_len = req_len, .rep = rep, .rep_len = rep_len,
	};

	return rpc_call(cap, method, &r, deadline);
}

/* --- env --------------------------------------------------------------------------- */

int env_session(struct session *s, const char *service, const char *label,
		const char *args, const struct session_quota *quota,
		uint64_t deadline)
{
	int fd = fake_session(service, label, args);

	(void)quota;
	(void)deadline;
	s->cap = fd < 0 ? -1 : fd;
	s->id = 1;
	return fd < 0 ? fd : 0;
}

void env_close(struct session *s)
{
	if (s->cap < 0)
		return;
	if (fake_session_closed)
		fake_session_closed(s->cap);
	pith_close(s->cap);
	s->cap = -1;
}

int rom_open(struct rom *rom, const char *name)
{
	(void)name;
	memset(rom, 0, sizeof(*rom));
	rom->mem = -1;
	rom->data = fake_rom_data ? fake_rom_data : fake_rom;
	rom->size = fake_rom_data ? fake_rom_size : strlen(fake_rom);
	return 0;
}

void rom_close(struct rom *rom)
{
	(void)rom;
}

static void log_va(const char *fmt, va_list ap)
{
	if (fake_quiet)
		return;
	printf("# ");
	vprintf(fmt, ap);
	printf("\n");
}

void log_line(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_va(fmt, ap);
	va_end(ap);
}

void log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_va(fmt, ap);
	va_end(ap);
}

int args_get(const char *args, const char *tag, char *value, size_t size)
{
	char key[64];
	const char *p;
	size_t len;

	snprintf(key, sizeof(key), "%s=", tag);
	p = strstr(args, key);
	if (!p)
		return -1;
	p += strlen(key);
	len = strcspn(p, ", ");
	if (len >= size)
		return -1;
	memcpy(value, p, len);
	value[len] = 0;
	return len;
}

/* --- TAP ----------------------------------------------------------------------------- */

unsigned int tap_tests, tap_failures;

void tap_ok(int good, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	printf("%sok %u - ", good ? "" : "not ", ++tap_tests);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	if (good)
		return;
	tap_failures++;
	printf("# failed at %s:%d\n", file, line);
}

int tap_end(void)
{
	printf("1..%u\n", tap_tests);
	return tap_failures ? 1 : 0;
}
