// Ten lines to a search. The model: a folder as published, "models/all-MiniLM-L6-v2".
#include <inlay/inlay.hpp>
#include <iostream>

int main(int argc, char** argv) try {
  auto generator = inlay::EmbeddingGenerator::load(argc > 1 ? argv[1] : "models/all-MiniLM-L6-v2");
  std::vector<std::string> texts = {"open a file", "parse JSON", "send an email"};
  auto result = generator.embed(texts);  // result.vectors: xt::xtensor<float, 2>, 3 x 384
  auto query = generator.embed_query("how do I read a document from disk?");
  for (auto [row, score] : inlay::top_k(query, result.vectors, 2)) std::cout << score << "  " << texts[row] << "\n";
} catch (const inlay::Error& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
