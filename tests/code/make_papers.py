"""Writes a file of papers with code from what is installed: a paper a package of the running Python (its summary as abstract, its sources as code
files) and one a module or package of its standard library (its docstring as abstract).

make_papers.py OUTPUT [--max-bytes N]    leaves out packages with more than N bytes of sources (10,000,000)
"""

import argparse
import ast
import importlib.metadata
import json
import pathlib
import sys
import sysconfig
import warnings


def source(path):
    """The text of a source file, or nothing where it is not UTF-8 or is empty."""
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def distributions():
    for distribution in importlib.metadata.distributions():
        metadata = distribution.metadata
        files = [file for file in distribution.files or [] if file.suffix == ".py" and ".." not in file.parts]
        yield {"id": f"{metadata['Name']}-{distribution.version}", "title": metadata["Name"], "abstract": metadata["Summary"] or "",
               "url": f"https://example.org/{metadata['Name']}"}, [(str(file), pathlib.Path(file.locate())) for file in files]  # fmt: skip


def standard_library():
    root = pathlib.Path(sysconfig.get_path("stdlib"))
    for path in sorted(root.iterdir()):
        if path.suffix == ".py":
            files = [path]
        elif (path / "__init__.py").is_file() and path.name not in ("site-packages", "dist-packages"):
            files = sorted(path.rglob("*.py"))
        else:
            continue
        try:
            abstract = ast.get_docstring(ast.parse((path if path.is_file() else path / "__init__.py").read_bytes())) or ""
        except (SyntaxError, ValueError):
            abstract = ""
        yield {"id": f"python-{path.stem}", "title": path.stem, "abstract": abstract, "url": ""}, [(str(f.relative_to(root)), f) for f in files]


def papers(max_bytes):
    for kind, found in (("packages", distributions()), ("standard library", standard_library())):
        for paper, files in found:
            code_files = [{"path": name, "content": source(path)} for name, path in files]
            code_files = [file for file in code_files if file["content"]]
            if code_files and sum(len(file["content"]) for file in code_files) <= max_bytes:
                repository = {"name": f"{kind}/{paper['title']}", "url": f"https://example.org/code/{paper['title']}", "code_files": code_files}
                yield {**paper, "repositories": [repository]}


def write(output, max_bytes=10_000_000):
    warnings.simplefilter("ignore")
    count = 0
    with open(output, "w", encoding="utf-8") as file:
        file.write("[")
        for paper in papers(max_bytes):
            file.write(",\n" if count else "\n")
            json.dump(paper, file, ensure_ascii=count % 2 == 0)  # both ways to write what is not ASCII
            count += 1
        file.write("\n]\n")
    return count


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("output")
    parser.add_argument("--max-bytes", type=int, default=10_000_000)
    arguments = parser.parse_args()
    print(f"{write(arguments.output, arguments.max_bytes)} papers in {arguments.output}", file=sys.stderr)
