#include "cli/trouble_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/ascii.h"
#include "cli/reason_words.h"
#include "exporters/text/text_width.h"

namespace smtpscope {
namespace {

std::string capitalised(std::string_view words) {
  std::string text(words);
  if (!text.empty()) text[0] = upper(text[0]);
  return text;
}

}  // namespace

std::vector<Trouble> all_troubles() {
  std::vector<Trouble> troubles;
  for (const Cause* cause : all_causes()) {
    CausePage page = page_of(*cause);
    troubles.push_back(
        {.id = cause->id,
         .title = std::move(page.title),
         .where = std::string(in_words(cause->side, "whichever side the verdict names")),
         .means = std::move(page.means),
         .checks = std::move(page.checks),
         .not_it = std::move(page.not_it)});
  }
  for (std::size_t i = 0; i < kReplyReasons; ++i) {
    const auto reason = static_cast<ReplyReason>(i);
    const ReasonWords& words = ReasonTable::built_in().words(reason);
    troubles.push_back({.id = to_string(reason),
                        .title = "Refused: " + words.says,
                        .where = std::string(in_words(words.who)),
                        .means = words.means,
                        .checks = words.checks,
                        .not_it = {}});
  }
  return troubles;
}

std::vector<Trouble> troubles_about(const std::vector<std::string>& words) {
  std::vector<Trouble> found;
  for (Trouble& trouble : all_troubles()) {
    std::string text =
        fmt::format("{} {} {} {}", trouble.id, trouble.title, trouble.where, trouble.means);
    for (const std::string& check : trouble.checks) text += ' ' + check;
    text = in_lower_case(text);
    const bool all = std::ranges::all_of(words, [&](const std::string& word) {
      return text.find(in_lower_case(word)) != std::string::npos;
    });
    if (all) found.push_back(std::move(trouble));
  }
  return found;
}

std::string trouble_text(const Trouble& trouble, std::size_t width) {
  std::string out;
  const auto say = [&](std::string_view first, std::string_view text) {
    put_wrapped(out, first, text, width);
  };
  say("", fmt::format("{}: {}", trouble.id, trouble.title));
  say("  means   ", trouble.means);
  say("  where   ", trouble.where);
  put_checks(out, trouble.checks, width);
  for (std::size_t i = 0; i < trouble.not_it.size(); ++i) {
    say(i == 0 ? "  not it  " : "          ", trouble.not_it[i]);
  }
  return out;
}

std::string troubles_as_table(const std::vector<Trouble>& troubles) {
  std::string out;
  for (const Trouble& trouble : troubles) {
    fmt::format_to(std::back_inserter(out), "{:<28}{}\n", trouble.id, trouble.title);
  }
  return out;
}

std::string troubles_as_markdown() {
  std::string out =
      "# Troubles\n\n"
      "What a verdict can lead with, to look a trouble up in. `smtpscope troubles WORDS` searches "
      "it.\n"
      "This page is generated: `smtpscope troubles --markdown`.\n";
  bool in_reasons = false;
  out += "\n## What went wrong\n";
  for (const Trouble& trouble : all_troubles()) {
    if (!in_reasons && reply_reason(trouble.id)) {
      in_reasons = true;
      out += "\n## Why a server refuses\n";
    }
    fmt::format_to(std::back_inserter(out), "\n### {}\n\n**{}.** {}\n\nWhere to look: {}.\n\n",
                   trouble.id, capitalised(trouble.title), trouble.means, trouble.where);
    for (std::size_t i = 0; i < trouble.checks.size(); ++i) {
      fmt::format_to(std::back_inserter(out), "{}. {}\n", i + 1, capitalised(trouble.checks[i]));
    }
    for (const std::string& each : trouble.not_it) {
      fmt::format_to(std::back_inserter(out), "\nNot the cause: {}\n", each);
    }
  }
  return out;
}

}  // namespace smtpscope
