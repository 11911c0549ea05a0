// SPDX-License-Identifier: GPL-2.0-only
/*
 * Spaces: an address space, a descriptor table and the threads in them. What is
 * mapped is decided by who holds the space; its threads need not help.
 */
#include <linux/binfmts.h>
#include <linux/elf.h>
#include <linux/fdtable.h>
#include <linux/init_task.h>
#include <linux/mm.h>
#include <linux/sched/cputime.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/pgalloc.h>
#include <asm/tlb.h>
#include "../../mm/vma.h"
#include "pith.h"

#define MAX_CAPS	64
#define RIGHTS		(PITH_R_READ | PITH_R_WRITE | PITH_R_EXEC)

/* --- mappings --------------------------------------------------------------- */

static bool range_valid(u64 address, u64 size)
{
	return PAGE_ALIGNED(address) && PAGE_ALIGNED(size) && size &&
	       address >= PITH_LOWEST && address < TASK_SIZE_MAX &&
	       size <= TASK_SIZE_MAX - address;
}

static vm_flags_t flags_of(u32 rights)
{
	return (rights & PITH_R_READ ? VM_READ : 0) |
	       (rights & PITH_R_WRITE ? VM_WRITE : 0) |
	       (rights & PITH_R_EXEC ? VM_EXEC : 0);
}

/* The memory of @p, its map locked, or an error; let go with mm_put(). */
static struct mm_struct *mm_lock(struct pith_process *p)
{
	if (!mmget_not_zero(p->mm))
		return ERR_PTR(-EPIPE);
	if (!mmap_write_lock_killable(p->mm))
		return p->mm;
	mmput(p->mm);
	return ERR_PTR(-EINTR);
}

static void mm_put(struct mm_struct *mm)
{
	mmap_write_unlock(mm);
	mmput(mm);
}

static struct vm_area_struct *vma_new(struct mm_struct *mm, struct file *file,
				      const struct pith_map *m)
{
	vm_flags_t access = flags_of(m->rights);
	struct vm_area_struct *vma = vm_area_alloc(mm);

	if (!vma)
		return NULL;
	vma->vm_start = m->address;
	vma->vm_end = m->address + m->size;
	vma->vm_pgoff = m->offset >> PAGE_SHIFT;
	/* a thread cannot widen what it was given with mprotect() */
	vm_flags_init(vma, VM_SHARED | VM_MAYSHARE | VM_MAYREAD | access |
			   access << 4 | mm->def_flags);
	vma->vm_page_prot = vm_get_page_prot(vma->vm_flags);
	vma->vm_file = get_file(file);
	return vma;
}

static int map(struct mm_struct *mm, struct file *file,
	       const struct pith_map *m)
{
	struct vm_area_struct *vma;
	int err;

	if (find_vma_intersection(mm, m->address, m->address + m->size))
		return -EEXIST;
	if (mm->map_count >= PITH_MAPPINGS)
		return -ENOMEM;
	vma = vma_new(mm, file, m);
	if (!vma)
		return -EDQUOT;
	vma_start_write(vma);
	err = pith_mem_vma(file, vma) ?: vma_link(mm, vma);
	if (err) {
		fput(vma->vm_file);
		vm_area_free(vma);
		return err;
	}
	vm_stat_account(mm, vma->vm_flags, vma_pages(vma));
	err = pith_mem_tables(mm, vma->vm_start, vma->vm_end);
	if (err)
		do_munmap(mm, m->address, m->size, NULL);
	return err;
}

int pith_op_space_map(struct pith_cap *cap, void *arg)
{
	struct pith_map *m = arg;
	struct mm_struct *mm;
	int err;

	if (!m->rights || (m->rights & ~RIGHTS) || !PAGE_ALIGNED(m->offset) ||
	    !range_valid(m->address, m->size))
		return -EINVAL;
	/* what can be written or executed can be read */
	CLASS(pith_fd, mem)(m->mem, PITH_T_MEMORY, m->rights | PITH_R_READ);
	if (IS_ERR(mem.cap))
		return PTR_ERR(mem.cap);
	mm = mm_lock(pith_cap_to(cap, struct pith_process));
	if (IS_ERR(mm))
		return PTR_ERR(mm);
	err = map(mm, fd_file(mem.fd), m);
	mm_put(mm);
	return err;
}

/* May what is mapped in all of the range get @flags? */
static int protect_check(struct mm_struct *mm, u64 address, u64 end,
			 vm_flags_t flags)
{
	VMA_ITERATOR(vmi, mm, address);
	struct vm_area_struct *vma;

	/* the ends may split a mapping in three */
	if (mm->map_count + 2 > PITH_MAPPINGS)
		return -ENOMEM;
	for_each_vma_range(vmi, vma, end) {
		if (vma->vm_start > address)
			return -ENOMEM;
		if (!vma->vm_file || (flags & ~(vma->vm_flags >> 4)))
			return -EPERM;
		address = vma->vm_end;
	}
	return address < end ? -ENOMEM : 0;
}

static int protect(struct mm_struct *mm, u64 address, u64 end, vm_flags_t flags)
{
	VMA_ITERATOR(vmi, mm, address);
	struct vm_area_struct *vma, *prev;
	struct mmu_gather tlb;
	int err = protect_check(mm, address, end, flags);

	if (err)
		return err;
	vma = vma_find(&vmi, end);
	prev = vma_prev(&vmi);
	if (vma->vm_start < address)
		prev = vma;
	tlb_gather_mmu(&tlb, mm);
	for_each_vma_range(vmi, vma, end) {
		u64 start = max_t(u64, vma->vm_start, address);
		u64 stop = min_t(u64, vma->vm_end, end);

		err = mprotect_fixup(&vmi, &tlb, vma, &prev, start, stop,
				     (vma->vm_flags & ~VM_ACCESS_FLAGS) | flags);
		if (err)
			break;
	}
	tlb_finish_mmu(&tlb);
	return err;
}

static int change_range(struct pith_cap *cap, struct pith_range *r, bool unmap)
{
	struct mm_struct *mm;
	int err;

	if ((r->rights & ~RIGHTS) || unmap == !!r->rights ||
	    !range_valid(r->address, r->size))
		return -EINVAL;
	mm = mm_lock(pith_cap_to(cap, struct pith_process));
	if (IS_ERR(mm))
		return PTR_ERR(mm);
	if (unmap)
		err = do_munmap(mm, r->address, r->size, NULL);
	else
		err = protect(mm, r->address, r->address + r->size,
			      flags_of(r->rights));
	mm_put(mm);
	return err;
}

int pith_op_space_unmap(struct pith_cap *cap, void *arg)
{
	return change_range(cap, arg, true);
}

int pith_op_space_protect(struct pith_cap *cap, void *arg)
{
	return change_range(cap, arg, false);
}

/* --- creation ----------------------------------------------------------------- */

struct creation {
	struct pith_space_create *args;
	struct pith_process *space;
	struct pith_thread *thread;
	struct file *files[MAX_CAPS];
	int fd;
};

/* The space's domain pays for each from here on. */
static int get_caps(struct creation *c)
{
	s32 __user *fds = u64_to_user_ptr(c->args->caps);
	u32 i;

	for (i = 0; i < c->args->ncaps; i++) {
		s32 fd;

		if (get_user(fd, fds + i))
			return -EFAULT;
		if (fd == -1)
			continue;
		if (pith_charge(c->space->domain, PITH_CAP_RAM, 1))
			return -EDQUOT;
		c->files[i] = pith_fd_file(fd);
		if (!c->files[i]) {
			pith_uncharge(c->space->domain, PITH_CAP_RAM, 1);
			return -EBADF;
		}
	}
	return 0;
}

/* Those that did not get into the space. */
static void put_caps(struct creation *c)
{
	u32 i;

	for (i = 0; i < MAX_CAPS; i++) {
		if (!c->files[i])
			continue;
		fput(c->files[i]);
		pith_uncharge(c->space->domain, PITH_CAP_RAM, 1);
	}
}

static int set_caps(struct creation *c)
{
	u32 i;

	for (i = 0; i < c->args->ncaps; i++) {
		int err;

		if (!c->files[i])
			continue;
		err = replace_fd(i, c->files[i], 0);
		if (err < 0)
			return err;
		fput(c->files[i]);
		c->files[i] = NULL;
	}
	return 0;
}

/* By the first thread: only it can map the vDSO, which nobody may write. */
static int setup(void *arg)
{
	struct creation *c = arg;
	struct mm_struct *mm = current->mm;
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;
	int err = set_caps(c);

	if (!err)
		err = arch_setup_additional_pages(NULL, 0);
	if (err)
		return err;
	mmap_write_lock(mm);
	for_each_vma(vmi, vma) {
		vm_flags_clear(vma, VM_MAYWRITE);
		err = err ?: pith_mem_tables(mm, vma->vm_start, vma->vm_end);
	}
	mmap_write_unlock(mm);
	c->args->vdso = (uintptr_t)mm->context.vdso;
	return err;
}

#define SPACE_RAM	(sizeof(struct mm_struct) + \
			 sizeof(pgd_t) * PTRS_PER_PGD *	\
			 (1 + IS_ENABLED(CONFIG_MITIGATION_PAGE_TABLE_ISOLATION)) + \
			 sizeof(struct files_struct) + PITH_CAP_RAM)

/* With one user, which is the caller. */
static struct mm_struct *new_mm(void)
{
	struct mm_struct *mm = mm_alloc();
	struct rlimit no_stack = {};

	if (mm) {
		mm->task_size = TASK_SIZE_MAX;
		arch_pick_mmap_layout(mm, &no_stack);
	}
	return mm;
}

static struct pith_process *space_new(struct pith_domain *d, const char *name)
{
	struct pith_process *p = pith_process_new(d, SPACE_RAM);
	struct files_struct *files;

	if (IS_ERR(p))
		return p;
	p->obj.type = PITH_T_SPACE;
	atomic_set(&p->tasks, 0);
	atomic_set(&p->live, 0);
	strscpy(p->name, name);
	files = dup_fd(&init_files, NULL);
	if (!IS_ERR(files))
		p->files = files;
	p->mm = p->files ? new_mm() : NULL;
	if (p->mm) {
		p->mm->pith = d;	/* which lasts as long as @p */
		mmgrab(p->mm);
		return p;
	}
	pith_put(&p->obj);
	return ERR_PTR(-ENOMEM);
}

/* Descriptors first, so that nothing can fail once the thread lives. */
static int install(struct creation *c)
{
	pith_get(&c->space->obj);
	c->fd = pith_cap_install(&c->space->obj, PITH_R_MANAGE);
	if (c->fd < 0)
		return c->fd;
	pith_get(&c->thread->obj);
	c->args->thread = pith_cap_install(&c->thread->obj, PITH_R_MANAGE);
	if (c->args->thread >= 0)
		return 0;
	close_fd(c->fd);
	return c->args->thread;
}

static int begin(struct creation *c)
{
	struct pith_process *p = c->space;
	int err = install(c);

	if (err)
		return err;
	err = pith_thread_create(p, c->thread, setup, c);
	if (c->thread->pid)
		pith_process_list(p);
	if (!err)
		return 0;
	close_fd(c->args->thread);
	close_fd(c->fd);
	return err;
}

static int create(struct creation *c, struct pith_domain *d)
{
	struct pith_notif *n;
	int err;

	c->space = space_new(d, c->args->name);
	if (IS_ERR(c->space))
		return PTR_ERR(c->space);
	c->thread = pith_thread_of(c->space);
	err = IS_ERR(c->thread) ? PTR_ERR(c->thread) : get_caps(c);
	if (!err && c->args->exit_notif != -1) {
		n = pith_fd_notif(c->args->exit_notif, PITH_R_SIGNAL);
		err = PTR_ERR_OR_ZERO(n);
		if (!err)
			c->space->exit_notif = n;
	}
	if (!err)
		err = begin(c);
	put_caps(c);
	mmput(c->space->mm);
	if (!IS_ERR(c->thread))
		pith_put(&c->thread->obj);
	pith_put(&c->space->obj);
	return err;
}

int pith_op_space_create(struct pith_cap *cap, void *arg)
{
	struct creation *c __free(kfree) = kzalloc(sizeof(*c), GFP_KERNEL);
	struct pith_space_create *args = arg;
	int err;

	if (!c)
		return -ENOMEM;
	if (args->ncaps > MAX_CAPS || !args->name[0] ||
	    strnlen(args->name, sizeof(args->name)) == sizeof(args->name))
		return -EINVAL;
	c->args = args;
	err = create(c, pith_cap_to(cap, struct pith_domain));
	return err ?: c->fd;
}

/* --- end ---------------------------------------------------------------------- */

void pith_space_die(struct pith_process *p, int code)
{
	struct pith_thread *th;

	guard(mutex)(&p->lock);
	if (p->killed)
		return;
	p->killed = true;
	p->code = code;
	list_for_each_entry(th, &p->threads, space_link)
		kill_pid(th->pid, SIGKILL, 1);
}

/* One thread group of a space takes the others with it. */
void pith_group_exit(int code)
{
	struct pith_process *p = current->pith_process;

	if (p && p->mm)
		pith_space_die(p, code);
}

/* The last thread closes the table, so that exit is told after that. */
void pith_space_leave(struct pith_process *p)
{
	struct file *ep __free(fput) = NULL;
	struct files_struct *files = NULL;

	if (!atomic_dec_and_test(&p->live))
		return;
	scoped_guard(mutex, &p->lock) {
		swap(files, p->files);
		swap(ep, p->fault_ep);
	}
	if (files)
		put_files_struct(files);
}

/* --- on a space capability ---------------------------------------------------- */

int pith_op_space_info(struct pith_cap *cap, void *arg)
{
	struct pith_process *p = pith_cap_to(cap, struct pith_process);
	struct pith_space_info *info = arg;

	info->exited = smp_load_acquire(&p->exited);
	info->status = p->status;
	info->threads = atomic_read(&p->tasks);
	info->cpu_ns = atomic64_read(&p->cpu_ns);
	return 0;
}

int pith_op_space_thread(struct pith_cap *cap, void *arg)
{
	struct pith_process *p = pith_cap_to(cap, struct pith_process);
	struct pith_thread *th = pith_thread_of(p);
	int err, fd;

	if (IS_ERR(th))
		return PTR_ERR(th);
	pith_get(&th->obj);
	fd = pith_cap_install(&th->obj, PITH_R_MANAGE);
	if (fd >= 0) {
		err = pith_thread_create(p, th, NULL, NULL);
		if (err) {
			close_fd(fd);
			fd = err;
		}
	}
	pith_put(&th->obj);
	return fd;
}

int pith_op_space_kill(struct pith_cap *cap, void *arg)
{
	pith_space_die(pith_cap_to(cap, struct pith_process), SIGKILL);
	return 0;
}
