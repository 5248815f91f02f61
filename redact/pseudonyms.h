#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "redact/address_pseudonyms.h"
#include "redact/keyed_hash.h"
#include "redact/known_names.h"
#include "redact/originals.h"
#include "redact/word_cipher.h"

namespace smtpscope {

/// What stands in the place of each name: the same for the same one, in every file that is redacted
/// with the same key, and another for another one. Lengths are kept but for addresses and for
/// domains of less than nine octets. Counts and remembers what it replaced. Not thread-safe.
class Pseudonyms {
 public:
  /// `known`, what an earlier pass over the same input found, is looked up in texts, and keeps
  /// pseudonyms from being one of these. It may be nullptr, outlives this, and is complete before
  /// the first name is asked for.
  explicit Pseudonyms(std::string_view key, const Originals* known = nullptr);

  /// A word of a text, or an identifier. Letters stay letters, digits digits.
  std::string word(std::string_view text);
  /// The left side of a mail address, or a user's name. "postmaster" stays: it is everybody's
  /// (RFC 5321 4.5.1).
  std::string local_part(std::string_view text);
  /// A domain or host name. Below the registered domain each label has a pseudonym of its own, so a
  /// subdomain stays one; the registered domain becomes one below .test or .example (RFC 2606). A
  /// name of one label stays one label, and stays itself where it is a standard word ("localhost").
  std::string domain(std::string_view text);
  /// `domain`, or an address with or without brackets (RFC 5321 4.1.3).
  std::string host(std::string_view text);
  /// Empty when the text is no IP address.
  std::optional<std::string> address(std::string_view text);
  NumericAddress address(const NumericAddress& original);
  /// local part, "@" and domain or address literal; without "@" a local part.
  std::string mailbox(std::string_view text);
  /// Where a socket is: "192.0.2.10:50114", "[2001:db8::1]:25", "mx.example:25", "unix:/path",
  /// "sink". Ports stay.
  std::string endpoint(std::string_view text);

  /// The keyed hash in the place of one that anybody can compute; 0, which stands for none, stays.
  std::uint64_t number(std::string_view kind, std::uint64_t original);

  KeyedHash& hash() { return hash_; }
  const Originals& originals() const { return originals_; }
  /// What an earlier pass found; nullptr in the first one.
  const KnownNames* known() const;
  bool is_known_user(std::string_view text) const;
  /// A name that was found before is in the text.
  bool holds_known(std::string_view text) const;
  /// The pseudonym of a name of that kind.
  std::string of(OriginalKind kind, std::string_view text);
  std::uint64_t moved_addresses() const { return addresses_.moved(); }

 private:
  std::string permuted(std::string_view within, std::string_view lower);
  std::string registered(std::string_view lower);
  std::string label(std::string_view within, std::string_view text);
  std::string path(std::string_view text);
  bool is_fit(std::string_view within, std::string_view original, std::string_view candidate);

  KeyedHash hash_;
  WordCipher cipher_{hash_};
  const Originals* found_before_;
  mutable std::optional<KnownNames> known_;  // made of them when it is needed first
  AddressPseudonyms addresses_;
  Originals originals_;
  std::unordered_map<std::string, std::string> chosen_;  // by what it is within, NUL, original
  std::unordered_map<std::string, std::string> taken_;   // the same by pseudonym
};

/// The text could be a domain name of several labels, the last of which is a name.
bool looks_like_domain(std::string_view text);

}  // namespace smtpscope
