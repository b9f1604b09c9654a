#!/usr/bin/env python3
"""Measures Inlay beside its peers, on one pinned processor, in the same run.

    source build/setup.env; export INLAY_MODEL
    build/venv/bin/python benchmarks/run.py [--scenario throughput] [--quick]

Prints the machine and a table; writes everything measured to build/benchmarks/results.json.
"""

import argparse
import importlib.util
import json
import os
import pathlib
import sys
import tempfile

import harness

HERE = pathlib.Path(__file__).parent


def load_scenario(name):
    specification = importlib.util.spec_from_file_location(f"{name}_scenario", HERE / name / "scenario.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def main():
    scenarios = sorted(path.parent.name for path in HERE.glob("*/scenario.py"))
    peers = sorted(path.name.removesuffix("_peer.py") for path in (HERE / "peers").glob("*_peer.py"))
    installed = [peer for peer in peers if importlib.util.find_spec(peer)]  # a peer's file is named after its module
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scenario", action="append", choices=scenarios, help="this one alone; may be given more than once")
    parser.add_argument("--peer", action="append", choices=peers, help="beside this one alone; may be given more than once (default: all that are installed)")
    parser.add_argument("--quick", action="store_true", help="fewer texts and rounds: to see that it runs")
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent / "build" / "release", help="the build folder (build/release)")
    parser.add_argument("--model", type=pathlib.Path, default=os.environ.get("INLAY_MODEL"), help="the model folder (INLAY_MODEL)")
    parser.add_argument("--max-length", type=int, default=256, help="tokens of a text used at most (256)")
    parser.add_argument("--texts", type=int, default=400, help="functions in the throughput corpus (400)")
    parser.add_argument("--json", type=pathlib.Path, default=HERE.parent / "build" / "benchmarks" / "results.json", help="where the results go")
    arguments = parser.parse_args()
    if not arguments.model or not arguments.model.is_dir():
        parser.error("the model folder is missing: give --model or set INLAY_MODEL")

    with tempfile.TemporaryDirectory(prefix="inlay_benchmark_") as work:
        settings = harness.Settings(
            model=arguments.model, build=arguments.build, work=pathlib.Path(work), peers=arguments.peer or installed,
            cpu=max(os.sched_getaffinity(0)), max_length=arguments.max_length, texts=arguments.texts, quick=arguments.quick,
        )
        results = {"machine": harness.machine(settings), "quick": arguments.quick, "rows": []}
        print(*(f"{key}: {value}" for key, value in results["machine"].items()), sep="\n", end="\n\n", flush=True)
        for name in arguments.scenario or scenarios:
            scenario = load_scenario(name)
            rows = scenario.measure(settings)
            results["rows"] += rows
            print(*scenario.show(rows), sep="\n", flush=True)
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(results, indent=2) + "\n")
        print(f"\neverything measured: {arguments.json}")


if __name__ == "__main__":
    sys.exit(main())
