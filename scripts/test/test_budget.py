# SPDX-License-Identifier: BSD-2-Clause
"""The size that Pith's own part of the kernel may have, counted as `make loc` does.

kernel/pith has a limit, and what it needs of the architecture another, in
arch/ARCH/kernel/pith_*; what moved there lowered the first from 3,500. What stands in for a part of Linux (pith_madt.c for ACPI's
tables, pith_pl011.c for the TTY layer) is no part of it, as neither are patches.
"""

import pathlib
import unittest

from pithtools import cache, measure_kbuild
from pithtools.measure_count import figures
from pithtools.measure_lines import active_of, union

BUILD = cache.REPO / "build"
KERNELS = {"x86": BUILD / "kernel", "arm64": BUILD / "arm64/kernel"}
FOLDER = "kernel/pith/"
INSTEAD = ("pith_madt.c", "pith_pl011.c")
MOST_LINES = 3350
MOST_OF_ARCH = 250


def active_lines(kernel, arch):
    """(in kernel/pith, of the architecture): lines of compiled files."""
    tree = measure_kbuild.KernelTree(kernel)
    ours = (FOLDER, f"arch/{arch}/kernel/pith_")
    compiles = [c for group in tree.groups().values() for c in group
                if any(part in str(c.object) for part in ours)]
    active = union({path: int(mask, 16) for path, mask in
                    active_of(c).items()} for c in compiles)
    return [figures(own, None, dict.fromkeys(own, 0))["active_c"]
            for own in ({path: mask for path, mask in active.items()
                         if tree.relative(path).startswith(part) and
                         pathlib.Path(path).name not in INSTEAD}
                        for part in ours)]


class Budget(unittest.TestCase):
    def check(self, arch):
        kernel = KERNELS[arch]
        if not (kernel / "vmlinux").exists():
            self.skipTest(f"no kernel for {arch} was built")
        own, of_arch = active_lines(kernel, arch)
        self.assertGreater(own, 1000)
        self.assertGreater(of_arch, 50)
        print(f"# {arch}: {FOLDER} has {own} active lines, the architecture's "
              f"files {of_arch}")
        self.assertLessEqual(own, MOST_LINES)
        self.assertLessEqual(of_arch, MOST_OF_ARCH)

    def test_x86(self):
        self.check("x86")

    def test_arm64(self):
        self.check("arm64")
