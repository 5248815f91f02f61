#include "redact/pseudonyms.h"

#include <algorithm>
#include <vector>

#include "base/ascii.h"
#include "parser/path.h"
#include "redact/punycode.h"
#include "redact/standard_words.h"

namespace smtpscope {
namespace {

bool in_label(char c) { return is_alphanumeric(c) || c == '-' || c == '_' || is_beyond_ascii(c); }

std::vector<std::string_view> labels_of(std::string_view name) {
  std::vector<std::string_view> labels;
  while (true) {
    const std::size_t dot = name.find('.');
    labels.push_back(name.substr(0, dot));
    if (dot == std::string_view::npos) return labels;
    name.remove_prefix(dot + 1);
  }
}

/// Labels that stand before a country for everybody, as in "co.uk".
bool is_public_second(std::string_view label) {
  constexpr std::string_view kPublic[] = {"ac",  "co",  "com", "edu", "gob", "gouv", "gov",
                                          "ltd", "me",  "mil", "ne",  "net", "nom",  "or",
                                          "org", "plc", "go",  "gv",  "sch", "nhs"};
  return std::ranges::find(kPublic, label) != std::end(kPublic);
}

/// How many labels at the end belong together: what can be registered, nearly enough.
std::size_t registered_labels(const std::vector<std::string_view>& labels) {
  const std::size_t count = labels.size();
  const bool country = labels.back().size() == 2;
  return count >= 3 && country && is_public_second(labels[count - 2]) ? 3 : 2;
}

std::string joined(std::string_view within, std::string_view text) {
  std::string key(within);
  key += '\0';
  key += text;
  return key;
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_beyond_ascii(text[i])) continue;
    const std::size_t size = utf8_character(text, i);
    if (size == 0) return false;
    i += size - 1;
  }
  return true;
}

bool is_plain_label(std::string_view label) {
  return !label.empty() && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, [](char c) { return is_alphanumeric(c) || c == '-'; });
}

}  // namespace

bool looks_like_domain(std::string_view text) {
  const std::vector<std::string_view> labels = labels_of(text);
  if (labels.size() < 2) return false;
  const bool sound = std::ranges::all_of(labels, [](std::string_view label) {
    return !label.empty() && std::ranges::all_of(label, in_label);
  });
  // What is no UTF-8 is no name in any alphabet.
  if (!sound || !is_utf8(text)) return false;
  const std::string_view last = labels.back();
  return last.size() >= 2 &&
         (from_a_label(last).has_value() ||
          std::ranges::all_of(last, [](char c) { return is_letter(c) || is_beyond_ascii(c); }));
}

Pseudonyms::Pseudonyms(std::string_view key, const Originals* known)
    : hash_(key), found_before_(known), addresses_(hash_, known) {}

const KnownNames* Pseudonyms::known() const {
  if (!known_ && found_before_ != nullptr) known_.emplace(*found_before_);
  return known_ ? &*known_ : nullptr;
}

bool Pseudonyms::holds_known(std::string_view text) const {
  return known() != nullptr && known()->is_in(text);
}

bool Pseudonyms::is_known_user(std::string_view text) const {
  if (found_before_ == nullptr) return false;
  const auto& telling = found_before_->telling();
  const auto found = telling.find(in_lower_case(text));
  return found != telling.end() && found->second == OriginalKind::kLocalPart;
}

std::string Pseudonyms::of(OriginalKind kind, std::string_view text) {
  switch (kind) {
    case OriginalKind::kMailbox:
      return mailbox(text);
    case OriginalKind::kLocalPart:
      return local_part(text);
    case OriginalKind::kHost:
    case OriginalKind::kAddress:
      return host(text);
    case OriginalKind::kLabel:
    case OriginalKind::kWord:
    case OriginalKind::kIdentifier:
      break;
  }
  return word(text);
}

/// May stand for `original`: it is nobody else's, no word with a meaning, and nothing that was to
/// be replaced.
bool Pseudonyms::is_fit(std::string_view within, std::string_view original,
                        std::string_view candidate) {
  // What is so short has no other choice, and what is so long is no word.
  const bool word = original.size() > 1 && original.size() <= WordCipher::kLongest;
  if (word && (is_standard_word(candidate) || !telling_part(candidate).empty())) {
    return false;
  }
  if (holds_known(candidate)) return false;
  const auto taken = taken_.find(joined(within, candidate));
  return taken == taken_.end() || taken->second == original;
}

std::string Pseudonyms::permuted(std::string_view within, std::string_view lower) {
  std::string key = joined(within, lower);
  if (const auto known = chosen_.find(key); known != chosen_.end()) return known->second;
  // Going on from what is not fit leads to another word for every other beginning, as long as it is
  // a permutation (cycle walking, NIST SP 800-38G). Of words of a shape at most a few in a hundred
  // are not fit, so that many steps in a row lead nowhere; and what is no text has no names.
  const int most_steps = is_utf8(lower) ? 60 : 2;
  constexpr int kMostOthers = 50;
  std::string candidate = cipher_.permute(within, lower);
  for (int step = 0; step < most_steps && !is_fit(within, lower, candidate); ++step) {
    candidate = cipher_.permute(within, candidate);
  }
  // A permutation may leave a word as it is: then another one has to do.
  std::string other(within);
  for (int tried = 0; candidate == lower && tried < kMostOthers; ++tried) {
    other += '\1';
    const std::string next = cipher_.permute(other, lower);
    if (is_fit(within, lower, next)) candidate = next;
  }
  chosen_.emplace(std::move(key), candidate);
  taken_.emplace(joined(within, candidate), std::string(lower));
  return candidate;
}

std::string Pseudonyms::word(std::string_view text) {
  if (text.empty()) return {};
  const bool digits = std::ranges::any_of(text, is_digit);
  originals_.add(digits ? OriginalKind::kIdentifier : OriginalKind::kWord, text);
  return with_case_of(text, permuted("", in_lower_case(text)));
}

std::string Pseudonyms::local_part(std::string_view text) {
  if (text.empty() || equal_ignoring_case(text, "postmaster")) return std::string(text);
  originals_.add(OriginalKind::kLocalPart, text);
  // "alice" of "alice.smith" is what a text may call her.
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && (is_alphanumeric(text[end]) || is_beyond_ascii(text[end]))) ++end;
    if (end - at < text.size()) {
      originals_.add_part(OriginalKind::kWord, text.substr(at, end - at));
    }
    at = end + 1;
  }
  return with_case_of(text, permuted("", in_lower_case(text)));
}

/// A label of a name, `within` its parent. In either form of an internationalised name (RFC 5890)
/// it is the same one.
std::string Pseudonyms::label(std::string_view within, std::string_view text) {
  originals_.add(OriginalKind::kLabel, text);
  if (const auto unicode = from_a_label(text)) {
    const auto ascii = to_a_label(permuted(within, in_lower_case(*unicode)));
    if (ascii) return with_case_of(text, *ascii);
  }
  return with_case_of(text, permuted(within, in_lower_case(text)));
}

/// The pseudonym of a registered domain in lower case and A-labels.
std::string Pseudonyms::registered(std::string_view lower) {
  constexpr std::string_view kWithin = "registered";
  std::string key = joined(kWithin, lower);
  if (const auto known = chosen_.find(key); known != chosen_.end()) return known->second;
  // "abcd.test" is the shortest: four octets are enough to tell domains apart.
  constexpr std::size_t kLeast = 4, kTest = 5, kExample = 8;
  const bool long_enough = lower.size() >= kLeast + 2 + kExample;
  const std::string_view suffix = long_enough ? ".example" : ".test";
  const std::size_t octets =
      std::max(lower.size(), kLeast + kTest) - (long_enough ? kExample : kTest);
  std::string candidate;
  for (char attempt = 0; attempt < 100; ++attempt) {
    HashStream stream(hash_, hash_.of({kWithin, lower, std::string_view(&attempt, 1)}));
    candidate.clear();
    for (std::size_t i = 0; i < octets; ++i) {
      const std::uint32_t number = stream.below(i == 0 ? 26 : 36);
      candidate += static_cast<char>(number < 26 ? 'a' + number : '0' + number - 26);
    }
    const bool fit = is_fit(kWithin, lower, candidate);
    candidate += suffix;
    if (fit && is_fit(kWithin, lower, candidate)) break;
  }
  chosen_.emplace(std::move(key), candidate);
  taken_.emplace(joined(kWithin, candidate), std::string(lower));
  return candidate;
}

std::string Pseudonyms::domain(std::string_view text) {
  std::string_view name = text;
  while (name.ends_with('.')) name.remove_suffix(1);
  const std::string_view behind = text.substr(name.size());
  if (name.empty()) return std::string(text);
  if (equal_ignoring_case(name, "localhost.localdomain") || is_standard_word(name)) {
    return std::string(text);
  }
  const std::vector<std::string_view> labels = labels_of(name);
  originals_.add(OriginalKind::kHost, name);
  std::string result;
  if (labels.size() == 1) {
    result = with_case_of(name, permuted("", in_lower_case(name)));
  } else if (!looks_like_domain(name)) {
    // No name at all, such as one with an empty label or a number at its end: its form stays.
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (i > 0) result += '.';
      if (!labels[i].empty()) result += label("", labels[i]);
    }
  } else {
    const std::size_t count = registered_labels(labels);
    const auto own = labels.end() - static_cast<std::ptrdiff_t>(count);
    const std::string_view base = name.substr(static_cast<std::size_t>(own->data() - name.data()));
    const std::string lower = in_lower_case(base);
    if (base.size() < name.size()) originals_.add(OriginalKind::kHost, base);
    const bool ascii = std::ranges::none_of(base, is_beyond_ascii);
    const bool plain = ascii && is_plain_label(*own) && !from_a_label(*own);
    if (plain) {
      originals_.add(OriginalKind::kLabel, *own);
      result = with_case_of(base, registered(lower));
    } else {
      // Odd characters are what a finding may be about, and letters beyond ASCII have two
      // spellings.
      result = label(lower.substr(own->size()), *own);
      // As the last label was not, so that it needs SMTPUTF8 as before.
      if (!ascii && std::ranges::none_of(*own, is_beyond_ascii)) result += "\xd1\x8f";
      result += ".test";
    }
    std::string parent = lower;
    for (auto each = own; each != labels.begin();) {
      --each;
      result.insert(0, label(parent, *each) + ".");
      parent.insert(0, in_lower_case(*each) + ".");
    }
  }
  result += behind;
  return result;
}

std::optional<std::string> Pseudonyms::address(std::string_view text) {
  const auto original = read_ip_address(text);
  if (!original) return std::nullopt;
  const NumericAddress chosen = address(*original);
  if (chosen == *original) return std::string(text);
  originals_.add(OriginalKind::kAddress, text);
  const bool mapped = original->v4 && text.find(':') != std::string_view::npos;
  return (mapped ? "::ffff:" : "") + to_string(chosen);
}

NumericAddress Pseudonyms::address(const NumericAddress& original) {
  const NumericAddress chosen = addresses_.of(original);
  if (chosen != original) originals_.add(OriginalKind::kAddress, to_string(original));
  return chosen;
}

std::string Pseudonyms::host(std::string_view text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    std::string_view inside = text.substr(1, text.size() - 2);
    constexpr std::string_view kTag = "IPv6:";
    const bool tagged = equal_ignoring_case(inside.substr(0, kTag.size()), kTag);
    const std::string_view tag = inside.substr(0, tagged ? kTag.size() : 0);
    inside.remove_prefix(tag.size());
    const auto chosen = address(inside);
    return "[" + std::string(tag) + (chosen ? *chosen : domain(inside)) + "]";
  }
  if (auto chosen = address(text)) return *chosen;
  return domain(text);
}

std::string Pseudonyms::mailbox(std::string_view text) {
  const std::size_t at = find_domain(text);
  if (at == std::string_view::npos) return local_part(text);
  originals_.add(OriginalKind::kMailbox, text);
  std::string local = local_part(text.substr(0, at - 1));
  return local + "@" + host(text.substr(at));
}

std::string Pseudonyms::path(std::string_view text) {
  std::string result;
  std::string part;
  const auto finish = [&] {
    result += is_standard_word(part) ? part : word(part);
    part.clear();
  };
  for (const char c : text) {
    if (is_alphanumeric(c) || is_beyond_ascii(c)) {
      part += c;
      continue;
    }
    finish();
    result += c;
  }
  finish();
  return result;
}

std::string Pseudonyms::endpoint(std::string_view text) {
  constexpr std::string_view kUnix = "unix:";
  if (text.starts_with(kUnix)) return std::string(kUnix) + path(text.substr(kUnix.size()));
  if (text.empty() || text == "sink") return std::string(text);
  const std::size_t colon = text.rfind(':');
  const bool only_address = text.ends_with(']') || read_ip_address(text).has_value();
  const std::string_view name = only_address ? text : text.substr(0, colon);
  return host(name) + std::string(text.substr(name.size()));
}

std::uint64_t Pseudonyms::number(std::string_view kind, std::uint64_t original) {
  if (original == 0) return 0;
  const std::string_view octets(reinterpret_cast<const char*>(&original), sizeof original);
  const std::uint64_t hashed = hash_.number_of({"number", kind, octets});
  return hashed == 0 ? 1 : hashed;
}

}  // namespace smtpscope
