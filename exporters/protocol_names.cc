#include "exporters/protocol_names.h"

#include <fmt/format.h>

#include <array>
#include <span>

#include "base/tls_alerts.h"

namespace smtpscope {
namespace {

struct Named {
  std::uint8_t number;
  std::string_view name;
};

// RFC 8446 5.1, B.3 and B.2; the names that only RFC 5246 7.2 and 7.4 know are still seen.
constexpr std::array kRecords = std::to_array<Named>({
    {20, "change_cipher_spec"},
    {21, "alert"},
    {22, "handshake"},
    {23, "application data"},
    {24, "heartbeat"},
});

constexpr std::array kHandshakes = std::to_array<Named>({
    {1, "client_hello"},
    {2, "server_hello"},
    {4, "new_session_ticket"},
    {8, "encrypted_extensions"},
    {11, "certificate"},
    {12, "server_key_exchange"},
    {13, "certificate_request"},
    {14, "server_hello_done"},
    {15, "certificate_verify"},
    {16, "client_key_exchange"},
    {20, "finished"},
    {22, "certificate_status"},
});

std::string name_in(std::span<const Named> names, std::uint8_t number, std::string_view kind) {
  for (const Named& named : names) {
    if (named.number == number) return std::string(named.name);
  }
  return fmt::format("{} {}", kind, number);
}

}  // namespace

std::string_view to_string(LineEnding ending) {
  switch (ending) {
    case LineEnding::kCrLf:
      return "CRLF";
    case LineEnding::kLf:
      return "LF";
    case LineEnding::kCrCrLf:
      return "CRCRLF";
    case LineEnding::kNone:
      return "none";
  }
  return "";
}

std::string_view to_string(TxnMark mark) {
  switch (mark) {
    case TxnMark::kOutside:
      return "outside";
    case TxnMark::kBegins:
      return "begins";
    case TxnMark::kInside:
      return "inside";
    case TxnMark::kEndsWell:
      return "ends-well";
    case TxnMark::kEndsBadly:
      return "ends-badly";
  }
  return "";
}

std::string_view to_string(Answers answers) {
  switch (answers) {
    case Answers::kGreeting:
      return "greeting";
    case Answers::kCommand:
      return "command";
    case Answers::kAuthResponse:
      return "auth-response";
    case Answers::kEndOfData:
      return "end-of-data";
    case Answers::kBlob:
      return "blob";
    case Answers::kOrphan:
      return "nothing";
    case Answers::kUnsolicited:
      return "unsolicited";
  }
  return "";
}

std::string_view to_string(DataEnd end) {
  switch (end) {
    case DataEnd::kStrict:
      return "strict";
    case DataEnd::kCandidate:
      return "candidate";
    case DataEnd::kCut:
      return "cut";
    case DataEnd::kGap:
      return "gap";
  }
  return "";
}

std::string tls_record_name(std::uint8_t type) { return name_in(kRecords, type, "record"); }

std::string tls_handshake_name(std::uint8_t type) { return name_in(kHandshakes, type, "message"); }

std::string tls_alert_name(std::uint8_t description) {
  const TlsAlert* alert = find_tls_alert(description);
  return alert == nullptr ? fmt::format("alert {}", description) : std::string(alert->name);
}

}  // namespace smtpscope
