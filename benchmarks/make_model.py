#!/usr/bin/env python3
"""Writes a model folder of a published shape, at full size, with random weights: what the figures of larger models are measured on.

    build/venv/bin/python benchmarks/make_model.py microsoft/codebert-base build/models/codebert-base

With INLAY_DATA set the tokenizer has the real vocabulary; without it one that is trained on the standard library, which makes longer texts.
"""

import argparse
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "golden"))

import harness


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("name")
    parser.add_argument("folder", type=pathlib.Path)
    arguments = parser.parse_args()
    import published

    if arguments.name not in published.MODELS:
        parser.error(f"unknown model {arguments.name}; known: {', '.join(published.MODELS)}")
    published.write(arguments.folder, published.MODELS[arguments.name], harness.standard_library_functions(2000), full=True)


if __name__ == "__main__":
    main()
