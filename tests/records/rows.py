"""Runs the program and reads the rows that it writes."""

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))

from program import PROGRAM, ROOT, Capture, ProgramTest, quiet_session, replayed_session, run  # noqa: E402,F401

TABLES = ("sessions", "exchanges", "transactions", "findings")


def rows_of(folder, table, hour="*"):
    """The rows of a table, in the order of its files; each line has to be whole."""
    rows = []
    for file in sorted(Path(folder).glob(f"{table}-{hour}.jsonl")):
        text = file.read_text(encoding="utf-8")
        assert text.endswith("\n"), f"{file} ends in the middle of a line"
        rows += [json.loads(line) for line in text.splitlines()]
    return rows


def schema(table=None):
    return json.loads(run("records", "--schema", *(["--table", table] if table else [])).out)


def transcripts(folder):
    """Captures of every transcript of the project."""
    import subprocess
    subprocess.run([os.environ["TRANSCRIPT_CAPTURES"], str(folder)], check=True, timeout=240)
    return sorted(Path(folder).glob("*.smtpcap"))
