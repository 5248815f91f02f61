#include "cli/reason_words.h"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <sstream>

#include "base/system_error.h"
#include "exporters/text/text_width.h"

namespace smtpscope {
namespace {

std::string_view in_words(HowKnown how) {
  switch (how) {
    case HowKnown::kWords:
      return "by the server's words";
    case HowKnown::kEnhancedCode:
      return "by the enhanced status code";
    case HowKnown::kBoth:
      return "by the server's words and its enhanced status code";
    case HowKnown::kStage:
      break;
  }
  return "by the reply code and the command it answers";
}

}  // namespace

Result<ReasonTable> read_reasons(const std::string& path) {
  if (path.empty()) return ReasonTable::extended("", "reasons.txt");
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    return Error{fmt::format("--reasons: cannot read '{}': {}", path, system_words(errno))};
  }
  return ReasonTable::extended(text.str(), path);
}

void put_checks(std::string& out, std::span<const std::string> checks, std::size_t width) {
  for (std::size_t i = 0; i < checks.size(); ++i) {
    put_wrapped(out, fmt::format("{}{}. ", i == 0 ? "  check   " : "          ", i + 1), checks[i],
                width);
  }
}

std::string judged_reply(const ReplyText& reply, const ReasonVerdict& verdict,
                         const ReasonTable& table, std::size_t width) {
  const ReasonWords& words = table.words(verdict.reason);
  std::string out;
  const auto say = [&](std::string_view first, std::string_view text) {
    put_wrapped(out, first, text, width);
  };
  say("", fmt::format("{}: {}", to_string(verdict.reason), words.says));
  say("  means   ", words.means);
  say("  known   ", in_words(verdict.how));
  if (verdict.codes_say) {
    say("  but     ", fmt::format("its enhanced status code {} stands for {}; the words count",
                                  reply.enhanced, to_string(*verdict.codes_say)));
  }
  say("  wait    ",
      verdict.temporary ? "the same may work later" : "trying the same again will not help");
  say("  acts    ", in_words(words.who));
  put_checks(out, words.checks, width);
  return out;
}

}  // namespace smtpscope
