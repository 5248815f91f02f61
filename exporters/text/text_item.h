#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "exporters/text/text_style.h"
#include "timeline/event.h"

namespace smtpscope {

/// What is printed of an item, or of one line of a reply: already harmless to a terminal.
struct ItemWords {
  std::string wire;   // octets of the wire; may be cut to the width
  std::string notes;  // our words on them; never cut
  Tone tone = Tone::kPlain;
};

/// A message by its Subject, in quotation marks, and Message-ID; harmless to a terminal.
std::string headline_words(const Headline& headline, const TextStyle& style);

/// An entry in words. One element, but for a reply of several lines in a verbose style: there one
/// per line. Never empty.
std::vector<ItemWords> words_of(const Entry& entry, const TextStyle& style);

}  // namespace smtpscope
