// SPDX-License-Identifier: BSD-2-Clause
/*
 * A new config: children whose start node and routes say the same go on as if
 * nothing had been; the others are changed, restarted, started or removed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "init.h"

static struct child *child_of(const struct config *c, struct child *const *of,
			      const char *name)
{
	int i = config_child_index(c, hid_text(name));

	return i < 0 ? NULL : of[i];
}

/* The first @n children, as far as they are those of @new. */
static void forget(struct child **children, const struct config *new,
		   unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (children[i]->conf == &new->children[i])
			child_free(children[i]);
	free(children);
}

/* The children of @new in its order: those that exist, and new ones. */
static struct child **children_for(const struct config *new)
{
	struct child **children = calloc(new->nchildren + 1, sizeof(*children));
	unsigned int i;

	for (i = 0; children && i < new->nchildren; i++) {
		children[i] = child_of(&init.config, init.children,
				       new->children[i].name);
		if (!children[i])
			children[i] = child_new(&new->children[i]);
		if (children[i])
			continue;
		forget(children, new, i);
		return NULL;
	}
	return children;
}

/* Services have moved in the list; those that went restart the child. */
static void move_provides(struct child *c, const struct config_child *was)
{
	int announced[] = { [0 ... CONFIG_PROVIDES - 1] = -1 };
	unsigned int i;
	int to;

	for (i = 0; i < was->nprovides; i++) {
		to = config_provides(c->conf, was->provides[i]);
		if (to < 0)
			pith_close(c->announced[i]);
		else
			announced[to] = c->announced[i];
	}
	memcpy(c->announced, announced, sizeof(announced));
}

static bool routes_fit(const struct child *c)
{
	struct init_session *s, *next;

	if (c->state == CHILD_RUNNING && !child_log_fits(c))
		return false;
	for_each_of_client(s, next, c)
		if (!session_follows(s))
			return false;
	return true;
}

/* What cannot be changed while it runs. */
static void restart_if_needed(struct child *c)
{
	bool alive = c->state == CHILD_RUNNING || c->state == CHILD_STARTING;

	if (c->state == CHILD_FAILED ||		/* it may work now */
	    c->differs || (alive && !routes_fit(c))) {
		if (alive)
			log_line("child \"%s\" restarts: its %s changed",
				 c->conf->name, c->differs ? "start node" : "routes");
		child_restart(c);
	}
}

/* All old children that stay, once the new config is in place. */
static void update_children(const struct config *old)
{
	const struct config_child *was;
	struct child *c;
	unsigned int i;
	int j;

	for (i = 0; i < init.config.nchildren; i++) {
		c = init.children[i];
		c->index = i;
		was = c->conf;
		c->conf = &init.config.children[i];
		j = config_child_index(old, hid_text(c->conf->name));
		c->differs = j >= 0 && config_child_differs(was, c->conf);
		if (j < 0)
			continue;
		move_provides(c, was);
		if (c->conf->cpu > was->cpu)
			c->requested_cpu = 0;
		if (c->conf->cpu != was->cpu)
			child_signal(c, PARENT_SIGNAL_RESOURCES);
		if (c->conf->config && !hid_same(was->config, c->conf->config))
			local_config_changed(c);
	}
	for (i = 0; i < init.config.nchildren; i++)
		if (init.children[i]->state != CHILD_DOWN)
			restart_if_needed(init.children[i]);
}

/* Downgrades first: they pay for the upgrades. */
static void balance_all(void)
{
	struct child *c;

	for (c = init.all; c; c = c->next)
		if (c->state == CHILD_RUNNING && !c->again)
			balance_down(c);
	balance_cpu_changed();
	init.owes = true;
	children_pay_debts();
}

int config_apply(struct config *new)
{
	struct child **children = children_for(new), **was = init.children;
	struct config old = init.config;
	unsigned int i;

	if (!children)
		return -ENOMEM;
	for (i = 0; i < old.nchildren; i++)
		if (!child_of(new, children, old.children[i].name))
			child_remove(was[i]);
	init.config = *new;
	init.children = children;
	quota_reserve(new->keep_ram / 4, new->keep_caps / 4);
	update_children(&old);
	balance_all();
	for (i = 0; i < new->nchildren; i++)
		if (children[i]->state == CHILD_DOWN)
			child_start(children[i]);
	upward_update();
	heartbeat_start();
	report_changed();
	free(was);
	config_free(&old);
	return 0;
}
