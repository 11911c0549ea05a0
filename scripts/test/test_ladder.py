# SPDX-License-Identifier: BSD-2-Clause
"""The ladder: rungs from the report of the patch series."""

import json
import pathlib
import tempfile
import unittest
import xml.etree.ElementTree
from unittest import mock

import tool

ladder = tool.load("ladder")
NAMES = ["100-a.patch", "230-b-c.patch", "300-d.patch", "500-e.patch"]
FIGURES = {"active_c": 200, "sloc": 300, "linked_lines": 10, "text_bytes": 5,
           "available_kb": 7}


class LadderTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pith-ladder-")
        self.addCleanup(folder.cleanup)
        self.top = pathlib.Path(folder.name)
        for patch in (mock.patch.object(ladder, "OUT", self.top),
                      mock.patch.object(ladder.kernel, "series",
                                        lambda **_: NAMES)):
            patch.start()
            self.addCleanup(patch.stop)

    def report(self, *names):
        (self.top / "series.json").write_text(json.dumps(
            {name: FIGURES for name in names}))

    def test_states_of_the_series_are_rungs(self):
        self.report("the source without patches", *NAMES[1:])
        self.assertEqual(
            [(title, tests) for title, _, tests in ladder.series()],
            [("the release's configuration, unpatched", "boots"),
             ("+ 1xx and 2xx, to 230", "boots"), ("+ 300 d", "some"),
             ("+ 500 e", "all")])

    def test_what_was_not_measured_is_no_rung(self):
        with self.assertRaisesRegex(SystemExit, "series-boots"):
            ladder.series()
        self.report("the source without patches", *NAMES[1:3])
        with self.assertRaisesRegex(SystemExit, "500-e"):
            ladder.series()

    def rungs(self):
        empty = dict.fromkeys(ladder.KEYS)
        return [{"title": "big", "tests": "", **empty, "sloc": 10 ** 6},
                {"title": "a & b", "tests": "all", **empty, **FIGURES},
                {"title": "quoted", "tests": "", **empty, "sloc": 250}]

    def test_table(self):
        rows = ladder.markdown(self.rungs()).splitlines()
        self.assertEqual(rows[3], "| a & b | 200 | 300 | 10 | 5 |  | 7 |  | "
                         "all |")

    def test_picture_is_xml_without_what_dwarfs_all(self):
        text = ladder.picture(self.rungs())
        texts = [e.text for e in xml.etree.ElementTree.fromstring(text)]
        self.assertIn("a & b", texts)
        self.assertNotIn("big", texts)

    def test_only_between_markers(self):
        document = self.top / "size.md"
        document.write_text("a\n<!-- ladder -->\nold\n<!-- end of ladder -->\n")
        with mock.patch.object(ladder, "DOCUMENT", document):
            ladder.update_docs(self.rungs())
            self.assertNotIn("old", document.read_text())
            self.assertTrue((self.top / "ladder.svg").is_file())
            document.write_text("a\n")
            with self.assertRaisesRegex(SystemExit, "markers"):
                ladder.update_docs(self.rungs())


if __name__ == "__main__":
    unittest.main()
