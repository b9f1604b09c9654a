"""inlay cache, on caches that inlay embed filled with the real model. Needs INLAY_BIN and INLAY_MODEL; skips, and says so, without."""

import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import unittest

BIN = os.environ.get("INLAY_BIN", "")
MODEL = os.environ.get("INLAY_MODEL", "")
if not pathlib.Path(BIN).is_file() or not pathlib.Path(MODEL).is_dir():
    print("skipped: INLAY_BIN or INLAY_MODEL is not set, or not there")
    sys.exit(77)


class Cache(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="inlay_cache_")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.db = self.folder / "vectors.db"
        texts = self.folder / "texts.txt"
        texts.write_text("".join(f"text number {i}\n" for i in range(20)))
        for extra in ([], ["--max-length", "64"]):
            self.run_inlay("embed", texts, "-o", self.folder / "a.set", "--cache", self.db, "--quiet", *extra)
        self.models = self.json("stats", self.db)["models"]

    def run_inlay(self, *arguments, code=0, env=None):
        done = subprocess.run([BIN, *map(str, arguments)], capture_output=True, timeout=300, env={**os.environ, **(env or {})})
        self.assertEqual(done.returncode, code, done.stderr.decode())
        return done.stdout.decode() if code in (0, 3) else done.stderr.decode()

    def cache(self, *arguments, **options):
        return self.run_inlay("cache", *arguments, **options)

    def json(self, *arguments, **options):
        return json.loads(self.cache(*arguments, "--json", **options))

    def test_statistics(self):
        found = self.json("stats", self.db)
        self.assertEqual((found["kind"], found["entries"], found["path"]), ("sqlite", 40, str(self.db)))
        self.assertEqual([model["entries"] for model in found["models"]], [20, 20])
        self.assertEqual(found["models"][0]["dimension"], 384)
        text = self.cache("stats", self.db)
        self.assertIn("40 vectors", text)
        for model in self.models:
            self.assertIn(model["fingerprint"], text)
        home = {"XDG_CACHE_HOME": str(self.folder / "home")}
        self.assertIn("home/inlay/vectors.db", self.cache("stats", code=1, env=home))
        self.assertFalse((self.folder / "home").exists())  # looking begins none
        self.run_inlay("embed", self.folder / "texts.txt", "-o", self.folder / "a.set", "--fresh", "--cache", "sqlite:", "--quiet", env=home)
        self.assertEqual(self.json("stats", env=home)["entries"], 20)

    def test_verify_finds_what_is_damaged(self):
        self.assertEqual(self.json("verify", self.db), {"ok": True, "entries": 40, "wrong": 0, "unverifiable": 0, "problems": []})
        with sqlite3.connect(self.db) as database:
            database.execute("UPDATE vectors SET vector = zeroblob(1536) WHERE id = 3")
        label = sqlite3.connect(self.db).execute("SELECT label FROM vectors WHERE id = 3").fetchone()[0]
        found = self.json("verify", self.db, code=3)
        self.assertEqual((found["ok"], found["entries"], [problem["label"] for problem in found["problems"]]), (False, 39, [label]))
        self.assertIn("39 vectors whole, 1 wrong", self.cache("verify", self.db, code=3))

    def test_prune(self):
        one, other = (model["fingerprint"] for model in self.models)
        self.assertIn("nothing is given", self.cache("prune", self.db, code=2))
        self.assertEqual(self.json("prune", self.db, "--older-than", "1d")["removed"], 0)
        self.assertIn("10 fortnights", self.cache("prune", self.db, "--older-than", "10 fortnights", code=2))
        self.assertIn("no model", self.cache("prune", self.db, "--drop-model", "zzz", code=1))
        self.assertEqual(self.json("prune", self.db, "--drop-model", one)["removed"], 20)
        self.assertEqual([model["fingerprint"] for model in self.json("stats", self.db)["models"]], [other])
        self.assertEqual(self.json("prune", self.db, "--max-entries", "15")["kept"], 15)
        self.assertEqual(self.json("prune", self.db, "--keep-model", other[:20])["kept"], 15)
        self.assertEqual(self.json("prune", self.db, "--older-than", "0s")["kept"], 0)

    def test_to_json_and_back(self):
        target = self.folder / "vectors.json"
        self.assertIn("--model", self.cache("export", self.db, target, code=2))  # two models, where a file is of one
        model = self.models[0]["fingerprint"]
        self.assertEqual(self.json("export", self.db, target, "--model", model)["copied"], 20)
        content = json.loads(target.read_text())
        self.assertEqual((content["metadata"]["model_version"], len(content["embeddings"])), (model, 20))
        back = self.folder / "back.db"
        self.assertEqual(self.json("import", back, target)["copied"], 20)
        query = "SELECT key, label, vector FROM vectors JOIN models ON models.id = model WHERE fingerprint = ? ORDER BY key"
        self.assertEqual(*(sqlite3.connect(path).execute(query, (model,)).fetchall() for path in (self.db, back)))
        self.assertIn("none.db", self.cache("import", back, self.folder / "none.db", code=1))
        self.assertIn("into itself", self.cache("export", back, back, code=1))


if __name__ == "__main__":
    unittest.main(verbosity=2)
