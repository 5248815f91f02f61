#pragma once

#include <cstdint>
#include <string_view>

#include "redact/pseudonyms.h"
#include "redact/rewriting.h"
#include "redact/text_redactor.h"

namespace smtpscope {

/// What becomes of messages.
enum class BodyPolicy : std::uint8_t {
  kDrop,   // left out; what has to stay is shaped
  kShape,  // only the form is left: see shape_of()
  kKeep,   // the text stays; names in it are replaced
};
std::string_view to_string(BodyPolicy policy);

/// Writes the content of one message anew as it comes, line by line. The names of header fields
/// stay, and verbs at the beginning of lines, since findings are about these; of MIME its own words
/// and the structure. Lengths stay, but for what kKeep replaces in a message that is not counted.
///
/// A plain value; depends on the octets only, not on how they were cut into reads.
class ContentRedactor {
 public:
  /// `counted`: BDAT has announced how many octets there are, so lengths must stay and kKeep is
  /// kShape.
  ContentRedactor(Pseudonyms& names, BodyPolicy policy, bool counted)
      : names_(&names),
        policy_(counted && policy == BodyPolicy::kKeep ? BodyPolicy::kShape : policy) {}

  /// Rewrites whole lines from the beginning of `octets`, everything with `all`; gives how many
  /// octets it took.
  std::size_t take(std::string_view octets, bool all, Rewriting& out);

 private:
  /// What the field on the line, or the one that it continues, is.
  enum class Field : std::uint8_t { kNone, kMime, kIdentifiers, kPeople, kOther };

  void line(std::string_view line, Rewriting& out);
  void field(std::string_view line, Rewriting& out);
  void field_name(std::string_view name, Rewriting& out);
  void value(std::string_view value, Rewriting& out);
  void mime_value(std::string_view value, Rewriting& out);
  void boundary_line(std::string_view line, Rewriting& out);
  void body_line(std::string_view line, Rewriting& out);
  void kept_text(std::string_view text, Rewriting& out);
  void shape(std::string_view text, Rewriting& out);
  void shape_words(std::string_view text, Rewriting& out);

  Pseudonyms* names_;
  BodyPolicy policy_;
  bool in_header_ = true;
  bool in_part_header_ = false;
  bool mid_line_ = false;  // the line's beginning went before
  bool base64_ = false;    // the part that is being read
  Field field_ = Field::kNone;
};

}  // namespace smtpscope
