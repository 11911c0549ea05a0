# SPDX-License-Identifier: BSD-2-Clause
"""Small builds whose counts can be told by reading them."""

import pathlib
import shlex
import subprocess
import tempfile
import unittest

# Lines that count are marked; the numbers are what the tests expect.
HEADER = """\
/* A comment of
 * two lines. */
#ifndef H
#define H
int shared(int x);

static inline int twice(int x)
{
	return 2 * x;
}
#ifdef NEVER
int never;
#endif
#endif
"""
HEADER_ACTIVE = {5, 7, 8, 9, 10}
HEADER_SLOC = 11		# all but the comment and the blank line

ONE = """\
#include "h.h"
// comment
int shared(int x)
{
#if WANTED
	x++;
#else
	x--;
#endif

	return x;	/* after code */
}
"""
ONE_ACTIVE = {3, 4, 6, 11, 12}	# with -DWANTED=1
ONE_SLOC = 10

TWO = """\
#include "h.h"

int two(void)
{
	return twice(shared(1));
}
"""
TWO_ACTIVE = {3, 4, 5, 6}
TWO_SLOC = 5


class Folder(unittest.TestCase):
    """A test with a temporary folder."""

    def setUp(self):
        temp = tempfile.TemporaryDirectory(prefix="pith-measure-")
        self.addCleanup(temp.cleanup)
        self.folder = pathlib.Path(temp.name).resolve()

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def run_in(self, command, cwd=None):
        subprocess.run(shlex.split(command), cwd=cwd or self.folder,
                       check=True, stdin=subprocess.DEVNULL)
