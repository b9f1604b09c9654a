"""What the comparisons with sentence-transformers share. Importing it skips the test (exit status 77) where the reference is not installed."""

import os
import sys

SKIPPED = 77
try:
    import numpy
    import sentence_transformers
    import torch
    import transformers
except ImportError as error:
    print(f"skipped: the reference is not installed ({error})")
    sys.exit(SKIPPED)
if not os.environ.get("INLAY_LIBRARY"):
    print("skipped: the C library was not built")
    sys.exit(SKIPPED)

import inlay
from sentence_transformers import SentenceTransformer

LOWEST_COSINE = 0.99999
MAX_ABS = 1e-5

failures = []
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()


def fail(name, reason):
    print(f"FAIL {name}: {reason}")
    failures.append(name)


def compare(name, got, expected):
    """A failure is noted, and the comparison goes on: the table tells more than its first bad line."""
    got, expected = numpy.atleast_2d(numpy.asarray(got, numpy.float64)), numpy.atleast_2d(numpy.asarray(expected, numpy.float64))
    if got.shape != expected.shape:
        print(f"FAIL {name}: shape {got.shape}, not {expected.shape}")
        failures.append(name)
        return
    lengths = numpy.linalg.norm(got, axis=1) * numpy.linalg.norm(expected, axis=1)
    cosine = ((got * expected).sum(axis=1) / lengths).min()
    scale = max(1.0, float(numpy.abs(expected).max()))  # vectors that are not normalised are longer than 1
    difference = numpy.abs(got - expected).max() / scale
    right = cosine >= LOWEST_COSINE and difference <= MAX_ABS
    print(f"{'ok  ' if right else 'FAIL'} {name:<58} cosine ≥ 1 - {1 - cosine:.1e}, difference ≤ {difference:.1e}")
    if not right:
        failures.append(name)


def load(folder, **options):
    return inlay.EmbeddingGenerator(str(folder), device="cpu", threads=2, **options)


def reference(folder, **options):
    return SentenceTransformer(str(folder), device="cpu", model_kwargs={"dtype": "float32"}, **options)


def encode(model, texts, **options):
    return model.encode(texts, batch_size=32, show_progress_bar=False, convert_to_numpy=True, **options)


def pooling_module(model):
    return next(module for module in model if type(module).__name__ == "Pooling")


def finish():
    if failures:
        sys.exit(f"{len(failures)} comparisons failed: {', '.join(failures)}")


def print_versions():
    print(f"inlay {inlay.version()}, sentence-transformers {sentence_transformers.__version__}, transformers {transformers.__version__}, torch {torch.__version__}")
