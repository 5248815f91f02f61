#include "tests/exporters/golden.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "base/lines.h"
#include "exporters/text/text_width.h"
#include "tests/catch.h"

namespace smtpscope {

void check_golden(const std::string& name, std::string_view text) {
  const std::string path = std::string(SMTPSCOPE_SOURCE_DIR "/tests/exporters/golden/") + name;
  if (std::getenv("SMTPSCOPE_APPROVE") != nullptr) {
    std::ofstream file(path, std::ios::binary);
    file << text;
    file.close();
    REQUIRE(file.good());
    return;
  }
  std::ifstream file(path, std::ios::binary);
  INFO("If the new output is right: script/approve-golden, and look at the difference.");
  INFO("File: " << path);
  REQUIRE(file.good());
  const std::string expected{std::istreambuf_iterator<char>(file), {}};
  CHECK(std::string(text) == expected);
}

void check_width(std::string_view text, std::size_t width) {
  while (!text.empty()) {
    const std::string line(take_line(text));
    INFO(line);
    CHECK(display_width(line) <= width);
    CHECK_FALSE(line.ends_with(' '));
  }
}

std::string without_version(std::string text) {
  const std::string key = "\"version\": \"";
  const std::size_t at = text.find(key);
  REQUIRE(at != std::string::npos);
  const std::size_t begin = at + key.size();
  return text.replace(begin, text.find('"', begin) - begin, "0.0.0");
}

}  // namespace smtpscope
