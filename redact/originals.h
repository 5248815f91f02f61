#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace smtpscope {

/// What was replaced, as --report counts it.
enum class OriginalKind : std::uint8_t {
  kMailbox,     // local part and domain
  kLocalPart,   // or another name of a user
  kHost,        // domain and host names
  kLabel,       // a part of one
  kAddress,     // IPv4 and IPv6
  kWord,        // of a reply, or of an argument
  kIdentifier,  // with digits: queue ids, Message-IDs and the like
};
inline constexpr std::size_t kOriginalKinds = 7;

/// In the plural: "mail addresses".
std::string_view to_string(OriginalKind kind);

/// What was found and replaced. It is what the check looks for afterwards, and what no pseudonym
/// may be. Grows with the number of different names, not with the size of a capture. Not
/// thread-safe.
class Originals {
 public:
  struct Count {
    std::uint64_t different = 0;
    std::uint64_t times = 0;
  };

  void add(OriginalKind kind, std::string_view text);
  /// A part of one, which may stand by itself elsewhere: known, but not counted.
  void add_part(OriginalKind kind, std::string_view text);

  /// `lower` is one of them that is_telling().
  bool knows(std::string_view lower) const { return kinds_.contains(std::string(lower)); }

  /// In lower case, with the kind as which they came first.
  const std::unordered_map<std::string, OriginalKind>& telling() const { return kinds_; }
  /// Those that are not telling, with the kind as which they came first, names before words.
  const std::unordered_map<std::string, OriginalKind>& ordinary_names() const { return ordinary_; }
  Count count(OriginalKind kind) const { return counts_[static_cast<std::size_t>(kind)]; }
  /// Names that are no more telling than an ordinary word; nobody looks for them.
  std::uint64_t ordinary() const { return ordinary_.size(); }

 private:
  std::unordered_map<std::string, OriginalKind> kinds_;
  std::unordered_map<std::string, OriginalKind> ordinary_;
  std::array<Count, kOriginalKinds> counts_{};
};

/// Finding `lower`, in lower case, somewhere shows that an original was left: it is whole (an
/// address), or a word that is neither short nor standard.
bool is_telling(OriginalKind kind, std::string_view lower);

}  // namespace smtpscope
