// The processors that this process may run on, and what they can do.
#pragma once

#include <cstddef>

namespace inlay::platform {

/// Processors that the process may use (its affinity mask), at least 1.
[[nodiscard]] std::size_t available_processors() noexcept;

/// Instruction sets that the CPU kernels are compiled for.
enum class InstructionSet { portable, avx2, avx512 };

/// The best that this processor, and the operating system, support.
[[nodiscard]] InstructionSet instruction_set() noexcept;

}  // namespace inlay::platform
