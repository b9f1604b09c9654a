"""What `inlay code-embeddings --snippets` computes, in plain transformers and NumPy (the formula is in include/inlay/code_embeddings.hpp).

reference_code_embeddings.py SNIPPETS.json MODEL OUTPUT.npy [--mean] [--no-context] [--weight 0.3] [--max-length 512]
"""

import argparse
import json

import numpy as np
import torch
import transformers


def load(folder):
    return transformers.AutoTokenizer.from_pretrained(folder), transformers.AutoModel.from_pretrained(folder, dtype=torch.float32).eval()


def normalise(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def encode(texts, tokenizer, model, use_cls=True, max_length=512, batch_size=8):
    """A row a text: the first token's last hidden state, or the mean over the tokens that are not padding."""
    rows = []
    for start in range(0, len(texts), batch_size):
        inputs = tokenizer(texts[start:start + batch_size], padding=True, truncation=True, max_length=max_length, return_tensors="pt")
        with torch.no_grad():
            hidden = model(**inputs).last_hidden_state.double().numpy()
        mask = inputs["attention_mask"].numpy()[:, :, None]
        rows.append(hidden[:, 0] if use_cls else (hidden * mask).sum(axis=1) / mask.sum(axis=1))
    return np.concatenate(rows)


def context_of(snippet):
    title, abstract = snippet["paper_title"], snippet["paper_abstract"]
    return f"{title}. {abstract}" if title and abstract else title or abstract


def embed(snippets, tokenizer, model, use_cls=True, include_context=True, weight=0.3, max_length=512, encode=encode):
    code = normalise(encode([snippet["code_text"] for snippet in snippets], tokenizer, model, use_cls, max_length))
    if not include_context:
        return code.astype(np.float32)
    contexts = [context_of(snippet) for snippet in snippets]
    has_context = np.array([bool(context) for context in contexts])[:, None]
    context = normalise(encode(contexts, tokenizer, model, use_cls, max_length))
    return np.where(has_context, normalise((1 - weight) * code + weight * context), code).astype(np.float32)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("snippets")
    parser.add_argument("model")
    parser.add_argument("output")
    parser.add_argument("--mean", action="store_true")
    parser.add_argument("--no-context", action="store_true")
    parser.add_argument("--weight", type=float, default=0.3)
    parser.add_argument("--max-length", type=int, default=512)
    arguments = parser.parse_args()
    with open(arguments.snippets, encoding="utf-8") as file:
        records = json.load(file)
    vectors = embed(records, *load(arguments.model), not arguments.mean, not arguments.no_context, arguments.weight, arguments.max_length)
    np.save(arguments.output, vectors)
