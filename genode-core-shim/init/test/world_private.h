/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the played world share. */
#ifndef INIT_TEST_WORLD_PRIVATE_H
#define INIT_TEST_WORLD_PRIVATE_H

#include "world.h"

#define SLOTS		512
#define OBJECTS		60000
#define FDS		4096
#define DOMAINS		20000
#define PROCESSES	20000
#define CALLS		8192	/* the oldest are forgotten */
#define HELD		600
#define PROCESS_RAM	(64u << 10)

enum kind {
	FREE, DOMAIN, MEMORY, NOTIFICATION, OBJECT, SESSION, PROCESS, THREAD,
	REPLY, ENDPOINT
};

/* A capability, or what a descriptor refers to. */
struct object {
	enum kind kind;
	int refs;
	int payer;		/* domain that pays 1 capability, -1: none */
	int index;		/* of the domain, process or call */
	uint64_t badge;		/* OBJECT; NOTIFICATION: where it arrives */
	uint64_t signals;
	char *mem;
	uint64_t size;
	int mem_payer;
	uint64_t copied;		/* size of a ROM that is copied */
	char service[32];	/* SESSION */
	struct quota donated;
};

struct domain {
	struct quota limit, used;
	uint64_t cpu_budget, cpu_period;
	uint64_t cpu_sets;
	bool dead;
};

struct process {
	char name[32];
	int domain;
	int parent;		/* object: badged parent capability */
	int slots[2];		/* its own domain, LOG */
	int exit_notif;
	uint64_t ram;		/* charged to its domain until it ends */
	uint32_t status;
	bool scheduled, runs, killed;
	int held[HELD];
	unsigned int nheld;
};

struct call {
	struct answer answer;
	bool gone;
	int process;
};

extern struct object objects[OBJECTS];
extern int fds[FDS];
extern struct domain domains[DOMAINS];
extern int ndomains;
extern struct process processes[PROCESSES];
extern int nprocesses;

_Noreturn void die(const char *what);
/* A new capability, paid by domain @payer (-1: nobody), or -EDQUOT. */
int object_new(enum kind kind, int payer);
void object_put(int i);
int fd_install(int object);
struct object *fd_object(int fd, enum kind kind);
int domain_of(int fd);
void domain_destroy(int d);
/* From init's domain. */
int pd_fund(int domain, struct quota q);
void process_end(struct process *p, uint32_t status);
/* The operations on a space. */
int world_control(int fd, uint32_t op, void *arg);

#endif
