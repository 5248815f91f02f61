#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "readers/text/log_session.h"

namespace smtpscope {

/// The sessions of a log that go on, by what tells them apart there (a process, an id). Bounded in
/// number: beyond kMaxOpen the one of which nothing was said for the longest time is given up. Not
/// thread-safe.
class LogTable {
 public:
  /// More than any server's processes.
  static constexpr std::size_t kMaxOpen = 16 * 1024;

  explicit LogTable(LogRun& run) : run_(run) {}

  /// nullptr if there is none of this key.
  LogSession* find(std::string_view key);
  /// One that goes on under this key is ended.
  LogSession& open(std::string_view key, const LogSession::Beginning& beginning, Time now);
  void end(std::string_view key, Time now);
  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  /// Where one goes on alone; nullptr otherwise.
  const std::string* only_key() const {
    return entries_.size() == 1 ? &entries_.front().key : nullptr;
  }
  /// The text is over, and with it all that it tells of sessions that are open still.
  void end_all();
  /// Of sessions that the log leaves open the end is not known: they stay so.
  void forget_all();

 private:
  struct Entry {
    std::string key;
    LogSession session;
  };
  using Entries = std::list<Entry>;  // longest silent first

  LogRun& run_;
  Entries entries_;
  std::unordered_map<std::string_view, Entries::iterator> by_key_;  // keys live in the entries
};

}  // namespace smtpscope
