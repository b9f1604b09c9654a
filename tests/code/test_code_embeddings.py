"""inlay code-embeddings and inlay test-index: on papers made of packages that are installed, against plain transformers and NumPy
(reference_code_embeddings.py), with a small CodeBERT of random weights and with the real all-MiniLM-L6-v2; then broken runs, bad records, and
indexes that are not what they should be. Needs INLAY_BIN; skips, and says so, without it or the reference."""

import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

BIN = os.environ.get("INLAY_BIN", "")
MODEL = os.environ.get("INLAY_MODEL", "")
ROBERTA = pathlib.Path(os.environ.get("INLAY_DATA", "/nonexistent"), "roberta")
SLOWER = float(os.environ.get("INLAY_CLI_TEST_SLOWER", "1"))
TOLERANCE = 1e-5
ROWS = 60
try:
    import numpy as np
    import tokenizers
    import torch
    import transformers
except ImportError as error:
    print(f"skipped: the reference is not installed ({error})")
    sys.exit(77)
if not pathlib.Path(BIN).is_file():
    print("skipped: INLAY_BIN is not set, or not there")
    sys.exit(77)
try:
    import faiss
except ImportError:
    faiss = None
    print("this Python has no faiss: what it reads is not tested")

import make_papers
import reference_code_embeddings as reference

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
torch.set_num_threads(2)

WORK = tempfile.TemporaryDirectory(prefix="inlay_code_embeddings_")
FILES = ("snippet_embeddings.json", "embeddings/code_embeddings.npy", "embeddings/metadata.json", "faiss_index.index", "faiss_metadata.json")
ROW_FIELDS = ("paper_id", "paper_title", "paper_url", "repo_name", "repo_url", "file_path", "function_name", "line_numbers", "has_docstring", "num_lines",
              "code_text")  # fmt: skip


def make_codebert(folder, positions=514):
    """A small model of CodeBERT's kind: its files, random weights."""
    folder.mkdir()
    if (ROBERTA / "vocab.json").is_file():
        for name in ("vocab.json", "merges.txt"):
            shutil.copy(ROBERTA / name, folder / name)
    else:
        special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
        tokenizer = tokenizers.ByteLevelBPETokenizer()
        tokenizer.train_from_iterator([pathlib.Path(__file__).read_text("utf-8")], vocab_size=800, special_tokens=special, show_progress=False)
        tokenizer.save_model(str(folder))
    vocabulary = json.loads((folder / "vocab.json").read_text("utf-8"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "RobertaTokenizer", "model_max_length": positions - 2}))
    torch.manual_seed(7)
    config = transformers.RobertaConfig(vocab_size=len(vocabulary), hidden_size=64, num_attention_heads=4, num_hidden_layers=2, intermediate_size=96,
                                        max_position_embeddings=positions, type_vocab_size=1, layer_norm_eps=1e-5, initializer_range=0.15)  # fmt: skip
    model = transformers.RobertaModel(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    model.save_pretrained(folder)


class EncodeOnce:
    """reference.encode, which knows what it has encoded."""

    def __init__(self):
        self.known = {}

    def __call__(self, texts, tokenizer, model, use_cls, max_length):
        key = lambda text: (text, id(model), use_cls, max_length)  # noqa: E731
        new = sorted({text for text in texts if key(text) not in self.known}, key=len)
        if new:
            self.known.update(zip(map(key, new), reference.encode(new, tokenizer, model, use_cls, max_length)))
        return np.array([self.known[key(text)] for text in texts])


def setUpModule():
    global PAPERS, SNIPPETS, CODEBERT
    work = pathlib.Path(WORK.name)
    CODEBERT = work / "codebert"
    make_codebert(CODEBERT)
    papers = []
    for paper in make_papers.papers(60_000):
        paper["repositories"][0]["code_files"] = [file for file in paper["repositories"][0]["code_files"] if len(file["content"]) > 3000][:5]
        if paper["repositories"][0]["code_files"]:
            papers.append(paper)
        if len(papers) == 30:
            break
    for paper, changes in zip(papers, ({"abstract": ""}, {"title": ""}, {"title": "", "abstract": ""})):
        paper.update(changes)
    PAPERS = work / "papers.json"
    PAPERS.write_text(json.dumps(papers))
    SNIPPETS = work / "snippets.json"
    subprocess.run([BIN, "snippets", "--input", PAPERS, "--output", SNIPPETS, "--min-lines", "12", "--quiet"], check=True)
    of_paper = {}
    for snippet in json.loads(SNIPPETS.read_text()):
        of_paper.setdefault(snippet["paper_id"], []).append(snippet)
    changes = [{}, {"paper_abstract": ""}, {"paper_title": ""}, {"paper_title": "", "paper_abstract": ""}, {"paper_abstract": "It was said. " * 200}]
    changes += [{}] * len(of_paper)
    kept = [{**snippet, **change} for snippets, change in zip(of_paper.values(), changes) for snippet in snippets[:5]][:ROWS]
    assert len(kept) == ROWS
    kept[10] = {**kept[10], "code_text": kept[10]["code_text"] + "\n" + "    total += compute(value, weight)\n" * 200}  # truncated
    kept[11] = {"stars": 5, **kept[11], "tags": {"a": [1.5, None, "\u00e9\U0001f600"]}}  # fields of others
    kept[12] = {**kept[3], "paper_id": "again"}  # the same text once more
    SNIPPETS.write_text(json.dumps(kept))


def tearDownModule():
    WORK.cleanup()


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=WORK.name))
        self.out = self.folder / "out"
        self.addCleanup(shutil.rmtree, self.folder)

    def inlay(self, *arguments, code=0):
        result = subprocess.run([BIN, *map(str, arguments)], capture_output=True, text=True)
        self.assertEqual(result.returncode, code, result.stderr)
        self.errors = result.stderr
        return result.stdout

    def embed(self, *arguments, input=None, output=None, model=None, snippets=True, code=0):
        return json.loads(
            self.inlay(
                "code-embeddings", "--json_path", input or SNIPPETS, "--output_path", (output or self.out) / "snippet_embeddings.json",
                *(["--snippets"] if snippets else []), "-m", model or CODEBERT, "--threads", 2, "--json", *arguments, code=code)
            or "null")  # fmt: skip

    def vectors(self, output=None):
        return np.load((output or self.out) / "embeddings/code_embeddings.npy")

    def read(self, name, output=None):
        return json.loads(((output or self.out) / name).read_text("utf-8"))

    def bytes_of(self, output=None):
        return {name: ((output or self.out) / name).read_bytes() for name in FILES if ((output or self.out) / name).exists()}

    def write(self, name, value):
        path = self.folder / name
        path.write_text(value if isinstance(value, str) else json.dumps(value), "utf-8")
        return path

    def assertClose(self, found, expected, name):
        self.assertEqual(found.shape, expected.shape)
        self.assertEqual(found.dtype, np.float32)
        difference = np.abs(found.astype(np.float64) - expected).max()
        spread = np.linalg.norm(expected - expected.mean(axis=0), axis=1).mean()  # vectors that are all alike would tell nothing
        print(f"{name}: {len(found)} rows, difference ≤ {difference:.1e} (spread {spread:.2f})", flush=True)
        self.assertGreater(spread, 0.05)
        self.assertLessEqual(difference, TOLERANCE)

    def check_files(self, snippets, tokenizer, max_length=512):
        """That the files say of each other what they should; returns what faiss_metadata.json says beside its items."""
        vectors, rows, items = self.vectors(), self.read("embeddings/metadata.json"), self.read("snippet_embeddings.json")
        self.assertEqual((len(vectors), len(rows)), (len(snippets), len(snippets)))
        for i, (snippet, row, item) in enumerate(zip(snippets, rows, items, strict=True)):
            tokens = len(tokenizer(snippet["code_text"])["input_ids"])
            self.assertEqual(row, {"index": i, **{name: snippet[name] for name in ROW_FIELDS}, "tokens": tokens, "truncated": tokens > max_length})
            self.assertEqual(list(row), ["index", *ROW_FIELDS, "tokens", "truncated"])
            self.assertEqual(np.array(item["embedding"], np.float32).tobytes(), vectors[i].tobytes())
            self.assertEqual(item, {**snippet, "embedding": item["embedding"]})
            self.assertEqual(list(item), [*snippet, "embedding"])
        metadata = self.read("faiss_metadata.json")
        self.assertEqual(metadata.pop("items"), rows)
        self.assertEqual((metadata["dimension"], metadata["count"], metadata["metric"], metadata["normalized"]),
                         (vectors.shape[1], len(vectors), "inner_product", True))  # fmt: skip
        return metadata


class Reference(Case):
    def compare(self, folder, name, combinations, max_length=512, rows=slice(None)):
        tokenizer, model = reference.load(folder)
        encode = EncodeOnce()
        snippets = json.loads(SNIPPETS.read_text())[rows]
        path = self.write("snippets.json", snippets)
        for use_cls, context, weight in combinations:
            arguments = ["--paper-context-weight", weight, *([] if use_cls else ["--no-cls-token"]), *([] if context else ["--no-paper-context"])]
            figures = self.embed("--build_faiss", "--max_length", max_length, "--cache", self.folder / "cache.db", *arguments, input=path, model=folder)
            self.assertEqual(figures["snippets"], len(snippets))
            expected = reference.embed(snippets, tokenizer, model, use_cls, context, weight, max_length, encode)
            with self.subTest(name, use_cls=use_cls, context=context, weight=weight):
                self.assertClose(self.vectors(), expected, f"{name}, {'CLS' if use_cls else 'mean'}, {f'context {weight}' if context else 'no context'}")
                metadata = self.check_files(snippets, tokenizer, max_length)
                self.assertEqual(figures["truncated"], sum(row["truncated"] for row in self.read("embeddings/metadata.json")))
                self.assertGreater(figures["truncated"], 0)
                self.assertGreater(figures["truncated_contexts"], 0) if context and weight else self.assertEqual(figures["truncated_contexts"], 0)
                self.assertEqual((metadata["use_cls_token"], metadata["include_paper_context"], metadata["paper_context_weight"]), (use_cls, context, weight))
                self.assertEqual((metadata["max_length"], metadata["index_kind"]), (max_length, "flat"))
                self.assertEqual((metadata["model_name"], metadata["model_version"]), (figures["model"], figures["fingerprint"]))
                self.compare_with_faiss()
        self.assertEqual(figures["new"], 0)  # other weights need no other vectors

    def compare_with_faiss(self):
        if faiss is None:
            return
        vectors = self.vectors()
        index = faiss.read_index(str(self.out / "faiss_index.index"))
        self.assertEqual((index.ntotal, index.d, index.metric_type), (*vectors.shape, faiss.METRIC_INNER_PRODUCT))
        self.assertEqual(index.reconstruct_n(0, len(vectors)).tobytes(), vectors.tobytes())
        exact = vectors @ vectors.T
        scores, ids = index.search(vectors, 5)
        np.testing.assert_allclose(scores, -np.sort(-exact, axis=1)[:, :5], atol=1e-5)
        np.testing.assert_allclose(np.take_along_axis(exact, ids, axis=1), scores, atol=1e-5)

    def test_codebert(self):
        contexts = [(True, 0.3), (True, 0.75), (True, 1), (True, 0), (False, 0.3)]
        self.compare(CODEBERT, "CodeBERT of random weights", [(use_cls, *context) for use_cls in (True, False) for context in contexts])

    def test_codebert_with_a_shorter_limit(self):
        self.compare(CODEBERT, "CodeBERT of random weights, 40 tokens", [(True, True, 0.3), (True, False, 0.3)], 40)

    @unittest.skipUnless(pathlib.Path(MODEL).is_dir(), "INLAY_MODEL is not set, or not there")
    def test_minilm(self):
        both = [(False, True, 0.75), (False, True, 0.3), (False, False, 0.3)]
        self.compare(MODEL, "all-MiniLM-L6-v2", [(True, True, 0.3), *both], rows=slice(8, 26))

    def test_the_script_itself(self):
        output = self.folder / "expected.npy"
        script = pathlib.Path(reference.__file__)
        subprocess.run([sys.executable, script, SNIPPETS, CODEBERT, output, "--mean", "--weight", "0.5"], check=True, capture_output=True)
        self.embed("--no-cls-token", "--paper-context-weight", "0.5")
        self.assertClose(self.vectors(), np.load(output), "the script")

    def test_each_code_file_of_papers(self):
        papers = json.loads(PAPERS.read_text())
        for paper in papers:
            for file in paper["repositories"][0]["code_files"]:
                file["content"] = file["content"][:1500]
        papers[1]["repositories"][0]["code_files"][1:1] = [{"path": "empty.py", "content": " \n"}, {"path": "binary.so", "content": "a\0b"},
                                                           {"path": "dos.txt", "content": "one\r\ntwo"}]  # fmt: skip
        figures = self.embed("--build_faiss", input=self.write("papers.json", papers), snippets=False)
        self.assertEqual(figures["skipped"], {"empty": 1, "binary": 1})
        expected = [{"paper_id": paper["id"], "paper_title": paper["title"], "paper_abstract": paper["abstract"], "paper_url": paper["url"],
                     "repo_name": repository["name"], "repo_url": repository["url"], "file_path": file["path"], "function_name": "",
                     "code_text": file["content"], "line_numbers": [1, lines], "has_docstring": False, "num_lines": lines}
                    for paper in papers for repository in paper["repositories"] for file in repository["code_files"]
                    if file["path"] not in ("empty.py", "binary.so") for lines in [len(file["content"].removesuffix("\n").split("\n"))]]  # fmt: skip
        tokenizer, model = reference.load(CODEBERT)
        self.check_files(expected, tokenizer)
        self.assertClose(self.vectors(), reference.embed(expected, tokenizer, model), "each code file")


class Options(Case):
    def test_both_spellings(self):
        dashes = ["--json-path", SNIPPETS, "--use-cls-token", "--include-paper-context", "--paper-context-weight", "0.6", "--batch-size", "4",
                  "--max-length", "64", "--build-faiss", "--index-kind", "flat"]  # fmt: skip
        underscores = [argument.replace("-", "_").replace("__", "--", 1) if str(argument).startswith("--") else argument for argument in dashes]
        for name, arguments in (("dashes", [*dashes, "--output-path"]), ("underscores", [*underscores, "--output_path"])):
            self.inlay("code-embeddings", "--snippets", "-m", CODEBERT, *arguments, self.folder / name / "snippet_embeddings.json")
        self.assertEqual(len(self.bytes_of(self.folder / "dashes")), len(FILES))
        self.assertEqual(self.bytes_of(self.folder / "dashes"), self.bytes_of(self.folder / "underscores"))
        for name, arguments in (("a", ["--no-cls-token", "--no-paper-context"]), ("b", ["--no_cls_token", "--no_paper_context"])):
            self.embed(*arguments, output=self.folder / name)
        self.assertEqual(self.bytes_of(self.folder / "a"), self.bytes_of(self.folder / "b"))
        place = [self.folder / "dashes" / name for name in ("faiss_index.index", "faiss_metadata.json")]
        one = self.inlay("test-index", "--index_path", place[0], "--metadata_path", place[1], "--embedding_dim", 64)
        self.assertEqual(one, self.inlay("test-index", "--index-path", place[0], "--metadata-path", place[1], "--embedding-dim", 64))

    def test_what_is_said_and_written(self):
        arguments = ("code-embeddings", "--snippets", "--json_path", SNIPPETS, "-m", CODEBERT, "--output_path", self.out / "my.json")
        self.assertEqual(self.inlay(*arguments, "--build_faiss"), "")
        self.assertIn("my.json: 60 rows of 64 components", self.errors)
        self.assertIn("truncated to 512 tokens: the snippet of", self.errors)
        self.inlay(*arguments, "--quiet")
        self.assertIn("faiss_index.index is an earlier run's", self.errors)
        self.assertEqual(sorted(os.listdir(self.out)), ["embeddings", "faiss_index.index", "faiss_metadata.json", "my.json"])
        self.assertEqual(sorted(name for name in os.listdir(self.out / "embeddings") if not name.startswith(".")), ["code_embeddings.npy", "metadata.json"])

    def test_usage(self):
        for arguments, named in [(["--paper-context-weight", "1.5"], "1.5"), (["--paper-context-weight", "-0.1"], "-0.1"), (["--paper-context-weight", "nan"], "nan"),
                                 (["--index-kind", "pq"], "pq"), (["--max_length", "0"], "0"), (["--batch_size", "-1"], "-1")]:  # fmt: skip
            with self.subTest(arguments):
                self.embed(*arguments, code=2)
                self.assertIn(named, self.errors)
        self.assertFalse(self.out.exists())
        same = self.write("same.json", SNIPPETS.read_text())
        self.inlay("code-embeddings", "--snippets", "--json_path", same, "--output_path", same, "-m", CODEBERT, code=2)
        self.embed(input=self.folder / "missing.json", code=1)
        self.assertIn("missing.json", self.errors)
        self.inlay("code-embeddings", "--snippets", "--json_path", SNIPPETS, "--output_path", self.folder, "-m", CODEBERT, code=1)
        self.assertIn("not the name of a file", self.errors)
        self.inlay("code-embeddings", "--snippets", "--json_path", SNIPPETS, "--output_path", self.folder / "embeddings", "-m", CODEBERT, code=1)
        self.assertIn("name of another file or folder", self.errors)
        self.assertFalse((self.folder / "embeddings").exists())

    def test_an_input_without_rows_leaves_what_was_written(self):
        self.embed()
        before = {name: (self.out / name).read_bytes() for name in ("snippet_embeddings.json", "embeddings/metadata.json", "embeddings/code_embeddings.npy")}
        arguments = ("code-embeddings", "--json_path", SNIPPETS, "--output_path", self.out / "snippet_embeddings.json", "-m", CODEBERT)
        self.inlay(*arguments, code=1)  # --snippets was forgotten
        self.assertIn("a list of snippets needs --snippets", self.errors)
        self.assertEqual({name: (self.out / name).read_bytes() for name in before}, before)
        self.inlay(*arguments, "--fresh")
        self.assertEqual(json.loads((self.out / "snippet_embeddings.json").read_text()), [])

    def test_a_limit_above_the_models_is_cut_to_it(self):
        folder = self.folder / "short"
        make_codebert(folder, positions=66)
        figures = self.embed(model=folder)
        self.assertIn("max_length is 512, but the model short takes 64 tokens", self.errors)
        self.assertEqual(figures["max_length"], 64)
        tokenizer, model = reference.load(folder)
        self.assertClose(self.vectors(), reference.embed(json.loads(SNIPPETS.read_text()), tokenizer, model, max_length=64), "64 positions")

    def test_kinds_of_index(self):
        snippets = [{"code_text": f"def f_{i}(x):\n    return {i * 7919 % 1009} * x", "paper_title": f"paper {i % 10}"} for i in range(1200)]
        path = self.write("many.json", snippets)
        for kind, expected in (("hnsw", "hnsw"), ("ivf_pq", "ivf_pq"), ("auto", "flat")):
            self.embed("--build_faiss", "--index-kind", kind, "--cache", self.folder / "cache.db", input=path)
            self.assertEqual(self.read("faiss_metadata.json")["index_kind"], expected)
            place = ("--index_path", self.out / "faiss_index.index", "--metadata_path", self.out / "faiss_metadata.json")
            found = json.loads(self.inlay("test-index", *place, "--query", "def f_5", "-m", CODEBERT, "--json"))
            self.assertEqual((found["kind"], found["rows"], len(found["queries"][0]["matches"])), (expected, 1200, 5))
            if expected != "flat":
                self.assertIn("pass --query or -m", (self.inlay("test-index", *place), self.errors)[1])
            if faiss is not None:
                index = faiss.read_index(str(self.out / "faiss_index.index"))
                self.assertEqual(index.ntotal, 1200)
                vectors = self.vectors()
                scores, ids = index.search(vectors[:50], 10)
                best = np.sort(vectors[:50] @ vectors.T, axis=1)[:, -10:].mean()
                found = np.take_along_axis(vectors[:50] @ vectors.T, ids, axis=1).mean()
                print(f"{expected}: the 10 that faiss finds have the cosine {found:.3f}, the 10 nearest {best:.3f}")
                self.assertGreater(found, best - 0.02)

    def test_a_cache_gives_the_same_files(self):
        cache = self.folder / "cache.db"
        first = self.embed("--build_faiss", "--cache", cache)
        self.assertGreater(first["new"], 0)
        self.assertEqual(first["texts"], first["new"] + first["reused"])
        second = self.embed("--build_faiss", "--cache", cache, output=self.folder / "second")
        self.assertEqual(second["new"], 0)
        self.assertEqual(self.bytes_of(), self.bytes_of(self.folder / "second"))
        fresh = self.embed("--build_faiss", "--cache", cache, "--fresh", output=self.folder / "fresh")
        self.assertEqual(fresh["new"], first["new"])
        self.assertEqual(self.bytes_of(), self.bytes_of(self.folder / "fresh"))

    def test_a_context_is_embedded_once(self):
        snippets = [{"code_text": f"x = {i}", "paper_title": f"title {i % 3}", "paper_abstract": "words " * 300} for i in range(300)]
        figures = self.embed("--max-memory", "20KB", input=self.write("many.json", snippets))
        self.assertEqual((figures["texts"], figures["new"], figures["snippets"]), (600, 303, 300))

    def test_memory_does_not_grow_with_the_snippets(self):
        peaks = []
        for count in (1000, 20_000):
            path = self.write("many.json", [{"code_text": f"value_{i} = {i}\n" * 3, "paper_title": f"title {i // 10}", "url": "u" * 1000} for i in range(count)])
            arguments = [BIN, "code-embeddings", "--snippets", "--json_path", str(path), "--output_path", str(self.out / "o.json"), "-m", str(CODEBERT),
                         "--build_faiss", "--max-memory", "4MB", "--threads", "2", "--batch_size", "64", "--quiet"]  # fmt: skip
            _, status, usage = os.wait4(os.spawnv(os.P_NOWAIT, BIN, arguments), 0)
            self.assertEqual(os.waitstatus_to_exitcode(status), 0)
            peaks.append(usage.ru_maxrss / 1024)
        size = sum((self.out / name).stat().st_size for name in ("o.json", "embeddings/code_embeddings.npy", "faiss_metadata.json")) / 2**20
        print(f"peak of 1,000 snippets: {peaks[0]:.0f} MB, of 20,000 ({size:.0f} MB of files): {peaks[1]:.0f} MB")
        self.assertLess(peaks[1] - peaks[0], 25)


class Trouble(Case):
    def test_a_bad_snippet_is_told_and_the_rest_goes_on(self):
        snippets = json.loads(SNIPPETS.read_text())[:20]
        bad = [7, {}, {"code_text": None}, {"code_text": 5}, {"code_text": " \n"}, {"code_text": "x", "paper_title": ["t"]}, {"code_text": "x", "line_numbers": [1]},
               {"code_text": "x", "line_numbers": [5, 4]}, {"code_text": "x", "has_docstring": "yes"}, {"code_text": "x", "num_lines": "1"}]  # fmt: skip
        figures = self.embed("--build_faiss", input=self.write("bad.json", [*snippets[:9], *bad, *snippets[9:]]), code=3)
        self.assertEqual((figures["snippets"], figures["failed"]), (20, len(bad)))
        warnings = [line for line in self.errors.splitlines() if "warning" in line]
        self.assertEqual(len(warnings), len(bad))
        for number, line in enumerate(warnings, 10):
            self.assertIn(f"bad.json, snippet {number}: ", line)
        self.assertIn("snippet 11: it has no code_text", self.errors)
        self.embed("--build_faiss", input=self.write("good.json", snippets), output=self.folder / "good")
        self.assertEqual(self.bytes_of(), self.bytes_of(self.folder / "good"))

    def test_a_bad_paper_is_told_and_the_rest_goes_on(self):
        good = {"id": 1, "title": "t", "repositories": [{"code_files": [{"path": "a.py", "content": "x = 1"}]}]}
        figures = self.embed(input=self.write("papers.json", [good, 5, {"repositories": [{"code_files": [{"content": "x"}]}]}, good]), snippets=False, code=3)
        self.assertEqual((figures["snippets"], figures["failed"]), (2, 2))
        self.assertIn("paper 2: ", self.errors)

    def test_fields_that_are_missing(self):
        self.embed(input=self.write("few.json", [{"code_text": "a\nb\n"}, {"code_text": "x", "paper_id": 17, "paper_title": None, "embedding": [1, 2]}]))
        rows = self.read("embeddings/metadata.json")
        self.assertEqual([row["line_numbers"] for row in rows], [[1, 2], [1, 1]])
        self.assertEqual((rows[1]["paper_id"], rows[1]["paper_title"], rows[1]["has_docstring"]), ("17", "", False))
        self.assertEqual(len(self.read("snippet_embeddings.json")[1]["embedding"]), 64)
        self.assertEqual(list(self.read("snippet_embeddings.json")[1]), ["code_text", "paper_id", "paper_title", "embedding"])

    def test_nothing_to_embed(self):
        self.embed("--build_faiss", input=self.write("none.json", []))
        self.assertIn("nothing to embed", self.errors)
        self.assertEqual(self.vectors().shape, (0, 64))
        self.assertEqual(self.read("snippet_embeddings.json"), [])
        self.inlay("test-index", "--index_path", self.out / "faiss_index.index", "--metadata_path", self.out / "faiss_metadata.json")
        self.embed(input=SNIPPETS, snippets=False, code=1)
        self.assertIn("needs --snippets", self.errors)

    def test_broken_files_leave_the_output_as_it_was(self):
        self.embed("--build_faiss")
        before = self.bytes_of()
        for text, named in [("", "JSON list"), ("{}", "JSON list"), ('[{"code_text": "x"}', "behind snippet 1"), ('[{"code_text": "x"} 5]', "comma"), ("[] 5", "more")]:
            with self.subTest(text):
                self.embed("--build_faiss", input=self.write("broken.json", text), code=1)
                self.assertIn(named, self.errors)
                self.assertEqual(self.bytes_of(), before)
        self.assertEqual([path for path in self.out.rglob("*.tmp")], [])

    @unittest.skipUnless(pathlib.Path(MODEL).is_dir(), "INLAY_MODEL is not set, or not there")
    def test_a_killed_run_goes_on_where_it_was(self):
        arguments = ("--build_faiss", "--max-memory", "20KB", "--batch_size", 2)
        whole = self.embed(*arguments, model=MODEL, output=self.folder / "whole")
        self.out.mkdir()
        journal = self.out / ".snippet_embeddings.json.journal"
        kills = 0
        for kind in (signal.SIGKILL, signal.SIGINT, signal.SIGKILL):
            before = self.journal_length(journal)
            command = [BIN, "code-embeddings", "--snippets", "--json_path", SNIPPETS, "--output_path", self.out / "snippet_embeddings.json", "-m", MODEL, *map(str, arguments)]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            deadline = time.monotonic() + 60 * SLOWER
            while process.poll() is None and self.journal_length(journal) < before + 10 and time.monotonic() < deadline:
                time.sleep(0.005)
            if kind == signal.SIGKILL and process.poll() is None:
                busy = self.embed(*arguments, model=MODEL, code=1)
                self.assertIsNone(busy)
                self.assertIn("another run", self.errors)
            process.send_signal(kind)
            code = process.wait(60 * SLOWER)
            self.assertEqual(code, -signal.SIGKILL if kind == signal.SIGKILL else 130)
            self.assertFalse((self.out / "snippet_embeddings.json").exists())
            kills += 1
        kept = self.journal_length(journal)
        self.assertGreater(kept, 25)
        self.embed("--max_length", 100, *arguments, model=MODEL, code=1)
        self.assertIn("unfinished run", self.errors)
        last = self.embed(*arguments, model=MODEL)
        self.assertEqual(last["new"], whole["new"] - kept)
        self.assertEqual(self.bytes_of(), self.bytes_of(self.folder / "whole"))
        self.assertEqual(sorted(os.listdir(self.out)), sorted(os.listdir(self.folder / "whole")))
        self.assertEqual(sorted(os.listdir(self.out / "embeddings")), sorted(os.listdir(self.folder / "whole/embeddings")))
        print(f"{kills} broken runs kept {kept} of {whole['new']} vectors")

    @staticmethod
    def journal_length(path, dimension=384):
        try:
            return max(0, path.stat().st_size - 4096) // (16 + 4 * dimension + 8)
        except FileNotFoundError:
            return 0


class TestIndex(Case):
    def setUp(self):
        super().setUp()
        self.embed("--build_faiss")
        self.index, self.metadata = self.out / "faiss_index.index", self.out / "faiss_metadata.json"

    def check(self, *arguments, index=None, metadata=None, dimension=64, code=0, named=""):
        result = self.inlay("test-index", "--index_path", index or self.index, "--metadata_path", metadata or self.metadata, "--embedding_dim", dimension,
                            *arguments, code=code)  # fmt: skip
        self.assertIn(named, self.errors if code else result)
        return result

    def test_rows_find_themselves(self):
        result = self.check(named="60 rows of 64 components")
        self.assertEqual(result.count("finds itself first"), 3)
        self.assertIn("checksum", result)
        figures = json.loads(self.check("--json", "-k", 3))
        self.assertEqual((figures["rows"], figures["kind"], figures["checksum_verified"]), (ROWS, "flat", True))
        vectors, rows = self.vectors(), self.read("embeddings/metadata.json")
        for query in figures["queries"]:
            exact = vectors @ vectors[query["row"]]
            self.assertEqual([match["row"] for match in query["matches"]], list(np.argsort(-exact, kind="stable")[:3]))
            for match in query["matches"]:
                self.assertAlmostEqual(match["score"], float(exact[match["row"]]), places=5)
                self.assertEqual((match["file_path"], match["function_name"], match["paper_title"], match["line_numbers"]),
                                 tuple(rows[match["row"]][name] for name in ("file_path", "function_name", "paper_title", "line_numbers")))  # fmt: skip
        figures = json.loads(self.check("--json", metadata=self.out / "embeddings/metadata.json"))
        self.assertEqual((figures["rows"], figures["checksum_verified"]), (ROWS, False))

    def test_questions(self):
        tokenizer, model = reference.load(CODEBERT)
        questions = ["read a file", "train the model"]
        expected = reference.normalise(reference.encode(questions, tokenizer, model)) @ self.vectors().T
        for metadata in (self.metadata, self.out / "embeddings/metadata.json"):
            figures = json.loads(self.check("--query", questions[0], "--query", questions[1], "-m", CODEBERT, "--json", metadata=metadata))
            self.assertEqual([query["query"] for query in figures["queries"]], questions)
            for query, scores in zip(figures["queries"], expected):
                self.assertEqual(len(query["matches"]), 5)
                for match, score in zip(query["matches"], -np.sort(-scores)):
                    self.assertAlmostEqual(match["score"], score, places=5)
                    self.assertAlmostEqual(scores[match["row"]], score, places=5)
        figures = json.loads(self.check("-m", CODEBERT, "--json", "-k", 2))
        self.assertEqual([query["query"] for query in figures["queries"]], ["load a dataset", "train the model", "compute the loss"])
        text = self.check("--query", "read a file", "-m", CODEBERT)
        first = self.read("embeddings/metadata.json")[int(np.argmax(expected[0]))]
        self.assertIn(f"  {expected[0].max():.3f}  {first['file_path']}:{first['line_numbers'][0]}  {first['function_name']}  {first['paper_title']}\n", text)

    def test_another_model_or_none(self):
        other = self.folder / "other"
        make_codebert(other, positions=130)
        self.check("-m", other, code=1, named="is not the model that made")
        self.check("-m", self.folder / "nowhere", code=1, named="nowhere")
        environment = {name: value for name, value in os.environ.items() if name != "INLAY_MODEL"}
        arguments = [BIN, "test-index", "--index_path", self.index, "--metadata_path", self.metadata, "--query", "x"]
        result = subprocess.run(arguments, capture_output=True, text=True, env=environment)
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertIn("-m", result.stderr)
        result = subprocess.run(arguments, capture_output=True, text=True, env={**environment, "INLAY_MODEL": str(CODEBERT)})
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_wrong_dimension(self):
        self.check(dimension=768, code=1, named="the vectors of")
        self.assertIn("have 64 components, not 768", self.errors)

    def test_missing_files(self):
        self.check(metadata=self.folder / "missing.json", code=1, named="missing.json")
        self.check(index=self.folder / "missing.index", code=1, named="missing.index")

    def changed(self, change, whole=False):
        """The metadata after a change of its items, or of the whole, as an object and as a list."""
        metadata = self.read("faiss_metadata.json")
        change(metadata if whole else metadata["items"])
        return self.write("object.json", metadata), self.write("list.json", metadata["items"])

    def test_reordered_metadata(self):
        def swap(items):
            items[5], items[6] = items[6], items[5]

        for path in self.changed(swap):
            self.check(metadata=path, code=1, named="item 5 has the index 6: the items are not in the order of the rows")

    def test_metadata_of_another_length(self):
        object_, list_ = self.changed(lambda items: items.pop())
        self.check(metadata=object_, code=1, named="its count is 60, but it has 59 items")
        self.check(metadata=list_, code=1, named="has 59 items, but the index")
        _, list_ = self.changed(lambda items: items.append({**items[0], "index": ROWS}))
        self.check(metadata=list_, code=1, named="has 61 items, but the index")
        _, list_ = self.changed(lambda items: items.pop(3))
        self.check(metadata=list_, code=1, named="item 3 has the index 4")

    def test_metadata_that_contradicts_the_index(self):
        for name, value, named in [("dimension", 768, "the dimension is 768"), ("metric", "l2", '"l2"'), ("index_kind", "hnsw", '"hnsw"'), ("count", 5, "its count is 5"),
                                   ("count", "60", "its count"), ("vectors_checksum", "0" * 32, "checksum"), ("items_checksum", "0" * 16, "not in their order")]:  # fmt: skip
            with self.subTest(name):
                self.check(metadata=self.changed(lambda metadata: metadata.update({name: value}), whole=True)[0], code=1, named=named)

    def test_items_of_another_order_that_were_numbered_anew(self):
        def reverse(items):
            items.reverse()
            for number, item in enumerate(items):
                item["index"] = number

        object_, list_ = self.changed(reverse)
        self.check(metadata=object_, code=1, named="not in their order")
        self.check(metadata=list_, named="it does not say")
        object_, list_ = self.changed(lambda items: items[7].update(line_numbers="x"))
        self.check(metadata=list_, code=1, named="item 7")
        self.check(metadata=self.changed(lambda items: None)[0], named="in their order")  # written by Python

    def test_metadata_that_is_none(self):
        for text, named in [("", "neither a JSON list"), ("5", "neither a JSON list"), ("{}", '"items"'), ('[{"index": 0}', "comma"), ("[5]", "item 0 is not an object"),
                            ('[{"file_path": "x"}]', "item 0 has no index"), ('[{"index": }]', "item 0 is not JSON"), ("[] []", "more"), ('{"items": 5}', '"items"')]:  # fmt: skip
            with self.subTest(text):
                self.check(metadata=self.write("none.json", text), code=1, named=named)
                self.assertIn("none.json", self.errors)

    def test_damaged_index(self):
        data = self.index.read_bytes()
        damaged = self.folder / "damaged.index"
        for size in (0, 3, 20, 45, len(data) // 2, len(data) - 1):
            damaged.write_bytes(data[:size])
            self.check(index=damaged, code=1, named="damaged.index")
        damaged.write_bytes(data + b"x")
        self.check(index=damaged, code=1, named="behind its end")
        header = len(data) - ROWS * 64 * 4
        for place in [*range(4, header, 5), header, len(data) // 2, len(data) - 1]:
            if 16 <= place < 32:  # fields that FAISS does not read
                continue
            flipped = bytearray(data)
            flipped[place] ^= 0x10
            damaged.write_bytes(flipped)
            self.check(index=damaged, code=1, named="damaged.index")
        flipped = bytearray(data)
        flipped[header + 400:header + 404] = struct.pack("<f", float("nan"))
        damaged.write_bytes(flipped)
        self.check(index=damaged, metadata=self.out / "embeddings/metadata.json", code=1, named="row 1 is not a vector of finite numbers")
        damaged.write_text("not an index")
        self.check(index=damaged, code=1, named="damaged.index")


if __name__ == "__main__":
    unittest.main()
