"""inlay.h in ctypes: the same structs, the same functions, the library found and loaded.

The library is looked for in the file that the environment variable INLAY_LIBRARY names, beside this file, in the build folder of the source tree
that this file is part of, and where the system keeps its libraries.
"""

import ctypes
import os
import pathlib
import sys
from ctypes import POINTER, c_char_p, c_double, c_float, c_int32, c_int64, c_size_t, c_void_p

SUPPORTED_VERSION = "0.1"  # major.minor: before 1.0 a minor version may change the interface

OK = 0
BUFFER_TOO_SMALL = 9
ACTION_CONTINUE, ACTION_CANCEL = 0, 1
NO_LIMIT = c_size_t(-1).value


class inlay_string(ctypes.Structure):
    _fields_ = [("data", c_void_p), ("length", c_size_t)]

    @classmethod
    def of(cls, data: bytes) -> "inlay_string":
        """Borrows `data`, which must stay alive as long as the string is used."""
        return cls(ctypes.cast(c_char_p(data), c_void_p), len(data))

    def bytes(self) -> bytes:
        return ctypes.string_at(self.data, self.length) if self.length else b""

    def text(self) -> str:
        return self.bytes().decode("utf-8", "replace")


class SizedStructure(ctypes.Structure):
    """A struct that begins with its own size; zero is the default of every other field."""

    def __init__(self, **fields):
        super().__init__(size=ctypes.sizeof(self), **fields)


class inlay_generator_options(SizedStructure):
    _fields_ = [
        ("size", c_size_t),
        ("device", inlay_string),
        ("precision", inlay_string),
        ("pooling", inlay_string),
        ("batch_tokens", c_size_t),
        ("batch_size", c_size_t),
        ("max_sequence_length", c_size_t),
        ("threads", c_size_t),
        ("truncate_dim", c_size_t),
        ("no_normalize", c_int32),
        ("reserved", c_int32),
        ("revision", inlay_string),
        ("allow_download", c_int32),
        ("reserved_2", c_int32),
    ]


class inlay_model_file(ctypes.Structure):
    _fields_ = [("name", inlay_string), ("data", c_void_p), ("length", c_size_t)]


class inlay_prompt(ctypes.Structure):
    _fields_ = [("name", inlay_string), ("text", inlay_string)]


class inlay_model_info(SizedStructure):
    _fields_ = [
        ("size", c_size_t),
        ("name", inlay_string),
        ("path", inlay_string),
        ("architecture", inlay_string),
        ("pooling", inlay_string),
        ("precision", inlay_string),
        ("device", inlay_string),
        ("kernels", inlay_string),
        ("fingerprint", inlay_string),
        ("library_version", inlay_string),
        ("dimension", c_size_t),
        ("max_sequence_length", c_size_t),
        ("vocabulary_size", c_size_t),
        ("layers", c_size_t),
        ("parameters", c_size_t),
        ("threads", c_size_t),
        ("prompts", POINTER(inlay_prompt)),
        ("prompt_count", c_size_t),
        ("normalized", c_int32),
        ("reserved", c_int32),
    ]


class inlay_memory_use(SizedStructure):
    _fields_ = [
        ("size", c_size_t),
        ("weights", c_size_t),
        ("tokenizer", c_size_t),
        ("device_cached", c_size_t),
        ("process_resident", c_size_t),
        ("process_peak", c_size_t),
    ]


class inlay_item_report(ctypes.Structure):
    _fields_ = [("status", c_int32), ("reserved", c_int32), ("tokens_seen", c_size_t), ("tokens_used", c_size_t)]


class inlay_progress(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("done", c_size_t),
        ("total", c_size_t),
        ("tokens", c_size_t),
        ("seconds", c_double),
        ("tokens_per_second", c_double),
    ]


inlay_progress_callback = ctypes.CFUNCTYPE(c_int32, POINTER(inlay_progress), c_void_p)
inlay_log_callback = ctypes.CFUNCTYPE(None, c_int32, inlay_string, c_void_p)


class inlay_call_options(SizedStructure):
    _fields_ = [
        ("size", c_size_t),
        ("cancel", c_void_p),
        ("progress", inlay_progress_callback),
        ("user_data", c_void_p),
        ("items", POINTER(inlay_item_report)),
        ("items_capacity", c_size_t),
    ]


class inlay_document(SizedStructure):
    _fields_ = [
        ("size", c_size_t),
        ("content", inlay_string),
        ("file_path", inlay_string),
        ("file_name", inlay_string),
        ("file_type", inlay_string),
        ("language", inlay_string),
        ("function_name", inlay_string),
        ("class_name", inlay_string),
        ("line_number", c_int64),
    ]


class inlay_byte_range(ctypes.Structure):
    _fields_ = [("begin", c_size_t), ("end", c_size_t)]


class inlay_match(ctypes.Structure):
    _fields_ = [("row", c_size_t), ("score", c_float), ("reserved", c_int32)]


_ERROR = POINTER(c_void_p)  # inlay_error **
_SIZE = POINTER(c_size_t)
_FLOATS = c_void_p

# name: (result, parameters); handles are void pointers.
FUNCTIONS = {
    "inlay_version": (c_char_p, []),
    "inlay_status_name": (c_char_p, [c_int32]),
    "inlay_error_status": (c_int32, [c_void_p]),
    "inlay_error_message": (c_char_p, [c_void_p]),
    "inlay_error_item_message": (c_char_p, [c_void_p, c_size_t]),
    "inlay_error_free": (None, [c_void_p]),
    "inlay_string_from": (inlay_string, [c_char_p]),
    "inlay_generator_load": (c_int32, [inlay_string, POINTER(inlay_generator_options), POINTER(c_void_p), _ERROR]),
    "inlay_generator_load_memory": (
        c_int32,
        [POINTER(inlay_model_file), c_size_t, inlay_string, POINTER(inlay_generator_options), POINTER(c_void_p), _ERROR],
    ),
    "inlay_generator_free": (None, [c_void_p]),
    "inlay_generator_dimension": (c_size_t, [c_void_p]),
    "inlay_generator_max_sequence_length": (c_size_t, [c_void_p]),
    "inlay_generator_info": (c_int32, [c_void_p, POINTER(inlay_model_info), _ERROR]),
    "inlay_generator_memory": (c_int32, [c_void_p, POINTER(inlay_memory_use), _ERROR]),
    "inlay_generator_trim": (c_int32, [c_void_p, _ERROR]),
    "inlay_cancel_token_create": (c_int32, [POINTER(c_void_p), _ERROR]),
    "inlay_cancel_token_cancel": (None, [c_void_p]),
    "inlay_cancel_token_cancelled": (c_int32, [c_void_p]),
    "inlay_cancel_token_free": (None, [c_void_p]),
    "inlay_generator_embed": (
        c_int32,
        [c_void_p, POINTER(inlay_string), c_size_t, POINTER(inlay_call_options), _FLOATS, c_size_t, _SIZE, _ERROR],
    ),
    "inlay_generator_embed_documents": (
        c_int32,
        [c_void_p, POINTER(inlay_document), c_size_t, POINTER(inlay_call_options), _FLOATS, c_size_t, _SIZE, _ERROR],
    ),
    "inlay_generator_embed_query": (c_int32, [c_void_p, inlay_string, c_int32, _FLOATS, c_size_t, _SIZE, _ERROR]),
    "inlay_generator_embed_code": (c_int32, [c_void_p, inlay_string, inlay_string, _FLOATS, c_size_t, _SIZE, _ERROR]),
    "inlay_generator_tokenize": (c_int32, [c_void_p, inlay_string, c_size_t, c_void_p, c_size_t, _SIZE, _SIZE, _ERROR]),
    "inlay_generator_tokenize_with_offsets": (
        c_int32,
        [c_void_p, inlay_string, c_size_t, c_void_p, c_void_p, c_size_t, _SIZE, _SIZE, _ERROR],
    ),
    "inlay_generator_token": (inlay_string, [c_void_p, c_int32]),
    "inlay_cosine_similarity": (c_float, [_FLOATS, _FLOATS, c_size_t]),
    "inlay_top_k": (c_int32, [_FLOATS, c_size_t, _FLOATS, c_size_t, c_size_t, POINTER(inlay_match), _SIZE, _ERROR]),
    "inlay_set_log_callback": (c_int32, [inlay_log_callback, c_void_p, _ERROR]),
}


def _file_name() -> str:
    if sys.platform == "win32":
        return "inlay_c.dll"
    return "libinlay_c.0.dylib" if sys.platform == "darwin" else "libinlay_c.so.0"


def _load() -> ctypes.CDLL:
    chosen = os.environ.get("INLAY_LIBRARY")
    if chosen:
        places = [chosen]
    else:
        here = pathlib.Path(__file__).resolve().parent
        source_tree = here.parents[2]
        beside = [here / _file_name(), source_tree / "build" / "release" / "lib" / _file_name()]
        places = [str(place) for place in beside if place.exists()] + [_file_name()]
    tried = []
    for place in places:
        try:
            return ctypes.CDLL(place)
        except OSError as error:
            tried.append(f"{place}: {error}")
    raise ImportError("inlay's C library could not be loaded; INLAY_LIBRARY may name its file. Tried " + "; ".join(tried))


library = _load()
for _name, (_result, _parameters) in FUNCTIONS.items():
    _function = getattr(library, _name)
    _function.restype = _result
    _function.argtypes = _parameters

_version = library.inlay_version().decode()
if not _version.startswith(SUPPORTED_VERSION + "."):
    raise ImportError(f"inlay's C library is version {_version}; this package is made for {SUPPORTED_VERSION}")
