# SPDX-License-Identifier: BSD-2-Clause
"""Where things are kept between builds, and how they get there whole.

Everything in the cache can be made again: deleting it costs time only. A thing
is either made under a temporary name and renamed, or marked complete by a file
that is written last, so an interrupted run leaves nothing that looks finished.
"""

import contextlib
import fcntl
import hashlib
import os
import pathlib

REPO = pathlib.Path(__file__).resolve().parents[2]


def root():
    """The cache folder: $PITH_CACHE, default ~/.cache/pith."""
    path = os.environ.get("PITH_CACHE") or "~/.cache/pith"
    folder = pathlib.Path(path).expanduser().absolute()
    if folder.is_relative_to(REPO):
        raise SystemExit(f"PITH_CACHE={folder} must be outside the checkout")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def file_hash(path):
    digest = hashlib.sha256()
    with open(path, "rb") as data:
        while chunk := data.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def text_hash(*parts):
    """Hash of texts in order; each is delimited, so none can pose as two."""
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode()
        digest.update(f"{len(data)}:".encode() + data)
    return digest.hexdigest()


@contextlib.contextmanager
def lock(name):
    """Hold the cache's lock @name: two builds never make the same thing."""
    folder = root() / "lock"
    folder.mkdir(exist_ok=True)
    with open(folder / name, "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def write_if_changed(path, data):
    """Write @data (bytes) unless the file holds it already: keeps the mtime."""
    path = pathlib.Path(path)
    if path.is_file() and path.read_bytes() == data:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    temp = path.with_name(f".{path.name}.{os.getpid()}")
    temp.write_bytes(data)
    os.replace(temp, path)
    return True
