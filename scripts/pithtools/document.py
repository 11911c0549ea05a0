# SPDX-License-Identifier: BSD-2-Clause
"""Tables that tools write into documents, between a pair of markers."""

import re


def put_between(path, markers, text):
    """Replace what is between @markers, (begin, end), in the document @path."""
    begin, end = markers
    old = path.read_text(encoding="utf-8")
    lines = text.rstrip("\n")
    new, count = re.subn(re.escape(begin) + ".*?" + re.escape(end),
                         lambda _: f"{begin}\n{lines}\n{end}", old, flags=re.S)
    if count != 1:
        raise SystemExit(f"{path} has not one pair of markers {begin}")
    path.write_text(new, encoding="utf-8")
