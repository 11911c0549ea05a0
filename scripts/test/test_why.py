# SPDX-License-Identifier: BSD-2-Clause
"""Who keeps something in the image: the way back from the report of dce.py."""

import contextlib
import importlib.machinery
import importlib.util
import io
import pathlib
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
LOADER = importlib.machinery.SourceFileLoader("why", str(TOP / "scripts/why"))
why = importlib.util.module_from_spec(
    importlib.util.spec_from_loader("why", LOADER))
LOADER.exec_module(why)

REPORT = """\
alive 16 start .head.text - 1
alive 40 helper .text.helper 1 2
alive 8 counter .bss.counter 2 3
dead 100 nobody .text.nobody - 4
"""


class Why(unittest.TestCase):
    def parts(self):
        folder = tempfile.TemporaryDirectory(prefix="pith-why-")
        self.addCleanup(folder.cleanup)
        top = pathlib.Path(folder.name)
        (top / "vmlinux.dce").write_text(REPORT)
        return why.parts_of(top)

    def said(self, name):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            why.why_symbol(self.parts(), name)
        return out.getvalue().split("\n")

    def test_way_from_a_root(self):
        self.assertEqual(self.said("counter"), [
            "      8 counter", "          root start (.head.text)",
            "          <- helper (.text.helper)", ""])

    def test_not_there(self):
        self.assertEqual(self.said("nobody"),
                         ["    100 nobody: not in the image", ""])

    def test_unknown(self):
        with self.assertRaisesRegex(SystemExit, "gone: no part"):
            self.said("gone")

    def test_no_report(self):
        with self.assertRaisesRegex(SystemExit, "no vmlinux.dce"):
            why.parts_of(pathlib.Path("/nonexistent"))


if __name__ == "__main__":
    unittest.main()
