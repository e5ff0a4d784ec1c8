// Runs a fuzz target over the files of a corpus folder, each whole and cut at every byte of its
// first kilobyte.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
    return 2;
  }
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(in), {}};
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(content.data());
    LLVMFuzzerTestOneInput(bytes, content.size());
    for (std::size_t cut = 0; cut < content.size() && cut < 1024; ++cut) {
      LLVMFuzzerTestOneInput(bytes, cut);
    }
    ++files;
  }
  std::printf("%d corpus files\n", files);
  return files > 0 ? 0 : 1;
}
