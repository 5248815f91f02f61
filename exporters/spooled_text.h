#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace smtpscope {

class SpooledText;

/// Where texts go that are too large for memory: a file without a name in $TMPDIR or /tmp, which is
/// gone when the process is. Made when it is first needed. Not thread-safe.
class Spool {
 public:
  /// Octets that all texts together hold in memory: some 100,000 lines.
  static constexpr std::size_t kMostHeld = std::size_t{16} * 1024 * 1024;

  explicit Spool(std::size_t most_held = kMostHeld) : most_held_(most_held) {}
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  /// Why a text could not be spooled or read back. From then on texts are lost.
  const std::optional<Error>& fault() const { return fault_; }

 private:
  friend class SpooledText;

  void relieve();
  bool write(std::string_view text);
  bool read(std::uint64_t at, char* into, std::size_t octets);
  bool open();
  void fail(int error);

  const std::size_t most_held_;
  std::size_t held_ = 0;
  std::vector<SpooledText*> texts_;  // all of them; each knows its place
  int descriptor_ = -1;
  std::uint64_t end_ = 0;  // of the file
  std::optional<Error> fault_;
};

/// A text that is added to, and then read once. What the spool's memory has no room for is in its
/// file. Not thread-safe.
class SpooledText {
 public:
  /// `spool` must outlive this.
  explicit SpooledText(Spool& spool);
  ~SpooledText();
  SpooledText(const SpooledText&) = delete;
  SpooledText& operator=(const SpooledText&) = delete;

  void add(std::string_view text);
  bool empty() const { return held_.empty() && extents_.empty(); }
  /// Calls `take` with all of it, piece by piece. `take` may add to other texts.
  void read(const std::function<void(std::string_view)>& take) const;

 private:
  friend class Spool;

  /// A piece in the file.
  struct Extent {
    std::uint64_t at = 0;
    std::uint64_t octets = 0;
  };

  Spool& spool_;
  std::vector<Extent> extents_;
  std::string held_;  // behind them
  std::size_t place_;
};

}  // namespace smtpscope
