"""inlay index, search and duplicates, as their user runs them, with the real model over packages of Python's own. Needs INLAY_BIN and INLAY_MODEL;
skips, and says so, without."""

import ast
import contextlib
import importlib.util
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

try:
    import numpy
except ImportError:
    print("skipped: this Python has no NumPy")
    sys.exit(77)

BIN = os.environ.get("INLAY_BIN", "")
MODEL = os.environ.get("INLAY_MODEL", "")
if not pathlib.Path(BIN).is_file() or not pathlib.Path(MODEL).is_dir():
    print("skipped: INLAY_BIN or INLAY_MODEL is not set, or not there")
    sys.exit(77)

AUTH = '''"""Accounts."""

import hashlib


class Accounts:
    """All users."""

    def check_password(self, user, password):
        """Tells whether the password of a user is right.

        Slowly, on purpose.
        """
        return self.hashes[user] == hashlib.sha256(password.encode()).hexdigest()


def send_mail(address, text):
    """Sends an email."""
    with connect() as server:
        server.send(address, text)
'''


def run(*arguments, code=0):
    result = subprocess.run([BIN, *map(str, arguments)], capture_output=True, text=True, timeout=600, env=os.environ | {"INLAY_MODEL": MODEL})
    assert result.returncode == code, f"inlay {arguments}: exit code {result.returncode}, not {code}\n{result.stderr}"
    return result


def run_on_terminal(*arguments):
    """What is printed when standard output is a terminal."""
    leader, follower = pty.openpty()
    process = subprocess.Popen([BIN, *map(str, arguments)], stdout=follower, stderr=subprocess.DEVNULL, env=os.environ | {"TERM": "xterm"})
    os.close(follower)
    shown = b""
    with contextlib.suppress(OSError):
        while piece := os.read(leader, 65536):
            shown += piece
    os.close(leader)
    assert process.wait(60) == 0
    return shown.decode()


class Index(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="inlay_index_")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.code = self.folder / "code"
        self.index = self.folder / "code.index"
        self.put("auth.py", AUTH)
        self.put("web/page.js", "/** Draws the page. */\nexport function drawPage(canvas) {\n  canvas.clear();\n  return canvas.draw();\n}\n")
        self.put("README.md", "# Shop\n\nHow to install the shop: run make install.\n")

    def put(self, path, text):
        (self.code / path).parent.mkdir(parents=True, exist_ok=True)
        (self.code / path).write_text(text)

    def update(self, *arguments, code=0):
        return json.loads(run("index", self.code, "-o", self.index, "--json", *arguments, code=code).stdout)

    def search(self, *arguments):
        return json.loads(run("search", self.index, *arguments, "--json").stdout)["matches"]

    def test_every_definition_of_a_package_is_in_the_index(self):
        package = pathlib.Path(importlib.util.find_spec("email").origin).parent
        shutil.copytree(package, self.code / "email", ignore=shutil.ignore_patterns("__pycache__"))
        changes = self.update("--no-text-files")
        rows = json.loads((self.index / "metadata.json").read_text())
        self.assertEqual((changes["items"], changes["new"], changes["embedded"] <= changes["new"]), (len(rows), len(rows), True))
        expected = set()
        for path in self.code.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                    expected.add((str(path.relative_to(self.code)), node.name, node.lineno, node.end_lineno))
        found = {(row["file_path"], row.get("function_name") or row["class_name"], row["line_number"], row["line_end"])
                 for row in rows if row["kind"] != "file" and row["language"] == "python"}  # fmt: skip
        lambdas = {item for item in found - expected if "lambda" in (self.code / item[0]).read_text().splitlines()[item[2] - 1]}
        self.assertEqual(found - lambdas, expected)

        # The files are NumPy's and faiss's, and agree.
        vectors = numpy.load(self.index / "embeddings.npy")
        self.assertEqual(vectors.shape, (len(rows), 384))
        self.assertLess(numpy.abs(numpy.linalg.norm(vectors, axis=1) - 1).max(), 1e-5)
        record = json.loads((self.index / "index.json").read_text())
        self.assertEqual((record["kind"], record["rows"], record["dimension"], record["folder"]), ("flat", len(rows), 384, str(self.code)))
        query = vectors[len(rows) // 2] + 0.05 * vectors[3]
        order = numpy.argsort(-(vectors @ query), kind="stable")[:10]
        with contextlib.suppress(ImportError):
            import faiss

            index = faiss.read_index(str(self.index / "index.faiss"))
            self.assertEqual((index.ntotal, index.d), vectors.shape)
            self.assertEqual(index.search(query[None], 10)[1][0].tolist(), order.tolist())

    def test_again_it_embeds_what_changed_and_says_what_that_was(self):
        first = self.update()
        self.assertEqual((first["files"], first["unchanged"]), (3, 0))
        again = self.update()
        self.assertEqual((again["embedded"], again["unchanged"], again["written"]), (0, first["items"], False))
        self.put("auth.py", "# A line more.\n" + AUTH.replace("server.send", "server.deliver"))
        (self.code / "README.md").unlink()
        changed = self.update()
        self.assertEqual({key: changed[key] for key in ("new", "edited", "moved", "unchanged", "removed")},
                         {"new": 0, "edited": 2, "moved": 2, "unchanged": 1, "removed": 1})  # fmt: skip
        self.assertEqual(changed["embedded"], 2)
        summary = run("index", self.code, "-o", self.index).stderr
        self.assertRegex(summary, r"5 items in 2 files \(0 new, 0 edited, 0 moved, 5 unchanged, 0 removed\); 0 embedded")

    def test_a_question_finds_its_function(self):
        self.update()
        best = self.search("where are passwords checked?", "-k", "1")[0]
        self.assertEqual((best["file_path"], best["qualified_name"], best["line_number"]), ("auth.py", "Accounts.check_password", 9))
        shown = run("search", self.index, "where are passwords checked?", "-k", "1").stdout
        lines = shown.splitlines()
        self.assertRegex(lines[0], r"^auth\.py:9  0\.\d{3}  def check_password\(self, user, password\)$")
        self.assertEqual(lines[1], "  Tells whether the password of a user is right.")
        self.assertIn("   9  def check_password(self, user, password):", lines)
        self.assertEqual(lines[-1].split(None, 1), ["14", "return self.hashes[user] == hashlib.sha256(password.encode()).hexdigest()"])
        self.assertNotIn("\x1b", shown)

    def test_filters(self):
        self.update()
        question = "anything at all"
        self.assertEqual({match["file_path"] for match in self.search(question, "-k", "50", "--lang", "javascript")}, {"web/page.js"})
        self.assertEqual({match["file_path"] for match in self.search(question, "-k", "50", "--path", "*.md")}, {"README.md"})
        self.assertEqual({match["kind"] for match in self.search(question, "-k", "50", "--kind", "class")}, {"class"})
        scores = [match["score"] for match in self.search(question, "-k", "50")]
        self.assertEqual(scores, sorted(scores, reverse=True))
        self.assertEqual(len(self.search(question, "-k", "50", "--min-score", str(scores[1] - 1e-6))), 2)
        run("search", self.index, question, "--kind", "method", code=2)
        self.assertEqual({match["kind"] for match in self.search("-k", "50", "--kind", "class", "--kind", "file", question)}, {"class", "file"})
        self.assertEqual({match["file_path"] for match in self.search(question, "-k", "50", "--lang", "JavaScript", "--path", "./web")}, {"web/page.js"})
        self.assertIn("no matches", run("search", self.index, question, "--lang", "cobol").stderr)
        self.assertIn("[ without its ]", run("search", self.index, question, "--path", "a[b", code=1).stderr)
        self.assertIn("not a number", run("search", self.index, question, "--min-score", "nan", code=1).stderr)

    def test_lines_of_the_file_around(self):
        self.update()
        shown = run("search", self.index, "send an email", "-k", "1", "--context", "2").stdout
        self.assertIn("  15  \n", shown)
        self.assertIn("  17  def send_mail(address, text):\n", shown)
        self.assertIn("  20          server.send(address, text)\n", shown)
        self.put("auth.py", "# a line\n# another\n" + AUTH)
        self.assertIn("  19  def send_mail(address, text):\n", run("search", self.index, "send an email", "-k", "1", "--context", "2").stdout)
        self.put("auth.py", "")
        result = run("search", self.index, "send an email", "-k", "1", "--context", "2")
        self.assertIn("changed since it was indexed", result.stderr)
        self.assertIn("server.send", result.stdout)

    def test_lines_around_are_those_of_the_item_itself(self):
        method = "    def size(self):\n        return len(self.items)\n"
        self.put("two.py", f"class A:\n{method}\n    def a(self):\n        return 1\n\n\nclass B:\n{method}\n    def b(self):\n        return 2\n")
        self.put("widget.hpp", "#pragma once\n\nstatic const int widest = 7;\n\nclass Widget {\n  int width() { return widest; }\n};\n\nextern int highest_widget;\n")
        self.put("table.js", "const limit = 4;\nmodule.exports = {\n  open() { return 1; },\n  shut() { return 2; },\n};\n")
        self.update()
        shown = run("search", self.index, "B size", "-k", "8", "--path", "two.py", "--context", "1").stdout
        for line in (2, 9):
            self.assertIn(f"two.py:{line}  ", shown)
        for heading in re.split(r"\n(?=two\.py:)", shown):
            if match := re.match(r"two\.py:(\d+)(?:-\d+)?  \S+  def size", heading):
                self.assertIn(f" {match[1]}      def size(self):", heading)
        for path, content in (("widget.hpp", "extern int highest_widget;"), ("table.js", "const limit = 4;")):
            result = run("search", self.index, "what stands outside", "-k", "1", "--path", path, "--kind", "file", "--context", "1")
            self.assertNotIn("has changed", result.stderr)
            self.assertIn(content, result.stdout)
        pieces = [match["content"] for match in self.search("widest", "-k", "9", "--path", "widget.hpp", "--kind", "file")]
        self.assertEqual(pieces, ["#pragma once\n\nstatic const int widest = 7;\n\n\n\n\n\nextern int highest_widget;"])

    def test_lines_of_what_stands_outside_have_their_numbers(self):
        self.put("config.py", "import os\n\n\ndef first():\n    return 1\n\n\nTIMEOUT_OF_REQUESTS = 3\n")
        self.update()
        shown = run("search", self.index, "timeout of requests", "-k", "1", "--path", "config.py", "--kind", "file").stdout.splitlines()
        self.assertEqual(shown[1:], ["  1  import os", "  2  ", "  8  TIMEOUT_OF_REQUESTS = 3"])

    def test_a_damaged_index_is_made_again(self):
        first = self.update("--index", "hnsw")
        vectors = self.index / "index.faiss"
        vectors.write_bytes(vectors.read_bytes()[:1000])
        self.assertIn("not a whole FAISS index", run("search", self.index, "send an email", code=1).stderr)
        again = self.update("--index", "hnsw")
        self.assertEqual((again["unchanged"], again["embedded"], again["written"]), (first["items"], 0, True))
        vectors.unlink()
        self.assertTrue(self.update("--index", "hnsw")["written"])
        self.assertEqual(self.search("send an email", "-k", "1")[0]["name"], "send_mail")

    def test_a_codebase_that_was_emptied_has_an_empty_index(self):
        first = self.update()
        shutil.rmtree(self.code)
        self.assertIn("no folder", run("index", self.code, "-o", self.index, code=1).stderr)
        self.assertEqual(len(self.search("anything", "-k", "50")), first["items"])
        self.code.mkdir()
        result = run("index", self.code, "-o", self.index, "--json")
        changes = json.loads(result.stdout)
        self.assertEqual((changes["items"], changes["removed"], changes["written"]), (0, first["items"], True))
        self.assertIn("nothing to index", result.stderr)
        self.assertIn("the index is empty", run("search", self.index, "anything").stderr)

    def test_a_terminal_gets_colours(self):
        self.update()
        shown = run_on_terminal("search", self.index, "send an email", "-k", "1")
        self.assertIn("\x1b[35mdef\x1b[0m", shown)
        plain = re.sub(r"\x1b\[\d+m", "", shown).replace("\r", "")
        self.assertEqual(plain, run("search", self.index, "send an email", "-k", "1").stdout)

    def test_similar_code(self):
        self.put("other.py", "def deliver_mail(to, body):\n    '''Delivers an email.'''\n    with connect() as server:\n        server.send(to, body)\n")
        self.update()
        for place in ("auth.py:18", f"{self.code}/auth.py:18"):
            best = self.search("--code", place, "-k", "1")[0]
            self.assertEqual((best["file_path"], best["name"]), ("other.py", "deliver_mail"))
        new = self.folder / "new.py"
        new.write_text("x = 1\n\ndef post(mail):\n    '''Posts an email to its receiver.'''\n    server.send(mail.to, mail.body)\n")
        self.assertIn(self.search("--code", f"{new}:4", "-k", "1")[0]["name"], ("deliver_mail", "send_mail"))
        self.assertIn("no function or class is at", run("search", self.index, "--code", f"{new}:1", code=1).stderr)
        self.assertIn("no item of the index is at auth.py:999", run("search", self.index, "--code", "auth.py:999", code=1).stderr)
        self.assertIn("FILE:LINE", run("search", self.index, "--code", "auth.py", code=2).stderr)
        run("search", self.index, code=2)
        run("search", self.index, "question", "--code", "auth.py:18", code=2)

    def test_near_copies(self):
        self.put("copy.py", AUTH.replace("address", "receiver").split("\n\n\n")[2])
        self.update()
        groups = [json.loads(line) for line in run("duplicates", self.index, "--threshold", "0.9", "--json").stdout.splitlines()]
        self.assertEqual([sorted(item["file_path"] for item in group["items"]) for group in groups], [["auth.py", "copy.py"]])
        shown = run("duplicates", self.index, "--threshold", "0.9")
        self.assertRegex(shown.stdout, r"^0\.9\d\d\n  auth\.py:17-20  def send_mail\(address, text\)\n  copy\.py:1-4  def send_mail\(receiver, text\)\n$")
        self.assertIn("1 group of near-copies, 2 items in them", shown.stderr)
        self.assertEqual(run("duplicates", self.index, "--threshold", "1").stdout, "")
        for number in range(30):
            text = f"def function_{number}(value):\n    # {number * 37} is its number\n    return value + {number}\n"
            self.put(f"many/{number}.py", text)
            self.put(f"copies/{number}.py", text)
        self.update()
        groups = [json.loads(line) for line in run("duplicates", self.index, "--threshold", "1", "--json").stdout.splitlines()]
        self.assertEqual([(group["score"], len(group["items"])) for group in groups], [(1, 2)] * 30)
        texts = self.folder / "texts.txt"
        texts.write_text("open the file\nsend an email\nopen the file\n")
        run("embed", texts, "-o", self.folder / "texts.set", "--text-only")
        groups = [json.loads(line) for line in run("duplicates", self.folder / "texts.set", "--json").stdout.splitlines()]
        self.assertEqual([[item["row"] for item in group["items"]] for group in groups], [[0, 2]])

    def test_what_is_ignored_or_no_text_is_left_out(self):
        self.put(".gitignore", "*.log\n")
        self.put(".inlayignore", "secret/\n")
        self.put("a.log", "text")
        self.put("secret/key.py", "def key(): return 1\n")
        self.put("small.min.js", "var a=1;" * 40000)
        (self.code / "loop").symlink_to(self.code)
        changes = self.update()
        rows = json.loads((self.index / "metadata.json").read_text())
        self.assertEqual({row["file_path"] for row in rows}, {"auth.py", "web/page.js", "README.md"})
        self.assertEqual(changes["skipped"], {"hidden": 2, "ignored": 2, "minified": 1, "symbolic link": 1})

    def test_an_index_in_the_codebase_is_not_indexed(self):
        self.index = self.code / "code.index"
        first = self.update()
        self.assertEqual(self.update()["unchanged"], first["items"])

    def test_other_kinds_find_the_same(self):
        self.update()
        wanted = [match["row"] for match in self.search("send an email", "-k", "3")]
        changes = self.update("--index", "hnsw")
        self.assertEqual((changes["embedded"], changes["written"]), (0, True))
        self.assertEqual([match["row"] for match in self.search("send an email", "-k", "3")], wanted)

    def test_a_killed_run_goes_on(self):
        for number in range(60):
            self.put(f"many/{number}.py", "".join(f"def function_{number}_{i}(argument):\n    return argument + {number * i}\n\n" for i in range(20)))
        process = subprocess.Popen([BIN, "index", self.code, "-o", self.index, "--batch-tokens", "512", "--threads", "1"], env=os.environ | {"INLAY_MODEL": MODEL},
                                   stderr=subprocess.DEVNULL)
        journal = self.folder / ".code.index.journal"
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and not (journal.exists() and any(path.stat().st_size > 100_000 for path in [journal, *journal.parent.glob(".code.index.journal*")] if path.is_file())):
            time.sleep(0.02)
        process.kill()
        process.wait()
        self.assertFalse(self.index.exists())
        changes = self.update()
        self.assertGreater(changes["items"], 1200)
        self.assertLess(changes["embedded"], 1150)

    def test_watch(self):
        process = subprocess.Popen([BIN, "index", self.code, "-o", self.index, "--watch", "--quiet-ms", "100", "--json"], stdout=subprocess.PIPE, text=True,
                                   env=os.environ | {"INLAY_MODEL": MODEL})  # fmt: skip
        try:
            first = json.loads(process.stdout.readline())
            self.put("new/later.py", "def brand_new():\n    return 1\n")
            second = json.loads(process.stdout.readline())
            self.assertEqual((second["new"], second["unchanged"], second["embedded"]), (1, first["items"], 1))
            self.put("new/later.py", "def brand_new():\n    return 2\n")
            third = json.loads(process.stdout.readline())
            self.assertEqual((third["edited"], third["skipped"]), (1, first["skipped"]))
            self.put("other.py", "def kept():\n    return 3\n")
            self.assertEqual(json.loads(process.stdout.readline())["new"], 1)
            self.put(".gitignore", "other.py\n")
            self.assertEqual(json.loads(process.stdout.readline())["removed"], 1)
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(60), 0)
        finally:
            process.kill()
            process.stdout.close()
            process.wait()
        self.assertEqual(self.search("brand new", "--path", "new/", "-k", "1")[0]["content"], "def brand_new():\n    return 2")

    def test_long_lines_are_cut(self):
        self.put("long.txt", "words and words " * 20_000)
        self.update()
        shown = run("search", self.index, "words", "-k", "1", "--path", "long.txt").stdout
        self.assertLess(len(shown), 1000)
        self.assertIn(" …", shown)

    def test_what_an_index_is_and_of_which_folder(self):
        self.update("--index", "hnsw")
        about = json.loads(run("info", self.index, "--json").stdout)
        self.assertEqual((about["kind"], about["index_kind"], about["folder"]), ("index", "hnsw", str(self.code)))
        self.assertEqual(about["items"], {"class": 1, "file": 2, "function": 3})
        (self.folder / "other").mkdir()
        (self.folder / "other" / "a.py").write_text("def a(): pass\n")
        result = run("index", self.folder / "other", "-o", self.index)
        self.assertIn(f"was the index of {self.code}, and becomes that of {self.folder / 'other'}", result.stderr)

    def test_wrong_usage_is_named(self):
        self.assertIn('no command "serch"', run("serch", "x", code=2).stderr)
        for arguments, named in [(("-k", "0"), "0 is not a whole number of at least 1"), (("--context", "x"), "x is not a whole number"), (("--lines", "-1"), "-1 is not a whole")]:
            self.assertIn(named, run("search", self.index, "question", *arguments, code=2).stderr)

    def test_errors(self):
        self.assertIn("no folder", run("index", self.folder / "none", "-o", self.index, code=1).stderr)
        run("index", self.code, code=2)
        self.assertIn("unknown index kind", run("index", self.code, "-o", self.index, "--index", "tree", code=1).stderr)
        self.assertIn("not an embedding set", run("index", self.code, "-o", self.code, code=1).stderr)
        self.assertIn("neither an index nor", run("search", self.code, "x", code=1).stderr)
        self.assertIn("no index", run("search", self.folder / "none.index", "x", code=1).stderr)
        self.update()
        self.assertIn("would lie in", run("index", self.code, "-o", self.index / "inner", code=1).stderr)
        whole = (self.index / "index.json").read_text()
        (self.index / "index.json").write_text(whole.replace('"rows": ', '"rows": 1'))
        self.assertIn("contradicts itself", run("search", self.index, "x", code=1).stderr)


if __name__ == "__main__":
    unittest.main()
