#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>

namespace smtpscope {

/// HMAC-SHA-256 (RFC 2104) under the key of a redaction: what makes pseudonyms stable for whoever
/// has the key, and impossible to guess for everybody else. The hash is that of libcrypto: such
/// things are not written anew. Owns the key's schedule. Not thread-safe.
class KeyedHash {
 public:
  using Digest = std::array<std::uint8_t, 32>;

  explicit KeyedHash(std::string_view key);
  ~KeyedHash();
  KeyedHash(const KeyedHash&) = delete;
  KeyedHash& operator=(const KeyedHash&) = delete;

  /// Of the parts, each with its length before it, so that no two lists hash the same.
  Digest of(std::initializer_list<std::string_view> parts);
  std::uint64_t number_of(std::initializer_list<std::string_view> parts);

 private:
  struct Mac;
  std::unique_ptr<Mac> mac_;
};

/// As many octets as are asked for, all drawn from one digest and what it is made to yield.
class HashStream {
 public:
  HashStream(KeyedHash& hash, const KeyedHash::Digest& seed)
      : hash_(hash), seed_(seed), block_(seed) {}

  std::uint8_t octet();
  /// Below `limit`, which is small beside 65536.
  std::uint32_t below(std::uint32_t limit);

 private:
  KeyedHash& hash_;
  KeyedHash::Digest seed_;
  KeyedHash::Digest block_;
  std::uint32_t blocks_ = 0;
  std::size_t used_ = 0;
};

}  // namespace smtpscope
