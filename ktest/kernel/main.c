// SPDX-License-Identifier: BSD-2-Clause
/* Which program this is: core, or the component named in argv[0]. */
#include <string.h>
#include <sys/syscall.h>
#include "core.h"
#include "kt.h"

extern const struct kt_test __start_kt_tests[], __stop_kt_tests[];

static const struct kt_test *find(const char *name)
{
	const struct kt_test *t;

	for (t = __start_kt_tests; t < __stop_kt_tests; t++)
		if (!strcmp(t->name, name))
			return t;
	return NULL;
}

static int component_main(const struct kt_test *t)
{
	void *report = kt_map(KT_SLOT_REPORT, 0, KT_REPORT_SIZE, KT_R | KT_W);

	if (kt_is_error(report))
		return 99;
	kt_report = report;
	kt_buffer_init();
	t->run();
	return 0;
}

int main(int argc, char **argv)
{
	const struct kt_test *t;

	if (argc < 1)
		return 98;
	if (argc > 1 && !strcmp(argv[1], "panic-report"))
		panic_main(argc - 2, argv + 2);
	if (!strcmp(argv[0], "/init"))
		core_main(__start_kt_tests, __stop_kt_tests, argc - 1,
			  argv + 1);
	t = find(argv[0]);
	return t ? component_main(t) : 97;
}
