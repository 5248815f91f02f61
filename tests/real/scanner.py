"""A mail scanner between client and server, as the origin story has it.

It lets the client announce its envelope to the real server, takes the message itself, and while it
looks at the message keeps the server waiting with RSET: once where the client says DATA, once where
the client has sent everything. Then it announces the same envelope again and sends the mail. A
model of what was reported, not of any product.
"""

import socket
import threading

from follow import DEADLINE

MULTILINE_MARK = b"-"


class Scanner:
    """Serves any number of clients, one after the other; `scan` is its time for one message in s.

    Started by `with`; `port` is where it listens. A fault in it is raised at the end of `with`.
    """

    def __init__(self, server_port, scan):
        self._server_port = server_port
        self._scan = scan
        self._stop = threading.Event()
        self._fault = None

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(self, kind, *_):
        self._stop.set()
        # Ends accept() in the other thread; closing alone would not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(DEADLINE)
        self._listener.close()
        if self._fault and kind is None:
            raise self._fault

    def _serve(self):
        while not self._stop.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                with client, socket.create_connection(("127.0.0.1", self._server_port)) as server:
                    for peer in (client, server):
                        peer.settimeout(DEADLINE)
                        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self._session(client, server)
            except (OSError, ValueError) as fault:
                self._fault = fault

    def _session(self, client, server):
        from_client = client.makefile("rb")
        from_server = server.makefile("rb")

        def ask(octets):
            server.sendall(octets)
            return read_reply(from_server)

        client.sendall(read_reply(from_server))
        envelope = []
        for line in from_client:
            verb = line[:4].upper()
            if verb == b"DATA":
                ask(b"RSET\r\n")
                client.sendall(b"354 Start mail input; end with <CRLF>.<CRLF>\r\n")
                message = read_message(from_client)
                ask(b"RSET\r\n")
                # What it does for its living. It stands for work, so it takes its time in full.
                self._stop.wait(self._scan)
                for command in envelope:
                    ask(command)
                ask(b"DATA\r\n")
                client.sendall(ask(message))
                envelope = []
                continue
            if verb in (b"MAIL", b"RCPT"):
                envelope.append(line)
            client.sendall(ask(line))
            if verb == b"QUIT":
                return


def read_reply(stream):
    """One SMTP reply, all its lines, as octets."""
    reply = b""
    while True:
        line = stream.readline()
        if not line.endswith(b"\r\n"):
            raise ValueError(f"the server's reply broke off after {reply + line!r}")
        reply += line
        if line[3:4] != MULTILINE_MARK:
            return reply


def read_message(stream):
    """Mail data with its end, dot-stuffed as it came."""
    message = b""
    while True:
        line = stream.readline()
        if not line:
            raise ValueError("the client went away within its message")
        message += line
        if line == b".\r\n":
            return message
