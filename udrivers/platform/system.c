// SPDX-License-Identifier: BSD-2-Clause
/* Service "System": switching the machine off or restarting it, by the fixed
 * hardware registers that the FADT names. */
#include <errno.h>
#include <stdlib.h>

#include <pith/rpc.h>
#include <session/core.h>

#include "../lib/mmio.h"
#include "platform.h"

/* [ACPI] 4.8.3.2.1 PM1 control register */
#define PM1_SCI_EN	0x0001
#define PM1_SLP_TYP	0x1c00
#define PM1_SLP_SHIFT	10
#define PM1_SLP_EN	0x2000

#define ENABLE_TIMEOUT	PITH_SEC(3)
#define REACT_TIMEOUT	PITH_SEC(1)

static int acpi_mode(void *ctx)
{
	const struct acpi_register *r = ctx;
	int64_t value = hw_read_port(r->address, 2);

	return value < 0 ? (int)value : value & PM1_SCI_EN;
}

/* [ACPI] 4.8.2.5: firmware hands the power management registers over. Without
 * this some machines ignore them, others do not need it: go on if it fails. */
static void enter_acpi_mode(struct acpi_info *acpi)
{
	struct acpi_register smi = { ACPI_IO, acpi->smi_command };

	if (acpi->pm1a.space != ACPI_IO || acpi->pm1a.address > 0xffff ||
	    !acpi->smi_command || acpi_mode(&acpi->pm1a) != 0)
		return;
	if (hw_write(&smi, 1, acpi->acpi_enable) < 0 ||
	    poll_until(acpi_mode, &acpi->pm1a, pith_now() + ENABLE_TIMEOUT) < 0)
		log_line("firmware did not enter ACPI mode");
}

static int write_sleep(const struct acpi_register *r, int type)
{
	int64_t value;

	if (r->space == ACPI_NONE)
		return 0;
	if (r->space != ACPI_IO || r->address > 0xffff)
		return -EOPNOTSUPP;
	value = hw_read_port(r->address, 2);
	if (value < 0)
		return value;
	value &= ~(PM1_SLP_TYP | PM1_SLP_EN);
	value |= type << PM1_SLP_SHIFT;
	return hw_write(r, 2, value | PM1_SLP_EN);
}

static void poweroff(struct platform *p)
{
	struct acpi_info *acpi = &p->acpi;

	if (acpi->sleep_a < 0 || acpi->pm1a.space == ACPI_NONE) {
		log_error("poweroff: the ACPI tables do not say how");
		return;
	}
	enter_acpi_mode(acpi);
	if (write_sleep(&acpi->pm1a, acpi->sleep_a) < 0 ||
	    write_sleep(&acpi->pm1b, acpi->sleep_b) < 0)
		log_error("poweroff: cannot write the PM1 control register");
}

/* What only core can do to the machine. */
static void core_action(struct platform *p, uint32_t action)
{
	struct pd_system req = { .action = action };

	rpc_simple(p->pd.cap, PD_SYSTEM, &req, sizeof(req), NULL, 0,
		   pith_now() + REACT_TIMEOUT);
}

static void reboot(struct platform *p)
{
	if (p->acpi.reset.space != ACPI_NONE) {
		if (hw_write(&p->acpi.reset, 1, p->acpi.reset_value) < 0)
			log_error("reboot: cannot write the reset register");
		sleep_until(pith_now() + REACT_TIMEOUT);
	}
	core_action(p, PD_SYSTEM_REBOOT);
}

static int system_call(void *ctx, struct ep_request *in)
{
	struct platform *p = ctx;

	core_action(p, PD_SYSTEM_FLUSH);	/* the last lines of the log */
	switch (in->method) {
	case SYSTEM_POWEROFF:
		poweroff(p);
		break;
	case SYSTEM_REBOOT:
		reboot(p);
		break;
	default:
		return -ENOSYS;
	}
	sleep_until(pith_now() + REACT_TIMEOUT);
	return -EIO;
}

/* All sessions are alike; what tells them apart is their badge. */
struct system_session {
	uint64_t badge;
};

int system_open(void *ctx, const struct parent_request *req, void **session)
{
	struct platform *p = ctx;
	struct system_session *s;
	int cap;

	if (req->ram < 4096 || !req->caps)
		return -EDQUOT;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	cap = ep_new_object(&p->ep, system_call, p, &s->badge);
	if (cap < 0) {
		free(s);
		return cap;
	}
	*session = s;
	return cap;
}

void system_close(void *ctx, void *session)
{
	struct platform *p = ctx;
	struct system_session *s = session;

	ep_remove(&p->ep, s->badge);
	free(s);
}
