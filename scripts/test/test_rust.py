# SPDX-License-Identifier: BSD-2-Clause
"""The Rust binding agrees with the C headers, and its crates come with all they
need."""

import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from pithtools import cache

REPO = cache.REPO
HEADERS = ("stddef.h", "pith/env.h", "pith/service.h", "session/parent.h")
INCLUDES = ("-I", REPO / "genode-core-shim/include",
            "-isystem", REPO / "build/uapi/include")


def assertions(folder):
    """What rust/layout.rs prints."""
    program = folder / "layout"
    subprocess.run(["rustc", "--edition", "2021", "-o", program,
                    REPO / "rust/layout.rs"], check=True)
    return subprocess.run([program], capture_output=True, text=True,
                          check=True).stdout


def compile_c(text):
    """What the C compiler says against @text; empty: nothing."""
    done = subprocess.run(["gcc", *INCLUDES, "-fsyntax-only", "-xc", "-"],
                          input="".join(f"#include <{h}>\n" for h in HEADERS)
                          + text, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


class Dependencies(unittest.TestCase):
    def test_none(self):
        text = (REPO / "Cargo.lock").read_text()
        self.assertNotIn("source =", text)
        self.assertIn('name = "pith"', text)


@unittest.skipUnless(shutil.which("rustc"), "no rustc")
class Layout(unittest.TestCase):
    def test_abi(self):
        with tempfile.TemporaryDirectory() as folder:
            text = assertions(pathlib.Path(folder))
        self.assertGreater(text.count("offsetof"), 40)
        self.assertEqual(compile_c(text), "")
        # and the check itself can fail
        wrong = re.sub(r"\b16ull", "17ull", text)
        self.assertIn("static assertion failed", compile_c(wrong))
