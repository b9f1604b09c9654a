#!/usr/bin/env python3
"""Ids that others recorded: llama.cpp's vocabulary tests, whose expected ids Hugging Face tokenizers gave ($INLAY_DATA/strings, *.gguf.inp and *.gguf.out),
by the real vocabularies of BERT, GPT-2 and RoBERTa. Nothing but the standard library is needed. Exit status 77: the data is not there."""

import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

DATA = pathlib.Path(os.environ.get("INLAY_DATA") or "/nonexistent")
BRIDGE = pathlib.Path(os.environ["INLAY_BUILD"]) / "bin" / "tokenize_strings"


def bert():
    vocabulary = {token: i for i, token in enumerate((DATA / "bert" / "bert_base_uncased_vocab.txt").read_text("utf-8").rstrip("\n").split("\n"))}
    return {
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": vocabulary},
    }


def bpe(vocabulary, merges):
    return {"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
            "model": {"type": "BPE", "vocab": vocabulary, "merges": merges}}  # fmt: skip


def merges():
    return (DATA / "roberta" / "merges.txt").read_text("utf-8").rstrip("\n").split("\n")[1:]


def gpt_2():
    """GPT-2's ids are its bytes, the printable ones first, then its merges in their order (Radford et al., encoder.py)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    tokens = [chr(byte) for byte in printable] + [chr(256 + i) for i in range(len(others))] + [merge.replace(" ", "") for merge in merges()]
    return bpe({token: i for i, token in enumerate(tokens)}, merges())


def roberta():
    return bpe(json.loads((DATA / "roberta" / "vocab.json").read_text("utf-8")), merges())


def encode(tokenizer, strings, work):
    whole = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None, "pre_tokenizer": None, "post_processor": None, "decoder": None}
    (work / "tokenizer.json").write_text(json.dumps(whole | tokenizer))
    (work / "strings").write_bytes(b"".join(struct.pack("<I", len(string)) + string for string in strings))
    subprocess.run([BRIDGE, work, work / "strings", work / "ids"], check=True)
    numbers = memoryview((work / "ids").read_bytes()).cast("I")
    place = 0
    while place < len(numbers):
        count = numbers[place]
        yield numbers[place + 2 : place + 2 + count].tolist()
        place += 2 + 3 * count


def main():
    if not (DATA / "strings" / "ggml-vocab-gpt-2.gguf.out").is_file():
        print("skipped: INLAY_DATA has no strings with expected ids")
        sys.exit(77)
    differences = 0
    with tempfile.TemporaryDirectory(prefix="inlay_expected_ids_") as work:
        for name, tokenizer in {"bert-bge": bert(), "gpt-2": gpt_2(), "roberta-bpe": roberta()}.items():
            strings = (DATA / "strings" / f"ggml-vocab-{name}.gguf.inp").read_bytes().split(b"\n__ggml_vocab_test__\n")
            expected = [[int(number) for number in line.split()] for line in (DATA / "strings" / f"ggml-vocab-{name}.gguf.out").read_text().split("\n")]
            strings, expected = strings[: len(expected)], expected[: len(strings)]
            got = list(encode(tokenizer, strings, pathlib.Path(work)))
            for string, ours, theirs in zip(strings, got, expected, strict=True):
                if ours != theirs:
                    differences += 1
                    print(f"FAIL {name}: {string}\n  ours     {ours}\n  expected {theirs}")
            print(f"{name}: {len(got)} strings of {sum(map(len, expected))} ids compared")
    sys.exit(differences != 0)


if __name__ == "__main__":
    main()
