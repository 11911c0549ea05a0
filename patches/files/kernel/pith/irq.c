// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts for processes. An interrupt signals the bound notification and its
 * line stays off until the process acknowledges it, so that a driver that died
 * cannot leave the CPU in an interrupt storm.
 */
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/msi.h>
#include <linux/slab.h>
#include "pith.h"

struct pith_irq_line {
	struct pith_object obj;
	raw_spinlock_t lock;
	struct pith_notif *notif;	/* referenced, may be NULL */
	int irq;
	bool msi;
	bool requested;
	bool masked;			/* until acknowledged; @lock */
};

static irqreturn_t handler(int irq, void *data)
{
	struct pith_irq_line *line = data;

	raw_spin_lock(&line->lock);
	if (!line->masked) {
		line->masked = true;
		disable_irq_nosync(irq);
	}
	if (line->notif)
		pith_notif_signal(line->notif, 1);
	raw_spin_unlock(&line->lock);
	return IRQ_HANDLED;
}

/* The interrupt is somebody else's from here on. */
static void irq_revoke(struct pith_object *obj)
{
	struct pith_irq_line *line = container_of(obj, struct pith_irq_line, obj);

	scoped_guard(raw_spinlock_irq, &line->lock) {
		if (obj->dead)
			return;
		WRITE_ONCE(obj->dead, true);
	}
	if (line->requested)
		free_irq(line->irq, line);
	if (line->irq > 0 && line->msi)
		irq_domain_free_irqs(line->irq, 1);
	else if (line->irq > 0)
		pith_irq_unmap(line->irq);
}

static void irq_free(struct pith_object *obj)
{
	struct pith_irq_line *line = container_of(obj, struct pith_irq_line, obj);

	irq_revoke(obj);
	if (line->notif)
		pith_put(&line->notif->obj);
	kfree(line);
}

static struct pith_irq_line *line_new(bool msi)
{
	struct pith_irq_line *line = pith_object_new(pith_current_domain(),
						     PITH_T_IRQ, sizeof(*line),
						     sizeof(struct irq_desc) +
						     sizeof(struct irqaction),
						     irq_free);

	if (!IS_ERR(line)) {
		line->obj.revoke = irq_revoke;
		raw_spin_lock_init(&line->lock);
		line->msi = msi;
	}
	return line;
}

/* The interrupt code has many errors; they say that somebody else has it, or
 * that all vectors are taken. */
static int busy(int err)
{
	return err == -ENOMEM ? err : -EBUSY;
}

static int line_request(struct pith_irq_line *line)
{
	int err = request_irq(line->irq, handler,
			      IRQF_NO_THREAD | IRQF_NOBALANCING, "pith", line);

	line->requested = !err;
	return err ? busy(err) : 0;
}

/* Installs the line, or drops it with @err. */
static int line_install(struct pith_irq_line *line, int err)
{
	if (!err)
		return pith_cap_install(&line->obj, PITH_R_MANAGE | PITH_R_REVOKE);
	pith_put(&line->obj);
	return err;
}

int pith_op_hw_irq(struct pith_cap *cap, void *arg)
{
	struct pith_irq_line *line;
	struct pith_irq *a = arg;

	if (a->zero || a->level > 1 || a->low > 1 || !pith_irq_valid(a))
		return -EINVAL;
	line = line_new(false);
	if (IS_ERR(line))
		return PTR_ERR(line);
	line->irq = pith_irq_map(a);
	if (line->irq <= 0)
		return line_install(line, busy(line->irq));
	return line_install(line, line_request(line));
}

#ifdef CONFIG_PITH_MSI
static int msi_setup(struct pith_irq_line *line, struct pith_msi *a)
{
	struct msi_msg msg = {};
	int err;

	line->irq = pith_msi_alloc();
	if (line->irq <= 0)
		return busy(line->irq);
	irq_set_handler(line->irq, handle_edge_irq);
	err = line_request(line);
	if (err)
		return err;
	err = irq_chip_compose_msi_msg(irq_get_irq_data(line->irq), &msg);
	a->address = (u64)msg.address_hi << 32 | msg.address_lo;
	a->data = msg.data;
	return err;
}

int pith_op_hw_msi(struct pith_cap *cap, void *arg)
{
	struct pith_irq_line *line = line_new(true);

	return IS_ERR(line) ? PTR_ERR(line) :
		line_install(line, msi_setup(line, arg));
}
#endif

int pith_op_irq_bind(struct pith_cap *cap, void *arg)
{
	struct pith_irq_line *line = pith_cap_to(cap, struct pith_irq_line);
	struct pith_fd_arg *a = arg;
	struct pith_notif *n = pith_fd_notif(a->fd, PITH_R_SIGNAL), *old;

	if (IS_ERR(n))
		return PTR_ERR(n);
	raw_spin_lock_irq(&line->lock);
	old = line->notif;
	line->notif = n;
	/* one that came before has masked the line: nobody else will tell */
	if (line->masked)
		pith_notif_signal(n, 1);
	raw_spin_unlock_irq(&line->lock);
	if (old)
		pith_put(&old->obj);
	return 0;
}

int pith_op_irq_ack(struct pith_cap *cap, void *arg)
{
	struct pith_irq_line *line = pith_cap_to(cap, struct pith_irq_line);

	guard(raw_spinlock_irq)(&line->lock);
	if (cap->obj->dead)
		return -EPIPE;
	if (line->masked)
		enable_irq(line->irq);
	line->masked = false;
	return 0;
}
