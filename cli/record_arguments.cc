#include "cli/record_arguments.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "base/ascii.h"
#include "cli/otlp_arguments.h"
#include "parser/path.h"
#include "redact/keyed_hash.h"
#include "redact/redaction_key.h"

namespace smtpscope {
namespace {

/// The first 64 bits of a keyed hash: so few names as there are do not meet.
class KeyedPseudonyms : public RecordPseudonyms {
 public:
  explicit KeyedPseudonyms(std::string_view key) : hash_(key) {}

  std::string address(std::string_view address) override {
    return fmt::format("h{:016x}", hash_.number_of({"address", in_lower_case(address)}));
  }
  std::string mailbox(std::string_view path) override {
    if (path.empty()) return {};  // the null path says nothing about anybody
    const std::size_t domain = find_domain(path);
    if (domain == std::string_view::npos) return local(path);
    return fmt::format("{}@{}", local(path.substr(0, domain - 1)), address(path.substr(domain)));
  }
  std::uint64_t digest(std::uint64_t digest) override {
    return hash_.number_of({"digest", fmt::format("{:016x}", digest)});
  }

 private:
  std::string local(std::string_view part) {
    return fmt::format("m{:016x}", hash_.number_of({"mailbox", part}));
  }

  KeyedHash hash_;
};

std::string this_machine() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

}  // namespace

void add_record_options(CLI::App& app, RecordArguments& arguments) {
  app.option_defaults()->group("Records");
  app.add_option("--records-redact", arguments.redact,
                 "In records and spans: pseudonyms for addresses and names, made with the key in "
                 "this file, "
                 "and no free text. A key is made if there is no such file")
      ->type_name("KEY")
      ->default_str("names stay");
  app.add_option("--records-host", arguments.host,
                 "In records and spans: the machine that they are said to be of")
      ->type_name("NAME")
      ->default_str("this one");
}

Result<RecordSettings> read_record_arguments(const RecordArguments& arguments) {
  RecordSettings settings;
  auto resource = read_otlp_resource();
  if (!resource) return resource.error();
  settings.resource = std::move(resource.value());
  settings.host = arguments.host.empty() ? this_machine() : arguments.host;
  if (arguments.redact.empty()) return settings;
  bool made = false;
  const Result<std::string> key = read_redaction_key(arguments.redact, made);
  if (!key) return key.error();
  if (made) {
    const std::string line = fmt::format(
        "smtpscope: made the key {}; every tap whose rows are to join needs a copy of it\n",
        arguments.redact);
    std::fputs(line.c_str(), stderr);
  }
  // A key that was written by hand may end with a line, or not: it is the same key.
  std::string_view words = key.value();
  while (words.ends_with('\n') || words.ends_with('\r')) words.remove_suffix(1);
  settings.pseudonyms = std::make_shared<KeyedPseudonyms>(words);
  return settings;
}

}  // namespace smtpscope
