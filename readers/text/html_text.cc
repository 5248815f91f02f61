#include "readers/text/html_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "base/ascii.h"
#include "base/utf8.h"

namespace smtpscope {
namespace {

struct NamedReference {
  std::string_view name;
  std::string_view text;
};
constexpr std::array<NamedReference, 7> kReferences = {{{"lt", "<"},
                                                        {"gt", ">"},
                                                        {"amp", "&"},
                                                        {"quot", "\""},
                                                        {"apos", "'"},
                                                        {"nbsp", " "},
                                                        {"#039", "'"}}};
constexpr std::array<std::string_view, 4> kBreaking = {"br", "p", "div", "li"};
constexpr std::array<std::string_view, 9> kInline = {"pre",  "code", "span", "b",   "i",
                                                     "font", "tt",   "body", "html"};

/// Takes a character reference off the beginning of `rest`; false if there is none.
bool take_reference(std::string_view& rest, std::string& text) {
  constexpr std::size_t kLongest = 10;
  const std::size_t end = rest.substr(0, kLongest).find(';');
  if (end == std::string_view::npos || end < 2) return false;
  std::string_view name = rest.substr(1, end - 1);
  for (const NamedReference& known : kReferences) {
    if (!equal_ignoring_case(name, known.name)) continue;
    text += known.text;
    rest.remove_prefix(end + 1);
    return true;
  }
  if (!name.starts_with('#')) return false;
  name.remove_prefix(1);
  const bool hex = name.starts_with('x') || name.starts_with('X');
  if (hex) name.remove_prefix(1);
  std::uint32_t point = 0;
  const auto [behind, error] =
      std::from_chars(name.data(), name.data() + name.size(), point, hex ? 16 : 10);
  constexpr std::uint32_t kLastPoint = 0x10FFFF;
  if (error != std::errc() || behind != name.data() + name.size() || point > kLastPoint)
    return false;
  append_utf8(text, char32_t{point});
  rest.remove_prefix(end + 1);
  return true;
}

template <std::size_t size>
bool is_one_of(std::string_view name, const std::array<std::string_view, size>& names) {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view each) { return equal_ignoring_case(name, each); });
}

/// Takes a tag off the beginning of `rest`; false if it is none that pages have.
bool take_tag(std::string_view& rest, std::string& text) {
  const std::size_t end = rest.find('>');
  if (end == std::string_view::npos) return false;
  std::string_view name = rest.substr(1, end - 1);
  if (name.starts_with('/')) name.remove_prefix(1);
  name = name.substr(0, name.find_first_of(" /"));
  if (is_one_of(name, kBreaking)) {
    if (!text.empty() && !text.ends_with('\n')) text += '\n';
  } else if (!is_one_of(name, kInline)) {
    return false;
  }
  rest.remove_prefix(end + 1);
  return true;
}

}  // namespace

bool shows_html(std::string_view line) {
  constexpr std::array<std::string_view, 6> kSigns = {"&lt;",   "&gt;", "&quot;",
                                                      "&#039;", "<br>", "<br />"};
  return std::any_of(kSigns.begin(), kSigns.end(), [&](std::string_view sign) {
    return line.find(sign) != std::string_view::npos;
  });
}

std::string text_of_html(std::string_view line) {
  std::string text;
  text.reserve(line.size());
  while (!line.empty()) {
    if (line.front() == '&' && take_reference(line, text)) continue;
    if (line.front() == '<' && take_tag(line, text)) continue;
    text += line.front();
    line.remove_prefix(1);
  }
  return text;
}

}  // namespace smtpscope
