#!/usr/bin/env python3
"""Records the golden vectors: what sentence-transformers makes of the texts of corpus.py, with the model that INLAY_MODEL names.

    INLAY_MODEL=… python tests/golden/record.py

Writes beside itself: texts.json (kind and text), ids.json (token ids, special tokens included, truncated to the model's limit),
vectors.npy (float32, a row a text) and manifest.json (what made them, and how exactly they are to be met). Needs what
`bash cmake/setup.sh --tests` installs.
"""

import hashlib
import json
import os
import pathlib
import sys

import numpy
import sentence_transformers
import tokenizers
import torch
import transformers

import corpus

TOLERANCE = {"cosine": 0.99999, "max_abs": 1e-5, "batch_composition_max_abs": 1e-6}


def main():
    if not os.environ.get("INLAY_MODEL"):
        sys.exit("record: INLAY_MODEL does not name the folder of all-MiniLM-L6-v2")
    model_folder = pathlib.Path(os.environ["INLAY_MODEL"])
    here = pathlib.Path(__file__).parent

    torch.set_num_threads(1)
    model = sentence_transformers.SentenceTransformer(str(model_folder), device="cpu")
    assert model.max_seq_length == 256, model.max_seq_length
    texts = corpus.texts()
    # One by one: no padding, so that the reference itself doesn't depend on a text's neighbours.
    vectors = numpy.concatenate([model.encode([text], batch_size=1, show_progress_bar=False) for _, text in texts]).astype(numpy.float32)
    ids = [model.preprocess([text])["input_ids"][0].tolist() for _, text in texts]

    (here / "texts.json").write_text(json.dumps([{"kind": kind, "text": text} for kind, text in texts], ensure_ascii=False, indent=0) + "\n", "utf-8")
    (here / "ids.json").write_text("[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in ids) + "\n]\n")
    numpy.save(here / "vectors.npy", vectors)
    manifest = {
        "command": "INLAY_MODEL=<folder of all-MiniLM-L6-v2> python tests/golden/record.py",
        "model": "all-MiniLM-L6-v2",
        "model.safetensors sha256": hashlib.sha256((model_folder / "model.safetensors").read_bytes()).hexdigest(),
        "device": "cpu",
        "precision": "fp32",
        "normalized": True,
        "max_seq_length": model.max_seq_length,
        "texts": len(texts),
        "dimension": vectors.shape[1],
        "tolerance": TOLERANCE,
        "versions": {
            "sentence_transformers": sentence_transformers.__version__,
            "transformers": transformers.__version__,
            "tokenizers": tokenizers.__version__,
            "torch": torch.__version__,
            "numpy": numpy.__version__,
        },
    }
    (here / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    print(f"{len(texts)} texts, {sum(map(len, ids))} tokens, longest {max(map(len, ids))}, vectors {vectors.shape}")


if __name__ == "__main__":
    main()
