"""Workers, corpora, statistics: what the scenarios share."""

import ast
import contextlib
import dataclasses
import functools
import json
import os
import pathlib
import platform
import random
import statistics
import subprocess
import sys
import sysconfig

import numpy

HERE = pathlib.Path(__file__).parent
LOWEST_COSINE = 0.99999


@dataclasses.dataclass
class Settings:
    model: pathlib.Path
    build: pathlib.Path
    work: pathlib.Path
    peers: list
    cpu: int  # both sides run on this one
    threads: int = 1
    max_length: int = 256
    texts: int = 400
    quick: bool = False


class Worker:
    """A process that speaks the protocol of peers/worker.py, pinned to settings.cpu. It waits, asleep, while another one is measured."""

    def __init__(self, settings, name):
        self.name = name
        arguments = [str(settings.model), str(settings.threads), str(settings.max_length)]
        if name == "inlay":
            command = [str(settings.build / "bin" / "benchmark_worker")]
        else:
            command = [sys.executable, str(HERE / "peers" / f"{name}_peer.py")]
        threads = {variable: str(settings.threads) for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
        self._process = subprocess.Popen(
            command + arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=open(settings.work / f"{name}.log", "w"),
            text=True,
            env=os.environ | threads | {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"},
            preexec_fn=lambda: os.sched_setaffinity(0, {settings.cpu}),
        )
        self._log = settings.work / f"{name}.log"

    def ask(self, command, **arguments):
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps({"command": command} | arguments), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            sys.exit(f"{self.name} ended without an answer to {command!r}:\n{self._log.read_text()[-2000:]}")
        return json.loads(line)

    def peak_memory(self):
        """Bytes: the largest resident set so far."""
        for line in pathlib.Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("no VmHWM in /proc")

    def close(self):
        self._process.stdin.close()
        self._process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


@functools.cache
def standard_library_functions(count):
    """Source texts of functions of the running Python's standard library, shuffled with a fixed seed."""
    root = pathlib.Path(sysconfig.get_path("stdlib"))
    functions = []
    for path in sorted(root.glob("*.py")) + sorted(root.glob("*/*.py")):
        if "site-packages" in path.parts or any(part.startswith("test") for part in path.relative_to(root).parts):
            continue
        try:
            source = path.read_text("utf-8")
            tree = ast.parse(source)
        except (SyntaxError, UnicodeDecodeError):
            continue
        functions += [(source, node) for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    random.Random(0).shuffle(functions)
    return [ast.get_source_segment(source, node) for source, node in functions[:count]]  # slow: for the chosen ones alone


def one_line_texts(count):
    """The first line of each function."""
    return [function.strip().split("\n")[0] for function in standard_library_functions(count)]


def write_texts(settings, name, texts):
    path = settings.work / f"{name}.json"
    path.write_text(json.dumps(texts, ensure_ascii=False), "utf-8")
    return str(path)


def check_same_vectors(settings, workers):
    """Every worker's last result against the first's; a time counts only for the right answer. Returns the lowest cosine by name."""
    vectors = {}
    for worker in workers:
        path = settings.work / f"{worker.name}.npy"
        worker.ask("save", path=str(path))
        vectors[worker.name] = numpy.load(path).astype(numpy.float64)
    ours = vectors[workers[0].name]
    lowest = {}
    for worker in workers[1:]:
        theirs = vectors[worker.name]
        if ours.shape != theirs.shape:
            sys.exit(f"{worker.name} gave vectors of shape {theirs.shape}, {workers[0].name} {ours.shape}")
        cosines = (ours * theirs).sum(axis=1) / (numpy.linalg.norm(ours, axis=1) * numpy.linalg.norm(theirs, axis=1))
        lowest[worker.name] = float(cosines.min())
        if not lowest[worker.name] >= LOWEST_COSINE:
            sys.exit(f"{worker.name} and {workers[0].name} disagree: lowest cosine {lowest[worker.name]:.6f} at text {int(cosines.argmin())}")
    return lowest


def summary(values):
    """Median, and the spread as the distance between the quartiles relative to it."""
    median = statistics.median(values)
    quartiles = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [median] * 3
    return {"median": median, "spread": (quartiles[2] - quartiles[0]) / median, "values": values}


def percentile(values, percent):
    return float(numpy.percentile(values, percent))


def machine(settings):
    info = {}
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        info.setdefault(key.strip(), value.strip())
    flags = set(info.get("flags", "").split())
    return {
        "processor": info.get("model name", platform.processor()),
        "instruction sets": " ".join(name for name in ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile") if name in flags),
        "processors": os.cpu_count(),
        "pinned to": settings.cpu,
        "threads": settings.threads,
        "load before": round(os.getloadavg()[0], 2),
        "system": platform.platform(),
        "python": platform.python_version(),
    }
