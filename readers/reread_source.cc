#include "readers/reread_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/octets.h"
#include "readers/logs/catalogue.h"
#include "readers/reader_list.h"

namespace smtpscope {

/// Hands on what it reads, and keeps it while that is little.
class RereadSource::KeptOctets : public OctetSource {
 public:
  explicit KeptOctets(std::unique_ptr<OctetSource> octets) : octets_(std::move(octets)) {}

  Result<std::size_t> read(std::span<std::uint8_t> room) override {
    Result<std::size_t> got = octets_->read(room);
    if (!got || !whole_) return got;
    whole_ = text_.size() + got.value() <= kRecognisedBy;
    if (whole_) {
      text_ += text_of(room.first(got.value()));
    } else {
      std::string().swap(text_);
    }
    return got;
  }

  bool whole() const { return whole_; }
  const std::string& text() const { return text_; }

 private:
  std::unique_ptr<OctetSource> octets_;
  std::string text_;
  bool whole_ = true;
};

/// Notes that there was anything to hand on, and of what run.
class RereadSource::Watched : public WireSink {
 public:
  Watched(RereadSource& source, WireSink& sink) : source_(source), sink_(sink) {}
  void on_wire(const WireEvent& event) override {
    if (!std::exchange(source_.found_, true)) source_.info_ = source_.reading_->run();
    sink_.on_wire(event);
  }

 private:
  RereadSource& source_;
  WireSink& sink_;
};

namespace {

class TextOctets : public OctetSource {
 public:
  explicit TextOctets(std::string_view text) : rest_(octets_of(text)) {}
  Result<std::size_t> read(std::span<std::uint8_t> room) override {
    const std::size_t count = std::min(room.size(), rest_.size());
    std::copy_n(rest_.begin(), count, room.begin());
    rest_ = rest_.subspan(count);
    return count;
  }

 private:
  std::span<const std::uint8_t> rest_;
};

}  // namespace

RereadSource::RereadSource(std::unique_ptr<OctetSource> octets, std::string file,
                           const LogKind& kind, WallTime latest, PastePlan plan)
    : file_(std::move(file)), kind_(&kind), latest_(latest) {
  auto kept = std::make_unique<KeptOctets>(std::move(octets));
  kept_ = kept.get();
  first_ = std::make_unique<LogSource>(std::move(kept), file_, kind.make, latest, std::move(plan));
  reading_ = first_.get();
  info_ = reading_->run();
}

Result<bool> RereadSource::next(WireSink& sink) {
  Watched watched(*this, sink);
  return reading_->next(watched);
}

void RereadSource::finish(WireSink& sink) {
  Watched watched(*this, sink);
  reading_->finish(watched);
  if (!found_ && kept_->whole()) read_again(watched);
}

void RereadSource::read_again(WireSink& sink) {
  const PastePlan plan = PastePlan::of(kept_->text());
  const std::string text = PastePlan(plan).unwrapped(kept_->text());
  for (const LogKind* kind : all_logs()) {
    if (kind == kind_ || !kind->recognises(text)) continue;
    other_ = std::make_unique<LogSource>(std::make_unique<TextOctets>(kept_->text()), file_,
                                         kind->make, latest_, plan);
    reading_ = other_.get();
    while (const Result<bool> more = reading_->next(sink)) {
      if (!more.value()) break;
    }
    reading_->finish(sink);
    if (!found_) continue;
    looked_like_ = std::exchange(kind_, kind);
    return;
  }
  reading_ = first_.get();
}

std::vector<SourceNotice> RereadSource::notices() const {
  using Kind = SourceNotice::Kind;
  std::vector<SourceNotice> notices = reading_->notices();
  if (looked_like_ != nullptr) {
    notices.push_back({Kind::kUnknown, 1,
                       fmt::format("read as '{}', which found no session in it, and then as '{}'",
                                   looked_like_->name, kind_->name)});
  } else if (!found_) {
    notices.push_back(
        {Kind::kUnknown, 1,
         fmt::format("it was read as '{}'; --as FORMAT chooses another, smtpscope formats lists "
                     "them",
                     kind_->name)});
  }
  return notices;
}

}  // namespace smtpscope
