"""A Hugging Face Hub on this computer, for the unmodified client: repositories with commits, tags, tokens and faults.

It speaks what the client asks for: create, preupload, LFS batch and upload, commit, tag, tree, refs, resolve with ETag
and ranges. Nothing of the client is replaced; `HF_ENDPOINT` names the server.
"""

import base64
import hashlib
import http.server
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

from made.servers import Handler
from yaml import YAMLError

__all__ = ["ADDRESS", "Hub", "Repository", "blob_id", "card_errors", "hub_of", "running"]

_READ = re.compile(r"/api/models/(?P<id>[^/]+/[^/]+)(?P<rest>/.*)?")
_RESOLVE = re.compile(r"/(?P<id>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)")
_BATCH = re.compile(r"/(?P<id>[^/]+/[^/]+)\.git/info/lfs/objects/batch")
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")

Fault = Callable[[Handler], bool]


@dataclass
class Repository:
    """A repository: each commit is a table of files.

    Attributes:
        private: whether reading it needs a token.
        commits: sha -> {path: content}.
        heads: branches and tags -> sha.
    """

    private: bool = False
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    heads: dict[str, str] = field(default_factory=dict)

    def commit(self, files: dict[str, bytes], branch: str = "main") -> str:
        """Put a commit on a branch and return its sha."""
        parent = self.heads.get(branch, "")
        text = "".join(f"{path} {blob_id(content)}\n" for path, content in sorted(files.items()))
        sha = hashlib.sha1(f"{parent}{len(self.commits)}\n{text}".encode()).hexdigest()
        self.commits[sha], self.heads[branch] = dict(files), sha
        return sha

    def files(self, revision: str) -> dict[str, bytes] | None:
        """The files of a branch, tag or commit."""
        return self.commits.get(self.heads.get(revision, revision))


@dataclass
class Hub:
    """The server's state, which tests look into.

    Attributes:
        token: the token that may write, and read what is private.
        fault: answers a request otherwise; False leaves it to the Hub.
        storage: address of another server that holds large files, to which reading is redirected.
        repositories: by `org/name`.
        objects: large files by their sha256.
        requests: method, path and token of each request.
        renamed: earlier name of a repository -> its name.
        has_sizes: whether the size of each file is stated with the facts of a repository.
        etag: what files are called by, of path and content.
    """

    token: str = "hf_write"
    fault: Fault = lambda request: False
    storage: str = ""
    repositories: dict[str, Repository] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)
    has_sizes: bool = True
    etag: Callable[[str, bytes], str] = lambda path, content: _etag(path, content)
    url: str = ""

    def sent(self, method: str, part: str = "") -> list[str]:
        """The paths of requests of a method that contain a text."""
        return [path for name, path, _ in self.requests if name == method and part in path]

    def answer(self, request: Handler) -> None:
        """Answer one request."""
        path = unquote(request.path.split("?")[0])
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.requests.append((request.command, path, token))
        if self.fault(request):
            return
        if where := self._moved(request):
            request.answer(307, b"", {"Location": where})
            return
        if request.command == "PUT" and path.startswith("/storage/"):
            self._store(request, path.rpartition("/")[2])
        elif request.command in ("POST", "PUT") and token != self.token and "/paths-info/" not in path:
            _json(request, {"error": "Invalid credentials"}, 401)
        elif path == "/api/validate-yaml":
            errors = card_errors(_body(request)["content"])
            _json(request, {"errors": errors, "warnings": []}, 400 if errors else 200)
        elif path == "/api/repos/create":
            self._create(request)
        elif match := _BATCH.fullmatch(path):
            self._batch(request)
        elif match := _READ.fullmatch(path):
            self._model(request, match["id"], match["rest"] or "", token)
        elif match := _RESOLVE.fullmatch(path):
            self._resolve(request, match["id"], match["revision"], match["path"], token)
        else:
            _json(request, {}, 404)

    def _moved(self, request: Handler) -> str:
        """The path that a request has by the repository's name of today; empty where it has it."""
        for name, now in self.renamed.items():
            path = re.sub(rf"^(/api/models)?/{name}(?=/|\?|$)", rf"\1/{now}", request.path)
            if path != request.path:
                return path
        return ""

    def _readable(self, request: Handler, name: str, token: str) -> Repository | None:
        """A repository that may be read; otherwise it is answered as the Hub does."""
        repository = self.repositories.get(name)
        if repository is None or (repository.private and token != self.token):
            status = 404 if token == self.token else 401
            _json(request, {"error": "Repository not found"}, status, {"X-Error-Code": "RepoNotFound"})
            return None
        return repository

    def _create(self, request: Handler) -> None:
        body = _body(request)
        name = f"{body['organization']}/{body['name']}"
        if name in self.repositories:
            _json(request, {"error": "You already created this model repo", "url": f"{self.url}/{name}"}, 409)
            return
        self.repositories[name] = Repository(body.get("visibility") == "private")
        self.repositories[name].commit({".gitattributes": b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n"})
        _json(request, {"url": f"{self.url}/{name}"})

    def _model(self, request: Handler, name: str, rest: str, token: str) -> None:
        repository = self._readable(request, name, token)
        if repository is None:
            return
        verb, _, revision = rest.strip("/").partition("/")
        if verb in ("", "revision", "tree", "preupload") and repository.files(revision or "main") is None:
            _json(request, {"error": "Invalid rev id"}, 404, {"X-Error-Code": "RevisionNotFound"})
        elif verb == "refs":
            _json(request, _refs(repository))
        elif verb in ("", "revision"):
            _json(request, _info(name, repository, revision or "main", self.has_sizes))
        elif verb == "tree":
            _json(request, [_listed(path, content) for path, content in (repository.files(revision) or {}).items()])
        elif verb == "paths-info":
            asked, files = _paths(request), repository.files(revision) or {}
            _json(request, [_listed(path, files[path]) for path in asked if path in files])
        elif verb == "preupload":
            _json(request, {"files": _modes(_body(request), repository.files(revision) or {})})
        elif verb == "commit":
            self._commit(request, name, repository, revision)
        else:
            _tag(request, repository, revision)

    def _batch(self, request: Handler) -> None:
        listed = []
        for one in _body(request)["objects"]:
            upload = {"upload": {"href": f"{self.url}/storage/{one['oid']}"}}
            listed.append({**one, **({} if one["oid"] in self.objects else {"actions": upload})})
        _json(request, {"transfer": "basic", "objects": listed})

    def _store(self, request: Handler, oid: str) -> None:
        content = request.rfile.read(int(request.headers["Content-Length"]))
        self.objects[hashlib.sha256(content).hexdigest()] = content
        _json(request, {}, 200 if oid in self.objects else 400)

    def _commit(self, request: Handler, name: str, repository: Repository, branch: str) -> None:
        lines = [json.loads(line) for line in _content(request).splitlines()]
        files = dict(repository.files(branch) or {})
        for line in lines:
            key, value = line["key"], line["value"]
            if key == "header" and value.get("parentCommit", repository.heads[branch]) != repository.heads[branch]:
                _json(request, {"error": "A commit has happened since"}, 412)
                return
            if key == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif key == "lfsFile":
                files[value["path"]] = self.objects[value["oid"]]
            elif key == "deletedFile":
                del files[value["path"]]
        sha = repository.commit(files, branch)
        _json(request, {"commitUrl": f"{self.url}/{name}/commit/{sha}", "commitOid": sha})

    def _resolve(self, request: Handler, name: str, revision: str, path: str, token: str) -> None:
        repository = self._readable(request, name, token)
        if repository is None:
            return
        files = repository.files(revision)
        if files is None or path not in files:
            code = "RevisionNotFound" if files is None else "EntryNotFound"
            _json(request, {}, 404, {"X-Error-Code": code})
            return
        content, sha = files[path], repository.heads.get(revision, revision)
        headers = {"ETag": f'"{self.etag(path, content)}"', "X-Repo-Commit": sha, "Accept-Ranges": "bytes"}
        if self.storage and _is_large(path):
            linked = {"X-Linked-ETag": headers["ETag"], "X-Linked-Size": str(len(content))}
            where = f"{self.storage}/{hashlib.sha256(content).hexdigest()}"
            request.answer(302, b"", {**headers, **linked, "Location": where})
            return
        serve_range(request, content, headers)


def serve_range(request: Handler, content: bytes, headers: dict[str, str]) -> None:
    """Answer with a file, or with the range of it that was asked for."""
    asked = _RANGE.fullmatch(request.headers.get("Range", ""))
    if asked is None:
        request.answer(200, content, headers)
        return
    start, end = int(asked[1]), int(asked[2] or len(content) - 1)
    request.answer(206, content[start : end + 1], {**headers, "Content-Range": f"bytes {start}-{end}/{len(content)}"})


def hub_of(folder: Path, name: str = "org/repo") -> tuple[Hub, str]:
    """A Hub with one repository that holds the files of a folder, and the sha of its commit."""
    hub = Hub(repositories={name: Repository()})
    return hub, hub.repositories[name].commit({file.name: file.read_bytes() for file in sorted(folder.iterdir())})


# The client reads its address once, when it is imported: that of this process is reserved before.
_RESERVED = socket.socket()
_RESERVED.bind(("127.0.0.1", 0))
ADDRESS = f"http://127.0.0.1:{_RESERVED.getsockname()[1]}"


def _answer(request: Handler) -> None:
    """Answer with the Hub of the test that runs."""
    _current[-1].answer(request)


@cache
def _start() -> None:
    """Serve at the reserved address until this process ends."""
    handler = type("OfHub", (Handler,), {"do_GET": _answer})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler, bind_and_activate=False)
    server.socket.close()
    server.socket = _RESERVED
    server.server_activate()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()


def card_errors(text: str) -> list[dict[str, str]]:
    """What the Hub refuses of a card: front matter that is no YAML, or scores that it cannot show."""
    try:
        from huggingface_hub import ModelCard  # which reads its address when it is imported

        ModelCard(text).data.to_dict()  # type: ignore[no-untyped-call]
    except (ValueError, YAMLError) as error:
        return [{"message": str(error)}]
    return []


@contextmanager
def running(hub: Hub) -> Iterator[str]:
    """Run a Hub at the address that `HF_ENDPOINT` of this process names, which it gives."""
    _start()
    hub.url = ADDRESS
    _current.append(hub)
    try:
        yield hub.url
    finally:
        _current.pop()


def _is_closed(request: Handler) -> bool:
    request.answer(503, b"no test runs a Hub now")
    return True


_current = [Hub(fault=_is_closed)]


def blob_id(content: bytes) -> str:
    """The id that git gives to a file."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _is_large(path: str) -> bool:
    return path.endswith(".safetensors")


def _etag(path: str, content: bytes) -> str:
    return hashlib.sha256(content).hexdigest() if _is_large(path) else blob_id(content)


def _listed(path: str, content: bytes) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "path": path, "size": len(content), "oid": blob_id(content)}
    if _is_large(path):
        entry["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 130}
    return entry


def _info(name: str, repository: Repository, revision: str, has_sizes: bool) -> dict[str, Any]:
    files = repository.files(revision) or {}
    siblings = [{"rfilename": path, **({"size": len(files[path])} if has_sizes else {})} for path in files]
    sha = repository.heads.get(revision, revision)
    return {"id": name, "modelId": name, "sha": sha, "private": repository.private, "siblings": siblings, "tags": []}


def _refs(repository: Repository) -> dict[str, Any]:
    refs = [{"name": name, "targetCommit": sha} for name, sha in repository.heads.items()]
    branches = [{**ref, "ref": "refs/heads/main"} for ref in refs if ref["name"] == "main"]
    tags = [{**ref, "ref": f"refs/tags/{ref['name']}"} for ref in refs if ref["name"] != "main"]
    return {"branches": branches, "tags": tags, "converts": []}


def _modes(body: Any, files: dict[str, bytes]) -> list[dict[str, Any]]:
    listed = []
    for one in body["files"]:
        path, mode = one["path"], "lfs" if _is_large(one["path"]) else "regular"
        known = {"oid": _etag(path, files[path])} if path in files else {}
        listed.append({"path": path, "uploadMode": mode, "shouldIgnore": False, **known})
    return listed


def _tag(request: Handler, repository: Repository, revision: str) -> None:
    name = _body(request)["tag"]
    if name in repository.heads:
        _json(request, {"error": "Tag already exists"}, 409)
        return
    repository.heads[name] = repository.heads.get(revision, revision)
    _json(request, {})


def _paths(request: Handler) -> list[str]:
    """The paths that a request asks for, as JSON or as a form."""
    content = _content(request).decode()
    return list(json.loads(content)["paths"]) if content.startswith("{") else parse_qs(content)["paths"]


def _content(request: Handler) -> bytes:
    return request.rfile.read(int(request.headers["Content-Length"]))


def _body(request: Handler) -> Any:
    return json.loads(_content(request))


def _json(request: Handler, content: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
    request.answer(status, json.dumps(content).encode(), {"Content-Type": "application/json", **(headers or {})})
