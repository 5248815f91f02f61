#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "parser/item.h"

namespace smtpscope {

/// The keywords of an EHLO reply (RFC 5321 4.1.1.1): keyword in upper case -> parameters as sent.
/// Duplicates are merged (AUTH lists), "AUTH=LOGIN" is read as AUTH LOGIN, trailing blanks are
/// dropped. Bounded: kMaxKeywords keywords, kMaxOctets octets altogether; more is counted.
/// An empty object owns no heap memory.
class Capabilities {
 public:
  static constexpr std::size_t kMaxKeywords = 100;
  static constexpr std::size_t kMaxOctets = 8192;

  /// One of them, in a block of memory in which its text lies behind it, too. Every session that
  /// goes on keeps its server's, so they are small.
  class Keyword {
   public:
    Keyword() = default;
    Keyword(const Keyword&) = delete;  // the text would not come along
    Keyword& operator=(const Keyword&) = delete;

    /// In upper case.
    std::string_view name() const { return {text(), name_size_}; }
    /// The rest of the line, single spaced.
    std::string_view parameters() const { return {text() + name_size_, parameters_size_}; }

   private:
    friend class Capabilities;
    const char* text() const { return reinterpret_cast<const char*>(this) + text_at_; }

    std::uint16_t text_at_ = 0;  // octets from the keyword's beginning
    std::uint16_t name_size_ = 0;
    std::uint16_t parameters_size_ = 0;
  };

  /// Replaces the content by what `reply`, a 2yz reply to EHLO or LHLO, offers.
  void read(const Reply& reply);
  void clear();

  bool has(std::string_view upper_case_name) const;
  /// nullptr when not offered.
  const Keyword* find(std::string_view upper_case_name) const;
  std::span<const Keyword> keywords() const { return {block_.get(), count_}; }
  std::uint32_t dropped() const { return dropped_; }
  /// No line was without a keyword, and none was dropped.
  bool all_keywords() const { return all_keywords_; }
  /// LIMITS (RFC 9422) is offered; asked for with each command.
  bool has_limits() const { return limits_; }
  /// The greatest message that the server says it takes, in octets. Empty when it names none: SIZE
  /// without a number, or with 0, declares no limit (RFC 1870 4).
  std::optional<std::uint64_t> size_limit() const {
    return size_limit_ == 0 ? std::nullopt : std::optional(size_limit_);
  }

 private:
  // The keywords, then their text. Never changed, so that copies can share it.
  std::shared_ptr<const Keyword[]> block_;
  std::uint64_t size_limit_ = 0;  // 0: none
  std::uint32_t dropped_ = 0;
  std::uint16_t count_ = 0;  // of keywords
  bool limits_ = false;
  bool all_keywords_ = true;
};

}  // namespace smtpscope
