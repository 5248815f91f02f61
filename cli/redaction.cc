#include "cli/redaction.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "capture/capture_reader.h"
#include "capture/event_format.h"
#include "capture/wire_source.h"
#include "cli/file_output.h"
#include "readers/joined_source.h"
#include "redact/leak_check.h"
#include "redact/redaction_key.h"
#include "redact/redactor.h"

namespace smtpscope {
namespace {

constexpr BodyPolicy kPolicies[] = {BodyPolicy::kDrop, BodyPolicy::kShape, BodyPolicy::kKeep};

BodyPolicy policy_of(const std::string& name) {
  for (const BodyPolicy policy : kPolicies) {
    if (to_string(policy) == name) return policy;
  }
  return BodyPolicy::kDrop;
}

class Nowhere : public WireSink {
  void on_wire(const WireEvent&) override {}
};

/// Writes events to a file and waits for it: nothing may be lost, and no mail waits.
class CaptureOutput : public WireSink {
 public:
  CaptureOutput(FileOutput& file, const RunInfo& run) : file_(file) {
    file_.write(format_header(run));
  }

  void on_wire(const WireEvent& event) override {
    line_.resize(most_event_line(event));
    const char* const end = format_event(line_.data(), event);
    file_.write({line_.data(), static_cast<std::size_t>(end - line_.data())});
    ++events_;
  }
  std::uint64_t events() const { return events_; }

 private:
  FileOutput& file_;
  std::string line_;
  std::uint64_t events_ = 0;
};

/// Counts what it hands on.
class Counting : public WireSink {
 public:
  explicit Counting(WireSink& next) : next_(next) {}
  void on_wire(const WireEvent& event) override {
    ++events_;
    next_.on_wire(event);
  }
  std::uint64_t events() const { return events_; }

 private:
  WireSink& next_;
  std::uint64_t events_ = 0;
};

Result<Done> read_all(WireSource& source, WireSink& sink) {
  while (true) {
    const Result<bool> more = source.next(sink);
    if (!more) return more.error();
    if (more.value()) continue;
    source.finish(sink);
    return Done{};
  }
}

/// Reads the input once; `names` learns what is in it.
Result<Done> redact_once(WireSource& source, Pseudonyms& names, BodyPolicy policy, WireSink& out) {
  Redactor redactor(names, policy, out);
  if (Result<Done> read = read_all(source, redactor); !read) return read;
  redactor.finish();
  return Done{};
}

/// Removes a file unless it is told not to.
class Provisional {
 public:
  explicit Provisional(std::string path) : path_(std::move(path)) {}
  ~Provisional() {
    if (!kept_) ::unlink(path_.c_str());
  }
  Provisional(const Provisional&) = delete;
  Provisional& operator=(const Provisional&) = delete;
  void keep() { kept_ = true; }

 private:
  std::string path_;
  bool kept_ = false;
};

std::string leaks_in_words(const LeakCheck& check) {
  std::map<std::string, std::uint64_t> places;
  for (const Leak& leak : check.leaks()) {
    ++places[fmt::format("{} in {} of session {}{}{}", to_string(leak.kind), leak.where,
                         leak.session, leak.encoding.empty() ? "" : ", in ", leak.encoding)];
  }
  std::string words;
  for (const auto& [place, count] : places)
    words += fmt::format("{}{}", words.empty() ? "" : "; ", place);
  return words;
}

Result<std::size_t> check_output(const std::string& output, std::uint64_t events,
                                 const Originals& first, const Originals& second) {
  Result<std::unique_ptr<CaptureReader>> opened = CaptureReader::open(output);
  if (!opened) return opened.error();
  CaptureReader& reader = *opened.value();
  LeakCheck check({&first, &second});
  RunInfo run = reader.run();
  run.source.clear();  // the reader's name for the file
  check.read(run);
  Counting counting(check);
  if (Result<Done> read = read_all(reader, counting); !read) return read.error();
  check.finish();
  if (!reader.notices().empty() || counting.events() != events) {
    return Error{
        fmt::format("{} could not be read again as it was written, so nobody knows what is in "
                    "it; it was removed",
                    output)};
  }
  if (check.found() > 0) {
    return Error{fmt::format(
        "{} originals are left in the redacted capture, so it was removed: {}. Use --body shape or "
        "drop; if that does not help, it is a bug that should be reported",
        check.found(), leaks_in_words(check))};
  }
  return check.originals();
}

}  // namespace

void add_redaction_options(CLI::App& app, RedactionOptions& options) {
  app.add_option("IN", options.inputs,
                 "What was recorded, in any format that show reads; it is not changed")
      ->expected(1)
      ->required();
  app.option_defaults()->group("What is replaced");
  std::vector<std::string> names;
  for (const BodyPolicy policy : kPolicies) names.emplace_back(to_string(policy));
  app.add_option("--body", options.body,
                 "Messages: drop them, keep their shape only, or keep their text and replace the "
                 "names in it")
      ->check(CLI::IsMember(names))
      ->capture_default_str();
  app.add_option("--key", options.key,
                 "Key file, 32 octets or more: files redacted with the same one have the same "
                 "pseudonyms. Made if it does not exist")
      ->default_str("a key of this run, which nobody keeps")
      ->type_name("FILE");
}

Result<Redaction> redact_capture(const RedactionOptions& options, const std::string& output,
                                 bool force) {
  for (const std::string& each : options.inputs) {
    struct stat input {};
    if (each == "-" ||
        (::stat(each.c_str(), &input) == 0 && !S_ISREG(input.st_mode) && !S_ISDIR(input.st_mode))) {
      return Error{"the capture is read twice, so it cannot be a pipe; save it to a file first"};
    }
  }
  struct stat there {};
  if (output == "-" || (::stat(output.c_str(), &there) == 0 && !S_ISREG(there.st_mode))) {
    return Error{
        fmt::format("the redacted capture is read again to check it, so it has to be a file, "
                    "which {} is not",
                    output)};
  }
  Result<std::unique_ptr<WireSource>> first = open_files(options.inputs, {});
  if (!first) return first.error();

  Redaction done;
  const Result<std::string> key =
      options.key.empty() ? random_redaction_key() : read_redaction_key(options.key, done.key_made);
  if (!key) return key.error();
  const BodyPolicy policy = policy_of(options.body);

  // The first time only to know all names: they shall be found also where they stand before they
  // are introduced, and no pseudonym shall be one of them.
  Pseudonyms seen(key.value());
  Nowhere nowhere;
  if (auto read = redact_once(*first.value(), seen, policy, nowhere); !read) return read.error();
  static_cast<void>(redacted_run(first.value()->run(), seen, policy));
  for (const SourceNotice& notice : first.value()->notices()) {
    done.notices.push_back(fmt::format("{}: {}", options.inputs.front(), notice.text));
  }

  Result<std::unique_ptr<WireSource>> second = open_files(options.inputs, {});
  if (!second) return second.error();
  Result<FileOutput> file = FileOutput::create(output, force, options.inputs);
  if (!file) return file.error();
  Provisional provisional(output);
  Pseudonyms names(key.value(), &seen.originals());
  CaptureOutput out(file.value(), redacted_run(first.value()->run(), names, policy));
  if (auto read = redact_once(*second.value(), names, policy, out); !read) return read.error();
  file.value().flush();
  if (const std::optional<Error> fault = file.value().fault()) return *fault;

  const Result<std::size_t> checked =
      check_output(output, out.events(), seen.originals(), names.originals());
  if (!checked) return checked.error();
  provisional.keep();
  done.originals = names.originals();
  done.moved_addresses = names.moved_addresses();
  done.events = out.events();
  done.looked_for = checked.value();
  return done;
}

std::string redaction_report(const Redaction& redaction) {
  std::string text = fmt::format("{:<24} {:>10} {:>10}\n", "replaced", "different", "in all");
  for (std::size_t i = 0; i < kOriginalKinds; ++i) {
    const auto kind = static_cast<OriginalKind>(i);
    const Originals::Count count = redaction.originals.count(kind);
    text += fmt::format("{:<24} {:>10} {:>10}\n", to_string(kind), count.different, count.times);
  }
  text +=
      fmt::format("checked: {} originals were looked for, none is left\n", redaction.looked_for);
  if (redaction.originals.ordinary() > 0) {
    text += fmt::format(
        "not looked for: {} that are ordinary words, numbers, or shorter than 4 letters\n",
        redaction.originals.ordinary());
  }
  text +=
      "not promised: what nothing shows to be a name (first names and initials in sentences, "
      "numbers "
      "of up to 4 digits) may be left. Look before you share it: docs/redaction.md\n";
  if (redaction.moved_addresses > 0) {
    text += fmt::format(
        "{} IP addresses have not the pseudonym that the key gives them, which was taken: in other "
        "files they may have another\n",
        redaction.moved_addresses);
  }
  return text;
}

}  // namespace smtpscope
