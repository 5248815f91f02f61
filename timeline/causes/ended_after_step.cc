#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/counted.h"
#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace ended_after_step_cause {
namespace {

/// How a server's log says that a session ended: "lost connection after DATA (1234 bytes)".
struct Ending {
  RemarkKind kind = RemarkKind::kLostConnection;
  std::string_view step;                     // what the client said last: "DATA", "END-OF-MESSAGE"
  std::optional<std::uint64_t> octets = {};  // of the message, where it is named
};

std::optional<Ending> ending_in(std::string_view text) {
  struct Words {
    std::string_view words;
    RemarkKind kind;
  };
  constexpr std::array kWords = {Words{"lost connection after ", RemarkKind::kLostConnection},
                                 Words{"timeout after ", RemarkKind::kTimeout},
                                 Words{"too many errors after ", RemarkKind::kException}};
  for (const Words& each : kWords) {
    if (!text.starts_with(each.words)) continue;
    Ending ending{.kind = each.kind, .step = text.substr(each.words.size())};
    const std::size_t open = ending.step.find(" (");
    if (open != std::string_view::npos) {
      const std::string_view number = ending.step.substr(open + 2);
      std::uint64_t octets = 0;
      const auto [end, error] =
          std::from_chars(number.data(), number.data() + number.size(), octets);
      if (error == std::errc()) ending.octets = octets;
    }
    ending.step = ending.step.substr(0, ending.step.find(' '));
    return ending;
  }
  return std::nullopt;
}

/// What it is usually about that a client leaves, or says nothing more, after a step.
struct Step {
  std::string_view step;
  std::string_view left, silent;
};
constexpr std::array kSteps = {
    Step{"CONNECT", "",
         "the greeting did not reach it, or it only holds the connection and wants no mail sent"},
    Step{"EHLO",
         "it was only a look, or the client misses something that the server does not offer "
         "(STARTTLS, a login)",
         ""},
    Step{"STARTTLS",
         "in the TLS handshake or right behind it; likely it did not accept the certificate, or "
         "they share no version or cipher",
         "the TLS handshake did not come to an end"},
    Step{"AUTH", "it gave up at the login, or only tries passwords", ""},
    Step{"RCPT",
         "it only asked whether the address exists (sender verification), or an answer took too "
         "long for it",
         ""},
    Step{"END-OF-MESSAGE",
         "harmless if it had the reply; if it did not wait for that, it sends a message again that "
         "was delivered",
         "it keeps the connection for its next message"},
    Step{"UNKNOWN", "what it said is no SMTP command: a port scan, or another protocol", ""}};

std::string_view of_step(std::string_view step, std::string_view Step::*words) {
  if (step == "HELO" || step == "LHLO") step = "EHLO";
  for (const Step& each : kSteps) {
    if (each.step == step) return each.*words;
  }
  return {};
}

std::string with(std::string what, std::string_view why) {
  return why.empty() ? what : fmt::format("{}: {}", what, why);
}

/// Exim's log names no step.
struct Sentence {
  std::string_view words, means;
};
constexpr std::array kSentences = {
    Sentence{"unexpected disconnection while reading SMTP command",
             "the client left without QUIT: it gave up, broke down, or only looked"},
    Sentence{"SMTP connection lost",
             "the client left without QUIT: it gave up, broke down, or only looked"},
    Sentence{"SMTP command timeout",
             "the client said nothing more until the server's time limit was over"},
    Sentence{"SMTP data timeout",
             "the message stopped until the server's time limit was over: packets are lost on the "
             "way, or the client stopped"},
    Sentence{" dropped: too many ", "the server hung up over too many errors of the client"}};

std::string in_words(const Ending& ending) {
  const bool message = ending.octets && (ending.step == "DATA" || ending.step == "BDAT");
  switch (ending.kind) {
    case RemarkKind::kTimeout:
      if (message && *ending.octets == 0) {
        return fmt::format(
            "no octet of the message came behind {} until the server's time limit was over: "
            "packets of full size may be lost on the way (MTU), or the client stopped",
            ending.step);
      }
      if (message) {
        return fmt::format(
            "the message stopped after {} until the server's time limit was over: packets are "
            "lost on the way, or the client stopped",
            counted(*ending.octets, "octet"));
      }
      return with(fmt::format("the client said nothing more after {} until the server's time "
                              "limit was over",
                              ending.step),
                  of_step(ending.step, &Step::silent));
    case RemarkKind::kLostConnection:
      if (message && *ending.octets > 0) {
        return fmt::format(
            "the connection was lost in the middle of the message, after {}: the client gave up "
            "or broke down, or something on the way ended it",
            counted(*ending.octets, "octet"));
      }
      if (message) {
        return fmt::format("the client left after {}, before an octet of the message came",
                           ending.step);
      }
      return with(fmt::format("the client left after {}", ending.step),
                  of_step(ending.step, &Step::left));
    default:
      return fmt::format("the server hung up over too many errors of the client, the last at {}",
                         ending.step);
  }
}

/// Of a log without the dialogue: with it, what was said tells more.
void weigh(const Case& the_case, Explanation& explanation) {
  if (the_case.refusal() != nullptr || the_case.session().last_command.entry != 0) return;
  for (const RemarkKind kind :
       {RemarkKind::kLostConnection, RemarkKind::kTimeout, RemarkKind::kException}) {
    const RemarkNote* told = the_case.remark(kind);
    if (told == nullptr || told->by != Side::kServer) continue;
    if (const auto ending = ending_in(told->text)) explanation.headline = in_words(*ending);
    for (const Sentence& each : kSentences) {
      if (told->text.find(each.words) < told->text.size()) explanation.headline = each.means;
    }
    if (!explanation.headline.empty()) break;
  }
  if (explanation.headline.empty()) return;
  explanation.weight = kByWords;
  explanation.covers = {&kMissingQuit, &kIdleConnection, &kGapClient, &kNoDialogue};
}

}  // namespace
}  // namespace ended_after_step_cause

const Cause kEndedAfterStepCause = {
    .id = "ended-after-step", .side = Fault::kClient, .weigh = ended_after_step_cause::weigh};

}  // namespace smtpscope
