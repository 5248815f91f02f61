#include "timeline/reasons/required_words.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>

namespace smtpscope {
namespace {

using Words = std::vector<std::string>;

bool is_digit(char octet) { return octet >= '0' && octet <= '9'; }

bool is_letter(char octet) {
  return (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z');
}

/// The longer the shortest of them is, the fewer texts hold one by chance. Nothing is worst.
std::size_t shortest(const Words& words) {
  std::size_t least = words.empty() ? 0 : words.front().size();
  for (const std::string& word : words) least = std::min(least, word.size());
  return least;
}

/// Reads the syntax of RE2 as far as reasons need it. What it does not know makes it give up.
class PatternReader {
 public:
  explicit PatternReader(std::string_view pattern) : rest_(pattern) {}

  Words read() {
    Words words = alternatives();
    return known_ && rest_.empty() ? words : Words{};
  }

 private:
  bool at(char octet) const { return !rest_.empty() && rest_.front() == octet; }
  char next() {
    const char octet = rest_.front();
    rest_.remove_prefix(1);
    return octet;
  }

  /// One of several has to match: together they need one of what each needs.
  Words alternatives() {
    Words all = sequence();
    bool each = !all.empty();
    while (known_ && at('|')) {
      next();
      Words more = sequence();
      each = each && !more.empty();
      all.insert(all.end(), std::make_move_iterator(more.begin()),
                 std::make_move_iterator(more.end()));
    }
    return each ? all : Words{};
  }

  /// All have to match, one behind the other: the best of what they need.
  Words sequence() {
    Words best;
    std::string run;
    const auto offer = [&best](Words words) {
      if (shortest(words) > shortest(best)) best = std::move(words);
    };
    const auto end_run = [&] {
      if (!run.empty()) offer({std::move(run)});
      run.clear();
    };
    while (known_ && !rest_.empty() && !at('|') && !at(')')) {
      std::optional<char> literal;
      Words group;
      switch (const char octet = next()) {
        case '(':
          group = in_brackets();
          break;
        case '[':
          skip_class();
          break;
        case '.':
        case '^':
        case '$':
          break;
        case '\\':
          literal = escaped();
          break;
        default:
          literal = octet;
      }
      const Quantity quantity = quantifier();
      if (literal && quantity == Quantity::kOne) {
        run += *literal;
        continue;
      }
      if (literal && quantity == Quantity::kSome) run += *literal;
      end_run();
      if (quantity != Quantity::kPerhaps) offer(std::move(group));
    }
    end_run();
    return best;
  }

  Words in_brackets() {
    if (at('?')) {
      next();
      if (!at(':')) return give_up();  // flags and names
      next();
    }
    Words words = alternatives();
    if (!at(')')) return give_up();
    next();
    return words;
  }

  void skip_class() {
    if (at('^')) next();
    // A bracket that comes first is one of the class.
    for (bool first = true; !rest_.empty(); first = false) {
      const char octet = next();
      if (octet == ']' && !first) return;
      if (octet == '[' && at(':')) break;  // [[:alpha:]]
      if (octet == '\\' && !rest_.empty()) next();
    }
    give_up();
  }

  /// The literal that is escaped, or nothing for a class or a place.
  std::optional<char> escaped() {
    constexpr std::string_view kClassesAndPlaces = "bBdDsSwW";
    if (rest_.empty()) {
      give_up();
      return std::nullopt;
    }
    const char octet = next();
    if (kClassesAndPlaces.find(octet) != std::string_view::npos) return std::nullopt;
    if (is_letter(octet) || is_digit(octet)) give_up();
    return octet;
  }

  enum class Quantity { kOne, kSome, kPerhaps };

  Quantity quantifier() {
    Quantity quantity = Quantity::kOne;
    if (at('?') || at('*')) {
      next();
      quantity = Quantity::kPerhaps;
    } else if (at('+')) {
      next();
      quantity = Quantity::kSome;
    } else if (at('{')) {
      next();
      if (rest_.empty() || !is_digit(rest_.front())) {
        give_up();
        return quantity;
      }
      quantity = at('0') ? Quantity::kPerhaps : Quantity::kSome;
      while (!rest_.empty() && (is_digit(rest_.front()) || at(','))) next();
      if (!at('}')) {
        give_up();
        return quantity;
      }
      next();
    }
    if (quantity != Quantity::kOne && at('?')) next();  // as few as may be
    return quantity;
  }

  Words give_up() {
    known_ = false;
    return {};
  }

  std::string_view rest_;
  bool known_ = true;
};

}  // namespace

std::vector<std::string> required_words(std::string_view pattern) {
  return PatternReader(pattern).read();
}

}  // namespace smtpscope
