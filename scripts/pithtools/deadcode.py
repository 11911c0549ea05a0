# SPDX-License-Identifier: BSD-2-Clause
"""What of the compiled C files is not in the image, to be cut (cut.py).

A definition can go if no line of it has machine code in the image and nothing
that stays in the translation unit names it; so can a function that conditionals
leave out. What is in the image is known from
the line table and the symbols of a vmlinux whose dead code was left out at the
link; the rest is text: a name in live code that the compiler folded away still
has to be declared, so its definition stays.
"""

import collections
import functools
import pathlib
import re

from pithtools import cut, measure_count, measure_kbuild
from pithtools.measure_elf import STB_LOCAL
from pithtools.measure_lines import ActiveLines, union

STT_FILE = 4
SUFFIX = re.compile(r"\.(constprop|isra|part|cold|lto_priv)?\.?\d*.*$")


def units(tree, cache):
    """[(path of the object, {path: active mask})] of the image's translation
    units, C files only."""
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
            merged.append((pathlib.Path(compile.object), mine))
    return merged


class Symbols:
    """Names in the image: of all, and of one file only."""

    def __init__(self, elf):
        self.all, self.of_file = set(), set()
        file = ""
        for s in elf.symbols():
            name = SUFFIX.sub("", s.name)
            if s.type == STT_FILE:
                file = s.name.split("/")[-1]
            elif s.shndx and name and s.bind == STB_LOCAL:
                self.of_file.add((file, name))
            elif s.shndx and name:
                self.all.add(name)

    def has(self, name, source):
        """Whether @source, main file of a translation unit, has it there."""
        return name in self.all or (pathlib.Path(source).name, name) in \
            self.of_file


def image(tree):
    """({path: linked lines}, Symbols) of the image."""
    program = measure_count.Program(tree.build / "vmlinux", tree)
    return program.lines, Symbols(program.elf)


class Found:
    """Of one file: {name: active lines} that can go, and all active lines."""

    def __init__(self, names=()):
        self.lines, self.active = dict.fromkeys(names, 0), 0


class Node:
    """A name at top level: its items, whether it may go, what it names; and
    the files with a function of that name that is not compiled."""

    def __init__(self):
        self.items, self.free, self.uses = [], True, set()
        self.passive = []


MACRO = re.compile(r"(?:static |const )*(?!EXPORT_)[A-Z][A-Z0-9_]+\(")
# A name in use; not a member, which has names of its own.
USE = re.compile(r"(?<![\w.>])[A-Za-z_]\w*|(?<= >)[A-Za-z_]\w*")


def used(line):
    attribute = cut.ATTRIBUTE.match(line)
    if attribute:
        return {f"{attribute[1]}_show", f"{attribute[1]}_store"}
    return set(USE.findall(line))


def own_headers(path, seen):
    """Texts of the headers that @path includes by a name in quotes."""
    for name in re.findall(r'(?m)^\s*#\s*include\s+"([^"]+\.h)"',
                           path.read_text(errors="replace")):
        header = path.parent / name
        if header.is_file() and header not in seen:
            seen.add(header)
            own_headers(header, seen)
    return [without_prototypes(h.read_text(errors="replace")) for h in seen]


def without_prototypes(text):
    """Lines of a header, those blank that only say that something exists."""
    lines = cut.blank(text).split("\n")
    for item in cut.items(text):
        if item.kind == "prototype" or \
                lines[item.start].startswith("extern "):
            lines[item.start:item.end] = [""] * (item.end - item.start)
    return lines


def pasted(directives):
    """How names may begin and end that macros make of a part and an argument."""
    text = "\n".join(directives)
    return (tuple(set(re.findall(r"(\w+_)\s*##", text))),
            tuple(set(re.findall(r"##\s*(_\w+)", text))))


def read_unit(tree, unit, linked, there):
    """({name: Node}, names used by what is no definition)."""
    nodes, roots, texts = collections.defaultdict(Node), set(), []
    macros = set()	# at top level, which may make more of their arguments
    for path, mask in unit.items():
        text = pathlib.Path(path).read_text()
        plain = cut.blank(text).split("\n")
        special = cut.directives(plain)
        texts.append([l for l, s in zip(plain, special) if s])
        lines = linked.get(tree.relative(path), ())
        covered = set()

        def active(start, end):
            return [i for i in range(start, end)
                    if mask >> (i + 1) & 1 and not special[i]]

        for item in cut.items(text):
            covered.update(range(item.start, item.end))
            mine = active(item.start, item.end)
            if not mine and item.kind == "function":
                nodes[item.names[0]].passive.append(path)
            if not mine or item.kind == "about":
                continue
            words = {w for i in mine for w in used(plain[i])}
            # A directive within: its condition and macros are used, too.
            words |= {w for i in range(item.start, item.end) if special[i]
                      for w in used(plain[i])}
            if item.kind == "other":
                roots |= words
                if MACRO.match(plain[item.start]):
                    macros |= {w + "_" for w in words}
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
                node.free &= not there(item.names[0])
        for i, line in enumerate(plain):
            if special[i] or (i not in covered and mask >> (i + 1) & 1):
                roots |= used(line)
        for header in own_headers(pathlib.Path(path), set()):
            roots |= {w for line in header for w in used(line)}
            texts.append([l for l in header if "##" in l])
    begin, end = pasted(line for text in texts for line in text)
    begin += tuple(macros)
    for name, node in nodes.items():
        if name.startswith(begin) or name.endswith(end):
            node.free = False
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


def leaves_nothing(nodes, there, linked):
    """Whether nothing of a translation unit is in the image."""
    return not linked and not any(
        kind in ("function", "data") and there(name)
        for name, node in nodes.items() for _, _, _, kind in node.items)


def made_in(tree, path):
    """The Makefile that makes object @path, as a name in the tree; None if it
    does not say so in so many words."""
    folder = path.parent.relative_to(tree.build)
    name = f"{folder}/Makefile"
    try:
        cut.cut_objects((tree.source / name).read_text(), [path.name])
    except (OSError, cut.CutError):
        return None
    return name


def find(build, cache):
    """{path: Found} of what can be cut; of a Makefile, objects."""
    tree = measure_kbuild.KernelTree(build)
    linked, symbols = image(tree)
    keep = collections.defaultdict(set)
    found = collections.defaultdict(Found)
    totals = collections.defaultdict(int)
    for path, unit in units(tree, cache):
        there = functools.partial(symbols.has,
                                  source=path.with_suffix(".c"))
        nodes, roots = read_unit(tree, unit, linked, there)
        names = [tree.relative(p) for p in unit]
        here = leaves_nothing(nodes, there,
                              any(linked.get(n) for n in names)) and \
            made_in(tree, path)
        if here:
            found[here].lines[path.name] = sum(
                m.bit_count() for m in unit.values())
            continue
        gone = dead_names(nodes, roots)
        for path, mask in unit.items():
            totals[tree.relative(path)] |= mask
        for symbol, node in nodes.items():
            if not node.items:
                for path in node.passive:
                    found[tree.relative(path)].lines.setdefault(symbol, 0)
            for path, item, mine, kind in node.items:
                name = tree.relative(path)
                if symbol not in gone:
                    keep[name].add(symbol)
                elif mine:
                    lines = found[name].lines
                    lines[symbol] = lines.get(symbol, 0) + len(mine)
    for name, total in totals.items():
        found[name].active = total.bit_count()
        # A file in several units: what one of them needs stays.
        found[name].lines = {s: n for s, n in found[name].lines.items()
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
