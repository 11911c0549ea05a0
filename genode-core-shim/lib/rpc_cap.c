/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <pith/rpc.h>

int rpc_get_cap(int cap, uint64_t method, void *rep, size_t rep_len,
		uint64_t deadline)
{
	int got = -1;
	struct rpc r = {
		.rep = rep, .rep_len = rep_len,
		.rep_caps = &got, .nrep_caps = 1,
	};
	int err = rpc_call(cap, method, &r, deadline);

	if (err)
		return err;
	return got >= 0 ? got : got == PITH_CAP_LOST ? -EDQUOT : -EPROTO;
}

int rpc_give_cap(int cap, uint64_t method, const void *req, size_t req_len,
		 int passed, uint64_t deadline)
{
	struct rpc r = {
		.req = req, .req_len = req_len,
		.caps = &passed, .ncaps = passed >= 0,
	};

	return rpc_call(cap, method, &r, deadline);
}
