#include "readers/text/json_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>

#include "base/ascii.h"
#include "base/utf8.h"
#include "capture/wall_time.h"
#include "readers/text/line_content.h"
#include "readers/text/literal.h"
#include "readers/text/log_lines.h"
#include "readers/text/log_stamp.h"

namespace smtpscope {
namespace {

constexpr std::array<std::string_view, 5> kMessageNames = {"log", "message", "msg", "MESSAGE",
                                                           "textPayload"};
constexpr std::array<std::string_view, 6> kTimeNames = {"time", "timestamp",  "@timestamp",
                                                        "ts",   "receivedAt", "eventTime"};
/// Of systemd.journal-fields(7): microseconds since 1970.
constexpr std::string_view kJournalTime = "__REALTIME_TIMESTAMP";

template <std::size_t size>
bool is_among(std::string_view name, const std::array<std::string_view, size>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void skip_blanks(std::string_view& text) { text = without_leading_blanks(text); }

/// Four hexadecimal digits, taken off `text`.
std::optional<std::uint32_t> take_code_unit(std::string_view& text) {
  constexpr std::size_t kDigits = 4;
  if (text.size() < kDigits) return std::nullopt;
  std::uint32_t unit = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + kDigits, unit, 16);
  if (error != std::errc() || end != text.data() + kDigits) return std::nullopt;
  text.remove_prefix(kDigits);
  return unit;
}

/// A string with its quotes, taken off `text`.
std::optional<std::string> take_string(std::string_view& text) {
  if (!text.starts_with('"')) return std::nullopt;
  text.remove_prefix(1);
  std::string value;
  while (!text.empty() && text.front() != '"') {
    const std::size_t plain = std::min(text.find_first_of("\"\\"), text.size());
    value += text.substr(0, plain);
    text.remove_prefix(plain);
    if (!text.starts_with('\\')) continue;
    if (text.size() < 2) return std::nullopt;
    const char name = text[1];
    text.remove_prefix(2);
    constexpr std::string_view kNames = "nrtbf";
    constexpr std::string_view kMeanings = "\n\r\t\b\f";
    if (name != 'u') {
      const std::size_t known = kNames.find(name);
      value += known == std::string_view::npos ? name : kMeanings[known];
      continue;
    }
    auto unit = take_code_unit(text);
    if (!unit) return std::nullopt;
    // A pair of surrogates (RFC 8259 7); half of one stands for nothing.
    if (*unit >= 0xD800 && *unit < 0xDC00 && text.starts_with("\\u")) {
      text.remove_prefix(2);
      const auto low = take_code_unit(text);
      if (!low) return std::nullopt;
      unit = 0x10000 + ((*unit - 0xD800) << 10) + ((*low - 0xDC00) & 0x3FF);
    }
    const bool half = *unit >= 0xD800 && *unit < 0xE000;
    append_utf8(value, char32_t{half ? 0xFFFD : *unit});
  }
  if (text.empty()) return std::nullopt;
  text.remove_prefix(1);
  return value;
}

/// Any other value, taken off `text`: a number, a word, or what stands in brackets.
std::optional<std::string_view> take_value(std::string_view& text) {
  const std::string_view before = text;
  std::size_t depth = 0;
  while (!text.empty()) {
    const char c = text.front();
    if (c == '"') {
      if (!take_string(text)) return std::nullopt;
      continue;
    }
    if (depth == 0 && (c == ',' || c == '}')) break;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    text.remove_prefix(1);
  }
  return trimmed_blanks(before.substr(0, before.size() - text.size()));
}

struct LoggedLine {
  std::string message, time, host, program, process;
  std::string node_session, node_event;  // of nodemailer's loggers: "sid" and "tnx"
  bool has_message = false;
  bool of_journal = false;
};

/// Seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their size; "" if
/// it is none of them.
std::string time_of_number(std::string_view value) {
  double number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size()) return {};
  // From 2001 on, so that no count of something else is taken for a time.
  constexpr double kEarliest = 1e9, kLatest = 4e9;
  for (double unit = 1; unit <= 1e9; unit *= 1000) {
    const double seconds = number / unit;
    if (seconds < kEarliest || seconds > kLatest) continue;
    const auto microseconds = std::llround(seconds * 1e6);
    return format_wall_time(WallTime{std::chrono::microseconds(microseconds)});
  }
  return {};
}

void take_member(std::string_view name, std::string value, LoggedLine& logged) {
  if (is_among(name, kMessageNames)) {
    logged.message = std::move(value);
    logged.has_message = true;
  } else if (is_among(name, kTimeNames)) {
    logged.time = std::move(value);
  } else if (name == kJournalTime) {
    std::int64_t microseconds = 0;
    std::from_chars(value.data(), value.data() + value.size(), microseconds);
    constexpr std::int64_t kLatest = 4'000'000'000'000'000;
    if (microseconds <= 0 || microseconds > kLatest) return;
    logged.time = format_wall_time(WallTime{std::chrono::microseconds(microseconds)});
    logged.of_journal = true;
  } else if (name == "sid") {
    logged.node_session = std::move(value);
  } else if (name == "tnx") {
    logged.node_event = std::move(value);
  } else if (name == "_HOSTNAME") {
    logged.host = std::move(value);
  } else if (name == "SYSLOG_IDENTIFIER") {
    logged.program = std::move(value);
  } else if (name == "_PID" || name == "SYSLOG_PID") {
    logged.process = std::move(value);
  }
}

std::optional<LoggedLine> read_object(std::string_view line) {
  line = trimmed_blanks(line);
  if (!line.starts_with('{')) return std::nullopt;
  line.remove_prefix(1);
  LoggedLine logged;
  while (true) {
    skip_blanks(line);
    const auto name = take_string(line);
    // A capture of ours has a member "message", too.
    if (!name || *name == "smtpcap") return std::nullopt;
    skip_blanks(line);
    if (!line.starts_with(':')) return std::nullopt;
    line.remove_prefix(1);
    skip_blanks(line);
    if (line.starts_with('"')) {
      auto value = take_string(line);
      if (!value) return std::nullopt;
      take_member(*name, std::move(*value), logged);
    } else {
      const auto value = take_value(line);
      if (!value) return std::nullopt;
      if (is_among(*name, kTimeNames)) logged.time = time_of_number(*value);
    }
    skip_blanks(line);
    if (line.starts_with('}')) break;
    if (!line.starts_with(',')) return std::nullopt;
    line.remove_prefix(1);
  }
  return logged.has_message ? std::optional(std::move(logged)) : std::nullopt;
}

/// As nodemailer would have printed it: each line with its session, of which several may go on.
std::string as_nodemailer_prints(const LoggedLine& logged) {
  const std::string session = fmt::format("[{}] ", logged.node_session);
  std::string_view message = logged.message;
  if (message.starts_with(session)) message.remove_prefix(session.size());
  constexpr std::size_t kMarkSize = 3;
  const std::string_view mark = message.starts_with("C: ") || message.starts_with("S: ")
                                    ? message.substr(0, kMarkSize)
                                    : std::string_view();
  std::string lines;
  each_text_line(message.substr(mark.size()), [&](std::string_view line) {
    lines += fmt::format("{}{} DEBUG {}{}{}", lines.empty() ? "" : "\n", logged.time, session, mark,
                         line);
  });
  return lines;
}

}  // namespace

std::optional<std::string> text_of_json_line(std::string_view line) {
  auto logged = read_object(line);
  if (!logged) return std::nullopt;
  std::string& message = logged->message;
  while (message.ends_with('\n') || message.ends_with('\r')) message.pop_back();
  if (logged->of_journal && !logged->program.empty()) {
    return fmt::format("{} {} {}[{}]: {}", logged->time,
                       logged->host.empty() ? "localhost" : logged->host, logged->program,
                       logged->process, message);
  }
  if (!logged->node_session.empty() && !logged->node_event.empty() && !logged->time.empty()) {
    return as_nodemailer_prints(*logged);
  }
  // The program's own time is the better one.
  LogStamps stamps{WallTime{}};
  if (logged->time.empty() || stamps.read_any(message)) return std::move(message);
  return fmt::format("{} {}", logged->time, message);
}

bool holds_json_lines(std::string_view text) {
  constexpr std::size_t kLookedAt = 32;
  std::size_t lines = 0, objects = 0;
  any_line(text, [&](std::string_view line) {
    line = trimmed_blanks(line);
    if (line.empty()) return false;
    ++lines;
    objects += line.starts_with('{') && read_object(line) ? 1 : 0;
    return lines == kLookedAt;
  });
  return objects * 2 > lines;
}

}  // namespace smtpscope
