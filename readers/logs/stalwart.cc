// Stalwart at level trace: "… TRACE Raw SMTP input received (smtp.raw-input) listenerId = "smtp",
// remoteIp = 192.0.2.10, remotePort = 40000, size = 11, contents = "EHLO a\r\n"", formerly
// "… session{… remote.ip="192.0.2.10" remote.port=40000}: smtp::inbound::session: event="read"
// data="EHLO a\r\n" size=8". Inside TLS, too. One read or write each; literals.

#include <fmt/format.h>

#include <string>

#include "readers/logs/catalogue.h"
#include "readers/text/connection_words.h"
#include "readers/text/literal.h"
#include "readers/text/log_lines.h"
#include "readers/text/pasted_reader.h"

namespace smtpscope {
namespace {

/// What one side said, in one line of the log.
struct Told {
  Side from = Side::kClient;
  std::string_view literal;
};

std::optional<Told> read_told(std::string_view line) {
  const auto has = [line](std::string_view words) {
    return line.find(words) != std::string_view::npos;
  };
  Told told;
  if (has("(smtp.raw-input)") || has("(smtp.raw-output)")) {
    told.from = has("(smtp.raw-input)") ? Side::kClient : Side::kServer;
    const std::size_t at = line.find("contents = \"");
    if (at == std::string_view::npos) return std::nullopt;
    told.literal = line.substr(at + std::string_view("contents = ").size());
    return told;
  }
  const std::size_t at = line.find(" data=\"");
  if (!has("smtp::inbound::session: ") || at == std::string_view::npos) return std::nullopt;
  if (!has("event=\"read\"") && !has("event=\"write\"")) return std::nullopt;
  told.from = has("event=\"read\"") ? Side::kClient : Side::kServer;
  told.literal = line.substr(at + std::string_view(" data=").size());
  return told;
}

/// "192.0.2.10:40000": the client whose session a line is of; "" if it names none.
std::string stalwart_client(std::string_view line) {
  std::string_view address = between(line, "remoteIp = ", ",");
  std::string_view port = between(line, "remotePort = ", ",");
  if (address.empty()) {
    address = between(line, "remote.ip=\"", "\"");
    port = between(line, "remote.port=", "}");
  }
  return address.empty() ? std::string() : fmt::format("{}:{}", address, port);
}

class StalwartReader : public PastedReader {
 public:
  StalwartReader(LogRun& run, WallTime latest)
      : PastedReader(run, latest, {.server = "Stalwart", .unknown = kPrintedHides}) {}

  void read_line(std::string_view line) override {
    line = without_stamp(line);
    // The journal's own stamp, which has no year, and "mail stalwart[1895]: " stand in front.
    const std::size_t at = line.substr(0, kLongestTag).find("]: ");
    if (at != std::string_view::npos) line = without_stamp(line.substr(at + 3));
    key_ = stalwart_client(line);
    if (key_.empty()) return;
    const auto told = read_told(line);
    if (!told || !read_literal(told->literal, octets_)) return around(line);
    if (book_.find(key_) == nullptr) {
      // The log may begin anywhere.
      const bool greets = told->from == Side::kServer && is_reply_line(octets_.substr(0, 4));
      greets ? book_.announce(key_, "", key_) : book_.announce_rest(key_, "", key_);
    }
    each_text_line(octets_, [&](std::string_view each) { book_.say(key_, told->from, each); });
  }

 private:
  /// What it says of a connection, by its own name for that.
  void around(std::string_view line) {
    if (line.find("(tls.handshake-error)") < line.size() || handshake_failed(line)) {
      book_.fail_handshake(key_, std::nullopt, line);
    } else if (line.find("event=\"disconnect\" reason=\"peer\"") < line.size()) {
      book_.close(key_, Side::kClient, {});
      book_.end(key_);
    } else {
      book_.remark(key_, line);
    }
  }

  static constexpr std::size_t kLongestTag = 96;
  std::string octets_, key_;
};

bool recognises_stalwart(std::string_view text) {
  return any_line(text, [](std::string_view line) { return read_told(line).has_value(); });
}

}  // namespace

const LogKind kStalwartKind = {
    .name = "stalwart",
    .description = "what Stalwart logs at level trace",
    .how = "set a tracer's level to trace (tracer.NAME.level), and read its log or journal",
    .recognises = recognises_stalwart,
    .make = make_log_reader<StalwartReader>,
};

}  // namespace smtpscope
