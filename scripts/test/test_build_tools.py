# SPDX-License-Identifier: BSD-2-Clause
"""Small build tools: apt lists, kernel configuration, step, run."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest
from unittest import mock

import tool
from pithtools import apt
from pithtools.document import put_between

config = tool.load("kernel-config")
costs = tool.load("costs")
run = tool.load("run")
series_boots = tool.load("series-boots")
third_party = tool.load("third-party")


class Scratch(unittest.TestCase):
    def setUp(self):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="pith-tools-"))
        self.addCleanup(shutil.rmtree, self.top)


class AptTest(unittest.TestCase):
    def test_deb822(self):
        text = ("# comment\nTypes: deb\nURIs: http://a.invalid/debian\n"
                "Suites: x x-updates\nSigned-By: /k.gpg\n\n"
                "Types: deb-src\nURIs: http://b.invalid\nSuites: y\n")
        self.assertEqual(apt.deb822_sources(text), (
            "Types: deb deb-src\nURIs: http://a.invalid/debian\n"
            "Suites: x x-updates\nSigned-By: /k.gpg\n"))

    def test_one_line(self):
        text = ("# deb http://no.invalid x main\n"
                "deb [signed-by=/k.gpg] http://a.invalid x main\n"
                "deb-src http://a.invalid x main\n")
        self.assertEqual(apt.one_line_sources(text), (
            "deb [signed-by=/k.gpg] http://a.invalid x main\n"
            "deb-src [signed-by=/k.gpg] http://a.invalid x main\n"))

    def test_nothing(self):
        self.assertEqual(apt.deb822_sources(""), "")
        self.assertEqual(apt.one_line_sources("# none\n"), "")


class ThirdPartyTest(unittest.TestCase):
    def test_recipe_decides_the_folder(self):
        with tempfile.TemporaryDirectory() as temp:
            top = pathlib.Path(temp)
            shutil.copytree(third_party.FOLDER, top / "tp")
            with mock.patch.object(third_party, "FOLDER", top / "tp"), \
                    mock.patch.dict(os.environ, {"PITH_CACHE": str(top / "c")}):
                first = third_party.Library("e2fsprogs").path()
                with open(top / "tp/musl/build", "a") as recipe:
                    recipe.write("true\n")
                second = third_party.Library("e2fsprogs").path()
                self.assertNotEqual(first, second)
                self.assertEqual(first.parent, top / "c/third-party")

    def test_a_wrong_hash_is_refused_and_thrown_away(self):
        with tempfile.TemporaryDirectory() as temp:
            top = pathlib.Path(temp)
            with mock.patch.dict(os.environ, {"PITH_CACHE": str(top)}):
                lib = third_party.Library("musl")
                folder = top / "download" / f"musl-{lib.pin['sha256'][:12]}"
                folder.mkdir(parents=True)
                (folder / lib.dsc_name()).write_text("something else\n")
                with self.assertRaisesRegex(SystemExit, "SHA-256"):
                    third_party.fetch(lib)
                self.assertFalse(folder.exists())

    def test_dependencies_come_first(self):
        names = third_party.names()
        self.assertLess(names.index("musl"), names.index("e2fsprogs"))


class KernelConfigTest(Scratch):
    def fragment(self, name, text):
        path = self.top / name
        path.write_text(text)
        return path

    def test_parse(self):
        self.assertEqual(
            config.parse("# why\nCONFIG_A=y\n# CONFIG_B is not set\n"
                         'CONFIG_C="x y"\n'),
            {"CONFIG_A": "y", "CONFIG_B": "n", "CONFIG_C": '"x y"'})

    def test_each_group_gives_its_reason(self):
        good = self.fragment("a.config", "# Why.\nCONFIG_A=y\n\n# Why.\n"
                                         "# CONFIG_B is not set\n")
        config.check_groups(good)
        for text in ("CONFIG_A=y\n", "# CONFIG_B is not set\n",
                     "# Why.\nCONFIG_A=y\n\nCONFIG_B=y\n",
                     "# Why.\nCONFIG_A y\n"):
            with self.assertRaises(SystemExit):
                config.check_groups(self.fragment("b.config", text))

    def test_fragments_may_agree_but_not_differ(self):
        a = self.fragment("a.config", "# Why.\nCONFIG_A=y\n")
        b = self.fragment("b.config", "# Why.\nCONFIG_A=y\nCONFIG_B=2\n")
        c = self.fragment("c.config", "# Why.\n# CONFIG_A is not set\n")
        self.assertEqual(config.asked([a, b])["CONFIG_B"], ("2", "b.config"))
        with self.assertRaisesRegex(SystemExit, "y in a.config, n in c.config"):
            config.asked([a, c])
        self.assertEqual(config.asked([a, b], [c]),
                         {"CONFIG_A": ("n", "c.config"),
                          "CONFIG_B": ("2", "b.config")})

    def test_a_fragment_of_ones_own_may_override(self):
        mine = self.fragment("mine.config", "# Why.\nCONFIG_PITH=n\n")
        usual, over = config.fragments("release", "x86")
        found = config.fragments(f"release+{mine}", "x86")
        self.assertEqual(found, (usual, over + [mine]))
        self.assertEqual(config.asked(*found)["CONFIG_PITH"],
                         ("n", "mine.config"))

    def test_what_did_not_survive(self):
        wanted = {"CONFIG_A": ("y", "a.config"), "CONFIG_B": ("n", "a.config")}
        with mock.patch("builtins.print") as said:
            with self.assertRaisesRegex(SystemExit, "1 symbols"):
                config.check_survivors(wanted, {})
            config.check_survivors(wanted, {}, True)
        self.assertEqual([c.args for c in said.mock_calls],
                         [("a.config: CONFIG_A: asked y, got n",)] * 2)

    def test_a_symbol_that_does_not_survive_stops(self):
        wanted = {"CONFIG_A": ("y", "a"), "CONFIG_B": ("n", "a")}
        config.check_survivors(wanted, {"CONFIG_A": "y"})
        for got in ({}, {"CONFIG_A": "y", "CONFIG_B": "y"}, {"CONFIG_A": "m"}):
            with mock.patch("builtins.print"), self.assertRaises(SystemExit):
                config.check_survivors(wanted, got)

    def test_profiles_are_sound(self):
        for path in (config.KCONFIG / "profiles").iterdir():
            for arch in ("x86", "arm64"):
                self.assertTrue(config.asked(*config.fragments(path.name,
                                                               arch)))


class CostsTest(Scratch):
    REPORT = {
        "A": {"base": {"text_bytes": 1000, "boot_free_kb": 50}, "with": ["B"],
              "other": {"text_bytes": 900, "boot_free_kb": 52}},
        "C": {"base": {}, "impossible": "Kconfig does not allow it"}}

    def test_symbols_are_those_of_the_fragments(self):
        self.assertIn("VMAP_STACK", costs.symbols())
        self.assertNotIn("SLUB_TINY", costs.symbols())

    def test_what_an_option_costs(self):
        rows = costs.markdown(self.REPORT).splitlines()
        self.assertEqual(rows[2], "| `A`, with it `B` | +100 | -2 |  |  |  |  |")
        self.assertIn("Kconfig does not allow it", rows[3])

    def test_symbols_that_go_along_are_found_in_what_kconfig_says(self):
        self.assertEqual(
            costs.LOST.findall("x.config: CONFIG_A: asked y, got n\nother\n"),
            [("A", "y", "n")])

    def test_only_between_markers(self):
        document = self.top / "size.md"
        document.write_text("a\n<!-- costs of hardening -->\nold\n"
                            "<!-- end of costs -->\nb\n")
        put_between(document, costs.MARKERS, "new")
        self.assertEqual(document.read_text(),
                         "a\n<!-- costs of hardening -->\nnew\n"
                         "<!-- end of costs -->\nb\n")
        document.write_text("a\n")
        with self.assertRaises(SystemExit):
            put_between(document, costs.MARKERS, "new")


class SeriesBootsTest(Scratch):
    NAMES = ["100-a.patch", "110-b.patch", "115-c.patch"]

    def test_places(self):
        place = series_boots.place
        self.assertEqual(place(self.NAMES, None, -1), -1)
        self.assertEqual(place(self.NAMES, "110", 0), 1)
        for wrong in ("11", "9"):
            with self.assertRaises(SystemExit):
                place(self.NAMES, wrong, 0)

    def test_what_is_measured(self):
        names = ["100-a.patch", "230-b.patch", "300-c.patch", "500-d.patch"]
        self.assertEqual([i for i in range(-1, 4)
                          if series_boots.to_measure(names, i)], [-1, 1, 2, 3])

    def test_report_keeps_the_order_of_the_series(self):
        report = self.top / "report/series.json"
        with mock.patch.object(series_boots, "REPORT", report):
            for title in ("115-c.patch", "100-a.patch", series_boots.UNPATCHED,
                          "gone.patch"):
                series_boots.keep(title, {"sloc": 1}, self.NAMES)
        self.assertEqual(list(json.loads(report.read_text())),
                         [series_boots.UNPATCHED, "100-a.patch", "115-c.patch"])

    def test_the_series_up_to_there(self):
        names = series_boots.kernel.series(cuts=False)[:2]
        with mock.patch.object(series_boots, "WORK", self.top):
            folder = series_boots.folder_of(names)
        self.assertEqual(series_boots.kernel.series(folder), names)
        self.assertIn("kernel/pith/cap.c",
                      series_boots.kernel.new_files(folder))


class StepTest(Scratch):
    def step(self, *command):
        return subprocess.run(
            [str(tool.SCRIPTS / "step"), "what", str(self.top / "log"),
             *command], capture_output=True, text=True)

    def test_success_is_one_line(self):
        result = self.step("sh", "-c", "echo noise")
        self.assertEqual((result.returncode, result.stdout),
                         (0, "  what: done in 0:00\n"))
        self.assertEqual((self.top / "log").read_text(), "noise\n")

    def test_failure_shows_the_end_of_the_log(self):
        result = self.step("sh", "-c", "seq 100; exit 7")
        self.assertEqual(result.returncode, 7)
        shown = [l.strip() for l in result.stdout.splitlines()[1:]]
        self.assertEqual(shown, [str(n) for n in range(71, 101)])

    def test_no_such_command(self):
        result = self.step("/no/such/command")
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("/no/such/command", result.stderr)


FAKE_QEMU = """\
#!/bin/sh
# Writes $FAKE_LOG to the log file and ends with $FAKE_STATUS.
for word; do
	case $word in file,id=log,path=*) log=${word#file,id=log,path=} ;; esac
done
echo output
printf '%b' "$FAKE_LOG" > "$log"
[ -z "$FAKE_HANG" ] || exec sleep 100
exit ${FAKE_STATUS:-0}
"""


class RunTest(Scratch):
    """The exit status of commands, with a program that plays QEMU."""

    def setUp(self):
        super().setUp()
        fake = self.top / "qemu"
        fake.write_text(FAKE_QEMU)
        fake.chmod(0o755)
        (self.top / "disk").write_bytes(bytes(4096))
        self.fake = str(fake)

    def status(self, log, **env):
        script = ("import sys; sys.path.insert(0, sys.argv[1]); import tool;"
                  "run = tool.load('run'); run.pack = lambda folder: 'none';"
                  "run.qemu.accel = lambda kernel: []; sys.argv = ['run'];"
                  "sys.exit(run.main())")
        result = subprocess.run(
            ["python3", "-c", script, str(pathlib.Path(__file__).parent)],
            env={**os.environ, "QEMU": self.fake, "RUN": "ls",
                 "RUN_DIR": str(self.top), "FAKE_LOG": log,
                 "DISK": str(self.top / "disk"), **env},
            capture_output=True, text=True)
        self.out, self.error = result.stdout, result.stderr
        return result.returncode

    def test_status_of_the_commands(self):
        line = "[init -> shell] commands: exit status "
        for code in (0, 1, 7):
            self.assertEqual(self.status(f"boot\\n{line}{code}\\n"), code)
        self.assertEqual(self.out, "output\n")

    def test_only_the_shell_is_believed(self):
        log = "[init -> nvme] commands: exit status 0\\n"
        self.assertEqual(self.status(log), 125)
        self.assertIn("before the commands did", self.error)

    def test_panic(self):
        log = ("[init -> shell] commands: exit status 0\\n"
               "Kernel panic - not syncing\\n")
        self.assertEqual(self.status(log), 125)
        self.assertIn("Kernel panic", self.error)

    def test_qemu_fails(self):
        self.assertEqual(self.status("", FAKE_STATUS="1"), 125)

    def test_hang(self):
        self.assertEqual(self.status("last words\\n", FAKE_HANG="1",
                                     RUN_TIMEOUT="2"), 125)
        self.assertIn("RUN_TIMEOUT", self.error)
        self.assertIn("last words", self.error)

    def test_wrong_settings(self):
        self.assertEqual(self.status("", DISK="/no/such/disk"), 2)
        self.assertEqual(self.status("", SMP="many"), 2)

    def arguments(self, **env):
        with mock.patch.dict(os.environ, {"DISK": str(self.top / "disk"),
                                          **env}):
            return " ".join(run.disk_arguments())

    def test_the_image_is_written_only_on_demand(self):
        self.assertIn("snapshot=on", self.arguments())
        self.assertIn("snapshot=on", self.arguments(DISK_RW="0"))
        self.assertIn("snapshot=off", self.arguments(DISK_RW="1"))

    def test_image_formats(self):
        self.assertIn("format=raw", self.arguments())
        (self.top / "disk").write_bytes(b"QFI\xfb" + bytes(100))
        self.assertIn("format=qcow2", self.arguments())


if __name__ == "__main__":
    unittest.main()
