#include <cstdio>
#include <inlay/inlay.hpp>

// Prints the version, and the first component of a vector where a model is given.
int main(int argc, char** argv) try {
  std::printf("%s\n", std::string(inlay::version()).c_str());
  if (argc < 2) return 0;
  const auto generator = inlay::EmbeddingGenerator::load(argv[1]);
  std::printf("%.5f\n", static_cast<double>(generator.embed({"open a file"}).vectors(0, 0)));
} catch (const inlay::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
