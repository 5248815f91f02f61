#include "readers/text/paste_plan.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/ascii.h"
#include "readers/text/glued_arrows.h"
#include "readers/text/html_text.h"
#include "readers/text/json_line.h"
#include "readers/text/line_content.h"
#include "readers/text/log_stamp.h"
#include "readers/text/logfmt_line.h"

namespace smtpscope {
namespace {

template <typename Each>
void each_line(std::string_view text, Each&& each) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    each(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

/// "app-1  | ": the size of what docker compose puts before a line; 0 if it did not.
std::size_t service_name_size(std::string_view line) {
  constexpr std::size_t kLongestName = 64;
  const std::size_t bar = line.substr(0, kLongestName).find(" | ");
  std::size_t end = bar;
  std::size_t size = 3;
  if (bar == std::string_view::npos) {
    // An empty line's blank is trimmed.
    if (!line.ends_with(" |") || line.size() > kLongestName) return 0;
    end = line.size() - 2;
    size = 2;
  }
  const std::string_view name = trimmed_blanks(line.substr(0, end));
  const bool fits = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return is_alphanumeric(c) || c == '-' || c == '_' || c == '.' || c == '/';
  });
  return fits ? end + size : 0;
}

/// "/var/log/mail.log:", with a line's number too: the size of what grep puts before a line.
std::size_t file_name_size(std::string_view line) {
  constexpr std::size_t kLongestPath = 256;
  const std::size_t end = line.substr(0, kLongestPath).find_first_of(": ");
  if (end == std::string_view::npos || end < 2 || line[end] != ':') return 0;
  const std::string_view path = line.substr(0, end);
  const bool is_path =
      path.find('/') != std::string_view::npos || path.find(".log") != std::string_view::npos ||
      path.find(".txt") != std::string_view::npos || path == "syslog" || path == "maillog";
  if (!is_path || path.find_first_of("<>[]()=\"'@") != std::string_view::npos) return 0;
  std::size_t size = end + 1;
  const std::size_t digits = std::min(line.find_first_not_of("0123456789", size), line.size());
  // A line's number; a stamp has more colons.
  const bool number = digits > size && digits < line.size() && line[digits] == ':' &&
                      !(digits - size == 2 && digits + 3 < line.size() && line[digits + 3] == ':');
  if (number) size = digits + 1;
  return size;
}

/// "[8/24/10 11:00:05:153 EDT] 0000002a SystemOut     O 220 mx": the size of what WebSphere puts
/// before a line that a program prints, of which the last letter may be left; 0 if it did not.
std::size_t websphere_frame_size(std::string_view line) {
  constexpr std::array<std::string_view, 2> kStreams = {" SystemOut     O ", " SystemErr     R "};
  constexpr std::size_t kLongestFrame = 96;
  if (line == "O") return 1;
  if (line.starts_with("O ")) return 2;
  if (!line.starts_with('[')) return 0;
  for (const std::string_view stream : kStreams) {
    const std::size_t at = line.substr(0, kLongestFrame).find(stream);
    if (at != std::string_view::npos) return at + stream.size();
  }
  return 0;
}

/// A line of which that is no chance.
bool shows_websphere(std::string_view line) {
  const std::size_t size = websphere_frame_size(line);
  return size > 2 || (size == 2 && line.substr(size).starts_with("DEBUG"));
}

/// What Markdown and forums put around a text that is to be shown as it is.
bool is_fence(std::string_view line) {
  line = trimmed_blanks(line);
  if (line.starts_with("```") || line.starts_with("~~~")) {
    return line.find(' ') == std::string_view::npos ||
           line.find_first_not_of("`~") > line.find(' ');
  }
  constexpr std::array<std::string_view, 12> kTags = {
      "[code]", "[/code]", "[quote]", "[/quote]", "[pre]",       "[/pre]",
      "<pre>",  "</pre>",  "<code>",  "</code>",  "<pre><code>", "</code></pre>"};
  return std::any_of(kTags.begin(), kTags.end(),
                     [&](std::string_view tag) { return equal_ignoring_case(line, tag); });
}

/// Tags that stand right before or behind the text that they are for.
std::string_view without_tags(std::string_view line) {
  constexpr std::array<std::string_view, 6> kTags = {"[code]",   "[/code]", "[quote]",
                                                     "[/quote]", "[pre]",   "[/pre]"};
  bool again = true;
  while (again) {
    again = false;
    for (const std::string_view tag : kTags) {
      if (line.size() < tag.size()) continue;
      if (equal_ignoring_case(line.substr(0, tag.size()), tag)) {
        line.remove_prefix(tag.size());
        again = true;
      } else if (equal_ignoring_case(line.substr(line.size() - tag.size()), tag)) {
        line.remove_suffix(tag.size());
        again = true;
      }
    }
  }
  return line;
}

std::string_view without_quote(std::string_view line) {
  if (!line.starts_with('>')) return line;
  line.remove_prefix(1);
  if (line.starts_with(' ')) line.remove_prefix(1);
  return line;
}

/// `AUTH LOGIN`: a line that Markdown shows as code.
bool is_code(std::string_view line) {
  line = trimmed_blanks(line);
  return line.size() > 2 && line.front() == '`' && line.back() == '`' &&
         line.find('`', 1) == line.size() - 1;
}

struct Said {
  std::size_t lines = 0, replies = 0, commands = 0;
  void count(std::string_view line) {
    ++lines;
    const LineContent content = find_content(line).content;
    replies += content == LineContent::kReply ? 1 : 0;
    commands += content == LineContent::kCommand ? 1 : 0;
  }
  bool both() const { return replies > 0 && commands > 0; }
};

/// ">" before both what the client and what the server says marks neither of them.
bool is_quoted(std::string_view text) {
  Said quoted, other;
  each_line(text, [&](std::string_view line) {
    if (line.starts_with(">>")) {
      other.count(line);
    } else {
      line.starts_with('>') ? quoted.count(line.substr(1)) : other.count(line);
    }
  });
  return quoted.both() && !other.both() && other.replies * 4 <= quoted.replies &&
         other.commands * 4 <= quoted.commands;
}

std::size_t indentation_of(std::string_view text) {
  constexpr std::size_t kCodeBlock = 4;
  std::size_t least = std::string_view::npos;
  Said inside, outside;
  const auto each_with_indentation = [text](auto&& each) {
    each_line(text, [&](std::string_view line) {
      const std::size_t blanks = line.find_first_not_of(" \t");
      if (blanks == std::string_view::npos) return;
      each(line, blanks, blanks >= kCodeBlock || line.front() == '\t');
    });
  };
  each_with_indentation([&](std::string_view line, std::size_t blanks, bool indented) {
    (indented ? inside : outside).count(line);
    if (indented) least = std::min(least, blanks);
  });
  if (inside.lines == 0 || outside.replies > 0 || outside.commands > 0) return 0;
  // Stamps cost more to look for.
  std::size_t stamps_inside = 0, stamps_outside = 0;
  LogStamps stamps{WallTime{}};
  each_with_indentation([&](std::string_view line, std::size_t blanks, bool indented) {
    if (stamps.read_any(line.substr(blanks))) ++(indented ? stamps_inside : stamps_outside);
  });
  if (stamps_outside > 0) return 0;
  const bool block = inside.both() || stamps_inside > 0 || outside.lines == 0;
  return block ? least : 0;
}

/// The stamps go down from line to line.
bool goes_backwards(std::string_view text) {
  LogStamps stamps{WallTime{}};
  std::optional<WallTime> first, last;
  std::size_t up = 0, down = 0;
  each_line(text, [&](std::string_view line) {
    const auto stamp = stamps.read_any(line);
    // A time without its day says nothing of order: it may be that of another day.
    if (!stamp || (stamp->yearless && is_digit(line.front()))) return;
    if (!first) first = stamp->time;
    if (last && stamp->time > *last) ++up;
    if (last && stamp->time < *last) ++down;
    last = stamp->time;
  });
  constexpr std::size_t kOutOfOrder = 8;
  return down > 0 && up * kOutOfOrder < down && *last < *first;
}

}  // namespace

bool PastePlan::plain() const {
  return !json_ && !logfmt_ && !html_ && !fences_ && !codes_ && !websphere_ && !glued_ &&
         !labelled_ && !service_names_ && !file_names_ && quotes_ == 0 && indentation_ == 0;
}

PastePlan PastePlan::of(std::string_view beginning) {
  PastePlan plan;
  std::size_t lines = 0, services = 0, files = 0, entities = 0, pairs = 0;
  each_line(beginning, [&](std::string_view line) {
    if (line.empty()) return;
    ++lines;
    services += service_name_size(line) > 0 ? 1 : 0;
    files += file_name_size(line) > 0 ? 1 : 0;
    entities += shows_html(line) ? 1 : 0;
    pairs += text_of_logfmt_line(line) ? 1 : 0;
    const std::string_view trimmed = trimmed_blanks(line);
    plan.fences_ =
        plan.fences_ || is_fence(trimmed) || without_tags(trimmed).size() != trimmed.size();
  });
  constexpr std::size_t kFew = 2;
  // Prose may stand around.
  plan.service_names_ = services >= kFew && services * 2 > lines;
  plan.file_names_ = files >= kFew && files * 2 > lines;
  plan.json_ =
      holds_json_lines(plan.plain() ? beginning : std::string_view(plan.unwrapped(beginning)));
  if (plan.json_) {
    plan.newest_first_ = goes_backwards(plan.unwrapped(beginning));
    return plan;
  }
  // A transcript of ours in a page of Markdown holds what was said as it was.
  const bool ours = beginning.find(kTranscriptHead) != std::string_view::npos;
  plan.html_ = entities >= kFew && !ours;
  plan.logfmt_ = pairs >= kFew && pairs * 2 > lines;
  if (ours) return plan;
  std::string text;
  const auto apply = [&] { text = plan.unwrapped(beginning); };
  apply();
  constexpr std::size_t kDeepest = 4;
  while (plan.quotes_ < kDeepest && is_quoted(text)) {
    ++plan.quotes_;
    apply();
  }
  plan.indentation_ = indentation_of(text);
  if (plan.indentation_ > 0) apply();
  std::size_t codes = 0, framed = 0;
  each_line(text, [&](std::string_view line) {
    codes += is_code(line) ? 1 : 0;
    framed += shows_websphere(line) ? 1 : 0;
    plan.glued_ = plan.glued_ || shows_glued_arrows(line);
  });
  plan.codes_ = codes >= kFew;
  plan.websphere_ = framed >= kFew;
  if (plan.codes_ || plan.websphere_ || plan.glued_) apply();
  if (LabelLines::in(text)) {
    plan.labelled_ = true;
    apply();
    plan.labels_ = LabelLines();  // the beginning comes again
  }
  plan.newest_first_ = goes_backwards(plan.plain() ? beginning : std::string_view(text));
  return plan;
}

std::string_view PastePlan::without_wrapper(std::string_view line) const {
  if (service_names_) line.remove_prefix(service_name_size(line));
  if (file_names_) line.remove_prefix(file_name_size(line));
  for (std::size_t i = 0; i < quotes_; ++i) line = without_quote(line);
  for (std::size_t i = 0; i < indentation_ && !line.empty() && is_blank(line.front()); ++i) {
    line.remove_prefix(1);
  }
  if (websphere_) line.remove_prefix(websphere_frame_size(line));
  return line;
}

const std::vector<std::string_view>& PastePlan::unwrap(std::string_view line) {
  lines_.clear();
  take_off(line);
  if (labelled_) labels_.join(lines_);
  return lines_;
}

void PastePlan::take_off(std::string_view line) {
  std::string_view text = without_wrapper(line);
  if (json_) {
    if (auto said = text_of_json_line(text)) {
      decoded_ = std::move(*said);
      split_decoded();
    }
    return;
  }
  if (fences_) {
    if (is_fence(text)) return;
    text = without_tags(text);
  }
  if (codes_ && is_code(text)) {
    text = trimmed_blanks(text);
    text = text.substr(1, text.size() - 2);
  }
  if (logfmt_) {
    if (auto said = text_of_logfmt_line(text)) {
      decoded_ = std::move(*said);
      split_decoded();
      return;
    }
  }
  if (!html_) {
    glued_ ? split_at_arrows(text, lines_) : lines_.push_back(text);
    return;
  }
  decoded_ = text_of_html(text);
  split_decoded();
}

void PastePlan::split_decoded() {
  std::string_view rest = decoded_;
  while (true) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    lines_.push_back(rest.substr(0, end));
    if (end == rest.size()) break;
    rest.remove_prefix(end + 1);
    if (rest.empty()) break;
  }
}

std::string PastePlan::unwrapped(std::string_view text) {
  std::string all;
  all.reserve(text.size());
  each_line(text, [&](std::string_view line) {
    for (const std::string_view each : unwrap(line)) {
      all += each;
      all += '\n';
    }
  });
  return all;
}

}  // namespace smtpscope
