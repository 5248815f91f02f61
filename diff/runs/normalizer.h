#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace smtpscope {

/// Where a text stands, as bits: what differs anyway is not the same everywhere.
enum TextPlace : std::uint8_t {
  kInCommand = 1 << 0,
  kInReply = 1 << 1,
  kInHeader = 1 << 2,  // a line of a message's header section
  kInBody = 1 << 3,
};

/// Something that differs from run to run although the client does the same, such as a queue id.
struct NormalizerKind {
  std::string_view name;
  std::string_view description;  // one line
};

/// What is in list_normalizers() besides patterns: the order of the keywords of an EHLO reply.
inline constexpr std::string_view kEhloOrder = "ehlo-order";
/// Boundary strings of multipart messages (RFC 2046 5.1.1). The parameter is found by a pattern,
/// the lines by what it says.
inline constexpr std::string_view kBoundary = "boundary";
/// Of what the user's expressions matched.
inline constexpr std::string_view kIgnored = "ignored";

/// All of them, in the order in which they are listed. Adding one: one row, in normalizer.cc.
std::span<const NormalizerKind> all_normalizers();

/// A part of a text that was set aside, and by which normalisation.
struct SetAside {
  std::string_view normalizer;  // static, its name
  std::string value;
};

/// A text in which what always differs has been replaced by "<name>", and what stood there.
struct NormalizedText {
  std::string text;
  std::vector<SetAside> values;
};

/// The normalisations that are on. Immutable once made; costs a scan of the text for each.
class Normalizers {
 public:
  struct Options {
    std::vector<std::string> off;     // names; "all"
    std::vector<std::string> ignore;  // the user's regular expressions, in RE2's syntax
  };
  /// The Error names the option's value that is wrong, and why.
  static Result<Normalizers> make(const Options& options);
  Normalizers(Normalizers&&) noexcept;
  Normalizers& operator=(Normalizers&&) noexcept;
  ~Normalizers();

  NormalizedText apply(std::string_view text, TextPlace place) const;
  bool is_on(std::string_view name) const;

 private:
  class Pattern;

  Normalizers();

  std::vector<Pattern> patterns_;
  std::vector<std::string_view> on_;
};

}  // namespace smtpscope
