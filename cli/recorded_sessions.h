#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "exporters/exporter.h"
#include "readers/reader_list.h"
#include "timeline/rule_set.h"
#include "web/older_sessions.h"

namespace smtpscope {

/// Sessions of files, read anew for each question: so a page holds a part of a run, and can show
/// all of it. The whole file is read up to them, since findings may rest on what came before.
class RecordedSessions : public OlderSessions {
 public:
  /// Of one answer: sessions, and octets of their records. The oldest of them are left for the next
  /// question.
  static constexpr std::size_t kMost = 200;
  static constexpr std::size_t kMostOctets = std::size_t{32} * 1024 * 1024;

  /// What `options` and `rules` point to must outlive this.
  RecordedSessions(SourceOptions source, const RuleSet& rules, ExporterOptions options);

  /// The file of the next run that the page is given; one that grows is read as far as it is. From
  /// any thread.
  void add(std::string file);
  /// Likewise, where `files` gives those that there are of the run when it is asked.
  void add(std::function<std::vector<std::string>()> files);
  void read(const Asked& asked, const std::atomic<bool>& stop, Output& into) override;
  void save(const Save& asked, const std::atomic<bool>& stop, Output& into) override;

 private:
  std::vector<std::string> files_of(std::uint64_t run);

  const SourceOptions source_;
  const RuleSet& rules_;
  const ExporterOptions options_;
  std::mutex mutex_;  // for what follows
  std::vector<std::function<std::vector<std::string>()>> files_;
};

}  // namespace smtpscope
