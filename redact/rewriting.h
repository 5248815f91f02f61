#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace smtpscope {

/// A piece of one side's stream, written anew, and where its octets were before: so that a read
/// that ended inside of it can end at the same place again.
class Rewriting {
 public:
  /// `octets` octets of the original became as many octets of the text as stand here.
  struct Piece {
    std::uint64_t original = 0;
    std::uint64_t replaced = 0;
  };

  /// Octets that stay as they are, or were replaced one by one.
  void keep(std::string_view octets) { put(octets.size(), octets); }
  /// What stands in the place of `original` octets.
  void put(std::uint64_t original, std::string_view replacement) {
    text_ += replacement;
    const bool same = original == replacement.size();
    if (same && !pieces_.empty() && pieces_.back().original == pieces_.back().replaced) {
      pieces_.back().original += original;
      pieces_.back().replaced += original;
    } else if (original > 0 || !replacement.empty()) {
      pieces_.push_back({original, replacement.size()});
    }
  }

  void append(const Rewriting& other) {
    std::string_view text = other.text_;
    for (const Piece& piece : other.pieces_) {
      put(piece.original, text.substr(0, static_cast<std::size_t>(piece.replaced)));
      text.remove_prefix(static_cast<std::size_t>(piece.replaced));
    }
  }

  const std::string& text() const { return text_; }
  const std::vector<Piece>& pieces() const { return pieces_; }

 private:
  std::string text_;
  std::vector<Piece> pieces_;
};

}  // namespace smtpscope
