"""Pairs of a docstring and its function, from the running Python's standard library and the packages installed beside it.

The query is the docstring's first paragraph on one line, the document the function's source without its docstring. The same interpreter with
the same packages gives the same pairs.
"""

import ast
import dataclasses
import inspect
import itertools
import json
import pathlib
import random
import re
import sysconfig
import warnings

SEED = 0
LEAST_WORDS = 4  # of a query
LEAST_LINES = 3  # of code, without blank lines and comments
PACKAGE_SHARE = 10  # no package gives more than one in ten of the pairs
MOST_BYTES = 2_000_000  # of a file
LEFT_OUT = re.compile(r"_?tests?|testing|idle_test|_?vendor|_?vendored|externals?|extern|site-packages|dist-packages|conftest\.py|test_.*|.*_test\.py|.*_pb2.*\.py")
GENERATED = re.compile(r"generated (by|from|file|code)|automatically[ -]generated|auto-?generated|do not edit", re.IGNORECASE)
SECTION = re.compile(  # what ends a description where no blank line does
    r"(args|arguments|parameters|params|returns?|yields?|raises|examples?|notes?|see also|attributes|usage|inputs?|outputs?)\s*:?\s*$"
    r"|[:@](param|parameter|arg|type|returns?|rtype|raises?)\b|\.\. \w|>>>|---|===|```",
    re.IGNORECASE,
)
PARAMETER = re.compile(r"\S+ ?\(.*?\) ?:|\S+ : ")  # a description that begins with a parameter's


@dataclasses.dataclass
class Candidate:
    path: pathlib.Path
    file_path: str
    package: str
    name: str
    class_name: str
    qualified_name: str
    line_number: int
    column: int
    begin: int  # bytes of the file, decorators included
    end: int
    docstring: tuple  # its first byte, and the one behind it
    query: str


def source_files():
    """Name of the package, root and path of each file, in a fixed order."""
    standard = pathlib.Path(sysconfig.get_path("stdlib"))
    installed = sorted({pathlib.Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")})
    for root in [standard, *installed]:
        for path in sorted(root.rglob("*.py")):
            parts = path.relative_to(root).parts
            if not any(LEFT_OUT.fullmatch(part) for part in parts):
                yield "python" if root == standard else parts[0].removesuffix(".py"), root, path


def read_source(path):
    """UTF-8 bytes with \\n alone at the lines' ends; nothing for a file that is generated, too large or not UTF-8."""
    try:
        if path.stat().st_size > MOST_BYTES:
            return None
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None
    return None if GENERATED.search(text[:3000]) else text.encode()


def first_paragraph(docstring):
    """On one line, without doctests and without the sections of parameters."""
    lines = []
    for line in inspect.cleandoc(docstring).split("\n"):
        if (not line.strip() and lines) or SECTION.match(line.strip()):
            break
        lines.append(line)
    return " ".join(" ".join(lines).split())


def functions_of(node, classes=()):
    """Functions and methods with a docstring, and their classes, outermost first. What stands in a function is part of that function."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield from functions_of(child, (*classes, child.name))
        elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if ast.get_docstring(child, clean=False):
                yield child, classes
        elif not isinstance(child, ast.expr):
            yield from functions_of(child, classes)


def candidates_of(package, root, path):
    source = read_source(path)
    if not source or b'"""' not in source and b"'''" not in source:
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return
    lines = [0, *itertools.accumulate(len(line) + 1 for line in source.split(b"\n"))]
    for node, classes in functions_of(tree):
        query = first_paragraph(ast.get_docstring(node, clean=False))
        if len(query.split()) < LEAST_WORDS or PARAMETER.match(query):
            continue
        docstring = node.body[0]
        at_sign = [lines[part.lineno - 1] + part.col_offset - 1 for part in node.decorator_list]
        yield Candidate(
            path=path,
            file_path=path.relative_to(root).as_posix(),
            package=package,
            name=node.name,
            class_name=classes[-1] if classes else "",
            qualified_name=".".join((*classes, node.name)),
            line_number=node.lineno,
            column=node.col_offset,
            begin=min([lines[node.lineno - 1] + node.col_offset, *at_sign]),
            end=lines[node.end_lineno - 1] + node.end_col_offset,
            docstring=(lines[docstring.lineno - 1] + docstring.col_offset, lines[docstring.end_lineno - 1] + docstring.end_col_offset),
            query=query,
        )


def cut_out(text, begin, end):
    """The text without these bytes, and without their lines where nothing else stands there."""
    line_begin = text.rfind(b"\n", 0, begin) + 1
    line_end = (text.find(b"\n", end) + 1) or len(text)
    if not text[line_begin:begin].strip() and not text[end:line_end].strip():
        begin, end = line_begin, line_end
    return text[:begin] + text[end:]


def parse_function(code, column):
    """The node of a function that begins at this column of its first line."""
    return ast.parse("if 1:\n" + " " * column + code).body[0].body[0] if column else ast.parse(code).body[0]


def without_docstring(source, candidate):
    """The function's code, or None where its docstring was all that it did; checked by parsing what is left."""
    whole = source[candidate.begin : candidate.end]
    code = cut_out(whole, *(offset - candidate.begin for offset in candidate.docstring)).decode()
    try:
        before, after = parse_function(whole.decode(), candidate.column), parse_function(code, candidate.column)
    except SyntaxError:
        return None
    same = [ast.dump(statement) for statement in before.body[1:]] == [ast.dump(statement) for statement in after.body]
    return code if same and ast.get_docstring(after) is None else None


def code_lines(code):
    return sum(1 for line in code.split("\n") if line.strip() and not line.strip().startswith("#"))


def collapse(text):
    return " ".join(text.lower().split())


def make_pairs(count, most_files=None):
    """`count` pairs as dictionaries, in random order; from `most_files` files alone, chosen at random."""
    generator = random.Random(SEED)
    files = list(source_files())
    if most_files:
        files = generator.sample(files, min(most_files, len(files)))
    candidates = [candidate for file in files for candidate in candidates_of(*file)]
    generator.shuffle(candidates)
    pairs, queries, codes, packages, sources = [], set(), set(), {}, {}
    for candidate in candidates:
        if len(pairs) == count:
            break
        if candidate.path not in sources:
            sources[candidate.path] = read_source(candidate.path)
        code = without_docstring(sources[candidate.path], candidate)
        if code is None or code_lines(code) < LEAST_LINES:
            continue
        query_key, code_key = collapse(candidate.query), collapse(code)
        taken = packages.get(candidate.package, 0)
        if query_key in queries or code_key in codes or query_key in code_key or taken >= max(1, count // PACKAGE_SHARE):
            continue
        queries.add(query_key)
        codes.add(code_key)
        packages[candidate.package] = taken + 1
        names = ("query", "name", "class_name", "qualified_name", "file_path", "line_number", "package")
        pairs.append({name: getattr(candidate, name) for name in names} | {"code": code})
    return pairs, {"files": len(files), "candidates": len(candidates), "packages": dict(sorted(packages.items(), key=lambda item: -item[1]))}


def write_pairs(pairs, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(pair) + "\n" for pair in pairs), "utf-8")
