// SPDX-License-Identifier: BSD-2-Clause
/* Mounting: see volume.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <pith/env.h>

#include "volume.h"

#define SUPER_OFFSET	1024

int volume_error(errcode_t err)
{
	if (err >= 0 && err < 256)	/* from our own I/O manager */
		return -(int)err;
	switch (err) {
	case EXT2_ET_NO_MEMORY:
		return -ENOMEM;
	case EXT2_ET_BAD_MAGIC:
		return -ENODEV;
	case EXT2_ET_UNSUPP_FEATURE:
	case EXT2_ET_REV_TOO_HIGH:
	case EXT2_ET_UNKNOWN_CSUM:
	case EXT2_ET_EXTERNAL_JOURNAL_NOSUPP:
		return -EOPNOTSUPP;
	default:
		return -EUCLEAN;
	}
}

const char *volume_text(int err)
{
	return err == -EUCLEAN ? "the file system is damaged" : strerror(-err);
}

/* Say in libext2fs's words why it does not like the volume. */
static void log_refusal(errcode_t err)
{
	if (err < 256)
		return;
	initialize_ext2_error_table();
	log_error("libext2fs: %s", error_message(err));
}

/*
 * What libext2fs does not ask before it allocates memory by the superblock's
 * word: does the file system fit what it is on? (It may be smaller.)
 */
static int check_super(const struct source *s)
{
	struct ext2_super_block super;
	uint64_t blocks;
	uint32_t log;
	int err;

	if (s->size < SUPER_OFFSET + sizeof(super))
		return -ENODEV;
	err = s->read(s->ctx, SUPER_OFFSET, &super, sizeof(super));
	if (err)
		return err;
	if (ext2fs_le16_to_cpu(super.s_magic) != EXT2_SUPER_MAGIC)
		return -ENODEV;
	blocks = ext2fs_le32_to_cpu(super.s_blocks_count);
	if (ext2fs_le32_to_cpu(super.s_feature_incompat) &
	    EXT4_FEATURE_INCOMPAT_64BIT)
		blocks |= (uint64_t)ext2fs_le32_to_cpu(super.s_blocks_count_hi)
			  << 32;
	log = ext2fs_le32_to_cpu(super.s_log_block_size);
	if (log > EXT2_MAX_BLOCK_LOG_SIZE - EXT2_MIN_BLOCK_LOG_SIZE)
		return -EUCLEAN;
	if (blocks > s->size >> (log + EXT2_MIN_BLOCK_LOG_SIZE))
		return -EUCLEAN;
	return 0;
}

int volume_open(struct volume *v, const struct source *source)
{
	struct node root;
	errcode_t err;
	int ret;

	v->source = source;
	v->fs = NULL;
	ret = check_super(source);
	if (ret)
		return ret;
	ext4_io_source(source);
	/* No RW flag: libext2fs then refuses to write, and so do we. */
	err = ext2fs_open2("source", NULL, EXT2_FLAG_64BITS | EXT2_FLAG_SKIP_MMP,
			   0, 0, &ext4_io_manager, &v->fs);
	if (err) {
		v->fs = NULL;
		log_refusal(err);
		return volume_error(err);
	}
	ret = node_load(v, EXT2_ROOT_INO, &root);
	if (!ret && !node_is_dir(&root))
		ret = -EUCLEAN;
	if (ret)
		volume_close(v);
	return ret;
}

void volume_close(struct volume *v)
{
	if (v->fs)
		ext2fs_free(v->fs);
	v->fs = NULL;
}

static const char *type_name(struct ext2_super_block *s)
{
	if (ext2fs_has_feature_extents(s) || ext2fs_has_feature_64bit(s) ||
	    ext2fs_has_feature_inline_data(s) || ext2fs_has_feature_bigalloc(s))
		return "ext4";
	return ext2fs_has_feature_journal(s) ? "ext3" : "ext2";
}

void volume_info(const struct volume *v, struct fs_info *info)
{
	struct ext2_super_block *s = v->fs->super;
	const uint8_t *u = s->s_uuid;

	memset(info, 0, sizeof(*info));
	strcpy(info->type, type_name(s));
	for (unsigned int i = 0; i < sizeof(s->s_volume_name); i++) {
		uint8_t c = s->s_volume_name[i];

		if (!c)
			break;
		info->name[i] = c < ' ' || c == 127 ? '?' : c;
	}
	snprintf(info->uuid, sizeof(info->uuid),
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9],
		 u[10], u[11], u[12], u[13], u[14], u[15]);
	info->size = ext2fs_blocks_count(s) * v->fs->blocksize;
	info->free = ext2fs_free_blocks_count(s) * v->fs->blocksize;
	if (info->free > info->size)
		info->free = 0;		/* senseless on disk */
	info->clean = s->s_state & EXT2_VALID_FS &&
		      !(s->s_state & EXT2_ERROR_FS) &&
		      !ext2fs_has_feature_journal_needs_recovery(s);
}
