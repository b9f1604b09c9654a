#!/usr/bin/env python3
"""Inlay beside sentence-transformers in one process, over the same model folders: the real all-MiniLM-L6-v2, and BERT models with random weights
of the shapes of its relatives. Every comparison prints its lowest cosine and its largest difference."""

import json
import os
import pathlib
import random
import tempfile

from live import compare, encode, finish, load, pooling_module, print_versions, reference  # first: it skips

import corpus
import inlay
import torch
import transformers
from published import write_modules
from sentence_transformers import SentenceTransformer


def random_texts(count, seed):
    """Any code points but surrogates: whole planes, blocks, and letters between them."""
    generator = random.Random(seed)
    blocks = [(0x20, 0x7F), (0, 0x20), (0xA0, 0x250), (0x300, 0x370), (0x370, 0x530), (0x590, 0x780), (0x900, 0xE00), (0x1100, 0x1200), (0x1E00, 0x2100), (0x2100, 0x2C00),
              (0x3000, 0x3200), (0x3400, 0x3500), (0x4E00, 0x9FFF), (0xAC00, 0xD7A4), (0xF900, 0xFB00), (0xFE00, 0x10000), (0x1D400, 0x1D800), (0x1F300, 0x1FA00), (0x20000, 0x2A6E0), (0xE0000, 0xE0200)]
    texts = []
    for _ in range(count):
        text = ""
        for _ in range(generator.randrange(1, 12)):
            low, high = generator.choice(blocks) if generator.random() < 0.9 else (0, 0x110000)
            text += "".join(chr(point) for point in (generator.randrange(low, high) for _ in range(generator.randrange(1, 9))) if not 0xD800 <= point < 0xE000)
            text += generator.choice(["", " ", "a", "word ", ". ", "\n"])
        texts.append(text)
    return texts


def compare_real_model(folder, texts):
    model = reference(folder)
    compare(f"all-MiniLM-L6-v2, {len(texts)} texts", load(folder).encode(texts), encode(model, texts))
    some = texts[::5]
    compare("truncate_dim 128", load(folder, truncate_dim=128).encode(some), encode(reference(folder, truncate_dim=128), some, normalize_embeddings=True))
    model.max_seq_length = 40
    compare("max_seq_length 40", load(folder, max_sequence_length=40).encode(some), encode(model, some))
    model.max_seq_length = 256
    without = SentenceTransformer(modules=[module for module in model if type(module).__name__ != "Normalize"], device="cpu")
    compare("not normalised", load(folder, normalize=False).encode(some), encode(without, some))
    compare("not normalised, truncate_dim 100", load(folder, normalize=False, truncate_dim=100).encode(some), encode(without, some)[:, :100])
    for pooling in ("cls", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken", "mean"):
        pooling_module(without).pooling_mode = pooling
        compare(f"pooling {pooling}", load(folder, pooling=pooling).encode(some), encode(without, some, normalize_embeddings=True))
        compare(f"pooling {pooling}, not normalised", load(folder, pooling=pooling, normalize=False).encode(some), encode(without, some))


def random_bert(folder, vocabulary, *, seed=0, dtype=torch.float32, lower_case=True, tokenizer_json=True, positions=128, **config):
    """A transformer with random weights, as transformers itself writes it, LayerNorms and biases included."""
    torch.manual_seed(seed)
    sizes = {"hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2, "intermediate_size": 128} | config
    model = transformers.BertModel(transformers.BertConfig(vocab_size=len(vocabulary), max_position_embeddings=positions, **sizes), add_pooling_layer=seed % 2 == 0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    model.to(dtype).save_pretrained(folder)
    (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in vocabulary), "utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": lower_case, "tokenizer_class": "BertTokenizer", "model_max_length": 512}))
    if tokenizer_json:
        transformers.AutoTokenizer.from_pretrained(folder).save_pretrained(folder)


def compare_random_models(work, uncased, cased, texts):
    shapes = [
        ("MiniLM-L12", dict(hidden_size=384, num_attention_heads=12, num_hidden_layers=12, intermediate_size=1536), "mean"),
        ("BGE-small", dict(hidden_size=384, num_attention_heads=12, num_hidden_layers=3, intermediate_size=1536), "cls"),
        ("BGE-, E5-, GTE-base", dict(hidden_size=768, num_attention_heads=12, num_hidden_layers=2, intermediate_size=3072), "cls"),
        ("BGE-, E5-, GTE-large", dict(hidden_size=1024, num_attention_heads=16, num_hidden_layers=1, intermediate_size=4096), "mean"),
        ("heads of 16, relu", dict(hidden_size=64, num_attention_heads=4, hidden_act="relu"), "mean"),
        ("heads of 32, gelu_new", dict(hidden_size=128, num_attention_heads=4, hidden_act="gelu_new"), "max"),
        ("heads of 64, gelu_pytorch_tanh", dict(hidden_size=128, num_attention_heads=2, hidden_act="gelu_pytorch_tanh"), "lasttoken"),
        ("heads of 40, silu", dict(hidden_size=120, num_attention_heads=3, intermediate_size=200, hidden_act="silu"), "weightedmean"),
        ("odd sizes", dict(hidden_size=51, num_attention_heads=3, intermediate_size=77, num_hidden_layers=3), "mean_sqrt_len_tokens"),
        ("one head of 100", dict(hidden_size=100, num_attention_heads=1, intermediate_size=10), "mean"),
        ("layer_norm_eps 1e-3", dict(layer_norm_eps=1e-3), "mean"),
        ("one token type", dict(type_vocab_size=1), "mean"),
    ]
    for index, (name, config, pooling) in enumerate(shapes):
        folder = work / f"shape_{index}"
        random_bert(folder, uncased, seed=index, **config)
        write_modules(folder, config.get("hidden_size", 64), pooling)
        compare(f"random BERT: {name}", load(folder).encode(texts), encode(reference(folder), texts))

    for name, options in {
        "fp16 weights": dict(dtype=torch.float16),
        "bf16 weights": dict(dtype=torch.bfloat16),
        "no tokenizer.json": dict(tokenizer_json=False),
        "36 positions": dict(positions=36),
    }.items():
        folder = work / name.replace(" ", "_")
        random_bert(folder, uncased, seed=50, **options)
        write_modules(folder, 64)
        compare(f"random BERT: {name}", load(folder).encode(texts), encode(reference(folder), texts))

    for name, options in {"cased": {}, "cased, no tokenizer.json": dict(tokenizer_json=False)}.items():
        folder = work / name.replace(" ", "_")
        random_bert(folder, cased, seed=60, lower_case=False, **options)
        write_modules(folder, 64)
        compare(f"random BERT: {name}", load(folder).encode(texts), encode(reference(folder), texts))
    folder = work / "bare"
    random_bert(folder, uncased, seed=70)
    compare("a bare transformer without modules.json", load(folder, normalize=False).encode(texts), encode(reference(folder), texts))

    # As sentence-transformers of today writes its files.
    folder = work / "saved"
    model = reference(work / "bare")
    pooling_module(model).pooling_mode = "weightedmean"
    model.save(str(folder))
    compare("saved by this sentence-transformers", load(folder, normalize=False).encode(texts), encode(reference(folder), texts))


def compare_prompts(work, uncased, texts):
    for include_prompt in (True, False):
        for pooling in ("mean", "cls", "weightedmean", "max", "lasttoken"):
            folder = work / f"prompts_{include_prompt}_{pooling}"
            random_bert(folder, uncased, seed=80)
            write_modules(folder, 64, pooling, include_prompt=include_prompt)
            prompts = {"query": "Represent this sentence for searching relevant passages: ", "document": "passage: "}
            (folder / "config_sentence_transformers.json").write_text(json.dumps({"prompts": prompts, "default_prompt_name": None}))
            name = f"prompts, {'' if include_prompt else 'left out of '}{pooling} pooling"
            model, generator = reference(folder), load(folder)
            compare(f"{name}: none", generator.encode(texts), encode(model, texts))
            compare(f"{name}: query", [generator.query(text) for text in texts], encode(model, texts, prompt_name="query"))
            documents = [inlay.Document(text) for text in texts if text]  # an empty document is the preparator's affair
            compare(f"{name}: document", generator.embed_documents(documents).vectors, encode(model, [text for text in texts if text], prompt_name="document"))
    (folder / "config_sentence_transformers.json").write_text(json.dumps({"prompts": prompts, "default_prompt_name": "document"}))
    compare("default_prompt_name", load(folder).encode(texts), encode(reference(folder), texts))


def main():
    print_versions()
    every = [text for _, text in corpus.texts()]
    random_ones = random_texts(200, seed=1)
    some = every[::12] + random_ones[::12] + ["", "word", corpus.words(600, seed=5)]
    characters = sorted({character for text in every for character in text if character.isprintable() and not character.isspace()})
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = sorted({word[start : start + 3] for text in every[:200] for word in text.split() for start in range(0, len(word), 3)} - set(characters) - set(specials))
    cased = specials + characters + pieces + [f"##{piece}" for piece in characters + pieces]
    uncased = specials + sorted({piece.lower() for piece in cased[5:]})

    model = os.environ.get("INLAY_MODEL")
    if model and pathlib.Path(model).is_dir():
        compare_real_model(model, every + random_ones)
    else:
        print("skipped: the real model (INLAY_MODEL is not set)")
    with tempfile.TemporaryDirectory(prefix="inlay_live_") as work:
        compare_random_models(pathlib.Path(work), uncased, cased, some)
        compare_prompts(pathlib.Path(work), uncased, some[::2])
    finish()


if __name__ == "__main__":
    main()
