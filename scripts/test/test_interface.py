# SPDX-License-Identifier: BSD-2-Clause
"""docs/kernel-interface.md says what the header and the kernel say."""

import re
import unittest

from pithtools import cache

REPO = cache.REPO
FILES = REPO / "patches/files"
FIELDS = ["Argument", "Rights", "Returns", "Errors", "Blocks", "Cost"]
MOST_CALLS = 24


def read(path):
    return path.read_text(encoding="utf-8")


MANUAL = read(REPO / "docs/kernel-interface.md")
HEADER = read(FILES / "include/uapi/linux/pith.h")
SYSCALLS = read(FILES / "kernel/pith/syscall.c")
CALLS = read(FILES / "include/linux/pith_calls.h")
PITH_CALLS = {"PITH_NR_CALL": "pith_call", "PITH_NR_SIGNAL": "pith_signal",
              "PITH_NR_REPLY_WAIT": "pith_reply_wait",
              "PITH_NR_CONTROL": "pith_control"}


def header_ops():
    """{operation: name of its struct or "-"} of the enum, in order."""
    body = re.search(r"enum pith_op \{(.*?)\n\};", HEADER, re.DOTALL)[1]
    found = re.findall(r"(PITH_OP_\w+)[^,]*,\s*/\* (?:(struct \w+)|(-))", body)
    return {op: struct or dash for op, struct, dash in found}


def all_ops():
    body = re.search(r"enum pith_op \{(.*?)\n\};", HEADER, re.DOTALL)[1]
    return set(re.findall(r"^\t(PITH_OP_\w+)", body, re.MULTILINE))


def sections():
    """{heading: text} of the manual's operations and calls."""
    parts = re.split(r"^##+ +(\S.*)$", MANUAL, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


def field(text, name):
    """What a section says after **name**, or None."""
    found = re.search(r"^- \*\*%s\*\*:(.*?)(?=\n- \*\*|\n\n|\Z)" % name, text,
                      re.DOTALL | re.MULTILINE)
    return found and " ".join(found[1].split())


def errors(text):
    return set(re.findall(r"`(E[A-Z]{3,})`", text))


def header_errors():
    return set(re.findall(r"^ \*   (E[A-Z]+) ", HEADER, re.MULTILINE))


def array(text, name):
    """Names of the system calls in a C array, __NR_ and SYS_ taken off."""
    body = re.search(name + r"\[\][^=]*= \{(.*?)\n\};", text, re.DOTALL)[1]
    body = re.sub(r"/\*.*?\*/", "", body, flags=re.DOTALL)
    return {PITH_CALLS.get(n) or re.sub("^(__NR|SYS)_", "", n)
            for n in re.findall(r"\b((?:__NR|SYS|PITH_NR)_\w+),", body)}


def listed(name):
    """Names of the system calls in a list of pith_calls.h, and lists in it."""
    body = re.search(r"#define %s\(X\)(.*?[^\\])\n" % name, CALLS,
                     re.DOTALL)[1]
    found = {PITH_CALLS.get(n) or n.removeprefix("__NR_")
             for n in re.findall(r"\bX\((\w+), sys_\w+\)", body)}
    for inner in re.findall(r"\b(PITH_\w+_CALLS?)\(X\)", body):
        found |= listed(inner)
    return found


def table(heading):
    """{first cell: second cell} of the table that starts with this heading."""
    rows = MANUAL[MANUAL.index("| call | " + heading):].split("\n\n")[0]
    cells = [[c.strip() for c in row.strip("|").split("|")]
             for row in rows.split("\n")[2:]]
    return {row[0].strip("`"): row[1] for row in cells}


class Manual(unittest.TestCase):
    def test_every_operation(self):
        ops = all_ops()
        self.assertGreater(len(ops), 30)
        written = {h for h in sections() if h.startswith("PITH_OP_")}
        self.assertEqual(ops, written)
        self.assertEqual(ops, set(header_ops()))

    def test_fields(self):
        for op, struct in header_ops().items():
            text = sections()[op]
            with self.subTest(op):
                for name in FIELDS:
                    self.assertTrue(field(text, name), name)
                said = field(text, "Argument")
                self.assertEqual(struct, re.match(
                    r"`?(struct \w+|-)", said)[1])

    def test_calls(self):
        for call in PITH_CALLS.values():
            with self.subTest(call):
                self.assertIn("long %s(" % call if call != "pith_control"
                              else "`EFAULT`", sections()[call])
                if call != "pith_control":
                    for name in FIELDS[1:]:
                        self.assertTrue(field(sections()[call], name), name)

    def test_errors(self):
        known = header_errors()
        rows = set(re.findall(r"^\| `(E[A-Z]+)` \|", MANUAL, re.MULTILINE))
        self.assertEqual(rows, known)
        for heading, text in sections().items():
            with self.subTest(heading):
                self.assertLessEqual(errors(field(text, "Errors") or ""),
                                     known)

    def test_names_exist(self):
        header = set(re.findall(r"\b(?:PITH_|pith_)\w+", HEADER))
        sys_h = set(re.findall(r"\bpith_\w+", read(
            REPO / "genode-core-shim/include/pith/sys.h")))
        for name in set(re.findall(r"\bPITH_\w+|struct pith_\w+", MANUAL)):
            name = name.split()[-1]
            if name in ("PITH_SEC", "PITH_MS"):
                continue
            self.assertIn(name, header)
        for name in set(re.findall(r"\b(pith_\w+)\(", MANUAL)):
            self.assertIn(name, header | sys_h)

    def test_links(self):
        anchors = {re.sub(r"[^a-z0-9_ /-]", "", h.lower()).replace(
            "/", "").replace(" ", "-") for h in re.findall(
                r"^#+ +(.*)$", MANUAL, re.MULTILINE)}
        for link in re.findall(r"\]\(#([^)]+)\)", MANUAL):
            self.assertIn(link, anchors)


class Table(unittest.TestCase):
    """The table that pith_control() goes by."""

    ROW = re.compile(r"\bOP\((\w+), (\w+), (\w+), (\w+)(?:,(.*?))?\),\n"
                     r"(?=\n|\tOP|\};)", re.DOTALL)

    def rows(self):
        body = SYSCALLS[SYSCALLS.index("static const struct op ops[]"):]
        rows = body[:body.index("\n};") + 4]
        return self.ROW.findall(re.sub(r"(?m)^#.*\n", "", rows))

    def test_every_operation(self):
        self.assertEqual(list(header_ops()),
                         ["PITH_OP_" + row[0] for row in self.rows()])

    def test_as_written(self):
        types = {"NONE": "no object", "ANY": "any capability",
                 "ENDPOINT": "an endpoint", "NOTIFICATION": "a notification",
                 "MEMORY": "memory", "DOMAIN": "a domain",
                 "SPACE": "a space", "THREAD": "a thread", "IRQ": "an irq",
                 "IO_PORT": "an I/O port range",
                 "HARDWARE": "the hardware capability"}
        for op, _, kind, right, arg in self.rows():
            with self.subTest(op):
                text = sections()["PITH_OP_" + op]
                chapter = MANUAL[:MANUAL.index("### PITH_OP_%s\n" % op)]
                self.assertEqual("On " + types[kind], re.findall(
                    r"^## (.*)$", chapter, re.MULTILINE)[-1])
                said = re.findall(r"PITH_R_\w+", field(text, "Rights"))
                if right != "0":
                    self.assertEqual(right, said[0])
                struct = re.search(r"(?:INOUT_ZERO|IN_ZERO|IN|OUT)\((\w+)\)", arg)
                self.assertEqual(header_ops()["PITH_OP_" + op],
                                 "struct " + struct[1] if struct else "-")
                self.assertEqual(
                    "out" in arg.lower(), "out:" in field(text, "Argument")
                    or "; out" in field(text, "Argument"))


class Prices(unittest.TestCase):
    def test_measured(self):
        """The table of prices is what the kernel test checks."""
        kinds = read(REPO / "ktest/kernel/test_quota.c")
        body = re.search(r"\} kinds\[\] = \{(.*?)\n\};", kinds, re.DOTALL)[1]
        built = re.findall(r'\{ "([^"]+)", \w+, \w+,\s+(\w+), \d+ \}', body)
        said = MANUAL[MANUAL.index("| made | x86_64 | arm64 |"):]
        rows = [[c.strip() for c in row.strip("|").split("|")]
                for row in said.split("\n\n")[0].split("\n")[2:]]
        self.assertGreater(len(built), 10)
        for column, arch in ((1, "x86"), (2, "arm64")):
            bytes_of = dict(re.findall(
                r"(?m)^#define (KT_RAM_\w+)\s+(\d+)$",
                read(REPO / f"ktest/kernel/{arch}/arch.h")))
            self.assertEqual(
                {name: bytes_of.get(n, n) for name, n in built
                 if arch == "x86" or name != "I/O ports"},
                {row[0]: row[column] for row in rows if row[column]})


class Calls(unittest.TestCase):
    def test_component(self):
        built = listed("PITH_COMPONENT_CALLS")
        said = table("why a component has it")
        self.assertEqual(built, set(said))
        self.assertLessEqual(len(built), MOST_CALLS)
        self.assertIn("\n%d calls;" % len(built), MANUAL)
        self.assertEqual(built, array(read(
            REPO / "ktest/kernel/test_capmode.c"), "allowed"))
        self.assertTrue(all(said.values()))

    def test_core(self):
        built = listed("PITH_CORE_CALLS")
        said = table("why core has it")
        self.assertEqual(built, set(said))
        self.assertTrue(all(said.values()))
