// Inlay's C interface: texts and source code to embeddings, from C or from any language that can call C. C99; includable from C++.
//
//   #include <inlay.h>
//   #include <stdio.h>
//
//   int main(void) {
//     inlay_error *error = NULL;
//     inlay_generator *generator = NULL;
//     inlay_generator_options options = INLAY_GENERATOR_OPTIONS_INIT;
//     options.threads = 2;
//     if (inlay_generator_load(INLAY_STR("models/all-MiniLM-L6-v2"), &options, &generator, &error) != INLAY_OK) {
//       fprintf(stderr, "%s\n", inlay_error_message(error));
//       inlay_error_free(error);
//       return 1;
//     }
//     inlay_string texts[2] = {INLAY_STR("open a file"), INLAY_STR("parse JSON")};
//     float vectors[2 * 384];
//     size_t needed = 0;
//     inlay_status status = inlay_generator_embed(generator, texts, 2, NULL, vectors, 2 * 384, &needed, &error);
//     printf("%s, similarity %.3f\n", inlay_status_name(status), inlay_cosine_similarity(vectors, vectors + 384, 384));
//     inlay_error_free(error);
//     inlay_generator_free(generator);
//   }
//
// The rules, which hold for every function unless it says otherwise:
//
// Status        A function that can fail returns an inlay_status and takes, as its last parameter, `inlay_error **error`. `error` may be
//               NULL. Otherwise *error is overwritten: with NULL on success, on failure with an error that the caller frees
//               (inlay_error_free).
// NULL          NULL where a value is needed gives INLAY_INVALID_ARGUMENT, never a crash. Parameters that may be NULL say so. Freeing NULL
//               does nothing.
// Ownership     What a function creates through an out parameter is the caller's, and goes with the free function of its type. What a
//               caller passes in is only borrowed until the function returns. On failure an out parameter is set to NULL, or 0.
// Threads       A handle that is passed as const may be used by any number of threads at once. Freeing one ends that: no other call may
//               be using it, or use it later. No function keeps state per thread.
// Strings       are UTF-8, with their length in bytes, and need no NUL at the end. {NULL, 0} is the empty string. Bytes of a text that
//               are not UTF-8 count as U+FFFD. NUL is a character like any other, except in paths, where it is an error.
// Buffers       Numbers go to the caller's buffer, with its capacity in elements. `needed` (which may be NULL) is set to the number of
//               elements that the result has. Where the capacity is smaller, the function writes nothing and returns
//               INLAY_BUFFER_TOO_SMALL: a capacity of 0 (then the buffer may be NULL) asks for the size alone.
// Structs       whose first field is `size` grow at their end from release to release, in minor versions too. `size` is the caller's
//               sizeof, which the INIT macro sets. In those that are passed in, zero is the default of every field (bindings without the
//               macro: all bytes zero, then size); a struct of an older release is understood; one of a newer release is, as long as
//               what this library does not know is zero, else the result is INLAY_INVALID_ARGUMENT. Structs without `size` never change.
// Numbers       of statuses and other enumerations are int32_t and fixed for ever. New ones may appear: treat those you don't know as
//               failure.
// Side effects  The library never prints, exits, aborts, reads the locale, or changes the host's libtorch settings. It reads the
//               environment only to find a model that is given by its name, and uses the network only when it was told that it may.
// ABI           Within one INLAY_ABI_VERSION (the number in the shared library's soname) functions and fields are only ever added. While
//               it is 0, before the first stable release, a minor version may still change them.
//
// NOLINTBEGIN(modernize-*)  this is C
#ifndef INLAY_H
#define INLAY_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32) && defined(INLAY_C_BUILD)
#define INLAY_API __declspec(dllexport)
#elif defined(_WIN32)
#define INLAY_API __declspec(dllimport)
#elif defined(__GNUC__)
#define INLAY_API __attribute__((visibility("default")))
#else
#define INLAY_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

// --- Version ----------------------------------------------------------------------------------------------------------------------------

#define INLAY_VERSION_MAJOR 0
#define INLAY_VERSION_MINOR 1
#define INLAY_VERSION_PATCH 0
#define INLAY_VERSION_STRING "0.1.0"

#define INLAY_ABI_VERSION 0

/// The version of the library that is running, "0.1.0", which may be newer than INLAY_VERSION_STRING, the one that the caller was compiled
/// with. Static. Any thread. Since 0.1.
INLAY_API const char* inlay_version(void);

// --- Status and errors ------------------------------------------------------------------------------------------------------------------

typedef int32_t inlay_status;
enum {
  INLAY_OK = 0,
  INLAY_INVALID_ARGUMENT = 1,  ///< a value that the caller passed is outside its range
  INLAY_NOT_FOUND = 2,         ///< a file, folder or model does not exist
  INLAY_IO_ERROR = 3,          ///< reading or writing failed: permissions, a full disk, a broken device
  INLAY_INVALID_MODEL = 4,     ///< a model's files are damaged or contradict one another
  INLAY_INVALID_DATA = 5,      ///< an input file that is not a model's is damaged
  INLAY_UNSUPPORTED = 6,       ///< well-formed, but nothing that this build can do: an architecture, a device
  INLAY_OUT_OF_MEMORY = 7,     ///< memory, of the host or of the device, did not suffice
  INLAY_CANCELLED = 8,         ///< the caller asked to stop
  INLAY_BUFFER_TOO_SMALL = 9,  ///< the caller's buffer cannot hold the result
  INLAY_INTERNAL = 10          ///< a defect of the library; please report it
};

/// The status in words: "ok", "invalid_argument"; "unknown" for a number that is none. Static. Any thread. Since 0.1.
INLAY_API const char* inlay_status_name(inlay_status status);

/// Why a call failed. Immutable; any thread may read or free it. There always is one: where memory does not suffice even for the error, it
/// is a static one, which is read and freed like the others.
typedef struct inlay_error inlay_error;

/// What the call returned; INLAY_OK for NULL. Since 0.1.
INLAY_API inlay_status inlay_error_status(const inlay_error* error);

/// One line of UTF-8 that names the file, the item or the value at fault; "" for NULL. Valid as long as the error. Since 0.1.
INLAY_API const char* inlay_error_message(const inlay_error* error);

/// Of a call on many items: why the item with this index failed; "" for items that did not, and for NULL. Valid as long as the error.
/// Since 0.1.
INLAY_API const char* inlay_error_item_message(const inlay_error* error, size_t index);

/// Since 0.1.
INLAY_API void inlay_error_free(inlay_error* error);

// --- Strings ----------------------------------------------------------------------------------------------------------------------------

typedef struct inlay_string {
  const char* data;
  size_t length;  ///< in bytes
} inlay_string;

/// A string literal as inlay_string, NUL bytes inside it included.
#ifdef __cplusplus
#define INLAY_STR(literal) (inlay_string{"" literal, sizeof(literal) - 1})
#else
#define INLAY_STR(literal) ((inlay_string){"" literal, sizeof(literal) - 1})
#endif

/// A NUL-terminated string as inlay_string, not copied; the empty one for NULL. Any thread. Since 0.1.
INLAY_API inlay_string inlay_string_from(const char* text);

// --- Loading a model --------------------------------------------------------------------------------------------------------------------

/// A loaded model: texts in, vectors out. Immutable: any number of threads may use one at once, and they share its worker threads.
/// After fork() a generator belongs to the parent: in the child, calls fail with INLAY_UNSUPPORTED; load another there.
typedef struct inlay_generator inlay_generator;

/// Names (device, precision, pooling) are spelled as inlay_model_info and the command line spell them: a name cannot be mistaken for
/// another.
typedef struct inlay_generator_options {
  size_t size;
  inlay_string device;         ///< "cpu", "cuda", "cuda:1"; "" or "auto": CUDA where it is usable, else the CPU
  inlay_string precision;      ///< "fp32", which is what "" means
  inlay_string pooling;        ///< "mean", "cls", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"; "": as the model's files say
  size_t batch_tokens;         ///< tokens in a batch at most; 0: the library's choice for the device
  size_t batch_size;           ///< items in a batch at most; 0: no limit but batch_tokens
  size_t max_sequence_length;  ///< tokens of a text used at most, special tokens included; 0: the model's own limit
  size_t threads;              ///< threads that compute at most; 0: one per processor of this process
  size_t truncate_dim;         ///< keep only the first components of each vector; 0: all
  int32_t no_normalize;        ///< other than 0: vectors are not scaled to length 1
  int32_t reserved;            ///< zero
  inlay_string revision;       ///< of a model that is given by its name: branch, tag or commit; "": "main"
  int32_t allow_download;      ///< other than 0: a model that is not in the hub's cache is fetched
  int32_t reserved_2;          ///< zero
} inlay_generator_options;

#define INLAY_GENERATOR_OPTIONS_INIT \
  { sizeof(inlay_generator_options), {NULL, 0}, {NULL, 0}, {NULL, 0}, 0, 0, 0, 0, 0, 0, 0, {NULL, 0}, 0, 0 }

/// Loads a model. `path` is a folder as published (config.json, model.safetensors or pytorch_model.bin, whole or in shards, the tokenizer's
/// files, and what else is there), or a TorchScript program (model.pt, with the tokenizer's files beside it; it can do anything: load only
/// what you trust), or a name, "sentence-transformers/all-MiniLM-L6-v2" or an alias of it, "minilm", that is looked up in the cache which
/// is shared with Python's huggingface_hub (HF_HUB_CACHE, HF_HOME, ...). The network is used only where the options allow a download, and
/// then as HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE and the proxy variables say. `options` may be NULL: the defaults. Any thread. Errors:
/// INVALID_ARGUMENT, NOT_FOUND, IO_ERROR, INVALID_MODEL, INVALID_DATA (a hub's answer makes no sense), UNSUPPORTED, OUT_OF_MEMORY. Since
/// 0.1.
INLAY_API inlay_status inlay_generator_load(inlay_string path, const inlay_generator_options* options, inlay_generator** generator,
                                            inlay_error** error);

/// One file of a model that is held in memory.
typedef struct inlay_model_file {
  inlay_string name;  ///< relative to the model's folder, with '/': "1_Pooling/config.json"
  const void* data;
  size_t length;
} inlay_model_file;

/// The same from files in memory, which may be freed once the function returns. `name` is what the model's info says. Any thread.
/// Errors: as inlay_generator_load. Since 0.1.
INLAY_API inlay_status inlay_generator_load_memory(const inlay_model_file* files, size_t count, inlay_string name,
                                                   const inlay_generator_options* options, inlay_generator** generator,
                                                   inlay_error** error);

/// Ends the generator; no call on it may be running. Since 0.1.
INLAY_API void inlay_generator_free(inlay_generator* generator);

// --- What a generator is ----------------------------------------------------------------------------------------------------------------

/// Components of a vector: what a caller needs to size its buffers. 0 for NULL. Since 0.1.
INLAY_API size_t inlay_generator_dimension(const inlay_generator* generator);

/// Tokens of a text that are used at most, special tokens included. 0 for NULL. Since 0.1.
INLAY_API size_t inlay_generator_max_sequence_length(const inlay_generator* generator);

/// A prompt of config_sentence_transformers.json.
typedef struct inlay_prompt {
  inlay_string name;
  inlay_string text;
} inlay_prompt;

/// All that is known about a generator, in one call. Strings and prompts are valid as long as the generator, and NUL-terminated besides.
typedef struct inlay_model_info {
  size_t size;
  inlay_string name;          ///< on the hub, where the model lies in its cache; else the model folder's name
  inlay_string path;          ///< where the model was found; "" for a model from memory
  inlay_string architecture;  ///< config.json's model_type: "bert"; "torchscript" for a program
  inlay_string pooling;
  inlay_string precision;
  inlay_string device;
  inlay_string kernels;      ///< what computes: "avx2", "avx512", "portable" on the CPU, "aten" elsewhere
  inlay_string fingerprint;  ///< hash of all that a vector depends on: weights, tokenizer, pooling, prompts and options
  inlay_string library_version;
  size_t dimension;
  size_t max_sequence_length;
  size_t vocabulary_size;
  size_t layers;
  size_t parameters;
  size_t threads;
  const inlay_prompt* prompts;  ///< prompt_count of them, in the order of their names
  size_t prompt_count;
  int32_t normalized;  ///< whether vectors are scaled to length 1
  int32_t reserved;
} inlay_model_info;

#define INLAY_MODEL_INFO_INIT                                                                                                             \
  {                                                                                                                                       \
    sizeof(inlay_model_info), {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, 0, 0, 0, \
        0, 0, 0, NULL, 0, 0, 0                                                                                                            \
  }

/// Fills in `info`, whose size the caller has set; fields that this library does not know become zero. The first call on a generator hashes
/// the weights, for the fingerprint, which takes a moment. Errors: INVALID_ARGUMENT, IO_ERROR, OUT_OF_MEMORY. Since 0.1.
INLAY_API inlay_status inlay_generator_info(const inlay_generator* generator, inlay_model_info* info, inlay_error** error);

/// Bytes of memory.
typedef struct inlay_memory_use {
  size_t size;
  size_t weights;  ///< of the model, shared by all generators of the same file, device and precision
  size_t tokenizer;
  size_t device_cached;  ///< held by libtorch's device allocator for reuse; 0 on the CPU
  size_t process_resident;
  size_t process_peak;
} inlay_memory_use;

#define INLAY_MEMORY_USE_INIT \
  { sizeof(inlay_memory_use), 0, 0, 0, 0, 0 }

/// Fills in `memory`, whose size the caller has set. Errors: INVALID_ARGUMENT. Since 0.1.
INLAY_API inlay_status inlay_generator_memory(const inlay_generator* generator, inlay_memory_use* memory, inlay_error** error);

/// Gives memory that is kept for reuse, but not in use, back to the system (and to the device). Errors: INVALID_ARGUMENT. Since 0.1.
INLAY_API inlay_status inlay_generator_trim(const inlay_generator* generator, inlay_error** error);

// --- Options of a call on many items: reports, progress, cancellation
// ---------------------------------------------------------------------

/// What became of one item.
typedef struct inlay_item_report {
  inlay_status status;
  int32_t reserved;
  size_t tokens_seen;  ///< tokens of the whole text, special tokens included
  size_t tokens_used;  ///< tokens that the vector is made of; fewer than seen: the text was truncated
} inlay_item_report;

/// How far a call has come.
typedef struct inlay_progress {
  size_t size;
  size_t done;     ///< items finished
  size_t total;    ///< items of the call
  size_t tokens;   ///< tokens encoded
  double seconds;  ///< since the call began
  double tokens_per_second;
} inlay_progress;

/// What a progress callback wants.
typedef int32_t inlay_action;
enum {
  INLAY_ACTION_CONTINUE = 0,
  INLAY_ACTION_CANCEL = 1  ///< as inlay_cancel_token_cancel; so is any other number
};

/// Called after each batch, on the thread that made the call. `progress` is valid during the callback. It may use the library, this
/// generator's own calls and the cancel token included, but must not free either.
typedef inlay_action (*inlay_progress_callback)(const inlay_progress* progress, void* user_data);

/// Asks calls to stop. Any thread may cancel, at any time, without waiting; it cannot be undone. Must outlive the calls that it was given
/// to.
typedef struct inlay_cancel_token inlay_cancel_token;

/// Errors: INVALID_ARGUMENT, OUT_OF_MEMORY. Since 0.1.
INLAY_API inlay_status inlay_cancel_token_create(inlay_cancel_token** token, inlay_error** error);

/// Calls that were given this token return soon, with INLAY_CANCELLED. Does nothing for NULL. Since 0.1.
INLAY_API void inlay_cancel_token_cancel(inlay_cancel_token* token);

/// 1 after inlay_cancel_token_cancel, else 0; 0 for NULL. Since 0.1.
INLAY_API int32_t inlay_cancel_token_cancelled(const inlay_cancel_token* token);

/// Since 0.1.
INLAY_API void inlay_cancel_token_free(inlay_cancel_token* token);

typedef struct inlay_call_options {
  size_t size;
  const inlay_cancel_token* cancel;  ///< may be NULL
  inlay_progress_callback progress;  ///< may be NULL
  void* user_data;                   ///< passed to progress
  inlay_item_report* items;          ///< room for a report per item, or NULL
  size_t items_capacity;             ///< at least the number of items, when there is room for reports
} inlay_call_options;

#define INLAY_CALL_OPTIONS_INIT \
  { sizeof(inlay_call_options), NULL, NULL, NULL, NULL, 0 }

// --- Embedding --------------------------------------------------------------------------------------------------------------------------
//
// Vectors are float32, row by row: item i's is at vectors + i * dimension. INLAY_OK means that every item has its vector. Where single
// items failed (or were not reached before a cancellation) the call returns the first one's status, the error's message names it, and
// inlay_error_item_message tells about each; the other items' vectors are written all the same, the failed ones' are NaN throughout, and
// *needed is set. The reports, where asked for, are always written; when the call failed as a whole, each has the call's status and no
// tokens.

/// Embeds texts as they are (the model's default prompt, if its files name one, in front). An empty text has a valid vector. `texts` may be
/// NULL when `count` is 0, and `call` may be NULL: the defaults. Capacity and *needed are in floats: count * dimension. The capacity is
/// checked before anything is computed. Any thread.
/// Errors: INVALID_ARGUMENT, BUFFER_TOO_SMALL, CANCELLED, OUT_OF_MEMORY. Since 0.1.
INLAY_API inlay_status inlay_generator_embed(const inlay_generator* generator, const inlay_string* texts, size_t count,
                                             const inlay_call_options* call, float* vectors, size_t capacity, size_t* needed,
                                             inlay_error** error);

/// A text or a piece of code, and what is known about it; "" and 0 mean "not known".
typedef struct inlay_document {
  size_t size;
  inlay_string content;
  inlay_string file_path;
  inlay_string file_name;
  inlay_string file_type;
  inlay_string language;
  inlay_string function_name;
  inlay_string class_name;
  int64_t line_number;  ///< of the first line, counted from 1
} inlay_document;

#define INLAY_DOCUMENT_INIT \
  { sizeof(inlay_document), {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, 0 }

/// Embeds documents with their context, "[PYTHON] [PYTHON] Function: login def login(user): ...": file type and language in brackets and
/// upper case, "Function: " and its name or else "Class: " and its name, and the content, joined by one space each, what is not known left
/// out. All documents have the same `size`. Otherwise as inlay_generator_embed. Since 0.1.
INLAY_API inlay_status inlay_generator_embed_documents(const inlay_generator* generator, const inlay_document* documents, size_t count,
                                                       const inlay_call_options* call, float* vectors, size_t capacity, size_t* needed,
                                                       inlay_error** error);

/// What a query is about.
typedef int32_t inlay_query_type;
enum {
  INLAY_QUERY_GENERAL = 0,         ///< the text as it is
  INLAY_QUERY_CODE_SEARCH = 1,     ///< "Code search: " in front
  INLAY_QUERY_ERROR_ANALYSIS = 2,  ///< "Error analysis: " in front
  INLAY_QUERY_DOCUMENTATION = 3    ///< "Documentation: " in front
};

/// One query: the model's query prompt, if any, the type's prefix and the text. Capacity and *needed: dimension. Any thread.
/// Errors: INVALID_ARGUMENT, BUFFER_TOO_SMALL, OUT_OF_MEMORY. Since 0.1.
INLAY_API inlay_status inlay_generator_embed_query(const inlay_generator* generator, inlay_string text, inlay_query_type type,
                                                   float* vector, size_t capacity, size_t* needed, inlay_error** error);

/// One piece of code: as a document of that language, or without context when `language` is empty. Otherwise as
/// inlay_generator_embed_query. Since 0.1.
INLAY_API inlay_status inlay_generator_embed_code(const inlay_generator* generator, inlay_string code, inlay_string language, float* vector,
                                                  size_t capacity, size_t* needed, inlay_error** error);

// --- Tokens -----------------------------------------------------------------------------------------------------------------------------

/// No limit, as max_tokens.
#define INLAY_NO_LIMIT SIZE_MAX

/// The ids of a text's tokens, special tokens included, without any prompt. At most `max_tokens` of them (0: the generator's
/// max_sequence_length); `tokens_seen`, which may be NULL, is set to how many the whole text has, also with BUFFER_TOO_SMALL. max_tokens
/// itself is always enough capacity. Any thread.
/// Errors: INVALID_ARGUMENT (also when max_tokens leaves no room for the special tokens), BUFFER_TOO_SMALL, OUT_OF_MEMORY. Since 0.1.
INLAY_API inlay_status inlay_generator_tokenize(const inlay_generator* generator, inlay_string text, size_t max_tokens, int32_t* ids,
                                                size_t capacity, size_t* needed, size_t* tokens_seen, inlay_error** error);

/// Bytes [begin, end) of a text.
typedef struct inlay_byte_range {
  size_t begin;
  size_t end;
} inlay_byte_range;

/// The same ids, and in `offsets`, which has room for `capacity` of them too, the bytes of `text` that each stands for: those of Hugging
/// Face tokenizers, in bytes instead of characters. Special tokens around the text have the empty range {0, 0}. Ranges can overlap (each
/// token of one character has all of it) and leave gaps (white space, what a normaliser drops). Takes longer than
/// inlay_generator_tokenize. Any thread.
/// Errors: as inlay_generator_tokenize, and INVALID_ARGUMENT for a text above 1 GB. Since 0.1.
INLAY_API inlay_status inlay_generator_tokenize_with_offsets(const inlay_generator* generator, inlay_string text, size_t max_tokens,
                                                             int32_t* ids, inlay_byte_range* offsets, size_t capacity, size_t* needed,
                                                             size_t* tokens_seen, inlay_error** error);

/// The token's text as it stands in the vocabulary, "##ing", not NUL-terminated; the empty string for an id that is not there and for NULL.
/// Valid as long as the generator. Any thread. Since 0.1.
INLAY_API inlay_string inlay_generator_token(const inlay_generator* generator, int32_t id);

// --- Comparing vectors ------------------------------------------------------------------------------------------------------------------

/// a·b / (|a| |b|), in [-1, 1]; 0 when either has length 0; NaN when either is NULL. Any thread. Since 0.1.
INLAY_API float inlay_cosine_similarity(const float* a, const float* b, size_t dimension);

typedef struct inlay_match {
  size_t row;
  float score;  ///< cosine similarity
  int32_t reserved;
} inlay_match;

/// The `k` of `rows` vectors, each of `dimension` components, that are most similar to the query: best first, equal scores by row; fewer
/// when there are fewer rows. Rows with a NaN never match. `matches` has room for k; `found` is set to how many there are. Any thread.
/// Errors: INVALID_ARGUMENT, OUT_OF_MEMORY. Since 0.1.
INLAY_API inlay_status inlay_top_k(const float* query, size_t dimension, const float* vectors, size_t rows, size_t k, inlay_match* matches,
                                   size_t* found, inlay_error** error);

// --- Logging ----------------------------------------------------------------------------------------------------------------------------

typedef int32_t inlay_log_level;
enum { INLAY_LOG_DEBUG = 0, INLAY_LOG_INFO = 1, INLAY_LOG_WARNING = 2 };

/// Receives one message, without a newline, valid during the callback. May come from any of the library's threads, one at a time.
typedef void (*inlay_log_callback)(inlay_log_level level, inlay_string message, void* user_data);

/// Sets the process-wide callback; NULL (the default) discards messages. A call of the one before may still be under way when this returns:
/// keep its user_data until no other call of the library is running. Any thread. Errors: OUT_OF_MEMORY. Since 0.1.
INLAY_API inlay_status inlay_set_log_callback(inlay_log_callback callback, void* user_data, inlay_error** error);

#ifdef __cplusplus
}
#endif

#endif
// NOLINTEND(modernize-*)
