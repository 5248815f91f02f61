#include "parser/command_line.h"

#include <algorithm>
#include <charconv>

#include "base/ascii.h"

namespace smtpscope {
namespace {

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  while (at < text.size() && is_blank(text[at])) ++at;
  return at;
}

std::size_t skip_word(std::string_view text, std::size_t at) {
  while (at < text.size() && !is_blank(text[at])) ++at;
  return at;
}

/// The first word and the blanks behind it, as a number; nothing else before a blank or the end.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || (stopped != end && !is_blank(*stopped))) return std::nullopt;
  text.remove_prefix(skip_blanks(text, static_cast<std::size_t>(stopped - text.data())));
  return number;
}

}  // namespace

CommandWords split_command(std::string_view line) {
  const std::size_t begin = skip_blanks(line, 0);
  const std::size_t end = skip_word(line, begin);
  return {line.substr(begin, end - begin), line.substr(skip_blanks(line, end))};
}

bool begins_header_field(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  return std::all_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(colon),
                     [](char c) { return is_alphanumeric(c) || c == '-'; });
}

std::optional<ChunkArgument> parse_chunk_argument(std::string_view arguments) {
  const std::optional<std::uint64_t> octets = take_number(arguments);
  if (!octets) return std::nullopt;
  if (arguments.empty()) return ChunkArgument{*octets, false};
  const std::size_t end = skip_word(arguments, 0);
  if (!equal_ignoring_case(arguments.substr(0, end), "LAST") ||
      skip_blanks(arguments, end) != arguments.size()) {
    return std::nullopt;
  }
  return ChunkArgument{*octets, true};
}

std::optional<std::uint64_t> parse_blob_size(std::string_view arguments) {
  return take_number(arguments);
}

bool is_proxy_header(std::string_view line, std::uint64_t octets, bool& local) {
  constexpr std::string_view kPrefix = "PROXY ";
  constexpr std::uint64_t kLongest = 107;
  if (!line.starts_with(kPrefix) || octets > kLongest) return false;
  const std::string_view family =
      line.substr(kPrefix.size(), skip_word(line, kPrefix.size()) - kPrefix.size());
  local = family == "UNKNOWN";
  return local || family == "TCP4" || family == "TCP6";
}

}  // namespace smtpscope
