#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "exporters/output.h"

namespace smtpscope {

/// Brings what several threads write into one order: parts are numbered from 0, and go out in the
/// order of their numbers. The part whose turn it is goes straight through; of the others at most
/// kMaxWaiting octets wait in memory, then their writers do. A part cannot know whether those
/// before it have text: the empty line that parts it from them is left out where they have none.
/// Thread-safe.
class OutputOrder {
 public:
  static constexpr std::size_t kMaxWaiting = std::size_t{16} * 1024 * 1024;

  /// `output` must outlive this, and is used by one thread at a time.
  explicit OutputOrder(Output& output) : output_(output) {}

  /// Text of part `number`.
  void write(std::size_t number, std::string_view text);
  /// The part is complete; `afterwards` is called when all of it is out, before the next part.
  void end(std::size_t number, std::function<void()> afterwards);

 private:
  struct Part {
    std::string text;
    bool ended = false;
    std::function<void()> afterwards;
  };

  void let_go(std::unique_lock<std::mutex>& lock);
  void put_out(std::string_view text);

  Output& output_;
  bool written_ = false;  // belongs to whoever has the turn, like output_
  std::mutex mutex_;
  std::condition_variable turned_;
  std::size_t turn_ = 0;
  std::map<std::size_t, Part> waiting_;
  std::size_t waiting_octets_ = 0;
};

/// One part of an OutputOrder, for an exporter to write to.
class OrderedPart : public Output {
 public:
  OrderedPart(OutputOrder& order, std::size_t number) : order_(order), number_(number) {}
  void write(std::string_view text) override { order_.write(number_, text); }

 private:
  OutputOrder& order_;
  std::size_t number_;
};

}  // namespace smtpscope
