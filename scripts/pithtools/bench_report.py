# SPDX-License-Identifier: BSD-2-Clause
"""Figures of scripts/bench: goals, tables, what changed.

A family is {key: [median, minimum]}; a key is SUBJECT.WAY.WHAT.
"""

from pithtools import document

BEGIN = "<!-- figures: scripts/bench --update-docs -->"
END = "<!-- end of figures -->"

EMPTY = "ipc.{}.rt_insns_0B_same_cpu"
LIMIT = 3000

# Genode 26.02 on Linux (base-linux) on 6.12.117, first process, one CPU, the
# same clock; measured once, outside of this project's tests.
GENODE = {
    "RPC without arguments": 42274,
    "RPC with a capability": 50301,
    "dataspace of 4 KiB: allocate and free": 177851,
    "attach and detach 4 KiB": 248434,
    "RPC object: manage and dissolve": 109969,
    "session: open and close": 3379125,
}

# Of core, init and the library: (text, key, Genode's, its share at most).
SYSTEM = [
    ("a call through the stubs, to core", "rpc.core.rt_insns",
     "RPC without arguments", 10),
    ("4 KiB of RAM: allocate and free", "ram.pith.alloc_free_insns",
     "dataspace of 4 KiB: allocate and free", 10),
    ("4 KiB: attach beside other memory, and detach",
     "region.pith.beside_insns",
     "attach and detach 4 KiB", 20),
    ("a session: open and close", "session.pith.open_close_insns",
     "session: open and close", 20),
]


def median(family, key):
    return family[key][0] if key in family else None


def empty_call(family, way):
    return median(family, EMPTY.format(way))


# --- goals --------------------------------------------------------------------

def goal(text, value, bound):
    """One goal: `value` must be at most `bound`; unknown is not held."""
    known = value is not None and bound is not None
    return {"goal": text, "value": value,
            "bound": round(bound) if known else None,
            "held": known and value <= bound}


def part(value, divisor):
    return None if value is None else value / divisor


def system_goals(family):
    """What core, init and the library have to reach."""
    bare = median(family, "rpc.bare.rt_insns")
    return [goal("system: stubs add at most 1/4 to a bare call",
                 median(family, "rpc.stub.rt_insns"), bare and bare * 1.25)] + [
        goal(f"system: {text}: 1/{share} of Genode's", median(family, key),
             GENODE[what] / share) for text, key, what, share in SYSTEM]


def goals(families):
    """What an empty call on one CPU has to reach, in each preemption model."""
    found, pipes = [], [empty_call(f, way) for f in families.values()
                        for way in ("pipe", "pipe_batch")]
    best = min((p for p in pipes if p), default=None)
    for name in ("rt", "none"):
        family = families.get(name)
        if not family:
            continue
        call = empty_call(family, "pith")
        found += [
            goal(f"{name}: at most {LIMIT:,} instructions", call, LIMIT),
            goal(f"{name}: 1/5 of a pair of pipes", call,
                 part(empty_call(family, "pipe"), 5)),
            goal(f"{name}: 1/2 of the best pair of pipes of any model", call,
                 part(best, 2)),
            goal(f"{name}: 1/3 of SOCK_SEQPACKET", call,
                 part(empty_call(family, "seqpacket"), 3)),
            goal(f"{name}: less than futex", call,
                 part(empty_call(family, "futex"), 1)),
            goal(f"{name}: less than binder", call,
                 part(empty_call(family, "binder"), 1)),
        ]
    if "system" in families:
        found += system_goals(families["system"])
    return found


# What must hold in `make test` on the release kernel, which has pipes and
# futexes: (text, key, key it is compared with, largest share of that).
SMOKE = [
    ("a call is at most 1/5 of a pair of pipes, one CPU",
     "ipc.pith.rt_insns_0B_same_cpu", "ipc.pipe.rt_insns_0B_same_cpu", 1 / 5),
    ("a call is at most half of a futex ping-pong, one CPU",
     "ipc.pith.rt_insns_0B_same_cpu", "ipc.futex.rt_insns_0B_same_cpu", 1 / 2),
    ("4 KiB there and back are at most 1/3 of pipes, one CPU",
     "ipc.pith.rt_insns_4096B_same_cpu", "ipc.pipe.rt_insns_4096B_same_cpu",
     1 / 3),
]
# What is compared with.
SMOKE_OTHERS = [other for _, _, other, _ in SMOKE]

SMOKE_KEYS = [
    # on one CPU: the kernel that is shipped has no call to choose another
    *(f"ipc.pith.rt_insns_{shape}_same_cpu"
      for shape in ("0B", "64B", "1024B", "4096B", "1cap", "4caps")),
    "signal.pith.wake_insns_same_cpu", "irq.pith.wake_insns_same_cpu",
    "map.pith.insns_4K", "map.pith.insns_2M", "memory.pith.create_insns_4K",
    "thread.pith.create_insns", "process.pith.create_insns",
    # the families system and growth, the latter with what SHORT of bench says
    "rpc.bare.rt_insns", "rpc.stub.rt_insns", "rpc.core.rt_insns",
    "session.pith.open_close_insns", "ram.pith.alloc_free_insns",
    "region.pith.attach_detach_insns", "region.pith.untouched_insns",
    "region.pith.beside_insns", "region.pith.beside_touched_insns",
    "object.pith.manage_insns", "component.pith.restart_insns",
    "rom.pith.update_insns", "idle.pith.ram_bytes", "idle.pith.caps",
    "idle.pith.init_ram_bytes", "idle.pith.init_caps",
    "idle.pith.core_ram_bytes", "idle.pith.core_caps",
    "idle.pith.machine_ram_bytes", "least.hello.ram_bytes", "least.hello.caps",
    "component.pith.start_insns_0",
    *(f"session.{server}.open_close_insns_{n}"
      for server in ("core", "child") for n in (1, 4)),
    *(f"{what}_{n}" for n in (2, 4)
      for what in ("component.pith.start_insns", "system.pith.start_insns",
                   "system.pith.start_each_insns",
                   "system.pith.restart_each_insns")),
]


def smoke(figures):
    """[(text, whether it holds)]"""
    lost = [key for key in SMOKE_KEYS if key not in figures]
    call = empty_call(figures, "pith")
    checks = [("all figures are there" + "".join(" -" + k for k in lost),
               not lost),
              (f"a call is at most {LIMIT} instructions: {call}",
               call is not None and call <= LIMIT)]
    for text, key, other, share in SMOKE:
        value, bound = median(figures, key), median(figures, other)
        checks.append((f"{text}: {value} and {bound}",
                       None not in (value, bound) and value <= share * bound))
    return checks


# --- tables -------------------------------------------------------------------

def show(value):
    return "-" if value is None else f"{value:,}"


def table(heads, rows):
    """Markdown."""
    lines = ["| " + " | ".join(heads) + " |",
             "|---" + "|---:" * (len(heads) - 1) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


WAYS = [("pith", "**Pith: call and reply**"), ("pipe", "pair of pipes"),
        ("pipe_batch", "pair of pipes, SCHED_BATCH"),
        ("seqpacket", "SOCK_SEQPACKET"), ("eventfd", "pair of eventfds"),
        ("futex", "futex, shared memory"), ("binder", "binder")]
SHAPES = [("0B", "empty"), ("64B", "64 B"), ("1024B", "1 KiB"),
          ("4096B", "4 KiB"), ("1cap", "1 cap."), ("4caps", "4 cap.")]


def round_trips(family, cpus):
    rows = []
    for way, name in WAYS:
        row = [show(median(family, f"ipc.{way}.rt_insns_{shape}_{cpus}"))
               for shape, _ in SHAPES]
        rows.append([name, *row])
    return table(["", *(name for _, name in SHAPES)], rows)


# Row: what, Pith's key, Linux' keys with their names.
OTHERS = [
    ("signal to the waiter awake, one CPU", "signal.pith.wake_insns_same_cpu",
     [("eventfd", "signal.eventfd.wake_insns_same_cpu"),
      ("futex", "signal.futex.wake_insns_same_cpu")]),
    ("the same, two CPUs", "signal.pith.wake_insns_two_cpus",
     [("eventfd", "signal.eventfd.wake_insns_two_cpus"),
      ("futex", "signal.futex.wake_insns_two_cpus")]),
    ("signal when nobody waits", "signal.pith.post_insns",
     [("eventfd", "signal.eventfd.post_insns")]),
    ("device interrupt to its driver, one CPU", "irq.pith.wake_insns_same_cpu",
     []),
    ("the same, driver on another CPU", "irq.pith.wake_insns_two_cpus", []),
    ("timer interrupt to the waiter", "timer.pith.wake_insns",
     [("nanosleep", "timer.nanosleep.wake_insns")]),
    ("4 KiB of memory: make and free", "memory.pith.create_insns_4K",
     [("memfd", "memory.memfd.create_insns_4K")]),
    ("map, touch and unmap 4 KiB", "map.pith.insns_4K",
     [("memfd", "map.memfd.insns_4K")]),
    ("map, touch and unmap 2 MiB", "map.pith.insns_2M",
     [("memfd", "map.memfd.insns_2M")]),
    ("map and unmap 4 KiB in another process", "map.pith.remote_insns_4K", []),
    ("page fault answered by another process, one CPU",
     "fault.pith.rt_insns_same_cpu",
     [("userfaultfd", "fault.userfaultfd.rt_insns_same_cpu"),
      ("own SIGSEGV handler", "fault.sigsegv.rt_insns_same_cpu")]),
    ("the same, two CPUs", "fault.pith.rt_insns_two_cpus",
     [("userfaultfd", "fault.userfaultfd.rt_insns_two_cpus")]),
    ("endpoint: make and free", "endpoint.pith.create_insns", []),
    ("badge: mint and drop", "badge.pith.mint_insns", []),
    ("thread: make and end", "thread.pith.create_insns",
     [("pthread", "thread.pthread.create_insns")]),
    ("process of this program: make and end", "process.pith.create_insns",
     [("posix_spawn", "process.spawn.create_insns"),
      ("fork only", "process.fork.create_insns")]),
    ("system call that does nothing", "syscall.pith_signal.insns",
     [("getppid", "syscall.getppid.insns")]),
]


# Row: what, its key without the size.
GROWTH = [
    ("one component more: config to its first instruction",
     "component.pith.start_insns"),
    ("so many at once, each", "system.pith.start_each_insns"),
    ("so many at once, in all", "system.pith.start_insns"),
    ("so many end and start again, each", "system.pith.restart_each_insns"),
    ("a session with core: open and close", "session.core.open_close_insns"),
    ("a session with another component: open and close",
     "session.child.open_close_insns"),
]

COSTS = [
    ("report written to its reader having it, instructions",
     "rom.pith.update_insns"),
    ("an idle component: its domain, bytes", "idle.pith.ram_bytes"),
    ("... capabilities", "idle.pith.caps"),
    ("... core, for its CPU and LOG, bytes", "idle.pith.core_ram_bytes"),
    ("... capabilities", "idle.pith.core_caps"),
    ("... its init, bytes", "idle.pith.init_ram_bytes"),
    ("... capabilities", "idle.pith.init_caps"),
    ("... the machine, all in all, bytes", "idle.pith.machine_ram_bytes"),
    ("the least `ram` of a start node with which hello runs, bytes",
     "least.hello.ram_bytes"),
    ("the least `caps`", "least.hello.caps"),
]

# With core, init and the component library.
LIBRARY = [
    ("call and reply of two components, bare", "rpc.bare.rt_insns"),
    ("... through the stubs", "rpc.stub.rt_insns"),
    ("... with core", "rpc.core.rt_insns"),
    ("4 KiB of RAM: allocate and free", "ram.pith.alloc_free_insns"),
    ("attach 4 KiB beside other memory, and detach",
     "region.pith.beside_insns"),
    ("... with an access in between", "region.pith.beside_touched_insns"),
    ("attach 4 KiB where no page tables are, access, detach",
     "region.pith.attach_detach_insns"),
    ("a session with core: open and close", "session.pith.open_close_insns"),
]


def library(family):
    return table(["with core and the component library", "instructions"],
                 [[what, show(median(family, key))] for what, key in LIBRARY])


def growth(family):
    """What grows with the system, and what a component takes."""
    sizes = sorted({int(key.rpartition("_")[2]) for key in family
                    if key.rpartition("_")[2].isdigit()})
    rows = [[what, *(show(median(family, f"{key}_{n}")) for n in sizes)]
            for what, key in GROWTH]
    return "\n\n".join([
        table(["there are", *(f"{n:,}" for n in sizes)], rows),
        table(["", ""], [[what, show(median(family, key))]
                         for what, key in COSTS])])


def others(family):
    rows = []
    for what, key, linux in OTHERS:
        if key not in family:
            continue
        rows.append([what, show(median(family, key)), "; ".join(
            f"{name} {show(median(family, k))}" for name, k in linux) or "-"])
    return table(["", "Pith", "Linux"], rows)


def curves(found):
    family = found["families"]["curves"]
    points = {}
    for key, (value, _) in family.items():
        _, what, last = key.split(".")
        points.setdefault(int(last.rpartition("_")[2]), {})[what] = value
    names = ["caps", "endpoints", "badges", "clients"]
    rows = [[f"{n:,}", *(show(points[n].get(name)) for name in names)]
            for n in sorted(points)]
    return table(["there are", "capabilities in the table", "endpoints",
                  "badges of it", "clients waiting at it"], rows)


def families_table(families):
    names = [n for n in ("rt", "copy_loops", "none", "release")
             if n in families]
    rows = []
    for way, text in WAYS:
        for shape, size in (("0B", "empty"), ("4096B", "4 KiB")):
            key = f"ipc.{way}.rt_insns_{shape}_same_cpu"
            if any(key in families[n] for n in names):
                rows.append([f"{text}, {size}", *(
                    show(median(families[n], key)) for n in names)])
    return table(["one CPU", *names], rows)


def goals_table(found):
    return table(["goal for an empty call on one CPU", "is", "bound", ""], [
        [g["goal"], show(g["value"]), show(g["bound"]),
         "held" if g["held"] else "**missed**"] for g in found["goals"]])


def genode(family):
    pith = {
        "RPC without arguments": "ipc.pith.rt_insns_0B_same_cpu",
        "RPC with a capability": "ipc.pith.rt_insns_1cap_same_cpu",
        "dataspace of 4 KiB: allocate and free":
            "memory.pith.create_insns_4K",
        "attach and detach 4 KiB": "map.pith.insns_4K",
        "RPC object: manage and dissolve": "badge.pith.mint_insns",
    }
    return table(["", "Genode on Linux", "Pith's kernel"], [
        [what, show(value), show(median(family, pith[what]))]
        for what, value in GENODE.items() if what in pith])


def markdown(found):
    rt = found["families"]["rt"]
    return "\n\n".join([
        "Round trips, two processes on one CPU:", round_trips(rt, "same_cpu"),
        "On two CPUs, instructions of both together:",
        round_trips(rt, "two_cpus"),
        "Everything else:", others(rt),
        "Goals:", goals_table(found),
        "By family:", families_table(found["families"]),
        "An empty call and reply the more there is (clients: "
        f"{show(found['limits'].get('clients'))}):", curves(found),
        *(["With core:", library(found["families"]["system"])]
          if "system" in found["families"] else []),
        *(["Systems of many components:", growth(found["families"]["growth"])]
          if "growth" in found["families"] else []),
        "Genode on Linux:", genode(rt)])


def update(path, found):
    """Put the tables between the markers of a document."""
    document.put_between(path, (BEGIN, END), markdown(found))


def text(found):
    lines = [f"{name}: {key:44} {value[0]:>10,} {value[1]:>10,}"
             for name, family in found["families"].items()
             for key, value in family.items()]
    lines += [f"goal {'held  ' if g['held'] else 'MISSED'} {g['goal']}: "
              f"{show(g['value'])} of {show(g['bound'])}"
              for g in found["goals"]]
    return "\n".join(lines)


# --- baseline -----------------------------------------------------------------

def differences(old, new):
    """What changed by more than 1%, and what came and went."""
    before, now, lines = old["figures"], new["figures"], []
    for key in sorted(set(before) | set(now)):
        a, b = before.get(key), now.get(key)
        if a is None or b is None:
            lines.append(f"{key}: {show(a)} -> {show(b)}")
        elif abs(b - a) > max(a // 100, 10):
            lines.append(f"{key}: {a:,} -> {b:,} ({(b - a) * 100 / a:+.1f}%)")
    return "\n".join(["compared with the baseline:",
                      *(lines or ["no difference above 1%"])])
