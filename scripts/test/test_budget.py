# SPDX-License-Identifier: BSD-2-Clause
"""The size that kernel/pith may have, counted as `make loc` does."""

import unittest

from pithtools import cache, measure_kbuild
from pithtools.measure_count import figures
from pithtools.measure_lines import active_of, union

KERNEL = cache.REPO / "build/kernel"
FOLDER = "kernel/pith/"
MOST_LINES = 3500


class Budget(unittest.TestCase):
    def test_kernel_pith(self):
        tree = measure_kbuild.KernelTree(KERNEL)
        compiles = [c for group in tree.groups().values() for c in group
                    if FOLDER in str(c.object)]
        self.assertGreater(len(compiles), 5)
        active = union({path: int(mask, 16) for path, mask in
                        active_of(c).items()} for c in compiles)
        own = {path: mask for path, mask in active.items()
               if tree.relative(path).startswith(FOLDER)}
        lines = figures(own, None, dict.fromkeys(own, 0))["active_c"]
        self.assertGreater(lines, 1000)
        self.assertLessEqual(lines, MOST_LINES)
        print(f"# {FOLDER}: {lines} active lines of {MOST_LINES}")
