#include "store/cache/cache_file.hpp"

#include "platform/log.hpp"

namespace inlay::store {

void Warnings::once(std::string_view cause, std::string_view message) {
  if (told_.emplace(cause).second) platform::log(LogLevel::warning, message);
}

void Warnings::over(std::string_view cause) {
  if (const auto told = told_.find(cause); told != told_.end()) told_.erase(told);
}

void add_problem(CacheCheck& check, CacheProblem problem) {
  ++check.wrong;
  if (check.problems.size() < most_problems) check.problems.push_back(std::move(problem));
}

}  // namespace inlay::store
