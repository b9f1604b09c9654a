"""Nothing is lost: `inlay embed` over 2,000 functions of the standard library with the real model, killed 200 times at random moments.

Each kill (SIGKILL) is followed by the same command. Checked: the finished set is, byte for byte, an unbroken run's; a vector that was in the
journal is never embedded again; what a run that ends reports as new is exactly what the journal lacked. Then the stores, the options of long texts,
and trouble in the middle of a corpus. Needs INLAY_BIN and INLAY_MODEL; skips, and says so, without. INLAY_KILLS: another number of kills.
"""

import ast
import json
import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import sys
import sysconfig
import tempfile
import time
import unittest

BIN = os.environ.get("INLAY_BIN", "")
MODEL = os.environ.get("INLAY_MODEL", "")
KILLS = int(os.environ.get("INLAY_KILLS", "200"))
SLOWER = float(os.environ.get("INLAY_CLI_TEST_SLOWER", "1"))
try:
    import numpy as np
except ImportError:
    print("skipped: this Python has no NumPy")
    sys.exit(77)
if not pathlib.Path(BIN).is_file() or not pathlib.Path(MODEL).is_dir():
    print("skipped: INLAY_BIN or INLAY_MODEL is not set, or not there")
    sys.exit(77)

DATED = {**os.environ, "SOURCE_DATE_EPOCH": "1767225600"}
HEADER_BYTES = 4096


def functions(most, most_characters=1200):
    """Functions of the standard library, no two alike."""
    folder = pathlib.Path(sysconfig.get_paths()["stdlib"])
    found = {}
    for path in sorted(folder.glob("*.py")) + sorted(folder.glob("*/*.py")):
        try:
            text = path.read_text(encoding="utf-8")
            tree = ast.parse(text)
        except (UnicodeDecodeError, SyntaxError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                source = ast.get_source_segment(text, node)
                record = {"text": source, "file_path": str(path.relative_to(folder)), "line_number": node.lineno, "function_name": node.name,
                          "language": "python"}
                if len(source) <= most_characters:
                    found.setdefault((node.name, source), record)
        if len(found) >= most:
            break
    return list(found.values())[:most]


def journal_keys(path, dimension=384):
    """The keys of the whole records, in order."""
    record = 16 + 4 * dimension + 8
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    count = max(0, len(data) - HEADER_BYTES) // record
    return [struct.unpack_from("<QQ", data, HEADER_BYTES + record * i) for i in range(count)]


def journal_length(path, dimension=384):
    try:
        return max(0, path.stat().st_size - HEADER_BYTES) // (16 + 4 * dimension + 8)
    except FileNotFoundError:
        return 0


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="inlay_resume_")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.out = self.folder / "out.set"

    def write(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def command(self, *arguments, output=None):
        return [BIN, "embed", *map(str, arguments), "-o", str(output or self.out), "--json"]

    def embed(self, *arguments, code=0, output=None, **options):
        done = subprocess.run(self.command(*arguments, output=output), capture_output=True, env=DATED, timeout=900 * SLOWER, **options)
        self.assertEqual(done.returncode, code, done.stderr.decode("utf-8", "replace"))
        self.errors = done.stderr.decode("utf-8", "replace")
        return json.loads(done.stdout) if done.stdout else None


class Killed(Case):
    def test_kill_9_at_random_moments(self):
        records = functions(2000)
        self.assertEqual(len(records), 2000)
        corpus = self.write("functions.jsonl", "".join(json.dumps(record) + "\n" for record in records))
        small = ("--batch-tokens", "1024")  # a batch takes some 0.2 s: many are finished between two kills
        begin = time.monotonic()
        whole = self.embed(corpus, *small, output=self.folder / "whole.set")
        duration = time.monotonic() - begin
        self.assertEqual((whole["new"], whole["failed"]), (2000, 0))
        expected = {name: (self.folder / "whole.set" / name).read_bytes() for name in ("embeddings.npy", "metadata.json", "model_info.json")}
        print(f"unbroken: {duration:.1f} s, {whole['documents_per_second']:.0f} functions/s", flush=True)

        journal = self.folder / ".out.set.journal"
        moments = random.Random(5)
        late = None  # a journal of most, to be killed near the end as well
        runs = kills = finished = went_on = at_the_end = 0
        while kills < KILLS:
            runs += 1
            near_its_end = late is not None and runs % 5 == 0
            if near_its_end:
                journal.write_bytes(late)
                at_the_end += 1
            before = journal_keys(journal)
            process = subprocess.Popen(self.command(corpus, *small), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=DATED)
            if runs % 2 or near_its_end:  # at any moment from the start on
                self.wait(process, moments.uniform(0, 1.2 * SLOWER))
            else:  # at any moment behind the first vectors of this run
                deadline = time.monotonic() + 60 * SLOWER
                while process.poll() is None and journal_length(journal) <= len(before) and time.monotonic() < deadline:
                    time.sleep(0.002)
                self.wait(process, moments.uniform(0, 1.5 * SLOWER))
            process.send_signal(signal.SIGKILL)
            output, errors = process.communicate()
            if process.returncode == -signal.SIGKILL:
                kills += 1
                after = journal_keys(journal)
                if journal.exists():  # else it was killed before it had begun, or after the set was there
                    self.assertEqual(after[: len(before)], before, "the journal only grows")
                    self.assertEqual(len(set(after)), len(after), "a vector was written twice")
                went_on += len(after) > len(before) > 0
                if len(after) >= 1500:
                    late = journal.read_bytes()
                if not self.out.exists():
                    continue
                # Killed behind its end, or in the moment between the set's taking its place and the journal's removal.
            else:
                self.assertEqual(process.returncode, 0, errors)
                figures = json.loads(output)
                self.assertEqual(figures["new"], 2000 - len(before), "what the journal had was embedded again")
                self.assertEqual(figures["documents"], 2000)
                self.assertFalse(journal.exists())
            finished += 1
            for name, data in expected.items():
                self.assertEqual((self.out / name).read_bytes(), data, name)
            shutil.rmtree(self.out)
            journal.unlink(missing_ok=True)
        final = self.embed(corpus, *small)
        self.assertEqual(final["documents"], 2000)
        for name, data in expected.items():
            self.assertEqual((self.out / name).read_bytes(), data, name)
        self.assertEqual(sorted(os.listdir(self.folder)), ["functions.jsonl", "out.set", "whole.set"])  # no folder of a killed run
        self.assertGreater(went_on, KILLS // 4)
        print(f"{kills} kills: {went_on} of runs that went on and had embedded more, {at_the_end} of runs that had little left; "
              f"{finished} sets finished between them", flush=True)

    @staticmethod
    def wait(process, seconds):
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            pass

    def test_interrupts_count_exactly(self):
        corpus = self.write("functions.jsonl", "".join(json.dumps(record) + "\n" for record in functions(600)))
        journal = self.folder / ".out.set.journal"
        total = interrupts = 0
        while True:
            before = journal_length(journal)
            process = subprocess.Popen(self.command(corpus, "--max-memory", "60KB"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=DATED)
            deadline = time.monotonic() + 60 * SLOWER
            while process.poll() is None and journal_length(journal) < before + 30 and time.monotonic() < deadline:
                time.sleep(0.005)
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=60 * SLOWER)
            figures = json.loads(output)
            total += figures["new"]
            if process.returncode == 0:
                break
            self.assertEqual(process.returncode, 130, errors)
            self.assertFalse(figures["finished"])
            self.assertEqual(journal_length(journal), before + figures["new"])
            interrupts += 1
        self.assertGreater(interrupts, 2)
        self.assertEqual((total, figures["documents"]), (600, 600))  # nothing twice, nothing left out


class Stores(Case):
    TEXTS = ["open a file and read its lines", "caf\u00e9 \u4e2d\u6587", "sort an array of numbers"]

    def test_files(self):
        corpus = self.write("a.txt", "\n".join(self.TEXTS))
        figures = self.embed(corpus, "--store", "files", "--text-only")
        self.assertEqual((figures["new"], figures["written"]), (3, True))
        index = json.loads((self.out / "embeddings_index.json").read_text())
        self.assertEqual({entry["text"] for entry in index.values()}, set(self.TEXTS))
        self.embed(corpus, "--text-only", output=self.folder / "b.set")
        vectors = np.load(self.folder / "b.set/embeddings.npy")
        for text_id, entry in index.items():
            data = json.loads((self.out / "embeddings_data" / f"{text_id}.json").read_text())
            self.assertTrue((np.float32(data["embedding"]) == vectors[self.TEXTS.index(entry["text"])]).all())
        self.assertEqual(self.embed(corpus, "--store", "files", "--text-only")["new"], 0)
        next(iter((self.out / "embeddings_data").iterdir())).unlink()
        self.assertEqual(self.embed(corpus, "--store", "files", "--text-only", "--resume")["new"], 1)
        self.assertEqual(self.embed(corpus, "--store", "files", "--text-only", "--fresh")["new"], 3)
        self.assertIn("left as it is", (self.embed(corpus, code=1), self.errors)[1])  # a set is not put over them

    def test_fresh_embeds_everything_and_a_cache_nothing(self):
        corpus = self.write("a.txt", "\n".join(self.TEXTS))
        cache = self.folder / "vectors.db"
        self.assertEqual(self.embed(corpus, "--cache", cache)["new"], 3)
        self.assertEqual(self.embed(corpus, "--fresh")["new"], 3)
        figures = self.embed(corpus, "--cache", cache, output=self.folder / "other.set")
        self.assertEqual((figures["new"], figures["reused"]), (0, 3))
        self.assertEqual((self.out / "embeddings.npy").read_bytes(), (self.folder / "other.set/embeddings.npy").read_bytes())

    def test_long_texts_as_the_caller_chooses(self):
        long = " ".join(f"word{i}" for i in range(400))
        corpus = self.write("a.txt", f"{long}\nshort")
        average = self.embed(corpus)
        self.assertEqual((average["chunked"], average["truncated"], average["new"]), (1, 0, 2))
        vectors = np.load(self.out / "embeddings.npy")
        truncate = self.embed(corpus, "--chunk", "truncate")
        self.assertEqual((truncate["chunked"], truncate["truncated"], truncate["new"]), (0, 1, 2))  # not the averages of before
        truncated = np.load(self.out / "embeddings.npy")
        self.assertGreater(np.abs(vectors[0] - truncated[0]).max(), 1e-3)
        self.assertTrue((vectors[1] == truncated[1]).all())
        small = self.embed(corpus, "--chunk-size", "32", "--overlap", "8")
        self.assertEqual((small["chunked"], small["new"]), (1, 2))
        self.assertGreater(np.abs(vectors[0] - np.load(self.out / "embeddings.npy")[0]).max(), 1e-3)
        error = self.embed(corpus, "--chunk", "error", code=3)
        self.assertEqual((error["failed"], error["documents"]), (1, 1))
        self.assertIn("a.txt:1", self.errors)

    def test_memory_bounds_change_nothing(self):
        corpus = self.write("a.jsonl", "".join(json.dumps(record) + "\n" for record in functions(60)))
        self.embed(corpus, output=self.folder / "a.set")
        for size in ("1", "4KB", "1GB"):
            self.embed(corpus, "--max-memory", size)
            self.assertEqual((self.out / "embeddings.npy").read_bytes(), (self.folder / "a.set/embeddings.npy").read_bytes())
            shutil.rmtree(self.out)

    def test_an_unfinished_run_of_another_kind_is_not_thrown_away(self):
        corpus = self.write("a.jsonl", "".join(json.dumps(record) + "\n" for record in functions(600)))
        process = subprocess.Popen(self.command(corpus, "--max-memory", "20KB"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        journal = self.folder / ".out.set.journal"
        deadline = time.monotonic() + 60 * SLOWER
        while journal_length(journal) < 5 and time.monotonic() < deadline:
            time.sleep(0.01)
        busy = subprocess.run(self.command(corpus), capture_output=True)
        self.assertEqual(busy.returncode, 1)
        self.assertIn(f"process {process.pid}", busy.stderr.decode())
        process.kill()
        process.wait()
        kept = journal_length(journal)
        self.assertGreaterEqual(kept, 5)
        self.embed(corpus, "--max-length", "100", code=1)
        self.assertIn("unfinished", self.errors)
        self.assertEqual(journal_length(journal), kept)
        self.assertEqual(self.embed(corpus)["reused"], kept)


class Trouble(Case):
    def test_in_the_middle_of_a_folder(self):
        code = self.folder / "code"
        for i in range(5):
            self.write(f"code/{i}.py", f"def f{i}(): return {i}\n")
        os.symlink(code, code / "loop")
        os.symlink("nowhere", code / "3link.py")
        self.write("code/\u00fcn\u00efc\u00f6de \u4e2d.py", "def \u00e4nder(): pass\n")
        self.write("code/4large.py", "x = '" + "y" * 5_000_000 + "'\n")
        # A file that cannot be read, also not by root: its data are on a device that fails, or, where that can't be had, it goes meanwhile.
        figures = self.embed(code)
        self.assertEqual(figures["documents"], 6)
        self.assertEqual(figures["skipped"], {"symbolic link": 2, "too large": 1})
        if os.geteuid() != 0:
            os.chmod(code / "2.py", 0)
            figures = self.embed(code)
            self.assertEqual((figures["documents"], figures["skipped"]["unreadable"]), (5, 1))
            self.assertIn("2.py", self.errors)
        rows = json.loads((self.out / "metadata.json").read_text())
        self.assertIn("\u00fcn\u00efc\u00f6de \u4e2d.py", [row["file_path"] for row in rows])

    def test_a_body_of_5_mb(self):
        body = "def huge():\n" + "".join(f"    value_{i} = compute({i})\n" for i in range(180_000))
        self.assertGreater(len(body), 5_000_000)
        corpus = self.write("a.jsonl", json.dumps({"text": body, "function_name": "huge", "language": "python"}) + '\n"short"\n')
        figures = self.embed(corpus, "--chunk", "truncate", "--max-memory", "1MB")
        self.assertEqual((figures["documents"], figures["truncated"]), (2, 1))

    def test_a_cache_that_goes_while_it_is_used(self):
        records = functions(600)
        corpus = self.write("a.jsonl", "".join(json.dumps(record) + "\n" for record in records))
        cache = self.folder / "cache/vectors.db"
        process = subprocess.Popen(self.command(corpus, "--max-memory", "20KB", "--cache", cache), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=DATED)
        deadline = time.monotonic() + 60 * SLOWER
        while journal_length(self.folder / ".out.set.journal") < 50 and time.monotonic() < deadline:
            time.sleep(0.01)
        shutil.rmtree(cache.parent)
        output, errors = process.communicate(timeout=300 * SLOWER)
        self.assertEqual(process.returncode, 0, errors)
        self.assertEqual(json.loads(output)["new"], 600)

    def test_a_cache_in_a_place_that_cannot_be_written(self):
        corpus = self.write("a.txt", "x\ny")
        self.assertEqual(self.embed(corpus, "--cache", "/proc/vectors.db")["new"], 2)
        self.assertIn("/proc/vectors.db", self.errors)


if __name__ == "__main__":
    unittest.main(verbosity=2)
