// SPDX-License-Identifier: BSD-2-Clause
/* test-sources: fake.c ../exec.c ../out.c ../term.c ../editor.c ../parse.c ../text.c ../cmd_file.c ../cmd_ls.c ../cmd_misc.c ../cmd_ps.c ../cmd_sys.c ../cmd_trace.c ../../../genode-core-shim/lib/fs_client.c ../../../genode-core-shim/lib/hid.c */
/* test-libs: -lsodium */
/* The whole shell, in a world made of fakes. */
#include "../main.c"

#include <sodium/crypto_hash_sha256.h>

#include "fake.h"
#include "tap.h"

/* Run the world that has been set up: how it ended. */
static int run(void)
{
	int end;

	memset(&shell, 0, sizeof(shell));
	end = setjmp(fake.end);
	if (!end) {
		component_main();
		return 0;
	}
	fake.out[fake.out_len] = '\0';
	if (fake.bad_calls)
		printf("# %u bad calls\n", fake.bad_calls);
	return end;
}

/* @commands alone print @out and end with @status; the log says so, all was shown
 * before, no handle stays open. */
static void gives(const char *commands, const char *out, int status)
{
	char log[64], what[160];
	int good;

	fake.commands = commands;
	snprintf(log, sizeof(log), "commands: exit status %d\n", status);
	good = run() == FAKE_POWEROFF && !strcmp(fake.out, out) &&
	       !strcmp(fake.log, log) && fake.drained == fake.out_len + 1 &&
	       !fake.open_handles && !fake.bad_calls;
	snprintf(what, sizeof(what), "%.120s", commands);
	what[strcspn(what, "\n")] = '\0';
	ok(good, what);
	if (!good)
		printf("# out: %s\n# log: %s\n", fake.out, fake.log);
	fake_reset();
}

static int shows(const char *commands, const char *part)
{
	int found;

	fake.commands = commands;
	found = run() == FAKE_POWEROFF && strstr(fake.out, part) &&
		!fake.open_handles && !fake.bad_calls;
	if (!found)
		printf("# out: %s\n", fake.out);
	fake_reset();
	return found;
}

static void test_lists(void)
{
	gives("echo a\n", "a\n", 0);
	gives("echo a; echo b\necho 'c  d'", "a\nb\nc  d\n", 0);
	gives("", "", 0);
	gives("# nothing\n\n", "", 0);
	gives("cd /x", "cd: /x: no such file or directory\n", 1);
	gives("cd /x || echo saved", "cd: /x: no such file or directory\nsaved\n",
	      0);
	gives("cd /x && echo no; echo yes",
	      "cd: /x: no such file or directory\nyes\n", 1);
	gives("cd /x; echo $?; echo $?",
	      "cd: /x: no such file or directory\n1\n0\n", 1);
	gives("echo a || echo b && echo c", "a\nc\n", 0);
	gives("nosuch\necho still here",
	      "nosuch: unknown command, try help\nstill here\n", 127);
	gives("ls -x; cd /x", "usage: ls [-l] [-a] [PATH...]\n"
	      "cd: /x: no such file or directory\n", 1);
	gives("echo a; echo 'b", "column 14: no closing '\n", 2);
	gives("cat", "usage: cat PATH...\n", 2);
	gives("repeat 3 echo x", "x\nx\nx\n", 0);
	gives("repeat 3 cd /x", "cd: /x: no such file or directory\n", 1);
	gives("repeat x echo x", "repeat: x: not a number\n", 2);
	gives("time cat /x", "cat: /x: no such file or directory\n0.300 s\n", 1);
	gives("uptime", "up 0 days 00:00:02.000\n", 0);
	ok(shows("help", "sha256 PATH...           SHA-256"), "help: the list");
	gives("help pwd", "pwd                      the working directory\n", 0);
	gives("help x", "x: unknown command\n", 1);
}

static void test_files(void)
{
	gives("cat /etc/hosts /etc/os-release",
	      "127.0.0.1 localhost\nNAME=Pith\n", 0);
	gives("cat /link", "NAME=Pith\n", 0);
	gives("cat '/spaced name' /empty", "spaced\n", 0);
	gives("cat /x /etc/hosts", "cat: /x: no such file or directory\n"
	      "127.0.0.1 localhost\n", 1);
	gives("cat /etc", "cat: /etc: is a directory\n", 1);
	gives("cat /big/x", "cat: /big/x: not a directory\n", 1);
	gives("cat /damaged", "cat: /damaged: the file system is damaged here\n",
	      1);
	gives("cd /etc; pwd; cat hosts; cd ..; pwd; cd; pwd",
	      "/etc\n127.0.0.1 localhost\n/\n/\n", 0);
	gives("cd /big", "cd: /big: not a directory\n", 1);
	gives("cat \"/evil\x7f\"", "cat: /evil?: no such file or directory\n", 1);
	ok(shows("stat /link", "Path: /link -> etc/os-release\n"),
	   "stat: a link itself");
	ok(shows("stat /big", "Size: 655437 bytes in 1281 blocks of 512\n"),
	   "stat: size");
	ok(shows("stat /big", "Modified: 2024-02-29 12:34:56 UTC\n"),
	   "stat: time");
	gives("df", "Type           Size       Used       Free  Label, UUID\n"
	      "ext4       64.0 MiB   48.0 MiB   16.0 MiB  disk, 1-2-3\n"
	      "It was not cleanly unmounted: what its journal still holds is not shown.\n",
	      0);
	fake.fs_absent = 1;
	gives("cat /x", "cat: /x: no File_system: nothing provides it to the shell\n",
	      1);
}

static void test_ls(void)
{
	gives("ls /etc", "hosts\nos-release\n", 0);
	gives("ls -a /etc", ".hidden\nhosts\nos-release\n", 0);
	gives("ls /", "big\ndamaged\ndangling\nempty\netc\nevil?[2J?name\nlink\n"
	      "spaced name\n", 0);
	gives("ls -l /etc",
	      "-rw-r--r--   1     0     5         20 2024-02-29 12:34 hosts\n"
	      "-rw-r--r--   1     0     5         10 2024-02-29 12:34 os-release\n",
	      0);
	gives("cd /; ls -la link dangling",
	      "lrwxrwxrwx   1     0     5         14 2024-02-29 12:34 link -> etc/os-release\n"
	      "lrwxrwxrwx   1     0     5          7 2024-02-29 12:34 dangling -> nowhere\n",
	      0);
	gives("ls /dangling /link", "/dangling\n/link\n", 0);
	gives("ls /big /etc /x", "/big\n\n/etc:\nhosts\nos-release\n"
	      "ls: /x: no such file or directory\n", 1);
	gives("ls -- -l", "ls: -l: no such file or directory\n", 1);
	fake.input = "ls /\r";
	ok(run() == FAKE_IDLE &&
	   strstr(fake.out, "big            damaged        dangling"
		  "       empty          etc\r\n") == NULL &&
	   strstr(fake.out, "big            dangling") != NULL,
	   "ls at the prompt: columns, read downwards");
	fake_reset();
}

static void hash_line(char line[100])
{
	static uint8_t big[FAKE_BIG];
	uint8_t digest[32];
	unsigned int i;

	for (i = 0; i < FAKE_BIG; i++)
		big[i] = fake_big(i);
	crypto_hash_sha256(digest, big, FAKE_BIG);
	for (i = 0; i < 32; i++)
		sprintf(line + 2 * i, "%02x", digest[i]);
	strcat(line, "  /big\n");
}

static void test_sha256(void)
{
	char line[100], twice[200];
	unsigned int i, bad = 0;

	hash_line(line);
	gives("sha256 /empty",
	      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  /empty\n",
	      0);
	gives("sha256 /big", line, 0);
	gives("sha256 /etc", "sha256: /etc: is a directory\n", 1);
	snprintf(twice, sizeof(twice), "%s%s", line, line);

	/* The server dies at each call in turn. */
	for (i = 1; i <= 18; i++) {
		fake.commands = "sha256 /big; sha256 /big";
		fake.fs_die_at = i;
		bad += run() != FAKE_POWEROFF || strcmp(fake.out, twice) ||
		       fake.fs_sessions != 2 || fake.bad_calls ||
		       fake.open_handles;
		fake_reset();
	}
	ok(!bad, "sha256: the server dies at any call, the result is right");
	for (i = 1, bad = 0; i <= 20; i++) {
		fake.commands = "ls -la /etc";
		fake.fs_die_at = i;
		bad += run() != FAKE_POWEROFF || fake.bad_calls ||
		       fake.open_handles || strncmp(fake.out, "-rw-------", 10) ||
		       !strstr(fake.out, "os-release\n") || shell.failed;
		fake_reset();
	}
	ok(!bad, "ls -la: the same");

	fake.fs_die_at = 5;
	fake.fs_die_again = 5;
	gives("sha256 /big", line, 0);
	fake.fs_die_at = 2;
	fake.fs_die_again = 2;
	gives("sha256 /big", "sha256: /big: no File_system: it keeps dying\n", 1);
	fake.fs_die_at = 6;
	fake.fs_changed = 1;
	gives("sha256 /big",
	      "sha256: /big: the file changed while its server was restarted\n",
	      1);
	fake.fs_slow_at = 3;
	gives("sha256 /big", line, 0);
	fake.fs_hangs = 1;
	gives("sha256 /big", "sha256: /big: no File_system: it does not answer\n",
	      1);
}

/* The file system gives answers that make no sense. */
static void test_lies(void)
{
	unsigned int i, bad = 0;

	for (i = 1; i < LIES; i++) {
		fake.commands = i <= LIE_RING ? "sha256 /big" :
				i == LIE_LINK_LONG ? "stat /link" : "ls -a /etc";
		fake.fs_lies = i;
		if (run() == FAKE_POWEROFF && shell.failed == 1 &&
		    strstr(fake.out, "the server's answer makes no sense\n") &&
		    !fake.open_handles && !fake.bad_calls) {
			fake_reset();
			continue;
		}
		printf("# lie %u: %s\n", i, fake.out);
		bad++;
		fake_reset();
	}
	ok(!bad, "a lying server: an error each time");
}

static void test_output(void)
{
	static char expect[FAKE_BIG + 1];
	unsigned int i;

	for (i = 0; i < FAKE_BIG; i++)
		expect[i] = fake_big(i);
	fake.commands = "cat /big";
	fake.term_room = 1000;
	ok(run() == FAKE_POWEROFF && fake.out_len == FAKE_BIG &&
	   !memcmp(fake.out, expect, FAKE_BIG) && fake.now < PITH_SEC(4),
	   "a slow terminal gets all, unchanged, and signals are enough");
	fake_reset();
	fake.commands = "echo one; cat /big; echo two";
	fake.term_die_at = 50;
	ok(run() == FAKE_POWEROFF && fake.out_len == FAKE_BIG + 8,
	   "the Terminal dies: output goes on");
	fake_reset();
	fake.commands = "cat /big; echo two";
	fake.term_stuck = 1;
	ok(run() == FAKE_POWEROFF && fake.now < PITH_SEC(120) &&
	   strstr(fake.log, "exit status 130"), "a stuck terminal ends a command");
	fake_reset();

	fake.interrupt_at = 3;
	gives("sha256 /big; echo no\necho yes", "^C\nyes\n", 130);
	fake.interrupt_at = 3;
	fake.commands = "cat /big";
	ok(run() == FAKE_POWEROFF && fake.out_len < FAKE_BIG &&
	   strstr(fake.log, "exit status 130") && !fake.open_handles,
	   "ctrl-C ends cat");
	fake_reset();
	fake.interrupt_at = 1;
	gives("repeat 1000000 cat /etc/hosts", "^C\n", 130);
}

static void test_system(void)
{
	static char log[2000];
	unsigned int i;

	gives("kill nvme", "", 0);
	gives("kill nobody", "kill: nobody: no such component\n", 1);
	ok(shows("ps", "  nvme                running           3  137 "
		 "      4096/8184           21/60     61.25\n"),
	   "ps: numbers");
	ok(shows("ps", "  test                exited            0    - "
		 "            0/0             0/0      0.00\n"),
	   "ps: one that has ended");
	ok(shows("ps", "\ninit                  running           -    - "
		 "    1024/102400          77/900"), "ps: init itself");
	gives("sessions nvme", "SERVICE         SERVER          STATE     LABEL\n"
	      "Platform        platform        open      nvme\n"
	      "LOG             core            open      nvme\n", 0);
	gives("sessions x", "sessions: x: no such component\n", 1);

	fake.log_lines = 0;
	gives("log", "", 0);
	fake.log_lines = 250;
	gives("log -n 2", "line  248\nline  249\n", 0);
	fake.log_lines = 50;
	gives("log -n 0", "", 0);
	for (i = 100; i < 250; i++)
		sprintf(log + strlen(log), "line %4u\n", i);
	fake.log_lines = 250;
	gives("log", log, 0);
	gives("log 5; log -n x", "usage: log [-n N]\nusage: log [-n N]\n", 2);

	fake.commands = "echo bye; reboot; echo no";
	ok(run() == FAKE_REBOOT && !strcmp(fake.out, "bye\n") &&
	   fake.drained == 5, "reboot: after the output was seen");
	fake_reset();
	fake.commands = "cd /x";
	fake.no_power = 1;
	ok(run() == 0 && strstr(fake.log, "exit status 1") &&
	   strstr(fake.log, "cannot be switched off"),
	   "poweroff fails: told, and the shell ends");
	fake_reset();
}

#define HEAD	"    CALLS  RECEIVES  FAULTS  SWITCHES CPU PRIO STATE    THREAD\n"

static void test_trace(void)
{
	fake.threads = 2;
	gives("threads", "    CPU s " HEAD
	      "    0.002        20         0       1         0   0    0 "
	      "running  init -> nvme\n"
	      "    0.004        40         0       2         0   0    0 "
	      "waiting  init -> sub -> nvme?\n", 0);
	fake.threads = 2;
	gives("top", "    CPU % " HEAD
	      "      0.2        20         0       0         0   0    0 "
	      "waiting  init -> sub -> nvme?\n"
	      "      0.1        10         0       0         0   0    0 "
	      "running  init -> nvme\n", 0);
	fake.threads = 5;
	gives("trace nvme 2", "    CPU % " HEAD
	      "      0.1        10         0       0         0   0    0 "
	      "running  init -> nvme\n"
	      "      1.2       120         0       4         0   0    0 "
	      "waiting  init -> nvme: worker\n"
	      "      0.1        10         0       0         0   0    0 "
	      "running  init -> nvme\n"
	      "      0.4        40         0       0         0   0    0 "
	      "waiting  init -> nvme: worker\n", 0);
	fake.threads = 3;
	gives("trace vme", "    CPU % " HEAD
	      "trace: vme: no such component runs\n", 1);
	fake.threads = 200;
	ok(shows("threads", "\n    0.400      4000"), "more than a reply holds");
	fake.threads = 200;
	ok(shows("top", HEAD "     20.0      2000"), "top: who ran longest");
	fake.threads = 20;
	fake.trace_lies = 1;
	gives("threads", "threads: TRACE: the server's answer makes no sense\n", 1);
	gives("top 0; top x; trace a 0", "usage: top [SECONDS]\n"
	      "usage: top [SECONDS]\nusage: trace NAME [SECONDS]\n", 2);
}

static void test_prompt(void)
{
	fake.input = "echo hi\rcd /etc\rcat x\rnosuch\x7f\x7f\r\x03pwd\r\x04";
	ok(run() == FAKE_IDLE, "prompt: waits for more");
	ok(strstr(fake.out, "\r\nPith: type help") == fake.out, "the banner");
	ok(strstr(fake.out, "pith:/$ echo hi\r\nhi\r\npith:/$ cd /etc\r\n"
		  "pith:/etc$ cat x\r\ncat: x: no such file or directory\r\n"
		  "pith:/etc [1]$ ") != NULL, "prompts and output, CR LF");
	ok(strstr(fake.out, "nosu: unknown command, try help\r\n"
		  "pith:/etc [127]$ ^C\r\npith:/etc [130]$ pwd\r\n/etc\r\n"
		  "pith:/etc$ \r\nThere is nothing to go back to") != NULL,
	   "ctrl-C and ctrl-D at the prompt");
	ok(!fake.bad_calls && fake.fs_sessions == 1, "one File_system session");
	fake_reset();

	fake.input = "poweroff\r";
	ok(run() == FAKE_POWEROFF && fake.drained, "poweroff");
	fake_reset();
	fake.input = "echo \x1b[A\x1b[A\xff\xfe\r\r\r\n\t\x1b";
	fake.term_room = 3;
	fake.term_die_at = 4;
	ok(run() == FAKE_IDLE && !fake.bad_calls,
	   "odd keys, a slow terminal that dies");
	fake_reset();
}

int main(void)
{
	fake_reset();
	test_lists();
	test_files();
	test_ls();
	test_sha256();
	test_lies();
	test_output();
	test_system();
	test_trace();
	test_prompt();
	return tap_end();
}
