"""Embeds a few texts and finds those that are nearest to a question.

    PYTHONPATH=capi/python python examples/python/search.py models/all-MiniLM-L6-v2 "how do I read a document from disk?"
"""

import sys

import inlay

TEXTS = ["open a file and read its contents", "parse JSON into a tree", "send an email", "sort a list of numbers", "connect to a database"]


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        with inlay.EmbeddingGenerator(sys.argv[1], threads=2) as generator:
            vectors = generator.encode(TEXTS)  # numpy float32 (5, 384)
            query = generator.query(sys.argv[2])
    except inlay.Error as error:
        print(error, file=sys.stderr)
        return 1
    for row, score in inlay.top_k(query, vectors, 2):
        print(f"{score:.3f}  {TEXTS[row]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
