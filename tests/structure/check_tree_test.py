"""check_tree.py finds each kind of breach, and nothing in a clean tree."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import check_tree  # noqa: E402

CLEAN = {
    "base/side.h": "#pragma once\n\n#include <cstdint>\n",
    "capture/wire_event.h": '#pragma once\n#include "base/side.h"\n',
    "capture/capture_file.h": "#pragma once\n",
    "parser/item.h": '#pragma once\n#include "base/side.h"\n',
    "timeline/event.h": '#pragma once\n#include "capture/wire_event.h"\n#include "parser/item.h"\n',
    "exporters/json.cc": '#include <nlohmann/json.hpp>\n#include "timeline/event.h"\n',
    "proxy/loop.cc": '#include <uv.h>\n#include "capture/capture_file.h"\n',
    "proxy/tls_context.cc": "#include <openssl/ssl.h>\n",
    "cli/main.cc": '#include <CLI/CLI.hpp>\n#include "proxy/loop.h"\n',
    "proxy/loop.h": "#pragma once\n",
    "tests/proxy/loop_test.cc": '#include <uv.h>\n#include "proxy/loop.h"\n',
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
        self.assert_one("base/a.h", '#pragma once\n#include "parser/item.h"\n', "base/ must not")

    def test_single_header_permission_does_not_open_the_folder(self):
        self.assert_one("timeline/a.cc", '#include "capture/capture_file.h"\n', "timeline/ must not")
        self.assert_one("exporters/a.cc", '#include "capture/capture_file.h"\n', "exporters/ must")

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
        self.assert_one("proxy/listener.cc", "#include <openssl/ssl.h>\n", "<openssl/ssl.h>")
        self.assert_one("exporters/a.h", "#pragma once\n#include <nlohmann/json.hpp>\n", "nlohmann")
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
