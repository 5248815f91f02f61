#include "tests/ends/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <map>
#include <unordered_map>

#include "base/octets.h"
#include "capture/capture_reader.h"

namespace smtpscope::ends {
namespace {

class Comparison : public WireSink {
 public:
  explicit Comparison(const std::vector<Expected>& expected) : expected_(expected) {
    for (std::size_t i = 0; i < expected.size(); ++i) by_port_[expected[i].port].push_back(i);
  }

  void on_wire(const WireEvent& event) override {
    if (const auto* opened = std::get_if<SessionOpened>(&event.body)) {
      open(event.session, opened->client);
      return;
    }
    if (event.session == kWholeRun) {
      for (auto& each : sessions_) each.second.hole = true;
      return;
    }
    const auto found = sessions_.find(event.session);
    if (found == sessions_.end()) return;
    Session& session = found->second;
    if (const auto* bytes = std::get_if<Bytes>(&event.body)) {
      add(session, *bytes);
    } else if (std::holds_alternative<Gap>(event.body)) {
      session.hole = true;
    } else if (const auto* closed = std::get_if<Closed>(&event.body)) {
      const bool cut = closed->reason.find("close_notify") != std::string_view::npos;
      session.closes.push_back(fmt::format("{} {}{}{}", to_string(closed->from),
                                           to_string(closed->kind), cut ? ", cut" : "",
                                           closed->by_proxy ? " by proxy" : ""));
    } else if (std::holds_alternative<SessionEnded>(event.body)) {
      end(session);
      sessions_.erase(found);
    }
  }

  RecordReport take() {
    for (const auto& [id, session] : sessions_) {
      complain(session, "the record has no end of it");
    }
    std::uint64_t missing = 0;
    for (const auto& [port, left] : by_port_) missing += left.size();
    if (missing > 0) report_.complaints.push_back(fmt::format("{} sessions are missing", missing));
    return std::move(report_);
  }

 private:
  struct Session {
    std::size_t number = 0;
    Digest said[2];
    std::vector<std::string> closes;
    bool hole = false;
    std::string wrong;
  };

  void open(SessionId id, std::string_view client) {
    if (id == kFirstLook) return;
    ++report_.sessions;
    const std::string_view digits = client.substr(client.rfind(':') + 1);
    std::uint16_t port = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), port);
    auto& waiting = by_port_[port];
    if (waiting.empty()) {
      report_.complaints.push_back(fmt::format("nobody connected from {}", client));
      return;
    }
    sessions_[id].number = waiting.front();
    waiting.pop_front();
  }

  void add(Session& session, const Bytes& bytes) {
    Digest& said = session.said[index(bytes.from)];
    if (bytes.by_proxy) session.wrong = fmt::format("words of its own: {}", text_of(bytes.head));
    if (bytes.left_out) session.wrong = "octets are left out";
    said.add(text_of(bytes.head));
    const Expected& expected = expected_[session.number];
    if (bytes.undelivered && said.octets() > 0 &&
        said.octets() <= expected.delivered[index(bytes.from)]) {
      session.wrong =
          fmt::format("octets of the {} are marked as undelivered", to_string(bytes.from));
    }
  }

  void end(Session& session) {
    if (session.hole) {
      ++report_.with_hole;
      return;
    }
    const Expected& expected = expected_[session.number];
    std::vector<std::string> closes = session.closes, wanted = expected.closes;
    if (expected.any_order) {
      std::ranges::sort(closes);
      std::ranges::sort(wanted);
    }
    for (const Side side : {Side::kClient, Side::kServer}) {
      if (session.said[index(side)] != expected.said[index(side)]) {
        session.wrong = fmt::format("{} octets of the {} are recorded, {} were said",
                                    session.said[index(side)].octets(), to_string(side),
                                    expected.said[index(side)].octets());
      }
    }
    if (closes != wanted) {
      session.wrong =
          fmt::format("it has {}, not {}", fmt::join(closes, ", "), fmt::join(wanted, ", "));
    }
    if (!session.wrong.empty()) complain(session, session.wrong);
  }

  void complain(const Session& session, const std::string& what) {
    report_.complaints.push_back(
        fmt::format("record: {}: {}", expected_[session.number].text, what));
  }

  const std::vector<Expected>& expected_;
  std::unordered_map<std::uint16_t, std::deque<std::size_t>> by_port_;
  std::map<SessionId, Session> sessions_;
  RecordReport report_;
};

}  // namespace

Result<RecordReport> compare_record(const std::string& path,
                                    const std::vector<Expected>& expected) {
  auto reader = CaptureReader::open(path);
  if (!reader) return reader.error();
  Comparison comparison(expected);
  while (true) {
    const auto more = reader.value()->next(comparison);
    if (!more) return more.error();
    if (!more.value()) break;
  }
  return comparison.take();
}

}  // namespace smtpscope::ends
