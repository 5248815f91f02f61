// Dialogues and byte corpora of other projects, where they are at hand: chasquid's scripted
// dialogues as two-sided sessions, everything else as octets that may be anything. They are not
// ours to hold; without them ctest counts this as skipped (own_octets_test.cc has ours).

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <regex>

#include "tests/catch.h"
#include "tests/parser/describe_item.h"
#include "tests/parser/dialogue.h"

using namespace smtpscope;
using namespace smtpscope::test;

namespace fs = std::filesystem;

namespace {

const fs::path kDialogues = fs::path(SMTPSCOPE_SOURCE_DIR) / "../shared/captures/dialogues";

bool at_hand() {
  if (fs::is_directory(kDialogues)) return true;
  std::cout << "skipped: the dialogues of other projects are not at " << kDialogues.string()
            << "\n";
  return false;
}

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The octets that an expression of a script stands for, such as ('a' * 899 + '\r\n') * 116.
class Expression {
 public:
  explicit Expression(std::string_view text) : rest_(text) {}

  std::string sum() {
    std::string result = product();
    while (take('+')) result += product();
    return result;
  }

 private:
  std::string product() {
    std::string factor;
    if (take('(')) {
      factor = sum();
      take(')');
    } else {
      factor = quoted();
    }
    if (!take('*')) return factor;
    std::string result;
    for (std::size_t times = number(); times > 0; --times) result += factor;
    return result;
  }

  std::string quoted() {
    std::string result;
    take('\'');
    while (!rest_.empty() && rest_.front() != '\'') {
      char c = next();
      if (c == '\\') {
        c = next();
        if (c == 'n') c = '\n';
        if (c == 'r') c = '\r';
      }
      result += c;
    }
    take('\'');
    return result;
  }

  std::size_t number() {
    std::size_t result = 0;
    skip_blanks();
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
      result = result * 10 + static_cast<std::size_t>(next() - '0');
    }
    return result;
  }

  void skip_blanks() {
    while (rest_.starts_with(' ')) rest_.remove_prefix(1);
  }
  bool take(char wanted) {
    skip_blanks();
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  char next() {
    if (rest_.empty()) return '\0';
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  std::string_view rest_;
};

/// The sessions of a script in chasquid's notation: "c -> line", "c ~> 'octets'", "c <~ pattern",
/// "c <- reply", "c <... text of the last line".
std::vector<Script> sessions_of(const std::string& text) {
  std::vector<Script> sessions;
  std::istringstream lines(text);
  const std::regex step(R"(c (->|~>|<~|<-|<\.\.\.|tcp_connect|tls_connect|close) ?(.*))");
  const std::regex reply(R"(([0-9]{3})(.*))");
  std::smatch match, parts;
  for (std::string line; std::getline(lines, line);) {
    if (!std::regex_match(line, match, step)) continue;
    const std::string how = match[1], what = match[2];
    if (how.ends_with("connect")) {
      sessions.emplace_back();
    } else if (how == "->") {
      sessions.back().push_back(C(what + "\r\n"));
    } else if (how == "~>") {
      sessions.back().push_back(C(Expression(what).sum()));
    } else if (std::regex_match(what, parts, reply)) {
      const std::string code = parts[1];
      const std::string last = code + " ok\r\n";
      sessions.back().push_back(S(how == "<..." ? code + "-first\r\n" + last : last));
    }
  }
  return sessions;
}

}  // namespace

TEST_CASE("chasquid's dialogues: each reply answers something") {
  if (!at_hand()) return;
  std::size_t sessions = 0, replies = 0;
  for (const fs::path& path : files_below(kDialogues / "chasquid-dialogs")) {
    if (path.extension() != ".cmy") continue;
    for (const Script& script : sessions_of(content_of(path))) {
      INFO(path.filename().string() << "\n" << to_text(script));
      ++sessions;
      std::size_t octets = 0;
      for (const Step& step : script) octets += step.octets.size();
      CHECK(find_fault(script, Conversation::Start::kBeginning, octets > 100'000 ? 3 : 40, 10) ==
            "");
      const Outcome outcome =
          run(script, Conversation::Start::kBeginning, [] { return ~std::size_t{0}; });
      for (const std::string& item : outcome.items) {
        if (!item.starts_with("S ")) continue;
        ++replies;
        CHECK(item.find("orphan") == std::string::npos);
      }
    }
  }
  CHECK(sessions > 20);
  CHECK(replies > 80);
  CHECK(Expression("('ab' * 2 + '\\r\\n') * 2").sum() == "abab\r\nabab\r\n");
}

TEST_CASE("corpora as octets of either side") {
  if (!at_hand()) return;
  std::size_t files = 0;
  for (const fs::path& path : files_below(kDialogues)) {
    const std::string octets = content_of(path);
    if (octets.empty()) continue;
    INFO(path.string());
    ++files;
    for (const auto start : {Conversation::Start::kBeginning, Conversation::Start::kMidSession}) {
      CHECK(find_fault({C(octets)}, start, 2, 3) == "");
      CHECK(find_fault({S(octets)}, start, 2, 3) == "");
      CHECK(find_fault({S("220 a\r\n"), C("DATA\r\n"), S("354 go\r\n"), C(octets), S("250 ok\r\n"),
                        C(octets)},
                       start, 2, 3) == "");
    }
  }
  CHECK(files > 100);
}
