# SPDX-License-Identifier: BSD-2-Clause
"""The series as a git history, and back.

A work tree has the pristine source as its first commit (tag `pith-base`), the
whole new files as the second and one commit per patch, in order. Which file a
commit goes to says the last line of its message, `Patch: NNN-name.patch`. A cut
(`.cut`) is all in its message: what its commit changes follows from that.

Going back, whatever does not exist in the pristine source is a whole new file
and goes to patches/files/ as it is at the end of the history, no matter which
commit touched it; the rest of each commit is its patch. The format depends on
content only: no index lines, no times, a/ and b/ prefixes.
"""

import pathlib
import re
import shutil
import subprocess
import tempfile

from pithtools import kernel
from pithtools.kernel import Error, say

BASE = "pith-base"
NOBODY = ("Pith", "pith@invalid")	# author of a patch that names none
FILES_SUBJECT = "files: whole new files"
TRAILER = re.compile(r"(?m)^Patch: (\S+)\n*\Z")
SUBJECT = re.compile(r"[a-z0-9_/,. -]+: \S.*[^.]")


def git(tree, *args, check=True, stdin=None, author=NOBODY):
    settings = ["user.name=Pith", "user.email=pith@invalid", "gc.auto=0",
                "core.autocrlf=false", "core.fileMode=true",
                "commit.gpgSign=false", "core.hooksPath=/dev/null",
                "diff.mnemonicPrefix=false", "diff.noprefix=false",
                "diff.algorithm=myers", "diff.indentHeuristic=true",
                "diff.interHunkContext=0", "core.quotePath=false"]
    words = [w for s in settings for w in ("-c", s)]
    result = subprocess.run(["git", "-C", str(tree), *words, *args],
                            input=stdin, capture_output=True, text=True)
    if check and result.returncode:
        raise Error(f"git {args[0]}: {result.stderr.strip()}")
    return result.stdout


# --- out -----------------------------------------------------------------------

def parse_header(text, name):
    """(author, message) of a patch's header."""
    author, subject, body = NOBODY, None, []
    lines = text.split("\n")
    for i, line in enumerate(lines):
        match = re.fullmatch(r"From: (.*) <(.*)>", line)
        if match and subject is None:
            author = (match[1], match[2])
        elif line.startswith("Subject: ") and subject is None:
            subject = line[len("Subject: "):]
            body = lines[i + 1:]
            break
    if not subject:
        raise Error(f"{name}: no Subject: line")
    text = "\n".join(body)
    text = re.split(r"(?m)^---$", text)[0].strip("\n")
    return author, f"{subject}\n\n{text}".strip() + "\n"


def unpack(dest, tarball=None, whole=True, folder=kernel.PATCHES):
    """Make the work tree @dest; with @whole False, only of affected files."""
    dest = pathlib.Path(dest)
    if dest.exists() and any(dest.iterdir()):
        raise Error(f"{dest} exists and is not empty")
    source = kernel.pristine(tarball)
    dest.mkdir(parents=True, exist_ok=True)
    if whole:
        say(f"copying {kernel.version_of(source)}")
        subprocess.run(["cp", "-a", "--reflink=auto", f"{source}/.",
                        str(dest)], check=True)
    else:
        copy_affected(source, dest, folder)
    git(dest, "init", "-q", "-b", "pith")
    commit(dest, f"Linux {kernel.version_of(source)}\n", NOBODY)
    git(dest, "tag", BASE)
    for path in kernel.new_files(folder):
        (dest / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / "files" / path, dest / path)
    commit(dest, FILES_SUBJECT + "\n", NOBODY)
    for name in kernel.series(folder):
        unpack_patch(dest, folder / name)


def copy_affected(source, dest, folder):
    for path in ["Makefile", ".gitattributes", *kernel.affected(folder)]:
        if (source / path).is_file():
            (dest / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / path, dest / path)


def commit(tree, message, author):
    git(tree, "add", "-A", "-f", ".")
    git(tree, "commit", "-q", "--allow-empty", "--no-verify",
        "--cleanup=verbatim", f"--author={author[0]} <{author[1]}>",
        "-F", "-", stdin=message)


def unpack_patch(tree, path):
    header, _ = kernel.read_patch(path)
    author, message = parse_header(header, path.name)
    if kernel.is_cut(path.name):
        message += f"---\n{kernel.split_cut(path.read_text())[1]}"
    outcome = kernel.apply_patch(tree, path, path.name)
    if outcome.state == "reject":
        raise Error(f"{path.name} does not apply:\n{outcome.text}")
    commit(tree, f"{message}\nPatch: {path.name}\n", author)


# --- back ----------------------------------------------------------------------

def clean_diff(text):
    """A git diff without what depends on git rather than on content."""
    out = []
    for line in text.splitlines(keepends=True):
        if re.match(r"(old|new) mode ", line):
            raise Error("changes a file's mode")
        if not re.match(r"(diff --git|index|new file mode|deleted file mode) ",
                        line):
            out.append(line)
    return "".join(out)


def read_commit(tree, commit_id, base_paths):
    """(name, text) of the patch that @commit_id makes, or None if it only
    touches whole new files."""
    raw = git(tree, "show", "-s", "--format=%an%n%ae%n%B", commit_id)
    name, mail, message = raw.split("\n", 2)
    changed = git(tree, "diff-tree", "-r", "--no-commit-id", "--name-only",
                  "--no-renames", commit_id).split("\n")
    paths = [p for p in changed if p in base_paths]
    trailer = TRAILER.search(message.rstrip("\n") + "\n")
    subject = message.split("\n", 1)[0]
    if not paths:
        if trailer:
            raise Error(f"{trailer[1]}: changes no file of the kernel")
        return None
    if not trailer:
        raise Error(f"commit {commit_id[:12]} ({subject}): its message must "
                    "end with a line `Patch: NNN-name.patch`")
    body = TRAILER.sub("", message.rstrip("\n") + "\n").rstrip("\n")
    author = "" if (name, mail) == NOBODY else f"From: {name} <{mail}>\n"
    if kernel.is_cut(trailer[1]):
        return trailer[1], f"{author}Subject: {body}\n"
    diff = clean_diff(git(tree, "diff", "--no-color", "--no-ext-diff",
                          "--no-renames", "--src-prefix=a/", "--dst-prefix=b/",
                          "-U3", f"{commit_id}^", commit_id, "--", *paths))
    return trailer[1], f"{author}Subject: {body}\n---\n{diff}"


def read_tree(tree):
    """(patches by name in order, new files by path) of a work tree."""
    if git(tree, "status", "--porcelain"):
        raise Error(f"{tree} has changes that are not committed")
    base = set(git(tree, "ls-tree", "-r", "--name-only", BASE).splitlines())
    patches = {}
    for commit_id in git(tree, "rev-list", "--reverse",
                         f"{BASE}..HEAD").split():
        found = read_commit(tree, commit_id, base)
        if found and found[0] in patches:
            raise Error(f"two commits for {found[0]}")
        if found:
            patches[found[0]] = found[1]
    new = [p for p in git(tree, "ls-tree", "-r", "--name-only",
                          "HEAD").splitlines() if p not in base]
    return patches, {p: (pathlib.Path(tree) / p).read_bytes() for p in new}


def series_text(names, folder):
    """The series file: the comments before a patch stay with it."""
    old = folder / "series"
    comments, pending = {}, []
    for line in old.read_text().splitlines() if old.is_file() else []:
        if line.startswith("#") or not line.strip():
            pending.append(line)
        else:
            comments[line.split("#")[0].strip()] = pending
            pending = []
    out = []
    for name in names:
        out += [*comments.get(name, []), name]
    return "".join(line + "\n" for line in out + pending)


def patch_files(folder):
    return [*folder.glob("*.patch"), *folder.glob("*.cut")]


def refresh(tree, folder=kernel.PATCHES):
    """Write the work tree back. Returns the files that changed."""
    patches, new = read_tree(tree)
    wanted = {name: text.encode() for name, text in patches.items()}
    wanted["series"] = series_text(patches, folder).encode()
    wanted.update({f"files/{path}": data for path, data in new.items()})
    present = {p.name for p in patch_files(folder)}
    present |= {f"files/{p}" for p in kernel.new_files(folder)}
    changed = [n for n in sorted(present) if n not in wanted]
    for name in changed:
        (folder / name).unlink()
    for name, data in wanted.items():
        if kernel.cache.write_if_changed(folder / name, data):
            changed.append(name)
    return changed


# --- check ---------------------------------------------------------------------

def check_message(name, header):
    """Complaints about a patch's message."""
    _, message = parse_header(header, name)
    subject, _, body = message.partition("\n")
    found = []
    if not SUBJECT.fullmatch(subject) or len(subject) > 75:
        found.append("the subject must be `area: what it does`, without a "
                     "full stop, at most 75 characters")
    if not re.search(r"(?m)^Cost: \S", body):
        found.append("no `Cost:` line saying what it costs (lines, time, risk "
                     "at the next stable update)")
    prose = re.sub(r"(?m)^(Cost|Signed-off-by|Fixes|Link):.*", "", body)
    if len(prose.split()) < 25:
        found.append("too short to say problem and reason (25 words)")
    return [f"{name}: {text}" for text in found]


def check(folder=kernel.PATCHES, tarball=None):
    """Complaints about the series; empty if it is in order."""
    found = []
    for name in kernel.series(folder):
        header, _ = kernel.read_patch(folder / name)
        found += check_message(name, header)
        if re.search(r"(?m)^--- /dev/null", (folder / name).read_text()):
            found.append(f"{name}: makes a whole file; put it in files/")
    listed = set(kernel.series(folder))
    found += [f"{p.name}: not in the series" for p in patch_files(folder)
              if p.name not in listed]
    found += check_refresh(folder, tarball)
    return found


def check_refresh(folder, tarball):
    """A refresh of a fresh work tree must change nothing."""
    temp = kernel.cache.root() / "kernel" / "check"
    shutil.rmtree(temp, ignore_errors=True)
    copy = temp / "patches"
    shutil.copytree(folder, copy)
    unpack(temp / "tree", tarball, whole=False, folder=copy)
    changed = refresh(temp / "tree", copy)
    shutil.rmtree(temp)
    return [f"{name}: a refresh would change it" for name in changed]


# --- bump ----------------------------------------------------------------------

def asked_symbols(kconfig):
    """Symbols the fragments in folder @kconfig name."""
    found = set()
    for path in kconfig.glob("*.config"):
        found |= set(re.findall(r"(?m)^(?:# )?CONFIG_(\w+)(?:=| is not set)",
                                path.read_text()))
    return found


def bump(old, new, folder=kernel.PATCHES,
         kconfig=kernel.cache.REPO / "kconfig"):
    """Try the series on source @new instead of @old: (report, whether it can
    be used as it is)."""
    out = [f"from {kernel.version_of(old)} to {kernel.version_of(new)}"]
    with tempfile.TemporaryDirectory(dir=kernel.cache.root()) as temp:
        outcomes = kernel.compose(new, pathlib.Path(temp), folder)
    for outcome in outcomes:
        out.append(f"{outcome.state:8}{outcome.name}")
        if outcome.state in ("fuzz", "reject"):
            out.append(outcome.text)
    before, after = kernel.symbols(old), kernel.symbols(new)
    gone = (before - after) & asked_symbols(kconfig)
    for title, names in (("new Kconfig symbols", after - before),
                         ("removed Kconfig symbols", before - after),
                         ("of these, in our fragments", gone)):
        out.append(f"{title}: {' '.join(sorted(names)) or 'none'}")
    bad = gone or any(o.state == "reject" for o in outcomes)
    return "\n".join(out), not bad
