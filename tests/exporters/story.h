#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/side.h"
#include "base/time.h"
#include "exporters/exporter.h"
#include "timeline/event.h"
#include "timeline/rule.h"

namespace smtpscope {

/// Tells a timeline by hand, so that what exporters write of it does not change when a rule or the
/// tracker does. One per session; events come out in the order of the calls.
class Story {
 public:
  Story(SessionId session, TimelineSink& sink) : session_(session), sink_(sink) {}

  /// The time of what follows, since the run began.
  Story& at(Duration since_start);
  /// How the entries that follow stand in a transaction.
  Story& in(TxnMark mark, std::uint64_t transaction = 0);

  void started(std::string_view client, std::string_view upstream, bool mid_session = false);
  void connected(std::string_view server, Duration took, std::uint32_t failed_attempts = 0);
  void command(std::string_view line);
  void reply(std::vector<std::string_view> lines, Answers answers = Answers::kCommand);
  void mail_data(const MessageFacts& facts);
  /// Any other item; sides and ranges are filled in from `octets`.
  void item(Side side, const ItemBody& body, std::uint64_t octets, std::uint64_t secret_octets = 0);
  /// Changes of the next entry only.
  Entry& next_entry() { return next_; }

  void silence(Duration length, Party silent, std::string_view owed,
               std::optional<std::uint64_t> message_octets = std::nullopt);
  void annotation(const Rule& rule, std::string_view text, std::vector<std::uint64_t> entries,
                  std::string_view folded_under = {}, std::string_view variant = {});
  void event(decltype(TimelineEvent::body) body);
  void ended(const SessionTotals& totals, const std::vector<VerdictLine>& verdict,
             const std::vector<NotEvaluated>& not_evaluated = {});

 private:
  void emit_entry(const Item& item);

  const SessionId session_;
  TimelineSink& sink_;
  Time now_;
  Time last_;
  Entry next_;
  TxnMark mark_ = TxnMark::kOutside;
  std::uint64_t transaction_ = 0;
  std::uint64_t entries_ = 0;
  std::uint64_t annotations_ = 0;
  std::uint64_t offsets_[2] = {0, 0};
};

/// The run that the stories below belong to: began 2026-11-23 12:00:00.123456789 UTC.
RunInfo story_run();

/// A mail announced, withdrawn with RSET, and sent 11 s later.
void tell_origin(Story& story, Duration start = {});
/// One of everything that an exporter can be given, wire text that would like to drive the
/// terminal among it. Never ends: the trace does.
void tell_oddities(Story& story, Duration start = {});
/// The server could not be reached.
void tell_unreachable(Story& story, Duration start = {});

}  // namespace smtpscope
