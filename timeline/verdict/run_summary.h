#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "timeline/event.h"
#include "timeline/reasons/reply_reason.h"

namespace smtpscope {

/// What all sessions of a run come to: for the table at the end of a run. Fed with the timelines'
/// events; bounded, whatever the run's length. Not thread-safe.
class RunSummary : public TimelineSink {
 public:
  static constexpr std::size_t kSilences = 5;
  /// Clients told apart; further ones are counted together.
  static constexpr std::size_t kMaxClients = 1024;
  static constexpr std::string_view kOtherClients = "other clients";

  /// How often a rule's findings stood, folded ones left out.
  struct RuleCount {
    const Rule* rule = nullptr;
    std::array<std::uint64_t, 4> findings_by{};  // by Severity
    std::uint64_t sessions = 0;                  // in which it stood at least once
    std::uint64_t findings() const;
    Severity worst() const;
  };
  struct LongSilence {
    SessionId session = 0;
    Time from, to;
    Party silent = Party::kUnknown;
    std::string owed;
    Duration length() const { return to - from; }
  };
  struct ClientTotals {
    std::uint64_t sessions = 0;
    std::uint64_t transactions = 0;
    std::uint64_t delivered = 0;                       // transactions accepted, or in part
    std::uint64_t octets = 0;                          // that it sent
    std::array<std::uint64_t, 4> sessions_by_worst{};  // by Severity
  };

  void on_timeline(const TimelineEvent& event) override;

  std::uint64_t sessions() const { return sessions_; }
  /// Of them not ended yet.
  std::uint64_t open() const { return open_.size(); }
  std::uint64_t unreachable() const { return unreachable_; }
  /// Ended sessions by their worst annotation.
  const std::array<std::uint64_t, 4>& sessions_by_worst() const { return by_worst_; }
  const std::array<std::uint64_t, 6>& outcomes() const { return outcomes_; }
  std::uint64_t transactions() const;
  /// Why servers refused, and how often; the most frequent first.
  std::vector<std::pair<ReplyReason, std::uint64_t>> refusals() const;
  /// Findings of at least this severity that stand.
  std::uint64_t findings(Severity least) const;
  /// Gravest first, then most findings first.
  std::vector<RuleCount> rules() const;
  /// The longest first; kSilences at most.
  const std::vector<LongSilence>& silences() const { return silences_; }
  /// By host name or address, as text.
  const std::map<std::string, ClientTotals, std::less<>>& clients() const { return clients_; }

 private:
  struct Standing {
    std::uint64_t number = 0;
    const Rule* rule = nullptr;
    Severity severity = Severity::kInfo;
  };
  /// Of a session that goes on: what stands of its findings. As many as can still be folded.
  struct Findings {
    Findings() {  // most sessions have a few
      recent.reserve(4);
      counts.reserve(4);
    }

    std::vector<Standing> recent;
    std::vector<std::pair<const Rule*, std::uint64_t>> counts;
  };
  struct Open {
    std::string client;
    std::unique_ptr<Findings> findings;  // nullptr until there is one
  };

  void add(Findings& session, const Annotation& annotation);
  void fold(Findings& session, std::uint64_t number);
  void add(SessionId session, const Silence& silence);
  void end(const Open& session, const SessionTotals& totals);

  std::unordered_map<SessionId, Open> open_;
  std::uint64_t sessions_ = 0;
  std::uint64_t unreachable_ = 0;
  std::array<std::uint64_t, 4> by_worst_{};
  std::array<std::uint64_t, 6> outcomes_{};
  std::array<std::uint64_t, kReplyReasons> refusals_{};
  std::unordered_map<const Rule*, RuleCount> rules_;
  std::vector<LongSilence> silences_;
  std::map<std::string, ClientTotals, std::less<>> clients_;
};

}  // namespace smtpscope
