#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "capture/tls_facts.h"
#include "proxy/tls/tls_handles.h"
#include "proxy/tls/tls_hello.h"

namespace smtpscope {

/// How a TLS server answers a ClientHello.
struct TlsAnswer {
  X509* certificate = nullptr;
  EVP_PKEY* key = nullptr;
  std::span<X509* const> chain;  // that goes with the certificate
  int highest_version = 0;       // 0: any
  std::string alpn;              // that is agreed on; "" for none
  bool ask_certificate = false;
};

/// One end of a TLS connection, without a socket: octets of the wire go in, plain ones come out,
/// and the other way round. An end that is a server stops at the ClientHello (Stage::kHello) until
/// it is told how to answer. Nothing is read ahead: what was received is worked on before receive()
/// returns, and what is to be sent lies in outgoing() and must be taken then. At most kMostHeld
/// octets wait while the ClientHello does. Not thread-safe.
class TlsChannel {
 public:
  enum class Stage : std::uint8_t {
    kHandshake,
    kHello,  // a ClientHello is here: answer() or refuse()
    kOpen,
    kClosed,  // the peer has sent close_notify; it may still be written to
    kFailed,  // failure() says why
  };

  /// An alert as it went over the wire.
  struct Alert {
    bool sent = false;  // by this end
    std::uint8_t level = 0;
    std::uint8_t description = 0;
  };

  static constexpr std::size_t kMostHeld = std::size_t{64} * 1024;

  /// Takes an SSL that is set up as server or client. `outgoing` is where octets to be sent are
  /// put; it may be shared, and must outlive the channel.
  TlsChannel(TlsHandle tls, std::vector<std::uint8_t>& outgoing);
  ~TlsChannel();
  TlsChannel(const TlsChannel&) = delete;
  TlsChannel& operator=(const TlsChannel&) = delete;

  /// Sets a context up so that its channels stop at the ClientHello, know of alerts and say who
  /// they trust.
  static void prepare(SSL_CTX* context);

  /// A client speaks first.
  void start();
  /// Octets of the peer. During the handshake they carry it on; then read() gives what was in them.
  void receive(std::span<const std::uint8_t> octets);
  /// The peer will send nothing more.
  void end_of_input();
  /// The next plain octets, 0 when there are no more for now.
  std::size_t read(std::span<std::uint8_t> into);
  /// kOpen or kClosed only: to the peer.
  void write(std::span<const std::uint8_t> plain);
  /// close_notify to the peer.
  void finish();

  void answer(const TlsAnswer& answer);
  /// Ends the handshake at the ClientHello with this alert.
  void refuse(std::uint8_t alert, std::string why);
  /// Demands that the peer's certificate is verified, and the name or address that it must be for;
  /// "": nobody knows, only its signatures are verified.
  void expect_name(const std::string& host, bool required);

  Stage stage() const { return stage_; }
  std::span<const std::uint8_t> outgoing() const { return outgoing_; }
  void outgoing_taken() { outgoing_.clear(); }

  /// Of a server, once the ClientHello was seen.
  const TlsHello& hello() const { return hello_; }
  /// Alerts since the last call, close_notify aside.
  std::vector<Alert> take_alerts();
  /// What was agreed on, shown, verified, and why it failed; `failed_by` is left to the caller.
  void describe(TlsFacts& facts) const;
  /// kFailed: whether the peer gave up, not this end.
  bool failed_by_peer() const { return failed_by_peer_; }
  /// The peer asked this end, a client, for a certificate.
  bool was_asked() const { return was_asked_; }
  /// The peer's certificate; nullptr if it has shown none.
  const X509* peer_certificate() const { return peer_.empty() ? nullptr : peer_.front().get(); }
  int version() const;
  std::string alpn() const;
  /// No octet of the peer was a TLS record so far, and what came cannot be one.
  bool heard_garbage() const { return garbage_; }

 private:
  static long on_bio_control(BIO* bio, int command, long, void*);
  static int on_bio_read(BIO* bio, char* into, int size);
  static int on_bio_write(BIO* bio, const char* octets, int size);
  static const BIO_METHOD* bio_method();
  static TlsChannel& of(const SSL* tls);
  static int on_hello(SSL* tls, int* alert, void*);
  static int on_verify(X509_STORE_CTX* store, void*);
  static int on_certificate(SSL* tls, void*);
  static int on_alpn(SSL* tls, const unsigned char** chosen, unsigned char* size,
                     const unsigned char* offered, unsigned offered_size, void*);
  static void on_info(const SSL* tls, int where, int value);

  void advance();
  void fail();
  std::string failure_words() const;

  TlsHandle tls_;
  std::vector<std::uint8_t>& outgoing_;
  std::span<const std::uint8_t> incoming_;
  std::vector<std::uint8_t> held_;  // incoming that waits while the ClientHello does
  Stage stage_ = Stage::kHandshake;
  TlsHello hello_;
  bool answered_ = false;
  std::optional<std::uint8_t> refusal_;
  std::string answered_alpn_;
  std::vector<Alert> alerts_;
  std::optional<Alert> fatal_;
  std::vector<CertificateHandle> peer_;  // as shown, its own first
  std::string verification_;             // see TlsFacts
  std::string expected_name_;
  bool verification_required_ = false;
  bool expects_name_ = false;
  bool was_asked_ = false;
  bool asked_ = false;
  bool handshake_over_ = false;
  bool failed_by_peer_ = false;
  bool garbage_ = false;
  bool anything_came_ = false;
  std::string failure_;
};

}  // namespace smtpscope
