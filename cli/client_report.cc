#include "cli/client_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/counted.h"
#include "exporters/escape.h"
#include "exporters/json_writer.h"
#include "exporters/text/text_width.h"

namespace smtpscope {
namespace {

std::string in_tenths(Duration time) {
  return fmt::format("{:.1f}s", std::chrono::duration<double>(time).count());
}

std::string harmless(std::string_view text) { return escape(text, Wording::kOurs, Charset::kUtf8); }

/// A word as a shell would have to be given it.
std::string shell_word(const std::string& text) {
  const bool simple = !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_./:=@,+{}").find(c) != std::string_view::npos;
  });
  if (simple) return text;
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string command_line_of(const std::vector<std::string>& command) {
  std::string words;
  for (const std::string& word : command) words += (words.empty() ? "" : " ") + shell_word(word);
  return harmless(words);
}

std::string mail_of(const ClientVerdict& verdict) {
  std::string text = fmt::format("{}/{}", verdict.taken, verdict.wanted);
  if (verdict.surplus > 0) text += fmt::format("+{}", verdict.surplus);
  return text;
}

void put_checked_row(std::string& text, const CheckedScenario& row, std::size_t name_width,
                     std::size_t width) {
  const ClientVerdict& verdict = row.verdict;
  const std::string exit = row.killed ? "killed" : std::to_string(row.exit_code);
  std::string first = fmt::format("{:<{}}  {:<13}  {:>5}  {:>5}  {:>6}  {:>6}  ",
                                  harmless(row.name), name_width, to_string(verdict.result),
                                  mail_of(verdict), verdict.attempts, exit, in_tenths(row.took));
  std::string words(to_string(verdict.mark));
  if (!verdict.why.empty()) words += ": " + verdict.why;
  if (!verdict.section.empty()) words += fmt::format(" ({})", verdict.section);
  put_wrapped(text, first, words, width);
}

}  // namespace

void put_checked_json(JsonWriter& json, const CheckedScenario& row) {
  const ClientVerdict& verdict = row.verdict;
  json.begin_object();
  json.string("scenario", row.name);
  json.string("title", row.title);
  json.string("asks", row.asks);
  json.string("result", to_string(verdict.result));
  json.string("mark", to_string(verdict.mark));
  json.string("why", verdict.why);
  json.string("section", verdict.section);
  json.number("taken", verdict.taken);
  json.number("wanted", verdict.wanted);
  json.number("surplus", verdict.surplus);
  json.number("attempts", verdict.attempts);
  json.number("connections", std::uint64_t{row.connections});
  json.number("exit_code", std::int64_t{row.exit_code});
  json.boolean("killed", row.killed);
  json.duration("took", row.took);
  json.begin_array("findings");
  for (const std::string& finding : row.findings) json.element(finding);
  json.end_array();
  json.string("capture", row.capture);
  json.string("client_output", row.client_output);
  json.end_object();
}

std::size_t CheckedClient::count(ClientMark mark) const {
  if (rows.empty()) return 0;
  return static_cast<std::size_t>(
      std::count_if(rows.begin() + 1, rows.end(),
                    [&](const CheckedScenario& row) { return row.verdict.mark == mark; }));
}

std::string client_report_text(const CheckedClient& checked, std::size_t width) {
  std::string text = fmt::format("{}\n\n", command_line_of(checked.command));
  std::size_t name_width = 8;
  for (const CheckedScenario& row : checked.rows) {
    name_width = std::max(name_width, harmless(row.name).size());
  }
  text += fmt::format("{:<{}}  {:<13}  {:>5}  {:>5}  {:>6}  {:>6}  {}\n", "scenario", name_width,
                      "result", "mail", "tries", "exit", "time", "as the RFCs want it");
  for (const CheckedScenario& row : checked.rows) put_checked_row(text, row, name_width, width);
  text +=
      fmt::format("\n{}: {} ok, {} not ok, {} undecided{}\n",
                  counted(checked.rows.empty() ? 0 : checked.rows.size() - 1, "scenario"),
                  checked.count(ClientMark::kOk), checked.count(ClientMark::kNotOk),
                  checked.count(ClientMark::kUndecided),
                  checked.not_run > 0 ? fmt::format("; stopped, {} not run", checked.not_run) : "");
  std::vector<const CheckedScenario*> to_look_at;
  for (const CheckedScenario& row : checked.rows) {
    if (row.verdict.mark == ClientMark::kNotOk) to_look_at.push_back(&row);
  }
  if (to_look_at.empty() && !checked.rows.empty()) to_look_at.push_back(&checked.rows.back());
  text += "The timeline of each, and what the client printed (NAME.out):\n";
  for (const CheckedScenario* row : to_look_at) {
    text += fmt::format("  smtpscope show {}\n", harmless(shell_word(row->capture)));
  }
  return text;
}

std::string client_report_json(const CheckedClient& checked) {
  JsonWriter json;
  json.begin_object();
  json.number("check_client", 1);
  json.string("writer", "smtpscope " SMTPSCOPE_VERSION);
  json.begin_array("command");
  for (const std::string& word : checked.command) json.element(word);
  json.end_array();
  json.string("upstream", checked.upstream);
  json.string("folder", checked.folder);
  json.duration("timeout", checked.patience);
  json.number("ok", std::uint64_t{checked.count(ClientMark::kOk)});
  json.number("not_ok", std::uint64_t{checked.count(ClientMark::kNotOk)});
  json.number("undecided", std::uint64_t{checked.count(ClientMark::kUndecided)});
  json.number("not_run", std::uint64_t{checked.not_run});
  json.begin_array("runs");
  for (const CheckedScenario& row : checked.rows) put_checked_json(json, row);
  json.end_array();
  json.end_object();
  json.end_line();
  return json.take();
}

}  // namespace smtpscope
