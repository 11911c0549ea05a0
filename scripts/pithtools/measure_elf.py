# SPDX-License-Identifier: BSD-2-Clause
"""What the measurements need of an ELF file: sections, symbols, line table.

Little-endian files are read, 64-bit and (boot code) 32-bit ones. The line table
reader follows DWARF 5 section 6.2 (and versions 2 to 4 of it). It exists since
`readelf --debug-dump=decodedline` prints no directory with its rows, and takes
minutes and gigabytes of text for a kernel where this takes seconds.
"""

import array
import bisect
import collections
import os
import struct
import zlib

SHF_ALLOC, SHF_EXECINSTR, SHF_COMPRESSED = 2, 4, 0x800
SHT_SYMTAB, SHT_NOBITS = 2, 8
STB_LOCAL, STB_WEAK = 0, 2

Section = collections.namedtuple(
    "Section", "name type flags addr offset size link entsize")
Symbol = collections.namedtuple("Symbol", "name value size type bind shndx")


class FormatError(Exception):
    """The file is not what this reader understands."""


class Elf:
    def __init__(self, path):
        self.path = str(path)
        with open(path, "rb") as file:
            self.data = file.read()
        if self.data[:4] != b"\x7fELF" or self.data[5:6] != b"\x01":
            raise FormatError(f"{path}: not a little-endian ELF file")
        self.wide = self.data[4] == 2
        offset, = (struct.unpack_from("<Q", self.data, 0x28) if self.wide else
                   struct.unpack_from("<I", self.data, 0x20))
        size, count, names = struct.unpack_from(
            "<HHH", self.data, 0x3a if self.wide else 0x2e)
        shape = "<IIQQQQIIQQ" if self.wide else "<10I"
        raw = [struct.unpack_from(shape, self.data, offset + i * size)
               for i in range(count)]
        strings = raw[names][4]
        self.sections = [
            Section(self.string(strings + s[0]), s[1], s[2], s[3], s[4], s[5],
                    s[6], s[9]) for s in raw]

    def string(self, offset):
        end = self.data.index(b"\0", offset)
        return self.data[offset:end].decode(errors="replace")

    def section(self, name):
        """Contents of section @name, uncompressed; empty if there is none."""
        for s in self.sections:
            if s.name != name or s.type == SHT_NOBITS:
                continue
            data = self.data[s.offset:s.offset + s.size]
            if s.flags & SHF_COMPRESSED:
                kind, = struct.unpack_from("<I", data)
                if kind != 1:
                    raise FormatError(f"{self.path}: {name}: compressed in a "
                                      "way other than zlib")
                data = zlib.decompress(data[24 if self.wide else 12:])
            return data
        return b""

    def executable(self):
        """Sorted address ranges (start, end) of code in the final image."""
        both = SHF_ALLOC | SHF_EXECINSTR
        return sorted((s.addr, s.addr + s.size) for s in self.sections
                      if s.flags & both == both and s.size)

    def symbols(self):
        for table in self.sections:
            if table.type != SHT_SYMTAB:
                continue
            strings = self.sections[table.link].offset
            view = self.data[table.offset:table.offset + table.size]
            shape = "<IBBHQQ" if self.wide else "<IIIBBH"
            for raw in struct.iter_unpack(shape, view):
                if self.wide:
                    name, info, _, shndx, value, size = raw
                else:
                    name, value, size, info, _, shndx = raw
                yield Symbol(self.string(strings + name), value, size,
                             info & 15, info >> 4, shndx)

    def code_extents(self):
        """Disjoint, sorted ranges that symbols with a size cover in code.

        Padding between functions belongs to no symbol and is left out: x86-64
        kernels pad their text to 2 MiB, so section sizes say little.
        """
        code = Ranges(self.executable())
        spans = sorted({(s.value, s.value + s.size) for s in self.symbols()
                        if s.size and s.shndx and s.value in code})
        merged = []
        for start, end in spans:
            if merged and start < merged[-1][1]:
                # An alias or a symbol inside another: only what it adds.
                start = merged[-1][1]
            if start < end:
                merged.append((start, end))
        return merged


class Ranges:
    """Sorted disjoint address ranges, asked for membership."""

    def __init__(self, ranges):
        self.starts = [r[0] for r in ranges]
        self.ends = [r[1] for r in ranges]

    def __contains__(self, address):
        i = bisect.bisect_right(self.starts, address) - 1
        return i >= 0 and address < self.ends[i]


class LineTable:
    """Which source lines own at least one byte of code in an ELF file.

    A row of the line table counts if the next row of its sequence has a higher
    address, so rows that only mark a point do not. Sequences outside
    executable sections are what the linker threw away. @home is the folder the
    compiler ran in; version 5 tables name it themselves.
    """

    def __init__(self, elf, home=""):
        self.lines = collections.defaultdict(set)
        self.files = []
        self._ids = {}
        self._rows = []
        self._code = Ranges(elf.executable())
        self._strings = {0x0e: elf.section(".debug_str"),
                         0x1f: elf.section(".debug_line_str"),
                         0x25: elf.section(".debug_str")}
        self._home = str(home)
        data, offset = elf.section(".debug_line"), 0
        while offset < len(data):
            offset = self._unit(data, offset)
        self._rows.sort()
        self._starts = array.array("Q", (r[0] for r in self._rows))

    def path_at(self, address):
        """The file that the line table names at @address, or None."""
        i = bisect.bisect_right(self._starts, address) - 1
        if i < 0 or address >= self._rows[i][1]:
            return None
        return self.files[self._rows[i][2]]

    def by_path(self):
        return {self.files[i]: lines for i, lines in self.lines.items()}

    def _id(self, path):
        if path not in self._ids:
            self._ids[path] = len(self.files)
            self.files.append(path)
        return self._ids[path]

    def _unit(self, data, start):
        length, = struct.unpack_from("<I", data, start)
        if length == 0xffffffff:
            raise FormatError("64-bit DWARF is not supported")
        end = start + 4 + length
        version, = struct.unpack_from("<H", data, start + 4)
        if not 2 <= version <= 5:
            raise FormatError(f".debug_line: version {version}")
        pos = start + 6 + (2 if version >= 5 else 0)
        header, = struct.unpack_from("<I", data, pos)
        program = pos + 4 + header
        pos += 4
        step = data[pos]
        pos += 2 if version >= 4 else 1   # maximum operations per instruction
        base, spread, first = struct.unpack_from("<bBB", data, pos + 1)
        pos += 4
        arity = data[pos:pos + first - 1]
        pos += first - 1
        names = (self._names5(data, pos) if version >= 5 else
                 names_before_5(data, pos))
        ids = [self._id(os.path.normpath(os.path.join(self._home, n))) if n
               else None for n in names]
        self._run(data, program, end, ids, (step, base, spread, first, arity))
        return end

    def _names5(self, data, pos):
        directories, pos = self._entries(data, pos)
        files, pos = self._entries(data, pos)
        top = directories[0][1] if directories else ""
        return [os.path.join(top, directories[d][1], name)
                for d, name in files]

    def _entries(self, data, pos):
        """The (directory index, name) entries of a version 5 header."""
        count, pos = data[pos], pos + 1
        formats = []
        for _ in range(count):
            kind, pos = uleb(data, pos)
            form, pos = uleb(data, pos)
            formats.append((kind, form))
        total, pos = uleb(data, pos)
        entries = []
        for _ in range(total):
            name, directory = "", 0
            for kind, form in formats:
                value, pos = self._form(data, pos, form)
                if kind == 1:
                    name = value
                elif kind == 2:
                    directory = value
            entries.append((directory, name))
        return entries, pos

    def _form(self, data, pos, form):
        if form == 0x08:                        # DW_FORM_string
            end = data.index(b"\0", pos)
            return data[pos:end].decode(errors="replace"), end + 1
        if form in (0x0e, 0x1f):                # strp, line_strp
            offset, = struct.unpack_from("<I", data, pos)
            strings = self._strings[form]
            end = strings.index(b"\0", offset)
            return strings[offset:end].decode(errors="replace"), pos + 4
        if form == 0x0f:                        # udata
            return uleb(data, pos)
        sizes = {0x0b: 1, 0x05: 2, 0x06: 4, 0x07: 8, 0x1e: 16}
        if form not in sizes:
            raise FormatError(f".debug_line: form {form:#x}")
        size = sizes[form]
        return int.from_bytes(data[pos:pos + size], "little"), pos + size

    def _run(self, data, pos, end, ids, shape):
        """Execute one line number program (a flat ladder of its opcodes)."""
        step, base, spread, first, arity = shape
        address, file, line, rows = 0, 1, 1, []
        while pos < end:
            op = data[pos]
            pos += 1
            if op >= first:
                op -= first
                address += op // spread * step
                line += base + op % spread
                rows.append((address, file, line))
            elif op == 1:                       # copy
                rows.append((address, file, line))
            elif op == 2:                       # advance_pc
                delta, pos = uleb(data, pos)
                address += delta * step
            elif op == 3:                       # advance_line
                delta, pos = sleb(data, pos)
                line += delta
            elif op == 4:                       # set_file
                file, pos = uleb(data, pos)
            elif op == 8:                       # const_add_pc
                address += (255 - first) // spread * step
            elif op == 9:                       # fixed_advance_pc
                address += int.from_bytes(data[pos:pos + 2], "little")
                pos += 2
            elif op == 0:                       # extended
                size, pos = uleb(data, pos)
                if size and data[pos] == 1:     # end_sequence
                    self._sequence(rows, address, ids)
                    address, file, line, rows = 0, 1, 1, []
                elif size and data[pos] == 2:   # set_address
                    address = int.from_bytes(data[pos + 1:pos + size],
                                             "little")
                pos += size
            else:                               # all others: skip arguments
                for _ in range(arity[op - 1]):
                    _, pos = uleb(data, pos)

    def _sequence(self, rows, end, ids):
        if not rows or rows[0][0] not in self._code:
            return
        last = (end, 0, 0)
        for (start, file, line), after in zip(rows, rows[1:] + [last]):
            if after[0] <= start or not line or file >= len(ids):
                continue
            if ids[file] is not None:
                self.lines[ids[file]].add(line)
                self._rows.append((start, after[0], ids[file]))


def uleb(data, pos):
    value = shift = 0
    while True:
        byte = data[pos]
        pos += 1
        value |= (byte & 0x7f) << shift
        if byte < 0x80:
            return value, pos
        shift += 7


def sleb(data, pos):
    value, after = uleb(data, pos)
    bits = 7 * (after - pos)
    return value - (1 << bits) if value >> (bits - 1) & 1 else value, after


def names_before_5(data, pos):
    """File names of a version 2 to 4 header; number 0 is not used there."""
    directories, names = [""], [None]
    while data[pos]:
        end = data.index(b"\0", pos)
        directories.append(data[pos:end].decode(errors="replace"))
        pos = end + 1
    pos += 1
    while data[pos]:
        end = data.index(b"\0", pos)
        name = data[pos:end].decode(errors="replace")
        number, pos = uleb(data, end + 1)
        _, pos = uleb(data, pos)
        _, pos = uleb(data, pos)
        names.append(os.path.join(directories[number], name))
    return names
