#include "parser/capabilities.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include "base/ascii.h"

namespace smtpscope {
namespace {

/// ehlo-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-") (RFC 5321 4.1.1.1).
bool is_keyword_octet(char c) { return is_alphanumeric(c) || c == '-'; }

/// Takes the next word off `text`; empty when there is none.
std::string_view next_word(std::string_view& text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  std::size_t end = 0;
  while (end < text.size() && !is_blank(text[end])) ++end;
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

bool has_word(std::string_view words, std::string_view wanted) {
  for (auto word = next_word(words); !word.empty(); word = next_word(words)) {
    if (equal_ignoring_case(word, wanted)) return true;
  }
  return false;
}

void append_word(std::string& words, std::string_view word) {
  if (!words.empty()) words += ' ';
  words += word;
}

std::string single_spaced(std::string_view text) {
  std::string result;
  for (auto word = next_word(text); !word.empty(); word = next_word(text)) {
    append_word(result, word);
  }
  return result;
}

/// What `more` adds to `words`. A list longer than a line may be (RFC 5321 4.5.3.1.5) is not
/// searched for what it already holds, so that a hostile reply costs no more than its octets.
std::string merged(std::string_view words, std::string_view more) {
  constexpr std::size_t kSearched = 512;
  std::string result(words);
  for (auto word = next_word(more); !word.empty(); word = next_word(more)) {
    if (result.size() > kSearched || !has_word(result, word)) append_word(result, word);
  }
  return result;
}

/// The first word as a number; 0 when it is none.
std::uint64_t leading_number(std::string_view words) {
  const std::string_view word = next_word(words);
  const char* const end = word.data() + word.size();
  std::uint64_t number = 0;
  const auto [stopped, error] = std::from_chars(word.data(), end, number);
  return error == std::errc{} && stopped == end ? number : 0;
}

/// A keyword while the reply is being read.
struct KeywordDraft {
  std::string name;
  std::string parameters;
};

/// One line of the reply taken apart; the name is empty when the line has no keyword.
struct KeywordLine {
  std::string_view name;
  std::string_view parameters;
};

KeywordLine split_keyword(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  std::size_t end = 0;
  while (end < text.size() && is_keyword_octet(text[end])) ++end;
  if (end == 0 || text.front() == '-') return {};
  // "AUTH=LOGIN" is how servers from before RFC 2554 spell it, and clients from then look for it.
  if (end < text.size() && !is_blank(text[end]) && text[end] != '=') return {};
  return {text.substr(0, end), text.substr(std::min(end + 1, text.size()))};
}

}  // namespace

void Capabilities::read(const Reply& reply) {
  clear();
  if (reply.lines.empty()) return;
  std::size_t octets = 0;
  std::vector<KeywordDraft> drafts;
  drafts.reserve(std::min(reply.lines.size() - 1, kMaxKeywords));
  // The first line is the server's name and a greeting, never a keyword (RFC 5321 4.1.1.1).
  for (const ReplyLine& line : reply.lines.subspan(1)) {
    const KeywordLine offered = line.code / 100 == 2 ? split_keyword(line.text) : KeywordLine{};
    if (offered.name.empty()) {
      all_keywords_ = false;
      continue;
    }
    const std::string name = in_upper_case(offered.name);
    const auto known = std::ranges::find(drafts, name, &KeywordDraft::name);
    const bool is_new = known == drafts.end();
    const std::string parameters =
        is_new ? single_spaced(offered.parameters) : merged(known->parameters, offered.parameters);
    const std::size_t kept = is_new ? 0 : known->name.size() + known->parameters.size();
    const std::size_t wanted = octets - kept + name.size() + parameters.size();
    if (wanted > kMaxOctets || (is_new && drafts.size() == kMaxKeywords)) {
      ++dropped_;
      continue;
    }
    octets = wanted;
    if (is_new) {
      drafts.push_back({name, parameters});
    } else {
      known->parameters = parameters;
    }
  }
  static_assert(kMaxKeywords * sizeof(Keyword) + kMaxOctets <= UINT16_MAX, "text_at_ holds it");
  if (!drafts.empty()) {
    // The text takes the places of some more keywords.
    const std::size_t places_for_text = (octets + sizeof(Keyword) - 1) / sizeof(Keyword);
    const std::shared_ptr<Keyword[]> block(new Keyword[drafts.size() + places_for_text]);
    char* at = reinterpret_cast<char*>(block.get() + drafts.size());
    Keyword* keyword = block.get();
    for (const auto& [name, parameters] : drafts) {
      keyword->text_at_ = static_cast<std::uint16_t>(at - reinterpret_cast<char*>(keyword));
      keyword->name_size_ = static_cast<std::uint16_t>(name.size());
      keyword->parameters_size_ = static_cast<std::uint16_t>(parameters.size());
      at = std::ranges::copy(name, at).out;
      at = std::ranges::copy(parameters, at).out;
      ++keyword;
    }
    block_ = block;
    count_ = static_cast<std::uint16_t>(drafts.size());
  }
  const std::uint64_t unseen =
      reply.line_count - std::min<std::uint64_t>(reply.line_count, reply.lines.size());
  dropped_ += static_cast<std::uint32_t>(std::min<std::uint64_t>(unseen, 1'000'000'000));
  if (const Keyword* size = find("SIZE")) size_limit_ = leading_number(size->parameters());
  limits_ = has("LIMITS");
  if (dropped_ > 0) all_keywords_ = false;
}

void Capabilities::clear() { *this = Capabilities(); }

bool Capabilities::has(std::string_view upper_case_name) const {
  return find(upper_case_name) != nullptr;
}

const Capabilities::Keyword* Capabilities::find(std::string_view upper_case_name) const {
  for (const Keyword& keyword : keywords()) {
    if (keyword.name() == upper_case_name) return &keyword;
  }
  return nullptr;
}

}  // namespace smtpscope
