# SPDX-License-Identifier: BSD-2-Clause
"""Hold a HID text against a schema (.hsd), which is HID itself:

    schema TYPE			. of the top node; what it may hold follows
    + type NAME | ...		. a kind of value, for `type: NAME`
    + category NAME		. what `+ use NAME` puts in its place
    + include FILE		. types and categories of another, from its folder
    + attr TAG | required: no | type: NAME or the following
      | number: yes | min: .. | max: .. | multiple: ..	. K, M, G allowed
      | values: a b c (besides numbers, if both are there) | pattern: regular expression of the whole value
    + node TYPE | min: 0 | max: ..	. how often; what it may hold is below
    + quote			. quoted lines
    + anything			. whatever there is, unchecked
"""

import json
import pathlib
import re
import subprocess

UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
NUMBER = re.compile(r"(\d+)([KMG]?)|0x([0-9a-fA-F]+)")


class Wrong(Exception):
    """The text cannot be read; the argument says where and why."""


def read(tool, path):
    run = subprocess.run([str(tool), "--places", str(path)], text=True,
                         capture_output=True, check=False)
    if run.returncode:
        raise Wrong(run.stderr.strip())
    return json.loads(run.stdout)


def load(tool, path):
    """The schema in a file, with what it includes."""
    root = read(tool, path)
    for node in [n for n in root["nodes"] if n["type"] == "include"]:
        other = read(tool, pathlib.Path(path).parent / str(node["name"]))
        root["nodes"] += [n for n in other["nodes"]
                          if n["type"] in ("type", "category")]
    return Schema(root)


def number(text):
    """Its value, or None."""
    match = NUMBER.fullmatch(text)
    if not match:
        return None
    if match[3]:
        return int(match[3], 16)
    return int(match[1]) * UNITS.get(match[2], 1)


def _one_of(words):
    words = sorted(words)
    return " or ".join([", ".join(words[:-1]), words[-1]]
                       if len(words) > 1 else words) or "nothing"


class Rule:
    """What a node may hold."""

    def __init__(self):
        self.attrs, self.nodes = {}, {}
        self.anything = self.quote = False

    def add(self, schema, node):
        for n in node["nodes"]:
            if n["type"] == "attr":
                self.attrs[n["name"]] = schema.kind(n)
            elif n["type"] == "node":
                self.nodes[n["name"]] = (n["attrs"], schema.rule_of(n))
            elif n["type"] == "use":
                self.add(schema, schema.category(n))
            elif n["type"] in ("anything", "quote"):
                setattr(self, n["type"], True)
            elif n["type"] not in ("type", "category", "include"):
                raise Wrong("%d:%d: expected attr, node, use, quote, anything, "
                            "type, category or include, found '%s'"
                            % (*n["at"], n["type"]))


class Schema:
    def __init__(self, root):
        if root["type"] != "schema" or not root["name"]:
            raise Wrong("1:1: expected 'schema' with a name")
        self.types = {n["name"]: n["attrs"] for n in root["nodes"]
                      if n["type"] == "type"}
        self.categories = {n["name"]: n for n in root["nodes"]
                           if n["type"] == "category"}
        self.top, self.root = root["name"], root
        self.rules = {}
        self.rule = self.rule_of(root)

    def rule_of(self, node):
        """The same for the same node: a category may use itself, below one."""
        if id(node) not in self.rules:
            self.rules[id(node)] = Rule()
            self.rules[id(node)].add(self, node)
        return self.rules[id(node)]

    def kind(self, node):
        attrs = dict(node["attrs"])
        name = attrs.pop("type", None)
        if name is not None and name not in self.types:
            raise Wrong("%d:%d: no type '%s'"
                        % (*node["attrs_at"]["type"], name))
        return {**self.types.get(name, {}), **attrs}

    def category(self, node):
        if node["name"] not in self.categories:
            raise Wrong("%d:%d: no category '%s'" % (*node["at"], node["name"]))
        return self.categories[node["name"]]

    def check(self, root):
        """[(line, col, text)], in the order of the text."""
        found = []
        if root["type"] != self.top:
            found.append((*root["at"], "expected '%s', found '%s'"
                          % (self.top, root["type"])))
        else:
            _check_node(self.rule, root, found)
        return sorted(found)


def _value_error(kind, tag, value):
    """What is wrong with the value, or None."""
    words = kind.get("values", "").split()
    if value in words:
        return None
    if kind.get("number") == "yes":
        v = number(value)
        if v is None:
            return ("expected %s for %s, found '%s'"
                    % (_one_of([*words, "a number"]), tag, value))
        low, high = number(kind.get("min", "0")), number(kind.get("max", "0"))
        if v < low or (high and v > high):
            return ("expected %s of %d%s, found %d"
                    % (tag, low, " to %d" % high if high else " or more", v))
        if v % number(kind.get("multiple", "1")):
            return ("expected %s to be a multiple of %s, found %d"
                    % (tag, kind["multiple"], v))
    elif words:
        return "expected %s for %s, found '%s'" % (_one_of(words), tag, value)
    if "pattern" in kind and not re.fullmatch(kind["pattern"], value):
        return ("expected a %s of the form %s, found '%s'"
                % (tag, kind["pattern"], value))
    return None


def _check_attrs(rule, node, found):
    values = dict(node["attrs"])
    if node["name"] is not None:
        values["name"] = node["name"]
    for tag, at in node["attrs_at"].items():
        if tag not in rule.attrs:
            text = ("expected attribute %s, found '%s'"
                    % (_one_of(rule.attrs), tag))
        else:
            text = _value_error(rule.attrs[tag], tag, values[tag])
        if text:
            found.append((*at, text))
    for tag, kind in rule.attrs.items():
        if kind.get("required") == "yes" and tag not in values:
            found.append((*node["at"], "expected %s in '%s', found none"
                          % (tag, node["type"])))


def _check_node(rule, node, found):
    if rule.anything:
        return
    _check_attrs(rule, node, found)
    if node["quote"] and not rule.quote:
        found.append((*node["at"], "expected no quoted text in '%s'"
                      % node["type"]))
    count = {}
    for n in node["nodes"]:
        if n["type"] not in rule.nodes:
            found.append((*n["at"], "expected node %s, found '%s'"
                          % (_one_of(rule.nodes), n["type"])))
            continue
        limits, inner = rule.nodes[n["type"]]
        count[n["type"]] = count.get(n["type"], 0) + 1
        if "max" in limits and count[n["type"]] > int(limits["max"]):
            found.append((*n["at"], "expected '%s' at most %s times, found "
                          "it again" % (n["type"], limits["max"])))
        _check_node(inner, n, found)
    for type_, (limits, _) in rule.nodes.items():
        if count.get(type_, 0) < int(limits.get("min", "0")):
            found.append((*node["at"], "expected '%s' in '%s', found none"
                          % (type_, node["type"])))
