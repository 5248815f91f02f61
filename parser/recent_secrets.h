#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "parser/credentials.h"

namespace smtpscope {

/// The credentials that a client sent not long ago, so that a server which repeats them in its
/// replies ("535 bad credentials: ...") does not give them away. They are known as they were sent,
/// and by what they decode to: the name, and the password, token or proof. Bounded: of the last
/// kMost pieces the first kKept octets. Not thread-safe.
class RecentSecrets {
 public:
  static constexpr std::size_t kMost = 12;
  static constexpr std::size_t kKept = 64;

  /// Takes what was sent as credentials: the text of a response, of an initial response, or what
  /// stands behind the command of another protocol. `names`: what has no structure is a name.
  void learn(std::string_view text, bool names);
  bool empty() const { return secrets_.empty(); }

  /// Which parts of a reply line repeat a secret, in order: as it was sent or decoded, in any case,
  /// or inside of other base64. Its code is none. Names, and what is shorter than kShortest octets,
  /// count only where the reply answers a login: elsewhere names are what the dialogue is about.
  /// What is shorter than kAnywhere octets counts where it stands alone. `unfinished`: more of the
  /// line may come, so an end that begins a secret counts too.
  std::vector<TextRange> find(std::string_view line, bool answers_login, bool unfinished) const;

 private:
  static constexpr std::size_t kAnywhere = 8;
  static constexpr std::size_t kShortest = 4;

  struct Secret {
    std::string text;  // in lower case
    bool cut = false;  // it goes on
    bool name = false;
  };

  void learn_decoded(std::string_view decoded, bool names);
  void learn_words(std::string_view text, bool names);
  void add(std::string_view text, bool name);
  static void find_plainly(const Secret& secret, std::string_view lower,
                           std::vector<TextRange>& found);
  void find_encoded(std::string_view line, bool answers_login, std::vector<TextRange>& found) const;
  bool is_in_run(std::string_view run, bool answers_login) const;
  void find_begun(std::string_view lower, std::vector<TextRange>& found) const;

  std::vector<Secret> secrets_;  // oldest first
};

/// A server's challenge, the text of a 334, asks for a name or for a password, as that of LOGIN
/// does (draft-murchison-sasl-login).
enum class Prompt : unsigned char { kOther, kName, kPassword };
Prompt prompt_of(std::string_view challenge);

}  // namespace smtpscope
