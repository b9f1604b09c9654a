"""The inlay command, run for real with the real model. Needs INLAY_BIN and INLAY_MODEL; skips, and says so, without.

INLAY_CLI_TEST_SLOWER multiplies the times that are waited for (sanitizer builds).
"""

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

try:
    import numpy as np
except ImportError:
    print("skipped: this Python has no NumPy")
    sys.exit(77)

BIN = os.environ.get("INLAY_BIN", "")
MODEL = os.environ.get("INLAY_MODEL", "")
SLOWER = float(os.environ.get("INLAY_CLI_TEST_SLOWER", "1"))
if not BIN or not Path(BIN).exists():
    print("skipped: INLAY_BIN is not set, or not there")
    sys.exit(77)
if not MODEL or not Path(MODEL).is_dir():
    print("skipped: INLAY_MODEL is not set, or not there")
    sys.exit(77)

TEXTS = ["open a file and read its lines", "parse JSON into an object", "send an email to a customer", "sort an array of numbers"]


def run(*arguments, stdin=b"", code=0, env=None, cwd=None, stdout=subprocess.PIPE):
    environment = {**os.environ, **(env or {})}
    done = subprocess.run([BIN, *map(str, arguments)], input=stdin, stdout=stdout, stderr=subprocess.PIPE, env=environment, cwd=cwd,
                          timeout=300 * SLOWER)
    done.err = done.stderr.decode("utf-8", "replace")
    assert done.returncode == code, f"inlay {arguments}: exit code {done.returncode}, not {code}\n{done.err}"
    return done


def load(path):
    path = Path(path)
    vectors = np.load(path / "embeddings.npy")
    rows = json.loads((path / "metadata.json").read_bytes())
    info = json.loads((path / "model_info.json").read_bytes())
    assert sorted(os.listdir(path)) == ["embeddings.npy", "metadata.json", "model_info.json"]
    assert vectors.dtype == np.float32 and vectors.shape == (len(rows), info["dimension"])
    assert np.isfinite(vectors).all()
    return vectors, rows, info


def snapshot(path):
    return {name: ((path / name).read_bytes(), os.stat(path / name).st_ino) for name in os.listdir(path)}


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="inlay_cli_")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.out = self.folder / "out.set"

    def write(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def embed(self, *arguments, **options):
        return json.loads(run("embed", *arguments, "-o", self.out, "--json", **options).stdout)

    def leftovers(self):
        return [name for name in os.listdir(self.folder) if name.startswith(".out.set")]


class Formats(Case):
    def reference(self):
        self.embed(self.write("reference.txt", "\n".join(TEXTS)))
        return load(self.out)[0]

    def test_every_format_gives_the_same_vectors_for_the_same_texts(self):
        reference = self.reference()
        self.assertTrue(np.allclose(np.linalg.norm(reference, axis=1), 1, atol=1e-5))
        files = {
            "a.json": json.dumps(TEXTS),
            "b.json": json.dumps({f"key{i}": text for i, text in enumerate(TEXTS)}),
            "c.jsonl": "\n".join(json.dumps(text if i % 2 else {"text": text, "note": [i, 1.50]}) for i, text in enumerate(TEXTS)),
            "d.jsonl": "\n".join(json.dumps({"content": text, "id": i}) for i, text in enumerate(TEXTS)),
            "e.csv": "body,id\r\n" + "".join(f'"{text}",{i}\r\n' for i, text in enumerate(TEXTS)),
        }
        for name, content in files.items():
            with self.subTest(name):
                figures = self.embed(self.write(name, content))
                vectors, rows, _ = load(self.out)
                self.assertEqual([row["content"] for row in rows], TEXTS)
                self.assertTrue(np.abs(vectors - reference).max() <= 1e-6)
                self.assertEqual(figures["documents"], len(TEXTS))
        self.embed(self.write("f.csv", "id,body\n" + "".join(f"{i},{text}\n" for i, text in enumerate(TEXTS))), "--column", "body")
        self.assertTrue(np.abs(load(self.out)[0] - reference).max() <= 1e-6)
        self.embed("-", stdin="\n".join(TEXTS).encode())
        self.assertTrue(np.abs(load(self.out)[0] - reference).max() <= 1e-6)
        self.embed("-", "--format", "json", stdin=json.dumps(TEXTS).encode())
        self.assertTrue(np.abs(load(self.out)[0] - reference).max() <= 1e-6)

    def test_the_guides_spellings(self):
        reference = self.reference()
        texts = self.write("texts.txt", "\n".join(TEXTS))
        env = {"INLAY_MODEL": ""}
        for arguments in (["--input-file", texts, "--output-path"], ["-i", texts, "--save-path"]):
            shutil.rmtree(self.out)
            run("embed", *arguments, self.out, "--model-path", MODEL, "-d", "cpu", "--batch-size", "16", "--quiet", env=env)
            self.assertTrue(np.abs(load(self.out)[0] - reference).max() <= 1e-6)
        self.write("code/a.py", "def f(): pass\n")
        run("embed", "--codebase-path", self.folder / "code", "--output-path", self.out, "-m", MODEL, env=env)
        self.assertEqual(load(self.out)[1][0]["file_path"], "a.py")

    def test_metadata_stays_with_its_text(self):
        known = '"language": "go", "file_path": "a.go", "line_number": 7'
        self.embed(self.write("a.jsonl", '{"text": "x", %s, "tags": [1.50, {}], "key": 1, "n": 2}\n"y"' % known))
        rows = load(self.out)[1]
        self.assertEqual({k: rows[0][k] for k in ("content", "language", "file_path", "line_number", "tags", "n", "extra")},
                         {"content": "x", "language": "go", "file_path": "a.go", "line_number": 7, "tags": [1.5, {}], "n": 2,
                          "extra": {"key": 1}})
        self.assertIn("[1.50, {}]", (self.out / "metadata.json").read_text())
        self.assertEqual(rows[1]["line_number"], 2)

    def test_text_only_leaves_the_context_out(self):
        coded = self.write("a.jsonl", json.dumps({"text": TEXTS[0], "language": "python"}))
        plain = self.write("b.jsonl", json.dumps(TEXTS[0]))
        self.embed(plain)
        reference = load(self.out)[0]
        self.embed(coded, "--text-only")
        self.assertTrue(np.abs(load(self.out)[0] - reference).max() <= 1e-6)
        self.embed(coded)
        self.assertGreater(np.abs(load(self.out)[0] - reference).max(), 1e-3)

    def test_options_change_the_vectors(self):
        texts = self.write("a.txt", "\n".join(TEXTS))
        self.embed(texts, "--no-normalize")
        raw = load(self.out)[0]
        self.assertGreater(abs(np.linalg.norm(raw[0]) - 1), 1e-2)
        self.embed(texts, "--truncate-dim", "100", "--no-normalize")
        vectors, _, info = load(self.out)
        self.assertEqual(vectors.shape[1], 100)
        self.assertTrue(np.abs(vectors - raw[:, :100]).max() <= 1e-5)
        self.assertEqual(len(json.loads(run("search", self.out, "email", "--json").stdout)["matches"]), 4)
        self.embed(texts, "--pooling", "cls", "--max-length", "8")
        info = load(self.out)[2]
        self.assertEqual((info["pooling"], info["max_sequence_length"]), ("cls", 8))
        self.assertIn("email", run("search", self.out, "mail to people", "-k", "1").stdout.decode())

    def test_an_empty_input_gives_an_empty_set(self):
        self.assertEqual(self.embed(self.write("a.txt", ""))["documents"], 0)
        self.assertEqual(load(self.out)[0].shape, (0, 384))
        self.assertEqual(json.loads(run("search", self.out, "x", "--json").stdout)["matches"], [])


class Codebase(Case):
    def setUp(self):
        super().setUp()
        self.code = self.folder / "code"
        function = "def check_password_{0}(user, password):\n    return user.hash == hash_{0}(password)\n\n"
        self.write("code/auth.py", "".join(function.format(i) for i in range(60)))
        self.write("code/net.c", "int connect_socket(const char* host, int port) { return open_tcp(host, port); }\n")
        self.write("code/README.md", "# Mail\nHow to send mail.\n")
        self.write("code/.gitignore", "out/\n")
        self.write("code/out/gen.c", "int x;\n")
        self.write("code/picture.png", b"\x89PNG\0\0")
        os.symlink("net.c", self.code / "link.c")

    def test_a_folder_is_cut_into_pieces_that_know_their_lines(self):
        figures = self.embed(self.code)
        _, rows, _ = load(self.out)
        self.assertEqual({row["file_path"] for row in rows}, {"auth.py", "net.c", "README.md"})
        self.assertEqual(figures["skipped"], {"hidden": 1, "ignored": 1, "binary": 1, "symbolic link": 1})
        pieces = [row for row in rows if row["file_path"] == "auth.py"]
        self.assertGreater(len(pieces), 3)
        lines = (self.code / "auth.py").read_text().splitlines(keepends=True)
        for row in pieces:
            self.assertEqual(row["language"], "python")
            count = row["content"].count("\n")
            self.assertEqual("".join(lines[row["line_number"] - 1 : row["line_number"] - 1 + count]), row["content"])
        self.assertEqual(figures["truncated"], 0)

    def test_a_second_run_embeds_only_what_changed(self):
        first = self.embed(self.code)
        self.assertEqual((first["new"], first["reused"], first["removed"], first["written"]), (first["documents"], 0, 0, True))
        before = snapshot(self.out)
        second = self.embed(self.code)
        self.assertEqual((second["new"], second["reused"], second["removed"], second["written"]), (0, first["documents"], 0, False))
        self.assertEqual(snapshot(self.out), before)

        vectors, rows, _ = load(self.out)
        old = {row["key"]: vector for row, vector in zip(rows, vectors)}
        self.write("code/added.go", "func main() {}\n")
        os.remove(self.code / "net.c")
        third = self.embed(self.code)
        self.assertEqual((third["new"], third["reused"], third["removed"], third["written"]), (1, first["documents"] - 1, 1, True))
        vectors, rows, _ = load(self.out)
        fresh = [row for row in rows if row["key"] not in old]
        self.assertEqual([row["file_path"] for row in fresh], ["added.go"])
        for row, vector in zip(rows, vectors):
            if row["key"] in old:
                self.assertTrue((vector == old[row["key"]]).all())

        # A file that is renamed moves its rows, though nothing of it is embedded.
        os.rename(self.code / "auth.py", self.code / "login.py")
        moved = self.embed(self.code)
        self.assertEqual((moved["new"], moved["removed"], moved["written"]), (0, 0, True))
        vectors, rows, _ = load(self.out)
        shutil.rmtree(self.out)
        self.embed(self.code)
        fresh_vectors, fresh_rows, _ = load(self.out)
        self.assertEqual(rows, fresh_rows)
        self.assertTrue(np.abs(vectors - fresh_vectors).max() <= 1e-6)

        fourth = self.embed(self.code, "--max-length", "64")
        self.assertEqual((fourth["reused"], fourth["new"]), (0, fourth["documents"]))
        self.assertIn("embedded anew", run("embed", self.code, "-o", self.out).stderr.decode())

    def test_a_damaged_set_is_made_anew(self):
        first = self.embed(self.code)
        (self.out / "metadata.json").write_text("[")
        done = run("embed", self.code, "-o", self.out, "--json")
        self.assertIn("metadata.json", done.err)
        self.assertEqual(json.loads(done.stdout)["new"], first["documents"])
        load(self.out)

    def test_search_order_is_numpys(self):
        self.embed(self.code)
        vectors, rows, _ = load(self.out)
        question = "where are passwords checked?"
        one = self.folder / "query.set"
        run("embed", self.write("query.txt", question), "-o", one, "--quiet")
        scores = (vectors @ np.load(one / "embeddings.npy")[0]).astype(np.float64)
        expected = np.argsort(-scores, kind="stable")[:7]
        found = json.loads(run("search", self.out, question, "-k", "7", "--json").stdout)
        self.assertEqual([match["row"] for match in found["matches"]], expected.tolist())
        for match in found["matches"]:
            self.assertAlmostEqual(match["score"], scores[match["row"]], places=5)
            self.assertEqual(match["content"], rows[match["row"]]["content"])
        lines = run("search", self.out, question).stdout.decode().splitlines()
        self.assertEqual(len(lines), 5)
        self.assertRegex(lines[0], r"^auth\.py:\d+  0\.\d{3}  \S")
        typed = json.loads(run("search", self.out, question, "--type", "code_search", "--json").stdout)
        self.assertNotEqual(typed["matches"][0]["score"], found["matches"][0]["score"])

    def test_sources_with_odd_names_and_bytes(self):
        bad = os.path.join(os.fsencode(self.code), b"caf\xe9.py")
        with open(bad, "wb") as file:
            file.write(b"# caf\xe9 \xff\x1b[31m\n")
        self.embed(self.code)
        rows = load(self.out)[1]
        self.assertIn("caf\ufffd.py", [row["file_path"] for row in rows])
        self.assertEqual(self.embed(self.code)["new"], 0)
        self.assertNotIn(b"\x1b", run("search", self.out, "caf\u00e9", "-k", "20").stdout)

    def test_what_it_writes_into_the_folder_is_not_read(self):
        first = self.embed(self.code)
        for store in ("set", "files"):
            with self.subTest(store):
                self.out = self.code / f"out.{store}"
                self.assertEqual(self.embed(self.code, "--store", store)["documents"], first["documents"])
                again = self.embed(self.code, "--store", store)
                self.assertEqual((again["documents"], again["new"], again["written"]), (first["documents"], 0, False))
                self.assertGreaterEqual(again["skipped"]["embeddings"], 1)

    def test_nothing_to_embed_empties_no_set(self):
        first = self.embed(self.code)
        for name, code in (("empty.jsonl", 0), ("bad.json", 3)):
            with self.subTest(name):
                done = run("embed", self.write(name, "" if code == 0 else '{"texts": ["a"]}'), "-o", self.out, code=code)
                self.assertIn("stays as it is", done.err)
                self.assertIn("0 removed", done.err)
                self.assertEqual(len(load(self.out)[1]), first["documents"])
        self.embed(self.folder / "empty.jsonl", "--fresh")
        self.assertEqual(len(load(self.out)[1]), 0)

    def test_a_cache_is_not_put_over_the_input(self):
        texts = self.write("a.jsonl", '"x"\n')
        self.assertIn("a.jsonl", run("embed", texts, "-o", self.out, "--cache", texts, code=2).err)
        self.assertEqual(texts.read_text(), '"x"\n')

    def test_a_set_within_its_own_folder(self):
        self.out = self.code / "here.set"
        self.write("code/.gitignore", "out/\n*.set/\n")
        first = self.embed(self.code)
        self.assertEqual(self.embed(self.code)["reused"], first["documents"])


class Information(Case):
    def test_info_of_a_model_and_of_a_set(self):
        model = json.loads(run("info", MODEL, "--json").stdout)
        self.assertEqual((model["kind"], model["dimension"], model["architecture"], model["pooling"]), ("model", 384, "bert", "mean"))
        self.embed(self.write("a.txt", "x\ny"))
        described = json.loads(run("info", self.out, "--json").stdout)
        self.assertEqual((described["kind"], described["rows"], described["fingerprint"]), ("set", 2, model["fingerprint"]))
        self.assertIn("bert", run("info", MODEL).stdout.decode())
        self.assertIn("rows", run("info", self.out).stdout.decode())

    def test_version_and_help(self):
        self.assertRegex(run("--version").stdout.decode(), r"^inlay \d+\.\d+\.\d+\n$")
        for arguments in (["--help"], ["embed", "--help"], ["search", "--help"], ["info", "--help"], ["tokenize", "--help"]):
            self.assertIn("Usage", run(*arguments).stdout.decode())
        self.assertIn("130", run("--help").stdout.decode())

    def test_tokenize(self):
        texts = ["Hello, world!", "", "unbelievable caf\u00e9 \u4e2d\u6587 " * 200]
        path = self.write("a.jsonl", "\n".join(json.dumps(text) for text in texts))
        lines = [json.loads(line) for line in run("tokenize", "-m", MODEL, path, "--json").stdout.splitlines()]
        self.assertEqual(lines[0], {"ids": [101, 7592, 1010, 2088, 999, 102], "tokens": ["[CLS]", "hello", ",", "world", "!", "[SEP]"],
                                    "tokens_seen": 6, "truncated": False})
        self.assertEqual(lines[1]["ids"], [101, 102])
        self.assertEqual((len(lines[2]["ids"]), lines[2]["truncated"]), (256, True))
        try:
            import tokenizers
        except ImportError:
            print("no comparison with the tokenizers package: it is not installed")
        else:
            reference = tokenizers.Tokenizer.from_file(str(Path(MODEL) / "tokenizer.json"))
            reference.no_truncation()
            reference.no_padding()
            self.assertEqual([line["tokens_seen"] for line in lines], [len(reference.encode(text).ids) for text in texts])
            self.assertEqual(lines[2]["ids"][:-1], reference.encode(texts[2]).ids[:255])
        short = json.loads(run("tokenize", "-m", MODEL, "-", "--max-length", "4", "--json", stdin=b"one two three").stdout)
        self.assertEqual((len(short["ids"]), short["tokens_seen"], short["truncated"]), (4, 5, True))
        self.assertIn("hello , world", run("tokenize", path).stdout.decode())
        placed = json.loads(run("tokenize", "-m", MODEL, "-", "--offsets", "--json", stdin="d\u00e9j\u00e0 vu".encode()).stdout)
        self.assertEqual((placed["tokens"], placed["offsets"]), (["[CLS]", "de", "##ja", "vu", "[SEP]"], [[0, 0], [0, 3], [3, 6], [7, 9], [0, 0]]))
        self.assertIn("[CLS][0:0] de[0:3] ##ja[3:6] vu[7:9]", run("tokenize", "-m", MODEL, "-", "--offsets", stdin="d\u00e9j\u00e0 vu".encode()).stdout.decode())


class Trouble(Case):
    def test_usage_errors(self):
        for arguments in ([], ["nonsense"], ["embed", "--nonsense"], ["embed"], ["embed", "x"], ["embed", "x", "-o"], ["search", "x"],
                          ["embed", "x", "-i", "y", "-o", self.out], ["embed", "x", "-o", self.out, "--batch-size", "0"],
                          ["embed", "x", "-o", self.out, "--threads", "-1"], ["embed", "x", "-o", self.out, "--max-length", "many"],
                          ["search", self.out, "q", "--type", "nonsense"],
                          ["embed", "x", "-o", self.out, "--resume", "--fresh"], ["embed", "x", "-o", self.out, "--chunk", "some"],
                          ["embed", "x", "-o", self.out, "--chunk", "truncate", "--chunk-size", "9"],
                          ["embed", "x", "-o", self.out, "--store", "drawer"], ["embed", "x", "-o", self.out, "--max-memory", "lots"],
                          ["embed", "x", "-o", self.out, "--max-memory", "0"], ["cache"], ["cache", "export", "a.db"]):
            with self.subTest(arguments):
                self.assertTrue(run(*arguments, code=2).err.startswith("inlay: "))
        done = run("embed", self.write("a.txt", "x"), "-o", self.out, env={"INLAY_MODEL": ""}, code=2)
        self.assertIn("-m", done.err)
        self.assertIn("INLAY_MODEL", done.err)
        run("embed", self.write("a.txt", "x"), "-o", self.out, "--format", "xml", code=2)

    def test_errors_name_the_culprit(self):
        texts = self.write("a.txt", "x")
        cases = {
            ("embed", self.folder / "none.txt", "-o", self.out): "none.txt",
            ("embed", texts, "-o", self.out, "-m", self.folder / "none"): "none",
            ("embed", texts, "-o", self.out, "-m", self.folder): str(self.folder),
            ("embed", texts, "-o", self.out, "--pooling", "median"): "Invalid pooling method",
            ("embed", texts, "-o", self.out, "--device", "abacus"): "abacus",
            ("embed", texts, "-o", self.out, "--max-length", "100000"): "100000",
            ("embed", self.write("bad.json", "[1"), "-o", self.out): "bad.json",
            ("embed", self.write("bad.csv", 'a\n"x'), "-o", self.out): "bad.csv:2",
            ("embed", "--codebase-path", texts, "-o", self.out): "a.txt",
            ("search", self.folder / "none.set", "x"): "none.set",
            ("info", self.folder / "none"): "none",
            ("tokenize", "-m", MODEL, self.folder / "none.txt"): "none.txt",
        }
        for arguments, culprit in cases.items():
            with self.subTest(arguments):
                self.assertIn(culprit, run(*arguments, code=1).err)
                self.assertFalse(self.out.exists())

    def test_a_bad_record_fails_alone(self):
        for name, content in (("bad.jsonl", '"x"\n{}\n"y"\n'), ("bad.csv", "text\nx\n1,2\ny\n"), ("bad.json", '["x", 5, "y"]')):
            with self.subTest(name):
                done = run("embed", self.write(name, content), "-o", self.out, "--json", code=3)
                self.assertIn(name, done.err)
                self.assertEqual(len(done.err.splitlines()), 1)
                self.assertEqual(json.loads(done.stdout)["failed"], 1)
                self.assertEqual([row["content"] for row in load(self.out)[1]], ["x", "y"])

    def test_what_is_not_a_set_is_not_replaced(self):
        texts = self.write("a.txt", "x")
        self.write("mine/notes.txt", "mine")
        for place in (texts, self.folder / "mine"):
            self.assertIn("is not an embedding set", run("embed", texts, "-o", place, code=1).err)
        self.assertEqual((self.folder / "mine/notes.txt").read_text(), "mine")
        self.assertEqual(texts.read_text(), "x")

    def test_a_place_that_cannot_be_written(self):
        texts = self.write("a.txt", "x")
        self.assertIn("a.txt/out.set", run("embed", texts, "-o", texts / "out.set", code=1).err)
        if os.geteuid() != 0:
            closed = self.folder / "closed"
            closed.mkdir(mode=0o500)
            self.assertIn("closed", run("embed", texts, "-o", closed / "out.set", code=1).err)
        elif Path("/proc/self").exists():
            self.assertIn("/proc", run("embed", texts, "-o", "/proc/out.set", code=1).err)

    def test_a_full_disk_leaves_the_old_set(self):
        disk = self.folder / "disk"
        disk.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk]
        if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
            print("skipped: no tmpfs can be mounted here")
            return
        self.addCleanup(subprocess.run, ["umount", disk])
        self.out = disk / "out.set"
        self.embed(self.write("a.txt", "\n".join(TEXTS)))
        before = snapshot(self.out)
        many = self.write("b.txt", "".join(f"text {i}\n" for i in range(60)))
        done = run("embed", many, "-o", self.out, code=1)
        self.assertIn("No space left", done.err)
        self.assertIn("out.set", done.err)
        self.assertEqual(snapshot(self.out), before)
        self.assertEqual(sorted(os.listdir(disk)), [".out.set.journal", "out.set"])
        subprocess.run(["mount", "-o", "remount,size=1m", disk], check=True)
        figures = self.embed(many)
        self.assertEqual(figures["documents"], 60)
        self.assertGreater(figures["reused"], 0)
        self.assertEqual(os.listdir(disk), ["out.set"])

    def test_standard_output_that_is_closed_or_full(self):
        texts = self.write("a.txt", "".join(f"text {i}\n" for i in range(20000)))
        with subprocess.Popen([BIN, "tokenize", "-m", MODEL, texts, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            self.assertTrue(process.stdout.readline().startswith(b'{"ids"'))
            process.stdout.close()
            self.assertEqual(process.wait(60 * SLOWER), 0)
            self.assertEqual(process.stderr.read(), b"")
        if Path("/dev/full").exists():
            with open("/dev/full", "wb") as full:
                self.assertIn("No space left", run("info", MODEL, code=1, stdout=full).err)

    def test_standard_error_that_is_full_stops_nothing(self):
        if not Path("/dev/full").exists():
            return
        texts = self.write("a.jsonl", '"x"\n5\n"y"\n')
        with open("/dev/full", "wb") as full:
            done = subprocess.run([BIN, "embed", texts, "-o", self.out], stderr=full, stdout=subprocess.PIPE)
            self.assertEqual(done.returncode, 3)
            self.assertEqual(subprocess.run([BIN, "embed", self.folder / "none", "-o", self.out], stderr=full).returncode, 1)
        self.assertEqual(len(load(self.out)[1]), 2)

    def test_a_set_whose_model_has_moved_or_changed(self):
        model = self.folder / "model"
        shutil.copytree(MODEL, model)
        run("embed", self.write("a.txt", "x\ny"), "-o", self.out, "-m", model, "--quiet")
        os.rename(model, self.folder / "elsewhere")
        self.assertIn("-m", run("search", self.out, "x", code=1).err)
        self.assertIn("x", run("search", self.out, "x", "-m", self.folder / "elsewhere").stdout.decode())
        weights = self.folder / "elsewhere/model.safetensors"
        data = bytearray(weights.read_bytes())
        data[-5000] ^= 1
        weights.write_bytes(data)
        fingerprint = load(self.out)[2]["fingerprint"]
        self.assertIn(fingerprint, run("search", self.out, "x", "-m", self.folder / "elsewhere", code=1).err)


class Interruption(Case):
    def texts(self):
        return self.write("many.txt", "".join(f"text number {i} about the weather in town {i * 7}\n" for i in range(60000)))

    def wait_until_listening(self, process):
        """Until it has blocked SIGINT, which it then waits for; before, a signal would end it as it ends any process."""
        for _ in range(3000):
            fields = dict(line.split(":", 1) for line in Path(f"/proc/{process.pid}/status").read_text().splitlines())
            if int(fields["SigBlk"], 16) >> (signal.SIGINT - 1) & 1:
                return
            time.sleep(0.01)
        self.fail("it never listened for signals")

    def test_ctrl_c_stops_cleanly_and_leaves_the_old_set(self):
        self.embed(self.write("a.txt", "\n".join(TEXTS)))
        before = snapshot(self.out)
        many = self.texts()
        for number, signum in enumerate((signal.SIGINT, signal.SIGTERM)):
            command = [BIN, "embed", many, "-o", self.out, "--batch-tokens", "2048"]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.wait_until_listening(process)
            time.sleep((1 + number) * SLOWER)
            self.assertIsNone(process.poll(), "it ended before it could be interrupted")
            process.send_signal(signum)
            begin = time.monotonic()
            _, errors = process.communicate(timeout=60 * SLOWER)
            self.assertLess(time.monotonic() - begin, 30 * SLOWER)
            self.assertEqual(process.returncode, 130, errors)
            self.assertIn(b"kept for the next run", errors)
            self.assertEqual(snapshot(self.out), before)
            self.assertEqual(self.leftovers(), [".out.set.journal"])

    def test_an_interrupt_at_any_moment_leaves_no_half_of_a_set(self):
        code = self.folder / "code"
        for i in range(400):
            self.write(f"code/{i}.py", f"def f{i}(): return {i}\n")
        command = [BIN, "embed", code, "-o", self.out, "--quiet"]
        begin = time.monotonic()
        subprocess.run(command, check=True)
        whole = time.monotonic() - begin
        shutil.rmtree(self.out)
        codes = set()
        for delay in np.linspace(0.0, 1.1, 13) * whole:
            process = subprocess.Popen(command, stderr=subprocess.PIPE)
            time.sleep(delay)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60 * SLOWER)
            codes.add(process.returncode)
            self.assertIn(process.returncode, (0, 130, -signal.SIGINT))  # the last: before main took the signal over
            self.assertLessEqual(set(self.leftovers()), {".out.set.journal"})
            if self.out.exists():
                self.assertEqual(len(load(self.out)[1]), 400)
                self.assertEqual(self.leftovers(), [])
                shutil.rmtree(self.out)
            (self.folder / ".out.set.journal").unlink(missing_ok=True)  # each run has all of the work before it
        self.assertIn(130, codes)

    def test_waiting_for_input_ends_at_once(self):
        process = subprocess.Popen([BIN, "embed", "-", "-o", self.out], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        self.wait_until_listening(process)
        time.sleep(1 * SLOWER)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=10 * SLOWER)
        process.communicate()
        self.assertEqual(process.returncode, 130)
        self.assertEqual((self.out.exists(), self.leftovers()), (False, []))


class Terminal(Case):
    def drawn(self, *arguments):
        """What is written to a terminal on standard error."""
        main, side = pty.openpty()
        process = subprocess.Popen([BIN, *map(str, arguments)], stdout=subprocess.PIPE, stderr=side)
        os.close(side)
        data = b""
        while True:
            try:
                block = os.read(main, 4096)
            except OSError:
                break
            if not block:
                break
            data += block
        os.close(main)
        process.communicate()
        self.assertEqual(process.returncode, 0)
        return data

    def test_a_bar_on_a_terminal_and_none_in_a_pipe(self):
        texts = self.write("a.txt", "".join(f"text {i}\n" for i in range(300)))
        self.assertIn(b"] 300/300", self.drawn("embed", texts, "-o", self.out))
        shutil.rmtree(self.out)
        self.assertNotIn(b"]", self.drawn("embed", texts, "-o", self.out, "--json"))
        shutil.rmtree(self.out)
        done = run("embed", texts, "-o", self.out)
        self.assertNotIn("\r", done.err)
        self.assertIn("documents/s", done.err)
        self.assertIn("peak memory", done.err)
        self.assertEqual(done.stdout, b"")
        self.assertEqual(run("embed", texts, "-o", self.out, "--quiet").err, "")

    def test_truncation_is_said(self):
        done = run("embed", self.write("a.txt", "word " * 1000 + "\nshort"), "-o", self.out, "--chunk", "truncate")
        self.assertIn("truncated to 256 tokens: 1 text", done.err)
        shutil.rmtree(self.out)
        self.assertEqual(self.embed(self.folder / "a.txt", "--chunk", "truncate")["truncated"], 1)

    def test_averages_are_said(self):
        self.assertIn("averaged over chunks: 1 text", run("embed", self.write("a.txt", "word " * 1000 + "\nshort"), "-o", self.out).err)


if __name__ == "__main__":
    unittest.main(verbosity=2)
