#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Leave out of a kernel what nothing in it refers to.

usage: dce.py VMLINUX_O LINKER_SCRIPT [REPORT]

VMLINUX_O, made with -ffunction-sections and -fdata-sections and done with by
objtool, is changed in place: what cannot be reached gets the flag SHF_EXCLUDE,
so that the last link drops it. Roots are the symbols that LINKER_SCRIPT names
and all sections but those that are known to be collectable.

The linker's own --gc-sections does not do: tables of the kernel (exceptions,
alternatives, jump labels, return sites ...) refer to every function and are
referred to by nobody. An entry of such a table is alive as long as the code is
that it is about; those of dead code are taken out of the table. Should an entry
be missed the link fails, because it would refer to what was excluded.

REPORT: a line for each section: alive or dead, bytes, its first symbol, name,
and the section that refers to it on a shortest way from a root (- for a root).
"""

import collections
import re
import struct
import sys

EHDR = struct.Struct("<16sHHIQQQIHHHHHH")
SHDR = struct.Struct("<IIQQQQIIQQ")
SYM = struct.Struct("<IBBHQQ")
RELA = struct.Struct("<QIIq")		# offset, type, symbol, addend
SHT_SYMTAB, SHT_RELA, SHT_NOBITS, SHT_SHNDX = 2, 4, 8, 18
SHF_ALLOC, SHF_EXECINSTR, SHF_EXCLUDE = 0x2, 0x4, 0x80000000
STT_SECTION, STT_FILE = 3, 4
SHN_XINDEX, SHN_LORESERVE = 0xffff, 0xff00
R_NONE = 0

# Tables about code: {section: size of an entry}; the first relocation of an
# entry names the code.
TABLES = {
    ".altinstructions": 14, "__ex_table": 12, "__bug_table": None,
    "__jump_table": 16, ".static_call_sites": 8, ".smp_locks": 4,
    ".retpoline_sites": 4, ".return_sites": 4, ".call_sites": 4,
    ".ibt_endbr_seal": 4, ".cfi_sites": 4,
}
# Code pieces that only jump back to the function they belong to.
PIECES = {".altinstr_aux"}
# What the linker script throws away.
DISCARDED = re.compile(r"\.discard\.|\.export_symbol|\.exitcall\.exit|"
                       r"\.modinfo|\.no_trim_symbol|\.note\.GNU-stack|"
                       r"__patchable_function_entries")
# What need not be there unless somebody refers to it. Names with two dots are
# the kernel's own groups: only those listed.
COLLECTABLE = re.compile(
    r"\.text|\.text\.[^.].*|\.data|\.data\.[^.].*|\.bss|\.bss\.[^.].*|"
    r"\.rodata|\.rodata\.[^.].*|\.init\.text|\.init\.data|\.init\.rodata|"
    r"\.exit\.text|\.exit\.data|\.ref\.text|\.ref\.data|\.sched\.text|"
    r"\.data\.\.read_mostly|\.data\.\.ro_after_init|\.altinstr_aux|"
    r"\.static_call\.text|\.data\.\.once")


class Section:
    __slots__ = ("index", "name", "type", "flags", "offset", "size", "link",
                 "info", "at", "rela", "alive", "by")


class Object:
    """The ELF file in memory."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = bytearray(file.read())
        head = EHDR.unpack_from(self.data)
        if head[0][:6] != b"\x7fELF\x02\x01" or head[1] != 1:
            sys.exit(f"dce: {path}: not a relocatable 64-bit object")
        self.shoff, count, strings = head[6], head[12], head[13]
        first = SHDR.unpack_from(self.data, self.shoff)
        count = count or first[5]
        strings = first[6] if strings == SHN_XINDEX else strings
        self.sections = [self.section(i) for i in range(count)]
        table = self.sections[strings].offset
        for s in self.sections:
            s.name = self.string(table + s.name)
        for s in self.sections:
            if s.type == SHT_RELA:
                self.sections[s.info].rela = s
        self.read_symbols()

    def section(self, index):
        s = Section()
        s.index, s.at = index, self.shoff + index * SHDR.size
        (s.name, s.type, s.flags, _, s.offset, s.size, s.link, s.info, _,
         _) = SHDR.unpack_from(self.data, s.at)
        s.rela, s.alive, s.by = None, False, None
        return s

    def string(self, at):
        return self.data[at:self.data.index(0, at)].decode()

    def read_symbols(self):
        table = next(s for s in self.sections if s.type == SHT_SYMTAB)
        wide = next((s for s in self.sections if s.type == SHT_SHNDX), None)
        names = self.sections[table.link].offset
        self.symbols, self.by_name, self.first = [], {}, {}
        for i in range(table.size // SYM.size):
            name, info, _, shndx, _, size = SYM.unpack_from(
                self.data, table.offset + i * SYM.size)
            if shndx == SHN_XINDEX:
                shndx, = struct.unpack_from("<I", self.data,
                                            wide.offset + 4 * i)
            elif shndx >= SHN_LORESERVE:
                shndx = 0
            self.symbols.append(shndx)
            if not shndx or info & 15 in (STT_SECTION, STT_FILE):
                continue
            name = self.string(names + name)
            self.by_name.setdefault(name, []).append(shndx)
            if not name.startswith((".", "__pfx_")):
                self.first.setdefault(shndx, name)

    def relocations(self, section):
        rela = section.rela
        if not rela:
            return []
        return RELA.iter_unpack(
            memoryview(self.data)[rela.offset:rela.offset + rela.size])

    def resize(self, section, size):
        struct.pack_into("<Q", self.data, section.at + 32, size)
        section.size = size

    def exclude(self, section):
        section.flags |= SHF_EXCLUDE
        struct.pack_into("<Q", self.data, section.at + 8, section.flags)


def is_table(name):
    return name in TABLES or name.startswith(("runtime_ptr_", "runtime_shift_"))


def entries(obj, table):
    """(offset, size, relocations) of each entry of @table."""
    found = sorted(obj.relocations(table))
    size = TABLES.get(table.name, 4)
    if size is None:
        size = struct_size(found, table)
    if table.size % size:
        sys.exit(f"dce: {table.name}: {table.size} bytes are not entries of "
                 f"{size}")
    by_entry = {}
    for rela in found:
        by_entry.setdefault(rela[0] // size, []).append(rela)
    for i in range(table.size // size):
        mine = by_entry.get(i, [])
        if not mine or mine[0][0] != i * size:
            sys.exit(f"dce: {table.name}: entry {i} names no code")
        yield i * size, size, mine


def struct_size(relocations, table):
    """Of __bug_table, whose entries depend on the configuration."""
    for size in (12, 8, 6, 16):
        heads = {r[0] for r in relocations if r[0] % size == 0}
        if table.size % size == 0 and len(heads) == table.size // size:
            return size
    sys.exit(f"dce: {table.name}: unknown entries")


def reach(obj, script):
    """Mark what is alive; {table: its live entries}."""
    waiting = {}		# section of the code: relocations of entries
    kept = {}
    for s in obj.sections:
        if s.flags & SHF_ALLOC and is_table(s.name):
            kept[s] = list(entries(obj, s))
            for _, _, relocations in kept[s]:
                code = obj.symbols[relocations[0][2]]
                waiting.setdefault(code, []).extend(relocations[1:])
    todo = collections.deque()

    def live(index, by=None):
        s = obj.sections[index]
        if index and not s.alive and not is_table(s.name):
            s.alive, s.by = True, by
            todo.append(s)

    for s in obj.sections:
        if s.flags & SHF_ALLOC and not COLLECTABLE.fullmatch(s.name) and \
                not DISCARDED.match(s.name):
            live(s.index)
    with open(script) as file:
        for name in set(re.findall(r"[A-Za-z_]\w*", file.read())):
            for index in obj.by_name.get(name, ()):
                live(index)
    while todo:
        s = todo.popleft()
        for rela in waiting.pop(s.index, ()):
            live(obj.symbols[rela[2]], s)
        for _, kind, symbol, _ in obj.relocations(s):
            if s.name in PIECES and \
                    obj.sections[obj.symbols[symbol]].flags & SHF_EXECINSTR:
                continue
            live(obj.symbols[symbol], s)
    return kept


def prune(obj, table, all_entries):
    """Take the entries of dead code out of @table."""
    data, rela = obj.data, table.rela
    to, out = 0, []
    for at, size, relocations in all_entries:
        if not obj.sections[obj.symbols[relocations[0][2]]].alive:
            continue
        data[table.offset + to:table.offset + to + size] = \
            data[table.offset + at:table.offset + at + size]
        out += [(r[0] - at + to, *r[1:]) for r in relocations]
        to += size
    for i, fields in enumerate(out):
        RELA.pack_into(data, rela.offset + i * RELA.size, *fields)
    obj.resize(table, to)
    obj.resize(rela, len(out) * RELA.size)


def cut(obj, section, dead):
    """What stays of @section must not refer to @dead sections: pieces of dead
    functions, and what debuggers are told of them."""
    for i, (at, _, symbol, _) in enumerate(obj.relocations(section)):
        if obj.symbols[symbol] in dead:
            RELA.pack_into(obj.data, section.rela.offset + i * RELA.size, at,
                           R_NONE, 0, 0)


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    obj = Object(sys.argv[1])
    for table, found in reach(obj, sys.argv[2]).items():
        prune(obj, table, found)
    report = []
    dead = {s.index for s in obj.sections if s.flags & SHF_ALLOC and
            not s.alive and not is_table(s.name)}
    for s in obj.sections:
        if s.name in PIECES or s.name.startswith(".debug_"):
            cut(obj, s, dead)
        if not s.flags & SHF_ALLOC or is_table(s.name) or \
                DISCARDED.match(s.name):
            continue
        if not s.alive:
            obj.exclude(s)
        report.append(f"{'alive' if s.alive else 'dead'} {s.size} "
                      f"{obj.first.get(s.index, '-')} {s.name} "
                      f"{s.by.index if s.by else '-'} {s.index}\n")
    with open(sys.argv[1], "wb") as file:
        file.write(obj.data)
    if sys.argv[3:]:
        with open(sys.argv[3], "w") as file:
            file.writelines(report)


if __name__ == "__main__":
    main()
