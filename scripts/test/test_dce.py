# SPDX-License-Identifier: BSD-2-Clause
"""The kernel's scripts/dce.py on an object of a few functions."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from pithtools import cache

DCE = cache.REPO / "patches/files/scripts/dce.py"
SOURCE = r"""
#define ENTRY(section, code, other) \
	asm(".pushsection " section ",\"a\"\n\t.long " code " - .\n\t.long " \
	    other " - .\n\t.long 0\n\t.popsection");

extern int fixed_live(void), fixed_dead(void);
int used = 1, unused = 2;
__attribute__((noinline)) int callee(void) { return used; }
int start(void) { return callee(); }
int dead(void) { return unused; }
int fixed_live(void) { return 3; }
int fixed_dead(void) { return 4; }
ENTRY("__ex_table", "start", "fixed_live")
ENTRY("__ex_table", "dead", "fixed_dead")
asm(".pushsection .initcall,\"a\"\n\t.long called - .\n\t.popsection");
int called(void) { return 5; }
"""


class Dce(unittest.TestCase):
    def setUp(self):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="pith-dce-"))
        self.addCleanup(shutil.rmtree, self.top)
        (self.top / "a.c").write_text(SOURCE)
        (self.top / "a.lds").write_text("ENTRY(start)\n")
        self.run_("gcc", "-O1", "-c", "-fno-pic", "-ffunction-sections",
                  "-fdata-sections", "-fcf-protection=none",
                  "-fno-asynchronous-unwind-tables", "-o", "a.o",
                  "a.c")

    def run_(self, *command, status=0):
        run = subprocess.run(command, cwd=self.top, capture_output=True,
                             text=True)
        self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        return run.stdout + run.stderr

    def dce(self):
        self.run_(sys.executable, DCE, "a.o", "a.lds", "report")
        lines = (self.top / "report").read_text().splitlines()
        return {line.split()[2]: line.split()[0] for line in lines}

    def test_reached(self):
        found = self.dce()
        for name in ("start", "callee", "used", "called", "fixed_live"):
            self.assertEqual(found[name], "alive", name)
        for name in ("dead", "unused", "fixed_dead"):
            self.assertEqual(found[name], "dead", name)

    def test_table_loses_the_entry_of_dead_code(self):
        self.dce()
        sections = self.run_("readelf", "-SW", "a.o")
        size = re.search(r" __ex_table +PROGBITS +\S+ +\S+ +(\w+)", sections)
        self.assertEqual(int(size[1], 16), 12)
        relocations = self.run_("readelf", "-rW", "a.o")
        table = relocations[relocations.index(".rela__ex_table"):]
        self.assertIn("fixed_live", table.split("\n\n")[0])
        self.assertNotIn("dead", table.split("\n\n")[0])

    def test_linker_drops_it(self):
        self.dce()
        self.run_("ld", "-e", "start", "-o", "a", "a.o")
        symbols = self.run_("nm", "a")
        self.assertRegex(symbols, r"\bstart\b")
        self.assertNotRegex(symbols, r"\bdead\b|\bunused\b")

    def test_odd_table_is_refused(self):
        with (self.top / "a.c").open("a") as file:
            file.write('asm(".pushsection __ex_table,\\"a\\"\\n.long 0\\n'
                       '.popsection");\n')
        self.run_("gcc", "-c", "-fno-pic", "-ffunction-sections", "-o", "a.o",
                  "a.c")
        before = (self.top / "a.o").read_bytes()
        self.assertIn("entries of 12", self.run_(
            sys.executable, DCE, "a.o", "a.lds", status=1))
        self.assertEqual((self.top / "a.o").read_bytes(), before)


if __name__ == "__main__":
    unittest.main()
