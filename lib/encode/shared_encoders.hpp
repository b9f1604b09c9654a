// SharedEncoders: one encoder for all generators of the same files. Held weakly: it goes with its last generator.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "encode/encoder.hpp"

namespace inlay::encode {

/// Key: what an encoder is made of, comparable. Any thread may call; they wait for one another while an encoder is made.
template <class Key>
class SharedEncoders {
 public:
  std::shared_ptr<const Encoder> find_or_make(Key key, const std::function<std::shared_ptr<const Encoder>()>& make) {
    const std::lock_guard lock(mutex_);
    std::erase_if(encoders_, [](const auto& entry) { return entry.second.expired(); });
    for (const auto& [known, encoder] : encoders_) {
      if (known != key) continue;
      if (auto found = encoder.lock()) return found;
    }
    std::shared_ptr<const Encoder> made = make();
    encoders_.emplace_back(std::move(key), made);
    return made;
  }

 private:
  std::mutex mutex_;
  std::vector<std::pair<Key, std::weak_ptr<const Encoder>>> encoders_;
};

}  // namespace inlay::encode
