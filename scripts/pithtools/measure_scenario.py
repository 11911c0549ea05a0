# SPDX-License-Identifier: BSD-2-Clause
"""A scenario's config as a graph: who has a session with whom.

Routes are resolved as init does: the first rule that matches decides, its
targets are tried in order. Which services a component asks for is in its
manifest (`requires`); with which label only it knows. So where a rule depends
on the label and the manifest names none, the rule may match: its target is
taken, and the search goes on to the first rule that matches surely.
"""

import collections
import json
import subprocess

from pithtools.measure_component import FOLDERS

CORE_SERVICES = frozenset(("PD", "CPU", "ROM", "LOG", "IO_MEM",
                           "IO_PORT", "IRQ", "TRACE"))
SELECTORS = ("label", "label_prefix", "label_suffix", "label_last",
             "unscoped_label")
INIT = "init"


class ConfigError(Exception):
    """The config or a manifest cannot be used; the text says why."""


class Node:
    """A node of HID, as hid2json prints it."""

    def __init__(self, data):
        self.type = data["type"]
        self.attrs = dict(data.get("attrs") or {})
        self.name = data.get("name") or self.attrs.get("name") or ""
        self.nodes = [Node(n) for n in data.get("nodes") or []]

    def all(self, *types):
        return [n for n in self.nodes if n.type in types]

    def first(self, type):
        return next((n for n in self.nodes if n.type == type), None)


def read_hid(tool, path):
    try:
        run = subprocess.run([str(tool), str(path)], capture_output=True,
                             text=True)
    except OSError as error:
        raise ConfigError(f"{tool}: {error.strerror} (it is made by `make`)"
                          ) from error
    if run.returncode:
        raise ConfigError(run.stderr.strip() or f"{path}: cannot be read")
    return Node(json.loads(run.stdout))


Manifest = collections.namedtuple("Manifest", "name requires trust")
Request = collections.namedtuple("Request", "service label")


def read_manifests(repo, read):
    """{component name: Manifest}; read: path -> Node."""
    found = {}
    for top in FOLDERS:
        for path in sorted((repo / top).glob("**/manifest.hid")):
            node = read(path)
            if node.type != "component" or not node.name:
                raise ConfigError(f"{path}: expected `component NAME`, found "
                                  f"`{node.type} {node.name}`")
            requires = [Request(s.name, s.attrs.get("label"))
                        for r in node.all("requires")
                        for s in services(r, path)]
            for provided in node.all("provides"):
                services(provided, path)
            trust = node.first("trust")
            found[node.name] = Manifest(
                node.name, requires, trust.attrs.get("why", "") if trust
                else "")
    return found


def services(node, path):
    """The services listed in @node; one inside another is a mistake.

    `+ requires | + service A | + service B` looks like a list, but B is a node
    of A there and would be overlooked.
    """
    for service in node.all("service"):
        if service.nodes:
            raise ConfigError(
                f"{path}: service {service.name} holds service "
                f"{service.nodes[0].name}: write one per line")
    return node.all("service")


class Core:
    """The provider above the first init."""

    name = binary = "core"


class Init:
    """One init with its children. @above: the Child that it is, or None for
    core's only child."""

    def __init__(self, config, above=None):
        self.config, self.above = config, above
        self.name = above.name if above else INIT
        self.binary = INIT
        self.children = {}
        for start in config.all("start"):
            if not start.name or start.name in self.children:
                raise ConfigError(f"{self.name}: start node without a name of "
                                  f"its own: `{start.name}`")
            self.children[start.name] = Child(self, start)
        provides = config.first("parent-provides")
        # Without the node, as init reads it, the parent provides nothing.
        self.parent_provides = {s.name for s in provides.all("service")} \
            if provides else set()

    def everyone(self):
        """All children, those of nested inits included."""
        for child in self.children.values():
            yield child
            if child.inner:
                yield from child.inner.everyone()


class Child:
    def __init__(self, init, start):
        self.init, self.start = init, start
        self.name = start.name if not init.above else \
            f"{init.name} -> {start.name}"
        binary = start.first("binary")
        self.binary = binary.name if binary else start.name
        self.provides = {s.name for p in start.all("provides")
                         for s in p.all("service")}
        config = start.first("config")
        self.has_config = config is not None
        self.inner = Init(config, self) if \
            self.binary == INIT and config is not None else None

    def priority(self):
        try:
            return int(self.start.attrs.get("priority", "0"))
        except ValueError:
            raise ConfigError(f"{self.name}: priority "
                              f"`{self.start.attrs['priority']}` is not a "
                              "number") from None


def split_label(client, label):
    """What the selectors look at, for a request of @client with @label."""
    return {"label": label, "label_prefix": label, "label_suffix": label,
            "label_last": label.split(" -> ")[-1],
            "unscoped_label": f"{client} -> {label}" if label else client}


def matches(rule, client, label):
    """True, False, or None if that depends on a label we do not know."""
    chosen = [s for s in SELECTORS if s in rule.attrs]
    if not chosen:
        return True
    if label is None:
        return None
    seen = split_label(client, label)
    for selector in chosen:
        want, have = rule.attrs[selector], seen[selector]
        if selector == "label_prefix":
            good = have.startswith(want)
        elif selector == "label_suffix":
            good = have.endswith(want)
        else:
            good = have == want
        if not good:
            return False
    return True


def rules_of(child):
    route = child.start.first("route") or \
        child.init.config.first("default-route")
    return route.all("service", "any-service") if route else []


def resolve(child, service, label=None):
    """The providers of @service for @child: Child, Init or Core objects.

    One, unless rules depend on an unknown label. ConfigError if none.
    """
    found = []
    if service == "ROM" and label in (None, "config") and child.has_config:
        # The inline config is served by the init itself.
        found.append(child.init)
        if label:
            return found
    short = child.start.name
    for rule in rules_of(child):
        if rule.type == "service" and rule.name != service:
            continue
        sure = matches(rule, short, label)
        if sure is False:
            continue
        try:
            found += target_of(child, rule, service, label)
        except ConfigError:
            if sure:
                raise
        if sure:
            return unique(found)
    if not found:
        raise ConfigError(f"{child.name}: no route for service {service}"
                          + (f" with label {label}" if label else ""))
    return unique(found)


def target_of(child, rule, service, label):
    """The first target of @rule that can serve @service."""
    init = child.init
    for target in rule.nodes:
        if target.type == "parent":
            if service not in init.parent_provides:
                continue
            if init.above is None:
                if service not in CORE_SERVICES:
                    raise ConfigError(f"{child.name}: core has no service "
                                      f"{service}")
                return [Core]
            return resolve(init.above, service,
                           label_above(child, target, label))
        if target.type == "child":
            server = init.children.get(target.name)
            if server is None:
                raise ConfigError(f"{child.name}: route for {service} leads "
                                  f"to unknown child {target.name}")
            if server is not child and service in server.provides:
                return [server]
        elif target.type == "any-child":
            servers = [c for c in init.children.values()
                       if c is not child and service in c.provides]
            if len(servers) > 1:
                raise ConfigError(
                    f"{child.name}: any-child for {service} is ambiguous: "
                    + ", ".join(c.name for c in servers))
            if servers:
                return servers
        elif target.type == "local":
            return [init]
    raise ConfigError(f"{child.name}: no target of the route for {service} "
                      "provides it")


def label_above(child, target, label):
    """The label that the outer init sees; None if nobody knows."""
    if "label" in target.attrs:
        return target.attrs["label"]
    if label is None:
        return None
    name = child.start.name
    return f"{name} -> {label}" if label else name


def unique(providers):
    return list(dict.fromkeys(providers))


Edge = collections.namedtuple("Edge", "client server service")


class Scenario:
    def __init__(self, config, manifests):
        self.manifests = manifests
        self.init = Init(config)
        self.children = {c.name: c for c in self.init.everyone()}

    def find(self, name):
        """A child by its full name, or by its last part if that is unique."""
        if name in self.children:
            return self.children[name]
        same = [c for c in self.children.values() if c.start.name == name]
        if len(same) == 1:
            return same[0]
        raise ConfigError(
            f"no component {name} in this config; there are: "
            + ", ".join(sorted(self.children)))

    def manifest(self, binary):
        if binary not in self.manifests:
            raise ConfigError(f"{binary}: no manifest.hid of that component: "
                              "cannot tell which services it asks for")
        return self.manifests[binary]

    def edges(self, child):
        """The sessions that @child may have."""
        return [Edge(child, server, request.service)
                for request in self.manifest(child.binary).requires
                for server in resolve(child, request.service, request.label)]


def load(repo, tool, path):
    def read(file):
        return read_hid(tool, file)
    config = read(path)
    if config.type != "config":
        raise ConfigError(f"{path}: expected `config`, found "
                          f"`{config.type}`")
    return Scenario(config, read_manifests(repo, read))
