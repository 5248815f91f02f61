#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace smtpscope {

using Octets = std::span<const std::uint8_t>;

/// Reads the structures of TLS (RFC 8446 3: big-endian numbers, vectors behind their length) from
/// octets that may be cut or hostile. What is beyond the end reads as zero or empty, and ok() is
/// false from then on. A view: the octets have to outlive it.
class OctetCursor {
 public:
  explicit OctetCursor(Octets octets) : left_(octets) {}

  bool ok() const { return ok_; }
  bool empty() const { return left_.empty(); }

  /// A big-endian number of `octets` octets, 4 at most.
  std::uint32_t number(std::size_t octets) {
    std::uint32_t value = 0;
    for (const std::uint8_t octet : take(octets)) value = value << 8 | octet;
    return value;
  }
  /// The next `octets` octets; what there is of them when they are cut.
  Octets take(std::size_t octets) {
    if (octets > left_.size()) {
      ok_ = false;
      octets = left_.size();
    }
    const Octets taken = left_.first(octets);
    left_ = left_.subspan(octets);
    return taken;
  }
  /// A vector behind its length, which has `length_octets` octets.
  Octets vector(std::size_t length_octets) { return take(number(length_octets)); }

 private:
  Octets left_;
  bool ok_ = true;
};

inline std::string string_from(Octets octets) {
  return std::string(reinterpret_cast<const char*>(octets.data()), octets.size());
}

}  // namespace smtpscope
