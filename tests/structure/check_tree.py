#!/usr/bin/env python3
"""Holds the tree to the rules that the compiler does not know.

Which folders there are, and who may include whom, is the architecture of docs/architecture.md; a
rule that nothing enforces is gone within a year. Prints one line per breach and exits 1 if there
is any.

usage: check_tree.py ROOT
"""

import os
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
    "timeline": ["base", "parser", "capture/wire_event.h", "capture/fidelity.h",
                 "capture/sanitizer.h", "capture/certificate.h"],
    "trace": ["base", "parser", "capture", "timeline", "exporters/output.h",
              "proxy/relay_observer.h"],
    "diff": ["base", "parser", "timeline", "trace", "capture/wire_event.h"],
    "page": [],
    "exporters": ["base", "page", "timeline", "trace", "diff", "parser/item.h", "parser/capabilities.h",
                  "parser/path.h", "parser/tls_messages.h", "capture/wire_event.h",
                  "capture/fidelity.h", "capture/wall_time.h", "capture/certificate.h",
                  "capture/tls_facts.h"],
    "net": ["base"],
    "proxy": ["base", "parser", "capture", "net"],
    "lab": ["base", "parser", "capture/wire_event.h", "net", "proxy"],
    "web": ["base", "page", "exporters/output.h"],
    "cli": ["base", "web", "parser", "capture", "readers", "redact", "timeline", "trace", "diff",
            "exporters", "net", "proxy", "lab"],
}

# Each subfolder, and what it may include of its own folder besides itself: headers right in a
# folder, another subfolder, or a single header. Headers that are not in a subfolder may include every one.
SUBFOLDERS = {
    "readers/packets": ["readers"],
    "readers/text": ["readers"],
    "readers/logs": ["readers", "readers/text"],
    "timeline/reasons": ["timeline"],
    "timeline/state": ["timeline", "timeline/reasons"],
    "timeline/filter": ["timeline", "timeline/reasons", "timeline/state"],
    "timeline/rules": ["timeline", "timeline/state"],
    "timeline/causes": ["timeline", "timeline/reasons", "timeline/state", "timeline/rules",
                        "timeline/verdict/transaction_tally.h"],
    "timeline/verdict": ["timeline", "timeline/reasons", "timeline/state", "timeline/causes"],
    "diff/runs": ["diff"],
    "diff/taps": ["diff"],
    "exporters/text": ["exporters"],
    "exporters/json": ["exporters"],
    "exporters/html": ["exporters", "exporters/text", "exporters/json"],
    "exporters/records": ["exporters"],
    "exporters/otlp": ["exporters", "exporters/records"],
    "exporters/metrics": ["exporters"],
    "exporters/packets": ["exporters"],
    "exporters/comparison": ["exporters", "exporters/text", "exporters/json"],
    "proxy/identity": ["proxy"],
    "proxy/tls": ["proxy"],
    "proxy/sink": ["proxy"],
    "lab/replay": [],
}

# Foreign headers that belong in one place: which include, and the files that may have it.
CONFINED = [
    (re.compile(r"microhttpd\.h"), re.compile(r"web/.*")),
    (re.compile(r"prometheus/.*"), re.compile(r"exporters/metrics/.*\.cc")),
    (re.compile(r"uv(/.*)?\.h"), re.compile(r"(net|proxy)/.*")),
    (re.compile(r"(zlib|zstd|pcap(/.*)?)\.h"), re.compile(r"(readers|exporters/html)/.*|capture/packed_file\.cc|exporters/otlp/collector_link\.cc")),
    (re.compile(r"openssl/.*"), re.compile(r"proxy/tls/.*|redact/keyed_hash\.cc|capture/certificate\.cc")),
    # What uses it stays behind our own types.
    (re.compile(r"simdjson\.h"), re.compile(r"(capture|cli)/.*\.cc|exporters/otlp/collector_answer\.cc")),
    (re.compile(r"curl/.*"), re.compile(r"exporters/otlp/collector_link\.cc")),
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
    found = []
    for folder, folders, names in os.walk(root):
        here = Path(folder).relative_to(root)
        # Not even looked into: a build goes on while this reads.
        folders[:] = [each for each in folders if not each.startswith(".") and each != "__pycache__"
                      and (here.parts or each != "build")]
        found += [here / name for name in names if not name.startswith(".")]
    yield from sorted(path for path in found if (root / path).is_file())


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


def subfolder(path):
    """The folder and subfolder that the file at `path` lies in: "timeline/rules", or "timeline"."""
    return "/".join(path.split("/")[:-1][:2])


def allowed_inside(relative, header):
    """Whether a file may include `header` of its own folder."""
    here, there = subfolder(str(relative)), subfolder(header)
    row = SUBFOLDERS.get(here)
    return here == there or row is None or there in row or header in row


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
        elif header.split("/")[0] == folder and not allowed_inside(relative, header):
            yield f'{where}: {subfolder(str(relative))}/ must not include "{header}"'


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
    elif relative.suffix in CODE and relative.parts[0] in MAY_INCLUDE and len(relative.parts) > 2:
        if len(relative.parts) > 3 or subfolder(str(relative)) not in SUBFOLDERS:
            yield f"{relative}: its folder is none of {', '.join(SUBFOLDERS)}"


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


def check_map(root, every):
    """The map of the code names what exists: files by path or by name, types and functions."""
    page = root / "docs/architecture.md"
    if not page.is_file():
        return
    names = {path.name for path in every}
    folders = MAY_INCLUDE.keys() | {"tests", "docs", "cmake", "script"}
    code = "\n".join((root / path).read_text(encoding="utf-8") for path in every if path.suffix in CODE)
    words_of_code = set(re.findall(r"\w+", code))
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        for word in re.findall(r"`(\w[\w./]*)`", line):
            if word.split("/")[0] in folders and "/" in word:
                if not (root / word).exists():
                    yield f"docs/architecture.md:{number}: there is no {word}"
            elif word.endswith((".cc", ".h", ".def", ".cmake")) and word not in names:
                yield f"docs/architecture.md:{number}: there is no file named {word}"
        for word in re.findall(r"`((?:\w+::)*[A-Z][a-z]\w*(?:::\w+)*)(?:\(\))?`", line):
            if not set(word.split("::")) <= words_of_code:
                yield f"docs/architecture.md:{number}: nothing in the code is called {word}"


def check_folder_table(root):
    """The map's table of folders is the tables above, and both are what there is."""
    page = root / "docs/architecture.md"
    rows = {}
    if page.is_file() and "\n| folder | what lives there | may include |\n" in page.read_text("utf-8"):
        for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
            if match := re.fullmatch(r"\| `(\w+)/`(.*?) \|.*\| (.*?) \|", line):
                rows[match[1]] = (number, match[2], match[3])
    if not rows:
        return
    for folder, may in MAY_INCLUDE.items():
        if folder not in rows:
            yield f"docs/architecture.md: the table has no row for {folder}/"
            continue
        number, within, includes_told = rows[folder]
        where = f"docs/architecture.md:{number}"
        subfolders = {s.split("/")[1] for s in SUBFOLDERS if s.split("/")[0] == folder}
        if set(re.findall(r"`(\w+)/`", within)) != subfolders:
            yield f"{where}: the subfolders of {folder}/ are {', '.join(sorted(subfolders)) or 'none'}"
        told = set(re.findall(r"`([\w./]+)`", includes_told))
        if includes_told.startswith("all but "):
            told = MAY_INCLUDE.keys() - told - {folder}
        if told != set(may):
            yield f"{where}: {folder}/ may include {', '.join(may)}"
    for folder in rows.keys() - MAY_INCLUDE.keys():
        yield f"docs/architecture.md:{rows[folder][0]}: {folder}/ is not in check_tree.py"
    for folder in MAY_INCLUDE.keys() | SUBFOLDERS.keys():
        if not (root / folder).is_dir():
            yield f"check_tree.py has {folder}/, and there is no such folder"


def check(root):
    """Every breach in the tree at `root`, as lines for the reader."""
    every = list(files(root))
    problems = [*check_map(root, every), *check_folder_table(root)]
    types = {}
    for relative in every:
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
