#pragma once

#include <memory>
#include <string>

#include "capture/octet_source.h"
#include "capture/wire_source.h"
#include "readers/text/log_kind.h"
#include "readers/text/log_source.h"
#include "readers/text/paste_plan.h"

namespace smtpscope {

/// A text, read by the kind that it looks like. Where that finds no session in all of it, as many
/// others are asked as know it, the general reader last: one line of a program's may stand above a
/// dialogue of another one. Keeps up to kRecognisedBy octets of the text for that. Not thread-safe.
class RereadSource : public WireSource {
 public:
  /// `file` is its name. `latest`: when it was written last. `plan`: what is around its lines.
  RereadSource(std::unique_ptr<OctetSource> octets, std::string file, const LogKind& kind,
               WallTime latest, PastePlan plan);

  const RunInfo& run() const override { return info_; }
  Result<bool> next(WireSink& sink) override;
  void finish(WireSink& sink) override;
  std::vector<SourceNotice> notices() const override;

 private:
  class KeptOctets;
  class Watched;

  void read_again(WireSink& sink);

  const std::string file_;
  const LogKind* kind_;
  const WallTime latest_;
  const KeptOctets* kept_ = nullptr;  // owned by `first_`
  std::unique_ptr<LogSource> first_;
  std::unique_ptr<LogSource> other_;      // of the kind that found something
  LogSource* reading_;                    // one of the two
  const LogKind* looked_like_ = nullptr;  // what `kind_` was before
  RunInfo info_;                          // of the reading that found something
  bool found_ = false;
};

}  // namespace smtpscope
