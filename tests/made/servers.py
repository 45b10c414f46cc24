"""Servers on this computer: one that serves as a test says, and one that is a Hugging Face Hub of one repository."""

import hashlib
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["COMMIT", "Handler", "made_hub", "serving"]

COMMIT = "0123456789abcdef0123456789abcdef01234567"


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


def made_hub(folder: Path, fault: Callable[[Handler], bool] = lambda request: False) -> Callable[[Handler], None]:
    """Serve a folder as the repository `org/repo`, whose revision `main` is COMMIT.

    Args:
        folder: its files.
        fault: answers a request otherwise; False leaves it to the Hub.
    """

    def get(request: Handler) -> None:
        if fault(request):
            return
        path = request.path.split("?")[0]
        files = {file.name: file.read_bytes() for file in sorted(folder.iterdir())}
        if path in ("/api/models/org/repo/revision/main", f"/api/models/org/repo/revision/{COMMIT}"):
            listed = [{"rfilename": name} for name in files]
            info = {"id": "org/repo", "modelId": "org/repo", "sha": COMMIT, "siblings": listed, "tags": []}
            request.answer(200, json.dumps(info).encode())
        elif path == f"/api/models/org/repo/tree/{COMMIT}":
            tree = [{"type": "file", "path": n, "size": len(c), "oid": _oid(c)} for n, c in files.items()]
            request.answer(200, json.dumps(tree).encode())
        elif path.startswith(f"/org/repo/resolve/{COMMIT}/") and path.rpartition("/")[2] in files:
            content = files[path.rpartition("/")[2]]
            request.answer(200, content, {"ETag": f'"{_oid(content)}"', "X-Repo-Commit": COMMIT})
        else:
            known = path.startswith("/api/models/org/repo/")
            request.answer(404, b"{}", {"X-Error-Code": "RevisionNotFound" if known else "RepoNotFound"})

    return get


def _oid(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()
