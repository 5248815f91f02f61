#include "base/prose.h"

#include <algorithm>
#include <cstddef>

#include "base/ascii.h"
#include "base/lines.h"

namespace smtpscope {
namespace {

/// What follows "7. ", or "" if the line does not begin so.
std::string_view entry_of_list(std::string_view line) {
  std::size_t digits = 0;
  while (digits < line.size() && is_digit(line[digits])) ++digits;
  if (digits == 0 || !line.substr(digits).starts_with(". ")) return {};
  return line.substr(digits + 2);
}

std::string_view without_indentation(std::string_view line) {
  return line.substr(std::min(line.find_first_not_of(' '), line.size()));
}

/// Markdown's own characters taken out: a backtick, and a backslash before what it protects.
std::string plain(std::string_view markdown) {
  std::string out;
  bool code = false;
  for (std::size_t i = 0; i < markdown.size(); ++i) {
    if (markdown[i] == '`') {
      code = !code;
      continue;
    }
    const bool escape = markdown[i] == '\\' && !code && i + 1 < markdown.size();
    out += markdown[escape ? ++i : i];
  }
  return out;
}

}  // namespace

std::span<const std::string> ProsePage::parts(std::string_view heading) const {
  const auto found = std::ranges::find(sections, heading, &ProseSection::heading);
  if (found == sections.end()) return {};
  return found->parts;
}

std::string ProsePage::text(std::string_view heading) const {
  std::string out;
  for (const std::string& part : parts(heading)) {
    if (!out.empty()) out += '\n';
    out += part;
  }
  return out;
}

ProsePage read_page(const ProseSource& source) {
  ProsePage page{.id = source.id, .title = {}, .sections = {}};
  std::string_view rest = source.markdown;
  bool goes_on = false;  // the next line belongs to the last part
  while (!rest.empty()) {
    const std::string_view line = without_trailing_blanks(take_line(rest));
    if (line.starts_with("# ")) {
      page.title = plain(line.substr(2));
    } else if (line.starts_with("## ")) {
      page.sections.push_back({.heading = line.substr(3), .numbered = false, .parts = {}});
    } else if (!line.empty() && !page.sections.empty()) {
      ProseSection& section = page.sections.back();
      const std::string_view entry = entry_of_list(line);
      if (!entry.empty() && (section.numbered || section.parts.empty())) {
        section.numbered = true;
        section.parts.emplace_back(entry);
      } else if (goes_on) {
        section.parts.back() += ' ';
        section.parts.back() += without_indentation(line);
      } else {
        section.parts.emplace_back(without_indentation(line));
      }
      goes_on = true;
      continue;
    }
    goes_on = false;
  }
  // Now that lines are joined: what stands in backticks may have been wrapped.
  for (ProseSection& section : page.sections) {
    for (std::string& part : section.parts) part = plain(part);
  }
  return page;
}

std::vector<ProsePage> read_pages(std::span<const ProseSource> sources) {
  std::vector<ProsePage> pages;
  pages.reserve(sources.size());
  for (const ProseSource& source : sources) pages.push_back(read_page(source));
  return pages;
}

}  // namespace smtpscope
