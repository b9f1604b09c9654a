#!/usr/bin/env python3
"""TorchScript programs: those that others traced or scripted beside sentence-transformers, those that cannot be used and what is said of them, and those that
`inlay export` writes, in a Python process that knows nothing of Inlay and read back by ourselves."""

import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import warnings
import zipfile

from live import compare, encode, fail, finish, load, print_versions, reference  # first: it skips

import corpus
import inlay
import numpy
import published
import torch
from sentence_transformers.sentence_transformer.modules import Dense

INLAY = os.environ.get("INLAY_BIN", "inlay")
warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)
warnings.filterwarnings("ignore", category=DeprecationWarning)
warnings.filterwarnings("ignore", category=FutureWarning)


def check(name, condition, detail=""):
    if condition:
        print(f"ok   {name}")
    else:
        fail(name, detail)


# --- from elsewhere --------------------------------------------------------------------------------------------------------------------
class Traced(torch.nn.Module):
    """A transformer as people trace it: what it gives is decided by `form`."""

    def __init__(self, transformer, form):
        super().__init__()
        self.transformer, self.form = transformer.base_model, form

    def forward(self, input_ids, attention_mask):
        states = self.transformer(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        weight = attention_mask.unsqueeze(2).to(states.dtype)
        vector = (states * weight).sum(1) / weight.sum(1)
        return {"tensor": states, "tuple": (states, vector), "vector": vector, "dictionary": {"last_hidden_state": states, "pooler_output": -vector},
                "both": {"sentence_embedding": vector, "token_embeddings": states}}[self.form]


def trace(transformer, form, path):
    example = torch.arange(4, 26).reshape(2, 11)
    with torch.no_grad():
        torch.jit.trace(Traced(transformer.float(), form).eval(), (example, torch.ones_like(example)), strict=False).save(str(path))


def compare_traced(work, texts):
    cases = {"microsoft/codebert-base": "tensor", "sentence-transformers/all-MiniLM-L6-v2": "tuple", "sentence-transformers/all-mpnet-base-v2": "dictionary",
             "distilbert/distilbert-base-uncased": "tensor", "intfloat/multilingual-e5-base": "both"}
    for name, form in cases.items():
        folder = work / "model"
        model = published.MODELS[name]
        transformer = published.write(folder, model, texts)
        trace(transformer, form, folder / "model.pt")
        expected = encode(reference(folder), texts)
        for weights in (*folder.glob("*.safetensors"), *folder.glob("*.bin")):
            weights.unlink()
        normalize = model.modules is not None and model.modules["normalize"]
        generator = load(folder / "model.pt", normalize=normalize)
        compare(f"traced to a {form}: {name}", generator.encode(texts), expected)
        info = generator.info
        check(f"its info: {name}", (info.architecture, info.pooling) == ("torchscript", "mean"), info)


def compare_outputs(work, texts):
    """Which output counts, without modules.json."""
    folder = work / "model"
    model = published.MODELS["sentence-transformers/all-MiniLM-L6-v2"]
    transformer = published.write(folder, model, texts)
    expected = encode(reference(folder), texts)
    (folder / "modules.json").unlink()
    shutil.rmtree(folder / "1_Pooling")
    for form in ("both", "vector", "tensor"):
        trace(transformer, form, folder / "model.pt")
        generator = load(folder / "model.pt")
        compare(f"without modules.json: {form}", generator.encode(texts), expected)
        pooling = "mean" if form == "tensor" else "none"
        check(f"its pooling: {form}", generator.info.pooling == pooling, generator.info.pooling)
        if form == "vector":
            expect_error("pooling, of a program that gives vectors", folder / "model.pt", "gives a text's vector by itself", pooling="cls")
        else:
            first = numpy.stack([states_of(transformer, folder, text)[0] for text in texts[:20]])
            compare(f"pooling given: {form}", load(folder / "model.pt", pooling="cls", normalize=False).encode(texts[:20]), first)

    # The tokenizer in a folder of its own, as save_pretrained("tokenizer") leaves it, and nothing else but the limit in its own file.
    (folder / "tokenizer").mkdir()
    for file in ("tokenizer.json", "tokenizer_config.json"):
        (folder / file).rename(folder / "tokenizer" / file)
    for path in folder.iterdir():
        if path.name not in ("model.pt", "tokenizer"):
            path.unlink()
    generator = load(folder / "model.pt")
    check("the limit of a tokenizer folder", generator.max_sequence_length == 512, generator.max_sequence_length)
    short = [text for text in texts if len(text) < 300]
    expected = expected[[len(text) < 300 for text in texts]]
    compare("the tokenizer in a folder of its own", generator.encode(short), expected)


def states_of(transformer, folder, text):
    tokenizer = reference(folder)[0].tokenizer
    with torch.no_grad():
        return transformer(**tokenizer(text, truncation=True, max_length=256, return_tensors="pt")).last_hidden_state[0].numpy()


class Scripted(torch.nn.Module):
    """A program of somebody's own: no attention, but sizes taken from its input."""

    def __init__(self, positions=64):
        super().__init__()
        self.words = torch.nn.Embedding(2000, 16)
        self.places = torch.nn.Embedding(positions, 16)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, scale: float = 2.0) -> torch.Tensor:
        places = torch.arange(input_ids.size(1), device=input_ids.device)
        return scale * self.words(input_ids) * attention_mask.unsqueeze(2) + self.places(places)


def compare_scripted(work, texts):
    folder = work / "scripted"
    folder.mkdir()
    published.write_tokenizer(folder, published.MODELS["sentence-transformers/all-MiniLM-L6-v2"], texts, False)
    module = Scripted().eval()
    torch.jit.script(module).save(str(folder / "model.pt"))
    expect_error("a limit that is too high", folder / "model.pt", "a text of 512 tokens was tried: set a smaller max_sequence_length")
    (folder / "tokenizer_config.json").unlink()
    expect_error("a limit that no file tells", folder / "model.pt", "a text of 512 tokens was tried: set a smaller max_sequence_length")
    expect_error("a limit of the caller's that is too high", folder / "model.pt", "a text of 65 tokens was tried", max_sequence_length=65)
    for config, message in (({"hidden_size": 384}, "hidden_size is 384, but the program's hidden states have 16 components"),
                            ({"model_type": "roberta", "max_position_embeddings": 514, "vocab_size": 2000, "pad_token_id": 600}, "positions for 0 tokens, fewer than the 2 special ones"),
                            ({"vocab_size": 2000, "pad_token_id": 2000}, "pad_token_id is 2000, not one of 2000 ids")):
        (folder / "config.json").write_text(json.dumps(config))
        try:
            load(folder / "model.pt", max_sequence_length=64)
        except inlay.Error as error:
            check(f"a config.json that contradicts: {message}", message in str(error), error)
        else:
            fail(f"a config.json that contradicts: {message}", "it was loaded")
    (folder / "config.json").write_text(json.dumps({"max_position_embeddings": -1}))
    check("positions without limit", load(folder / "model.pt", max_sequence_length=64).dimension == 16)
    (folder / "config.json").unlink()
    generator = load(folder / "model.pt", max_sequence_length=64, normalize=False)
    tokenizer = __import__("tokenizers").Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(64)
    expected = []
    with torch.no_grad():
        for text in texts:
            ids = torch.tensor([tokenizer.encode(text).ids])
            expected.append(module(ids, torch.ones_like(ids))[0].mean(0).numpy())
    compare("scripted, with a further argument", generator.encode(texts), numpy.stack(expected))
    same = load(folder / "model.pt", max_sequence_length=64)
    check("one fingerprint for one file", same.info.fingerprint == load(folder / "model.pt", max_sequence_length=64).info.fingerprint)
    return folder


# --- what cannot be used ---------------------------------------------------------------------------------------------------------------
def expect_error(name, path, *parts, **options):
    try:
        load(path, **options)
    except inlay.Error as error:
        check(name, all(part in str(error) for part in parts) and path.name in str(error), error)
    else:
        fail(name, "it was loaded")


def refusals(folder):
    path = folder / "other.pt"

    def save(module):
        torch.jit.script(module.eval()).save(str(path))

    class Fixed(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.words = torch.nn.Embedding(2000, 8)

        def forward(self, input_ids, attention_mask):
            return self.words(input_ids) + torch.zeros(input_ids.shape[0], input_ids.shape[1], 8)

    example = torch.zeros(2, 16, dtype=torch.int64)
    torch.jit.trace(Fixed(), (example, example), check_trace=False).save(str(path))  # sizes of a traced tensor are recorded
    check("a trace that keeps its sizes open", load(path).dimension == 8)

    class Constant(Fixed):
        def forward(self, input_ids, attention_mask):
            return self.words(input_ids) + torch.zeros(int(input_ids.shape[0]), int(input_ids.shape[1]), 8)

    for texts, tokens in ((1, 16), (2, 128), (1, 7)):
        example = torch.zeros(texts, tokens, dtype=torch.int64)
        torch.jit.trace(Constant(), (example, example), check_trace=False).save(str(path))
        sizes = f"it runs for {texts} text{'s' * (texts > 1)} of {tokens} tokens, but not for all batches"
        expect_error(f"traced for {texts} x {tokens}", path, "traced for a fixed size", sizes, "`inlay export`")

    class Mixing(Fixed):
        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            states = self.words(input_ids) + 0.1
            return states * states.size(0)

    save(Mixing())
    expect_error("numbers that depend on the batch's size", path, "change by", "the first dimension must be the batch's")

    class Averaging(Fixed):
        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            states = self.words(input_ids)
            return states + 5 * states.mean(0)

    save(Averaging())
    expect_error("texts that change one another", path, "change by", "texts must not mix")

    class TimeFirst(Fixed):
        """What nn.TransformerEncoderLayer does unless it is told that the batch comes first."""

        def __init__(self):
            super().__init__()
            self.layer = torch.nn.TransformerEncoderLayer(8, 2, 16)

        def forward(self, input_ids, attention_mask):
            return self.layer(self.words(input_ids))

    example = torch.arange(6).reshape(2, 3)
    torch.jit.trace(TimeFirst().eval(), (example, example), check_trace=False).save(str(path))
    expect_error("attention across the batch", path, "texts must not mix")

    class Dropping(Fixed):
        def forward(self, input_ids, attention_mask):
            return torch.nn.functional.dropout(self.words(input_ids), 0.5, training=True)

    torch.jit.trace(Dropping(), (example, example), check_trace=False).save(str(path))
    expect_error("dropout at work", path, "change by", "call the module's eval()")

    class Swapped(Fixed):
        def forward(self, attention_mask: torch.Tensor, input_ids: torch.Tensor) -> torch.Tensor:
            return self.words(input_ids)

    save(Swapped())
    expect_error("the mask first", path, "its forward takes (attention_mask: Tensor, input_ids: Tensor), not (input_ids: Tensor, attention_mask: Tensor)")

    class Types(Fixed):
        def forward(self, input_ids: torch.Tensor, token_type_ids: torch.Tensor) -> torch.Tensor:
            return self.words(input_ids + token_type_ids)

    save(Types())
    expect_error("token types second", path, "its forward takes (input_ids: Tensor, token_type_ids: Tensor)", "a module around it")

    class Caching(Fixed):
        """A cache of positions, as rotary embeddings have: calls must not overlap."""

        places: torch.Tensor

        def __init__(self):
            super().__init__()
            self.places = torch.zeros(1)

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            print("hello from a program")
            self.places = torch.arange(input_ids.size(1)).unsqueeze(1)
            return self.words(input_ids) + torch.sin(self.places)

    caching = Caching().eval()
    save(caching)
    texts = [f"text {'and ' * (i % 60)} number {i}" for i in range(2000)]
    generator = inlay.EmbeddingGenerator(str(path), device="cpu", threads=4, batch_tokens=64)
    check("one that keeps something", bool((generator.encode(texts) == generator.encode(texts)).all()))
    printed = subprocess.run([INLAY, "info", str(path), "--json"], capture_output=True, text=True)
    check("one that prints", printed.returncode == 0 and json.loads(printed.stdout)["dimension"] == 8 and "hello" not in printed.stderr, printed)

    class Transposed(Fixed):
        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            return self.words(input_ids).transpose(0, 1)

    save(Transposed())
    expect_error("time first", path, "tensor of the shape [7, 1, 8]")

    class Number(Fixed):
        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> int:
            return input_ids.size(0)

    save(Number())
    expect_error("a number", path, "gives a Int, not a tensor, a tuple that begins with one, or a dictionary")

    class OtherKeys(Fixed):
        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"logits": self.words(input_ids)}

    save(OtherKeys())
    expect_error("a dictionary of other things", path, "its keys are logits", "last_hidden_state")

    class OneArgument(Fixed):
        def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
            return self.words(input_ids)

    save(OneArgument())
    expect_error("one argument", path, "its forward takes (input_ids: Tensor), not (input_ids: Tensor, attention_mask: Tensor)")

    class NoForward(torch.nn.Module):
        @torch.jit.export
        def encode(self, x: torch.Tensor) -> torch.Tensor:
            return x

    save(NoForward())
    expect_error("no forward", path, "no method forward")

    class Raising(Fixed):
        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            raise ValueError("my own message")

    save(Raising())
    expect_error("one that always fails", path, "fails on batches of every size", "my own message")

    # Traced on another device: the constants of a program traced here, renamed.
    class Placed(Fixed):
        def forward(self, input_ids, attention_mask):
            return self.words(input_ids) + torch.arange(input_ids.shape[1], device=input_ids.device).unsqueeze(1)

    example = torch.zeros(2, 16, dtype=torch.int64)
    torch.jit.trace(Placed(), (example, example), check_trace=False).save(str(folder / "cpu.pt"))
    check("a device of its own, the right one", load(folder / "cpu.pt").dimension == 8)
    with zipfile.ZipFile(folder / "cpu.pt") as old, zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as new:
        for member in old.namelist():
            new.writestr(member, old.read(member).replace(b'torch.device("cpu")', b'torch.device("cuda:0")'))
    expect_error("traced on another device", path, "names the device cuda:0, and can't run on cpu", "trace it on cpu")

    torch.save({"a": torch.zeros(3)}, path)
    expect_error("a checkpoint", path, "is a checkpoint, not a TorchScript program", "pytorch_model.bin")
    torch.save({"a": torch.zeros(3)}, path, _use_new_zipfile_serialization=False)
    expect_error("an old checkpoint", path, "is a checkpoint, not a TorchScript program")
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    expect_error("a pointer of git-lfs", path, "Git LFS pointer")
    path.write_bytes(b"")
    expect_error("an empty file", path, "is not a TorchScript program")
    expect_error("a file of another kind", folder / "tokenizer.json", "is not a TorchScript program")
    expect_error("no such file", folder / "missing.pt", "there is no such TorchScript program")
    lonely = folder / "lonely"
    lonely.mkdir()
    shutil.copy(folder / "model.pt", lonely)
    try:
        load(lonely / "model.pt")
    except inlay.Error as error:
        check("no tokenizer beside it", error.status == inlay.Status.NOT_FOUND and "tokenizer" in str(error), error)
    else:
        fail("no tokenizer beside it", "it was loaded")
    try:
        load(folder)
    except inlay.Error as error:
        check("a folder with a program alone", "config.json" in str(error) and "to load the TorchScript program there, give" in str(error), error)
    else:
        fail("a folder with a program alone", "it was loaded")
    named = folder / "named.pt"
    named.mkdir()
    try:
        load(named)
    except inlay.Error as error:
        check("a folder called .pt", "named.pt/config.json" in str(error), error)
    else:
        fail("a folder called .pt", "it was loaded")


def rewritten(path, replace):
    """The program with some members' bytes changed: replace(name, bytes) gives the new ones."""
    with zipfile.ZipFile(path) as old:
        members = [(name, old.read(name)) for name in old.namelist()]
    bad = path.with_name("damaged.pt")
    with zipfile.ZipFile(bad, "w", zipfile.ZIP_STORED) as new:
        for name, data in members:
            data = replace(name, data)
            if data is not None:
                new.writestr(name, data)
    return bad


def damaged(folder):
    """Cut short anywhere, or with any bytes changed: an error, or a model where the damage fell on a weight."""
    good = folder / "cpu.pt"
    check("written again as it was", load(rewritten(good, lambda name, data: data)).dimension == 8)
    weights = next(name for name in zipfile.ZipFile(good).namelist() if name.endswith("/data/0"))
    for name, reason, replace in (
        ("a storage cut short", "storage 0 has 4 bytes, too few for 16000 elements", lambda name, data: data[:4] if name == weights else data),
        ("a storage missing", "storage 0 is missing", lambda name, data: None if name == weights else data),
        ("a tensor larger than its storage", "reaches outside its storage", lambda name, data: data.replace(b"M\xd0\x07", b"M\xd1\x07") if name.endswith("/data.pkl") else data),
        ("code that is nested without end", "nested too deep", lambda name, data: data + b"\n" + b"(" * 200_000 if name.endswith(".py") else data),
        ("no constants", "is a checkpoint, not a TorchScript program", lambda name, data: None if name.endswith("constants.pkl") else data),
        ("code that is none", "is not a valid TorchScript program", lambda name, data: b"!" if name.endswith(".py") else data),
    ):
        expect_error(name, rewritten(good, replace), reason)

    path = folder / "damaged.pt"
    chance = random.Random(4)
    loaded = 0
    small = [name for name in zipfile.ZipFile(good).namelist() if name.endswith((".pkl", ".py"))]

    def scrambled(name, data):
        if name != target or not data:
            return data
        bad = bytearray(data)
        for _ in range(chance.choice((1, 2, 8))):
            bad[chance.randrange(len(bad))] = chance.randrange(256)
        return bytes(bad)

    for i in range(200):
        if i % 4 == 0:
            bad = good.read_bytes()
            path.write_bytes(bad[: chance.randrange(len(bad))])
        elif i % 4 == 1:
            bad = bytearray(good.read_bytes())
            for _ in range(chance.choice((1, 4, 30))):
                bad[chance.randrange(len(bad))] = chance.randrange(256)
            path.write_bytes(bad)
        else:
            target = chance.choice(small)
            rewritten(good, scrambled)
        try:
            load(path).encode(["a text", "another one"])
            loaded += 1
        except inlay.Error as error:
            if path.name not in str(error):
                fail("a damaged program", f"the message names no file: {error}")
    print(f"ok   200 damaged programs, {loaded} of them loaded all the same")


# --- export ----------------------------------------------------------------------------------------------------------------------------
class PlainPython:
    def __init__(self, work):
        self.input, self.output = work / "input.npz", work / "output.npz"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("INLAY")}
        script = pathlib.Path(__file__).parent / "run_program.py"
        self.process = subprocess.Popen([sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)

    def run(self, program, input_ids, attention_mask):
        numpy.savez(self.input, input_ids=input_ids, attention_mask=attention_mask)
        self.process.stdin.write(f"{program}\t{self.input}\t{self.output}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if answer != "ok":
            raise RuntimeError(answer)
        return dict(numpy.load(self.output))


def export(folder, output, *arguments):
    return subprocess.run([INLAY, "export", str(folder), "-o", str(output), *arguments], capture_output=True, text=True)


def compare_exported(python, work, texts, name, folder, normalize):
    output = work / "exported"
    shutil.rmtree(output, ignore_errors=True)
    result = export(folder, output / "model.pt")
    if result.returncode != 0:
        return fail(f"export: {name}", result.stderr)
    model = reference(folder)
    some = texts[::3]
    for side in ("right", "left"):
        # Position ids of BERT depend on the side in transformers too: left padding is compared where they don't.
        if side == "left" and model[0].auto_model.config.model_type in ("bert", "distilbert"):
            continue
        model.tokenizer.padding_side = side
        features = model.preprocess(some) if hasattr(model, "preprocess") else model.tokenize(some)
        with torch.no_grad():
            expected = model(dict(features))
        try:
            got = python.run(output / "model.pt", features["input_ids"].numpy(), features["attention_mask"].numpy())
        except RuntimeError as error:
            return fail(f"in Python: {name}", error)
        chosen = features["attention_mask"].numpy() != 0
        compare(f"in Python, {side}: {name}", got["sentence_embedding"], expected["sentence_embedding"])
        compare(f"its hidden states, {side}: {name}", got["last_hidden_state"][chosen], expected["token_embeddings"].numpy()[chosen])
    model.tokenizer.padding_side = "right"
    own = load(output / "model.pt", normalize=normalize)
    compare(f"read back: {name}", own.encode(texts), encode(model, texts))
    (output / "modules.json").unlink(missing_ok=True)
    alone = load(output / "model.pt")
    check(f"its parameters: {name}", got["parameters"] == alone.info.parameters > 0, (got["parameters"], alone.info.parameters))
    if (folder / "modules.json").exists() and normalize:  # the program itself knows the whole model
        compare(f"read back without modules.json: {name}", alone.encode(texts), encode(model, texts))


def export_all(work, texts):
    python = PlainPython(work)
    for name, model in published.MODELS.items():
        folder = work / "model"
        published.write(folder, model, texts)
        compare_exported(python, work, texts, name, folder, model.modules is not None and model.modules["normalize"])
    for name, folder, normalize in published.heads(work, texts):
        compare_exported(python, work, texts, name, folder, normalize)
    if os.environ.get("INLAY_MODEL"):
        compare_exported(python, work, texts, "the real all-MiniLM-L6-v2", pathlib.Path(os.environ["INLAY_MODEL"]), True)

    # A text without any token, and a whole batch of them.
    published.write(folder, published.MODELS["sentence-transformers/all-MiniLM-L6-v2"], texts)
    export(folder, work / "exported" / "model.pt", "--force")
    ids = numpy.array([[5, 6, 7], [5, 6, 7]])
    got = python.run(work / "exported" / "model.pt", ids, numpy.array([[0, 0, 0], [1, 1, 1]]))
    check("a text without a token", bool(numpy.isfinite(got["sentence_embedding"]).all()), got["sentence_embedding"])
    got = python.run(work / "exported" / "model.pt", ids, numpy.zeros_like(ids))
    check("a whole batch of them", bool((got["sentence_embedding"] == 0).all()), got["sentence_embedding"])
    got = python.run(work / "exported" / "model.pt", ids[:0], ids[:0])
    check("a batch of no texts", got["sentence_embedding"].shape[0] == 0, got["sentence_embedding"].shape)


def export_errors(work, texts):
    folder = work / "model"
    published.write(folder, published.MODELS["sentence-transformers/all-MiniLM-L6-v2"], texts)
    output = work / "there" / "model.pt"
    result = export(folder, output, "--json")
    files = json.loads(result.stdout)["files"]
    check("export: the files by name", sorted(files) == sorted(str(path) for path in output.parent.rglob("*") if path.is_file()), files)
    with zipfile.ZipFile(output) as archive:
        code = b"".join(archive.read(member) for member in archive.namelist() if member.endswith(".py"))
    check("plain operators alone", b"ops.inlay" not in code and b"torch.scaled_dot_product_attention" in code)
    before = output.read_bytes()
    result = export(folder, output)
    check("export: the program is there already", result.returncode == 1 and "model.pt is in the way" in result.stderr, result.stderr)
    check("export --force", export(folder, output, "--force").returncode == 0)
    output.unlink()
    (output.parent / "tokenizer.json").write_text("{}")
    result = export(folder, output)
    check("export: another file is in the way", result.returncode == 1 and "tokenizer.json is in the way" in result.stderr and not output.exists(), result.stderr)
    result = export(folder, output, "--force")
    check("export --force over another file", result.returncode == 0 and (output.parent / "tokenizer.json").read_bytes() == (folder / "tokenizer.json").read_bytes(), result.stderr)
    check("export: the same bytes again", before == output.read_bytes())
    result = export(folder, work / "mixed" / "config.json")
    check("export in the place of one of the model's files", result.returncode == 2 and "must end in .pt" in result.stderr, result.stderr)
    full = work / "full"
    limited = f"ulimit -f 500; exec '{INLAY}' export '{folder}' -o '{full}/model.pt'"  # 256 kB
    result = subprocess.run(["bash", "-c", limited], capture_output=True, text=True, preexec_fn=lambda: signal.signal(signal.SIGXFSZ, signal.SIG_IGN))
    left = [path for path in full.rglob("*") if path.is_file()]
    check("export: the disk is full", result.returncode == 1 and "model.pt" in result.stderr and not left, (result, left))
    result = export(output, work / "again.pt")
    check("export of a program", result.returncode == 1 and "not a model's folder" in result.stderr, result.stderr)
    result = export(folder, folder / "inside.pt")
    check("export into the model's own folder", result.returncode == 0 and load(folder / "inside.pt").dimension == 64, result.stderr)
    if os.geteuid() != 0:
        closed = work / "closed"
        closed.mkdir(mode=0o500)
        result = export(folder, closed / "model.pt")
        check("export: a folder that cannot be written", result.returncode == 1 and str(closed) in result.stderr, result.stderr)
    result = export(folder, "/dev/full/model.pt")
    check("export: below a file", result.returncode == 1 and "/dev/full" in result.stderr, result.stderr)
    misfit = work / "misfit"
    shutil.copytree(folder, misfit)
    dense = Dense(32, 16)  # behind a pooling of 64
    (misfit / "9_Dense").mkdir()
    dense.save(str(misfit / "9_Dense"))
    modules = json.loads((misfit / "modules.json").read_text())
    modules.append({"idx": len(modules), "name": "9", "path": "9_Dense", "type": "sentence_transformers.models.Dense"})
    (misfit / "modules.json").write_text(json.dumps(modules))
    result = export(misfit, work / "misfit_out" / "model.pt")
    check("export: a module that does not fit", result.returncode == 1 and "9_Dense" in result.stderr and "in_features is 32" in result.stderr
          and not (work / "misfit_out").exists(), result.stderr)
    (folder / "model.safetensors").write_bytes(b"\0" * 100)
    result = export(folder, work / "broken" / "model.pt")
    left = [path for path in (work / "broken").rglob("*") if path.is_file()] if (work / "broken").exists() else []
    check("export: broken weights leave nothing behind", result.returncode == 1 and "model.safetensors" in result.stderr and not left, (result.stderr, left))


def main():
    print_versions()
    every = [text.encode("utf-8", "replace").decode() for _, text in corpus.texts()] + ["", "word", "a <mask> b<pad> c</s>", corpus.words(700, seed=5)]
    with tempfile.TemporaryDirectory(prefix="inlay_torchscript_") as work:
        work = pathlib.Path(work)
        compare_traced(work, every)
        compare_outputs(work, every)
        folder = compare_scripted(work, every)
        refusals(folder)
        damaged(folder)
        export_all(work, every[::4])
        export_errors(work, every)
    finish()


if __name__ == "__main__":
    main()
