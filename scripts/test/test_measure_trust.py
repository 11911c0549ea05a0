# SPDX-License-Identifier: BSD-2-Clause
"""Routes, the trusted base and the picture, on configs written as trees."""

import unittest
import xml.etree.ElementTree as xml

import measure_fixture as fixture
from pithtools import measure_diagram as diagram
from pithtools import measure_scenario as scenario
from pithtools import measure_trust as trust
from pithtools.measure_scenario import ConfigError


def node(kind, *nodes, **attrs):
    name = attrs.pop("name", None)
    return {"type": kind, "name": name, "attrs": attrs, "nodes": list(nodes),
            "quote": []}


def service(name, *targets, **attrs):
    return node("service", *targets, name=name, **attrs)


def child(name, **attrs):
    return node("child", name=name, **attrs)


PARENT, ANY_CHILD, LOCAL = node("parent"), node("any-child"), node("local")


def provides(*names):
    return node("provides", *map(service, names))


def route(*rules):
    return node("route", *rules)


def start(name, *nodes, **attrs):
    return node("start", *nodes, name=name, **attrs)


FROM_CORE = node("parent-provides", *map(service, (
    "PD", "CPU", "ROM", "LOG", "IO_MEM")))
ANY = node("any-service", PARENT, ANY_CHILD)
DEFAULT = node("default-route", ANY)

DISK = node(
    "config", FROM_CORE, DEFAULT,
    start("platform", provides("Platform", "System")),
    start("nvme", provides("Block"),
          route(service("Platform", child("platform")),
                node("any-service", PARENT))),
    start("part_block", provides("Block"),
          route(service("Block", child("nvme")), ANY), priority="-1"),
    start("ext4", provides("File_system"), node("config"),
          route(service("Block", child("part_block")), ANY)),
    start("shell", route(service("Init_control", LOCAL), ANY),
          priority="-2"),
    start("other"))

REQUIRES = {
    "platform": ["ROM", "IO_MEM", "LOG"], "nvme": ["Platform", "LOG"],
    "part_block": ["Block", "LOG"], "ext4": ["Block", "ROM", "LOG"],
    "shell": ["File_system", "Init_control", "LOG"], "other": ["LOG"],
    "init": ["PD", "CPU", "ROM", "LOG"],
}


def load(config, requires=None):
    found = {n: scenario.Manifest(
        n, [scenario.Request(*r) if isinstance(r, tuple)
            else scenario.Request(r, None) for r in services], f"{n}!")
        for n, services in (requires or REQUIRES).items()}
    return scenario.Scenario(scenario.Node(config), found)


def server_names(system, name, wanted, label=None):
    return [p.name for p in
            scenario.resolve(system.children[name], wanted, label)]


class Routes(unittest.TestCase):
    def one(self, *rules, others=(), **config):
        return load(node("config", start("app", route(*rules)),
                         start("a", provides("X")), start("b",
                                                          provides("X")),
                         *others))

    def test_first_match_wins(self):
        system = self.one(service("X", child("b")), service("X", child("a")))
        self.assertEqual(server_names(system, "app", "X"), ["b"])

    def test_any_service_first_hides_later_rules(self):
        system = self.one(node("any-service", child("a")),
                          service("X", child("b")))
        self.assertEqual(server_names(system, "app", "X"), ["a"])

    def test_targets_in_order(self):
        # The parent has no X, so the second target serves it.
        system = self.one(service("X", PARENT, child("a"), child("b")))
        self.assertEqual(server_names(system, "app", "X"), ["a"])

    def test_no_rule(self):
        with self.assertRaisesRegex(ConfigError, "app: no route for .* Y"):
            server_names(self.one(service("X", child("a"))), "app", "Y")

    def test_matching_rule_without_provider_is_final(self):
        system = self.one(service("Y", child("a")),
                          service("Y", PARENT), service("X", child("a")))
        with self.assertRaisesRegex(ConfigError, "no target .* Y"):
            server_names(system, "app", "Y")

    def test_unknown_child(self):
        with self.assertRaisesRegex(ConfigError, "unknown child ghost"):
            server_names(self.one(service("X", child("ghost"))), "app", "X")

    def test_any_child_must_be_one(self):
        with self.assertRaisesRegex(ConfigError, "ambiguous: a, b"):
            server_names(self.one(service("X", ANY_CHILD)), "app", "X")

    def test_any_child(self):
        system = self.one(service("Z", ANY_CHILD),
                          others=[start("z", provides("Z"))])
        self.assertEqual(server_names(system, "app", "Z"), ["z"])

    def test_default_route_only_without_own(self):
        self.assertEqual(server_names(load(DISK), "other", "LOG"), ["core"])
        system = load(node("config", DEFAULT, start("app", route())))
        with self.assertRaises(ConfigError):
            server_names(system, "app", "LOG")

    def test_local(self):
        self.assertEqual(server_names(load(DISK), "shell", "Init_control"),
                         ["init"])

    def test_core_has_its_services_only(self):
        system = load(node("config", node("parent-provides",
                                          service("Block")),
                           start("app", route(node("any-service",
                                                   PARENT)))))
        with self.assertRaisesRegex(ConfigError, "core has no .* Block"):
            server_names(system, "app", "Block")

    def test_parent_provides_restricts(self):
        system = load(node(
            "config", node("parent-provides", service("LOG")),
            start("app", route(node("any-service", PARENT)))))
        self.assertEqual(server_names(system, "app", "LOG"), ["core"])
        with self.assertRaises(ConfigError):
            server_names(system, "app", "ROM")

    def test_without_parent_provides_nothing(self):
        system = load(node("config", start("app", route(
            node("any-service", PARENT)))))
        with self.assertRaises(ConfigError):
            server_names(system, "app", "LOG")

    def test_nobody_serves_itself(self):
        system = load(node("config", DEFAULT,
                           start("disk", provides("Block")),
                           start("part", provides("Block"))))
        self.assertEqual(server_names(system, "part", "Block"), ["disk"])

    def test_inline_config_is_served_by_init(self):
        self.assertEqual(server_names(load(DISK), "ext4", "ROM", "config"),
                         ["init"])
        self.assertEqual(server_names(load(DISK), "ext4", "ROM", "other"),
                         ["core"])

    def test_binary(self):
        system = load(node("config", start("app", node("binary",
                                                        name="shell"))))
        self.assertEqual(system.children["app"].binary, "shell")


class Labels(unittest.TestCase):
    def who(self, label, /, **selector):
        system = load(node("config", start("app", route(
            service("X", child("a"), **selector),
            service("X", child("b")))),
            start("a", provides("X")), start("b", provides("X"))))
        return server_names(system, "app", "X", label)

    def test_selectors(self):
        for selector, good, bad in (
                ({"label": "disk"}, "disk", "disk1"),
                ({"label_prefix": "di"}, "disk", "xdisk"),
                ({"label_suffix": "sk"}, "disk", "diskx"),
                ({"label_last": "c"}, "a -> b -> c", "c -> d"),
                ({"unscoped_label": "app -> disk"}, "disk", "app -> disk")):
            with self.subTest(selector):
                self.assertEqual(self.who(good, **selector), ["a"])
                self.assertEqual(self.who(bad, **selector), ["b"])

    def test_unknown_label_may_match(self):
        self.assertEqual(self.who(None, label="disk"), ["a", "b"])


INNER = node("config", node("parent-provides", service("LOG"),
                            service("File_system")),
             node("default-route", node("any-service", PARENT)),
             start("app", route(service("File_system", PARENT),
                                node("any-service", PARENT))))
NESTED = node(
    "config", FROM_CORE, DEFAULT,
    start("fs", provides("File_system")),
    start("logger", provides("LOG")),
    start("sub", node("binary", name="init"), INNER,
          route(service("LOG", child("logger"), label_prefix="app"), ANY)))
NESTED_REQUIRES = {"fs": ["LOG"], "logger": [], "init": REQUIRES["init"],
                   "app": ["File_system", ("LOG", "text")]}


class Nested(unittest.TestCase):
    def setUp(self):
        self.system = load(NESTED, NESTED_REQUIRES)

    def test_through_two_inits(self):
        self.assertEqual(server_names(self.system, "sub -> app",
                                      "File_system"), ["fs"])

    def test_label_carries_the_name(self):
        # At the outer init the label is "app -> text".
        self.assertEqual(server_names(self.system, "sub -> app", "LOG",
                                      "text"), ["logger"])
        self.assertEqual(server_names(self.system, "sub -> app", "LOG", ""),
                         ["logger"])

    def test_target_replaces_the_label(self):
        inner = node("config", node("parent-provides", service("LOG")),
                     start("app", route(service(
                         "LOG", node("parent", label="x")))))
        outer = node("config", start("logger", provides("LOG")),
                     start("sub", node("binary", name="init"), inner,
                           route(service("LOG", child("logger"),
                                         label="x"))))
        system = load(outer, NESTED_REQUIRES)
        self.assertEqual(server_names(system, "sub -> app", "LOG", "text"),
                         ["logger"])

    def test_found_by_last_name(self):
        self.assertEqual(self.system.find("app").name, "sub -> app")

    def test_both_inits_are_trusted(self):
        members = trust.closure(self.system, self.system.find("app"))
        self.assertEqual({m.name for m in members},
                         {"sub -> app", "fs", "logger", "sub", "init",
                          "core", "kernel"})
        kinds = {m.name: trust.kind_of(m) for m in members}
        self.assertEqual(kinds["sub"], "init")
        self.assertEqual(kinds["fs"], "component")


FIGURES = {"files": 1, "active_c": 10, "active_h": 0, "sloc": 20,
           "linked_lines": 3, "text_bytes": 100}
LOC = {"kernel": {**FIGURES, "active_c": 1000},
       "components": {n: dict(FIGURES) for n in [*REQUIRES, "core"]}}
# Each has lines 1 to 8 of a file of its own, and 1 and 2 of a shared one;
# nvme has line 3 of that, too.
DETAIL = {
    "active": {n: {f"/{n}.c": "1fe", "/shared.c": "6"}
               for n in LOC["components"]},
    "linked": {n: {f"/{n}.c": "6", "/shared.c": "2"}
               for n in LOC["components"]},
    "sloc": {"/shared.c": 5, **{f"/{n}.c": 15 for n in LOC["components"]}},
}
DETAIL["active"]["nvme"]["/shared.c"] = "e"


class Base(unittest.TestCase):
    def setUp(self):
        self.system = load(DISK)
        self.shell = self.system.find("shell")

    def report(self, loc=None):
        return trust.report(self.system, self.shell, loc or LOC, DETAIL,
                            "disk.hid")

    def test_closure(self):
        members = trust.closure(self.system, self.shell)
        self.assertEqual({m.name for m in members},
                         {"shell", "ext4", "part_block", "nvme", "platform",
                          "init", "core", "kernel"})

    def test_who_is_not_in_it(self):
        members = trust.closure(self.system, self.system.find("nvme"))
        self.assertEqual({m.name for m in members},
                         {"nvme", "platform", "init", "core", "kernel"})

    def test_paths_are_shortest(self):
        rows = {m["name"]: m for m in self.report()["members"]}
        self.assertEqual(rows["nvme"]["path"],
                         ["shell", "ext4", "part_block", "nvme"])
        self.assertEqual(rows["nvme"]["why"], "Block session")
        self.assertEqual(rows["nvme"]["needed_by"], "part_block")
        self.assertEqual(rows["core"]["path"], ["shell", "core"])
        self.assertEqual(rows["init"]["path"], ["shell", "init"])

    def test_sums_count_shared_code_once(self):
        totals = self.report()["totals"]
        # 7 programs (without the kernel): 8 lines each and 3 shared ones.
        self.assertEqual(totals["components"]["active_c"], 7 * 8 + 3)
        self.assertEqual(totals["components"]["files"], 8)
        self.assertEqual(totals["components"]["sloc"], 7 * 15 + 5)
        self.assertEqual(totals["components"]["linked_lines"], 7 * 2 + 1)
        self.assertEqual(totals["components"]["text_bytes"], 700)
        self.assertEqual(totals["components_without_app"]["active_c"],
                         6 * 8 + 3)
        self.assertEqual(totals["all"]["active_c"], 1000 + 7 * 8 + 3)

    def test_unknown_part_makes_the_sum_unknown(self):
        loc = {"kernel": LOC["kernel"], "components": {
            **LOC["components"],
            "nvme": {"linked_lines": 3, "text_bytes": 100}}}
        totals = self.report(loc)["totals"]
        for key in ("active_c", "sloc", "files"):
            self.assertNotIn(key, totals["all"])
        self.assertEqual(totals["all"]["linked_lines"], 3 + 7 * 2 + 1)
        self.assertIn("linked lines", trust.headline(self.report(loc)))

    def test_dma(self):
        found = {d["name"]: d["in_base"]
                 for d in self.report()["dma_without_iommu"]}
        self.assertEqual(found, {"platform": True, "nvme": True})
        self.shell = self.system.find("other")
        found = {d["name"]: d["in_base"]
                 for d in self.report()["dma_without_iommu"]}
        self.assertEqual(found, {"platform": False, "nvme": False})

    def test_who_can_starve_it(self):
        found = {s["name"] for s in self.report()["can_starve"]}
        self.assertEqual(found, {"platform", "nvme", "part_block", "ext4",
                                 "other"})

    def test_unknown_application(self):
        with self.assertRaisesRegex(ConfigError, "no component ghost"):
            self.system.find("ghost")

    def test_missing_manifest(self):
        system = load(DISK, {"shell": ["File_system"]})
        with self.assertRaisesRegex(ConfigError, "ext4: no manifest"):
            trust.closure(system, system.find("shell"))

    def test_every_member_is_printed(self):
        printed = "\n".join(trust.text(self.report()))
        for member in self.report()["members"]:
            self.assertIn(member["name"], printed)
        self.assertIn("firmware", printed)
        self.assertTrue(printed.endswith("in the kernel"))

    def test_headline(self):
        self.assertEqual(
            trust.headline(self.report()),
            "shell trusts 59 active lines in 7 components (itself included) "
            "and 1,000 in the kernel")


class Manifests(fixture.Folder):
    def manifest(self, *nodes):
        self.write("apps/x/manifest.hid", "")
        return scenario.read_manifests(
            self.folder, lambda path: scenario.Node(
                node("component", *nodes, name="x")))["x"]

    def test_fields(self):
        found = self.manifest(
            node("requires", service("LOG"), service("ROM", label="config")),
            node("trust", why="all"))
        self.assertEqual(found, ("x", [("LOG", None), ("ROM", "config")],
                                 "all"))

    def test_services_on_one_line(self):
        for kind in ("requires", "provides"):
            with self.assertRaisesRegex(ConfigError, "A holds service B"):
                self.manifest(node(kind, service("A", service("B"))))

    def test_not_a_manifest(self):
        self.write("apps/x/manifest.hid", "")
        with self.assertRaisesRegex(ConfigError, "expected `component"):
            scenario.read_manifests(self.folder, lambda path: scenario.Node(
                node("config")))


class Picture(unittest.TestCase):
    def setUp(self):
        self.graph = diagram.Graph(load(DISK))

    def test_lines(self):
        lines = diagram.plain_text(self.graph).splitlines()
        self.assertIn("ext4 -> part_block: Block", lines)
        self.assertIn("shell -> init: Init_control", lines)
        self.assertIn("nvme -> core: LOG", lines)
        self.assertNotIn("shell -> nvme: Block", lines)

    def test_depth(self):
        depth = {c.name: d for c, d in self.graph.depth().items()}
        self.assertEqual(depth, {"platform": 0, "other": 0, "nvme": 1,
                                 "part_block": 2, "ext4": 3, "shell": 4})

    def test_cycle_ends(self):
        system = load(node(
            "config",
            start("a", provides("A"), route(service("B", child("b")))),
            start("b", provides("B"), route(service("A", child("a"))))),
            {"a": ["B"], "b": ["A"]})
        drawn = diagram.svg(diagram.Graph(system), "cycle")
        xml.fromstring(drawn)

    def test_svg(self):
        drawn = diagram.svg(self.graph, "a < b")
        self.assertEqual(drawn, diagram.svg(diagram.Graph(load(DISK)),
                                            "a < b"))
        texts = {e.text for e in xml.fromstring(drawn).iter()
                 if e.tag.endswith("text")}
        for name in (*REQUIRES, "core", "kernel"):
            self.assertIn(name, texts)
        self.assertIn("core: LOG", texts)

    def test_boxes_do_not_overlap(self):
        layout = diagram.Layout(self.graph)
        for layer in layout.layers:
            ends = sorted((layout.x[n] - layout.box_width(n) / 2,
                           layout.x[n] + layout.box_width(n) / 2)
                          for n in layer)
            for left, right in zip(ends, ends[1:]):
                self.assertLess(left[1], right[0])

    def test_mermaid(self):
        text = diagram.mermaid(self.graph)
        self.assertTrue(text.startswith("flowchart TD\n"))
        self.assertEqual(text.count("-->|Block|"), 2)


if __name__ == "__main__":
    unittest.main()
