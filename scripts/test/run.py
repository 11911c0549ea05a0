#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Run the Python tests beside this file (test_*.py); print TAP.

usage: run.py [PATTERN]	only tests whose name contains PATTERN
"""

import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]


def flat(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from flat(test)
        else:
            yield test


class Tap(unittest.TestResult):
    """One line per test, and the reason of a failure as comments."""

    def __init__(self):
        super().__init__()
        self.number = 0

    def line(self, word, test, after=""):
        self.number += 1
        print(f"{word} {self.number} - {test.id()}{after}", flush=True)

    def addSuccess(self, test):
        self.line("ok", test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.line("ok", test, f" # SKIP {reason}")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.failed(test, self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        self.failed(test, self.errors[-1][1])

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self.failed(subtest, self._exc_info_to_string(err, test))

    def failed(self, test, text):
        self.line("not ok", test)
        for row in text.rstrip().split("\n"):
            print(f"# {row}", flush=True)


def main():
    pattern = sys.argv[1] if len(sys.argv) > 1 else ""
    found = unittest.defaultTestLoader.discover(str(HERE), "test_*.py")
    tests = [t for t in flat(found) if pattern in t.id()]
    result = Tap()
    unittest.TestSuite(tests).run(result)
    print(f"1..{result.number}")
    return 0 if tests and result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
