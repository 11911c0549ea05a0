# SPDX-License-Identifier: BSD-2-Clause
"""The tools that judge: a test that failed must never count as passed."""

import concurrent.futures
import pathlib
import re
import struct
import sys
import tempfile
import threading
import time
import unittest
import zlib
from unittest import mock

import qemu
from testlib import host, report, scenario

sys.path.insert(0, str(scenario.TOP / "ktest"))
import images  # noqa: E402


def tap(text):
    result = report.Result("x")
    report.read_tap(result, text)
    return result


class ImagesAtOnce(unittest.TestCase):
    def test_made_once_for_two_who_ask(self):
        made, both = [], threading.Barrier(2)

        def make(image):
            made.append(image)
            time.sleep(0.2)
            image.write_bytes(b"x")

        def ask(_):
            both.wait()
            return images.path("slow")

        with tempfile.TemporaryDirectory() as folder, \
                mock.patch.object(images, "OUT", pathlib.Path(folder)), \
                mock.patch.dict(images.RECIPES, slow=make), \
                concurrent.futures.ThreadPoolExecutor(2) as pool:
            found = list(pool.map(ask, range(2)))
            self.assertEqual(found[0].read_bytes(), b"x")
        self.assertEqual(found[0], found[1])
        self.assertEqual(len(made), 1)


class Tap(unittest.TestCase):
    def test_counts(self):
        r = tap("1..3\nok 1 - a\nnot ok 2 - b\nok 3 c # SKIP no tool\n")
        self.assertEqual((r.passed, r.failed, r.skipped), (1, 1, 1))
        self.assertEqual(r.failures, ["b"])

    def test_plan_at_the_end(self):
        self.assertEqual(tap("ok 1 a\nok 2 b\n1..2\n").failed, 0)

    def test_no_plan(self):
        self.assertEqual(tap("ok 1 - a\n").failed, 1)

    def test_nothing(self):
        self.assertEqual(tap("").failed, 1)
        self.assertEqual(tap("1..0\n").failed, 1)

    def test_cut_short(self):
        self.assertEqual(tap("1..3\nok 1 a\nok 2 b\n").failed, 1)

    def test_too_many(self):
        self.assertEqual(tap("1..1\nok 1 a\nok 2 b\n").failed, 1)

    def test_two_plans(self):
        self.assertEqual(tap("1..1\nok 1 a\n1..1\n").failed, 1)

    def test_kernel_time_stamps(self):
        r = tap("[    1.234567] 1..2\n[    1.3] ok 1 a\n[   12.4] not ok 2 b\n")
        self.assertEqual((r.passed, r.failed), (1, 1))

    def test_detail_of_a_failure(self):
        r = tap("1..2\n# fine\nok 1 a\n# why\nnot ok 2 b\n")
        self.assertEqual(r.detail, ["# why", "not ok 2 b"])

    def test_words_that_only_look_like_results(self):
        self.assertEqual(tap("1..1\nokay then\nok 1 a\n not ok 2\n").passed, 1)


class Splats(unittest.TestCase):
    def test_found(self):
        for line in (
                "BUG: kernel NULL pointer dereference, address: 0",
                "WARNING: CPU: 0 PID: 1 at mm/x.c:1 f+0x1/0x2",
                "Oops: general protection fault, kernel NULL pointer",
                "Call Trace:", "Kernel panic - not syncing: x",
                "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
                "WARNING: possible recursive locking detected",
                "BUG: scheduling while atomic: init/1/0x2",
                "refcount_t: underflow; use-after-free.",
                "UBSAN: array-index-out-of-bounds in x.c:1:1",
                "BUG: KASAN: slab-use-after-free in f", "Bad page state",
                "BUG: sleeping function called from invalid context",
                "irq 4: nobody cared", "Out of memory: Killed process 1",
                "divide error: 0000 [#1] SMP",
                "traps: PANIC: double fault, error_code: 0x0"):
            self.assertEqual(qemu.splats("a\n" + line + "\nb"), [line], line)

    def test_not_found(self):
        for line in (
                "traps: end_gp[12] general protection fault ip:41 sp:7f "
                "error:0 in pith[1,4000+24000]",
                "traps: end_fpe[12] trap divide error ip:41 sp:7f error:0",
                "[init -> nvme] error: NO IOMMU", "Run /init as init process"):
            self.assertEqual(qemu.splats(line), [], line)


class Terminal(unittest.TestCase):
    def test_prompt(self):
        hit = scenario.PROMPT.search("out\npith:/data [130]$ ")
        self.assertEqual((hit[1], hit[2]), ("/data", "130"))
        self.assertTrue(scenario.PROMPT.search("pith:/$ "))
        # half typed, or in the middle of output
        self.assertFalse(scenario.PROMPT.search("\npith:/$ ls"))
        self.assertFalse(scenario.PROMPT.search("a pith:/$ "))

    def test_escapes(self):
        self.assertEqual(scenario.ESCAPES.sub("", "a\x1b[Kb\x1b[12;3Hc"), "abc")

    def check(self, expect, output, without=()):
        step = {"nodes": [
            {"type": "expect", "quote": expect, "nodes": []},
            {"type": "without", "quote": list(without), "nodes": []}]}
        scenario.Run.check_output("x", step, output)

    def test_expected_lines_are_in_order(self):
        self.check(["^a", "^b"], "a1\nb1\n")
        with self.assertRaises(qemu.Failure):
            self.check(["^b", "^a"], "a1\nb1\n")
        with self.assertRaises(qemu.Failure):
            self.check(["^a", "^a"], "a1\nb1\n")

    def test_unwanted(self):
        with self.assertRaises(qemu.Failure):
            self.check(["a"], "a\nb\n", ["b"])

    def test_hash(self):
        self.check(["^{sha256:/data/1}$"], images.sha256("/data/1") + "\n")
        with self.assertRaises(qemu.Failure):
            self.check(["^{sha256:/data/1}$"], images.sha256("/empty") + "\n")


class Scenarios(unittest.TestCase):
    def test_all_can_be_read(self):
        """Every file, its config, and every regular expression in it."""
        self.assertGreater(len(scenario.find()), 30)
        for path in scenario.find():
            with self.subTest(path.stem):
                tree = scenario._parse(path)
                scenario._config_text(scenario._one(tree, "config"))
                self.walk(scenario._one(tree, "steps"))

    def walk(self, node):
        for step in node["nodes"]:
            if step["type"] in ("await", "log", "expect", "without"):
                for line in step["quote"]:
                    re.compile(scenario._expand(line))
            elif step["type"] != "command":
                self.assertTrue(hasattr(scenario.Run, "do_" + step["type"]),
                                step["type"])
            self.walk(step)

    def test_a_way_to_boot_that_is_none(self):
        node = {"nodes": [{"type": "machine", "attrs": {"boot": "bios"}}]}
        with self.assertRaisesRegex(scenario.Wrong, "boot: bios: .* uefi"):
            scenario._machine(node, None, None)

    def test_edit_that_does_not_fit(self):
        node = {"name": "first_light", "quote": [], "nodes": [
            {"type": "replace", "nodes": [
                {"type": "old", "quote": ["no such line"], "nodes": []},
                {"type": "new", "quote": ["x"], "nodes": []}]}]}
        with self.assertRaises(scenario.Wrong):
            scenario._config_text(node)

    def test_added_nodes_stand_before_the_end(self):
        node = {"name": "first_light", "quote": [], "nodes": [
            {"type": "add", "quote": ["+ start x"], "nodes": []}]}
        self.assertRegex(scenario._config_text(node),
                         r"\n\+ start x\n-\n\Z")


class Images(unittest.TestCase):
    def test_a_gpt_of_4096_byte_blocks(self):
        """Both headers and their entries hold what their checksums say."""
        size = 48 << 20
        with tempfile.TemporaryDirectory() as temp:
            image = pathlib.Path(temp) / "image"
            images.blank(image, size)
            images.gpt_4096(image, size)
            data = image.read_bytes()
        for block in (1, size // 4096 - 1):
            head = data[block * 4096:][:92]
            here, table = (struct.unpack_from("<Q", head, at)[0]
                           for at in (24, 72))
            crc, entries_crc = (struct.unpack_from("<I", head, at)[0]
                                for at in (16, 88))
            self.assertEqual(head[:8], b"EFI PART")
            self.assertEqual(here, block)
            self.assertEqual(zlib.crc32(head[:16] + bytes(4) + head[20:]), crc)
            self.assertEqual(zlib.crc32(data[table * 4096:][:128 * 128]),
                             entries_crc)


class HostTests(unittest.TestCase):
    def build_and_run(self, text):
        with tempfile.TemporaryDirectory(dir=host.TOP / "build") as temp:
            path = pathlib.Path(temp) / "test/made_test.c"
            path.parent.mkdir()
            path.write_text(text)
            return host.unit(str(path.relative_to(host.TOP)))

    def test_passes(self):
        r = self.build_and_run('#include <stdio.h>\nint main(void)\n'
                               '{ puts("ok 1 - a\\n1..1"); return 0; }\n')
        self.assertEqual((r.passed, r.failed), (1, 0), r.detail)

    def test_sanitizer(self):
        r = self.build_and_run(
            '#include <stdio.h>\nint main(int c, char **v)\n'
            '{ int a[2] = { 0 }; (void)v; puts("ok 1 - a\\n1..1");\n'
            'fflush(stdout); return a[c + 1]; }\n')
        self.assertGreater(r.failed, 0)

    def test_exit_status(self):
        r = self.build_and_run('#include <stdio.h>\nint main(void)\n'
                               '{ puts("ok 1 - a\\n1..1"); return 3; }\n')
        self.assertEqual(r.failures, ["exit status 3"])

    def test_warning_is_an_error(self):
        r = self.build_and_run("int main(void) { int unused; return 0; }\n")
        self.assertEqual(r.failures, ["does not build"])


if __name__ == "__main__":
    unittest.main()
