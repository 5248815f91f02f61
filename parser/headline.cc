#include "parser/headline.h"

#include <algorithm>
#include <cstring>

#include "base/ascii.h"
#include "base/utf8.h"
#include "parser/encoded_words.h"

namespace smtpscope {
namespace {

constexpr std::string_view kSubjectName = "subject";
constexpr std::string_view kMessageIdName = "message-id";

/// Characters that are shown; what is longer is no help to know a message by.
constexpr std::size_t kMostShown = 250;
constexpr std::string_view kCutMark = "\u2026";

/// In characters, where the octets are UTF-8.
std::size_t octets_of_characters(std::string_view text, std::size_t most) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < most && at < text.size(); ++i) {
    at += std::max<std::size_t>(utf8_sequence(text.substr(at)), 1);
  }
  return at;
}

/// Where an encoded word begins of which the end is not there (RFC 2047 2); the size if none does.
std::size_t begin_of_unfinished_word(std::string_view text) {
  const std::size_t word = text.rfind("=?");
  if (word == std::string_view::npos) return text.size();
  const std::size_t charset_end = text.find('?', word + 2);
  if (charset_end == std::string_view::npos) return word;
  const std::size_t encoding_end = text.find('?', charset_end + 1);
  if (encoding_end == std::string_view::npos) return word;
  return text.find("?=", encoding_end + 1) == std::string_view::npos ? word : text.size();
}

}  // namespace

HeadlineReader::HeadlineReader(std::uint64_t limit) : left_(std::min(limit, kMostOctets)) {
  if (left_ == 0) stage_ = Stage::kDone;
}

void HeadlineReader::scan(std::span<const std::uint8_t> octets) {
  if (done()) return;
  octets = octets.first(static_cast<std::size_t>(std::min<std::uint64_t>(octets.size(), left_)));
  left_ -= octets.size();
  std::size_t taken = 0;
  while (taken < octets.size() && !done()) {
    const bool skips = stage_ == Stage::kRest ||
                       (stage_ == Stage::kValue && value_->cut);  // up to the end of the line
    if (skips) {
      const void* const lf = std::memchr(octets.data() + taken, '\n', octets.size() - taken);
      if (lf == nullptr) break;
      taken = static_cast<std::size_t>(static_cast<const std::uint8_t*>(lf) - octets.data());
    }
    take(octets[taken++]);
  }
  if (left_ == 0) stop();
}

void HeadlineReader::stop() {
  if (done()) return;
  if (value_ != nullptr) value_->cut = true;
  value_ = nullptr;
  stage_ = Stage::kDone;
}

void HeadlineReader::take(std::uint8_t octet) {
  const char c = static_cast<char>(octet);
  switch (stage_) {
    case Stage::kLineStart:
      begin_line(c);
      return;
    case Stage::kName:
      if (c != ':' && c != '\n' && !is_blank(c)) {
        if (name_.size() == kMessageIdName.size()) {
          stage_ = Stage::kRest;
        } else {
          name_ += lower(c);
        }
        return;
      }
      [[fallthrough]];
    case Stage::kBehindName:
      if (c == ':') {
        take_name();
      } else {
        stage_ = is_blank(c) ? Stage::kBehindName : c == '\n' ? Stage::kLineStart : Stage::kRest;
      }
      return;
    case Stage::kValue:
      if (c == '\n') {
        while (value_->text.ends_with('\r')) value_->text.pop_back();
        stage_ = Stage::kLineStart;
      } else if (value_->text.size() == kMost) {
        value_->cut = true;
      } else {
        value_->text += c;
      }
      return;
    case Stage::kRest:
      if (c == '\n') stage_ = Stage::kLineStart;
      return;
    case Stage::kDone:
      return;
  }
}

void HeadlineReader::begin_line(char c) {
  if (is_blank(c)) {  // the field goes on (RFC 5322 2.2.3)
    stage_ = value_ != nullptr ? Stage::kValue : Stage::kRest;
    if (value_ != nullptr && !value_->cut) value_->text += c;
    return;
  }
  value_ = nullptr;
  name_.clear();
  if (c == '\n' || c == '\r') {  // an empty line; a CR alone begins no field either
    stage_ = Stage::kDone;
  } else {
    name_ += lower(c);
    stage_ = Stage::kName;
  }
  if (subject_.seen && message_id_.seen) stage_ = Stage::kDone;
}

void HeadlineReader::take_name() {
  stage_ = Stage::kRest;
  Value* const named = name_ == kSubjectName     ? &subject_
                       : name_ == kMessageIdName ? &message_id_
                                                 : nullptr;
  if (named == nullptr || named->seen) return;
  named->seen = true;
  value_ = named;
  stage_ = Stage::kValue;
}

std::string HeadlineReader::shown(const Value& value) {
  std::string_view text = value.text;
  // Of an encoded word that was cut nobody can read the rest.
  if (value.cut) {
    text = text.substr(0, begin_of_unfinished_word(text));
  }
  while (!text.empty() && (is_blank(text.front()) || text.front() == '\r')) text.remove_prefix(1);
  while (!text.empty() && (is_blank(text.back()) || text.back() == '\r')) text.remove_suffix(1);
  if (text.empty()) return {};
  std::string decoded = decode_encoded_words(text);
  const std::size_t end = octets_of_characters(decoded, kMostShown);
  if (end < decoded.size() || value.cut) {
    decoded.resize(end);
    decoded += kCutMark;
  }
  return decoded;
}

}  // namespace smtpscope
