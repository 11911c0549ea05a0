# SPDX-License-Identifier: BSD-2-Clause
"""Tables, loc.json and what changed since the baseline."""

import json
import os
import pathlib

SCHEMA = 1
KEYS = ("files", "active_c", "active_h", "sloc", "linked_lines", "text_bytes")
HEADS = ("files", "active .c", "active .h", "SLOC", "linked", "text bytes")
IMAGE_KEYS = {"syscalls": "system calls", "bzimage_bytes": "image bytes",
              "boot_free_kb": "KiB free at first process"}


def number(value):
    return "-" if value is None else f"{value:,}"


def table(rows, first):
    """Lines of a table: [(name, figures)] under the heading @first."""
    width = max([len(first)] + [len(name) for name, _ in rows])
    lines = [f"{first:{width}}" + "".join(f"{h:>12}" for h in HEADS)]
    for name, found in rows:
        lines.append(f"{name:{width}}" + "".join(
            f"{number(found.get(key)):>12}" for key in KEYS))
    return lines


def kernel_tables(kernel):
    rows = [("kernel", kernel)]
    inside = {n: g for n, g in kernel["groups"].items() if n != "boot"}
    if len(inside) > 1:
        rows += [(f"  {name}", found) for name, found in inside.items()]
    if "boot" in kernel["groups"]:
        rows.append(("boot code", kernel["groups"]["boot"]))
    lines = [f"Linux {kernel['release']}"] + table(rows, "") + [""]
    ordered = sorted(kernel["directories"].items(),
                     key=lambda d: (-d[1]["active_c"], d[0]))
    lines += table(ordered, "directory") + [""]
    lines += [f"{text}: {kernel[key]:,}"
              for key, text in IMAGE_KEYS.items() if key in kernel]
    return lines


def component_tables(components):
    rows = []
    for name, found in components.items():
        rows.append((name, found))
        parts = {"own": found["own"], "library": found["library"],
                 **found["third_party"]}
        rows += [(f"  {part}", figures) for part, figures in parts.items()
                 if any(figures.values())]
    lines = table(rows, "component")
    for name, found in components.items():
        for part, figures in found["third_party"].items():
            if figures.get("unrecorded_objects"):
                lines.append(
                    f"{name}: {figures['unrecorded_objects']} objects of "
                    f"{part} have no recorded command: no active lines")
    return lines


def reference_tables(references):
    rows = [(name, found) for name, found in references.items()]
    lines = table(rows, "reference")
    return lines + [f"{name}: {found['recipe']}"
                    for name, found in references.items()]


def summary(report):
    """{name: totals}: what a baseline keeps of a report."""
    kept = KEYS + tuple(IMAGE_KEYS)
    names = {"kernel": report["kernel"], **report.get("components", {})}
    return {name: {key: found[key] for key in kept if key in found}
            for name, found in names.items()}


def deltas(old, new):
    """Lines saying what differs between two summaries."""
    lines = []
    for name in sorted(set(old) | set(new)):
        if name not in new:
            lines.append(f"{name}: gone")
        elif name not in old:
            lines.append(f"{name}: new")
        else:
            changed = [f"{key} {new[name][key] - old[name][key]:+,}"
                       for key in new[name]
                       if key in old[name] and
                       new[name][key] != old[name][key]]
            if changed:
                lines.append(f"{name}: {', '.join(changed)}")
    return lines


def write_json(path, value, indent=1):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temp = path.with_name(f".{path.name}.{os.getpid()}")
    temp.write_text(json.dumps(value, indent=indent, sort_keys=False) + "\n")
    os.replace(temp, path)


def read_json(path):
    """The contents of a JSON file, or {} if there is none."""
    path = pathlib.Path(path)
    return json.loads(path.read_text()) if path.is_file() else {}
