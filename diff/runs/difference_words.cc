#include "diff/runs/difference_words.h"

#include <fmt/format.h>

#include <string_view>

#include "base/ascii.h"
#include "parser/command_line.h"
#include "parser/path.h"
#include "parser/verb.h"

namespace smtpscope {
namespace {

/// The ESMTP parameters of MAIL and RCPT that differ, in words.
std::string parameter_words(std::string_view before, std::string_view after) {
  std::string words;
  const auto add = [&](std::string_view text) {
    if (!words.empty()) words += ", ";
    words += text;
  };
  const auto find = [](std::string_view text, std::string_view keyword) {
    MailParameter found;
    for (const MailParameter& each : mail_parameters(text)) {
      if (equal_ignoring_case(each.keyword, keyword)) found = each;
    }
    return found;
  };
  const auto spelled = [](const MailParameter& each) {
    return each.has_value ? fmt::format("{}={}", each.keyword, each.value)
                          : std::string(each.keyword);
  };
  for (const MailParameter& each : mail_parameters(before)) {
    const MailParameter other = find(after, each.keyword);
    if (other.keyword.empty()) {
      add(fmt::format("{} is gone", spelled(each)));
    } else if (other.value != each.value) {
      add(fmt::format("{} was {}, now {}", each.keyword, each.value, other.value));
    }
  }
  for (const MailParameter& each : mail_parameters(after)) {
    if (find(before, each.keyword).keyword.empty()) add(fmt::format("{} is new", spelled(each)));
  }
  return words;
}

/// How two spellings of a command differ.
std::string command_words(std::string_view before, std::string_view after) {
  const CommandWords a = split_command(before), b = split_command(after);
  const Verb verb = verb_of(a.word);
  if (verb != verb_of(b.word) || (verb != Verb::kMail && verb != Verb::kRcpt)) return {};
  const std::string_view keyword = verb == Verb::kMail ? "FROM:" : "TO:";
  const PathArgument path_a = parse_path(a.arguments, keyword);
  const PathArgument path_b = parse_path(b.arguments, keyword);
  std::string words = parameter_words(path_a.parameters, path_b.parameters);
  if (path_a.path != path_b.path) {
    words = fmt::format("another {}{}{}", verb == Verb::kMail ? "reverse-path" : "forward-path",
                        words.empty() ? "" : ", ", words);
  }
  return words.empty() ? "spelled otherwise" : words;
}

}  // namespace

std::string change_words(const Difference& difference) {
  switch (difference.kind) {
    case DifferenceKind::kCommandChanged:
      return command_words(difference.before, difference.after);
    case DifferenceKind::kReplyCode:
      return "another code";
    case DifferenceKind::kEnhancedCode:
      return "another enhanced code";
    case DifferenceKind::kReplyText:
      return "other words";
    case DifferenceKind::kCapabilityRemoved:
      return "no longer offered";
    case DifferenceKind::kCapabilityAdded:
      return "offered now";
    case DifferenceKind::kCapabilityChanged:
      return "offered with other parameters";
    case DifferenceKind::kHeaderRemoved:
      return "header field gone";
    case DifferenceKind::kHeaderAdded:
      return "header field new";
    case DifferenceKind::kHeaderMoved:
      return "header field moved";
    case DifferenceKind::kHeaderChanged:
      return "header field changed";
    case DifferenceKind::kSize:
    case DifferenceKind::kLineEndings:
      return difference.subject;
    case DifferenceKind::kTiming:
    case DifferenceKind::kReads:
      return fmt::format("was {}, now {}", difference.before, difference.after);
    default:
      return {};
  }
}

}  // namespace smtpscope
