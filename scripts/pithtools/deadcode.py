# SPDX-License-Identifier: BSD-2-Clause
"""What of the compiled C files is not in the image, to be cut (cut.py).

A definition can go if no line of it has machine code in the image and nothing
that stays in the translation unit names it. What is in the image is known from
the line table and the symbols of a vmlinux whose dead code was left out at the
link; the rest is text: a name in live code that the compiler folded away still
has to be declared, so its definition stays.
"""

import collections
import pathlib
import re

from pithtools import cut, measure_count, measure_kbuild
from pithtools.measure_lines import ActiveLines, union

SUFFIX = re.compile(r"\.(constprop|isra|part|cold|lto_priv)?\.?\d*.*$")


def units(tree, cache):
    """[{path: active mask}] of the image's translation units, C files only."""
    groups = tree.groups()
    counter = ActiveLines(cache / "measure", tree.build)
    lines = counter.of([c for g in groups.values() for c in g])
    other = union(lines[c.object] for name, g in groups.items()
                  if name != "vmlinux" for c in g)
    merged = []
    for compile in groups["vmlinux"]:
        mine = {p: m for p, m in lines[compile.object].items()
                if p.endswith(".c") and p.startswith(f"{tree.source}/")
                and not p.startswith(f"{tree.build}/") and p not in other}
        if mine:
            merged.append(mine)
    return merged


def image(tree):
    """({path: linked lines}, names of symbols) of the image."""
    program = measure_count.Program(tree.build / "vmlinux", tree)
    names = {SUFFIX.sub("", s.name) for s in program.elf.symbols()
             if s.shndx and s.name}
    return program.lines, names


class Found:
    """Of one file: {name: active lines} that can go, all active lines, and
    whether any line is in the image."""

    def __init__(self):
        self.lines, self.active, self.linked = {}, 0, False


class Node:
    """A name at top level: its items, whether it may go, what it names."""

    def __init__(self):
        self.items, self.free, self.uses = [], True, set()


def read_unit(tree, unit, linked, symbols):
    """({name: Node}, names used by what is no definition)."""
    nodes, roots = collections.defaultdict(Node), set()
    for path, mask in unit.items():
        text = pathlib.Path(path).read_text()
        plain = cut.blank(text).split("\n")
        special = cut.directives(plain)
        lines = linked.get(tree.relative(path), ())
        covered = set()

        def active(start, end):
            return [i for i in range(start, end)
                    if mask >> (i + 1) & 1 and not special[i]]

        for item in cut.items(text):
            covered.update(range(item.start, item.end))
            mine = active(item.start, item.end)
            if not mine or item.kind == "about":
                continue
            words = {w for i in mine for w in cut.TOKEN.findall(plain[i])}
            # A directive within: its condition and macros are used, too.
            words |= {w for i in range(item.start, item.end) if special[i]
                      for w in cut.TOKEN.findall(plain[i])}
            if item.kind == "other":
                roots |= words
                continue
            node = nodes[item.names[0]]
            node.uses |= words - {item.names[0]}
            if item.kind == "prototype" or item.kind == "declaration":
                node.items.append((path, item, [], item.kind))
                continue
            node.items.append((path, item, mine, item.kind))
            if item.kind == "function":
                node.free &= not any(i + 1 in lines for i in
                                     range(item.start, item.end))
            elif item.kind == "data":
                node.free &= item.names[0] not in symbols
        for i, line in enumerate(plain):
            if special[i] or (i not in covered and mask >> (i + 1) & 1):
                roots |= set(cut.TOKEN.findall(line))
    for node in nodes.values():
        # Declared here, defined elsewhere.
        if not any(mine for _, _, mine, _ in node.items):
            node.free = False
    return nodes, roots


def dead_names(nodes, roots):
    """Names that nothing alive uses."""
    todo = [n for n in nodes if n in roots or not nodes[n].free]
    alive = set(todo)
    while todo:
        for name in nodes[todo.pop()].uses:
            if name in nodes and name not in alive:
                alive.add(name)
                todo.append(name)
    return set(nodes) - alive


def find(build, cache):
    """{path: Found} of what can be cut."""
    tree = measure_kbuild.KernelTree(build)
    linked, symbols = image(tree)
    keep = collections.defaultdict(set)
    found = collections.defaultdict(Found)
    totals = collections.defaultdict(int)
    for unit in units(tree, cache):
        nodes, roots = read_unit(tree, unit, linked, symbols)
        gone = dead_names(nodes, roots)
        for path, mask in unit.items():
            name = tree.relative(path)
            totals[name] |= mask
            found[name].linked = bool(linked.get(name))
        for symbol, node in nodes.items():
            for path, item, mine, kind in node.items:
                name = tree.relative(path)
                if symbol not in gone:
                    keep[name].add(symbol)
                elif mine:
                    lines = found[name].lines
                    lines[symbol] = lines.get(symbol, 0) + len(mine)
    for name, entry in found.items():
        entry.active = totals[name].bit_count()
        # A file in several units: what one of them needs stays.
        entry.lines = {s: n for s, n in entry.lines.items()
                       if s not in keep[name]}
    return dict(found)


def text_of(found):
    """The body of a cut."""
    out = []
    for path in sorted(found):
        names = sorted(found[path].lines)
        if not names:
            continue
        line = f"{path}:"
        for name in names:
            if len(line.expandtabs()) + len(name) > 78:
                out.append(line)
                line = "\t" + name
            else:
                line += " " + name
        out.append(line)
    return "\n".join(out) + "\n"
