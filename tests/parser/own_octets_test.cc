// The project's own samples as octets of either side: logs, captures of packets, transcripts.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/parser/dialogue.h"

using namespace smtpscope;
using namespace smtpscope::test;

namespace fs = std::filesystem;

namespace {

/// More would take a test longer than it is worth.
constexpr std::size_t kMostOctets = 4096;
constexpr std::size_t kEachTranscript = 8;

std::vector<fs::path> files_in(const char* folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(fs::path(SMTPSCOPE_SOURCE_DIR) / folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void check(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string octets{std::istreambuf_iterator<char>(file), {}};
  octets.resize(std::min(octets.size(), kMostOctets));
  INFO(path.string());
  for (const auto start : {Conversation::Start::kBeginning, Conversation::Start::kMidSession}) {
    CHECK(find_fault({C(octets)}, start, 2, 2) == "");
    CHECK(find_fault({S(octets)}, start, 2, 2) == "");
    CHECK(find_fault({S("220 a\r\n"), C("DATA\r\n"), S("354 go\r\n"), C(octets), S("250 ok\r\n"),
                      C(octets)},
                     start, 2, 2) == "");
  }
}

}  // namespace

TEST_CASE("the project's samples as octets of either side") {
  std::vector<fs::path> files = files_in("tests/readers/logs");
  std::ranges::copy(files_in("tests/fuzz/packet_seeds"), std::back_inserter(files));
  const std::vector<fs::path> transcripts = files_in("tests/timeline/transcripts");
  for (std::size_t i = 0; i < transcripts.size(); i += kEachTranscript) {
    files.push_back(transcripts[i]);
  }
  CHECK(files.size() > 50);
  for (const fs::path& path : files) check(path);
}
