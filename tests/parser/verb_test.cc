#include "parser/verb.h"

#include <cctype>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/catch.h"

namespace smtpscope {
namespace {

constexpr auto kLastVerb = Verb::kXlink2State;

Verb verb_number(int number) { return static_cast<Verb>(static_cast<std::uint8_t>(number)); }

TEST_CASE("a verb is known by its spelling, in any case") {
  for (int i = 1; i <= static_cast<int>(kLastVerb); ++i) {
    const std::string upper(to_string(verb_number(i)));
    REQUIRE(!upper.empty());
    std::string lower = upper;
    std::string mixed = upper;
    for (std::size_t at = 0; at < upper.size(); ++at) {
      lower[at] = static_cast<char>(std::tolower(static_cast<unsigned char>(upper[at])));
      if (at % 2 == 1) mixed[at] = lower[at];
    }
    INFO(upper);
    CHECK(verb_of(upper) == verb_number(i));
    CHECK(verb_of(lower) == verb_number(i));
    CHECK(verb_of(mixed) == verb_number(i));
  }
}

TEST_CASE("a word that differs from a verb in any octet is another word") {
  for (int i = 1; i <= static_cast<int>(kLastVerb); ++i) {
    const std::string verb(to_string(verb_number(i)));
    CHECK(verb_of(verb + "X") == Verb::kUnknown);
    CHECK(verb_of(std::string_view(verb).substr(1)) == Verb::kUnknown);
    for (std::size_t at = 0; at < verb.size(); ++at) {
      for (int octet = 0; octet < 256; ++octet) {
        std::string word = verb;
        word[at] = static_cast<char>(octet);
        const bool same = std::toupper(octet) == static_cast<unsigned char>(verb[at]);
        // Another verb may be one letter away, as HELP is from HELO.
        const Verb found = verb_of(word);
        if (same) {
          CHECK(found == verb_number(i));
        } else {
          CHECK(found != verb_number(i));
          if (found != Verb::kUnknown) CHECK(to_string(found).size() == word.size());
        }
      }
    }
  }
}

TEST_CASE("other words are no verbs") {
  for (const std::string_view word :
       {"", "A", "MAI", "MAILX", "STARTTL", "STARTTLSX", "GET", "POST", "X-EXPX", "X_EXPS",
        "X-LINK2STATES", "X-LINK2STATX", "X-ANONYMOUSTL", "X-ANONYMOUSTLX", "\0\0\0\0", "EHLO "}) {
    INFO(word);
    CHECK(verb_of(word) == Verb::kUnknown);
  }
  CHECK(to_string(Verb::kUnknown).empty());
  CHECK(to_string(Verb::kXanonymousTls) == "X-ANONYMOUSTLS");
}

}  // namespace
}  // namespace smtpscope
