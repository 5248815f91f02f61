#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

namespace smtpscope {

/// Finds many words in a text at once (Aho and Corasick, 1975). Add all of them, then prepare(),
/// then search. Not thread-safe.
class NeedleSearch {
 public:
  /// `number` is told when `needle`, which is not empty, is found. Of equal ones the first counts.
  void add(std::string_view needle, std::uint32_t number);
  void prepare();

  /// Tells each place where a needle stands: its number, and where it begins and ends.
  using Found = std::function<void(std::uint32_t number, std::size_t begin, std::size_t end)>;
  void search(std::string_view text, const Found& found) const;

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  struct Node {
    std::vector<std::pair<unsigned char, std::uint32_t>> next;
    std::uint32_t shorter = 0;     // the longest end of this one that begins a needle
    std::uint32_t found_too = 0;   // the next on that way where a needle ends; 0: none
    std::uint32_t number = kNone;  // of the needle that ends here
    std::uint32_t size = 0;
  };

  std::uint32_t child(std::uint32_t node, unsigned char octet) const;

  std::vector<Node> nodes_ = std::vector<Node>(1);
};

/// What stands at [begin, end) of `text` is no part of a longer word. Octets beyond ASCII are no
/// part of words: what a wrong guess at an encoding makes may stand beside a name.
bool stands_alone(std::string_view text, std::size_t begin, std::size_t end);

}  // namespace smtpscope
