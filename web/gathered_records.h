#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "exporters/output.h"

namespace smtpscope {

/// Holds records back for a moment, so that those of a session go on together: whoever keeps, sends
/// and reads them then handles one piece instead of a dozen. What is of no session goes on at once,
/// behind what is held. Sessions may overtake each other, records of one never. Not thread-safe.
class GatheredRecords : public Output {
 public:
  /// What is held at the most, in octets.
  static constexpr std::size_t kMost = std::size_t{256} * 1024;

  /// `next` must outlive this.
  explicit GatheredRecords(Output& next) : next_(next) {}
  ~GatheredRecords() override { flush(); }
  GatheredRecords(const GatheredRecords&) = delete;
  GatheredRecords& operator=(const GatheredRecords&) = delete;

  /// Whole lines, each a record, all of one session or of none.
  void write(std::string_view text) override;
  /// Hands on what is held.
  void flush();

 private:
  Output& next_;
  std::map<std::uint64_t, std::string> held_;  // by session
  std::size_t octets_ = 0;
};

}  // namespace smtpscope
