"""check_tree.py finds each kind of breach, and nothing in a clean tree."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(Path(__file__).parent))
import check_tree  # noqa: E402

CLEAN = {
    "base/side.h": "#pragma once\n\n#include <cstdint>\n",
    "capture/wire_event.h": '#pragma once\n#include "base/side.h"\n',
    "capture/capture_file.h": "#pragma once\n",
    "parser/item.h": '#pragma once\n#include "base/side.h"\n',
    "timeline/event.h": '#pragma once\n#include "capture/wire_event.h"\n#include "parser/item.h"\n',
    "exporters/json.cc": '#include "timeline/event.h"\n',
    "capture/event_line.cc": "#include <simdjson.h>\n",
    "net/loop.cc": '#include <uv.h>\n#include "base/side.h"\n',
    "proxy/tls/tls_context.cc": "#include <openssl/ssl.h>\n",
    "cli/main.cc": '#include <CLI/CLI.hpp>\n#include "net/loop.h"\n',
    "net/loop.h": "#pragma once\n",
    "readers/input_buffer.h": "#pragma once\n",
    "readers/packets/tcp_stream.h": '#pragma once\n#include "readers/input_buffer.h"\n',
    "readers/reader_list.cc": '#include "readers/packets/tcp_stream.h"\n',
    "timeline/state/owed.h": '#pragma once\n#include "timeline/event.h"\n',
    "timeline/rules/gap.cc": '#include "timeline/state/owed.h"\n',
    "timeline/rules/catalogue.h": "#pragma once\n",
    "exporters/text/text_style.h": "#pragma once\n",
    "exporters/comparison/table.cc": '#include "exporters/text/text_style.h"\n',
    "tests/proxy/loop_test.cc": '#include <uv.h>\n#include "net/loop.h"\n',
}


class CheckTree(unittest.TestCase):
    def problems(self, changes):
        """What the check says about the clean tree with `changes` (path -> text) applied."""
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            for name, text in (CLEAN | changes).items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
            return check_tree.check(root)

    def assert_one(self, path, text, words):
        problems = self.problems({path: text})
        self.assertEqual(len(problems), 1, problems)
        self.assertIn(path, problems[0])
        self.assertIn(words, problems[0])

    def test_clean_tree(self):
        self.assertEqual(self.problems({}), [])

    def test_folder_outside_the_table(self):
        self.assert_one("parser/a.cc", '#include "timeline/event.h"\n', "parser/ must not include")
        self.assert_one("proxy/a.cc", '#include "timeline/event.h"\n', "proxy/ must not include")
        self.assert_one("net/a.cc", '#include "capture/capture_file.h"\n', "net/ must not include")
        self.assert_one("base/a.h", '#pragma once\n#include "parser/item.h"\n', "base/ must not")

    def test_single_header_permission_does_not_open_the_folder(self):
        self.assert_one("timeline/a.cc", '#include "capture/capture_file.h"\n', "timeline/ must not")
        self.assert_one("exporters/a.cc", '#include "capture/capture_file.h"\n', "exporters/ must")

    def test_subfolders_include_only_what_their_row_names(self):
        self.assert_one("readers/logs/a.cc", '#include "readers/packets/tcp_stream.h"\n',
                        "readers/logs/ must not include")
        self.assert_one("timeline/state/a.cc", '#include "timeline/rules/catalogue.h"\n',
                        "timeline/state/ must not include")
        self.assert_one("exporters/json/a.cc", '#include "exporters/text/text_style.h"\n',
                        "exporters/json/ must not include")

    def test_subfolders_are_in_the_table(self):
        self.assert_one("timeline/extra/a.h", "#pragma once\n", "its folder is none of")
        self.assert_one("timeline/rules/more/a.h", "#pragma once\n", "its folder is none of")
        self.assertEqual(self.problems({"timeline/rules/gap.md": "", "docs/more/a.md": ""}), [])

    def test_every_row_is_about_a_folder_that_the_tables_have(self):
        for folder, others in check_tree.SUBFOLDERS.items():
            for other in others:
                self.assertEqual(folder.split("/")[0], other.split("/")[0])
                self.assertTrue(other.endswith(".h") or other in check_tree.SUBFOLDERS
                                or other in check_tree.MAY_INCLUDE)

    def test_the_map_names_files_that_exist(self):
        page = "docs/architecture.md"
        self.assertEqual(self.problems({page: "`net/loop.cc`, then `loop.h` and `net/`, `uv.h`\n",
                                        "base/uv.h": "#pragma once\n"}), [])
        self.assert_one(page, "\n`net/loops.cc`\n", ":2: there is no net/loops.cc")
        self.assert_one(page, "`loops.h`\n", "no file named loops.h")

    def test_the_map_names_what_the_code_has(self):
        page = "docs/architecture.md"
        code = {"net/a.h": "#pragma once\nclass Loop {\n  void run_once();\n};\n"}
        self.assertEqual(self.problems(code | {page: "`Loop`, `Loop::run_once`, `RCPT TO`, `250`\n"}), [])
        for words, missing in (("`Lop`", "Lop"), ("`Loop::run_twice()`", "Loop::run_twice")):
            (problem,) = self.problems(code | {page: words})
            self.assertIn(f":1: nothing in the code is called {missing}", problem)

    def folder_table(self, changes):
        """What the check says of the real table of folders with `changes` (text -> text) made."""
        page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
        for before, after in changes.items():
            self.assertEqual(page.count(before), 1, before)
            page = page.replace(before, after)
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            for name in check_tree.MAY_INCLUDE.keys() | check_tree.SUBFOLDERS.keys() | {"docs"}:
                (root / name).mkdir(parents=True, exist_ok=True)
            (root / "docs/architecture.md").write_text(page, encoding="utf-8")
            return list(check_tree.check_folder_table(root))

    def test_the_map_has_the_folders_of_the_tables(self):
        self.assertEqual(self.folder_table({}), [])
        for changes, words in (
            ({"| `net/` |": "| net |"}, "the table has no row for net/"),
            ({"| `net/` |": "| `net/` with `old/` |"}, "the subfolders of net/ are none"),
            ({"| `diff/` with `runs/`, `taps/` |": "| `diff/` with `runs/` |"},
             "the subfolders of diff/ are runs, taps"),
            ({"which know no SMTP | `base` |": "which know no SMTP | `base`, `parser` |"},
             "net/ may include base"),
            ({"| `net/` |": "| `old/` | sockets | `base` |\n| `net/` |"},
             "old/ is not in check_tree.py"),
        ):
            with self.subTest(words):
                (problem,) = self.folder_table(changes)
                self.assertIn(words, problem)

    def test_a_folder_that_is_gone_is_taken_out_of_the_tables(self):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            for name in check_tree.MAY_INCLUDE.keys() | check_tree.SUBFOLDERS.keys() | {"docs"}:
                if name != "proxy/sink":
                    (root / name).mkdir(parents=True, exist_ok=True)
            (root / "docs/architecture.md").write_bytes((ROOT / "docs/architecture.md").read_bytes())
            self.assertEqual(list(check_tree.check_folder_table(root)),
                             ["check_tree.py has proxy/sink/, and there is no such folder"])

    def test_line_is_named(self):
        problems = self.problems({"parser/a.cc": '\n\n  #  include   "timeline/event.h"\n'})
        self.assertTrue(problems[0].startswith("parser/a.cc:3:"), problems)

    def test_program_includes_tests(self):
        self.assert_one("cli/a.cc", '#include "tests/catch.h"\n', "not a path")
        with_file = self.problems(
            {"cli/a.cc": '#include "tests/catch.h"\n', "tests/catch.h": "#pragma once\n"}
        )
        self.assertEqual(with_file, ['cli/a.cc:1: the program must not include "tests/catch.h"'])

    def test_foreign_headers_stay_home(self):
        self.assert_one("capture/a.cc", "#include <uv.h>\n", "<uv.h>")
        self.assert_one("capture/a.cc", "#include <uv/unix.h>\n", "<uv/unix.h>")
        self.assert_one("net/listener.cc", "#include <openssl/ssl.h>\n", "<openssl/ssl.h>")
        self.assert_one("capture/a.h", "#pragma once\n#include <simdjson.h>\n", "simdjson")
        self.assert_one("proxy/a.cc", "#include <CLI/CLI.hpp>\n", "<CLI/CLI.hpp>")

    def test_relative_and_angled_paths(self):
        self.assert_one("parser/a.cc", '#include "item.h"\n', "not a path from the root")
        self.assert_one("parser/a.cc", "#include <parser/item.h>\n", "in quotes")

    def test_pragma_once(self):
        self.assert_one("base/a.h", "#ifndef A\n#define A\n#endif\n", "#pragma once")

    def test_names(self):
        self.assert_one("base/string_utils.h", "#pragma once\n", "utils")
        self.assert_one("tests/proxy/helpers.py", "", "helpers")
        self.assertEqual(self.problems({"base/utility_pole.h": "#pragma once\n"}), [])

    def test_type_names_are_told_apart(self):
        packet = "#pragma once\nclass Packet final : public Base {\n};\n"
        problems = self.problems({"capture/a.h": packet, "proxy/b.h": packet})
        self.assertEqual(
            problems, ["proxy/b.h:2: Packet is the name of a type at capture/a.h:2, too"])
        forward = "#pragma once\nclass Packet;\nstruct Own {\n  struct Packet {};\n};\n"
        self.assertEqual(self.problems({"capture/a.h": packet, "proxy/b.h": forward}), [])

    def test_length(self):
        self.assert_one("cli/a.cc", "//\n" * 701, "701 lines")
        self.assertEqual(self.problems({"cli/a.cc": "//\n" * 700}), [])

    def test_placement(self):
        self.assert_one("src/a.cc", "", "sources live in")

    def test_builds_are_left_out(self):
        self.assertEqual(self.problems({"build/dev/utils.h": "", ".git/helpers.h": ""}), [])

    def test_exit_codes(self):
        script = check_tree.__file__
        with tempfile.TemporaryDirectory() as folder:
            empty = subprocess.run([sys.executable, script, folder], capture_output=True, text=True)
            self.assertEqual(empty.returncode, 1)
            self.assertIn("no sources", empty.stderr)
            (Path(folder) / "base").mkdir()
            (Path(folder) / "base/a.h").write_text("#pragma once\n")
            good = subprocess.run([sys.executable, script, folder], capture_output=True, text=True)
            self.assertEqual((good.returncode, good.stdout), (0, ""))
            (Path(folder) / "base/a.h").write_text("\n")
            bad = subprocess.run([sys.executable, script, folder], capture_output=True, text=True)
            self.assertEqual(bad.returncode, 1)
            self.assertIn("#pragma once", bad.stdout)


if __name__ == "__main__":
    unittest.main()
