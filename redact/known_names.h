#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "redact/needle_search.h"
#include "redact/originals.h"

namespace smtpscope {

/// What an earlier pass over the same input found to be names, to be looked up in texts: of those
/// that are telling, wherever they stand alone; of ordinary ones (a user called "4711" or "k.w")
/// whether a text is one. Keeps a reference to `originals`. Not thread-safe.
class KnownNames {
 public:
  struct Match {
    std::size_t begin = 0;
    std::size_t end = 0;
    OriginalKind kind = OriginalKind::kWord;
  };

  explicit KnownNames(const Originals& originals);

  /// In order of their beginnings; of those with the same one the longest. They may overlap.
  std::vector<Match> find(std::string_view text) const;
  /// One of them is in `text`.
  bool is_in(std::string_view text) const;
  /// `text`, as a whole, is a name of a user or a host that find() does not look for, and no word
  /// that everybody uses.
  bool is_ordinary_name(std::string_view text) const;
  const Originals& originals() const { return originals_; }

 private:
  const Originals& originals_;
  NeedleSearch search_;
  std::vector<OriginalKind> kinds_;
};

}  // namespace smtpscope
