# SPDX-License-Identifier: BSD-2-Clause
"""The trusted base of one component of a scenario, with the reasons."""

import collections

from pithtools.measure_report import KEYS
from pithtools.measure_scenario import Core, Init

SCHEMA = 1
DMA_SERVICE = "Platform"
LINES = ("active_c", "active_h", "sloc", "linked_lines")

OUTSIDE = (
    ("hardware", "CPU, chipset, memory and every device on the bus"),
    ("firmware", "runs before the kernel, in system management mode after "
     "it; its ACPI tables are believed once they parse"),
    ("boot code", "loader and the kernel's own unpacker; gone once the "
     "kernel runs, counted apart as `boot` in loc.json"),
    ("microcode and device firmware", "not visible to any of this"),
    ("compiler and linker", "not counted; libgcc's few routines are linked "
     "without source and count as text bytes only"),
)

# @of: Child, Init, Core or the string "kernel"; @via: Member that needs it.
Member = collections.namedtuple("Member", "of via why")


class Kernel:
    name = binary = "kernel"


def kind_of(provider):
    if provider is Kernel:
        return "kernel"
    if provider is Core:
        return "core"
    if isinstance(provider, Init) or provider.inner:
        return "init"
    return "component"


def needs(scenario, provider):
    """[(provider, why)] of what @provider depends on directly."""
    if provider is Kernel:
        return []
    if provider is Core:
        return [(Kernel, "runs everything")]
    if isinstance(provider, Init):
        if provider.above:
            return needs(scenario, provider.above)
        return [(Core, "starts it and provides its resources")]
    found = [(edge.server, f"{edge.service} session")
             for edge in scenario.edges(provider)]
    return found + [(provider.init, "starts it, routes its sessions")]


def identity(provider):
    """A nested init is one program, as server and as child."""
    if isinstance(provider, Init) and provider.above:
        return provider.above
    return provider


def closure(scenario, app):
    """{provider: Member}, nearest first: what @app depends on."""
    found = {app: Member(app, None, "the application itself")}
    todo = collections.deque([app])
    while todo:
        current = todo.popleft()
        for provider, why in needs(scenario, current):
            provider = identity(provider)
            if provider not in found:
                found[provider] = Member(provider, current, why)
                todo.append(provider)
    return found


def path_of(members, provider):
    """Names from the application to @provider, by the shortest way."""
    path = []
    while provider is not None:
        path.append(provider.name)
        provider = members[provider].via
    return path[::-1]


def reaches_memory(scenario):
    """Children that let a device do DMA: all clients of Platform, and who
    gives them their devices."""
    return [c for c in scenario.children.values()
            if DMA_SERVICE in c.provides or any(
                e.service == DMA_SERVICE for e in scenario.edges(c))]


def starving(scenario, app):
    """Children of the same init that the scheduler prefers to @app."""
    return [c for c in app.init.children.values()
            if c is not app and c.priority() > app.priority()]


def masks(detail, binaries, kind):
    """{path: mask} over several binaries: shared code counts once."""
    total = {}
    for binary in binaries:
        for path, mask in detail[kind].get(binary, {}).items():
            total[path] = total.get(path, 0) | int(mask, 16)
    return total


def distinct(detail, counts, binaries):
    """Figures of several programs together."""
    active = masks(detail, binaries, "active")
    linked = masks(detail, binaries, "linked")
    code = {p for p in active if p.endswith((".c", ".S", ".s"))}
    found = {
        "files": len(code),
        "active_c": sum(active[p].bit_count() for p in code),
        "active_h": sum(m.bit_count() for p, m in active.items()
                        if p not in code),
        "sloc": sum(detail["sloc"][p] for p in code),
        "linked_lines": sum(m.bit_count() for m in linked.values()),
        "text_bytes": sum(counts[b].get("text_bytes", 0) for b in binaries),
    }
    for binary in binaries:
        # What one of them could not tell, the sum cannot tell either.
        for key in KEYS:
            if key not in counts[binary]:
                found.pop(key, None)
                if key == "active_c":
                    found.pop("sloc", None)
                    found.pop("files", None)
    return found


def add(*many):
    return {key: sum(one[key] for one in many) for key in KEYS
            if all(key in one for one in many)}


def report(scenario, app, loc, detail, config):
    """The contents of tcb.json."""
    members = closure(scenario, app)
    counts = loc["components"]
    rows = []
    for provider, member in members.items():
        binary = provider.binary
        figures = loc["kernel"] if provider is Kernel else counts[binary]
        manifest = scenario.manifests.get(binary)
        rows.append({
            "name": provider.name, "kind": kind_of(provider),
            "binary": binary, "why": member.why,
            "needed_by": member.via.name if member.via else None,
            "path": path_of(members, provider),
            "trust": manifest.trust if manifest else "",
            "counts": {k: figures[k] for k in KEYS if k in figures},
        })
    binaries = sorted({p.binary for p in members if p is not Kernel})
    below = sorted({p.binary for p in members
                    if p is not Kernel and p is not app} - {app.binary})
    kernel = {k: loc["kernel"][k] for k in KEYS if k in loc["kernel"]}
    together = distinct(detail, counts, binaries)
    dma = reaches_memory(scenario)
    return {
        "schema": SCHEMA, "app": app.name, "config": str(config),
        "members": rows,
        "totals": {"kernel": kernel, "components": together,
                   "components_without_app":
                   distinct(detail, counts, below),
                   "all": add(kernel, together)},
        "dma_without_iommu": [
            {"name": c.name, "in_base": c in members} for c in dma],
        "can_starve": [{"name": c.name, "priority": c.priority()}
                       for c in starving(scenario, app)],
        "outside": [{"what": w, "why": y} for w, y in OUTSIDE],
    }


def number(value):
    return "-" if value is None else f"{value:,}"


def row(name, figures):
    return f"{name:22}" + "".join(
        f"{number(figures.get(key)):>11}" for key in LINES)


def text(found):
    """Lines of the table that scripts/tcb prints."""
    heads = ("active .c", "active .h", "SLOC", "linked")
    lines = [f"Trusted base of {found['app']} in {found['config']}", "",
             f"{'':22}" + "".join(f"{h:>11}" for h in heads)]
    for member in found["members"]:
        lines.append(row(member["name"], member["counts"]))
        reason = member["why"]
        if len(member["path"]) > 1:
            reason += f" ({' > '.join(member['path'])})"
        lines.append(f"    {reason}")
        if member["trust"]:
            lines.append(f"    can: {member['trust']}")
    totals = found["totals"]
    lines += ["", row("kernel", totals["kernel"]),
              row("components, together", totals["components"]),
              row("  without the app", totals["components_without_app"]),
              row("in all", totals["all"]),
              "Code that several of them share counts once in the sums.", ""]
    more = [d["name"] for d in found["dma_without_iommu"]
            if not d["in_base"]]
    if found["dma_without_iommu"]:
        lines.append("Without an IOMMU these can have a device write to any "
                     "memory: " + ", ".join(
                         d["name"] for d in found["dma_without_iommu"]))
    if more:
        lines.append("    of them not in the list above: " + ", ".join(more))
    if found["can_starve"]:
        lines.append("Higher priority, so able to starve it: " + ", ".join(
            c["name"] for c in found["can_starve"]))
    lines.append("Trusted and not counted:")
    lines += [f"    {o['what']}: {o['why']}" for o in found["outside"]]
    return lines + ["", headline(found)]


def headline(found):
    members = [m for m in found["members"] if m["kind"] != "kernel"]
    total = found["totals"]["all"]
    key, name = next(((k, n) for k, n in (
        ("active_c", "active lines"), ("linked_lines", "linked lines"))
        if k in total), (None, None))
    if key is None:
        return (f"{found['app']} trusts the kernel and {len(members) - 1} "
                "components; not all lines could be counted")
    kernel = found["totals"]["kernel"][key]
    return (f"{found['app']} trusts {total[key] - kernel:,} {name} in "
            f"{len(members)} components (itself included) and {kernel:,} in "
            "the kernel")
