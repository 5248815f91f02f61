#include "tests/ends/plan.h"

#include <fmt/format.h>

namespace smtpscope::ends {
namespace {

using Act = Step::Act;
using After = Step::After;

/// Lines of letters: nothing in it ends a message, whatever stands before and behind.
std::string letters(std::size_t count, std::mt19937_64& random) {
  std::string text(count, ' ');
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t drawn = random();
    text[i] = static_cast<char>('a' + drawn % 26);
    if (i % 70 == 69 && i + 1 < count) {
      text[i - 1] = '\r';
      text[i] = '\n';
    }
  }
  return text;
}

class Maker {
 public:
  Maker(const PlanChoice& choice, std::mt19937_64& random) : choice_(choice), random_(random) {
    plan_.ending = choice.ending;
    plan_.stage = choice.stage;
    plan_.side = choice.side;
    plan_.slow = choice.slow;
  }

  Plan make() {
    lead_up();
    plan_.first_of_end = plan_.steps.size();
    end();
    plan_.steps[plan_.first_of_end].after = After::kAll;
    return std::move(plan_);
  }

 private:
  void say(Side side, std::string octets, After after = After::kAll) {
    if (!octets.empty()) plan_.steps.push_back({side, Act::kSay, std::move(octets), after});
  }
  void act(Side side, Act what, After after = After::kAll) {
    plan_.steps.push_back({side, what, {}, after});
  }
  /// A message that is whole may yet be accepted, so the server is heard before it learns that the
  /// client has reset.
  void reply_to_dot(Side by) {
    if (by != Side::kServer || choice_.stage != Stage::kDotSent) return;
    may_be_lost(by);
    say(by, "250 2.0.0 Ok: queued\r\n", After::kOctets);
  }
  void ask(std::string command, std::string reply) {
    say(Side::kClient, std::move(command));
    say(Side::kServer, std::move(reply));
  }

  void lead_up() {
    const auto up_to = [&](Stage stage) { return choice_.stage >= stage; };
    if (up_to(Stage::kGreeted)) say(Side::kServer, "220 mx.example ESMTP\r\n");
    if (up_to(Stage::kHello)) {
      ask("EHLO client.example\r\n", "250-mx.example\r\n250 8BITMIME\r\n");
      for (std::size_t i = 0; i < choice_.more; ++i) {
        ask("NOOP " + letters(random_() % 60, random_) + "\r\n", "250 2.0.0 Ok\r\n");
      }
    }
    if (up_to(Stage::kEnvelope)) {
      ask("MAIL FROM:<a@client.example>\r\n", "250 2.1.0 Ok\r\n");
      ask("RCPT TO:<b@mx.example>\r\n", "250 2.1.5 Ok\r\n");
    }
    if (up_to(Stage::kInMessage)) {
      ask("DATA\r\n", "354 go ahead\r\n");
      say(Side::kClient, "Subject: x\r\n\r\n" + letters(1 + random_() % 3000, random_));
    }
    if (up_to(Stage::kDotSent)) say(Side::kClient, "\r\n.\r\n");
    if (up_to(Stage::kDotAnswered)) say(Side::kServer, "250 2.0.0 Ok: queued\r\n");
    if (up_to(Stage::kQuitSent)) say(Side::kClient, "QUIT\r\n");
  }

  void closes(Side side, std::string_view kind) {
    plan_.closes.push_back(fmt::format("{} {}", to_string(side), kind));
  }
  Sight& sight(Side side) { return plan_.seen[index(side)]; }
  /// What this side says from now on may come too late.
  void may_be_lost(Side side) { plan_.delivered[index(side)] = plan_.said(side).size(); }

  void end() {
    const Side one = choice_.side, two = other(one);
    const bool silent = choice_.ending == Ending::kSilence;
    if (silent) act(one, Act::kRest);
    if (!silent) say(one, letters(choice_.tail, random_));
    const std::string answer = "421 " + letters(20, random_) + "\r\n";
    switch (choice_.ending) {
      case Ending::kHalfClose:
        act(one, Act::kFin, After::kNothing);
        say(two, answer);
        act(two, Act::kClose, After::kNothing);
        closes(one, "fin");
        closes(two, "fin");
        sight(one) = sight(two) = Sight::kFin;
        return;
      case Ending::kCut:
        act(one, Act::kCutOff, After::kNothing);
        say(two, answer);
        act(two, Act::kClose, After::kNothing);
        closes(one, "fin, cut");
        closes(two, "fin");
        sight(one) = Sight::kFin;
        sight(two) = Sight::kCut;
        return;
      case Ending::kClose:
      case Ending::kSilence:
        act(one, Act::kClose, After::kNothing);
        act(two, Act::kClose);
        closes(one, "fin");
        closes(two, "fin");
        sight(two) = Sight::kFin;
        return;
      case Ending::kCloseAnswered:
        act(one, Act::kClose, After::kNothing);
        may_be_lost(two);
        say(two, answer);
        closes(one, "fin");
        closes(one, "reset");
        sight(two) = Sight::kFinReset;
        return;
      case Ending::kReset:
        act(one, Act::kReset, After::kNothing);
        reply_to_dot(two);
        closes(one, "reset");
        sight(two) = Sight::kReset;
        return;
      case Ending::kFinReset:
      case Ending::kFinResetAtOnce:
        act(one, Act::kFin, After::kNothing);
        act(one, Act::kReset,
            choice_.ending == Ending::kFinResetAtOnce ? After::kNothing : After::kAll);
        reply_to_dot(two);
        closes(one, "fin");
        closes(one, "reset");
        sight(two) = Sight::kFinReset;
        return;
      case Ending::kUnread:
        say(two, answer);
        act(one, Act::kCloseUnread, After::kNothing);
        closes(one, "reset");
        sight(two) = Sight::kReset;
        return;
      case Ending::kBoth:
        act(one, Act::kFin, After::kNothing);
        act(two, Act::kFin, After::kNothing);
        closes(one, "fin");
        closes(two, "fin");
        sight(one) = sight(two) = Sight::kFin;
        return;
    }
  }

  const PlanChoice& choice_;
  std::mt19937_64& random_;
  Plan plan_;
};

}  // namespace

std::string_view name_of(Ending ending) {
  constexpr std::string_view kNames[] = {
      "half-close",          "close",  "close, answered", "reset",   "FIN, RST",
      "FIN and RST at once", "unread", "both FIN",        "silence", "cut"};
  return kNames[static_cast<std::size_t>(ending)];
}

std::string_view name_of(Stage stage) {
  constexpr std::string_view kNames[] = {"connected",  "greeted",  "hello",        "envelope",
                                         "in message", "dot sent", "dot answered", "QUIT sent"};
  return kNames[static_cast<std::size_t>(stage)];
}

std::string Plan::text() const {
  return fmt::format("{} by {}, {}, {} octets behind {}", name_of(ending), to_string(side),
                     slow ? "slow" : "quick", said(side).size(), name_of(stage));
}

std::string Plan::said(Side who) const {
  std::string all;
  for (const Step& step : steps) {
    if (step.side == who) all += step.octets;
  }
  return all;
}

Plan make_plan(const PlanChoice& choice, std::mt19937_64& random) {
  return Maker(choice, random).make();
}

}  // namespace smtpscope::ends
