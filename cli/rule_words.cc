#include "cli/rule_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <nlohmann/json.hpp>

#include "exporters/text_width.h"
#include "timeline/severity.h"

namespace smtpscope {
namespace {

constexpr std::array kSeverities = {Severity::kInfo, Severity::kNotice, Severity::kWarning,
                                    Severity::kError};

/// The paragraphs of a rule's words, which a line feed separates.
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

/// Words that Markdown must show as they are: addresses and options would become tags and rules.
std::string escape_markdown(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\`*_{}[]<>|#").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
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

std::string rules_as_json(std::span<const Rule* const> rules) {
  using Json = nlohmann::ordered_json;
  Json list = Json::array();
  for (const Rule* rule : rules) {
    list.push_back({{"id", rule->id},
                    {"category", to_string(rule->category)},
                    {"severity", to_string(rule->severity)},
                    {"fault", to_string(rule->fault)},
                    {"title", rule->title},
                    {"means", rule->means},
                    {"caveats", rule->caveats},
                    {"reference", rule->reference}});
  }
  return list.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
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
  for (const Rule* rule : rules) {
    fmt::format_to(std::back_inserter(out),
                   "\n## {}\n\n{}. Category {}, severity {}; where to look: {}.\n", rule->id,
                   escape_markdown(rule->title), to_string(rule->category),
                   to_string(rule->severity), in_words(rule->fault));
    for (const std::string_view paragraph : paragraphs(rule->means)) {
      fmt::format_to(std::back_inserter(out), "\n{}\n", escape_markdown(paragraph));
    }
    if (!rule->caveats.empty()) {
      fmt::format_to(std::back_inserter(out), "\n**May mislead:** {}\n",
                     escape_markdown(rule->caveats));
    }
    fmt::format_to(std::back_inserter(out), "\nReference: {}\n", escape_markdown(rule->reference));
  }
  return out;
}

std::string explain_rule(const Rule& rule, std::size_t width) {
  std::string out;
  const auto say = [&](std::string_view text, std::string_view indent) {
    const std::size_t room = width == 0 ? 0 : std::max<std::size_t>(width, 40) - indent.size();
    for (const std::string& line : wrap(text, room)) {
      fmt::format_to(std::back_inserter(out), "{}{}\n", indent, line);
    }
  };
  say(fmt::format("{}: {}", rule.id, rule.title), "");
  out += '\n';
  say(fmt::format("severity {} (usually), category {}; where to look: {}", to_string(rule.severity),
                  to_string(rule.category), in_words(rule.fault)),
      "  ");
  for (const std::string_view paragraph : paragraphs(rule.means)) {
    out += '\n';
    say(paragraph, "  ");
  }
  if (!rule.caveats.empty()) {
    out += '\n';
    say(fmt::format("May mislead: {}", rule.caveats), "  ");
  }
  out += '\n';
  say(fmt::format("Reference: {}", rule.reference), "  ");
  return out;
}

}  // namespace smtpscope
