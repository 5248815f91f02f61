#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace smtpscope {

/// A text that patterns are tried on, and which pairs of octets it has: that rules out most of the
/// words which patterns need without looking for them. Lives as long as the text.
class SearchedText {
 public:
  explicit SearchedText(std::string_view text);
  bool may_hold(std::uint16_t pair) const { return pairs_[pair]; }
  std::string_view text() const { return text_; }

  static constexpr std::size_t kPairs = 4096;
  /// The number of two octets that stand side by side; several pairs have the same.
  static std::uint16_t pair(char first, char second);

 private:
  std::string_view text_;
  std::bitset<kPairs> pairs_;
};

/// A pattern of the table of reasons. Of hundreds a reply meets a few: each is compiled when a text
/// holds the words that it needs, for compiling them all takes longer than everything else that a
/// short log costs. Threads may share one.
class WordPattern {
 public:
  explicit WordPattern(std::string pattern);
  ~WordPattern();
  WordPattern(WordPattern&&) noexcept;
  WordPattern& operator=(WordPattern&&) noexcept;

  /// Whether it matches anywhere in the text, in time linear in its length.
  bool matches(const SearchedText& searched) const;
  /// Compiles it now; the error is RE2's.
  Result<Done> compile() const;

 private:
  struct Compiled;
  struct Need {
    explicit Need(std::string needed);
    bool stands_in(const SearchedText& searched) const;

    std::string word;
    std::array<std::uint16_t, 3> pairs{};  // at its beginning, middle and end
  };
  std::vector<Need> needs_;
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace smtpscope
