#include "capture/capture_reader.h"

#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "base/octets.h"
#include "capture/capture_file.h"

namespace smtpscope {
namespace {

constexpr std::size_t kReadSize = std::size_t{256} * 1024;
/// Kinds of unknown events that are told by name.
constexpr std::size_t kMaxUnknownKinds = 8;
constexpr std::size_t kMaxKindName = 64;

/// For messages: control octets could drive a terminal.
std::string printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return text;
}

}  // namespace

CaptureReader::CaptureReader(std::unique_ptr<OctetSource> octets) : octets_(std::move(octets)) {}

Result<std::unique_ptr<CaptureReader>> CaptureReader::open(const std::string& path) {
  const Result<int> descriptor = open_capture_file(path);
  if (!descriptor) return descriptor.error();
  const std::string name = path == "-" ? "standard input" : path;
  return open(std::make_unique<DescriptorOctets>(descriptor.value(), name), name);
}

Result<std::unique_ptr<CaptureReader>> CaptureReader::open(std::unique_ptr<OctetSource> octets,
                                                           const std::string& name) {
  std::unique_ptr<CaptureReader> reader(new CaptureReader(std::move(octets)));
  std::string_view line;
  const Result<Found> found = reader->next_line(line);
  if (!found) return found.error();
  if (found.value() == Found::kEnd && reader->end_ == 0 && !reader->skipping_) {
    return Error{fmt::format("{} is empty: nothing was captured into it", name)};
  }
  if (found.value() == Found::kEnd) {
    // A header without its line end is one nevertheless, if it is whole.
    line =
        text_of(std::span(reader->buffer_).subspan(reader->begin_, reader->end_ - reader->begin_));
  }
  Result<RunInfo> run = parse_header(found.value() == Found::kTooLong ? "" : line);
  if (!run) return Error{fmt::format("cannot read {}: {}", name, run.error().message)};
  reader->run_ = std::move(run.value());
  reader->run_.source = name;
  return reader;
}

Result<bool> CaptureReader::next(WireSink& sink) {
  while (true) {
    std::string_view line;
    const Result<Found> found = next_line(line);
    if (!found) return found.error();
    if (found.value() == Found::kEnd) return false;
    if (found.value() == Found::kTooLong) {
      hand_over_gap("it is too long", sink);
      return true;
    }
    if (line.empty()) continue;
    switch (line_.parse(line)) {
      case EventLine::Kind::kEvent:
        last_time_ = line_.event().time;
        sink.on_wire(line_.event());
        return true;
      case EventLine::Kind::kCorrupt:
        hand_over_gap(line_.complaint(), sink);
        return true;
      case EventLine::Kind::kUnknown: {
        ++unknown_in_all_;
        const std::string name = printable(line_.name().substr(0, kMaxKindName));
        if (unknown_.size() < kMaxUnknownKinds || unknown_.contains(name)) ++unknown_[name];
        break;
      }
    }
  }
}

void CaptureReader::hand_over_gap(std::string_view complaint, WireSink& sink) {
  const std::string where = fmt::format("line {}: {}", lines_, complaint);
  if (corrupt_++ == 0) first_complaint_ = printable(where);
  const std::string why = fmt::format("the capture cannot be read at {}", where);
  sink.on_wire({kWholeRun, last_time_, Gap{std::nullopt, 0, 0, why}});
}

/// The next whole line, without its line end; valid until the next call.
Result<CaptureReader::Found> CaptureReader::next_line(std::string_view& line) {
  while (true) {
    const char* const text = reinterpret_cast<const char*>(buffer_.data());
    const void* const newline =
        scanned_ < end_ ? std::memchr(text + scanned_, '\n', end_ - scanned_) : nullptr;
    if (newline) {
      const auto at = static_cast<std::size_t>(static_cast<const char*>(newline) - text);
      line = {text + begin_, at - begin_};
      begin_ = scanned_ = at + 1;
      ++lines_;
      if (std::exchange(skipping_, false)) return Found::kTooLong;
      return Found::kLine;
    }
    scanned_ = end_;
    if (skipping_ || end_ - begin_ > kMaxLine) {
      skipping_ = true;
      begin_ = scanned_ = end_ = 0;
    }
    const Result<std::size_t> more = read_more();
    if (!more) return more.error();
    if (more.value() == 0) return Found::kEnd;
  }
}

/// Reads behind what is there. Gives how many octets came, 0 at the end.
Result<std::size_t> CaptureReader::read_more() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    scanned_ -= begin_;
    begin_ = 0;
  }
  if (buffer_.size() - end_ < kReadSize) buffer_.resize(std::max(2 * end_, end_ + kReadSize));
  Result<std::size_t> got = octets_->read(std::span(buffer_).subspan(end_));
  if (got) end_ += got.value();
  return got;
}

std::vector<SourceNotice> CaptureReader::notices() const {
  using Kind = SourceNotice::Kind;
  std::vector<SourceNotice> notices;
  if (corrupt_ > 0) {
    const std::string others = corrupt_ > 1 ? fmt::format(", and {} more", corrupt_ - 1) : "";
    notices.push_back({Kind::kCorrupt, corrupt_,
                       fmt::format("1 line could not be read ({}){}; what it held is missing",
                                   first_complaint_, others)});
  }
  if (unknown_in_all_ > 0) {
    std::string kinds;
    for (const auto& [name, count] : unknown_) {
      kinds += fmt::format("{}{} \"{}\"", kinds.empty() ? "" : ", ", count, name);
    }
    notices.push_back({Kind::kUnknown, unknown_in_all_,
                       fmt::format("{} events are of kinds that this version does not know ({}) "
                                   "and were skipped",
                                   unknown_in_all_, kinds)});
  }
  if (end_ > begin_ || skipping_) {
    notices.push_back({Kind::kCut, 1,
                       fmt::format("it ends inside line {}: the trace was cut off there, and all "
                                   "whole lines before were read",
                                   lines_ + 1)});
  }
  return notices;
}

}  // namespace smtpscope
