// SPDX-License-Identifier: BSD-2-Clause
/* What init tells about its children: ps and sessions. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pith/hid.h>
#include <session/init_control.h>

#include "shell.h"
#include "text.h"

#define CALL_TIMEOUT	PITH_SEC(10)
#define REPORT_MAX	(64u << 10)	/* bytes; some hundred components */
#define NAME_MAX_SHOWN	160		/* bytes of a name or label */

struct report {
	char *text;
	size_t len, size;
	void *arena;
	const struct hid_node *root;
};

/* The piece at r->len: 0 or a negative errno. */
static int report_piece(struct shell *sh, struct report *r)
{
	static char piece[PITH_MSG_BYTES];
	struct init_state req = { r->len };
	struct init_state_reply reply;
	struct rpc c = { .req = &req, .req_len = sizeof(req),
			 .rep = &reply, .rep_len = sizeof(reply),
			 .rep_tail = piece, .rep_tail_size = sizeof(piece) };
	int err;

	/* Only the beginning may be asked again: each session has its report. */
	err = sh_call(&sh->control, "Init_control", INIT_STATE, &c,
		      CALL_TIMEOUT, r->len == 0);
	if (err < 0)
		return err;
	if (!r->text) {
		if (!reply.size || reply.size > REPORT_MAX)
			return -EPROTO;
		r->size = reply.size;
		r->text = malloc(r->size);
		if (!r->text)
			return -ENOMEM;
	}
	if (reply.size != r->size || !c.rep_tail_len ||
	    c.rep_tail_len > r->size - r->len)
		return -EPROTO;
	memcpy(r->text + r->len, piece, c.rep_tail_len);
	r->len += c.rep_tail_len;
	return 0;
}

static void drop_report(struct report *r)
{
	free(r->text);
	free(r->arena);
}

/* Fetch and parse. On an error nothing is left to drop. */
static int get_report(struct shell *sh, struct report *r)
{
	struct hid_error e;
	int err;

	*r = (struct report){ 0 };
	do {
		err = report_piece(sh, r);
	} while (err >= 0 && r->len < r->size);
	if (err >= 0) {
		r->arena = malloc(HID_ARENA_SIZE(r->len));
		err = r->arena ? hid_parse(r->text, r->len, r->arena,
					   HID_ARENA_SIZE(r->len), &r->root,
					   &e) : -ENOMEM;
	}
	if (err < 0)
		drop_report(r);
	return err == -EINVAL ? -EPROTO : err;
}

static int report_error(struct shell *sh, const char *command, int err)
{
	return sh_service_error(sh, command, NULL, "Init_control",
				sh->control.cap >= 0, err);
}

/* Attribute @tag as a padded column. */
static void show_attr(struct shell *sh, const struct hid_node *node,
		      const char *tag, unsigned int width)
{
	char value[NAME_MAX_SHOWN], text[NAME_MAX_SHOWN];
	size_t columns;

	hid_string(node, tag, value, sizeof(value), "-");
	text_printable(text, sizeof(text), value);
	columns = text_columns(text);
	sh_puts(sh, text);
	sh_printf(sh, "%*s", columns < width ? (int)(width - columns) : 1, "");
}

static void show_use(struct shell *sh, uint64_t used, uint64_t quota)
{
	char text[48];

	snprintf(text, sizeof(text), "%llu/%llu", (unsigned long long)used,
		 (unsigned long long)quota);
	sh_printf(sh, " %15s", text);
}

static void show_account(struct shell *sh, const struct hid_node *node,
			 const char *what, unsigned int shift)
{
	const struct hid_node *n = hid_first(node, what);

	show_use(sh, n ? hid_number(n, "used", 0) >> shift : 0,
		 n ? hid_number(n, "quota", 0) >> shift : 0);
}

static void show_init(struct shell *sh, const struct hid_node *n)
{
	sh_printf(sh, "%-22s%-11s%8s %4s", "init", "running", "-", "-");
	show_account(sh, n, "ram", 10);
	show_account(sh, n, "caps", 0);
	sh_puts(sh, "\n");
}

static void show_child(struct shell *sh, const struct hid_node *n)
{
	uint64_t ms = hid_number(n, "cpu_ms", 0);
	char exited[24];

	hid_string(n, "exited", exited, sizeof(exited), "-");
	sh_puts(sh, "  ");
	show_attr(sh, n, "name", 20);
	show_attr(sh, n, "state", 11);
	sh_printf(sh, "%8llu %4s",
		  (unsigned long long)hid_number(n, "restarts", 0), exited);
	show_account(sh, n, "ram", 10);
	show_account(sh, n, "caps", 0);
	sh_printf(sh, " %6llu.%02u\n", (unsigned long long)ms / 1000,
		  (unsigned int)(ms % 1000 / 10));
}

int cmd_ps(struct shell *sh, int argc, char **argv)
{
	const struct hid_node *n;
	struct report r;
	int err = get_report(sh, &r);

	(void)argc;
	(void)argv;
	if (err < 0)
		return report_error(sh, "ps", err);
	sh_printf(sh, "%-22s%-11s%8s %4s %15s %15s %9s\n", "NAME", "STATE",
		  "RESTARTS", "EXIT", "RAM KiB", "CAPS", "CPU s");
	n = hid_first(r.root, "init");
	if (n)
		show_init(sh, n);
	for (n = hid_first(r.root, "child"); n; n = hid_next(n, "child"))
		show_child(sh, n);
	drop_report(&r);
	return STATUS_OK;
}

static const struct hid_node *find_child(const struct hid_node *root,
					 const char *name)
{
	const struct hid_node *n;

	for (n = hid_first(root, "child"); n; n = hid_next(n, "child")) {
		const struct hid_attr *a = hid_attr(n, "name");

		if (a && hid_equal(a->value, name))
			return n;
	}
	return NULL;
}

static void show_sessions(struct shell *sh, const struct hid_node *child)
{
	const struct hid_node *s;

	sh_printf(sh, "%-16s%-16s%-10s%s\n", "SERVICE", "SERVER", "STATE",
		  "LABEL");
	for (s = hid_first(child, "session"); s; s = hid_next(s, "session")) {
		char label[NAME_MAX_SHOWN];

		show_attr(sh, s, "name", 16);
		show_attr(sh, s, "server", 16);
		show_attr(sh, s, "state", 10);
		hid_string(s, "label", label, sizeof(label), "");
		sh_name(sh, label);
		sh_puts(sh, "\n");
	}
}

int cmd_sessions(struct shell *sh, int argc, char **argv)
{
	const struct hid_node *child;
	struct report r;
	int err = get_report(sh, &r);

	(void)argc;
	if (err < 0)
		return report_error(sh, "sessions", err);
	child = find_child(r.root, argv[1]);
	if (child) {
		show_sessions(sh, child);
	} else {
		sh_puts(sh, "sessions: ");
		sh_name(sh, argv[1]);
		sh_puts(sh, ": no such component\n");
	}
	drop_report(&r);
	return child ? STATUS_OK : STATUS_FAILED;
}
