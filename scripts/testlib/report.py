# SPDX-License-Identifier: BSD-2-Clause
"""Results: TAP and KTAP are read, one line per job is printed, all are kept."""

import dataclasses
import json
import os
import re

TAP_LINE = re.compile(r"(?:\[ *\d+\.\d+\] )?(ok|not ok)(?: +(\d+))?"
                      r"(?: +-)?(?: +(.*))?$")
TAP_PLAN = re.compile(r"(?:\[ *\d+\.\d+\] )?1\.\.(\d+)\s*$")
DETAIL_LINES = 40


@dataclasses.dataclass
class Result:
    """Of one job: how many tests it had, and what to show if any failed."""
    name: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    detail: list = dataclasses.field(default_factory=list)
    failures: list = dataclasses.field(default_factory=list)

    def fail(self, what, detail=()):
        self.failed += 1
        self.failures.append(what)
        self.detail += list(detail)


def read_tap(result, text):
    """Count the tests in @text; a plan that is not kept is a failure."""
    plan, seen, since = None, 0, []
    for line in text.splitlines():
        line = line.rstrip()
        if match := TAP_PLAN.match(line):
            if plan is not None:
                result.fail("a second plan: " + line)
            plan = int(match[1])
            continue
        match = TAP_LINE.match(line)
        if not match:
            since.append(line)
            continue
        seen += 1
        if match[1] == "not ok":
            result.fail(match[3] or match[2] or "?",
                        since[-DETAIL_LINES:] + [line])
        elif "# SKIP" in line:
            result.skipped += 1
        else:
            result.passed += 1
        since = []
    if plan is None:
        result.fail("no plan: it did not run to its end",
                    text.splitlines()[-DETAIL_LINES:])
    elif plan != seen:
        result.fail("%d tests of %d" % (seen, plan),
                    text.splitlines()[-DETAIL_LINES:])
    elif not seen:
        result.fail("no test ran")


def line(result):
    """What is printed of a job."""
    word = "FAIL" if result.failed else "ok  "
    counts = "%d passed" % result.passed
    if result.failed:
        counts += ", %d failed" % result.failed
    if result.skipped:
        counts += ", %d skipped" % result.skipped
    return "%s %-52s %s, %.1f s" % (word, result.name, counts, result.seconds)


def show(result):
    print(line(result), flush=True)
    for failure in result.failures:
        print("       failed: " + failure)
    for text in result.detail[-3 * DETAIL_LINES:]:
        print("       | " + text[:200])


def write_json(path, results):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    total = {
        "passed": sum(r.passed for r in results),
        "failed": sum(r.failed for r in results),
        "skipped": sum(r.skipped for r in results),
    }
    with open(path, "w", encoding="utf-8") as out:
        json.dump({"schema": 1, "total": total,
                   "jobs": [dataclasses.asdict(r) for r in results]},
                  out, indent=1)
        out.write("\n")
    return total
