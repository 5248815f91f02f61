#include "timeline/reasons/word_pattern.h"

#include <re2/re2.h>
#include <re2/stringpiece.h>

#include <algorithm>
#include <iterator>
#include <mutex>
#include <optional>
#include <utility>

#include "timeline/reasons/pattern_options.h"
#include "timeline/reasons/required_words.h"

namespace smtpscope {

SearchedText::SearchedText(std::string_view text) : text_(text) {
  for (std::size_t i = 1; i < text.size(); ++i) pairs_.set(pair(text[i - 1], text[i]));
}

std::uint16_t SearchedText::pair(char first, char second) {
  constexpr unsigned kSpread = 67;
  return static_cast<std::uint16_t>(
      (static_cast<unsigned char>(first) * kSpread + static_cast<unsigned char>(second)) % kPairs);
}

WordPattern::Need::Need(std::string needed) : word(std::move(needed)) {
  if (word.size() < 2) return;
  const std::size_t ends[] = {1, word.size() / 2, word.size() - 1};
  std::transform(std::begin(ends), std::end(ends), pairs.begin(),
                 [this](std::size_t end) { return SearchedText::pair(word[end - 1], word[end]); });
}

bool WordPattern::Need::stands_in(const SearchedText& searched) const {
  const bool may = word.size() < 2 || std::all_of(pairs.begin(), pairs.end(), [&](auto pair) {
                     return searched.may_hold(pair);
                   });
  return may && searched.text().find(word) != std::string_view::npos;
}

struct WordPattern::Compiled {
  explicit Compiled(std::string text) : pattern(std::move(text)) {}

  const RE2& expression() {
    std::call_once(once, [this] { made.emplace(pattern, pattern_options()); });
    return *made;
  }

  std::string pattern;
  std::once_flag once;
  std::optional<RE2> made;
};

WordPattern::WordPattern(std::string pattern) {
  for (std::string& word : required_words(pattern)) needs_.emplace_back(std::move(word));
  compiled_ = std::make_unique<Compiled>(std::move(pattern));
}
WordPattern::~WordPattern() = default;
WordPattern::WordPattern(WordPattern&&) noexcept = default;
WordPattern& WordPattern::operator=(WordPattern&&) noexcept = default;

bool WordPattern::matches(const SearchedText& searched) const {
  const bool may =
      needs_.empty() || std::any_of(needs_.begin(), needs_.end(),
                                    [&](const Need& need) { return need.stands_in(searched); });
  // RE2's own string view: that of the standard library is not always converted.
  const re2::StringPiece text(searched.text().data(), searched.text().size());
  return may && RE2::PartialMatch(text, compiled_->expression());
}

Result<Done> WordPattern::compile() const {
  const RE2& expression = compiled_->expression();
  if (!expression.ok()) return Error{expression.error()};
  return Done{};
}

}  // namespace smtpscope
