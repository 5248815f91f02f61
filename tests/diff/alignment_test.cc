#include "diff/alignment.h"

#include <chrono>
#include <random>
#include <string_view>

#include "tests/catch.h"

namespace smtpscope {
namespace {

std::vector<std::uint64_t> letters(std::string_view text) { return {text.begin(), text.end()}; }

std::string common(std::string_view a, std::string_view b) {
  std::string found;
  for (const AlignedPair& pair : align(letters(a), letters(b))) found += a[pair.a];
  return found;
}

/// What align() promises of its result, whatever the sequences.
void require_alignment(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b,
                       const std::vector<AlignedPair>& pairs) {
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    REQUIRE(pairs[i].a < a.size());
    REQUIRE(pairs[i].b < b.size());
    REQUIRE(a[pairs[i].a] == b[pairs[i].b]);
    if (i == 0) continue;
    REQUIRE(pairs[i - 1].a < pairs[i].a);
    REQUIRE(pairs[i - 1].b < pairs[i].b);
  }
}

/// Length of the longest common subsequence, by the book.
std::size_t longest(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b) {
  std::vector<std::size_t> above(b.size() + 1), row(b.size() + 1);
  for (const std::uint64_t x : a) {
    for (std::size_t j = 0; j < b.size(); ++j) {
      row[j + 1] = x == b[j] ? above[j] + 1 : std::max(above[j + 1], row[j]);
    }
    above = row;
  }
  return above.back();
}

TEST_CASE("what is equal is paired, in order") {
  CHECK(common("", "") == "");
  CHECK(common("abc", "") == "");
  CHECK(common("", "abc") == "");
  CHECK(common("abc", "abc") == "abc");
  CHECK(common("abc", "xyz") == "");
  CHECK(common("emrdq", "emrrdq") == "emrdq");
  CHECK(common("abcabba", "cbabac").size() == 4);
}

TEST_CASE("of equal elements the earliest is paired") {
  // A client's MAIL, RCPT, DATA, seen behind something that resets and says MAIL and RCPT again.
  const auto pairs = align(letters("emrdq"), letters("emrxxmrdq"));
  CHECK(pairs == std::vector<AlignedPair>{{0, 0}, {1, 1}, {2, 2}, {3, 7}, {4, 8}});
}

TEST_CASE("what is unique in both splits what is not") {
  CHECK(common("mmmAmrd", "rdAmrd") == "Amrd");
}

TEST_CASE("small sequences are aligned as well as can be, nearly") {
  std::mt19937 random(20261124);
  std::size_t found = 0, best = 0;
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::uint64_t> a(random() % 40), b(random() % 40);
    const std::uint64_t kinds = 1 + random() % 8;
    for (auto& each : a) each = random() % kinds;
    for (auto& each : b) each = random() % kinds;
    const auto pairs = align(a, b);
    require_alignment(a, b, pairs);
    found += pairs.size();
    best += longest(a, b);
    REQUIRE(align(a, a).size() == a.size());
  }
  // Anchors may cost a pair now and then; readers want them all the same.
  CHECK(found * 100 >= best * 97);
}

TEST_CASE("edits in a long run are found, and only they are") {
  std::mt19937 random(7);
  std::vector<std::uint64_t> a;
  for (int i = 0; i < 100000; ++i) a.push_back(random() % 5);
  std::vector<std::uint64_t> b = a;
  for (int i = 0; i < 100; ++i) {
    b.erase(b.begin() + static_cast<std::ptrdiff_t>(random() % b.size()));
    b.insert(b.begin() + static_cast<std::ptrdiff_t>(random() % b.size()), 100 + random() % 5);
  }
  const auto pairs = align(a, b);
  require_alignment(a, b, pairs);
  CHECK(pairs.size() >= a.size() - 200);
}

TEST_CASE("sequences with nothing unique in common do not take the square of their length") {
  // Work is counted by the clock, roughly: by the square this would be hours.
  std::mt19937 random(11);
  std::vector<std::uint64_t> a, b;
  for (int i = 0; i < 100000; ++i) {
    a.push_back(random() % 3);
    b.push_back(random() % 3);
  }
  const auto began = std::chrono::steady_clock::now();
  const auto pairs = align(a, b);
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(240));
  require_alignment(a, b, pairs);
  CHECK(pairs.size() > 60000);
}

}  // namespace
}  // namespace smtpscope
