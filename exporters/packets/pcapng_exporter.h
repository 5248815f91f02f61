#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "exporters/exporter.h"
#include "exporters/packets/tcp_script.h"
#include "exporters/wanted_sessions.h"

namespace smtpscope {

/// Writes sessions as packets, for Wireshark: the relayed octets in a TCP connection between client
/// and server, a packet for each read, with its time to the nanosecond; annotations as comments on
/// the packets that they are about.
///
/// Packets wait, in the order of time, until their session has ended, for a finding may come late;
/// all together take at most kMaxHeld octets. What comes later still is told on the session's next
/// packet.
///
/// What smtpscope saw inside TLS goes into the packets as it was inside, and the handshake is told
/// in comments. STARTTLS and the 220 to it are taken out then: whoever reads the packets would take
/// what follows for TLS.
class PcapngExporter : public Exporter {
 public:
  static constexpr std::size_t kMaxHeld = std::size_t{64} * 1024 * 1024;

  PcapngExporter(const ExporterOptions& options, Output& output);
  ~PcapngExporter() override;

  void begin_run(const RunInfo& run) override;
  void on_record(const WireEvent& event) override;
  void on_timeline(const TimelineEvent& event) override;
  void end_run() override;
  void finish() override;

 private:
  struct Session;
  struct Held {
    Time time;
    TcpStep step;
    std::vector<std::string> comments;
    std::shared_ptr<Session> session;
  };

  void add(const std::shared_ptr<Session>& session, Time time, TcpStep step);
  void add_octets(const std::shared_ptr<Session>& session, Time time, const Bytes& bytes,
                  std::string_view octets, std::uint64_t left_out);
  void add_bytes(const std::shared_ptr<Session>& session, Time time, const Bytes& bytes);
  void add_handshake(Session& session, const TlsHandshake& handshake);
  void note_starttls(Session& session, const Item& item);
  void take_starttls_out(Session& session);
  void comment_on(Held& packet, std::string comment);
  std::vector<std::string> take_comments(Held& packet);
  void remark(Session& session, std::string comment);
  void place(Session& session, Side from, std::uint64_t end, std::string comment);
  void write_ready();
  void write_first();

  Output& output_;
  WantedSessions wanted_;
  WallTime started_{};
  bool opened_ = false;
  std::map<SessionId, std::shared_ptr<Session>> open_;
  std::list<Held> held_;  // in order of time
  std::size_t held_octets_ = 0;
};

}  // namespace smtpscope
