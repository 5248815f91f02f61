#include "redact/known_names.h"

#include <algorithm>

#include "base/ascii.h"
#include "redact/standard_words.h"

namespace smtpscope {

KnownNames::KnownNames(const Originals& originals) : originals_(originals) {
  for (const auto& [original, kind] : originals.telling()) {
    search_.add(original, static_cast<std::uint32_t>(kinds_.size()));
    kinds_.push_back(kind);
  }
  search_.prepare();
}

std::vector<KnownNames::Match> KnownNames::find(std::string_view text) const {
  std::vector<Match> matches;
  const std::string lower = in_lower_case(text);
  search_.search(lower, [&](std::uint32_t number, std::size_t begin, std::size_t end) {
    if (stands_alone(lower, begin, end)) matches.push_back({begin, end, kinds_[number]});
  });
  std::ranges::sort(matches, [](const Match& a, const Match& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end > b.end;
  });
  const auto same = [](const Match& a, const Match& b) { return a.begin == b.begin; };
  matches.erase(std::unique(matches.begin(), matches.end(), same), matches.end());
  return matches;
}

bool KnownNames::is_in(std::string_view text) const {
  bool found = false;
  const std::string lower = in_lower_case(text);
  search_.search(lower, [&](std::uint32_t, std::size_t begin, std::size_t end) {
    found = found || stands_alone(lower, begin, end);
  });
  return found;
}

bool KnownNames::is_ordinary_name(std::string_view text) const {
  const auto found = originals_.ordinary_names().find(in_lower_case(text));
  return found != originals_.ordinary_names().end() &&
         (found->second == OriginalKind::kLocalPart || found->second == OriginalKind::kHost) &&
         !is_standard_word(text);
}

}  // namespace smtpscope
