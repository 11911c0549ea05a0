# SPDX-License-Identifier: BSD-2-Clause
"""The patch life cycle on a kernel source of four small files."""

import os
import pathlib
import shutil
import tarfile
import tempfile
import unittest
from unittest import mock

from pithtools import cache, kernel, lifecycle

MAKEFILE = "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 1\nEXTRAVERSION =\n"
FORK = "".join(f"int line_{i};\n" for i in range(40))
HEADER = """\
Subject: fork: have the tenth line say eleven

The tenth line says ten, which is one less than eleven; whoever counts on it
is off by one. Change it here, because nothing else reads the line.

Cost: one line in a file that stable updates rarely touch.
---
"""
DIFF = """\
--- a/kernel/fork.c
+++ b/kernel/fork.c
@@ -8,7 +8,7 @@ int line_6;
 int line_7;
 int line_8;
 int line_9;
-int line_10;
+int line_eleven;
 int line_11;
 int line_12;
 int line_13;
"""
PATCH = "100-eleven.patch"


class SeriesTest(unittest.TestCase):
    def setUp(self):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="pith-series-"))
        self.addCleanup(shutil.rmtree, self.top)
        patcher = mock.patch.dict(os.environ,
                                  {"PITH_CACHE": str(self.top / "cache")})
        patcher.start()
        self.addCleanup(patcher.stop)
        self.patches = self.top / "patches"
        (self.patches / "files/kernel/pith").mkdir(parents=True)
        (self.patches / "files/kernel/pith/new.c").write_text("int new;\n")
        (self.patches / "series").write_text(f"# one\n{PATCH}\n")
        (self.patches / PATCH).write_text(HEADER + DIFF)
        self.tarball = self.make_tarball("one", FORK)
        for module in (kernel, lifecycle):
            silence = mock.patch.object(module, "say")
            silence.start()
            self.addCleanup(silence.stop)

    def make_tarball(self, name, fork, makefile=MAKEFILE,
                     kconfig="config OLD\n\tbool\n"):
        tree = self.top / name / "linux"
        (tree / "kernel").mkdir(parents=True)
        (tree / "Makefile").write_text(makefile)
        (tree / "kernel/fork.c").write_text(fork)
        (tree / "kernel/exit.c").write_text("int exit_line;\n")
        (tree / "kernel/Kconfig").write_text(kconfig)
        path = self.top / f"{name}.tar.xz"
        with tarfile.open(path, "w:xz") as archive:
            archive.add(tree, "linux")
        return path

    def compose(self, tarball):
        dest = pathlib.Path(tempfile.mkdtemp(dir=self.top))
        return dest, kernel.compose(kernel.pristine(tarball), dest,
                                    self.patches)

    def sync(self):
        source = kernel.pristine(self.tarball)
        tree = source.with_name("tree")
        if not tree.exists():
            kernel.link_tree(source, tree)
        return tree, kernel.sync(source, tree, self.patches)

    def test_composes_only_affected_files(self):
        dest, outcomes = self.compose(self.tarball)
        self.assertEqual([o.state for o in outcomes], ["clean"])
        found = sorted(str(p.relative_to(dest)) for p in dest.rglob("*.c"))
        self.assertEqual(found, ["kernel/fork.c", "kernel/pith/new.c"])
        self.assertIn("line_eleven", (dest / "kernel/fork.c").read_text())

    def test_offset_fuzz_and_reject_are_told_apart(self):
        for name, fork, state in (
                ("offset", "int first;\n" * 5 + FORK, "offset"),
                ("fuzz", FORK.replace("line_7;", "line_seven;"), "fuzz"),
                ("reject", FORK.replace("line_10;", "line_ten;"), "reject")):
            with self.subTest(name):
                _, outcomes = self.compose(self.make_tarball(name, fork))
                self.assertEqual(outcomes[0].state, state)

    def test_reject_stops_and_names_the_patch(self):
        tarball = self.make_tarball("bad", FORK.replace("10;", "ten;"))
        _, outcomes = self.compose(tarball)
        with self.assertRaisesRegex(kernel.Error, PATCH):
            kernel.report_outcomes(outcomes)

    def test_another_series_is_refused(self):
        tarball = self.make_tarball("other", FORK, MAKEFILE.replace("12", "13"))
        with self.assertRaisesRegex(kernel.Error, "6.13.1"):
            kernel.pristine(tarball)

    def test_sync_rewrites_only_what_changed(self):
        tree, changed = self.sync()
        self.assertEqual(changed, ["kernel/fork.c", "kernel/pith/new.c"])
        before = (tree / "kernel/fork.c").stat().st_mtime_ns
        (self.patches / "files/kernel/pith/new.c").write_text("int newer;\n")
        _, changed = self.sync()
        self.assertEqual(changed, ["kernel/pith/new.c"])
        self.assertEqual((tree / "kernel/fork.c").stat().st_mtime_ns, before)

    def test_sync_restores_what_left_the_series(self):
        tree, _ = self.sync()
        (self.patches / "series").write_text("")
        (self.patches / "files/kernel/pith/new.c").unlink()
        _, changed = self.sync()
        self.assertEqual(changed, ["kernel/fork.c", "kernel/pith/new.c"])
        self.assertEqual((tree / "kernel/fork.c").read_text(), FORK)
        self.assertFalse((tree / "kernel/pith/new.c").exists())

    def test_sync_never_writes_into_the_pristine_source(self):
        self.sync()
        source = kernel.pristine(self.tarball)
        self.assertEqual((source / "kernel/fork.c").read_text(), FORK)

    def test_interrupted_unpacking_is_done_again(self):
        source = kernel.pristine(self.tarball)
        shutil.rmtree(source)
        half = source.with_name(source.name + ".new")
        half.mkdir()
        (half / "Makefile").write_text("half")
        self.assertEqual((kernel.pristine(self.tarball) / "Makefile")
                         .read_text(), MAKEFILE)

    def test_refresh_of_fresh_tree_gives_no_diff(self):
        self.assertEqual(lifecycle.check(self.patches, self.tarball), [])

    def unpack(self):
        tree = self.top / "work"
        lifecycle.unpack(tree, self.tarball, folder=self.patches)
        return tree

    def commit(self, tree, message):
        lifecycle.commit(tree, message, lifecycle.NOBODY)

    def test_one_commit_per_patch(self):
        log = lifecycle.git(self.unpack(), "log", "--format=%s").splitlines()
        self.assertEqual(log, ["fork: have the tenth line say eleven",
                               lifecycle.FILES_SUBJECT, "Linux 6.12.1"])

    def test_refresh_takes_edits_back(self):
        tree = self.unpack()
        (tree / "kernel/exit.c").write_text("int exit_changed;\n")
        self.commit(tree, "exit: change\n\nWhy.\n\nPatch: 110-exit.patch\n")
        (tree / "kernel/pith/new.c").write_text("int newest;\n")
        self.commit(tree, "wip\n")
        changed = lifecycle.refresh(tree, self.patches)
        self.assertEqual(sorted(changed), ["110-exit.patch",
                                           "files/kernel/pith/new.c", "series"])
        self.assertEqual((self.patches / "series").read_text(),
                         f"# one\n{PATCH}\n110-exit.patch\n")
        text = (self.patches / "110-exit.patch").read_text()
        self.assertTrue(text.startswith("Subject: exit: change\n\nWhy.\n---\n"
                                        "--- a/kernel/exit.c\n"))
        self.assertNotIn("index ", text)

    def test_refresh_keeps_the_author(self):
        text = (self.patches / PATCH).read_text()
        (self.patches / PATCH).write_text(
            "From: A Hacker <hacker@example.org>\n" + text)
        self.assertEqual(lifecycle.check(self.patches, self.tarball), [])

    def test_refresh_refuses_nameless_commits_and_loose_changes(self):
        tree = self.unpack()
        (tree / "kernel/exit.c").write_text("int exit_changed;\n")
        with self.assertRaisesRegex(kernel.Error, "not committed"):
            lifecycle.refresh(tree, self.patches)
        self.commit(tree, "exit: change\n")
        with self.assertRaisesRegex(kernel.Error, "Patch: NNN-name.patch"):
            lifecycle.refresh(tree, self.patches)

    def test_check_complains(self):
        path = self.patches / PATCH
        text = path.read_text()
        for old, new, complaint in (
                ("Cost:", "Prize:", "no `Cost:`"),
                ("fork: have", "Have", "subject"),
                ("@@ int line_6;", "@@ elsewhere", "refresh would change")):
            with self.subTest(complaint):
                path.write_text(text.replace(old, new))
                found = lifecycle.check(self.patches, self.tarball)
                self.assertIn(complaint, "\n".join(found))
        path.write_text(text)
        (self.patches / "200-stray.patch").write_text(text)
        self.assertIn("200-stray.patch: not in the series",
                      lifecycle.check(self.patches, self.tarball))

    def test_cache_must_be_outside_of_the_checkout(self):
        with mock.patch.dict(os.environ,
                             {"PITH_CACHE": str(cache.REPO / "build/c")}):
            with self.assertRaises(SystemExit):
                cache.root()

    def test_refused_path_leaves_nothing(self):
        text = (self.patches / PATCH).read_text()
        (self.patches / PATCH).write_text(
            text.replace("kernel/fork.c", "../outside.c"))
        with self.assertRaisesRegex(kernel.Error, "leaves the tree"):
            self.compose(self.tarball)

    def test_bump_reports_patches_and_symbols(self):
        new = self.make_tarball("new", "int first;\n" + FORK,
                                MAKEFILE.replace("= 1\n", "= 2\n"),
                                "config NEW\n\tbool\n")
        kconfig = self.top / "kconfig"
        kconfig.mkdir()
        old, new = kernel.pristine(self.tarball), kernel.pristine(new)
        (kconfig / "a.config").write_text("CONFIG_OTHER=y\n")
        text, ok = lifecycle.bump(old, new, self.patches, kconfig)
        self.assertTrue(ok)
        self.assertEqual(text.splitlines(), [
            "from 6.12.1 to 6.12.2", f"offset  {PATCH}",
            "new Kconfig symbols: NEW", "removed Kconfig symbols: OLD",
            "of these, in our fragments: none"])
        (kconfig / "a.config").write_text("# CONFIG_OLD is not set\n")
        text, ok = lifecycle.bump(old, new, self.patches, kconfig)
        self.assertFalse(ok)
        self.assertIn("of these, in our fragments: OLD", text)


if __name__ == "__main__":
    unittest.main()
