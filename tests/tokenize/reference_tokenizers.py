"""Tokenizers of every kind to compare with, made by the reference itself: real vocabularies where INLAY_DATA has them, else small trained ones.

tokenizers_of_all_kinds() yields (name, tokenizers.Tokenizer); each can be saved as the tokenizer.json that we read. older_files(folder) yields
(name, a folder without a tokenizer.json, what transformers makes of it).
"""

import json
import os
import pathlib
import shutil
import struct
import sysconfig

from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

DATA = pathlib.Path(os.environ.get("INLAY_DATA", "") or "/nonexistent")
PROSE = """The quick brown fox jumps over the lazy dog. Größe, naïve café, Straße und Übung; où est l'été? Ångström.
Москва слезам не верит, а Ёлка стоит. Καλημέρα κόσμε, ΑΣ ΣΑΣ. 日本語のテキストを書く。吾輩は猫である。名前はまだ無い。한국어 문장입니다.
नमस्ते दुनिया। مرحبا بالعالم. שלום עולם. สวัสดีชาวโลก. 1234 ½ ² ① Ⅷ ﬁ ﬀ ＡＢＣ ｱｲｳ  e\u0301 o\u0308 😀 👩‍👩‍👧‍👦 🇩🇪 — … “quoted” don't we'll I'd they've
"""


def corpus():
    stdlib = pathlib.Path(sysconfig.get_paths()["stdlib"])
    yield from [PROSE] * 20
    for name in ("argparse.py", "tokenize.py", "json/decoder.py", "heapq.py", "textwrap.py"):
        yield from (stdlib / name).read_text().splitlines(keepends=True)


def charsmap(rules):
    """A precompiled charsmap (darts-clone's double array, then the replacements) of these rules."""
    trie, blob = {}, b""
    for key, value in rules.items():
        node = trie
        for byte in key.encode():
            node = node.setdefault(byte, {})
        node[None] = len(blob)
        blob += value.encode() + b"\0"
    units, blocks, pending = [0] * 256, 1, [(trie, 0)]
    while pending:  # a block of 256 units for each node
        node, index = pending.pop()
        base = blocks * 256
        blocks += 1
        units += [0] * 256
        offset = base ^ index
        units[index] |= offset << 10 if offset < 1 << 21 else (offset >> 8) << 10 | 1 << 9
        for byte, child in node.items():
            if byte is None:
                units[index] |= 1 << 8
                units[base] = 1 << 31 | child
            else:
                units[base ^ byte] |= byte
                pending.append((child, base ^ byte))
    return struct.pack(f"<I{len(units)}I", 4 * len(units), *units) + blob


RULES = charsmap({
    "\t": " ", "\n": " ", "\r": " ", "\u3000": " ", "\u00a0": " ", "\x07": "", "\u200b": "", "\u00ad": "", "ﬁ": "fi", "①": "1", "½": "1⁄2", "Ａ": "A",
    "e\u0301": "é", "é": "é", "o\u0308": "ö", "…": "...", "\u0301": "'", "ｱ": "ア", "a": "a", "\ufffd": " ", "क\u093c": "\u0958", "ǅ": "Dž", "\r\n": " ",
    "\u0600a": "b",
})  # fmt: skip


def real_charsmap():
    """nmt_nfkc's, from a SentencePiece model; None without INLAY_DATA."""
    path = DATA / "sentencepiece" / "test_model.model"
    return spm_pieces(path)[1] if path.is_file() else None


def spm_pieces(path):
    """The pieces [(text, score, type)] and the charsmap of a SentencePiece model (a protobuf)."""

    def fields(data):
        position = 0

        def varint():
            nonlocal position
            value = shift = 0
            while True:
                byte = data[position]
                position += 1
                value |= (byte & 0x7F) << shift
                shift += 7
                if byte < 0x80:
                    return value

        while position < len(data):
            tag = varint()
            if tag & 7 == 2:
                length = varint()
                yield tag >> 3, data[position : position + length]
                position += length
            elif tag & 7 == 5:
                yield tag >> 3, data[position : position + 4]
                position += 4
            elif tag & 7 == 0:
                yield tag >> 3, varint()
            else:
                raise ValueError(f"wire type {tag & 7}")

    pieces, rules = [], b""
    for field, value in fields(pathlib.Path(path).read_bytes()):
        if field == 1:
            piece = {1: b"", 2: b"\0\0\0\0", 3: 1, **dict(fields(value))}
            pieces.append((piece[1].decode(), struct.unpack("<f", piece[2])[0], piece[3]))
        elif field == 3:
            rules = dict(fields(value)).get(2, b"")
    return pieces, rules


def roberta_vocabulary():
    folder = DATA / "roberta"
    if folder.is_dir():
        return models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt"))
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(corpus(), trainers.BpeTrainer(show_progress=False, vocab_size=3000, special_tokens=special, initial_alphabet=alphabet))
    return tokenizer.model


def unigram_vocabulary(**options):
    path = DATA / "sentencepiece" / "spm_example.model"
    if path.is_file():
        pieces = [(text, score) for text, score, _ in spm_pieces(path)[0]]
        return models.Unigram([("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *pieces[3:], ("<mask>", 0.0)], 3, **options)
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer.train_from_iterator(corpus(), trainers.UnigramTrainer(show_progress=False, vocab_size=1500, special_tokens=special, unk_token="<unk>"))
    vocabulary = json.loads(tokenizer.to_str())["model"]["vocab"]
    return models.Unigram([tuple(entry) for entry in vocabulary], 3, **options)


def with_specials(tokenizer, names=("<s>", "<pad>", "</s>", "<unk>"), mask="<mask>"):
    tokenizer.add_special_tokens([AddedToken(name, normalized=True, special=True) for name in names])
    tokenizer.add_special_tokens([AddedToken(mask, lstrip=True, normalized=False, special=True)])
    return tokenizer


def roberta(model, add_prefix_space=False, trim_offsets=True, post_processor=None, **byte_level):
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space, **byte_level)
    if post_processor is None:
        post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets, add_prefix_space)
    tokenizer.post_processor = post_processor
    return with_specials(tokenizer)


def template(before="<s>", behind="</s>"):
    return processors.TemplateProcessing(f"{before} $A {behind}", f"{before} $A {behind} $B {behind}", [(before, 0), (behind, 2)])


def xlm_roberta(normalizer, pre_tokenizer, **options):
    tokenizer = Tokenizer(unigram_vocabulary(**options))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.post_processor = template()
    return with_specials(tokenizer)


def trained_bpe(normalizer=None, pre_tokenizer=None, vocab_size=1500, **options):
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", **options))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    if pre_tokenizer is not None:
        tokenizer.pre_tokenizer = pre_tokenizer
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)] if options.get("byte_fallback") else []
    known = {name: options[name] for name in ("continuing_subword_prefix", "end_of_word_suffix") if name in options}
    trainer = trainers.BpeTrainer(show_progress=False, vocab_size=vocab_size, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>", *bytes_], limit_alphabet=200, **known)
    tokenizer.train_from_iterator(corpus(), trainer)
    tokenizer.model.fuse_unk = options.get("fuse_unk", False)
    return tokenizer


def word_level(normalizer, pre_tokenizer):
    """Every word of the corpus, and most characters, so that what normaliser and pre-tokenizer do shows in the ids."""
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    if pre_tokenizer is not None:
        tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.train_from_iterator(corpus(), trainers.WordLevelTrainer(show_progress=False, special_tokens=["<unk>", "<s>"]))
    return tokenizer


def normalizers_of_all_kinds():
    rules = [("small rules", RULES)] + [("nmt_nfkc", real_charsmap())] * (real_charsmap() is not None)
    yield "NFC", normalizers.NFC()
    yield "NFD", normalizers.NFD()
    yield "NFKC", normalizers.NFKC()
    yield "NFKD", normalizers.NFKD()
    yield "StripAccents behind NFKD, Lowercase", normalizers.Sequence([normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()])
    yield "StripAccents alone", normalizers.StripAccents()
    yield "Strip", normalizers.Strip()
    yield "Strip right", normalizers.Strip(left=False, right=True)
    yield "Nmt, NFKC, two spaces to one", normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    yield "Prepend and Replace", normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    yield "Replace with less, with more, with nothing", normalizers.Sequence(
        [normalizers.Replace("``", '"'), normalizers.Replace(Regex("[aeiou]"), "<v>"), normalizers.Replace(Regex(r"\p{Mn}+"), "")]
    )
    yield "BertNormalizer in a Sequence", normalizers.Sequence([normalizers.BertNormalizer(), normalizers.Strip()])
    yield "ByteLevel", normalizers.ByteLevel()
    for name, data in rules:
        yield f"Precompiled ({name})", normalizers.Precompiled(data)


def pre_tokenizers_of_all_kinds():
    yield "none", None
    yield "Whitespace", pre_tokenizers.Whitespace()
    yield "WhitespaceSplit", pre_tokenizers.WhitespaceSplit()
    yield "CharDelimiterSplit", pre_tokenizers.CharDelimiterSplit("e")
    yield "Digits, one by one", pre_tokenizers.Digits(individual_digits=True)
    yield "Digits together", pre_tokenizers.Digits(individual_digits=False)
    for behavior in ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"):
        yield f"Punctuation {behavior}", pre_tokenizers.Punctuation(behavior)
        yield f"Split at text, {behavior}", pre_tokenizers.Split(" ", behavior)
        yield f"Split at expression, {behavior}", pre_tokenizers.Split(Regex(r"\s+|\d"), behavior)
        yield f"Split at what is not the expression, {behavior}", pre_tokenizers.Split(Regex(r"\w+|\s"), behavior, invert=True)
    yield "GPT-4's expression", pre_tokenizers.Split(
        Regex(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"), "isolated"
    )
    yield "Metaspace, not cut", pre_tokenizers.Metaspace(split=False)
    yield "Metaspace, first", pre_tokenizers.Metaspace(prepend_scheme="first")
    yield "Whitespace and Punctuation and Digits", pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation(), pre_tokenizers.Digits(individual_digits=True)]
    )
    yield "FixedLength", pre_tokenizers.FixedLength(length=3)
    yield "BertPreTokenizer", pre_tokenizers.BertPreTokenizer()
    yield "Split, then ByteLevel without its expression", pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(r"\d{1,3}|\s+"), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )


def tokenizers_of_all_kinds():
    real = "" if DATA.is_dir() else ", trained"
    yield f"RoBERTa{real}", roberta(roberta_vocabulary())
    yield "RoBERTa, prefix space", roberta(roberta_vocabulary(), add_prefix_space=True)
    yield "RoBERTa, offsets not trimmed, prefix space", roberta(roberta_vocabulary(), add_prefix_space=True, trim_offsets=False)
    yield "RoBERTa without words", roberta(roberta_vocabulary(), use_regex=False)
    for trim in (False, True):
        sequence = processors.Sequence([processors.ByteLevel(trim_offsets=trim, add_prefix_space=not trim), template()])
        yield f"GPT-2 with ByteLevel and template, trim_offsets {trim}", roberta(roberta_vocabulary(), add_prefix_space=trim, post_processor=sequence)
    ignoring = roberta_vocabulary()
    ignoring.ignore_merges = True
    yield "RoBERTa, merges ignored", roberta(ignoring)
    normalized = roberta(roberta_vocabulary())
    normalized.normalizer = normalizers.NFC()
    yield "RoBERTa behind NFC", normalized

    metaspace = pre_tokenizers.Metaspace()
    behind_split = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), metaspace])
    rules = normalizers.Precompiled(real_charsmap() or RULES)
    yield f"XLM-R{real}", xlm_roberta(rules, behind_split)
    yield "XLM-R, Metaspace alone", xlm_roberta(normalizers.Sequence([rules, normalizers.Replace(Regex(" {2,}"), " ")]), metaspace)
    yield "XLM-R, no prefix, no normaliser", xlm_roberta(None, pre_tokenizers.Metaspace(prepend_scheme="never"))
    yield "XLM-R, prefix first", xlm_roberta(rules, pre_tokenizers.Metaspace(prepend_scheme="first"))
    yield "XLM-R, not cut, another sign", xlm_roberta(rules, pre_tokenizers.Metaspace(replacement="_", split=False))
    yield "XLM-R without pre-tokenizer", xlm_roberta(rules, pre_tokenizers.Split("\x01", "isolated"))
    vocabulary = json.loads(Tokenizer(unigram_vocabulary()).to_str())["model"]["vocab"]
    with_bytes = [*map(tuple, vocabulary), *((f"<0x{byte:02X}>", -20.0 - byte / 100) for byte in range(256))]
    tokenizer = Tokenizer(models.Unigram(with_bytes, 3, byte_fallback=True))
    tokenizer.normalizer, tokenizer.pre_tokenizer = rules, metaspace
    yield "Unigram, byte fallback", with_specials(tokenizer)
    ties = Tokenizer(models.Unigram([("<unk>", 0.0), *((piece, -1.0) for piece in ("a", "b", "ab", "ba", "aa", "▁", "▁a")), ("abab", -2.0), ("x", 3.0)], 0))
    ties.pre_tokenizer = metaspace
    yield "Unigram, equal scores", ties

    yield "BPE, fused unknowns", trained_bpe(pre_tokenizer=pre_tokenizers.Whitespace(), fuse_unk=True)
    yield "BPE, unknowns apart", trained_bpe(normalizer=normalizers.NFKC(), pre_tokenizer=pre_tokenizers.WhitespaceSplit())
    yield "BPE, prefix and suffix", trained_bpe(
        pre_tokenizer=pre_tokenizers.BertPreTokenizer(), continuing_subword_prefix="##", end_of_word_suffix="</w>"
    )
    llama = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    yield "BPE, byte fallback", trained_bpe(normalizer=llama, byte_fallback=True, fuse_unk=True, vocab_size=2000)

    for name, normalizer in normalizers_of_all_kinds():
        yield f"words behind {name}", word_level(normalizer, pre_tokenizers.BertPreTokenizer())
    for name, pre_tokenizer in pre_tokenizers_of_all_kinds():
        yield f"words by {name}", word_level(None, pre_tokenizer)
    wide = with_specials(word_level(normalizers.Lowercase(), pre_tokenizers.Whitespace()))
    wide.add_tokens([
        AddedToken("<x>"), AddedToken("<l>", lstrip=True, normalized=False), AddedToken("<r>", rstrip=True, normalized=False),
        AddedToken("Foo Bar", normalized=True), AddedToken("foo", single_word=True, normalized=False), AddedToken("  ", normalized=False),
        AddedToken("the", lstrip=True, rstrip=True), AddedToken("é", normalized=True),
    ])  # fmt: skip
    wide.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=True, add_prefix_space=False), processors.BertProcessing(("</s>", 2), ("<s>", 0))])
    yield "words with added tokens and trimmed offsets", wide
    wide.add_tokens([AddedToken("é<l>" * 40, normalized=False), AddedToken("<N>" * 60, normalized=True)])
    yield "words with long added tokens and trimmed offsets", wide


def trained_sentencepiece(path, **options):
    """Trains a SentencePiece model; None where the package is not installed."""
    try:
        import sentencepiece
    except ImportError:
        return None
    defaults = dict(vocab_size=600, hard_vocab_limit=False, minloglevel=2, num_threads=1, character_coverage=0.99)
    lines = [line for text in corpus() for line in text.splitlines() if line.strip()]
    with open(path, "wb") as file:
        sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(lines), model_writer=file, **{**defaults, **options})
    return path


def older_files(work):
    from transformers import AutoTokenizer, logging

    logging.set_verbosity_error()

    def folder(name, model_type, **files):
        """Texts are written, paths are copied, anything else is JSON; file_json is file.json."""
        path = work / name.replace(" ", "_").replace(",", "")
        path.mkdir()
        for file, content in {"config_json": {"model_type": model_type}, **files}.items():
            target = path / ".".join(file.rsplit("_", 1)) if not file.startswith("sentencepiece") else path / "sentencepiece.bpe.model"
            if isinstance(content, pathlib.Path):
                shutil.copyfile(content, target)
            else:
                target.write_text(content if isinstance(content, str) else json.dumps(content))
        return name, path, AutoTokenizer.from_pretrained(path).backend_tokenizer

    bpe = work / "bpe"
    bpe.mkdir()
    roberta_vocabulary().save(str(bpe))
    bpe_files = dict(vocab_json=bpe / "vocab.json", merges_txt=bpe / "merges.txt")
    mask = {"content": "<mask>", "single_word": False, "lstrip": True, "rstrip": False, "normalized": False}
    yield folder("roberta files alone", "roberta", **bpe_files)
    yield folder(
        "roberta files with a mask that strips, prefix space", "roberta", **bpe_files,
        special_tokens_map_json={"bos_token": "<s>", "mask_token": mask}, tokenizer_config_json={"add_prefix_space": True, "trim_offsets": False},
    )  # fmt: skip
    yield folder(
        "roberta files with added tokens and other names", "roberta", **bpe_files, added_tokens_json={"<new>": 60000, "<newer>": 60001},
        special_tokens_map_json={"cls_token": "<pad>", "sep_token": "<new>", "additional_special_tokens": ["<e1>", "<e2>"]},
    )  # fmt: skip
    yield folder(
        "roberta files of today", "bert", **bpe_files,
        tokenizer_config_json={"tokenizer_class": "RobertaTokenizerFast", "mask_token": "<mask>", "added_tokens_decoder": {
            "0": {**mask, "content": "<s>", "lstrip": False, "normalized": True, "special": True}, "60007": {**mask, "content": "<x>", "special": False},
        }},
    )  # fmt: skip
    words = DATA / "mpnet" / "vocab.txt"
    vocabulary = words if words.is_file() else "<s>\n<pad>\n</s>\n<unk>\n" + "\n".join([*"abcdefghijklmnopqrstuvwxyz", *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz"), "the", "[UNK]", "<mask>"]) + "\n"
    yield folder("mpnet files alone", "mpnet", vocab_txt=vocabulary)
    yield folder(
        "mpnet files with their configuration", "mpnet", vocab_txt=vocabulary,
        tokenizer_config_json={
            "do_lower_case": True, "bos_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "cls_token": "<s>", "unk_token": "[UNK]",
            "pad_token": "<pad>", "mask_token": "<mask>", "tokenize_chinese_chars": True, "strip_accents": None, "tokenizer_class": "MPNetTokenizer",
        },
        special_tokens_map_json={"bos_token": "<s>", "unk_token": "[UNK]", "mask_token": {**mask, "lstrip": False}},
    )  # fmt: skip

    pieces = DATA / "sentencepiece" / "spm_example.model"
    if not pieces.is_file():
        pieces = trained_sentencepiece(work / "unigram.model")
    if pieces is None:
        print("skipped: SentencePiece models, as the sentencepiece package is not installed")
        return
    yield folder("xlm-r files alone", "xlm-roberta", sentencepiece=pieces)
    yield folder(
        "xlm-r files with their configuration", "bert", sentencepiece=pieces,
        tokenizer_config_json={"tokenizer_class": "XLMRobertaTokenizer", "mask_token": {**mask, "normalized": True, "__type": "AddedToken"}},
        special_tokens_map_json={"bos_token": "<s>", "cls_token": "<s>", "unk_token": "<unk>", "pad_token": "<pad>", "mask_token": mask},
    )  # fmt: skip
    own = trained_sentencepiece(work / "own.model", user_defined_symbols=["<sep>", "foo bar", "▁the"], control_symbols=["<ctl>"], byte_fallback=True)
    yield folder("xlm-r files with symbols of its own", "xlm-roberta", sentencepiece=own)
    yield folder("xlm-r files, no prefix space", "xlm-roberta", sentencepiece=own, tokenizer_config_json={"add_prefix_space": False})
    yield folder("xlm-r from tokenizer.model", "xlm-roberta", tokenizer_model=own)
    backend = {"tokenizer_class": "PreTrainedTokenizerFast"}
    yield folder("unigram model of no class", "bert", tokenizer_model=own, tokenizer_config_json=backend)
    llama = trained_sentencepiece(work / "bpe.model", model_type="bpe", byte_fallback=True, normalization_rule_name="identity", user_defined_symbols=["<sep>"])
    yield folder("BPE model of no class", "bert", tokenizer_model=llama, tokenizer_config_json=backend)
    yield folder("BPE model with beginning and end", "bert", tokenizer_model=llama, tokenizer_config_json={**backend, "add_bos_token": True, "add_eos_token": True})
    plain = trained_sentencepiece(work / "bpe_nfkc.model", model_type="bpe", bos_id=-1, eos_id=-1)
    yield folder("BPE model without byte fallback, bos and eos", "llama", tokenizer_model=plain)
