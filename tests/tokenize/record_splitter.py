#!/usr/bin/env python3
"""Writes splitter.json: how langchain-text-splitters 1.1.3 splits texts, with keep_separator="start" and strip_whitespace=False.

pip install langchain-text-splitters==1.1.3; it is needed for recording alone. An optional argument gives the number of random texts,
another the file to write.

Each case: text and separators (numbers in the lists), what is counted, chunk_size, chunk_overlap, the chunks' lengths in bytes. Where words
are counted, that in which inlay's splitter differs on purpose, see text_splitter.hpp, is taken out of the reference:
  - A piece of exactly chunk_size fits. The reference wants it shorter; so it gets a length of two a word, and a chunk_size of twice as much
    and one.
  - A chunk without a word joins the one before it, or, at the text's beginning, the one after it.
The reference repeats pieces without a word that end a chunk at the beginning of the next one, as no chunk_overlap is too small for them:
cases where it did so are left out. It also is not given "" there, as it takes each character of a single word for a word.
"""

import importlib.metadata
import json
import pathlib
import random
import sys

from langchain_text_splitters import Language, RecursiveCharacterTextSplitter

VERSION = "1.1.3"
WRITTEN = [
    "",
    "short",
    "   \n\n ",
    "One paragraph, of two sentences. The second is here.\n\nAnother one\nof two lines.\n\n\n\nAnd one behind a wider gap.",
    "averyveryveryverylongwordwithoutanyspace and a short one\n" + "x" * 70 + "\n\n" + "y" * 31,
    "naïve café 中文字符串没有空格所以必须在字符之间切开 ends here\n\nЗдравствуй, мир",
    "import os\n\n\nclass A:\n    def f(self):\n        return 1\n\n    def g(self):\n        if True:\n            return 2\n\n\n"
    "def h(x):\n\treturn x\n\n\nclass B(A):\n    pass\n",
    "#include <cstdio>\nclass A {\n  int f();\n};\n\nint A::f() {\n  return 1;\n}\nvoid main() {\nif (x) y();\nfor (;;) z();\n}\n",
]  # fmt: skip
SEPARATORS = [
    ["\n\n", "\n", " ", ""],
    RecursiveCharacterTextSplitter.get_separators_for_language(Language.PYTHON),
    RecursiveCharacterTextSplitter.get_separators_for_language(Language.CPP),
    ["\n"],
    [""],
]
PIECES = [" ", " ", " ", " ", "  ", "\n", "\n", "\n\n", "\n\n\n", "\nclass ", "\ndef ", "\n\tdef ", "\nint ", "\nif "]
WORDS = ["a", "an", "word", "splitter", "x=1", "é", "中文", "überlang" * 4, "(self):", "ß"]


def random_text(generator):
    text = ""
    for _ in range(generator.randrange(1, 90)):
        text += generator.choice(WORDS)
        text += generator.choice(PIECES)
    return text


def count_words(text):
    return len(text.split())


def join_empty(chunks):
    joined = []
    for chunk in chunks:
        if joined and (count_words(chunk) == 0 or count_words(joined[-1]) == 0):
            joined[-1] += chunk
        else:
            joined.append(chunk)
    return joined


def split(text, separators, counted, chunk_size, chunk_overlap):
    words = counted == "words"
    splitter = RecursiveCharacterTextSplitter(
        separators=separators[:-1] if words else separators,
        keep_separator="start",
        strip_whitespace=False,
        chunk_size=2 * chunk_size + 1 if words else chunk_size,
        chunk_overlap=chunk_overlap,
        length_function=(lambda part: 2 * count_words(part)) if words else len,
    )
    chunks = splitter.split_text(text)
    if words:
        chunks = join_empty(chunks)
    if not chunk_overlap and "".join(chunks) != text:
        assert words
        return None
    return [len(chunk.encode()) for chunk in chunks]


def main():
    assert importlib.metadata.version("langchain-text-splitters") == VERSION
    generator = random.Random(8)
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 16
    output = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else pathlib.Path(__file__).with_name("splitter.json"))
    texts = WRITTEN + [random_text(generator) for _ in range(count)]
    cases = []
    for number, text in enumerate(texts):
        for separators in (0, 1, 2, 4):
            smallest = 1 if number < len(WRITTEN) else 9
            for chunk_size in (smallest, generator.randrange(2, 12), generator.randrange(12, 80), generator.randrange(80, 300)):
                cases.append((number, separators, "characters", chunk_size, 0))
            if separators != 4:
                cases.append((number, separators, "words", generator.randrange(1, 6), 0))
                cases.append((number, separators, "words", generator.randrange(6, 40), 0))
    # Where all pieces are of one separator, and half as long as the overlap at most, both repeat the same ones.
    for _ in range(max(8, count // 4)):
        lines = "".join("\n" + "x" * generator.randrange(0, 10) for _ in range(generator.randrange(1, 120)))
        chunk_overlap = generator.randrange(20, 60)
        cases.append((len(texts), 3, "characters", generator.randrange(chunk_overlap + 1, 150), chunk_overlap))
        texts.append(lines)
    results = [(case, split(texts[case[0]], SEPARATORS[case[1]], *case[2:])) for case in cases]
    rows = [json.dumps([*case, lengths], separators=(",", ":")) for case, lengths in results if lengths is not None]
    header = {"version": f"langchain-text-splitters {VERSION}", "texts": texts, "separators": SEPARATORS}
    lines = [f"{json.dumps(name)}: {json.dumps(value)},\n" for name, value in header.items()]
    output.write_text("{" + "".join(lines) + '"cases": [\n' + ",\n".join(rows) + "\n]}\n")


if __name__ == "__main__":
    main()
