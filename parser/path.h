#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

namespace smtpscope {

/// Departures from the grammar of RFC 5321 4.1.2 that can be read all the same, as bits.
enum PathFlag : std::uint8_t {
  kNoKeyword = 1 << 0,         // "FROM:" or "TO:" is missing
  kSpaceBeforeColon = 1 << 1,  // RFC 5321 3.3: "a common source of errors"
  kSpaceAfterColon = 1 << 2,
  kNoBrackets = 1 << 3,     // an address without "<" and ">"
  kUnclosed = 1 << 4,       // "<", but no ">" for it
  kSourceRoute = 1 << 5,    // legal, to be ignored (RFC 5321 App. C)
  kNoSpaceBehind = 1 << 6,  // parameters begin right behind the ">"
};

/// The argument of MAIL or RCPT taken apart. Views into the arguments.
struct PathArgument {
  std::string_view path;        // without "<" and ">"; with the source route, if any
  std::string_view mailbox;     // `path` without source route
  std::string_view parameters;  // behind the path and the white space after it
  std::uint8_t flags = 0;       // PathFlag

  bool null_path() const { return path.empty() && (flags & (kNoBrackets | kNoKeyword)) == 0; }
};

/// Reads `arguments`, what follows the verb, as `keyword` ("FROM:" or "TO:", upper case) and a
/// path. Quoted local parts may contain ">", "@" and spaces. Never fails; see the flags.
PathArgument parse_path(std::string_view arguments, std::string_view keyword);

/// Where the domain of a mailbox begins, behind the last "@" outside quotes; npos without one.
std::size_t find_domain(std::string_view mailbox);

/// Two paths name the same mailbox: domains compared without regard to case, local parts exactly
/// (RFC 5321 2.4).
bool equal_paths(std::string_view a, std::string_view b);

/// One ESMTP parameter (RFC 5321 4.1.2): keyword ["=" value].
struct MailParameter {
  std::string_view keyword;
  std::string_view value;
  bool has_value = false;
};

/// Compares keywords without regard to case; `upper_case` must be so.
bool same_keyword(std::string_view keyword, std::string_view upper_case);

/// A range over the parameters in a string, for range-based for. Allocates nothing.
class MailParameters {
 public:
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = MailParameter;
    using difference_type = std::ptrdiff_t;
    using pointer = const MailParameter*;
    using reference = const MailParameter&;

    explicit Iterator(std::string_view rest) : rest_(rest) { advance(); }
    const MailParameter& operator*() const { return current_; }
    const MailParameter* operator->() const { return &current_; }
    Iterator& operator++() {
      advance();
      return *this;
    }
    bool operator==(std::default_sentinel_t) const { return current_.keyword.data() == nullptr; }

   private:
    void advance();

    std::string_view rest_;
    MailParameter current_;
  };

  explicit MailParameters(std::string_view text) : text_(text) {}
  Iterator begin() const { return Iterator(text_); }
  std::default_sentinel_t end() const { return {}; }

 private:
  std::string_view text_;
};

inline MailParameters mail_parameters(std::string_view text) { return MailParameters(text); }

}  // namespace smtpscope
