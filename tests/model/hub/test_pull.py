"""Downloads from a hub on the loopback interface: what is fetched, how the cache looks, what happens when the network or the server fails, and
that huggingface_hub itself and the library use one cache side by side. No other network is touched.

    test_pull.py [unittest arguments]
"""

import concurrent.futures
import ctypes
import hashlib
import json
import os
import pathlib
import platform
import pty
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from fake_hub import FakeHub, Fault, Repository

os.environ["HF_HUB_DISABLE_XET"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"

inlay_command = os.environ.get("INLAY_BIN", "")
real_model = os.environ.get("INLAY_MODEL", "")

NAME = "sentence-transformers/all-MiniLM-L6-v2"
FOLDER = "models--sentence-transformers--all-MiniLM-L6-v2"
MEGABYTE = 1 << 20
WEIGHTS = random.Random(7).randbytes(3 * MEGABYTE + 12345)
COMMIT = "a" * 40
NEEDED = {
    "1_Pooling/config.json": b'{"pooling_mode_mean_tokens": true}',
    "config.json": b'{"model_type": "bert"}',
    "config_sentence_transformers.json": b"{}",
    "model.safetensors": WEIGHTS,
    "modules.json": json.dumps(
        [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        ]
    ).encode(),
    "sentence_bert_config.json": b'{"max_seq_length": 256}',
    "special_tokens_map.json": b"",
    "tokenizer.json": b'{"model": {}}' * 1000,
    "tokenizer_config.json": b'{"do_lower_case": true}',
}
OTHERS = {
    name: name.encode()
    for name in (
        ".gitattributes", "README.md", "data_config.json", "flax_model.msgpack", "onnx/model.onnx", "openvino/openvino_model.bin",
        "pytorch_model.bin", "rust_model.ot", "tf_model.h5", "train_script.py", "vocab.txt",
    )
}  # fmt: skip
SMALL_FILES = len(NEEDED) - 1


def tree(folder: pathlib.Path) -> dict[str, str]:
    """Every file below, with its bytes' hash or, of a link, its target."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = "-> " + os.readlink(path)
        elif path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def without_flock():
    """In the child: flock(2) fails with ENOSYS, as on a file system without locks. x86-64."""
    flock, enosys = 73, 38
    program = struct.pack("HBBI" * 4, 0x20, 0, 0, 0, 0x15, 0, 1, flock, 0x06, 0, 0, 0x00050000 | enosys, 0x06, 0, 0, 0x7FFF0000)
    buffer = ctypes.create_string_buffer(program)
    filter = struct.pack("HxxxxxxQ", 4, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
    if libc.prctl(22, 2, filter, 0, 0) != 0:  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
        os._exit(77)


class HubTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.cache = self.root / "cache"
        self.hub = FakeHub()
        self.addCleanup(self.hub.close)
        self.repository = Repository(NEEDED | OTHERS)
        self.hub.repositories[NAME] = self.repository
        self.blob = self.cache / FOLDER / "blobs" / self.repository.etag("model.safetensors")
        self.partial = self.blob.with_name(self.blob.name + ".incomplete")
        self.snapshot = self.cache / FOLDER / "snapshots" / COMMIT

    def environment(self, **variables: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(("HF_", "HUGGING")) and "proxy" not in name.lower()}
        settings = {"HF_ENDPOINT": self.hub.url, "HF_HUB_CACHE": str(self.cache), "HF_HOME": str(self.root / "home"), "HF_HUB_DISABLE_XET": "1"}
        return {name: value for name, value in (kept | settings | variables).items() if value is not None}

    def run_inlay(self, *arguments: str, timeout: float = 120, **variables: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [inlay_command, *arguments], env=self.environment(**variables), capture_output=True, text=True, timeout=timeout, cwd=self.root
        )

    def pull(self, name: str = NAME, **variables: str) -> dict:
        done = self.run_inlay("pull", name, "--json", **variables)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done)
        return json.loads(done.stdout)

    def pull_fails(self, *named: str, name: str = NAME, quiet: bool = True, **variables: str) -> str:
        done = self.run_inlay("pull", name, *(["--quiet"] if quiet else []), **variables)
        self.assertEqual(done.returncode, 1, done)
        (line,) = done.stderr.splitlines()[-1:] if not quiet else done.stderr.splitlines()
        for part in named:
            self.assertIn(part, line)
        self.assertNotIn("Signature", done.stderr)  # of a CDN's URL: whoever has it may fetch
        return line

    def check_snapshot(self, files: dict[str, bytes] = NEEDED, snapshot: pathlib.Path | None = None):
        snapshot = snapshot or self.snapshot
        found = {str(path.relative_to(snapshot)): path.read_bytes() for path in snapshot.rglob("*") if path.is_file()}
        self.assertEqual(sorted(found), sorted(files))
        for name, data in files.items():
            self.assertTrue(found[name] == data, f"{name} has other bytes")

    def python(self, program: str, **variables: str) -> str:
        """In a process of its own: huggingface_hub reads the environment when it is imported."""
        done = subprocess.run([sys.executable, "-c", program], env=self.environment(**variables), capture_output=True, text=True, cwd=self.root)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()


class Pull(HubTest):
    def test_only_what_is_needed_is_fetched(self):
        result = self.pull()
        self.assertEqual(
            result,
            {
                "name": NAME,
                "commit": COMMIT,
                "folder": str(self.snapshot),
                "files": len(NEEDED),
                "bytes": sum(map(len, NEEDED.values())),
                "files_fetched": len(NEEDED),
                "bytes_fetched": sum(map(len, NEEDED.values())),
            },
        )
        self.check_snapshot()
        self.assertEqual({request.file for request in self.hub.requests} - {""}, set(NEEDED))
        self.assertEqual(len(self.hub.asked("model.safetensors", server="cdn")), 1)

    def test_aliases_and_revisions(self):
        self.repository.revisions |= {"v1": COMMIT, "refs/pr/1": COMMIT}
        for name in ("minilm", "all-MiniLM-L6-v2@v1", f"{NAME}@refs/pr/1", f"{NAME}@{COMMIT}"):
            self.assertEqual(self.pull(name)["folder"], str(self.snapshot))
        self.assertEqual(sorted(tree(self.cache / FOLDER / "refs")), ["main", "refs/pr/1", "v1"])
        self.assertEqual(len(self.hub.asked("model.safetensors", server="cdn")), 1)

    def test_what_is_there_is_not_fetched_again(self):
        self.pull()
        before = len(self.hub.requests)
        result = self.pull()
        self.assertEqual((result["files_fetched"], result["bytes_fetched"], result["files"]), (0, 0, len(NEEDED)))
        self.assertEqual(len(self.hub.requests) - before, 1)  # the list

    def test_a_new_commit_brings_only_what_changed(self):
        self.pull()
        later = "b" * 40
        changed = NEEDED | {"config.json": b'{"model_type": "bert", "a": 1}'}
        self.hub.repositories[NAME] = Repository(changed | OTHERS, later, {"main": later})
        result = self.pull()
        self.assertEqual((result["commit"], result["files_fetched"]), (later, 1))
        self.check_snapshot(changed, self.cache / FOLDER / "snapshots" / later)
        self.check_snapshot()  # the older one stays
        self.assertEqual((self.cache / FOLDER / "refs/main").read_text(), later)

    def test_sharded_weights(self):
        shards = {f"model-0000{i}-of-00002.safetensors": b"shard %d" % i for i in (1, 2)}
        index = json.dumps({"weight_map": {f"w{i}": name for i, name in enumerate(shards)}}).encode()
        files = {name: data for name, data in NEEDED.items() if name != "model.safetensors"} | shards | {"model.safetensors.index.json": index}
        self.hub.repositories[NAME] = Repository(files | OTHERS)
        self.pull()
        self.check_snapshot(files)

    def test_a_repository_without_weights_is_refused_before_anything_large_is_fetched(self):
        self.hub.repositories[NAME] = Repository({name: data for name, data in NEEDED.items() if name != "model.safetensors"} | {"tf_model.h5": b""})
        self.pull_fails(NAME, "no weights of a known format")
        self.assertFalse(self.cache.joinpath(FOLDER, "refs").exists())

    def test_files_that_are_there_are_found_without_the_network(self):
        self.pull()
        self.hub.close()
        models = json.loads(self.run_inlay("models", "--json").stdout)
        cached = {model["alias"]: model["folder"] for model in models}
        self.assertEqual(cached["minilm"], str(self.snapshot))
        self.assertEqual({folder for alias, folder in cached.items() if alias != "minilm"}, {None})

    def test_the_readmes_table_is_the_librarys(self):
        readme = (pathlib.Path(os.environ["INLAY_SOURCE"]) / "README.md").read_text()
        for model in json.loads(self.run_inlay("models", "--json").stdout):
            row = "| `{alias}` | {name} | {dimension} | {max_sequence_length} | {megabytes:,} | {good_for} |".format(**model)
            self.assertIn(row, readme)

    def test_progress_is_drawn_on_a_terminal(self):
        self.hub.faults = [Fault("model.safetensors", server="cdn", slow=0.02)]
        ours, theirs = pty.openpty()
        with subprocess.Popen([inlay_command, "pull", NAME], env=self.environment(), stdout=subprocess.DEVNULL, stderr=theirs) as process:
            os.close(theirs)
            drawn = b""
            try:
                while piece := os.read(ours, 4096):
                    drawn += piece
            except OSError:  # the other side is closed
                pass
        os.close(ours)
        self.assertEqual(process.returncode, 0)
        self.assertRegex(drawn.decode(), r"\r\[=+ +\] [\d.]+ MB of 3.2 MB +[\d.]+ MB/s +model.safetensors")

    def test_names_that_are_none_are_refused_before_the_network(self):
        for name in ("../x", "/etc/passwd", "a/b/c", "a/../b", "a\nb/c", "a b", "--", ".", "a/b@../../x", "a/b@x y"):
            done = self.run_inlay("pull", "--quiet", "--", name)
            self.assertEqual(done.returncode, 1, (name, done))
            self.assertRegex(done.stderr, "is not a (model's name|revision)")
        self.assertEqual(self.hub.requests, [])
        self.assertFalse(self.cache.exists())

    def test_what_looks_like_a_path_is_none_of_the_hubs(self):
        program = "no such TorchScript program"
        for name, message in (("./missing", "no model folder ./missing"), ("a/b/c", "no model folder a/b/c"), ("./x.pt", program), ("x.pt", program)):
            for more in ([], ["--download"]):
                done = self.run_inlay("info", name, *more)
                self.assertIn(message, done.stderr, (name, more))
        self.assertEqual(self.hub.requests, [])

    def test_offline_forbids_the_network(self):
        self.pull_fails("HF_HUB_OFFLINE", HF_HUB_OFFLINE="1")
        self.pull_fails("HF_HUB_OFFLINE", HF_HUB_OFFLINE="1", HF_TOKEN="hf_a\x01b")  # offline, nothing else matters
        self.assertEqual(self.hub.requests, [])


class Access(HubTest):
    def test_the_token_goes_to_the_hub_and_not_to_the_cdn(self):
        self.repository.token = "hf_secret"
        (self.root / "home").mkdir()
        (self.root / "home/token").write_text("hf_secret\n")
        self.pull()
        self.assertEqual({request.headers.get("authorization") for request in self.hub.requests if request.server == "hub"}, {"Bearer hf_secret"})
        cdn = [request for request in self.hub.requests if request.server == "cdn"]
        self.assertTrue(cdn)
        self.assertEqual({request.headers.get("authorization") for request in cdn}, {None})

    def test_the_token_follows_no_redirect_to_another_host(self):
        other = self.hub.url.replace("127.0.0.1", "localhost")
        for file, path in (("", f"/api/models/{NAME}/revision/main"), ("config.json", f"/{NAME}/resolve/{COMMIT}/config.json")):
            self.hub.requests.clear()
            self.hub.faults = [Fault(file, redirect=other + path, times=1), Fault(file, redirect=self.hub.url + path, times=1)]  # there and back
            self.pull(HF_TOKEN="hf_secret", HF_HUB_CACHE=str(self.root / f"cache{len(file)}"))
            hosts = [(request.headers["host"].split(":")[0], request.headers.get("authorization")) for request in self.hub.asked(file)]
            self.assertEqual(hosts, [("127.0.0.1", "Bearer hf_secret"), ("localhost", None), ("127.0.0.1", "Bearer hf_secret")])

    def test_the_token_is_in_no_message(self):
        self.hub.faults = [Fault(status=503, times=1), Fault("config.json", "HEAD", status=500, times=1), Fault("tokenizer.json", status=404)]
        done = self.run_inlay("pull", NAME, HF_TOKEN="hf_secret")
        self.assertEqual(done.returncode, 1)
        self.assertIn("trying again", done.stderr)
        self.assertNotIn("hf_secret", done.stdout + done.stderr)

    def test_without_a_token_a_gated_model_is_refused_and_the_remedy_named(self):
        self.repository.token = "hf_secret"
        self.pull_fails(NAME, "401", "HF_TOKEN")
        self.pull_fails(NAME, "403", "HF_TOKEN", HF_TOKEN="hf_other")
        self.assertEqual(len(self.hub.requests), 2)  # trying again would not help
        self.pull(HF_TOKEN="hf_secret")

    def test_unknown_models_revisions_and_files_are_named(self):
        self.assertIn("private", self.pull_fails("no-such/model", name="no-such/model"))
        self.pull_fails("no revision v9", name=f"{NAME}@v9")
        self.hub.faults = [Fault("tokenizer.json", "HEAD", status=404, headers={"X-Error-Code": "EntryNotFound"})]
        self.pull_fails("no file tokenizer.json")
        self.assertFalse(self.cache.joinpath(FOLDER, "refs").exists())

    def test_a_token_that_is_none_is_refused_and_not_shown(self):
        line = self.pull_fails("token", HF_TOKEN="hf_a\x01secret")
        self.assertNotIn("secret", line)

    def test_a_proxy_of_the_environment_is_used(self):
        endpoint = "http://hub.invalid"
        self.pull(HF_ENDPOINT=endpoint, http_proxy=self.hub.url, no_proxy="127.0.0.1")
        paths = [request.path for request in self.hub.requests if request.server == "hub"]
        self.assertEqual([path for path in paths if not path.startswith("http://hub.invalid/")], [])
        self.pull_fails("127.0.0.1", HF_ENDPOINT=endpoint, http_proxy="http://127.0.0.1:9", HF_HUB_CACHE=str(self.root / "other"))

    def test_an_endpoint_that_is_no_url_is_refused(self):
        for endpoint in ("ftp://127.0.0.1", "file:///etc", "hub", "http://", "http://user:word@127.0.0.1"):
            self.pull_fails("not an http or https URL", HF_ENDPOINT=endpoint)

    @unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
    def test_certificates_are_checked(self):
        certificate = self.root / "certificate.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
             "subjectAltName=IP:127.0.0.1", "-keyout", certificate, "-out", self.root / "public.pem"],
            check=True, capture_output=True,
        )  # fmt: skip
        certificate.write_text(certificate.read_text() + (self.root / "public.pem").read_text())
        hub = FakeHub(str(certificate))
        self.addCleanup(hub.close)
        hub.repositories[NAME] = self.repository
        self.pull_fails("127.0.0.1", "certificate", "SSL_CERT_FILE", HF_ENDPOINT=hub.url, SSL_CERT_FILE=None, SSL_CERT_DIR=None)
        self.assertEqual(hub.requests, [])
        self.pull(HF_ENDPOINT=hub.url, SSL_CERT_FILE=str(self.root / "public.pem"))
        self.check_snapshot()


class Failures(HubTest):
    """The server and the network at their worst; the right bytes arrive in the end, or an error names the file and nothing wrong is kept."""

    def test_the_server_is_asked_again_when_it_has_recovered(self):
        self.hub.faults = [
            Fault(status=503, times=2),
            Fault("config.json", "HEAD", status=500, times=1),
            Fault("model.safetensors", server="cdn", status=502, times=1),
            Fault("tokenizer.json", status=429, headers={"Retry-After": "2"}, times=1),
        ]
        begin = time.monotonic()
        self.pull()
        self.assertGreaterEqual(time.monotonic() - begin, 2)
        self.check_snapshot()
        self.assertEqual(len(self.hub.asked("model.safetensors", server="hub")), 2)  # a CDN's URL is asked for anew

    def test_a_server_that_does_not_recover_is_given_up(self):
        self.hub.faults = [Fault("config.json", status=500)]
        self.pull_fails("config.json", "500", "5 tries")
        self.assertEqual(len(self.hub.asked("config.json")), 5)
        self.assertFalse(self.snapshot.joinpath("config.json").exists())

    def test_too_long_a_pause_is_not_waited_for(self):
        self.hub.faults = [Fault(status=429, headers={"Retry-After": "3600"})]
        begin = time.monotonic()
        self.pull_fails("429", "3600 s")
        self.assertLess(time.monotonic() - begin, 5)

    def test_a_body_that_ends_early_is_taken_up_where_it_ended(self):
        self.hub.faults = [Fault("model.safetensors", server="cdn", cut_after=MEGABYTE, times=2), Fault("tokenizer.json", cut_after=5, times=1)]
        self.pull()
        self.check_snapshot()
        asked = self.hub.asked("model.safetensors", server="cdn")
        self.assertEqual([request.headers.get("range") for request in asked], [None, f"bytes={MEGABYTE}-", f"bytes={2 * MEGABYTE}-"])
        self.assertEqual(sum(request.sent for request in asked), len(WEIGHTS))

    def test_a_server_that_always_hangs_up_is_given_up(self):
        self.hub.faults = [Fault("model.safetensors", server="cdn", cut_after=100)]
        self.pull_fails("model.safetensors", "5 tries")
        self.assertEqual(self.partial.stat().st_size, 500)

    def test_a_server_without_ranges_sends_all_again(self):
        self.hub.faults = [
            Fault("model.safetensors", server="cdn", cut_after=MEGABYTE, times=1),
            Fault("model.safetensors", server="cdn", ignore_range=True),
        ]
        self.pull()
        self.check_snapshot()

    def test_a_server_that_starts_over_and_never_gets_further_is_given_up(self):
        self.hub.faults = [Fault("model.safetensors", server="cdn", cut_after=MEGABYTE, ignore_range=True)]
        self.pull_fails("model.safetensors", "tries")
        self.assertLessEqual(len(self.hub.asked("model.safetensors", server="cdn")), 6)

    def test_a_leftover_that_nothing_vouches_for_is_not_used(self):
        data = NEEDED["config.json"]
        partial = self.blob.with_name(self.repository.etag("config.json") + ".incomplete")
        for left in (b"\0" * len(data), b"\0" * 3):
            shutil.rmtree(self.cache, ignore_errors=True)
            partial.parent.mkdir(parents=True)
            partial.write_bytes(left)
            self.pull()
            self.check_snapshot()

    def test_bytes_without_end_are_refused(self):
        endless = {"chunked": True, "endless": True, "body": b" " * MEGABYTE}
        unknown = Fault("config.json", "HEAD", chunked=True)
        for faults, named in (
            ([unknown, Fault("config.json", **endless)], ("config.json", str(32 * MEGABYTE))),
            ([Fault("modules.json", "HEAD", chunked=True), Fault("modules.json", headers={"Content-Length": str(33 << 20)})], ("modules.json", str(33 << 20))),
            ([Fault("modules.json", "HEAD", headers={"X-Linked-Size": str(33 << 20)})], ("modules.json", str(33 << 20))),
            ([Fault("model.safetensors", method, chunked=True, headers={"ETag": '"none-that-is-a-hash"'}) for method in ("HEAD", "GET")],
             ("model.safetensors", "neither its size nor its SHA-256")),
        ):  # fmt: skip
            shutil.rmtree(self.cache, ignore_errors=True)
            self.hub.faults = faults
            self.pull_fails(*named)
        self.hub.faults = [unknown]  # the GET tells it
        self.pull()
        self.check_snapshot()

    @unittest.skipUnless(platform.machine() == "x86_64", "the filter is written for x86-64")
    def test_without_locks_an_interrupted_pull_leaves_nothing(self):
        self.hub.faults = [Fault("model.safetensors", server="cdn", status=404)]
        done = subprocess.run([inlay_command, "pull", NAME, "--quiet"], env=self.environment(), capture_output=True, text=True, preexec_fn=without_flock)
        if done.returncode == 77:
            self.skipTest("no seccomp here")
        self.assertEqual(done.returncode, 1)
        self.assertIn("model.safetensors", done.stderr)
        self.assertEqual([path.name for path in self.blob.parent.iterdir() if path.name.startswith(".") or "incomplete" in path.name], [])

    def test_another_range_than_was_asked_for_is_refused(self):
        self.hub.faults = [
            Fault("model.safetensors", server="cdn", cut_after=MEGABYTE, times=1),
            Fault("model.safetensors", server="cdn", headers={"Content-Range": "bytes 5-9/10"}),
        ]
        self.pull_fails("model.safetensors", f"from {MEGABYTE} on")

    def test_a_range_that_the_server_does_not_have_starts_over(self):
        self.hub.faults = [
            Fault("model.safetensors", server="cdn", cut_after=MEGABYTE, times=1),
            Fault("model.safetensors", server="cdn", status=416, times=1),
        ]
        self.pull()
        self.check_snapshot()

    def test_wrong_bytes_are_thrown_away_and_named(self):
        wrong = WEIGHTS[:-1] + bytes([WEIGHTS[-1] ^ 1])
        self.hub.faults = [Fault("model.safetensors", server="cdn", body=wrong)]
        self.pull_fails("model.safetensors", hashlib.sha256(wrong).hexdigest(), self.blob.name)
        self.assertEqual([path for path in self.blob.parent.iterdir() if path.name.startswith(self.blob.name)], [])
        self.assertFalse(self.snapshot.joinpath("model.safetensors").exists())
        self.hub.faults = []
        self.pull()
        self.check_snapshot()

    def test_what_an_earlier_call_left_is_not_trusted(self):
        for left in (b"\0" * MEGABYTE, b"\0" * len(WEIGHTS), WEIGHTS + b"more"):
            shutil.rmtree(self.cache, ignore_errors=True)
            self.partial.parent.mkdir(parents=True)
            self.partial.write_bytes(left)
            self.pull()
            self.check_snapshot()
            self.assertFalse(self.partial.exists())

    def test_a_blob_of_another_size_is_fetched_again(self):
        self.blob.parent.mkdir(parents=True)
        self.blob.write_bytes(WEIGHTS[:100])
        self.pull()
        self.check_snapshot()

    def test_a_stall_is_noticed(self):
        self.hub.faults = [Fault("model.safetensors", server="cdn", stall_after=MEGABYTE, times=1), Fault("config.json", stall_after=0, times=1)]
        self.pull(HF_HUB_DOWNLOAD_TIMEOUT="1")
        self.check_snapshot()
        self.assertEqual(self.hub.asked("model.safetensors", server="cdn")[-1].headers.get("range"), f"bytes={MEGABYTE}-")

    def test_more_bytes_than_promised_are_refused(self):
        self.hub.faults = [Fault("model.safetensors", server="cdn", body=WEIGHTS + b"more")]
        self.pull_fails("model.safetensors", f"more than its {len(WEIGHTS)} bytes")

    def test_nonsense_is_refused_with_the_hubs_name(self):
        listing = lambda files: json.dumps({"sha": COMMIT, "siblings": [{"rfilename": name} for name in files]}).encode()
        cases = [
            (b"<html>", "JSON"),
            (b"", "JSON"),
            (b"[]", "without commit"),
            (b'{"sha": "main", "siblings": []}', "without commit"),
            (json.dumps({"sha": COMMIT}).encode(), "without files"),
            (json.dumps({"sha": COMMIT, "siblings": [{}]}).encode(), "without name"),
            *((listing(["config.json", name]), "a file of the name") for name in ("../x", "/etc/passwd", "a/../../b", "a\\b", "a\0b", "")),
            (listing([f"file-{i}" for i in range(100_001)]), "more than 100000 files"),
            (b" " * (33 << 20), "without end"),
        ]
        for body, expected in cases:
            self.hub.faults = [Fault(status=200, body=body)]
            self.pull_fails(expected, self.hub.url, name=NAME)
        self.assertEqual(list(self.root.rglob("passwd")), [])
        for headers, expected in (
            ({"ETag": '"../../../x"'}, "ETag"),
            ({"ETag": '""'}, "ETag"),
            ({"ETag": '"a/b/c/d/e/f"'}, "ETag"),
            ({"X-Repo-Commit": "b" * 40}, "commit"),
            ({"X-Linked-Size": str(10**18)}, "MB free"),
        ):
            self.hub.faults = [Fault("config.json", "HEAD", headers=headers)]
            self.pull_fails(expected)

    def test_redirects_that_lead_nowhere_are_refused(self):
        for location, expected in (("file:///etc/passwd", "redirects to"), (f"{self.hub.url}/{NAME}/resolve/{COMMIT}/config.json", "redirects")):
            self.hub.faults = [Fault("config.json", "GET", redirect=location)]
            self.pull_fails("config.json", expected)

    def test_a_write_error_names_the_file_and_keeps_what_came(self):
        limit = 2 * MEGABYTE

        def limited():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        done = subprocess.run(
            [inlay_command, "pull", NAME, "--quiet"], env=self.environment(), capture_output=True, text=True, preexec_fn=limited
        )
        self.assertEqual(done.returncode, 1)
        self.assertIn(self.partial.name, done.stderr)
        self.assertIn("File too large", done.stderr)
        self.assertEqual(self.partial.stat().st_size, limit)
        self.pull()
        self.check_snapshot()
        self.assertEqual(self.hub.asked("model.safetensors", server="cdn")[-1].headers.get("range"), f"bytes={limit}-")

    def test_a_killed_pull_is_resumed(self):
        self.hub.faults = [Fault("model.safetensors", server="cdn", stall_after=MEGABYTE, times=1)]
        process = subprocess.Popen([inlay_command, "pull", NAME, "--quiet"], env=self.environment(), stdout=subprocess.DEVNULL)
        while not (self.partial.exists() and self.partial.stat().st_size == MEGABYTE):
            self.assertIsNone(process.poll())
            time.sleep(0.02)
        process.kill()
        process.wait()
        done = self.run_inlay("info", NAME)
        self.assertEqual(done.returncode, 1)
        self.assertIn("inlay pull", done.stderr)  # half a model is none
        result = self.pull()
        self.check_snapshot()
        self.assertEqual(result["bytes_fetched"], len(WEIGHTS) - MEGABYTE)

    def test_interrupted_it_ends_soon_and_keeps_what_came(self):
        for stop_at in ("body", "pause", "lock"):
            with self.subTest(stop_at):
                shutil.rmtree(self.cache, ignore_errors=True)
                self.hub.faults = {
                    "body": [Fault("model.safetensors", server="cdn", stall_after=MEGABYTE)],
                    "pause": [Fault("model.safetensors", server="cdn", status=503, headers={"Retry-After": "60"})],
                    "lock": [],
                }[stop_at]
                seen = len(self.hub.asked("model.safetensors", method="HEAD"))
                with self.held_lock() if stop_at == "lock" else open(os.devnull):
                    process = subprocess.Popen(
                        [inlay_command, "pull", NAME], env=self.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
                    )
                    while len(self.hub.asked("model.safetensors", method="HEAD")) == seen:
                        time.sleep(0.02)
                    time.sleep(1)
                    begin = time.monotonic()
                    process.send_signal(signal.SIGINT)
                    _, said = process.communicate(timeout=30)
                self.assertEqual(process.returncode, 130, said)
                self.assertLess(time.monotonic() - begin, 3)
                if stop_at == "body":
                    self.assertEqual(self.partial.stat().st_size, MEGABYTE)

    def held_lock(self):
        import filelock

        path = self.cache / ".locks" / FOLDER / f"{self.blob.name}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        return filelock.FileLock(path, mode=0o664)

    def test_two_processes_fetch_each_file_once(self):
        self.hub.faults = [Fault("model.safetensors", server="cdn", slow=0.02)]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            results = [pool.submit(self.pull) for _ in range(4)]
            folders = {result.result()["folder"] for result in results}
        self.assertEqual(folders, {str(self.snapshot)})
        self.check_snapshot()
        for file in (name for name, data in NEEDED.items() if data):  # an empty one needs no request
            server = "cdn" if file == "model.safetensors" else "hub"
            self.assertEqual(len([r for r in self.hub.asked(file, server=server) if r.status == 200]), 1, file)

    def test_a_lock_of_huggingface_hub_is_waited_for(self):
        with self.held_lock():
            process = subprocess.Popen([inlay_command, "pull", NAME], env=self.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            self.assertIn("another process is fetching model.safetensors", process.stderr.readline())
            self.assertFalse(self.partial.exists())
        process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0)
        self.check_snapshot()


class SideBySide(HubTest):
    """huggingface_hub itself and the library on one cache."""

    SNAPSHOT = "import huggingface_hub, json; print(huggingface_hub.snapshot_download({name!r}, revision={revision!r}, {more}))"

    def theirs(self, more: str = "", revision: str = "main", **variables: str) -> str:
        return self.python(self.SNAPSHOT.format(name=NAME, revision=revision, more=more), **variables)

    def test_the_caches_are_alike(self):
        self.repository.revisions["refs/pr/1"] = COMMIT
        for revision in ("main", "refs/pr/1", COMMIT):
            self.pull(f"{NAME}@{revision}")
            self.theirs(f"allow_patterns={sorted(NEEDED)!r}", revision, HF_HUB_CACHE=str(self.root / "theirs"))
        ours, theirs = tree(self.cache), tree(self.root / "theirs")
        lists = [[name for name in found if "/trees/" in name] for found in (ours, theirs)]  # of the hub's files, in a form of each one's own
        self.assertEqual(lists, [[f"{FOLDER}/trees/{COMMIT}.txt"], [f"{FOLDER}/trees/{COMMIT}.json"]])
        ours.pop(lists[0][0]), theirs.pop(lists[1][0])
        for name in [name for name in ours | theirs if name.startswith(".locks") or name == "CACHEDIR.TAG"]:
            self.assertEqual(name in ours, name in theirs, name)  # there in both, whatever is in it
            ours.pop(name), theirs.pop(name)
        self.assertEqual(ours, theirs)

    def test_huggingface_hub_finds_what_was_pulled(self):
        self.pull()
        self.hub.close()
        self.assertEqual(self.theirs("local_files_only=True"), str(self.snapshot))
        program = "import huggingface_hub as h; print(h.hf_hub_download({!r}, 'model.safetensors', {})); print(h.try_to_load_from_cache({!r}, 'config.json'))"
        for more, offline in (("local_files_only=True", "0"), ("", "1"), ("", "0")):  # the last asks the hub, which is gone, and falls back
            paths = self.python(program.format(NAME, more, NAME), HF_HUB_OFFLINE=offline).splitlines()
            self.assertEqual(paths, [str(self.snapshot / "model.safetensors"), str(self.snapshot / "config.json")])

    def test_huggingface_hub_scans_what_was_pulled_without_a_warning(self):
        self.pull()
        program = "import huggingface_hub as h; c = h.scan_cache_dir(); print(c.warnings, [(r.repo_id, [v.commit_hash for v in r.revisions]) for r in c.repos])"
        self.assertEqual(self.python(program), f"[] [({NAME!r}, [{COMMIT!r}])]")

    def fetch_as_transformers_does(self):
        files = ("config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors")
        self.python(f"import huggingface_hub as h; [h.hf_hub_download({NAME!r}, file) for file in {files!r}]")

    def test_what_transformers_fetched_is_found_with_a_warning_and_completed_where_that_is_allowed(self):
        self.fetch_as_transformers_does()
        before = len(self.hub.requests)
        self.assertIn("may lack files", self.run_inlay("info", NAME).stderr)
        self.assertIn("may lack files", self.run_inlay("info", NAME, "--download", HF_HUB_OFFLINE="1").stderr)
        self.assertEqual(len(self.hub.requests), before)
        later = "b" * 40
        self.hub.repositories[NAME].revisions["main"] = later  # what is there stays the commit that it is
        self.assertNotIn("may lack", self.run_inlay("info", NAME, "--download").stderr)
        self.check_snapshot()
        self.assertEqual([request.path.rsplit("/", 1)[1] for request in self.hub.asked("")[-1:]], [COMMIT])
        before = len(self.hub.requests)
        self.run_inlay("info", NAME, "--download")
        self.assertEqual(len(self.hub.requests), before)

    def test_what_may_be_whole_is_taken_when_the_hub_is_gone(self):
        self.fetch_as_transformers_does()
        self.hub.faults = [Fault(status=404)]
        self.assertIn("as it is in the cache", self.run_inlay("info", NAME, "--download").stderr)

    def test_a_module_without_its_configuration_is_fetched(self):
        self.fetch_as_transformers_does()
        self.python(f"import huggingface_hub as h; h.hf_hub_download({NAME!r}, 'modules.json')")
        models = json.loads(self.run_inlay("models", "--json").stdout)
        self.assertEqual([model["folder"] for model in models if model["alias"] == "minilm"], [None])
        self.assertIn("1_Pooling", self.run_inlay("info", NAME).stderr)
        self.run_inlay("info", NAME, "--download")
        self.check_snapshot()

    def test_huggingface_hub_adds_to_what_was_pulled(self):
        self.pull()
        self.assertEqual(self.theirs(), str(self.snapshot))
        self.check_snapshot(NEEDED | OTHERS)
        self.assertEqual(len(self.hub.asked("model.safetensors", server="cdn")), 1)

    def test_what_huggingface_hub_fetched_is_found(self):
        self.theirs()
        before = len(self.hub.requests)
        models = json.loads(self.run_inlay("models", "--json").stdout)
        self.assertEqual([model["folder"] for model in models if model["alias"] == "minilm"], [str(self.snapshot)])
        self.assertEqual(len(self.hub.requests), before)
        self.assertEqual(self.pull()["files_fetched"], 0)

    def test_what_huggingface_hub_fetched_in_part_is_completed(self):
        self.python(f"import huggingface_hub as h; h.hf_hub_download({NAME!r}, 'config.json'); h.hf_hub_download({NAME!r}, 'README.md')")
        self.assertIn("incomplete", self.run_inlay("info", NAME).stderr)
        self.assertEqual(self.pull()["files_fetched"], len(NEEDED) - 1)
        self.check_snapshot(NEEDED | {"README.md": OTHERS["README.md"]})

    def test_both_at_once(self):
        self.hub.faults = [Fault("model.safetensors", server="cdn", slow=0.01)]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            ours, theirs = pool.submit(self.pull), pool.submit(self.theirs)
            self.assertEqual(ours.result()["folder"], theirs.result())
        self.check_snapshot(NEEDED | OTHERS)
        self.assertEqual(len(self.hub.asked("model.safetensors", server="cdn")), 1)


@unittest.skipUnless(real_model, "INLAY_MODEL is not set")
class EndToEnd(HubTest):
    def setUp(self):
        super().setUp()
        files = {str(path.relative_to(real_model)): path.read_bytes() for path in pathlib.Path(real_model).rglob("*") if path.is_file()}
        self.hub.repositories[NAME] = Repository(files | OTHERS | {"README.md": b"", "vocab.txt": files.get("vocab.txt", b"")})
        (self.root / "texts.txt").write_text("open a file\nparse JSON\n")

    def vectors(self, output: str, *arguments: str):
        import numpy

        done = self.run_inlay("embed", "texts.txt", "-o", output, "--text-only", "--json", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return numpy.load(self.root / output / "embeddings.npy"), json.loads(done.stdout)

    def test_a_pulled_model_embeds_as_its_folder_does(self):
        expected, _ = self.vectors("folder.set", "-m", real_model)
        done = self.run_inlay("embed", "texts.txt", "-o", "no.set", "-m", "minilm")
        self.assertEqual((done.returncode, self.hub.requests), (1, []))  # the network is only for those who ask
        self.assertIn("inlay pull minilm", done.stderr)
        found, figures = self.vectors("hub.set", "-m", "minilm", "--download")
        self.assertTrue((found == expected).all())
        self.assertEqual(figures["model"], NAME)
        self.hub.close()
        for name in ("minilm", "all-MiniLM-L6-v2", NAME):
            found, _ = self.vectors("again.set", "-m", name, "--revision", "main")
            self.assertTrue((found == expected).all())
        search = self.run_inlay("search", "hub.set", "reading a document", "--json")
        self.assertEqual(search.returncode, 0, search.stderr)
        info = json.loads(self.run_inlay("info", "minilm", "--json").stdout)
        self.assertEqual((info["name"], info["path"]), (NAME, str(self.snapshot)))

    def test_the_python_package_downloads_when_it_may(self):
        program = "import inlay; g = inlay.EmbeddingGenerator('minilm', {}); print(g.info.name, g.encode('text').shape)"
        found = self.python(program.format(f"allow_download=True, revision={COMMIT!r}"), PYTHONPATH=os.environ["PYTHONPATH"])
        self.assertEqual(found, f"{NAME} (384,)")
        self.assertIn(f"revision/{COMMIT}", self.hub.requests[0].path)
        before = len(self.hub.requests)
        self.python(program.format(f"allow_download=True, revision={COMMIT!r}"), PYTHONPATH=os.environ["PYTHONPATH"])
        self.assertEqual(len(self.hub.requests), before)  # what is in the cache is not asked for


if __name__ == "__main__":
    if not inlay_command:
        print("skipped: the inlay command is not built")
        sys.exit(77)
    unittest.main()
