// SPDX-License-Identifier: BSD-2-Clause
/* The life of a child, see enum child_state. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pith/loader.h>
#include <pith/rpc.h>
#include <session/core.h>
#include "init.h"

#define RETRY_MS	500	/* of a start that lacks quota */
#define BURST		PITH_MS(500)	/* of starts, others wait meanwhile */
#define BURST_GAP	PITH_MS(10)
#define PATIENCE	PITH_MS(100)	/* of a start, later on */
#define TABLE		4096	/* descriptors of a component */
#define TABLE_KEPT	128	/* for all but starts */
#define TO(state)	(1u << CHILD_##state)

static const unsigned int legal[CHILD_STATES] = {
	[CHILD_DOWN]		= TO(STARTING),
	[CHILD_STARTING]	= TO(RUNNING) | TO(ENDING),
	[CHILD_RUNNING]		= TO(ENDING),
	[CHILD_ENDING]		= TO(EXITED) | TO(BACKOFF) | TO(FAILED),
	[CHILD_BACKOFF]		= TO(STARTING),
	[CHILD_EXITED]		= TO(BACKOFF),
	[CHILD_FAILED]		= TO(BACKOFF),
};

static const char *const names[CHILD_STATES] = {
	"down", "starting", "running", "ending", "restarting", "exited", "failed",
};

static void end(struct child *c);

const char *child_state_name(enum child_state state)
{
	return names[state];
}

static void set_state(struct child *c, enum child_state to)
{
	if (!(legal[c->state] & 1u << to))
		env_fatal("child %s: %s -> %s is not possible", c->conf->name,
			  names[c->state], names[to]);
	c->state = to;
	report_changed();
}

bool child_is_down(const struct child *c)
{
	return c->state == CHILD_EXITED || c->state == CHILD_FAILED;
}

void child_complain(struct child *c, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	if (c->complaints > COMPLAINTS_PER_CHILD)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_line("child \"%s\": %s%s", c->conf->name, text,
		 c->complaints == COMPLAINTS_PER_CHILD ?
		 " (no more of this)" : "");
	c->complaints++;
}

/* --- start ------------------------------------ */

static void close_fd(int *fd)
{
	pith_close(*fd);
	*fd = -1;
}

/* What a session at the parent is donated, but for PD. */
static const struct session_quota usual = { .ram = 16384, .caps = 8 };

/* A session that the child starts with: its donation is taken off its quota. */
static int open_for(struct child *c, struct session *s, const char *service,
		    const char *label, const char *args,
		    const struct session_quota *quota)
{
	int err = env_session(s, service, label, args, quota,
			      pith_now() + PARENT_TIMEOUT);

	if (!err)
		quota_add(c->cost, (struct quota){ quota->ram, quota->caps },
			  &c->cost);
	return err;
}

/* What a PD session is donated is the domain's own quota: that comes later. */
static int open_pd(struct child *c)
{
	static const struct session_quota nothing = { .ram = 0, .caps = 0 };
	int err = open_for(c, &c->pd, "PD", c->conf->name,
			   c->conf->managing_system ? "managing_system=yes" : "",
			   &nothing);

	if (err)
		return err;
	c->domain = parent_cap(c->pd.cap, PD_DOMAIN, NULL, 0);
	if (c->domain < 0)
		return c->domain;
	balance_cpu(c);
	return 0;
}

static int open_cpu(struct child *c)
{
	char args[PARENT_ARGS_MAX];

	snprintf(args, sizeof(args), "priority=%u, affinity=%llu",
		 c->conf->priority, (unsigned long long)c->conf->affinity);
	return open_for(c, &c->cpu, "CPU", c->conf->name, args, &usual);
}

/* The program, in memory that the child pays for if its server copies it; the ROM
 * session is not needed beyond the start. */
static int get_binary(struct child *c, struct rom *rom)
{
	uint64_t deadline = pith_now() + PARENT_TIMEOUT;
	int err = env_session(&rom->session, "ROM", c->conf->binary, "", &usual,
			      deadline);

	if (!err)
		err = rom_content(rom, c->domain, deadline);
	env_close(&rom->session);
	if (err == -ENOENT)
		log_error("child \"%s\": no ROM module \"%s\"", c->conf->name,
			  c->conf->binary);
	return err == -EAGAIN ? -ENOEXEC : err;
}

/* Give the child what its start has left of its quota. */
static int endow(struct child *c)
{
	struct quota q;

	if (!quota_sub(c->conf->quota, c->cost, &q)) {
		log_error("child \"%s\": its start alone takes %llu bytes and "
			  "%llu caps of its quota", c->conf->name,
			  (unsigned long long)c->cost.ram,
			  (unsigned long long)c->cost.caps);
		return -EDQUOT;
	}
	/* What others have not given back yet is not taken from init's own. */
	if (quota_pay(c->pd.cap, q))
		return -EAGAIN;
	c->granted = c->conf->quota;
	return 0;
}

/* The thread is not started without the priority that its config says. */
static int schedule(struct child *c, int thread)
{
	struct cpu_sched req = { .affinity = 0 };

	return rpc_give_cap(c->cpu.cap, CPU_SCHED, &req, sizeof(req), thread,
			    pith_now() + PARENT_TIMEOUT);
}

static int run(struct child *c, const struct rom *rom, const int *caps)
{
	struct loader l = {
		.name = c->conf->name, .domain = c->domain, .binary = rom->mem,
		.copy = rom->own, .exit_notif = c->exit_notif, .caps = caps,
		.ncaps = PITH_SLOTS,
	};
	int err = loader_load(&l);

	if (err)
		return err;
	err = schedule(c, l.thread);
	if (err) {
		loader_drop(&l);
		return err;
	}
	err = loader_start(&l);
	c->space = err ? -1 : l.space;
	return err;
}

static void exited(void *ctx, uint64_t count);

/* With all capabilities at hand; those made here go to the child only. */
static int start_program(struct child *c)
{
	struct rom rom = { .mem = -1 };
	int err = get_binary(c, &rom);
	int caps[PITH_SLOTS] = {
		[PITH_SLOT_PARENT] = ep_new_object(&init.ep, parent_call, c,
						   &c->parent_badge),
		[PITH_SLOT_DOMAIN] = pith_mint(c->domain, PITH_R_CHARGE),
		[PITH_SLOT_LOG] = c->log_cap >= 0 ? c->log_cap : c->log.cap,
	};

	c->exit_notif = ep_new_notification(&init.ep, exited, c, &c->exit_badge);
	err = err ? err :
	      caps[PITH_SLOT_PARENT] < 0 ? caps[PITH_SLOT_PARENT] :
	      caps[PITH_SLOT_DOMAIN] < 0 ? caps[PITH_SLOT_DOMAIN] :
	      c->exit_notif < 0 ? c->exit_notif : run(c, &rom, caps);
	pith_close(caps[PITH_SLOT_PARENT]);
	pith_close(caps[PITH_SLOT_DOMAIN]);
	rom_free(&rom);
	return err;
}

static void start_failed(struct child *c, int err)
{
	if (err != -EAGAIN && !c->removed && !c->again)
		log_error("child \"%s\" cannot be started: %s", c->conf->name,
			  strerror(-err));
	else if (err == -EAGAIN && !c->waits)
		log_line("child \"%s\" waits for quota that servers still hold",
			 c->conf->name);
	c->waits = err == -EAGAIN;
	c->start_error = err;
	end(c);
}

/* All but the LOG session, which is open or does not exist. */
static void start_rest(struct child *c)
{
	int err = open_pd(c);

	if (!err)
		err = open_cpu(c);
	if (!err)
		err = endow(c);
	if (!err)
		err = start_program(c);
	if (err) {
		start_failed(c, err);
		return;
	}
	c->waits = false;
	/* the sessions stay, their capabilities are not needed any more */
	close_fd(&c->cpu.cap);
	close_fd(&c->log.cap);
	close_fd(&c->log_cap);
	close_fd(&c->exit_notif);
	set_state(c, CHILD_RUNNING);
}

/* LOG from another child: init opens it and pays from the child's quota. */
static int open_log_at_child(struct child *c, const struct route *r)
{
	struct parent_request req = {
		.service = "LOG", .ram = usual.ram, .caps = usual.caps,
	};
	struct init_session *s;
	int err;

	s = session_new(c, r, &req, true, &err);
	if (!s)
		return err;
	quota_add(c->cost, s->quota, &c->cost);
	ep_timer_set(&init.ep, &c->timer, pith_now() + PARENT_TIMEOUT);
	session_enqueue(s);
	return 0;
}

/* Said once, not at each try of one that waits for quota. */
static void no_log(const struct child *c, int err)
{
	if (!c->waits)
		log_line("child \"%s\" starts without a log: %s",
			 c->conf->name, strerror(-err));
}

void child_log_ready(struct child *c, int cap)
{
	ep_timer_cancel(&init.ep, &c->timer);
	if (cap < 0) {
		quota_sub(c->cost, (struct quota){ usual.ram, usual.caps },
			  &c->cost);
		no_log(c, cap);
	}
	c->log_cap = cap < 0 ? -1 : cap;
	start_rest(c);
}

static void start(struct child *c)
{
	struct route r;
	int err;

	set_state(c, CHILD_STARTING);
	c->in_line = false;
	c->cost = c->granted = c->requested = (struct quota){ 0, 0 };
	c->requested_cpu = 0;
	c->beat = false;
	c->skipped = 0;
	c->id = ++init.last_id;
	c->start_error = 0;
	c->complaints = 0;
	err = route_resolve(&init.config, c->index, "LOG", "", &r);
	if (!err && (r.kind == ROUTE_CHILD || r.kind == ROUTE_LATER)) {
		err = open_log_at_child(c, &r);
		if (!err)
			return;
	} else if (!err && r.kind == ROUTE_PARENT) {
		err = open_for(c, &c->log, "LOG", r.label, "", &usual);
	} else {
		err = -ENOENT;
	}
	if (err)
		no_log(c, err);
	start_rest(c);
}

/* --- in line ------------------------------------ */

/* Are there too few descriptors for one more child? The lowest that is free tells. */
static bool table_full(void)
{
	int fd = pith_mint(PITH_SLOT_DOMAIN, PITH_R_CHARGE);

	pith_close(fd);
	return fd < 0 || fd >= TABLE - TABLE_KEPT;
}

/* The next one, when nobody waits for init: they start as fast as those before them
 * are served. */
static void start_next(void *ctx)
{
	struct ep_timer *line = ctx;
	unsigned int i = 0;

	while (i < init.config.nchildren && !init.children[i]->in_line)
		i++;
	if (i == init.config.nchildren)
		return;
	if (!table_full())
		start(init.children[i]);
	ep_timer_set(&init.ep, line, pith_now() + PITH_MS(table_full() ? RETRY_MS : 0));
}

void child_start(struct child *c)
{
	static struct ep_timer line = {
		.at = PITH_NO_DEADLINE, .fire = start_next, .ctx = &line,
		.patience = PATIENCE,
	};
	static uint64_t burst, last;	/* of starts: begin and, of the last, end */
	uint64_t now = pith_now();

	if (now > last + BURST_GAP)
		burst = now;
	if (now < burst + BURST && !table_full()) {
		start(c);
		last = pith_now();
		return;
	}
	c->in_line = true;
	if (line.at == PITH_NO_DEADLINE)
		ep_timer_set(&init.ep, &line, now);
}

/* --- end ------------------------------------ */

uint64_t child_cpu_ns(struct child *c)
{
	struct pith_space_info info;

	if (c->state != CHILD_RUNNING ||
	    pith_control(c->space, PITH_OP_SPACE_INFO, &info))
		return c->cpu_ns;
	return info.cpu_ns;
}

int child_kill(struct child *c)
{
	if (c->state == CHILD_STARTING) {
		start_failed(c, -ECANCELED);
		return 0;
	}
	if (c->state != CHILD_RUNNING)
		return -ESRCH;
	return pith_control(c->space, PITH_OP_SPACE_KILL, NULL);
}

/* Nobody reaches init in the name of the dead incarnation any more. */
static void cut_off(struct child *c)
{
	unsigned int i;

	ep_remove(&init.ep, c->parent_badge);
	ep_remove(&init.ep, c->exit_badge);
	c->parent_badge = c->exit_badge = 0;
	close_fd(&c->exit_notif);
	for (i = 0; i < CONFIG_PROVIDES; i++)
		close_fd(&c->announced[i]);
	for (i = 0; i < PARENT_SIGNALS; i++)
		close_fd(&c->sigh[i]);
	local_config_free(c);
}

/* What is unused in the child's domain comes back at once. */
static void drain(struct child *c)
{
	if (c->domain >= 0)
		quota_move(c->domain, PITH_SLOT_DOMAIN,
			   quota_unused(c->domain));
}

/*
 * The program has ended, or the start failed. First its sessions are closed at
 * their servers, so that a device stops before the memory it writes to goes; a
 * server that does not react is not waited for long.
 */
static void end(struct child *c)
{
	uint64_t now = pith_now();

	set_state(c, CHILD_ENDING);
	cut_off(c);
	drain(c);
	c->owed = (struct quota){ 0, 0 };
	sessions_client_died(c);
	sessions_server_died(c);
	ep_timer_set(&init.ep, &c->timer, list_empty(&c->sessions) ?
		     now : now + CLOSE_TIMEOUT);
}

static void exited(void *ctx, uint64_t count)
{
	struct pith_space_info info;
	struct child *c = ctx;

	(void)count;
	if (c->state != CHILD_RUNNING ||
	    pith_control(c->space, PITH_OP_SPACE_INFO, &info) || !info.exited)
		return;
	c->has_exited = true;
	c->exit_code = info.status;
	c->cpu_ns = info.cpu_ns;
	if (!c->removed && !c->again)
		log_line("child \"%s\" exited with exit value %u",
			 c->conf->name, c->exit_code);
	report_now();
	end(c);
}

void child_sessions_changed(struct child *c)
{
	if (c->state == CHILD_ENDING && list_empty(&c->sessions))
		ep_timer_set(&init.ep, &c->timer, pith_now());
}

/* What init owes clients of dead servers, and what the config has promised, now
 * that more has come back. */
void children_pay_debts(void)
{
	struct child *c;

	if (!init.owes)
		return;
	init.owes = false;
	for (c = init.all; c; c = c->next) {
		if (c->state != CHILD_RUNNING)
			continue;
		if (c->owed.ram || c->owed.caps)
			quota_pay_some(c->pd.cap, &c->owed);
		init.owes |= balance_up(c) || c->owed.ram || c->owed.caps;
	}
}

static void release(struct child *c)
{
	sessions_orphan(c);
	drain(c);
	close_fd(&c->space);
	close_fd(&c->log_cap);
	close_fd(&c->domain);
	env_close(&c->cpu);
	env_close(&c->log);
	env_close(&c->pd);
	children_pay_debts();
}

static void stay_down(struct child *c, enum child_state state)
{
	set_state(c, state);
	if (c->conf->exit_propagate) {
		log_line("exits as child \"%s\" did", c->conf->name);
		_Exit((int)(c->start_error ? 1 : c->exit_code));
	}
	sessions_server_down(c);
}

/* Errors that another try does not change. */
static bool is_permanent(int err)
{
	return err == -ENOENT || err == -ENOEXEC || err == -EACCES;
}

static void start_again(struct child *c)
{
	c->again = false;
	c->history.count = 0;
	set_state(c, CHILD_BACKOFF);
	ep_timer_set(&init.ep, &c->timer, pith_now());
}

/* After an error, if the policy lets it. */
static void try_again(struct child *c)
{
	const struct restart_policy *policy = &c->conf->restart;
	bool lacks = c->start_error == -EAGAIN;		/* quota: no failure */
	uint64_t now = pith_now();
	int64_t wait = lacks ? RETRY_MS : is_permanent(c->start_error) ? -1 :
		       restart_after(policy, &c->history, now / PITH_MS(1));

	if (wait >= 0) {
		if (!lacks)
			log_line("child \"%s\" restarts in %lld ms (%u of %u)",
				 c->conf->name, (long long)wait,
				 c->history.count, policy->max);
		set_state(c, CHILD_BACKOFF);
		c->restarts += !lacks;
		ep_timer_set(&init.ep, &c->timer, now + PITH_MS(wait));
		return;
	}
	if (policy->enabled && !is_permanent(c->start_error))
		log_error("child \"%s\" failed %u times in %u ms and stays down",
			  c->conf->name, policy->max + 1, policy->within_ms);
	stay_down(c, policy->enabled || c->start_error ? CHILD_FAILED :
							 CHILD_EXITED);
}

static void timer_fired(void *ctx)
{
	struct child *c = ctx;

	if (c->state == CHILD_STARTING) {
		session_log_timeout(c);
	} else if (c->state == CHILD_BACKOFF) {
		child_start(c);
	} else if (c->state == CHILD_ENDING) {
		release(c);
		if (c->removed)
			child_free(c);
		else if (c->again)
			start_again(c);
		else if (!c->start_error && !c->exit_code)
			stay_down(c, CHILD_EXITED);
		else
			try_again(c);
	}
}

/* --- by the config ------------------------------------ */

struct child *child_new(const struct config_child *conf)
{
	struct child *c = malloc(sizeof(*c));

	if (!c)
		return NULL;
	*c = (struct child){
		.conf = conf,
		.timer = { .at = PITH_NO_DEADLINE, .fire = timer_fired, .ctx = c },
		.pd.cap = -1, .cpu.cap = -1, .log.cap = -1,
		.domain = -1, .space = -1, .exit_notif = -1, .log_cap = -1,
		.config_cap = -1, .config_sigh = -1,
		.announced = { [0 ... CONFIG_PROVIDES - 1] = -1 },
		.sigh = { [0 ... PARENT_SIGNALS - 1] = -1 },
		.next = init.all,
	};
	sessions_init(c);
	init.all = c;
	return c;
}

void child_free(struct child *c)
{
	struct child **p;

	sessions_server_gone(c);
	ep_timer_cancel(&init.ep, &c->timer);
	for (p = &init.all; *p != c; p = &(*p)->next)
		;
	*p = c->next;
	free(c);
}

void child_restart(struct child *c)
{
	if (c->state == CHILD_BACKOFF) {
		ep_timer_set(&init.ep, &c->timer, pith_now());
	} else if (child_is_down(c)) {
		start_again(c);
	} else if (c->state != CHILD_DOWN) {
		c->again = true;
		child_kill(c);
	}
}

void child_remove(struct child *c)
{
	c->last_conf = *c->conf;
	c->last_conf.config = c->last_conf.node = NULL;
	c->last_conf.version.len = 0;
	c->last_conf.nprovides = 0;
	c->conf = &c->last_conf;
	c->removed = true;
	if (c->state == CHILD_STARTING || c->state == CHILD_RUNNING)
		child_kill(c);
	else if (c->state != CHILD_ENDING)
		child_free(c);
}
