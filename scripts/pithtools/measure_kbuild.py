# SPDX-License-Identifier: BSD-2-Clause
"""Which objects of a kernel build tree are in the image, and how they were
made: read from the .cmd files that Kbuild leaves behind and from vmlinux.a.
"""

import os
import pathlib
import re
import shlex
import subprocess

from pithtools.measure_elf import STB_LOCAL, STB_WEAK
from pithtools.measure_lines import Compile, MeasureError

COMMAND = re.compile(r"^(?:saved)?cmd_\S+ := (.*)$", re.M)

# Programs linked apart from vmlinux. The first three are embedded in it as
# data and run later; the boot programs unpack it and are gone before it runs.
PROGRAMS = {
    "realmode": ("arch/x86/realmode/rm/realmode.elf",),
    "vdso": ("arch/x86/entry/vdso/vdso64.so.dbg",
             "arch/x86/entry/vdso/vdso32.so.dbg",
             "arch/x86/entry/vdso/vdsox32.so.dbg",
             "arch/arm64/kernel/vdso/vdso.so.dbg",
             "arch/arm64/kernel/vdso32/vdso.so.raw"),
    "purgatory": ("arch/x86/purgatory/purgatory.ro",),
    "boot": ("arch/x86/boot/compressed/vmlinux", "arch/x86/boot/setup.elf"),
}
EMBEDDED = ("realmode", "vdso", "purgatory")
IMAGES = ("arch/x86/boot/bzImage", "arch/arm64/boot/Image.gz",
          "arch/arm64/boot/Image")


class KernelTree:
    def __init__(self, build):
        self.build = pathlib.Path(build).resolve()
        for need in ("vmlinux", "vmlinux.a", ".config"):
            if not (self.build / need).exists():
                raise MeasureError(
                    f"{build}: no {need}: not the build tree of a finished "
                    "kernel (Linux 6.2 or later)")
        self.source = self._source()

    def _source(self):
        link = self.build / "source"
        if link.exists():
            return link.resolve()
        # A build inside its own source tree has no link.
        return self.build

    def release(self):
        file = self.build / "include/config/kernel.release"
        return file.read_text().strip() if file.is_file() else "unknown"

    def image(self):
        for name in IMAGES:
            if (self.build / name).is_file():
                return self.build / name
        return None

    def relative(self, path):
        """@path as named within the source tree (or the build tree)."""
        for top in (self.source, self.build):
            prefix = f"{top}/"
            if path.startswith(prefix):
                return path[len(prefix):]
        return path

    def command(self, output):
        """The command that made @output (relative), or None."""
        folder, name = os.path.split(output)
        file = self.build / folder / f".{name}.cmd"
        try:
            found = COMMAND.search(file.read_text(errors="replace"))
        except OSError:
            return None
        if not found:
            return None
        # Make's own quoting; what follows the compiler (objtool) is dropped.
        text = found[1].replace("$(pound)", "#").replace("$$", "$")
        return re.split(r" ; | && |;  ", text)[0].strip()

    def groups(self):
        """{group: [Compile]} of the objects that the linker took."""
        found = {"vmlinux": self._compiles(self._linked_in_vmlinux())}
        for group, programs in PROGRAMS.items():
            objects = []
            for program in programs:
                if (self.build / program).exists():
                    objects += self._linked_in(program)
            if objects:
                found[group] = self._compiles(objects)
        return found

    def programs(self, group):
        names = ("vmlinux",) if group == "vmlinux" else PROGRAMS[group]
        return [self.build / n for n in names if (self.build / n).exists()]

    def _linked_in_vmlinux(self):
        whole = members(self.build / "vmlinux.a")
        command = self.command("vmlinux.o") or ""
        archives = [a for a in shlex.split(command)
                    if a.endswith(".a") and a != "vmlinux.a"]
        stamped = "init/version-timestamp.o"
        if (self.build / stamped).exists() and stamped not in whole:
            whole.append(stamped)
        return whole + self._pulled(whole, archives)

    def _linked_in(self, program):
        command = self.command(program)
        if command is None:
            raise MeasureError(f"{self.build / program}: no record of how it "
                               "was linked")
        words = shlex.split(command)
        if "-o" in words:
            at = words.index("-o")
            del words[at:at + 2]
        objects = [w for w in words if w.endswith(".o")]
        archives = [w for w in words if w.endswith(".a")]
        return objects + self._pulled(objects, archives)

    def _pulled(self, objects, archives):
        """Members of @archives that a linker takes to satisfy @objects."""
        if not archives:
            return []
        wanted, defined = self._symbols(objects)
        need = set().union(*wanted.values()) - set().union(*defined.values())
        candidates = [m for a in archives for m in members(self.build / a)]
        wanted, defined = self._symbols(candidates)
        have, taken = set(), []
        while True:
            pick = next((c for c in candidates
                         if c not in have and defined[c] & need), None)
            if pick is None:
                return taken
            have.add(pick)
            taken.append(pick)
            need |= wanted[pick]
            for name in have:
                need -= defined[name]

    def _symbols(self, objects):
        """({object: undefined names}, {object: defined names}), global ones."""
        wanted = {o: set() for o in objects}
        defined = {o: set() for o in objects}
        run = subprocess.run(["nm", "-A", "-P", "-g", *objects],
                             cwd=self.build, capture_output=True, text=True)
        if run.returncode:
            raise MeasureError(f"nm: {run.stderr[:200]}")
        for line in run.stdout.splitlines():
            where, rest = line.split(": ", 1)
            name, kind = rest.split()[:2]
            if kind == "U":
                wanted[where].add(name)
            elif kind not in "wv":
                defined[where].add(name)
        return wanted, defined

    def _compiles(self, objects):
        found, todo, seen = [], list(objects), set()
        while todo:
            name = todo.pop(0)
            if name in seen:
                continue
            seen.add(name)
            command = self.command(name)
            if command is None:
                raise MeasureError(f"{self.build / name}: no record of how it "
                                   "was made")
            words = shlex.split(command)
            if "-c" in words:
                found.append(Compile(str(self.build / name), words,
                                     str(self.build)))
            elif "-r" in words:
                # A composite object: what it was linked from.
                at = words.index("-o")
                parts = words[:at] + words[at + 2:]
                todo += [w for w in parts if w.endswith(".o")]
            # Anything else wraps data (objcopy): there are no lines in it.
        return found


def members(archive):
    """Members of a thin archive, relative to the folder it is built in."""
    run = subprocess.run(["ar", "t", str(archive)], capture_output=True,
                         text=True, cwd=archive.parent)
    if run.returncode:
        raise MeasureError(f"{archive}: {run.stderr.strip()}")
    return run.stdout.split()


# The generated table of native system calls, and what the names in it become.
SYSCALL_TABLES = {
    "arch/x86/include/generated/asm/syscalls_64.h": "__x64_",
    "arch/arm64/include/generated/asm/syscall_table_64.h": "__arm64_",
    "arch/arm64/include/generated/asm/unistd_64.h": "__arm64_",
}


def system_calls(build, symbols):
    """How many entries of the native table lead to a system call.

    Entries for calls that were left out of the build fall back to a weak
    alias of sys_ni_syscall; only strong symbols are counted.
    """
    strong = {s.name for s in symbols
              if s.shndx and s.bind not in (STB_LOCAL, STB_WEAK)}
    for table, prefix in SYSCALL_TABLES.items():
        file = pathlib.Path(build) / table
        if not file.is_file():
            continue
        names = dict(re.findall(
            r"^__SYSCALL(?:_\w+)?\(\s*(\d+),\s*(\w+)", file.read_text(), re.M))
        return sum(1 for name in names.values()
                   if name != "sys_ni_syscall" and prefix + name in strong)
    return None
