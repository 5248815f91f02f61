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
inline constexpr std::size_t kTextColumn = 24;  // with times since the session began

/// "+123.456"
inline constexpr std::size_t kRelativeTimeWidth = 8;
/// "12:00:00.123"
inline constexpr std::size_t kWallTimeWidth = 12;

/// How text timelines look on the reader's terminal. Immutable.
class TextStyle {
 public:
  explicit TextStyle(const ExporterOptions& options);

  const Glyphs& glyphs() const { return glyphs_; }
  bool verbose() const { return verbose_; }
  TimeShown time() const { return time_; }
  /// Of the column of times.
  std::size_t time_width() const { return time_width_; }
  /// Where the text of a line begins, with times as they are shown.
  std::size_t text_column() const { return kTextColumn - kRelativeTimeWidth + time_width_; }
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
  const TimeShown time_;
  const std::size_t time_width_;
};

}  // namespace smtpscope
