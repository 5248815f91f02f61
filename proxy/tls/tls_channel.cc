#include "proxy/tls/tls_channel.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#include "base/octets.h"
#include "base/tls_alerts.h"
#include "parser/tls_messages.h"
#include "proxy/tls/tls_facts.h"

namespace smtpscope {
namespace {

/// Alerts that are told one by one between two calls: a storm of them is told by its first.
constexpr std::size_t kMostAlerts = 8;

/// Of a chain so many are told: more sign nothing that anybody trusts.
constexpr std::size_t kMostCertificates = 8;

/// What Debian's OpenSSL demands of certificates (SSL_CTX_set_security_level(3)): 112 bits, so no
/// MD5, no SHA-1, no RSA below 2048 bits.
constexpr int kCertificateLevel = 2;

/// RFC 8446 5.1: a handshake begins with a record of type 22 and major version 3. SSLv2's hello,
/// which begins otherwise, OpenSSL 3 does not read either.
bool begins_handshake(std::span<const std::uint8_t> octets) {
  return octets[0] == 22 && (octets.size() < 2 || octets[1] == 3);
}

}  // namespace

TlsChannel::TlsChannel(TlsHandle tls, std::vector<std::uint8_t>& outgoing)
    : tls_(std::move(tls)), outgoing_(outgoing) {
  SSL_set_app_data(tls_.get(), this);
  BIO* bio = BIO_new(bio_method());
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(tls_.get(), bio, bio);
}

TlsChannel::~TlsChannel() = default;

void TlsChannel::prepare(SSL_CTX* context) {
  SSL_CTX_set_client_hello_cb(context, on_hello, nullptr);
  SSL_CTX_set_alpn_select_cb(context, on_alpn, nullptr);
  SSL_CTX_set_cert_cb(context, on_certificate, nullptr);
  SSL_CTX_set_cert_verify_callback(context, on_verify, nullptr);
  SSL_CTX_set_info_callback(context, on_info);
}

const BIO_METHOD* TlsChannel::bio_method() {
  static const BIO_METHOD* const kMethod = [] {
    BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "channel");
    BIO_meth_set_read(method, on_bio_read);
    BIO_meth_set_write(method, on_bio_write);
    BIO_meth_set_ctrl(method, on_bio_control);
    return method;
  }();
  return kMethod;
}

long TlsChannel::on_bio_control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

int TlsChannel::on_bio_read(BIO* bio, char* into, int size) {
  auto& self = *static_cast<TlsChannel*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const std::size_t taken = std::min(self.incoming_.size(), static_cast<std::size_t>(size));
  if (taken == 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  std::memcpy(into, self.incoming_.data(), taken);
  self.incoming_ = self.incoming_.subspan(taken);
  return static_cast<int>(taken);
}

int TlsChannel::on_bio_write(BIO* bio, const char* octets, int size) {
  auto& self = *static_cast<TlsChannel*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const auto added = octets_of({octets, static_cast<std::size_t>(size)});
  self.outgoing_.insert(self.outgoing_.end(), added.begin(), added.end());
  return size;
}

TlsChannel& TlsChannel::of(const SSL* tls) {
  return *static_cast<TlsChannel*>(SSL_get_app_data(tls));
}

int TlsChannel::on_hello(SSL* tls, int* alert, void*) {
  TlsChannel& self = of(tls);
  if (self.refusal_) {
    *alert = *self.refusal_;
    return SSL_CLIENT_HELLO_ERROR;
  }
  if (self.answered_) return SSL_CLIENT_HELLO_SUCCESS;
  self.hello_ = read_hello(tls);
  self.stage_ = Stage::kHello;
  return SSL_CLIENT_HELLO_RETRY;
}

int TlsChannel::on_verify(X509_STORE_CTX* store, void*) {
  auto* tls =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  TlsChannel& self = of(tls);
  self.peer_.clear();
  const STACK_OF(X509)* shown = X509_STORE_CTX_get0_untrusted(store);
  const auto keep = [&](X509* certificate) {
    X509_up_ref(certificate);
    self.peer_.emplace_back(certificate);
  };
  for (int i = 0; i < sk_X509_num(shown); ++i) keep(sk_X509_value(shown, i));
  if (self.peer_.empty()) keep(X509_STORE_CTX_get0_cert(store));
  if (!self.expects_name_) return 1;  // a client's certificate is told, not judged
  // OpenSSL takes the level of the ciphers for that of certificates, and ciphers are not ours to
  // choose.
  X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(store), kCertificateLevel);
  const bool good = X509_verify_cert(store) == 1;
  const int fault = X509_STORE_CTX_get_error(store);
  if (good) {
    self.verification_ = self.expected_name_.empty() ? kNoNameVerified : kCertificateVerified;
  } else {
    self.verification_ = X509_verify_cert_error_string(fault);
  }
  return good || !self.verification_required_ ? 1 : 0;
}

/// A client is asked for its certificate, or a server needs its own.
int TlsChannel::on_certificate(SSL* tls, void*) {
  if (SSL_is_server(tls) == 0) of(tls).was_asked_ = true;
  return 1;
}

int TlsChannel::on_alpn(SSL* tls, const unsigned char** chosen, unsigned char* size,
                        const unsigned char* offered, unsigned offered_size, void*) {
  const std::string& wanted = of(tls).answered_alpn_;
  for (unsigned at = 0; !wanted.empty() && at < offered_size; at += offered[at] + 1U) {
    if (offered[at] != wanted.size() || at + 1U + offered[at] > offered_size) continue;
    if (std::memcmp(offered + at + 1, wanted.data(), wanted.size()) != 0) continue;
    *chosen = offered + at + 1;
    *size = offered[at];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_NOACK;
}

void TlsChannel::on_info(const SSL* tls, int where, int value) {
  TlsChannel& self = of(tls);
  if ((where & SSL_CB_ALERT) == 0) return;
  const Alert alert{(where & SSL_CB_WRITE) != 0, static_cast<std::uint8_t>(value >> 8),
                    static_cast<std::uint8_t>(value & 0xff)};
  if (alert.level == SSL3_AL_FATAL && !self.fatal_) self.fatal_ = alert;
  if (alert.description == SSL_AD_CLOSE_NOTIFY) return;
  if (self.alerts_.size() < kMostAlerts) self.alerts_.push_back(alert);
}

void TlsChannel::start() { advance(); }

void TlsChannel::receive(std::span<const std::uint8_t> octets) {
  if (octets.empty() || stage_ == Stage::kFailed) return;
  if (!std::exchange(anything_came_, true)) garbage_ = !begins_handshake(octets);
  if (stage_ == Stage::kHello) {
    held_.insert(held_.end(), octets.begin(), octets.end());
    if (held_.size() <= kMostHeld) return;
    failure_ = "the ClientHello was followed by more than is kept";
    failed_by_peer_ = true;
    stage_ = Stage::kFailed;
    return;
  }
  incoming_ = octets;
  advance();
  // The ClientHello waits, and what has come behind it with it.
  if (stage_ == Stage::kHello) held_.assign(incoming_.begin(), incoming_.end());
  if (stage_ == Stage::kHello || stage_ == Stage::kFailed) incoming_ = {};
}

void TlsChannel::end_of_input() {
  if (stage_ != Stage::kHandshake && stage_ != Stage::kHello) return;
  failed_by_peer_ = true;
  failure_ = anything_came_ ? "it closed in the middle of the handshake"
                            : "it closed without starting one";
  stage_ = Stage::kFailed;
}

void TlsChannel::advance() {
  if (stage_ != Stage::kHandshake) return;
  ERR_clear_error();
  const int done = SSL_do_handshake(tls_.get());
  if (done == 1) {
    stage_ = Stage::kOpen;
    handshake_over_ = true;
    return;
  }
  switch (SSL_get_error(tls_.get(), done)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
    case SSL_ERROR_WANT_CLIENT_HELLO_CB:
      return;
    default:
      fail();
  }
}

/// OpenSSL has given up; what it wanted to say to the peer is among the outgoing octets.
void TlsChannel::fail() {
  failed_by_peer_ = fatal_ ? !fatal_->sent : false;
  if (failure_.empty()) failure_ = failure_words();
  ERR_clear_error();
  stage_ = Stage::kFailed;
}

std::string TlsChannel::failure_words() const {
  if (fatal_ && !fatal_->sent) {
    const TlsAlert* alert = find_tls_alert(fatal_->description);
    return fmt::format("alert {} ({}){}{}", fatal_->description,
                       SSL_alert_desc_string_long(fatal_->description),
                       alert == nullptr || alert->meaning.empty() ? "" : ": ",
                       alert == nullptr ? "" : alert->meaning);
  }
  if (garbage_) return "what came is not TLS";
  const bool accepted = verification_ == kCertificateVerified || verification_ == kNoNameVerified;
  if (!verification_.empty() && !accepted && verification_required_) {
    return fmt::format("its certificate is not accepted: {}", verification_);
  }
  const unsigned long fault = ERR_peek_error();
  const char* reason = fault == 0 ? nullptr : ERR_reason_error_string(fault);
  return reason == nullptr ? "no reason known" : reason;
}

std::size_t TlsChannel::read(std::span<std::uint8_t> into) {
  if (stage_ != Stage::kOpen) return 0;
  ERR_clear_error();
  std::size_t taken = 0;
  if (SSL_read_ex(tls_.get(), into.data(), into.size(), &taken) == 1) return taken;
  switch (SSL_get_error(tls_.get(), 0)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      break;
    case SSL_ERROR_ZERO_RETURN:
      stage_ = Stage::kClosed;
      break;
    default:
      fail();
  }
  return 0;
}

void TlsChannel::write(std::span<const std::uint8_t> plain) {
  assert(stage_ == Stage::kOpen || stage_ == Stage::kClosed);
  if (plain.empty()) return;
  ERR_clear_error();
  std::size_t taken = 0;
  // The outgoing octets have room for everything, so all is taken at once.
  if (SSL_write_ex(tls_.get(), plain.data(), plain.size(), &taken) != 1) fail();
}

void TlsChannel::finish() {
  if (stage_ != Stage::kOpen && stage_ != Stage::kClosed) return;
  ERR_clear_error();
  SSL_shutdown(tls_.get());
  ERR_clear_error();
}

void TlsChannel::answer(const TlsAnswer& answer) {
  assert(stage_ == Stage::kHello);
  ERR_clear_error();
  SSL* tls = tls_.get();
  SSL_use_certificate(tls, answer.certificate);
  for (X509* each : answer.chain) SSL_add1_chain_cert(tls, each);
  SSL_use_PrivateKey(tls, answer.key);
  if (answer.highest_version != 0) SSL_set_max_proto_version(tls, answer.highest_version);
  answered_alpn_ = answer.alpn;
  asked_ = answer.ask_certificate;
  if (asked_) SSL_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, nullptr);
  answered_ = true;
  stage_ = Stage::kHandshake;
  incoming_ = held_;
  advance();
}

void TlsChannel::refuse(std::uint8_t alert, std::string why) {
  assert(stage_ == Stage::kHello);
  refusal_ = alert;
  failure_ = std::move(why);
  stage_ = Stage::kHandshake;
  advance();
}

void TlsChannel::expect_name(const std::string& host, bool required) {
  expects_name_ = true;
  expected_name_ = host;
  verification_required_ = required;
  SSL_set_verify(tls_.get(), SSL_VERIFY_PEER, nullptr);
  if (host.empty()) return;
  X509_VERIFY_PARAM* parameters = SSL_get0_param(tls_.get());
  if (X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str()) != 1) {
    ERR_clear_error();
    SSL_set_hostflags(tls_.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    SSL_set1_host(tls_.get(), host.c_str());
  }
}

std::vector<TlsChannel::Alert> TlsChannel::take_alerts() { return std::exchange(alerts_, {}); }

int TlsChannel::version() const { return SSL_version(tls_.get()); }

std::string TlsChannel::alpn() const {
  const unsigned char* chosen = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(tls_.get(), &chosen, &size);
  return {reinterpret_cast<const char*>(chosen), size};
}

void TlsChannel::describe(TlsFacts& facts) const {
  SSL* tls = tls_.get();
  const bool server = SSL_is_server(tls) == 1;
  facts.completed = handshake_over_;
  facts.failure = failure_;
  if (fatal_) facts.alert = fatal_->description;
  if (server) {
    facts.server_name = hello_.server_name;
    facts.versions_offered = hello_.version_names;
    facts.ciphers_offered = hello_.ciphers;
    facts.alpn_offered = hello_.alpn_names;
    facts.client_certificate_asked = asked_;
    if (!peer_.empty()) facts.client_certificate = certificate_facts(peer_.front().get());
    const X509* shown = SSL_get_certificate(tls);
    if (answered_ && shown != nullptr) facts.certificates.push_back(certificate_facts(shown));
  } else {
    const char* name = SSL_get_servername(tls, TLSEXT_NAMETYPE_host_name);
    if (name != nullptr) facts.server_name = name;
    facts.client_certificate_asked = was_asked_;
    const X509* shown = SSL_get_certificate(tls);
    if (was_asked_ && shown != nullptr) facts.client_certificate = certificate_facts(shown);
    for (const CertificateHandle& each : peer_) {
      if (facts.certificates.size() == kMostCertificates) break;
      facts.certificates.push_back(certificate_facts(each.get()));
    }
    facts.verification = verification_;
    if (verification_ == kCertificateVerified) facts.verified_name = expected_name_;
  }
  if (!handshake_over_) return;
  facts.version = tls_version_text(static_cast<std::uint16_t>(SSL_version(tls)));
  // The IANA name: what is read of a handshake that flies by has no other.
  facts.cipher = SSL_CIPHER_standard_name(SSL_get_current_cipher(tls));
  facts.alpn = alpn();
  facts.resumed = SSL_session_reused(tls) == 1;
}

}  // namespace smtpscope
