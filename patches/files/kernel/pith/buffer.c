// SPDX-License-Identifier: GPL-2.0-only
/* Message buffers: what makes a task a thread that can call and receive. */
#include <linux/mm.h>
#include <linux/slab.h>
#include "pith.h"

#define BUFFER_PAGES	(PITH_BUFFER_SIZE >> PAGE_SHIFT)

static void drop_buffer(struct pith_thread *th)
{
	if (!th->buffer)
		return;
	pith_mem_unpin(pith_cap_to(pith_cap_of(th->buffer), struct pith_mem),
		       th->buffer_page, BUFFER_PAGES);
	fput(th->buffer);
}

static int set_buffer(struct file *file, struct pith_cap *cap, u64 offset)
{
	struct pith_mem *mem = pith_cap_to(cap, struct pith_mem);
	u64 page = (cap->offset + offset) >> PAGE_SHIFT;
	struct pith_thread *th;
	int err;

	if (!mem->pages || !PAGE_ALIGNED(offset) || offset > cap->size ||
	    cap->size - offset < PITH_BUFFER_SIZE)
		return -EINVAL;
	th = pith_thread_self();
	if (IS_ERR(th))
		return PTR_ERR(th);
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

int pith_op_buffer_set(struct pith_cap *cap, void *arg)
{
	struct pith_buffer *b = arg;

	CLASS(pith_fd, f)(b->mem, PITH_T_MEMORY, PITH_R_READ | PITH_R_WRITE);
	if (IS_ERR(f.cap))
		return PTR_ERR(f.cap);
	return set_buffer(fd_file(f.fd), f.cap, b->offset);
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
