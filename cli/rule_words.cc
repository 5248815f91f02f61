#include "cli/rule_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "exporters/json_writer.h"
#include "exporters/text_width.h"
#include "timeline/severity.h"
#include "timeline/thresholds.h"

namespace smtpscope {
namespace {

constexpr std::array kSeverities = {Severity::kInfo, Severity::kNotice, Severity::kWarning,
                                    Severity::kError};

/// The paragraphs of a rule's words, or the entries of a list, which a line feed separates.
std::vector<std::string_view> paragraphs(std::string_view text) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::string_view in_words(Fault fault) {
  switch (fault) {
    case Fault::kClient:
      return "the client side";
    case Fault::kServer:
      return "the server side";
    case Fault::kNetwork:
      return "the network between";
    case Fault::kProxy:
      return "smtpscope itself";
    case Fault::kUnknown:
      break;
  }
  return "whichever side the finding names";
}

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

std::string threshold_table(std::span<const ThresholdKind* const> kinds) {
  std::size_t widest_name = 0;
  std::size_t widest_default = 0;
  for (const ThresholdKind* kind : kinds) {
    widest_name = std::max(widest_name, kind->name().size());
    widest_default = std::max(widest_default, default_text(*kind).size());
  }
  std::string out;
  for (const ThresholdKind* kind : kinds) {
    fmt::format_to(std::back_inserter(out), "{:<{}}  {:>{}}  {}\n", kind->name(), widest_name,
                   default_text(*kind), widest_default, kind->words);
  }
  return out;
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

// The sections of an explanation.
constexpr std::string_view kMeans = "What it means";
constexpr std::string_view kCauses = "Likely causes, the likeliest first";
constexpr std::string_view kTellApart = "How to tell them apart";
constexpr std::string_view kAdvice = "What to do";
constexpr std::string_view kCaveats = "May mislead";
constexpr std::string_view kThresholdsHeading = "Thresholds";
constexpr std::string_view kNeedsHeading = "Needs";
constexpr std::string_view kUsesHeading = "Says more with";
constexpr std::string_view kReference = "Reference";

void put_markdown(const Rule& rule, std::string& out) {
  const auto to = std::back_inserter(out);
  const auto section = [&](std::string_view heading, std::string_view text) {
    if (text.empty()) return;
    fmt::format_to(to, "\n**{}.**", heading);
    std::string_view before = " ";
    for (const std::string_view paragraph : paragraphs(text)) {
      fmt::format_to(to, "{}{}\n", std::exchange(before, "\n"), escape_markdown(paragraph));
    }
  };
  const auto numbered = [&](std::string_view heading, std::string_view list) {
    if (list.empty()) return;
    fmt::format_to(to, "\n**{}.**\n\n", heading);
    std::size_t number = 0;
    for (const std::string_view one : paragraphs(list)) {
      fmt::format_to(to, "{}. {}\n", ++number, escape_markdown(one));
    }
  };
  fmt::format_to(to, "\n## {}\n\n{}. Category {}, severity {}; where to look: {}. Certainty: {}.\n",
                 rule.id, escape_markdown(rule.title), to_string(rule.category),
                 to_string(rule.severity), in_words(rule.fault), in_words(rule.certainty));
  section(kMeans, rule.means);
  numbered(kCauses, rule.causes);
  section(kTellApart, rule.tell_apart);
  numbered(kAdvice, rule.advice);
  section(kCaveats, rule.caveats);
  if (const auto kinds = thresholds_of(rule); !kinds.empty()) {
    fmt::format_to(to, "\n**{}.**\n\n| name | default | |\n|---|---|---|\n", kThresholdsHeading);
    for (const ThresholdKind* kind : kinds) {
      fmt::format_to(to, "| `{}` | {} | {} |\n", kind->name(), default_text(*kind),
                     escape_markdown(kind->words));
    }
  }
  section(kNeedsHeading, in_words(rule.needs));
  section(kUsesHeading, in_words(rule.uses));
  section(kReference, rule.reference);
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
                   to_string(rule->severity), to_string(rule->category), rule->title);
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
  return threshold_table(kinds);
}

std::string rules_as_json(std::span<const Rule* const> rules) {
  constexpr std::array<std::string_view, 4> kUnits = {"duration", "count", "octets", "percent"};
  const auto list = [](JsonWriter& json, std::string_view name, std::string_view text) {
    json.begin_array(name);
    for (const std::string_view one : paragraphs(text)) json.element(one);
    json.end_array();
  };
  std::string out;
  for (const Rule* rule : rules) {
    JsonWriter json;
    json.begin_object();
    json.string("id", rule->id);
    json.string("category", to_string(rule->category));
    json.string("severity", to_string(rule->severity));
    json.string("fault", to_string(rule->fault));
    json.string("certainty", to_string(rule->certainty));
    json.string("title", rule->title);
    json.string("means", rule->means);
    list(json, "causes", rule->causes);
    json.string("tell_apart", rule->tell_apart);
    list(json, "advice", rule->advice);
    json.string("caveats", rule->caveats);
    json.string("reference", rule->reference);
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
                   escape_markdown(rule->title));
  }
  for (const Rule* rule : rules) put_markdown(*rule, out);
  return out;
}

std::string explain_rule(const Rule& rule, std::size_t width) {
  std::string out;
  // `first` stands before the first line, as much room before the others.
  const auto say = [&](std::string_view first, std::string_view text) {
    const std::size_t room = width == 0 ? 0 : std::max<std::size_t>(width, 40) - first.size();
    std::string indent(first);
    for (const std::string& line : wrap(text, room)) {
      fmt::format_to(std::back_inserter(out), "{}{}\n", indent, line);
      indent.assign(first.size(), ' ');
    }
  };
  const auto section = [&](std::string_view heading, std::string_view text) {
    if (text.empty()) return;
    fmt::format_to(std::back_inserter(out), "\n{}\n", heading);
    for (const std::string_view paragraph : paragraphs(text)) say("  ", paragraph);
  };
  const auto numbered = [&](std::string_view heading, std::string_view list) {
    if (list.empty()) return;
    fmt::format_to(std::back_inserter(out), "\n{}\n", heading);
    std::size_t number = 0;
    for (const std::string_view one : paragraphs(list)) say(fmt::format("  {}. ", ++number), one);
  };
  say("", fmt::format("{}: {}", rule.id, rule.title));
  out += '\n';
  say("  ", fmt::format("severity {} (usually), category {}; where to look: {}",
                        to_string(rule.severity), to_string(rule.category), in_words(rule.fault)));
  say("  ", fmt::format("certainty: {}", in_words(rule.certainty)));
  section(kMeans, rule.means);
  numbered(kCauses, rule.causes);
  section(kTellApart, rule.tell_apart);
  numbered(kAdvice, rule.advice);
  section(kCaveats, rule.caveats);
  if (const auto kinds = thresholds_of(rule); !kinds.empty()) {
    fmt::format_to(std::back_inserter(out), "\n{}\n", kThresholdsHeading);
    const std::string table = threshold_table(kinds);
    for (const std::string_view line : paragraphs(table)) say("  ", line);
  }
  section(kNeedsHeading, in_words(rule.needs));
  section(kUsesHeading, in_words(rule.uses));
  section(kReference, rule.reference);
  return out;
}

}  // namespace smtpscope
