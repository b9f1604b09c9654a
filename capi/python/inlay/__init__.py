"""Inlay from Python: text and source code to embeddings, through the C library.

    import inlay

    with inlay.EmbeddingGenerator("models/all-MiniLM-L6-v2") as generator:
        vectors = generator.encode(["open a file", "parse JSON"])  # numpy float32 (2, 384)
        query = generator.query("how do I read a document?")
        for row, score in inlay.top_k(query, vectors, 1):
            ...

A generator may be used by any number of threads at once; calls release the GIL. After os.fork() the child loads its own. Failures raise
inlay.Error, whose `status` is a Status; wrong types and impossible numbers raise TypeError and ValueError before the library is called.
"""

import ctypes
import dataclasses
import enum
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy

from . import _binding
from ._binding import inlay_string, library

__all__ = [
    "NO_LIMIT",
    "CancelToken",
    "Document",
    "EmbeddingGenerator",
    "EmbedResult",
    "Encoding",
    "Error",
    "ItemReport",
    "LogLevel",
    "Match",
    "MemoryUse",
    "ModelInfo",
    "Progress",
    "QueryType",
    "Status",
    "cosine_similarity",
    "set_log_callback",
    "top_k",
    "version",
]

NO_LIMIT = _binding.NO_LIMIT


class Status(enum.IntEnum):
    OK = 0
    INVALID_ARGUMENT = 1
    NOT_FOUND = 2
    IO_ERROR = 3
    INVALID_MODEL = 4
    INVALID_DATA = 5
    UNSUPPORTED = 6
    OUT_OF_MEMORY = 7
    CANCELLED = 8
    BUFFER_TOO_SMALL = 9
    INTERNAL = 10


class QueryType(enum.IntEnum):
    GENERAL = 0
    CODE_SEARCH = 1
    ERROR_ANALYSIS = 2
    DOCUMENTATION = 3


class LogLevel(enum.IntEnum):
    DEBUG = 0
    INFO = 1
    WARNING = 2


class ItemReport(NamedTuple):
    """What became of one item. Fewer tokens used than seen: the text was truncated."""

    status: Status
    tokens_seen: int
    tokens_used: int
    message: str

    @property
    def truncated(self) -> bool:
        return self.status == Status.OK and self.tokens_used < self.tokens_seen


class EmbedResult(NamedTuple):
    vectors: numpy.ndarray  # float32, a row per item
    items: list[ItemReport]


class Encoding(NamedTuple):
    ids: numpy.ndarray  # int32, special tokens included
    tokens_seen: int  # how many there would be without truncation
    offsets: numpy.ndarray | None = None  # uintp, a row [begin, end) an id: bytes of the text's UTF-8; of tokenize(offsets=True)


class Progress(NamedTuple):
    done: int
    total: int
    tokens: int
    seconds: float
    tokens_per_second: float


class Match(NamedTuple):
    row: int
    score: float


@dataclasses.dataclass(frozen=True)
class ModelInfo:
    name: str
    path: str
    architecture: str
    pooling: str
    precision: str
    device: str
    kernels: str
    fingerprint: str
    library_version: str
    dimension: int
    max_sequence_length: int
    vocabulary_size: int
    layers: int
    parameters: int
    threads: int
    prompts: dict[str, str]
    normalized: bool


@dataclasses.dataclass(frozen=True)
class MemoryUse:
    """Bytes."""

    weights: int
    tokenizer: int
    device_cached: int
    process_resident: int
    process_peak: int


@dataclasses.dataclass
class Document:
    """A text or a piece of code, and what is known about it; "" and 0 mean "not known"."""

    content: str
    file_path: str = ""
    file_name: str = ""
    file_type: str = ""
    language: str = ""
    function_name: str = ""
    class_name: str = ""
    line_number: int = 0


class Error(Exception):
    """A call failed. `result` is there when only some items did: it has the vectors of the others, and every item's report."""

    def __init__(self, status: Status, message: str, result: EmbedResult | None = None):
        super().__init__(message)
        self.status = status
        self.result = result


def _status(number: int) -> Status | int:
    try:
        return Status(number)
    except ValueError:  # of a newer library
        return number


def _call(function, *arguments) -> None:
    """Calls a function that returns a status; raises Error."""
    error = ctypes.c_void_p()
    status = function(*arguments, ctypes.byref(error))
    if status != _binding.OK:
        raise _take(status, error)


def _take(status: int, error: ctypes.c_void_p) -> Error:
    message = library.inlay_error_message(error).decode("utf-8", "replace")
    library.inlay_error_free(error)
    return Error(_status(status), message)


def _bytes(text: str | bytes, name: str) -> bytes:
    if isinstance(text, str):
        return text.encode("utf-8", "surrogatepass")  # a lone surrogate becomes bytes that are not UTF-8, and so U+FFFD
    if isinstance(text, bytes):
        return text
    raise TypeError(f"{name} must be str or bytes, not {type(text).__name__}")


def _count(value: int, name: str) -> int:
    """ctypes would wrap what does not fit."""
    if isinstance(value, bool) or not isinstance(value, (int, numpy.integer)):
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    if not 0 <= value <= NO_LIMIT:
        raise ValueError(f"{name} is {value}, which is out of range")
    return int(value)


def version() -> str:
    """The C library's version."""
    return library.inlay_version().decode()


class _Handle:
    """Owns what the library created. Calls hold a reference while they run, so that closing never frees under their feet."""

    def __init__(self, free):
        self.pointer = ctypes.c_void_p()
        self._free = free

    def __del__(self):
        self._free(self.pointer)


class CancelToken:
    """Asks calls to stop: pass it as `cancel`, and call cancel() from any thread."""

    def __init__(self):
        self._handle = _Handle(library.inlay_cancel_token_free)
        _call(library.inlay_cancel_token_create, ctypes.byref(self._handle.pointer))

    def cancel(self) -> None:
        library.inlay_cancel_token_cancel(self._handle.pointer)

    @property
    def cancelled(self) -> bool:
        return bool(library.inlay_cancel_token_cancelled(self._handle.pointer))


class _Callback:
    """A Python callable as progress callback. What it raises stops the call, and is raised again when the call has returned.

    There always is one: Python handles Ctrl-C only while it runs code of its own.
    """

    def __init__(self, progress: Callable[[Progress], object] | None):
        self.exception: BaseException | None = None
        self._progress = progress
        self.pointer = _binding.inlay_progress_callback(self._run)

    def _run(self, now, _user_data) -> int:
        try:
            if self._progress is None:
                return _binding.ACTION_CONTINUE
            now = now.contents
            stop = self._progress(Progress(now.done, now.total, now.tokens, now.seconds, now.tokens_per_second))
            return _binding.ACTION_CANCEL if stop else _binding.ACTION_CONTINUE
        except BaseException as exception:
            self.exception = exception
            return _binding.ACTION_CANCEL


class EmbeddingGenerator:
    """A loaded model, from its folder as published or by its name on the hub. Numbers of 0 and None mean the library's own choice, or the model's."""

    def __init__(
        self,
        path: str | os.PathLike,
        *,
        device: str = "auto",
        precision: str = "fp32",
        pooling: str | None = None,
        batch_tokens: int = 0,
        batch_size: int = 0,
        max_sequence_length: int = 0,
        threads: int = 0,
        truncate_dim: int = 0,
        normalize: bool = True,
        files: Mapping[str, bytes] | None = None,
        revision: str | None = None,
        allow_download: bool = False,
    ):
        """`path` is a model's folder, a TorchScript program (model.pt, its tokenizer beside it), or a name on the hub, looked up in the cache, of which `revision` says which one; it is fetched
        when it is not there and `allow_download` is true.

        With `files`, the model is loaded from memory: its files' bytes by their names in the folder; `path` is then what it is called."""
        names = {"device": device, "precision": precision, "pooling": pooling or "", "revision": revision or ""}
        encoded = {name: _bytes(value, name) for name, value in names.items()}
        options = _binding.inlay_generator_options(
            **{name: inlay_string.of(value) for name, value in encoded.items()},
            batch_tokens=_count(batch_tokens, "batch_tokens"),
            batch_size=_count(batch_size, "batch_size"),
            max_sequence_length=_count(max_sequence_length, "max_sequence_length"),
            threads=_count(threads, "threads"),
            truncate_dim=_count(truncate_dim, "truncate_dim"),
            no_normalize=not normalize,
            allow_download=bool(allow_download),
        )
        handle = _Handle(library.inlay_generator_free)
        place = os.fsencode(path)
        if files is None:
            _call(library.inlay_generator_load, inlay_string.of(place), ctypes.byref(options), ctypes.byref(handle.pointer))
        else:
            contents = [(_bytes(name, "a file's name"), bytes(data)) for name, data in files.items()]
            array = (_binding.inlay_model_file * len(contents))()
            for entry, (name, data) in zip(array, contents):
                entry.name = inlay_string.of(name)
                entry.data = ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p)
                entry.length = len(data)
            _call(
                library.inlay_generator_load_memory,
                array,
                len(contents),
                inlay_string.of(place),
                ctypes.byref(options),
                ctypes.byref(handle.pointer),
            )
        self._handle: _Handle | None = handle
        self._info: ModelInfo | None = None

    def close(self) -> None:
        """Gives the model's memory back, once calls that are running have returned."""
        self._handle = None

    def __enter__(self) -> "EmbeddingGenerator":
        return self

    def __exit__(self, *_exception) -> None:
        self.close()

    def _open(self) -> _Handle:
        """The caller keeps the result in a variable while it uses the pointer."""
        handle = getattr(self, "_handle", None)
        if handle is None:
            raise ValueError("the generator is closed")
        return handle

    def encode(
        self,
        texts: str | bytes | Iterable[str | bytes],
        *,
        progress: Callable[[Progress], object] | None = None,
        cancel: CancelToken | None = None,
    ) -> numpy.ndarray:
        """float32 vectors, a row per text, of the texts as they are (one text alone: its vector). Bytes that are not UTF-8 count as U+FFFD.

        `progress` is called after each batch; a true result stops the call, and so does an exception, which then comes out of here.
        """
        if isinstance(texts, (str, bytes)):
            return self.embed([texts], progress=progress, cancel=cancel).vectors[0]
        return self.embed(texts, progress=progress, cancel=cancel).vectors

    def embed(
        self,
        texts: Iterable[str | bytes],
        *,
        progress: Callable[[Progress], object] | None = None,
        cancel: CancelToken | None = None,
    ) -> EmbedResult:
        """The vectors, as encode, and a report per text. Where single texts failed, Error.result has the others'."""
        encoded = [_bytes(text, f"texts[{index}]") for index, text in enumerate(texts)]
        strings = (inlay_string * len(encoded))(*map(inlay_string.of, encoded))
        return self._embed(library.inlay_generator_embed, strings, len(encoded), progress, cancel)

    def embed_documents(
        self,
        documents: Sequence[Document],
        *,
        progress: Callable[[Progress], object] | None = None,
        cancel: CancelToken | None = None,
    ) -> EmbedResult:
        """The same of documents with their context: "[PYTHON] [PYTHON] Function: login def login(user): ..."."""
        names = [name for name, _ in _binding.inlay_document._fields_ if name not in ("size", "line_number")]
        array = (_binding.inlay_document * len(documents))()
        alive = []
        for entry, document in zip(array, documents):
            entry.size = ctypes.sizeof(entry)
            for name in names:
                alive.append(_bytes(getattr(document, name), name))
                setattr(entry, name, inlay_string.of(alive[-1]))
            entry.line_number = document.line_number
        return self._embed(library.inlay_generator_embed_documents, array, len(documents), progress, cancel)

    def _embed(self, function, items, count: int, progress, cancel: CancelToken | None) -> EmbedResult:
        handle = self._open()
        vectors = numpy.empty((count, library.inlay_generator_dimension(handle.pointer)), numpy.float32)
        reports = (_binding.inlay_item_report * count)()
        callback = _Callback(progress)
        token = cancel._handle if cancel is not None else None
        options = _binding.inlay_call_options(
            cancel=token.pointer if token is not None else None, progress=callback.pointer, items=reports, items_capacity=count
        )
        error, needed = ctypes.c_void_p(), ctypes.c_size_t()
        status = function(
            handle.pointer,
            items,
            count,
            ctypes.byref(options),
            vectors.ctypes.data,
            vectors.size,
            ctypes.byref(needed),
            ctypes.byref(error),
        )
        messages = [library.inlay_error_item_message(error, index).decode("utf-8", "replace") for index in range(count)] if status else [""] * count
        rows = [ItemReport(_status(item.status), item.tokens_seen, item.tokens_used, message) for item, message in zip(reports, messages)]
        result = EmbedResult(vectors, rows)
        failure = None
        if status != _binding.OK:
            failure = _take(status, error)
            if needed.value == vectors.size > 0:
                failure.result = result
        if callback.exception is not None:
            raise callback.exception from failure
        if failure is not None:
            raise failure
        return result

    def query(self, text: str | bytes, type: QueryType | str = QueryType.GENERAL) -> numpy.ndarray:
        """The vector of a query; `type` is a QueryType or its name: "code_search"."""
        if isinstance(type, str):
            try:
                type = QueryType[type.upper()]
            except KeyError:
                known = ", ".join(known.name.lower() for known in QueryType)
                raise ValueError(f'unknown query type "{type}"; known: {known}') from None
        data = _bytes(text, "text")
        return self._embed_one(library.inlay_generator_embed_query, inlay_string.of(data), QueryType(type).value)

    def code(self, code: str | bytes, language: str = "") -> numpy.ndarray:
        """The vector of a piece of code, with its language as context where that is given."""
        data, tag = _bytes(code, "code"), _bytes(language, "language")
        return self._embed_one(library.inlay_generator_embed_code, inlay_string.of(data), inlay_string.of(tag))

    def _embed_one(self, function, *arguments) -> numpy.ndarray:
        handle = self._open()
        vector = numpy.empty(library.inlay_generator_dimension(handle.pointer), numpy.float32)
        _call(function, handle.pointer, *arguments, vector.ctypes.data, vector.size, None)
        return vector

    def tokenize(self, text: str | bytes, max_tokens: int | None = None, offsets: bool = False) -> Encoding:
        """The text's token ids, special tokens included; at most max_tokens (None: the generator's max_sequence_length; NO_LIMIT: all).

        With offsets, also the bytes of the text that each id stands for; special tokens around it have the empty range [0, 0)."""
        handle = self._open()
        data = _bytes(text, "text")
        limit = 0 if max_tokens is None else _count(max_tokens, "max_tokens")
        if max_tokens == 0:
            raise ValueError("max_tokens is 0")
        capacity = 64
        seen, needed = ctypes.c_size_t(), ctypes.c_size_t()
        function = library.inlay_generator_tokenize_with_offsets if offsets else library.inlay_generator_tokenize
        while True:
            ids = numpy.empty(capacity, numpy.int32)
            ranges = numpy.empty((capacity, 2), numpy.uintp)
            buffers = (ids.ctypes.data, ranges.ctypes.data) if offsets else (ids.ctypes.data,)
            try:
                _call(function, handle.pointer, inlay_string.of(data), limit, *buffers, capacity, ctypes.byref(needed), ctypes.byref(seen))
            except Error as error:
                if error.status != Status.BUFFER_TOO_SMALL:
                    raise
                capacity = needed.value
                continue
            return Encoding(ids[: needed.value].copy(), seen.value, ranges[: needed.value].copy() if offsets else None)

    def token(self, id: int) -> str:
        """The token's text as it stands in the vocabulary: "##ing"; "" for an id that is not there."""
        handle = self._open()
        return library.inlay_generator_token(handle.pointer, id).text() if -(2**31) <= id < 2**31 else ""

    @property
    def dimension(self) -> int:
        handle = self._open()
        return library.inlay_generator_dimension(handle.pointer)

    @property
    def max_sequence_length(self) -> int:
        handle = self._open()
        return library.inlay_generator_max_sequence_length(handle.pointer)

    @property
    def info(self) -> ModelInfo:
        handle = self._open()
        if self._info is None:
            info = _binding.inlay_model_info()
            _call(library.inlay_generator_info, handle.pointer, ctypes.byref(info))
            values = {}
            for field in dataclasses.fields(ModelInfo):
                value = getattr(info, field.name)
                values[field.name] = value.text() if isinstance(value, inlay_string) else value
            values["prompts"] = {prompt.name.text(): prompt.text.text() for prompt in info.prompts[: info.prompt_count]}
            values["normalized"] = bool(info.normalized)
            self._info = ModelInfo(**values)
        return self._info

    def memory(self) -> MemoryUse:
        handle = self._open()
        use = _binding.inlay_memory_use()
        _call(library.inlay_generator_memory, handle.pointer, ctypes.byref(use))
        return MemoryUse(**{field.name: getattr(use, field.name) for field in dataclasses.fields(MemoryUse)})

    def trim(self) -> None:
        """Gives memory that is kept for reuse, but not in use, back to the system."""
        handle = self._open()
        _call(library.inlay_generator_trim, handle.pointer)


def _vector(values, name: str) -> numpy.ndarray:
    vector = numpy.ascontiguousarray(values, numpy.float32)
    if vector.ndim != 1:
        raise ValueError(f"{name} must have one axis, not {vector.ndim}")
    return vector


def cosine_similarity(a, b) -> float:
    """a·b / (|a| |b|); 0 when either has length 0."""
    a, b = _vector(a, "a"), _vector(b, "b")
    if a.size != b.size:
        raise ValueError(f"cosine similarity of vectors of {a.size} and {b.size} components")
    return library.inlay_cosine_similarity(a.ctypes.data, b.ctypes.data, a.size)


def top_k(query, vectors, k: int) -> list[Match]:
    """The k rows most similar to the query, best first; fewer when there are fewer rows."""
    query = _vector(query, "query")
    vectors = numpy.ascontiguousarray(vectors, numpy.float32)
    if vectors.ndim != 2 or vectors.shape[1] != query.size:
        raise ValueError(f"vectors of shape {vectors.shape} for a query of {query.size} components")
    count = min(_count(k, "k"), len(vectors))
    matches, found = (_binding.inlay_match * count)(), ctypes.c_size_t()
    _call(library.inlay_top_k, query.ctypes.data, query.size, vectors.ctypes.data, len(vectors), count, matches, ctypes.byref(found))
    return [Match(match.row, match.score) for match in matches[: found.value]]


_log_callbacks = []  # kept for ever: a message may be on its way while the callback is replaced


def set_log_callback(callback: Callable[[LogLevel, str], object] | None) -> None:
    """Sets the process-wide callback that is told what the library does; None discards messages. May be called from any thread."""
    if callback is None:
        pointer = _binding.inlay_log_callback()
    else:

        def receive(level, message, _user_data):
            try:
                callback(LogLevel(level), message.text())
            except Exception:  # as in the library: a log that fails must not fail what it reports on
                pass

        pointer = _binding.inlay_log_callback(receive)
        _log_callbacks.append(pointer)
    _call(library.inlay_set_log_callback, pointer, None)
