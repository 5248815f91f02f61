#include "readers/rotated_logs.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <set>
#include <string_view>

#include "base/ascii.h"
#include "readers/reader_list.h"

namespace smtpscope {
namespace {

/// A name without what rotation has put behind it, and how long ago it was put away: the larger the
/// earlier.
struct RotatedName {
  std::string base;
  std::int64_t age = 0;  // 0: the one that is written now
};

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

RotatedName rotated_name(std::string_view path) {
  std::string_view name = path;
  if (name.ends_with(".gz")) name.remove_suffix(3);
  const std::size_t dot = name.rfind('.');
  const std::size_t dash = name.rfind('-');
  constexpr std::size_t kMostDigits = 3;  // "mail.log.365"
  if (dot != std::string_view::npos && dot > 0 && name.size() - dot - 1 <= kMostDigits &&
      all_digits(name.substr(dot + 1))) {
    std::int64_t number = 0;
    std::from_chars(name.data() + dot + 1, name.data() + name.size(), number);
    // ".0" of newsyslog(8) is older than the log itself.
    return {std::string(name.substr(0, dot)), number + 1};
  }
  constexpr std::size_t kDate = 8;  // "maillog-20261130"
  if (dash != std::string_view::npos && dash > 0 && name.size() - dash - 1 == kDate &&
      all_digits(name.substr(dash + 1))) {
    std::int64_t date = 0;
    std::from_chars(name.data() + dash + 1, name.data() + name.size(), date);
    constexpr std::int64_t kAfterAll = 100'000'000;
    return {std::string(name.substr(0, dash)), kAfterAll - date};
  }
  return {std::string(name), 0};
}

}  // namespace

std::vector<std::vector<std::string>> with_rotated_logs(
    std::vector<std::vector<std::string>> runs) {
  struct Member {
    std::int64_t age;
    std::string path;
  };
  std::map<std::string, std::vector<Member>> logs;
  for (const std::vector<std::string>& files : runs) {
    if (files.size() != 1) continue;
    const RotatedName name = rotated_name(files.front());
    logs[name.base].push_back({name.age, files.front()});
  }
  for (auto& [base, log] : logs) {
    std::sort(log.begin(), log.end(),
              [](const Member& a, const Member& b) { return a.age > b.age; });
    // Two of the same age are no rotation.
    const bool twice = std::adjacent_find(log.begin(), log.end(), [](const auto& a, const auto& b) {
                         return a.age == b.age;
                       }) != log.end();
    const bool joined =
        log.size() > 1 && !twice &&
        std::all_of(log.begin(), log.end(), [](const Member& one) { return may_be_log(one.path); });
    if (!joined) log.clear();
  }
  std::vector<std::vector<std::string>> joined;
  std::set<std::string> told;
  for (std::vector<std::string>& files : runs) {
    const std::string base = files.size() == 1 ? rotated_name(files.front()).base : std::string();
    const auto log = logs.find(base);
    if (files.size() != 1 || log == logs.end() || log->second.empty()) {
      joined.push_back(std::move(files));
    } else if (told.insert(base).second) {
      std::vector<std::string>& all = joined.emplace_back();
      for (const Member& one : log->second) all.push_back(one.path);
    }
  }
  return joined;
}

bool is_rotated_log(const std::vector<std::string>& files) { return may_be_log(files.front()); }

}  // namespace smtpscope
