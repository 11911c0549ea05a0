#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""QEMU machines for tests, and the one probe for KVM.

As a command:  scripts/qemu.py accel BZIMAGE
    prints the acceleration arguments that work on this machine.

A Machine has the terminal (first serial port) on a pipe, the kernel log
(second serial port) in a file, and a QMP socket for what happens to hardware. One
for arm64 is QEMU's virt, emulated; it has one serial port, for the log.
"""

import codecs
import hashlib
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
QEMU = os.environ.get("QEMU", "qemu-system-x86_64")
TCG = ["-accel", "tcg,thread=multi", "-cpu", "max"]
KVM = ["-accel", "kvm", "-cpu", "host"]
LOG_PORT = "earlyprintk=serial,ttyS1,115200,keep panic=-1"
OVMF = "/usr/share/ovmf/OVMF.fd"
QEMU_ARM64 = os.environ.get("QEMU_ARM64", "qemu-system-aarch64")
# Signing of pointers by the book's cipher would take most of the time.
TCG_ARM64 = ["-accel", "tcg,thread=multi", "-cpu", "max,pauth-impdef=on"]
LOG_PORT_ARM64 = "earlyprintk=pl011,0x9000000 panic=-1"
MACHINES = {"x86": "q35", "arm64": "virt,gic-version=3"}
PROBE_SECONDS = 10

# What in a kernel log means that the kernel itself is broken.
SPLATS = re.compile("|".join([
    r"BUG:", r"WARNING:", r"\bOops\b", r"Call Trace:", r"\bKASAN\b",
    r"general protection", r"unable to handle", r"Unable to handle",
    r"INFO: rcu", r"rcu: INFO", r"self-detected stall", r"detected stalls",
    r"INFO: task .* blocked", r"possible recursive locking",
    r"possible circular locking", r"inconsistent lock state",
    r"suspicious RCU usage", r"Kernel panic", r"kernel BUG at",
    r"scheduling while atomic", r"refcount_t", r"\bUBSAN\b", r"Bad page",
    r"Bad rss-counter", r"sleeping function called",
    r"stack-protector", r"stack guard page was hit", r"double fault",
    r"soft lockup", r"hard LOCKUP", r"list_(add|del) corruption",
    r"nobody cared", r"Out of memory", r"usercopy: Kernel memory",
    r"unchecked MSR access", r"DEBUG_LOCKS_WARN_ON", r"divide error",
    r"invalid opcode", r"page allocation failure", r"Call trace:",
    r"Internal error", r"\bSError\b", r"Unhandled exception",
]))

# (pattern, reason): lines that look like a splat and are none.
SPLAT_EXCEPTIONS = [
    (re.compile(r"traps: .{1,16}\[\d+\] (trap )?[\w ]+ ip:[0-9a-f]+ sp:"),
     "a component did what no program may; it died, the kernel is well"),
    (re.compile(r"Spectre V2 : WARNING: Unprivileged eBPF"),
     "a notice on the configuration; there is no eBPF in the kernel"),
]


# A notice with a trace: allocations fail because the test has them fail.
NO_MEMORY = re.compile(r"vmalloc error: .*\n.*\nCall Trace:")


def splats(text, memory_fails=False):
    """Lines of a kernel log that tell of a broken kernel."""
    found = []
    if memory_fails:
        text = NO_MEMORY.sub("", text)
    for line in text.splitlines():
        if SPLATS.search(line) and not any(
                e.search(line) for e, _ in SPLAT_EXCEPTIONS):
            found.append(line)
    return found


# --- acceleration -----------------------------------------------------------

def _kvm_boots(kernel):
    """Whether a kernel prints its first line under KVM within seconds."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    args = [QEMU, *KVM, "-machine", "q35", "-m", "128M", "-nodefaults",
            "-display", "none", "-serial", "stdio", "-no-reboot",
            "-kernel", kernel, "-append",
            "earlyprintk=serial,ttyS0,115200,keep panic=-1"]
    proc = subprocess.Popen(args, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    end = time.monotonic() + PROBE_SECONDS
    seen = b""
    while time.monotonic() < end and b"Linux version" not in seen:
        if not select.select([proc.stdout], [], [], 0.5)[0]:
            continue
        data = os.read(proc.stdout.fileno(), 4096)
        if not data:
            break
        seen += data
    proc.kill()
    proc.wait()
    return b"Linux version" in seen


def accel(kernel):
    """QEMU arguments for the fastest acceleration that works here."""
    if os.environ.get("PITH_ACCEL") == "tcg":
        return TCG
    if not os.path.exists("/dev/kvm"):
        return TCG
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as f:
        key = f.read() + QEMU
    name = hashlib.sha256(key.encode()).hexdigest()[:16]
    cache = os.path.join(TOP, "build", "kvm-probe-" + name)
    try:
        with open(cache, encoding="ascii") as f:
            works = f.read() == "yes"
    except OSError:
        works = _kvm_boots(kernel)
        os.makedirs(os.path.dirname(cache), exist_ok=True)
        with open(cache, "w", encoding="ascii") as f:
            f.write("yes" if works else "no")
    return KVM if works else TCG


# --- machine ----------------------------------------------------------------

def uefi(disk):
    """QEMU arguments: the firmware finds what to boot on a disk."""
    return ["-bios", OVMF, "-drive", "if=none,id=boot,format=raw,snapshot=on,"
            "file=" + disk.replace(",", ",,"),
            "-device", "ide-hd,drive=boot,bootindex=0"]


class Failure(Exception):
    """What a test expected did not happen."""


class Machine:
    """One run of QEMU. Use as a context manager: it never outlives the block.

    @workdir holds log.txt (kernel log), terminal.txt, qemu.txt (messages of
    QEMU and its command line). With @disk, that image is booted by UEFI, and
    what it runs and how is said there, not here.
    """

    def __init__(self, workdir, kernel, initramfs, append="", memory="512M",
                 smp=2, devices=(), machine=None, reboot=False, arch="x86",
                 disk=None):
        os.makedirs(workdir, exist_ok=True)
        self.dir = workdir
        self.log_path = os.path.join(workdir, "log.txt")
        self.terminal = ""      # all output so far
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.term_pos = 0       # what await_terminal() has consumed
        self.log_pos = 0
        self.watch = None       # called about each second while waiting
        self._watched = 0.0
        self._qmp = None
        # a short path: socket names are limited to 107 bytes
        self._tmp = tempfile.mkdtemp(prefix="pith-qemu-")
        self._qmp_path = os.path.join(self._tmp, "qmp")
        arm64 = arch == "arm64"
        self.args = [
            *([QEMU_ARM64, *TCG_ARM64] if arm64 else [QEMU, *accel(kernel)]),
            "-machine", machine or MACHINES[arch], "-m", memory,
            "-smp", str(smp), "-nodefaults", "-display", "none",
            *([] if reboot else ["-no-reboot"]),
            *(uefi(disk) if disk else
              ["-kernel", kernel, "-initrd", initramfs, "-append",
               ((LOG_PORT_ARM64 if arm64 else LOG_PORT) + " " + append).strip()]),
            "-chardev", "stdio,id=term,signal=off",
            *([] if arm64 else ["-serial", "chardev:term"]),
            "-chardev", "file,id=log,path=" + self.log_path,
            "-serial", "chardev:log",
            "-qmp", "unix:" + self._qmp_path + ",server=on,wait=off",
            *devices]
        self.proc = None

    def __enter__(self):
        for name in ("log.txt", "terminal.txt"):
            with open(os.path.join(self.dir, name), "wb"):
                pass
        err = open(os.path.join(self.dir, "qemu.txt"), "w", encoding="utf-8")
        err.write(" ".join(self.args) + "\n")
        err.flush()
        self.proc = subprocess.Popen(
            self.args, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=err, start_new_session=True)
        err.close()
        os.set_blocking(self.proc.stdout.fileno(), False)
        return self

    def __exit__(self, *exc):
        if self.proc.poll() is None:
            self.proc.send_signal(signal.SIGTERM)
            try:
                self.proc.wait(5)
            except subprocess.TimeoutExpired:
                self.proc.kill()
                self.proc.wait()
        self._read()
        with open(os.path.join(self.dir, "terminal.txt"), "w",
                  encoding="utf-8") as f:
            f.write(self.terminal)
        if self._qmp:
            self._qmp.close()
        for name in os.listdir(self._tmp):
            os.unlink(os.path.join(self._tmp, name))
        os.rmdir(self._tmp)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def said(self):
        """What QEMU itself wrote, without the command line."""
        with open(os.path.join(self.dir, "qemu.txt"), encoding="utf-8",
                  errors="replace") as f:
            return f.read().splitlines()[1:]

    def _read(self):
        while True:
            try:
                data = os.read(self.proc.stdout.fileno(), 65536)
            except BlockingIOError:
                return
            if not data:
                return
            self.terminal += self._decoder.decode(data)

    def alive(self):
        return self.proc.poll() is None

    def type(self, text):
        self.proc.stdin.write(text.encode())
        self.proc.stdin.flush()

    def pump(self, seconds=0.1):
        """Let time pass; take what the terminal says."""
        if self.alive():
            select.select([self.proc.stdout], [], [], seconds)
        self._read()
        if self.watch and time.monotonic() > self._watched + 1:
            self._watched = time.monotonic()
            self.watch()

    def _await(self, regex, text, pos, deadline, where):
        pattern = re.compile(regex, re.MULTILINE)
        while True:
            running = self.alive()
            self.pump()
            hit = pattern.search(text(), pos())
            if hit:
                return hit
            if not running:
                raise Failure("the machine ended before %s said: %s"
                              % (where, regex))
            if time.monotonic() > deadline:
                raise Failure("time is up; %s did not say: %s"
                              % (where, regex))

    def await_terminal(self, regex, deadline):
        """Wait until output after the last match has @regex."""
        hit = self._await(regex, lambda: self.terminal.replace("\r", ""),
                          lambda: self.term_pos, deadline, "the terminal")
        self.term_pos = hit.end()
        return hit

    def await_log(self, regex, deadline):
        hit = self._await(regex, self.log, lambda: self.log_pos, deadline,
                          "the log")
        self.log_pos = hit.end()
        return hit

    def await_end(self, deadline):
        """Wait until the machine has switched itself off."""
        while self.alive():
            if time.monotonic() > deadline:
                raise Failure("time is up; the machine did not switch off")
            self.pump()
        self._read()
        if self.proc.returncode != 0:
            raise Failure("qemu ended with status %d" % self.proc.returncode)

    def _qmp_connect(self, deadline):
        while True:
            sock = socket.socket(socket.AF_UNIX)
            sock.settimeout(10)
            try:
                sock.connect(self._qmp_path)
                return sock.makefile("rw", encoding="utf-8")
            except OSError:
                if time.monotonic() > deadline or not self.alive():
                    raise Failure("qemu has no QMP socket") from None
                time.sleep(0.05)
            finally:
                sock.close()

    def qmp(self, command, **arguments):
        """One QMP command; returns its result."""
        if self._qmp is None:
            self._qmp = self._qmp_connect(time.monotonic() + 10)
            self._qmp.readline()
            self.qmp("qmp_capabilities")
        self._qmp.write(json.dumps({"execute": command,
                                    "arguments": arguments}) + "\n")
        self._qmp.flush()
        while True:
            answer = json.loads(self._qmp.readline())
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise Failure("qmp %s: %s" % (command, answer["error"]["desc"]))


def main():
    if len(sys.argv) != 3 or sys.argv[1] != "accel":
        print(__doc__, file=sys.stderr)
        return 2
    print(" ".join(accel(sys.argv[2])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
