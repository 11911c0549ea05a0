/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LIB_TEST_H
#define LIB_TEST_H

#include <stdbool.h>
#include <pith/entrypoint.h>
#include <pith/env.h>
#include <pith/hid.h>

extern struct entrypoint ep;

void expect(bool ok, const char *what);
/* Dispatch until @ms have passed, or *@counter is @value: is it? */
bool wait_until(const volatile uint64_t *counter, uint64_t value, uint64_t ms);
/* What our domain uses, once it has come to rest. */
struct pith_domain_info usage(void);
/* Does it use again what it used @before? */
bool usage_same(const struct pith_domain_info *before);

void test_signal(void);
void test_entrypoint(void);
void test_timeout(void);
void test_thread(void);
void test_smp(unsigned int servers);
void test_trade(const struct hid_node *config);
void test_upgrade(const struct hid_node *config);
/* Be a server of test_smp() and test_trade(). */
_Noreturn void echo(void);
/* Tell one to compute from now on, whenever nobody calls, or to stop. */
int echo_burn(const struct session *s, bool on);

#endif
