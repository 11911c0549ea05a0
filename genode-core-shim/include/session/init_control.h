/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Init_control: what an init tells and does about its children, for one child
 * that the config routes to it with `+ local`.
 */
#ifndef SESSION_INIT_CONTROL_H
#define SESSION_INIT_CONTROL_H

#include <stdint.h>

enum init_method {
	/* STATE: struct init_state -> struct init_state_reply, up to 3 KiB of
	 * the state report (HID, see docs) from @offset after it. The report is
	 * made at offset 0 and kept for the following reads of this session. */
	INIT_STATE = 1,
	/* KILL: child name (tail) -> nothing. The child's restart policy decides
	 * what follows. ENOENT: no such child. */
	INIT_KILL,
};

struct init_state {
	uint64_t offset;
};
struct init_state_reply {
	uint64_t size;		/* of the whole report */
};

#endif
