#!/usr/bin/env python3
"""How long DuckDB takes to load the records of many sessions, and to answer the questions of docs/fleet.md.

Makes the rows of N sessions of a month, with the columns that `smtpscope records --schema` names: clients
and servers of which a few have most of the sessions, one message in most sessions, one in ten refused,
some tried again, an eighth seen by a second tap. Loads them with the statements of docs/fleet.md into a
database in a file, makes the views, and asks each of its questions, one after the other; prints seconds,
of the questions the least of --rounds, and how much of it was time of all processors. The database is the one that script/fleet-engines fetches.

usage: records_bench.py [--sessions N] [--rounds N] [--keep FOLDER] SMTPSCOPE
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/records"))

MONTH = 29 * 24 * 3600 * 10**9  # ns; sessions that begin last have a day to end
REFUSALS = [("RCPT", "mailbox-unknown", 550, False), ("RCPT", "greylisted", 450, True),
            ("EOD", "spam", 554, False), ("MAIL", "rate-limited", 451, True), ("RCPT", "relay-denied", 554, False)]
RULES = [("rset-noop", "notice", "client"), ("idle-connection", "info", "client"), ("slow-reply", "warning", "server"),
         ("round-pause", "notice", "client"), ("no-pipelining", "info", "client")]


class Table:
    """Writes rows: those columns that are given for each, and for the others what means nothing."""

    def __init__(self, schema, name, folder, varying, **fixed):
        properties = schema["properties"]
        unknown = {*varying, *fixed} - set(properties)
        assert not unknown, f"{name} has no column {unknown}"
        parts = []
        for column, about in properties.items():
            if column in varying:
                parts.append(f'"{column}":%({column})s')
                continue
            kinds = about.get("type", "string")
            value = fixed[column] if column in fixed else None if "null" in kinds else \
                0 if "integer" in kinds else False if "boolean" in kinds else ""
            parts.append(f'"{column}":{json.dumps(value)}'.replace("%", "%%"))
        self.template = "{" + ",".join(parts) + "}\n"
        # A process has files of its own, also where several write to one folder.
        self.files = {f'"{tap}"': (folder / f"{name}-2026-11-01T00{number}.jsonl").open("w", encoding="ascii",
                                                                                       buffering=1 << 20)
                      for tap, number in (("mx1", ""), ("mx2", "-2"))}
        self.rows = 0

    def add(self, **values):
        self.files[values["tap"]].write(self.template % values)
        self.rows += 1

    def close(self):
        for file in self.files.values():
            file.close()


def few(chance, count):
    """A number below `count`; the small ones are far more frequent."""
    return int(count * chance.random() ** 4)


def stamp(ns):
    """So many nanoseconds after the month began; the month is November."""
    seconds, rest = divmod(ns, 10**9)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    return f'"2026-11-{hours // 24 + 1:02d}T{hours % 24:02d}:{minute:02d}:{second:02d}.{rest:09d}Z"'


def write(schema, folder, sessions):
    chance = random.Random(1)
    defs = schema["$defs"]
    runs = {tap: f"0193a000-0000-7000-8000-00000000000{i}" for i, tap in enumerate(("mx1", "mx2"))}
    table = {
        "sessions": Table(defs["sessions"], "sessions", folder,
                          ("run", "tap", "session", "time", "ended", "duration_ns", "client_address", "server_address",
                           "commands", "rsets", "refusals", "transactions", "accepted", "rejected", "aborted",
                           "idle_server_ns", "idle_client_ns", "findings"),
                          host="relay.example", server_port=25, listener="127.0.0.1:25", upstream="mx.example:25",
                          hello="client.example", ended_cleanly=True, closed_by="client", client_octets=4000,
                          server_octets=600, connect_ns=900000, client_port=40000),
        "exchanges": Table(defs["exchanges"], "exchanges", folder,
                           ("run", "tap", "session", "time", "exchange", "transaction", "kind", "verb", "command",
                            "wait_ns", "code", "replied", "refused", "stage", "reason", "temporary"),
                           host="relay.example", reply=1, octets=30, enhanced="2.0.0", reply_text="2.0.0 Ok",
                           reply_lines=1, reply_octets=14),
        "transactions": Table(defs["transactions"], "transactions", folder,
                              ("run", "tap", "session", "time", "transaction", "ended", "outcome", "sender",
                               "sender_domain", "first_recipient", "recipient_domain", "envelope", "octets", "digest",
                               "final_code", "reason", "aborted_by", "refusal_code"),
                              host="relay.example", duration_ns=20000000, recipients=1, recipients_accepted=1,
                              mail_code=250, data_verb="DATA", data_ns=1000000, lines=60,
                              final_text="2.0.0 Ok: queued as 4B1C2D3E4F"),
        "findings": Table(defs["findings"], "findings", folder,
                          ("run", "tap", "session", "time", "finding", "rule", "severity", "fault", "folded_under"),
                          host="relay.example", category="timing", certainty="seen",
                          text="The client waited where it need not."),
    }
    verbs = [("greeting", None), ("command", "EHLO"), ("command", "MAIL"), ("command", "RCPT"), ("command", "DATA"),
             ("mail-data", None), ("command", "QUIT")]
    words = {each: json.dumps(each) for each in ("mx1", "mx2")}

    def session(tap, number, began, client, server, mails):
        run = f'"{runs[tap]}"'
        common = {"run": run, "tap": words[tap], "session": number}
        at, exchange, refusals, rsets, outcomes, wait_all = began, 0, 0, 0, [], 0
        for which, (kind, verb) in enumerate(verbs):
            for index, mail in enumerate(mails if 2 <= which <= 5 else [None]):
                refused = mail is not None and mail["refusal"] and verb == mail["refusal"][0].replace("EOD", "")
                refused = refused or (mail is not None and kind == "mail-data" and mail["refusal"] and
                                      mail["refusal"][0] == "EOD")
                wait = int(chance.lognormvariate(15, 1.5))  # about 3 ms, some seconds
                exchange += 1
                stage, reason, code, temporary = mail["refusal"] if refused else (None, None, 250, None)
                table["exchanges"].add(
                    **common, time=stamp(at), exchange=exchange, transaction=index + 1 if mail else "null",
                    kind=f'"{kind}"', verb=f'"{verb}"' if verb else "null",
                    command=f'"{verb} x"' if verb else "null", wait_ns=wait, code=code, replied=stamp(at + wait),
                    refused="true" if refused else "false", stage=f'"{stage}"' if stage else "null",
                    reason=f'"{reason}"' if reason else "null",
                    temporary="null" if temporary is None else "true" if temporary else "false")
                at += wait + 500_000
                wait_all += wait
                refusals += bool(refused)
        for index, mail in enumerate(mails):
            refusal = mail["refusal"]
            outcome = "rejected" if refusal else "aborted" if mail["reset"] else "accepted"
            outcomes.append(outcome)
            rsets += mail["reset"]
            table["transactions"].add(
                **common, time=stamp(began), transaction=index + 1, ended=stamp(at), outcome=f'"{outcome}"',
                sender=f'"u{mail["from"]}@s{mail["from"] % 900}.example"', sender_domain=f'"s{mail["from"] % 900}.example"',
                first_recipient=f'"v{mail["to"]}@r{mail["to"] % 300}.example"',
                recipient_domain=f'"r{mail["to"] % 300}.example"', envelope=f'"{mail["envelope"]:016x}"',
                octets=mail["octets"], digest=f'"{mail["digest"]:016x}"',
                final_code="null" if outcome != "accepted" else 250, reason=f'"{refusal[1]}"' if refusal else "null",
                aborted_by='"RSET"' if outcome == "aborted" else "null", refusal_code=refusal[2] if refusal else "null")
        found = few(chance, 3)
        for index in range(found):
            rule, severity, fault = RULES[few(chance, len(RULES))]
            table["findings"].add(**common, time=stamp(at), finding=index + 1, rule=f'"{rule}"',
                                  severity=f'"{severity}"', fault=f'"{fault}"', folded_under="null")
        table["sessions"].add(
            **common, time=stamp(began), ended=stamp(at), duration_ns=at - began, client_address=client,
            server_address=server, commands=exchange - 1, rsets=rsets, refusals=refusals, transactions=len(mails),
            accepted=outcomes.count("accepted"), rejected=outcomes.count("rejected"),
            aborted=outcomes.count("aborted"), idle_server_ns=wait_all, idle_client_ns=500_000 * exchange,
            findings=found)

    retried, numbers = [], {"mx1": 0, "mx2": 0}
    made = 0
    while made < sessions:
        began = int(MONTH * (made / sessions)) + chance.randrange(10**9)
        client = f'"192.{few(chance, 20)}.{few(chance, 250)}.{few(chance, 250)}"'
        server = f'"198.51.100.{few(chance, 200)}"'
        mails = []
        for _ in range(0 if chance.random() < 0.05 else 1 if chance.random() < 0.85 else 3):
            if retried and chance.random() < 0.05:
                mail = dict(retried.pop(), refusal=None)
            else:
                mail = {"from": few(chance, 200_000), "to": few(chance, 100_000), "envelope": chance.getrandbits(63),
                        "digest": chance.getrandbits(63), "octets": int(chance.lognormvariate(9, 1.3)), "reset": 0,
                        "refusal": chance.choice(REFUSALS) if chance.random() < 0.1 else None}
                if mail["refusal"] and mail["refusal"][3]:
                    retried.append(mail)
                mail["reset"] = int(chance.random() < 0.02)
            mails.append(mail)
        taps = ("mx1", "mx2") if chance.random() < 0.125 else (chance.choice(("mx1", "mx2")),)
        for tap in taps:
            numbers[tap] += 1
            session(tap, numbers[tap], began, client, server, mails)
            made += 1
    for each in table.values():
        each.close()
    return {name: each.rows for name, each in table.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="where the rows are, or are put, to be used again")
    parser.add_argument("program")
    arguments = parser.parse_args()
    os.environ["SMTPSCOPE"], os.environ["SMTPSCOPE_ROOT"] = arguments.program, str(ROOT)
    import fleet_test as fleet  # the statements of the page, and how they are run
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        folder.mkdir(exist_ok=True)
        if not any(folder.glob("*.jsonl")):
            began = time.monotonic()
            schema = json.loads(subprocess.run([arguments.program, "records", "--schema"], check=True,
                                               stdout=subprocess.PIPE).stdout)
            rows = write(schema, folder, arguments.sessions)
            print(f"written in {time.monotonic() - began:.0f} s: " +
                  ", ".join(f"{count} {name}" for name, count in rows.items()))
        size = sum(file.stat().st_size for file in folder.glob("*.jsonl"))
        work = fleet.work_for("duckdb", folder)
        work["ask"] *= arguments.rounds
        answer = fleet.run_engine("duckdb", {**work, "database": f"{temporary}/fleet.duckdb"}, patience=3600)
        print(f"loaded in {answer['run_s']:.0f} s: {size / 1e9:.1f} GB of rows")
        questions = work["ask"][:len(work["ask"]) // arguments.rounds]
        for i, question in enumerate(questions):
            least, cpu = (min(answer[of][i::len(questions)]) for of in ("ask_s", "ask_cpu_s"))
            view = question.split(" FROM ")[1].split()[0]
            print(f"{least:6.2f} s  {cpu:6.2f} s of CPU  {view}  ({len(answer['answers'][i])} rows)")


if __name__ == "__main__":
    main()
