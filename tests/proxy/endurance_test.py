"""What the proxy has stood when it was attacked, in small: random sessions, few descriptors, being
stopped and killed, sessions that idle."""

import asyncio
import hashlib
import mmap
import random
import re
import resource
import selectors
import signal
import socket
import sys
import tempfile
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "real"))

from follow import DEADLINE  # noqa: E402
from smtpscope import BINARY, Proxy, show_result  # noqa: E402


class LimitedProxy(Proxy):
    """With so many descriptors at most."""

    def __init__(self, descriptors, *arguments):
        super().__init__(*arguments)
        self._command = ["sh", "-c", f'ulimit -n {descriptors}; exec "$@"', "sh", *self._command]


def pieces(octets, dice):
    """The octets cut at random."""
    at = 0
    while at < len(octets):
        size = dice.choice((1, 2, 7, 80, 1500, 70_000))
        yield octets[at:at + size]
        at += size


def something_to_say(dice):
    """Binary or lines, short or long, or nothing."""
    kind = dice.randrange(4)
    if kind == 0:
        return dice.randbytes(dice.randrange(100_000))
    if kind == 1:
        words = [b"EHLO a", b"MAIL FROM:<a@b>", b"DATA", b".", b"250 ok", b"354 go", b"", b"BDAT 9"]
        return b"\r\n".join(dice.choice(words) for _ in range(dice.randrange(200)))
    if kind == 2:
        return b"\n" * dice.randrange(20_000)
    return b""


async def say_and_hear(reader, writer, dice):
    """Says something, closes that half at the end, and gives digests of what it said and heard."""
    said, heard = hashlib.sha256(), hashlib.sha256()

    async def say():
        for piece in pieces(something_to_say(dice), dice):
            said.update(piece)
            writer.write(piece)
            await writer.drain()
        writer.write_eof()

    async def hear():
        while octets := await reader.read(65536):
            heard.update(octets)

    # One after the other, or both at once: neither end may wait for what the other will not say.
    await asyncio.gather(say(), hear())
    writer.close()
    return said.hexdigest(), heard.hexdigest()


class RandomSessions(unittest.IsolatedAsyncioTestCase):
    SESSIONS = 120
    AT_ONCE = 12

    async def test_what_one_end_says_the_other_hears(self):
        loop = asyncio.get_running_loop()
        loop.set_debug(False)
        print("seed", seed := random.randrange(1 << 32))
        dice = random.Random(seed)
        ends = {}  # what came of a server's end, by its client's first octets, a number

        async def serve(reader, writer):
            number = await reader.readexactly(4)
            try:
                come = await say_and_hear(reader, writer, random.Random(number + b"s"))
            except OSError as error:
                come = error
            ends[number].set_result(come)

        async def session(port, number):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(number)
            return await say_and_hear(reader, writer, random.Random(number + b"c"))

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        upstream = server.sockets[0].getsockname()[1]
        with tempfile.TemporaryDirectory(prefix="smtpscope-") as folder, \
                Proxy(f"127.0.0.1:{upstream}", Path(folder)) as proxy:
            for _ in range(self.SESSIONS // self.AT_ONCE):
                numbers = [dice.randbytes(4) for _ in range(self.AT_ONCE)]
                ends.update((each, loop.create_future()) for each in numbers)
                under_way = [asyncio.create_task(session(proxy.port, each)) for each in numbers]
                # Stopped and woken again, in the middle of whatever it does.
                proxy._process.send_signal(signal.SIGSTOP)
                for _ in range(100):  # turns of the loop, in which the clients fill its sockets
                    await asyncio.sleep(0)
                proxy._process.send_signal(signal.SIGCONT)
                clients = await asyncio.wait_for(asyncio.gather(*under_way), DEADLINE)
                for number, (said, heard) in zip(numbers, clients):
                    come = await asyncio.wait_for(ends[number], DEADLINE)
                    self.assertEqual(come, (heard, said), number)
            await asyncio.to_thread(proxy.finish)
            self.assertEqual(show_result(proxy.capture).returncode, 0)
        server.close()


class Endurance(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="smtpscope-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_with_few_descriptors_all_are_served_in_turn(self):
        for descriptors in (24, 64):
            with self.subTest(descriptors=descriptors), \
                    LimitedProxy(descriptors, "sink", self.folder, "--force") as proxy:
                self.serve_all(proxy.port, 80)
                proxy.finish()

    def serve_all(self, port, count):
        """They all connect at once; each leaves when it has been greeted."""
        ready = selectors.DefaultSelector()
        for _ in range(count):
            ready.register(socket.create_connection(("127.0.0.1", port), DEADLINE),
                           selectors.EVENT_READ, b"")
        while count > 0:
            found = ready.select(DEADLINE)
            self.assertTrue(found, f"{count} clients wait in vain")
            for key, _ in found:
                octets = key.fileobj.recv(4096)
                if not octets:
                    self.assertIn(b"\r\n221 ", key.data)
                    ready.unregister(key.fileobj)
                    key.fileobj.close()
                    count -= 1
                    continue
                if not key.data:
                    key.fileobj.sendall(b"QUIT\r\n")
                ready.modify(key.fileobj, selectors.EVENT_READ, key.data + octets)
        ready.close()

    def test_an_idle_session_costs_little(self):
        few, many = 100, 400
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        with Proxy("sink", self.folder) as proxy:
            sessions = []
            resident = {}
            for count in (few, many):
                while len(sessions) < count:
                    sessions.append(socket.create_connection(("127.0.0.1", proxy.port), DEADLINE))
                    self.assertTrue(sessions[-1].recv(4096).startswith(b"220 "))
                status = Path(f"/proc/{proxy._process.pid}/status").read_text()
                resident[count] = int(re.search(r"VmRSS:\s*(\d+) kB", status)[1])
            for each in sessions:
                each.close()
            proxy.finish()
        # 3.2 KiB and what the sink keeps; sanitizers keep much beside it.
        most = 64 if self.is_sanitized() else 12
        self.assertLess((resident[many] - resident[few]) / (many - few), most)

    @staticmethod
    def is_sanitized():
        with open(BINARY, "rb") as file, \
                mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as octets:
            return octets.find(b"__asan_init") >= 0 or octets.find(b"__tsan_init") >= 0

    def test_killed_under_load_it_leaves_a_capture_that_can_be_read(self):
        for mails in (1, 7, 40):
            with self.subTest(mails=mails), Proxy("sink", self.folder, "--force") as proxy:
                accepted = threading.Semaphore(0)
                clients = [threading.Thread(target=self.send_mails, args=(proxy.port, accepted))
                           for _ in range(4)]
                for each in clients:
                    each.start()
                for _ in range(mails):
                    self.assertTrue(accepted.acquire(timeout=DEADLINE))
                proxy.kill()
                for each in clients:
                    each.join(DEADLINE)
                self.assertEqual(show_result(proxy.capture).returncode, 0)

    @staticmethod
    def send_mails(port, accepted):
        """Until the connection breaks."""
        try:
            with socket.create_connection(("127.0.0.1", port), DEADLINE) as client, \
                    client.makefile("rb") as replies:
                replies.readline()
                while True:
                    for said in (b"HELO a.example\r\n", b"MAIL FROM:<a@b.example>\r\n",
                                 b"RCPT TO:<c@d.example>\r\n", b"DATA\r\n", b"x" * 900 + b"\r\n.\r\n"):
                        client.sendall(said)
                        if not replies.readline():
                            return
                    accepted.release()
        except OSError:
            pass


if __name__ == "__main__":
    unittest.main()
