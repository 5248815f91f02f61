#include "redact/originals.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "redact/standard_words.h"
#include "redact/word_cipher.h"

namespace smtpscope {
namespace {

/// Shorter words stand in pseudonyms and texts by chance.
constexpr std::size_t kShortestTelling = 4;

/// RFC 2606 and RFC 6761: the names that pseudonyms are made with, and those of every host.
bool is_reserved(std::string_view word) {
  constexpr std::string_view kReserved[] = {"example", "test", "invalid", "localhost"};
  return std::ranges::find(kReserved, word) != std::end(kReserved);
}

}  // namespace

std::string_view to_string(OriginalKind kind) {
  constexpr std::array<std::string_view, kOriginalKinds> kNames = {
      "mail addresses",      "user names",   "host and domain names",
      "parts of such names", "IP addresses", "words of texts",
      "identifiers"};
  return kNames[static_cast<std::size_t>(kind)];
}

bool is_telling(OriginalKind kind, std::string_view lower) {
  if (kind == OriginalKind::kMailbox || kind == OriginalKind::kAddress) return true;
  // Sizes, dates and versions are made of digits as well.
  const bool letters = std::ranges::any_of(
      lower, [](char c) { return is_letter(c) || static_cast<unsigned char>(c) >= 0x80; });
  if (kind == OriginalKind::kHost && lower.find('.') != std::string_view::npos) return letters;
  return lower.size() >= kShortestTelling && letters && !is_reserved(lower) &&
         !is_standard_word(lower) && !is_mime_word(lower);
}

void Originals::add_part(OriginalKind kind, std::string_view text) {
  std::string lower = in_lower_case(text);
  if (is_telling(kind, lower)) kinds_.emplace(std::move(lower), kind);
}

void Originals::add(OriginalKind kind, std::string_view text) {
  if (text.empty()) return;
  std::string lower = in_lower_case(text);
  auto& known = is_telling(kind, lower) ? kinds_ : ordinary_;
  const auto [entry, is_new] = known.emplace(std::move(lower), kind);
  const bool is_name = kind == OriginalKind::kLocalPart || kind == OriginalKind::kHost;
  if (is_name && &known == &ordinary_) entry->second = kind;
  Count& count = counts_[static_cast<std::size_t>(kind)];
  ++count.times;
  if (is_new) ++count.different;
}

}  // namespace smtpscope
