// SPDX-License-Identifier: BSD-2-Clause
/* Device policy: see policy.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pith/hid.h>
#include <pith/label.h>

#include "pci_regs.h"
#include "policy.h"

struct class_name {
	const char *name;
	uint32_t value, mask;
};

/* [PCI] appendix D and the PCI Code and ID Assignment Specification */
static const struct class_name classes[] = {
	{ "AHCI",	0x010601, 0xffffff },
	{ "AUDIO",	0x040100, 0xffff00 },
	{ "ETHERNET",	0x020000, 0xffff00 },
	{ "HDAUDIO",	0x040300, 0xffff00 },
	{ "NVME",	0x010802, 0xffffff },
	{ "USB",	0x0c0300, 0xffff00 },
	{ "VGA",	0x030000, 0xffff00 },
	{ "WIFI",	0x028000, 0xffff00 },
	{ "XHCI",	0x0c0330, 0xffffff },
};

static int parse_class(struct hid_str s, struct policy_rule *r)
{
	uint64_t n;
	size_t i;

	for (i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (!hid_equal(s, classes[i].name))
			continue;
		r->class_value = classes[i].value;
		r->class_mask = classes[i].mask;
		return 0;
	}
	if (hid_parse_number(s, &n) || n > 0xffffff)
		return -EINVAL;
	r->class_value = n;
	r->class_mask = 0xffffff;
	return 0;
}

static int parse_id(struct hid_str s, uint32_t *id)
{
	uint64_t n;

	if (hid_parse_number(s, &n) || n > 0xffff)
		return -EINVAL;
	*id = n;
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* bb:dd.f */
static int parse_bdf(struct hid_str s, uint32_t *bdf)
{
	int b1, b0, d1, d0, f;

	if (s.len != 7 || s.s[2] != ':' || s.s[5] != '.')
		return -EINVAL;
	b1 = hex_digit(s.s[0]);
	b0 = hex_digit(s.s[1]);
	d1 = hex_digit(s.s[3]);
	d0 = hex_digit(s.s[4]);
	f = hex_digit(s.s[6]);
	if (b1 < 0 || b0 < 0 || d1 < 0 || d1 > 1 || d0 < 0 || f < 0 || f > 7)
		return -EINVAL;
	*bdf = b1 << 12 | b0 << 8 | d1 << 7 | d0 << 3 | f;
	return 0;
}

static int refuse(char *why, size_t size, uint32_t line, uint32_t col,
		  const char *text)
{
	snprintf(why, size, "%u:%u: %s", line, col, text);
	return -EINVAL;
}

static int parse_condition(const struct hid_attr *a, struct policy_rule *r,
			   const char **text)
{
	if (hid_equal(a->tag, "class")) {
		*text = "expected a class name or 0xCCSSPP";
		return parse_class(a->value, r);
	}
	*text = "expected a number up to 0xffff";
	if (hid_equal(a->tag, "vendor"))
		return parse_id(a->value, &r->vendor);
	if (hid_equal(a->tag, "device"))
		return parse_id(a->value, &r->device);
	if (hid_equal(a->tag, "bdf")) {
		*text = "expected bus:device.function as in 00:1f.2";
		return parse_bdf(a->value, &r->bdf);
	}
	*text = "expected 'class', 'vendor', 'device' or 'bdf'";
	return -EINVAL;
}

static int parse_rule(struct policy *p, const struct hid_node *n, char *why,
		      size_t size)
{
	struct policy_rule *r = &p->rules[p->nrules];
	const struct hid_attr *a;
	const char *text;

	if (!hid_is(n, "pci"))
		return refuse(why, size, n->line, n->col, "expected 'pci'");
	if (p->nrules == POLICY_RULES)
		return refuse(why, size, n->line, n->col, "too many pci nodes");
	if (!n->attrs)
		return refuse(why, size, n->line, n->col,
			      "expected a condition: this would be any device");
	*r = (struct policy_rule){ 0, 0, POLICY_ANY, POLICY_ANY, POLICY_ANY };
	for (a = n->attrs; a; a = a->next)
		if (parse_condition(a, r, &text))
			return refuse(why, size, a->line, a->col, text);
	p->nrules++;
	return 0;
}

static int parse_entry(struct policy *p, const struct hid_node *n, char *why,
		       size_t size)
{
	struct policy_entry *e = &p->entries[p->nentries];
	const struct hid_node *sub;
	int err;

	if (!hid_is(n, "policy"))
		return refuse(why, size, n->line, n->col, "expected 'policy'");
	if (p->nentries == POLICY_MAX)
		return refuse(why, size, n->line, n->col, "too many policies");
	if (hid_string(n, "name", e->label, sizeof(e->label), NULL) <= 0)
		return refuse(why, size, n->line, n->col,
			      "expected a session label as name");
	e->first = p->nrules;
	for (sub = hid_first(n, NULL); sub; sub = hid_next(sub, NULL)) {
		err = parse_rule(p, sub, why, size);
		if (err)
			return err;
	}
	e->count = p->nrules - e->first;
	p->nentries++;
	return 0;
}

static int parse_tree(struct policy *p, const struct hid_node *root, char *why,
		      size_t size)
{
	const struct hid_node *n;
	int err;

	if (!hid_is(root, "config"))
		return refuse(why, size, root->line, root->col,
			      "expected 'config'");
	for (n = hid_first(root, NULL); n; n = hid_next(n, NULL)) {
		err = parse_entry(p, n, why, size);
		if (err)
			return err;
	}
	return 0;
}

int policy_parse(struct policy *p, const char *text, size_t len, char *why,
		 size_t why_size)
{
	const struct hid_node *root;
	struct hid_error error = { 0 };
	void *arena;
	int err;

	memset(p, 0, sizeof(*p));
	arena = len <= HID_TEXT_MAX ? malloc(HID_ARENA_SIZE(len)) : NULL;
	if (!arena) {
		snprintf(why, why_size, "no memory to parse %zu bytes", len);
		return -ENOMEM;
	}
	err = hid_parse(text, len, arena, HID_ARENA_SIZE(len), &root, &error);
	if (err)
		refuse(why, why_size, error.line, error.col, error.text);
	else
		err = parse_tree(p, root, why, why_size);
	free(arena);
	return err;
}

const struct policy_entry *policy_find(const struct policy *p,
				       const char *label)
{
	unsigned int i;

	for (i = 0; i < p->nentries; i++)
		if (label_begins(label, p->entries[i].label,
				 strlen(p->entries[i].label)))
			return &p->entries[i];
	return NULL;
}

static int rule_match(const struct policy_rule *r, const struct pci_function *f)
{
	uint32_t class = (uint32_t)f->class_code << 16 | f->subclass << 8 |
			 f->prog_if;

	return (class & r->class_mask) == r->class_value &&
	       (r->vendor == POLICY_ANY || r->vendor == f->vendor) &&
	       (r->device == POLICY_ANY || r->device == f->device) &&
	       (r->bdf == POLICY_ANY || r->bdf == f->bdf);
}

int policy_match(const struct policy *p, const struct policy_entry *e,
		 const struct pci_function *f)
{
	unsigned int i;

	if (f->header != PCI_HEADER_DEVICE)
		return 0;
	for (i = 0; i < e->count; i++)
		if (rule_match(&p->rules[e->first + i], f))
			return 1;
	return 0;
}

int policy_wanted(const struct policy *p, const struct pci_function *f)
{
	unsigned int i;

	for (i = 0; i < p->nentries; i++)
		if (policy_match(p, &p->entries[i], f))
			return 1;
	return 0;
}
