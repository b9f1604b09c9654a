"""From the start of a process to its first embedding, files in the page cache: through the C library, and a Python program beside it."""

import os
import subprocess
import sys
import time

import harness

QUERY = "how do I read a text file by line?"
PYTHON_PROGRAM = """
import sys
from sentence_transformers import SentenceTransformer
model = SentenceTransformer(sys.argv[1], device="cpu")
print(*model.encode([sys.argv[2]])[0][:4], flush=True)
"""


def first_embedding(settings, command):
    start = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        preexec_fn=lambda: os.sched_setaffinity(0, {settings.cpu}),
    )
    line = process.stdout.readline()
    seconds = time.perf_counter() - start
    process.wait()
    if process.returncode != 0 or not line:
        sys.exit(f"{command[0]} failed with status {process.returncode}")
    return seconds, [float(number) for number in line.split()[:4]]


def measure(settings):
    ours = [str(settings.build / "bin" / "first_embedding"), str(settings.model), QUERY]
    commands = {"inlay, C library": ours}
    if "sentence_transformers" in settings.peers:
        commands["sentence-transformers, Python"] = [sys.executable, "-c", PYTHON_PROGRAM, str(settings.model), QUERY]
    rounds = 3 if settings.quick else 7
    seconds = {who: [] for who in commands}
    first = {}
    for turn in range(rounds + 1):  # the first warms the page cache
        for who, command in commands.items():
            taken, numbers = first_embedding(settings, command)
            if turn > 0:
                seconds[who].append(taken)
            reference = first.setdefault("numbers", numbers)
            if max(abs(a - b) for a, b in zip(numbers, reference)) > 1e-5:
                sys.exit(f"{who} gave another vector: {numbers}, not {reference}")
    return [{"scenario": "startup", "who": who, "seconds": harness.summary(values)} for who, values in seconds.items()]


def show(rows):
    return [f"{row['scenario']:<17} {row['who']:<44} {row['seconds']['median']:6.3f} s to the first embedding ±{row['seconds']['spread']:5.1%}" for row in rows]
