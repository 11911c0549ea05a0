# SPDX-License-Identifier: BSD-2-Clause
"""Debian packages through a private apt state, without touching the system's.

Where packages come from is the machine's own business: its source lists are
read, with their options and keys, and each binary archive is asked for sources
as well. Nothing here names a host.
"""

import os
import pathlib
import re
import subprocess

from pithtools import cache


def deb822_sources(text):
    """The stanzas of a .sources file, asking for binaries and sources."""
    out = []
    for stanza in re.split(r"\n[ \t]*\n", text):
        lines = [l for l in stanza.splitlines() if not l.startswith("#")]
        if not any(re.match(r"(?i)types:(.*\s)?deb(\s|$)", l) for l in lines):
            continue
        out.append("\n".join(re.sub(r"(?i)^types:.*", "Types: deb deb-src", l)
                             for l in lines if l.strip()))
    return "\n\n".join(out) + "\n" if out else ""


def one_line_sources(text):
    """The deb lines of a .list file, and a deb-src line for each."""
    out = []
    for line in text.splitlines():
        match = re.match(r"\s*deb\s+(.*)", line)
        if match:
            out += [f"deb {match[1]}", f"deb-src {match[1]}"]
    return "\n".join(out) + "\n" if out else ""


class Apt:
    """apt-get with lists and downloads of its own under the cache folder."""

    def __init__(self):
        self.folder = cache.root() / "apt"
        self.parts = self.folder / "sources.list.d"
        self.copy_sources()
        state, downloads = self.folder / "state", self.folder / "cache"
        for path in (state / "lists/partial", downloads / "archives/partial"):
            path.mkdir(parents=True, exist_ok=True)
        self.options = [f"Dir::Etc::sourcelist={self.folder}/sources.list",
                        f"Dir::Etc::sourceparts={self.parts}",
                        f"Dir::State={state}",
                        "Dir::State::status=/var/lib/dpkg/status",
                        f"Dir::Cache={downloads}",
                        "Acquire::Languages=none",
                        "APT::Get::List-Cleanup=true"]
        if os.geteuid() == 0:
            self.options.append("APT::Sandbox::User=root")

    def copy_sources(self):
        etc = pathlib.Path("/etc/apt")
        wanted = {}
        for path in sorted((etc / "sources.list.d").glob("*")):
            if path.suffix == ".sources":
                wanted[path.name] = deb822_sources(path.read_text())
            elif path.suffix == ".list":
                wanted[path.name] = one_line_sources(path.read_text())
        self.parts.mkdir(parents=True, exist_ok=True)
        for path in self.parts.glob("*"):
            if path.name not in wanted:
                path.unlink()
        for name, text in wanted.items():
            cache.write_if_changed(self.parts / name, text.encode())
        main = etc / "sources.list"
        text = one_line_sources(main.read_text()) if main.exists() else ""
        cache.write_if_changed(self.folder / "sources.list", text.encode())

    def command(self, tool, *args):
        options = [word for o in self.options for word in ("-o", o)]
        return [tool, *options, *args]

    def run(self, tool, *args, cwd=None):
        return subprocess.run(self.command(tool, *args), cwd=cwd, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True)

    def update(self):
        """Fetch the lists. One archive that fails does not hide the others."""
        result = self.run("apt-get", "update")
        print(result.stdout, result.stderr, sep="", flush=True)

    def source_versions(self, name):
        """Versions of source package @name, newest first."""
        out = self.run("apt-cache", "showsrc", "--only-source", name).stdout
        found = re.findall(r"(?m)^Version: (\S+)$", out)
        return [v for i, v in enumerate(found) if v not in found[:i]]
