#include "readers/text/log_source.h"

#include <algorithm>
#include <utility>

#include "base/octets.h"

namespace smtpscope {

LogSource::LogSource(std::unique_ptr<OctetSource> octets, const std::string& file, MakeReader make,
                     WallTime latest, PastePlan plan)
    : octets_(std::move(octets)),
      run_(file),
      plan_(std::move(plan)),
      latest_(latest),
      reader_(make(run_, latest)),
      buffer_(kMaxLine) {}

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
  } else if (plan_.plain()) {
    read_line(line);
  } else {
    for (const std::string_view each : plan_.unwrap(line)) read_line(each);
  }
}

void LogSource::read_line(std::string_view line) {
  if (!plan_.newest_first()) {
    reader_->read(line);
  } else if (turned_.size() + line.size() < kMostTurned) {
    turned_ += line;
    turned_ += '\n';
  } else {
    run_.unreadable("its lines come newest first, and there are more than can be sorted");
  }
}

/// Lines without a stamp belong to the one above. Those before the first stamp are a heading.
void LogSource::turn_round() {
  LogStamps stamps(latest_);
  std::vector<std::string_view> groups;
  std::string_view rest = turned_;
  std::string_view heading;
  std::size_t size = 0;  // of the group that goes on, at the beginning of `rest`
  bool stamped = false;
  while (size < rest.size()) {
    const std::string_view line = rest.substr(size, rest.find('\n', size) - size);
    if (stamps.read_any(line)) {
      const std::string_view before = rest.substr(0, size);
      stamped ? groups.push_back(before) : void(heading = before);
      rest.remove_prefix(size);
      size = 0;
      stamped = true;
    }
    size += line.size() + 1;
  }
  stamped ? groups.push_back(rest) : void(heading = rest);
  const auto read_group = [&](std::string_view group) {
    while (!group.empty()) {
      const std::size_t end = std::min(group.find('\n'), group.size());
      reader_->read(group.substr(0, end));
      group.remove_prefix(std::min(end + 1, group.size()));
    }
  };
  read_group(heading);
  for (auto group = groups.rbegin(); group != groups.rend(); ++group) read_group(*group);
  turned_.clear();
  run_.note("its lines come newest first: they were read from the last to the first");
}

void LogSource::finish(WireSink& sink) {
  run_.set_sink(&sink);
  if (!partial_.empty() || too_long_) {
    take_line(partial_);
    partial_.clear();
    too_long_ = false;
  }
  if (plan_.newest_first()) turn_round();
  reader_->finish();
  run_.set_sink(nullptr);
}

}  // namespace smtpscope
