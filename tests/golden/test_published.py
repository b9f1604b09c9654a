#!/usr/bin/env python3
"""Every model of the field from the files that it is published in (random weights), beside sentence-transformers over the same folder.

    test_published.py           small ones of all
    test_published.py --full    CodeBERT, mpnet-base and roberta-large at full size, with their real vocabularies where $INLAY_DATA has them
"""

import json
import pathlib
import random
import sys
import tempfile

from live import compare, encode, fail, finish, load, print_versions, reference  # first: it skips

import corpus
import inlay
import numpy
import published
import torch


def compare_published(work, texts):
    for name, model in published.MODELS.items():
        folder = work / "model"
        published.write(folder, model, texts)
        normalize = model.modules is not None and model.modules["normalize"]
        expected = encode(reference(folder), texts)
        try:
            compare(name, load(folder, normalize=normalize).encode(texts), expected)
        except inlay.Error as error:
            fail(name, error)


def compare_composition(work, texts):
    """Any batch and any number of threads: the same bits."""
    for name in ("microsoft/codebert-base", "sentence-transformers/all-mpnet-base-v2", "intfloat/multilingual-e5-base", "distilbert/distilbert-base-uncased"):
        folder = work / "model"
        published.write(folder, published.MODELS[name], texts)
        whole = load(folder).encode(texts)
        order = random.Random(1).sample(range(len(texts)), len(texts))
        shuffled = numpy.empty_like(whole)
        shuffled[order] = load(folder, batch_size=3).encode([texts[i] for i in order])
        one_thread = inlay.EmbeddingGenerator(str(folder), device="cpu", threads=1).encode(texts)
        for what, got in {"other batches": shuffled, "one thread": one_thread}.items():
            difference = float(numpy.abs(got - whole).max())
            if difference > 1e-6:
                sys.exit(f"{name}: {what} differ by {difference}")
        print(f"ok   {name}: difference {float(numpy.abs(shuffled - whole).max()):.1e} in other batches, {float(numpy.abs(one_thread - whole).max()):.1e} on one thread")


def compare_layers(work, texts):
    """The hidden states behind each layer: a model cut off there beside all hidden states of the reference."""
    for name in ("microsoft/codebert-base", "sentence-transformers/all-MiniLM-L12-v2", "sentence-transformers/all-mpnet-base-v2", "intfloat/multilingual-e5-base",
                 "distilbert/distilbert-base-uncased"):
        folder = work / "model"
        model = published.MODELS[name]
        transformer = published.write(folder, model, texts).float()
        tokenizer = reference(folder)[0].tokenizer
        key = "n_layers" if model.architecture == "distilbert" else "num_hidden_layers"
        config = json.loads((folder / "config.json").read_text())
        some = texts[::7]
        for layer in range(1, config[key] + 1):
            (folder / "config.json").write_text(json.dumps(config | {key: layer}))
            expected = []
            for text in some:
                limit = model.limit or 512
                tokens = tokenizer(text, truncation=True, max_length=limit, return_tensors="pt")
                with torch.no_grad():
                    states = transformer(**tokens, output_hidden_states=True).hidden_states
                expected.append(states[layer][0].max(dim=0).values.numpy())
            compare(f"{name}: behind layer {layer}", load(folder, pooling="max", normalize=False).encode(some), numpy.stack(expected))


def compare_modules(work, texts):
    """What stands behind the transformer, as sentence-transformers itself writes it."""
    for name, folder, normalize in published.heads(work, texts):
        compare(name, load(folder, normalize=normalize).encode(texts), encode(reference(folder), texts))


def compare_full(work, texts):
    for name in ("microsoft/codebert-base", "sentence-transformers/all-mpnet-base-v2", "sentence-transformers/all-roberta-large-v1"):
        folder = work / "model"
        model = published.MODELS[name]
        published.write(folder, model, texts, full=True)
        normalize = model.modules is not None and model.modules["normalize"]
        compare(f"{name}, full size", load(folder, normalize=normalize).encode(texts), encode(reference(folder), texts))


def main():
    print_versions()
    every = [text.encode("utf-8", "replace").decode() for _, text in corpus.texts()] + ["", "word", "a <mask> b<pad> c</s>", corpus.words(700, seed=5)]
    with tempfile.TemporaryDirectory(prefix="inlay_published_") as work:
        work = pathlib.Path(work)
        if "--full" in sys.argv[1:]:
            compare_full(work, every[::9])
        else:
            compare_published(work, every)
            compare_composition(work, every)
            compare_layers(work, every)
            compare_modules(work, every[::3])
    finish()


if __name__ == "__main__":
    main()
