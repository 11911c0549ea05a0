# SPDX-License-Identifier: BSD-2-Clause
"""The table of Genode's tests in ktest/README.md names what there is."""

import re
import unittest

from pithtools import cache

SCENARIOS = cache.REPO / "ktest/scenarios"
NAMES = set("""test-init init_loop sandbox signal entrypoint log timer timeout
    thread smp sub_rm rm_nested rm_fault rm_fault_no_nox read_only_rom sealed_ram
    ds_ownership fault_detection resource_request resource_yield report_rom
    fs_rom_update vfs_stress dynamic_config trace bomb scale_priority
    heartbeat""".split())


def rows():
    """[(name, its scenarios, its files)]"""
    text = (cache.REPO / "ktest/README.md").read_text(encoding="utf-8")
    table = text.partition("| Genode |")[2].partition("\n\n")[0]
    for line in table.splitlines()[2:]:
        cells = line.strip("|").split("|")
        yield (cells[0].strip().split(",")[0],
               *(re.findall(r"`([^`]+)`", cell) for cell in cells[1:]))


class GenodeNames(unittest.TestCase):
    def test_all_of_them(self):
        self.assertEqual({name for name, _, _ in rows()}, NAMES)

    def test_what_they_name_exists(self):
        for name, scenarios, files in rows():
            self.assertTrue(scenarios and files, name)
            for scenario in scenarios:
                self.assertTrue((SCENARIOS / f"{scenario}.scenario").is_file(),
                                scenario)
            for file in files:
                self.assertTrue((cache.REPO / file).is_file(), file)

    def test_a_program_is_in_its_scenario(self):
        """Each program of apps/ in a row is started by a scenario of the row."""
        for name, scenarios, files in rows():
            text = "".join(
                (SCENARIOS / f"{s}.scenario").read_text(encoding="utf-8")
                for s in scenarios)
            for file in files:
                if file.startswith("apps/"):
                    self.assertTrue(file.split("/")[1] in text, name)


if __name__ == "__main__":
    unittest.main()
