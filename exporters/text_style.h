#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "capture/fidelity.h"
#include "exporters/escape.h"
#include "exporters/exporter.h"
#include "timeline/severity.h"

namespace smtpscope {

/// The signs that are not words, in both character sets.
struct Glyphs {
  std::string_view begins, inside, ends_well, ends_badly;  // the bracket of a transaction
  std::string_view alarm, remark;                          // before an annotation
  std::string_view pause;                                  // one stroke of a silence
  std::string_view rule;                                   // before what is no octet
  std::string_view lock;  // behind the speaker of what came inside TLS, one column
  std::string_view arrow;
  std::string_view more;         // something was left out
  std::string_view open, close;  // around our words inside wire text
};

/// What a piece of text is; the palette says how it looks.
enum class Tone : std::uint8_t {
  kPlain,
  kQuiet,  // times, strokes, remarks
  kHeading,
  kClient,
  kServer,
  kProxy,
  kGood,
  kNotice,  // and a 4yz reply
  kWarning,
  kError,  // and a 5yz reply
};

/// How loud an annotation is.
Tone tone_of(Severity severity);

/// Where the text of a line begins, counted from 0, the session's label not counted.
inline constexpr std::size_t kTextColumn = 24;

/// How text timelines look on the reader's terminal. Immutable.
class TextStyle {
 public:
  explicit TextStyle(const ExporterOptions& options);

  const Glyphs& glyphs() const { return glyphs_; }
  bool verbose() const { return verbose_; }
  /// Columns that a line may take; 0: as many as it likes.
  std::size_t width() const { return width_; }

  /// The text in its colour, or as it is where there is none.
  std::string paint(Tone tone, std::string_view text) const;
  /// Wire text made harmless.
  std::string wire(std::string_view text) const;
  /// Words of ours made harmless.
  std::string words(std::string_view text) const;

 private:
  const Glyphs& glyphs_;
  const std::size_t width_;
  const Charset charset_;
  const bool colour_;
  const bool verbose_;
};

/// A duration in at most seven columns: "850 us", "4 ms", "1.00 s", "10.00 s", "120 s", "2.8 h".
std::string short_duration(Duration duration);
/// Of a duration that a trace tells as exactly as `fidelity` says: "10 s", "" where it has no
/// times.
std::string short_duration(Duration duration, const Fidelity& fidelity);

/// A moment to the millisecond, in UTC: "2026-11-23 12:00:00.123Z".
std::string readable_time(WallTime time);

/// "1 octet", "213 octets".
std::string counted(std::uint64_t count, std::string_view thing);

}  // namespace smtpscope
