# SPDX-License-Identifier: BSD-2-Clause
"""Which of the kernel's tests run a function: QEMU logs each time that one begins,
into the same pipe as the kernel its log, so that the order is kept."""

import os
import re
import select
import threading
import time

import qemu
from pithtools.qemu_trace import Error
from testlib import machine, report

TRACE = re.compile(rb"Trace \d+: \S+ \[[0-9a-f]+/([0-9a-f]+)/[^\n]*\n")
RUNNING = re.compile(rb"# running (\w+)\s*$")
ENDED = re.compile(rb"(ok|not ok) \d+ ")
BOOT = "(boot)"
BETWEEN = "(between tests)"
SECONDS = 3600	# no block of code is followed by the next one: it is slow


class Attribution:
    """Tests by the function they ran, from what comes out of the pipe."""

    def __init__(self, functions):
        self.functions = functions	# {address: name}
        self.tests = {name: {} for name in functions.values()}
        self.log = bytearray()
        self.current = BOOT
        self._rest = b""
        self._line = b""

    def take(self, data):
        data = self._rest + data
        end = data.rfind(b"\n") + 1
        self._rest, at = data[end:], 0
        for match in TRACE.finditer(data, 0, end):
            self._console(data[at:match.start()])
            name = self.functions.get(int(match[1], 16))
            if name:
                self.tests[name][self.current] = True
            at = match.end()
        self._console(data[at:end])

    def _console(self, text):
        self.log += text
        *lines, self._line = (self._line + text).split(b"\n")
        for line in lines:
            if match := RUNNING.search(line):
                self.current = match[1].decode()
            elif ENDED.search(line):
                self.current = BETWEEN


class Reader(threading.Thread):
    """Empties the pipe until it is told that nobody writes any more."""

    def __init__(self, path, attribution):
        super().__init__(daemon=True)
        self.fd = os.open(path, os.O_RDWR)	# for writing too: it never ends
        self.attribution = attribution
        self.over = threading.Event()

    def run(self):
        while True:
            if select.select([self.fd], [], [], 0.2)[0]:
                self.attribution.take(os.read(self.fd, 1 << 16))
            elif self.over.is_set():
                return


def tests_of(functions, image, suite, folder):
    """{function: tests}, in the order in which they ran; @functions is
    {address: name}, of the kernel in @image where it was linked."""
    result = report.Result(suite)
    if not machine.pack_suite(result, suite, folder / "initramfs.cpio"):
        raise Error(result.failures[0])
    pipe = folder / "log.txt"
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe)
    attribution = Attribution(functions)
    reader = Reader(pipe, attribution)
    reader.start()
    smp, memory, _ = machine.KERNEL_MACHINES["smp2"]
    # init takes `nokaslr` for the name of tests, too; all names have a `_`
    ranges = ",".join(f"{at:#x}+1" for at in functions)
    try:
        with qemu.Machine(str(folder), str(image),
                          str(folder / "initramfs.cpio"), memory=memory,
                          smp=smp, append="nokaslr -- _",
                          devices=[*machine.KERNEL_DEVICES, "-D", str(pipe),
                                   "-d", "exec,nochain",
                                   "-dfilter", ranges]) as m:
            m.await_end(time.monotonic() + SECONDS)
    except qemu.Failure as failure:
        raise Error(str(failure)) from None
    finally:
        reader.over.set()
        reader.join()
        os.close(reader.fd)
        pipe.unlink()
        pipe.write_bytes(attribution.log)
    return {name: list(tests) for name, tests in attribution.tests.items()}
