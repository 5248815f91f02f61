#include <fmt/format.h>
#include <simdjson.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/ascii.h"
#include "cli/file_output.h"
#include "cli/reason_words.h"
#include "cli/subcommand.h"
#include "cli/terminal.h"
#include "exporters/json_writer.h"
#include "timeline/reasons/reason_table.h"

namespace smtpscope {
namespace {

struct ReasonOptions {
  std::string reply;
  std::string stage;
  std::string reasons;
  bool jsonl = false;
};

/// The stage of that name, however it is written.
std::optional<ReplyStage> stage_named(std::string name) {
  for (char& octet : name) octet = upper(octet);
  return reply_stage(name);
}

int judge_one(const ReasonOptions& options, const ReasonTable& table) {
  const std::optional<ReplyStage> stage = stage_named(options.stage);
  if (!stage) {
    return fail(
        fmt::format("--stage: '{}' is none; give CONNECT, EHLO, STARTTLS, AUTH, MAIL, RCPT, "
                    "DATA or EOD",
                    options.stage));
  }
  const ReplyText reply = take_apart(options.reply);
  if (reply.code / 100 != 4 && reply.code / 100 != 5) {
    return fail(fmt::format(
        "'{}' does not begin with a reply code that refuses, such as 550 or 451", options.reply));
  }
  const ReasonVerdict verdict = table.judge(
      {.code = reply.code, .enhanced = reply.enhanced, .stage = *stage, .text = reply.text});
  return print(judged_reply(reply, verdict, table, reading_width(STDOUT_FILENO)));
}

/// Judges the reply in an object of a line: its answer, or what is wrong with it.
Result<std::string> judge_object(const simdjson::dom::element& given, const ReasonTable& table) {
  simdjson::dom::object object;
  if (given.get(object) != simdjson::SUCCESS) return Error{"no object"};
  const auto text_of = [&](std::string_view name) -> std::optional<std::string_view> {
    const auto value = object.at_key(name);
    if (value.error() != simdjson::SUCCESS || value.is_null()) return "";
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) return std::nullopt;
    return text;
  };
  std::int64_t code = 0;
  if (object.at_key("code").get(code) != simdjson::SUCCESS || code < 400 || code > 599) {
    return Error{"\"code\" is no number from 400 to 599"};
  }
  const auto enhanced = text_of("enhanced");
  const auto stage_name = text_of("stage");
  const auto text = text_of("text");
  if (!enhanced || !stage_name || !text) {
    return Error{"\"enhanced\", \"stage\" and \"text\" are strings"};
  }
  const std::optional<ReplyStage> stage = stage_named(std::string(*stage_name));
  if (!stage) return Error{fmt::format("there is no stage '{}'", *stage_name)};
  const ReasonVerdict verdict = table.judge({.code = static_cast<std::uint16_t>(code),
                                             .enhanced = *enhanced,
                                             .stage = *stage,
                                             .text = *text});
  JsonWriter answer;
  answer.begin_object();
  if (simdjson::dom::element number; object.at_key("n").get(number) == simdjson::SUCCESS) {
    answer.object("n", simdjson::minify(number));
  }
  answer.string("reason", to_string(verdict.reason));
  answer.string("temporary", verdict.temporary ? "yes" : "no");
  answer.string("who_acts", to_string(table.words(verdict.reason).who));
  answer.string("how_known", to_string(verdict.how));
  if (verdict.codes_say) answer.string("codes_say", to_string(*verdict.codes_say));
  answer.end_object();
  return answer.take() + '\n';
}

int judge_lines(const ReasonTable& table) {
  simdjson::dom::parser parser;
  std::size_t number = 0;
  for (std::string line; std::getline(std::cin, line);) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    simdjson::dom::element given;
    const bool json = parser.parse(line).get(given) == simdjson::SUCCESS;
    const Result<std::string> answer =
        json ? judge_object(given, table) : Result<std::string>(Error{"no JSON"});
    if (!answer) {
      return fail(fmt::format("standard input, line {}: {}", number, answer.error().message));
    }
    if (const int code = print(answer.value()); code != kExitFine) return code;
  }
  return kExitFine;
}

int run(const ReasonOptions& options) {
  if (options.jsonl == !options.reply.empty()) {
    return fail("give a reply, as in: smtpscope reason '550 5.1.1 User unknown'; or --jsonl");
  }
  Result<ReasonTable> table = read_reasons(options.reasons);
  if (!table) return fail(table.error().message);
  return options.jsonl ? judge_lines(table.value()) : judge_one(options, table.value());
}

std::function<int()> declare_reason(CLI::App& app) {
  auto options = std::make_shared<ReasonOptions>();
  app.add_option("REPLY", options->reply, "The server's reply, all its lines");
  app.add_option("--stage", options->stage,
                 "What it answers: CONNECT, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, or EOD for the "
                 "end of the message")
      ->type_name("STAGE")
      ->default_str("not known");
  app.add_flag("--jsonl", options->jsonl,
               "Read many from standard input, one JSON object per line: "
               R"({"n": "7", "code": 550, "enhanced": "5.7.1", "stage": "RCPT", "text": "..."})");
  app.add_option("--reasons", options->reasons, "Further phrases and codes")
      ->type_name("FILE")
      ->default_str("none");
  return [options] { return run(*options); };
}

}  // namespace

const Subcommand kReasonCommand = {
    .name = "reason",
    .description = "Say why a server refused, from its reply",
    .examples =
        "  smtpscope reason '550 5.7.1 Service unavailable; client [192.0.2.1] blocked using zen'\n"
        "  smtpscope reason --stage RCPT '451 Please try again later'\n"
        "  smtpscope reason --jsonl < replies.jsonl\n",
    .declare = declare_reason,
};

}  // namespace smtpscope
