#!/usr/bin/env python3
"""docs/fleet.md and the views of examples/fleet: every statement runs, and DuckDB, ClickHouse and
PostgreSQL give the same answers. Whatever engine is not there is skipped, and said."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from rows import ROOT, TABLES, Capture, replayed_session, rows_of, run, transcripts

MODULES = ROOT / "build/fleet/node_modules"
SPOOL = "/var/spool/smtpscope"
NODE = shutil.which("node")
BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def present():
    """The engines that are here."""
    found = []
    if NODE and (MODULES / "@duckdb/node-api").is_dir():
        found.append("duckdb")
    if NODE and (MODULES / "chdb").is_dir():
        found.append("clickhouse")
    if BINARIES and shutil.which("psql") and os.geteuid() == 0 and shutil.which("runuser"):
        found.append("postgres")
    return found


def blocks(engine):
    """The statements of the page for one engine, a text for each block."""
    page = (ROOT / "docs/fleet.md").read_text(encoding="utf-8")
    return re.findall(rf"```sql {engine}\n(.*?)```", page, re.S)


def statements(text):
    """One by one; comments are left out. No string of ours holds a semicolon at the end of a line."""
    text = re.sub(r"(?m)^--.*\n", "", text)
    return [each.strip() for each in re.split(r";\s*(?:\n|$)", text) if each.strip()]


def ddl(engine):
    return run("records", "--ddl", engine).out


def comparable(answers):
    """Numbers may come as text, and be rounded differently; columns keep their order."""
    def one(value):
        if isinstance(value, bool) or value is None:
            return value
        try:
            return round(float(value), 3)
        except ValueError:
            return value
    return [[[one(value) for value in row] for row in rows] for rows in answers]


def work_for(engine, spool):
    """What DuckDB and ClickHouse do: the tables, the files of `spool`, the views, and the questions."""
    views = (ROOT / "examples/fleet/views.sql").read_text(encoding="utf-8")
    # The transcripts are older than that already.
    load = [each.replace(SPOOL, str(spool)).replace("INTERVAL 90 DAY", "INTERVAL 50 YEAR") for block in blocks(engine) for each in statements(block)]
    return {"run": statements(ddl(engine)) + load + statements(views),
            "ask": [each for block in blocks("any") for each in statements(block)]}


def run_engine(engine, work, patience=240):
    """DuckDB and ClickHouse are modules of Node.js."""
    done = subprocess.run([NODE, Path(__file__).with_name("engine.cjs"), MODULES, engine],
                          input=json.dumps(work), capture_output=True, text=True, timeout=patience, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Postgres:
    """A server of its own, on a socket in a folder of its own."""

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp())
        shutil.chown(self.folder, "postgres")
        # As for a test: nothing has to outlive it.
        self.as_user("initdb", "-D", self.folder / "data", "--no-sync", "-A", "trust", "-E", "UTF8", "--locale=C")
        self.as_user("pg_ctl", "-D", self.folder / "data", "-w", "-l", self.folder / "log", "-o",
                     f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c fsync=off", "start")
        return self

    def __exit__(self, *_):
        self.as_user("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.folder)

    @staticmethod
    def as_user(program, *arguments):
        subprocess.run(["runuser", "-u", "postgres", "--", BINARIES[-1] / program, *map(str, arguments)],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120, cwd="/")

    def sql(self, text):
        done = subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", str(self.folder), "-U", "postgres",
                               "-A", "-t", "postgres"],
                              input=text, capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def rows(self, statement):
        """As lists, with nulls and booleans as JSON has them."""
        text = self.sql(f"SELECT coalesce(json_agg(r), '[]') FROM ({statement}) AS r;")
        return [list(row.values()) for row in json.loads(text)]


def in_postgres(spool):
    with Postgres() as server:
        server.sql(ddl("postgres"))
        load = "\n".join(blocks("postgres")).replace(SPOOL, str(spool))
        server.sql(load)
        server.sql(load)  # twice does no harm
        server.sql((ROOT / "examples/fleet/views.sql").read_text(encoding="utf-8"))
        answers = [server.rows(each) for block in blocks("any") for each in statements(block)]
        return answers


class Fleet(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.spool = Path(folder.name) / "spool"
        captures = transcripts(folder.name)
        for tap in ("mx1", "mx2"):  # both see the same
            capture = Capture()
            capture.lines[0] = capture.lines[0].replace('"tap": ""', f'"tap": "{tap}"')
            for number in range(1, 4):
                replayed_session(capture, number, number * 20_000)
            file = Path(folder.name) / f"{tap}.smtpcap"
            file.write_bytes(capture.octets())
            captures.append(file)
        written = run("show", "-f", "records", "-o", cls.spool, *captures)
        assert written.code == 0, written.err
        cls.answers = {}
        for engine in present():
            answers = in_postgres(cls.spool) if engine == "postgres" else \
                run_engine(engine, work_for(engine, cls.spool))["answers"]
            cls.answers[engine] = comparable(answers)
        cls.asked = [each for block in blocks("any") for each in statements(block)]

    def answer(self, engine, view):
        return self.answers[engine][next(i for i, text in enumerate(self.asked) if f"FROM {view} " in text)]

    def test_every_question_has_an_answer(self):
        for engine, answers in self.answers.items():
            self.assertEqual(len(answers), len(self.asked))
            for question, rows in zip(self.asked, answers):
                with self.subTest(engine=engine, question=question):
                    self.assertNotEqual(rows, [])

    def test_engines_agree(self):
        first, *others = self.answers
        for other in others:
            for question, one, two in zip(self.asked, self.answers[first], self.answers[other]):
                with self.subTest(first=first, second=other, question=question):
                    # Where nulls sort is each engine's own business, and so is what a limit cuts.
                    self.assertEqual(len(one), len(two))
                    numbers = [[[v for v in row if isinstance(v, float)] for row in rows] for rows in (one, two)]
                    if len(one) < 20:
                        self.assertEqual(sorted(map(repr, one)), sorted(map(repr, two)))
                    else:
                        self.assertEqual(sorted(map(repr, numbers[0])), sorted(map(repr, numbers[1])))

    def test_answers_are_those_of_the_rows(self):
        sessions = rows_of(self.spool, "sessions")
        resets = sorted((sum(r["rsets"] for r in sessions if r["client_address"] == address)
                         for address in {r["client_address"] for r in sessions if r["rsets"]}), reverse=True)
        refused = sum(r["refused"] for r in rows_of(self.spool, "exchanges"))
        for engine in self.answers:
            with self.subTest(engine):
                self.assertEqual([row[2] for row in self.answer(engine, "resetting_clients")], resets[:20])
                self.assertLessEqual(sum(row[3] for row in self.answer(engine, "refusals_by_reason")), refused)
                self.assertEqual(sum(row[1] for row in self.answer(engine, "record_quality")), len(sessions))
                pairs = [row for row in self.answer(engine, "session_pairs") if row[0] == "mx1"]
                # Three sessions at each tap, all with the same message: each has met each.
                self.assertEqual(len(pairs), 9)
                self.assertEqual({(row[2], row[4], row[5]) for row in pairs}, {("mx2", 1.0, 0.0)})

    def test_the_views_are_those_of_the_page(self):
        views = set(re.findall(r"CREATE OR REPLACE VIEW (\w+)",
                               (ROOT / "examples/fleet/views.sql").read_text(encoding="utf-8")))
        asked = {re.search(r"FROM (\w+)", each)[1] for each in self.asked}
        self.assertEqual(asked | {"seen_twice"}, views)

    def test_every_shipper_takes_every_table(self):
        for name in ("fluent-bit.conf", "rsyslog.conf"):
            text = (ROOT / "examples/fleet" / name).read_text(encoding="utf-8")
            for table in TABLES:
                self.assertIn(f"{SPOOL}/{table}-*.jsonl", text)


if __name__ == "__main__":
    missing = sorted({"duckdb", "clickhouse", "postgres"} - set(present()))
    if missing:
        print(f"SKIPPED {len(missing)} of 3 databases, which are not here: {', '.join(missing)} "
              "(script/fleet-engines; Debian: postgresql)")
    if len(missing) == 3:
        sys.exit(77)
    unittest.main()
