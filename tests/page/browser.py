"""Chromium, driven by Selenium; and captures and reports for it to look at."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

try:
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys
except ImportError:
    # Debian's module belongs to Debian's Python; the first of PATH may be another one.
    debians = "/usr/bin/python3"
    if os.path.realpath(sys.executable) != os.path.realpath(debians) and subprocess.run(
            [debians, "-c", "import selenium"], capture_output=True, check=False).returncode == 0:
        os.execv(debians, [debians, "-B", *sys.argv])
    print("SKIPPED: there is no Python module selenium (Debian: python3-selenium)")
    sys.exit(77)

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "cli"))
from program import Capture, PROGRAM, ROOT, UTF8, quiet_session, replayed_session, run  # noqa: E402,F401

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
if not CHROMIUM or not DRIVER:
    print("SKIPPED: chromium and chromedriver are not there (Debian: chromium, chromium-driver)")
    sys.exit(77)

DEADLINE = 240  # seconds; on a machine at rest nothing here takes one
SIZES = [(1280, 800), (390, 844)]


def start():
    options = Options()
    options.binary_location = CHROMIUM
    arguments = ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                 "--disable-ipc-flooding-protection"]  # tests turn pages faster than people
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    for argument in arguments:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    environment = {**UTF8, "TZ": "UTC"}
    service = Service(DRIVER, env=environment)
    return webdriver.Chrome(service=service, options=options)


class PageTest(unittest.TestCase):
    """One browser for all tests of a class."""

    @classmethod
    def setUpClass(cls):
        cls.browser = start()
        cls.browser.set_script_timeout(DEADLINE)
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.addClassCleanup(cls.browser.quit)
        cls.folder = Path(folder.name)

    def tearDown(self):
        # A violation of the policy, or an error of the script, is said there and nowhere else.
        said = [entry["message"] for entry in self.browser.get_log("browser")]
        self.assertEqual(said, [])

    def script(self, code, *arguments):
        return self.browser.execute_script(code, *arguments)

    def wait(self, code, *arguments):
        """Until the script gives something true; gives that."""
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            if value := self.script(code, *arguments):
                return value
            time.sleep(0.02)
        self.fail(f"never came true: {code}\n{self.text('body')[:2000]}")

    def text(self, selector):
        return self.script("const e = document.querySelector(arguments[0]); return e ? e.innerText : ''", selector)

    def texts(self, selector):
        return self.script("return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText)", selector)

    def press(self, *keys):
        ActionChains(self.browser).send_keys(*keys).perform()

    def resize(self, width, height, media="", dark=False):
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                     {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})

    def report(self, name, *captures, options=()):
        """A report of these captures (objects or paths); gives its path."""
        files = []
        for i, capture in enumerate(captures):
            if isinstance(capture, Capture):
                path = self.folder / f"{name}-{i}.smtpcap"
                path.write_bytes(capture.octets())
                capture = path
            files.append(capture)
        page = self.folder / f"{name}.html"
        made = run("show", "-f", "html", "--force", "-o", page, *options, *files)
        self.assertEqual(made.code, 0, made.err)
        return page

    def open(self, page, fragment=""):
        self.browser.get("about:blank")
        self.browser.get(f"{page.as_uri()}{fragment}")
        self.wait("return document.querySelector('#main h1')")


def records(*files, options=()):
    done = run("show", "-f", "json", *options, *files)
    assert done.code == 0, done.err
    return json.loads(done.out)


def refused_session(capture, session, ms=0, sender="carol@example.org", recipient="erin@example.net",
                    reply="550 5.1.1 No such user here"):
    capture.open(ms, session)
    capture.server(ms + 1, session, "220 mx ESMTP\r\n")
    capture.client(ms + 2, session, f"EHLO host{session}.example\r\n")
    capture.server(ms + 3, session, "250-mx\r\n250-PIPELINING\r\n250 SIZE 10240000\r\n")
    capture.client(ms + 4, session, f"MAIL FROM:<{sender}>\r\n")
    capture.server(ms + 5, session, "250 2.1.0 Ok\r\n")
    capture.client(ms + 6, session, f"RCPT TO:<{recipient}>\r\n")
    capture.server(ms + 7, session, reply + "\r\n")
    capture.client(ms + 8, session, "QUIT\r\n")
    capture.server(ms + 9, session, "221 2.0.0 Bye\r\n")
    capture.end(ms + 10, session)
