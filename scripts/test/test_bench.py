# SPDX-License-Identifier: BSD-2-Clause
"""Goals, tables and comparison of scripts/bench."""

import pathlib
import tempfile
import unittest

import tool  # noqa: F401  makes the next import work
from pithtools import bench_report as report


def family(**ways):
    return {report.EMPTY.format(way): [value, value]
            for way, value in ways.items()}


class Goals(unittest.TestCase):
    def held(self, **families):
        return {g["goal"]: g["held"] for g in report.goals(families)}

    def test_bounds_are_inclusive_or_shares(self):
        good = family(pith=3000, pipe=15000, seqpacket=9000, futex=3000,
                      binder=3000)
        self.assertTrue(all(self.held(rt=good).values()))
        for way, worse in (("pith", 3001), ("pipe", 14999), ("futex", 2999),
                           ("seqpacket", 8999), ("binder", 2999)):
            held = self.held(rt={**good, **family(**{way: worse})})
            self.assertIn(False, held.values(), way)

    def test_best_pipe_is_of_any_model(self):
        rt = family(pith=3000, pipe=15000)
        none = family(pith=3000, pipe=5000)
        text = "rt: 1/2 of the best pair of pipes of any model"
        self.assertTrue(self.held(rt=rt)[text])
        self.assertFalse(self.held(rt=rt, none=none)[text])

    def test_what_was_not_measured_is_not_held(self):
        self.assertFalse(self.held(rt=family(pith=1))["rt: less than binder"])

    def test_system(self):
        good = {key: [report.GENODE[what] // share] * 2
                for _, key, what, share in report.SYSTEM}
        good["rpc.bare.rt_insns"] = [1000, 1000]
        good["rpc.stub.rt_insns"] = [1250, 1250]
        self.assertTrue(all(self.held(system=good).values()))
        for key in set(good) - {"rpc.bare.rt_insns"}:
            worse = {**good, key: [good[key][0] + 1] * 2}
            self.assertIn(False, self.held(system=worse).values(), key)
            del worse[key]
            self.assertIn(False, self.held(system=worse).values(), key)


class Smoke(unittest.TestCase):
    def figures(self):
        found = {key: [100, 100] for key in report.SMOKE_KEYS}
        for _, key, other, share in report.SMOKE:
            found[key] = [100, 100]
            found[other] = [int(100 / share) + 1] * 2
        for _, _, other, share in report.SMOKE:
            found[other] = max(found[other], [int(100 / share) + 1] * 2)
        return found

    def test_good(self):
        self.assertTrue(all(ok for _, ok in report.smoke(self.figures())))

    def test_each_check_can_fail(self):
        for number, (_, key, other, _) in enumerate(report.SMOKE, 2):
            bad = self.figures()
            bad[key] = [2 * bad[other][0]] * 2
            self.assertFalse(report.smoke(bad)[number][1])
            del bad[other]
            self.assertFalse(report.smoke(bad)[number][1])

    def test_the_limit(self):
        bad = self.figures()
        bad[report.EMPTY.format("pith")] = [report.LIMIT + 1] * 2
        self.assertFalse(report.smoke(bad)[1][1])

    def test_a_missing_figure_fails(self):
        for key in report.SMOKE_KEYS:
            bad = self.figures()
            del bad[key]
            self.assertFalse(report.smoke(bad)[0][1])


class Text(unittest.TestCase):
    def test_differences(self):
        old = {"figures": {"a": 1000, "b": 1000, "c": 5}}
        new = {"figures": {"a": 1011, "b": 1009, "d": 6}}
        self.assertEqual(report.differences(old, new).splitlines()[1:],
                         ["a: 1,000 -> 1,011 (+1.1%)", "c: 5 -> -",
                          "d: - -> 6"])

    def test_tables_go_between_the_markers(self):
        rt = family(pith=1234, pipe=5678)
        curve = {"curve.caps.rt_insns_10": [77, 77]}
        found = {"families": {"rt": rt, "curves": curve},
                 "goals": report.goals({"rt": rt}), "limits": {"caps": 9}}
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "ipc.md"
            path.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter")
            report.update(path, found)
            once = path.read_text()
            report.update(path, found)
            self.assertEqual(path.read_text(), once)
            self.assertRegex(once, "(?s)^before.*1,234.*5,678.*77.*after$")
            self.assertNotIn("old", once)
            path.write_text("no markers")
            with self.assertRaises(SystemExit):
                report.update(path, found)


if __name__ == "__main__":
    unittest.main()
