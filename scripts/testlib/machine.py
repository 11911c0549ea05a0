# SPDX-License-Identifier: BSD-2-Clause
"""Tests that run in QEMU: the kernel's, and scenarios of the whole system."""

import pathlib
import re
import subprocess
import time

import qemu
from . import report

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = TOP / "build"
CORPUS = TOP / "ktest/fuzz/corpus"
KERNEL = BUILD / "kernel/arch/x86/boot/bzImage"	# test-all --kernel
KERNEL_SECONDS = 900

# Programs that are core and all components of their tests: suite -> program.
SUITES = {
    "kernel": BUILD / "components/ktest/ktest.stripped",
    "attack": BUILD / "components/attack/attack.stripped",
}
# The same for arm64, where only the kernel's tests run.
KERNEL_ARM64 = BUILD / "arm64/kernel/arch/arm64/boot/Image"
SUITE_ARM64 = BUILD / "arm64/components/ktest/ktest.stripped"
# Where they run.
MACHINES = {
    "kernel": ("smp2", "smp1", "smp4-6G"),
    "attack": ("smp2",),
}
# With a kernel that checks itself: `make test-debug`.
DEBUG_MACHINES = {"kernel": ("smp2", "smp4"), "attack": ("smp2", "smp4")}
DEBUG_SECONDS = 3 * 3600
# With every run of all tests: what such a kernel has to say to some of them,
# chosen to take about a minute. `make test` builds it.
CHECKED_KERNEL = BUILD / "kernel-debug/arch/x86/boot/bzImage"
CHECKED = {
    "kernel": "checked=1 leaks=1 boot_ exception_ fault_nested fault_unpaid "
              "interrupt_saved irq_is io_port notif_w quota_receiver "
              "reply_any reply_passed reply_saver_thread_ends revoke_badges "
              "sched_fault space_map_args space_protect thread_killed "
              "thread_pause_in watch_",
    "attack": "checked=1 buffer_moved cycle_of fault_ring quota_mapping "
              "quota_tables revoke_lent signal_overflow",
}
# Machines: name -> CPUs, memory, and more for the kernel's command line. QEMU's CPU
# needs no page-table isolation; the kernel as it is on one that does is tried, too.
KERNEL_MACHINES = {
    "smp2": (2, "512M", ""),
    "smp1": (1, "256M", "pti=on"),
    "smp4-6G": (4, "6G", ""),
    "smp4": (4, "1G", ""),
}
ISOLATED = "page tables isolation: enabled"
# The device that test_device.c drives; its DMA reaches all of memory.
KERNEL_DEVICES = ["-device", "edu,dma_mask=0xffffffffffff"]


def check_splats(result, log, memory_fails=False):
    found = qemu.splats(log, memory_fails)
    if found:
        result.fail("the kernel complained: " + found[0], found)


def pack(result, out, *arguments):
    """Make a boot archive; False if that failed."""
    out.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [str(TOP / "scripts/pack"), "--out", str(out), *arguments], cwd=TOP,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        result.fail("no boot archive",
                    done.stdout.decode("utf-8", "replace").splitlines())
    return done.returncode == 0


def write_corpus(out):
    """The programs of the fuzzer's corpus in one file."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with open(out, "w", encoding="ascii") as f:
        for path in sorted(CORPUS.iterdir()):
            f.write("program %s\n" % path.name)
            f.writelines(line + "\n" for line in
                         path.read_text(encoding="ascii").splitlines()
                         if line and not line.startswith("#"))
    return out


def _tests_only(log):
    """The KTAP part of a kernel log."""
    start = log.find("KTAP version 1")
    return log[start:] if start >= 0 else ""


def pack_suite(result, suite, out):
    """The boot archive of a suite's tests; False if that failed."""
    more_files = ["--rom", "corpus=%s" % write_corpus(out.parent / "corpus")] \
        if suite == "attack" else []
    return pack(result, out, "--init", str(SUITES[suite]), *more_files)


def checked(suite):
    """Some tests of a suite on the kernel that checks itself."""
    return kernel(suite, "smp2", CHECKED[suite], "checked-" + suite,
                  CHECKED_KERNEL)


def _boot(result, folder, kernel_image, only, seconds, append="", **options):
    """Boot the archive in @folder; its tests with options @only."""
    try:
        with qemu.Machine(str(folder), str(kernel_image),
                          str(folder / "initramfs.cpio"),
                          append=f"{append} -- {only}", **options) as m:
            m.await_end(time.monotonic() + seconds)
    except qemu.Failure as failure:
        result.fail(str(failure), m.said()[:report.DETAIL_LINES])
    log = m.log()
    report.read_tap(result, _tests_only(log) or log)
    check_splats(result, log, "nomem=1" in only)
    if "pti=on" in append and ISOLATED not in log:
        result.fail("page tables were not isolated")


def kernel(suite, name, only="", title="", image=None):
    """The tests of a suite on one kind of machine."""
    result = report.Result("ktest/" + (title or suite) + " " + name)
    more = sum(int(n) for n in re.findall(r"\bseconds=(\d+)", only))
    smp, memory, append = KERNEL_MACHINES[name]
    folder = BUILD / "ktest" / (title or (name if suite == "kernel" else
                                          suite + "-" + name))
    if pack_suite(result, suite, folder / "initramfs.cpio"):
        _boot(result, folder, image or KERNEL, only, KERNEL_SECONDS + more,
              append, smp=smp, memory=memory, devices=KERNEL_DEVICES)
    return result


def arm64(name, only=""):
    """The kernel's tests on QEMU's virt, emulated."""
    result = report.Result("ktest/arm64 " + name)
    smp, memory, _ = KERNEL_MACHINES[name]
    folder = BUILD / "ktest" / ("arm64-" + name)
    if pack(result, folder / "initramfs.cpio", "--init", str(SUITE_ARM64)):
        _boot(result, folder, KERNEL_ARM64, only, KERNEL_SECONDS, smp=smp,
              memory=memory, arch="arm64")
    return result


def smoke(name):
    """A short run of scripts/bench or scripts/latency: bounds still hold."""
    result = report.Result(f"ktest/{name} smoke")
    done = subprocess.run(
        [str(TOP / "scripts" / name), "--smoke", str(KERNEL)], cwd=TOP,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False)
    report.read_tap(result, done.stdout)
    return result
