# SPDX-License-Identifier: BSD-2-Clause
"""What page tables show a process of the kernel where the CPU needs isolation."""

import re
import time

import qemu
from pithtools.measure_elf import Elf
from . import machine, report

PAGE = 4096
IMAGE = 0xffffffff80000000	# the kernel's image is mapped from here on
SECONDS = 120
TESTS = "budget_ sched_"	# whose threads are mostly in user mode


def entry_pages(vmlinux):
    """Addresses of the pages with entry code."""
    at = {s.name: s.value for s in Elf(vmlinux).symbols()
          if s.name in ("__entry_text_start", "__entry_text_end")}
    return set(range(at["__entry_text_start"] // PAGE * PAGE,
                     at["__entry_text_end"], PAGE))


def monitor(running, line):
    return running.qmp("human-monitor-command",
                       **{"command-line": line}).replace("\r", "")


def shown(running, deadline):
    """Addresses in the image that a process's page tables map."""
    running.await_log(r"^ok 1 ", deadline)
    while time.monotonic() < deadline and running.alive():
        running.qmp("stop")
        if "CPL=3" in monitor(running, "info registers"):
            pages = [int(a, 16) for a in re.findall(
                r"(?m)^([0-9a-f]{16}): ", monitor(running, "info tlb"))]
            return {a for a in pages if a >= IMAGE}
        running.qmp("cont")
        running.pump(0.02)
    raise qemu.Failure("no process was seen to run")


def run():
    result = report.Result("ktest/isolation")
    folder = machine.BUILD / "ktest/isolation"
    if not machine.pack_suite(result, "kernel", folder / "initramfs.cpio"):
        return result
    vmlinux = machine.KERNEL.parents[3] / "vmlinux"
    try:
        with qemu.Machine(str(folder), str(machine.KERNEL),
                          str(folder / "initramfs.cpio"), smp=1,
                          devices=machine.KERNEL_DEVICES,
                          append="pti=on nokaslr -- " + TESTS) as running:
            found = shown(running, time.monotonic() + SECONDS)
    except qemu.Failure as failure:
        result.fail(str(failure))
        return result
    wrong = found ^ entry_pages(vmlinux)
    if wrong:
        result.fail("not just entry code is shown: "
                    + " ".join(f"{a:x}" for a in sorted(wrong)))
    else:
        result.passed += 1
    return result
