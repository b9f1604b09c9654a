// The library lives in its host's process: the host's libtorch settings neither change nor matter.
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <c10/core/DefaultDtype.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <omp.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/torch.h>

#include <clocale>
#include <locale>
#include <string>
#include <tuple>
#include <vector>

#include "inlay/inlay.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/tiny_model.hpp"

namespace inlay::test {
namespace {

auto settings() {
  return std::tuple(at::get_num_threads(), omp_get_max_threads(), at::GradMode::is_enabled(), c10::InferenceMode::is_enabled(),
                    c10::get_default_dtype_as_scalartype(), at::globalContext().deterministicAlgorithms(),
                    at::globalContext().allowTF32CuBLAS(), static_cast<bool>(torch::jit::getProfilingMode()),
                    static_cast<bool>(torch::jit::getExecutorMode()), std::string(std::setlocale(LC_ALL, nullptr)),
                    __builtin_ia32_stmxcsr());
}

Matrix embed(const std::filesystem::path& folder, std::size_t threads) {
  const auto generator = EmbeddingGenerator::load(folder, {.device = Device::cpu(), .threads = threads});
  return generator.embed({"open the file", "", "def read(x): return x[1]"}).vectors;
}

}  // namespace

TEST_CASE("loading and embedding leave the host's settings as they were", "[host]") {
  const TemporaryFolder folder;
  write_tiny_model(folder.path());
  at::set_num_threads(3);
  const auto before = settings();
  for (const std::size_t threads : {1u, 2u, 4u}) {
    (void)embed(folder.path(), threads);
    CHECK(settings() == before);
  }
  std::thread([] { CHECK(at::get_num_threads() == 3); }).join();  // nor for threads that the host starts later
}

TEST_CASE("the host's settings do not change a vector", "[host]") {
  const TemporaryFolder folder;
  write_tiny_model(folder.path());
  const Matrix expected = embed(folder.path(), 1);
  SECTION("default type") {
    torch::set_default_dtype(caffe2::TypeMeta::Make<double>());
    CHECK((embed(folder.path(), 2) == expected));
    torch::set_default_dtype(caffe2::TypeMeta::Make<float>());
  }
  SECTION("inference mode, and no gradients") {
    const c10::InferenceMode inference;
    CHECK((embed(folder.path(), 2) == expected));
  }
  SECTION("autocast") {
    at::autocast::set_autocast_enabled(at::kCPU, true);
    CHECK((embed(folder.path(), 2) == expected));
    at::autocast::set_autocast_enabled(at::kCPU, false);
  }
  SECTION("number of threads") {
    at::set_num_threads(2);
    CHECK((embed(folder.path(), 2) == expected));
  }
  SECTION("deterministic algorithms") {
    at::globalContext().setDeterministicAlgorithms(true, false);
    CHECK((embed(folder.path(), 2) == expected));
    at::globalContext().setDeterministicAlgorithms(false, false);
  }
}

TEST_CASE("the host's own tensors work on after embedding, gradients included", "[host]") {
  const TemporaryFolder folder;
  write_tiny_model(folder.path());
  (void)embed(folder.path(), 2);
  const at::Tensor x = torch::ones({2, 2}, torch::requires_grad());
  (x * 3).sum().backward();
  CHECK(at::allclose(x.grad(), at::full({2, 2}, 3.0)));
}

}  // namespace inlay::test
