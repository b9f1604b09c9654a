"""Caches as other programs see them: ours read with Python's sqlite3 and json, and files written with json read by ours.

    test_cache_formats.py CACHE_WORKER
"""

import json
import pathlib
import sqlite3
import struct
import subprocess
import sys
import tempfile
import unittest

worker = sys.argv[1]
COUNT = 25


def run(*arguments: str) -> str:
    done = subprocess.run([worker, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0 or done.stderr:
        raise AssertionError(f"{arguments} gave {done.returncode}: {done.stderr}")
    return done.stdout


def insert(url: str) -> None:
    run("insert", url, "0", str(COUNT), "10")


def found(url: str) -> int:
    """How many are found, each with its own vector: the worker fails otherwise."""
    return int(run("read", url, "0", str(COUNT), "10"))


def float32(number: float) -> bytes:
    return struct.pack("<f", number)


class Formats(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_sqlite_is_as_documented(self):
        insert(str(self.folder / "a.db"))
        database = sqlite3.connect(self.folder / "a.db")
        self.addCleanup(database.close)
        self.assertEqual(database.execute("PRAGMA application_id").fetchone(), (0x496E6C79,))
        self.assertEqual(database.execute("PRAGMA user_version").fetchone(), (1,))
        self.assertEqual(database.execute("PRAGMA integrity_check").fetchone(), ("ok",))
        columns = {table: [row[1] for row in database.execute(f"PRAGMA table_info({table})")] for table in ("models", "vectors")}
        self.assertEqual(columns["models"], ["id", "fingerprint", "name", "dimension"])
        self.assertEqual(columns["vectors"], ["id", "model", "key", "label", "name", "created", "checksum", "vector"])
        rows = database.execute(
            "SELECT v.key, v.label, v.name, v.created, v.vector, m.fingerprint, m.name, m.dimension "
            "FROM vectors v JOIN models m ON m.id = v.model ORDER BY v.id"
        ).fetchall()
        self.assertEqual(len(rows), COUNT)
        for number, (key, label, name, created, vector, fingerprint, model, dimension) in enumerate(rows):
            self.assertRegex(key, "^[0-9a-f]{32}$")
            self.assertEqual((label, name), (f"src/file.py:{number}", f"function_{number}"))
            self.assertEqual((fingerprint, model, dimension), ("fingerprint-a", "test-model", 8))
            self.assertGreater(created, 1_600_000_000_000)
            self.assertEqual(len(struct.unpack("<8f", vector)), 8)

    def test_both_kinds_hold_the_same(self):
        insert(str(self.folder / "a.db"))
        insert(str(self.folder / "a.json"))
        with open(self.folder / "a.json", encoding="utf-8") as file:
            cache = json.load(file)
        self.assertEqual(list(cache), ["metadata", "embeddings"])
        self.assertEqual(list(cache["metadata"]), ["model_name", "model_version", "dimensions", "created", "updated"])
        database = sqlite3.connect(self.folder / "a.db")
        self.addCleanup(database.close)
        rows = {label: (key, vector) for key, label, vector in database.execute("SELECT key, label, vector FROM vectors")}
        self.assertEqual(set(rows), set(cache["embeddings"]))
        for label, entry in cache["embeddings"].items():
            self.assertEqual(rows[label], (entry["content_hash"], b"".join(map(float32, entry["embedding"]))))

    def test_what_python_writes_again_is_read(self):
        path = self.folder / "a.json"
        insert(str(path))
        cache = json.loads(path.read_text())
        for options in ({}, {"indent": 2}, {"sort_keys": True, "separators": (",", ":")}, {"ensure_ascii": False, "indent": "\t"}):
            path.write_text(json.dumps(cache, **options))
            self.assertEqual(found(str(path)), COUNT)

    def test_a_file_of_the_batch_design_is_read(self):
        path = self.folder / "a.json"
        insert(str(path))
        cache = json.loads(path.read_text())
        for number, entry in enumerate(cache["embeddings"].values()):
            del entry["checksum"]
            # A program with numpy: each float32 as the double that it is.
            entry["embedding"] = [struct.unpack("<f", float32(value))[0] for value in entry["embedding"]]
            entry["timestamp"] = "2024-05-06T07:08:09.123456"
            if number % 2:
                entry["name"] = entry.pop("function_name")
            if number == 3:
                del entry["content_hash"]
        path.write_text(json.dumps(cache))
        self.assertEqual(found(str(path)), COUNT - 1)

    def test_a_vector_that_was_changed_is_not_found(self):
        path = self.folder / "a.json"
        insert(str(path))
        cache = json.loads(path.read_text())
        cache["embeddings"]["src/file.py:7"]["embedding"][3] += 0.5
        path.write_text(json.dumps(cache))
        done = subprocess.run([worker, "read", str(path), "0", str(COUNT), "10"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        self.assertEqual(int(done.stdout), COUNT - 1)
        self.assertIn("src/file.py:7", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
