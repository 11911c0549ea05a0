# SPDX-License-Identifier: BSD-2-Clause
import os
import subprocess

import measure_fixture as fixture
from pithtools import measure_elf as elf

PROGRAM = """\
static int helper(int x) {
	return x + 1;
}

int unused(int x) {
	return x + 2;
}

void _start(void) {
	helper(1);
}
"""
LINKED = {1, 2, 3, 9, 10, 11}	# unused() is thrown away
BUILD = ("gcc -O0 -ffreestanding -ffunction-sections -fno-inline {} -nostdlib "
         "-static -no-pie -Wl,--gc-sections -o program program.c")

# 5 + 3 bytes in sized symbols, an alias, and padding that is in neither.
CODE = """\
	.text
	.globl first, also_first, second
	.type first, @function
first:
also_first:
	.skip 5
	.size first, 5
	.size also_first, 5
	.balign 4096
	.type second, @function
second:
	.skip 3
	.size second, 3
	.data
	.globl thing
thing:
	.skip 64
	.size thing, 64
"""


class Linked(fixture.Folder):
    def linked(self, flags):
        self.write("program.c", PROGRAM)
        self.run_in(BUILD.format(flags))
        table = elf.LineTable(elf.Elf(self.folder / "program"), self.folder)
        return {os.path.relpath(p, self.folder): lines
                for p, lines in table.by_path().items()}

    def test_versions(self):
        for flags in ("-gdwarf-5", "-gdwarf-4", "-gdwarf-3", "-gdwarf-5 -gz",
                      "-gdwarf-4 -m32"):
            with self.subTest(flags):
                self.assertEqual(self.linked(flags), {"program.c": LINKED})

    def test_prefix_map(self):
        found = self.linked(f"-g -fdebug-prefix-map={self.folder}=.")
        self.assertEqual(found, {"program.c": LINKED})

    def test_no_debug_information(self):
        self.assertEqual(self.linked("-g0"), {})

    def test_file_of_a_function(self):
        self.linked("-g")
        program = elf.Elf(self.folder / "program")
        table = elf.LineTable(program, self.folder)
        start = next(s for s in program.symbols() if s.name == "_start")
        self.assertEqual(table.path_at(start.value),
                         str(self.folder / "program.c"))
        self.assertIsNone(table.path_at(1))

    def test_agrees_with_objdump(self):
        """Every row of objdump that has bytes, by its own reader."""
        self.write("program.c", PROGRAM)
        self.run_in(BUILD.format("-g -O2"))
        text = subprocess.run(
            ["objdump", "--dwarf=decodedline", "program"], cwd=self.folder,
            capture_output=True, text=True, check=True).stdout
        rows = [r.split()[:3] for r in text.splitlines()
                if r.startswith("program.c ")]
        want = set()
        for row, after in zip(rows, rows[1:]):
            # What was thrown away is left at address 0.
            if row[1] != "-" and \
                    int(after[2], 16) > int(row[2], 16) >= 0x400000:
                want.add(int(row[1]))
        table = elf.LineTable(elf.Elf(self.folder / "program"), self.folder)
        self.assertTrue(want)
        self.assertEqual(table.by_path()[str(self.folder / "program.c")],
                         want)


class Text(fixture.Folder):
    def test_symbols_without_padding(self):
        self.write("code.s", CODE)
        for flags in ("", "-m32"):
            with self.subTest(flags):
                self.run_in(f"gcc {flags} -nostdlib -static -no-pie "
                            "-Wl,-e,first -o code code.s")
                found = elf.Elf(self.folder / "code").code_extents()
                self.assertEqual([end - start for start, end in found],
                                 [5, 3])

    def test_not_elf(self):
        path = self.write("text", "hello")
        with self.assertRaises(elf.FormatError):
            elf.Elf(path)

    def test_numbers(self):
        self.assertEqual(elf.uleb(b"\xe5\x8e\x26", 0), (624485, 3))
        self.assertEqual(elf.sleb(b"\x9b\xf1\x59", 0), (-624485, 3))
        self.assertEqual(elf.sleb(b"\x3f\x40", 1), (-64, 2))
