#!/usr/bin/env python3
"""What torch.save, transformers and safetensors write, read back by TensorFiles and compared bit by bit; and pickles that would run something,
which must be refused by the name of what they would run. Exit status 77: torch or transformers is not installed."""

import collections
import importlib
import io
import json
import os
import pathlib
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
import zipfile

try:
    import numpy
    import safetensors.torch
    import torch
    import transformers
except ImportError as error:
    print(f"skipped: the reference is not installed ({error})")
    sys.exit(77)

BRIDGE = subprocess.Popen(pathlib.Path(os.environ["INLAY_BUILD"]) / "bin" / "list_tensors", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
DTYPES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.float64: "F64", torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8",
          torch.uint8: "U8", torch.bool: "BOOL", torch.complex64: "C64", torch.complex128: "C128"}
WEIGHTS = {torch.float32, torch.float16, torch.bfloat16, torch.float64}

failures = []
comparisons = 0


def check(name, condition, detail=""):
    global comparisons
    comparisons += 1
    if not condition:
        print(f"FAIL {name}: {detail}")
        failures.append(name)


def read(folder, module=""):
    """The tensors by name, or the status and the message of the error."""
    BRIDGE.stdin.write(f"{folder}\n{module}\n")
    BRIDGE.stdin.flush()
    line = BRIDGE.stdout.readline()
    if not line:
        sys.exit(f"list_tensors ended with {BRIDGE.wait()} on {folder}")
    answer = json.loads(line)
    if "tensors" in answer:
        return None, {tensor["name"]: tensor for tensor in answer["tensors"]}
    return answer["status"], answer["message"]


def bytes_of(tensor):
    return tensor.detach().contiguous().flatten().view(torch.uint8).numpy().tobytes() if tensor.numel() else b""


def check_tensors(name, folder, expected):
    status, tensors = read(folder)
    if status:
        return check(name, False, tensors)
    check(name, set(tensors) == set(expected), f"{sorted(set(tensors) ^ set(expected))}")
    for key, tensor in expected.items():
        got = tensors.get(key)
        if got is None:
            continue
        check(f"{name}: {key}", got["dtype"] == DTYPES[tensor.dtype] and got["shape"] == list(tensor.shape), f"{got['dtype']} {got['shape']}, not {tensor.dtype} {list(tensor.shape)}")
        if tensor.dtype in WEIGHTS:
            check(f"{name}: {key}", bytes.fromhex(got["elements"]) == bytes_of(tensor), "the elements differ")
        check(f"{name}: {key}", got["in_place"] == (tensor.is_contiguous() or tensor.dim() == 0), "is not where it should be")


def check_refused(name, folder, status, *named):
    got, message = read(folder)
    check(name, got == status, f"{got}: {message if got else 'it was read'}")
    for part in named if got else ():
        check(name, part in message, f"{part!r} is not in {message!r}")
    if got:
        check(name, "\n" not in message, message)


def every_kind_of_tensor():
    torch.manual_seed(1)
    base = torch.randn(6, 8)
    cube = torch.randn(2, 3, 4, 5)
    half = torch.randn(10, 3).half()
    return {
        "float32": torch.randn(3, 4), "float16": torch.randn(3, 5).half(), "bfloat16": torch.randn(5, 3).bfloat16(), "float64": torch.randn(2, 2).double(),
        "int64": torch.arange(6).reshape(2, 3), "int32": torch.arange(6, dtype=torch.int32), "int16": torch.arange(3, dtype=torch.int16), "int8": torch.arange(3, dtype=torch.int8),
        "uint8": torch.arange(3, dtype=torch.uint8), "bool": torch.tensor([True, False]), "complex64": torch.randn(2, dtype=torch.complex64), "complex128": torch.randn(2, dtype=torch.complex128),
        "scalar": torch.tensor(2.5), "one": torch.randn(1, 1, 1), "none": torch.zeros(0), "none in two": torch.zeros(3, 0),
        "base": base, "tied": base, "rows": base[2:5], "columns": base[:, 3:7], "transposed": base.t(), "every second": base[::2, ::3], "row": base[1], "column": base[:, 1],
        "permuted": cube.permute(3, 1, 0, 2), "inner": cube[1, 1:, 1:3, ::2], "expanded": base[0].expand(1, 8), "half transposed": half.t(),
        "double transposed": torch.randn(3, 4).double().t(), "flat in one": torch.randn(4, 1).t(), "parameter": torch.nn.Parameter(torch.randn(4, 2)),
        "parameter transposed": torch.nn.Parameter(torch.randn(4, 2).t()), "name \u00e9\u65e5\u672c": torch.randn(2), "special": torch.tensor([float("nan"), float("inf"), -0.0, 1e-45]),
    }  # fmt: skip


def write_tensors(work):
    expected = every_kind_of_tensor()
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.LayerNorm(4), torch.nn.Embedding(7, 3))
    for zipped in (True, False):
        for protocol in (2, 3, 4, 5):
            name = f"{'zip' if zipped else 'stacked'}, protocol {protocol}"
            folder = work / name.replace(", ", "_").replace(" ", "_")
            folder.mkdir()
            save = lambda what: torch.save(what, folder / "pytorch_model.bin", _use_new_zipfile_serialization=zipped, pickle_protocol=protocol)  # noqa: B023, E731
            save(expected)
            check_tensors(name, folder, expected)
            save(collections.OrderedDict(expected))
            check_tensors(f"{name}, OrderedDict", folder, expected)
            save(module.state_dict())  # with _metadata
            check_tensors(f"{name}, state_dict", folder, module.state_dict())
            save(dict(module.named_parameters()))
            check_tensors(f"{name}, parameters", folder, dict(module.named_parameters()))
            state = module.half().state_dict()
            for key in ("state_dict", "model_state_dict", "model", "module"):
                save({"epoch": 3, "loss": 0.25, "done": True, "name": "n", "none": None, "big": 1 << 100, "list": [1, (2, "3")], "optimizer": {"state": {0: {"exp_avg": torch.ones(2)}}}, key: state})
                check_tensors(f"{name}, under {key}", folder, state)
            save({"state_dict": state, "model": state})
            check_refused(f"{name}, two states", folder, "invalid_model", "pytorch_model.bin", "state_dict", "model")
            save({**expected, "step": 3, "args": {"lr": 1e-3, "betas": (0.9, 0.999), "tags": ["a", "b"]}, 5: torch.ones(2)})
            check_tensors(f"{name}, with plain values", folder, expected)
            module.float()
            for what, words in {"no tensors": {"a": 1}, "nothing": {}, "a list": [torch.ones(2)], "a tensor": torch.ones(2), "none": None}.items():
                save(words)
                check_refused(f"{name}, {what}", folder, "invalid_model", "pytorch_model.bin")
            save(module)
            check_refused(f"{name}, a whole module", folder, "unsupported", "pytorch_model.bin", "torch.nn.modules.container.Sequential", "state_dict()")
            save({"weight": torch.ones(2), "scale": numpy.float64(3)})
            check_refused(f"{name}, numpy", folder, "unsupported", "pytorch_model.bin", "numpy.", "scalar")
            save({"weight": torch.ones(2), "dtype": torch.float16})
            check_refused(f"{name}, a dtype", folder, "unsupported", "pytorch_model.bin", "torch.float16")
            warnings.simplefilter("ignore", UserWarning)  # quantised tensors are deprecated
            save({"weight": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)})
            check_refused(f"{name}, quantized", folder, "unsupported", "pytorch_model.bin", "_rebuild_qtensor")


class Call:
    """Pickles as a call of whatever it is given."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def evil_pickles(marker):
    """What each would call, by the names that pickle gives it, and an object that pickles so."""
    command = f"touch {marker}"
    code = f"open({str(marker)!r}, 'w').close()"
    yield ["posix.system"], Call(os.system, command)
    yield ["builtins.eval", "__builtin__.eval"], Call(eval, code)
    yield ["builtins.exec", "__builtin__.exec"], Call(exec, code)
    yield ["builtins.getattr", "__builtin__.getattr"], Call(getattr, "text", "upper")
    yield ["io.open"], Call(open, str(marker), "w")
    yield ["builtins.__import__", "__builtin__.__import__"], Call(__import__, "os")
    yield ["importlib.import_module"], Call(importlib.import_module, "os")
    yield ["subprocess.Popen", "commands.Popen"], Call(subprocess.Popen, ["touch", str(marker)])
    yield ["shutil.rmtree"], Call(shutil.rmtree, str(marker))
    yield ["torch.serialization.load"], Call(torch.load, str(marker))
    yield ["torch._utils._rebuild_device_tensor_from_numpy"], Call(torch._utils._rebuild_device_tensor_from_numpy, 1, 2, 3, 4)
    yield ["numpy."], numpy.float32(1)
    yield ["builtins.complex", "__builtin__.complex"], 1j
    yield ["builtins.set", "__builtin__.set", "0x8f"], {1, 2}  # since protocol 4 an instruction of its own


def write_evil_pickles(work):
    folder = work / "evil"
    folder.mkdir()
    marker = work / "was_run"

    def check_evil(name, names):
        status, message = read(folder)
        check(name, status is not None and any(part in message for part in names), f"{status}: {message if status else 'it was read'}")

    for names, value in evil_pickles(marker):
        for protocol in (2, 3, 4, 5):
            for where in ({"weight": torch.ones(2), "x": value}, value):
                for zipped in (True, False):
                    torch.save(where, folder / "pytorch_model.bin", _use_new_zipfile_serialization=zipped, pickle_protocol=protocol)
                    check_evil(f"evil {names[0]}, protocol {protocol}", names)
            (folder / "pytorch_model.bin").write_bytes(pickle.dumps(value, protocol=protocol))
            check_evil(f"evil {names[0]} alone, protocol {protocol}", names)
    for text in (b"cos\nsystem\n(S'touch x'\ntR.", b"\x80\x02cos\nsystem\n(X\x01\x00\x00\x00xtR.", b"\x80\x02(X\x01\x00\x00\x00xios\nsystem\n.", b"\x80\x02cos\nsystem\nq\x00)\x81.",
                 b"\x80\x04\x8c\x02os\x8c\x06system\x93(\x8c\x01xtR."):  # fmt: skip
        with zipfile.ZipFile(folder / "pytorch_model.bin", "w") as archive:
            archive.writestr("archive/data.pkl", text)
        named = ["os.system"] if text.startswith(b"\x80") else []
        status, message = read(folder)
        check(f"evil {text}", status is not None and all(part in message for part in named), f"{status} {message}")
    for opcode in (b"\x82\x01", b"\x83\x01\x00", b"\x84\x01\x00\x00\x00", b"\x97", b"\x98", b"\x8f", b"\x90", b"\x91", b"\x92", b"\x81", b"o", b"P1\n", b"I1\n", b"S'a'\n", b"L1L\n", b"F1\n", b"V1\n", b"g0\n", b"p0\n"):
        with zipfile.ZipFile(folder / "pytorch_model.bin", "w") as archive:
            archive.writestr("archive/data.pkl", b"\x80\x02}q\x00" + opcode + b".")
        check_refused(f"opcode {opcode}", folder, "invalid_model", "data.pkl", f"0x{opcode[0]:02x}", "byte 5")
    check("nothing was run", not marker.exists())


def write_odd_archives(work):
    folder = work / "odd"
    folder.mkdir()
    path = folder / "pytorch_model.bin"
    state = {"weight": torch.randn(3, 4)}
    torch.save(state, path)
    members = {member.filename: zipfile.ZipFile(path).read(member) for member in zipfile.ZipFile(path).infolist()}

    def archive(changed=None, method=zipfile.ZIP_STORED, names=lambda name: name):
        with zipfile.ZipFile(path, "w", method) as target:
            for name, data in {**members, **(changed or {})}.items():
                if data is not None:
                    target.writestr(names(name), data)

    folder_name = next(iter(members)).split("/")[0]
    archive()
    check_tensors("rewritten by Python's zipfile", folder, state)
    archive(names=lambda name: "any name/" + name.split("/", 1)[1])
    check_tensors("another folder's name", folder, state)
    archive({f"{folder_name}/byteorder": None, f"{folder_name}/version": None, f"{folder_name}/.data/serialization_id": None})
    check_tensors("as torch 1.6 wrote it", folder, state)
    archive({f"{folder_name}/byteorder": b"big"})
    check_refused("big-endian", folder, "unsupported", "pytorch_model.bin", "big")
    archive(method=zipfile.ZIP_DEFLATED)
    check_refused("deflated", folder, "unsupported", "pytorch_model.bin", f"{folder_name}/", "compressed")
    archive({f"{folder_name}/data/0": None})
    check_refused("a storage is missing", folder, "invalid_model", "pytorch_model.bin", "storage 0")
    archive({f"{folder_name}/data/0": members[f"{folder_name}/data/0"][:-1]})
    check_refused("a storage is short", folder, "invalid_model", "pytorch_model.bin", "storage 0", "47 bytes")
    archive({f"{folder_name}/data.pkl": None})
    check_refused("no data.pkl", folder, "invalid_model", "pytorch_model.bin", "data.pkl")
    archive({"other/data.pkl": members[f"{folder_name}/data.pkl"]})
    check_refused("two data.pkl", folder, "invalid_model", "pytorch_model.bin", "several data.pkl")
    with zipfile.ZipFile(path, "w") as target:  # as a writer of a stream does, sizes behind the data
        for name, data in members.items():
            with target.open(name, "w", force_zip64=True) as member:
                member.write(data)
    check_tensors("zip64", folder, state)
    stream = io.BytesIO()

    class Unseekable(io.RawIOBase):
        writable = lambda self: True  # noqa: E731

        def write(self, data):
            return stream.write(data)

    with zipfile.ZipFile(Unseekable(), "w") as target:
        for name, data in members.items():
            target.writestr(name, data)
    path.write_bytes(stream.getvalue())
    check_tensors("sizes behind the data", folder, state)
    path.write_bytes(stream.getvalue()[:-22] + stream.getvalue()[-22:-2] + b"\x07\x00comment")
    check_tensors("a comment", folder, state)
    torch.jit.script(torch.nn.Linear(2, 2)).save(str(path))
    check_refused("TorchScript", folder, "unsupported", "pytorch_model.bin", "TorchScript")
    torch.save(state, path, _use_new_zipfile_serialization=False)
    data = path.read_bytes()
    path.write_bytes(re.sub(rb"(?s)(little_endianq.)\x88", lambda found: found[1] + b"\x89", data, count=1))
    check_refused("big-endian, stacked", folder, "unsupported", "pytorch_model.bin", "byte order")
    path.write_bytes(data.replace(b"M\xe9\x03.", b"M\xea\x03."))
    check_refused("another protocol, stacked", folder, "unsupported", "pytorch_model.bin", "1001")
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n")
    check_refused("a Git LFS pointer", folder, "invalid_model", "pytorch_model.bin", "git lfs pull")
    # Python 2's OrderedDict and strings, whose form is that of its pickle module.
    storage = b"(U\x07storagectorch\nFloatStorage\nU\x010U\x03cpuK\x0ctQ"
    tensor = b"ctorch._utils\n_rebuild_tensor\n(" + storage + b"K\x00K\x03K\x04\x86K\x04K\x01\x86tR"
    archive({f"{folder_name}/data.pkl": b"\x80\x02ccollections\nOrderedDict\n](](U\x06weight" + tensor + b"ee\x85R."})
    check_tensors("as Python 2 wrote it", folder, state)


def write_damage(work):
    for zipped in (True, False):
        folder = work / f"damaged_{zipped}"
        folder.mkdir()
        torch.save({"a": torch.randn(2, 3), "b": torch.randn(3, 2).t().half()}, folder / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)
        data = (folder / "pytorch_model.bin").read_bytes()
        for size in range(len(data)):
            (folder / "pytorch_model.bin").write_bytes(data[:size])
            check_refused(f"truncated at {size}", folder, "invalid_model", "pytorch_model.bin")


def write_shards(work):
    config = transformers.BertConfig(vocab_size=200, hidden_size=32, num_attention_heads=2, num_hidden_layers=3, intermediate_size=48, max_position_embeddings=40)
    model = transformers.BertModel(config)
    whole, sharded = work / "whole", work / "sharded"
    model.save_pretrained(whole)
    model.save_pretrained(sharded, max_shard_size="20KB")
    expected = model.state_dict()
    index = json.loads((sharded / "model.safetensors.index.json").read_text())
    shards = sorted(set(index["weight_map"].values()))
    check("there are several shards", len(shards) > 3)
    check_tensors("safetensors", whole, expected)
    check_tensors("safetensors shards", sharded, expected)
    files = {name: tensor["file"] for name, tensor in read(sharded)[1].items()}
    check("each tensor lies where the index says", all(files[name] == str(sharded / shard) for name, shard in index["weight_map"].items()))
    check("a module's folder", read(work, "whole") == read(whole))

    # The same as pytorch_model.bin shards, which transformers no longer writes: its index has the same form.
    binary = work / "binary"
    binary.mkdir()
    names = {shard: f"pytorch_model-{i + 1:05}-of-{len(shards):05}.bin" for i, shard in enumerate(shards)}
    for i, (shard, name) in enumerate(names.items()):
        torch.save(safetensors.torch.load_file(sharded / shard), binary / name, _use_new_zipfile_serialization=i % 2 == 0)
    (binary / "pytorch_model.bin.index.json").write_text(json.dumps({"metadata": {}, "weight_map": {tensor: names[shard] for tensor, shard in index["weight_map"].items()}}))
    check_tensors("bin shards", binary, expected)
    torch.save({"other": torch.ones(1)}, whole / "pytorch_model.bin")
    check_tensors("safetensors go before bin", whole, expected)

    def with_index(change):
        changed = json.loads(json.dumps(index))
        change(changed)
        (sharded / "model.safetensors.index.json").write_text(json.dumps(changed))

    def point(tensor, shard):
        return lambda changed: changed["weight_map"].update({tensor: shard})

    name = "encoder.layer.1.output.dense.bias"
    for path in ("../whole/model.safetensors", "/etc/passwd", "a/../../whole/model.safetensors", "..", ".", "", "a//b", "a\\b", "\0"):
        with_index(point(name, path))
        check_refused(f"a shard at {path!r}", sharded, "invalid_model", "index.json", name, "leads out", "index.json")
    with_index(point(name, "model-00099.safetensors"))
    check_refused("a missing shard", sharded, "not_found", "index.json", "model-00099.safetensors", name)
    with_index(point("ghost", shards[1]))
    check_refused("a tensor that its shard lacks", sharded, "invalid_model", "index.json", shards[1], "ghost")
    with_index(point(name, next(shard for shard in shards if shard != index["weight_map"][name])))
    check_refused("a tensor in another shard", sharded, "invalid_model", "index.json", name)
    with_index(point(name, 3))
    check_refused("a shard that is no string", sharded, "invalid_model", "index.json", name)
    with_index(point(name, "folder"))
    (sharded / "folder").mkdir()
    check_refused("a shard that is a folder", sharded, "io_error", "folder")
    for text in ("", "[]", "{}", '{"weight_map": []}', '{"weight_map": null}', "{", '{"weight_map": {"a": "x", "a": "y"}}'):
        (sharded / "model.safetensors.index.json").write_text(text)
        check_refused(f"an index of {text!r}", sharded, "invalid_model", "index.json")


def main():
    print(f"torch {torch.__version__}, transformers {transformers.__version__}")
    with tempfile.TemporaryDirectory(prefix="inlay_torch_files_") as work:
        for part in (write_tensors, write_evil_pickles, write_odd_archives, write_damage, write_shards):
            before = comparisons
            part(pathlib.Path(work))
            print(f"{part.__name__}: {comparisons - before} checks")
    if failures:
        sys.exit(f"{len(failures)} checks failed")


if __name__ == "__main__":
    main()
