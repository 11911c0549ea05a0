# SPDX-License-Identifier: BSD-2-Clause
"""Definitions taken out of kernel sources, by name.

A cut is a patch that only says what goes: its lines name a file and functions,
variables or types that the file defines at top level; a Makefile's line names
objects. Names survive a stable update where the context lines of a patch would
not, and a name that is gone stops the build.

The format below the `---` of the message:

	path/of/file.c: name name
		name ...
	path/of/Makefile: object.o ...
"""

import re

KEYWORDS = {"if", "for", "while", "switch", "return", "sizeof", "do", "else"}
TOKEN = re.compile(r"[A-Za-z_]\w*")
# Said after a definition, about it.
ABOUT = re.compile(
    r"(EXPORT_\w+|NOKPROBE_SYMBOL|ALLOW_ERROR_INJECTION|\w*initcall\w*|"
    r"__setup|__setup_param|early_param|console_initcall|STACK_FRAME_\w+|"
    r"__exitcall|BUILDIO_\w+|module_init|device_initcall|core_param)\(")

# Said between the name of a variable and its value.
PLACE = re.compile(
    r"__(ro_after_init|read_mostly|init\w*|exit\w*|cpuinit\w*|meminit\w*|"
    r"cacheline_aligned\w*|____cacheline\w*|aligned\w*|section\w*|used|"
    r"maybe_unused|latent_entropy|page_aligned\w*|nosavedata|ref\w*|visible|"
    r"weak|percpu|rcu|user|iomem|data_racy|randomize_layout|net_init\w*|"
    r"cpumask_var_\w+|apicdrivers|bss_decrypted|x86_intel_mid_dev|ctl_table)|"
    r"____cacheline\w*")

# A variable, and who refers to NAME_show and NAME_store.
ATTRIBUTE = re.compile(r"static DEVICE_ATTR_(?:RO|RW|WO|ADMIN_\w+)\((\w+)\);?$")
SHOW = re.compile(r"show_one\((\w+), \w+\);$")


class CutError(Exception):
    """A name that cannot be cut."""


class Item:
    """A definition or declaration at top level: lines [start, end)."""

    def __init__(self, start, end, names, kind):
        self.start, self.end = start, end
        self.names, self.kind = names, kind


def blank(text):
    """@text with comments, strings and characters made blank, lines kept."""
    def spaces(match):
        return re.sub(r"[^\n]", " ", match[0])
    return re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|"
                  r"'(?:\\.|[^'\\\n])+'", spaces, text, flags=re.S)


def directives(lines):
    """Which lines belong to preprocessor directives."""
    inside, found = False, []
    for line in lines:
        now = inside or line.lstrip().startswith("#")
        found.append(now)
        inside = now and line.rstrip().endswith("\\")
    return found


def item_names(text):
    """(names, kind) of a top-level item without comments and strings."""
    head = text.split("{")[0] if "{" in text else text
    flat = " ".join(head.split())
    match = re.match(r"((?:COMPAT_)?SYSCALL_DEFINE\d?)\((\w+)", flat)
    if match:
        return [match[2]], "function"
    match = ABOUT.match(flat)
    if match:
        return TOKEN.findall(flat[match.end():]), "about"
    # What it enumerates is named without it; what has no name may have one
    # only after the body.
    if re.match(r"(?:static |const |__\w+ )*(?:enum\b[^(]*|(?:struct|union) *)$",
                flat) and "{" in text:
        return [], "other"
    match = re.match(r"(?:static |const )*(struct|union) (\w+) *"
                     r"(?:__\w+ *)*$", flat)
    if match and "{" in text:
        return [match[2]], "type"
    flat = re.sub(r"__attribute__\(\(.*?\)\)|__section\([^)]*\)|"
                  r"__aligned\([^)]*\)|__printf\([^)]*\)|"
                  r"__(?:acquires|releases|must_hold)\([^)]*\)|"
                  r"__malloc(?:\([^)]*\))?|__alloc_size\([^)]*\)|"
                  r"__scanf\([^)]*\)", "", flat).strip()
    match = re.match(r"(?:static )?(?:__\w+ )?((?:DEFINE|DECLARE|ATTRIBUTE|"
                     r"LIST_HEAD|BLOCKING|RAW|ATOMIC|SRCU|CLASS)\w*)\((.*)",
                     flat)
    if match:
        args = [re.match(r"\w*", a.strip())[0] for a in match[2].split(",")]
        if match[1].startswith(("DEFINE_PER_CPU", "DEFINE_STATIC_CALL",
                                "DECLARE_PER_CPU")):
            names = args[1:2] if "PER_CPU" in match[1] else args[:1]
        elif match[1].startswith("DEFINE_STATIC_KEY_MAYBE"):
            names = args[1:2]
        elif match[1] == "DECLARE_BITMAP" or "LIST_HEAD" in match[1] or \
                re.match(r"DEFINE_(MUTEX|RAW_SPINLOCK|SPINLOCK|RWLOCK|IDA|IDR|"
                         r"XARRAY\w*|SEMAPHORE|STATIC_KEY\w*|RATELIMIT_STATE|"
                         r"STATIC_PERCPU_RWSEM|WAIT\w*)$|"
                         r"DECLARE_(RWSEM|WAIT\w*|WORK|DELAYED_WORK|"
                         r"STATIC_KEY\w*|COMPLETION)$", match[1]):
            names = args[:1]
        else:
            return [], "other"
        return names, "declaration" if "STATIC_KEY" in match[1] and \
            match[1].startswith("DECLARE") else "data"
    match = ATTRIBUTE.match(flat)
    if match:
        return [f"dev_attr_{match[1]}"], "data"
    match = SHOW.match(flat)
    if match:
        return [f"{match[1]}_show"], "function"
    if re.match(r"(?:static |const )*[A-Z][A-Z0-9_]+\(", flat):
        return [], "other"
    if re.match(r"(typedef|extern|asm|_Static\w*|static_assert)\b", flat):
        return [], "other"
    before = flat.split("=")[0]
    match = re.search(r"\b(\w+) ?\(", before)
    while match and (match[1].startswith("__") and
                     match[1] != flat.split("(")[0].split()[-1].lstrip("*")):
        match = re.compile(r"\b(\w+) ?\(").search(before, match.end())
    if match and "=" not in flat:
        name = match[1]
        if name in KEYWORDS or not re.match(r"[\w*]", flat) or \
                flat.startswith(name):
            return [], "other"
        return [name], "function" if "{" in text else "prototype"
    match = re.search(r"(\w+) ?(?:\[[^\]]*\] ?)*(?:__\w+ ?)*(?:=.*)?;?$", flat)
    if match and re.match(r"(static|const|struct|unsigned|int|long|u\d+|bool|"
                          r"char|atomic|enum|\w+_t|\w+) ", flat):
        name = match[1]
        words = before.replace(";", "").split()
        names = [w for w in re.findall(r"\w+", re.sub(r"\[[^\]]*\]", "",
                                                      before))
                 if not PLACE.fullmatch(w)]
        if "," in before or len(words) < 2 or not names:
            return [], "other"
        return [names[-1]], "data"
    return [], "other"


def items(text):
    """The Items of C source @text, in order. By the kernel's style: what is
    at top level begins and ends in the first column."""
    plain = blank(text).split("\n")
    special = directives(plain)
    found, i, n = [], 0, len(plain)
    while i < n:
        line = plain[i]
        if special[i] or not re.match(r"[A-Za-z_]", line):
            i += 1
            continue
        start = i
        depth, body, ended = 0, False, False
        while i < n and not ended:
            if special[i] and depth == 0 and i > start and not body:
                break
            if not special[i]:
                for c in plain[i]:
                    if c in "({[":
                        depth += 1
                        body |= c == "{"
                    elif c in ")}]":
                        depth -= 1
                if body and plain[i].startswith("}"):
                    depth, ended = 0, True
                elif depth == 0 and plain[i].rstrip().endswith((";", "}")):
                    ended = True
                elif depth == 0 and ABOUT.match(plain[start]) and \
                        plain[i].rstrip().endswith(")"):
                    ended = True
            i += 1
        names, kind = item_names("\n".join(
            l for l, s in zip(plain[start:i], special[start:i]) if not s)) \
            if ended else ([], "other")
        if kind != "other" and not balanced(plain, special, start, i):
            names, kind = [], "other"
        found.append(Item(start, i, names, kind))
    return found


def balanced(plain, special, start, end):
    """Whether conditionals that begin in these lines end in them."""
    level = 0
    for line in (l for l, s in zip(plain[start:end], special[start:end]) if s):
        word = re.match(r"\s*#\s*(\w+)", line)
        word = word[1] if word else ""
        if word in ("if", "ifdef", "ifndef"):
            level += 1
        elif word == "endif":
            level -= 1
        elif word in ("else", "elif") and level == 0:
            return False
        if level < 0:
            return False
    return level == 0


def chosen(text, names):
    """Items to cut: those that define, declare or speak of @names."""
    wanted, defined, out = set(names), set(), []
    for item in items(text):
        if item.kind == "about":
            if wanted & set(item.names):
                out.append(item)
        elif item.names and item.names[0] in wanted:
            out.append(item)
            defined.add(item.names[0])
    if wanted - defined:
        raise CutError("not defined: " + " ".join(sorted(wanted - defined)))
    return out


def cut(text, names):
    """@text without the definitions of @names and the comments on them."""
    lines = text.split("\n")
    plain = blank(text).split("\n")
    gone = set()
    for item in chosen(text, names):
        start = item.start
        while start and lines[start - 1].strip() and \
                not plain[start - 1].strip():
            start -= 1
        gone.update(range(start, item.end))
    out = []
    for i, line in enumerate(lines):
        again = not line.strip() and i - 1 in gone and out and \
            not out[-1].strip()
        if i not in gone and not again:
            out.append(line)
    return "\n".join(out)


def cut_objects(text, names):
    """Makefile @text that does not make the objects @names."""
    missing = []
    for name in names:
        text, times = re.subn(rf"[ \t]*(?<![\w./-]){re.escape(name)}"
                              r"(?![\w./-])", "", text)
        if not times:
            missing.append(name)
    if missing:
        raise CutError("not made here: " + " ".join(missing))
    return text


# --- the file -----------------------------------------------------------------

def parse(body):
    """{path: [names]} of what stands below the message."""
    found, path = {}, None
    for line in filter(str.strip, body.splitlines()):
        if not line[0].isspace():
            path, _, line = line.partition(":")
            if path in found or ".." in path.split("/") or \
                    not re.fullmatch(r"(\w[\w.-]*/)*([\w.-]+\.c|Makefile)",
                                     path):
                raise CutError(f"{path}: named twice, or neither C nor "
                               "Makefile")
            found[path] = []
        if path is None:
            raise CutError(f"{line.strip()}: no file")
        found[path] += line.split()
    return found


def apply(tree, body):
    """Cut in the files of @tree; all names are tried before it fails."""
    done, errors = {}, []
    for path, names in parse(body).items():
        try:
            text = (tree / path).read_text()
            change = cut if path.endswith(".c") else cut_objects
            done[path] = change(text, names)
        except (OSError, CutError) as error:
            errors.append(f"{path}: {error}")
    if errors:
        raise CutError("\n".join(errors))
    for path, text in done.items():
        (tree / path).write_text(text)
