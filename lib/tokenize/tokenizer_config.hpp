// TokenizerConfig: tokenizer_config.json, special_tokens_map.json and added_tokens.json, where they are there, beside the older files of a
// tokenizer. Read as transformers 5 reads them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/json.hpp"
#include "model/model_source.hpp"
#include "tokenize/added_tokens.hpp"
#include "tokenize/json_fields.hpp"

namespace inlay::tokenize {

/// A JSON file that may be missing.
class OptionalJson {
 public:
  OptionalJson(const model::ModelSource& source, std::string_view name);
  OptionalJson(const OptionalJson&) = delete;
  OptionalJson& operator=(const OptionalJson&) = delete;

  [[nodiscard]] const JsonFields* operator->() const noexcept { return &*fields_; }
  [[nodiscard]] explicit operator bool() const noexcept { return fields_.has_value(); }

 private:
  model::FileBytes bytes_;
  std::optional<model::JsonDocument> document_;
  std::optional<JsonFields> fields_;
};

/// "cls_token" and its like, by a tokenizer class's default.
struct NamedToken {
  std::string_view name;
  std::optional<AddedToken> token;
  bool lstrip_as_text = false;  ///< a file that gives it as a text, not as an object, means one that takes white space with it
};

class TokenizerConfig {
 public:
  /// Throws Error (invalid_model) for files that are misshapen.
  TokenizerConfig(const model::ModelSource& source, std::vector<NamedToken> defaults);

  [[nodiscard]] bool flag(std::string_view name, bool otherwise) const;
  [[nodiscard]] std::optional<bool> optional_flag(std::string_view name) const {
    return config_ ? config_->optional_boolean(name) : std::nullopt;
  }
  /// The text of bos_token, eos_token, unk_token, sep_token, pad_token, cls_token or mask_token.
  [[nodiscard]] std::string content(std::string_view name, std::string_view otherwise = "") const;
  /// All that are to be added, in order; `further` at the end.
  [[nodiscard]] std::vector<AddedToken> added_tokens(const std::vector<AddedToken>& further = {}) const;

 private:
  void read_special_tokens(const JsonFields& file);
  [[nodiscard]] std::vector<AddedToken> special_tokens() const;

  OptionalJson config_;
  std::vector<NamedToken> named_;
  std::vector<AddedToken> further_;
  std::vector<AddedToken> tokens_;
};

}  // namespace inlay::tokenize
