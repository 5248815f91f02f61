#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "capture/wire_event.h"
#include "timeline/event.h"
#include "timeline/state/message_content.h"
#include "trace/run_record.h"

namespace smtpscope {

/// Makes the record of a run out of its timeline. Takes the wire events as well, each before the
/// timeline's events that come of it: the octets of the messages are in them. Not thread-safe.
class RunRecorder : public TimelineSink, public WireSink {
 public:
  /// Of each message, and of all together, so many octets are kept.
  static constexpr std::size_t kKeptOfMessage = 64 * 1024;
  static constexpr std::size_t kKeptOfAll = 64 * 1024 * 1024;

  RunRecorder(std::string name, const RunInfo& info);

  void on_wire(const WireEvent& event) override { content_.on_wire(event); }
  void on_timeline(const TimelineEvent& event) override;
  bool reads_verdict() const override { return false; }

  /// The record, sessions in order. Nothing comes after it.
  RunRecord take();

 private:
  /// A session that goes on.
  struct Open {
    SessionId id = 0;
    SessionRecord record;
    bool content_ended = false;  // nothing more can be kept of the message that is being read
  };

  void on_entry(const TimelineEvent& event, const Entry& entry);
  void on_item(Open& session, const Entry& entry, const Command& command);
  void on_item(Open& session, const Entry& entry, const AuthResponse& response);
  void on_item(Open& session, const Entry& entry, const Reply& reply);
  void on_item(Open& session, const Entry& entry, const GarbageLine& line);
  void on_item(Open& session, const Entry& entry, const MailData& data);
  void on_item(Open& session, const Entry& entry, const Chunk& chunk);
  void on_item(Open& session, const Entry& entry, const Blob& blob);
  void on_item(Open& session, const Entry& entry, const ProxyHeader& header);
  void on_item(Open& session, const Entry& entry, const TlsRecord& record);
  void on_item(Open& session, const Entry& entry, const Junk& junk);
  ExchangeRecord& add_exchange(Open& session, const Entry& entry, ExchangeKind kind,
                               std::string_view text);
  /// The reply of `entry`, put to the exchange that it answers.
  void add_reply(Open& session, const Entry& entry, ReplyRecord reply);
  /// The octets of the item up to `end` belong to the entry's message.
  void add_content(Open& session, const Entry& entry, std::uint64_t end, const MessageFacts& facts);
  TransactionRecord* transaction(Open& session, std::uint64_t number);
  void close(Open& session);

  RunRecord run_;
  MessageContent content_;
  std::size_t kept_ = 0;  // octets of messages
  std::map<SessionId, Open> open_;
};

}  // namespace smtpscope
