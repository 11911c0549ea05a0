// SPDX-License-Identifier: GPL-2.0-only
/* Message buffers: what makes a task a thread that can call and receive. */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "pith.h"

#define BUFFER_PAGES	(PITH_BUFFER_SIZE >> PAGE_SHIFT)

static void drop_buffer(struct pith_thread *th)
{
	if (!th->buffer)
		return;
	pith_mem_unpin(container_of(pith_cap_of(th->buffer)->obj,
				    struct pith_mem, obj),
		       th->buffer_page, BUFFER_PAGES);
	fput(th->buffer);
}

static int set_buffer(struct file *file, struct pith_cap *cap, u64 offset)
{
	struct pith_mem *mem = container_of(cap->obj, struct pith_mem, obj);
	u64 page = (cap->offset + offset) >> PAGE_SHIFT;
	struct pith_thread *th;
	int err;

	if (!mem->pages || !PAGE_ALIGNED(offset) || offset > cap->size ||
	    cap->size - offset < PITH_BUFFER_SIZE)
		return -EINVAL;
	th = pith_thread_self();
	if (!th)
		return -ENOMEM;
	err = pith_mem_pin(mem, page, BUFFER_PAGES);
	if (err)
		return err;
	drop_buffer(th);
	th->buffer = get_file(file);
	th->buffer_page = page;
	th->header = page_address(mem->pages[page]);
	th->data = page_address(mem->pages[page + 1]);
	th->room = PITH_MSG_BYTES;
	return 0;
}

int pith_op_buffer_set(void __user *arg)
{
	struct pith_buffer b;
	struct pith_cap *cap;
	struct fd f;
	int err;

	if (copy_from_user(&b, arg, sizeof(b)))
		return -EFAULT;
	if (b.zero)
		return -EINVAL;
	cap = pith_fd_cap(b.mem, PITH_T_MEMORY, PITH_R_READ | PITH_R_WRITE, &f);
	if (IS_ERR(cap))
		return PTR_ERR(cap);
	err = set_buffer(fd_file(f), cap, b.offset);
	fdput(f);
	return err;
}

void pith_thread_exit(struct task_struct *task)
{
	struct pith_thread *th = task->pith;

	if (th) {
		pith_drop_owed(th);
		pith_leave(th);
		pith_drop_files(&th->in);
		drop_buffer(th);
		if (th->space)
			pith_thread_end(th, task);
		pith_thread_put(th);
	}
	if (task->pith_process)
		pith_space_leave(task->pith_process);
}
