#include "readers/logs/postfix_peer.h"

#include <fmt/format.h>

#include "base/ascii.h"

namespace smtpscope {

bool take_postfix_peer(std::string_view text, PostfixPeer& peer) {
  const std::size_t open = text.find('[');
  const std::size_t close = text.find(']', open == std::string_view::npos ? text.size() : open);
  if (close == std::string_view::npos) return false;
  peer.address = text.substr(open + 1, close - open - 1);
  text.remove_prefix(close + 1);
  peer.port = {};
  if (text.size() > 1 && text[0] == ':' && is_digit(text[1])) {
    const std::size_t end = std::min(text.find_first_not_of("0123456789", 1), text.size());
    peer.port = text.substr(1, end - 1);
    text.remove_prefix(end);
  }
  peer.behind = text;
  return !peer.address.empty();
}

std::string postfix_address(const PostfixPeer& peer) {
  const bool v6 = peer.address.find(':') != std::string_view::npos;
  if (v6) return fmt::format("[{}]:{}", peer.address, peer.port.empty() ? "?" : peer.port);
  return peer.port.empty() ? std::string(peer.address)
                           : fmt::format("{}:{}", peer.address, peer.port);
}

}  // namespace smtpscope
