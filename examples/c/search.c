/* Embeds a few texts and finds those that are nearest to a question.
 *
 *   example_c_search models/all-MiniLM-L6-v2 "how do I read a document from disk?"
 */
#include <inlay.h>
#include <stdio.h>
#include <stdlib.h>

static int fail(inlay_error* error) {
  fprintf(stderr, "%s\n", inlay_error_message(error));
  inlay_error_free(error);
  return EXIT_FAILURE;
}

static inlay_action show(const inlay_progress* progress, void* user_data) {
  (void)user_data;
  fprintf(stderr, "%zu of %zu embedded\n", progress->done, progress->total);
  return INLAY_ACTION_CONTINUE;
}

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: %s MODEL QUESTION\n", argv[0]);
    return EXIT_FAILURE;
  }
  inlay_error* error = NULL;
  inlay_generator* generator = NULL;
  inlay_generator_options options = INLAY_GENERATOR_OPTIONS_INIT;
  options.threads = 2;
  if (inlay_generator_load(inlay_string_from(argv[1]), &options, &generator, &error) != INLAY_OK) return fail(error);

  enum { count = 5, best = 2 };
  const inlay_string texts[count] = {INLAY_STR("open a file and read its contents"), INLAY_STR("parse JSON into a tree"),
                                     INLAY_STR("send an email"), INLAY_STR("sort a list of numbers"), INLAY_STR("connect to a database")};
  const size_t dimension = inlay_generator_dimension(generator);
  float* vectors = malloc((count + 1) * dimension * sizeof *vectors);
  if (vectors == NULL) return EXIT_FAILURE;
  float* query = vectors + count * dimension;

  inlay_item_report reports[count];
  inlay_call_options call = INLAY_CALL_OPTIONS_INIT;
  call.progress = show;
  call.items = reports;
  call.items_capacity = count;
  if (inlay_generator_embed(generator, texts, count, &call, vectors, count * dimension, NULL, &error) != INLAY_OK) return fail(error);
  for (size_t i = 0; i < count; ++i) {
    if (reports[i].tokens_used < reports[i].tokens_seen) fprintf(stderr, "text %zu was truncated\n", i);
  }
  if (inlay_generator_embed_query(generator, inlay_string_from(argv[2]), INLAY_QUERY_GENERAL, query, dimension, NULL, &error) != INLAY_OK) {
    return fail(error);
  }

  inlay_match matches[best];
  size_t found = 0;
  if (inlay_top_k(query, dimension, vectors, count, best, matches, &found, &error) != INLAY_OK) return fail(error);
  for (size_t i = 0; i < found; ++i) printf("%.3f  %s\n", (double)matches[i].score, texts[matches[i].row].data);

  free(vectors);
  inlay_generator_free(generator);
  return EXIT_SUCCESS;
}
