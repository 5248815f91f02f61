#include "readers/log_source.h"

#include <utility>

#include "base/octets.h"

namespace smtpscope {

LogSource::LogSource(std::unique_ptr<OctetSource> octets, const std::string& file, MakeReader make,
                     WallTime latest)
    : octets_(std::move(octets)), run_(file), reader_(make(run_, latest)), buffer_(kMaxLine) {}

Result<bool> LogSource::next(WireSink& sink) {
  const Result<std::size_t> got = octets_->read(buffer_);
  if (!got) return got.error();
  if (got.value() == 0) return false;
  run_.set_sink(&sink);
  take(text_of(std::span(buffer_).first(got.value())));
  run_.set_sink(nullptr);
  return true;
}

void LogSource::take(std::string_view text) {
  while (true) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) break;
    const std::string_view piece = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (partial_.empty() && !too_long_) {
      take_line(piece);
      continue;
    }
    partial_ += piece;
    take_line(partial_);
    partial_.clear();
    too_long_ = false;
  }
  too_long_ = too_long_ || partial_.size() + text.size() > kMaxLine;
  too_long_ ? partial_.clear() : void(partial_ += text);
}

void LogSource::take_line(std::string_view line) {
  run_.count_line();
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (too_long_ || line.size() > kMaxLine) {
    run_.unreadable("it is longer than any that a program logs");
  } else {
    reader_->read(line);
  }
}

void LogSource::finish(WireSink& sink) {
  run_.set_sink(&sink);
  if (!partial_.empty() || too_long_) {
    take_line(partial_);
    partial_.clear();
    too_long_ = false;
  }
  reader_->finish();
  run_.set_sink(nullptr);
}

}  // namespace smtpscope
