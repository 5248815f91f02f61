#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "exporters/output.h"

namespace smtpscope {

/// An output whose text goes on to another one gzipped (RFC 1952) and in base64: characters that
/// mean nothing in HTML, whatever came off the wire. Not thread-safe.
class PackedRecords : public Output {
 public:
  /// `output` must outlive this.
  explicit PackedRecords(Output& output);
  ~PackedRecords() override;

  void write(std::string_view text) override;
  /// Completes it; write() must not be called any more.
  void finish();

 private:
  struct Deflater;

  void compress(std::string_view text, bool last);
  void put_out(std::string_view octets, bool last);

  Output& output_;
  std::unique_ptr<Deflater> deflater_;
  std::string rest_;  // fewer than three octets, which are no whole group of base64 yet
};

}  // namespace smtpscope
