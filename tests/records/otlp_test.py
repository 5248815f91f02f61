#!/usr/bin/env python3
"""Spans: what -f otlp writes and proxy --otlp sends, in both forms, and what becomes of them when the
collector is slow, busy, gone, or wants none of them. Mail is never delayed."""

import json
import os
import re
import socket
import unittest
from types import SimpleNamespace

from collector import (Collector, from_json, from_protobuf, protoc, resource_of, spans_in, unpacked)
from live_test import Proxy
from rows import ROOT, Capture, ProgramTest, replayed_session, run, rows_of, transcripts

for name in [name for name in os.environ if name.startswith("OTEL_")]:
    del os.environ[name]  # of whoever runs the tests


class Environment:
    """Sets variables for the programs that are started meanwhile."""

    def __init__(self, **variables):
        self.variables = variables

    def __enter__(self):
        os.environ.update(self.variables)

    def __exit__(self, *_):
        for each in self.variables:
            del os.environ[each]


class Written(ProgramTest):
    def spans(self, *arguments):
        shown = run("show", "-f", "otlp", *arguments)
        self.assertEqual((shown.code, shown.err), (0, ""))
        return [from_json(line) for line in shown.out.splitlines()]

    def test_every_transcript(self):
        """A trace is a session: one root, everything below it, no time that goes back; the sessions and
        transactions are those of the rows."""
        captures = transcripts(self.folder)
        requests = self.spans("--records-host", "h", *captures)
        run("show", "-f", "records", "-o", self.folder / "rows", "--records-host", "h", *captures)
        spans = spans_in(*requests)
        by_id = {(span.trace, span.id): span for span in spans}
        self.assertEqual(len(by_id), len(spans))
        for span in spans:
            self.assertGreaterEqual(span.ended, span.began, span)
            self.assertRegex(span.trace, r"\A(?!0{32})[0-9a-f]{32}\Z")
            self.assertRegex(span.id, r"\A(?!0{16})[0-9a-f]{16}\Z")
            if span.parent:
                # Of what goes on when the record ends, there is no transaction.
                parent = by_id.get((span.trace, span.parent))
                self.assertIsNotNone(parent, span)
                self.assertEqual(span.kind, 1)
            else:
                self.assertEqual((span.name, span.kind), ("SMTP session", 2))
        rows = {table: rows_of(self.folder / "rows", table) for table in ("sessions", "transactions", "exchanges")}
        roots = [span for span in spans if not span.parent]
        self.assertEqual(len(roots), len(rows["sessions"]))
        self.assertEqual(len({span.trace for span in spans}), len(roots))
        transactions = [span for span in spans if span.name == "SMTP transaction"]
        self.assertEqual(len(transactions), len(rows["transactions"]))
        self.assertEqual(sorted(span.attributes["smtpscope.outcome"] for span in transactions),
                         sorted(row["outcome"] for row in rows["transactions"]))
        for span in transactions:
            if span.attributes["smtpscope.outcome"] in ("rejected", "partial"):
                self.assertTrue(span.failed)
            if span.attributes["smtpscope.outcome"] == "accepted":
                self.assertFalse(span.failed)
        self.assertEqual(sum(row["refusals"] for row in rows["sessions"]),
                         sum(span.attributes.get("smtpscope.refusals", 0) for span in roots))

    def test_the_page_names_every_attribute(self):
        page = (ROOT / "docs/otlp.md").read_text(encoding="utf-8")
        columns = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/records.md").read_text(encoding="utf-8"), re.M))
        told = set(re.findall(r"`((?:smtpscope|client|server|network|service|host)\.[\w.]+)`", page))
        requests = self.spans(*transcripts(self.folder))
        found = set().union(*(resource_of(request) for request in requests))
        for span in spans_in(*requests):
            for attributes in (span.attributes, *(event[2] for event in span.events)):
                found |= set(attributes)
        unnamed = {key for key in found - told if key.split(".", 1)[0] != "smtpscope" or
                   key.split(".", 1)[1] not in columns}
        self.assertEqual(unnamed, set())

    def test_filters_and_sessions(self):
        capture = Capture()
        replayed_session(capture, 1)
        replayed_session(capture, 2)
        file = self.file("a.smtpcap", capture)
        spans = spans_in(*self.spans("--session", "2", file))
        self.assertEqual({span.attributes["smtpscope.session"] for span in spans if not span.parent}, {2})
        self.assertEqual(self.spans("--filter", "outcome:refused", file), [])
        self.assertEqual(len(self.spans("--filter", "from:alice", file)), 2)

    def test_pseudonyms(self):
        capture = Capture()
        replayed_session(capture, 1)
        file, key = self.file("a.smtpcap", capture), self.folder / "key"  # which it makes
        shown = run("show", "-f", "otlp", "--records-redact", key, "--records-host", "h", file)
        self.assertEqual(shown.code, 0)
        text = shown.out
        for name in ("alice", "bob", "example.", "192.0.2.", "198.51.100."):
            self.assertNotIn(name, text)
        run("show", "-f", "records", "-o", self.folder / "rows", "--records-redact", key, "--records-host", "h", file)
        row = rows_of(self.folder / "rows", "sessions")[0]
        root = [span for span in spans_in(*map(from_json, text.splitlines())) if not span.parent][0]
        self.assertEqual(root.attributes["client.address"], row["client_address"])

    def test_the_environment_says_where_spans_come_from(self):
        capture = Capture()
        replayed_session(capture, 1)
        file = self.file("a.smtpcap", capture)
        env = {**os.environ, "OTEL_SERVICE_NAME": "mail", "OTEL_RESOURCE_ATTRIBUTES": "team=a%2Cb"}
        resource = resource_of(from_json(run("show", "-f", "otlp", file, env=env).out))
        self.assertEqual((resource["service.name"], resource["team"]), ("mail", "a,b"))
        wrong = run("show", "-f", "otlp", file, env={**os.environ, "OTEL_RESOURCE_ATTRIBUTES": "team"})
        self.assert_fails(wrong, "OTEL_RESOURCE_ATTRIBUTES", "key=value")


class Sent(ProgramTest):
    def collector(self, *answers, **more):
        collector = Collector(*answers, **more)
        self.addCleanup(collector.close)
        return collector

    def same_as_shown(self, capture, requests):
        """The spans that were sent are those of the capture."""
        shown = run("show", "-f", "otlp", "--records-host", "h", capture).out
        wanted = spans_in(*map(from_json, shown.splitlines()))
        def raw(spans):
            return sorted((span.raw for span in spans), key=lambda span: span["span_id"])
        self.assertEqual(raw(spans_in(*requests)), raw(wanted))
        self.assertEqual(resource_of(requests[0]), resource_of(from_json(shown.splitlines()[0])))
        return wanted

    def run_to(self, collector, *more):
        capture = self.folder / "run.smtpcap"
        proxy = Proxy("-w", capture, "--otlp", collector.url, "--records-host", "h", "--tap", "mx1", *more)
        proxy.wait_for(rf"spans: {collector.url}/v1/traces")
        proxy.send()
        proxy.send("", rset=True)
        return proxy, capture

    def test_json(self):
        collector = self.collector()
        with Environment(OTEL_EXPORTER_OTLP_PROTOCOL="http/json", OTEL_EXPORTER_OTLP_HEADERS="api-key=s%20x"):
            proxy, capture = self.run_to(collector)
            self.assertEqual(proxy.end(), 0)
        for path, headers, _, _ in collector.requests:
            self.assertEqual((path, headers["Content-Type"], headers["api-key"]),
                             ("/v1/traces", "application/json", "s x"))
        self.assertNotIn("s x", "".join(proxy.lines))
        spans = self.same_as_shown(capture, [from_json(body) for body in collector.taken()])
        self.assertEqual(sum(not span.parent for span in spans), 2)

    @unittest.skipUnless(protoc(), "there is no protoc")
    def test_protocol_buffers(self):
        collector = self.collector()
        with Environment(OTEL_EXPORTER_OTLP_COMPRESSION="gzip"):
            proxy, capture = self.run_to(collector)
            self.assertEqual(proxy.end(), 0)
        for _, headers, _, _ in collector.requests:
            self.assertEqual((headers["Content-Type"], headers["Content-Encoding"]),
                             ("application/x-protobuf", "gzip"))
        self.same_as_shown(capture, [from_protobuf(body) for body in collector.taken()])

    def test_busy_for_a_while(self):
        collector = self.collector((503, {}, b""), (429, {"Retry-After": "1"}, b""))
        with Environment(OTEL_EXPORTER_OTLP_PROTOCOL="http/json"):
            proxy, capture = self.run_to(collector)
            proxy.wait_for("spans are sent again to .*; none was lost")
            self.assertEqual(proxy.end(), 0)
        self.assertEqual("".join(proxy.lines).count("spans cannot be sent"), 1)
        self.assertIn("it says 503 Service Unavailable", "".join(proxy.lines))
        self.same_as_shown(capture, [from_json(body) for body in collector.taken()])

    def test_not_there_at_first(self):
        with socket.socket() as reserved:  # and nobody listens
            reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            reserved.bind(("127.0.0.1", 0))
            port = reserved.getsockname()[1]
            proxy, capture = self.run_to(SimpleNamespace(url=f"http://127.0.0.1:{port}"))
            proxy.wait_for("spans cannot be sent")
        collector = self.collector(port=port)
        collector.wait_for(1)
        self.assertEqual(proxy.end(), 0)
        self.assertIn("none was lost", "".join(proxy.lines))
        self.assertGreater(len(collector.taken()), 0)
        if protoc():
            self.same_as_shown(capture, [from_protobuf(body) for body in collector.taken()])

    def test_too_large(self):
        def small(body):
            return (200, {}, b"") if body.count(b'"spanId"') <= 3 else (413, {}, b"")
        collector = self.collector(small)
        with Environment(OTEL_EXPORTER_OTLP_PROTOCOL="http/json"):
            proxy, capture = self.run_to(collector)
            self.assertEqual(proxy.end(), 0)
        self.same_as_shown(capture, [from_json(body) for body in collector.taken()])

    def test_some_are_rejected(self):
        body = json.dumps({"partialSuccess": {"rejectedSpans": "2", "errorMessage": "too old"}}).encode()
        collector = self.collector((200, {"Content-Type": "application/json"}, body))
        with Environment(OTEL_EXPORTER_OTLP_PROTOCOL="http/json"):
            proxy, _ = self.run_to(collector)
            self.assertEqual(proxy.end(), 2)
        self.assertIn("2 spans lost, not taken by", "".join(proxy.lines))
        self.assertIn("too old", "".join(proxy.lines))
        self.assertIn("2 spans did not reach", "".join(proxy.lines))

    def test_refused(self):
        collector = self.collector((400, {}, b"\x12\x0eno such tenant"))
        proxy, _ = self.run_to(collector)
        collector.wait_for(1)
        self.assertEqual(proxy.end(), 2)
        bodies = [unpacked(headers, body) for _, headers, body, _ in collector.requests]
        self.assertEqual(len(bodies), len(set(bodies)), "what was refused was sent again")
        self.assertIn("400 Bad Request: no such tenant", "".join(proxy.lines))

    def test_one_that_hangs_holds_up_neither_mail_nor_the_end(self):
        collector = self.collector(*["hang"] * 10)
        proxy, _ = self.run_to(collector)
        collector.wait_for(1)
        proxy.send()  # it returns when the mail has been taken
        self.assertEqual(proxy.end(), 2)
        self.assertRegex("".join(proxy.lines), r"\d+ spans did not reach .*; mail was not delayed")
        self.assertIn("3 sessions", "".join(proxy.lines))

    def test_checking_sends_nothing(self):
        collector = self.collector()
        checked = run("proxy", "--listen", "2525", "--upstream", "sink", "--check", "--otlp",
                      f"http://me:secret@127.0.0.1:{collector.port}")
        self.assertEqual(checked.code, 0)
        self.assertIn(f"http://127.0.0.1:{collector.port}/v1/traces (not tried)", re.sub(r"\s+", " ", checked.out))
        self.assertNotIn("secret", checked.out)
        self.assertEqual(collector.requests, [])

    def test_wrong_settings(self):
        arguments = ("proxy", "--listen", "127.0.0.1:0", "--upstream", "sink")
        self.assert_fails(run(*arguments, "--otlp", "collector:4318"), "--otlp", "http://HOST:4318")
        for name, value in (("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
                            ("OTEL_EXPORTER_OTLP_HEADERS", "x"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "x")):
            self.assert_fails(run(*arguments, "--otlp", "env", env={**os.environ, name: value}), name)


if __name__ == "__main__":
    unittest.main()
