# SPDX-License-Identifier: BSD-2-Clause
"""A kernel build tree in miniature, as Kbuild leaves one."""

import os
import unittest

import measure_fixture as fixture
from pithtools import measure_count, measure_kbuild
from pithtools.measure_lines import ActiveLines, MeasureError, Sloc

TABLE = """\
__SYSCALL(0, sys_read)
__SYSCALL(1, sys_write)
__SYSCALL_NORETURN(2, sys_exit)
__SYSCALL(3, sys_ni_syscall)
__SYSCALL(4, sys_absent)
"""
# read and exit are there; write fell back to the weak alias; absent is absent.
CALLS = """\
#include "h.h"
long __x64_sys_ni_syscall(void) { return -38; }
long __x64_sys_read(void) { return 0; }
long __attribute__((weak)) __x64_sys_write(void) { return -38; }
long __x64_sys_exit(void) { return twice(shared(2)); }
"""
CALLS_ACTIVE = {2, 3, 4, 5}
LIBRARY = {"used": "int shared(int x) { return x; }\n",
           "left": "int left(int x) { return x; }\n"}


class Tree(fixture.Folder):
    def setUp(self):
        super().setUp()
        self.write("include/h.h", fixture.HEADER)
        self.write("kernel/calls.c", CALLS)
        self.write("mm/deep/er/two.c", fixture.TWO)
        self.write("stale.c", "int stale;\n")
        for name, text in LIBRARY.items():
            self.write(f"lib/{name}.c", text)
        self.write(".config", "")
        self.write("include/config/kernel.release", "6.12.0-test\n")
        self.write("arch/x86/include/generated/asm/syscalls_64.h", TABLE)
        self.build()

    def build(self, flags="-g"):
        for source in ("kernel/calls", "mm/deep/er/two", "lib/used",
                       "lib/left", "stale"):
            self.compile(source, flags)
        self.compile("arch/x86/boot/setup", "-g",
                     "int setup(void) { return 1; }\n")
        self.run_in("ar rcsT lib/lib.a lib/used.o lib/left.o")
        self.run_in("ar rcST vmlinux.a kernel/calls.o mm/deep/er/two.o")
        self.link("vmlinux.o", "ld -r -o vmlinux.o --whole-archive "
                  "vmlinux.a --no-whole-archive --start-group lib/lib.a "
                  "--end-group", " ; ./tools/objtool/objtool --link")
        self.run_in("ld -e two -o vmlinux vmlinux.o")
        self.link("arch/x86/boot/setup.elf", "ld -e setup -o "
                  "arch/x86/boot/setup.elf arch/x86/boot/setup.o")
        self.write("arch/x86/boot/bzImage", "x" * 1234)

    def compile(self, name, flags, text=None):
        if text:
            self.write(f"{name}.c", text)
        command = f"gcc -O0 {flags} -fno-asynchronous-unwind-tables " \
            f"-Iinclude -DQUOTE='\"$$(pound)\"' -c -o {name}.o {name}.c"
        folder, base = os.path.split(f"{name}.o")
        self.run_in(command.replace("$$", "$"))
        self.write(f"{folder}/.{base}.cmd" if folder else f".{base}.cmd",
                   f"savedcmd_{name}.o := {command} ; ./objtool {name}.o\n\n"
                   f"source_{name}.o := {name}.c\n")

    def link(self, output, command, after=""):
        self.run_in(command)
        folder, base = os.path.split(output)
        self.write(f"{folder}/.{base}.cmd" if folder else f".{base}.cmd",
                   f"savedcmd_{output} := {command}{after}\n")

    def measure(self, **more):
        counter = measure_count.Counter(
            ActiveLines(self.folder / "cache", "k"),
            Sloc(self.folder / "cache"))
        return measure_count.kernel(self.folder, counter, **more)

    def test_objects_that_were_linked(self):
        groups = measure_kbuild.KernelTree(self.folder).groups()
        names = {g: sorted(os.path.relpath(c.object, self.folder)
                           for c in compiles)
                 for g, compiles in groups.items()}
        self.assertEqual(names, {
            "vmlinux": ["kernel/calls.o", "lib/used.o", "mm/deep/er/two.o"],
            "boot": ["arch/x86/boot/setup.o"]})

    def test_totals(self):
        found = self.measure()
        self.assertEqual(found["release"], "6.12.0-test")
        self.assertEqual(found["files"], 3)
        self.assertEqual(found["active_c"],
                         len(CALLS_ACTIVE) + len(fixture.TWO_ACTIVE) + 1)
        self.assertEqual(found["active_h"], len(fixture.HEADER_ACTIVE))
        self.assertEqual(found["sloc"], 5 + fixture.TWO_SLOC + 1)
        # Code: calls.c lines 2 to 5, used.c 1, two.c: int two(void) is on
        # line 3, its return on 5, its end on 6; in h.h 8, 9 and 10 (the
        # function starts on line 7 but gcc names the one with its name).
        self.assertEqual(found["linked_lines"], 4 + 1 + 3 + 3)
        self.assertEqual(found["syscalls"], 2)
        self.assertEqual(found["bzimage_bytes"], 1234)
        self.assertNotIn("boot_free_kb", found)

    def test_boot_code_is_apart(self):
        found = self.measure()
        self.assertEqual(found["groups"]["boot"]["active_c"], 1)
        self.assertEqual(found["groups"]["boot"]["linked_lines"], 1)
        self.assertNotIn("arch/x86", found["directories"])

    def test_directories(self):
        found = self.measure()
        self.assertEqual(set(found["directories"]),
                         {"kernel", "lib", "mm/deep", "include"})
        for key in ("active_c", "active_h", "sloc", "files", "linked_lines",
                    "text_bytes"):
            self.assertEqual(sum(d[key] for d in
                                 found["directories"].values()), found[key])
        self.assertEqual(set(self.measure(depth=3)["directories"]),
                         {"kernel", "lib", "mm/deep/er", "include"})

    def test_prefix_map(self):
        before = self.measure()
        self.build(f"-g -fdebug-prefix-map={self.folder}=.")
        self.assertEqual(self.measure(), before)

    def test_without_debug_information(self):
        self.build("-g0")
        found = self.measure()
        self.assertNotIn("linked_lines", found)
        self.assertGreater(found["text_bytes"], 0)

    def test_boot_log(self):
        log = self.write("log", "x\n[core] boot: RAM total 523000 KiB, free "
                         "at first process 500123 KiB\n")
        found = self.measure(boot_log=log)
        self.assertEqual(found["boot_free_kb"], 500123)
        self.assertEqual(found["boot_total_kb"], 523000)

    def test_not_a_build_tree(self):
        os.unlink(self.folder / "vmlinux")
        with self.assertRaisesRegex(MeasureError, "no vmlinux"):
            self.measure()

    def test_missing_record(self):
        os.unlink(self.folder / "kernel/.calls.o.cmd")
        with self.assertRaisesRegex(MeasureError, "calls.o: no record"):
            self.measure()


if __name__ == "__main__":
    unittest.main()
