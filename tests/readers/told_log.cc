#include "tests/readers/told_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <variant>

#include "base/octets.h"
#include "capture/wall_time.h"
#include "readers/reader_list.h"
#include "tests/capture/temp_folder.h"
#include "tests/catch.h"
#include "tests/readers/memory_octets.h"

namespace smtpscope {
using test::TempFolder;
using test::write_file;
namespace {

class Teller : public WireSink {
 public:
  explicit Teller(ToldLog& told) : told_(told) {}
  void on_wire(const WireEvent& event) override {
    const std::string head =
        fmt::format("{} +{:.3f} ", event.session, static_cast<double>(ns_of(event.time)) / 1e9);
    std::visit([&](const auto& body) { tell(head, body); }, event.body);
  }

 private:
  void tell(const std::string& head, const SessionOpened& opened) {
    told_.fidelities.push_back(opened.fidelity);
    told_.lines.push_back(fmt::format("{}open {} > {}{}", head, opened.client, opened.upstream,
                                      opened.mid_session ? " mid-session" : ""));
  }
  void tell(const std::string& head, const Bytes& bytes) {
    std::string text(text_of(bytes.head));
    if (bytes.left_out) text += fmt::format("<hole {}>", bytes.left_out->octets);
    text += text_of(bytes.tail);
    if (bytes.left_out) CHECK(bytes.left_out->after.facts().unseen);
    while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
    if (!bytes.masked.empty()) text += " (masked)";
    told_.lines.push_back(
        fmt::format("{}{} {}", head, bytes.from == Side::kClient ? 'C' : 'S', text));
  }
  void tell(const std::string& head, const Closed& closed) {
    told_.lines.push_back(
        fmt::format("{}close {}: {}", head, to_string(closed.from), closed.reason));
  }
  void tell(const std::string& head, const SessionEnded&) { told_.lines.push_back(head + "end"); }
  void tell(const std::string& head, const TlsHandshake& handshake) {
    told_.lines.push_back(fmt::format("{}no TLS: {}", head, handshake.facts->failure));
  }
  void tell(const std::string& head, const Remark& remark) {
    told_.lines.push_back(fmt::format(
        "{}remark {} by {}{}: {}", head, to_string(remark.kind),
        remark.by ? to_string(*remark.by) : "?",
        remark.length ? fmt::format(", {} ms", remark.length->count() / 1'000'000) : std::string(),
        remark.text));
  }
  void tell(const std::string& head, const UpstreamFailed& failed) {
    told_.lines.push_back(fmt::format("{}unconnected: {}", head, failed.reason));
  }
  void tell(const std::string& head, const Gap& gap) {
    told_.lines.push_back(
        fmt::format("{}hole of {}: {}", head, gap.from ? to_string(*gap.from) : "?", gap.why));
  }
  void tell(const std::string&, const UpstreamConnected&) {}
  template <typename Other>
  void tell(const std::string& head, const Other&) {
    told_.lines.push_back(head + "something that no log tells");
  }

  ToldLog& told_;
};

}  // namespace

std::vector<std::string> ToldLog::session(int number) const {
  const std::string head = fmt::format("{} ", number);
  std::vector<std::string> of_it;
  for (const std::string& line : lines) {
    if (!line.starts_with(head)) continue;
    of_it.push_back(line.substr(line.find(' ', head.size()) + 1));
  }
  return of_it;
}

WallTime written() { return *parse_wall_time("2026-11-25T13:00:00Z"); }

namespace {

ToldLog told_by(WireSource& source) {
  ToldLog told;
  Teller teller(told);
  while (true) {
    const Result<bool> more = source.next(teller);
    REQUIRE(more.ok());
    if (!more.value()) break;
  }
  source.finish(teller);
  told.notices = source.notices();
  told.run = source.run();
  return told;
}

}  // namespace

ToldLog tell_log(LogSource::MakeReader make, std::string text, std::size_t per_read) {
  LogSource source(std::make_unique<test::MemoryOctets>(std::move(text), per_read), "test.log",
                   make, written());
  return told_by(source);
}

ToldLog tell_text(const std::string& text) {
  const TempFolder folder;
  const std::string path = folder.file("pasted.txt");
  write_file(path, text);
  const auto source = open_source(path, {});
  if (!source) INFO(source.error().message);
  REQUIRE(source.ok());
  return told_by(*source.value());
}

std::string log_file(std::string_view name) {
  std::ifstream file(fmt::format(SMTPSCOPE_SOURCE_DIR "/tests/readers/logs/{}", name),
                     std::ios::binary);
  REQUIRE(file.good());
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace smtpscope
