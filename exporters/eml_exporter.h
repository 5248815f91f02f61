#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "exporters/exporter.h"
#include "timeline/message_content.h"

namespace smtpscope {

/// Writes each message that was transferred as a file: its content as the server took it, dots
/// unstuffed (RFC 5321 4.5.2). Beside them messages.jsonl says of each file whose message it is and
/// what became of it.
///
/// A message of which the capture does not hold all octets is named ".partial.eml". At most
/// kMaxMessage octets of one are kept.
class EmlExporter : public Exporter {
 public:
  static constexpr std::size_t kMaxMessage = std::size_t{256} * 1024 * 1024;

  EmlExporter(const ExporterOptions& options, OutputFolder& folder);

  void begin_run(const RunInfo& run) override;
  void on_octets(const WireEvent& event) override { content_.on_wire(event); }
  void on_timeline(const TimelineEvent& event) override;
  void end_run() override;
  void finish() override;

 private:
  /// A message that is being transferred.
  struct Message {
    KeptContent content;
    bool has_data = false;
  };
  using Key = std::pair<SessionId, std::uint64_t>;  // session, transaction

  void on_entry(SessionId session, const Entry& entry);
  void add(Message& message, KeptContent more);
  void end(SessionId session, const Transaction& transaction, Message message);

  /// A message that has ended, and its line in messages.jsonl.
  struct Ended {
    std::string name, content, line;
  };
  void write(const Ended& message);

  OutputFolder& folder_;
  const ExporterOptions options_;
  std::uint64_t run_ = 0;
  std::string source_;
  MessageContent content_{kMaxMessage};
  std::map<Key, Message> open_;
  /// With ExporterOptions::annotated_from: of sessions of which it is not known yet whether they
  /// are wanted, and those that are.
  std::map<SessionId, std::vector<Ended>> undecided_;
  std::set<SessionId> wanted_;
  std::string list_;  // messages.jsonl
};

/// Mail data without its dot stuffing: of lines that begin with a dot that dot is taken away
/// (RFC 5321 4.5.2). Lines end at CRLF only.
std::string without_dot_stuffing(std::string_view content);

}  // namespace smtpscope
