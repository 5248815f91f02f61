#!/usr/bin/env python3
"""Real captures against what is known of them: every command, reply, pairing, size, time and stream.

The captures are third-party data beside the project (../shared/captures, with a description of
where they come from). Without them the test is skipped, and says so.
"""

import base64
import hashlib
import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

PROGRAM = os.environ["SMTPSCOPE"]
WIRE_DUMP = os.environ["WIRE_DUMP"]
CAPTURES = Path(os.environ["SMTPSCOPE_ROOT"]).parent / "shared" / "captures"
SKIPPED = 77  # what ctest takes for a skip

# What is compared, by name.
ASPECTS = ("ends", "client stream", "server stream", "commands", "replies", "pairing", "data",
           "times")

# Where we say something else than the truth file, and why. Anything not named here must agree.
DEVIATIONS = {
    "suriv__smtp-url-b64": {
        # The server took LF.LF for the end. RFC 5321 4.1.1.4 does not, so the doubtful dot line
        # counts as content; the truth file says that this is not to be scored strictly.
        "data": "the message ends in LF . LF",
    },
}


def octets_of(event, key):
    """The octets of a member of a capture's line: docs/capture-format.md, "Octets"."""
    if key in event:
        return event[key].encode("latin-1")
    return base64.b64decode(event.get("b64" if key == "data" else key + "_b64", ""))


def filling(octets):
    """What the truth files have in the place of octets that were not captured."""
    return bytes(octets - 1) + b"\n" if octets else b""


def streams_of(path):
    """{(client, server): {side: octets}}; what is missing is filled."""
    dump = subprocess.run([WIRE_DUMP, path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          check=True)
    ends, streams = {}, {}
    for line in dump.stdout.splitlines():
        event = json.loads(line)
        session = event["s"]
        if event["e"] == "open":
            ends[session] = (event["client"], event["listener"])
            streams[session] = {"client": bytearray(), "server": bytearray()}
        elif event["e"] == "bytes":
            streams[session][event["from"]] += octets_of(event, "data")
        elif event["e"] == "gap":
            streams[session][event["from"]] += filling(event.get("octets", 0))
    return {ends[session]: streams[session] for session in ends}


def timelines_of(path):
    shown = subprocess.run([PROGRAM, "show", "-f", "json", path], stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL, check=False)
    return {(session["client"], session["listener"]): session
            for session in json.loads(shown.stdout)["sessions"]}


def endpoint(text):
    """The truth writes "::1:25" for "[::1]:25"."""
    host, _, port = text.rpartition(":")
    return f"[{host}]:{port}" if ":" in host else text


def as_ours(line):
    """Lines are compared by what both can show: no octets beyond ASCII, the first 200."""
    return "".join(c for c in line if " " <= c <= "~")[:200].rstrip()


class Said:
    """What one session's timeline says, in the words of the truth files."""

    def __init__(self, session):
        self.commands, self.replies, self.pairing, self.data, self.times = [], [], [], [], []
        index = -1
        what = {}  # entry -> what a reply to it answers
        for entry in session["entries"]:
            kind = entry["kind"]
            if kind == "command":
                index += 1
                what[entry["number"]] = index
                text = as_ours(entry["text"])
                if entry.get("hidden_octets"):
                    text = text.split(" ")[0]
                self.commands.append((entry.get("verb", ""), text, entry["end"] - entry["begin"]))
                self.times.append((entry["first_ns"], entry["last_ns"]))
            elif kind == "auth-response":
                what[entry["number"]] = index
                self.commands.append(("", "", entry["end"] - entry["begin"]))
            elif kind in ("mail-data", "chunk"):
                is_chunk = kind == "chunk"
                what[entry["number"]] = index if is_chunk else f"data@{index}"
                octets = entry["end"] - entry["begin"]
                # Of a chunk the facts are those of the message up to there.
                self.data.append((octets, octets if is_chunk else entry["facts"]["octets"]))
            elif kind == "reply":
                self.replies.append((entry["code"], entry["line_count"]))
                self.times.append((entry["first_ns"], entry["last_ns"]))
                if entry["answers"] == "greeting":
                    self.pairing.append("greeting")
                else:
                    self.pairing.append(what.get(entry.get("answers_entry"), "orphan"))


def expected(stream):
    said = Said({"entries": []})
    for command in stream["commands"]:
        if "auth_response" in command:
            said.commands.append(("", "", command["len"]))
            continue
        words = as_ours(command["line"])
        said.commands.append((command["verb"].upper(), words, command["len"]))
        said.times.append((command["t0"], command["t1"]))
    for reply in stream["replies"]:
        said.replies.append((reply["code"], reply["lines"]))
        said.pairing.append(reply["to"])
        said.times.append((reply["t0"], reply["t1"]))
    for data in stream["data"]:
        content = data.get("bytes_unstuffed", data.get("bytes"))
        said.data.append((data["bytes_wire"], content))
    return said


def differences(stream, session, octets):
    """{aspect: words} of what does not agree."""
    if session is None:
        return {"ends": "no such session is shown"}
    found = {}

    def compare(aspect, ours, theirs):
        if ours != theirs:
            found[aspect] = f"shown {ours}\n        truth {theirs}"

    for side in ("client", "server"):
        ours, length = octets[side], stream["bytes"][side]
        if prelude := stream.get(f"prelude_{side}"):
            # Our session begins behind what was said to an HTTP proxy; then the hash is another.
            compare(f"{side} stream", len(ours), length - prelude)
            continue
        if length == 0 and stream.get("one_sided"):
            # The client's acknowledgements tell how much it had heard: that is no octet of it.
            ours = ours.strip(b"\0\n")
        compare(f"{side} stream", (len(ours), hashlib.sha256(ours).hexdigest()),
                (length, stream["sha256"][side]))
    ours, truth = Said(session), expected(stream)
    # Of a message without its end the truth does not say how much of it was content.
    ours.data = [(wire, content if i >= len(truth.data) or truth.data[i][1] is not None else None)
                 for i, (wire, content) in enumerate(ours.data)]
    known = [verb for verb, _, _ in ours.commands]
    # A word that we do not know has no verb; and of AUTH's line the credentials are hidden.
    truth.commands = [
        (verb if i >= len(known) or known[i] else "",
         line if i >= len(ours.commands) or ours.commands[i][1] != line.split(" ")[0] else
         line.split(" ")[0], octets)
        for i, (verb, line, octets) in enumerate(truth.commands)]
    compare("commands", ours.commands, truth.commands)
    compare("replies", ours.replies, truth.replies)
    compare("pairing", ours.pairing, truth.pairing)
    compare("data", ours.data, truth.data)
    # The truth has microseconds.
    times = sorted((round(first / 1000), round(last / 1000)) for first, last in ours.times)
    compare("times", times,
            sorted((round(first * 1e6), round(last * 1e6)) for first, last in truth.times))
    return found


class Truth(unittest.TestCase):
    maxDiff = None

    def check(self, truth_file):
        with open(truth_file, encoding="utf-8") as file:
            truth = json.load(file)
        name = truth_file.stem
        path = CAPTURES / "pcap" / (name + ".pcap")
        timelines, streams = timelines_of(path), streams_of(path)
        self.assertEqual(len(timelines), len(truth["streams"]), f"{name}: sessions shown")
        allowed = DEVIATIONS.get(name, {})
        seen = set()
        for stream in truth["streams"]:
            ends = (endpoint(stream["client"]), endpoint(stream["server"]))
            found = differences(stream, timelines.get(ends), streams.get(ends))
            seen |= found.keys()
            for aspect, words in found.items():
                if aspect not in allowed:
                    self.fail(f"{name}, {aspect}:\n        {words}")
        # A deviation that is none any more must leave the table.
        self.assertEqual(seen, set(allowed), f"{name}: deviations")

    def test_every_deviation_is_of_a_capture(self):
        names = {path.stem for path in (CAPTURES / "pcap").glob("*.pcap")}
        self.assertLessEqual(DEVIATIONS.keys(), names)
        for aspects in DEVIATIONS.values():
            self.assertLessEqual(set(aspects), set(ASPECTS))


def add_tests():
    """One test per capture."""
    for truth_file in sorted((CAPTURES / "truth").glob("*.json")):
        name = "test_" + truth_file.stem.replace("-", "_")
        setattr(Truth, name, lambda self, file=truth_file: self.check(file))


if __name__ == "__main__":
    if not (CAPTURES / "truth").is_dir():
        print(f"skipped: the captures are not at {CAPTURES}")
        sys.exit(SKIPPED)
    add_tests()
    unittest.main()
