#include "parser/line_reader.h"

#include <array>
#include <cassert>
#include <cstring>

#include "base/octets.h"

namespace smtpscope {
namespace {

constexpr std::array<std::uint16_t, 256> kOddity = [] {
  std::array<std::uint16_t, 256> table{};
  for (std::size_t octet = 0; octet < table.size(); ++octet) {
    if (octet == 0) {
      table[octet] = kHasNul;
    } else if (octet == '\r') {
      table[octet] = kHasBareCr;
    } else if (octet == 0x7f || (octet < 0x20 && octet != '\t')) {
      table[octet] = kHasControl;
    } else if (octet >= 0x80) {
      table[octet] = kHasEightBit;
    }
  }
  return table;
}();

/// True when some octet of the word may not be printable ASCII. Borrows and carries between
/// octets only arise beside an octet that is odd itself, so nothing odd is missed.
bool may_be_odd(std::uint64_t word) {
  constexpr std::uint64_t kEach = 0x0101010101010101;
  return ((word | (word - kEach * 0x20) | (word + kEach)) & (kEach * 0x80)) != 0;
}

std::uint16_t oddities_one_by_one(std::string_view text) {
  std::uint16_t flags = 0;
  for (const char c : text) flags |= kOddity[static_cast<unsigned char>(c)];
  return flags;
}

LineEnding ending_after(std::uint64_t trailing_cr) {
  return trailing_cr == 0   ? LineEnding::kLf
         : trailing_cr == 1 ? LineEnding::kCrLf
                            : LineEnding::kCrCrLf;
}

std::size_t count_trailing_cr(std::string_view text) {
  std::size_t count = 0;
  while (count < text.size() && text[text.size() - 1 - count] == '\r') ++count;
  return count;
}

}  // namespace

std::uint16_t odd_octets(std::string_view text) {
  std::uint16_t flags = 0;
  while (text.size() >= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), sizeof word);
    if (may_be_odd(word)) flags |= oddities_one_by_one(text.substr(0, sizeof word));
    text.remove_prefix(sizeof word);
  }
  return static_cast<std::uint16_t>(flags | oddities_one_by_one(text));
}

std::optional<Line> LineReader::read(std::span<const std::uint8_t> octets, std::size_t& taken) {
  const void* const lf = octets.empty() ? nullptr : std::memchr(octets.data(), '\n', octets.size());
  taken = lf == nullptr
              ? octets.size()
              : static_cast<std::size_t>(static_cast<const std::uint8_t*>(lf) - octets.data()) + 1;
  if (octets_ == 0) {
    kept_.clear();
    if (lf != nullptr) {
      const std::string_view raw = text_of(octets.first(taken - 1));
      const std::size_t trailing_cr = count_trailing_cr(raw);
      const std::string_view text = raw.substr(0, raw.size() - trailing_cr);
      Line line{text.substr(0, kKeptLine), text.size(), taken, odd_octets(text),
                ending_after(trailing_cr)};
      if (line.cut()) line.flags |= kCutForDisplay;
      return line;
    }
  }
  append(octets.first(lf == nullptr ? taken : taken - 1));
  if (lf == nullptr) return std::nullopt;
  return complete();
}

void LineReader::append(std::span<const std::uint8_t> octets) {
  const std::string_view text = text_of(octets);
  octets_ += text.size();
  kept_.append(text.substr(0, kKeptLine - kept_.size()));
  const std::size_t trailing_cr = count_trailing_cr(text);
  if (trailing_cr == text.size()) {
    trailing_cr_ += trailing_cr;
    return;
  }
  // What looked like the beginning of the ending was inside the line.
  if (trailing_cr_ > 0) flags_ |= kHasBareCr;
  flags_ |= odd_octets(text.substr(0, text.size() - trailing_cr));
  trailing_cr_ = trailing_cr;
}

Line LineReader::complete() {
  const std::uint64_t text_octets = octets_ - trailing_cr_;
  Line line{std::string_view(kept_).substr(0, text_octets), text_octets, octets_ + 1, flags_,
            ending_after(trailing_cr_)};
  if (line.cut()) line.flags |= kCutForDisplay;
  octets_ = trailing_cr_ = 0;
  flags_ = 0;
  return line;
}

Line LineReader::cut() {
  assert(!empty());
  if (trailing_cr_ > 0) flags_ |= kHasBareCr;
  Line line{kept_, octets_, octets_, flags_, LineEnding::kNone};
  if (line.cut()) line.flags |= kCutForDisplay;
  octets_ = trailing_cr_ = 0;
  flags_ = 0;
  return line;
}

}  // namespace smtpscope
