// Each action at each stage of a session, pipelined and not.

#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>

#include "tests/catch.h"
#include "tests/lab/stage.h"

namespace smtpscope {
namespace {

using namespace std::chrono_literals;

/// A command, and what the server says to it.
struct StageCommand {
  std::string_view verb, line, reply;
};

/// Behind EHLO; the last is there so that each has one behind it.
constexpr std::array kStages = {
    StageCommand{"MAIL", "MAIL FROM:<a@b>\r\n", "250 m\r\n"},
    StageCommand{"RCPT", "RCPT TO:<c@d>\r\n", "250-r\r\n250 r\r\n"},
    StageCommand{"RSET", "RSET\r\n", "250 s\r\n"},
    StageCommand{"NOOP", "NOOP\r\n", "250 n\r\n"},
    StageCommand{"VRFY", "VRFY x\r\n", "252 v\r\n"},
    StageCommand{"HELP", "HELP\r\n", "214 h\r\n"},
};

/// The lines, or the replies, of the stages from `from` on up to `to`.
std::string joined(std::string_view StageCommand::*what, std::size_t from, std::size_t to) {
  std::string all;
  for (std::size_t i = from; i < to; ++i) all += kStages[i].*what;
  return all;
}

std::string lines(std::size_t from, std::size_t to) {
  return joined(&StageCommand::line, from, to);
}
std::string replies(std::size_t from, std::size_t to) {
  return joined(&StageCommand::reply, from, to);
}

/// A session under an action at one stage. All commands in one read, or the one at that stage
/// behind the replies to those before it.
struct Staged : LabStage {
  Staged(std::string_view scenario, std::size_t stage, bool pipelined)
      : LabStage(fmt::format(fmt::runtime(scenario), fmt::arg("verb", kStages[stage].verb),
                             fmt::arg("code", kStages[stage].reply.substr(0, 3)))),
        before(pipelined ? 0 : stage) {
    server("220 mx\r\n").client("EHLO c\r\n").server("250-mx\r\n250 PIPELINING\r\n");
    for (std::size_t i = 0; i < before; ++i) client(kStages[i].line).server(kStages[i].reply);
    to_client();
    to_server();
    client(lines(before, pipelined ? kStages.size() : stage + 1));
  }

  std::size_t before;  // stages that are over
};

/// Calls `play` for each stage that has one behind it, pipelined and not: with the number behind
/// the last command that was said.
template <typename Play>
void at_each_stage(std::string_view scenario, Play play) {
  for (std::size_t stage = 0; stage + 1 < kStages.size(); ++stage) {
    for (const bool pipelined : {false, true}) {
      INFO(kStages[stage].verb << (pipelined ? ", pipelined" : ""));
      Staged staged(scenario, stage, pipelined);
      play(staged, stage, pipelined ? kStages.size() : stage + 1);
    }
  }
}

}  // namespace

TEST_CASE("a reply of our own takes its turn at each stage", "[lab]") {
  at_each_stage(
      "{verb}: reply \"450 4.2.0 own\"", [](Staged& play, std::size_t stage, std::size_t said) {
        CHECK(play.to_server() == lines(play.before, stage) + lines(stage + 1, said));
        play.server(replies(play.before, stage) + replies(stage + 1, said));
        CHECK(play.to_client() ==
              replies(play.before, stage) + "450 4.2.0 own\r\n" + replies(stage + 1, said));
        CHECK(play.client("EXPN y\r\n").to_server() == "EXPN y\r\n");
        CHECK(play.server("250 y\r\n").to_client() == "250 y\r\n");
      });
}

TEST_CASE("a command that is swallowed is missing at each stage, and nothing else", "[lab]") {
  at_each_stage("{verb}: swallow", [](Staged& play, std::size_t stage, std::size_t said) {
    CHECK(play.to_server() == lines(play.before, stage) + lines(stage + 1, said));
    play.server(replies(play.before, stage) + replies(stage + 1, said));
    CHECK(play.to_client() == replies(play.before, stage) + replies(stage + 1, said));
  });
}

TEST_CASE("a command is held up at each stage, with those behind it", "[lab]") {
  at_each_stage("{verb}: wait 1s", [](Staged& play, std::size_t stage, std::size_t said) {
    CHECK(play.to_server() == lines(play.before, stage));
    play.server(replies(play.before, stage));
    CHECK(play.to_client() == replies(play.before, stage));
    CHECK(play.after(999ms).to_server().empty());
    CHECK(play.after(1ms).to_server() == lines(stage, said));
    play.server(replies(stage, said));
    CHECK(play.to_client() == replies(stage, said));
  });
}

TEST_CASE("the connections are closed at each stage, and nothing of it is handed on", "[lab]") {
  at_each_stage("{verb}: close", [](Staged& play, std::size_t stage, std::size_t) {
    CHECK(play.to_server() == lines(play.before, stage));
    CHECK(play.finished(Side::kClient));
    play.closes(Side::kClient);
    CHECK(play.ended());
  });
  at_each_stage("{verb}: reset", [](Staged& play, std::size_t stage, std::size_t) {
    CHECK(play.to_server() == lines(play.before, stage));
    CHECK(play.reset(Side::kClient));
    CHECK(play.ended());
  });
}

TEST_CASE("a reply is late, or missing, at each stage", "[lab]") {
  at_each_stage("reply to {verb}: wait 1s", [](Staged& play, std::size_t stage, std::size_t said) {
    CHECK(play.to_server() == lines(play.before, said));
    play.server(replies(play.before, said));
    CHECK(play.to_client() == replies(play.before, stage));
    CHECK(play.after(1s).to_client() == replies(stage, said));
  });
  at_each_stage("reply to {verb}: swallow", [](Staged& play, std::size_t stage, std::size_t said) {
    play.server(replies(play.before, said));
    CHECK(play.to_client() == replies(play.before, stage) + replies(stage + 1, said));
  });
}

TEST_CASE("the connection ends instead of a reply at each stage", "[lab]") {
  at_each_stage("reply to {verb}: close", [](Staged& play, std::size_t stage, std::size_t said) {
    play.server(replies(play.before, said));
    CHECK(play.to_client() == replies(play.before, stage));
    CHECK(play.finished(Side::kClient));
  });
  at_each_stage("reply to {verb}: reset", [](Staged& play, std::size_t stage, std::size_t said) {
    play.server(replies(play.before, said));
    CHECK(play.to_client() == replies(play.before, stage));
    CHECK(play.reset(Side::kClient));
  });
}

TEST_CASE("a reply is changed at each stage, and no other", "[lab]") {
  at_each_stage("replace reply to {verb} \"{code}\" with \"450\"",
                [](Staged& play, std::size_t stage, std::size_t said) {
                  play.server(replies(play.before, said));
                  const std::string got = play.to_client();
                  const std::string before = replies(play.before, stage);
                  REQUIRE(got.size() == replies(play.before, said).size());
                  CHECK(got.substr(0, before.size()) == before);
                  CHECK(std::string_view(got).substr(before.size()).starts_with("450"));
                  CHECK(got.ends_with(replies(stage + 1, said)));
                });
}

}  // namespace smtpscope
