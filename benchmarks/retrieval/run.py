#!/usr/bin/env python3
"""Measures how well functions are found by what their docstrings say: the first paragraph is the query, the function without it the document.

    source build/setup.env; export INLAY_MODEL
    $INLAY_PYTHON benchmarks/retrieval/run.py            # 6,000 pairs: three quarters of an hour on two processors
    $INLAY_PYTHON benchmarks/retrieval/run.py --quick    # 300 pairs, a few variants: to see that it runs

The pairs come from the running Python's standard library and the packages installed beside it (pairs.py), the vectors from benchmark_retrieval
(retrieval.cpp), which prepares and cuts the texts as the library does. One relevant document a query, all documents are searched, by dot product.
Prints MRR, recall@1, @5 and @10, nDCG@10 (metrics.py), each variant's difference in MRR to another with the 95% interval of a paired bootstrap
over the queries, and MRR for functions that the model sees whole and for longer ones. Writes all of it to build/benchmarks/retrieval.json after
every variant; pairs and vectors stay in build/benchmarks/retrieval/. --reuse takes vectors of the same pairs and model from there.
"""

import argparse
import dataclasses
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import pathlib
import platform
import subprocess
import sys
import time

import bm25
import metrics
import numpy
import pairs

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOWEST_COSINE = 0.99999
BASELINE = "plain, truncated"
CHUNKED = {"256_0": "averaged", "256_32": "averaged, overlap 32", "128_0": "averaged, chunks of 128"}


@dataclasses.dataclass
class Run:
    """One start of the worker."""

    what: str
    arguments: list
    max_length: int = 256

    @property
    def name(self):
        return f"{self.what}_{self.arguments[0]}_{self.max_length}"


@dataclasses.dataclass
class Variant:
    name: str
    documents: str  # name of a matrix
    queries: str = "queries_general"
    against: str = BASELINE
    stored: str = "float32"


@dataclasses.dataclass
class Workspace:
    """What all steps share."""

    arguments: argparse.Namespace
    folder: pathlib.Path
    pairs: list
    results: dict
    reports: dict = dataclasses.field(default_factory=dict)  # of the worker, by matrix
    by_query: dict = dataclasses.field(default_factory=dict)  # metrics.values_by_query by variant
    slices: dict = dataclasses.field(default_factory=dict)  # name to rows and bootstrap weights

    def matrix(self, name):
        vectors = numpy.load(self.folder / f"{name}.npy")
        if not numpy.allclose(numpy.linalg.norm(vectors, axis=1), 1, atol=1e-4):
            sys.exit(f"{name}: not all vectors have length 1")
        return vectors

    def save(self):
        self.arguments.json.write_text(json.dumps(self.results, indent=1) + "\n")


def runs(quick):
    if quick:
        return [Run("queries", ["general", "code_search"]), Run("documents", ["plain", "256"]), Run("documents", ["default"])]
    return [
        Run("queries", ["general", "code_search", "documentation"]),
        Run("documents", ["plain", "256", "256:32", "128:0"]),
        Run("documents", ["default", "256"]),
        Run("documents", ["words"]),
        Run("documents", ["name"]),
        Run("documents", ["language"]),
        Run("documents", ["file_name"]),
        Run("documents", ["labelled_words"]),
        Run("documents", ["name_alone"]),
        Run("chunks", ["default"]),
        Run("documents", ["plain"], max_length=512),
    ]


def variants():
    listed = [Variant(BASELINE, "plain_truncate_256")]
    for text in ("plain", "default", "name", "language", "file_name", "words", "labelled_words", "name_alone"):
        if text != "plain":
            listed.append(Variant(f"{text}, truncated", f"{text}_truncate_256"))
        listed += [Variant(f"{text}, {label}", f"{text}_average_{chunk}") for chunk, label in CHUNKED.items()]
        listed.append(Variant(f"{text}, truncated at 512", f"{text}_truncate_512"))
    for text in ("plain", "default"):
        for prefix in ("code_search", "documentation"):
            name = f"{text}, truncated"
            listed.append(Variant(f"{name}, query {prefix}", f"{text}_truncate_256", f"queries_{prefix}", name))
    return listed


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pairs", type=int, default=6000, help="docstrings and functions (6000)")
    parser.add_argument("--quick", action="store_true", help="300 pairs from a part of the files, a few variants: to see that it runs")
    parser.add_argument("--reuse", action="store_true", help="take vectors that an earlier run made of the same pairs")
    parser.add_argument("--threads", type=int, default=0, help="of the worker; 0: one a processor")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release", help="the build folder (build/release)")
    parser.add_argument("--model", type=pathlib.Path, default=os.environ.get("INLAY_MODEL"), help="the model folder (INLAY_MODEL)")
    parser.add_argument("--json", type=pathlib.Path, help="where the results go (build/benchmarks/retrieval.json; with --quick retrieval_quick.json)")
    arguments = parser.parse_args()
    if not arguments.model or not arguments.model.is_dir():
        parser.error("the model folder is missing: give --model or set INLAY_MODEL")
    if arguments.json is None:
        arguments.json = ROOT / "build" / "benchmarks" / ("retrieval_quick.json" if arguments.quick else "retrieval.json")
    return arguments


def machine():
    names = {distribution.metadata["Name"]: distribution.version for distribution in importlib.metadata.distributions()}
    return {
        "processors": len(os.sched_getaffinity(0)), "load before": round(os.getloadavg()[0], 2), "system": platform.platform(),
        "python": platform.python_version(), "packages": dict(sorted(names.items())),
    }  # fmt: skip


def prepare(arguments):
    """Makes the pairs and the folder that is named after them and the model."""
    start = time.perf_counter()
    made, about = pairs.make_pairs(300, most_files=700) if arguments.quick else pairs.make_pairs(arguments.pairs)
    content = json.dumps(made)
    key = hashlib.sha256(f"{arguments.model.resolve()}\n{content}".encode()).hexdigest()[:12]
    folder = ROOT / "build" / "benchmarks" / "retrieval" / key
    pairs.write_pairs(made, folder / "pairs.jsonl")
    about |= {"pairs": len(made), "sha256": hashlib.sha256(content.encode()).hexdigest(), "seconds": time.perf_counter() - start}
    results = {"machine": machine(), "model": str(arguments.model), "command": " ".join(sys.argv), "corpus": about, "variants": []}
    return Workspace(arguments, folder, made, results)


def embed(workspace, run):
    """Runs the worker, or takes what it left; its matrices get the limit in their names."""
    report_file = workspace.folder / f"{run.name}.json"
    if not (workspace.arguments.reuse and report_file.exists()):
        program = workspace.arguments.build / "bin" / "benchmark_retrieval"
        numbers = [str(run.max_length), str(workspace.arguments.threads)]
        command = [program, workspace.arguments.model, *numbers, workspace.folder / "pairs.jsonl", workspace.folder, run.what, *run.arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{run.name}: {done.stderr.strip()}")
        for name in json.loads(done.stdout)["runs"]:
            if name.endswith("_truncate"):
                (workspace.folder / f"{name}.npy").rename(workspace.folder / f"{name}_{run.max_length}.npy")
        report_file.write_text(done.stdout)
    report = json.loads(report_file.read_text())
    for name, measured in report["runs"].items():
        workspace.reports[f"{name}_{run.max_length}" if name.endswith("_truncate") else name] = measured
    return report


def make_slices(workspace, tokens_seen, limit):
    """All queries; those whose function the model sees whole without context; and the others."""
    tokens = numpy.array(tokens_seen)
    rows = {"all": numpy.arange(len(tokens)), "whole": numpy.flatnonzero(tokens <= limit), "longer": numpy.flatnonzero(tokens > limit)}
    workspace.slices = {name: (chosen, metrics.bootstrap_weights(len(chosen))) for name, chosen in rows.items() if len(chosen)}
    workspace.results["corpus"]["tokens"] = {
        "limit": limit, "whole": len(rows["whole"]), "longer": len(rows["longer"]), "median": float(numpy.median(tokens)), "sum": int(tokens.sum()),
    }  # fmt: skip


def add_result(workspace, variant, rank):
    values = metrics.values_by_query(rank)
    workspace.by_query[variant.name] = values
    row = dataclasses.asdict(variant) | workspace.reports.get(variant.documents, {}) | {"figures": {}, "difference": {}}
    for name, (rows, weights) in workspace.slices.items():
        row["figures"][name] = metrics.mean_and_interval(values[rows], weights)
        difference = values[rows] - workspace.by_query[variant.against][rows]
        row["difference"][name] = metrics.mean_and_interval(difference, weights)
    workspace.results["variants"].append(row)
    workspace.save()
    print(show(row), flush=True)


def evaluate_new(workspace):
    """All variants whose vectors are there and whose result is not."""
    if not workspace.slices:
        return
    for variant in variants():
        if variant.name not in workspace.by_query and {variant.documents, variant.queries} <= workspace.reports.keys():
            add_result(workspace, variant, metrics.ranks(workspace.matrix(variant.queries), workspace.matrix(variant.documents)))


def evaluate_chunks(workspace, text, report):
    """Other ways to one result out of a long function's chunks, each of which was given the context."""
    rows, whole = numpy.array(report["rows"]), workspace.matrix(f"{text}_truncate_256")
    kept = numpy.setdiff1d(numpy.arange(len(whole)), rows)  # the functions that fit whole are one chunk
    owners = numpy.concatenate([kept, rows])
    order = numpy.argsort(owners, kind="stable")
    pieces = numpy.concatenate([whole[kept], workspace.matrix(f"{text}_chunks")])[order]
    owners, tokens = owners[order], numpy.concatenate([numpy.ones(len(kept)), report["weights"]])[order]
    number = 1 + numpy.arange(len(owners)) - numpy.searchsorted(owners, owners)  # of the chunk in its function
    queries = workspace.matrix("queries_general")
    against = f"{text}, truncated"
    for label, weights in (("averaged, context in each chunk", tokens), ("averaged, chunk i weighs 1/i", 1 / number)):
        vectors = metrics.mean_of_pieces(pieces, owners, weights)
        add_result(workspace, Variant(f"{text}, {label}", f"{text}_chunks", against=against), metrics.ranks(queries, vectors))
    rank = metrics.ranks_by_best_piece(queries, pieces, owners)
    add_result(workspace, Variant(f"{text}, best chunk", f"{text}_chunks", against=against, stored="float32, each chunk"), rank)


def evaluate_int8(workspace):
    """Of the best variant, whose queries stay float32."""
    float32 = [row for row in workspace.results["variants"] if row["stored"] == "float32" and not row["documents"].endswith("_chunks")]
    best = max(float32, key=lambda row: row["figures"]["all"]["MRR"][0])
    queries, documents = workspace.matrix(best["queries"]), workspace.matrix(best["documents"])
    for label, quantise in (("vector", metrics.int8_by_vector), ("dimension", metrics.int8_by_dimension)):
        variant = Variant(f"{best['name']}, int8 by {label}", best["documents"], best["queries"], best["name"], f"int8 by {label}")
        add_result(workspace, variant, metrics.ranks(queries, quantise(documents)))


def evaluate_bm25(workspace):
    """What words alone find, in the code and in the code with its name."""
    queries = [pair["query"] for pair in workspace.pairs]
    named = [f"{pair['class_name']} {pair['name']}\n{pair['code']}" for pair in workspace.pairs]
    for name, documents in (("plain, BM25", [pair["code"] for pair in workspace.pairs]), ("name, BM25", named)):
        rank = metrics.ranks_of_scores(bm25.scores(queries, documents), numpy.arange(len(queries)))
        add_result(workspace, Variant(name, "", "", stored="words"), rank)


def check_against_sentence_transformers(workspace, limit):
    """The worker's vectors of some queries, plain and default texts; an answer counts only if the vectors are right."""
    if not importlib.util.find_spec("sentence_transformers"):
        print("sentence-transformers is not installed: the vectors are not compared with its", flush=True)
        return
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import sentence_transformers
    import torch

    torch.set_num_threads(workspace.arguments.threads or len(os.sched_getaffinity(0)))
    model = sentence_transformers.SentenceTransformer(str(workspace.arguments.model), device="cpu")
    model.max_seq_length = limit
    chosen = workspace.pairs[:16]
    names = [f"{pair['class_name']}.{pair['name']}" if pair["class_name"] else pair["name"] for pair in chosen]
    texts = {
        "queries_general": [pair["query"] for pair in chosen],
        "queries_code_search": ["Code search: " + pair["query"] for pair in chosen],
        "plain_truncate_256": [pair["code"] for pair in chosen],
        "default_truncate_256": [f"[PYTHON] Function: {name}\n{pair['code']}" for name, pair in zip(names, chosen)],
    }
    lowest = 1.0
    for name, prepared in texts.items():
        theirs, ours = model.encode(prepared, normalize_embeddings=True), workspace.matrix(name)[: len(chosen)]
        lowest = min(lowest, float((ours * theirs).sum(axis=1).min()))
        if not lowest >= LOWEST_COSINE:
            sys.exit(f"{name}: the vectors are not those of sentence-transformers, lowest cosine {lowest:.6f}")
    workspace.results["lowest cosine to sentence-transformers"] = lowest
    print(f"{sum(map(len, texts.values()))} vectors compared with sentence-transformers: lowest cosine {lowest:.7f}", flush=True)


def head():
    return f"{'':42}{'MRR':>7}{'R@1':>7}{'R@5':>7}{'R@10':>7}{'nDCG':>7}  {'difference in MRR, 95%':<26}{'whole':>7}{'longer':>7}"


def show(row):
    figures, (difference, low, high) = row["figures"], row["difference"]["all"]["MRR"]
    numbers = "".join(f"{figures['all'][name][0]:7.4f}" for name in metrics.NAMES)
    compared = f"{difference:+.4f} [{low:+.4f}, {high:+.4f}]" if row["name"] != row["against"] else f"± {(figures['all']['MRR'][2] - figures['all']['MRR'][1]) / 2:.4f}"
    slices = "".join(f"{figures[name]['MRR'][0]:7.4f}" if name in figures else f"{'':7}" for name in ("whole", "longer"))
    return f"{row['name']:42}{numbers}  {compared:<26}{slices}"


def main():
    arguments = parse_arguments()
    metrics.check()
    workspace = prepare(arguments)
    about = workspace.results["corpus"]
    print(f"{about['pairs']} pairs of {about['candidates']} functions in {about['files']} files, {about['seconds']:.0f} s; in {workspace.folder}")
    print(", ".join(f"{package} {count}" for package, count in about["packages"].items()), flush=True)
    for run in runs(arguments.quick):
        report = embed(workspace, run)
        if run.what == "documents" and not workspace.slices:
            make_slices(workspace, report["tokens_seen"], report["max_length"])
            tokens = about["tokens"]
            print(f"{tokens['whole']} functions of at most {tokens['limit']} tokens, {tokens['longer']} longer ones, median {tokens['median']:.0f}")
            print(head(), flush=True)
        evaluate_new(workspace)
        if run.what == "chunks":
            evaluate_chunks(workspace, run.arguments[0], report)
    evaluate_bm25(workspace)
    evaluate_int8(workspace)
    check_against_sentence_transformers(workspace, 256)
    workspace.save()
    print(f"everything measured: {arguments.json}")


if __name__ == "__main__":
    main()
