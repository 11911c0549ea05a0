# SPDX-License-Identifier: BSD-2-Clause
"""What a machine executes, instruction by instruction: QEMU's control socket,
its log of executed blocks, and the functions of a kernel by address."""

import bisect
import json
import re
import socket
import subprocess
import time

TRACE = re.compile(r"^Trace \d+: \S+ \[[0-9a-f]+/([0-9a-f]+)/", re.M)


class Error(Exception):
    pass


class Symbols:
    """Functions of a kernel by address."""

    def __init__(self, vmlinux):
        out = subprocess.run(["nm", "-n", str(vmlinux)], check=True,
                             capture_output=True, text=True).stdout
        self.at, self.names = [], []
        for line in out.splitlines():
            value, kind, name = line.split(maxsplit=2)
            if kind in "tTwW":
                self.at.append(int(value, 16))
                self.names.append(name)

    def name(self, pc):
        if pc < 1 << 63:
            return "(user)"
        i = bisect.bisect_right(self.at, pc) - 1
        return self.names[i] if i >= 0 else "(?)"


class Monitor:
    """QEMU's control socket."""

    def __init__(self, path):
        end = time.monotonic() + 20
        while True:
            self.sock = socket.socket(socket.AF_UNIX)
            try:
                self.sock.connect(path)
                break
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)
        self.file = self.sock.makefile("rw")
        self.file.readline()
        self.command("qmp_capabilities")

    def command(self, name, **arguments):
        self.file.write(json.dumps({"execute": name, "arguments": arguments})
                        + "\n")
        self.file.flush()
        while True:
            line = self.file.readline()
            if not line:
                raise Error(f"{name}: the machine is gone")
            answer = json.loads(line)
            if "error" in answer:
                raise Error(f"{name}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def human(self, line):
        return self.command("human-monitor-command", **{"command-line": line})


def executed(path):
    """Addresses of the blocks in a log of QEMU, in order."""
    return [int(pc, 16) for pc in TRACE.findall(path.read_text())]
