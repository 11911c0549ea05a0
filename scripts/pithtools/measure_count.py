# SPDX-License-Identifier: BSD-2-Clause
"""Puts the counts together: for a kernel, for a component.

A result is a dict of figures as written to loc.json. A figure that could not
be measured is left out: absent never means zero.
"""

import collections
import functools
import os
import re

from pithtools import measure_component, measure_kbuild
from pithtools.measure_elf import Elf, LineTable
from pithtools.measure_lines import CODE, pack, union

BOOT_LINE = re.compile(
    r"boot: RAM total (\d+) KiB, free at first process (\d+) KiB")
# The kernel's own line, of any kernel.
AVAILABLE = re.compile(r"Memory: (\d+)K/\d+K available")


class Counter:
    """The two counts with a memory (measure_lines); @say prints progress."""

    def __init__(self, active, sloc, say=lambda text: None):
        self.active, self.sloc, self.say = active, sloc, say

    def lines_of(self, compiles):
        def progress(done, total):
            if done % 100 == 0 or done == total:
                self.say(f"preprocessed {done} of {total} objects")
        return self.active.of(compiles, progress)


def is_source(path):
    return path.endswith(CODE)


def figures(active, linked, sloc):
    """Counts of {path: mask}, {path: set} or None, and {path: sloc}."""
    code = {p: m for p, m in active.items() if is_source(p)}
    found = {
        "files": len(code),
        "active_c": sum(m.bit_count() for m in code.values()),
        "active_h": sum(m.bit_count() for p, m in active.items()
                        if p not in code),
        "sloc": sum(sloc[p] for p in code),
    }
    if linked is not None:
        found["linked_lines"] = sum(map(len, linked.values()))
    return found


def merge_lines(many):
    merged = collections.defaultdict(set)
    for one in many:
        for path, lines in one.items():
            merged[path] |= lines
    return merged


# --- kernel ---------------------------------------------------------------

class Program:
    """A linked program of the kernel build; paths are relative to the tree."""

    def __init__(self, path, tree):
        self.elf = Elf(path)
        self.extents = self.elf.code_extents()
        self.text = sum(end - start for start, end in self.extents)
        self._tree = tree
        self._table = LineTable(self.elf, tree.build)
        self.lines = {tree.relative(p): lines for p, lines
                      in self._table.by_path().items()}

    def path_at(self, address):
        path = self._table.path_at(address)
        return path and self._tree.relative(path)


def kernel(build, counter, depth=2, boot_log=None):
    """All figures of a kernel build tree."""
    tree = measure_kbuild.KernelTree(build)
    groups = tree.groups()
    counter.say(f"{sum(map(len, groups.values()))} objects in {tree.build}")
    lines = counter.lines_of([c for g in groups.values() for c in g])
    active = {name: union(lines[c.object] for c in compiles)
              for name, compiles in groups.items()}
    sloc = counter.sloc.of({p for a in active.values() for p in a
                            if is_source(p)})
    programs = {name: [Program(p, tree) for p in tree.programs(name)]
                for name in groups}
    each = {name: group_figures(active[name], programs[name], sloc)
            for name in groups}
    inside = [n for n in groups if n != "boot"]
    result = {"release": tree.release(),
              **group_figures(union(active[n] for n in inside),
                              [p for n in inside for p in programs[n]], sloc)}
    result.update(image_figures(tree, programs["vmlinux"][0], boot_log))
    result["groups"] = each
    result["directories"] = directories(
        tree, union(active[n] for n in inside),
        [p for n in inside for p in programs[n]], sloc, depth)
    return result


def group_figures(active, programs, sloc):
    """Linked lines only if the first program, the main one, has them: the
    small ones that are embedded may be assembler without line numbers."""
    linked = merge_lines(p.lines for p in programs) \
        if programs[0].lines else None
    found = figures(active, linked, sloc)
    found["text_bytes"] = sum(p.text for p in programs)
    return found


def image_figures(tree, vmlinux, boot_log):
    found = {}
    calls = measure_kbuild.system_calls(tree.build, vmlinux.elf.symbols())
    if calls is not None:
        found["syscalls"] = calls
    if tree.image():
        found["bzimage_bytes"] = os.path.getsize(tree.image())
    if boot_log:
        found.update(boot_memory(boot_log))
    return found


def boot_memory(log):
    """Figures from core's first line in a boot log; none if it is not there."""
    with open(log, errors="replace") as file:
        seen = BOOT_LINE.search(file.read())
    return {"boot_total_kb": int(seen[1]),
            "boot_free_kb": int(seen[2])} if seen else {}


def available_memory(text):
    """What a kernel's log says is available when it starts, if it does."""
    seen = AVAILABLE.search(text)
    return {"available_kb": int(seen[1])} if seen else {}


def directory_of(path, depth):
    folder = os.path.dirname(path)
    if path.startswith("/"):
        return "(outside the tree)"
    return "/".join(folder.split("/")[:depth]) or "."


def directories(tree, active, programs, sloc, depth):
    """{directory: figures}; text is that of functions defined there."""
    split = collections.defaultdict(lambda: ({}, {}, [0]))
    for path, mask in active.items():
        split[directory_of(tree.relative(path), depth)][0][path] = mask
    known = bool(programs[0].lines)
    for program in programs:
        for path, lines in program.lines.items():
            where = split[directory_of(path, depth)][1]
            where.setdefault(path, set()).update(lines)
        for start, end in program.extents if known else ():
            path = program.path_at(start)
            name = directory_of(path, depth) if path else \
                "(no line information)"
            split[name][2][0] += end - start
    found = {}
    for name, (masks, linked, text) in sorted(split.items()):
        found[name] = figures(masks, linked if known else None, sloc)
        if known:
            found[name]["text_bytes"] = text[0]
    return found


# --- components -----------------------------------------------------------

class Built:
    """What is in one built component, by part."""

    def __init__(self, component, parts, records):
        self.component, self.parts = component, parts
        self.elf = Elf(component.elf)
        self.linked = merge_lines(
            {real(p): lines} for p, lines in
            LineTable(self.elf, records.repo).by_path().items())
        with open(component.map, errors="replace") as file:
            self.objects = measure_component.read_map(file.read())
        self.compiles, self.unrecorded = {}, collections.Counter()
        self.text = collections.Counter()
        for name, (code, _) in self.objects.items():
            found = self._pick([c for c in records.find(name)
                                if source_of(c)])
            for compile in found:
                self.compiles[compile.object] = compile
            part = parts.of(source_of(found[0]) if found else name)
            self.text[part] += code
            if not found and part != "compiler":
                self.unrecorded[part] += 1

    def _pick(self, found):
        """Of several members of one name, those with lines in the program."""
        if len(found) < 2:
            return found
        return [c for c in found if source_of(c) in self.linked] or found


@functools.cache
def real(path):
    """One name per file: libraries are reached through links, too."""
    return os.path.realpath(path)


def source_of(compile):
    """The file a command compiles; None if it read a pipe."""
    for arg in compile.args:
        if is_source(arg):
            return real(os.path.join(compile.cwd, arg))
    return None


def components(found, repo, third_party, counter):
    """({name: figures}, lines for exact unions) of [Component]."""
    records = measure_component.Records(repo)
    built = {}
    for component in found:
        parts = measure_component.Parts(repo, third_party, component.folder)
        built[component.name] = Built(component, parts, records)
    compiles = {c.object: c for b in built.values()
                for c in b.compiles.values()}
    counter.say(f"{len(built)} components, {len(compiles)} objects")
    lines = counter.lines_of(list(compiles.values()))
    active = {name: union({real(p): mask} for o in b.compiles
                          for p, mask in lines[o].items())
              for name, b in built.items()}
    sources = {p for name, b in built.items()
               for p in [*active[name], *unrecorded_sources(b)]
               if is_source(p)}
    sloc = counter.sloc.of(sources)
    result = {name: component_figures(b, active[name], sloc)
              for name, b in built.items()}
    detail = {
        "active": {n: {p: f"{m:x}" for p, m in active[n].items()}
                   for n in built},
        "linked": {n: {p: pack(s) for p, s in b.linked.items()}
                   for n, b in built.items()},
        "sloc": sloc,
    }
    return result, detail


def unrecorded_sources(built):
    """Files of parts whose objects have no recorded command, by DWARF."""
    return [p for p in built.linked
            if built.unrecorded[built.parts.of(p)] and os.path.isfile(p)]


def component_figures(built, active, sloc):
    parts = built.parts
    names = sorted({parts.of(p) for p in [*active, *built.linked]}
                   | set(built.text) | set(built.unrecorded))
    each = {}
    for name in names:
        mine = {p: m for p, m in active.items() if parts.of(p) == name}
        linked = {p: s for p, s in built.linked.items()
                  if parts.of(p) == name}
        each[name] = figures(mine, linked, sloc)
        each[name]["text_bytes"] = built.text[name]
        if name == "compiler":
            # libgcc and start files: there is no source to count.
            each[name] = {"text_bytes": built.text[name]}
        elif built.unrecorded[name]:
            without_commands(each[name], built, name, sloc)
    total = {key: sum(part.get(key, 0) for part in each.values())
             for key in ("files", "active_c", "active_h", "sloc",
                         "linked_lines", "text_bytes")
             if all(key in part for n, part in each.items()
                    if n != "compiler" or key == "text_bytes")}
    zero = {key: 0 for key in total}
    return {**total, "own": each.pop("own", zero),
            "library": each.pop("library", zero), "third_party": each}


def without_commands(part, built, name, sloc):
    """No command, no active lines: only whole files that DWARF names."""
    files = [p for p in unrecorded_sources(built)
             if built.parts.of(p) == name and is_source(p)]
    del part["active_c"], part["active_h"]
    part["files"] = len(files)
    part["sloc"] = sum(sloc[p] for p in files)
    part["unrecorded_objects"] = built.unrecorded[name]
