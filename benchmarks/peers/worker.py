"""What every peer shares: the protocol between run.py and a library under test.

A worker is a process that loads a model, then answers one JSON object a line on standard input with one a line on standard output:

    {"command": "about"}                        {"name": "…", …}
    {"command": "load", "texts": PATH}          {"texts": N}            PATH: a JSON array of strings
    {"command": "encode"}                       {"seconds": S}          all the texts, normalised fp32 vectors, in their order
    {"command": "encode_each", "times": N}      {"seconds": [S, …]}     one text a call, round and round
    {"command": "save", "path": PATH}           {"rows": N}             the last result as .npy

A peer is a file beside this one, named as its library with a trailing _peer, which calls serve(load): load(model, threads, max_length)
gives an object with `name` and `encode(texts)`. It is started as `python <name>_peer.py MODEL THREADS MAX_LENGTH`.
"""

import json
import os
import sys
import time


def serve(load):
    model, threads, max_length = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not get between the answers
    peer = load(model, threads, max_length)
    import numpy

    texts, vectors = [], None
    for line in sys.stdin:
        request = json.loads(line)
        match request["command"]:
            case "about":
                answer = {"name": peer.name}
            case "load":
                with open(request["texts"], encoding="utf-8") as file:
                    texts = json.load(file)
                answer = {"texts": len(texts)}
            case "encode":
                start = time.perf_counter()
                vectors = peer.encode(texts)
                answer = {"seconds": time.perf_counter() - start}
            case "encode_each":
                seconds = []
                for i in range(request["times"]):
                    start = time.perf_counter()
                    vectors = peer.encode([texts[i % len(texts)]])
                    seconds.append(time.perf_counter() - start)
                answer = {"seconds": seconds}
            case "save":
                numpy.save(request["path"], numpy.asarray(vectors, dtype=numpy.float32))
                answer = {"rows": len(vectors)}
            case command:
                sys.exit(f"unknown command: {command}")
        print(json.dumps(answer), file=answers, flush=True)
