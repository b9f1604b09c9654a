#include <inlay.h>
#include <stdio.h>

/* Prints the version, and the first component of a vector where a model is given. */
int main(int argc, char** argv) {
  printf("%s\n", inlay_version());
  if (argc < 2) return 0;
  inlay_generator* generator = NULL;
  inlay_error* error = NULL;
  const inlay_string text = INLAY_STR("open a file");
  float vector[384];
  if (inlay_generator_load(inlay_string_from(argv[1]), NULL, &generator, &error) != INLAY_OK ||
      inlay_generator_embed(generator, &text, 1, NULL, vector, 384, NULL, &error) != INLAY_OK) {
    fprintf(stderr, "%s\n", inlay_error_message(error));
    inlay_error_free(error);
    return 1;
  }
  printf("%.5f\n", (double)vector[0]);
  inlay_generator_free(generator);
  return 0;
}
