#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "redact/pseudonyms.h"
#include "redact/rewriting.h"

namespace smtpscope {

/// Reads text without a grammar, such as that of replies: mail addresses, domains, IP addresses
/// (in words too), telephone numbers, names that are known from elsewhere, and words. Every octet
/// of what it is given goes into the rewriting once. Takes time in proportion to the text.
class TextRedactor {
 public:
  enum class Words : std::uint8_t {
    kStandardStay,  // no other word does
    kNoneStay,      // the text may be that of a message
    kKnownGo,       // only those go that are known to be names: the text is to be kept
  };

  explicit TextRedactor(Pseudonyms& names, Words words = Words::kStandardStay)
      : names_(names), words_(words) {}

  void rewrite(std::string_view text, Rewriting& out);
  /// Without regard to the places of octets.
  std::string rewritten(std::string_view text);

 private:
  struct Text;

  std::size_t mailbox(const Text& text, std::size_t at, Rewriting& out);
  std::size_t ipv6(const Text& text, std::size_t at, Rewriting& out);
  std::size_t phone(const Text& text, std::size_t at, Rewriting& out);
  std::size_t dotted(Text& text, std::size_t at, Rewriting& out);
  std::size_t words(Text& text, std::size_t begin, std::size_t end, Rewriting& out);
  std::size_t ipv4(const Text& text, std::size_t at, std::size_t end, Rewriting& out);
  std::size_t address_prefix(const Text& text, std::size_t at, std::size_t end, Rewriting& out);
  void word(std::string_view word, bool number_stays, Rewriting& out);

  Pseudonyms& names_;
  Words words_;
};

}  // namespace smtpscope
