"""A server on this computer that answers as a test says."""

import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Handler", "serving"]


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers a request; nothing is logged."""

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, status: int, content: bytes, headers: dict[str, str] | None = None, cut: bool = False) -> None:
        """Answer with content; `cut` ends the connection in its middle."""
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content[: len(content) // 2] if cut else content)
        self.close_connection = True

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self.do_GET()

    def do_PUT(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        raise NotImplementedError


@contextmanager
def serving(get: Callable[[Handler], None]) -> Iterator[str]:
    """Serve with a function that answers each request; gives the address."""
    handler = type("Serving", (Handler,), {"do_GET": get})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
