// Inlay: the embeddable embedding library. This header includes the whole public C++ API; each of the others can be read, and included,
// alone.
//
//   #include <inlay/inlay.hpp>
//
//   auto generator = inlay::EmbeddingGenerator::load("models/all-MiniLM-L6-v2");
//   std::vector<std::string> texts = {"open a file", "parse JSON", "send an email"};
//   auto result = generator.embed(texts);                                          // result.vectors: 3 x 384
//   auto query = generator.embed_query("how do I read a document from disk?");
//   for (auto [row, score] : inlay::top_k(query, result.vectors, 2)) std::cout << score << "  " << texts[row] << "\n";
#pragma once

#include "inlay/batch.hpp"
#include "inlay/code_embeddings.hpp"
#include "inlay/code_items.hpp"
#include "inlay/code_parser.hpp"
#include "inlay/codebase_index.hpp"
#include "inlay/corpus.hpp"
#include "inlay/document.hpp"
#include "inlay/embed_corpus.hpp"
#include "inlay/embed_stream.hpp"
#include "inlay/embedding_set.hpp"
#include "inlay/error.hpp"
#include "inlay/generator.hpp"
#include "inlay/hub.hpp"
#include "inlay/log.hpp"
#include "inlay/matrix.hpp"
#include "inlay/options.hpp"
#include "inlay/papers.hpp"
#include "inlay/resumable.hpp"
#include "inlay/similarity.hpp"
#include "inlay/source_tokens.hpp"
#include "inlay/text_preparator.hpp"
#include "inlay/text_splitter.hpp"
#include "inlay/token_limit_estimator.hpp"
#include "inlay/tokenizer.hpp"
#include "inlay/torchscript.hpp"
#include "inlay/vector_cache.hpp"
#include "inlay/vector_index.hpp"
#include "inlay/version.hpp"
