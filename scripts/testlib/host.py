# SPDX-License-Identifier: BSD-2-Clause
"""Tests that run here: C programs under the sanitizers, fuzz targets, Python.

A C test says in comments near its top what is linked with it:
    /* test-sources: ../foo.c ../../lib/bar.c */	relative to the test
    /* test-libs: -lext2fs -lcom_err */
"""

import os
import pathlib
import re
import shlex
import subprocess
import sys

from . import report

TOP = pathlib.Path(__file__).resolve().parents[2]
OUT = TOP / "build/host-tests"
PLACES = ("genode-core-shim", "udrivers", "servers", "apps", "ktest")
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wshadow"]
INCLUDES = ["-Igenode-core-shim/include", "-Ipatches/files/include/uapi"]
TEST_SECONDS = 300
ENV = dict(os.environ,
           ASAN_OPTIONS="detect_leaks=1:abort_on_error=0",
           UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1",
           PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def find(suffix):
    """Paths, relative to the project, of all test/*@suffix."""
    found = []
    for place in PLACES:
        found += (TOP / place).glob("**/test/*" + suffix)
    return sorted(str(p.relative_to(TOP)) for p in found)


def _directive(text, name):
    words = []
    for match in re.finditer(r"/\*\s*%s:(.*?)\*/" % name, text, re.DOTALL):
        words += match[1].replace("*", " ").split()
    return words


def _sources(path):
    text = (TOP / path).read_text(encoding="utf-8")
    folder = os.path.dirname(path)
    sources = [os.path.normpath(os.path.join(folder, s))
               for s in _directive(text, "test-sources")]
    return [path, *sources], _directive(text, "test-libs")


def _run(command, seconds, **more):
    """(exit status or None for a timeout, output)"""
    try:
        done = subprocess.run(command, cwd=TOP, env=ENV, timeout=seconds,
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False, **more)
        return done.returncode, done.stdout.decode("utf-8", "replace")
    except subprocess.TimeoutExpired as late:
        return None, (late.stdout or b"").decode("utf-8", "replace")


def _build(result, path, compiler, flags):
    """Compile and link; the program, or None."""
    program = OUT / path.removesuffix(".c")
    program.parent.mkdir(parents=True, exist_ok=True)
    sources, libs = _sources(path)
    command = [*compiler, "-std=gnu11", "-O1", "-g", *WARNINGS, *flags,
               *INCLUDES, "-o", str(program), *sources, *libs]
    status, text = _run(command, TEST_SECONDS)
    if status == 0:
        return program
    result.fail("does not build", [shlex.join(command), *text.splitlines()])
    return None


def _ended(result, status, text, seconds):
    tail = text.splitlines()[-report.DETAIL_LINES:]
    if status is None:
        result.fail("no end after %d s" % seconds, tail)
    elif status < 0:
        result.fail("killed by signal %d" % -status, tail)
    elif status and not result.failed:
        result.fail("exit status %d" % status, tail)


def unit(path):
    """One C unit test program."""
    result = report.Result(path.removesuffix(".c"))
    program = _build(result, path, ["gcc"],
                     ["-fsanitize=address,undefined",
                      "-fno-sanitize-recover=all"])
    if program:
        status, text = _run([str(program)], TEST_SECONDS)
        report.read_tap(result, text)
        _ended(result, status, text, TEST_SECONDS)
    return result


def fuzz(path, seconds):
    """One fuzz target for @seconds, from its corpus. What it finds stays in
    build/host-tests, what it learnt too."""
    result = report.Result(path.removesuffix(".c"))
    program = _build(result, path, ["clang"],
                     ["-fsanitize=fuzzer,address,undefined",
                      "-fno-sanitize-recover=all"])
    if not program:
        return result
    name = os.path.basename(path).removesuffix(".c")
    seeds = TOP / os.path.dirname(path) / "corpus"
    learnt = pathlib.Path(str(program) + ".corpus")
    learnt.mkdir(exist_ok=True)
    corpora = [str(learnt)]
    corpora += [str(seeds / n) for n in (name, name.removesuffix("_fuzz"))
                if (seeds / n).is_dir()]
    status, text = _run([str(program), "-max_total_time=%d" % seconds,
                         "-timeout=10", "-rss_limit_mb=2048", "-verbosity=0",
                         "-print_final_stats=1",
                         "-artifact_prefix=%s-" % program, *corpora],
                        seconds + 120)
    runs = re.search(r"number_of_executed_units:\s*(\d+)", text)
    if status == 0 and runs and int(runs[1]) > 0:
        result.passed = 1
        result.name += " (%s runs)" % runs[1]
    else:
        _ended(result, status if status is None else status or 1, text,
               seconds + 120)
    return result


def python(_name):
    """The Python tests under scripts/test."""
    result = report.Result("scripts/test")
    status, text = _run([sys.executable, "scripts/test/run.py"], 900)
    report.read_tap(result, text)
    _ended(result, status, text, 900)
    return result
