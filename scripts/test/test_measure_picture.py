# SPDX-License-Identifier: BSD-2-Clause
"""The picture in the README is the one of the config that is booted."""

import unittest

from pithtools import cache, measure_diagram, measure_scenario

TOOL = cache.REPO / "build/host/hid2json"
CONFIG = cache.REPO / "initramfs/scenarios/first_light.hid"
PICTURE = cache.REPO / "docs/first-light.svg"


@unittest.skipUnless(TOOL.is_file(), "build/host/hid2json is not built")
class FirstLight(unittest.TestCase):
    def test_picture_is_current(self):
        graph = measure_diagram.Graph(measure_scenario.load(
            cache.REPO, TOOL, CONFIG))
        self.assertEqual(
            measure_diagram.svg(graph, CONFIG.name), PICTURE.read_text(),
            f"run: scripts/diagram {CONFIG.relative_to(cache.REPO)} > "
            f"{PICTURE.relative_to(cache.REPO)}")
