"""What Prometheus is given at /metrics, beside the page."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "real"))

from follow import DEADLINE, Lines, free_port  # noqa: E402
from smtpscope import Proxy  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent.parent


def get(url, **headers):
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
        return answer.read().decode()


class Metrics(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="smtpscope-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def session(self, proxy):
        with socket.create_connection(("127.0.0.1", proxy.port), DEADLINE) as client:
            replies = client.makefile("rb")
            replies.readline()
            for line in ("HELO secret-name.example", "MAIL FROM:<private@example.com>",
                         "RCPT TO:<bob@example.net>", "DATA", "x\r\n.", "WHAT is this", "QUIT"):
                client.sendall(line.encode() + b"\r\n")
                replies.readline()
            replies.read()
            replies.close()

    def page(self, proxy):
        return proxy.errors.wait_for(r"page: (http://[^/]*/)")[1]

    def metrics_after_a_session(self, proxy, **headers):
        """Once the tracer has seen the end of it."""
        self.session(proxy)
        url = self.page(proxy) + "metrics"
        text = get(url, **headers)
        while not re.search(r'^smtpscope_sessions_total\{ended="clean"\} 1$', text, re.M):
            text = get(url, **headers)
        return text

    def test_what_is_counted(self):
        with Proxy("sink", self.folder, "--web", "0") as proxy:
            text = self.metrics_after_a_session(proxy)
            self.assertEqual(get(self.page(proxy) + "healthz"), "ok\n")
            proxy.finish()
        for line in ('smtpscope_transactions_total{outcome="accepted"} 1', "smtpscope_sessions_open 0",
                     'smtpscope_replies_total{answers="greeting",class="2yz"} 1',
                     'smtpscope_replies_total{answers="end-of-data",class="2yz"} 1',
                     'smtpscope_replies_total{answers="other",class="5yz"} 1',
                     'smtpscope_wait_seconds_count{side="server",verb="rcpt"} 1',
                     "smtpscope_lost_events_total 0"):
            self.assertIn(line + "\n", text)
        for private in ("secret-name", "private@", "bob@", "127.0.0.1", "WHAT"):
            self.assertNotIn(private, text)

    def test_who_may_ask(self):
        with Proxy("sink", self.folder, "--web", "0", "--web-token", "word") as proxy:
            url = self.page(proxy)
            self.assertEqual(get(url + "healthz"), "ok\n")
            with self.assertRaises(urllib.error.HTTPError) as refused:
                get(url + "metrics")
            self.assertEqual(refused.exception.code, 403)
            refused.exception.close()
            self.assertIn("smtpscope_build_info", get(url + "metrics", Authorization="Bearer word"))
            proxy.finish()

    @unittest.skipUnless(shutil.which("promtool"), "skipped: there is no promtool")
    def test_promtool_has_nothing_to_say(self):
        with Proxy("sink", self.folder, "--web", "0") as proxy:
            text = self.metrics_after_a_session(proxy)
            proxy.finish()
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True,
                              text=True, timeout=DEADLINE, check=False)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_the_dashboard_asks_for_what_there_is(self):
        with Proxy("sink", self.folder, "--web", "0") as proxy:
            text = self.metrics_after_a_session(proxy)
            proxy.finish()
        there = set(re.findall(r"^# TYPE (\S+)", text, re.M))
        there |= {name + "_bucket" for name in there}
        dashboard = json.loads((ROOT / "examples" / "grafana-dashboard.json").read_text())
        asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
        self.assertGreater(len(asked), 5)
        for expression in asked:
            for name in re.findall(r"\b(?:smtpscope|process)_\w+", expression):
                if name != "smtpscope_refusals_total":  # there is none in this session
                    self.assertIn(name, there)

    @unittest.skipUnless(shutil.which("prometheus"), "skipped: there is no prometheus")
    def test_a_real_prometheus_scrapes_it(self):
        with Proxy("sink", self.folder, "--web", "0") as proxy:
            self.metrics_after_a_session(proxy)
            target = self.page(proxy).removeprefix("http://").rstrip("/")
            config = self.folder / "prometheus.yml"
            config.write_text("global: {scrape_interval: 100ms}\nscrape_configs:\n"
                              "- job_name: smtpscope\n  static_configs:\n"
                              f"  - targets: ['{target}']\n")
            port = free_port()
            server = subprocess.Popen(
                ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={self.folder}/data",
                 f"--web.listen-address=127.0.0.1:{port}"],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                env={**os.environ, "GOMAXPROCS": "2"})
            self.addCleanup(server.wait)
            self.addCleanup(server.kill)
            lines = Lines(server.stderr, "prometheus")
            self.addCleanup(lines.close)
            lines.wait_for("Server is ready to receive web requests")
            ask = (f"http://127.0.0.1:{port}/api/v1/query?"
                   "query=smtpscope_transactions_total%7Boutcome%3D%22accepted%22%7D")
            found = []
            while not found:
                found = json.loads(get(ask))["data"]["result"]
            self.assertEqual(found[0]["value"][1], "1")
            proxy.finish()


if __name__ == "__main__":
    unittest.main()
