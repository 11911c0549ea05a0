# SPDX-License-Identifier: BSD-2-Clause
"""Who keeps something in the image: the way back from the report of dce.py."""

import contextlib
import io
import pathlib
import tempfile
import unittest

import tool
from pithtools import qemu_reach

why = tool.load("why")

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


class Tests(unittest.TestCase):
    """What ran while which test did, from the kernel's log and QEMU's in one."""

    STREAM = (b"Linux\n"
              b"Trace 0: 0x7f00 [00/ffff10/0080/ff00] start\n"
              b"# runn"
              b"Trace 1: 0x7f00 [00/ffff20/0080/ff00] other\ning a_test\n"
              b"Trace 0: 0x7f00 [00/ffff10/0080/ff00] start\n"
              b"Trace 0: 0x7f00 [00/ffff10/0080/ff00] start\n"
              b"ok 1 a_test\n"
              b"Trace 0: 0x7f00 [00/ffff10/0080/ff00] start\n"
              b"# running b_test\n"
              b"Trace 0: 0x7f00 [00/ffff40/0080/ff00] elsewhere\nnot ok 2 b_te")

    def test_attribution_whatever_the_pieces(self):
        for piece in (1, 7, 1000):
            found = qemu_reach.Attribution({0xffff10: "start", 0xffff20: "other",
                                            0xffff30: "nobody"})
            for at in range(0, len(self.STREAM), piece):
                found.take(self.STREAM[at:at + piece])
            self.assertEqual(
                {name: list(tests) for name, tests in found.tests.items()},
                {"start": ["(boot)", "a_test", "(between tests)"],
                 "other": ["(boot)"], "nobody": []})
            self.assertNotIn(b"Trace", found.log)
            self.assertIn(b"# running a_test\n", found.log)


if __name__ == "__main__":
    unittest.main()
