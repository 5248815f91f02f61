#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "parser/message_facts.h"

namespace smtpscope {

/// Reads the header section of a message (RFC 5322 2.2) as it comes, for HeaderFacts. Lines end at
/// LF, with or without CRs before it, because the messages that this is about are not always tidy.
/// A dot that begins a line counts as stuffed, also where there is no dot stuffing: no field that
/// matters here begins with one.
///
/// A plain value; knows only what the next octets may turn into a fact. Not thread-safe.
struct HeaderScanner {
  /// Header sections are shorter; what is longer is no header section, or meant to cost time.
  static constexpr std::uint64_t kMostOctets = 64 * 1024;
  /// A field name with more octets is none of those that are looked for.
  static constexpr std::size_t kLongestName = 40;

  /// Written into captures: values never change meaning.
  enum class Stage : std::uint8_t {
    kLineStart,   // at the start, or after LF
    kEmptyLine,   // only CRs since
    kDot,         // only a dot since
    kName,        // in what may be the name of a field
    kBehindName,  // in blanks between the name and its colon (RFC 5322 4.5)
    kText,        // in the rest of a line
    kDone,        // the header section has ended, or is not looked for any more
  };

  Stage stage = Stage::kLineStart;
  bool reads_id = false;                         // the field is the Message-ID that counts
  std::uint8_t name_size = 0;                    // in kName and kBehindName
  std::array<char, kLongestName> name_octets{};  // lower case; zero behind name_size
  std::uint64_t id = 0;                          // hash of the value so far; 0 while it is empty

  bool done() const { return stage == Stage::kDone; }
  std::string_view name() const { return {name_octets.data(), name_size}; }

  /// The next octets, which begin at `at` octets from the beginning of the content. Must not be
  /// called when done().
  void scan(std::span<const std::uint8_t> octets, std::uint64_t at, HeaderFacts& facts);
  /// Nothing more will come.
  void stop() { *this = stopped(); }
  static HeaderScanner stopped() {
    HeaderScanner scanner;
    scanner.stage = Stage::kDone;
    return scanner;
  }
  /// False when no scanner that found `facts` can be like this, as far as shows.
  bool possible(const HeaderFacts& facts) const;

  bool operator==(const HeaderScanner&) const = default;

 private:
  void take(std::uint8_t octet, HeaderFacts& facts);
  void begin_line(std::uint8_t octet, HeaderFacts& facts);
  void begin_name(std::uint8_t octet);
  void leave_name(Stage next);
  void take_name(HeaderFacts& facts);
  void end(HeaderFacts& facts);
};

/// A mail scanner adds a field of this name, in lower case, to mark what it has looked at. Marks of
/// spam filters are none: they are ordinary.
bool marks_a_mail_scanner(std::string_view field_name);

}  // namespace smtpscope
