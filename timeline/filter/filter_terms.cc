#include "timeline/filter/filter_terms.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/ascii.h"
#include "parser/verb.h"
#include "timeline/filter/host_pattern.h"
#include "timeline/filter/text_pattern.h"
#include "timeline/state/refusal_notes.h"

namespace smtpscope {
namespace {

using Made = std::variant<std::unique_ptr<FilterTerm>, FilterFault>;

/// Calls `check` with what `Event` holds; false for other events.
template <typename Event, typename Check>
bool in(const TimelineEvent& event, Check check) {
  const auto* body = std::get_if<Event>(&event.body);
  return body != nullptr && check(*body);
}

template <typename Kind, typename Check>
bool in_item(const TimelineEvent& event, Check check) {
  return in<Entry>(event, [&](const Entry& entry) {
    const auto* item = std::get_if<Kind>(&entry.item->body);
    return item != nullptr && check(*item);
  });
}

/// The term is for events that `check` takes, with the value made into a `Value`.
template <typename Value>
class EventTerm : public FilterTerm {
 public:
  using Check = bool (*)(const Value& value, const TimelineEvent& event);
  EventTerm(Value value, Check check) : value_(std::move(value)), check_(check) {}
  bool seen_in(const TimelineEvent& event) const override { return check_(value_, event); }

 private:
  Value value_;
  Check check_;
};

/// Of terms whose value is text and can be anything.
Made text_term(std::string_view value, EventTerm<TextPattern>::Check check,
               TextPattern::Where where = TextPattern::Where::kPartOrWhole) {
  return std::make_unique<EventTerm<TextPattern>>(TextPattern(value, where), check);
}

Made from(std::string_view value) {
  return text_term(value, [](const TextPattern& pattern, const TimelineEvent& event) {
    return in<TransactionEnded>(event, [&](const TransactionEnded& ended) {
      return pattern.matches(ended.transaction->reverse_path);
    });
  });
}

Made to(std::string_view value) {
  return text_term(value, [](const TextPattern& pattern, const TimelineEvent& event) {
    return in<TransactionEnded>(event, [&](const TransactionEnded& ended) {
      return std::ranges::any_of(ended.transaction->recipients,
                                 [&](const Recipient& one) { return pattern.matches(one.path); });
    });
  });
}

Made host_term(std::string_view value, EventTerm<HostPattern>::Check check) {
  std::optional<HostPattern> pattern = HostPattern::read(value);
  if (!pattern) {
    return FilterFault{
        0, fmt::format("'{}' is no network; write 192.0.2.0/24 or 2001:db8::/32", value)};
  }
  return std::make_unique<EventTerm<HostPattern>>(std::move(*pattern), check);
}

Made client(std::string_view value) {
  return host_term(value, [](const HostPattern& pattern, const TimelineEvent& event) {
    return in<TimelineSessionStarted>(
        event, [&](const auto& started) { return pattern.matches(started.client); });
  });
}

Made server(std::string_view value) {
  return host_term(value, [](const HostPattern& pattern, const TimelineEvent& event) {
    return in<TimelineSessionStarted>(
               event, [&](const auto& started) { return pattern.matches(started.upstream); }) ||
           in<TimelineConnected>(
               event, [&](const auto& connected) { return pattern.matches(connected.server); });
  });
}

Made route(std::string_view value) {
  return text_term(
      value,
      [](const TextPattern& pattern, const TimelineEvent& event) {
        return in<TimelineSessionStarted>(
            event, [&](const auto& started) { return pattern.matches(started.route); });
      },
      TextPattern::Where::kWhole);
}

/// "5", "550": how a code of three digits begins.
bool is_code(std::string_view value) {
  return !value.empty() && value.size() <= 3 && value[0] >= '1' && value[0] <= '5' &&
         std::ranges::all_of(value, is_digit);
}

/// "5.7.1" (RFC 3463 2), the last part may be missing.
bool is_enhanced_code(std::string_view value) {
  if (value.size() < 3 || (value[0] != '2' && value[0] != '4' && value[0] != '5')) return false;
  int parts = 0;
  std::string_view rest = value.substr(1);
  while (!rest.empty()) {
    if (rest.front() != '.') return false;
    rest.remove_prefix(1);
    const std::size_t digits = std::min(rest.find('.'), rest.size());
    if (digits == 0 || digits > 3 || !std::ranges::all_of(rest.substr(0, digits), is_digit)) {
      return false;
    }
    rest.remove_prefix(digits);
    ++parts;
  }
  return parts == 1 || parts == 2;
}

Made code(std::string_view value) {
  if (is_code(value)) {
    return std::make_unique<EventTerm<std::string>>(
        std::string(value), [](const std::string& begins, const TimelineEvent& event) {
          return in_item<Reply>(event, [&](const Reply& reply) {
            return fmt::format("{:03}", reply.code).starts_with(begins);
          });
        });
  }
  if (!is_enhanced_code(value)) {
    return FilterFault{0, fmt::format("'{}' is no reply code; write 5, 550 or 5.7.1", value)};
  }
  return std::make_unique<EventTerm<std::string>>(
      std::string(value), [](const std::string& begins, const TimelineEvent& event) {
        return in_item<Reply>(event, [&](const Reply& reply) {
          return std::ranges::any_of(reply.lines, [&](const ReplyLine& line) {
            if (!line.text.starts_with(begins)) return false;
            const std::string_view rest = line.text.substr(begins.size());
            return rest.empty() || rest.front() == ' ' || rest.front() == '.';
          });
        });
      });
}

Made verb(std::string_view value) {
  return text_term(
      value,
      [](const TextPattern& pattern, const TimelineEvent& event) {
        return in_item<Command>(event, [&](const Command& command) {
          const std::string_view known = to_string(command.verb);
          return pattern.matches(known.empty() ? command.text.substr(0, command.text.find(' '))
                                               : known);
        });
      },
      TextPattern::Where::kWhole);
}

class RuleTerm : public FilterTerm {
 public:
  explicit RuleTerm(TextPattern pattern) : pattern_(std::move(pattern)) {}
  bool stands(const Annotation& annotation) const override {
    return pattern_.matches(annotation.rule->id);
  }

 private:
  TextPattern pattern_;
};

Made rule(std::string_view value) {
  return std::make_unique<RuleTerm>(TextPattern(value, TextPattern::Where::kPartOrWhole));
}

Made reason(std::string_view value) {
  return text_term(value, [](const TextPattern& pattern, const TimelineEvent& event) {
    return in<Entry>(event, [&](const Entry& entry) {
      return entry.refusal != nullptr && pattern.matches(to_string(entry.refusal->judged.reason));
    });
  });
}

Made cause(std::string_view value) {
  return text_term(value, [](const TextPattern& pattern, const TimelineEvent& event) {
    return in<TimelineSessionEnded>(event, [&](const TimelineSessionEnded& ended) {
      return std::ranges::any_of(ended.verdict, [&](const VerdictLine& line) {
        return line.kind == VerdictKind::kLead && pattern.matches(line.cause);
      });
    });
  });
}

class OutcomeTerm : public FilterTerm {
 public:
  explicit OutcomeTerm(SessionOutcome outcome) : outcome_(outcome) {}
  bool holds(const SessionSoFar& session) const override { return session.outcome() == outcome_; }

 private:
  SessionOutcome outcome_;
};

Made outcome(std::string_view value) {
  std::string names;
  for (std::size_t i = 0; i <= static_cast<std::size_t>(SessionOutcome::kNoMail); ++i) {
    const auto each = static_cast<SessionOutcome>(i);
    if (equal_ignoring_case(value, to_string(each))) return std::make_unique<OutcomeTerm>(each);
    names += fmt::format("{}{}", names.empty() ? "" : ", ", to_string(each));
  }
  return FilterFault{0, fmt::format("'{}' is no outcome; there are {}", value, names)};
}

class SlowerTerm : public FilterTerm {
 public:
  explicit SlowerTerm(double least) : least_(least) {}
  bool holds(const SessionSoFar& session) const override {
    return static_cast<double>((session.last - session.began).count()) > least_;
  }

 private:
  double least_;  // nanoseconds
};

Made slower(std::string_view value) {
  constexpr std::pair<std::string_view, double> kUnits[] = {
      {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"min", 60e9}, {"h", 3600e9}, {"", 1e9}};
  const std::size_t digits = std::min(value.find_first_not_of("0123456789."), value.size());
  const std::string_view number = value.substr(0, digits);
  const std::size_t point = std::min(number.find('.'), number.size());
  const std::string_view decimals = number.substr(std::min(point + 1, number.size()));
  const auto fits = [](std::size_t count) { return count > 0 && count <= 9; };
  const bool good = fits(point) && (point == number.size() || fits(decimals.size())) &&
                    decimals.find('.') == std::string_view::npos;
  for (const auto& [unit, ns] : kUnits) {
    if (good && value.substr(digits) == unit) {
      return std::make_unique<SlowerTerm>(std::stod(std::string(number)) * ns);
    }
  }
  return FilterFault{0, fmt::format("'{}' is no time; write 2s, 500ms or 1m", value)};
}

class WithinTerm : public FilterTerm {
 public:
  explicit WithinTerm(TimeRange range) : range_(range) {}
  bool holds(const SessionSoFar& session) const override { return range_.contains(session.wall); }

 private:
  TimeRange range_;
};

Made within(std::string_view value) {
  auto range = TimeRange::read(value);
  if (auto* fault = std::get_if<FilterFault>(&range)) return std::move(*fault);
  return std::make_unique<WithinTerm>(std::get<TimeRange>(range));
}

/// Looks for a pattern in all that an event tells in words.
class FreeCheck {
 public:
  explicit FreeCheck(const TextPattern& pattern) : pattern_(pattern) {}

  bool operator()(const TimelineSessionStarted& started) const {
    return pattern_.matches(started.client) || pattern_.matches(started.upstream);
  }
  bool operator()(const TimelineConnected& connected) const {
    return pattern_.matches(connected.server);
  }
  bool operator()(const TimelineConnectFailed& failed) const {
    return pattern_.matches(failed.reason);
  }
  bool operator()(const Entry& entry) const { return std::visit(*this, entry.item->body); }
  bool operator()(const Annotation& annotation) const {
    return pattern_.matches(annotation.rule->id) || pattern_.matches(annotation.text);
  }
  bool operator()(const TimelineSessionEnded& ended) const {
    return std::ranges::any_of(
        ended.verdict, [&](const VerdictLine& line) { return pattern_.matches(line.text); });
  }
  bool operator()(const Command& command) const { return pattern_.matches(command.text); }
  bool operator()(const GarbageLine& line) const { return pattern_.matches(line.text); }
  bool operator()(const ProxyHeader& header) const { return pattern_.matches(header.text); }
  bool operator()(const Junk& junk) const { return pattern_.matches(junk.text); }
  bool operator()(const MailData& data) const { return matches(data.headline); }
  bool operator()(const Chunk& chunk) const { return matches(chunk.headline); }
  bool operator()(const Reply& reply) const {
    return std::ranges::any_of(reply.lines, [&](const ReplyLine& line) {
      return line.code == 0 ? pattern_.matches(line.text)
                            : pattern_.matches(fmt::format("{} {}", line.code, line.text));
    });
  }
  template <typename Other>
  bool operator()(const Other& /*other*/) const {
    return false;
  }

 private:
  bool matches(const Headline& headline) const {
    return pattern_.matches(headline.subject) || pattern_.matches(headline.message_id);
  }

  const TextPattern& pattern_;
};

constexpr FilterKey kKeys[] = {
    {"from", from},     {"to", to},       {"client", client},   {"server", server},
    {"route", route},   {"code", code},   {"verb", verb},       {"rule", rule},
    {"reason", reason}, {"cause", cause}, {"outcome", outcome}, {"slower", slower},
    {"in", within},
};

}  // namespace

std::span<const FilterKey> all_filter_keys() { return kKeys; }

std::unique_ptr<FilterTerm> free_term(std::string_view word) {
  return std::make_unique<EventTerm<TextPattern>>(
      TextPattern(word, TextPattern::Where::kPart),
      [](const TextPattern& pattern, const TimelineEvent& event) {
        return std::visit(FreeCheck(pattern), event.body);
      });
}

}  // namespace smtpscope
