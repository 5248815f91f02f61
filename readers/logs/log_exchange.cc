#include "readers/logs/log_exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "readers/logs/catalogue.h"
#include "readers/text/ehlo_lines.h"
#include "readers/text/log_lines.h"
#include "readers/text/program_words.h"

namespace smtpscope {
namespace {

constexpr std::string_view kFieldsHeader = "#Fields: ";
constexpr std::string_view kLogTypeHeader = "#Log-type: ";
constexpr std::array<std::string_view, 7> kColumnNames = {
    "date-time", "session-id", "local-endpoint", "remote-endpoint", "event", "data", "context"};

/// Where the columns are in files without "#Fields:", as Exchange has written them since 2007.
constexpr std::array<int, 9> kUsualColumns = {0, -1, 1, -1, 2, 3, 4, 5, 6};

/// A row as such a file has it: the time, and an event in its place.
bool is_usual_row(std::string_view line) {
  LogStamps stamps{WallTime{}};
  const auto stamp = stamps.read(line);
  if (!stamp || !line.substr(stamp->size).starts_with(',')) return false;
  constexpr int kEventColumn = 6;
  std::size_t at = 0;
  for (int column = 0; column < kEventColumn; ++column) {
    at = line.find(',', at);
    if (at == std::string_view::npos) return false;
    ++at;
  }
  if (at + 1 >= line.size() || line[at + 1] != ',') return false;
  return std::string_view("+-<>*").find(line[at]) != std::string_view::npos;
}

constexpr std::uint16_t kExchangeHides =
    kUnknownOctets | kUnknownReads | kUnknownContent | kUnknownCloses;

/// The next value of a row of comma-separated values (RFC 4180 2), taken off it.
std::string take_csv_value(std::string_view& row) {
  std::string value;
  if (!row.starts_with('"')) {
    const std::size_t end = std::min(row.find(','), row.size());
    value = row.substr(0, end);
    row.remove_prefix(end);
    return value;
  }
  row.remove_prefix(1);
  while (!row.empty()) {
    const std::size_t quote = std::min(row.find('"'), row.size());
    value += row.substr(0, quote);
    row.remove_prefix(std::min(quote + 1, row.size()));
    if (!row.starts_with('"')) break;
    value += '"';
    row.remove_prefix(1);
  }
  // What stands behind the closing quote belongs to nothing.
  row.remove_prefix(std::min(row.find(','), row.size()));
  return value;
}

}  // namespace

bool ExchangeLog::recognises(std::string_view beginning) {
  const std::size_t fields = beginning.find(kFieldsHeader);
  if (fields == std::string_view::npos) return any_line(beginning, is_usual_row);
  if (fields != 0 && beginning[fields - 1] != '\n') return false;
  std::string_view line = beginning.substr(fields);
  line = line.substr(0, line.find('\n'));
  return line.find("session-id") != std::string_view::npos &&
         line.find("remote-endpoint") != std::string_view::npos;
}

void ExchangeLog::read(std::string_view line) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  if (line.starts_with('#')) {
    read_header(line);
    return;
  }
  if (columns_.empty() && is_usual_row(line)) {
    for (const int column : kUsualColumns) {
      columns_.push_back(column < 0 ? std::nullopt : std::optional(static_cast<Column>(column)));
    }
  }
  if (columns_.empty()) {
    // Around what was copied out of a log there may be prose, or what telnet showed.
    if (!stamps_.read(line)) {
      foreign_.take(line);
      return;
    }
    run_.unreadable("no \"#Fields:\" line before it names its columns");
    return;
  }
  const auto stamp = read_row(line) ? stamps_.read(row_[kTime]) : std::nullopt;
  if (!stamp && line.find(',') == std::string_view::npos) {
    foreign_.take(line);
    return;
  }
  if (!stamp || row_[kSession].empty() || row_[kEvent].size() != 1) {
    run_.unreadable("it has no time, session and event where \"#Fields:\" says");
    return;
  }
  foreign_.interrupt();
  tell(run_.time_of(*stamp), stamp->resolution);
}

void ExchangeLog::read_header(std::string_view line) {
  if (line.starts_with(kLogTypeHeader)) {
    if (line.find("Receive") != std::string_view::npos) exchange_ = Side::kServer;
    if (line.find("Send") != std::string_view::npos) exchange_ = Side::kClient;
  }
  if (!line.starts_with(kFieldsHeader)) return;
  columns_.clear();
  std::string_view names = line.substr(kFieldsHeader.size());
  while (!names.empty()) {
    const std::string name = take_csv_value(names);
    const auto found = std::find(kColumnNames.begin(), kColumnNames.end(), name);
    columns_.push_back(found == kColumnNames.end()
                           ? std::nullopt
                           : std::optional(static_cast<Column>(found - kColumnNames.begin())));
    names.remove_prefix(std::min<std::size_t>(1, names.size()));
  }
}

bool ExchangeLog::read_row(std::string_view line) {
  for (std::string& value : row_) value.clear();
  for (std::size_t at = 0; at < columns_.size(); ++at) {
    std::string value = take_csv_value(line);
    if (columns_[at]) row_[*columns_[at]] = std::move(value);
    if (line.empty()) return at + 1 >= columns_.size() || at > 0;
    line.remove_prefix(1);
  }
  return true;
}

LogSession& ExchangeLog::open(Time now, Duration resolution, bool mid_session) {
  const bool serves = exchange_.value_or(Side::kServer) == Side::kServer;
  return sessions_.open(
      row_[kSession],
      {.client = serves ? row_[kRemote] : row_[kLocal],
       .server = serves ? row_[kLocal] : row_[kRemote],
       .fidelity = {.unknown = kExchangeHides, .resolution = resolution, .inside_tls = true},
       .mid_session = mid_session,
       .told_by = exchange_},
      now);
}

void ExchangeLog::tell(Time now, Duration resolution) {
  const char event = row_[kEvent].front();
  if (event == '+') {
    if (exchange_) {
      open(now, resolution, /*mid_session=*/false);
    } else {
      begun_.emplace(row_[kSession], now);
    }
    return;
  }
  LogSession* session = sessions_.find(row_[kSession]);
  if (event == '*' && session != nullptr) remark(*session, now);
  if (event != '<' && event != '>' && event != '-') return;
  if (event == '-') {
    if (session == nullptr) return;
    const Side exchange = exchange_.value_or(Side::kServer);
    const std::string& context = row_[kContext];
    if (context.starts_with("Local") || context.starts_with("Remote")) {
      const Side from = context.starts_with("Local") ? exchange : other(exchange);
      // "Remote(ConnectionReset)", "Local(SocketError)"
      if (context.find('(') != std::string::npos) {
        const auto words =
            program_words(context).value_or(ProgramWords{RemarkKind::kLostConnection});
        session->remark(words.kind, words.length, context, now);
      }
      session->close(from, CloseKind::kFin, {}, now);
    }
    sessions_.end(row_[kSession], now);
    return;
  }
  const bool sent = event == '>';
  if (!exchange_) exchange_ = sent == is_reply_line(row_[kData]) ? Side::kServer : Side::kClient;
  if (session == nullptr) {
    const auto begun = begun_.find(row_[kSession]);
    session = begun == begun_.end() ? &open(now, resolution, /*mid_session=*/true)
                                    : &open(begun->second, resolution, /*mid_session=*/false);
    if (begun != begun_.end()) begun_.erase(begun);
  }
  say(*session, sent ? *exchange_ : other(*exchange_), now);
}

/// "Tarpit for '0.00:00:05'" and the like, in the column for data or in that behind it.
void ExchangeLog::remark(LogSession& session, Time now) {
  for (const std::string& text : {row_[kData], row_[kContext]}) {
    if (const auto words = program_words(text)) {
      session.remark(words->kind, words->length, text, now);
    }
  }
}

void ExchangeLog::say(LogSession& session, Side from, Time now) {
  const std::string_view data = row_[kData];
  const std::string_view verb = data.substr(0, data.find(' '));
  const bool answers_hello = from == Side::kServer && hello_session_ == row_[kSession];
  hello_session_.clear();
  if (from == Side::kClient && equal_ignoring_case(verb, "EHLO")) hello_session_ = row_[kSession];
  constexpr std::string_view kLastLine = "250 ";
  if (!answers_hello || !data.starts_with(kLastLine)) {
    session.say(from, data, now);
    return;
  }
  const std::vector<std::string> lines = ehlo_lines(data.substr(kLastLine.size()));
  for (std::size_t i = 0; i < lines.size(); ++i) {
    session.say(from, fmt::format("250{}{}", i + 1 < lines.size() ? '-' : ' ', lines[i]), now);
  }
}

const LogKind kExchangeKind = {
    .name = "exchange",
    .description = "protocol logs of Exchange's connectors",
    .how = "Set-ReceiveConnector NAME -ProtocolLoggingLevel Verbose",
    .recognises = ExchangeLog::recognises,
    .make = ExchangeLog::make,
};

}  // namespace smtpscope
