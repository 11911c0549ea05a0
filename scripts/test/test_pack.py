# SPDX-License-Identifier: BSD-2-Clause
"""The boot archive: what goes in, what is refused, that it is the same twice."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import tool

pack = tool.load("pack")

# Stands for hid2json: the "HID" of these tests is JSON already.
FAKE_HID2JSON = "#!/bin/sh\nexec cat \"$1\"\n"


def node(kind, name=None, nodes=(), **attrs):
    return {"type": kind, "name": name, "attrs": attrs, "nodes": list(nodes),
            "quote": []}


def read_cpio(data):
    """{name: (mode, content)} of a newc archive, checking its fields."""
    found, at = {}, 0
    while True:
        assert data[at:at + 6] == b"070701", at
        fields = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16)
                  for i in range(13)]
        _, mode, uid, gid, _, mtime, size = fields[:7]
        assert (uid, gid, mtime) == (0, 0, 0)
        start = at + 110
        name = data[start:start + fields[11] - 1].decode()
        start += fields[11]
        start += -start % 4
        if name == "TRAILER!!!":
            return found
        found[name] = (mode, data[start:start + size])
        at = start + size
        at += -at % 4


class PackTest(unittest.TestCase):
    def setUp(self):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="pith-pack-"))
        self.addCleanup(shutil.rmtree, self.top)
        self.build = self.top / "build"
        (self.build / "host").mkdir(parents=True)
        fake = self.build / "host/hid2json"
        fake.write_text(FAKE_HID2JSON)
        fake.chmod(0o755)
        for name in ("core", "init", "uart", "shell"):
            self.component(name)

    def component(self, name, **manifest):
        folder = self.build / "components" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.stripped").write_text(f"program {name}")
        (folder / "manifest.hid").write_text(
            json.dumps(node("component", name, **manifest)))

    def config(self, *starts, default=None):
        tree = node("config", None, [*([default] if default else []), *starts])
        path = self.top / "system.hid"
        path.write_text(json.dumps(tree))
        return path

    def pack(self, config, *options):
        out = self.top / "out.cpio"
        result = subprocess.run(
            [str(tool.SCRIPTS / "pack"), "--config", str(config), "--out",
             str(out), "--build", str(self.build), *options],
            capture_output=True, text=True)
        self.error = result.stderr
        return read_cpio(out.read_bytes()) if result.returncode == 0 else None

    def start(self, name, *nodes, ram="1M", caps="50"):
        return node("start", name, nodes, ram=ram, caps=caps)

    def test_contents(self):
        files = self.pack(self.config(self.start("uart"), self.start("sh", node(
            "binary", "shell"))))
        self.assertEqual(sorted(files), ["init", "rom", "rom/config",
                                         "rom/init", "rom/shell", "rom/uart"])
        self.assertEqual(files["init"], (0o100555, b"program core"))
        self.assertEqual(files["rom/shell"][1], b"program shell")
        self.assertEqual(files["rom"][0], 0o040555)

    def test_nested_configs_bring_their_programs(self):
        inner = node("config", None, [self.start("shell")])
        files = self.pack(self.config(self.start("sub", node("binary", "init"),
                                                 inner)))
        self.assertIn("rom/shell", files)

    def test_cpio_agrees(self):
        if not shutil.which("cpio"):
            self.skipTest("no cpio on this machine")
        self.pack(self.config(self.start("uart")))
        data = (self.top / "out.cpio").read_bytes()
        names = subprocess.run(["cpio", "-it", "--quiet"], input=data,
                               capture_output=True, check=True).stdout
        self.assertEqual(names.decode().split(), ["init", "rom", "rom/config",
                                                  "rom/init", "rom/uart"])

    def test_same_bytes_whatever_the_clock_and_umask(self):
        config = self.config(self.start("uart"))
        self.pack(config)
        first = (self.top / "out.cpio").read_bytes()
        for path in self.build.rglob("*.stripped"):
            os.utime(path, (1, 1))
            path.chmod(0o600)
        (self.top / "out.cpio").unlink()
        self.pack(config)
        self.assertEqual((self.top / "out.cpio").read_bytes(), first)

    def test_missing_components_are_named(self):
        self.assertIsNone(self.pack(self.config(self.start("nosuch"),
                                                self.start("other"))))
        self.assertIn("nosuch (start nosuch), other (start other)", self.error)

    def test_manifest_quota(self):
        self.component("uart", ram="2M", caps="50")
        self.assertIsNone(self.pack(self.config(self.start("uart"))))
        self.assertIn("ram: 1M is less than the manifest of uart asks: 2M",
                      self.error)
        self.assertIsNotNone(self.pack(self.config(self.start("uart",
                                                              ram="2048K"))))
        self.assertIsNone(self.pack(self.config(self.start("uart", ram="2M",
                                                           caps="49"))))
        self.assertIsNone(self.pack(self.config(node("start", "uart"))))
        self.assertIn("no ram, and no default", self.error)
        self.assertIsNotNone(self.pack(self.config(
            node("start", "uart"), default=node("default", ram="2M",
                                                caps="50"))))

    def test_partition(self):
        config = self.config(self.start("uart"))
        config.write_text(config.read_text().replace(
            '"quote"', '"x": "partition: auto", "quote"', 1))
        files = self.pack(config, "--partition", "3")
        self.assertIn(b"partition: 3", files["rom/config"][1])
        self.assertIsNone(self.pack(config, "--partition", "x | ram: 1"))

    def test_rom_modules(self):
        extra = self.top / "commands"
        extra.write_text("ls /\n")
        config = self.config(self.start("uart"))
        files = self.pack(config, "--rom", f"commands={extra}")
        self.assertEqual(files["rom/commands"], (0o100444, b"ls /\n"))
        for name in ("../evil", "", "a/b"):
            self.assertIsNone(self.pack(config, "--rom", f"{name}={extra}"))

    def test_numbers(self):
        self.assertEqual([pack.number(t, "") for t in ("7", "4K", "2M", "1G")],
                         [7, 4096, 2 << 20, 1 << 30])
        for text in ("", "-1", "1T", "1.5M", "0x10"):
            with self.assertRaises(SystemExit):
                pack.number(text, "here")


if __name__ == "__main__":
    unittest.main()
