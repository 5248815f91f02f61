#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/tls/tls_service.h"
#include "tests/ends/plan.h"

namespace smtpscope::ends {

/// FNV-1a over octets, to compare what was said with what was heard.
class Digest {
 public:
  void add(std::string_view octets);
  std::uint64_t value() const { return value_; }
  std::uint64_t octets() const { return octets_; }
  bool operator==(const Digest&) const = default;

 private:
  std::uint64_t value_ = 0xcbf29ce484222325ULL;
  std::uint64_t octets_ = 0;
};

/// One end of a session: a non-blocking socket, in TLS or not, registered with an epoll set of the
/// driver's.
class Party {
 public:
  Party() = default;
  Party(const Party&) = delete;
  Party& operator=(const Party&) = delete;
  ~Party() { close(); }

  /// Takes the socket; `tag` is what epoll gives back. With `tls`, speaks it from the first octet,
  /// as a server or a client.
  void attach(int descriptor, int epoll, std::uint64_t tag, TlsService* tls, bool server);
  /// What is to be said can be: the handshake, if any, is over.
  bool open() const;
  bool attached() const { return attached_; }
  /// Its socket is closed, or it has seen all that it can see.
  bool gone() const { return descriptor_ < 0; }

  /// Reads at most `most` octets.
  void read(std::size_t most);
  /// Sends what the kernel takes of what is still to be said; true when that is all.
  bool write();
  void say(const std::string& octets);
  /// close_notify, in TLS.
  void notify();
  void finish();
  void close();
  void reset();
  /// All that was said has left this host's buffers for it: an RST does not catch up with it.
  bool out() const;
  /// Octets that were not read.
  std::size_t unread() const;
  /// Asks the kernel for a reset behind a FIN.
  void look();
  /// With `on`, wakes the driver for octets to read, else for room to write or a reset only.
  void listen(bool on);

  Sight seen() const { return seen_; }
  const Digest& heard() const { return heard_; }
  const Digest& told() const { return told_; }

 private:
  void update();
  void take(std::string_view octets);
  void send_tls();

  std::unique_ptr<TlsChannel> channel_;
  TlsService* tls_ = nullptr;
  int descriptor_ = -1;
  int epoll_ = -1;
  std::uint64_t tag_ = 0;
  bool attached_ = false;
  bool listening_ = true;
  std::uint32_t events_ = 0;
  std::string to_say_;
  std::size_t at_ = 0;
  Sight seen_ = Sight::kNothing;
  Digest heard_, told_;
};

}  // namespace smtpscope::ends
