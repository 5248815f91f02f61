#pragma once

#include <string_view>

#include "redact/pseudonyms.h"
#include "redact/rewriting.h"

namespace smtpscope {

/// Reads text without a grammar, such as that of replies: mail addresses, domains, IP addresses and
/// words. Every octet of what it is given goes into the rewriting once.
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
  std::size_t mailbox(std::string_view rest, Rewriting& out);
  std::size_t ipv6(std::string_view rest, Rewriting& out);
  std::size_t dotted(std::string_view rest, Rewriting& out);
  void words(std::string_view run, Rewriting& out);
  void word(std::string_view word, Rewriting& out);

  Pseudonyms& names_;
  Words words_;
};

}  // namespace smtpscope
