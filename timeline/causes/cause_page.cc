#include <map>
#include <string_view>

#include "base/prose.h"
#include "timeline/causes/cause.h"

namespace smtpscope {

extern const std::span<const ProseSource> kCausesProse;

namespace {

CausePage page_in(const ProseSource& source) {
  CausePage page;
  const ProsePage prose = read_page(source);
  const auto list = [&](std::string_view heading) {
    const auto parts = prose.parts(heading);
    return std::vector<std::string>(parts.begin(), parts.end());
  };
  page.title = prose.title;
  page.means = prose.text("What it means");
  page.checks = list("What to do");
  page.not_it = list("What it is not");
  return page;
}

/// Sessions by the thousand end with the same few causes: each page is read once.
std::map<std::string_view, CausePage> all_pages() {
  std::map<std::string_view, CausePage> pages;
  for (const ProseSource& source : kCausesProse) pages.emplace(source.id, page_in(source));
  return pages;
}

}  // namespace

const CausePage& page_of(const Cause& cause) {
  static const std::map<std::string_view, CausePage> kPages = all_pages();
  static const CausePage kNone;  // a test sees to it that there is one for each
  const auto page = kPages.find(cause.id);
  return page == kPages.end() ? kNone : page->second;
}

}  // namespace smtpscope
