#include "tests/ends/record_watch.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstddef>
#include <string_view>

namespace smtpscope::ends {

RecordWatch::~RecordWatch() {
  if (file_ >= 0) ::close(file_);
  if (notify_ >= 0) ::close(notify_);
}

bool RecordWatch::open(const std::string& path) {
  file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  notify_ = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  return file_ >= 0 && notify_ >= 0 && inotify_add_watch(notify_, path.c_str(), IN_MODIFY) >= 0;
}

std::vector<SessionId> RecordWatch::read() {
  alignas(inotify_event) std::array<char, 4096> told;
  while (::read(notify_, told.data(), told.size()) > 0) continue;
  std::vector<SessionId> ended;
  std::array<char, 65536> octets;
  ssize_t count = 0;
  while ((count = ::read(file_, octets.data(), octets.size())) > 0) {
    line_.append(octets.data(), static_cast<std::size_t>(count));
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = line_.find('\n', begin)) != std::string::npos;
         begin = end + 1) {
      const std::string_view line = std::string_view(line_).substr(begin, end - begin);
      // Quotes in what peers say are escaped.
      if (!line.ends_with(R"("e":"end"})")) continue;
      constexpr std::string_view kSession = R"("s":)";
      const std::string_view id = line.substr(line.find(kSession) + kSession.size());
      SessionId session = kWholeRun;
      std::from_chars(id.data(), id.data() + id.size(), session);
      ended.push_back(session);
    }
    line_.erase(0, begin);
  }
  return ended;
}

}  // namespace smtpscope::ends
