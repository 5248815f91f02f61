#include "cli/terminal.h"

#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>

namespace smtpscope {
namespace {

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view{} : std::string_view{value};
}

}  // namespace

bool is_terminal(int fd) { return isatty(fd) == 1; }

bool can_rewrite(int fd) { return is_terminal(fd) && environment("TERM") != "dumb"; }

std::size_t terminal_width(int fd) {
  if (!is_terminal(fd)) return 0;
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const std::string_view columns = environment("COLUMNS");
  std::size_t width = 0;
  std::from_chars(columns.data(), columns.data() + columns.size(), width);
  return width;
}

std::size_t reading_width(int fd) {
  constexpr std::size_t kReadingWidth = 88;
  const std::size_t width = terminal_width(fd);
  return width == 0 ? kReadingWidth : std::min(width, kReadingWidth);
}

bool locale_is_utf8() { return std::string_view(nl_langinfo(CODESET)) == "UTF-8"; }

bool environment_refuses_colour() {
  return !environment("NO_COLOR").empty() || environment("TERM") == "dumb";
}

}  // namespace smtpscope
