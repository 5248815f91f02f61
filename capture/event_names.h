#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/side.h"
#include "capture/wire_event.h"
#include "parser/message_facts.h"
#include "parser/message_scanner.h"

namespace smtpscope {

/// The words of the capture format, for its writer and its reader alike: docs/capture-format.md.
/// A word never changes its meaning; a new one goes to the end.

inline constexpr std::array<std::string_view, 2> kSideNames = {"client", "server"};
inline constexpr std::array<std::string_view, 4> kCloseKindNames = {"fin", "reset", "timeout",
                                                                    "error"};
inline constexpr std::array<std::string_view, 4> kTlsOriginNames = {"server", "made",
                                                                    "made_for_run", "user"};
inline constexpr std::array<std::string_view, 2> kFramingNames = {"dot_terminated", "counted"};
inline constexpr std::array<std::string_view, 6> kScannerStateNames = {
    "line_start", "middle", "cr", "dot", "dot_cr", "ended"};
inline constexpr std::array<std::string_view, 6> kLineEndNames = {"none", "cr",    "cr_cr",
                                                                  "lf",   "cr_lf", "cr_cr_lf"};
inline constexpr std::array<std::string_view, 7> kHeaderStageNames = {
    "line_start", "empty_line", "dot", "name", "behind_name", "text", "done"};
inline constexpr std::array<std::string_view, kEodCandidateKinds> kCandidateNames = {
    "lf_dot_lf",    "lf_dot_cr_lf", "cr_lf_dot_lf", "cr_dot_cr", "cr_dot_cr_lf",
    "cr_lf_dot_cr", "cr_cr_lf",     "nul",          "other"};

/// The counts of MessageFacts that are plain numbers.
struct FactName {
  std::string_view name;
  std::uint64_t MessageFacts::*fact;
};
inline constexpr std::array<FactName, 17> kFactNames = {{
    {"octets", &MessageFacts::octets},
    {"lines", &MessageFacts::lines},
    {"longest_line", &MessageFacts::longest_line},
    {"bare_cr", &MessageFacts::bare_cr},
    {"bare_lf", &MessageFacts::bare_lf},
    {"nul", &MessageFacts::nul},
    {"eight_bit", &MessageFacts::eight_bit},
    {"dot_lines", &MessageFacts::dot_lines},
    {"unstuffed_dots", &MessageFacts::unstuffed_dots},
    {"cr_cr_lf", &MessageFacts::cr_cr_lf},
    {"long_lines", &MessageFacts::long_lines},
    {"first_long_line", &MessageFacts::first_long_line},
    {"first_bare_cr_end", &MessageFacts::first_bare_cr_end},
    {"first_bare_lf_end", &MessageFacts::first_bare_lf_end},
    {"first_cr_cr_lf_end", &MessageFacts::first_cr_cr_lf_end},
    {"first_nul_end", &MessageFacts::first_nul_end},
    {"first_unstuffed_dot_end", &MessageFacts::first_unstuffed_dot_end},
}};

/// The members of TlsCertificate and TlsFacts that are plain texts, and lists of them.
struct CertificateTextName {
  std::string_view name;
  std::string TlsCertificate::*text;
};
inline constexpr std::array<CertificateTextName, 6> kCertificateTextNames = {{
    {"subject", &TlsCertificate::subject},
    {"issuer", &TlsCertificate::issuer},
    {"not_before", &TlsCertificate::not_before},
    {"not_after", &TlsCertificate::not_after},
    {"key", &TlsCertificate::key},
    {"sha256", &TlsCertificate::fingerprint},
}};
struct TlsTextName {
  std::string_view name;
  std::string TlsFacts::*text;
};
inline constexpr std::array<TlsTextName, 7> kTlsTextNames = {{
    {"version", &TlsFacts::version},
    {"cipher", &TlsFacts::cipher},
    {"server_name", &TlsFacts::server_name},
    {"alpn", &TlsFacts::alpn},
    {"verification", &TlsFacts::verification},
    {"failure", &TlsFacts::failure},
    {"verified_name", &TlsFacts::verified_name},
}};
struct TlsListName {
  std::string_view name;
  std::vector<std::string> TlsFacts::*list;
};
inline constexpr std::array<TlsListName, 3> kTlsListNames = {{
    {"versions_offered", &TlsFacts::versions_offered},
    {"alpn_offered", &TlsFacts::alpn_offered},
    {"differences", &TlsFacts::differences},
}};

/// The name of an enumerator.
template <typename Enum, std::size_t N>
constexpr std::string_view name_of(const std::array<std::string_view, N>& names, Enum value) {
  return names[static_cast<std::size_t>(value)];
}

/// The enumerator of that name, empty when there is none.
template <typename Enum, std::size_t N>
constexpr std::optional<Enum> named(const std::array<std::string_view, N>& names,
                                    std::string_view name) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace smtpscope
