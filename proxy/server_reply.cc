#include "proxy/server_reply.h"

#include <algorithm>

#include "base/octets.h"

namespace smtpscope {
namespace {

/// RFC 5321 4.2.1: the last line of a reply has a space, or nothing, behind its three digits.
bool is_last(std::string_view line) { return line.size() <= 3 || line[3] != '-'; }

}  // namespace

std::size_t ServerReply::receive(std::span<const std::uint8_t> octets) {
  if (state_ != State::kPart) *this = ServerReply();
  const std::string_view input = text_of(octets);
  std::size_t taken = 0;
  while (taken < input.size() && state_ == State::kPart) {
    const std::size_t end = std::min(input.find('\n', taken), input.size() - 1) + 1;
    const std::size_t room = kMost - text_.size();
    const std::string_view piece = input.substr(taken, std::min(end - taken, room));
    text_ += piece;
    taken += piece.size();
    if (text_.back() == '\n') {
      if (is_last(std::string_view(text_).substr(line_))) state_ = State::kWhole;
      line_ = text_.size();
    }
    if (state_ == State::kPart && text_.size() == kMost) state_ = State::kEndless;
  }
  return taken;
}

}  // namespace smtpscope
