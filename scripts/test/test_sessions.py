# SPDX-License-Identifier: BSD-2-Clause
"""docs/sessions/*.md say what the headers in include/session say."""

import errno
import re
import unittest

from pithtools import cache

HEADERS = cache.REPO / "genode-core-shim/include/session"
PAGES = cache.REPO / "docs/sessions"
# A page about a part of the kernel's interface or of the library.
NO_INTERFACE = {"rm"}
# Pages whose name is not that of the enum.
PAGE = {"init": "init_control", "fs": "file_system"}
ENUMERATOR = re.compile(r"(/\*(?:[^*]|\*(?!/))*\*/)?\s*"
                        r"([A-Z]\w+)\s*(?:=\s*\w+\s*)?(?:,|$)"
                        r"[ \t]*(/\*(?:[^*]|\*(?!/))*\*/)?")
STRUCT = re.compile(r"\bstruct (\w+)")


def errors(text):
    return {name for name in re.findall(r"\bE[A-Z]+\b", text)
            if hasattr(errno, name)}


def headers():
    return {path.stem: path.read_text(encoding="utf-8")
            for path in sorted(HEADERS.glob("*.h"))}


def interfaces():
    """{interface: {operation: its comment}} of each "enum X_method"."""
    found = {}
    for text in headers().values():
        for name, body in re.findall(r"enum (\w+)_method \{(.*?)\n\}", text,
                                     re.S):
            found[name] = {op: before + after for before, op, after
                           in ENUMERATOR.findall(body.strip())}
    return found


def pages():
    """{page: (what is said before the operations, {operation: its section})}"""
    found = {}
    for path in sorted(PAGES.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        parts = re.split(r"^###? +(.*)$", text, flags=re.M)
        found[path.stem] = (parts[0], dict(zip(parts[1::2], parts[2::2])))
    return found


def operations(sections):
    return {name: text for name, text in sections.items()
            if re.fullmatch(r"[A-Z][A-Z0-9_]+", name)}


class Sessions(unittest.TestCase):
    def setUp(self):
        self.interfaces, self.pages = interfaces(), pages()
        self.assertGreater(len(self.interfaces), 15)

    def each(self):
        """(interface, operation, comment, section, what stands before)"""
        for interface, known in self.interfaces.items():
            before, sections = self.pages[PAGE.get(interface, interface)]
            for operation, comment in known.items():
                yield (interface, operation, comment, sections[operation],
                       before)

    def test_each_interface_has_a_page(self):
        self.assertEqual({PAGE.get(i, i) for i in self.interfaces},
                         set(self.pages) - NO_INTERFACE)

    def test_each_operation_has_a_section(self):
        for interface, known in self.interfaces.items():
            _, sections = self.pages[PAGE.get(interface, interface)]
            self.assertEqual(set(known), set(operations(sections)), interface)

    def test_each_section_says_its_errors(self):
        for _, operation, _, section, _ in self.each():
            self.assertIn("**Errors**:", section, operation)
            said = section.partition("**Errors**:")[2]
            for name in re.findall(r"`(E[A-Z]+)`", said):
                self.assertTrue(hasattr(errno, name), f"{operation}: {name}")

    def test_a_page_says_whether_an_operation_blocks(self):
        for _, operation, _, section, before in self.each():
            self.assertRegex(before + section,
                             r"\*\*Blocks\*\*:|does not block|"
                             r"[Nn]o (other )?operation (but \w+ )?"
                             r"(blocks|waits)|wait for", operation)

    def test_arguments_and_results_of_the_header(self):
        """What the header takes and returns, the page does, too."""
        for _, operation, comment, section, _ in self.each():
            self.assertLessEqual(set(STRUCT.findall(comment)),
                                 set(STRUCT.findall(section)), operation)
            if re.search(r"\bcaps? \d|-> cap\b|\+ cap\b", comment):
                self.assertRegex(section, r"as (a )?capabilit", operation)

    def test_errors_of_the_header(self):
        for _, operation, comment, section, before in self.each():
            self.assertLessEqual(errors(comment), errors(section + before),
                                 operation)

    def test_structs_and_constants_of_a_page_are_in_a_header(self):
        sources = "".join(
            path.read_text(encoding="utf-8") for path in
            [*HEADERS.glob("*.h"), *HEADERS.parent.glob("pith/*.h"),
             *(cache.REPO / "patches/files").glob("**/pith.h")])
        for path in PAGES.glob("*.md"):
            text = path.read_text(encoding="utf-8")
            for name in STRUCT.findall(text):
                self.assertRegex(sources, rf"struct {name}\b", path.name)
            for name in re.findall(r"`([A-Z]+_[A-Z0-9_]+)`", text):
                self.assertRegex(sources, rf"\b\w*{name}\b", path.name)

    def test_packets_and_their_states(self):
        """Of interfaces with a ring: each request, status and flag."""
        for page, names in (("block", ("block_op", "block_status")),
                            ("file_system", ("fs_op", "fs_open_flags"))):
            text = (PAGES / (page + ".md")).read_text(encoding="utf-8")
            for name in names:
                body = re.search(rf"enum {name} \{{(.*?)\n\}}",
                                 headers()[page], re.S)[1]
                found = [op for _, op, _ in ENUMERATOR.findall(body.strip())]
                self.assertGreater(len(found), 2, name)
                for enumerator in found:
                    self.assertIn(f"`{enumerator}`", text)
