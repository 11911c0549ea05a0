# SPDX-License-Identifier: BSD-2-Clause
"""The kernel source: where it comes from, and our series applied to it.

The pristine source is unpacked once per tarball into the cache. A checkout
builds from a tree of hard links to it, in which only the files that the series
touches are its own; a change of the series rewrites only the files it changes,
so that the kernel's build redoes only what depends on them.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess

from pithtools import apt, cache, cut

SERIES_VERSION = "6.12"
PACKAGE = f"linux-source-{SERIES_VERSION}"
PATCHES = cache.REPO / "patches"


class Error(Exception):
    """What went wrong, for the user."""


def say(text):
    print(text, flush=True)


# --- source -------------------------------------------------------------------

def package_tarball():
    """The tarball of Debian's package: installed, or downloaded to the cache."""
    name = f"{PACKAGE}.tar.xz"
    installed = pathlib.Path("/usr/src") / name
    if installed.is_file():
        return installed
    found = list((cache.root() / "download").glob(f"{PACKAGE}-*/{name}"))
    if found:
        return max(found, key=lambda path: path.stat().st_mtime)
    say(f"downloading package {PACKAGE}")
    folder = cache.root() / "download" / "kernel.new"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    private = apt.Apt()
    private.update()
    result = private.run("apt-get", "download", PACKAGE, cwd=folder)
    debs = list(folder.glob("*.deb"))
    if result.returncode or not debs:
        raise Error(f"{result.stderr.strip()}\nCannot download {PACKAGE}; name "
                    f"a kernel source instead: KERNEL_TARBALL=linux-"
                    f"{SERIES_VERSION}.y.tar.xz")
    version = debs[0].name.split("_")[1]
    subprocess.run(["dpkg-deb", "-x", str(debs[0]), str(folder / "x")],
                   check=True)
    (folder / "x/usr/src" / name).rename(folder / name)
    shutil.rmtree(folder / "x")
    debs[0].unlink()
    final = folder.with_name(f"{PACKAGE}-{version}")
    shutil.rmtree(final, ignore_errors=True)
    folder.rename(final)
    return final / name


def tarball_hash(path):
    """SHA-256 of the tarball, remembered by size and time."""
    stat = path.stat()
    key = f"{path} {stat.st_size} {stat.st_mtime_ns}"
    memo = cache.root() / "kernel" / "hashes.json"
    known = json.loads(memo.read_text()) if memo.is_file() else {}
    if key not in known:
        known[key] = cache.file_hash(path)
        cache.write_if_changed(memo, json.dumps(known, indent=1).encode())
    return known[key]


def version_of(tree):
    text = (tree / "Makefile").read_text()
    fields = [re.search(rf"(?m)^{name} *= *(\S*)$", text) for name in
              ("VERSION", "PATCHLEVEL", "SUBLEVEL", "EXTRAVERSION")]
    if None in fields:
        raise Error(f"{tree} holds no kernel source")
    a, b, c, extra = (m[1] for m in fields)
    return f"{a}.{b}.{c}{extra}"


def pristine(tarball=None):
    """The unpacked, unpatched source of @tarball (default: the package's)."""
    tarball = pathlib.Path(tarball) if tarball else package_tarball()
    if not tarball.is_file():
        raise Error(f"{tarball}: no such file")
    tree = cache.root() / "kernel" / f"source-{tarball_hash(tarball)[:12]}"
    with cache.lock("kernel-source"):
        if not tree.is_dir():
            unpack_tarball(tarball, tree)
    version = version_of(tree)
    if not version.startswith(SERIES_VERSION + "."):
        raise Error(f"{tarball} is Linux {version}; the series is for "
                    f"{SERIES_VERSION}")
    return tree


def unpack_tarball(tarball, tree):
    say(f"unpacking {tarball}")
    temp = tree.with_name(tree.name + ".new")
    shutil.rmtree(temp, ignore_errors=True)
    temp.mkdir(parents=True)
    try:
        subprocess.run(["tar", "-xf", str(tarball), "-C", str(temp),
                        "--strip-components=1", "--no-same-owner"], check=True)
    except subprocess.CalledProcessError as error:
        raise Error(f"{tarball}: tar failed") from error
    temp.rename(tree)


# --- series -------------------------------------------------------------------

OBJECTS = "300-"		# the patch that brings kernel/pith


def has_objects(name):
    """Whether the kernel after the patch @name has Pith's objects."""
    return OBJECTS <= name < ":"	# begins with a digit


def series(folder=PATCHES, cuts=True):
    """Patch file names in order, with @cuts those of cuts, too."""
    path = folder / "series"
    names = []
    for line in path.read_text().splitlines() if path.is_file() else []:
        name = line.split("#")[0].strip()
        if not name:
            continue
        if not re.fullmatch(r"\d{3}-[a-z0-9_-]+\.(patch|cut)", name):
            raise Error(f"{path}: {name}: expected NNN-name.patch, or .cut")
        if not (folder / name).is_file():
            raise Error(f"{path}: {name}: no such file")
        if cuts or not is_cut(name):
            names.append(name)
    return names


def new_files(folder=PATCHES):
    """Paths of the whole new files, relative to the kernel tree."""
    base = folder / "files"
    return sorted(str(p.relative_to(base)) for p in base.rglob("*")
                  if p.is_file())


def is_cut(name):
    """Whether a patch is a list of what to leave out (pithtools/cut.py)."""
    return name.endswith(".cut")


def split_cut(text):
    """(header, list) of a cut."""
    header, line, body = text.partition("\n---\n")
    if not line:
        raise Error("no line `---` in it")
    return f"{header}\n---\n", body


def read_patch(path):
    """(header, paths that it changes) of a patch or a cut."""
    text = path.read_text()
    try:
        if is_cut(path.name):
            header, body = split_cut(text)
            return header, list(cut.parse(body))
        header, diff = split_patch(text)
        return header, touched(diff)
    except (Error, cut.CutError) as error:
        raise Error(f"{path.name}: {error}") from error


def split_patch(text):
    """(header, diff) of a patch file."""
    match = re.search(r"(?m)^(diff --git |--- (a/|/dev/null))", text)
    if not match:
        raise Error("no diff in it")
    return text[:match.start()], text[match.start():]


def touched(diff):
    """Paths a diff changes, in order."""
    paths = []
    for old, new in re.findall(r"(?m)^--- (\S+).*\n\+\+\+ (\S+)", diff):
        name = old if new == "/dev/null" else new
        path = name.split("/", 1)[1]
        if ".." in path.split("/"):
            raise Error(f"path {path} leaves the tree")
        if path not in paths:
            paths.append(path)
    return paths


class Outcome:
    """What became of one patch: its state and what `patch` said."""

    def __init__(self, name, state, text):
        self.name, self.state, self.text = name, state, text


def apply_patch(tree, patch, name):
    """Apply patch file @patch in @tree; an Outcome, never an exception."""
    if is_cut(name):
        try:
            cut.apply(pathlib.Path(tree), split_cut(patch.read_text())[1])
        except (Error, cut.CutError) as error:
            return Outcome(name, "reject", str(error))
        return Outcome(name, "clean", "")
    result = subprocess.run(
        ["patch", "-p1", "-N", "--batch", "--no-backup-if-mismatch",
         "--reject-file=-", "-i", str(patch)],
        cwd=tree, capture_output=True, text=True)
    text = result.stdout + result.stderr
    if result.returncode:
        state = "reject"
    elif "with fuzz" in text:
        state = "fuzz"
    elif "offset" in text:
        state = "offset"
    else:
        state = "clean"
    return Outcome(name, state, text)


def affected(folder=PATCHES, cuts=True):
    """Paths the series makes or changes."""
    paths = list(new_files(folder))
    for name in series(folder, cuts):
        paths += read_patch(folder / name)[1]
    return sorted(set(paths))


def compose(source, dest, folder=PATCHES, cuts=True):
    """Make in @dest just the files the series affects, patched, from pristine
    @source. Returns the outcomes; all patches are tried."""
    for path in affected(folder, cuts):
        target = dest / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if (source / path).is_file():
            shutil.copy2(source / path, target)
    for path in new_files(folder):
        if (source / path).exists():
            raise Error(f"files/{path} exists in the kernel source")
        shutil.copyfile(folder / "files" / path, dest / path)
    return [apply_patch(dest, folder / name, name)
            for name in series(folder, cuts)]


def report_outcomes(outcomes):
    """Say which patches need work; raise if one did not apply."""
    for outcome in outcomes:
        if outcome.state == "fuzz":
            say(f"{outcome.name}: applies with fuzz, refresh it")
    failed = [o for o in outcomes if o.state == "reject"]
    for outcome in failed:
        say(f"--- {outcome.name} does not apply:\n{outcome.text}")
    if failed:
        raise Error("patches to refresh: " + " ".join(o.name for o in failed))


# --- build tree -----------------------------------------------------------------

def replace(path, source):
    """Put a fresh copy of @source at @path unless it has the same content."""
    if path.is_file() and path.read_bytes() == source.read_bytes():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    temp = path.with_name(f".{path.name}.new")
    shutil.copyfile(source, temp)
    shutil.copymode(source, temp)
    os.replace(temp, path)	# never writes into a hard link
    return True


def build_tree(tarball=None, cuts=True):
    """The patched tree of this checkout, up to date; (path, files rewritten)."""
    source = pristine(tarball)
    name = f"tree-{cache.text_hash(str(cache.REPO))[:8]}-{source.name[7:]}"
    name += "-cut" if cuts else ""
    tree = source.with_name(name)
    with cache.lock(name):
        if not tree.is_dir():
            link_tree(source, tree)
        return tree, sync(source, tree, cuts=cuts)


def link_tree(source, tree):
    temp = tree.with_name(tree.name + ".new")
    shutil.rmtree(temp, ignore_errors=True)
    subprocess.run(["cp", "-al", str(source), str(temp)], check=True)
    temp.rename(tree)


def sync(source, tree, folder=PATCHES, cuts=True):
    """Bring the series' files in @tree up to date; the paths rewritten."""
    temp = tree.with_name(tree.name + ".apply")
    shutil.rmtree(temp, ignore_errors=True)
    temp.mkdir()
    report_outcomes(compose(source, temp, folder, cuts))
    record = tree / ".pith-affected"
    now = affected(folder, cuts)
    before = record.read_text().split("\n") if record.is_file() else []
    # Both lists first: an interrupted sync is finished by the next one.
    cache.write_if_changed(record, "\n".join(sorted({*before, *now} - {""}))
                           .encode())
    changed = []
    for path in sorted({*before, *now} - {""}):
        wanted = temp / path if path in now else source / path
        if wanted.is_file():
            if replace(tree / path, wanted):
                changed.append(path)
        elif (tree / path).exists():
            (tree / path).unlink()
            changed.append(path)
    cache.write_if_changed(record, "\n".join(now).encode())
    shutil.rmtree(temp)
    return changed


# --- Kconfig symbols -------------------------------------------------------------

def symbols(tree):
    """All symbols declared in the Kconfig files of @tree."""
    found = set()
    for path in tree.rglob("Kconfig*"):
        if path.is_file():
            found |= set(re.findall(r"(?m)^\s*(?:menu)?config\s+(\w+)",
                                    path.read_text(errors="replace")))
    return found
