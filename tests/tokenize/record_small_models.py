#!/usr/bin/env python3
"""Writes small_models.json: small hand-made tokenizers, texts, and the ids that Hugging Face gives them; and small_kinds.json: ids and
offsets of the trained ones in tests/fuzz/tokenizers; and small_parts.json: ids and offsets, or an error, of tokenizers for one rare part each.

Models with a tokenizer.json are run by tokenizers 0.23.3, those of the older files by transformers 5 (AutoTokenizer). Texts are
hexadecimal, as some are not UTF-8.
"""

import itertools
import json
import os
import pathlib
import tempfile

os.environ.setdefault("INLAY_BUILD", "")
import compare_with_reference
import tokenizers
from transformers import AutoTokenizer

OUTPUT = pathlib.Path(__file__).with_name("small_models.json")
VOCABULARY = (
    "[PAD] [UNK] [CLS] [SEP] [MASK] a b un ##aff ##able ##a ##b hello foo bar ##foo ! # ' - _ e ##e ss ##ss é ##é É 中 文 ##中 i ##i i̇ σ "
    "ς ##σ k ; ` the ##the x ##x fo ##obar 豈 \u1112 ##\u1161 ##\u11ab ##\u1d165 aaaa ##aaaa Hello ABC"
).split()
TEXTS = [
    "", " ", "unaffable", "UNAFFABLE!", "hello, world", "a b  ab", "##a", "'foo'-bar_foo", "\u00c9 \u00e9 e\u0301 \u0130 i\u0307", "中文a中",
    "a" * 100,
    "a" * 101, "a" * 99 + "z", "aaaaaaaaa", "\u212a \u2126 \u037e \u1fef", "a\x00b\x0bc\u00adb\u200bb",
    "a\tb\nb\rb\x0cb\x85b\u2028b\u3000b",
    "\ud55c \u1112\u1161\u11ab", "\uf900", "a\u302a\U0001d165\u0301b", "\U0001d15e", "ΣΣ ς", "foobar", "[MASK]a[mask]", "[CLS][SEP]",
    "[MASK", "[[MASK]]",
    "<x>a <X>", "a  <l>  b", "<r>  \t b", " <r>  <l> ", "foo foobar _foo fo-foo éfoo foo", "FOO bar", "Foo  Bar foo bar", "\u0301a",
    "thethe", "\ufffd",
]  # fmt: skip
INVALID = [b"a\x80b", b"\xe4\xb8a", b"a\xf0\x9f\x98", b"\xed\xa0\x80", b"\xc0\xaf", b"\xff\xfea", b"\xf4\x90\x80\x80", b"\xe4\xb8\xad\xe4"]
TEXT_BYTES = [text.encode() for text in TEXTS] + INVALID


def token(content, identifier, **flags):
    return {**dict(id=identifier, content=content, special=False, single_word=False, lstrip=False, rstrip=False, normalized=False), **flags}


def special(name):
    return token(name, VOCABULARY.index(name), special=True)


def description(**changes):
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    model = {
        "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
        "vocab": {text: index for index, text in enumerate(VOCABULARY)},
    }  # fmt: skip
    model.update(changes.pop("model", {}))
    normalizer = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True}
    if "normalizer" in changes:
        change = changes.pop("normalizer")
        normalizer = change and {**normalizer, **change}
    return {
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": 6, "strategy": "LongestFirst", "stride": 0},
        "padding": {"strategy": {"Fixed": 8}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0,
        "pad_token": "[PAD]"},
        "added_tokens": [special(name) for name in specials] + changes.pop("further", []),
        "normalizer": normalizer,
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
        "decoder": None,
        "model": model,
        **changes,
    }


SIZE = len(VOCABULARY)
TEMPLATE = {
    "type": "TemplateProcessing",
    "single": [
        {"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"SpecialToken": {"id": "two", "type_id": 0}}, {"Sequence": {"id": "A",
        "type_id": 0}},
        {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
    ],
    "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
    "special_tokens": {
        "[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}, "two": {"id": "two", "ids": [7, 8], "tokens": ["un", "##aff"]},
        "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]},
    },
}  # fmt: skip
JSON_MODELS = {
    "uncased": description(),
    "cased": description(normalizer={"lowercase": False}),
    "uncased, accents kept": description(normalizer={"strip_accents": False}),
    "cased, accents stripped": description(normalizer={"strip_accents": True, "lowercase": False}),
    "text not cleaned": description(normalizer={"clean_text": False}),
    "ideographs not spaced": description(normalizer={"handle_chinese_chars": False}),
    "no normaliser": description(normalizer=None),
    "template of several ids": description(post_processor=TEMPLATE),
    "no post-processor": description(post_processor=None),
    "four characters a word": description(model={"max_input_chars_per_word": 4}),
    "no characters a word": description(model={"max_input_chars_per_word": 0}),
    "no prefix inside words": description(model={"continuing_subword_prefix": ""}),
    "prefix that no token has": description(model={"continuing_subword_prefix": "@@"}),
    "gaps between ids": description(model={"vocab": {t: i if i < 5 else i * 7 for i, t in enumerate(VOCABULARY)}}),
    "added tokens": description(
        further=[
            token("<x>", SIZE), token("<l>", SIZE + 1, lstrip=True), token("<r>", SIZE + 2, rstrip=True),
            token("foo", SIZE + 3, single_word=True),
            token("Foo Bar", SIZE + 4, normalized=True), token("É", SIZE + 5, normalized=True), token("[MASK]a", SIZE + 6, special=True),
        ]
    ),
    "white space as added tokens": description(further=[token("<r>", SIZE, rstrip=True), token("  ", SIZE + 1), token(" ", SIZE + 2,
    lstrip=True)]),
    "added tokens declared out of order, twice, with ids of others": description(
        further=[token("<x>", SIZE + 9), token("<l>", SIZE), token("<r>", 7), token("<x>", SIZE + 3, lstrip=True),
        token("ABC", SIZE + 4, normalized=True)]
    ),
}  # fmt: skip

LINES = "\n".join(VOCABULARY) + "\n"
OLD_MODELS = {
    "vocab.txt alone": {"vocab.txt": LINES},
    "vocab.txt with CRLF line ends": {"vocab.txt": LINES.replace("\n", "\r\n")},
    "vocab.txt with trailing white space, empty lines, repeated tokens": {
        "vocab.txt": LINES.replace("hello\n", "hello \u2003\t\n\n\n") + "a\nlast",
    },
    "vocab.txt without [MASK] and [SEP]": {"vocab.txt": LINES.replace("[MASK]\n", "").replace("[SEP]\n", "")},
    "do_lower_case false": {"vocab.txt": LINES, "tokenizer_config.json": {"do_lower_case": False}},
    "strip_accents false": {"vocab.txt": LINES, "tokenizer_config.json": {"strip_accents": False, "tokenizer_class": "BertTokenizer"}},
    "strip_accents true, cased": {"vocab.txt": LINES, "tokenizer_config.json": {"strip_accents": True, "do_lower_case": False}},
    "tokenize_chinese_chars false": {"vocab.txt": LINES, "tokenizer_config.json": {"tokenize_chinese_chars": False}},
    "special tokens renamed": {
        "vocab.txt": LINES,
        "tokenizer_config.json": {"cls_token": "hello", "unk_token": "x"},
        "special_tokens_map.json": {"cls_token": "foo", "sep_token": "bar"},
    },
    "special tokens as objects": {
        "vocab.txt": LINES,
        "special_tokens_map.json": {
            "mask_token": {"content": "[MASK]", "lstrip": True, "normalized": False, "rstrip": False, "single_word": False},
        },
    },
    "added_tokens_decoder": {
        "vocab.txt": LINES,
        "special_tokens_map.json": {"cls_token": "hello"},
        "tokenizer_config.json": {"added_tokens_decoder": {
            "0": {"content": "[PAD]", "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True},
            str(SIZE + 1): {"content": "<l>", "lstrip": True, "normalized": False, "rstrip": False, "single_word": False, "special": False},
            str(SIZE): {"content": "<x>", "lstrip": False, "normalized": True, "rstrip": False, "single_word": False, "special": False},
        }},
    },
    "added_tokens.json": {"vocab.txt": LINES, "added_tokens.json": {"<x>": SIZE, "<r>": SIZE + 1}},
    "further special tokens": {"vocab.txt": LINES, "special_tokens_map.json": {"additional_special_tokens": ["<x>", "<l>"]}},
    "DistilBERT": {"vocab.txt": LINES, "tokenizer_config.json": {"tokenizer_class": "DistilBertTokenizer"}},
}  # fmt: skip


def part(model, **fields):
    nothing = {"added_tokens": [], "normalizer": None, "pre_tokenizer": None, "post_processor": None, "decoder": None}
    return {"version": "1.0", **nothing, "model": model, **fields}


def words(*texts, **options):
    return {"type": "WordLevel", "unk_token": "u", "vocab": {text: index for index, text in enumerate(texts)}, **options}


def pieces(*texts, **options):
    return {"type": "WordPiece", "unk_token": "u", "continuing_subword_prefix": "##", "max_input_chars_per_word": 4,
            "vocab": {text: index for index, text in enumerate(texts)}, **options}  # fmt: skip


def bpe(*texts, merges=(), **options):
    return {"type": "BPE", "vocab": {text: index for index, text in enumerate(texts)}, "merges": list(merges), **options}


def unigram(*texts, **options):
    return {"type": "Unigram", "vocab": [[text, -index] for index, text in enumerate(texts)], **options}


def without_type(model):
    return {name: value for name, value in model.items() if name != "type"}


EACH = {"type": "Split", "pattern": {"Regex": "."}, "behavior": "Isolated", "invert": False}
WHITESPACE = {"type": "Whitespace"}
TRIMMING = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
BERT = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True}
LONG = token("x" * 200, 60000)  # with a long one added tokens are looked for in another way


def declared_twice():
    """[X] declared two or three times, special and normalized in every combination."""
    for count in (2, 3):
        for flags in itertools.product([False, True], repeat=2 * count):
            tokens = [token("[X]", 4, special=special, normalized=normalized) for special, normalized in zip(flags[::2], flags[1::2])]
            yield part(words("u", "a", "b", " "), normalizer={"type": "Lowercase"}, pre_tokenizer=EACH, added_tokens=tokens)


def parts():
    """(a tokenizer, texts)"""
    spaces = ["a<r> b", "<r> ", "<r> <r> ", " <r> a", "ab"]
    for added in ([], [LONG]):
        letters = bpe("a", "b", " ")
        strips = token("<r>", 3, rstrip=True)
        yield part(letters, added_tokens=[strips, token(" ", 2, lstrip=True), *added]), spaces
        yield part(letters, added_tokens=[strips, token(" ", 2, lstrip=True, rstrip=True), *added]), spaces
        yield part(letters, added_tokens=[strips, token(" b", 4, lstrip=True), *added]), [*spaces, "<r>\n b a"]
        yield part(letters, added_tokens=[strips, token(" b", 4), *added]), [*spaces, "<r>\n b a", "a<r>   b"]
        yield part(letters, added_tokens=[strips, token("\n", 4), *added]), ["a<r>\n b", "a<r> \n b", "<r> \n\n b"]
        nested = [token(text, index) for index, text in enumerate(["a", "aab", "abaab", "bb", "abb", "é", "aé"], 3)]
        yield part(letters, added_tokens=[*nested, *added]), ["aaab", "abaabaaab", "abbbb", "aéébaé", "bbaab" * 5, "x" * 199 + "ab", "x" * 201]
    for tokenizer in declared_twice():
        yield tokenizer, ["a[x]b", "a[X]b"]
    shared = words("u", "a", "b")
    shared["vocab"]["c"] = 2
    for tokens in ([], [token("b", 2), token("c", 2, lstrip=True)], [token("c", 2, lstrip=True), token("b", 2)], [token("x", 9)]):
        yield part(shared, pre_tokenizer=WHITESPACE, added_tokens=tokens), ["a b c x", "c d"]
    nothing = token("\u200b", 9, normalized=True)
    for flags in ({}, {"lstrip": True}, {"rstrip": True}, {"single_word": True}):
        tokenizer = part(words("u", "a", "b", "ab", " "), normalizer=BERT, added_tokens=[{**nothing, **flags}])
        yield tokenizer, ["", "a", "ab", "ab  ba", " a é"]

    unknown = ["a x", "a  x  y ax", " x", " a x"]
    bytes_ = {"unk_id": 0, "byte_fallback": True}
    for model in (unigram("<unk>", "a", unk_id=0), unigram("<unk>", "a", "<0x20>", "<0x78>", **bytes_), bpe("<unk>", "a", unk_token="<unk>", fuse_unk=True)):
        yield part(model, post_processor=TRIMMING), unknown
    for model in (bpe("a", "b"), words("ab", "b", "u"), bpe("ab", "b", "u", unk_token="u")):
        yield part(model, normalizer={"type": "Prepend", "prepend": ""}), ["ab", "b", "", "éa", "é", "éab"]

    for options in ({}, {"unk_id": None}, {"unk_id": None, "byte_fallback": True}):
        yield part(unigram("a", "b", "<0x7A>", **options)), ["ab", "azb", "z", ""]
    yield part(unigram("a", "zz", "az", unk_id=None)), ["a", "zz", "az", "aza", "azz"]
    yield part(unigram(unk_id=None), added_tokens=[token("x", 0)]), ["x", "", "ab"]
    for tokens in ([], [token("u", 2)]):
        yield part(words("a", "b"), pre_tokenizer=WHITESPACE, added_tokens=tokens), ["a b", "a z", ""]
        yield part(pieces("a", "##b"), pre_tokenizer={"type": "BertPreTokenizer"}, added_tokens=tokens), ["a ab", "a z", "aaaaaaa", "", "!"]
    for model in (words("u", "a", "b"), pieces("u", "a", "##b"), bpe("u", "a", "b"), unigram("u", "a", unk_id=0)):
        yield part(without_type(model), pre_tokenizer=WHITESPACE), ["a b ab", "a z"]
    for model in (bpe(), words(), pieces()):
        yield part(model, added_tokens=[token("x", 0), token("y", 1)]), ["xy", "axy", ""]
    yield part(bpe("a", "b", "c", merges=[["a", "b"]], vocab={"a": 0, "b": 1, "c": 1, "ab": 3}), added_tokens=[token("x", 5)]), ["abac", "cx"]
    yield part(pieces(vocab={"a": 0, "##b": 1, "b": 1, "u": 2}), pre_tokenizer=WHITESPACE, added_tokens=[token("x", 5)]), ["ab b x", "z"]
    for options in ({"dropout": 0.0}, {"dropout": 1.0}, {"dropout": 1}, {"dropout": 1.0, "ignore_merges": True}):
        yield part(bpe("a", "b", "ab", "aba", merges=[["a", "b"]], **options)), ["ab", "aba", "abab"]
    for length in ({}, {"length": 1}, {"length": 2}, {"length": 5}):
        yield part(words("u", "a", "b", "ab", "éa"), pre_tokenizer={"type": "FixedLength", **length}), ["abab a", "éab", ""]
    yield part(words("u", "ab"), normalizer={"type": "NFD"}, pre_tokenizer={"type": "FixedLength", "length": 2}), ["éab"]


def record_parts():
    lines = []
    for description_, texts in parts():
        tokenizer = tokenizers.Tokenizer.from_str(json.dumps(description_))
        encodings = []
        for text in texts:
            starts = [len(text[:index].encode()) for index in range(len(text) + 1)]
            try:
                encoding = tokenizer.encode(text)
                offsets = [[starts[begin], starts[end]] for begin, end in encoding.offsets]
                encodings.append({"text": text.encode().hex(), "ids": encoding.ids, "offsets": offsets})
            except Exception:  # a text that needs an unknown token
                encodings.append({"text": text.encode().hex(), "ids": None})
        lines.append(json.dumps({"tokenizer": description_, "encodings": encodings}, separators=(",", ":")))
    OUTPUT.with_name("small_parts.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")


def record_kinds():
    texts = [text for text in TEXT_BYTES if len(text) < 60] + [
        text.encode() for text in ("def f(x):\n    return x  # don't", "naïve café\r\n\tŒuvre", "a\u0301\u0301 ①½ ﬁ…", " <s> <mask>  x<pad>y", "日本語 한국어 नमस्ते 👩‍👩‍👧‍👦🇩🇪", "1234 we'll  ")
    ]
    models = []
    for path in sorted((OUTPUT.parents[1] / "fuzz" / "tokenizers").glob("*.json")):
        tokenizer = tokenizers.Tokenizer.from_file(str(path))
        encodings = []
        for text in texts:
            decoded, starts = compare_with_reference.decode(text)
            encoding = tokenizer.encode(decoded)
            starts = starts or range(len(text) + 1)
            encodings.append({"ids": encoding.ids, "offsets": [[starts[begin], starts[end]] for begin, end in encoding.offsets]})
        models.append({"file": path.name, "encodings": encodings})
    lines = ",\n".join(json.dumps(model, separators=(",", ":")) for model in models)
    output = OUTPUT.with_name("small_kinds.json")
    output.write_text('{"texts": ' + json.dumps([text.hex() for text in texts]) + ',\n"models": [\n' + lines + "\n]}\n")


def main():
    record_kinds()
    record_parts()
    assert tokenizers.__version__ == "0.23.3"
    models = []
    for name, model in JSON_MODELS.items():
        tokenizer = tokenizers.Tokenizer.from_str(json.dumps(model))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        ids = [tokenizer.encode(text.decode("utf-8", "replace")).ids for text in TEXT_BYTES]
        models.append({"name": name, "files": {"tokenizer.json": json.dumps(model, ensure_ascii=False)}, "ids": ids})
    for name, files in OLD_MODELS.items():
        contents = {file: content if isinstance(content, str) else json.dumps(content) for file, content in files.items()}
        with tempfile.TemporaryDirectory() as folder:
            for file, content in contents.items():
                (pathlib.Path(folder) / file).write_bytes(content.encode())
            (pathlib.Path(folder) / "config.json").write_text('{"model_type": "bert"}')
            tokenizer = AutoTokenizer.from_pretrained(folder)
        ids = [tokenizer(text.decode("utf-8", "replace")).input_ids for text in TEXT_BYTES]
        models.append({"name": name, "files": contents, "ids": ids})
    lines = ",\n".join(json.dumps(model, ensure_ascii=True) for model in models)
    OUTPUT.write_text('{"texts": ' + json.dumps([text.hex() for text in TEXT_BYTES]) + ',\n"models": [\n' + lines + "\n]}\n")


if __name__ == "__main__":
    main()
