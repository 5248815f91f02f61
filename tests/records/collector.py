"""A collector that answers as it is told, and what is in requests of OTLP."""

import contextlib
import gzip
import http.server
import json
import re
import shutil
import socket
import subprocess
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
PATIENCE = 240  # seconds; nothing takes one

ENUMS = {"SPAN_KIND_INTERNAL": 1, "SPAN_KIND_SERVER": 2, "STATUS_CODE_ERROR": 2}
IDS = ("trace_id", "span_id", "parent_span_id")


class Collector:
    """Gives the answers, one after the other, then 200. An answer is a status, headers and a body, or
    "hang", or a function of the request that gives one."""

    def __init__(self, *answers, port=0):
        self.answers = list(answers)
        self.requests = []  # path, headers, body
        self.changed = threading.Condition()
        self.over = threading.Event()
        self.connections = []
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                collector.connections.append(self.connection)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = collector.take(self.path, dict(self.headers), body)
                if answer == "hang":
                    collector.over.wait(PATIENCE)
                    self.close_connection = True
                    return
                status, headers, content = answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass  # a client that has gone

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def take(self, path, headers, body):
        with self.changed:
            answer = self.answers.pop(0) if self.answers else (200, {}, b"")
            if callable(answer):
                self.answers.insert(0, answer)
                answer = answer(body)
            self.requests.append((path, headers, body, answer))
            self.changed.notify_all()
        return answer

    def wait_for(self, count, what="requests"):
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.requests) >= count, PATIENCE):
                raise AssertionError(f"{len(self.requests)} {what}, not {count}")

    def taken(self):
        """The bodies of what it took."""
        with self.changed:
            return [unpacked(headers, body) for _, headers, body, answer in self.requests
                    if answer != "hang" and answer[0] == 200]

    def close(self):
        self.over.set()
        self.server.shutdown()
        for connection in self.connections:  # those that are kept open would be served on
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server.server_close()
        self.thread.join()


def unpacked(headers, body):
    return gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body


def protoc():
    return shutil.which("protoc")


def from_protobuf(request):
    """As from_json, by protoc."""
    text = subprocess.run([protoc(), f"--proto_path={HERE}", "--decode=ExportTraceServiceRequest",
                           "trace_request.proto"], input=request, stdout=subprocess.PIPE, check=True,
                          timeout=PATIENCE).stdout.decode()
    root = {}
    stack = [root]
    for line in text.splitlines():
        line = line.strip()
        if line == "}":
            stack.pop()
        elif line.endswith(" {"):
            inner = {}
            stack[-1].setdefault(line[:-2], []).append(inner)
            stack.append(inner)
        else:
            name, value = line.split(": ", 1)
            stack[-1].setdefault(name, []).append(scalar(name, value))
    return root


def scalar(name, value):
    if name.isdigit():
        raise AssertionError(f"field {name} is not known: {value}")
    if value.startswith('"'):
        octets = re.sub(rb"\\([0-7]{3}|.)", unescaped, value[1:-1].encode())
        return octets.hex() if name in IDS else octets.decode()
    if value in ("true", "false"):
        return value == "true"
    return ENUMS[value] if value in ENUMS else int(value)


def unescaped(match):
    code = match[1]
    if len(code) == 3:
        return bytes([int(code, 8)])
    return {b"n": b"\n", b"r": b"\r", b"t": b"\t"}.get(code, code)


def from_json(request):
    """A request as lists and dictionaries, with the names of the protocol; numbers as numbers."""
    def taken(value, name=""):
        if isinstance(value, dict):
            return {snake(key): listed(each, snake(key)) for key, each in value.items()}
        if name in ("start_time_unix_nano", "end_time_unix_nano", "time_unix_nano", "int_value"):
            assert isinstance(value, str), f"{name} is not a text"  # 64 bits
            return int(value)
        return value

    def listed(value, name):
        return [taken(each, name) for each in value] if isinstance(value, list) else [taken(value, name)]
    return taken(json.loads(request))


def snake(name):
    return re.sub(r"[A-Z]", lambda match: "_" + match[0].lower(), name)


class Span:
    """A span, by its names."""

    def __init__(self, span):
        self.raw = span
        self.trace, self.id = span["trace_id"][0], span["span_id"][0]
        self.parent = span.get("parent_span_id", [""])[0]
        self.name, self.kind = span["name"][0], span["kind"][0]
        self.began, self.ended = span["start_time_unix_nano"][0], span["end_time_unix_nano"][0]
        self.attributes = attributes(span)
        self.events = [(event["name"][0], event["time_unix_nano"][0], attributes(event))
                       for event in span.get("events", [])]
        self.failed = span.get("status", [{}])[0].get("code", [0])[0] == 2

    def __repr__(self):
        return f"{self.name} {self.attributes}"


def attributes(of):
    pairs = [(pair["key"][0], next(iter(pair["value"][0].values()))[0]) for pair in of.get("attributes", [])]
    assert len(dict(pairs)) == len(pairs), f"an attribute is there twice: {pairs}"
    return dict(pairs)


def spans_in(*requests):
    """Of requests as from_json and from_protobuf give them."""
    return [Span(span) for request in requests for resource in request["resource_spans"]
            for scope in resource["scope_spans"] for span in scope["spans"]]


def resource_of(request):
    return attributes(request["resource_spans"][0]["resource"][0])
