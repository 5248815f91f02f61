#include "readers/text/label_lines.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/ascii.h"
#include "readers/text/line_content.h"
#include "readers/text/log_lines.h"

namespace smtpscope {
namespace {

/// A word and a colon, between them the number of a connection: "SEND (1):".
struct Label {
  std::string_view word;  // "" if it is none
  std::string_view behind;
  bool numbered = false;
};

Label label_of(std::string_view line) {
  constexpr std::size_t kLongestWord = 16;
  const auto letters = static_cast<std::size_t>(
      std::find_if_not(line.begin(), line.end(), is_letter) - line.begin());
  if (letters < 2 || letters > kLongestWord) return {};
  Label label{.word = line.substr(0, letters), .behind = line.substr(letters)};
  if (label.behind.starts_with(" (")) {
    const std::size_t end = label.behind.find_first_not_of("0123456789", 2);
    if (end == 2 || end == std::string_view::npos || label.behind[end] != ')') return {};
    label.numbered = true;
    label.behind.remove_prefix(end + 1);
  }
  if (!label.behind.starts_with(':')) return {};
  label.behind.remove_prefix(1);
  return label;
}

bool stands_alone(const Label& label) {
  return !label.word.empty() && trimmed_blanks(label.behind).empty();
}

/// The first literal of a line that has nothing else, but for the branch of a tree before it.
std::string_view literal_of(std::string_view line) {
  line = trimmed_blanks(line);
  for (const std::string_view branch : {"└", "├", "─", " "}) {
    while (line.starts_with(branch)) line.remove_prefix(branch.size());
  }
  if (!line.starts_with('"')) return {};
  std::size_t end = 1;
  while (end < line.size() && line[end] != '"') end += line[end] == '\\' ? 2 : 1;
  return end < line.size() ? line.substr(0, end + 1) : std::string_view();
}

}  // namespace

bool LabelLines::in(std::string_view text) {
  constexpr std::size_t kFew = 2;
  std::size_t seen = 0;
  bool labelled = false;
  any_line(text, [&](std::string_view line) {
    if (labelled && !literal_of(line).empty()) ++seen;
    labelled = stands_alone(label_of(line));
    return seen == kFew;
  });
  return seen == kFew;
}

void LabelLines::join(std::vector<std::string_view>& lines) {
  joined_.clear();
  std::vector<std::string_view> out;
  const auto put = [&](std::string line) { out.push_back(joined_.emplace_back(std::move(line))); };
  for (const std::string_view line : lines) {
    if (!label_.empty()) {
      // A second literal is what had come before it and was not whole yet.
      const std::string_view said = literal_of(line);
      put(std::exchange(label_, {}) + ": " + std::string(said));
      if (!said.empty()) continue;
    }
    const Label label = label_of(line);
    if (stands_alone(label)) {
      label_ = label.word;
    } else if (label.numbered) {
      put(std::string(label.word) + ":" + std::string(label.behind));
    } else {
      out.push_back(line);
    }
  }
  lines = std::move(out);
}

}  // namespace smtpscope
