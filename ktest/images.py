#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Disk images for the scenarios, made with the standard tools.

usage: images.py NAME...	make them in build/images, print their paths
       images.py --list

An image is made once for each version of this file. The files on it are
computed, so that a scenario can say {sha256:PATH} of what is there.
"""

import functools
import hashlib
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import zlib

TOP = pathlib.Path(__file__).resolve().parents[1]
OUT = TOP / "build/images"
MIB = 1 << 20
START = MIB		# of the first partition
TIME = 1735689600	# 2025-01-01 00:00 UTC, of every file
UUID = "7069746a-7465-7374-8000-000000000001"
FEATURES = ("none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,"
            "64bit,flex_bg,sparse_super,large_file,huge_file,dir_nlink,"
            "extra_isize,metadata_csum")
ENV = dict(os.environ, LC_ALL="C", E2FSPROGS_FAKE_TIME=str(TIME),
           SOURCE_DATE_EPOCH=str(TIME),
           PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def tool(*command, text=None):
    done = subprocess.run(command, env=ENV, input=text, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    if done.returncode:
        raise RuntimeError("%s: %s" % (" ".join(map(str, command)),
                                       done.stdout.strip()))


# --- files --------------------------------------------------------------------

def noise(seed, size):
    """Bytes without a pattern, the same each time: SHA-256 of a counter."""
    out = bytearray()
    while len(out) < size:
        out += hashlib.sha256(b"%s:%d" % (seed.encode(), len(out))).digest()
    return bytes(out[:size])


@functools.lru_cache
def files():
    """Path on the disk -> content. Bytes are a file, str a symbolic link."""
    found = {
        "/etc/os-release": b'NAME="Pith test disk"\nID=pith-test\n',
        "/empty": b"",
        "/data/1": noise("one", 1),
        "/data/4095": noise("4095", 4095),
        "/data/4096": noise("4096", 4096),
        "/data/4097": noise("4097", 4097),
        "/data/big": noise("big", 12 * MIB + 12345),
        "/data/hole": b"a" + bytes(3 * MIB) + b"b",
        "/link": "etc/os-release",
        "/data/up": "../etc/os-release",
        "/loop": "loop",
        "/out": "/../../etc/os-release",
        "/deep/a/b/c/d/e/f/g/file": b"deep\n",
        "/n\u00e4me mit \u20ac und leer": "\u00fcber\n".encode(),
    }
    for i in range(300):
        found["/many/file-%03d" % i] = b"%d\n" % i
    return found


def sha256(path):
    return hashlib.sha256(files()[path]).hexdigest()


def _tree(folder):
    for path, content in files().items():
        at = folder / path[1:]
        at.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            at.symlink_to(content)
        else:
            at.write_bytes(content)
    for at in sorted(folder.rglob("*"), reverse=True):
        os.utime(at, (TIME, TIME), follow_symlinks=False)


def ext4(image, offset, size, *options):
    """An ext4 file system with the files, in @size bytes of @image."""
    with tempfile.TemporaryDirectory(prefix="pith-image-") as temp:
        tree, part = pathlib.Path(temp) / "tree", pathlib.Path(temp) / "fs"
        tree.mkdir()
        _tree(tree)
        os.chmod(tree, 0o755)
        tool("mke2fs", "-q", "-F", "-t", "ext4", "-O", FEATURES, "-b", "4096",
             "-I", "256", "-U", UUID,
             "-L", "test", "-E", "hash_seed=" + UUID + ",root_owner=0:0",
             "-d", str(tree), *options, str(part), str(size // 4096))
        with open(image, "r+b") as out, open(part, "rb") as fs:
            out.seek(offset)
            shutil.copyfileobj(fs, out)


def blank(image, size):
    with open(image, "wb") as out:
        out.truncate(size)


# --- partition tables -----------------------------------------------------------

def sfdisk(image, script):
    tool("sfdisk", "-q", str(image), text=script)


def gpt_512(image):
    sfdisk(image, "label: gpt\nlabel-id: %s\nstart=2048, size=%d, uuid=%s\n"
           % (UUID, 46 * MIB // 512, UUID))


def gpt_4096(image, size):
    """sfdisk knows no other sector size than 512: a table made here."""
    block, last = 4096, size // 4096 - 1
    kind = bytes.fromhex("af3dc60f838472478e793d69d8477de4")   # Linux data
    entry = kind + bytes(range(16)) + struct.pack(
        "<QQQ", START // block, START // block + 46 * MIB // block - 1, 0)
    entries = entry.ljust(128, b"\0").ljust(128 * 128, b"\0")

    def header(here, other, table):
        fields = [b"EFI PART", 0x10000, 92, 0, 0, here, other, 6, last - 5,
                  bytes(range(16, 32)), table, 128, 128, zlib.crc32(entries)]
        raw = struct.pack("<8sIIIIQQQQ16sQIII", *fields)
        fields[3] = zlib.crc32(raw)
        return struct.pack("<8sIIIIQQQQ16sQIII", *fields)

    with open(image, "r+b") as out:
        out.seek(446)
        out.write(struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xee, b"\xff" * 3, 1,
                              last) + bytes(48) + b"\x55\xaa")
        for at, data in ((1, header(1, last, 2)), (2, entries),
                         (last - 4, entries), (last, header(last, 1,
                                                            last - 4))):
            out.seek(at * block)
            out.write(data)


def damage(image, offset, data):
    with open(image, "r+b") as out:
        out.seek(offset)
        out.write(data)


# --- images ---------------------------------------------------------------------

SIZE = 48 * MIB


def make_gpt(image):
    blank(image, SIZE)
    gpt_512(image)
    ext4(image, START, 46 * MIB)


def make_gpt_4096(image):
    blank(image, SIZE)
    gpt_4096(image, SIZE)
    ext4(image, START, 46 * MIB)


def make_mbr(image):
    """The file system is logical partition 5; 1 is something else."""
    blank(image, SIZE + 4 * MIB)
    sfdisk(image, "label: dos\nstart=2048, size=4096, type=83\n"
           "start=6144, type=5\nstart=8192, type=83\n")
    ext4(image, 8192 * 512, 44 * MIB)


def make_raw(image):
    blank(image, SIZE)
    ext4(image, 0, SIZE)


def make_gpt_bad_primary(image):
    make_gpt(image)
    damage(image, 512 + 40, b"\xff" * 8)


def make_gpt_bad_both(image):
    make_gpt_bad_primary(image)
    damage(image, SIZE - 512 + 16, b"\xff" * 8)


def make_bad_inodes(image):
    """The first group's inodes, but the first 11: the root directory is 2."""
    make_gpt(image)
    with open(image, "rb") as disk:
        disk.seek(START + 1024 + 0x28)	# s_inodes_per_group
        inodes = struct.unpack("<I", disk.read(4))[0]
        disk.seek(START + 4096 + 8)	# group descriptor 0: bg_inode_table_lo
        table = struct.unpack("<I", disk.read(4))[0]
    damage(image, START + table * 4096 + 11 * 256,
           b"\xa5" * ((inodes - 11) * 256))


def make_bad_superblock(image):
    make_gpt(image)
    damage(image, START + 1024 + 0x38, b"\0\0")


def make_empty(image):
    blank(image, 16 * MIB)


def make_scratch(image):
    blank(image, 24 * MIB)


def make_odd(image):
    """A size that no queue, page or partition divides."""
    blank(image, 5 * MIB + 7 * 4096)


RECIPES = {name.removeprefix("make_"): function
           for name, function in list(globals().items())
           if name.startswith("make_")}


MAKING = threading.Lock()


def path(name):
    """The image @name, made if it is not there; by one thread at a time."""
    with open(__file__, "rb") as this:
        version = hashlib.sha256(this.read()).hexdigest()[:12]
    image = OUT / ("%s-%s.img" % (name, version))
    with MAKING:
        if not image.exists():
            OUT.mkdir(parents=True, exist_ok=True)
            temp = image.with_suffix(".%d" % os.getpid())
            try:
                RECIPES[name](temp)
                os.replace(temp, image)
            finally:
                temp.unlink(missing_ok=True)
    return image


def sector(name, where):
    """Sector of 512 bytes of the image @name that holds "PATH@OFFSET"."""
    file, _, offset = where.rpartition("@")
    content = files()[file][int(offset):][:4096]
    found = path(name).read_bytes().find(content)
    if found < 0 or len(content) < 4096:
        raise ValueError("%s is not in one piece in %s" % (where, name))
    return found // 512


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(RECIPES))
        return 0
    if len(sys.argv) < 2 or not set(sys.argv[1:]) <= set(RECIPES):
        print(__doc__, file=sys.stderr)
        return 2
    for name in sys.argv[1:]:
        print(path(name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
