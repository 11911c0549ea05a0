// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory objects. RAM is committed and charged when the object is made, so a
 * quota that was granted can be used, and it never moves, so that a device may
 * be given its address. Rights are those of the capability that is mapped;
 * mprotect() cannot go beyond them.
 */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/slab.h>
#include "pith.h"

#define MAX_SIZE	(64ULL << 30)
#define MAX_CONTIG	(4ULL << 20)
#define MEM_GFP		(GFP_USER | __GFP_ZERO | __GFP_RETRY_MAYFAIL | \
			 __GFP_NOWARN)

/* A page that nobody can map any more; the number of pins is its private word. */
static bool give_page_back(struct pith_mem *mem, u64 n)
{
	struct page *page = mem->pages[n];

	if (page_private(page))
		return false;
	mem->pages[n] = NULL;
	put_page(page);
	return true;
}

/* What the object stands for, except pages that are pinned. */
static void give_back(struct pith_mem *mem)
{
	u64 i, n = 0;

	mem->obj.dead = true;
	if (!mem->pages) {
		pith_unclaim(&mem->claim);
		return;
	}
	for (i = 0; i < mem->npages; i++) {
		n += give_page_back(mem, i);
		cond_resched();
	}
	pith_uncharge(mem->obj.payer, n << PAGE_SHIFT, 0);
}

static void mem_free(struct pith_object *obj)
{
	struct pith_mem *mem = container_of(obj, struct pith_mem, obj);

	if (!obj->dead)
		give_back(mem);
	iput(mem->inode);
	kvfree(mem->pages);
	kfree(mem);
}

/* Shared, the memory cannot be revoked; exclusive, for that and for pins. */
static struct rw_semaphore *lock_of(struct pith_mem *mem)
{
	return &mem->inode->i_mapping->invalidate_lock;
}

static void mem_revoke(struct pith_object *obj)
{
	struct pith_mem *mem = container_of(obj, struct pith_mem, obj);

	guard(rwsem_write)(lock_of(mem));
	if (obj->dead)
		return;
	unmap_mapping_range(mem->inode->i_mapping, 0, 0, true);
	give_back(mem);
}

struct page *pith_mem_page(struct pith_mem *mem, u64 n)
{
	guard(rwsem_read)(lock_of(mem));
	if (mem->obj.dead)
		return NULL;
	get_page(mem->pages[n]);
	return mem->pages[n];
}

int pith_mem_pin(struct pith_mem *mem, u64 first, u64 count)
{
	guard(rwsem_write)(lock_of(mem));
	if (mem->obj.dead)
		return -EPIPE;
	for (; count--; first++)
		set_page_private(mem->pages[first],
				 page_private(mem->pages[first]) + 1);
	return 0;
}

void pith_mem_unpin(struct pith_mem *mem, u64 first, u64 count)
{
	u64 n = 0;

	guard(rwsem_write)(lock_of(mem));
	for (; count--; first++) {
		set_page_private(mem->pages[first],
				 page_private(mem->pages[first]) - 1);
		if (mem->obj.dead)
			n += give_page_back(mem, first);
	}
	pith_uncharge(mem->obj.payer, n << PAGE_SHIFT, 0);
}

/* Without pages or a claim yet, which it counts as dead until it has. */
static struct pith_mem *mem_new(struct pith_domain *payer, u64 npages,
				size_t more)
{
	struct pith_mem *mem = pith_object_new(payer, PITH_T_MEMORY,
					       sizeof(*mem),
					       sizeof(struct inode) + more,
					       mem_free);
	struct inode *inode;

	if (IS_ERR(mem))
		return mem;
	mem->obj.dead = true;
	mem->obj.revoke = mem_revoke;
	mem->npages = npages;
	inode = pith_inode();
	if (!IS_ERR(inode)) {
		mem->inode = inode;
		return mem;
	}
	pith_put(&mem->obj);
	return ERR_CAST(inode);
}

static int alloc_scattered(struct pith_mem *mem)
{
	u64 i;

	for (i = 0; i < mem->npages; i++) {
		mem->pages[i] = alloc_page(MEM_GFP);
		if (!mem->pages[i] || fatal_signal_pending(current))
			goto undo;
		cond_resched();
	}
	return 0;
undo:
	if (mem->pages[i])
		i++;
	while (i--)
		put_page(mem->pages[i]);
	return -ENOMEM;
}

static int alloc_contig(struct pith_mem *mem, bool dma32)
{
	void *at = alloc_pages_exact(mem->npages << PAGE_SHIFT,
				     MEM_GFP | (dma32 ? GFP_DMA32 : 0));
	u64 i;

	if (!at)
		return -ENOMEM;
	for (i = 0; i < mem->npages; i++) {
		mem->pages[i] = virt_to_page(at + (i << PAGE_SHIFT));
		set_page_private(mem->pages[i], 0);
	}
	return 0;
}

static int mem_alloc(struct pith_mem *mem, u32 flags)
{
	mem->pages = kvcalloc(mem->npages, sizeof(*mem->pages), GFP_KERNEL);
	if (!mem->pages)
		return -ENOMEM;
	if (flags & PITH_MEM_CONTIG)
		return alloc_contig(mem, flags & PITH_MEM_DMA32);
	return alloc_scattered(mem);
}

static struct pith_mem *mem_create(struct pith_domain *payer, u64 size,
				   u32 flags)
{
	u64 npages = size >> PAGE_SHIFT;
	struct pith_mem *mem;
	int err = pith_charge(payer, size, 0);

	if (err)
		return ERR_PTR(err);
	mem = mem_new(payer, npages,
		      kmalloc_size_roundup(npages * sizeof(*mem->pages)));
	err = IS_ERR(mem) ? PTR_ERR(mem) : mem_alloc(mem, flags);
	if (!err) {
		mem->obj.dead = false;
		return mem;
	}
	if (!IS_ERR(mem))
		pith_put(&mem->obj);
	pith_uncharge(payer, size, 0);
	return ERR_PTR(err);
}

static int mem_install(struct pith_domain *payer, u64 size, u32 flags)
{
	struct pith_mem *mem = mem_create(payer, size, flags);
	u32 rights = PITH_R_READ | PITH_R_WRITE | PITH_R_EXEC;

	if (IS_ERR(mem))
		return PTR_ERR(mem);
	/* a component cannot take away what a server has mapped for it */
	if (current->pith_mode == PITH_MODE_CORE)
		rights |= PITH_R_REVOKE;
	return pith_cap_install(&mem->obj, rights);
}

/*
 * mmap() of a process that has a domain. Anonymous memory becomes a memory
 * object of its own, charged like any other and gone with its last mapping; all
 * else must be shared. Returns the file to map instead, NULL for none.
 */
#define MMAP_SHARED	(MAP_SHARED | MAP_FIXED | MAP_FIXED_NOREPLACE)
#define MMAP_ANON	(MMAP_SHARED | MAP_PRIVATE | MAP_ANONYMOUS | \
			 MAP_NORESERVE | MAP_STACK)

struct file *pith_mmap_file(unsigned long addr, unsigned long len,
			    unsigned long *flags)
{
	struct pith_mem *mem;

	if (!current->pith_process)
		return NULL;
	if ((addr || (*flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))) &&
	    addr < PITH_LOWEST)
		return ERR_PTR(-EPERM);
	if (!(*flags & MAP_ANONYMOUS))
		return (*flags & MAP_SHARED) && !(*flags & ~MMAP_SHARED) ?
			NULL : ERR_PTR(-EPERM);
	if (*flags & ~MMAP_ANON)
		return ERR_PTR(-EPERM);
	if (!len || len > MAX_SIZE)
		return ERR_PTR(-EINVAL);
	len = PAGE_ALIGN(len);
	mem = mem_create(pith_current_domain(), len, 0);
	if (IS_ERR(mem))
		return ERR_CAST(mem);
	*flags = (*flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) | MAP_SHARED;
	return pith_cap_file(&mem->obj, PITH_R_READ | PITH_R_WRITE, 0, len);
}

int pith_op_mem_create(struct pith_cap *cap, void *arg)
{
	struct pith_mem_create *c = arg;

	if (!c->size || !PAGE_ALIGNED(c->size) || c->size > MAX_SIZE ||
	    (c->flags & ~(PITH_MEM_CONTIG | PITH_MEM_DMA32)))
		return -EINVAL;
	if (c->flags && (!(c->flags & PITH_MEM_CONTIG) || c->size > MAX_CONTIG))
		return -EINVAL;
	if (c->domain == -1)
		return mem_install(pith_current_domain(), c->size, c->flags);
	CLASS(pith_fd, d)(c->domain, PITH_T_DOMAIN, PITH_R_CHARGE);
	if (IS_ERR(d.cap))
		return PTR_ERR(d.cap);
	return mem_install(pith_cap_to(d.cap, struct pith_domain), c->size,
			   c->flags);
}

struct pith_mem *pith_mem_io(u64 base, u64 size, u32 cache)
{
	struct pith_mem *mem = mem_new(pith_current_domain(),
				       size >> PAGE_SHIFT, 0);

	if (!IS_ERR(mem)) {
		mem->claim = (struct resource) DEFINE_RES_MEM(base, size);
		mem->cache = cache;
		mem->obj.dead = false;
	}
	return mem;
}

int pith_op_mem_info(struct pith_cap *cap, void *arg)
{
	*(struct pith_mem_info *)arg = (struct pith_mem_info) {
		.size = cap->size,
		.rights = cap->rights,
		.io = !pith_cap_to(cap, struct pith_mem)->pages,
	};
	return 0;
}

/*
 * Map the page that was touched and, as all of them are there, those after it up
 * to the end of a block of AROUND. Where another thread was faster it is done.
 */
#define AROUND	16UL

static vm_fault_t insert(struct vm_fault *vmf, struct pith_mem *mem, u64 n)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long at = vmf->address, count;
	int err;

	if (!mem->pages)
		return vmf_insert_pfn(vma, at,
				      (mem->claim.start >> PAGE_SHIFT) + n);
	count = min(AROUND - (at >> PAGE_SHIFT) % AROUND,
		    (vma->vm_end - at) >> PAGE_SHIFT);
	err = vm_insert_pages(vma, at, mem->pages + n, &count);
	return err && err != -EBUSY ? vmf_error(err) : VM_FAULT_NOPAGE;
}

/* A page is mapped under the lock: none can be once the memory is revoked. */
static vm_fault_t mem_fault(struct vm_fault *vmf)
{
	struct pith_cap *cap = vmf->vma->vm_file->private_data;
	struct pith_mem *mem = pith_cap_to(cap, struct pith_mem);

	guard(rwsem_read)(lock_of(mem));
	return mem->obj.dead ? VM_FAULT_SIGBUS :
		insert(vmf, mem, (cap->offset >> PAGE_SHIFT) + vmf->pgoff);
}

static const struct vm_operations_struct mem_vm_ops = {
	.fault	= mem_fault,
};

static void map_io(struct pith_mem *mem, struct vm_area_struct *vma)
{
	if (mem->cache == PITH_IO_UNCACHED)
		vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	else if (mem->cache == PITH_IO_WRITE_COMBINED)
		vma->vm_page_prot = pgprot_writecombine(vma->vm_page_prot);
	vm_flags_set(vma, VM_IO | VM_PFNMAP);
}

/* Shared, so that all that is mapped was paid for by an object. */
int pith_mem_vma(struct file *file, struct vm_area_struct *vma)
{
	struct pith_cap *cap = file->private_data;
	struct pith_mem *mem = pith_cap_to(cap, struct pith_mem);
	u64 pages = cap->size >> PAGE_SHIFT;

	if (pith_cap_dead(cap))
		return -EPIPE;
	if (!(vma->vm_flags & VM_SHARED))
		return -EPERM;
	if (vma->vm_pgoff > pages || vma_pages(vma) > pages - vma->vm_pgoff)
		return -EINVAL;
	if (!(cap->rights & PITH_R_READ) ||
	    ((vma->vm_flags & VM_EXEC) && !(cap->rights & PITH_R_EXEC)) ||
	    ((vma->vm_flags & VM_WRITE) && !(cap->rights & PITH_R_WRITE)))
		return -EACCES;
	if (!(cap->rights & PITH_R_EXEC))
		vm_flags_clear(vma, VM_MAYEXEC);
	if (!(cap->rights & PITH_R_WRITE))
		vm_flags_clear(vma, VM_MAYWRITE);
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_ops = &mem_vm_ops;
	if (mem->pages)
		vm_flags_set(vma, VM_MIXEDMAP);
	else
		map_io(mem, vma);
	return 0;
}

int pith_mem_tables(struct mm_struct *mm, u64 address, u64 end)
{
	for (; address < end; address = (address | ~PMD_MASK) + 1) {
		p4d_t *p4d = p4d_alloc(mm, pgd_offset(mm, address), address);
		pud_t *pud = p4d ? pud_alloc(mm, p4d, address) : NULL;
		pmd_t *pmd = pud ? pmd_alloc(mm, pud, address) : NULL;

		if (!pmd || pte_alloc(mm, pmd))
			return -EDQUOT;
		cond_resched();
	}
	return 0;
}

int pith_mem_mmap(struct file *file, struct vm_area_struct *vma)
{
	return pith_mem_vma(file, vma) ?:
		pith_mem_tables(vma->vm_mm, vma->vm_start, vma->vm_end);
}
