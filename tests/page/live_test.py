#!/usr/bin/env python3
"""The live page: sessions as they come, silences that count up, a server that goes and comes back, and who may look."""

import http.client
import json
import re
import signal
import smtplib
import socket
import subprocess
import threading
import time
import unittest

from browser import DEADLINE, PROGRAM, ROOT, SIZES, UTF8, Capture, PageTest, quiet_session, refused_session, run
from taps_test import captures

ORIGIN = ROOT / "examples" / "origin.smtpcap"


class Served:
    """A program of ours that serves a page; what it says on stderr and stdout is read by a thread."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([PROGRAM, *map(str, arguments)], env={**UTF8, "TZ": "UTC"}, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines = []
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line)
                self.changed.notify_all()
        with self.changed:
            self.lines.append(None)
            self.changed.notify_all()

    def said(self, pattern):
        """The groups of the first line with this, once it is said."""
        def found():
            return next((match for line in self.lines if line and (match := re.search(pattern, line))), None)
        with self.changed:
            self.changed.wait_for(lambda: found() or None in self.lines, DEADLINE)
            assert found(), f"never said: {pattern}\n{''.join(filter(None, self.lines))}"
            return found()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(DEADLINE)
        self.reader.join()
        self.process.stdout.close()
        return code


def proxy(*more, web="127.0.0.1:0"):
    return Served("proxy", "--listen", "127.0.0.1:0", "--upstream", "sink", "-f", "none", "--web", web, "--grace", "0s", *more)


def smtp_port(served):
    return int(served.said(r"listening on 127\.0\.0\.1:(\d+)")[1])


def page_of(served):
    return served.said(r"page: (http://\S+)")[1]


def send(port, sender="alice@example.com"):
    with smtplib.SMTP("127.0.0.1", port, timeout=DEADLINE) as client:
        client.sendmail(sender, ["bob@example.net"], "Subject: hello\r\n\r\nHello\r\n")


def wait_for(found):
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.02)
    raise AssertionError("never came true")


class Live(PageTest):
    def tearDown(self):
        self.browser.get("about:blank")  # before its server stops, which it would say
        super().tearDown()

    def serve(self, *arguments, **named):
        served = proxy(*arguments, **named)
        self.addCleanup(served.stop)
        return served

    def show(self, address):
        self.resize(1280, 800)
        self.browser.get("about:blank")
        self.browser.get(address)
        self.wait("return document.querySelector('.live')?.innerText.startsWith('live')")

    def test_sessions_appear(self):
        served = self.serve()
        self.show(page_of(served))
        self.assertIn("No session yet", self.text(".empty"))
        send(smtp_port(served))
        self.wait("return document.querySelector('tr[data-key=\"1\"] .out')?.innerText.includes('delivered')")
        self.assertIn("alice@example.com", self.text("tr[data-key='1'] .env"))
        send(smtp_port(served), "carol@example.org")
        self.wait("return document.querySelectorAll('tr[data-key]').length === 2")
        self.script("location.hash = '#s=2&e=2'")
        self.wait("return document.querySelector('.hex')?.innerText.toLowerCase().includes('ehlo')")

    def test_a_silence_counts_up(self):
        served = self.serve()
        self.show(page_of(served))
        seen = []
        with socket.create_connection(("127.0.0.1", smtp_port(served))) as client:
            client.recv(1000)
            # A page that is held up may leave out a second, but never counts down.
            seconds = 0
            for _ in range(3):
                seconds = self.wait("""const said = /client silent for (\\d+) s, owes a command/.exec(document.querySelector('tr[data-key="1"] .out')?.innerText);
                    return said && Number(said[1]) !== arguments[0] && Number(said[1])""", seconds)
                seen.append(seconds)
            self.assertEqual(seen, sorted(seen))
            client.sendall(b"QUIT\r\n")
            client.recv(1000)
        self.wait("return document.querySelector('tr[data-key=\"1\"] .out')?.innerText.includes('no mail')")

    def test_the_page_finds_back(self):
        served = self.serve()
        address = page_of(served)
        port = re.search(r":(\d+)/", address)[1]
        self.show(address)
        send(smtp_port(served), "first@example.com")
        self.wait("return document.querySelector('.list')?.innerText.includes('first@example.com')")
        self.assertEqual(served.stop(), 0)
        self.wait("return document.querySelector('.live').innerText.includes('lost touch')")
        again = self.serve(web=f"127.0.0.1:{port}")
        page_of(again)
        self.wait("return document.querySelector('.live').innerText.startsWith('live')")
        send(smtp_port(again), "second@example.com")
        self.wait("return document.querySelector('.list').innerText.includes('second@example.com')")
        self.assertNotIn("first@example.com", self.text(".list"))
        # What the browser says of the connection it lost is to be.
        said = [entry["message"] for entry in self.browser.get_log("browser")]
        self.assertTrue(all("ERR_CONNECTION_REFUSED" in line or "ERR_INCOMPLETE_CHUNKED_ENCODING" in line
                            or "ERR_CONNECTION_RESET" in line or "ERR_EMPTY_RESPONSE" in line for line in said), said)

    def test_only_what_the_filter_keeps(self):
        served = self.serve("--filter", "from:carol")
        self.show(page_of(served))
        send(smtp_port(served))
        send(smtp_port(served), "carol@example.org")
        self.wait("return document.querySelector('tr[data-key]')")
        self.assertEqual(self.script("return [...document.querySelectorAll('tr[data-key]')].map((row) => row.dataset.key)"), ["2"])

    def fill(self, served, sessions=30):
        """So many that not all fit into 1M."""
        for number in range(1, sessions + 1):
            with smtplib.SMTP("127.0.0.1", smtp_port(served), timeout=DEADLINE) as client:
                client.sendmail(f"from{number}@example.com", ["bob@example.net"], "Subject: long\r\n\r\n" + "x" * 70 + "\r\n" * 800 + "y" * 50000)

    def until_some_are_gone(self, served):
        """Sessions are traced a little later than relayed."""
        port = int(re.search(r":(\d+)/", page_of(served))[1])

        def gone():
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
            connection.request("GET", "/events")
            begin = connection.getresponse().read(13)
            connection.close()
            return begin == b"event: resync"
        wait_for(gone)

    def test_what_fell_out_of_memory_is_read_from_the_capture(self):
        served = self.serve("--web-memory", "1M", "-w", self.folder / "ring.smtpcap")
        address = page_of(served)
        self.fill(served)
        self.until_some_are_gone(served)
        self.show(address)
        rows = "return [...document.querySelectorAll('tr[data-key]')].map((row) => Number(row.dataset.key))"
        self.wait(f"return (() => {{ {rows} }})().includes(30)")
        held = self.script(rows)
        self.assertEqual(held, list(range(30, 30 - len(held), -1)))
        self.assertLess(len(held), 30)
        # One, by its link.
        self.script("location.hash = '#s=1&e=2'")
        self.wait("return document.querySelector('.hex')?.innerText.toLowerCase().includes('ehlo')")
        self.assertIn("from1@example.com", self.text(".tl"))
        # All, by the button.
        self.script("location.hash = '#'")
        self.wait("return document.querySelector('.older .btn')")
        self.script("document.querySelector('.older .btn').click()")
        self.wait("return document.querySelectorAll('tr[data-key]').length === 30")
        self.assertEqual(self.script(rows), list(range(30, 0, -1)))
        self.assertEqual(self.text(".older"), "")
        self.script("location.hash = '#s=31'")
        self.wait("return document.querySelector('h1').innerText === 'There is no session 31 here.'")
        self.fill(served, 1)
        self.wait("return document.querySelector('.tl')?.innerText.includes('from1@example.com')")

    def test_what_fell_out_of_memory_without_a_capture(self):
        served = self.serve("--web-memory", "1M")
        self.fill(served)
        self.until_some_are_gone(served)
        self.show(page_of(served))
        self.wait("return document.querySelector('.older').innerText.includes('without a capture')")
        self.script("location.hash = '#s=1'")
        self.wait("return document.querySelector('.answer').innerText.includes('kept nowhere')")
        self.assertEqual(self.ask(int(re.search(r":(\d+)/", page_of(served))[1]), "/older?run=1&from=1&before=9").status, 404)

    def test_asking_for_older_sessions(self):
        served = self.serve("-w", self.folder / "asked.smtpcap")
        port = int(re.search(r":(\d+)/", page_of(served))[1])
        for sender in ("one", "two", "three"):
            send(smtp_port(served), sender + "@example.com")

        def older(run, begin, before):
            # The server takes 64 connections: none is to be left open.
            answer = self.ask(port, f"/older?run={run}&from={begin}&before={before}", Connection="close")
            lines = answer.read().decode().splitlines()
            return sorted({json.loads(line)["session"] for line in lines[:-1]}), json.loads(lines[-1])

        def all_written():
            found = older(1, 1, 4)
            return found if found[0] == [1, 2, 3] else None
        found, last = wait_for(all_written)
        self.assertEqual(last, {"event": "older"})
        self.assertEqual(older(1, 2, 3)[0], [2])
        self.assertEqual(older(1, 4, 2)[0], [])
        self.assertIn("cannot be read again", older(7, 1, 9)[1]["failed"])
        for query in ("", "?run=1", "?run=1&from=a&before=2", "?run=1&from=1&before=-2", "?run=1&from=1&before=99999999999999999999999"):
            self.assertEqual(self.ask(port, "/older" + query).status, 400, query)
        self.assertEqual(self.ask(port, "/older?run=1&from=1&before=2", Sec_Fetch_Site="cross-site").status, 403)

    def test_a_view_of_more_than_fits_into_memory(self):
        served = self.serve("-w", self.folder / "much.smtpcap")
        self.fill(served)
        self.assertEqual(served.stop(), 0)
        served = Served("view", "--web", "127.0.0.1:0", "--web-memory", "1M", ORIGIN, self.folder / "much.smtpcap")
        self.addCleanup(served.stop)
        address = served.said(r"(http://\S+)")[1]
        self.browser.get(address + "#s=2.1")
        self.wait("return document.querySelector('.tl')?.innerText.includes('from1@example.com')")
        # Of the file before it, too.
        self.script("location.hash = '#s=1'")
        self.wait("return document.querySelector('.tl')?.innerText.includes('alice@example.com')")
        self.script("location.hash = '#'")
        for _ in range(2):
            self.wait("return document.querySelector('.older .btn:enabled')")
            self.script("document.querySelector('.older .btn').click()")
        self.wait("return document.querySelectorAll('tr[data-key]').length === 31")

    def test_a_tab_that_nobody_sees_takes_no_connection(self):
        served = self.serve()
        self.show(page_of(served))
        send(smtp_port(served))
        self.wait("return document.querySelectorAll('tr[data-key]').length === 1")
        look = """Object.defineProperty(document, 'hidden', { value: arguments[0], configurable: true });
                  document.dispatchEvent(new Event('visibilitychange'));"""
        self.script("const late = setTimeout; window.setTimeout = (act, ms) => ms === 10000 ? late(() => { act(); slept = true; }, 0) : late(act, ms);"
                    "window.asked = []; window.slept = false;"
                    "window.EventSource = class extends EventSource { constructor(url) { super(url); asked.push(url); } };" + look, True)
        self.wait("return window.slept")
        send(smtp_port(served))
        self.script(look, False)
        self.wait("return document.querySelectorAll('tr[data-key]').length === 2")
        for asked in self.script("return window.asked"):  # more than one if the server was too slow for the first
            self.assertRegex(asked, r"^events\?after=[0-9a-f]+-\d+$")
        self.script("location.hash = '#s=1'")
        # Nothing is shown twice.
        self.wait("return document.querySelectorAll('.tl tr.e').length > 4")
        texts = self.texts(".tl tr.e td.x")
        self.assertEqual(len([text for text in texts if "QUIT" in text]), 1)

    def test_pausing(self):
        served = self.serve()
        self.show(page_of(served))
        self.script("document.querySelector('.filter .btn').click()")
        self.assertEqual(self.text(".filter .btn"), "Paused")
        send(smtp_port(served))
        # The bar knows of it, the list does not move.
        self.script("document.querySelector('.filter .btn').click()")
        self.wait("return document.querySelectorAll('tr[data-key]').length === 1")

    def test_with_a_token(self):
        served = self.serve("--web-token", "sesame-7")
        address = page_of(served)
        self.assertIn("?token=sesame-7", address)
        self.show(address)
        self.assertNotIn("token", self.browser.current_url)
        self.assertEqual(self.script("return document.cookie"), "")
        port = int(re.search(r":(\d+)/", address)[1])
        for path in ("/", "/events", "/page.js", "/?token=sesame-8", "/?token="):
            self.assertEqual(self.ask(port, path).status, 403, path)

    def ask(self, port, path="/", method="GET", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
        self.addCleanup(connection.close)
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        return connection.getresponse()

    def test_who_may_ask(self):
        port = int(re.search(r":(\d+)/", page_of(self.serve("--web-name", "Mail.example")))[1])
        answer = self.ask(port)
        self.assertEqual(answer.status, 200)
        policy = answer.getheader("Content-Security-Policy")
        for words in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"):
            self.assertIn(words, policy)
        self.assertEqual(answer.getheader("X-Content-Type-Options"), "nosniff")
        self.assertEqual(answer.getheader("Cache-Control"), "no-store")
        for host, status in (("evil.example", 403), ("evil.example:80", 403), ("127.0.0.1", 200), ("localhost:8625", 200),
                             ("[::1]:8625", 200), ("mail.example", 200), ("127.0.0.1.evil.example", 403), ("", 403)):
            self.assertEqual(self.ask(port, Host=host).status, status, host)
        self.assertEqual(self.ask(port, "/events", Sec_Fetch_Site="cross-site").status, 403)
        for origin, status in (("http://evil.example", 403), ("null", 403), ("http://127.0.0.1:1", 403), (f"http://127.0.0.1:{port}", 200)):
            self.assertEqual(self.ask(port, "/page.js", Origin=origin).status, status, origin)
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            self.assertEqual(self.ask(port, method=method).status, 405, method)
        self.assertEqual(self.ask(port, "/../etc/passwd").status, 404)

    def test_what_is_refused(self):
        for arguments, words in ((("--web", "0.0.0.0:0"), "--web-token"), (("--web", "mail.example:1"), "is no address"),
                                 (("--web", "70000"), "is no port"), (("--web", "0", "--web-memory", "5"), "1M or more"),
                                 (("--web", "0", "--web-token", "a b"), "letters, digits")):
            done = subprocess.run([PROGRAM, "proxy", "--listen", "127.0.0.1:0", "--upstream", "sink", *arguments], env=UTF8,
                                  capture_output=True, text=True, timeout=DEADLINE, check=False)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(words, done.stderr)

    def test_taps_are_two_files(self):
        for files in ((ORIGIN,), (ORIGIN, ORIGIN), (ORIGIN, "-"), (ORIGIN, ORIGIN, ORIGIN)):
            done = run("view", "--taps", "--web", "127.0.0.1:0", *files)
            self.assertEqual((done.code, done.out), (2, ""), files)
            self.assertIn("smtpscope view --taps NEAR-CLIENT NEAR-SERVER", done.err)

    def test_view(self):
        served = Served("view", "--web", "127.0.0.1:0", ORIGIN)
        self.addCleanup(served.stop)
        address = served.said(r"(http://\S+)")[1]
        self.browser.get("about:blank")
        self.browser.get(address + "#s=1&e=8")
        self.wait("return document.querySelector('.hex')?.innerText.includes('52 53 45 54 0d 0a')")
        self.assertIn("1 never sent", self.text("h1"))
        self.assertEqual(self.texts(".live"), [])
        self.browser.get("about:blank")
        self.assertEqual(served.stop(), 0)

    def test_a_link_to_two_sessions(self):
        """They are read when the page is there already."""
        capture = Capture()
        for session in range(1, 301):
            quiet_session(capture, session, session)
        (self.folder / "many.smtpcap").write_bytes(capture.octets())
        served = Served("view", "--web", "127.0.0.1:0", self.folder / "many.smtpcap")
        self.addCleanup(served.stop)
        address = served.said(r"(http://\S+)")[1]
        self.browser.get("about:blank")
        self.browser.get(address + "#diff=1,300")
        self.wait("return document.querySelector('.cmp')")
        self.assertIn("session 300", self.text(".cmp thead"))
        self.script("location.hash = '#diff=1,301'")
        self.wait("return document.querySelector('h1').innerText === 'There is no session 301 here.'")
        self.browser.get("about:blank")
        self.assertEqual(served.stop(), 0)

    def test_two_taps(self):
        near_client, near_server = captures(scanned=True)
        files = []
        for name, capture in (("near-client", near_client), ("near-server", near_server)):
            files.append(self.folder / f"{name}.smtpcap")
            files[-1].write_bytes(capture.octets())
        served = Served("view", "--taps", "--web", "127.0.0.1:0", *files)
        self.addCleanup(served.stop)
        self.resize(1280, 800)
        self.browser.get(served.said(r"(http://\S+)")[1])
        self.wait("return [...document.querySelectorAll('.top nav a')].some((one) => one.innerText === 'Taps')")
        self.script("location.hash = '#taps=1'")
        self.wait("return document.querySelector('.tp tbody tr')")
        told = json.loads(run("diff", "--taps", "-f", "json", *files).out)
        self.assertEqual([self.text("h1"), *self.texts(".answer p")], [one["text"] for one in told["taps"]["verdict"]])
        self.assertEqual(self.texts(".tp tr.right td.x:not(.no)"), ["CRSET", "S250 2.0.0 Ok", "CMAIL FROM:<alice@example.com>", "S250 2.1.0 Ok",
                                                                 "CRCPT TO:<bob@example.net>", "S250 2.1.5 Ok"])
        self.assertIn("sent in between; the client never sent it", self.texts(".tp tr.note"))
        lines = len(self.texts(".tp tr.same"))
        self.press("v")
        self.wait("return document.querySelectorAll('.tp tr.same').length > arguments[0] && !document.querySelector('.tp .fold')", lines)
        for width, height in SIZES:
            self.resize(width, height)
            self.assertLessEqual(self.script("return document.documentElement.scrollWidth - innerWidth"), 0)
        self.script("document.querySelector('.tp tr.right a').click()")
        self.wait("return location.hash.startsWith('#s=2.1&e=')")
        self.wait("return document.querySelector('tr[aria-current=true]')?.innerText.includes('RSET')")
        self.browser.get("about:blank")

    def test_the_demo(self):
        served = Served("demo", "--pause", "1100ms", "-f", "none", "-w", self.folder / "demo.smtpcap", "--web", "127.0.0.1:0")
        self.addCleanup(served.stop)
        self.show(page_of(served))
        served.said("look at it on http://.* until Ctrl-C")
        self.wait("return document.querySelector('tr[data-key=\"1\"] .out')?.innerText.includes('in part')")
        self.script("location.hash = '#s=1'")
        # Why is not told for sure: on a machine that is held up the pause is no round one. report_test.py
        # has that of the story as it was recorded.
        self.wait("return document.querySelector('h1')?.innerText.includes('1 delivered, 1 never sent')")
        self.browser.get("about:blank")
        self.assertEqual(served.stop(), 0)

    def test_octets_of_an_open_session(self):
        served = self.serve()
        self.show(page_of(served))
        with socket.create_connection(("127.0.0.1", smtp_port(served))) as client:
            client.recv(1000)
            client.sendall(b"HELO open.example\r\n")
            client.recv(1000)
            self.wait("return document.querySelector('tr[data-key]')")
            self.script("location.hash = '#s=1&e=2'")
            self.wait("return document.querySelector('.hex')?.innerText.includes('48 45 4c 4f')")
            client.sendall(b"NOOP\r\n")
            client.recv(1000)
            self.wait("return document.querySelector('.tl').innerText.includes('NOOP')")
            self.script("location.hash = '#s=1&e=4'")
            self.wait("return document.querySelector('.hex')?.innerText.includes('4e 4f 4f 50 0d 0a')")

    def test_export_from_the_page(self):
        served = Served("view", "--web", "127.0.0.1:0", ORIGIN)
        self.addCleanup(served.stop)
        address = served.said(r"(http://\S+)")[1]
        self.browser.get(address + "#s=1")
        self.wait("return document.querySelector('.tl')")
        self.script("window.saved = []; URL.createObjectURL = (blob) => { window.saved.push(blob); return '#s=1'; }")
        self.press("e")
        self.wait("return document.querySelector('dialog[open] form')")
        self.script("document.querySelector('dialog[open] form').requestSubmit()")
        self.wait("return document.querySelector('dialog[open] [role=status]').innerText.startsWith('Saved as redacted.html: names are pseudonyms')")
        html = self.browser.execute_async_script("window.saved[0].text().then(arguments[0])")
        page = self.folder / "exported.html"
        page.write_text(html, encoding="utf-8")
        # As it is, with names, when that is asked for.
        self.script("document.querySelector('dialog[open] [name=redacted]').click();"
                    "document.querySelector('dialog[open] [value=jsonl]').click();"
                    "document.querySelector('dialog[open] form').requestSubmit()")
        self.wait("return window.saved.length === 2")
        records = self.browser.execute_async_script("window.saved[1].text().then(arguments[0])")
        self.assertEqual(records, run("show", "-f", "jsonl", ORIGIN).out)
        self.open(page, "#s=1")
        self.assertIn("redacted: names are pseudonyms", self.text(".top"))
        self.assertIn("1 never sent", self.text("h1"))
        self.assertNotIn("alice@example.com", self.script("return document.documentElement.outerHTML"))
        port = int(re.search(r":(\d+)/", address)[1])
        for query, words in (("run=1&session=0&q=nonsense:1&format=html", "column"), ("run=1&session=1&format=exe", "no such format"),
                             ("run=2&session=1&format=html", "cannot be read again")):
            self.assertIn(words, json.loads(self.ask(port, "/export?" + query).read().decode().splitlines()[0])["failed"])
        self.assertEqual(self.ask(port, "/export?run=1").status, 400)
        self.assertEqual(self.ask(port, "/export?run=1&session=1&format=html", Sec_Fetch_Site="cross-site").status, 403)
        kept = self.ask(port, "/export?run=1&session=0&q=from:nobody&format=jsonl&redacted=no").read().decode().splitlines()
        self.assertNotIn('"session":1', "".join(kept))
        self.browser.get("about:blank")

    def test_export_of_a_run_in_several_files(self):
        served = self.serve("-w", self.folder / "part-%Y%m%dT%H%M%S.smtpcap", "--rotate", "4K")
        port = int(re.search(r":(\d+)/", page_of(served))[1])
        self.fill(served, 4)

        def exported(redacted):
            lines = self.ask(port, f"/export?run=1&session=0&format=jsonl&redacted={redacted}", Connection="close").read().decode().splitlines()
            self.assertNotIn("failed", lines[0])
            ends = [json.loads(line) for line in lines[1:] if line.startswith('{"event":"session-ended"')]
            # One whose end is not on the disk yet is told as far as it is.
            ended = {end["session"] for end in ends if not end.get("unfinished")}
            return "\n".join(lines) if ended == {1, 2, 3, 4} else None
        named = wait_for(lambda: exported("no"))
        self.assertGreater(len(list(self.folder.glob("part-*.smtpcap"))), 1)
        self.assertIn("from4@example.com", named)
        redacted = exported("yes")
        for words in ("from1@", "from4@", "bob@example.net"):
            self.assertNotIn(words, redacted)
        self.assertEqual(redacted.count('"event":"entry"'), named.count('"event":"entry"'))

    def test_export_of_one_of_two_runs(self):
        other = Capture()
        for session in (1, 2):
            refused_session(other, session, session * 1000)
        path = self.folder / "other.smtpcap"
        path.write_bytes(other.octets())
        served = Served("view", "--web", "127.0.0.1:0", ORIGIN, path)
        self.addCleanup(served.stop)
        self.browser.get(served.said(r"(http://\S+)")[1])
        self.wait("return document.querySelectorAll('tr[data-key]').length === 3")
        self.script("window.saved = []; URL.createObjectURL = (blob) => { window.saved.push(blob); return '#'; }")
        self.press("e")
        self.wait("return document.querySelector('dialog[open] form')")
        self.assertEqual([words.strip() for words in self.texts("dialog[open] fieldset:first-of-type label")],
                         ["all 1 session of origin.smtpcap", "all 2 sessions of other.smtpcap"])
        self.script("document.querySelector('dialog[open] [name=what][value=\"2\"]').click();"
                    "document.querySelector('dialog[open] [value=jsonl]').click();"
                    "document.querySelector('dialog[open] form').requestSubmit()")
        self.wait("return window.saved.length === 1")
        records = self.browser.execute_async_script("window.saved[0].text().then(arguments[0])")
        self.assertEqual({one.get("session") for one in map(json.loads, records.splitlines())} - {None}, {1, 2})
        self.assertNotIn("carol@example.org", records)
        self.browser.get("about:blank")

    def test_a_reader_that_reads_nothing_holds_nobody_up(self):
        served = self.serve("--web-memory", "1M")
        port = int(re.search(r":(\d+)/", page_of(served))[1])
        with socket.create_connection(("127.0.0.1", port)) as stuck:
            stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            stuck.sendall(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            for _ in range(30):
                send(smtp_port(served))
            self.show(page_of(served))
            self.wait("return document.querySelectorAll('tr[data-key]').length > 20")


if __name__ == "__main__":
    unittest.main()
