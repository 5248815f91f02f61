"""What the private servers of the tests have in common: how they start and end."""

from follow import free_port


class Server:
    """Started by `with`, stopped at its end.

    A kind of server says how in _start() and _stop(); the latter also after a start that failed
    half-way, so it takes away what is there.
    """

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_):
        self._stop()


def start_on_free_port(start):
    """Gives a port on which `start` succeeded, for servers that must be told theirs.

    Somebody else may take a free port before the server listens there: start(port) gives None, or
    the server's words when it could not start.
    """
    for _ in range(10):
        port = free_port()
        trouble = start(port)
        if trouble is None:
            return port
        if "in use" not in trouble:
            raise AssertionError(trouble)
    raise AssertionError("no free port was found")
