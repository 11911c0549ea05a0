# SPDX-License-Identifier: BSD-2-Clause
"""Scenarios: one file describes a machine, what is typed, what must be said.

    scenario | time_limit: 120 | refused: no	. yes: init refuses the config
	     | needs: PROGRAM			. skipped where there is none
    + machine | smp: 2 | memory: 512M		. all optional
	      | boot: uefi			. from a disk made of it all
    + nvme | max_ioqpairs: 1			. a controller; device properties
      + namespace | image: gpt | logical_block_size: 4096 | ...
      + namespace | image: gpt | read_error: /data/big@8192	. cannot be read
    + qemu					. more arguments, before those
      : -device edu
    + config first_light			. initramfs/scenarios/NAME.hid
      + replace					. edits; what is not found fails
        + old | : ...
        + new | : ...
      + add					. before the final line
        : + start ...
    + config					. or all of it here
      : config
      : ...
    + rom NAME					. a ROM module
      : text
    + tar NAME					. one that is an archive
      + file PATH | : text
      + file PATH | program: NAME		. of build/components
    + forbid					. must not be said, log or terminal
      : regex
    + steps					. one after the other
      + prompt					. wait for it
      + command | status: 0			. type, wait for the prompt after
        : sha256 /data/big
        + expect				. lines of its output, in order
          : regex
        + without				. and what is in none of them
          : regex
      + await		. on the terminal	+ log	. in the kernel log
        : regex					  : regex
      + type					. without waiting
        : text
      + qmp device_del | id: nvme0		. to QEMU
      + wait | ms: 500
      + repeat | times: 10			. with steps inside
      + end					. the machine switches off, or
      + poweroff				. is told to, at the prompt

{sha256:/data/big} in an expected line stands for that of the file in the
images of ktest/images.py. A splat in the kernel log fails every scenario.
Steps that follow a kill in the log look at what was said after the last match.
"""

import io
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import time

import qemu
from . import machine, report

TOP = machine.TOP
FOLDER = TOP / "ktest/scenarios"
HID2JSON = TOP / "build/host/hid2json"
# Escape sequences of the line editor.
ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|[()][0-9A-Za-z]|[=>78])")
PROMPT = re.compile(r"(?:^|\n)pith:(/[^\n]*?)(?: \[(\d+)\])?\$ $")

sys.path.insert(0, str(TOP / "ktest"))
import images  # noqa: E402


class Wrong(Exception):
    """The scenario file itself is wrong."""


def find():
    return sorted(FOLDER.glob("*.scenario"))


def name(path):
    return "ktest/scenarios/" + path.stem


def _parse(path):
    done = subprocess.run([str(HID2JSON), str(path)], text=True,
                          capture_output=True, check=False)
    if done.returncode:
        raise Wrong(done.stderr.strip())
    return json.loads(done.stdout)


def _nodes(node, *kinds):
    return [n for n in node["nodes"] if n["type"] in kinds]


def _one(node, kind):
    found = _nodes(node, kind)
    if len(found) != 1:
        raise Wrong("expected one %s, found %d" % (kind, len(found)))
    return found[0]


def _quote(node):
    return "\n".join(node["quote"])


def _expand(regex):
    return re.sub(r"\{sha256:([^}]+)\}", lambda m: images.sha256(m[1]), regex)


# --- the machine ----------------------------------------------------------------

def _config_text(node):
    if not node["name"]:
        return _quote(node) + "\n"
    path = TOP / "initramfs/scenarios" / (node["name"] + ".hid")
    text = path.read_text(encoding="utf-8")
    for edit in _nodes(node, "replace"):
        old, new = _quote(_one(edit, "old")), _quote(_one(edit, "new"))
        if text.count(old) != 1:
            raise Wrong("%d times in %s: %s" % (text.count(old), path.name,
                                                old))
        text = text.replace(old, new)
    body, end, rest = text.rpartition("\n-")
    for edit in _nodes(node, "add"):
        body += "\n" + _quote(edit)
    return body + end + rest


def _file(options):
    """QEMU's name for the image of a namespace; takes what it needs away."""
    name = options.pop("image")
    image = images.path(name)
    broken = options.pop("read_error", None)
    if broken is None:
        return "file=%s" % image
    return ("file.driver=blkdebug,file.image.filename=%s,"
            "file.inject-error.0.event=read_aio,"
            "file.inject-error.0.errno=5,file.inject-error.0.sector=%s"
            % (image, images.sector(name, broken)))


def _disks(scenario):
    """QEMU arguments for the controllers and their namespaces."""
    arguments, drives = [], 0
    for node in _nodes(scenario, "qemu"):
        for line in node["quote"]:
            arguments += shlex.split(line)
    for index, node in enumerate(_nodes(scenario, "nvme")):
        bus = node["name"] or "nvme%d" % index
        options = "".join(",%s=%s" % a for a in node["attrs"].items()
                          if a[0] != "name")
        arguments += ["-device", "nvme,id=%s,serial=test-%d%s"
                      % (bus, index, options)]
        for number, space in enumerate(_nodes(node, "namespace"), 1):
            options = dict(space["attrs"])
            options.pop("name", None)
            arguments += [
                "-drive", "if=none,id=d%d,format=raw,snapshot=on,%s"
                % (drives, _file(options)), "-device",
                "nvme-ns,drive=d%d,bus=%s,nsid=%d%s" % (
                    drives, bus, number,
                    "".join(",%s=%s" % a for a in options.items()))]
            drives += 1
    return arguments


def _tar(node, path):
    with tarfile.open(path, "w") as archive:
        for file in _nodes(node, "file"):
            content = (_quote(file) + "\n").encode("utf-8")
            if program := file["attrs"].get("program"):
                content = (TOP / "build/components" / program
                           / (program + ".stripped")).read_bytes()
            info = tarfile.TarInfo(file["name"])
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def _archive(result, scenario, folder):
    config = folder / "config.hid"
    folder.mkdir(parents=True, exist_ok=True)
    config.write_text(_config_text(_one(scenario, "config")),
                      encoding="utf-8")
    roms = []
    for node in _nodes(scenario, "rom"):
        path = folder / ("rom-" + node["name"])
        path.write_text(_quote(node) + "\n", encoding="utf-8")
        roms += ["--rom", "%s=%s" % (node["name"], path)]
    for node in _nodes(scenario, "tar"):
        path = folder / ("rom-" + node["name"])
        _tar(node, path)
        roms += ["--rom", "%s=%s" % (node["name"], path)]
    archive = folder / "initramfs.cpio"
    done = machine.pack(result, archive, "--config", str(config), *roms)
    return archive if done else None


# --- steps ----------------------------------------------------------------------

class Run:
    """Carries out the steps of a scenario on a running machine."""

    def __init__(self, scenario, m):
        self.m = m
        self.deadline = time.monotonic() + int(
            scenario["attrs"].get("time_limit", "120"))
        self.forbidden = [re.compile(line, re.MULTILINE)
                          for node in _nodes(scenario, "forbid")
                          for line in node["quote"]]
        if scenario["attrs"].get("refused", "no") != "yes":
            self.forbidden.append(re.compile("nothing is started"))
        m.watch = self.check

    def terminal(self):
        return ESCAPES.sub("", self.m.terminal.replace("\r", ""))

    def steps(self, node):
        for step in node["nodes"]:
            method = getattr(self, "do_" + step["type"], None)
            if not method:
                raise Wrong("no step " + step["type"])
            method(step)
            self.check()

    def check(self):
        """End at once when something was said that must not be."""
        log = self.m.log()
        if found := qemu.splats(log):
            raise qemu.Failure("the kernel complained: " + found[0])
        for where, text in (("log", log), ("terminal", self.terminal())):
            for regex in self.forbidden:
                if hit := regex.search(text):
                    raise qemu.Failure("forbidden, in the %s: %s"
                                       % (where, hit[0]))

    def prompt_after(self, position):
        """Wait for a prompt at the end; (output before it, status)."""
        while True:
            alive = self.m.alive()
            self.m.pump()
            text = self.terminal()[position:]
            if hit := PROMPT.search(text):
                return text[:hit.start()], int(hit[2] or 0)
            if not alive:
                raise qemu.Failure("the machine ended before a prompt")
            if time.monotonic() > self.deadline:
                raise qemu.Failure("time is up; no prompt. Last: "
                                   + text[-200:])

    def do_prompt(self, _step):
        self.prompt_after(0)

    def do_command(self, step):
        command = step["quote"][0]
        # The echo ends with the newline of Enter: what follows is output.
        position = len(self.terminal())
        self.m.type(command + "\r")
        output, status = self.prompt_after(position)
        output = output.partition("\n")[2]
        self.check_output(command, step, output)
        wanted = step["attrs"].get("status", "0")
        if wanted != "any" and status != int(wanted):
            raise qemu.Failure("`%s` ended with %d, not %s; it said: %s"
                               % (command, status, wanted, output[-300:]))

    @staticmethod
    def check_output(command, step, output):
        position = 0
        for node in _nodes(step, "expect"):
            for line in node["quote"]:
                hit = re.compile(_expand(line), re.MULTILINE).search(
                    output, position)
                if not hit:
                    raise qemu.Failure("`%s` did not say `%s` but: %s" % (
                        command, _expand(line), output[-600:]))
                position = hit.end()
        for node in _nodes(step, "without"):
            for line in node["quote"]:
                if hit := re.search(line, output, re.MULTILINE):
                    raise qemu.Failure("`%s` said: %s" % (command, hit[0]))

    def do_await(self, step):
        for line in step["quote"]:
            self.m.await_terminal(_expand(line), self.deadline)

    def do_log(self, step):
        for line in step["quote"]:
            self.m.await_log(line, self.deadline)

    def do_type(self, step):
        self.m.type(_quote(step) + "\r")

    def do_qmp(self, step):
        arguments = {k: v for k, v in step["attrs"].items() if k != "name"}
        self.m.qmp(step["name"], **arguments)

    def do_wait(self, step):
        end = time.monotonic() + int(step["attrs"]["ms"]) / 1000
        while time.monotonic() < end:
            self.m.pump(0.05)

    def do_repeat(self, step):
        for _ in range(int(step["attrs"]["times"])):
            self.steps(step)

    def do_end(self, _step):
        self.m.await_end(self.deadline)

    def do_poweroff(self, _step):
        self.m.type("poweroff\r")
        self.m.await_end(self.deadline)


# --- all of it --------------------------------------------------------------------

def _tail(m):
    log = m.log().splitlines()[-report.DETAIL_LINES:]
    terminal = ESCAPES.sub("", m.terminal.replace("\r", ""))
    return (m.said()[:10] + ["--- end of the log (%s):" % m.log_path] + log +
            ["--- end of the terminal:"] + terminal.splitlines()[-15:])


def _machine(scenario, folder, archive):
    """Options of qemu.Machine."""
    options = {}
    for node in _nodes(scenario, "machine"):
        options = dict(node["attrs"])
    boot = options.pop("boot", None)
    if boot not in (None, "uefi"):
        raise Wrong("machine: boot: %s: there is only uefi" % boot)
    if boot:
        if not os.path.exists(qemu.OVMF):
            raise Wrong("boot: uefi: no %s: install ovmf" % qemu.OVMF)
        options["disk"] = str(folder / "disk.img")
        done = subprocess.run(
            [str(TOP / "scripts/image"), "--kernel", str(machine.KERNEL),
             "--initrd", str(archive), "--out", options["disk"]],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False)
        if done.returncode:
            raise Wrong(done.stdout.strip())
    return options


def _carry_out(result, scenario, folder):
    archive = _archive(result, scenario, folder)
    if not archive:
        return
    options = _machine(scenario, folder, archive)
    steps = _one(scenario, "steps")
    with qemu.Machine(str(folder), str(machine.KERNEL), str(archive),
                      devices=_disks(scenario), **options) as m:
        try:
            Run(scenario, m).steps(steps)
        except qemu.Failure as failure:
            result.fail(str(failure), _tail(m))
    if not result.failed:
        machine.check_splats(result, m.log())


def run(path):
    """One scenario."""
    result = report.Result(name(path))
    try:
        scenario = _parse(path)
        need = scenario["attrs"].get("needs")
        if need and not shutil.which(need):
            result.skipped = 1
            return result
        _carry_out(result, scenario, TOP / "build/ktest" / path.stem)
    except Wrong as wrong:
        result.fail("the scenario: %s" % wrong)
    if not result.failed:
        result.passed = 1
    return result
