"""Model folders with exactly the files, names and shapes that the models of the field are published in, with random weights.

    write(folder, MODELS["microsoft/codebert-base"], texts)            a small one: few layers, a tokenizer trained on the texts
    write(folder, MODELS["microsoft/codebert-base"], texts, full=True)  all layers, the real vocabulary where $INLAY_DATA has it
"""

import dataclasses
import json
import os
import pathlib
import shutil

import tokenizers
import torch
import transformers
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense, LayerNorm, Normalize, Pooling, Transformer
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers


@dataclasses.dataclass(frozen=True)
class Model:
    architecture: str  # of ARCHITECTURES
    tokenizer: str  # of TOKENIZERS
    weights: str = "safetensors"  # "bin": torch.save's zip, "legacy bin": its stacked pickles, "shards", "bin shards"
    head: bool = False  # published with the head it was pretrained with: tensors behind a prefix, and some that no encoder uses
    modules: dict | None = None  # write_modules' arguments; None: a bare transformer
    limit: int | None = None  # sentence_bert_config.json's max_seq_length
    files: tuple = ()  # the tokenizer's older files beside tokenizer.json
    without_json: bool = False  # ... or in its place
    dtype: torch.dtype = torch.float32
    config: dict = dataclasses.field(default_factory=dict)  # of the full size, where it isn't the architecture's base


SMALL = dict(hidden_size=64, num_attention_heads=4, num_hidden_layers=3, intermediate_size=96)
BASE = dict(hidden_size=768, num_attention_heads=12, num_hidden_layers=12, intermediate_size=3072)
LARGE = dict(hidden_size=1024, num_attention_heads=16, num_hidden_layers=24, intermediate_size=4096)
MINI_6 = dict(hidden_size=384, num_attention_heads=12, num_hidden_layers=6, intermediate_size=1536)
MINI_12 = dict(hidden_size=384, num_attention_heads=12, num_hidden_layers=12, intermediate_size=1536)
SIX_LAYERS = BASE | dict(num_hidden_layers=6)

ROBERTA = dict(max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5, pad_token_id=1, bos_token_id=0, eos_token_id=2)
# config class, encoder, encoder with its pretraining head, what differs from the class's defaults
ARCHITECTURES = {
    "bert": (transformers.BertConfig, transformers.BertModel, transformers.BertForMaskedLM, dict(max_position_embeddings=512)),
    "roberta": (transformers.RobertaConfig, transformers.RobertaModel, transformers.RobertaForMaskedLM, ROBERTA),
    "xlm-roberta": (transformers.XLMRobertaConfig, transformers.XLMRobertaModel, transformers.XLMRobertaForMaskedLM, ROBERTA),
    "distilbert": (transformers.DistilBertConfig, transformers.DistilBertModel, transformers.DistilBertForMaskedLM, dict(max_position_embeddings=512)),
    "mpnet": (transformers.MPNetConfig, transformers.MPNetModel, transformers.MPNetForMaskedLM, dict(max_position_embeddings=514, pad_token_id=1, bos_token_id=0, eos_token_id=2)),
}
DISTILBERT_NAMES = {"hidden_size": "dim", "num_attention_heads": "n_heads", "num_hidden_layers": "n_layers", "intermediate_size": "hidden_dim"}

MEAN = dict(pooling="mean", normalize=True)
MODELS = {
    "microsoft/codebert-base": Model("roberta", "bpe", "bin", files=("vocab.json", "merges.txt"), without_json=True),
    "microsoft/graphcodebert-base": Model("roberta", "bpe", "legacy bin", head=True, files=("vocab.json", "merges.txt"), without_json=True),
    "huggingface/CodeBERTa-small-v1": Model("roberta", "bpe", "legacy bin", head=True, files=("vocab.json", "merges.txt"), without_json=True, config=SIX_LAYERS),
    "flax-sentence-embeddings/st-codesearch-distilroberta-base": Model("roberta", "bpe", "bin", modules=MEAN, limit=128, files=("vocab.json", "merges.txt"), config=SIX_LAYERS),
    "sentence-transformers/all-MiniLM-L6-v2": Model("bert", "wordpiece", modules=MEAN, limit=256, files=("vocab.txt",), config=MINI_6),
    "sentence-transformers/all-MiniLM-L12-v2": Model("bert", "wordpiece", "bin", modules=MEAN, limit=128, files=("vocab.txt",), config=MINI_12),
    "sentence-transformers/all-mpnet-base-v2": Model("mpnet", "mpnet", modules=MEAN, limit=384, files=("vocab.txt",)),
    "sentence-transformers/all-distilroberta-v1": Model("roberta", "bpe", modules=MEAN, limit=512, files=("vocab.json", "merges.txt"), config=SIX_LAYERS),
    "sentence-transformers/all-roberta-large-v1": Model("roberta", "bpe", "shards", modules=MEAN, limit=256, files=("vocab.json", "merges.txt"), config=LARGE),
    "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2": Model("bert", "unigram", modules=dict(pooling="mean", normalize=False), limit=128, config=MINI_12),
    "BAAI/bge-base-en-v1.5": Model("bert", "wordpiece", modules=dict(pooling="cls", normalize=True), limit=512, files=("vocab.txt",)),
    "intfloat/e5-base-v2": Model("bert", "wordpiece", modules=MEAN, limit=512, files=("vocab.txt",)),
    "intfloat/multilingual-e5-base": Model("xlm-roberta", "unigram", modules=MEAN, limit=512, dtype=torch.float16),
    "distilbert/distilbert-base-uncased": Model("distilbert", "wordpiece", head=True, files=("vocab.txt",), config=SIX_LAYERS),
    "distilbert, bin shards, bf16": Model("distilbert", "wordpiece", "bin shards", head=True, files=("vocab.txt",), dtype=torch.bfloat16, config=SIX_LAYERS),
    "mpnet without tokenizer.json": Model("mpnet", "mpnet", "bin", head=True, files=("vocab.txt",), without_json=True),
}


# --- tokenizers ------------------------------------------------------------------------------------------------------------------------
def data(*parts):
    path = pathlib.Path(os.environ.get("INLAY_DATA", "/nonexistent"), *parts)
    return path if path.exists() else None


def added(content, *, lstrip=False):
    return tokenizers.AddedToken(content, lstrip=lstrip, normalized=False, special=True)


def bpe(texts, full):
    """RoBERTa's: GPT-2's byte-level pieces."""
    if full and data("roberta", "vocab.json"):
        model = models.BPE.from_file(str(data("roberta", "vocab.json")), str(data("roberta", "merges.txt")))
        tokenizer = tokenizers.Tokenizer(model)
    else:
        tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    if not (full and data("roberta", "vocab.json")):
        special = ["<s>", "<pad>", "</s>", "<unk>"]
        trainer = trainers.BpeTrainer(vocab_size=1500, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
        tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens([added("<s>"), added("<pad>"), added("</s>"), added("<unk>"), added("<mask>", lstrip=True)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False)
    config = dict(tokenizer_class="RobertaTokenizer", bos_token="<s>", eos_token="</s>", unk_token="<unk>", sep_token="</s>", pad_token="<pad>", cls_token="<s>",
                  mask_token={"__type": "AddedToken", "content": "<mask>", "lstrip": True, "rstrip": False, "single_word": False, "normalized": False}, add_prefix_space=False)
    return tokenizer, config


def word_piece_of(texts, special, full, kind, unknown):
    name = {"wordpiece": ("bert", "bert_base_uncased_vocab.txt"), "mpnet": ("mpnet", "vocab.txt")}[kind]
    if full and data(*name):
        vocabulary = {line: i for i, line in enumerate(data(*name).read_text("utf-8").rstrip("\n").split("\n"))}
        tokenizer = tokenizers.Tokenizer(models.WordPiece(vocabulary, unk_token=unknown))
    else:
        tokenizer = tokenizers.Tokenizer(models.WordPiece(unk_token=unknown))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    if not (full and data(*name)):
        tokenizer.train_from_iterator(texts, trainers.WordPieceTrainer(vocab_size=1500, special_tokens=special, show_progress=False))
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def word_piece(texts, full):
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = word_piece_of(texts, special, full, "wordpiece", "[UNK]")
    tokenizer.add_special_tokens([added(token) for token in special])
    ends = [("[CLS]", tokenizer.token_to_id("[CLS]")), ("[SEP]", tokenizer.token_to_id("[SEP]"))]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ends)
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), special))
    return tokenizer, dict(tokenizer_class="BertTokenizer", do_lower_case=True, **names)


def mpnet(texts, full):
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    tokenizer = word_piece_of(texts, [*special, "[UNK]"], full, "mpnet", "[UNK]")
    tokenizer.add_special_tokens([*(added(token) for token in special), added("[UNK]"), added("<mask>", lstrip=True)])
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False)
    names = dict(bos_token="<s>", eos_token="</s>", unk_token="[UNK]", sep_token="</s>", pad_token="<pad>", cls_token="<s>", mask_token="<mask>")
    return tokenizer, dict(tokenizer_class="MPNetTokenizer", do_lower_case=True, **names)


def unigram(texts, full):
    """XLM-R's: SentencePiece's unigram model under fairseq's ids."""
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    tokenizer = tokenizers.Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(tokenizers.Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    trainer = trainers.UnigramTrainer(vocab_size=1500, special_tokens=special, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens([*(added(token) for token in special), added("<mask>", lstrip=True)])
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    names = dict(bos_token="<s>", eos_token="</s>", unk_token="<unk>", sep_token="</s>", pad_token="<pad>", cls_token="<s>", mask_token="<mask>")
    return tokenizer, dict(tokenizer_class="PreTrainedTokenizerFast", **names)


TOKENIZERS = {"bpe": bpe, "wordpiece": word_piece, "mpnet": mpnet, "unigram": unigram}


def write_tokenizer(folder, model, texts, full):
    """Returns the number of ids."""
    tokenizer, config = TOKENIZERS[model.tokenizer](texts, full)
    config["model_max_length"] = 512
    # As the published files have it: what the library must not follow.
    tokenizer.enable_truncation(128)
    tokenizer.enable_padding(length=128, pad_id=1, pad_token="<pad>")
    if not model.without_json:
        tokenizer.save(str(folder / "tokenizer.json"))
    vocabulary = tokenizer.get_vocab(with_added_tokens=True)
    by_id = sorted(vocabulary, key=vocabulary.get)
    if "vocab.txt" in model.files:
        (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in by_id), "utf-8")
    if "merges.txt" in model.files:
        merges = json.loads(tokenizer.to_str())["model"]["merges"]
        (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), "utf-8")
        lines = [merge if isinstance(merge, str) else " ".join(merge) for merge in merges]
        (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{line}\n" for line in lines), "utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    names = {name: {key: part for key, part in value.items() if key != "__type"} if isinstance(value, dict) else value for name, value in config.items() if name.endswith("_token")}
    (folder / "special_tokens_map.json").write_text(json.dumps(names))
    return len(vocabulary)


# --- weights ---------------------------------------------------------------------------------------------------------------------------
def make_transformer(model, vocabulary, full, seed=0, **changes):
    config_class, plain, with_head, differences = ARCHITECTURES[model.architecture]
    sizes = (BASE | model.config if full else SMALL) | changes
    if model.architecture == "distilbert":
        sizes = {DISTILBERT_NAMES.get(name, name): value for name, value in sizes.items()}
    torch.manual_seed(seed)
    transformer = (with_head if model.head else plain)(config_class(vocab_size=vocabulary, **(differences | sizes)))
    with torch.no_grad():  # LayerNorms and biases too
        for parameter in transformer.parameters():
            parameter += 0.02 * torch.randn_like(parameter)
    return transformer.to(model.dtype).eval()


def write_weights(folder, transformer, form):
    size = sum(parameter.numel() * parameter.element_size() for parameter in transformer.parameters())
    transformer.save_pretrained(folder, max_shard_size=size // 3 + 1 if "shards" in form else "50GB")
    if "bin" not in form:
        return
    # Older versions wrote pickles; today's transformers only reads them. Tied weights stay tied: one storage under two names.
    for path in folder.glob("model*.safetensors*"):
        path.unlink()
    legacy = dict(_use_new_zipfile_serialization="legacy" not in form)
    tensors = transformer.state_dict()
    if "shards" not in form:
        torch.save(tensors, folder / "pytorch_model.bin", **legacy)
        return
    index = {"metadata": {"total_size": size}, "weight_map": {}}
    names = list(tensors)
    for part in range(2):
        file = f"pytorch_model-{part + 1:05}-of-00002.bin"
        own = names[part::2]
        torch.save({name: tensors[name].clone() for name in own}, folder / file, **legacy)
        index["weight_map"] |= dict.fromkeys(own, file)
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))


def write_modules(folder, hidden, pooling="mean", normalize=True, include_prompt=True):
    """modules.json and what belongs to it, as sentence-transformers up to version 5 wrote them."""
    types = ["Transformer", "Pooling"] + ["Normalize"] * normalize
    paths = ["", "1_Pooling", "2_Normalize"]
    (folder / "modules.json").write_text(
        json.dumps([{"idx": i, "name": str(i), "path": paths[i], "type": f"sentence_transformers.models.{name}"} for i, name in enumerate(types)])
    )
    flags = {"cls": "cls_token", "mean": "mean_tokens", "max": "max_tokens", "mean_sqrt_len_tokens": "mean_sqrt_len_tokens", "weightedmean": "weightedmean_tokens", "lasttoken": "lasttoken"}
    config = {"word_embedding_dimension": hidden, "include_prompt": include_prompt} | {f"pooling_mode_{flag}": name == pooling for name, flag in flags.items()}
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(config))


def write(folder, model, texts, *, full=False, seed=0, **changes):
    """`changes` to config.json. Returns the transformer."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    vocabulary = write_tokenizer(folder, model, texts, full)
    transformer = make_transformer(model, vocabulary, full, seed, **changes)
    write_weights(folder, transformer, model.weights)
    if model.modules is not None:
        write_modules(folder, (BASE | model.config if full else SMALL | changes)["hidden_size"], **model.modules)
    if model.limit is not None:
        (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": model.limit, "do_lower_case": False}))
    return transformer


# --- what stands behind the transformer --------------------------------------------------------------------------------------------------
def heads(work, texts):
    """Models with each kind of module, as sentence-transformers itself writes them, one after the other: name, folder, whether it normalises at the end."""
    base = work / "base"
    write(base, MODELS["sentence-transformers/all-distilroberta-v1"], texts)
    (base / "modules.json").unlink()
    torch.manual_seed(3)
    tanh, gelu = torch.nn.Tanh(), torch.nn.GELU()
    kinds = {
        "Dense, tanh": (["mean"], [Dense(64, 32, activation_function=tanh)]),
        "Dense without bias, identity, Normalize": (["cls"], [Dense(64, 100, bias=False, activation_function=torch.nn.Identity()), Normalize()]),
        "two Dense": (["max"], [Dense(64, 40, activation_function=gelu), Dense(40, 24, activation_function=torch.nn.ReLU())]),
        "Dense with residual": (["mean"], [Dense(64, 64, activation_function=torch.nn.SiLU(), use_residual=True)]),
        "Dense with projected residual": (["mean"], [Dense(64, 48, activation_function=torch.nn.Sigmoid(), use_residual=True)]),
        "LayerNorm": (["mean"], [LayerNorm(64)]),
        "LayerNorm, Dense, Normalize": (["weightedmean"], [LayerNorm(64), Dense(64, 16, activation_function=tanh), Normalize()]),
        "Normalize before Dense": (["mean"], [Normalize(), Dense(64, 20, activation_function=tanh)]),
        "cls, max and mean joined": (["cls", "max", "mean"], []),
        "mean and lasttoken joined, Dense": (["lasttoken", "mean_sqrt_len_tokens"], [Dense(128, 30, activation_function=tanh), Normalize()]),
    }
    for name, (poolings, modules) in kinds.items():
        with torch.no_grad():
            for module in modules:
                for parameter in module.parameters():
                    parameter += 0.1 * torch.randn_like(parameter)
        folder = work / "head"
        shutil.rmtree(folder, ignore_errors=True)
        pooling = Pooling(64, poolings[0] if len(poolings) == 1 else tuple(poolings))
        SentenceTransformer(modules=[Transformer(str(base)), pooling, *modules], device="cpu").save(str(folder))
        yield name, folder, bool(modules) and isinstance(modules[-1], Normalize)
