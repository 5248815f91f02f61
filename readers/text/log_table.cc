#include "readers/text/log_table.h"

#include <utility>

namespace smtpscope {

LogSession* LogTable::find(std::string_view key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  entries_.splice(entries_.end(), entries_, found->second);
  return &found->second->session;
}

LogSession& LogTable::open(std::string_view key, const LogSession::Beginning& beginning, Time now) {
  end(key, now);
  if (entries_.size() == kMaxOpen) {
    run_.give_up_one();
    const std::string oldest = entries_.front().key;
    end(oldest, entries_.front().session.last());
  }
  entries_.push_back({std::string(key), LogSession(run_, beginning, now)});
  const auto entry = std::prev(entries_.end());
  by_key_.emplace(entry->key, entry);
  return entry->session;
}

void LogTable::end(std::string_view key, Time now) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  const Entries::iterator entry = found->second;
  entry->session.end(now);
  by_key_.erase(found);
  entries_.erase(entry);
}

void LogTable::end_all() {
  for (Entry& entry : entries_) entry.session.end(entry.session.last());
  forget_all();
}

void LogTable::forget_all() {
  by_key_.clear();
  entries_.clear();
}

}  // namespace smtpscope
