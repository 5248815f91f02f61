// What findings look for in texts has to survive: read from the sources of the rules themselves.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "redact/standard_words.h"
#include "redact/text_redactor.h"
#include "tests/catch.h"
#include "tests/redact/redacted.h"

namespace smtpscope::test {
namespace {

/// The words in calls of mentions(text, {"one", "two"}).
std::set<std::string> words_of_rules() {
  std::set<std::string> words;
  const std::regex call("mentions\\([^{};]*\\{([^}]*)\\}");
  const std::regex literal("\"([^\"]*)\"");
  const std::filesystem::path rules = std::string(SMTPSCOPE_SOURCE_DIR) + "/timeline/rules";
  for (const auto& entry : std::filesystem::directory_iterator(rules)) {
    std::stringstream source;
    source << std::ifstream(entry.path()).rdbuf();
    const std::string text = source.str();
    for (std::sregex_iterator found(text.begin(), text.end(), call), end; found != end; ++found) {
      const std::string list = (*found)[1];
      for (std::sregex_iterator each(list.begin(), list.end(), literal); each != end; ++each) {
        words.insert((*each)[1]);
      }
    }
  }
  // auth_required.cc has these in a loop.
  words.insert({"spf", "dkim", "dmarc", "unauthenticated", "arc-seal"});
  return words;
}

TEST_CASE("what findings look for in texts stays") {
  const std::set<std::string> words = words_of_rules();
  REQUIRE(words.size() > 40);
  Pseudonyms names(kTestKey);
  TextRedactor redactor(names);
  for (const std::string& word : words) {
    INFO(word);
    const std::string text = redactor.rewritten("kestrel " + word + " merlin");
    CHECK(text.find(word) != std::string::npos);
    CHECK(text.find("kestrel") == std::string::npos);
    CHECK(text.find("merlin") == std::string::npos);
  }
}

TEST_CASE("no pseudonym has what findings look for") {
  Pseudonyms names(kTestKey);
  const std::set<std::string> words = words_of_rules();
  for (char a = 'a'; a <= 'z'; ++a) {
    for (char b = 'a'; b <= 'z'; ++b) {
      for (const char* rest : {"q", "qz", "qzx1"}) {
        const std::string chosen = names.word(std::string{a, b} + rest);
        INFO(chosen);
        CHECK(std::ranges::none_of(words, [&](const std::string& word) {
          return chosen.find(word) != std::string::npos;
        }));
      }
    }
  }
}

}  // namespace
}  // namespace smtpscope::test
