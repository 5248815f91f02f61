#include "cli/man_page.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>
#include <span>

#include "base/prose.h"
#include "cli/rule_listing.h"
#include "timeline/rule_words.h"
#include "timeline/severity.h"

namespace smtpscope {

extern const std::span<const ProseSource> kManualProse;

namespace {

constexpr std::string_view kDescription = "Description";

/// Text in which no character means anything to scdoc. It is to stand in a line.
std::string plain(std::string_view text) {
  std::string out;
  // These only where a line begins.
  if (text.find_first_of("#|[];-+") == 0) out += '\\';
  for (const char c : text) {
    if (std::string_view("\\*_`").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string upper_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

/// "smtpscope proxy" has the page smtpscope-proxy.
std::string page_name(std::string_view command) {
  std::string name(command);
  std::ranges::replace(name, ' ', '-');
  return name;
}

ProsePage manual_of(std::string_view id) {
  for (const ProseSource& source : kManualProse) {
    if (source.id == id) return read_page(source);
  }
  return {};
}

void put_title(std::string& out, std::string_view name, int section, std::string_view words) {
  fmt::format_to(std::back_inserter(out),
                 "{}({}) \"smtpscope {}\" \"smtpscope\"\n\n# NAME\n\n{} - {}\n", name, section,
                 SMTPSCOPE_VERSION, plain(name), plain(words));
}

void put_parts(std::string& out, const ProseSection& section) {
  std::size_t number = 0;
  for (const std::string& part : section.parts) {
    out += '\n';
    if (section.numbered) out += fmt::format("{}. ", ++number);
    out += plain(part) + "\n";
  }
}

void put_section(std::string& out, const ProseSection& section) {
  out += fmt::format("\n# {}\n", upper_case(section.heading));
  put_parts(out, section);
}

void put_option(std::string& out, const OptionUsage& option) {
  std::string head;
  for (const std::string& name : option.names) {
    head += fmt::format("{}*{}*", head.empty() ? "" : ", ", plain(name));
  }
  if (!option.value.empty()) {
    const std::string value = fmt::format("_{}_", plain(option.value));
    head += option.value_optional ? " [" + value + "]" : " " + value;
  }
  fmt::format_to(std::back_inserter(out), "\n{}\n\t{}\n", head, plain(explanation(option)));
}

void put_options(std::string& out, const CommandUsage& command) {
  if (!command.positionals.empty()) out += "\n# ARGUMENTS\n";
  for (const OptionUsage& each : command.positionals) put_option(out, each);
  if (!command.options.empty()) out += "\n# OPTIONS\n";
  std::string_view group;
  for (const OptionUsage& each : command.options) {
    if (each.group != group) out += fmt::format("\n## {}\n", plain(each.group));
    group = each.group;
    put_option(out, each);
  }
}

/// Lines as they stand, but for the indent that all have.
void put_examples(std::string& out, std::string_view lines) {
  out += "\n# EXAMPLES\n\n```\n";
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size() - 1) + 1;
    std::string_view line = lines.substr(0, end);
    if (line.starts_with("  ")) line.remove_prefix(2);
    out += line;
    lines.remove_prefix(end);
  }
  out += "```\n";
}

void put_references(std::string& out, std::string_view but) {
  out += "\n# SEE ALSO\n\n";
  std::vector<std::string> pages = {"smtpscope(1)"};
  for (const Subcommand* each : all_subcommands()) {
    pages.push_back(fmt::format("smtpscope-{}(1)", each->name));
  }
  for (const char* each : {"smtpcap(5)", "smtpscope-rules(7)", "smtpscope@.service(8)"}) {
    pages.emplace_back(each);
  }
  std::erase(pages, but);
  for (std::size_t i = 0; i < pages.size(); ++i) {
    const std::size_t name = pages[i].find('(');
    out += fmt::format("*{}*{}{}", plain(pages[i].substr(0, name)), pages[i].substr(name),
                       i + 1 < pages.size() ? ", " : "\n");
  }
}

void put_subcommands(std::string& out) {
  out += "\n# SUBCOMMANDS\n";
  for (const Subcommand* each : all_subcommands()) {
    fmt::format_to(std::back_inserter(out), "\n*{}*\n\t{}. See *smtpscope-{}*(1).\n", each->name,
                   plain(each->description), each->name);
  }
}

void put_rule(std::string& out, const Rule& rule) {
  const ProsePage& page = words_of(rule);
  fmt::format_to(std::back_inserter(out), "\n## {}\n\n{}. _Severity_ {}, _category_ {}.\n",
                 plain(rule.id), plain(page.title), to_string(rule.severity),
                 to_string(rule.category));
  for (const ProseSection& section : page.sections) {
    out += fmt::format("\n*{}*\n", plain(section.heading));
    put_parts(out, section);
  }
  const Rule* const only[] = {&rule};
  if (const std::string table = thresholds_as_table(only); !table.empty()) {
    out += "\n*Thresholds*\n\n```\n" + table + "```\n";
  }
}

}  // namespace

std::string man_page(const CLI::App& app) {
  const CommandUsage command = describe(app);
  const bool whole = command.subcommand == nullptr;
  const ProsePage manual = manual_of(whole ? "smtpscope" : command.subcommand->name);
  std::string out;
  put_title(out, page_name(command.name), 1, whole ? manual.title : command.description);
  out += fmt::format("\n# SYNOPSIS\n\n*{}*{}\n", plain(command.name),
                     plain(usage(command).substr(command.name.size())));
  for (const ProseSection& section : manual.sections) {
    if (section.heading == kDescription) put_section(out, section);
  }
  if (whole) put_subcommands(out);
  put_options(out, command);
  for (const ProseSection& section : manual.sections) {
    if (section.heading != kDescription) put_section(out, section);
  }
  if (!whole) put_examples(out, command.subcommand->examples);
  out += fmt::format("\n# EXIT STATUS\n\n{}\n",
                     plain(whole ? kExitWords : command.subcommand->exit_status));
  put_references(out, page_name(command.name) + "(1)");
  return out;
}

std::string man_page_of_rules() {
  const ProsePage manual = manual_of("rules-page");
  std::string out;
  put_title(out, "smtpscope-rules", 7, manual.title);
  for (const ProseSection& section : manual.sections) put_section(out, section);
  out += "\n# RULES\n";
  for (const Rule* rule : all_rules()) put_rule(out, *rule);
  put_references(out, "smtpscope-rules(7)");
  return out;
}

}  // namespace smtpscope
