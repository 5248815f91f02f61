#include "web/older_reader.h"

#include <string_view>
#include <utility>

namespace smtpscope {
namespace {

class Gathered : public Output {
 public:
  void write(std::string_view text) override { text_ += text; }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace

OlderReader::OlderReader() : thread_([this] { run(); }) {}

OlderReader::~OlderReader() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    if (reading_) reading_->dropped = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool OlderReader::ask(std::shared_ptr<Question> question) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= kMostWaiting) return false;
    waiting_.push_back(std::move(question));
  }
  changed_.notify_all();
  return true;
}

void OlderReader::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    reading_ = std::move(waiting_.front());
    waiting_.pop_front();
    const std::shared_ptr<Question> question = reading_;
    lock.unlock();
    if (!question->dropped) {
      Gathered text;
      question->read(question->dropped, text);
      if (!question->dropped) question->answered(text.take());
    }
    lock.lock();
    reading_.reset();
  }
}

}  // namespace smtpscope
