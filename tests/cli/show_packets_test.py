#!/usr/bin/env python3
"""smtpscope show with captures of packets, and with many files."""

import gzip
import json
import os
import signal
import subprocess
import unittest

from following import Following
from packets import Connection, Packets, short_session
from program import DEADLINE, Capture, ProgramTest, quiet_session, run

SECRET = "AGFsaWNlAGh1bnRlcjI="  # of AUTH PLAIN


def one_session():
    packets = Packets()
    short_session(packets)
    return packets.octets


class ShowPackets(ProgramTest):
    def test_file_gzip_and_pipe_show_the_same(self):
        path = self.file("a.pcap", one_session())
        shown = run("show", path)
        self.assertEqual((shown.code, shown.err), (0, ""))
        self.assertIn("192.0.2.1:40000 → 198.51.100.7:25", shown.out)
        self.assertIn("EHLO client.example", shown.out)
        packed = self.file("a.pcap.gz", gzip.compress(one_session()))
        self.assertEqual(run("show", packed).out, shown.out)
        self.assertEqual(run("show", "-", stdin=one_session()).out, shown.out)

    def test_a_login_is_hidden_in_every_format(self):
        packets = Packets()
        connection = Connection(packets)
        connection.server("220 mx ESMTP\r\n")
        connection.client("EHLO a\r\n")
        connection.server("250-mx\r\n250 AUTH PLAIN LOGIN\r\n")
        connection.client(f"AUTH PLAIN {SECRET}\r\n")
        connection.server("535 no\r\n")
        connection.client("AUTH LOGIN\r\n")
        connection.server("334 UGFzc3dvcmQ6\r\n")
        connection.client(f"{SECRET}\r\n")
        connection.server("235 ok\r\n")
        connection.close()
        path = self.file("a.pcap", packets.octets)
        for form in ("text", "json", "jsonl"):
            for verbose in ((), ("-v",)):
                shown = run("show", "-f", form, *verbose, path)
                self.assertEqual(shown.code, 0, shown.err)
                self.assertIn("AUTH PLAIN", shown.out)
                self.assertNotIn(SECRET, shown.out + shown.err)

    def test_port(self):
        packets = Packets()
        odd = Connection(packets, server_port=9999)
        odd.client("hello?\r\n")
        odd.close()
        short_session(packets, client_port=40001)
        path = self.file("a.pcap", packets.octets)
        shown = run("show", path)
        self.assertEqual(shown.code, 0)
        self.assertIn("1 connection that is not SMTP left out", shown.err)
        forced = run("show", "--port", "9999", path)
        self.assertIn("hello?", forced.out)
        self.assertNotIn("EHLO", forced.out)

    def test_damage_is_told_and_the_rest_shown(self):
        path = self.file("a.pcap", one_session() + b"\xff" * 40)
        shown = run("show", path)
        self.assert_fails(shown, "damaged at octet", "what came before was read")
        self.assertIn("221 bye", shown.out)
        cut = run("show", self.file("b.pcap", one_session()[:-5]))
        self.assertEqual(cut.code, 0)
        self.assertIn("ends inside a packet", cut.err)

    def test_unknown_format(self):
        self.assert_fails(run("show", self.file("a", b"mx ESMTP\r\n")), "no SMTP dialogue",
                          "smtpscope formats")


class ManyFiles(ProgramTest):
    def files(self):
        """Captures of both kinds, and between them what cannot be read."""
        paths = [self.file("bad", b"nothing")]
        for number in range(1, 8):
            packets = Packets()
            for port in range(number * 5):
                short_session(packets, client_port=40000 + port)
            paths.append(self.file(f"{number}.pcap", packets.octets))
        capture = Capture()
        quiet_session(capture, 1)
        return paths + [self.file("own.smtpcap", capture), self.folder / "missing"]

    def test_the_number_of_jobs_changes_nothing(self):
        paths = self.files()
        for form in ("text", "jsonl", "json"):
            one = run("show", "-f", form, *paths)
            self.assertEqual(one.code, 2)
            self.assertIn("no SMTP dialogue", one.err)
            self.assertIn("missing: No such file", one.err)
            for jobs in (2, 3, 20):
                many = run("show", "-f", form, "--jobs", jobs, *paths)
                self.assertEqual((many.code, many.err), (one.code, one.err))
                self.assertEqual(many.out, one.out)

    def test_table_over_all_files(self):
        shown = run("show", "--jobs", 2, *self.files())
        table = shown.out[shown.out.index("summary of 10 files, 2 of which could not be read"):]
        rows = table.splitlines()[1:]
        self.assertEqual(len(rows), 11)
        self.assertRegex(rows[0], r"bad +could not be read")
        self.assertRegex(rows[2], r"2\.pcap +10 sessions ")
        self.assertRegex(rows[10], r"all +141 sessions ")

    def test_one_file_has_no_table(self):
        self.assertNotIn("summary of", run("show", self.file("a.pcap", one_session())).out)

    def test_fail_on_looks_at_all(self):
        packets = Packets()
        connection = Connection(packets)
        connection.client("EHLO a\r\n")  # before the greeting
        connection.server("220 mx ESMTP\r\n")
        connection.close()
        paths = [self.file("good.pcap", one_session()), self.file("early.pcap", packets.octets)]
        for jobs in (1, 2):
            self.assertEqual(run("show", "--jobs", jobs, "--fail-on", "warning", *paths).code, 1)

    def test_arguments(self):
        path = self.file("a.pcap", one_session())
        for arguments, word in ((("--jobs", 0), "--jobs"), (("--jobs", "x"), "--jobs"),
                                (("--port", 0), "--port"), (("--port", 65536), "--port")):
            self.assert_fails(run("show", *arguments, path), word)


class FollowPackets(Following):
    def test_packets_come_as_the_file_grows(self):
        octets = one_session()
        half = len(octets) - 150
        path = self.file("a.pcap", octets[:half])
        process = self.start(path)
        seen = self.read_until(process, "EHLO client.example")
        self.assertNotIn("221 bye", seen)
        with open(path, "ab") as file:
            file.write(octets[half:])
        self.read_until(process, "client closes, server ")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=DEADLINE)
        self.assertEqual((process.returncode, errors), (0, b""))

    def test_a_pipe_is_shown_as_it_comes(self):
        process = self.start("-", stdin=subprocess.PIPE)
        octets = one_session()
        os.write(process.stdin.fileno(), octets[:-150])
        self.read_until(process, "EHLO client.example")
        os.write(process.stdin.fileno(), octets[-150:])
        self.read_until(process, "client closes, server ")


if __name__ == "__main__":
    unittest.main()
