#include "parser/content_digest.h"

#include <bit>
#include <cstddef>
#include <cstring>

namespace smtpscope {
namespace {

constexpr std::uint64_t kStart = 0xcbf29ce484222325;
constexpr std::size_t kWord = 8;

/// A one-to-one map, after which each bit depends on many.
constexpr std::uint64_t mixed(std::uint64_t digest) {
  digest *= 0x9e3779b97f4a7c15;
  return digest ^ digest >> 32;
}

/// The first octet lowest, on any machine.
std::uint64_t word_at(const std::uint8_t* octets) {
  std::uint64_t word = 0;
  std::memcpy(&word, octets, kWord);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

}  // namespace

/// Octets are put beside each other, where a word at a time is mixed in: so the digest itself holds
/// what is there of an unfinished word.
std::uint64_t digest_on(std::uint64_t digest, std::uint64_t at,
                        std::span<const std::uint8_t> octets) {
  if (octets.empty()) return digest;
  if (at == 0) digest = kStart;
  const auto take = [&](std::uint8_t octet) {
    const std::uint64_t place = at++ % kWord;
    digest ^= std::uint64_t{octet} << (8 * place);
    if (place == kWord - 1) digest = mixed(digest);
  };
  std::size_t i = 0;
  while (i < octets.size() && at % kWord != 0) take(octets[i++]);
  for (; octets.size() - i >= kWord; i += kWord, at += kWord) {
    digest = mixed(digest ^ word_at(octets.data() + i));
  }
  while (i < octets.size()) take(octets[i++]);
  return digest;
}

}  // namespace smtpscope
