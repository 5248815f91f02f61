#include "exporters/html/stream_octets.h"

#include <algorithm>
#include <string_view>

#include "base/octets.h"
#include "exporters/json_writer.h"

namespace smtpscope {
namespace {

/// A character for each octet, U+0000 to U+00FF: shorter than base64 once it is packed, for nearly
/// all of mail is text.
std::string as_characters(std::string_view octets) {
  std::string text;
  text.reserve(octets.size());
  for (const char c : octets) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet < 0x80) {
      text += c;
    } else {
      text += static_cast<char>(0xC0 | octet >> 6);
      text += static_cast<char>(0x80 | (octet & 0x3F));
    }
  }
  return text;
}

}  // namespace

std::size_t StreamOctets::add(const Bytes& bytes, std::size_t room) {
  // What smtpscope and the server say to each other is no part of the client's dialogue.
  if (bytes.aside) return 0;
  const std::size_t before = kept_;
  most_ = std::min(kMost, before + room);
  std::size_t read_offset = 0;
  const auto piece = [&](std::span<const std::uint8_t> octets) {
    append(bytes.from, octets, bytes.masked, read_offset);
    read_offset += octets.size();
  };
  std::uint64_t& received = received_[index(bytes.from)];
  piece(bytes.head);
  if (!bytes.left_out) return kept_ - before;
  received += bytes.left_out->octets;
  piece(bytes.tail);
  for (const FurtherPart& part : bytes.further) {
    received += part.left_out.octets;
    piece(part.octets);
  }
  return kept_ - before;
}

void StreamOctets::skip(const Gap& gap) {
  if (gap.from) received_[index(*gap.from)] += gap.octets;
}

void StreamOctets::append(Side from, std::span<const std::uint8_t> octets,
                          std::span<const Masked> masked, std::size_t read_offset) {
  std::uint64_t& received = received_[index(from)];
  const std::uint64_t at = received;
  received += octets.size();
  const std::size_t room = std::min(octets.size(), most_ - kept_);
  if (room == 0) return;
  kept_ += room;
  if (stretches_.empty() || stretches_.back().from != from ||
      stretches_.back().at + stretches_.back().octets.size() != at) {
    stretches_.push_back({from, at, {}, {}});
  }
  Stretch& stretch = stretches_.back();
  for (const Masked& mask : masked) {
    const std::size_t begin = std::max<std::size_t>(mask.offset, read_offset);
    const std::size_t end =
        std::min<std::size_t>(std::size_t{mask.offset} + mask.octets, read_offset + room);
    if (begin >= end) continue;
    stretch.masked.push_back(
        {static_cast<std::uint32_t>(stretch.octets.size() + begin - read_offset),
         static_cast<std::uint32_t>(end - begin)});
  }
  stretch.octets += text_of(octets.first(room));
}

std::string StreamOctets::take(SessionId session) {
  std::string lines;
  JsonWriter json;
  for (const Stretch& stretch : stretches_) {
    json.clear();
    json.begin_object();
    json.string("event", "octets");
    json.number("session", session);
    json.string("side", to_string(stretch.from));
    json.number("at", stretch.at);
    json.string("octets", as_characters(stretch.octets));
    if (!stretch.masked.empty()) {
      json.begin_array("masked");
      for (const Masked& mask : stretch.masked) {
        json.element_number(mask.offset);
        json.element_number(mask.octets);
      }
      json.end_array();
    }
    json.end_object();
    json.end_line();
    lines += json.text();
  }
  stretches_.clear();
  return lines;
}

}  // namespace smtpscope
