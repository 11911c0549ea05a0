# SPDX-License-Identifier: BSD-2-Clause
"""Draws who has a session with whom: SVG, Mermaid or plain text.

Layers as in a protocol stack: a component stands above every one it uses.
Sessions with core are written into the box, or all lines would end there.
"""

from xml.sax.saxutils import escape

from pithtools.measure_scenario import Core, Init

CHAR = 7.2		# width of a character of the 12 px font
BOX_HEIGHT, ROW_HEIGHT, GAP, MARGIN = 52, 120, 36, 24
BAR_HEIGHT, BAR_GAP = 40, 12
STYLE = """text { font: 12px sans-serif; fill: #1b1f24 }
.name { font-weight: bold; font-size: 13px }
.small { font-size: 10px; fill: #57606a }
.box { fill: #ddf4ff; stroke: #0969da }
.bar { fill: #eaeef2; stroke: #57606a }
.line { fill: none; stroke: #1b1f24; stroke-width: 1.2 }
.halo { stroke: #ffffff; stroke-width: 4; paint-order: stroke }"""


class Graph:
    """Sessions of a scenario, one line per client and server.

    lines: {(client, server): [services]} between children;
    core, local: {child: [services]} with core, with the child's init.
    """

    def __init__(self, scenario):
        self.children = list(scenario.children.values())
        self.lines, self.core, self.local = {}, {}, {}
        for child in self.children:
            for edge in scenario.edges(child):
                if edge.server is Core:
                    where = self.core.setdefault(child, [])
                elif isinstance(edge.server, Init):
                    where = self.local.setdefault(child, [])
                else:
                    key = (child, edge.server)
                    where = self.lines.setdefault(key, [])
                if edge.service not in where:
                    where.append(edge.service)

    def depth(self):
        """{child: longest way down}; a cycle ends where it closes."""
        known = {}

        def visit(child, way):
            if child in known:
                return known[child]
            below = [visit(server, way | {child})
                     for client, server in self.lines
                     if client is child and server not in way | {child}]
            known[child] = 1 + max(below, default=-1)
            return known[child]

        for child in self.children:
            visit(child, frozenset())
        return known


class Bend:
    """Where a long line passes through a layer."""

    width = 40


def exchange(move):
    for layer, one, other in move:
        i, j = layer.index(one), layer.index(other)
        layer[i], layer[j] = other, one


class Layout:
    def __init__(self, graph):
        self.graph = graph
        self.depth = graph.depth()
        top = max(self.depth.values(), default=0)
        self.layers = [[c for c in graph.children if self.depth[c] == d]
                       for d in range(top + 1)]
        self.ways = {key: self._way(*key) for key in graph.lines}
        self._order()
        self._place()

    def _way(self, client, server):
        """The line's stations from client to server, bends included."""
        down = range(self.depth[client] - 1, self.depth[server], -1)
        bends = [Bend() for _ in down]
        for level, bend in zip(down, bends):
            self.layers[level].append(bend)
        return [client, *bends, server]

    def _order(self):
        """Exchange neighbours in a layer, or two long lines in all layers
        they share, as long as fewer lines cross."""
        moves = [[(layer, layer[i], layer[i + 1])]
                 for layer in self.layers for i in range(len(layer) - 1)]
        long = [way[1:-1] for way in self.ways.values() if len(way) > 2]
        moves += [[(layer, a, b) for layer in self.layers
                   for a in one for b in other if a in layer and b in layer]
                  for i, one in enumerate(long) for other in long[:i]]
        best, better = self._crossings(), True
        while better and best:
            better = False
            for move in moves:
                exchange(move)
                now = self._crossings()
                if now < best:
                    best, better = now, True
                else:
                    exchange(move)

    def _pieces(self):
        for way in self.ways.values():
            yield from zip(way, way[1:])

    def _crossings(self):
        at = {n: i for layer in self.layers for i, n in enumerate(layer)}
        level = {n: i for i, layer in enumerate(self.layers) for n in layer}
        pieces = [(level[a], at[a], at[b]) for a, b in self._pieces()]
        return sum((a1 - a2) * (b1 - b2) < 0
                   for i, (l1, a1, b1) in enumerate(pieces)
                   for l2, a2, b2 in pieces[:i] if l1 == l2)

    def box_width(self, node):
        if isinstance(node, Bend):
            return node.width
        texts = [len(node.name) + 1, *(len(t) * 0.85 for t in
                                       self.small_text(node))]
        return max(90, max(texts) * CHAR + 16)

    def small_text(self, child):
        found = []
        if child in self.graph.core:
            found.append("core: " + ", ".join(self.graph.core[child]))
        if child in self.graph.local:
            found.append("init: " + ", ".join(self.graph.local[child]))
        return found

    def _place(self):
        """Each node as near to its neighbours as its layer leaves room."""
        near = {}
        for one, other in self._pieces():
            near.setdefault(one, []).append(other)
            near.setdefault(other, []).append(one)
        self.x = {n: 0.0 for layer in self.layers for n in layer}
        for _ in range(12):
            for layer in self.layers:
                self._place_layer(layer, near)
        left = min(self.x[n] - self.box_width(n) / 2 for n in self.x)
        right = max(self.x[n] + self.box_width(n) / 2 for n in self.x)
        self.width = max(300, right - left + 2 * MARGIN)
        shift = (self.width - (right + left)) / 2
        self.x = {n: x + shift for n, x in self.x.items()}
        self.rows = len(self.layers)
        self.height = MARGIN * 2 + self.rows * ROW_HEIGHT + \
            3 * (BAR_HEIGHT + BAR_GAP) - (ROW_HEIGHT - BOX_HEIGHT)

    def _place_layer(self, layer, near):
        wish = [sum(self.x[m] for m in near.get(n, [n]))
                / len(near.get(n, [n])) for n in layer]
        edge, placed = -1e9, []
        for node, x in zip(layer, wish):
            half = self.box_width(node) / 2
            placed.append(max(x, edge + half))
            edge = placed[-1] + half + GAP
        slip = sum(p - w for p, w in zip(placed, wish)) / max(1, len(layer))
        for node, x in zip(layer, placed):
            self.x[node] = x - slip

    def y(self, node_depth):
        return MARGIN + (self.rows - 1 - node_depth) * ROW_HEIGHT

    def level(self, node):
        return next(i for i, layer in enumerate(self.layers) if node in layer)


def svg(graph, title):
    layout = Layout(graph)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" '
           f'viewBox="0 0 {layout.width:.0f} {layout.height:.0f}" '
           f'width="{layout.width:.0f}" height="{layout.height:.0f}">',
           f"<title>{escape(title)}</title>", f"<style>{STYLE}</style>",
           f'<rect width="{layout.width:.0f}" height="{layout.height:.0f}" '
           'fill="#ffffff"/>',
           '<defs><marker id="tip" markerWidth="8" markerHeight="8" '
           'refX="7" refY="4" orient="auto"><path d="M0,0 L8,4 L0,8 z" '
           'fill="#1b1f24"/></marker></defs>']
    labels = []
    for key, way in layout.ways.items():
        path, label = line(layout, way, graph.lines[key])
        out.append(path)
        labels.append(label)
    out += [box(layout, child) for child in graph.children] + labels
    y = layout.height - MARGIN - 3 * BAR_HEIGHT - 2 * BAR_GAP
    for name, small in (("init", "starts components, routes their sessions"),
                        ("core", "PD, CPU, ROM, LOG, IO_MEM, IO_PORT, IRQ, "
                         "TRACE"), ("kernel", "")):
        out.append(bar(layout, y, name, small))
        y += BAR_HEIGHT + BAR_GAP
    return "\n".join(out + ["</svg>", ""])


def port(layout, node, other, others):
    """Where on a box's edge its line to @other starts, in their order."""
    others = sorted(others, key=lambda n: layout.x[n])
    step = layout.box_width(node) / (len(others) + 1)
    return layout.x[node] - layout.box_width(node) / 2 + \
        step * (others.index(other) + 1)


def line(layout, way, services):
    ways = layout.ways.values()
    below = [w[1] for w in ways if w[0] is way[0]]
    above = [w[-2] for w in ways if w[-1] is way[-1]]
    points = [(port(layout, way[0], way[1], below),
               layout.y(layout.level(way[0])) + BOX_HEIGHT)]
    for bend in way[1:-1]:
        top = layout.y(layout.level(bend))
        points += [(layout.x[bend], top), (layout.x[bend], top + BOX_HEIGHT)]
    points.append((port(layout, way[-1], way[-2], above),
                   layout.y(layout.level(way[-1]))))
    path = " L".join(f"{x:.0f},{y:.0f}" for x, y in points)
    # On a long line beside the first box that it passes, where it is alone.
    (x1, y1), (x2, y2) = points[:2] if len(way) == 2 else points[1:3]
    label = (f'<text class="halo" text-anchor="middle" '
             f'x="{(x1 + x2) / 2:.0f}" y="{(y1 + y2) / 2 + 4:.0f}">'
             f'{escape(", ".join(services))}</text>')
    return f'<path class="line" marker-end="url(#tip)" d="M{path}"/>', label


def box(layout, child):
    width, y = layout.box_width(child), layout.y(layout.depth[child])
    x, small = layout.x[child], layout.small_text(child)
    first = y + (31 if not small else 24 if len(small) == 1 else 18)
    out = [f'<rect class="box" rx="6" x="{x - width / 2:.0f}" y="{y:.0f}" '
           f'width="{width:.0f}" height="{BOX_HEIGHT}"/>',
           f'<text class="name" text-anchor="middle" x="{x:.0f}" '
           f'y="{first:.0f}">{escape(child.name)}</text>']
    out += [f'<text class="small" text-anchor="middle" x="{x:.0f}" '
            f'y="{first + 14 * (i + 1):.0f}">{escape(text)}</text>'
            for i, text in enumerate(small)]
    return "\n".join(out)


def bar(layout, y, name, small):
    width, middle = layout.width - 2 * MARGIN, layout.width / 2
    out = [f'<rect class="bar" rx="6" x="{MARGIN}" y="{y:.0f}" '
           f'width="{width:.0f}" height="{BAR_HEIGHT}"/>',
           f'<text class="name" text-anchor="middle" x="{middle:.0f}" '
           f'y="{y + (17 if small else 25):.0f}">{name}</text>']
    if small:
        out.append(f'<text class="small" text-anchor="middle" '
                   f'x="{middle:.0f}" y="{y + 31:.0f}">{small}</text>')
    return "\n".join(out)


def mermaid(graph):
    ids = {child: f"c{i}" for i, child in enumerate(graph.children)}
    out = ["flowchart TD"]
    out += [f'    {ids[c]}["{c.name}"]' for c in graph.children]
    out += ['    init["init"]', '    core["core"]', '    kernel["kernel"]']
    out += [f"    {ids[a]} -->|{', '.join(s)}| {ids[b]}"
            for (a, b), s in graph.lines.items()]
    out += [f"    {ids[c]} -->|{', '.join(s)}| init"
            for c, s in graph.local.items()]
    out += [f"    {ids[c]} -->|{', '.join(s)}| core"
            for c, s in graph.core.items()]
    return "\n".join(out + ["    init --> core --> kernel", ""])


def plain_text(graph):
    out = [f"{a.name} -> {b.name}: {', '.join(s)}"
           for (a, b), s in graph.lines.items()]
    out += [f"{c.name} -> init: {', '.join(s)}"
            for c, s in graph.local.items()]
    out += [f"{c.name} -> core: {', '.join(s)}"
            for c, s in graph.core.items()]
    return "\n".join(out + [""])
