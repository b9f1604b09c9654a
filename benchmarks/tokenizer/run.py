#!/usr/bin/env python3
"""Tokenizers beside one another: MB/s on Python's standard library, one pinned thread, ids checked equal before a time counts.

    python benchmarks/tokenizer/run.py MODEL_FOLDER [--build build/release] [--rounds 7] [--json FILE]

The corpus is cut into pieces of about 1,000 bytes on line boundaries, the size that a model of 256 tokens is given.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import struct
import subprocess
import sys
import sysconfig
import tempfile
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
PIECE_BYTES = 1000
CORPUS_BYTES = 8_000_000


def corpus():
    pieces, size = [], 0
    for path in sorted(pathlib.Path(sysconfig.get_paths()["stdlib"]).glob("*.py")):
        piece = b""
        for line in path.read_bytes().decode("utf-8", "replace").encode().splitlines(keepends=True):
            if piece and len(piece) + len(line) > PIECE_BYTES:
                pieces.append(piece)
                piece = b""
            piece += line
        if piece:
            pieces.append(piece)
    for count, piece in enumerate(pieces):
        size += len(piece)
        if size > CORPUS_BYTES:
            return pieces[:count]
    return pieces


def measure_inlay(model, pieces, rounds, build, work):
    with open(work / "pieces", "wb") as file:
        for piece in pieces:
            file.write(struct.pack("<I", len(piece)) + piece)
    command = [build / "bin" / "benchmark_tokenizer", model, work / "pieces", str(rounds), work / "ids"]
    report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    numbers = memoryview((work / "ids").read_bytes()).cast("I")
    ids, position = [], 0
    while position < len(numbers):
        count = numbers[position]
        ids.append(numbers[position + 1 : position + 1 + count].tolist())
        position += 1 + count
    return ids, report


def measure_hugging_face(model, pieces, rounds):
    import tokenizers

    start = time.perf_counter()
    tokenizer = tokenizers.Tokenizer.from_file(str(model / "tokenizer.json"))
    load_seconds = time.perf_counter() - start
    tokenizer.no_padding()
    tokenizer.no_truncation()
    texts = [piece.decode() for piece in pieces]
    ids = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        tokenizer.encode_batch(texts)
        seconds.append(time.perf_counter() - start)
    return ids, {"load_seconds": load_seconds, "seconds": seconds, "version": tokenizers.__version__}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # inherited by the program that is measured

    pieces = corpus()
    size = sum(map(len, pieces))
    with tempfile.TemporaryDirectory() as work:
        ids, inlay = measure_inlay(options.model, pieces, options.rounds, options.build.resolve(), pathlib.Path(work))
    peer_ids, peer = measure_hugging_face(options.model, pieces, max(3, options.rounds // 2))
    if ids != peer_ids:
        sys.exit("the ids differ: no time counts")

    result = {
        "scenario": "tokenizer", "machine": platform.processor() or platform.machine(), "threads": 1, "bytes": size, "pieces": len(pieces),
        "tokens": sum(map(len, ids)), "inlay": inlay, "hugging_face_tokenizers": peer,
    }  # fmt: skip
    print(f"{size / 1e6:.1f} MB of Python source, {len(pieces)} pieces, {result['tokens']} tokens, one pinned thread, ids equal")
    print(f"{'tokenizer':28}{'MB/s median':>12}{'min':>9}{'max':>9}{'load ms':>9}")
    for name, label in (("inlay", "inlay"), ("hugging_face_tokenizers", f"HF tokenizers {peer['version']}")):
        rates = sorted(size / 1e6 / seconds for seconds in result[name]["seconds"])
        result[name]["mb_per_second"] = statistics.median(rates)
        print(f"{label:28}{statistics.median(rates):12.1f}{rates[0]:9.1f}{rates[-1]:9.1f}{result[name]['load_seconds'] * 1e3:9.1f}")
    print(f"inlay holds {inlay['memory_bytes'] / 1e6:.2f} MB; {inlay['mb_per_second'] / peer['mb_per_second']:.1f} times as fast")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
