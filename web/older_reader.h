#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "exporters/output.h"

namespace smtpscope {

/// Reads what takes long on a thread of its own, one question after the other, so that the server's
/// goes on meanwhile.
class OlderReader {
 public:
  /// More than this do not wait for an answer.
  static constexpr std::size_t kMostWaiting = 8;

  /// A question, and whoever waits for its answer.
  struct Question {
    /// Reads the answer; gives up once its flag is true.
    std::function<void(const std::atomic<bool>& stop, Output& into)> read;
    std::atomic<bool> dropped{false};  // nobody waits any more
    /// With the answer, on the reader's thread; not called once it is dropped.
    std::function<void(std::string text)> answered;
  };

  OlderReader();
  /// Drops what was asked and not answered.
  ~OlderReader();
  OlderReader(const OlderReader&) = delete;
  OlderReader& operator=(const OlderReader&) = delete;

  /// False if too many wait already.
  bool ask(std::shared_ptr<Question> question);

 private:
  void run();

  std::mutex mutex_;  // for what follows
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Question>> waiting_;
  std::shared_ptr<Question> reading_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace smtpscope
