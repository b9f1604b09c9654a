// pull_model of a build without network (INLAY_HUB=OFF).
#include <fmt/format.h>

#include "inlay/error.hpp"
#include "inlay/hub.hpp"

namespace inlay {

PullResult pull_model(std::string_view name, const PullOptions&) {
  throw Error(Status::unsupported, fmt::format("cannot fetch {}: this library was built without network (INLAY_HUB=OFF)", hub_name(name)));
}

}  // namespace inlay
