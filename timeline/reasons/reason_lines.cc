#include "timeline/reasons/reason_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/ascii.h"
#include "base/lines.h"

namespace smtpscope {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  return without_trailing_blanks(text);
}

/// The first word of `text`, which is left without it.
std::string_view take_word(std::string_view& text) {
  text = trimmed(text);
  const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
  const std::string_view word = text.substr(0, end);
  text = trimmed(text.substr(end));
  return word;
}

bool read_number(std::string_view text, std::uint16_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

std::optional<CodePattern> read_code(std::string_view text) {
  if (text.size() != 3 || text[0] < '2' || text[0] > '5') return std::nullopt;
  std::string first(text), last(text);
  for (std::size_t i = 1; i < 3; ++i) {
    if (text[i] != 'x') continue;
    first[i] = '0';
    last[i] = '9';
  }
  CodePattern code;
  if (!read_number(first, code.first) || !read_number(last, code.last)) return std::nullopt;
  return code;
}

/// The parts of "a,b,c".
template <typename Use>
bool each_of(std::string_view list, Use use) {
  while (true) {
    const std::size_t end = std::min(list.find(','), list.size());
    if (!use(list.substr(0, end))) return false;
    if (end == list.size()) return true;
    list.remove_prefix(end + 1);
  }
}

bool add_stages(std::string_view list, ReasonCondition& when) {
  return each_of(list, [&](std::string_view name) {
    const std::optional<ReplyStage> stage = reply_stage(name);
    if (!stage || name.empty()) return false;
    when.stages = static_cast<std::uint16_t>(when.stages | 1U << static_cast<unsigned>(*stage));
    return true;
  });
}

bool add_codes(std::string_view list, ReasonCondition& when) {
  return each_of(list, [&](std::string_view text) {
    const std::optional<CodePattern> code = read_code(text);
    if (code) when.codes.push_back(*code);
    return code.has_value();
  });
}

bool add_enhanced(std::string_view list, ReasonCondition& when) {
  return each_of(list, [&](std::string_view text) {
    EnhancedPattern code;
    if (!read_enhanced(text, code)) return false;
    when.enhanced.push_back(code);
    return true;
  });
}

/// Reads one table. Each line is read by a function that gives what is wrong with it, or "".
class Reader {
 public:
  explicit Reader(ReasonLines& into) : into_(into) {}

  std::string read(std::string_view line) {
    line = trimmed(line);
    if (line.empty() || line.front() == '#') return "";
    if (line.front() == '[') return read_section(line);
    if (section_ == Section::kNone) return "comes before the first [reason]";
    if (section_ != Section::kReason) return read_pattern(line);
    const std::string_view word = take_word(line);
    ReasonLines::Words& words = into_.words[static_cast<std::size_t>(reason_)];
    if (word == "check") return add_check(line);
    if (word == "who" && !who_acts(line)) {
      return fmt::format("'{}' is nobody who could act", line);
    }
    if (std::string* text = word == "says"    ? &words.says
                            : word == "means" ? &words.means
                            : word == "who"   ? &words.who
                                              : nullptr) {
      *text = line;
      return "";
    }
    if (word == "wait") {
      words.wait = line == "yes";
      return "";
    }
    ReasonLine one;
    one.reason = reason_;
    if (word == "words") return read_line(ReasonLine::Kind::kWords, line, one);
    if (word == "enhanced") return read_line(ReasonLine::Kind::kEnhanced, line, one);
    if (word == "code") return read_line(ReasonLine::Kind::kCode, line, one);
    return fmt::format(
        "'{}' is not known; lines begin with says, means, who, check, wait, enhanced, code, words",
        word);
  }

 private:
  enum class Section : std::uint8_t { kNone, kReason, kIgnore, kTemporary, kPermanent };

  std::string read_section(std::string_view line) {
    if (line.back() != ']') return "a section ends in ']'";
    const std::string_view name = line.substr(1, line.size() - 2);
    section_ = name == "ignore"      ? Section::kIgnore
               : name == "temporary" ? Section::kTemporary
               : name == "permanent" ? Section::kPermanent
                                     : Section::kReason;
    if (section_ != Section::kReason) return "";
    const std::optional<ReplyReason> reason = reply_reason(name);
    if (!reason) return fmt::format("there is no reason '{}'", name);
    reason_ = *reason;
    renewed_ = false;
    return "";
  }

  /// The first check of a section puts the ones of an earlier table aside.
  std::string add_check(std::string_view line) {
    auto& checks = into_.words[static_cast<std::size_t>(reason_)].checks;
    if (!renewed_) checks.clear();
    renewed_ = true;
    checks.emplace_back(line);
    return "";
  }

  std::string read_pattern(std::string_view line) {
    if (!line.starts_with("words:")) return "here only lines 'words: PATTERN' can stand";
    auto& list = section_ == Section::kIgnore      ? into_.ignored
                 : section_ == Section::kTemporary ? into_.temporary
                                                   : into_.permanent;
    list.emplace_back(trimmed(line.substr(6)));
    return "";
  }

  std::string read_line(ReasonLine::Kind kind, std::string_view line, ReasonLine& one) {
    one.kind = kind;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return "a ':' is missing after the weight";
    std::string_view head = line.substr(0, colon);
    const std::string_view content = trimmed(line.substr(colon + 1));
    if (content.empty()) return "nothing follows the ':'";
    std::uint16_t weight = 0;
    const std::string_view number = take_word(head);
    if (!read_number(number, weight) || weight == 0 || weight > 200) {
      return fmt::format("'{}' is no weight from 1 to 200", number);
    }
    one.weight = weight;
    while (!head.empty()) {
      const std::string_view word = take_word(head);
      const std::string_view value = take_word(head);
      const bool right = word == "at"     ? add_stages(value, one.when)
                         : word == "code" ? add_codes(value, one.when)
                         : word == "with" ? add_enhanced(value, one.when)
                                          : false;
      if (!right) return fmt::format("'{} {}' is no condition", word, value);
    }
    if (kind == ReasonLine::Kind::kWords) {
      one.pattern = content;
    } else {
      std::string_view rest = content;
      while (!rest.empty()) {
        const std::string_view code = take_word(rest);
        if (!(kind == ReasonLine::Kind::kCode ? add_codes(code, one.when)
                                              : add_enhanced(code, one.when))) {
          return fmt::format("'{}' is no code", code);
        }
      }
    }
    into_.lines.push_back(std::move(one));
    return "";
  }

  ReasonLines& into_;
  Section section_ = Section::kNone;
  ReplyReason reason_ = ReplyReason::kUnknown;
  bool renewed_ = false;
};

}  // namespace

bool read_enhanced(std::string_view text, EnhancedPattern& code) {
  if (text.size() < 5 || text[1] != '.') return false;
  if (text[0] != 'x' && text[0] != '2' && text[0] != '4' && text[0] != '5') return false;
  code.of_class = text[0] == 'x' ? 0 : static_cast<std::uint8_t>(text[0] - '0');
  const std::size_t dot = text.find('.', 2);
  return dot != std::string_view::npos && read_number(text.substr(2, dot - 2), code.subject) &&
         read_number(text.substr(dot + 1), code.detail);
}

Result<Done> read_reason_lines(std::string_view text, std::string_view name, ReasonLines& into) {
  Reader reader(into);
  for (std::size_t number = 1; !text.empty(); ++number) {
    if (const std::string wrong = reader.read(take_line(text)); !wrong.empty()) {
      return Error{fmt::format("{}, line {}: {}", name, number, wrong)};
    }
  }
  return Done{};
}

}  // namespace smtpscope
