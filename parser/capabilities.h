#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

  /// In one string, since every session that goes on keeps some.
  class Keyword {
   public:
    Keyword(std::string_view name, std::string_view parameters)
        : text_(name), name_size_(static_cast<std::uint16_t>(name.size())) {
      text_ += parameters;
    }
    /// In upper case.
    std::string_view name() const { return std::string_view(text_).substr(0, name_size_); }
    /// The rest of the line, single spaced.
    std::string_view parameters() const { return std::string_view(text_).substr(name_size_); }

   private:
    std::string text_;
    std::uint16_t name_size_;
  };

  /// Replaces the content by what `reply`, a 2yz reply to EHLO or LHLO, offers.
  void read(const Reply& reply);
  void clear();

  bool has(std::string_view upper_case_name) const;
  /// nullptr when not offered.
  const Keyword* find(std::string_view upper_case_name) const;
  const std::vector<Keyword>& keywords() const { return keywords_; }
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
  std::vector<Keyword> keywords_;
  std::uint64_t size_limit_ = 0;  // 0: none
  bool limits_ = false;
  bool all_keywords_ = true;
  std::uint32_t dropped_ = 0;
};

}  // namespace smtpscope
