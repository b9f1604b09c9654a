// A loop over threads of its own, for work that is done once.
#pragma once

#include <cstddef>
#include <functional>

namespace inlay::platform {

/// Calls body(0) ... body(count - 1), each once, on this thread and on others, together `threads` (0: as many as there are processors); returns
/// when all are done. The first exception ends the loop and is thrown here. Where no thread can be started, this one does it all.
void for_each_parallel(std::size_t count, const std::function<void(std::size_t)>& body, std::size_t threads = 0);

}  // namespace inlay::platform
