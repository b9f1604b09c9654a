#!/usr/bin/env python3
"""Writes small_models.json: small hand-made tokenizers, texts, and the ids that Hugging Face gives them; and small_kinds.json: ids and
offsets of the trained ones in tests/fuzz/tokenizers.

Models with a tokenizer.json are run by tokenizers 0.23.3, those of the older files by transformers 5 (AutoTokenizer). Texts are
hexadecimal, as some are not UTF-8.
"""

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
