// SPDX-License-Identifier: BSD-2-Clause
/* test-sources: ../hid.c */
/* The host tool: its output, byte for byte, and its exit statuses. */
int hid2json_main(int argc, char **argv);

#define main hid2json_main
#include "../../host/hid2json.c"
#undef main
#include <unistd.h>

static unsigned int tests, failures;

static void check(bool ok, const char *name)
{
	printf("%s %u - %s\n", ok ? "ok" : "not ok", ++tests, name);
	failures += !ok;
}

/* Run the tool on @text; returns its status, what it wrote in @out and @err. */
static int run(const char *text, char *out, char *err, size_t size)
{
	char name[] = "/tmp/hid2json_test.XXXXXX";
	char *argv[] = { (char *)"hid2json", name, NULL };
	FILE *old_out = stdout, *old_err = stderr;
	int fd = mkstemp(name), status;

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		return -1;
	memset(out, 0, size);
	memset(err, 0, size);
	stdout = fmemopen(out, size - 1, "w");
	stderr = fmemopen(err, size - 1, "w");
	status = hid2json_main(2, argv);
	fclose(stdout);
	fclose(stderr);
	stdout = old_out;
	stderr = old_err;
	unlink(name);
	close(fd);
	return status;
}

int main(void)
{
	char out[1024], err[1024];
	char *no_file[] = { (char *)"hid2json", (char *)"/nonexistent", NULL };
	FILE *old;
	int status;

	status = run("config a | b: c\"\\\n+ d\n  : q\t1\n  : q2\nx e\n+ f | g: \xc3\xa4\n-\n",
		     out, err, sizeof(out));
	check(!status && !*err && !strcmp(out,
	      "{\"type\": \"config\", \"name\": \"a\", \"attrs\": {\"b\": \"c\\\"\\\\\"}, "
	      "\"nodes\": [{\"type\": \"d\", \"name\": null, \"attrs\": {}, \"nodes\": [], "
	      "\"quote\": [\"q\\u00091\", \"q2\"]}, {\"type\": \"f\", \"name\": null, "
	      "\"attrs\": {\"g\": \"\xc3\xa4\"}, \"nodes\": [], \"quote\": []}], "
	      "\"quote\": []}\n"), "a tree");
	status = run("config\n+ a | b:c\n-\n", out, err, sizeof(out));
	check(status == 1 && !*out && strstr(err, ":2:9: expected a space after "
	      "':', found 'c'\n"), "a wrong text");
	old = stderr;
	stderr = fmemopen(err, sizeof(err) - 1, "w");
	status = hid2json_main(2, no_file);
	check(status == 2, "no such file");
	status = hid2json_main(1, no_file);
	check(status == 2, "wrong usage");
	fclose(stderr);
	stderr = old;
	printf("1..%u\n", tests);
	return failures ? 1 : 0;
}
