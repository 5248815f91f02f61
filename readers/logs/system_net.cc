// .NET's trace of System.Net.Sockets: what each socket sent and received, sixteen octets a line,
// "00000000 : 32 32 30 20-... : 220 ...". After STARTTLS it shows what is encrypted.

#include <array>
#include <charconv>
#include <cstdint>
#include <map>
#include <string>

#include "readers/logs/catalogue.h"
#include "readers/text/log_lines.h"
#include "readers/text/pasted_reader.h"

namespace smtpscope {
namespace {

constexpr std::string_view kSocketsTrace = "System.Net.Sockets Verbose: 0 : ";

/// "[4852] text": the thread and the text; false if it is no line of the trace.
bool take_traced(std::string_view line, std::string_view& thread, std::string_view& text) {
  const std::size_t at = line.find(kSocketsTrace);
  if (at == std::string_view::npos) return false;
  text = line.substr(at + kSocketsTrace.size());
  thread = between(text, "[", "]");
  if (thread.empty()) return false;
  text = without_leading_blanks(text.substr(std::min(thread.size() + 2, text.size())));
  return true;
}

class SystemNetReader : public PastedReader {
 public:
  SystemNetReader(LogRun& run, WallTime latest)
      : PastedReader(run, latest, {.client = "System.Net", .unknown = kPrintedHides}) {}

  void read_line(std::string_view line) override {
    std::string_view thread, text, rest;
    if (!take_traced(line, thread, text)) return;
    if (take_mark(text, "Data from Socket#", rest)) {
      const std::string_view socket = rest.substr(0, rest.find(':'));
      const bool sent = rest.find("::Send") != std::string_view::npos ||
                        rest.find("::BeginSend") != std::string_view::npos;
      speaks(thread) = {std::string(socket), sent ? Side::kClient : Side::kServer};
    } else if (take_mark(text, "Socket#", rest) &&
               rest.find("::Connect(") != std::string_view::npos) {
      const std::string_view socket = rest.substr(0, rest.find(':'));
      const std::string_view server = between(rest, "Connect(", ")");
      book_.announce(socket, server.substr(0, server.find('#')));
    } else if (const auto known = speaking_.find(thread);
               known != speaking_.end() && text.size() > 11 && text.substr(8, 3) == " : ") {
      take_octets(known->second, text.substr(11));
    }
  }

 private:
  struct Speaker {
    std::string socket;
    Side side = Side::kClient;
  };
  struct Socket {
    std::array<std::string, 2> open_line;  // by index(Side)
    bool encrypted = false;
  };
  static constexpr std::size_t kMost = 4096;

  Speaker& speaks(std::string_view thread) {
    if (speaking_.size() >= kMost) speaking_.clear();
    return speaking_[std::string(thread)];
  }

  /// "32 32 30-20 ... : 220 ..."
  void take_octets(const Speaker& speaker, std::string_view row) {
    if (sockets_.size() >= kMost) sockets_.clear();
    Socket& socket = sockets_[speaker.socket];
    std::string& line = socket.open_line[index(speaker.side)];
    constexpr std::size_t kInRow = 16;
    for (std::size_t i = 0; i < kInRow && row.size() >= 2; ++i) {
      std::uint8_t octet = 0;
      const auto [end, error] = std::from_chars(row.data(), row.data() + 2, octet, 16);
      if (error != std::errc() || end != row.data() + 2) break;
      row.remove_prefix(std::min<std::size_t>(3, row.size()));
      // RFC 8446 5.1: a record of TLS begins so.
      if (line.empty() && octet >= 0x14 && octet <= 0x17) socket.encrypted = true;
      if (socket.encrypted) return;
      if (octet != '\n') {
        if (line.size() < kLongestLine) line += static_cast<char>(octet);
        continue;
      }
      if (line.ends_with('\r')) line.pop_back();
      book_.say(speaker.socket, speaker.side, line);
      line.clear();
    }
  }

  static constexpr std::size_t kLongestLine = std::size_t{64} * 1024;
  std::map<std::string, Speaker, std::less<>> speaking_;  // by thread
  std::map<std::string, Socket> sockets_;
};

bool recognises_system_net(std::string_view text) {
  return any_line(text, [](std::string_view line) {
    return line.find("System.Net.Sockets Verbose: 0 : [") != std::string_view::npos &&
           line.find("Data from Socket#") != std::string_view::npos;
  });
}

}  // namespace

const LogKind kSystemNetKind = {
    .name = "system.net",
    .description = "what .NET Framework traces of System.Net.Sockets",
    .how = "a switch System.Net.Sockets=Verbose below system.diagnostics in app.config",
    .recognises = recognises_system_net,
    .make = make_log_reader<SystemNetReader>,
};

}  // namespace smtpscope
