#include "parser/tls_record_reader.h"

#include <algorithm>
#include <cstring>

namespace smtpscope {
namespace {

constexpr std::uint8_t kChangeCipherSpec = 20, kAlert = 21, kHandshake = 22, kData = 23;

}  // namespace

TlsRecordReader::Found TlsRecordReader::read(std::span<const std::uint8_t> octets,
                                             std::size_t& taken) {
  taken = 0;
  handshake_octets_ = 0;
  while (have_ < kHeader) {
    if (taken == octets.size()) return Found::kNothingYet;
    const std::uint8_t octet = octets[taken];
    // The major version has been 3 in every TLS (RFC 8446 5.1: 0x0301 or 0x0303).
    if ((have_ == 0 && !begins_tls_record(octet)) || (have_ == 1 && octet != 0x03)) {
      took_type_ = have_ == 1;
      have_ = 0;
      return Found::kNoTls;
    }
    head_[have_++] = octet;
    ++taken;
    if (have_ == kHeader) left_ = length();
  }
  const std::size_t body = std::min<std::size_t>(left_, octets.size() - taken);
  const std::size_t peek = std::min(body, head_.size() - have_);
  if (peek > 0) std::memcpy(head_.data() + have_, octets.data() + taken, peek);
  have_ = static_cast<std::uint8_t>(have_ + peek);
  left_ -= static_cast<std::uint32_t>(body);
  taken += body;
  if (head_[0] == kHandshake && !encrypts_) handshake_octets_ = body;
  return left_ == 0 ? Found::kRecord : Found::kNothingYet;
}

TlsRecord TlsRecordReader::record() const {
  TlsRecord record;
  record.type = head_[0];
  record.complete = have_ >= kHeader && left_ == 0;
  if (have_ >= 3) record.version = static_cast<std::uint16_t>(head_[1] << 8 | head_[2]);
  record.encrypted = encrypts_ || record.type == kData;
  if (have_ < kHeader) return record;
  record.length = length();
  if (encrypts_) return record;
  if (record.type == kHandshake && have_ > kHeader) record.handshake_type = head_[kHeader];
  // An alert in the clear is two octets: level, description (RFC 8446 6).
  if (record.type == kAlert && record.length == 2 && have_ == head_.size()) {
    record.alert_level = head_[kHeader];
    record.alert_description = head_[kHeader + 1];
  }
  return record;
}

bool TlsRecordReader::skip(std::uint64_t octets) {
  if (!has_room_for(octets)) return false;
  left_ -= static_cast<std::uint32_t>(octets);
  // The octets to peek at may be among the missing ones: then they stay unknown.
  if (have_ < head_.size()) encrypts_ = true;
  return true;
}

void TlsRecordReader::next_record() {
  if (head_[0] == kChangeCipherSpec && !tls13_) encrypts_ = true;
  if (head_[0] == kData) sent_data_ = true;
  have_ = 0;
  left_ = 0;
  ++records_;
}

}  // namespace smtpscope
