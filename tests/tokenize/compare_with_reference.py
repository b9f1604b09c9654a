#!/usr/bin/env python3
"""Compares our ids with those of Hugging Face tokenizers, string by string, and prints every kind of difference.

    python compare_with_reference.py [--count N] [--seed S] [--only TEXT]

Ids, offsets and the number of tokens are compared. Tokenizers: the real MiniLM tokenizer.json (INLAY_MODEL), bert-base-cased (INLAY_DATA),
one with added tokens of every flag, and those of reference_tokenizers.py: a tokenizer.json of every kind, and the older files. Strings: every
Unicode code point alone and in context, the big list of naughty strings, and generated ones that mix scripts, emoji, combining marks, control
characters, code and invalid bytes. Each with and without truncation. Exit status 77: nothing to compare with.
"""

import argparse
import codecs
import json
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import unicodedata

os.environ["TOKENIZERS_PARALLELISM"] = "true"
try:
    import tokenizers
except ImportError:
    print("skipped: the tokenizers package is not installed")
    sys.exit(77)
import reference_tokenizers

BRIDGE = pathlib.Path(os.environ["INLAY_BUILD"]) / "bin" / "tokenize_strings"
CONTEXTS = ["{}", "a{}b {}", "[MASK]{}\u0323\U0001d165a"]


def every_code_point():
    for c in range(0x110000):
        if not 0xD800 <= c < 0xE000:
            for context in CONTEXTS:
                yield context.replace("{}", chr(c)).encode()


def naughty_strings():
    path = pathlib.Path(os.environ.get("INLAY_DATA", "")) / "strings" / "blns.json"
    if path.is_file():
        for text in json.loads(path.read_text()):
            yield text.encode("utf-8", "surrogatepass")


BLOCKS = [
    (0x20, 0x7F), (0x20, 0x7F), (0x00, 0x20), (0x7F, 0x100), (0x100, 0x250), (0x300, 0x370), (0x370, 0x400), (0x400, 0x500), (0x590, 0x600),
    (0x600, 0x700), (0x900, 0x980), (0xB80, 0xC80), (0xE00, 0xF00), (0xF00, 0x1000), (0x1100, 0x1200), (0x1AB0, 0x1B80), (0x1CD0, 0x1D00),
    (0x1DC0, 0x1E00), (0x1E00, 0x2000), (0x2000, 0x2070), (0x20D0, 0x2100), (0x2100, 0x2200), (0x2E80, 0x2F00), (0x3000, 0x3100),
    (0x302A, 0x3030), (0x4E00, 0x9FFF), (0xAC00, 0xD7A4), (0xE000, 0xE100), (0xF900, 0xFB50), (0xFE00, 0xFE70), (0xFF00, 0x10000),
    (0x11000, 0x11A00), (0x1D100, 0x1D200), (0x1D400, 0x1D800), (0x1F300, 0x1FB00), (0x20000, 0x20100), (0x2F800, 0x2FA20),
    (0xE0000, 0xE0200),
]  # fmt: skip
FRAGMENTS = [
    "def authenticate_user(username, password):\n    return None\n", "std::vector<int> v{1, 2, 3};", "x += 0x1F; // TODO", "[CLS]",
    "[MASK]",
    "[SEP", "[UNK]", "[PAD] ", "Straße", "İstanbul", "ǅ", "ﬁ", "Ångström", "naïve café", "ΑΣ ΣΑΣ", "日本語テスト", "한국어", "नमस्ते", "مرحبا",
    "שָׁלוֹם",
    "👩‍👩‍👧‍👦", "🇩🇪", "z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘", "\u2028", "\ufeff", "\u200b", "\u00ad", "\ufffd", "\x85", "\x00", "##ing",
    "a" * 99, "a" * 100, "a" * 101, "é" * 100,
    "e\u0301" * 100, "http://example.com/?q=%20", "camelCaseWord", "snake_case_word", "1234567890", "\t\r\n ", "\u302a\u1d16e\u302f",
    "<x>", " <l> ", "<r>  ",
    "<N>", "<n>", "foo", "Foo Bar", "foo bar",
]  # fmt: skip
INVALID = [b"\x80", b"\xc3", b"\xe4\xb8", b"\xf0\x9f\x98", b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe0\x80\x80"]


def generated(count, seed):
    rng = random.Random(seed)
    words = ["the", "function", "returns", "value", "self", "import", "unbelievable", "Tokenization", "HTTPServer", "über"]
    for _ in range(count):
        parts = []
        for _ in range(rng.randrange(1, 9)):
            choice = rng.random()
            if choice < 0.45:
                low, high = rng.choice(BLOCKS)
                parts.append("".join(chr(rng.randrange(low, high)) for _ in range(rng.randrange(1, 7))).encode())
            elif choice < 0.65:
                parts.append(rng.choice(FRAGMENTS).encode())
            elif choice < 0.9:
                parts.append((rng.choice(words) + rng.choice([" ", "", "_", ".", "-"])).encode())
            elif choice < 0.95:
                code_point = rng.randrange(0x110000 - 0x800)
                parts.append(chr(code_point + (0x800 if code_point >= 0xD800 else 0)).encode())
            else:
                parts.append(rng.choice(INVALID))
        yield b"".join(parts)


def ours(model, strings, max_tokens, work):
    """(tokens seen, ids, offsets in bytes) of each string."""
    with open(work / "strings", "wb") as file:
        for string in strings:
            file.write(struct.pack("<I", len(string)) + string)
    arguments = [BRIDGE, model, work / "strings", work / "ids"] + ([str(max_tokens)] if max_tokens else [])
    subprocess.run(arguments, check=True)
    with open(work / "ids", "rb") as file:
        numbers = memoryview(file.read()).cast("I")
    position = 0
    while position < len(numbers):
        count, seen = numbers[position], numbers[position + 1]
        ids = position + 2
        offsets = numbers[ids + count : ids + 3 * count].tolist()
        yield seen, numbers[ids : ids + count].tolist(), list(zip(offsets[::2], offsets[1::2]))
        position = ids + 3 * count


def keep_replaced(error):
    keep_replaced.spans.append((error.start, error.end))
    return "\ufffd", error.end


codecs.register_error("keep_replaced", keep_replaced)


def decode(string):
    """The text of bytes, U+FFFD for what is not UTF-8, and the byte at which each of its characters begins."""
    keep_replaced.spans = []
    text = string.decode("utf-8", "keep_replaced")
    if not keep_replaced.spans and len(text) == len(string):
        return text, None
    ends = dict(keep_replaced.spans)
    starts, position = [], 0
    for character in text:
        starts.append(position)
        position = ends.get(position, position + len(character.encode()))
    return text, [*starts, position]


def reference(tokenizer, texts, max_tokens):
    if max_tokens:
        tokenizer.enable_truncation(max_tokens)
    else:
        tokenizer.no_truncation()
    for start in range(0, len(texts), 20_000):
        for encoding in tokenizer.encode_batch(texts[start : start + 20_000]):
            yield encoding.ids, encoding.offsets


def compare(name, model, strings, max_tokens, work, tokenizer=None):
    """Prints the first differences; returns how many there are. The reference is `tokenizer`, or the model's tokenizer.json."""
    tokenizer = tokenizer or tokenizers.Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.no_padding()
    decoded = [decode(string) for string in strings]
    texts = [text for text, _ in decoded]
    full = reference(tokenizer, texts, None)
    lengths = [len(ids) for ids, _ in full] if max_tokens else None
    expected = reference(tokenizer, texts, max_tokens)
    differences = count = 0
    for (string, (text, starts)), result, (ids, offsets) in zip(zip(strings, decoded), ours(model, strings, max_tokens, work), expected):
        if starts:
            offsets = [(starts[begin], starts[end]) for begin, end in offsets]
        whole = lengths[count] if lengths else len(ids)
        count += 1
        if result != (whole, ids, offsets):
            differences += 1
            if differences <= 10:
                print(f"  {string!r}\n    ours      {result}\n    reference {(whole, ids, offsets)}")
                print(f"    tokens {[tokenizer.id_to_token(i) for i in ids]}")
    assert count == len(strings)
    limit = f", at most {max_tokens} tokens" if max_tokens else ""
    print(f"{name}{limit}: {len(strings)} strings, {differences} differ", flush=True)
    return differences


def write_model(folder, description):
    folder.mkdir()
    (folder / "tokenizer.json").write_text(json.dumps(description))
    return folder


def added_token(content, identifier, **flags):
    token = dict(id=identifier, content=content, special=False, single_word=False, lstrip=False, rstrip=False, normalized=False)
    return {**token, **flags}


def with_added_tokens(description):
    size = len(description["model"]["vocab"])
    further = [
        added_token("<x>", size), added_token("<l>", size + 1, lstrip=True), added_token("<r>", size + 2, rstrip=True),
        added_token("foo", size + 3, single_word=True), added_token("<N>", size + 4, normalized=True),
        added_token("Foo Bar", size + 5, normalized=True),
        added_token("Straße", size + 6, normalized=True, single_word=True), added_token("  ", size + 7),
        added_token("[MASK]x", size + 8, special=True),
        added_token("the", size + 9, normalized=True, lstrip=True, rstrip=True), added_token("é", size + 10), added_token("�", size + 11),
    ]  # fmt: skip
    return {**description, "added_tokens": description["added_tokens"] + further}


def compare_bert(strings, generated_alone, work, only):
    """WordPiece with the real vocabularies."""
    if not os.environ.get("INLAY_MODEL"):
        print("skipped: MiniLM, as INLAY_MODEL is not set")
        return 0
    folder = pathlib.Path(os.environ["INLAY_MODEL"])
    minilm = json.loads((folder / "tokenizer.json").read_text())
    added = write_model(work / "added", with_added_tokens(minilm))
    no_normalizer = write_model(work / "plain", {**with_added_tokens(minilm), "normalizer": None})
    runs = [
        ("MiniLM", folder, strings, None), ("MiniLM", folder, generated_alone, 12),
        ("MiniLM with added tokens", added, generated_alone, None), ("MiniLM without a normaliser", no_normalizer, generated_alone, None),
    ]  # fmt: skip
    cased_file = pathlib.Path(os.environ.get("INLAY_DATA", "")) / "bert" / "bert_base_cased_vocab.txt"
    if cased_file.is_file():
        vocabulary = {token: index for index, token in enumerate(cased_file.read_text().split("\n")[:-1])}
        specials = {token["content"] for token in minilm["added_tokens"]}
        cased = dict(minilm, normalizer={**minilm["normalizer"], "lowercase": False}, model={**minilm["model"], "vocab": vocabulary})
        cased["added_tokens"] = [added_token(t, vocabulary[t], special=True) for t in vocabulary if t in specials]
        cased["post_processor"] = {
            "type": "BertProcessing", "sep": ["[SEP]", vocabulary["[SEP]"]], "cls": ["[CLS]", vocabulary["[CLS]"]],
        }  # fmt: skip
        model = write_model(work / "cased", cased)
        runs += [("bert-base-cased", model, strings, None), ("bert-base-cased", model, generated_alone, 7)]
    else:
        print("skipped: the cased vocabulary, as INLAY_DATA is not set")
    return sum(compare(*run, work) for run in runs if run[0].startswith(only))


def compare_all_kinds(strings, generated_alone, work, only):
    differences = 0
    # Debian's Oniguruma is older than the reference's: characters assigned since Unicode 14, which is Python 3.11's, are in other classes.
    strings_in_unicode_14 = [s for s in strings if all(unicodedata.category(c) != "Cn" for c in s.decode("utf-8", "replace"))]
    for name, tokenizer in reference_tokenizers.tokenizers_of_all_kinds():
        if not name.startswith(only):
            continue
        folder = work / "kind"
        folder.mkdir(exist_ok=True)
        tokenizer.save(str(folder / "tokenizer.json"))
        some = strings_in_unicode_14 if "expression" in name or "Replace" in name else strings
        if name.startswith("words"):  # there are many of them, each for one small part
            differences += compare(name, folder, some[-max(len(some) // 10, 2000) :], None, work)
        else:
            differences += compare(name, folder, some, None, work)
            differences += compare(name, folder, generated_alone[:2000], 9, work)
    return differences


def compare_older_files(strings, generated_alone, work, only):
    try:
        import transformers  # noqa: F401
    except ImportError:
        print("skipped: the older files, as the transformers package is not installed")
        return 0
    folders = work / "older"
    folders.mkdir()
    differences = 0
    for name, folder, tokenizer in reference_tokenizers.older_files(folders):
        if name.startswith(only):
            differences += compare(name, folder, strings, None, work, tokenizer)
            differences += compare(name, folder, generated_alone[:2000], 9, work, tokenizer)
    return differences


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=200_000, help="generated strings")
    parser.add_argument("--seed", type=int, default=20251)
    parser.add_argument("--no-code-points", action="store_true", help="leave out the code points in context")
    parser.add_argument("--only", default="", help="tokenizers whose name begins with this text")
    options = parser.parse_args()
    strings = [] if options.no_code_points else list(every_code_point())
    strings += [*naughty_strings(), *generated(options.count, options.seed)]
    generated_alone = strings[-options.count // 4 :]
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        differences = compare_bert(strings, generated_alone, work, options.only)
        differences += compare_all_kinds(strings, generated_alone, work, options.only)
        differences += compare_older_files(strings, generated_alone, work, options.only)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
