#include "parser/header_scanner.h"

#include <algorithm>
#include <cstring>

#include "base/ascii.h"

namespace smtpscope {
namespace {

constexpr bool blank(std::uint8_t octet) { return octet == ' ' || octet == '\t'; }

/// May stand in the name of a field (RFC 5322 3.6.8).
constexpr bool in_name(std::uint8_t octet) { return octet > ' ' && octet < 0x7f && octet != ':'; }

constexpr char lower_case(std::uint8_t octet) { return lower(static_cast<char>(octet)); }

std::uint64_t count_eight_bit(std::span<const std::uint8_t> octets) {
  return static_cast<std::uint64_t>(std::count_if(
      octets.begin(), octets.end(), [](std::uint8_t octet) { return octet >= 0x80; }));
}

/// FNV-1a, where 0 stands for nothing yet.
std::uint64_t hashed(std::uint64_t hash, std::uint8_t octet) {
  if (hash == 0) hash = 0xcbf29ce484222325;
  return (hash ^ octet) * 0x00000100000001b3;
}

}  // namespace

void HeaderScanner::scan(std::span<const std::uint8_t> octets, std::uint64_t at,
                         HeaderFacts& facts) {
  const std::uint64_t left = kMostOctets - std::min(at, kMostOctets);
  const bool last = octets.size() >= left;
  if (last) octets = octets.first(static_cast<std::size_t>(left));
  std::size_t taken = 0;
  while (taken < octets.size() && !done()) {
    if (stage == Stage::kText && !reads_id) {
      const std::size_t rest = octets.size() - taken;
      const void* const lf = std::memchr(octets.data() + taken, '\n', rest);
      if (lf == nullptr) {
        taken = octets.size();
        break;
      }
      taken = static_cast<std::size_t>(static_cast<const std::uint8_t*>(lf) - octets.data());
    }
    take(octets[taken++], facts);
  }
  facts.eight_bit += count_eight_bit(octets.first(taken));
  if (last) stop();
}

void HeaderScanner::take(std::uint8_t octet, HeaderFacts& facts) {
  switch (stage) {
    case Stage::kLineStart:
      begin_line(octet, facts);
      return;
    case Stage::kEmptyLine:
      if (octet == '\n') {
        end(facts);
      } else if (octet != '\r') {
        stage = Stage::kText;
      }
      return;
    case Stage::kDot:
      begin_name(octet);
      return;
    case Stage::kName:
      if (in_name(octet)) {
        if (name_size == kLongestName) {
          leave_name(Stage::kText);
        } else {
          name_octets[name_size++] = lower_case(octet);
        }
        return;
      }
      [[fallthrough]];
    case Stage::kBehindName:
      if (octet == ':') {
        take_name(facts);
      } else if (blank(octet)) {
        stage = Stage::kBehindName;
      } else {
        leave_name(octet == '\n' ? Stage::kLineStart : Stage::kText);
      }
      return;
    case Stage::kText:
      if (octet == '\n') {
        stage = Stage::kLineStart;
      } else if (reads_id && !blank(octet) && octet != '\r') {
        id = hashed(id, octet);
      }
      return;
    case Stage::kDone:
      return;
  }
}

void HeaderScanner::begin_line(std::uint8_t octet, HeaderFacts& facts) {
  if (blank(octet)) {  // the field goes on (RFC 5322 2.2.3)
    stage = Stage::kText;
    return;
  }
  if (reads_id) {
    facts.message_id = id;
    reads_id = false;
    id = 0;
  }
  if (octet == '\n') {
    end(facts);
  } else if (octet == '\r') {
    stage = Stage::kEmptyLine;
  } else if (octet == '.') {
    stage = Stage::kDot;
  } else {
    begin_name(octet);
  }
}

void HeaderScanner::begin_name(std::uint8_t octet) {
  if (octet == '\n') {
    stage = Stage::kLineStart;
  } else if (in_name(octet)) {
    stage = Stage::kName;
    name_octets[name_size++] = lower_case(octet);
  } else {
    stage = Stage::kText;
  }
}

void HeaderScanner::leave_name(Stage next) {
  stage = next;
  name_size = 0;
  name_octets = {};
}

void HeaderScanner::take_name(HeaderFacts& facts) {
  if (marks_a_mail_scanner(name())) ++facts.scanner_fields;
  reads_id = facts.message_id == 0 && name() == "message-id";
  leave_name(Stage::kText);
}

void HeaderScanner::end(HeaderFacts& facts) {
  facts.ended = true;
  stop();
}

bool HeaderScanner::possible(const HeaderFacts& facts) const {
  // The shortest name that counts takes so many octets, its colon included.
  constexpr std::uint64_t kShortestMark = 6;
  if (facts.eight_bit > kMostOctets || facts.scanner_fields > kMostOctets / kShortestMark) {
    return false;
  }
  if (stage > Stage::kDone) return false;
  if (facts.ended && !done()) return false;

  const bool named = stage == Stage::kName || stage == Stage::kBehindName;
  if (named != (name_size > 0) || name_size > kLongestName) return false;
  for (std::size_t i = 0; i < kLongestName; ++i) {
    const auto octet = static_cast<std::uint8_t>(name_octets[i]);
    const bool sound =
        i < name_size ? in_name(octet) && lower_case(octet) == name_octets[i] : octet == 0;
    if (!sound) return false;
  }
  if (!reads_id) return id == 0;
  return (stage == Stage::kLineStart || stage == Stage::kText) && facts.message_id == 0;
}

bool marks_a_mail_scanner(std::string_view field_name) {
  constexpr std::string_view kNames[] = {"x-antivirus", "x-antivirus-status", "x-av-checked"};
  constexpr std::string_view kProducts[] = {"x-avast", "x-avg", "x-norton"};
  const auto equals = [&](std::string_view name) { return field_name == name; };
  const auto begins = [&](std::string_view name) { return field_name.starts_with(name); };
  if (std::any_of(std::begin(kNames), std::end(kNames), equals)) return true;
  if (std::any_of(std::begin(kProducts), std::end(kProducts), begins)) return true;
  if (!begins("x-") || begins("x-spam-")) return false;
  // X-*-Scanned, X-*-Antivirus*: whoever has put his name in the middle.
  const std::string_view rest = field_name.substr(2);
  constexpr std::string_view kScanned = "-scanned";
  if (rest.ends_with(kScanned) && rest.size() > kScanned.size()) return true;
  const std::size_t antivirus = rest.find("-antivirus");
  return antivirus != 0 && antivirus != std::string_view::npos;
}

}  // namespace smtpscope
