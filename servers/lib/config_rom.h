/* SPDX-License-Identifier: BSD-2-Clause */
/* The ROM "config" of a server, from opening to a tree. */
#ifndef CONFIG_ROM_H
#define CONFIG_ROM_H

#include <pith/env.h>
#include <pith/hid.h>

/* End the component: the config is wrong at *@err. */
_Noreturn void config_fatal(const struct hid_error *err);

/* Open and parse it; @rom and the tree stay. Ends the component if it cannot. */
const struct hid_node *config_read(struct rom *rom);

#endif
