#include "readers/joined_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>
#include <variant>

#include "capture/capture_file.h"

namespace smtpscope {

std::vector<std::vector<std::string>> grouped_by_run(const std::vector<std::string>& files) {
  struct Group {
    std::string run;
    std::vector<std::pair<std::uint64_t, std::string>> parts;
  };
  std::vector<Group> groups;
  std::unordered_map<std::string, std::size_t> known;
  for (const std::string& file : files) {
    // What comes through a pipe can be looked into once only.
    const auto part = files.size() < 2 || file == "-" ? std::nullopt : run_part_of(file);
    if (!part) {
      groups.push_back({"", {{0, file}}});
      continue;
    }
    const auto [at, is_new] = known.try_emplace(part->run, groups.size());
    if (is_new) groups.push_back({part->run, {}});
    groups[at->second].parts.emplace_back(part->part, file);
  }
  std::vector<std::vector<std::string>> named;
  for (Group& group : groups) {
    std::stable_sort(group.parts.begin(), group.parts.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    // A copy of a file is not read as if it were another one.
    std::vector<std::string>& first = named.emplace_back();
    for (std::size_t i = 0; i < group.parts.size(); ++i) {
      if (i > 0 && group.parts[i].first == group.parts[i - 1].first && !group.run.empty()) {
        named.push_back({group.parts[i].second});
      } else {
        first.push_back(group.parts[i].second);
      }
    }
  }
  return named;
}

std::vector<std::string> parts_of_run(const std::string& run,
                                      const std::vector<std::string>& files) {
  std::map<std::uint64_t, std::string> parts;
  for (const std::string& file : files) {
    const std::optional<RunPart> part = run_part_of(file);
    // One that is just being compressed is there twice.
    if (part && part->run == run) parts.emplace(part->part, file);
  }
  std::vector<std::string> found;
  found.reserve(parts.size());
  for (auto& [part, file] : parts) found.push_back(std::move(file));
  return found;
}

Result<std::unique_ptr<WireSource>> open_files(const std::vector<std::string>& files,
                                               const SourceOptions& options) {
  if (files.empty()) return Error{"its files are no longer there"};
  return files.size() == 1 ? open_source(files.front(), options)
                           : JoinedSource::open(files, options);
}

JoinedSource::JoinedSource(std::vector<std::string> files, SourceOptions options)
    : files_(std::move(files)), options_(std::move(options)) {}

Result<std::unique_ptr<WireSource>> JoinedSource::open(const std::vector<std::string>& files,
                                                       const SourceOptions& options) {
  std::unique_ptr<JoinedSource> joined(new JoinedSource(files, options));
  auto first = open_source(files.front(), options);
  if (!first) return first.error();
  joined->source_ = std::move(first.value());
  joined->run_ = joined->source_->run();
  joined->run_.source = fmt::format("{} … {}", files.front(), files.back());
  return std::unique_ptr<WireSource>(std::move(joined));
}

Result<bool> JoinedSource::next(WireSink& sink) {
  sink_ = &sink;
  while (true) {
    if (!source_) {
      Result<bool> opened = open_next(sink);
      if (!opened || !opened.value()) return opened;
    }
    Result<bool> more = source_->next(*this);
    if (!more || more.value()) return more;
    // The last one may grow.
    if (at_ + 1 == files_.size()) return false;
    close_source();
    ++at_;
  }
}

Result<bool> JoinedSource::open_next(WireSink& sink) {
  if (at_ == files_.size()) return false;
  auto opened = open_source(files_[at_], options_);
  if (!opened) return opened.error();
  source_ = std::move(opened.value());
  const std::uint64_t part = source_->run().part;
  if (part > run_.part + 1) {
    const std::string why = fmt::format("part {} of the run is not among the files", run_.part + 1);
    sink.on_wire({kWholeRun, last_time_, Gap{std::nullopt, 0, 0, why}});
  }
  run_.part = part;
  return true;
}

void JoinedSource::close_source() {
  source_->finish(*this);
  for (SourceNotice notice : source_->notices()) {
    notice.text = fmt::format("{}: {}", files_[at_], notice.text);
    notices_.push_back(std::move(notice));
  }
  source_.reset();
}

void JoinedSource::finish(WireSink& sink) {
  sink_ = &sink;
  if (source_) source_->finish(*this);
}

std::vector<SourceNotice> JoinedSource::notices() const {
  std::vector<SourceNotice> all = notices_;
  if (source_) {
    for (SourceNotice notice : source_->notices()) {
      notice.text = fmt::format("{}: {}", files_[at_], notice.text);
      all.push_back(std::move(notice));
    }
  }
  return all;
}

void JoinedSource::on_wire(const WireEvent& event) {
  last_time_ = std::max(last_time_, event.time);
  if (event.session == kWholeRun || is_told(event)) sink_->on_wire(event);
}

bool JoinedSource::is_told(const WireEvent& event) {
  const auto [at, is_new] = heard_.try_emplace(event.session, Heard{at_, event.seam});
  Heard& heard = at->second;
  if (!event.seam) {
    heard = {at_, false};
    if (std::holds_alternative<SessionEnded>(event.body)) heard_.erase(at);
    return true;
  }
  if (is_new || heard.in_opening) return true;
  // Known from an earlier file; or it goes on in the next.
  return heard.file == at_ && at_ + 1 == files_.size();
}

}  // namespace smtpscope
