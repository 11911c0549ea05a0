# SPDX-License-Identifier: BSD-2-Clause
"""Cuts: finding definitions in C source, and what the compiler then sees."""

import pathlib
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
        text = self.apply("a/x.c: outer helper table thing\n"
                          "\tcounter __last shape per_cpu_shape\n")
        self.assertEqual(self.left(), {"kept"})
        self.assertEqual(text, """\
#include "some.h"
/* int commented(void) { return 0; } */

int kept(void)
{
	return 0;
}
""")

    def test_what_is_said_about_it_goes_too(self):
        text = self.apply("a/x.c: outer\n")
        self.assertNotIn("EXPORT_SYMBOL_GPL", text)
        self.assertNotIn("core_initcall", text)
        self.assertIn("EXPORT_SYMBOL(counter);", text)

    def test_its_comment_goes_too(self):
        text = self.apply("a/x.c: helper\n")
        self.assertNotIn("Says what it does", text)
        self.assertIn("commented", text)

    def test_objects(self):
        self.apply("a/Makefile: x.o sub/\n")
        (self.top / "a/Makefile").open("a").write("all:;@echo $(obj-y)\n")
        run = subprocess.run(["make", "-s", "-C", self.top / "a", "all"],
                             capture_output=True, text=True,
                             env={"PATH": "/usr/bin:/bin"})
        self.assertEqual(run.stdout.strip(), "xx.o", run.stderr)

    def test_not_cut(self):
        """What has no name of its own, or gives names to others."""
        for text in ("enum colour {\n\tRED,\n};\n",
                     "static struct {\n\tint x;\n} state __read_mostly;\n",
                     "static DEVICE_ATTR(version, 0444, a, b);\n",
                     "int a, b;\n"):
            with self.subTest(text):
                self.assertEqual([i.kind for i in cut.items(text)],
                                 ["other"])

    def test_name_before_its_place(self):
        for text in ("static mask_t waiting __cpumask_var_read_mostly;\n",
                     "static u16 waiting[4] __ro_after_init = { 1 };\n",
                     "DEFINE_STATIC_KEY_MAYBE_RO(CONFIG_X, waiting);\n"):
            with self.subTest(text):
                self.assertEqual(cut.items(text)[0].names, ["waiting"])

    def test_refused(self):
        for body, reason in (
                ("a/x.c: outer gone\n", "gone"),
                ("a/x.c: commented\n", "commented"),
                ("a/y.c: outer\n", "a/y.c"),
                ("a/Makefile: y.o\n", "y.o"),
                ("../a/x.c: outer\n", "neither"),
                ("\touter\n", "no file")):
            with self.subTest(body), self.assertRaisesRegex(
                    cut.CutError, reason):
                self.apply(body)
            self.assertEqual((self.top / "a/x.c").read_text(), SOURCE)


if __name__ == "__main__":
    unittest.main()
