#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporters/exporter.h"
#include "exporters/spooled_text.h"
#include "exporters/wanted_sessions.h"
#include "timeline/state/message_content.h"

namespace smtpscope {

/// Writes each message that was transferred as a file: its content as the server took it, dots
/// unstuffed (RFC 5321 4.5.2). Beside them messages.jsonl says of each file whose message it is and
/// what became of it.
///
/// A message of which the capture does not hold all octets is named ".partial.eml". So is one of
/// which there was no room for more: of a message kMaxMessage octets are kept, of all messages that
/// are under way kMaxInAll, twice. Messages of sessions that may not be wanted wait in a Spool.
class EmlExporter : public Exporter {
 public:
  static constexpr std::size_t kMaxMessage = std::size_t{256} * 1024 * 1024;
  static constexpr std::size_t kMaxInAll = std::size_t{512} * 1024 * 1024;

  /// `max_in_all`: as kMaxInAll.
  EmlExporter(const ExporterOptions& options, OutputFolder& folder,
              std::size_t max_in_all = kMaxInAll);

  void begin_run(const RunInfo& run) override;
  void on_octets(const WireEvent& event) override { content_.on_wire(event); }
  void on_timeline(const TimelineEvent& event) override;
  void end_run() override;
  void finish() override;
  std::optional<Error> fault() const override { return spool_.fault(); }

 private:
  /// A message that is being transferred.
  struct Message {
    KeptContent content;
    bool has_data = false;
  };
  using Key = std::pair<SessionId, std::uint64_t>;  // session, transaction

  void on_entry(SessionId session, const Entry& entry);
  void add(Message& message, KeptContent more);
  void end(SessionId session, const Transaction& transaction, const Message& message);

  /// A message that has ended and waits, and its line in messages.jsonl.
  struct Ended {
    std::string name, line;
    std::unique_ptr<SpooledText> content;
  };
  void write(const std::string& name, std::string_view content, std::string_view line);
  void write_undecided(SessionId session);

  OutputFolder& folder_;
  const ExporterOptions options_;
  WantedSessions asked_for_;
  std::uint64_t run_ = 0;
  std::string source_;
  const std::size_t max_in_all_;
  MessageContent content_;
  std::map<Key, Message> open_;
  std::size_t open_octets_ = 0;  // of them
  Spool spool_;
  /// Unless all sessions are wanted: of sessions of which it is not known yet whether they
  /// are wanted, and those that are.
  std::map<SessionId, std::vector<Ended>> undecided_;
  std::set<SessionId> wanted_;
  std::string list_;  // messages.jsonl
};

/// Mail data without its dot stuffing: of lines that begin with a dot that dot is taken away
/// (RFC 5321 4.5.2). Lines end at CRLF only.
std::string without_dot_stuffing(std::string_view content);

}  // namespace smtpscope
