#include "cli/rule_listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "exporters/json_writer.h"
#include "exporters/text/text_width.h"
#include "timeline/rule_words.h"
#include "timeline/severity.h"
#include "timeline/thresholds.h"

namespace smtpscope {
namespace {

constexpr std::array kSeverities = {Severity::kInfo, Severity::kNotice, Severity::kWarning,
                                    Severity::kError};

constexpr std::string_view kAnySide = "whichever side the finding names";

std::string_view in_words(Certainty certainty) {
  switch (certainty) {
    case Certainty::kSeen:
      return "it is what the wire shows";
    case Certainty::kLikely:
      return "likely; the evidence leaves little room";
    case Certainty::kPossible:
      break;
  }
  return "possible; a hint that has other explanations";
}

struct NeedWords {
  RuleNeed need;
  std::string_view name;  // for programs
  std::string_view words;
};
constexpr std::array kNeeds = {
    NeedWords{kNeedsContent, "content", "facts of the message content, which every capture keeps"},
    NeedWords{kNeedsOctets, "octets", "each octet with its line ends, which logs do not have"},
    NeedWords{kNeedsReplyLines, "reply-lines", "all lines of the replies"},
    NeedWords{kNeedsTimes, "times", "the time of each command and reply"},
    NeedWords{kNeedsFineTimes, "fine-times", "times that are exact to the tenth of a second"},
    NeedWords{kNeedsReadTimes, "segment-times", "the time of each read from the network"},
    NeedWords{kNeedsRtt, "rtt", "the round trip to the server"},
    NeedWords{kNeedsCloseKind, "tcp-close-kind", "how the connection was closed: FIN or reset"},
    NeedWords{kNeedsTlsRecords, "tls-records", "the outside of the TLS session"},
    NeedWords{kNeedsHistory, "history", "other sessions of the same run"},
    NeedWords{kNeedsSecondTrace, "second-trace", "a second trace from another vantage point"},
};

std::string in_words(std::uint16_t needs) {
  std::string text;
  for (const NeedWords& each : kNeeds) {
    if ((needs & each.need) == 0) continue;
    fmt::format_to(std::back_inserter(text), "{}{}", text.empty() ? "" : "; ", each.words);
  }
  return text;
}

/// What a user may set for a rule. The rules about silences share "gap".
bool belongs_to(const ThresholdKind& kind, const Rule& rule) {
  return kind.rule == rule.id || (kind.rule == "gap" && rule.id.starts_with("gap-"));
}

std::vector<const ThresholdKind*> thresholds_of(const Rule& rule) {
  std::vector<const ThresholdKind*> kinds;
  for (const ThresholdKind& kind : all_thresholds()) {
    if (belongs_to(kind, rule)) kinds.push_back(&kind);
  }
  return kinds;
}

std::string default_text(const ThresholdKind& kind) {
  return threshold_text(kind.unit, kind.standard);
}

std::vector<std::string> threshold_lines(std::span<const ThresholdKind* const> kinds) {
  std::size_t widest_name = 0;
  std::size_t widest_default = 0;
  for (const ThresholdKind* kind : kinds) {
    widest_name = std::max(widest_name, kind->name().size());
    widest_default = std::max(widest_default, default_text(*kind).size());
  }
  std::vector<std::string> lines;
  for (const ThresholdKind* kind : kinds) {
    lines.push_back(fmt::format("{:<{}}  {:>{}}  {}", kind->name(), widest_name,
                                default_text(*kind), widest_default, kind->words));
  }
  return lines;
}

/// Words that Markdown must show as they are: addresses and options would become tags and rules.
std::string escape_markdown(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\`*_{}[]<>|#").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

// The sections of an explanation that are no prose stand before the last of its page.
constexpr std::string_view kThresholdsHeading = "Thresholds";
constexpr std::string_view kNeedsHeading = "Needs";
constexpr std::string_view kUsesHeading = "Says more with";

void put_markdown(const Rule& rule, std::string& out) {
  const auto to = std::back_inserter(out);
  const ProsePage& page = words_of(rule);
  fmt::format_to(to, "\n## {}\n\n{}. Category {}, severity {}; where to look: {}. Certainty: {}.\n",
                 rule.id, escape_markdown(page.title), to_string(rule.category),
                 to_string(rule.severity), in_words(rule.fault, kAnySide),
                 in_words(rule.certainty));
  const auto facts = [&] {
    if (const auto kinds = thresholds_of(rule); !kinds.empty()) {
      fmt::format_to(to, "\n**{}.**\n\n| name | default | |\n|---|---|---|\n", kThresholdsHeading);
      for (const ThresholdKind* kind : kinds) {
        fmt::format_to(to, "| `{}` | {} | {} |\n", kind->name(), default_text(*kind),
                       escape_markdown(kind->words));
      }
    }
    if (rule.needs != 0) fmt::format_to(to, "\n**{}.** {}\n", kNeedsHeading, in_words(rule.needs));
    if (rule.uses != 0) fmt::format_to(to, "\n**{}.** {}\n", kUsesHeading, in_words(rule.uses));
  };
  for (const ProseSection& section : page.sections) {
    if (section.heading == kReferenceHeading) facts();
    fmt::format_to(to, "\n**{}.**{}", section.heading, section.numbered ? "\n\n" : " ");
    std::size_t number = 0;
    for (const std::string& part : section.parts) {
      if (section.numbered) {
        fmt::format_to(to, "{}. ", ++number);
      } else if (&part != &section.parts.front()) {
        out += '\n';
      }
      fmt::format_to(to, "{}\n", escape_markdown(part));
    }
  }
}

}  // namespace

std::vector<std::string> category_names() {
  std::vector<std::string> names;
  for (const Rule* rule : all_rules()) {
    const std::string_view name = to_string(rule->category);
    if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
  }
  return names;
}

std::vector<std::string> severity_names() {
  std::vector<std::string> names;
  names.reserve(kSeverities.size());
  for (const Severity severity : kSeverities) names.emplace_back(to_string(severity));
  return names;
}

std::string rules_as_table(std::span<const Rule* const> rules) {
  std::size_t widest = 0;
  for (const Rule* rule : rules) widest = std::max(widest, rule->id.size());
  std::string out;
  for (const Rule* rule : rules) {
    fmt::format_to(std::back_inserter(out), "{:<{}}  {:<7}  {:<11}  {}\n", rule->id, widest,
                   to_string(rule->severity), to_string(rule->category), words_of(*rule).title);
  }
  return out;
}

std::string thresholds_as_table(std::span<const Rule* const> rules) {
  std::vector<const ThresholdKind*> kinds;
  for (const ThresholdKind& kind : all_thresholds()) {
    if (std::ranges::any_of(rules, [&](const Rule* rule) { return belongs_to(kind, *rule); })) {
      kinds.push_back(&kind);
    }
  }
  std::string out;
  for (const std::string& line : threshold_lines(kinds)) out += line + '\n';
  return out;
}

std::string rules_as_json(std::span<const Rule* const> rules) {
  constexpr std::array<std::string_view, 4> kUnits = {"duration", "count", "octets", "percent"};
  std::string out;
  for (const Rule* rule : rules) {
    const ProsePage& page = words_of(*rule);
    JsonWriter json;
    json.begin_object();
    json.string("id", rule->id);
    json.string("category", to_string(rule->category));
    json.string("severity", to_string(rule->severity));
    json.string("fault", to_string(rule->fault));
    json.string("certainty", to_string(rule->certainty));
    json.string("title", page.title);
    for (const RuleHeading& each : kRuleHeadings) {
      if (each.numbered) {
        json.begin_array(each.key);
        for (const std::string& entry : page.parts(each.heading)) json.element(entry);
        json.end_array();
      } else {
        json.string(each.key, page.text(each.heading));
      }
    }
    json.begin_array("needs");
    for (const NeedWords& each : kNeeds) {
      if ((rule->needs & each.need) != 0) json.element(each.name);
    }
    json.end_array();
    json.begin_array("uses");
    for (const NeedWords& each : kNeeds) {
      if ((rule->uses & each.need) != 0) json.element(each.name);
    }
    json.end_array();
    json.begin_array("thresholds");
    for (const ThresholdKind* kind : thresholds_of(*rule)) {
      json.begin_object();
      json.string("name", kind->name());
      json.string("default", default_text(*kind));
      json.string("unit", kUnits[static_cast<std::size_t>(kind->unit)]);
      json.string("words", kind->words);
      json.end_object();
    }
    json.end_array();
    json.end_object();
    out += out.empty() ? "[\n" : ",\n";
    out += json.text();
  }
  return out.empty() ? "[]\n" : out + "\n]\n";
}

std::string rules_as_markdown(std::span<const Rule* const> rules) {
  std::string out =
      "# The rules\n"
      "\n"
      "Written by `smtpscope rules --markdown` from the words beside each rule\n"
      "(`timeline/rules/`); change them there. `smtpscope explain RULE` prints one of them.\n"
      "\n"
      "Severities: **info** is worth a line and asks for nothing; **notice** is unusual, look at\n"
      "it if something is wrong; **warning** is probably a fault or a risk; **error** is loss,\n"
      "duplication, a violation with effect, or exposure. \"Client\" and \"server\" mean whatever\n"
      "speaks on that side of smtpscope.\n"
      "\n"
      "| rule | category | severity | |\n"
      "|---|---|---|---|\n";
  for (const Rule* rule : rules) {
    fmt::format_to(std::back_inserter(out), "| [`{0}`](#{0}) | {1} | {2} | {3} |\n", rule->id,
                   to_string(rule->category), to_string(rule->severity),
                   escape_markdown(words_of(*rule).title));
  }
  for (const Rule* rule : rules) put_markdown(*rule, out);
  return out;
}

std::string explain_rule(const Rule& rule, std::size_t width) {
  std::string out;
  const auto say = [&](std::string_view first, std::string_view text) {
    put_wrapped(out, first, text, width);
  };
  const auto heading = [&](std::string_view words) {
    fmt::format_to(std::back_inserter(out), "\n{}\n", words);
  };
  const auto facts = [&] {
    if (const auto kinds = thresholds_of(rule); !kinds.empty()) {
      heading(kThresholdsHeading);
      for (const std::string& line : threshold_lines(kinds)) say("  ", line);
    }
    if (rule.needs != 0) {
      heading(kNeedsHeading);
      say("  ", in_words(rule.needs));
    }
    if (rule.uses != 0) {
      heading(kUsesHeading);
      say("  ", in_words(rule.uses));
    }
  };
  const ProsePage& page = words_of(rule);
  say("", fmt::format("{}: {}", rule.id, page.title));
  out += '\n';
  say("  ",
      fmt::format("severity {} (usually), category {}; where to look: {}", to_string(rule.severity),
                  to_string(rule.category), in_words(rule.fault, kAnySide)));
  say("  ", fmt::format("certainty: {}", in_words(rule.certainty)));
  for (const ProseSection& section : page.sections) {
    if (section.heading == kReferenceHeading) facts();
    heading(section.heading);
    std::size_t number = 0;
    for (const std::string& part : section.parts) {
      say(section.numbered ? fmt::format("  {}. ", ++number) : "  ", part);
    }
  }
  return out;
}

}  // namespace smtpscope
