#include "capture/capture_name.h"

#include <dirent.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <memory>
#include <utility>

#include "base/ascii.h"

namespace smtpscope {
namespace {

/// Digits that stand for a directive of strftime(); 0 for one that is not taken.
std::size_t digits_of(char directive) {
  switch (directive) {
    case 'Y':
      return 4;
    case 'j':
      return 3;
    case 'm':
    case 'd':
    case 'H':
    case 'M':
    case 'S':
      return 2;
    default:
      return 0;
  }
}

std::string filled_in(const std::string& pattern, WallTime when) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(when));
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::string name;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') {
      name += pattern[i];
      continue;
    }
    ++i;
    switch (pattern[i]) {
      case 'Y':
        name += fmt::format("{:04}", utc.tm_year + 1900);
        break;
      case 'j':
        name += fmt::format("{:03}", utc.tm_yday + 1);
        break;
      case 'm':
        name += fmt::format("{:02}", utc.tm_mon + 1);
        break;
      case 'd':
        name += fmt::format("{:02}", utc.tm_mday);
        break;
      case 'H':
        name += fmt::format("{:02}", utc.tm_hour);
        break;
      case 'M':
        name += fmt::format("{:02}", utc.tm_min);
        break;
      case 'S':
        name += fmt::format("{:02}", utc.tm_sec);
        break;
      default:  // "%%"
        name += '%';
    }
  }
  return name;
}

/// The digits of a name, by their directive.
using Digits = std::map<char, std::string>;

/// Takes what the pattern stands for off the front of `text`.
bool take(std::string_view pattern, std::string_view& text, Digits& found) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    std::size_t digits = 0;
    if (pattern[i] == '%') digits = digits_of(pattern[++i]);
    const char directive = pattern[i];
    if (digits == 0) {
      if (!text.starts_with(pattern[i])) return false;
      text.remove_prefix(1);
      continue;
    }
    if (text.size() < digits || !std::ranges::all_of(text.substr(0, digits), is_digit))
      return false;
    found[directive] = text.substr(0, digits);
    text.remove_prefix(digits);
  }
  return true;
}

struct FolderCloser {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

}  // namespace

Result<CaptureName> CaptureName::parse(std::string_view text) {
  CaptureName name;
  name.text_ = text;
  const std::size_t slash = text.rfind('/');
  const std::size_t file = slash == std::string_view::npos ? 0 : slash + 1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') continue;
    const char directive = i + 1 < text.size() ? text[i + 1] : ' ';
    if (i < file) {
      return Error{
          fmt::format("--write: '{}' has a % in its folder; only the file's name may have the "
                      "time in it, as in run-%Y%m%dT%H%M%S.smtpcap",
                      text)};
    }
    if (directive != '%' && digits_of(directive) == 0) {
      return Error{fmt::format(
          "--write: '{}' has a % that stands for nothing here; %Y %m %d %j %H %M %S stand for the "
          "time, in UTC, and %% for a %",
          text)};
    }
    if (directive != '%') name.is_pattern_ = true;
    ++i;
  }
  const std::size_t dot = text.rfind('.');
  const std::size_t end = dot == std::string_view::npos || dot <= file ? text.size() : dot;
  name.stem_ = text.substr(0, end);
  name.ending_ = text.substr(end);
  return name;
}

std::string CaptureName::folder() const {
  const std::size_t slash = stem_.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : stem_.substr(0, slash);
}

std::string CaptureName::at(WallTime when, unsigned again) const {
  std::string name = filled_in(stem_, when);
  if (again > 0) name += fmt::format("-{}", again + 1);
  return name + filled_in(ending_, when);
}

std::optional<std::string> CaptureName::order_of(std::string_view file) const {
  const std::size_t slash = stem_.rfind('/');
  const std::string_view stem =
      std::string_view(stem_).substr(slash == std::string::npos ? 0 : slash + 1);
  Digits digits;
  if (!take(stem, file, digits)) return std::nullopt;
  std::string number;
  if (file.starts_with('-')) {
    number = file.substr(1, file.substr(1).find_first_not_of("0123456789"));
    if (number.empty()) return std::nullopt;
    file.remove_prefix(1 + number.size());
  }
  if (!take(ending_, file, digits) || (!file.empty() && file != ".gz" && file != ".zst")) {
    return std::nullopt;
  }
  std::string order;
  for (const char directive : {'Y', 'j', 'm', 'd', 'H', 'M', 'S'}) order += digits[directive];
  return fmt::format("{}-{:0>20}", order, number);
}

/// logrotate(8) puts a number or, by `dateext`, a date behind the name.
bool CaptureName::is_renamed(std::string_view file) const {
  const std::string path = at(WallTime());
  const std::string name = path.substr(path.rfind('/') + 1);
  if (!file.starts_with(name)) return false;
  file.remove_prefix(name.size());
  return file.size() >= 2 && (file[0] == '.' || file[0] == '-') && is_digit(file[1]);
}

std::vector<std::string> CaptureName::existing() const {
  if (text_ == "-") return {};
  std::vector<std::pair<std::string, std::string>> found;
  const std::unique_ptr<DIR, FolderCloser> open(::opendir(folder().c_str()));
  if (!open) return {};
  const std::size_t slash = stem_.rfind('/');
  const std::string before = slash == std::string::npos ? "" : stem_.substr(0, slash + 1);
  while (const dirent* entry = ::readdir(open.get())) {
    if (auto order = order_of(entry->d_name)) {
      found.emplace_back(std::move(*order), before + entry->d_name);
    } else if (!is_pattern_ && is_renamed(entry->d_name)) {
      found.emplace_back(entry->d_name, before + entry->d_name);
    }
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> files;
  files.reserve(found.size());
  for (auto& [order, path] : found) files.push_back(std::move(path));
  return files;
}

}  // namespace smtpscope
