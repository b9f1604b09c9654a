// The models that have an alias. Dimension and maximal length are those of the models' own files (where these don't say: config.json's
// positions without RoBERTa's two reserved ones); megabytes are the published weights' file, safetensors where there is one.
#include <array>

#include "inlay/hub.hpp"

namespace inlay {
namespace {

constexpr std::array<KnownModel, 20> models = {{
    {"minilm", "sentence-transformers/all-MiniLM-L6-v2", 384, 256, 91, "general English text, fastest: a good first choice"},
    {"minilm-l12", "sentence-transformers/all-MiniLM-L12-v2", 384, 128, 133, "general English text, a little better, half as fast"},
    {"mpnet", "sentence-transformers/all-mpnet-base-v2", 768, 384, 438, "general English text, best of the all-* family"},
    {"distilroberta", "sentence-transformers/all-distilroberta-v1", 768, 512, 328, "general English text of up to 512 tokens"},
    {"roberta-large", "sentence-transformers/all-roberta-large-v1", 1024, 256, 1421, "general English text, large"},
    {"codesearch", "flax-sentence-embeddings/st-codesearch-distilroberta-base", 768, 128, 329, "code search by questions in English"},
    {"codebert", "microsoft/codebert-base", 768, 512, 499, "code and its comments; made to be fine-tuned"},
    {"graphcodebert", "microsoft/graphcodebert-base", 768, 512, 499, "code, trained with its data flow; made to be fine-tuned"},
    {"codeberta", "huggingface/CodeBERTa-small-v1", 768, 512, 336, "code, small, six languages; made to be fine-tuned"},
    {"bge-small", "BAAI/bge-small-en-v1.5", 384, 512, 133, "retrieval in English, small"},
    {"bge-base", "BAAI/bge-base-en-v1.5", 768, 512, 438, "retrieval in English"},
    {"bge-large", "BAAI/bge-large-en-v1.5", 1024, 512, 1341, "retrieval in English, large"},
    {"e5-small", "intfloat/e5-small-v2", 384, 512, 133, "retrieval in English, small; wants \"query: \" and \"passage: \" in front"},
    {"e5-base", "intfloat/e5-base-v2", 768, 512, 438, "retrieval in English; wants \"query: \" and \"passage: \" in front"},
    {"e5-large", "intfloat/e5-large-v2", 1024, 512, 1341, "retrieval in English, large; wants \"query: \" and \"passage: \" in front"},
    {"multilingual-e5-small", "intfloat/multilingual-e5-small", 384, 512, 471, "retrieval in 100 languages; \"query: \" and \"passage: \""},
    {"multilingual-e5-base", "intfloat/multilingual-e5-base", 768, 512, 1112, "retrieval in 100 languages; \"query: \" and \"passage: \""},
    {"multilingual-e5-large", "intfloat/multilingual-e5-large", 1024, 512, 2240,
     "retrieval in 100 languages, large; \"query: \" and \"passage: \""},
    {"multilingual-minilm", "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2", 384, 128, 471,
     "sentences in 50 languages, alike across them"},
    {"distilbert", "distilbert/distilbert-base-uncased", 768, 512, 268, "English text; made to be fine-tuned"},
}};

}  // namespace

std::span<const KnownModel> known_models() noexcept { return models; }

}  // namespace inlay
