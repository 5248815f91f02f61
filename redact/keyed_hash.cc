#include "redact/keyed_hash.h"

#include <openssl/evp.h>
#include <openssl/params.h>

#include <cstdlib>
#include <cstring>

namespace smtpscope {

struct KeyedHash::Mac {
  EVP_MAC* algorithm = nullptr;
  EVP_MAC_CTX* context = nullptr;

  ~Mac() {
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(algorithm);
  }
};

namespace {

/// A hash that cannot be computed would let originals through or mix them up: nothing goes on then.
void must(bool done) {
  if (!done) std::abort();
}

}  // namespace

KeyedHash::KeyedHash(std::string_view key) : mac_(std::make_unique<Mac>()) {
  char digest_name[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string("digest", digest_name, sizeof digest_name - 1),
      OSSL_PARAM_construct_end()};
  mac_->algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  must(mac_->algorithm != nullptr);
  mac_->context = EVP_MAC_CTX_new(mac_->algorithm);
  must(mac_->context != nullptr);
  must(EVP_MAC_init(mac_->context, reinterpret_cast<const unsigned char*>(key.data()), key.size(),
                    parameters) == 1);
}

KeyedHash::~KeyedHash() = default;

KeyedHash::Digest KeyedHash::of(std::initializer_list<std::string_view> parts) {
  // Without a key: the one that it has stays.
  must(EVP_MAC_init(mac_->context, nullptr, 0, nullptr) == 1);
  for (const std::string_view part : parts) {
    const std::uint64_t size = part.size();
    std::array<std::uint8_t, 8> before{};
    for (std::size_t i = 0; i < before.size(); ++i) {
      before[i] = static_cast<std::uint8_t>(size >> (8 * i));
    }
    must(EVP_MAC_update(mac_->context, before.data(), before.size()) == 1);
    must(EVP_MAC_update(mac_->context, reinterpret_cast<const unsigned char*>(part.data()),
                        part.size()) == 1);
  }
  Digest digest{};
  std::size_t size = 0;
  must(EVP_MAC_final(mac_->context, digest.data(), &size, digest.size()) == 1);
  must(size == digest.size());
  return digest;
}

std::uint64_t KeyedHash::number_of(std::initializer_list<std::string_view> parts) {
  const Digest digest = of(parts);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number |= std::uint64_t{digest[i]} << (8 * i);
  return number;
}

std::uint8_t HashStream::octet() {
  if (used_ == block_.size()) {
    ++blocks_;
    const char count[] = {static_cast<char>(blocks_ & 0xff), static_cast<char>(blocks_ >> 8 & 0xff),
                          static_cast<char>(blocks_ >> 16 & 0xff)};
    block_ = hash_.of({"more",
                       std::string_view(reinterpret_cast<const char*>(seed_.data()), seed_.size()),
                       std::string_view(count, sizeof count)});
    used_ = 0;
  }
  return block_[used_++];
}

std::uint32_t HashStream::below(std::uint32_t limit) {
  const std::uint32_t high = octet();
  return (high << 8 | octet()) % limit;
}

}  // namespace smtpscope
