#!/usr/bin/env python3
"""Writes tokenizers/, the tokenizers that fuzz_tokenizers runs, and the first inputs under corpus/. Needs tokenizers and sentencepiece."""

import json
import pathlib
import shutil
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tokenize"))
import reference_tokenizers as reference  # noqa: E402
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers  # noqa: E402

reference.DATA = pathlib.Path("/nonexistent")  # small ones alone
TEXTS = [
    reference.PROSE, "def f(x):\n    return x + 1\n", "<s> <mask>  <x>", "a\u0301\u0301 e\u0301 \u200d\u200d ①½…", "naïve café\r\n\t", "\x00\x07\ufffd\u2028",
    "don't we'll I'd they've 123 4567", "aaaa" * 20, "日本語 한국어 नमस्ते", "👩‍👩‍👧‍👦🇩🇪",
]  # fmt: skip
BYTES = [b"\xff\xfe a\x80", b"\xe4\xb8 \xf0\x9f\x98", b"\xed\xa0\x80"]


def trained(model, trainer, normalizer=None, pre_tokenizer=None, post_processor=None):
    tokenizer = Tokenizer(model)
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    if pre_tokenizer is not None:
        tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.train_from_iterator([reference.PROSE] * 3, trainer)
    if post_processor is not None:
        tokenizer.post_processor = post_processor
    return reference.with_specials(tokenizer)


def all_tokenizers():
    special = dict(special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"], show_progress=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    rules = normalizers.Precompiled(reference.charsmap({"a\u0301": "á", "\u0301": "'", "\n": " ", "①": "1", "½": "1⁄2", "x": ""}))
    yield "byte_level_bpe", trained(
        models.BPE(), trainers.BpeTrainer(vocab_size=330, initial_alphabet=alphabet, **special), None, pre_tokenizers.ByteLevel(),
        processors.RobertaProcessing(("</s>", 2), ("<s>", 0)),
    )  # fmt: skip
    yield "bpe_with_prefix_and_suffix", trained(
        models.BPE(unk_token="<unk>", fuse_unk=True, continuing_subword_prefix="##", end_of_word_suffix="</w>"),
        trainers.BpeTrainer(vocab_size=250, limit_alphabet=60, continuing_subword_prefix="##", end_of_word_suffix="</w>", **special),
        normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " "), normalizers.Strip()]), pre_tokenizers.Whitespace(),
    )  # fmt: skip
    yield "unigram", trained(
        models.Unigram(), trainers.UnigramTrainer(vocab_size=200, unk_token="<unk>", **special), rules,
        pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]), reference.template(),
    )  # fmt: skip
    yield "unigram_without_words", trained(
        models.Unigram(), trainers.UnigramTrainer(vocab_size=300, unk_token="<unk>", **special), normalizers.Sequence([normalizers.Nmt(), rules]),
        pre_tokenizers.Metaspace(prepend_scheme="first", split=False), reference.template(),
    )  # fmt: skip
    yield "word_piece", trained(
        models.WordPiece(unk_token="<unk>"), trainers.WordPieceTrainer(vocab_size=200, **special), normalizers.BertNormalizer(),
        pre_tokenizers.BertPreTokenizer(), reference.template(),
    )  # fmt: skip
    yield "words_by_expression", trained(
        models.WordLevel(unk_token="<unk>"), trainers.WordLevelTrainer(vocab_size=60, **special),
        normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase(), normalizers.Prepend("_")]),
        pre_tokenizers.Sequence([
            pre_tokenizers.Split(Regex(r"\s+(?!\S)|\p{L}+|\p{N}{1,3}"), "merged_with_next"), pre_tokenizers.Digits(),
            pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.ByteLevel(use_regex=False),
        ]), processors.Sequence([processors.ByteLevel(), reference.template()]),
    )  # fmt: skip


def main():
    for name in ("tokenizers", "corpus/tokenizers", "corpus/tokenizer_json", "corpus/sentencepiece_model"):
        (HERE / name).mkdir(parents=True, exist_ok=True)
    for index, (name, tokenizer) in enumerate(all_tokenizers()):
        text = json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=True, separators=(",", ":"))
        (HERE / "tokenizers" / f"{index}_{name}.json").write_text(text)
        (HERE / "corpus" / "tokenizer_json" / f"{name}.json").write_text(text)
        for number, data in enumerate([text.encode() for text in TEXTS] + BYTES):
            (HERE / "corpus" / "tokenizers" / f"{name}_{number}").write_bytes(bytes([index]) + data)
    with tempfile.TemporaryDirectory() as folder:
        for name, options in [("unigram", dict(vocab_size=170)), ("bpe", dict(vocab_size=450, model_type="bpe", byte_fallback=True))]:
            path = reference.trained_sentencepiece(pathlib.Path(folder) / name, normalization_rule_name="identity", **options)
            shutil.copyfile(path, HERE / "corpus" / "sentencepiece_model" / f"{name}.model")


if __name__ == "__main__":
    main()
