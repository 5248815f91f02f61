// Haraka at loglevel PROTOCOL: "C: " and "S: " behind the connection's UUID; " state=1" at the end
// is the log's. The message is not there.

#include <fmt/format.h>

#include <string>

#include "readers/logs/catalogue.h"
#include "readers/text/log_lines.h"
#include "readers/text/pasted_reader.h"

namespace smtpscope {
namespace {

class HarakaReader : public PastedReader {
 public:
  HarakaReader(LogRun& run, WallTime latest)
      : PastedReader(run, latest, {.server = "Haraka", .unknown = kPrintedWithoutMessages}) {}

  void read_line(std::string_view line) override {
    const std::string_view told = without_stamp(line);
    const std::string_view key = uuid_in(told);
    if (key.empty()) return;
    if (told.find("[PROTOCOL]") != std::string_view::npos) {
      const std::size_t end =
          told.find("] C: ") != std::string_view::npos ? told.find("] C: ") : told.find("] S: ");
      if (end == std::string_view::npos) return;
      const Side from = told[end + 2] == 'C' ? Side::kClient : Side::kServer;
      std::string_view said = told.substr(end + 5);
      const std::size_t state = said.rfind(" state=");
      if (from == Side::kClient && state != std::string_view::npos) said = said.substr(0, state);
      // As older versions write line ends.
      while (said.ends_with("\\n") || said.ends_with("\\r")) said.remove_suffix(2);
      book_.say(key, from, said);
    } else if (told.find("] connect ip=") != std::string_view::npos) {
      book_.connected(
          key,
          fmt::format("{}:{}", between(told, "local_ip=", " "),
                      told.substr(std::min(told.find("local_port=") + 11, told.size()))),
          fmt::format("{}:{}", between(told, " ip=", " "), between(told, " port=", " ")));
    } else if (told.find("] disconnect ip=") != std::string_view::npos) {
      book_.end(key);
    }
  }

 private:
  /// The connection's name, without the number of its transaction.
  static std::string_view uuid_in(std::string_view line) {
    constexpr std::size_t kUuid = 36;
    for (std::size_t at = line.find('['); at != std::string_view::npos;
         at = line.find('[', at + 1)) {
      const std::string_view word = line.substr(at + 1, kUuid);
      if (word.size() == kUuid && word[8] == '-' && word[13] == '-' && word[18] == '-') return word;
    }
    return {};
  }
};

bool recognises_haraka(std::string_view text) {
  return any_line(text, [](std::string_view line) {
    return line.find("[PROTOCOL] [") != std::string_view::npos &&
           (line.find("] C: ") != std::string_view::npos ||
            line.find("] S: ") != std::string_view::npos);
  });
}

}  // namespace

const LogKind kHarakaKind = {
    .name = "haraka",
    .description = "Haraka's log",
    .how = "echo LOGPROTOCOL >config/loglevel",
    .recognises = recognises_haraka,
    .make = make_log_reader<HarakaReader>,
};

}  // namespace smtpscope
