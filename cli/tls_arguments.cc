#include "cli/tls_arguments.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace smtpscope {
namespace {

constexpr std::array<std::pair<std::string_view, TlsMode>, 3> kModes = {{
    {"pass", TlsMode::kPass},
    {"intercept", TlsMode::kIntercept},
    {"strip", TlsMode::kStrip},
}};
constexpr std::array<std::pair<std::string_view, UpstreamTls>, 4> kUpstreams = {{
    {"same", UpstreamTls::kSame},
    {"none", UpstreamTls::kNone},
    {"starttls", UpstreamTls::kStartTls},
    {"implicit", UpstreamTls::kImplicit},
}};

template <typename Value, std::size_t N>
std::optional<Value> find(const std::array<std::pair<std::string_view, Value>, N>& words,
                          std::string_view word) {
  for (const auto& [name, value] : words) {
    if (name == word) return value;
  }
  return std::nullopt;
}

}  // namespace

void add_tls_options(CLI::App& app, TlsArguments& arguments) {
  constexpr const char* kGroup = "TLS";
  app.add_option("--tls", arguments.mode,
                 "pass: relayed untouched. intercept: ended on both sides, so that what is inside "
                 "shows. strip: STARTTLS is hidden from the client")
      ->type_name("pass|intercept|strip")
      ->capture_default_str()
      ->group(kGroup);
  app.add_option("--listen-tls", arguments.listen,
                 "Where clients connect with TLS from the first octet (--tls intercept). May "
                 "be repeated")
      ->default_str("nowhere")
      ->type_name("[HOST:]PORT")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->group(kGroup);
  app.add_option("--upstream-tls", arguments.upstream,
                 "How to speak to the server: same as the client, none: in the clear, starttls, "
                 "implicit: TLS from the first octet. Unless it is same, STARTTLS is hidden from "
                 "clients in the clear")
      ->type_name("same|none|starttls|implicit")
      ->capture_default_str()
      ->group(kGroup);
  app.add_option("--ca", arguments.ca_folder,
                 "Folder of the CA that signs what clients are shown (see smtpscope ca)")
      ->default_str("a CA for this run alone")
      ->type_name("DIR")
      ->group(kGroup);
  app.add_option("--cert", arguments.certificate,
                 "Certificate to show to clients instead, followed by its chain")
      ->default_str("one signed by the CA")
      ->type_name("FILE.pem")
      ->group(kGroup);
  app.add_option("--key", arguments.key, "Private key of --cert")
      ->type_name("FILE.pem")
      ->default_str("none")
      ->group(kGroup);
  app.add_option("--upstream-ca", arguments.upstream_ca,
                 "CA certificates to verify the server with")
      ->default_str("the system's")
      ->type_name("FILE.pem")
      ->group(kGroup);
  app.add_flag("--insecure-upstream", arguments.insecure_upstream,
               "Do NOT check the server's certificate: whoever answers in its place gets mail "
               "and passwords")
      ->group(kGroup);
  app.add_option("--upstream-cert", arguments.upstream_certificate,
                 "Client certificate for a server that asks for one")
      ->default_str("none")
      ->type_name("FILE.pem")
      ->group(kGroup);
  app.add_option("--upstream-key", arguments.upstream_key, "Private key of --upstream-cert")
      ->default_str("none")
      ->type_name("FILE.pem")
      ->group(kGroup);
  app.add_option("--keylog", arguments.key_log,
                 "File for the TLS secrets, for Wireshark, mode 0600")
      ->default_str("none")
      ->type_name("FILE")
      ->group(kGroup);
}

Result<TlsOptions> read_tls_arguments(const TlsArguments& arguments) {
  TlsOptions options;
  const auto mode = find(kModes, arguments.mode);
  if (!mode) {
    return Error{fmt::format("--tls: '{}' is none of pass, intercept and strip", arguments.mode)};
  }
  const auto upstream = find(kUpstreams, arguments.upstream);
  if (!upstream) {
    return Error{fmt::format("--upstream-tls: '{}' is none of same, none, starttls and implicit",
                             arguments.upstream)};
  }
  options.mode = *mode;
  options.upstream = *upstream;
  const bool towards_server = *upstream != UpstreamTls::kSame || !arguments.upstream_ca.empty() ||
                              arguments.insecure_upstream ||
                              !arguments.upstream_certificate.empty() || !arguments.key_log.empty();
  const bool towards_client =
      !arguments.listen.empty() || !arguments.ca_folder.empty() || !arguments.certificate.empty();
  if (*mode == TlsMode::kPass && (towards_server || towards_client)) {
    return Error{"TLS options have no effect while TLS is passed through: add --tls intercept"};
  }
  if (*mode == TlsMode::kStrip && towards_client) {
    return Error{
        "--tls strip keeps clients in the clear, so they need no certificate and no --listen-tls: "
        "did you mean --tls intercept?"};
  }
  if (arguments.certificate.empty() != arguments.key.empty()) {
    return Error{"--cert and --key go together"};
  }
  if (arguments.upstream_certificate.empty() != arguments.upstream_key.empty()) {
    return Error{"--upstream-cert and --upstream-key go together"};
  }
  if (!arguments.certificate.empty() && !arguments.ca_folder.empty()) {
    return Error{"--cert shows your own certificate, --ca makes one: give only one of them"};
  }
  if (arguments.insecure_upstream && !arguments.upstream_ca.empty()) {
    return Error{"--insecure-upstream turns off what --upstream-ca is for: give only one of them"};
  }
  options.ca_folder = arguments.ca_folder;
  options.certificate = arguments.certificate;
  options.key = arguments.key;
  options.upstream_ca = arguments.upstream_ca;
  options.insecure_upstream = arguments.insecure_upstream;
  options.upstream_certificate = arguments.upstream_certificate;
  options.upstream_key = arguments.upstream_key;
  options.key_log = arguments.key_log;
  return options;
}

}  // namespace smtpscope
