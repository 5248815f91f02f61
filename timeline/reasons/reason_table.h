#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "timeline/reasons/reply_reason.h"

namespace smtpscope {

/// The words of a reason, for readers.
struct ReasonWords {
  std::string says;   // a few words for a sentence: "the recipient's mailbox is full"
  std::string means;  // one sentence
  WhoActs who = WhoActs::kServerAdmin;
  std::vector<std::string> checks;  // the cheapest first
};

/// Knows by what words and codes servers say why they refuse; reasons.txt tells the form. Immutable
/// once made and shared by all threads. A reply is matched in time linear in its length; of the
/// patterns only those are compiled and tried whose words stand in it.
class ReasonTable {
 public:
  ~ReasonTable();
  ReasonTable(ReasonTable&&) noexcept;
  ReasonTable& operator=(ReasonTable&&) noexcept;

  /// What is compiled in. Made at the first call, which takes some milliseconds.
  static const ReasonTable& built_in();
  /// What is compiled in, with `text` (the content of `name`, which errors cite) asked first.
  static Result<ReasonTable> extended(std::string_view text, std::string_view name);

  ReasonVerdict judge(const Refusal& refusal) const;
  const ReasonWords& words(ReplyReason reason) const;

 private:
  struct Content;
  explicit ReasonTable(std::unique_ptr<Content> content);
  /// `text`: the refusal's words as plain_words() has them.
  ReasonVerdict weigh(const Refusal& refusal, std::string text) const;
  static Result<ReasonTable> make(std::string_view added, std::string_view name);

  std::unique_ptr<Content> content_;
};

}  // namespace smtpscope
