#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace smtpscope {

/// A page of prose as it was written, <id>.md, with '-' for each '_' of its name. Compiled in by
/// smtpscope_prose (cmake/Prose.cmake), which says how a page is written.
struct ProseSource {
  std::string_view id;
  std::string_view markdown;
};

/// What stands below one heading.
struct ProseSection {
  std::string_view heading;
  bool numbered = false;           // the parts are a list's entries, else paragraphs
  std::vector<std::string> parts;  // plain text, each in one line
};

/// A page taken apart. Refers to the octets of its source.
struct ProsePage {
  std::string_view id;
  std::string title;
  std::vector<ProseSection> sections;  // in the order of the page

  /// The parts below `heading`; none if the page does not have it.
  std::span<const std::string> parts(std::string_view heading) const;
  /// The same as one text, a line per part.
  std::string text(std::string_view heading) const;
};

/// Never fails: what stands before the first heading is left out, and pages are compiled in, so
/// that tests see what is missing.
ProsePage read_page(const ProseSource& source);

/// All pages of a table, in its order.
std::vector<ProsePage> read_pages(std::span<const ProseSource> sources);

}  // namespace smtpscope
