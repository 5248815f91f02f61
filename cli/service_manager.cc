#include "cli/service_manager.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace smtpscope {
namespace {

constexpr int kFirstInherited = 3;  // sd_listen_fds(3)
constexpr int kMostInherited = 64;
constexpr std::string_view kTlsName = "tls";

std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

template <typename Number>
std::optional<Number> number_in(const char* name) {
  const std::string_view text = variable(name);
  Number number = 0;
  const auto [rest, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || fault != std::errc{} || rest != text.data() + text.size())
    return std::nullopt;
  return number;
}

}  // namespace

ServiceManager::ServiceManager() : address_(variable("NOTIFY_SOCKET")) {
  if (address_.size() < 2 || (address_[0] != '/' && address_[0] != '@') ||
      address_.size() >= sizeof(sockaddr_un::sun_path)) {
    return;
  }
  socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const auto period = number_in<std::int64_t>("WATCHDOG_USEC");
  const auto whose = number_in<std::int64_t>("WATCHDOG_PID");
  if (period && *period > 0 && (!whose || *whose == ::getpid())) {
    watchdog_ = std::chrono::microseconds(*period / 2);
  }
}

ServiceManager::~ServiceManager() {
  if (socket_ >= 0) ::close(socket_);
}

void ServiceManager::ready(std::string_view status) {
  tell(fmt::format("READY=1\nMAINPID={}\nSTATUS={}", ::getpid(), status));
}

void ServiceManager::alive(std::string_view status) {
  tell(fmt::format("WATCHDOG=1\nSTATUS={}", status));
}

void ServiceManager::stopping() { tell("STOPPING=1\nSTATUS=waiting for open sessions to end"); }

void ServiceManager::tell(std::string_view state) const {
  if (socket_ < 0) return;
  sockaddr_un there{};
  there.sun_family = AF_UNIX;
  std::memcpy(there.sun_path, address_.data(), address_.size());
  if (there.sun_path[0] == '@') there.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  // Who does not listen is not waited for.
  static_cast<void>(::sendto(socket_, state.data(), state.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&there), length));
}

Result<std::vector<InheritedListener>> take_inherited_listeners() {
  std::vector<InheritedListener> listeners;
  const auto whose = number_in<std::int64_t>("LISTEN_PID");
  const auto count = number_in<int>("LISTEN_FDS");
  std::string_view names = variable("LISTEN_FDNAMES");
  if (!whose || *whose != ::getpid() || variable("LISTEN_FDS").empty()) return listeners;
  if (!count || *count < 0 || *count > kMostInherited) {
    return Error{fmt::format("LISTEN_FDS is '{}', which is no number of sockets up to {}",
                             variable("LISTEN_FDS"), kMostInherited)};
  }
  for (int i = 0; i < *count; ++i) {
    const std::string_view name = names.substr(0, names.find(':'));
    names.remove_prefix(std::min(names.size(), name.size() + 1));
    listeners.push_back({kFirstInherited + i, name == kTlsName, std::string(name)});
  }
  for (const char* each : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(each);
  return listeners;
}

Result<std::vector<std::vector<InheritedListener>>> share_out(
    std::vector<InheritedListener> sockets, const std::vector<std::string>& routes) {
  std::vector<std::vector<InheritedListener>> shares(routes.size());
  for (InheritedListener& socket : sockets) {
    const std::string_view name = socket.name;
    const std::size_t dot = std::min(name.find('.'), name.size());
    const auto route = std::find(routes.begin(), routes.end(), name.substr(0, dot));
    socket.tls = dot < name.size() && name.substr(dot + 1) == kTlsName;
    if (route == routes.end() || (dot < name.size() && !socket.tls)) {
      return Error{fmt::format(
          "the socket '{}' of LISTEN_FDS is for no route: FileDescriptorName= names one of {}, or "
          "such a name with '.tls' behind it",
          name, fmt::join(routes, ", "))};
    }
    shares[static_cast<std::size_t>(route - routes.begin())].push_back(std::move(socket));
  }
  return shares;
}

bool stderr_is_journal() {
  struct stat found {};
  if (::fstat(STDERR_FILENO, &found) != 0) return false;
  return variable("JOURNAL_STREAM") == fmt::format("{}:{}", found.st_dev, found.st_ino);
}

}  // namespace smtpscope
