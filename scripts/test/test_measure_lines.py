# SPDX-License-Identifier: BSD-2-Clause
import os
import shlex

import measure_fixture as fixture
from pithtools import measure_lines as lines


def mask_lines(mask):
    return {n for n in range(mask.bit_length()) if mask >> n & 1}


class ActiveLines(fixture.Folder):
    def setUp(self):
        super().setUp()
        self.write("h.h", fixture.HEADER)
        self.write("one.c", fixture.ONE)
        self.write("two.c", fixture.TWO)
        self.compiles = [self.compile("one", "gcc -DWANTED=1"),
                         self.compile("two", "gcc")]

    def compile(self, name, start):
        command = f"{start} -MD -MF {name}.d -c -o {name}.o {name}.c"
        self.run_in(command)
        return lines.Compile(str(self.folder / f"{name}.o"),
                             shlex.split(command), str(self.folder))

    def count(self, compiles=None):
        memory = lines.ActiveLines(self.folder / "cache", "tree")
        return memory.of(compiles or self.compiles)

    def test_lines_of_each_file(self):
        found = lines.union(self.count().values())
        self.assertEqual(
            {os.path.basename(p): mask_lines(m) for p, m in found.items()},
            {"h.h": fixture.HEADER_ACTIVE, "one.c": fixture.ONE_ACTIVE,
             "two.c": fixture.TWO_ACTIVE})

    def test_a_line_of_two_objects_counts_once(self):
        both = self.count()
        self.assertEqual(len(both), 2)
        header = str(self.folder / "h.h")
        self.assertEqual(
            lines.union(both.values())[header].bit_count(),
            len(fixture.HEADER_ACTIVE))

    def test_dependency_file_is_not_written_again(self):
        os.unlink(self.folder / "one.d")
        self.count()
        self.assertFalse((self.folder / "one.d").exists())

    def test_second_run_remembers(self):
        first = self.count()
        os.rename(self.folder / "h.h", self.folder / "gone.h")
        self.assertEqual(self.count(), first)

    def test_new_object_is_counted_again(self):
        self.count()
        self.write("one.c", fixture.ONE + "int more;\n")
        self.run_in("gcc -DWANTED=1 -c -o one.o one.c")
        os.utime(self.folder / "one.o", ns=(1, 1))
        found = lines.union(self.count().values())
        self.assertEqual(mask_lines(found[str(self.folder / "one.c")]),
                         fixture.ONE_ACTIVE | {13})

    def test_other_command_is_counted_again(self):
        self.count()
        other = self.compiles[0]._replace(
            args=["gcc", "-DWANTED=0", "-c", "-o", "one.o", "one.c"])
        found = self.count([other])[other.object]
        self.assertEqual(mask_lines(found[str(self.folder / "one.c")]),
                         fixture.ONE_ACTIVE - {6} | {8})

    def test_broken_memory_is_no_memory(self):
        first = self.count()
        for file in (self.folder / "cache").iterdir():
            file.write_text("{ not JSON")
        self.assertEqual(self.count(), first)

    def test_failure_names_the_object(self):
        os.unlink(self.folder / "h.h")
        with self.assertRaisesRegex(lines.MeasureError, "one.o"):
            self.count()

    def test_sloc(self):
        names = ("h.h", "one.c", "two.c")
        sloc = lines.Sloc(self.folder / "cache")
        paths = [str(self.folder / n) for n in names]
        want = [fixture.HEADER_SLOC, fixture.ONE_SLOC, fixture.TWO_SLOC]
        self.assertEqual(sloc.of(paths), dict(zip(paths, want)))

    def test_sloc_of_copies_and_changes(self):
        # cloc by itself drops files of equal content.
        copy = self.write("copy/one.c", fixture.ONE)
        paths = [str(self.folder / "one.c"), str(copy)]
        sloc = lines.Sloc(self.folder / "cache")
        self.assertEqual(set(sloc.of(paths).values()), {fixture.ONE_SLOC})
        copy.write_text("int x;\n")
        os.utime(copy, ns=(1, 1))
        again = lines.Sloc(self.folder / "cache").of(paths)
        self.assertEqual(again[str(copy)], 1)

    def test_sloc_of_missing_and_empty(self):
        sloc = lines.Sloc(self.folder / "cache")
        empty = self.write("empty.c", "")
        self.assertEqual(sloc.of([str(empty)]), {str(empty): 0})
        with self.assertRaisesRegex(lines.MeasureError, "gone.c"):
            sloc.of([str(self.folder / "gone.c")])


class Pieces(fixture.Folder):
    def test_preprocess_args(self):
        args = shlex.split("ccache gcc -Wp,-MMD,x.d -MD -MF a -c -o x.o x.c")
        self.assertEqual(lines.preprocess_args(args),
                         ["gcc", "x.c", "-E"])

    def test_markers(self):
        text = (b'# 0 "<built-in>"\nint hidden;\n# 1 "a/../b.h" 1\nint x;\n'
                b'\n  \n# comment of assembler\n#pragma once\n'
                b'# 7 "b.h"\nint y;\n# 1 "with\\"quote.c" 2\nz\n')
        found = lines.read_markers(text, "/top")
        self.assertEqual(found, {"/top/b.h": {1, 5, 7},
                                 '/top/with\\"quote.c': {1}})

    def test_plain_assembler(self):
        path = self.write("x.s", "# a\n/* b\n c */ nop\n\n nop # d\n")
        self.assertEqual(lines.plain_assembler(path), {3, 5})

    def test_pack(self):
        for wanted in ({1}, {7, 8, 9}, {0, 100000}):
            self.assertEqual(mask_lines(int(lines.pack(wanted), 16)), wanted)

    def test_recorded_commands(self):
        self.assertEqual(lines.split_command("cd 'a b' && gcc -c x.c", "/t"),
                         (["gcc", "-c", "x.c"], "/t/a b"))
        self.assertEqual(lines.split_command("gcc '-DQ=\"x y\"'", "/t"),
                         (["gcc", '-DQ="x y"'], "/t"))
