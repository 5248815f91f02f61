#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace smtpscope {

/// Octets that are looked at together.
inline constexpr std::size_t kBlock = 64;

/// Where in a block the octets stand that matter in mail data: bit i is octet i.
struct OctetMasks {
  std::uint64_t cr = 0;
  std::uint64_t lf = 0;
  std::uint64_t dot = 0;
  std::uint64_t nul = 0;
  std::uint64_t high = 0;  // 8-bit octets
};

/// One type for each way to make OctetMasks; `of(block)` reads kBlock octets. Each is compiled
/// into functions that ask for the same instruction set.
struct PortableMasks {
  static OctetMasks of(const std::uint8_t* block) {
    OctetMasks masks;
    for (std::size_t at = 0; at < kBlock; at += 8) {
      std::uint64_t word = 0;
      for (std::size_t i = 0; i < 8; ++i) word |= std::uint64_t{block[at + i]} << (8 * i);
      masks.cr |= gather(zeros(word ^ kEach * '\r')) << at;
      masks.lf |= gather(zeros(word ^ kEach * '\n')) << at;
      masks.dot |= gather(zeros(word ^ kEach * '.')) << at;
      masks.nul |= gather(zeros(word)) << at;
      masks.high |= gather(word & kEach * 0x80) << at;
    }
    return masks;
  }

 private:
  static constexpr std::uint64_t kEach = 0x0101010101010101;

  /// Bit 7 of each octet that is 0. No carry crosses octets: 0x7f + 0x7f is 0xfe.
  static std::uint64_t zeros(std::uint64_t word) {
    return ~(((word & kEach * 0x7f) + kEach * 0x7f) | word | kEach * 0x7f);
  }
  /// The bits 7 of the octets side by side, that of the lowest octet lowest.
  static std::uint64_t gather(std::uint64_t bits) { return (bits >> 7) * 0x0102040810204080 >> 56; }
};

#if defined(__x86_64__)

/// SSE2 is part of x86-64.
struct Sse2Masks {
  static OctetMasks of(const std::uint8_t* block) {
    __m128i part[4];
    for (std::size_t i = 0; i < 4; ++i) {
      part[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block + 16 * i));
    }
    OctetMasks masks{equal(part, '\r'), equal(part, '\n'), equal(part, '.'), 0, 0};
    // As signed octets, 0 and what has the high bit set are the ones below 1: rare in mail.
    __m128i odd = _mm_setzero_si128();
    for (const __m128i& octets : part) {
      odd = _mm_or_si128(odd, _mm_cmplt_epi8(octets, _mm_set1_epi8(1)));
    }
    if (_mm_movemask_epi8(odd) != 0) {
      masks.nul = equal(part, '\0');
      masks.high = gather(part);
    }
    return masks;
  }

 private:
  static std::uint64_t gather(const __m128i (&part)[4]) {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      bits |= std::uint64_t{static_cast<std::uint32_t>(_mm_movemask_epi8(part[i]))} << (16 * i);
    }
    return bits;
  }
  static std::uint64_t equal(const __m128i (&part)[4], char wanted) {
    __m128i found[4];
    for (std::size_t i = 0; i < 4; ++i) found[i] = _mm_cmpeq_epi8(part[i], _mm_set1_epi8(wanted));
    return gather(found);
  }
};

struct Avx2Masks {
  __attribute__((target("avx2"), always_inline)) static inline OctetMasks of(
      const std::uint8_t* block) {
    const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block));
    const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block + 32));
    OctetMasks masks{equal(low, high, '\r'), equal(low, high, '\n'), equal(low, high, '.'), 0, 0};
    // As signed octets, 0 and what has the high bit set are the ones below 1: rare in mail.
    const __m256i odd = _mm256_cmpgt_epi8(_mm256_set1_epi8(1), _mm256_min_epi8(low, high));
    if (_mm256_testz_si256(odd, odd) == 0) {
      masks.nul = equal(low, high, '\0');
      masks.high = gather(low, high);
    }
    return masks;
  }

  /// A bit per octet that has its bit 7 set.
  __attribute__((target("avx2"), always_inline)) static inline std::uint64_t gather(__m256i low,
                                                                                    __m256i high) {
    return std::uint64_t{static_cast<std::uint32_t>(_mm256_movemask_epi8(low))} |
           std::uint64_t{static_cast<std::uint32_t>(_mm256_movemask_epi8(high))} << 32;
  }

 private:
  __attribute__((target("avx2"), always_inline)) static inline std::uint64_t equal(__m256i low,
                                                                                   __m256i high,
                                                                                   char wanted) {
    const __m256i octet = _mm256_set1_epi8(wanted);
    return gather(_mm256_cmpeq_epi8(low, octet), _mm256_cmpeq_epi8(high, octet));
  }
};

#endif

}  // namespace smtpscope
