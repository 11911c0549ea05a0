/* SPDX-License-Identifier: BSD-2-Clause */
/* The Parent interface for core's one child: sessions to core's services. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core.h"

static const struct core_service *const services[] = {
	&pd_service, &cpu_service, &rom_service, &log_service, &trace_service,
	&io_mem_service, &io_port_service, &irq_service,
};

static const struct core_service *service_named(const char *name)
{
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (!strcmp(services[i]->name, name))
			return services[i];
	return NULL;
}

static int terminated(const char *text, size_t size)
{
	return memchr(text, 0, size) != NULL;
}

struct core_session *session_new(const struct core_service *service,
				 const char *label, const char *args,
				 int account, int *err)
{
	struct core_session *s = calloc(1, sizeof(*s));

	*err = -ENOMEM;
	if (s) {
		s->service = service;
		s->fd = -1;
		s->account = account;
		snprintf(s->label, sizeof(s->label), "%s", label);
		*err = service->open(s, args);
	}
	if (!*err)
		return s;
	pith_close(account);
	free(s);
	return NULL;
}

static void session_free(struct core_session *s)
{
	if (s->service->close)
		s->service->close(s);
	pith_close(s->fd);
	free(s);
}

/* Where a session's quota goes: a PD's is its own, the rest pays for core. */
static int donate(struct core_session *s, uint64_t ram, uint64_t caps)
{
	int to = s->service == &pd_service ? s->fd : core.root;
	int err;

	if (to == core.root && (ram < CORE_SESSION_RAM || caps < CORE_SESSION_CAPS))
		return -EDQUOT;
	err = pith_domain_transfer(core.init_domain, to, ram, caps);
	if (err || to != core.root)
		return err;
	s->ram = ram;
	s->caps = caps;
	return 0;
}

static int create(struct ep_request *in)
{
	const struct parent_session *req = ep_req(in, struct parent_session);
	const struct core_service *service;
	struct parent_session_reply rep;
	struct core_session *s;
	char label[TRACE_LABEL_MAX];
	int err, cap;

	if (!req || !terminated(req->service, sizeof(req->service)) ||
	    !terminated(req->label, sizeof(req->label)) ||
	    !terminated(req->args, sizeof(req->args)) || req->ram & 4095)
		return -EINVAL;
	service = service_named(req->service);
	if (!service)
		return -ENOENT;
	snprintf(label, sizeof(label), "init%s%s", req->label[0] ? " -> " : "",
		 req->label);
	s = session_new(service, label, req->args, service == &pd_service ?
			ep_take_cap(in, 0) : -1, &err);
	if (!s)
		return err;
	cap = ep_new_object(&core.ep, service->call, s, &s->badge);
	if (cap < 0) {
		session_free(s);
		return cap;
	}
	err = donate(s, req->ram, req->caps);
	if (err) {
		ep_remove(&core.ep, s->badge);
		pith_close(cap);
		session_free(s);
		return err;
	}
	rep.id = s->badge;
	ep_reply_cap(in, cap, 1);
	return ep_reply_data(&core.ep, in, &rep, sizeof(rep));
}

static uint64_t owed_ram, owed_caps;

/*
 * Back to init. What clients still hold of a session's capabilities stays
 * charged to core, so core may be short for a while; it owes the rest.
 */
static void give_back(uint64_t ram, uint64_t caps)
{
	struct pith_domain_info d;

	owed_ram += ram;
	owed_caps += caps;
	if (pith_domain_info(core.root, &d))
		return;
	ram = (d.ram_limit - d.ram_used) & ~4095ull;
	caps = d.caps_limit - d.caps_used;
	ram = ram < owed_ram ? ram : owed_ram;
	caps = caps < owed_caps ? caps : owed_caps;
	if (pith_domain_transfer(core.root, core.init_domain, ram, caps))
		return;
	owed_ram -= ram;
	owed_caps -= caps;
}

/* The open session with this id, which is its badge, or NULL. */
static struct core_session *session_of(uint64_t id)
{
	struct core_session *s;

	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		s = ep_context(&core.ep, id, services[i]->call);
		if (s && s->service == services[i])
			return s;
	}
	return NULL;
}

static int close_session(struct ep_request *in)
{
	const struct parent_id *req = ep_req(in, struct parent_id);
	struct core_session *s = req ? session_of(req->id) : NULL;

	if (!s)
		return -ENOENT;
	ep_remove(&core.ep, s->badge);
	give_back(s->ram, s->caps);
	session_free(s);
	return 0;
}

static int no_request(struct ep_request *in)
{
	struct parent_request none = { .kind = PARENT_REQ_NONE };

	return ep_reply_data(&core.ep, in, &none, sizeof(none));
}

static int parent_call(void *ctx, struct ep_request *in)
{
	(void)ctx;
	switch (in->method) {
	case PARENT_SESSION:
		return create(in);
	case PARENT_CLOSE:
		return close_session(in);
	case PARENT_ANNOUNCE:
		return -EACCES;		/* core uses no services */
	case PARENT_NEXT_REQUEST:
		return no_request(in);
	case PARENT_DELIVER:
		return -ENOENT;
	case PARENT_SPACE:
		return ep_reply_cap(in, core.init_space, 0);
	}
	return -ENOSYS;
}

int parent_init(void)
{
	uint64_t badge;

	return ep_new_object(&core.ep, parent_call, &core, &badge);
}

int parent_log_cap(const char *label)
{
	int err;
	struct core_session *s = session_new(&log_service, label, "", -1,
					     &err);

	return s ? ep_new_object(&core.ep, log_service.call, s, &s->badge) : err;
}
