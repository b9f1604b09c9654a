// What the encoders share in their dealings with libtorch.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/util/Exception.h>
#include <fmt/format.h>

#include <cstdint>
#include <exception>
#include <initializer_list>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "encode/encoder.hpp"
#include "inlay/error.hpp"
#include "model/model_source.hpp"

namespace torch::jit {
struct Resolver;
}

namespace inlay::encode {

[[nodiscard]] at::Device torch_device(Device device);

/// The one line of libtorch's message that says what was wrong.
[[nodiscard]] std::string reason_of(std::string_view message);

/// Throws Error: out_of_memory where the message says so, else `status`.
[[noreturn]] void throw_torch_error(const std::string& what, std::string_view message, Status status);

/// Runs a call into libtorch; what it throws becomes an Error, of that status where it is not for lack of memory.
template <class Function>
auto guarded(const std::string& what, const Function& function, Status status = Status::internal) -> decltype(function()) {
  try {
    return function();
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw Error(Status::out_of_memory, fmt::format("{}: out of memory", what));
  } catch (const c10::Error& error) {
    throw_torch_error(what, error.what_without_backtrace(), status);
  } catch (const std::exception& error) {  // of the TorchScript compiler and interpreter
    throw_torch_error(what, error.what(), status);
  }
}

/// For TorchScript's compiler: in a program's source, name.x is the operator namespace::x, for each {name, namespace}.
[[nodiscard]] std::shared_ptr<torch::jit::Resolver> operator_names(std::initializer_list<std::pair<const std::string, std::string>> names);

/// A tensor of the values themselves, on the CPU.
[[nodiscard]] at::Tensor tensor_of(std::span<const std::int64_t> values);

/// Writes the batch's vectors, pooled from its last hidden states [tokens, width]: lengths.size() rows of poolings.size() * width floats.
void write_pooled(const at::Tensor& hidden, const TokenBatch& batch, std::span<const Pooling> poolings, float* vectors);

/// Calls visit(first sequence, sequences, first token, tokens) for each run of neighbours of equal length.
template <class Visit>
void for_each_equal_run(std::span<const std::int64_t> lengths, const Visit& visit) {
  std::size_t first_token = 0;
  for (std::size_t first = 0; first < lengths.size();) {
    std::size_t end = first + 1;
    while (end < lengths.size() && lengths[end] == lengths[first]) ++end;
    const std::size_t tokens = (end - first) * static_cast<std::size_t>(lengths[first]);
    visit(first, end - first, first_token, tokens);
    first_token += tokens;
    first = end;
  }
}

/// Of all the files' bytes, in order.
[[nodiscard]] std::string hash_of(std::span<const model::FileBytes> files);

}  // namespace inlay::encode
