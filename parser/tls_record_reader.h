#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "parser/item.h"

namespace smtpscope {

/// The octet can begin a TLS record: its type is 20 to 23 (RFC 8446 5.1).
constexpr bool begins_tls_record(std::uint8_t octet) { return octet >= 0x14 && octet <= 0x17; }

/// Follows the records of one direction of a TLS connection (RFC 8446 5.1: type, version, length,
/// fragment) without looking into what is encrypted. Keeps a few octets, allocates nothing.
class TlsRecordReader {
 public:
  enum class Found : std::uint8_t {
    kNothingYet,
    kRecord,  // record() is complete
    kNoTls,   // the octet behind `taken` is no part of a record; see took_type()
  };

  /// Takes octets up to the end of the record at most, and sets `taken` to how many.
  Found read(std::span<const std::uint8_t> octets, std::size_t& taken);

  /// What read() took ends in so many octets of the fragment of an unencrypted handshake record.
  std::size_t handshake_octets() const { return handshake_octets_; }
  /// TLS 1.3: handshake records are never encrypted, and ChangeCipherSpec means nothing (RFC 8446
  /// 5, D.4).
  void speak_tls13() {
    tls13_ = true;
    encrypts_ = false;
  }

  /// The record as far as it is known.
  TlsRecord record() const;
  /// No octet of a record is waiting for the rest of it.
  bool empty() const { return have_ == 0; }
  /// After kNoTls: an octet that could have been a type() was taken, but no version followed.
  bool took_type() const { return took_type_; }
  std::uint8_t type() const { return head_[0]; }

  /// What was read of the record proves that it is one.
  bool sure() const { return have_ >= 2 || records_ > 0; }

  /// The side has sent records that nobody else can read.
  bool encrypts() const { return encrypts_ || sent_data_; }

  /// `octets` missing ones are known to lie in the current record.
  bool has_room_for(std::uint64_t octets) const {
    return have_ >= kHeader && octets > 0 && octets <= left_;
  }
  /// Steps over missing octets. False when they are not known to lie in the current record.
  bool skip(std::uint64_t octets);
  /// The current record was dealt with, complete or not.
  void next_record();
  /// Records seen, complete or not.
  std::uint64_t records() const { return records_; }

 private:
  static constexpr std::size_t kHeader = 5;

  std::uint32_t length() const { return static_cast<std::uint32_t>(head_[3] << 8 | head_[4]); }

  std::array<std::uint8_t, kHeader + 2> head_{};  // the header and what follows of the fragment
  std::uint8_t have_ = 0;                         // octets in head_
  bool took_type_ = false;
  bool tls13_ = false;
  bool sent_data_ = false;
  bool encrypts_ = false;   // change_cipher_spec was seen: what follows is opaque (RFC 5246 7.1)
  std::uint32_t left_ = 0;  // octets of the fragment that are not read yet
  std::size_t handshake_octets_ = 0;
  std::uint64_t records_ = 0;
};

}  // namespace smtpscope
