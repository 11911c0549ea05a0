# SPDX-License-Identifier: BSD-2-Clause
"""scripts/hid: what is found, where, and that schemas fit the configs there are."""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from pithtools import hid_schema  # noqa: E402

TOP = pathlib.Path(__file__).resolve().parents[2]
SHIM = TOP / "genode-core-shim"

READS_CONFIG = re.compile(r"\bconfig_read\(|\bread_test_config\(|"
                          r"\brom_(open|session)\([^;]*\"config\"")

START = "config\n+ start a | ram: 1M | caps: 10\n"

WRONG = [
    ("config\n+ begin a\n-\n", "2:1: expected node affinity-space, alias, default, "
     "default-route, heartbeat, parent-provides, report, resource, service or "
     "start, found 'begin'"),
    ("other\n-\n", "1:1: expected 'config', found 'other'"),
    ("config | prio_levels: many\n-\n",
     "1:10: expected a number for prio_levels, found 'many'"),
    ("config | prio_levels: 129\n-\n",
     "1:10: expected prio_levels of 1 to 128, found 129"),
    ("config | color: red\n-\n",
     "1:10: expected attribute prio_levels, verbose or version, found 'color'"),
    ("config\n+ start a | ram: 5000\n-\n",
     "2:13: expected ram to be a multiple of 4096, found 5000"),
    ("config\n+ start | ram: 4K\n-\n",
     "2:1: expected name in 'start', found none"),
    ("config | verbose: perhaps\n-\n",
     "1:10: expected 0, 1, false, no, off, on, true or yes for verbose, found "
     "'perhaps'"),
    (START + "  + binary b\n  + binary c\n-\n",
     "4:3: expected 'binary' at most 1 times, found it again"),
    (START + "  + route | + service X | label: q | + uncle\n-\n",
     "3:38: expected node any-child, child, local or parent, found 'uncle'"),
    (START + "  : text\n-\n", "2:1: expected no quoted text in 'start'"),
    (START + "  + resource GPU | quantum: 1\n-\n",
     "3:14: expected CAP, CPU or RAM for name, found 'GPU'"),
    (START + "  + binary a/b\n-\n", None),
    ("config\n+ alias x\n-\n", "2:1: expected child in 'alias', found none"),
    # not HID at all
    ("config\n+ start a\n", None),
]

# From the published description of the syntax.
PUBLISHED = """\
config | prio_levels: 4
+ parent-provides
  + service ROM
  + service LOG
+ default-route
  + any-service
    + parent
    + any-child
+ start nvme | caps: 120 | ram: 8M | priority: -1
  + provides | + service Block
  + route
    + service Platform | + child platform
    + any-service      | + parent
-
"""


class Hid(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.build = pathlib.Path(cls.folder.name)
        (cls.build / "host").mkdir()
        cls.tool = cls.build / "host/hid2json"
        subprocess.run(["gcc", "-I", SHIM / "include", "-o", cls.tool,
                        SHIM / "host/hid2json.c", SHIM / "lib/hid.c"],
                       check=True)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def check(self, text, *more):
        file = self.build / "text.hid"
        file.write_text(text, encoding="utf-8")
        run = subprocess.run(
            [TOP / "scripts/hid", "--build", self.build, "check", file, *more],
            capture_output=True, text=True, check=False)
        return run.returncode, run.stdout.replace(f"{file}:", ""), run.stderr

    def test_wrong(self):
        for text, message in WRONG:
            status, out, err = self.check(text)
            self.assertEqual((status, err), (1, ""), text)
            if message:
                self.assertEqual(out, message + "\n", text)
            else:
                self.assertRegex(out, r"^\d+:\d+: expected ", text)

    def test_all_errors_in_order(self):
        _, out, _ = self.check("config | a: 1\n+ b\n+ start\n-\n")
        self.assertEqual([line.split(" ")[0] for line in out.splitlines()],
                         ["1:10:", "2:1:", "3:1:"])

    def test_published(self):
        self.assertEqual(self.check(PUBLISHED), (0, "", ""))

    def test_disabled_and_comments(self):
        self.assertEqual(self.check("config\n. comment\nx begin a\n-\n"),
                         (0, "", ""))

    def test_wrong_schema(self):
        for text in ("schema config\n+ use x\n-\n", "config\n-\n",
                     "schema config\n+ attr a | type: x\n-\n",
                     "schema config\n+ mode a\n-\n"):
            schema = self.build / "own.hsd"
            schema.write_text(text, encoding="utf-8")
            status, out, err = self.check("config\n-\n", "--schema", schema)
            self.assertEqual((status, out), (1, ""), text)
            self.assertIn("own.hsd: ", err)

    def test_include(self):
        (self.build / "other.hsd").write_text(
            "schema x\n+ type n | number: yes\n+ category c | + attr a | type: n\n"
            "+ attr b\n-\n", encoding="utf-8")
        schema = self.build / "own.hsd"
        schema.write_text("schema config\n+ include other.hsd\n+ use c\n-\n",
                          encoding="utf-8")
        self.assertEqual(self.check("config | a: 1\n-\n", "--schema", schema),
                         (0, "", ""))
        for text in ("config | a: x\n-\n", "config | b: 1\n-\n"):
            self.assertEqual(self.check(text, "--schema", schema)[0], 1)

    def test_each_component_with_a_config_has_a_schema(self):
        found = {}
        for makefile in sorted(TOP.glob("*/*/component.mk")):
            folder = makefile.parent
            code = "".join(path.read_text(encoding="utf-8")
                           for path in [*folder.glob("*.c"), *folder.glob("*.rs")])
            if READS_CONFIG.search(code):
                found[folder] = (folder / (folder.name + ".hsd")).is_file()
        self.assertEqual([f.name for f, there in found.items() if not there], [])
        self.assertGreater(len(found), 20)
        self.assertEqual({path.parent for path in TOP.glob("*/*/*.hsd")},
                         set(found))

    def test_readmes(self):
        """The example in a component's README is what its schema allows."""
        schemas = sorted([*TOP.glob("servers/*/*.hsd"),
                          *TOP.glob("udrivers/*/*.hsd")])
        self.assertGreater(len(schemas), 10)
        for schema in schemas:
            readme = (schema.parent / "README.md").read_text(encoding="utf-8")
            lines = [line.removeprefix("    ") for line in readme.splitlines()]
            begin = [n for n, line in enumerate(lines)
                     if re.fullmatch(r"config( \| .*)?", line)]
            self.assertTrue(begin, schema)
            example = lines[begin[0]:]
            text = "\n".join(example[:example.index("-") + 1]) + "\n"
            self.assertEqual(self.check(text, "--schema", schema), (0, "", ""))
            self.assertEqual(self.check(text.replace("config", "config | x: 1",
                                                     1),
                                        "--schema", schema)[0], 1)

    def inline(self, config, name):
        """(where, binary, its config) of all start nodes, of nested inits too."""
        for start in config["nodes"]:
            if start["type"] != "start":
                continue
            nodes = {n["type"]: n for n in start["nodes"]}
            binary = nodes.get("binary", start)["name"]
            if "config" in nodes:
                where = f"{name}: {start['name']}"
                yield where, binary, nodes["config"]
                if binary == "init":
                    yield from self.inline(nodes["config"], where)

    def test_configs_of_start_nodes(self):
        """What scenarios give a component is what its schema allows."""
        schemas = {path.stem: hid_schema.load(self.tool, path)
                   for path in TOP.glob("*/*/*.hsd")}
        seen = set()
        for name, text, refused in self.configs():
            file = self.build / "all.hid"
            file.write_text(text, encoding="utf-8")
            if refused:
                continue
            for where, binary, config in self.inline(
                    hid_schema.read(self.tool, file), name):
                if binary in schemas:
                    self.assertEqual(schemas[binary].check(config), [], where)
                    seen.add(binary)
        self.assertEqual(set(schemas) - seen, set())

    def configs(self):
        """(name, text, is it to be refused) of all that tests run."""
        for path in sorted((TOP / "ktest/scenarios").glob("*.scenario")):
            root = hid_schema.read(self.tool, path)
            for node in root["nodes"]:
                if node["type"] == "config" and node["quote"]:
                    yield (path.stem, "\n".join(node["quote"]) + "\n",
                           root["attrs"].get("refused") == "yes")
        for path in [*(TOP / "initramfs/scenarios").glob("*.hid"),
                     *(TOP / "ktest/bench").glob("*.hid")]:
            yield path.stem, path.read_text(encoding="utf-8"), False

    def test_what_init_takes(self):
        seen = 0
        for name, text, refused in self.configs():
            status, out, err = self.check(text)
            self.assertEqual(err, "")
            if not refused:
                self.assertEqual((status, out), (0, ""), name)
                seen += 1
            elif name == "config_unknown_node":
                self.assertEqual(status, 1)
        self.assertGreater(seen, 5)

    def test_graph(self):
        run = subprocess.run(
            [TOP / "scripts/hid", "--build", self.build, "graph",
             TOP / "initramfs/scenarios/first_light.hid"],
            capture_output=True, text=True, check=False)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertTrue(run.stdout.startswith("<svg"), run.stdout[:80])


if __name__ == "__main__":
    unittest.main()
