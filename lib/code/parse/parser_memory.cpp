// The C sources of tree-sitter and of the grammars are compiled with -fexceptions, so that what is thrown here passes through them.
#include "code/parse/parser_memory.hpp"

#include <tree_sitter/api.h>

#include <cstdlib>
#include <cstring>
#include <limits>

namespace inlay::code {

// Stands before each allocation.
struct alignas(std::max_align_t) ParserMemory::Block {
  ParserMemory* memory;  // null: an ordinary one
  Block* next;
  Block* before;
  std::size_t size;
};

namespace {

thread_local ParserMemory* current = nullptr;

}  // namespace

struct TreeSitterAllocator {
  using Block = ParserMemory::Block;

  static Block* block_of(void* pointer) noexcept { return static_cast<Block*>(pointer) - 1; }

  static void link(Block* block) noexcept {
    ParserMemory* const memory = block->memory;
    if (!memory) return;
    block->before = nullptr;
    block->next = memory->first_;
    if (block->next) block->next->before = block;
    memory->first_ = block;
    memory->used_ += block->size;
  }

  static void unlink(Block* block) noexcept {
    ParserMemory* const memory = block->memory;
    if (!memory) return;
    (block->before ? block->before->next : memory->first_) = block->next;
    if (block->next) block->next->before = block->before;
    memory->used_ -= block->size;
  }

  // Of a block of `size` bytes in place of one of `replaced`.
  static std::size_t checked_size(const ParserMemory* memory, std::size_t size, std::size_t replaced) {
    if (size > std::numeric_limits<std::size_t>::max() - sizeof(Block)) throw std::bad_alloc();
    if (memory && size > replaced && size - replaced > memory->limit_ - memory->used_) throw ParserMemoryLimit();
    return size + sizeof(Block);
  }

  static void* allocate(std::size_t size) {
    auto* const block = static_cast<Block*>(std::malloc(checked_size(current, size, 0)));
    if (!block) throw std::bad_alloc();
    *block = {current, nullptr, nullptr, size};
    link(block);
    return block + 1;
  }

  static void* allocate_zeroed(std::size_t count, std::size_t size) {
    if (size > 0 && count > std::numeric_limits<std::size_t>::max() / size) throw std::bad_alloc();
    return std::memset(allocate(count * size), 0, count * size);
  }

  static void* reallocate(void* pointer, std::size_t size) {
    if (!pointer) return allocate(size);
    Block* block = block_of(pointer);
    const std::size_t whole = checked_size(block->memory, size, block->size);
    unlink(block);
    auto* const moved = static_cast<Block*>(std::realloc(block, whole));
    if (moved) {
      block = moved;
      block->size = size;
    }
    link(block);
    if (!moved) throw std::bad_alloc();
    return block + 1;
  }

  static void release(void* pointer) noexcept {
    if (!pointer) return;
    Block* const block = block_of(pointer);
    unlink(block);
    std::free(block);
  }
};

ParserMemory::~ParserMemory() {
  while (first_) {
    Block* const next = first_->next;
    std::free(first_);
    first_ = next;
  }
}

ParserMemory::Use::Use(ParserMemory& memory) noexcept : before_(current) {
  using Allocator = TreeSitterAllocator;
  static const bool installed = [] {
    ts_set_allocator(Allocator::allocate, Allocator::allocate_zeroed, Allocator::reallocate, Allocator::release);
    return true;
  }();
  static_cast<void>(installed);
  current = &memory;
}
ParserMemory::Use::~Use() { current = before_; }

}  // namespace inlay::code
