"""A Hugging Face Hub in memory: the routes that push and pull need, over HTTP, with faults.

Models are kept by their ids, Spaces by theirs after "spaces/", as in addresses.

Large files go the LFS way (batch, PUT, verify) and come back from another origin, as from the
Hub's store: `localhost` instead of `127.0.0.1`. Its successor, Xet, is taken as well, but what it
sends is packed, and not unpacked here: a test must say what is in it (`Hub.store`).
"""

import base64
import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from huggingface_hub import close_session

TOKEN = "hf_aTokenThatNobodyMayEverSee"
ACCOUNT = "somebody"
LARGE = ".safetensors"
TOO_LARGE = 10_000_000  # for a file to come as text, whatever its name


@dataclass
class Fault:
    """What happens to the next `times` requests of a method whose path has `part` in it."""

    method: str
    part: str
    status: int | None = None
    message: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    truncate: bool = False  # the connection breaks off in the middle of the body
    spoil: bool = False  # the body has the right length and another content
    hang: bool = False  # no answer before `Hub.close`
    times: int = 1


@dataclass
class Repository:
    private: bool
    commits: dict[str, dict[str, bytes]]  # all files of each commit
    branches: dict[str, str]
    variables: dict[str, str] = field(default_factory=dict)
    hardware: str | None = None


def git_sha1(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Hub:
    """A server on a free port of this machine, to be used in a `with`."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.store: dict[str, bytes] = {}
        self.collections: dict[str, list[dict[str, str]]] = {}
        self.faults: list[Fault] = []
        self.requests: list[tuple[str, str]] = []
        self.sent_to_store: list[str | None] = []  # Authorization headers that a store must not see
        self.closing = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.store_url = f"http://localhost:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> "Hub":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Be gone, and let the client forget the connections that it holds."""
        self.closing.set()
        close_session()
        if self.thread.is_alive():
            self.server.shutdown()
            self.thread.join()
        self.server.server_close()

    def fail(self, method: str, part: str, **what: object) -> None:
        self.faults.append(Fault(method, part, **what))

    def fault(self, method: str, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.times and method == fault.method and fault.part in path:
                fault.times -= 1
                return fault
        return None

    def add(
        self,
        repo: str,
        files: dict[str, bytes],
        branch: str = "main",
        deleted: Collection[str] = (),
        private: bool = False,
    ) -> str:
        """Commit files to a repository, which is made if it is not there; returns the commit."""
        if repo not in self.repositories:
            first = {".gitattributes": b"*.safetensors filter=lfs\n"}
            commit = git_sha1(repo.encode())
            self.repositories[repo] = Repository(private, {commit: first}, {"main": commit})
        here = self.repositories[repo]
        before = here.branches[branch]
        if not files and not deleted:
            return before
        kept = {name: c for name, c in here.commits[before].items() if name not in deleted}
        everything = kept | files
        state = f"{before} {len(here.commits)} {sorted((n, sha256(c)) for n, c in files.items())}"
        commit = git_sha1(state.encode())
        here.commits[commit] = everything
        here.branches[branch] = commit
        self.store |= {sha256(c): c for name, c in files.items() if name.endswith(LARGE)}
        return commit

    def head(self, repo: str, branch: str = "main") -> str:
        return self.repositories[repo].branches[branch]

    def files(self, repo: str, branch: str = "main") -> dict[str, bytes]:
        return self.repositories[repo].commits[self.head(repo, branch)]


class Refused(Exception):
    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        self.status, self.message, self.code = status, message, code


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def answer(self) -> None:
            path = unquote(urlsplit(self.path).path)
            hub.requests.append((self.command, path))
            fault = hub.fault(self.command, path)
            if fault and fault.truncate and self.command in ("PUT", "POST"):
                self.rfile.read(int(self.headers["Content-Length"]) // 2)
                return self.hang_up()
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Transfer-Encoding") == "chunked":
                body = self.chunks()
            if fault and fault.hang:
                hub.closing.wait()
                return self.hang_up()
            if fault and fault.status:
                return self.send(
                    fault.status, json.dumps({"error": fault.message}).encode(), fault.headers
                )
            try:
                for (method, pattern), route in ROUTES.items():
                    if method == self.command and (match := re.fullmatch(pattern, path)):
                        return self.send(*route(self, *match.groups(), body=body), fault=fault)
                raise Refused(404, f"No route {self.command} {path}")
            except Refused as why:
                headers = {"X-Error-Message": why.message}
                if why.code:
                    headers["X-Error-Code"] = why.code
                self.send(why.status, json.dumps({"error": why.message}).encode(), headers)

        do_GET = do_HEAD = do_POST = do_PUT = answer

        def chunks(self) -> bytes:
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def send(
            self,
            status: int,
            body: bytes = b"",
            headers: dict[str, str] | None = None,
            fault: Fault | None = None,
        ) -> None:
            if fault and fault.spoil:
                body = bytes(255 - byte for byte in body)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "HEAD":
                return
            if fault and fault.truncate:
                body = body[: len(body) // 2]
                self.hang_up()
            self.wfile.write(body)

        def hang_up(self) -> None:
            self.close_connection = True

        def allow(self, repo: str | None = None, write: bool = True) -> None:
            """Refuse those who have no token, and writing to what is somebody else's."""
            token = self.headers.get("Authorization")
            if token not in (None, f"Bearer {TOKEN}"):
                raise Refused(401, "Invalid credentials in Authorization header")
            if write and token is None:
                raise Refused(401, "Invalid username or password.")
            if write and repo is not None and not _mine(repo):
                raise Refused(403, f"You don't have the rights to write to {repo}")

        def repository(self, repo: str) -> Repository:
            here = hub.repositories.get(repo)
            mine = self.headers.get("Authorization") and _mine(repo)
            if here is None or (here.private and not mine):
                raise Refused(404, "Repository not found", "RepoNotFound")
            return here

        def commit(self, repo: str, revision: str) -> tuple[str, dict[str, bytes]]:
            here = self.repository(repo)
            commit = here.branches.get(revision, revision)
            if commit not in here.commits:
                raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
            return commit, here.commits[commit]

    Handler.hub = hub
    return Handler


def _mine(repo: str) -> bool:
    return re.sub("^(spaces|datasets)/", "", repo).startswith(f"{ACCOUNT}/")


def _json(data: object) -> tuple[int, bytes]:
    return 200, json.dumps(data).encode()


def create(self, body: bytes) -> tuple:
    request = json.loads(body)
    repo = f"{request['organization']}/{request['name']}"
    if request.get("type") == "space":
        if request.get("sdk") not in ("gradio", "static"):
            raise Refused(400, "A Space needs an SDK")
        repo = f"spaces/{repo}"
    if request.get("type") == "dataset":
        repo = f"datasets/{repo}"
    self.allow(repo)
    if repo in self.hub.repositories:
        there = {"error": "You already created this repo", "url": f"{self.hub.url}/{repo}"}
        return 409, json.dumps(there).encode()
    self.hub.add(repo, {}, private=request.get("visibility") == "private")
    self.hub.repositories[repo].hardware = request.get("hardware")
    return _json({"url": f"{self.hub.url}/{repo}"})


def info(self, repo: str, revision: str | None = None, body: bytes = b"") -> tuple:
    self.allow(write=False)
    commit, files = self.commit(repo, revision or "main")
    siblings = []
    for name, content in files.items():
        one = {"rfilename": name, "size": len(content), "blobId": git_sha1(content)}
        if name.endswith(LARGE):
            one["lfs"] = {"sha256": sha256(content), "size": len(content), "pointerSize": 134}
        siblings.append(one)
    private = self.hub.repositories[repo].private
    return _json({"id": repo, "sha": commit, "private": private, "siblings": siblings})


def branch(self, repo: str, name: str, body: bytes) -> tuple:
    self.allow(repo)
    here = self.repository(repo)
    if name in here.branches:
        raise Refused(409, "Reference already exists")
    here.branches[name] = here.branches["main"]
    return _json({})


def preupload(self, repo: str, revision: str, body: bytes) -> tuple:
    self.allow(repo)
    _, there = self.commit(repo, revision)
    files = []
    for file in json.loads(body)["files"]:
        name, content = file["path"], there.get(file["path"])
        large = name.endswith(LARGE) or file["size"] > TOO_LARGE
        one = {"path": name, "uploadMode": "lfs" if large else "regular", "shouldIgnore": False}
        if content is not None:
            one["oid"] = sha256(content) if large else git_sha1(content)
        files.append(one)
    return _json({"files": files})


def tree(self, repo: str, revision: str, body: bytes) -> tuple:
    self.allow(write=False)
    _, files = self.commit(repo, revision)
    return _json(
        [
            {"type": "file", "path": name, "size": len(content), "oid": git_sha1(content)}
            for name, content in files.items()
        ]
    )


def variables(self, repo: str, body: bytes) -> tuple:
    self.allow(repo)
    values = self.repository(repo).variables
    if body:
        variable = json.loads(body)
        values[variable["key"]] = variable["value"]
    return _json({name: {"value": value} for name, value in values.items()})


def hardware(self, repo: str, body: bytes) -> tuple:
    self.allow(repo)
    flavor = self.repository(repo).hardware = json.loads(body)["flavor"]
    return _json({"stage": "BUILDING", "hardware": {"current": None, "requested": flavor}})


def collect(self, body: bytes) -> tuple:
    request = json.loads(body)
    slug = f"{request['namespace']}/{request['title']}-0123"
    self.allow(slug)
    is_new = slug not in self.hub.collections
    self.hub.collections.setdefault(slug, [])
    return _collection(self.hub, slug) if is_new else (409, json.dumps({"slug": slug}).encode())


def add_item(self, slug: str, body: bytes) -> tuple:
    self.allow(slug)
    item = json.loads(body)["item"]
    if item in self.hub.collections[slug]:
        raise Refused(409, "This item is in the collection already")
    self.hub.collections[slug].append(item)
    return _collection(self.hub, slug)


def _collection(hub: Hub, slug: str) -> tuple:
    data = {"slug": slug, "title": slug, "owner": {}, "items": [], "position": 0}
    data |= {"lastUpdated": "2026-01-01T00:00:00.000Z", "private": False}
    return _json(data | {"theme": "blue", "upvotes": 0})


def batch(self, repo: str, body: bytes) -> tuple:
    self.allow(repo)
    objects = []
    for item in json.loads(body)["objects"]:
        if item["oid"] not in self.hub.store:
            upload = {"href": f"{self.hub.store_url}/store/{item['oid']}"}
            verify = {"href": f"{self.hub.url}/verify"}
            item["actions"] = {"upload": upload, "verify": verify}
        objects.append(item)
    return _json({"transfer": "basic", "objects": objects})


def put(self, oid: str, body: bytes) -> tuple:
    self.hub.sent_to_store.append(self.headers.get("Authorization"))
    if sha256(body) != oid:
        raise Refused(400, "The checksum of the content is another")
    self.hub.store[oid] = body
    return (200,)


def verify(self, body: bytes) -> tuple:
    if json.loads(body)["oid"] not in self.hub.store:
        raise Refused(404, "Not uploaded")
    return _json({})


def xet_token(self, repo: str, body: bytes) -> tuple:
    self.allow(repo)
    until = int(time.time()) + 3600
    return _json({"casUrl": f"{self.hub.url}/cas", "exp": until, "accessToken": "for the store"})


def commit(self, repo: str, revision: str, body: bytes) -> tuple:
    self.allow(repo)
    before, _ = self.commit(repo, revision)
    files, deleted = {}, set()
    for line in body.splitlines():
        item = json.loads(line)
        value = item["value"]
        if item["key"] == "header" and value.get("parentCommit", before) != before:
            raise Refused(412, "A commit has happened since. Please refresh and try again.")
        if item["key"] == "file":
            files[value["path"]] = base64.b64decode(value["content"])
        if item["key"] == "lfsFile":
            files[value["path"]] = self.hub.store[value["oid"]]
        if item["key"] == "deletedFile":
            deleted.add(value["path"])
    oid = self.hub.add(repo, files, revision, deleted)
    return _json({"commitUrl": f"{self.hub.url}/{repo}/commit/{oid}", "commitOid": oid})


def resolve(self, repo: str, revision: str, name: str, body: bytes) -> tuple:
    self.allow(write=False)
    commit, files = self.commit(repo, revision)
    if name not in files:
        raise Refused(404, "Entry not found", "EntryNotFound")
    content = files[name]
    headers = {"X-Repo-Commit": commit}
    if not name.endswith(LARGE):
        return 200, content, headers | {"ETag": f'"{git_sha1(content)}"'}
    oid = sha256(content)
    headers |= {"X-Linked-ETag": f'"{oid}"', "X-Linked-Size": str(len(content))}
    return 302, b"", headers | {"Location": f"{self.hub.store_url}/store/{oid}"}


def stored(self, oid: str, body: bytes) -> tuple:
    self.hub.sent_to_store.append(self.headers.get("Authorization"))
    content = self.hub.store[oid]
    if span := self.headers.get("Range"):
        start = int(span.removeprefix("bytes=").partition("-")[0])
        part = f"bytes {start}-{len(content) - 1}/{len(content)}"
        return 206, content[start:], {"Content-Range": part}
    return 200, content


_REPO = "((?:spaces/|datasets/)?[^/]+/[^/]+)"
_API = f"/api/(?:models/)?{_REPO}"
ROUTES: dict[tuple[str, str], Callable[..., tuple]] = {
    ("POST", "/api/repos/create"): create,
    ("POST", "/api/validate-yaml"): lambda self, body: _json({"errors": [], "warnings": []}),
    ("POST", "/api/collections"): collect,
    ("GET", "/api/collections/([^/]+/[^/]+)"): lambda self, slug, body: _collection(self.hub, slug),
    ("POST", "/api/collections/([^/]+/[^/]+)/items"): add_item,
    ("GET", f"{_API}"): info,
    ("GET", f"{_API}/revision/(.+)"): info,
    ("POST", f"{_API}/branch/(.+)"): branch,
    ("POST", f"{_API}/preupload/(.+)"): preupload,
    ("POST", f"/{_REPO}.git/info/lfs/objects/batch"): batch,
    ("PUT", "/store/([0-9a-f]{64})"): put,
    ("GET", f"{_API}/xet-write-token/.+"): xet_token,
    ("POST", "/cas/v1/xorbs/.+"): lambda self, body: _json({"was_inserted": True}),
    ("POST", "/cas/v1/shards"): lambda self, body: _json({"result": 1}),
    ("POST", "/verify"): verify,
    ("POST", f"{_API}/commit/(.+)"): commit,
    ("GET", f"{_API}/tree/(.+)"): tree,
    ("POST", f"{_API}/hardware"): hardware,
    ("GET", f"{_API}/variables"): variables,
    ("POST", f"{_API}/variables"): variables,
    ("HEAD", f"/{_REPO}/resolve/([^/]+)/(.+)"): resolve,
    ("GET", f"/{_REPO}/resolve/([^/]+)/(.+)"): resolve,
    ("GET", "/store/([0-9a-f]{64})"): stored,
}
