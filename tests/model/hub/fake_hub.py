"""A hub on the loopback interface: the part of Hugging Face's HTTP interface that downloads use, on one port, and its CDN on another.

Small files are served by the hub itself (some behind a relative redirect), large ones are redirected to the CDN, as there. What a test wants to
go wrong it says in `faults`; what was asked is in `requests`.
"""

import dataclasses
import hashlib
import http.server
import json
import re
import ssl
import threading
import time
import urllib.parse


def git_object_id(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@dataclasses.dataclass
class Repository:
    files: dict[str, bytes]
    commit: str = "a" * 40
    revisions: dict[str, str] = dataclasses.field(default_factory=lambda: {"main": "a" * 40})
    token: str | None = None  # needed to read it
    error_code: str = "GatedRepo"  # what the hub says without

    def is_large(self, name: str) -> bool:
        return name.endswith((".safetensors", ".bin"))

    def etag(self, name: str) -> str:
        data = self.files[name]
        return hashlib.sha256(data).hexdigest() if self.is_large(name) else git_object_id(data)


@dataclasses.dataclass
class Request:
    server: str  # "hub" or "cdn"
    method: str
    path: str
    file: str  # of the repository; "" for others
    headers: dict[str, str]
    status: int = 0
    sent: int = 0  # bytes of the body


@dataclasses.dataclass
class Fault:
    """What goes wrong with requests that match, the first `times` times."""

    file: str = ""  # "": the list of files
    method: str = "GET"
    server: str | None = None
    times: int = 10**9
    status: int | None = None
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    body: bytes | None = None  # instead of the right one
    cut_after: int | None = None  # the connection ends after so many bytes
    stall_after: int | None = None  # nothing more comes after so many bytes
    ignore_range: bool = False
    slow: float = 0  # seconds for each 64 KiB
    redirect: str | None = None
    chunked: bool = False  # no Content-Length: nobody knows how much will come
    endless: bool = False  # the body comes again and again
    without: tuple[str, ...] = ()  # headers that the answer lacks


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):  # clients that hang up are what is tested here
        pass


class FakeHub:
    def __init__(self, certificate: str | None = None):
        self.repositories: dict[str, Repository] = {}
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.servers = {}
        for name in ("hub", "cdn"):
            server = Server(("127.0.0.1", 0), _handler(self, name))
            if certificate:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(certificate)
                server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
            self.servers[name] = server
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        scheme = "https" if certificate else "http"
        self.url = f"{scheme}://127.0.0.1:{self.servers['hub'].server_address[1]}"
        self.cdn_url = f"{scheme}://127.0.0.1:{self.servers['cdn'].server_address[1]}"

    def close(self):
        self.stopping.set()
        for server in self.servers.values():
            server.shutdown()
            server.server_close()

    def asked(self, file: str | None = None, method: str = "GET", server: str | None = None) -> list[Request]:
        with self.lock:
            return [
                request
                for request in self.requests
                if request.method == method and (file is None or request.file == file) and server in (None, request.server)
            ]

    def take_fault(self, request: Request) -> Fault | None:
        with self.lock:
            for fault in self.faults:
                if fault.times > 0 and (fault.file, fault.method) == (request.file, request.method) and fault.server in (None, request.server):
                    fault.times -= 1
                    return fault
        return None


def _handler(hub: FakeHub, server: str):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60

        def log_message(self, *_):
            pass

        def do_GET(self):
            self.answer()

        def do_HEAD(self):
            self.answer()

        def answer(self):
            url = urllib.parse.urlsplit(self.path)  # a proxy is asked for the whole URL
            path = urllib.parse.unquote(url.path)
            self.record = Request(server, self.command, self.path, "", {name.lower(): value for name, value in self.headers.items()})
            found = re.fullmatch(r"/(?P<name>[^/]+/[^/]+)/(?:resolve|cached)/(?P<revision>[^/]+)/(?P<file>.+)", path)
            if server == "cdn":
                found = re.fullmatch(r"/(?P<name>[^/]+/[^/]+)/(?P<revision>[^/]+)/(?P<file>.+)", path)
            if found:
                self.record.file = found["file"]
            with hub.lock:
                hub.requests.append(self.record)
            fault = hub.take_fault(self.record)
            try:
                self.respond(path, found, fault or Fault())
            except (ConnectionError, ssl.SSLError):
                self.close_connection = True

        def respond(self, path, found, fault):
            if fault.redirect is not None:
                return self.send(302, {"Location": fault.redirect, **fault.headers}, b"", fault)
            if fault.status is not None:
                return self.send(fault.status, fault.headers, fault.body or b"no", fault)
            if found:
                return self.send_file(found, path, fault)
            listing = re.fullmatch(r"/api/models/(?P<name>[^/]+/[^/]+)/(?P<kind>revision|tree)/(?P<revision>.+)", path)
            if listing is None:
                return self.send(404, {}, b"no such page", fault)
            repository = self.repository(listing["name"], fault)
            if repository is None:
                return None
            commit = self.commit(repository, listing["revision"])
            if commit is None:
                return self.send(404, {"X-Error-Code": "RevisionNotFound", "X-Error-Message": "Invalid rev id"}, b"", fault)
            if listing["kind"] == "tree":
                answer = []
                for name, data in repository.files.items():
                    entry = {"type": "file", "oid": git_object_id(data), "size": len(data), "path": name}
                    if repository.is_large(name):
                        entry["lfs"] = {"oid": repository.etag(name), "size": len(data), "pointerSize": 134}
                    answer.append(entry)
            else:
                answer = {"id": listing["name"], "sha": commit, "siblings": [{"rfilename": name} for name in repository.files]}
            return self.send(200, {"Content-Type": "application/json"}, json.dumps(answer).encode(), fault)

        def repository(self, name, fault):
            repository = hub.repositories.get(name)
            if repository is None:
                self.send(401, {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"}, b"", fault)
            elif server == "hub" and repository.token and self.headers.get("Authorization") != f"Bearer {repository.token}":
                self.send(403 if self.headers.get("Authorization") else 401, {"X-Error-Code": repository.error_code}, b"", fault)
            else:
                return repository
            return None

        @staticmethod
        def commit(repository, revision):
            return repository.commit if revision == repository.commit else repository.revisions.get(revision)

        def send_file(self, found, path, fault):
            name, revision, file = found["name"], found["revision"], found["file"]
            repository = self.repository(name, fault)
            if repository is None:
                return None
            commit = self.commit(repository, revision)
            if commit is None or file not in repository.files:
                code = "RevisionNotFound" if commit is None else "EntryNotFound"
                return self.send(404, {"X-Error-Code": code, **({"X-Repo-Commit": commit} if commit else {})}, b"", fault)
            data = repository.files[file]
            etag = f'"{repository.etag(file)}"'
            known = {"X-Repo-Commit": commit}
            if server == "hub" and repository.is_large(file) and not fault.chunked:
                known |= {"X-Linked-Etag": etag, "X-Linked-Size": str(len(data)), "ETag": '"of the redirect"'}
                location = f"{hub.cdn_url}/{urllib.parse.quote(name)}/{commit}/{urllib.parse.quote(file)}?Signature=secret"
                return self.send(302, known | {"Location": location} | fault.headers, b"Found. Redirecting", Fault())
            if server == "hub" and file == "tokenizer_config.json" and "/resolve/" in path:
                return self.send(307, known | {"Location": f"/{name}/cached/{commit}/{file}"}, b"", Fault())
            if server == "hub":
                known["ETag"] = etag
            data = data if fault.body is None else fault.body
            wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            begin = int(wanted[1]) if wanted and not fault.ignore_range else 0
            if begin == 0:
                return self.send(200, known | fault.headers, data, fault)
            if begin >= len(data):
                return self.send(416, {"Content-Range": f"bytes */{len(data)}"}, b"", fault)
            known["Content-Range"] = f"bytes {begin}-{len(data) - 1}/{len(data)}"
            return self.send(206, known | fault.headers, data[begin:], fault)

        def send(self, status, headers, body, fault):
            self.record.status = status
            self.send_response(status)
            length = {"Transfer-Encoding": "chunked"} if fault.chunked else {"Content-Length": str(len(body))}
            for name, value in (length | headers).items():
                if name not in fault.without:
                    self.send_header(name, value)
            self.end_headers()
            if self.command == "HEAD":
                return
            if fault.chunked:
                while body:
                    self.wfile.write(b"%x\r\n" % len(body) + body + b"\r\n")
                    self.record.sent += len(body)
                    if not fault.endless:
                        break
                self.wfile.write(b"0\r\n\r\n")
                return
            for begin in range(0, len(body), 65536):
                piece = body[begin : begin + 65536]
                for limit in (fault.cut_after, fault.stall_after):
                    if limit is not None:
                        piece = piece[: max(0, limit - begin)]
                self.wfile.write(piece)
                self.wfile.flush()
                self.record.sent += len(piece)
                if fault.cut_after is not None and self.record.sent >= fault.cut_after:
                    self.close_connection = True
                    return
                if fault.stall_after is not None and self.record.sent >= fault.stall_after:
                    hub.stopping.wait(30)
                    self.close_connection = True
                    return
                if fault.slow:
                    time.sleep(fault.slow)

    return Handler
