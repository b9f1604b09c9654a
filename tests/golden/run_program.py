#!/usr/bin/env python3
"""A TorchScript program in a process that knows nothing of Inlay: reads lines "PROGRAM INPUT.npz OUTPUT.npz" and answers each with "ok" or what went wrong."""

import sys

import numpy
import torch

for line in sys.stdin:
    program, given, wanted = line.rstrip("\n").split("\t")
    try:
        arrays = numpy.load(given)
        module = torch.jit.load(program)
        ids, mask = torch.from_numpy(arrays["input_ids"]), torch.from_numpy(arrays["attention_mask"])
        with torch.no_grad():
            for size in range(1, min(4, len(ids))):  # other shapes first: from the second call on a program runs optimised
                module(ids[:size, : 3 + size], mask[:size, : 3 + size])
            output = module(ids, mask)
        numpy.savez(wanted, parameters=sum(parameter.numel() for parameter in module.parameters()), **{name: tensor.numpy() for name, tensor in output.items()})
        print("ok", flush=True)
    except Exception as error:
        print(" ".join(str(error).split()), flush=True)
