#!/usr/bin/env python3
"""Holds the tree to the rules that the compiler does not know.

Who may include whom is the architecture of docs/architecture.md; a rule that nothing enforces is
gone within a year. Prints one line per breach and exits 1 if there is any.

usage: check_tree.py ROOT
"""

import re
import sys
from pathlib import Path

# Each folder of the program, and what it may include from the others: a folder, or a single header.
MAY_INCLUDE = {
    "base": [],
    "parser": ["base"],
    "capture": ["base", "parser"],
    "readers": ["base", "parser", "capture"],
    "redact": ["base", "parser", "capture"],
    "timeline": ["base", "parser", "capture/wire_event.h", "capture/fidelity.h", "capture/screen.h"],
    "diff": ["base", "parser", "timeline", "capture/wire_event.h"],
    "exporters": ["base", "timeline", "diff", "parser/item.h", "capture/wire_event.h",
                  "capture/fidelity.h", "capture/wall_time.h"],
    "proxy": ["base", "parser", "capture"],
    "cli": ["base", "parser", "capture", "readers", "redact", "timeline", "diff", "exporters",
            "proxy"],
}

# Foreign headers that belong in one place: which include, and the files that may have it.
CONFINED = [
    (re.compile(r"uv(/.*)?\.h"), re.compile(r"proxy/.*")),
    (re.compile(r"(zlib|pcap(/.*)?)\.h"), re.compile(r"readers/.*")),
    (re.compile(r"openssl/.*"), re.compile(r"proxy/(tls|cert)_[^/]*|redact/keyed_hash\.cc")),
    # It is slow to compile and throws: what uses it stays behind our own types.
    (re.compile(r"nlohmann/.*"), re.compile(r".*\.cc")),
    (re.compile(r"CLI/.*"), re.compile(r"cli/.*")),
]

# Names that say nothing attract everything.
FORBIDDEN_NAMES = {"common", "helper", "helpers", "misc", "util", "utils"}

MAX_LINES = 700
CODE = {".cc", ".h"}
LONG_FILES = CODE | {".py", ".sh", ".cmake"}
# A type of the namespace itself; clang-format keeps those, and only those, at the margin.
TYPE = re.compile(r"^(?:class|struct|union|enum(?: class)?) (\w+)[^;]*\{")
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')


def files(root):
    """Every file of the project, as paths relative to `root`; builds and hidden folders left out."""
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        parts = relative.parts
        if parts[0] == "build" or any(p.startswith(".") or p == "__pycache__" for p in parts):
            continue
        if path.is_file():
            yield relative


def includes(text):
    """(line number, header, quoted) of each #include."""
    for number, line in enumerate(text.splitlines(), 1):
        if match := INCLUDE.match(line):
            yield number, match[1] or match[2], match[1] is not None


def allowed(folder, header):
    """Whether a file of `folder` may include the project's `header`."""
    if header.split("/")[0] == folder:
        return True
    return any(header == entry or header.startswith(entry + "/") for entry in MAY_INCLUDE[folder])


def check_includes(root, relative, text):
    folder = relative.parts[0]
    for number, header, quoted in includes(text):
        where = f"{relative}:{number}"
        for pattern, home in CONFINED:
            # Tests may use a foreign header to check what we did with it.
            if pattern.fullmatch(header) and folder in MAY_INCLUDE:
                if not home.fullmatch(str(relative)):
                    yield f"{where}: <{header}> does not belong here"
        if not quoted:
            if header.split("/")[0] in MAY_INCLUDE and "/" in header:
                yield f"{where}: our own headers are included in quotes, not <{header}>"
            continue
        if not (root / header).is_file():
            yield f'{where}: "{header}" is not a path from the root of the project'
        elif folder in MAY_INCLUDE and header.split("/")[0] not in MAY_INCLUDE:
            yield f'{where}: the program must not include "{header}"'
        elif folder in MAY_INCLUDE and not allowed(folder, header):
            yield f'{where}: {folder}/ must not include "{header}"'


def check_headers_once(relative, text):
    if relative.suffix == ".h":
        first = next((line for line in text.splitlines() if line.strip()), "")
        if first.strip() != "#pragma once":
            yield f"{relative}: does not start with #pragma once"


def check_name(relative):
    for part in relative.parts:
        words = set(re.split(r"[^a-z]+", part.lower()))
        if named := sorted(words & FORBIDDEN_NAMES):
            yield f"{relative}: the name says nothing ({', '.join(named)})"


def check_length(relative, text):
    lines = text.count("\n")
    if lines > MAX_LINES:
        yield f"{relative}: {lines} lines, more than {MAX_LINES}; split it by idea"


def check_placement(relative):
    """Sources live in the folders of the table, or beside it where the table does not reach."""
    beside = {"tests", "bench", "fuzz", "examples"}
    if relative.suffix in CODE and relative.parts[0] not in MAY_INCLUDE.keys() | beside:
        yield f"{relative}: sources live in {', '.join(MAY_INCLUDE)}"


def check_type_names(relative, text, seen):
    """All folders share one namespace: of two types with one name the linker takes either's code."""
    if relative.suffix != ".h" or relative.parts[0] not in MAY_INCLUDE:
        return
    for number, line in enumerate(text.splitlines(), 1):
        if match := TYPE.match(line):
            where = f"{relative}:{number}"
            first = seen.setdefault(match[1], where)
            if first != where:
                yield f"{where}: {match[1]} is the name of a type at {first}, too"


def check(root):
    """Every breach in the tree at `root`, as lines for the reader."""
    problems = []
    types = {}
    for relative in files(root):
        problems += check_name(relative)
        problems += check_placement(relative)
        if relative.suffix in LONG_FILES:
            text = (root / relative).read_text(encoding="utf-8")
            problems += check_length(relative, text)
        if relative.suffix in CODE:
            problems += check_includes(root, relative, text)
            problems += check_headers_once(relative, text)
            problems += check_type_names(relative, text, types)
    return problems


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    root = Path(sys.argv[1])
    problems = check(root)
    for problem in problems:
        print(problem)
    # An empty list of files would pass every check.
    if not any(path.suffix in CODE for path in files(root)):
        sys.exit(f"no sources below {root}")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
