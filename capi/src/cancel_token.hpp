#pragma once

#include <stop_token>

#include "inlay.h"

struct inlay_cancel_token {
  std::stop_source source{};
};
