# SPDX-License-Identifier: BSD-2-Clause
"""What is linked into a component, and how its objects were compiled.

The linker's map says which objects and archive members put bytes into the
program; beside each object (or below the archive's prefix) the build left the
compiler command in FILE.cmd.
"""

import collections
import os
import pathlib
import re

from pithtools.measure_lines import Compile, MeasureError, split_command

FOLDERS = ("genode-core-shim", "udrivers", "servers", "apps")
SECTION = re.compile(r"^ (\S+)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+(\S.*)$")
NAME_ALONE = re.compile(r"^ (\.\S+|COMMON)$")
MEMBER = re.compile(r"^(.*)\(([^()]+)\)$")
CODE_SECTIONS = (".text", ".init", ".fini")
NOT_CONTENT = (".eh_frame", ".note", ".comment", ".debug", ".gnu", "*fill*")

Component = collections.namedtuple("Component", "name folder elf map")


def is_code(section):
    return any(section == s or section.startswith(s + ".")
               for s in CODE_SECTIONS)


def find_components(repo, build):
    """[Component] by the component.mk files of @repo, built in @build."""
    found = {}
    for top in FOLDERS:
        for file in sorted((repo / top).glob("**/component.mk")):
            name = re.search(r"^NAME\s*:?=\s*(\S+)", file.read_text(), re.M)
            if not name:
                raise MeasureError(f"{file}: no NAME")
            name = name[1]
            if name in found:
                raise MeasureError(f"{file}: {name} is the name of "
                                   f"{found[name].folder}, too")
            folder = build / "components" / name
            found[name] = Component(name, file.parent, folder / name,
                                    folder / f"{name}.map")
    return [found[n] for n in sorted(found)]


def read_map(text):
    """{object: (bytes of code, bytes in all)} from a GNU ld map.

    An object is named by its path, a member by path(member). Objects of which
    nothing is in the program are left out.
    """
    marker = "Linker script and memory map"
    if marker not in text:
        raise MeasureError("not a linker map")
    text = text.split(marker, 1)[1]
    sizes, name = collections.defaultdict(lambda: [0, 0]), None
    for line in text.split("\n"):
        alone = NAME_ALONE.match(line)
        if alone:
            # The name was too long: address, size, object come next.
            name = alone[1]
            continue
        if name and line.startswith(" " * 16):
            line = f" {name} {line.strip()}"
        name = None
        section = SECTION.match(line)
        if not section or section[1].startswith(NOT_CONTENT):
            continue
        address, size = int(section[2], 16), int(section[3], 16)
        if address and size:
            sizes[section[4]][1] += size
            if is_code(section[1]):
                sizes[section[4]][0] += size
    return {o: tuple(s) for o, s in sizes.items()}


class Records:
    """Finds how an object was compiled.

    @repo: where the project's own commands ran.
    """

    def __init__(self, repo):
        self.repo = pathlib.Path(os.path.realpath(repo))
        self._below = {}

    def find(self, name):
        """[Compile] for an object as named by the map; several if archive
        members of one name exist; empty if nobody recorded how."""
        member = MEMBER.match(name)
        if not member:
            obj = self._absolute(name)
            record = obj.with_name(obj.name + ".cmd")
            found = self._read_record(record) if record.is_file() else None
            # Start files are installed beside the archives.
            return [found] if found else self._below_prefix(obj, obj.name)
        return self._below_prefix(self._absolute(member[1]), member[2])

    def _below_prefix(self, installed, name):
        return [c for c in map(self._read_record, self._index(installed).get(
            name + ".cmd", ())) if c]

    def _absolute(self, name):
        return pathlib.Path(os.path.realpath(self.repo / name))

    def _index(self, installed):
        """{record name: [paths]} below the prefix of an installed file: the
        folder above its lib/. For a file of ours: the folder it is in."""
        top = installed.parent
        if top.name == "lib" and not top.is_relative_to(self.repo):
            top = top.parent
        if top not in self._below:
            index = collections.defaultdict(list)
            for folder, _, files in os.walk(top):
                for file in files:
                    if file.endswith(".cmd"):
                        index[file].append(pathlib.Path(folder) / file)
            self._below[top] = index
        return self._below[top]

    def _read_record(self, record):
        lines = record.read_text().splitlines()
        obj = record.with_name(record.name[:-len(".cmd")])
        if not lines or not obj.is_file():
            return None
        cwd = str(self.repo)
        for line in lines[1:]:
            if line.startswith("# cwd "):
                cwd = line[len("# cwd "):]
        args, cwd = split_command(lines[0], cwd)
        return Compile(str(obj), args, cwd)


class Parts:
    """Which part of a program a file belongs to.

    "own": the component's folder; "library": other folders of the project;
    any other name: a third-party library, by its folder in the cache.
    """

    def __init__(self, repo, third_party, folder):
        self.repo = f"{os.path.realpath(repo)}/"
        self.third_party = f"{os.path.realpath(third_party)}/"
        self.folder = f"{os.path.realpath(folder)}/"

    def of(self, path):
        path = MEMBER.sub(r"\1", path)
        path = os.path.realpath(os.path.join(self.repo, path))
        if path.startswith(self.folder):
            return "own"
        if path.startswith(self.third_party):
            # musl-1.2.3-1-0a1b2c: the name ends where the version starts.
            name = path[len(self.third_party):].split("/")[0]
            return re.split(r"-(?=\d)", name, maxsplit=1)[0]
        if path.startswith(self.repo):
            return "library"
        return "compiler" if "/gcc" in path else "system"
