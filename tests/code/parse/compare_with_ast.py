"""`inlay parse` against Python's own ast module, over the standard library of the Python that runs this: every function and class, with its
name, qualified name (PEP 3155), lines, docstring and class, and every lambda that is bound to a name. Needs INLAY_BIN; skips, and says so,
without it.

compare_with_ast.py [FOLDER]    another folder than the standard library's
"""

import ast
import json
import os
import pathlib
import subprocess
import sys
import sysconfig
import warnings

BIN = os.environ.get("INLAY_BIN", "")
if not pathlib.Path(BIN).is_file():
    print("skipped: INLAY_BIN is not set, or not there")
    sys.exit(77)


def definitions(tree):
    """(kind, name, qualified name, first line, last line, docstring, first line with decorators, class) of each."""
    found = []

    def walk(node, prefix, class_name):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                is_class = isinstance(child, ast.ClassDef)
                name = prefix + child.name
                first = min([child.lineno, *(decorator.lineno for decorator in child.decorator_list)])
                found.append(("class" if is_class else "function", child.name, name, child.lineno, child.end_lineno,
                              ast.get_docstring(child) or "", first, "" if is_class else class_name))
                walk(child, name + ("." if is_class else ".<locals>."), child.name if is_class else "")
                continue
            target = None
            if isinstance(child, ast.Assign) and isinstance(child.value, ast.Lambda):
                target = child.targets[-1]
            elif isinstance(child, ast.AnnAssign) and isinstance(child.value, ast.Lambda):
                target = child.target
            if isinstance(target, ast.Name):
                found.append(("function", target.id, prefix + target.id, target.lineno, child.end_lineno, "", target.lineno, class_name))
                walk(child, prefix + target.id + ".<locals>.", "")
            else:
                walk(child, prefix, class_name if isinstance(node, ast.ClassDef) or not isinstance(child, ast.Lambda) else "")

    walk(tree, "", "")
    return sorted(found)


def reported(folder):
    result = subprocess.run([BIN, "parse", folder, "--json", "--quiet"], stdout=subprocess.PIPE, check=True)
    files = {}
    for line in result.stdout.splitlines():
        item = json.loads(line)
        files.setdefault(item["file_path"], []).append(
            (item["kind"], item["name"], item["qualified_name"], item["line_start"], item["line_end"], item["docstring"],
             item["source_line"], item["class_name"]))
    return files


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else sysconfig.get_path("stdlib"))
    warnings.simplefilter("ignore")
    ours = reported(folder)
    files = items = unreadable = 0
    differing = []
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder).as_posix()
        if "site-packages/" in name or "dist-packages/" in name:
            continue
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError, RecursionError):
            unreadable += 1  # Python cannot read them either: that is what they are there to show
            continue
        files += 1
        expected = definitions(tree)
        items += len(expected)
        found = sorted(ours.get(name, []))
        if found != expected:
            differing.append(name)
            print(f"{name}: expected but not found: {sorted(set(expected) - set(found))[:3]}")
            print(f"{name}: found but not expected: {sorted(set(found) - set(expected))[:3]}")
    print(f"Python {sys.version.split()[0]}, {folder}: {items} functions and classes in {files} files; {len(differing)} files differ"
          f"; Python itself cannot read {unreadable}")
    if files < 100 or items < 5000:
        print("that is no standard library")
        return 1
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
