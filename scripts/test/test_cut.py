# SPDX-License-Identifier: BSD-2-Clause
"""Cuts: finding definitions in C source, and what the compiler then sees."""

import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from pithtools import cut

SOURCE = """\
#include "some.h"
/* int commented(void) { return 0; } */
static int helper(int a);
struct shape {
	int x;
};

/* Says what it does. */
static __always_inline
int helper(int a)
{
	const char *s = "}";
#ifdef SOME
	return a + (s != 0);
#else
	return a;
#endif
}

static const int table[] = {
	1, 2,
};
int counter;
EXPORT_SYMBOL(counter);

int outer(int a)
{
	counter += table[0];
	return helper(a);
}
EXPORT_SYMBOL_GPL(outer);
core_initcall(outer);

SYSCALL_DEFINE2(thing, int, a,
		int, b)
{
	return a + b;
}

static struct shape *__last(struct shape *s)
{
	return s;
}
static DEFINE_PER_CPU(struct shape, per_cpu_shape) = { .x = 1 };
int kept(void)
{
	return 0;
}
"""
MACROS = ["-DEXPORT_SYMBOL(x)=", "-DEXPORT_SYMBOL_GPL(x)=",
          "-Dcore_initcall(x)=", "-DSYSCALL_DEFINE2(n,a,b,c,d)=int n(a b,c d)",
          "-DDEFINE_PER_CPU(t,n)=t n", "-D__always_inline=inline"]


class Cuts(unittest.TestCase):
    def setUp(self):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="pith-cut-"))
        self.addCleanup(shutil.rmtree, self.top)
        (self.top / "a").mkdir()
        (self.top / "a/x.c").write_text(SOURCE)
        (self.top / "a/some.h").write_text("")
        (self.top / "a/Makefile").write_text("obj-y := x.o xx.o sub/\n")

    def apply(self, body):
        cut.apply(self.top, body)
        return (self.top / "a/x.c").read_text()

    def left(self, *options):
        """Names that the compiler finds defined."""
        run = subprocess.run(["gcc", "-w", "-c", "-o", self.top / "x.o",
                              *MACROS, *options, self.top / "a/x.c"],
                             capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stderr)
        out = subprocess.run(["nm", self.top / "x.o"], capture_output=True,
                             text=True, check=True).stdout
        return {line.split()[-1] for line in out.splitlines()}

    def test_names(self):
        kinds = {i.names[0]: i.kind for i in cut.items(SOURCE)
                 if i.names and i.kind not in ("about", "prototype")}
        self.assertEqual(kinds, {
            "shape": "type", "helper": "function", "table": "data",
            "counter": "data", "outer": "function", "thing": "function",
            "__last": "function", "per_cpu_shape": "data",
            "kept": "function"})

    def test_cut(self):
        self.apply("keep if CONFIG_ALL\na/x.c: outer helper table thing\n"
                   "\tcounter __last shape per_cpu_shape\n")
        self.assertEqual(self.left(), {"kept"})
        self.assertLessEqual({"outer", "thing", "counter", "kept"},
                             self.left("-DCONFIG_ALL"))

    def test_neighbours_share_a_region(self):
        text = self.apply("keep if CONFIG_ALL\na/x.c: outer thing __last\n")
        self.assertEqual(text.count("#ifdef CONFIG_ALL"), 1)
        self.assertEqual(re.sub(r"#ifdef CONFIG_ALL\n", "", text).count(
            "#endif"), SOURCE.count("#endif") + 1)

    def test_what_is_said_about_it_goes_too(self):
        text = self.apply("keep if CONFIG_ALL\na/x.c: outer\n")
        region = text[text.index("#ifdef CONFIG_ALL"):]
        region = region[:region.index("#endif")]
        self.assertIn("EXPORT_SYMBOL_GPL(outer);", region)
        self.assertIn("core_initcall(outer);", region)

    def test_objects(self):
        self.apply("keep if CONFIG_ALL\na/Makefile: x.o sub/\n")
        (self.top / "a/Makefile").open("a").write("all:;@echo $(obj-y)\n")
        for set_, left in ((), "xx.o"), (("CONFIG_ALL=y",), "x.o xx.o sub/"):
            run = subprocess.run(["make", "-s", "-C", self.top / "a", *set_,
                                  "all"], capture_output=True, text=True,
                                 env={"PATH": "/usr/bin:/bin"})
            self.assertEqual(run.stdout.strip(), left, run.stderr)

    def test_refused(self):
        for body, reason in (
                ("a/x.c: outer\n", "expected"),
                ("keep if CONFIG_ALL\na/x.c: outer gone\n", "gone"),
                ("keep if CONFIG_ALL\na/x.c: commented\n", "commented"),
                ("keep if CONFIG_ALL\na/y.c: outer\n", "a/y.c"),
                ("keep if CONFIG_ALL\na/Makefile: y.o\n", "y.o"),
                ("keep if CONFIG_ALL\n../a/x.c: outer\n", "neither"),
                ("keep if CONFIG_ALL\n\touter\n", "no file")):
            with self.subTest(body), self.assertRaisesRegex(
                    cut.CutError, reason):
                self.apply(body)
            self.assertEqual((self.top / "a/x.c").read_text(), SOURCE)


if __name__ == "__main__":
    unittest.main()
