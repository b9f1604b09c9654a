// In place of libFuzzer's main: runs a fuzz target once on every file of the folders that are named, and on the empty input. A target that
// fails ends the program, so that reaching the end is the test.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
  const auto run = [](const std::string& input) {
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  };
  run({});
  int count = 0;
  for (int index = 1; index < argc; ++index) {
    for (const auto& file : std::filesystem::directory_iterator(argv[index])) {
      std::ostringstream content;
      content << std::ifstream(file.path(), std::ios::binary).rdbuf();
      std::printf("%s\n", file.path().filename().string().c_str());  // the last line before a crash names its input
      std::fflush(stdout);
      run(content.str());
      ++count;
    }
  }
  std::printf("%d inputs\n", count);
  return count > 0 ? 0 : 1;
}
