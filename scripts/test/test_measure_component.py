# SPDX-License-Identifier: BSD-2-Clause
"""Components in miniature: own code, our library, a third-party archive."""

import shutil

import measure_fixture as fixture
from pithtools import measure_component as component
from pithtools import measure_count
from pithtools.measure_lines import ActiveLines, MeasureError, Sloc

MAP = """\
Archive member included to satisfy reference by file (symbol)

a.a(member.o)                 main.o (f)

Discarded input sections

 .text.gone     0x0000000000000000      0x100 gone.o

Linker script and memory map

LOAD main.o
LOAD a.a

.text           0x0000000000401000       0x60
 *fill*         0x0000000000401000       0x10
 .text          0x0000000000401010       0x20 main.o
 .text.a_name_that_is_too_long
                0x0000000000401030       0x13 a.a(member.o)
 .text          0x0000000000401043        0x0 empty.o

.rodata         0x0000000000402000        0x8
 .rodata        0x0000000000402000        0x8 data.o
 .eh_frame      0x0000000000402008       0x30 frame.o

.comment        0x0000000000000000       0x27
 .comment       0x0000000000000000       0x27 main.o
"""

MAIN = """\
#include "h.h"
void _start(void)
{
	twice(shared(1));
	foreign();
}
"""
MAIN_ACTIVE = {2, 3, 4, 5, 6}
FOREIGN = "int foreign(void) { return 7; }\n\nint left(void) { return 8; }\n"


class Map(fixture.Folder):
    def test_what_is_in_the_image(self):
        self.assertEqual(component.read_map(MAP), {
            "main.o": (0x20, 0x20), "a.a(member.o)": (0x13, 0x13),
            "data.o": (0, 8)})

    def test_not_a_map(self):
        with self.assertRaises(MeasureError):
            component.read_map("hello")

    def test_sections_with_code(self):
        self.assertTrue(component.is_code(".text.main"))
        self.assertTrue(component.is_code(".init"))
        self.assertFalse(component.is_code(".init_array"))


class Project(fixture.Folder):
    def setUp(self):
        super().setUp()
        self.repo = self.folder / "repo"
        self.cache = self.folder / "cache/third-party"
        self.foreign = self.cache / "foreign-1.2-0a1b2c"
        self.write("repo/genode-core-shim/include/h.h",
                   fixture.HEADER + "int foreign(void);\n")
        self.write("repo/genode-core-shim/lib/one.c", fixture.ONE)
        self.write("repo/genode-core-shim/lib/unused.c", "int u(void);\n")
        self.write("repo/apps/demo/component.mk",
                   "NAME := demo\nSRCS := main.c\n")
        self.write("repo/apps/demo/main.c", MAIN)
        (self.repo / "build/lib/obj").mkdir(parents=True)
        (self.repo / "build/components/demo/obj").mkdir(parents=True)
        self.build()

    def build(self, record_foreign=True):
        include = "-Igenode-core-shim/include"
        for source, out in (
                ("apps/demo/main.c", "build/components/demo/obj/main.o"),
                ("genode-core-shim/lib/one.c", "build/lib/obj/one.o"),
                ("genode-core-shim/lib/unused.c",
                 "build/lib/obj/unused.o")):
            self.compile(f"gcc -g {include} -DWANTED=1 -fno-pie -c -o {out} "
                         f"{source}", self.repo, self.repo / out)
        self.run_in("ar rc build/lib/libpith.a build/lib/obj/one.o "
                    "build/lib/obj/unused.o", self.repo)
        source = self.foreign / "src/foreign.c"
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(FOREIGN)
        self.compile("gcc -g -ffunction-sections -fno-pie -c -o foreign.lo "
                     "foreign.c", source.parent,
                     record_foreign and source.with_name("foreign.lo"))
        (self.foreign / "lib").mkdir(exist_ok=True)
        self.run_in("ar rc ../lib/libforeign.a foreign.lo", source.parent)
        link = self.repo / "build/third-party/foreign"
        link.parent.mkdir(exist_ok=True)
        if not link.exists():
            link.symlink_to(self.foreign)
        self.run_in("gcc -nostdlib -static -no-pie -Wl,--gc-sections "
                    "-Wl,-Map=build/components/demo/demo.map "
                    "-o build/components/demo/demo "
                    "build/components/demo/obj/main.o build/lib/libpith.a "
                    "build/third-party/foreign/lib/libforeign.a", self.repo)

    def compile(self, command, cwd, record):
        self.run_in(command, cwd)
        for old in cwd.glob("*.cmd"):
            old.unlink()
        if record:
            record.with_name(record.name + ".cmd").write_text(
                f"{command}\n# cwd {cwd}\n")

    def measure(self):
        found = component.find_components(self.repo, self.repo / "build")
        counter = measure_count.Counter(
            ActiveLines(self.folder / "memory", "c"),
            Sloc(self.folder / "memory"))
        return measure_count.components(found, self.repo, self.cache,
                                        counter)

    def test_parts(self):
        demo = self.measure()[0]["demo"]
        self.assertEqual(demo["own"]["active_c"], len(MAIN_ACTIVE))
        self.assertEqual(demo["own"]["active_h"], 0)
        self.assertEqual(demo["own"]["sloc"], 6)
        # one.c and the header; unused.c was not linked.
        self.assertEqual(demo["library"]["files"], 1)
        self.assertEqual(demo["library"]["active_c"],
                         len(fixture.ONE_ACTIVE))
        self.assertEqual(demo["library"]["active_h"],
                         len(fixture.HEADER_ACTIVE) + 1)
        foreign = demo["third_party"]["foreign"]
        self.assertEqual(foreign["active_c"], 2)
        # left() is not in the image: of the file, one line is linked.
        self.assertEqual(foreign["linked_lines"], 1)
        self.assertEqual(set(demo["third_party"]), {"foreign"})

    def test_totals_are_sums(self):
        demo = self.measure()[0]["demo"]
        parts = [demo["own"], demo["library"],
                 *demo["third_party"].values()]
        for key in ("files", "active_c", "active_h", "sloc", "linked_lines",
                    "text_bytes"):
            self.assertEqual(demo[key], sum(p[key] for p in parts), key)

    def test_without_recorded_command(self):
        self.build(record_foreign=False)
        demo = self.measure()[0]["demo"]
        foreign = demo["third_party"]["foreign"]
        self.assertNotIn("active_c", foreign)
        self.assertEqual(foreign["unrecorded_objects"], 1)
        self.assertEqual(foreign["sloc"], 2)
        self.assertEqual(foreign["linked_lines"], 1)
        # A sum with an unknown part is unknown.
        self.assertNotIn("active_c", demo)
        self.assertIn("linked_lines", demo)

    def test_detail_for_unions(self):
        detail = self.measure()[1]
        main = str(self.repo / "apps/demo/main.c")
        self.assertEqual(int(detail["active"]["demo"][main], 16),
                         sum(1 << n for n in MAIN_ACTIVE))
        self.assertEqual(detail["sloc"][main], 6)

    def test_installed_start_file(self):
        """lib/start.o is a copy; how it was made stands beside the first."""
        source = self.foreign / "src/crt/start.c"
        source.parent.mkdir()
        source.write_text("void start(void) {}\n")
        self.compile("gcc -c -o start.o start.c", source.parent,
                     source.with_name("start.o"))
        shutil.copy(source.with_name("start.o"), self.foreign / "lib")
        found = component.Records(self.repo).find(
            "build/third-party/foreign/lib/start.o")
        self.assertEqual([c.object for c in found],
                         [str(source.with_name("start.o"))])

    def test_nothing_recorded(self):
        self.assertEqual(component.Records(self.repo).find(
            "build/components/demo/obj/no.o"), [])

    def test_names_must_differ(self):
        self.write("repo/servers/x/component.mk", "NAME = demo\n")
        with self.assertRaisesRegex(MeasureError, "demo is the name of"):
            self.measure()
