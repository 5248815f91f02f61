#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
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

  /// Small, since every session that goes on keeps some: it lies in the text of all of them.
  class Keyword {
   public:
    /// `text`: the name, then the parameters; must outlive the keyword.
    Keyword(const char* text, std::size_t name_size, std::size_t parameters_size)
        : text_(text),
          name_size_(static_cast<std::uint16_t>(name_size)),
          parameters_size_(static_cast<std::uint16_t>(parameters_size)) {}
    /// In upper case.
    std::string_view name() const { return {text_, name_size_}; }
    /// The rest of the line, single spaced.
    std::string_view parameters() const { return {text_ + name_size_, parameters_size_}; }

   private:
    const char* text_;
    std::uint16_t name_size_;  // both within kMaxOctets
    std::uint16_t parameters_size_;
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
  std::shared_ptr<const char[]> text_;  // never changed, so that copies can share it
  std::vector<Keyword> keywords_;       // in it
  std::uint64_t size_limit_ = 0;        // 0: none
  bool limits_ = false;
  bool all_keywords_ = true;
  std::uint32_t dropped_ = 0;
};

}  // namespace smtpscope
