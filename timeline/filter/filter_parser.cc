#include <fmt/format.h>

#include <optional>
#include <utility>
#include <variant>

#include "base/ascii.h"
#include "timeline/filter/filter_terms.h"
#include "timeline/filter/session_filter.h"

namespace smtpscope {
namespace {

/// Parentheses and "not" nest at most so deep; a person needs three.
constexpr std::size_t kMaxDepth = 100;

}  // namespace

/// Recursive descent: or, and, not, terms. The same as in page/filter.js.
class FilterParser {
 public:
  explicit FilterParser(std::string_view expression) : expression_(expression) {}

  Result<SessionFilter> parse() {
    if (read_words() && !words_.empty()) {
      filter_.root_ = either(0);
      if (!fault_ && at_ < words_.size()) fail(words_[at_].column, "this ')' closes nothing");
    }
    if (!fault_) return std::move(filter_);
    return Error{fmt::format("--filter, column {}: {}", fault_->offset, fault_->message)};
  }

 private:
  /// A word with its quotation marks taken off, or a parenthesis.
  struct FilterWord {
    std::size_t column = 1;
    char sign = 0;          // '(' or ')'
    std::string text = {};  // of a word
    std::size_t plain = 0;  // octets of `text` in front of the first that was quoted

    bool is(std::string_view op) const {
      return sign == 0 && plain == text.size() && equal_ignoring_case(text, op);
    }
  };

  using Kind = SessionFilter::Kind;

  void fail(std::size_t column, std::string message) {
    if (!fault_) fault_ = FilterFault{column, std::move(message)};
  }

  bool read_words() {
    std::size_t at = 0;
    while (at < expression_.size()) {
      const char c = expression_[at];
      if (is_blank(c)) {
        ++at;
        continue;
      }
      FilterWord word{.column = at + 1};
      if (c == '(' || c == ')') {
        word.sign = c;
        ++at;
      } else {
        std::optional<std::size_t> plain;
        while (at < expression_.size() && !is_blank(expression_[at]) && expression_[at] != '(' &&
               expression_[at] != ')') {
          if (expression_[at] != '"') {
            word.text += expression_[at++];
            continue;
          }
          if (!plain) plain = word.text.size();
          const std::size_t end = expression_.find('"', at + 1);
          if (end == std::string_view::npos) {
            fail(at + 1, "the quotation mark is not closed");
            return false;
          }
          word.text += expression_.substr(at + 1, end - at - 1);
          at = end + 1;
        }
        word.plain = plain.value_or(word.text.size());
      }
      words_.push_back(std::move(word));
    }
    return true;
  }

  const FilterWord* next() const { return at_ < words_.size() ? &words_[at_] : nullptr; }
  bool next_is(std::string_view op) const { return next() != nullptr && next()->is(op); }

  std::size_t node(Kind kind, std::size_t left, std::size_t right = 0) {
    filter_.nodes_.push_back({kind, left, right});
    return filter_.nodes_.size() - 1;
  }

  std::size_t either(std::size_t depth) {
    std::size_t left = both(depth);
    while (!fault_ && next_is("or")) {
      ++at_;
      left = node(Kind::kOr, left, both(depth));
    }
    return left;
  }

  std::size_t both(std::size_t depth) {
    std::size_t left = one(depth);
    while (!fault_ && next() != nullptr && next()->sign != ')' && !next_is("or")) {
      if (next_is("and")) ++at_;
      left = node(Kind::kAnd, left, one(depth));
    }
    return left;
  }

  std::size_t one(std::size_t depth) {
    if (next() == nullptr) {
      fail(expression_.size() + 1, "something is to follow here");
      return 0;
    }
    const FilterWord& word = *next();
    if (depth > kMaxDepth) {
      fail(word.column, "this is nested too deeply");
      return 0;
    }
    if (word.sign == ')') {
      fail(word.column, "something is to stand in front of this ')'");
      return 0;
    }
    if (word.is("and") || word.is("or")) {
      fail(word.column, fmt::format("something is to stand in front of '{}'", word.text));
      return 0;
    }
    ++at_;
    if (word.sign == '(') {
      const std::size_t inner = either(depth + 1);
      if (!fault_ && next() == nullptr) fail(word.column, "this '(' is not closed");
      ++at_;
      return inner;
    }
    if (word.is("not")) return node(Kind::kNot, one(depth + 1));
    return term(word);
  }

  std::size_t add(std::unique_ptr<FilterTerm> term) {
    filter_.terms_.push_back(std::move(term));
    return node(Kind::kTerm, filter_.terms_.size() - 1);
  }

  std::size_t term(const FilterWord& word) {
    const std::size_t colon = word.text.find(':');
    if (colon != std::string::npos && colon > 0 && colon < word.plain) {
      const std::string name = in_lower_case(std::string_view(word.text).substr(0, colon));
      const std::string_view value = std::string_view(word.text).substr(colon + 1);
      std::string names;
      for (const FilterKey& key : all_filter_keys()) {
        names += fmt::format("{}{}:", names.empty() ? "" : " ", key.name);
        if (key.name != name) continue;
        const std::size_t column = word.column + colon + 1;
        if (value.empty()) {
          fail(column, fmt::format("nothing follows '{}:'", name));
          return 0;
        }
        auto made = key.make(value);
        if (auto* fault = std::get_if<FilterFault>(&made)) {
          fail(column + fault->offset, std::move(fault->message));
          return 0;
        }
        return add(std::move(std::get<std::unique_ptr<FilterTerm>>(made)));
      }
      if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == std::string::npos) {
        fail(word.column,
             fmt::format("there is no '{}:'; there are {} (or put the word in quotation marks)",
                         name, names));
        return 0;
      }
    }
    if (word.text.empty()) {
      fail(word.column, "nothing stands between the quotation marks");
      return 0;
    }
    return add(free_term(word.text));
  }

  const std::string_view expression_;
  std::vector<FilterWord> words_;
  std::size_t at_ = 0;
  SessionFilter filter_;
  std::optional<FilterFault> fault_;  // `offset` is the column, from 1
};

Result<SessionFilter> SessionFilter::parse(std::string_view expression) {
  return FilterParser(expression).parse();
}

}  // namespace smtpscope
