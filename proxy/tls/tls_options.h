#pragma once

#include <cstdint>
#include <string>

namespace smtpscope {

/// What becomes of TLS between client and server.
enum class TlsMode : std::uint8_t {
  kPass,       // relayed untouched
  kIntercept,  // ended on both sides
  kStrip,      // STARTTLS is hidden from the client
};

/// How the server is spoken to.
enum class UpstreamTls : std::uint8_t {
  kSame,      // as the client speaks: TLS when it does, in the same way
  kNone,      // in the clear
  kStartTls,  // by STARTTLS, before the client's first command
  kImplicit,  // TLS from the first octet
};

/// TLS, as the user asked for it.
struct TlsOptions {
  TlsMode mode = TlsMode::kPass;
  UpstreamTls upstream = UpstreamTls::kSame;
  std::string ca_folder;    // "": the usual one, or a CA for this run if there is none
  std::string certificate;  // PEM file with chain, instead of a CA; "" for none
  std::string key;          // that goes with it
  std::string upstream_ca;  // PEM file of trusted CAs; "": the system's
  bool insecure_upstream = false;
  std::string upstream_certificate;  // shown to a server that asks; "" for none
  std::string upstream_key;
  std::string key_log;  // "" for none
  bool force = false;   // overwrite the key log
  bool append = false;  // go on with it, if it is there
};

}  // namespace smtpscope
