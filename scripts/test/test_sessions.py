# SPDX-License-Identifier: BSD-2-Clause
"""docs/sessions/*.md say what the headers in include/session say."""

import errno
import re
import unittest

from pithtools import cache

HEADERS = cache.REPO / "genode-core-shim/include/session"
PAGES = cache.REPO / "docs/sessions"
# Interfaces that have no page yet.
WITHOUT = {"block", "file_system", "fs", "platform", "system"}
# A page about a part of the kernel's interface or of the library.
NO_INTERFACE = {"rm"}


def interfaces():
    """{interface: [operation]} of each "enum X_method"."""
    found = {}
    for path in HEADERS.glob("*.h"):
        text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
        for name, body in re.findall(r"enum (\w+)_method \{(.*?)\}", text,
                                     re.S):
            found[name] = re.findall(r"([A-Z]\w+)\s*(?:=\s*\w+\s*)?(?:,|$)",
                                     body.strip())
    return found


def pages():
    """{page: {operation: its section}}"""
    found = {}
    for path in PAGES.glob("*.md"):
        parts = re.split(r"^### +(\S+).*$", path.read_text(), flags=re.M)
        found[path.stem] = dict(zip(parts[1::2], parts[2::2]))
    return found


class Sessions(unittest.TestCase):
    def setUp(self):
        self.interfaces, self.pages = interfaces(), pages()
        self.assertGreater(len(self.interfaces), 10)

    def page_of(self, interface):
        name = "init_control" if interface == "init" else interface
        return self.pages.get(name)

    def test_each_interface_has_a_page(self):
        missing = {i for i in self.interfaces if self.page_of(i) is None}
        self.assertEqual(missing - WITHOUT, set())
        self.assertEqual(WITHOUT & {i for i in self.interfaces
                                    if self.page_of(i) is not None}, set())

    def test_each_operation_has_a_section(self):
        for interface, operations in self.interfaces.items():
            page = self.page_of(interface)
            if page is not None:
                self.assertEqual(set(operations), set(page), interface)

    def test_no_page_of_nothing(self):
        known = set(self.interfaces) | NO_INTERFACE | {"init_control"}
        self.assertEqual(set(self.pages) - known, set())

    def test_each_section_says_its_errors(self):
        for page, sections in self.pages.items():
            for operation, text in sections.items():
                self.assertIn("**Errors**:", text, f"{page}: {operation}")
                said = text.partition("**Errors**:")[2]
                for name in re.findall(r"`(E[A-Z]+)`", said):
                    self.assertIn(name, errno.errorcode.values(), operation)
