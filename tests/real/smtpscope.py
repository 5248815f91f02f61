"""The program under test, run as a user runs it."""

import json
import os
import signal
import subprocess

from follow import DEADLINE, Lines

BINARY = os.environ.get("SMTPSCOPE")
if not BINARY:
    raise SystemExit("set SMTPSCOPE to the smtpscope to test")


class Proxy:
    """`smtpscope proxy` in front of `upstream`, writing its capture into `folder`.

    Started by `with`, which ends it as an administrator would, by SIGTERM. `port` is where it
    listens, `capture` its file. `finish()` ends it earlier and gives the live timeline.
    """

    def __init__(self, upstream, folder, *options, capture="run.smtpcap"):
        self.capture = folder / capture
        self._live = folder / "live.out"
        self._command = [BINARY, "proxy", "--listen", "127.0.0.1:0", "--upstream", str(upstream)]
        self._command += ["--write", str(self.capture), *options]
        self._process = None

    def __enter__(self):
        with open(self._live, "wb") as live:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=live, stderr=subprocess.PIPE
            )
        self.errors = Lines(self._process.stderr, "smtpscope proxy")
        try:
            self.port = int(self.errors.wait_for(r"listening on \S*:(\d+)\b")[1])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self.errors.rest()
                self._process.wait(DEADLINE)
            finally:
                if self._process.poll() is None:
                    self._process.kill()
                    self._process.wait(DEADLINE)
        self.errors.close()

    def finish(self):
        """Ends it by SIGTERM and gives the live timeline; it must have ended without a fault."""
        self._process.send_signal(signal.SIGTERM)
        said = "\n".join(self.errors.rest())
        status = self._process.wait(DEADLINE)
        if status != 0:
            raise AssertionError(f"smtpscope proxy ended with {status}:\n{said}")
        return self._live.read_text()

    def kill(self):
        """Takes it away without a word, as a crash or the OOM killer does."""
        self._process.kill()
        self.errors.rest()
        self._process.wait(DEADLINE)


def show(capture, *options):
    """What `smtpscope show` prints for `capture`; fails if it complains."""
    run = show_result(capture, *options)
    if run.returncode != 0 or run.stderr:
        raise AssertionError(f"smtpscope show ended with {run.returncode}: {run.stderr}")
    return run.stdout


def show_result(capture, *options):
    return subprocess.run(
        [BINARY, "show", str(capture), *options],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )


class Session:
    """One session of a JSON timeline."""

    def __init__(self, fields):
        self.fields = fields
        self.transactions = fields["transactions"]
        self.silences = fields["silences"]

    def verbs(self):
        return [entry["verb"] for entry in self.fields["entries"] if entry["kind"] == "command"]

    def line_of(self, verb):
        """The first command line with `verb`."""
        return next(entry["text"] for entry in self.fields["entries"] if entry.get("verb") == verb)

    def outcomes(self):
        return [transaction["outcome"] for transaction in self.transactions]

    def forward_paths(self):
        """Of each transaction, the recipients in the order of their RCPTs."""
        return [[r["forward_path"] for r in t["recipients"]] for t in self.transactions]

    def rules(self):
        """The ids of all annotations, folded ones too."""
        return [annotation["rule"] for annotation in self.fields["annotations"]]

    def headlines(self, severity=None):
        """The ids of the annotations that are not folded; only those of `severity` if given."""
        return [
            annotation["rule"]
            for annotation in self.fields["annotations"]
            if "folded_under" not in annotation and severity in (None, annotation["severity"])
        ]

    def above_info(self):
        """The ids of the annotations that are not folded and more than worth a line."""
        return [
            annotation["rule"]
            for annotation in self.fields["annotations"]
            if "folded_under" not in annotation and annotation["severity"] != "info"
        ]

    def folded_under(self, rule):
        """The headlines that the annotations of `rule` are folded under; None for those that are not."""
        return [
            annotation.get("folded_under")
            for annotation in self.fields["annotations"]
            if annotation["rule"] == rule
        ]

    def closes(self):
        """Who closed how, in order."""
        return [(close["side"], close["how"]) for close in self.fields["closes"]]

    def replies_to_message(self):
        return [
            entry["code"]
            for entry in self.fields["entries"]
            if entry["kind"] == "reply" and entry["answers"] == "end-of-data"
        ]


def sessions_of_log(log):
    """The same of a program's log: what smtpscope cannot know of it may be told on stderr."""
    run = show_result(log, "-f", "json")
    if run.returncode != 0:
        raise AssertionError(f"smtpscope show ended with {run.returncode}: {run.stderr}")
    return [Session(fields) for fields in json.loads(run.stdout)["sessions"]]


def sessions(capture):
    """The sessions of `capture`, as its JSON timeline has them."""
    return [Session(fields) for fields in json.loads(show(capture, "-f", "json"))["sessions"]]
