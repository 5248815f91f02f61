#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace smtpscope {

/// Reads by the way what people know a message by: the values of its first Subject (RFC 5322 3.6.5)
/// and first Message-ID field (3.6.4). Lines end at LF, with or without CRs before it, because the
/// messages that this is about are not always tidy. Bounded, however long the message is; depends
/// on the octets only, never on how they were split. Not thread-safe.
class HeadlineReader {
 public:
  /// Octets kept of a value.
  static constexpr std::size_t kMost = 1000;
  /// A header section is not looked at beyond so many octets.
  static constexpr std::uint64_t kMostOctets = std::uint64_t{64} * 1024;

  /// Looks at the first `limit` octets of the content, and never at more than kMostOctets.
  explicit HeadlineReader(std::uint64_t limit);

  bool done() const { return stage_ == Stage::kDone; }
  /// The next octets of the content. Nothing happens when done().
  void scan(std::span<const std::uint8_t> octets);
  /// What follows is not known.
  void stop();

  /// For people: unfolded, encoded words decoded, "…" behind what was cut. Octets of the wire all
  /// the same: they may be anything. "" if there is none.
  std::string subject() const { return shown(subject_); }
  std::string message_id() const { return shown(message_id_); }

 private:
  enum class Stage : std::uint8_t {
    kLineStart,   // at the start, or after LF
    kName,        // in what may be the name of a field
    kBehindName,  // in blanks between the name and its colon (RFC 5322 4.5)
    kValue,       // of one of the fields
    kRest,        // of a line that does not matter
    kDone,
  };
  struct Value {
    std::string text;
    bool seen = false;
    bool cut = false;
  };

  void take(std::uint8_t octet);
  void begin_line(char c);
  void take_name();
  static std::string shown(const Value& value);

  std::uint64_t left_;  // octets
  Stage stage_ = Stage::kLineStart;
  std::string name_;        // so far, in lower case
  Value* value_ = nullptr;  // the field that goes on
  Value subject_;
  Value message_id_;
};

}  // namespace smtpscope
