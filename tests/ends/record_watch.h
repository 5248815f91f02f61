#pragma once

#include <string>
#include <vector>

#include "capture/wire_event.h"

namespace smtpscope::ends {

/// How far the record is that the program writes meanwhile, so that nobody asks for more than it
/// can keep: the tracer of a busy machine falls behind, and what it then drops cannot be compared.
class RecordWatch {
 public:
  RecordWatch() = default;
  RecordWatch(const RecordWatch&) = delete;
  RecordWatch& operator=(const RecordWatch&) = delete;
  ~RecordWatch();

  /// False: there is no such file.
  bool open(const std::string& path);
  /// Becomes readable when the file has grown; see read().
  int descriptor() const { return notify_; }
  /// Takes in what has been written, and gives the sessions whose end it is.
  std::vector<SessionId> read();

 private:
  int file_ = -1;
  int notify_ = -1;
  std::string line_;  // begun
};

}  // namespace smtpscope::ends
