#!/usr/bin/env python3
"""2,000 real functions and classes of Python's standard library, end to end: through BatchEmbeddingGenerator, a SQLite cache, and a LanceDB table.

The vectors are compared with sentence-transformers' for the documented text of each item that the model sees whole; the second run must find all in the
cache; LanceDB must take the rows as they are and find what a query is about."""

import ast
import json
import os
import pathlib
import subprocess
import sys
import sysconfig
import tempfile

MODEL = os.environ.get("INLAY_MODEL")
BUILD = os.environ.get("INLAY_BUILD", "")
if not MODEL:
    print("INLAY_MODEL names no model: skipped")
    sys.exit(77)
try:
    import lancedb
    import numpy
    from sentence_transformers import SentenceTransformer
except ImportError as error:
    print(f"{error}: skipped")
    sys.exit(77)

failures = 0


def check(name, condition, detail=""):
    global failures
    print(("ok   " if condition else "FAIL ") + name + ("" if condition else f": {detail}"), flush=True)
    failures += not condition


def standard_library(most):
    """Functions, methods and classes in the order of the files' names."""
    folder = pathlib.Path(sysconfig.get_paths()["stdlib"])
    items = []
    for path in sorted(folder.glob("*.py")) + sorted(folder.glob("email/*.py")) + sorted(folder.glob("json/*.py")):
        text = path.read_text(encoding="utf-8", errors="replace")

        def visit(node, owner=""):
            for child in ast.iter_child_nodes(node):
                if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                    kind = "class" if isinstance(child, ast.ClassDef) else "function"
                    items.append({"kind": kind, "file_path": str(path.relative_to(folder)), "line_number": child.lineno, "name": child.name,
                                  "docstring": ast.get_docstring(child) or "", "source_code": ast.get_source_segment(text, child) or "",
                                  "class_name": owner if kind == "function" else ""})
                    visit(child, child.name if kind == "class" else owner)

        visit(ast.parse(text))
        if len(items) >= most:
            return items[:most]
    return items


def text_of(item):
    """What TextPreparator documents."""
    name = (item["class_name"] + "." if item["class_name"] else "") + item["name"]
    kind = "Class" if item["kind"] == "class" else "Function"
    return "\n".join(part for part in [f"[PYTHON] {kind}: {name}", item["docstring"], item["source_code"]] if part)


def run(work, items):
    result = subprocess.run([f"{BUILD}/bin/batch_functions", MODEL, str(work / "vectors.db"), str(work / "result.json"), str(work / "rows.jsonl")],
                            input="".join(json.dumps(item) + "\n" for item in items), capture_output=True, text=True)
    check("the run says nothing", result.returncode == 0 and result.stderr == "", result.stderr)
    rows = [json.loads(line) for line in (work / "rows.jsonl").read_text().splitlines()]
    return json.loads(result.stdout), json.loads((work / "result.json").read_text()), rows


def main():
    items = standard_library(2000)
    check("2,000 items", len(items) == 2000, len(items))
    with tempfile.TemporaryDirectory(prefix="inlay_functions_") as work:
        work = pathlib.Path(work)
        figures, result, rows = run(work, items)
        print(f"first run: {figures['items'] / figures['seconds']:.0f} items/s", flush=True)
        texts = {text_of(item) for item in items}
        check("every item has a vector", result["summary"] == {"total": 2000, "success": 2000, "failed": 0, "cached": 2000 - len(texts), "newly_embedded": len(texts)},
              result["summary"])
        check("the rows are the result's vectors", all(row["vector"] == result["embeddings"].get(row["id"], row["vector"]) for row in rows) and len(rows) == 2000)

        model = SentenceTransformer(MODEL, device="cpu")
        whole = [i for i, item in enumerate(items) if len(model.tokenizer(text_of(item))["input_ids"]) <= 256][::9]
        expected = model.encode([text_of(items[i]) for i in whole], normalize_embeddings=True)
        got = numpy.array([rows[i]["vector"] for i in whole], dtype=numpy.float32)
        difference = numpy.abs(got - expected).max()
        check(f"{len(whole)} of them as sentence-transformers has them: {difference:.1e}", len(whole) > 100 and difference < 1e-5)

        moved = [dict(item, file_path="moved/" + item["file_path"], line_number=item["line_number"] + 3) for item in items]
        moved[10]["source_code"] += "\n    return None"
        figures, again, _ = run(work, moved)
        print(f"second run: {figures['items'] / figures['seconds']:.0f} items/s", flush=True)
        check("what moved is known, what was edited is not", again["summary"]["newly_embedded"] == 1 and again["summary"]["success"] == 2000, again["summary"])

        table = lancedb.connect(str(work / "lance")).create_table("functions", data=rows)
        check("LanceDB takes the rows", table.count_rows() == 2000)
        vectors = numpy.array([row["vector"] for row in rows], dtype=numpy.float32)
        for query in ["add an argument to a command line parser", "encode binary data as base64", "compress a file with gzip or bz2"]:
            vector = model.encode(query, normalize_embeddings=True)
            found = table.search(vector.tolist()).limit(5).to_list()
            scores = vectors @ vector
            best = numpy.sort(scores)[::-1][:5]
            got = [float(numpy.array(row["vector"], dtype=numpy.float32) @ vector) for row in found]
            check(f"LanceDB finds {query!r}: {found[0]['file_path']}:{found[0]['name']}", numpy.allclose(got, best, atol=1e-5), (got, best))
        check("the best for base64 is in base64.py", "base64" in rows[int(numpy.argmax(vectors @ model.encode("encode binary data as base64")))]["file_path"])
        row = table.search().where("kind = 'class'").limit(1).to_list()[0]
        check("LanceDB filters by a field", row["kind"] == "class" and row["class_name"] == "", row)
    print("failed" if failures else "passed")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
