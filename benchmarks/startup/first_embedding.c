/* The smallest program that embeds a text through the C library. Prints the vector's first numbers. */
#include <inlay.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: first_embedding MODEL TEXT\n");
    return 2;
  }
  inlay_error *error = NULL;
  inlay_generator *generator = NULL;
  inlay_generator_options options = INLAY_GENERATOR_OPTIONS_INIT;
  options.threads = 1;
  options.device = INLAY_STR("cpu");
  if (inlay_generator_load(inlay_string_from(argv[1]), &options, &generator, &error) != INLAY_OK) {
    fprintf(stderr, "first_embedding: %s\n", inlay_error_message(error));
    return 1;
  }
  size_t dimension = inlay_generator_dimension(generator);
  float *vector = malloc(dimension * sizeof *vector);
  if (vector == NULL ||
      inlay_generator_embed_query(generator, inlay_string_from(argv[2]), INLAY_QUERY_GENERAL, vector, dimension, NULL, &error) != INLAY_OK) {
    fprintf(stderr, "first_embedding: %s\n", inlay_error_message(error));
    return 1;
  }
  for (size_t i = 0; i < dimension && i < 4; ++i) printf("%.8f ", (double)vector[i]);
  printf("\n");
  fflush(stdout);
  free(vector);
  inlay_generator_free(generator);
  return 0;
}
