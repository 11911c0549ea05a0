// SPDX-License-Identifier: GPL-2.0-only
/* Capabilities: files that carry a reference to an object, rights and a badge. */
#include <linux/init.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "pith.h"

static struct vfsmount *pith_mnt;
static struct inode *common_inode;
static atomic64_t last_serial;

static int cap_release(struct inode *inode, struct file *file)
{
	struct pith_cap *cap = file->private_data;

	if (cap->obj->cap_gone)
		cap->obj->cap_gone(cap);
	pith_put(cap->obj);
	kfree(cap);
	return 0;
}

/*
 * A descriptor has left its table. Only the process whose table it is closes
 * it, be it in its end, and nothing else makes or moves descriptors.
 */
static int cap_flush(struct file *file, fl_owner_t table)
{
	pith_uncharge(pith_current_domain(), PITH_CAP_RAM, 1);
	return 0;
}

static const struct file_operations pith_fops = {
	.flush		= cap_flush,
	.release	= cap_release,
};

const struct file_operations pith_mem_fops = {
	.flush		= cap_flush,
	.release	= cap_release,
	.mmap		= pith_mem_mmap,
};

void *pith_object_new(struct pith_domain *payer, u32 type, size_t size,
		      size_t more, void (*free)(struct pith_object *obj))
{
	size_t cost = kmalloc_size_roundup(size) + more;
	struct pith_object *obj;

	if (payer && pith_charge(payer, cost, 0))
		return ERR_PTR(-EDQUOT);
	obj = kzalloc(size, GFP_KERNEL);
	if (!obj) {
		if (payer)
			pith_uncharge(payer, cost, 0);
		return ERR_PTR(-ENOMEM);
	}
	refcount_set(&obj->ref, 1);
	obj->type = type;
	obj->serial = atomic64_inc_return(&last_serial);
	obj->free = free;
	obj->payer = payer;
	obj->cost = cost;
	if (payer)
		pith_get(&payer->obj);
	return obj;
}

void pith_object_end(struct pith_object *obj)
{
	struct pith_domain *payer = obj->payer;
	size_t cost = obj->cost;

	obj->free(obj);
	if (payer) {
		pith_uncharge(payer, cost, 0);
		pith_put(&payer->obj);
	}
}

struct inode *pith_inode(void)
{
	struct inode *inode = alloc_anon_inode(pith_mnt->mnt_sb);

	if (!IS_ERR(inode))
		inode->i_mode = S_IFREG | 0700;
	return inode;
}

struct file *pith_cap_file(struct pith_object *obj, u32 rights, u64 first,
			   u64 size)
{
	bool mem = obj->type == PITH_T_MEMORY;
	struct inode *inode = common_inode;
	struct pith_cap *cap = kzalloc(sizeof(*cap), GFP_KERNEL);
	struct file *file;

	if (!cap) {
		pith_put(obj);
		return ERR_PTR(-ENOMEM);
	}
	cap->obj = obj;
	cap->rights = rights;
	if (mem) {
		cap->offset = first;
		cap->size = size;
		inode = container_of(obj, struct pith_mem, obj)->inode;
	} else {
		cap->badge = first;
		RB_CLEAR_NODE(&cap->node);
		INIT_LIST_HEAD(&cap->callers);
	}
	ihold(inode);
	file = alloc_file_pseudo(inode, pith_mnt, "pith", O_RDWR,
				 mem ? &pith_mem_fops : &pith_fops);
	if (IS_ERR(file)) {
		iput(inode);
		pith_put(obj);
		kfree(cap);
		return file;
	}
	file->private_data = cap;
	return file;
}

int pith_fd_install(struct file *file)
{
	struct pith_domain *d = pith_current_domain();
	int fd;

	if (IS_ERR(file))
		return PTR_ERR(file);
	fd = pith_charge(d, PITH_CAP_RAM, 1);
	if (!fd) {
		fd = get_unused_fd_flags(O_CLOEXEC);
		if (fd < 0)
			pith_uncharge(d, PITH_CAP_RAM, 1);
	}
	if (fd < 0)
		fput(file);
	else
		fd_install(fd, file);
	return fd;
}

int pith_cap_install(struct pith_object *obj, u32 rights)
{
	u64 size = 0;

	if (obj->type == PITH_T_MEMORY)
		size = container_of(obj, struct pith_mem, obj)->npages << PAGE_SHIFT;
	return pith_fd_install(pith_cap_file(obj, rights, 0, size));
}

struct pith_cap *pith_cap_of(struct file *file)
{
	if (file->f_op != &pith_fops && file->f_op != &pith_mem_fops)
		return NULL;
	return file->private_data;
}

struct pith_fd pith_fd_any(int fd)
{
	struct pith_fd f = { .fd = fdget(fd) };

	if (!fd_empty(f.fd))
		f.cap = pith_cap_of(fd_file(f.fd));
	if (!f.cap)
		f.cap = ERR_PTR(-EBADF);
	return f;
}

struct pith_fd pith_fd_get(int fd, u32 type, u32 rights)
{
	struct pith_fd f = pith_fd_any(fd);

	if (IS_ERR(f.cap))
		return f;
	if (type && f.cap->obj->type != type)
		f.cap = ERR_PTR(-EBADF);
	else if ((f.cap->rights & rights) != rights)
		f.cap = ERR_PTR(-EPERM);
	else if (pith_cap_dead(f.cap))
		f.cap = ERR_PTR(-EPIPE);
	return f;
}

struct file *pith_fd_file(int fd)
{
	struct file *file __free(fput) = fget(fd);

	return file && pith_cap_of(file) ? no_free_ptr(file) : NULL;
}

/* The range of a memory capability that a mint asks for. */
static int mint_range(struct pith_cap *cap, struct pith_mint *m)
{
	if (!PAGE_ALIGNED(m->offset) || !PAGE_ALIGNED(m->size) ||
	    m->offset >= cap->size)
		return -EINVAL;
	if (!m->size)
		m->size = cap->size - m->offset;
	return m->size <= cap->size - m->offset ? 0 : -EINVAL;
}

int pith_op_mint(struct pith_cap *cap, void *arg)
{
	u32 type = cap->obj->type;
	struct pith_mint *m = arg;
	struct file *file;

	if (type == PITH_T_REPLY)
		return -EINVAL;
	if (m->rights & ~cap->rights)
		return -EPERM;
	if (type == PITH_T_ENDPOINT) {
		if (!(cap->rights & PITH_R_RECV))
			return -EPERM;
		if (m->rights != PITH_R_CALL)
			return -EINVAL;
	} else if (m->badge) {
		return -EINVAL;
	}
	if (type == PITH_T_MEMORY) {
		if (mint_range(cap, m))
			return -EINVAL;
		m->offset += cap->offset;
	} else if (m->offset || m->size) {
		return -EINVAL;
	}
	pith_get(cap->obj);
	file = pith_cap_file(cap->obj, m->rights,
			     type == PITH_T_MEMORY ? m->offset : m->badge,
			     m->size);
	if (type == PITH_T_ENDPOINT && !IS_ERR(file))
		pith_ep_minted(file->private_data);
	return pith_fd_install(file);
}

int pith_op_revoke(struct pith_cap *cap, void *arg)
{
	bool ep = cap->obj->type == PITH_T_ENDPOINT;
	struct pith_revoke *r = arg;

	if (!(cap->rights & (ep ? PITH_R_RECV : PITH_R_REVOKE)))
		return -EPERM;
	if ((r->flags & ~(ep ? PITH_REVOKE_BADGE : 0)) ||
	    (r->badge && !r->flags))
		return -EINVAL;
	if (r->flags)
		pith_ep_revoke_badge(pith_cap_to(cap, struct pith_endpoint),
				     r->badge);
	else
		cap->obj->revoke(cap->obj);
	return 0;
}

int pith_op_identify(struct pith_cap *cap, void *arg)
{
	*(struct pith_identify *)arg = (struct pith_identify) {
		.type = cap->obj->type,
		.rights = cap->rights,
		.object = cap->obj->serial,
	};
	return 0;
}

static int pith_init_fs(struct fs_context *fc)
{
	return init_pseudo(fc, 0x70697468) ? 0 : -ENOMEM;	/* "pith" */
}

static struct file_system_type pith_fs = {
	.name			= "pith",
	.init_fs_context	= pith_init_fs,
	.kill_sb		= kill_anon_super,
};

static int __init pith_cap_init(void)
{
	pith_mnt = kern_mount(&pith_fs);
	if (IS_ERR(pith_mnt))
		panic("pith: no mount");
	common_inode = pith_inode();
	if (IS_ERR(common_inode))
		panic("pith: no inode");
	return 0;
}
fs_initcall(pith_cap_init);
