// Memory for tree-sitter, which by itself ends the process where there is none.
#pragma once

#include <cstddef>
#include <new>

namespace inlay::code {

/// Thrown through the parser by an allocation beyond a ParserMemory's limit.
struct ParserMemoryLimit : std::bad_alloc {
  [[nodiscard]] const char* what() const noexcept override { return "the parser's memory limit"; }
};

/// Owns all that tree-sitter allocates on this thread while a Use of it lives, at most `limit` bytes, and lets go of it at once: what an exception
/// leaves behind in a parser is in no state to be deleted. Trees and parsers made in it end with it, and are not deleted themselves.
/// Outside of a Use tree-sitter's allocations (cursors) are ordinary ones. Both throw std::bad_alloc; nothing is printed.
class ParserMemory {
 public:
  explicit ParserMemory(std::size_t limit) noexcept : limit_(limit) {}
  ~ParserMemory();
  ParserMemory(const ParserMemory&) = delete;
  ParserMemory& operator=(const ParserMemory&) = delete;

  class Use {
   public:
    explicit Use(ParserMemory& memory) noexcept;
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    ParserMemory* before_;
  };

  [[nodiscard]] std::size_t used() const noexcept { return used_; }

 private:
  friend struct TreeSitterAllocator;
  struct Block;

  std::size_t limit_;
  std::size_t used_ = 0;
  Block* first_ = nullptr;  // of a list
};

}  // namespace inlay::code
