# SPDX-License-Identifier: BSD-2-Clause
"""The panic report: a machine panics, and its next boot tells why.

A boot leaves the end of its log in RAM at a fixed address, which a reset keeps
(kernel/pith/log.c). ktest/kernel/panic.c is the program. Besides real panics,
what a boot finds there is written from outside, into the file that is the
machine's RAM: whatever is not a sound report must be refused.
"""

import mmap
import re
import struct
import tempfile
import time

import qemu
from . import machine, report

AREA, SIZE = 0xc00000, 32768	# as in kernel/pith/log.c
MAGIC = 0x21636e6168746970
HEADER = struct.Struct("<QIII")
TEXT = SIZE - HEADER.size
SECONDS = 180
# Machines that panic: name -> CPUs, memory and what they are.
MACHINES = {"panic smp1": (1, "256M", "x86"), "panic smp4-6G": (4, "6G", "x86"),
            "panic arm64": (2, "512M", "arm64")}
# What a back trace has in it.
TRACES = {"x86": (r" *Call Trace:", r" </TASK>"), "arm64": (r"Call trace:",)}
ADDED = "forged report"		# text that only a forged area has


def _rotate(x, n):
    return (x << n | x >> (32 - n)) & 0xffffffff


def jhash(data):
    """The kernel's <linux/jhash.h>, with an initial value of 0."""
    a = b = c = (0xdeadbeef + len(data)) & 0xffffffff
    mask = 0xffffffff
    at = 0
    while len(data) - at > 12:
        x, y, z = struct.unpack_from("<III", data, at)
        a, b, c = (a + x) & mask, (b + y) & mask, (c + z) & mask
        for n in (4, 6, 8, 16, 19, 4):	# the three change places each time
            a = (a - c) & mask ^ _rotate(c, n)
            c = (c + b) & mask
            a, b, c = b, c, a
        at += 12
    x, y, z = struct.unpack("<III", data[at:].ljust(12, b"\0"))
    a, b, c = (a + x) & mask, (b + y) & mask, (c + z) & mask
    for n in (14, 11, 25, 16, 4, 14, 24):
        c = ((c ^ b) - _rotate(b, n)) & mask
        a, b, c = b, c, a
    return b


def area(text, boots=7, magic=MAGIC, length=None, flip=None):
    """What a boot that panicked leaves, with one thing wrong or none."""
    length = len(text) if length is None else length
    body = struct.pack("<II", boots, length) + text
    data = bytearray(struct.pack("<QI", magic, jhash(body)) + body)
    data += bytes(SIZE - len(data))
    if flip is not None:
        data[flip] ^= 1
    return bytes(data)


GOOD = ADDED.encode() + b": line one\nline two\n"
# Text up to the area's end, so that a length beyond it has a hash that is right
# for as much as there is.
FULL = (GOOD + b"x" * TEXT)[:TEXT]
REFUSED = {
    "zeros": bytes(SIZE),
    "ones": b"\xff" * SIZE,
    "magic": area(GOOD, magic=MAGIC ^ 1),
    "hash": area(GOOD, flip=8),
    "boots": area(GOOD, flip=12),
    "length": area(GOOD, flip=16),
    "first byte": area(GOOD, flip=HEADER.size),
    "last byte": area(FULL, flip=SIZE - 1),
    "length past the end": area(FULL, length=TEXT + 1),
    "length that wraps": area(FULL, length=0xffffffff),
}
ACCEPTED = {"a line": GOOD, "all of the area": FULL}


PROGRAM = ("--init", str(machine.SUITES["kernel"]))
PROGRAM_ARM64 = ("--init", str(machine.SUITE_ARM64))
CONFIG = ("--config", str(machine.TOP / "initramfs/scenarios/first_light.hid"))


def _machine(name, what, **options):
    """(result, machine that can be reset or None) for a boot archive."""
    folder = machine.BUILD / "ktest" / name.replace(" ", "-")
    archive = folder / "initramfs.cpio"
    result = report.Result("ktest/" + name)
    if not machine.pack(result, archive, *what):
        return result, None
    kernel = machine.KERNEL_ARM64 if options.get("arch") == "arm64" else \
        machine.KERNEL
    return result, qemu.Machine(str(folder), str(kernel), str(archive),
                                reboot=True, **options)


def _ram(file):
    """Options of a machine whose RAM is @file."""
    file.truncate(512 << 20)
    return {"machine": "q35,memory-backend=ram", "memory": "512M",
            "devices": ["-object", "memory-backend-file,id=ram,size=512M,"
                        "share=on,mem-path=" + file.name]}


def _ram_file():
    return tempfile.NamedTemporaryFile(prefix="pith-ram-", dir="/dev/shm")


def _fresh(m, deadline):
    """The boot that is going on finds no report."""
    m.await_log(r"^# no address: 0$", deadline)
    m.await_log(r"^# report: 0 bytes$", deadline)


def _panics(m, deadline, arch="x86"):
    """It panics, on the console and in the report of the next boot."""
    m.await_log(r"^# panics now: 1$", deadline)
    panic = r"Kernel panic - not syncing: Attempted to kill init!"
    m.await_log("^" + panic, deadline)
    m.await_log("^" + TRACES[arch][0], deadline)
    m.await_log(r"^pith: boot (\d+) since power came", deadline)
    m.await_log(r"^# no address: -14$", deadline)
    size = int(m.await_log(r"^# report: (\d+) bytes$", deadline)[1])
    for line in (r"# panics now: 1", panic, r"CPU: \d+ .* Comm: init ",
                 *TRACES[arch], r"Kernel Offset: "):
        m.await_log("^# was: " + line, deadline)
    m.await_log(r"^# again: 0 bytes$", deadline)
    if not 1000 < size <= TEXT:
        raise qemu.Failure("the report has %d bytes" % size)


def _carry_out(result, m, steps):
    """Run @steps; what the kernel says besides the panics is no good."""
    try:
        with m:
            steps(time.monotonic() + SECONDS)
        result.passed += 1
    except qemu.Failure as failure:
        result.fail(str(failure), m.log().splitlines()[-report.DETAIL_LINES:])
    found = [line for line in qemu.splats(m.log())
             if not re.search(r"Kernel panic|Call [Tt]race:", line)]
    if found:
        result.fail("the kernel complained: " + found[0], found)


def panic(name):
    """A panic on one kind of machine, and what the next boot says of it."""
    smp, memory, arch = MACHINES[name]
    result, m = _machine(name, PROGRAM_ARM64 if arch == "arm64" else PROGRAM,
                         smp=smp, memory=memory, arch=arch,
                         append="-- panic-report now")

    def steps(deadline):
        _fresh(m, deadline)
        _panics(m, deadline, arch)
        m.await_log(r"^# panics now: 0$", deadline)

    if m:
        _carry_out(result, m, steps)
    return result


def _reset_with(m, ram, data):
    ram[AREA:AREA + SIZE] = data
    m.qmp("system_reset")


def _cleared(ram, boots):
    """The boot that is going on has left an empty report of its own."""
    magic, found, number, length = HEADER.unpack_from(ram, AREA)
    if (magic, number, length) != (MAGIC, boots, 0) or \
            found != jhash(ram[AREA + 12:AREA + 20]):
        raise qemu.Failure("the area is not cleared: %x %x %d %d" % (
            magic, found, number, length))


def _forgeries(m, ram, deadline, result):
    _fresh(m, deadline)
    for data in REFUSED.values():
        _reset_with(m, ram, data)
        m.await_log(r"^pith: boot 1 since power came", deadline)
        _fresh(m, deadline)
        m.await_log(r"^# panics now: 0$", deadline)
        _cleared(ram, 1)
        result.passed += 1
    if ADDED in m.log():
        raise qemu.Failure("a report that was not sound came through")
    for text in ACCEPTED.values():
        _reset_with(m, ram, area(text))
        m.await_log(r"^pith: boot 8 since power came", deadline)
        m.await_log(r"^# report: %d bytes$" % len(text), deadline)
        m.await_log(r"^# was: " + ADDED, deadline)
        m.await_log(r"^# panics now: 0$", deadline)
        _cleared(ram, 8)
        result.passed += 1
    _reset_with(m, ram, area(b"panic please\n"))
    _panics(m, deadline)
    m.await_log(r"^# panics now: 0$", deadline)
    _cleared(ram, 9)


def forged(options=""):
    """Areas that only look like a report, and some that are one."""
    with _ram_file() as file:
        result, m = _machine("panic forged", PROGRAM,
                             append="-- panic-report " + options, **_ram(file))

        def steps(deadline):
            with mmap.mmap(file.fileno(), 0) as ram:
                _forgeries(m, ram, deadline, result)

        if m:
            _carry_out(result, m, steps)
    return result


def told():
    """Core puts the report into the log, with nothing in it that acts."""
    with _ram_file() as file:
        result, m = _machine("panic told", CONFIG, **_ram(file))
        file.seek(AREA)
        file.write(area(b"lost\n" * 4000 + b"first\n\nlast\x1b[2J\xff\n"))
        file.flush()

        def steps(deadline):
            for line in (r"core\] the boot before this one panicked",
                         r"core: before\] lost$", r"core: before\] first$",
                         r"core: before\] last\.\[2J.$",
                         r"core\] end of the log of the boot before$",
                         r"init\] .*"):
                m.await_log(r"^\[" + line, deadline)

        if m:
            _carry_out(result, m, steps)
    return result


def jobs():
    return [("ktest/" + n, lambda n=n: panic(n)) for n in MACHINES] + [
        ("ktest/panic forged", forged), ("ktest/panic told", told)]
