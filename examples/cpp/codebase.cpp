// Code with its metadata: embedded with progress and a way to stop, saved as an embedding set, loaded again and searched.
//
//   example_cpp_codebase models/all-MiniLM-L6-v2 auth.set "where are passwords checked?"
#include <inlay/inlay.hpp>
#include <iostream>

int main(int argc, char** argv) try {
  if (argc != 4) {
    std::cerr << "usage: " << argv[0] << " MODEL SET QUESTION\n";
    return 1;
  }
  inlay::EmbeddingGenerator generator = inlay::EmbeddingGenerator::load(argv[1], {.device = inlay::Device::automatic(),
                                                                                  .precision = inlay::Precision::fp32,
                                                                                  .batch_size = 16,
                                                                                  .max_sequence_length = 256,
                                                                                  .normalize = true});

  std::vector<inlay::Document> documents = {
      {"def authenticate_user(username, password):\n    return verify(hash(password), stored_hash(username))",
       {.file_name = "auth.py",
        .file_type = "python",
        .language = "python",
        .function_name = "authenticate_user",
        .class_name = "AuthManager"}},
      {"def read_settings(path):\n    with open(path) as file:\n        return json.load(file)",
       {.file_name = "settings.py", .file_type = "python", .language = "python", .function_name = "read_settings"}},
      {"void draw_circle(Canvas& canvas, Point centre, double radius);",
       {.file_name = "shapes.hpp", .file_type = "cpp", .language = "cpp", .function_name = "draw_circle"}}};

  std::stop_source stop;  // stop.request_stop(), from any thread, ends the call soon
  auto result = generator.embed_documents(documents, {.stop = stop.get_token(), .on_progress = [](const inlay::Progress& p) {
                                                        std::clog << p.done << "/" << p.total << " at " << p.tokens_per_second
                                                                  << " tokens/s\n";
                                                      }});
  for (const auto& item : result.items)
    if (item.tokens_used < item.tokens_seen) std::clog << "truncated: " << item.tokens_seen << " tokens\n";

  inlay::save_embeddings(argv[2], result, documents, generator.info());
  auto set = inlay::load_embeddings(argv[2]);  // shape, rows and fingerprint checked

  auto query = generator.embed_query(argv[3], inlay::QueryType::code_search);
  for (auto [row, score] : inlay::top_k(query, set.vectors, 1)) {
    const inlay::Metadata& found = set.documents[row].metadata;
    std::cout << score << "  " << found.file_name << ": " << found.function_name << "\n";
  }
} catch (const inlay::Error& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
