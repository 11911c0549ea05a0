// SPDX-License-Identifier: GPL-2.0-only
/*
 * The screen as UEFI left it, for processes: boot_params has what the EFI stub,
 * or a boot loader, was told by the firmware.
 */
#include <linux/init.h>
#include <linux/pith.h>
#include <linux/screen_info.h>
#include <asm/setup.h>
#include <uapi/linux/pith.h>

static int __init pith_screen_init(void)
{
	const struct screen_info *s = &boot_params.screen_info;
	u64 base = s->lfb_base;

	if (s->capabilities & VIDEO_CAPABILITY_64BIT_BASE)
		base |= (u64)s->ext_lfb_base << 32;
	if (s->orig_video_isVGA != VIDEO_TYPE_EFI ||
	    s->lfb_width * s->lfb_depth > s->lfb_linelength * BITS_PER_BYTE)
		return 0;
	pith_screen = (struct pith_screen) {
		.base		= base,
		.size		= (u64)s->lfb_linelength * s->lfb_height,
		.width		= s->lfb_width,
		.height		= s->lfb_height,
		.pitch		= s->lfb_linelength,
		.depth		= s->lfb_depth,
		.red_pos	= s->red_pos,
		.red_size	= s->red_size,
		.green_pos	= s->green_pos,
		.green_size	= s->green_size,
		.blue_pos	= s->blue_pos,
		.blue_size	= s->blue_size,
	};
	return 0;
}
core_initcall(pith_screen_init);
