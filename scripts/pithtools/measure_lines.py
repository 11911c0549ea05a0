# SPDX-License-Identifier: BSD-2-Clause
"""Active lines and SLOC of source files.

Active line: a line of a file that still has text after the preprocessor, found
by running an object's own compiler command again with -E and reading the line
markers. Comments, blank lines, directives and what #if leaves out are gone by
then. SLOC: what cloc counts for the whole file.

Both are remembered, by what they were made from, in one JSON file each below
the cache; a second run is quick.
"""

import collections
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import tempfile

CODE = (".c", ".S", ".s")
MARKER = re.compile(rb'# (\d+) "((?:[^"\\]|\\.)*)"')


class MeasureError(Exception):
    """Something could not be counted; the text says what."""


# How an object was made: its file, the compiler's arguments, where it ran.
Compile = collections.namedtuple("Compile", "object args cwd")


def preprocess_args(args):
    """The command that only preprocesses, from the one that compiled."""
    out, skip = [], False
    for arg in args:
        if skip:
            skip = False
        elif arg in ("-o", "-MF", "-MT", "-MQ"):
            skip = True
        elif arg not in ("-c", "-MD", "-MMD", "-MP") and \
                not arg.startswith(("-Wp,-MD", "-Wp,-MMD")):
            out.append(arg)
    while out and os.path.basename(out[0]) in ("ccache", "cc-record"):
        out.pop(0)
    return out + ["-E"]


def read_markers(text, cwd):
    """{path: set of lines with text} of preprocessed @text (bytes)."""
    seen, name, number = {}, None, 0
    for line in text.split(b"\n"):
        if line.startswith(b"# "):
            marker = MARKER.match(line)
            if marker:
                number, path = int(marker[1]), marker[2]
                if path.startswith(b"<"):
                    name = None
                else:
                    name = seen.setdefault(path, set())
                continue
        if name is not None and line and not line.isspace() and \
                (not line.startswith(b"#") or line.startswith(b"#pragma")):
            # What else starts with # is a comment of assembler source.
            name.add(number)
        number += 1
    # Names may differ and mean one file: a/../b.h and b.h.
    merged = collections.defaultdict(set)
    for path, lines in seen.items():
        if lines:
            merged[os.path.normpath(
                os.path.join(cwd, path.decode(errors="replace")))] |= lines
    return merged


def plain_assembler(path):
    """Lines with text of a .s file, which no preprocessor sees."""
    text = pathlib.Path(path).read_text(errors="replace")
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m[0].count("\n"), text,
                  flags=re.S)
    return {n for n, line in enumerate(text.split("\n"), 1)
            if line.split("#")[0].strip()}


def pack(lines):
    """A set of line numbers as a hexadecimal bit mask."""
    mask = bytearray(max(lines) // 8 + 1)
    for n in lines:
        mask[n >> 3] |= 1 << (n & 7)
    return mask[::-1].hex()


def active_of(compile):
    """{path: packed lines} of one object."""
    for arg in compile.args:
        if arg.endswith(".s"):
            path = os.path.normpath(os.path.join(compile.cwd, arg))
            return {path: pack(plain_assembler(path))}
    run = subprocess.run(preprocess_args(compile.args), cwd=compile.cwd,
                         stdin=subprocess.DEVNULL, capture_output=True)
    if run.returncode:
        raise MeasureError(
            f"{compile.object}: the preprocessor failed:\n"
            + run.stderr.decode(errors="replace")[:500])
    seen = read_markers(run.stdout, compile.cwd)
    return {path: pack(lines) for path, lines in seen.items()}


class Store:
    """A JSON file of results, replaced whole; unreadable means empty."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        try:
            self.data = json.loads(self.path.read_text())
        except (OSError, ValueError):
            self.data = {}

    def save(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temp = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        temp.write_text(json.dumps(self.data, separators=(",", ":")))
        os.replace(temp, self.path)


def stamp(path):
    info = os.stat(path)
    return f"{info.st_mtime_ns}:{info.st_size}"


class ActiveLines:
    """Active lines per object, remembered for @tree in @folder.

    The key of an object is its command and the time and size of the object
    file: whatever changes a source or header makes the build write the object
    again. Paths and masks are stored once: most objects share their headers.
    """

    def __init__(self, folder, tree):
        name = hashlib.sha256(str(tree).encode()).hexdigest()[:16]
        self._store = Store(pathlib.Path(folder) / f"active-{name}.json")

    def of(self, compiles, progress=lambda done, total: None):
        """{object: {path: int mask}} for a list of Compile."""
        old, keys = self._load(), {}
        for c in compiles:
            text = "\0".join([str(c.cwd), stamp(c.object), *c.args])
            keys[c.object] = hashlib.sha256(text.encode()).hexdigest()[:32]
        missing = [c for c in compiles if keys[c.object] not in old]
        with concurrent.futures.ProcessPoolExecutor() as pool:
            found = pool.map(active_of, missing, chunksize=4)
            for done, (c, active) in enumerate(zip(missing, found), 1):
                old[keys[c.object]] = active
                progress(done, len(missing))
        result = {o: old[key] for o, key in keys.items()}
        if missing:
            self._save({key: old[key] for key in keys.values()})
        return {o: {p: int(mask, 16) for p, mask in active.items()}
                for o, active in result.items()}

    def _load(self):
        data = self._store.data
        paths, masks = data.get("paths", []), data.get("masks", [])
        return {key: {paths[p]: masks[m] for p, m in pairs}
                for key, pairs in data.get("objects", {}).items()}

    def _save(self, objects):
        paths, masks = {}, {}
        self._store.data = {"objects": {
            key: [[paths.setdefault(p, len(paths)),
                   masks.setdefault(m, len(masks))]
                  for p, m in active.items()]
            for key, active in objects.items()}}
        self._store.data.update(paths=list(paths), masks=list(masks))
        self._store.save()


def union(masks):
    """Merge several {path: mask} into one."""
    total = collections.defaultdict(int)
    for one in masks:
        for path, mask in one.items():
            total[path] |= mask
    return dict(total)


class Sloc:
    """cloc's code lines per file, remembered in @folder."""

    def __init__(self, folder):
        self._store = Store(pathlib.Path(folder) / "sloc.json")

    def of(self, paths):
        """{path: code lines}; a file that is gone is an error."""
        known, stamps = self._store.data, {}
        for path in paths:
            try:
                stamps[path] = stamp(path)
            except OSError as error:
                raise MeasureError(f"{path}: cannot be counted: "
                                   f"{error.strerror}") from error
        missing = [p for p, s in stamps.items()
                   if known.get(p, [None])[0] != s]
        if missing:
            counts = cloc(missing)
            for path in missing:
                known[path] = [stamps[path], counts[path]]
            self._store.save()
        return {p: known[p][1] for p in stamps}


def cloc(paths):
    """Run cloc once over @paths; every file must be counted."""
    with tempfile.NamedTemporaryFile("w", suffix=".list") as listing:
        listing.write("\n".join(paths) + "\n")
        listing.flush()
        try:
            run = subprocess.run(
                ["cloc", f"--list-file={listing.name}", "--by-file", "--json",
                 "--skip-uniqueness", "--timeout=0", "--quiet",
                 "--force-lang=Assembly,s", "--force-lang=C,inc"],
                capture_output=True, text=True)
        except FileNotFoundError:
            raise MeasureError("cloc is not installed: "
                               "apt-get install cloc") from None
    try:
        report = json.loads(run.stdout or "{}")
    except ValueError:
        raise MeasureError(f"cloc: {run.stdout[:200]}{run.stderr[:200]}"
                           ) from None
    counts = {path: report[path]["code"] for path in paths if path in report}
    for path in paths:
        if path not in counts:
            # cloc leaves out empty files; anything else was not recognised.
            if os.path.getsize(path):
                raise MeasureError(f"{path}: cloc did not count this file")
            counts[path] = 0
    return counts


def split_command(text, cwd):
    """(args, cwd) of a recorded command: `cd DIR && CMD`, or just CMD."""
    args = shlex.split(text)
    if len(args) > 3 and args[0] == "cd" and args[2] == "&&":
        return args[3:], os.path.join(cwd, args[1])
    return args, cwd
