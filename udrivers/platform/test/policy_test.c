// SPDX-License-Identifier: BSD-2-Clause
/* test-sources: ../policy.c ../../../genode-core-shim/lib/hid.c */
/* Which label sees which device. */
#include <errno.h>
#include <string.h>

#include "../policy.h"
#include "tap.h"

static struct policy policy;
static char why[160];

static int parse(const char *text)
{
	why[0] = 0;
	return policy_parse(&policy, text, strlen(text), why, sizeof(why));
}

static int sees(const char *label, const struct pci_function *f)
{
	const struct policy_entry *e = policy_find(&policy, label);

	return e ? policy_match(&policy, e, f) : -1;
}

static void refused(const char *text, const char *expected)
{
	int ok = parse(text) == -EINVAL && strstr(why, expected);

	if (!ok)
		printf("# got '%s'\n", why);
	check(ok, expected);
}

int main(void)
{
	struct pci_function nvme = {
		.bdf = 0x0020, .vendor = 0x1b36, .device = 0x10,
		.class_code = 1, .subclass = 8, .prog_if = 2,
	};
	struct pci_function nic = {
		.bdf = 0x01f9, .vendor = 0x8086, .device = 0x10d3,
		.class_code = 2,
	};
	struct pci_function bridge = { .header = 1, .class_code = 6 };

	check(parse("config\n"
		    "+ policy nvme\n"
		    "  + pci | class: NVME\n"
		    "+ policy net -> driver\n"
		    "  + pci | vendor: 0x8086 | device: 0x10d3 | bdf: 01:1f.1\n"
		    "+ policy all\n"
		    "  + pci | class: NVME\n"
		    "  + pci | vendor: 0x8086\n"
		    "  + pci | bdf: 00:00.0\n"
		    "+ policy none\n-\n") == 0, "a good config");
	check(sees("nvme", &nvme) == 1 && sees("nvme -> x", &nvme) == 1,
	      "the label and what is below it");
	check(sees("nvme2", &nvme) == -1 && sees("x -> nvme", &nvme) == -1 &&
	      sees("nvme->x", &nvme) == -1 && sees("", &nvme) == -1,
	      "not what only looks like it");
	check(sees("nvme", &nic) == 0, "only its devices");
	check(sees("net -> driver -> y", &nic) == 1, "a label of two parts");
	nic.bdf++;
	check(sees("net -> driver", &nic) == 0, "all conditions count");
	check(sees("all", &nic) == 1 && sees("all", &nvme) == 1,
	      "any of several nodes");
	check(sees("all", &bridge) == 0, "bridges are never shown");
	check(sees("none", &nvme) == 0, "a policy without nodes shows nothing");
	check(policy_wanted(&policy, &nvme) && !policy_wanted(&policy, &bridge),
	      "wanted by some policy");
	check(parse("config\n+ policy a | + pci | class: 0x010802\n-\n") == 0 &&
	      sees("a", &nvme) == 1 && sees("a", &nic) == 0,
	      "class as a number");
	check(parse("config\n-\n") == 0 && sees("nvme", &nvme) == -1,
	      "an empty config");

	refused("config\n+ policy\n  + pci | class: NVME\n-\n",
		"2:1: expected a session label as name");
	refused("config\n+ policy a\n  + pci\n-\n",
		"3:3: expected a condition");
	refused("config\n+ policy a\n  + pci | class: FLOPPY\n-\n",
		"expected a class name or");
	refused("config\n+ policy a\n  + pci | vendor: 0x10000\n-\n",
		"expected a number up to 0xffff");
	refused("config\n+ policy a\n  + pci | bdf: 00:20.0\n-\n",
		"expected bus:device.function");
	refused("config\n+ policy a\n  + pci | bdf: 0:1.0\n-\n",
		"expected bus:device.function");
	refused("config\n+ policy a\n  + pci | clas: NVME\n-\n",
		"expected 'class', 'vendor', 'device' or 'bdf'");
	refused("config\n+ policy a\n  + usb | class: NVME\n-\n",
		"3:3: expected 'pci'");
	refused("config\n+ start a\n-\n", "2:1: expected 'policy'");
	refused("init\n-\n", "1:1: expected 'config'");
	refused("config\n+ policy a\n", ":");
	return tap_end();
}
