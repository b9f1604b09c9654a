/* Every function of inlay.h from C99: what it does, every NULL, every wrong size, ownership, threads, cancellation.
 *
 *   test_c_api          what needs no model
 *   test_c_api MODEL    what needs the real all-MiniLM-L6-v2
 */
#define _POSIX_C_SOURCE 200809L

#include <inlay.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;

#define CHECK(condition)                                                      \
  do {                                                                        \
    if (!(condition)) {                                                       \
      ++failures;                                                             \
      fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
    }                                                                         \
  } while (0)

/* The call's status, that its error says the same and contains `part`, and that it is freed. */
#define CHECK_FAILS(call, expected, part) check_fails(__LINE__, #call, (call), expected, part)
static inlay_error* error = NULL;

static void check_fails(int line, const char* call, inlay_status status, inlay_status expected, const char* part) {
  if (status != expected || inlay_error_status(error) != expected || strstr(inlay_error_message(error), part) == NULL) {
    ++failures;
    fprintf(stderr, "%s:%d: %s gave %s (%s), not %s (…%s…)\n", __FILE__, line, call, inlay_status_name(status), inlay_error_message(error),
            inlay_status_name(expected), part);
  }
  inlay_error_free(error);
  error = NULL;
}

#define CHECK_OK(call) check_ok(__LINE__, #call, (call))
static void check_ok(int line, const char* call, inlay_status status) {
  if (status == INLAY_OK && error == NULL) return;
  ++failures;
  fprintf(stderr, "%s:%d: %s gave %s (%s)\n", __FILE__, line, call, inlay_status_name(status), inlay_error_message(error));
  inlay_error_free(error);
  error = NULL;
}

static void* memory(size_t bytes) {
  void* block = malloc(bytes == 0 ? 1 : bytes);
  if (block == NULL) abort();
  return block;
}

/* --- without a model ------------------------------------------------------------------------------------------------------------------ */

static void test_names(void) {
  static const char* const names[] = {"ok",          "invalid_argument", "not_found", "io_error",         "invalid_model", "invalid_data",
                                      "unsupported", "out_of_memory",    "cancelled", "buffer_too_small", "internal"};
  CHECK(strcmp(inlay_version(), INLAY_VERSION_STRING) == 0);
  for (inlay_status status = INLAY_OK; status <= INLAY_INTERNAL; ++status) CHECK(strcmp(inlay_status_name(status), names[status]) == 0);
  CHECK(strcmp(inlay_status_name(11), "unknown") == 0);
  CHECK(strcmp(inlay_status_name(-1), "unknown") == 0);
}

static void test_strings(void) {
  inlay_string text = INLAY_STR("a\0b");
  CHECK(text.length == 3 && memcmp(text.data, "a\0b", 3) == 0);
  text = inlay_string_from("four");
  CHECK(text.length == 4);
  text = inlay_string_from(NULL);
  CHECK(text.data == NULL && text.length == 0);
}

static void test_null_errors(void) {
  CHECK(inlay_error_status(NULL) == INLAY_OK);
  CHECK(strcmp(inlay_error_message(NULL), "") == 0);
  CHECK(strcmp(inlay_error_item_message(NULL, 0), "") == 0);
  inlay_error_free(NULL);
}

static void test_cancel_token(void) {
  inlay_cancel_token* token = NULL;
  CHECK_FAILS(inlay_cancel_token_create(NULL, &error), INLAY_INVALID_ARGUMENT, "token is NULL");
  CHECK_OK(inlay_cancel_token_create(&token, &error));
  CHECK(inlay_cancel_token_cancelled(token) == 0);
  inlay_cancel_token_cancel(token);
  inlay_cancel_token_cancel(token);
  CHECK(inlay_cancel_token_cancelled(token) == 1);
  inlay_cancel_token_free(token);
  inlay_cancel_token_cancel(NULL);
  CHECK(inlay_cancel_token_cancelled(NULL) == 0);
  inlay_cancel_token_free(NULL);
}

static void test_load_failures(void) {
  inlay_generator* generator = (inlay_generator*)&failures; /* anything but NULL: it must be overwritten */
  const inlay_string nowhere = INLAY_STR("/no/such/model");
  CHECK_FAILS(inlay_generator_load(nowhere, NULL, &generator, &error), INLAY_NOT_FOUND, "/no/such/model");
  CHECK(generator == NULL);
  CHECK(inlay_generator_load(nowhere, NULL, &generator, NULL) == INLAY_NOT_FOUND);
  CHECK_FAILS(inlay_generator_load(nowhere, NULL, NULL, &error), INLAY_INVALID_ARGUMENT, "generator is NULL");
  CHECK_FAILS(inlay_generator_load(INLAY_STR(""), NULL, &generator, &error), INLAY_INVALID_ARGUMENT, "path is empty");
  CHECK_FAILS(inlay_generator_load(INLAY_STR("a\0b"), NULL, &generator, &error), INLAY_INVALID_ARGUMENT, "NUL");
  const inlay_string broken = {NULL, 5};
  CHECK_FAILS(inlay_generator_load(broken, NULL, &generator, &error), INLAY_INVALID_ARGUMENT, "path is NULL");

  inlay_generator_options options = INLAY_GENERATOR_OPTIONS_INIT;
  CHECK_FAILS(inlay_generator_load(nowhere, &options, &generator, &error), INLAY_NOT_FOUND, "/no/such/model");
  options.device = INLAY_STR("abacus");
  CHECK_FAILS(inlay_generator_load(nowhere, &options, &generator, &error), INLAY_INVALID_ARGUMENT, "abacus");
  options.device = broken;
  CHECK_FAILS(inlay_generator_load(nowhere, &options, &generator, &error), INLAY_INVALID_ARGUMENT, "device is NULL");
  options.device = INLAY_STR("cpu");
  options.pooling = INLAY_STR("median");
  CHECK_FAILS(inlay_generator_load(nowhere, &options, &generator, &error), INLAY_INVALID_ARGUMENT, "Invalid pooling method");
  options.pooling = INLAY_STR("cls");
  options.precision = INLAY_STR("fp3");
  CHECK_FAILS(inlay_generator_load(nowhere, &options, &generator, &error), INLAY_INVALID_ARGUMENT, "fp3");
  options.precision = INLAY_STR("fp32");
  options.reserved = 1;
  CHECK_FAILS(inlay_generator_load(nowhere, &options, &generator, &error), INLAY_INVALID_ARGUMENT, "reserved");
  options.reserved = 0;
  CHECK_FAILS(inlay_generator_load(nowhere, &options, &generator, &error), INLAY_NOT_FOUND, "/no/such/model");

  CHECK_FAILS(inlay_generator_load_memory(NULL, 1, nowhere, NULL, &generator, &error), INLAY_INVALID_ARGUMENT, "files is NULL");
  CHECK_FAILS(inlay_generator_load_memory(NULL, 0, nowhere, NULL, NULL, &error), INLAY_INVALID_ARGUMENT, "generator is NULL");
  CHECK(inlay_generator_load_memory(NULL, 0, nowhere, NULL, &generator, NULL) != INLAY_OK && generator == NULL);
  inlay_model_file file = {INLAY_STR("config.json"), NULL, 10};
  CHECK_FAILS(inlay_generator_load_memory(&file, 1, nowhere, NULL, &generator, &error), INLAY_INVALID_ARGUMENT, "config.json");
  file.name.data = NULL;
  CHECK_FAILS(inlay_generator_load_memory(&file, 1, nowhere, NULL, &generator, &error), INLAY_INVALID_ARGUMENT, "name is NULL");
  file = (inlay_model_file){INLAY_STR("config.json"), "{}", 2};
  CHECK_FAILS(inlay_generator_load_memory(&file, 1, broken, NULL, &generator, &error), INLAY_INVALID_ARGUMENT, "name is NULL");
  inlay_generator_free(NULL);
}

/* What a client that was compiled with a later header passes: this release's fields, and then some. */
struct later_options {
  inlay_generator_options now;
  unsigned char added[24];
};

static void test_struct_sizes(void) {
  inlay_generator* generator = NULL;
  const inlay_string nowhere = INLAY_STR("/no/such/model");
  struct later_options later;
  memset(&later, 0, sizeof later);
  later.now.size = sizeof later;
  CHECK_FAILS(inlay_generator_load(nowhere, &later.now, &generator, &error), INLAY_NOT_FOUND, "/no/such/model");
  later.added[sizeof later.added - 1] = 1;
  CHECK_FAILS(inlay_generator_load(nowhere, &later.now, &generator, &error), INLAY_INVALID_ARGUMENT, "does not know");

  /* The first release's struct ended before the revision: what follows it is not the library's to read. */
  inlay_generator_options first = INLAY_GENERATOR_OPTIONS_INIT;
  first.size = offsetof(inlay_generator_options, revision);
  first.revision.length = 1;
  CHECK_FAILS(inlay_generator_load(nowhere, &first, &generator, &error), INLAY_NOT_FOUND, "/no/such/model");

  static const size_t never[] = {0, 1, sizeof(size_t), sizeof(inlay_generator_options) - 1, (size_t)1 << 20, SIZE_MAX};
  for (size_t i = 0; i < sizeof never / sizeof *never; ++i) {
    inlay_generator_options options = INLAY_GENERATOR_OPTIONS_INIT;
    options.size = never[i];
    CHECK_FAILS(inlay_generator_load(nowhere, &options, &generator, &error), INLAY_INVALID_ARGUMENT, "inlay_generator_options");
  }
}

static void test_model_names(void) {
  inlay_generator* generator = NULL;
  inlay_generator_options options = INLAY_GENERATOR_OPTIONS_INIT;
  CHECK_FAILS(inlay_generator_load(INLAY_STR("no-such/model"), &options, &generator, &error), INLAY_NOT_FOUND, "inlay pull no-such/model");
  CHECK_FAILS(inlay_generator_load(INLAY_STR("no such model"), &options, &generator, &error), INLAY_INVALID_ARGUMENT, "no such model");
  options.revision = INLAY_STR("../main");
  CHECK_FAILS(inlay_generator_load(INLAY_STR("no-such/model"), &options, &generator, &error), INLAY_INVALID_ARGUMENT, "../main");
  options.revision = INLAY_STR("main");
  CHECK_FAILS(inlay_generator_load(INLAY_STR("."), &options, &generator, &error), INLAY_INVALID_ARGUMENT, "revision");
}

static void test_null_generator(void) {
  float vector[4] = {1, 2, 3, 4};
  size_t needed = 7;
  size_t seen = 7;
  int32_t ids[4];
  const inlay_string text = INLAY_STR("text");
  inlay_model_info info = INLAY_MODEL_INFO_INIT;
  inlay_memory_use use = INLAY_MEMORY_USE_INIT;
  inlay_document document = INLAY_DOCUMENT_INIT;
  CHECK(inlay_generator_dimension(NULL) == 0);
  CHECK(inlay_generator_max_sequence_length(NULL) == 0);
  CHECK(inlay_generator_token(NULL, 101).length == 0);
  CHECK_FAILS(inlay_generator_info(NULL, &info, &error), INLAY_INVALID_ARGUMENT, "generator is NULL");
  CHECK_FAILS(inlay_generator_memory(NULL, &use, &error), INLAY_INVALID_ARGUMENT, "generator is NULL");
  CHECK_FAILS(inlay_generator_trim(NULL, &error), INLAY_INVALID_ARGUMENT, "generator is NULL");
  CHECK_FAILS(inlay_generator_embed(NULL, &text, 1, NULL, vector, 4, &needed, &error), INLAY_INVALID_ARGUMENT, "generator is NULL");
  CHECK(needed == 0);
  needed = 7;
  CHECK_FAILS(inlay_generator_embed_documents(NULL, &document, 1, NULL, vector, 4, &needed, &error), INLAY_INVALID_ARGUMENT,
              "generator is NULL");
  CHECK(needed == 0);
  needed = 7;
  CHECK_FAILS(inlay_generator_embed_query(NULL, text, INLAY_QUERY_GENERAL, vector, 4, &needed, &error), INLAY_INVALID_ARGUMENT,
              "generator is NULL");
  CHECK(needed == 0);
  needed = 7;
  CHECK_FAILS(inlay_generator_embed_code(NULL, text, text, vector, 4, &needed, &error), INLAY_INVALID_ARGUMENT, "generator is NULL");
  CHECK(needed == 0);
  needed = 7;
  CHECK_FAILS(inlay_generator_tokenize(NULL, text, 0, ids, 4, &needed, &seen, &error), INLAY_INVALID_ARGUMENT, "generator is NULL");
  CHECK(needed == 0 && seen == 0);
  CHECK(vector[0] == 1 && vector[3] == 4);
  CHECK(inlay_generator_embed(NULL, NULL, 0, NULL, NULL, 0, NULL, NULL) == INLAY_INVALID_ARGUMENT);
}

static void test_similarity(void) {
  const float a[3] = {1, 2, 3};
  const float b[3] = {4, -5, 6};
  const float zero[3] = {0, 0, 0};
  /* 12 / (sqrt(14) * sqrt(77)) */
  CHECK(fabs((double)inlay_cosine_similarity(a, b, 3) - 12 / (sqrt(14) * sqrt(77))) < 1e-7);
  CHECK(inlay_cosine_similarity(a, zero, 3) == 0);
  CHECK(inlay_cosine_similarity(NULL, NULL, 0) == 0);
  CHECK(isnan(inlay_cosine_similarity(NULL, b, 3)));
  CHECK(isnan(inlay_cosine_similarity(a, NULL, 3)));
  CHECK(isnan(inlay_cosine_similarity(a, b, SIZE_MAX)));
}

static void test_top_k(void) {
  const float query[2] = {1, 0};
  const float vectors[10] = {0, 1, 1, 1, NAN, 0, 2, 0, 3, 3};
  inlay_match matches[5];
  size_t found = 7;
  CHECK_OK(inlay_top_k(query, 2, vectors, 5, 3, matches, &found, &error));
  CHECK(found == 3 && matches[0].row == 3 && matches[1].row == 1 && matches[2].row == 4); /* 1 and 4 score the same */
  CHECK(fabs((double)matches[0].score - 1) < 1e-7 && fabs((double)matches[1].score - sqrt(0.5)) < 1e-7);
  CHECK_OK(inlay_top_k(query, 2, vectors, 5, 5, matches, &found, &error));
  CHECK(found == 4);
  CHECK_OK(inlay_top_k(query, 2, vectors, 5, SIZE_MAX, matches, &found, &error));
  CHECK(found == 4);
  CHECK_OK(inlay_top_k(query, 2, vectors, 5, 0, NULL, &found, &error));
  CHECK(found == 0);
  CHECK_OK(inlay_top_k(query, 2, NULL, 0, 5, NULL, &found, &error));
  CHECK(found == 0);
  found = 7;
  CHECK_FAILS(inlay_top_k(query, 2, NULL, 5, 5, matches, &found, &error), INLAY_INVALID_ARGUMENT, "vectors is NULL");
  CHECK(found == 0);
  CHECK_FAILS(inlay_top_k(NULL, 2, vectors, 5, 5, matches, &found, &error), INLAY_INVALID_ARGUMENT, "query is NULL");
  CHECK_FAILS(inlay_top_k(query, 2, vectors, 5, 5, NULL, &found, &error), INLAY_INVALID_ARGUMENT, "matches is NULL");
  CHECK_FAILS(inlay_top_k(query, 2, vectors, 5, 5, matches, NULL, &error), INLAY_INVALID_ARGUMENT, "found is NULL");
  CHECK_FAILS(inlay_top_k(query, 0, vectors, 5, 5, matches, &found, &error), INLAY_INVALID_ARGUMENT, "dimension");
  CHECK_FAILS(inlay_top_k(query, 2, vectors, SIZE_MAX / 2, 1, matches, &found, &error), INLAY_INVALID_ARGUMENT, "overflow");
}

static void ignore_log(inlay_log_level level, inlay_string message, void* user_data) {
  CHECK(level >= INLAY_LOG_DEBUG && level <= INLAY_LOG_WARNING);
  CHECK(message.length > 0);
  ++*(int*)user_data;
}

static void test_log_callback(void) {
  static int messages = 0;
  CHECK_OK(inlay_set_log_callback(ignore_log, &messages, &error));
  CHECK_OK(inlay_set_log_callback(NULL, NULL, &error));
}

/* --- with the model ------------------------------------------------------------------------------------------------------------------- */

enum { dimension = 384 };

static const char* model;

static inlay_generator* load(size_t batch_size) {
  inlay_generator_options options = INLAY_GENERATOR_OPTIONS_INIT;
  inlay_generator* generator = NULL;
  options.threads = 2;
  options.batch_size = batch_size;
  CHECK_OK(inlay_generator_load(inlay_string_from(model), &options, &generator, &error));
  if (generator == NULL) exit(EXIT_FAILURE);
  return generator;
}

static double largest_difference(const float* a, const float* b, size_t count) {
  double largest = 0;
  for (size_t i = 0; i < count; ++i) {
    const double difference = fabs((double)a[i] - (double)b[i]);
    if (!(difference <= largest)) largest = difference; /* NaN too */
  }
  return largest;
}

static int is_text(inlay_string string, const char* expected) {
  return string.length == strlen(expected) && memcmp(string.data, expected, string.length) == 0 && string.data[string.length] == '\0';
}

static void test_info(const inlay_generator* generator) {
  CHECK(inlay_generator_dimension(generator) == dimension);
  CHECK(inlay_generator_max_sequence_length(generator) == 256);

  struct {
    inlay_model_info now;
    unsigned char added[16];
  } later;
  memset(&later, 0xff, sizeof later);
  later.now.size = sizeof later;
  CHECK_OK(inlay_generator_info(generator, &later.now, &error));
  CHECK(later.now.size == sizeof later);
  for (size_t i = 0; i < sizeof later.added; ++i) CHECK(later.added[i] == 0);

  inlay_model_info info = INLAY_MODEL_INFO_INIT;
  CHECK_OK(inlay_generator_info(generator, &info, &error));
  CHECK(info.size == sizeof info);
  CHECK(is_text(info.architecture, "bert") && is_text(info.pooling, "mean") && is_text(info.precision, "fp32"));
  CHECK(is_text(info.path, model) && is_text(info.library_version, INLAY_VERSION_STRING));
  CHECK(is_text(info.device, "cpu") || strncmp(info.device.data, "cuda", 4) == 0);
  CHECK(info.name.length > 0 && info.kernels.length > 0 && info.fingerprint.length > 0);
  CHECK(info.dimension == dimension && info.max_sequence_length == 256 && info.layers == 6 && info.vocabulary_size == 30522);
  CHECK(info.parameters > 22000000 && info.parameters < 23000000 && info.threads == 2 && info.normalized == 1);
  CHECK(later.now.fingerprint.data == info.fingerprint.data); /* the generator's own, not copies */
  for (size_t i = 0; i < info.prompt_count; ++i) CHECK(info.prompts[i].name.length > 0);

  CHECK_FAILS(inlay_generator_info(generator, NULL, &error), INLAY_INVALID_ARGUMENT, "info is NULL");
  info.size = 8;
  CHECK_FAILS(inlay_generator_info(generator, &info, &error), INLAY_INVALID_ARGUMENT, "inlay_model_info");

  inlay_memory_use use = INLAY_MEMORY_USE_INIT;
  CHECK_OK(inlay_generator_memory(generator, &use, &error));
  CHECK(use.size == sizeof use && use.weights > 80000000 && use.tokenizer > 0 && use.process_peak >= use.weights / 2);
  CHECK_FAILS(inlay_generator_memory(generator, NULL, &error), INLAY_INVALID_ARGUMENT, "memory is NULL");
  use.size = 0;
  CHECK_FAILS(inlay_generator_memory(generator, &use, &error), INLAY_INVALID_ARGUMENT, "inlay_memory_use");
  CHECK_OK(inlay_generator_trim(generator, &error));
}

static inlay_action count_calls(const inlay_progress* progress, void* user_data) {
  CHECK(progress->size == sizeof *progress && progress->done <= progress->total);
  ++*(int*)user_data;
  return INLAY_ACTION_CONTINUE;
}

static void test_embed(const inlay_generator* generator) {
  const inlay_string texts[3] = {INLAY_STR("open a file"), INLAY_STR(""), INLAY_STR("bytes \xff\xfe that are not UTF-8, and a \0 byte")};
  float vectors[3 * dimension];
  inlay_item_report reports[3];
  int calls = 0;
  inlay_call_options call = INLAY_CALL_OPTIONS_INIT;
  call.progress = count_calls;
  call.user_data = &calls;
  call.items = reports;
  call.items_capacity = 3;
  size_t needed = 0;

  /* The capacity is checked before the work: no progress, nothing written, the reports with the call's status. */
  for (size_t i = 0; i < 3 * dimension; ++i) vectors[i] = 42;
  CHECK_FAILS(inlay_generator_embed(generator, texts, 3, &call, vectors, 3 * dimension - 1, &needed, &error), INLAY_BUFFER_TOO_SMALL,
              "1152");
  CHECK(needed == 3 * dimension && calls == 0);
  CHECK(reports[0].status == INLAY_BUFFER_TOO_SMALL && reports[2].status == INLAY_BUFFER_TOO_SMALL && reports[0].tokens_seen == 0);
  for (size_t i = 0; i < 3 * dimension; ++i) CHECK(vectors[i] == 42);
  needed = 0;
  CHECK_FAILS(inlay_generator_embed(generator, texts, 3, NULL, NULL, 0, &needed, &error), INLAY_BUFFER_TOO_SMALL, "1152");
  CHECK(needed == 3 * dimension);

  CHECK_OK(inlay_generator_embed(generator, texts, 3, &call, vectors, 3 * dimension, &needed, &error));
  CHECK(needed == 3 * dimension && calls >= 1);
  for (size_t item = 0; item < 3; ++item) {
    CHECK(reports[item].status == INLAY_OK && reports[item].reserved == 0 && reports[item].tokens_used == reports[item].tokens_seen);
    CHECK(fabs((double)inlay_cosine_similarity(vectors + item * dimension, vectors + item * dimension, dimension) - 1) < 1e-6);
    double square = 0;
    for (size_t i = 0; i < dimension; ++i) square += (double)vectors[item * dimension + i] * (double)vectors[item * dimension + i];
    CHECK(fabs(square - 1) < 1e-5);
  }
  CHECK(reports[0].tokens_seen == 5 && reports[1].tokens_seen == 2);

  /* Optional parameters are optional. */
  float again[3 * dimension];
  CHECK(inlay_generator_embed(generator, texts, 3, NULL, again, 3 * dimension, NULL, NULL) == INLAY_OK);
  CHECK(largest_difference(vectors, again, 3 * dimension) <= 1e-6);

  needed = 7;
  CHECK_OK(inlay_generator_embed(generator, NULL, 0, &call, NULL, 0, &needed, &error));
  CHECK(needed == 0);

  CHECK_FAILS(inlay_generator_embed(generator, NULL, 3, &call, vectors, 3 * dimension, &needed, &error), INLAY_INVALID_ARGUMENT,
              "texts is NULL");
  CHECK(needed == 0 && reports[0].status == INLAY_INVALID_ARGUMENT);
  CHECK_FAILS(inlay_generator_embed(generator, texts, 3, &call, NULL, 3 * dimension, &needed, &error), INLAY_INVALID_ARGUMENT,
              "vectors is NULL");
  CHECK_FAILS(inlay_generator_embed(generator, texts, SIZE_MAX / dimension, NULL, vectors, 3 * dimension, &needed, &error),
              INLAY_INVALID_ARGUMENT, "overflow");
  const inlay_string broken[2] = {INLAY_STR("fine"), {NULL, 3}};
  CHECK_FAILS(inlay_generator_embed(generator, broken, 2, NULL, vectors, 3 * dimension, &needed, &error), INLAY_INVALID_ARGUMENT,
              "texts[1]");

  call.items_capacity = 2;
  CHECK_FAILS(inlay_generator_embed(generator, texts, 3, &call, vectors, 3 * dimension, &needed, &error), INLAY_INVALID_ARGUMENT, "items");
  call.size = 0;
  CHECK_FAILS(inlay_generator_embed(generator, texts, 3, &call, vectors, 3 * dimension, &needed, &error), INLAY_INVALID_ARGUMENT,
              "inlay_call_options");
}

static void test_truncation(const inlay_generator* generator) {
  enum { words = 1000 };
  char text[words * 5];
  for (size_t i = 0; i < words; ++i) memcpy(text + i * 5, "word ", 5);
  const inlay_string string = {text, sizeof text};
  float vector[dimension];
  inlay_item_report report;
  inlay_call_options call = INLAY_CALL_OPTIONS_INIT;
  call.items = &report;
  call.items_capacity = 1;
  CHECK_OK(inlay_generator_embed(generator, &string, 1, &call, vector, dimension, NULL, &error));
  CHECK(report.status == INLAY_OK && report.tokens_seen == words + 2 && report.tokens_used == 256);
}

static void test_queries_and_code(const inlay_generator* generator) {
  const inlay_string texts[6] = {
      INLAY_STR("where"),       INLAY_STR("Code search: where"), INLAY_STR("Error analysis: where"), INLAY_STR("Documentation: where"),
      INLAY_STR("int main();"), INLAY_STR("[CPP] int main();")};
  float expected[6 * dimension];
  float vector[dimension];
  size_t needed = 0;
  CHECK_OK(inlay_generator_embed(generator, texts, 6, NULL, expected, 6 * dimension, NULL, &error));
  for (inlay_query_type type = INLAY_QUERY_GENERAL; type <= INLAY_QUERY_DOCUMENTATION; ++type) {
    CHECK_OK(inlay_generator_embed_query(generator, texts[0], type, vector, dimension, &needed, &error));
    CHECK(needed == dimension && largest_difference(vector, expected + type * dimension, dimension) <= 1e-6);
  }
  CHECK_OK(inlay_generator_embed_code(generator, texts[4], inlay_string_from(NULL), vector, dimension, &needed, &error));
  CHECK(needed == dimension && largest_difference(vector, expected + 4 * dimension, dimension) <= 1e-6);
  CHECK_OK(inlay_generator_embed_code(generator, texts[4], INLAY_STR("cpp"), vector, dimension, NULL, &error));
  CHECK(largest_difference(vector, expected + 5 * dimension, dimension) <= 1e-6);

  const inlay_string broken = {NULL, 3};
  needed = 7;
  CHECK_FAILS(inlay_generator_embed_query(generator, texts[0], 4, vector, dimension, &needed, &error), INLAY_INVALID_ARGUMENT,
              "query type 4");
  CHECK(needed == 0);
  CHECK_FAILS(inlay_generator_embed_query(generator, texts[0], -1, vector, dimension, &needed, &error), INLAY_INVALID_ARGUMENT,
              "query type -1");
  CHECK_FAILS(inlay_generator_embed_query(generator, broken, 0, vector, dimension, &needed, &error), INLAY_INVALID_ARGUMENT,
              "text is NULL");
  CHECK_FAILS(inlay_generator_embed_query(generator, texts[0], 0, NULL, dimension, &needed, &error), INLAY_INVALID_ARGUMENT,
              "vector is NULL");
  CHECK_FAILS(inlay_generator_embed_query(generator, texts[0], 0, vector, dimension - 1, &needed, &error), INLAY_BUFFER_TOO_SMALL, "384");
  CHECK(needed == dimension);
  CHECK_FAILS(inlay_generator_embed_code(generator, broken, texts[0], vector, dimension, &needed, &error), INLAY_INVALID_ARGUMENT,
              "code is NULL");
  CHECK_FAILS(inlay_generator_embed_code(generator, texts[0], broken, vector, dimension, &needed, &error), INLAY_INVALID_ARGUMENT,
              "language");
  CHECK_FAILS(inlay_generator_embed_code(generator, texts[0], texts[0], NULL, 0, &needed, &error), INLAY_BUFFER_TOO_SMALL, "384");
  CHECK(needed == dimension);
}

struct later_document {
  inlay_document now;
  size_t added;
};

static void test_documents(const inlay_generator* generator) {
  struct later_document documents[2];
  memset(documents, 0, sizeof documents);
  documents[0].now.size = documents[1].now.size = sizeof documents[0];
  documents[0].now.content = INLAY_STR("def login(user): ...");
  documents[0].now.file_type = INLAY_STR("python");
  documents[0].now.language = INLAY_STR("python");
  documents[0].now.function_name = INLAY_STR("login");
  documents[1].now.content = INLAY_STR("plain");
  const inlay_string texts[2] = {INLAY_STR("[PYTHON] [PYTHON] Function: login def login(user): ..."), INLAY_STR("plain")};
  float expected[2 * dimension];
  float vectors[2 * dimension];
  size_t needed = 0;
  CHECK_OK(inlay_generator_embed(generator, texts, 2, NULL, expected, 2 * dimension, NULL, &error));
  CHECK_OK(inlay_generator_embed_documents(generator, &documents[0].now, 2, NULL, vectors, 2 * dimension, &needed, &error));
  CHECK(needed == 2 * dimension && largest_difference(vectors, expected, 2 * dimension) <= 1e-6);

  documents[1].added = 1;
  CHECK_FAILS(inlay_generator_embed_documents(generator, &documents[0].now, 2, NULL, vectors, 2 * dimension, &needed, &error),
              INLAY_INVALID_ARGUMENT, "does not know");
  documents[1].now.size = sizeof(inlay_document);
  CHECK_FAILS(inlay_generator_embed_documents(generator, &documents[0].now, 2, NULL, vectors, 2 * dimension, &needed, &error),
              INLAY_INVALID_ARGUMENT, "documents[1].size");
  inlay_document document = INLAY_DOCUMENT_INIT;
  document.class_name.length = 1;
  CHECK_FAILS(inlay_generator_embed_documents(generator, &document, 1, NULL, vectors, 2 * dimension, &needed, &error),
              INLAY_INVALID_ARGUMENT, "class_name");
  CHECK_FAILS(inlay_generator_embed_documents(generator, NULL, 1, NULL, vectors, 2 * dimension, &needed, &error), INLAY_INVALID_ARGUMENT,
              "documents is NULL");
  CHECK_OK(inlay_generator_embed_documents(generator, NULL, 0, NULL, NULL, 0, &needed, &error));
  CHECK(needed == 0);
}

static void test_tokenize(const inlay_generator* generator) {
  /* Ids and token from Hugging Face tokenizers 0.23 with the model's tokenizer.json. */
  static const int32_t expected[5] = {101, 2330, 1037, 5371, 102};
  const inlay_string text = INLAY_STR("open a file");
  int32_t ids[8] = {-7, -7, -7, -7, -7, -7, -7, -7};
  size_t needed = 0;
  size_t seen = 0;
  CHECK_OK(inlay_generator_tokenize(generator, text, 0, ids, 8, &needed, &seen, &error));
  CHECK(needed == 5 && seen == 5 && memcmp(ids, expected, sizeof expected) == 0 && ids[5] == -7);
  CHECK_OK(inlay_generator_tokenize(generator, text, 4, ids, 4, &needed, &seen, &error));
  CHECK(needed == 4 && seen == 5 && ids[2] == 1037 && ids[3] == 102);
  ids[0] = -7;
  CHECK_FAILS(inlay_generator_tokenize(generator, text, INLAY_NO_LIMIT, ids, 4, &needed, &seen, &error), INLAY_BUFFER_TOO_SMALL, "5");
  CHECK(needed == 5 && seen == 5 && ids[0] == -7);
  CHECK_FAILS(inlay_generator_tokenize(generator, text, 0, NULL, 0, &needed, NULL, &error), INLAY_BUFFER_TOO_SMALL, "5");
  CHECK_FAILS(inlay_generator_tokenize(generator, text, 0, NULL, 8, &needed, &seen, &error), INLAY_INVALID_ARGUMENT, "ids is NULL");
  CHECK(needed == 0 && seen == 0);
  CHECK_FAILS(inlay_generator_tokenize(generator, text, 1, ids, 8, &needed, &seen, &error), INLAY_INVALID_ARGUMENT, "");
  const inlay_string broken = {NULL, 3};
  CHECK_FAILS(inlay_generator_tokenize(generator, broken, 0, ids, 8, &needed, &seen, &error), INLAY_INVALID_ARGUMENT, "text is NULL");
  CHECK_OK(inlay_generator_tokenize(generator, inlay_string_from(NULL), 0, ids, 8, NULL, NULL, &error));

  /* Offsets from the same, which counts characters: here the third is of two bytes. */
  static const inlay_byte_range places[5] = {{0, 0}, {0, 3}, {4, 6}, {7, 11}, {0, 0}};
  const inlay_string accented = INLAY_STR("the \xC3\xA0 file");
  inlay_byte_range offsets[8];
  memset(offsets, 0x55, sizeof offsets);
  CHECK_OK(inlay_generator_tokenize_with_offsets(generator, accented, 0, ids, offsets, 8, &needed, &seen, &error));
  CHECK(needed == 5 && seen == 5 && ids[1] == 1996 && memcmp(offsets, places, sizeof places) == 0 && offsets[5].begin == offsets[6].begin);
  CHECK_OK(inlay_generator_tokenize_with_offsets(generator, accented, 3, ids, offsets, 8, &needed, &seen, &error));
  CHECK(needed == 3 && seen == 5 && offsets[1].end == 3 && offsets[2].end == 0);
  CHECK_FAILS(inlay_generator_tokenize_with_offsets(generator, accented, 0, ids, offsets, 4, &needed, &seen, &error),
              INLAY_BUFFER_TOO_SMALL, "5");
  CHECK_FAILS(inlay_generator_tokenize_with_offsets(generator, accented, 0, ids, NULL, 8, &needed, &seen, &error), INLAY_INVALID_ARGUMENT,
              "offsets is NULL");
  CHECK_FAILS(inlay_generator_tokenize_with_offsets(NULL, accented, 0, ids, offsets, 8, &needed, &seen, &error), INLAY_INVALID_ARGUMENT,
              "generator is NULL");

  const inlay_string token = inlay_generator_token(generator, 2330);
  CHECK(token.length == 4 && memcmp(token.data, "open", 4) == 0);
  CHECK(inlay_generator_token(generator, 30522).length == 0);
  CHECK(inlay_generator_token(generator, -1).length == 0);
  CHECK(inlay_generator_token(generator, INT32_MIN).length == 0);
}

enum { many = 64 };

struct cancellation {
  inlay_cancel_token* token;
  int calls;
};

static inlay_action cancel_by_result(const inlay_progress* progress, void* user_data) {
  CHECK(progress->total == many);
  ++((struct cancellation*)user_data)->calls;
  return INLAY_ACTION_CANCEL;
}

static void* cancel_elsewhere(void* token) {
  inlay_cancel_token_cancel(token);
  return NULL;
}

static inlay_action cancel_from_thread(const inlay_progress* progress, void* user_data) {
  struct cancellation* state = user_data;
  pthread_t thread;
  (void)progress;
  ++state->calls;
  CHECK(pthread_create(&thread, NULL, cancel_elsewhere, state->token) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  return INLAY_ACTION_CONTINUE;
}

/* Some items done and some not, each as its report says, and the error about each. */
static void check_cancelled(const inlay_item_report* reports, const float* vectors, int none_done) {
  size_t done = 0;
  size_t first = many;
  for (size_t i = 0; i < many; ++i) {
    CHECK(reports[i].status == INLAY_OK || reports[i].status == INLAY_CANCELLED);
    const int finished = reports[i].status == INLAY_OK;
    done += (size_t)finished;
    if (!finished && first == many) first = i;
    CHECK((inlay_error_item_message(error, i)[0] == '\0') == finished);
    for (size_t j = 0; j < dimension; ++j) CHECK(isnan(vectors[i * dimension + j]) == !finished);
  }
  CHECK(first < many && done < many && (done == 0) == (none_done != 0));
  CHECK(inlay_error_item_message(error, many)[0] == '\0' && inlay_error_item_message(error, SIZE_MAX)[0] == '\0');
}

static void test_cancellation(void) {
  inlay_generator* one_by_one = load(1);
  inlay_string texts[many];
  for (size_t i = 0; i < many; ++i) texts[i] = INLAY_STR("a text that is not very long, but long enough to take its time");
  float* vectors = memory(many * dimension * sizeof *vectors);
  inlay_item_report reports[many];
  struct cancellation state = {NULL, 0};
  inlay_call_options call = INLAY_CALL_OPTIONS_INIT;
  call.items = reports;
  call.items_capacity = many;
  call.user_data = &state;
  size_t needed = 0;

  CHECK_OK(inlay_cancel_token_create(&state.token, &error));
  inlay_cancel_token_cancel(state.token);
  call.cancel = state.token;
  CHECK(inlay_generator_embed(one_by_one, texts, many, &call, vectors, many * dimension, &needed, &error) == INLAY_CANCELLED);
  CHECK(needed == many * dimension);
  check_cancelled(reports, vectors, 1);
  CHECK_FAILS(inlay_error_status(error), INLAY_CANCELLED, "cancelled with 0 of 64");
  inlay_cancel_token_free(state.token);

  call.cancel = NULL;
  call.progress = cancel_by_result;
  CHECK(inlay_generator_embed(one_by_one, texts, many, &call, vectors, many * dimension, &needed, &error) == INLAY_CANCELLED);
  CHECK(state.calls >= 1);
  check_cancelled(reports, vectors, 0);
  CHECK_FAILS(inlay_error_status(error), INLAY_CANCELLED, "cancelled with");

  CHECK_OK(inlay_cancel_token_create(&state.token, &error));
  call.cancel = state.token;
  call.progress = cancel_from_thread;
  CHECK(inlay_generator_embed(one_by_one, texts, many, &call, vectors, many * dimension, &needed, &error) == INLAY_CANCELLED);
  check_cancelled(reports, vectors, 0);

  /* The error outlives what it came from. */
  inlay_cancel_token_free(state.token);
  inlay_generator_free(one_by_one);
  CHECK_FAILS(inlay_error_status(error), INLAY_CANCELLED, "cancelled with");
  free(vectors);
}

static char* read_file(const char* name, size_t* length) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", model, name);
  FILE* file = fopen(path, "rb");
  if (file == NULL) return NULL;
  fseek(file, 0, SEEK_END);
  *length = (size_t)ftell(file);
  rewind(file);
  char* bytes = memory(*length);
  CHECK(fread(bytes, 1, *length, file) == *length);
  fclose(file);
  return bytes;
}

static void test_memory_model(const inlay_generator* from_path) {
  static const char* const names[] = {"config.json",
                                      "model.safetensors",
                                      "tokenizer.json",
                                      "vocab.txt",
                                      "modules.json",
                                      "tokenizer_config.json",
                                      "special_tokens_map.json",
                                      "sentence_bert_config.json",
                                      "1_Pooling/config.json",
                                      "config_sentence_transformers.json"};
  enum { known = sizeof names / sizeof *names };
  inlay_model_file files[known];
  size_t count = 0;
  for (size_t i = 0; i < known; ++i) {
    files[count].data = read_file(names[i], &files[count].length);
    files[count].name = inlay_string_from(names[i]);
    if (files[count].data != NULL) ++count;
  }
  inlay_generator_options options = INLAY_GENERATOR_OPTIONS_INIT;
  options.threads = 2;
  inlay_generator* from_memory = NULL;
  CHECK_OK(inlay_generator_load_memory(files, count, INLAY_STR("mine"), &options, &from_memory, &error));
  for (size_t i = 0; i < count; ++i) {
    memset((void*)files[i].data, 0x55, files[i].length); /* the library must not need them any more */
    free((void*)files[i].data);
  }
  const inlay_string texts[3] = {INLAY_STR("open a file"), INLAY_STR("parse JSON into a tree of values"), INLAY_STR("")};
  float a[3 * dimension];
  float b[3 * dimension];
  CHECK_OK(inlay_generator_embed(from_path, texts, 3, NULL, a, 3 * dimension, NULL, &error));
  CHECK_OK(inlay_generator_embed(from_memory, texts, 3, NULL, b, 3 * dimension, NULL, &error));
  CHECK(memcmp(a, b, sizeof a) == 0);

  inlay_model_info path_info = INLAY_MODEL_INFO_INIT;
  inlay_model_info memory_info = INLAY_MODEL_INFO_INIT;
  CHECK_OK(inlay_generator_info(from_path, &path_info, &error));
  CHECK_OK(inlay_generator_info(from_memory, &memory_info, &error));
  CHECK(is_text(memory_info.name, "mine") && memory_info.path.length == 0);
  CHECK(is_text(memory_info.fingerprint, path_info.fingerprint.data));
  inlay_generator_free(from_memory);
}

static void test_options(void) {
  inlay_generator* generator = NULL;
  inlay_generator_options options = INLAY_GENERATOR_OPTIONS_INIT;
  options.device = INLAY_STR("cpu");
  options.precision = INLAY_STR("fp32");
  options.pooling = INLAY_STR("cls");
  options.batch_tokens = 64;
  options.batch_size = 2;
  options.max_sequence_length = 16;
  options.threads = 1;
  options.truncate_dim = 100;
  options.no_normalize = 1;
  CHECK_OK(inlay_generator_load(inlay_string_from(model), &options, &generator, &error));
  inlay_model_info info = INLAY_MODEL_INFO_INIT;
  CHECK_OK(inlay_generator_info(generator, &info, &error));
  CHECK(is_text(info.device, "cpu") && is_text(info.pooling, "cls") && info.dimension == 100 && info.max_sequence_length == 16);
  CHECK(info.threads == 1 && info.normalized == 0 && inlay_generator_dimension(generator) == 100);
  const inlay_string text = INLAY_STR("open a file");
  float vector[100];
  CHECK_OK(inlay_generator_embed(generator, &text, 1, NULL, vector, 100, NULL, &error));
  double square = 0;
  for (size_t i = 0; i < 100; ++i) square += (double)vector[i] * (double)vector[i];
  CHECK(fabs(sqrt(square) - 1) > 0.01);
  inlay_generator_free(generator);

  options.truncate_dim = 1000000;
  CHECK_FAILS(inlay_generator_load(inlay_string_from(model), &options, &generator, &error), INLAY_INVALID_ARGUMENT, "1000000");
  options.truncate_dim = 0;
  options.max_sequence_length = 1000000;
  CHECK_FAILS(inlay_generator_load(inlay_string_from(model), &options, &generator, &error), INLAY_INVALID_ARGUMENT, "1000000");
}

enum { thread_count = 8, thread_texts = 12 };

struct thread_state {
  const inlay_generator* generator;
  const inlay_string* texts;
  const float* expected;
  const char* failed;
};

static void* work(void* argument) {
  struct thread_state* state = argument;
  float vectors[thread_texts * dimension];
  int32_t ids[64];
  size_t needed = 0;
  for (int round = 0; round < 10 && state->failed == NULL; ++round) {
    inlay_error* own = NULL;
    if (inlay_generator_embed(state->generator, state->texts, thread_texts, NULL, vectors, thread_texts * dimension, &needed, &own) !=
        INLAY_OK) {
      state->failed = "embed";
    } else if (largest_difference(vectors, state->expected, thread_texts * dimension) > 1e-6) {
      state->failed = "vectors";
    } else if (inlay_generator_tokenize(state->generator, state->texts[0], 0, ids, 64, &needed, NULL, &own) != INLAY_OK || ids[0] != 101) {
      state->failed = "tokenize";
    } else if (inlay_generator_embed_query(state->generator, state->texts[1], 0, vectors, dimension, NULL, &own) != INLAY_OK) {
      state->failed = "query";
    } else if (largest_difference(vectors, state->expected + dimension, dimension) > 1e-6) {
      state->failed = "query's vector";
    } else if (inlay_generator_embed(state->generator, state->texts, 1, NULL, vectors, 1, NULL, &own) != INLAY_BUFFER_TOO_SMALL) {
      state->failed = "error";
    }
    inlay_error_free(own);
  }
  return NULL;
}

static void test_threads(const inlay_generator* generator) {
  inlay_string texts[thread_texts];
  char words[thread_texts][64];
  for (size_t i = 0; i < thread_texts; ++i) {
    snprintf(words[i], sizeof words[i], "text number %zu %.*s", i, (int)(3 * i), "and a tail of its own, of some length");
    texts[i] = inlay_string_from(words[i]);
  }
  float expected[thread_texts * dimension];
  CHECK_OK(inlay_generator_embed(generator, texts, thread_texts, NULL, expected, thread_texts * dimension, NULL, &error));
  pthread_t threads[thread_count];
  struct thread_state states[thread_count];
  for (size_t i = 0; i < thread_count; ++i) {
    states[i] = (struct thread_state){generator, texts, expected, NULL};
    CHECK(pthread_create(&threads[i], NULL, work, &states[i]) == 0);
  }
  for (size_t i = 0; i < thread_count; ++i) {
    CHECK(pthread_join(threads[i], NULL) == 0);
    if (states[i].failed != NULL) fprintf(stderr, "thread %zu failed: %s\n", i, states[i].failed);
    CHECK(states[i].failed == NULL);
  }
}

int main(int argc, char** argv) {
  if (argc < 2) {
    test_names();
    test_strings();
    test_null_errors();
    test_cancel_token();
    test_load_failures();
    test_struct_sizes();
    test_model_names();
    test_null_generator();
    test_similarity();
    test_top_k();
    test_log_callback();
  } else if (argv[1][0] == '\0') {
    puts("skipped: INLAY_MODEL is not set");
    return 77;
  } else {
    model = argv[1];
    inlay_generator* generator = load(0);
    test_info(generator);
    test_embed(generator);
    test_truncation(generator);
    test_queries_and_code(generator);
    test_documents(generator);
    test_tokenize(generator);
    test_cancellation();
    test_memory_model(generator);
    test_options();
    test_threads(generator);
    inlay_generator_free(generator);
  }
  if (failures == 0) puts("all passed");
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
