// Every transcript of tests/timeline/transcripts, redacted: the timeline is the same but for texts,
// and nothing is left of what was replaced.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <span>

#include "capture/sanitizer.h"
#include "tests/catch.h"
#include "tests/redact/redacted.h"
#include "tests/redact/skeleton.h"
#include "tests/timeline/transcript.h"
#include "timeline/state/run_history.h"
#include "timeline/tracker.h"

namespace smtpscope::test {
namespace {

constexpr BodyPolicy kPolicies[] = {BodyPolicy::kDrop, BodyPolicy::kShape, BodyPolicy::kKeep};

std::vector<std::string> all_transcripts() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(SMTPSCOPE_SOURCE_DIR) +
                                                               "/tests/timeline/transcripts")) {
    if (entry.path().extension() == ".txt") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// What the proxy would have written of a transcript.
std::vector<EventCopy> recorded(const Transcript& transcript, std::uint64_t message_octets) {
  EventList list;
  std::map<SessionId, std::unique_ptr<Sanitizer>> sanitizers;
  for (const OwnedEvent& each : transcript.events) {
    auto& sanitizer = sanitizers[each.event.session];
    if (!sanitizer) {
      sanitizer = std::make_unique<Sanitizer>(SanitizerPolicy{.message_octets = message_octets},
                                              &list, nullptr, transcript.mid_session);
    }
    sanitizer->feed(each.event);
  }
  std::vector<EventCopy> events;
  for (const EventCopy& each : list.events()) events.emplace_back(each.event());
  return events;
}

std::vector<EventCopy> as_it_was(const Transcript& transcript, bool octet_by_octet = false) {
  std::vector<EventCopy> events;
  for (const OwnedEvent& each : transcript.events) {
    const auto* bytes = std::get_if<Bytes>(&each.event.body);
    if (bytes == nullptr || bytes->left_out || !octet_by_octet) {
      events.emplace_back(each.event);
      continue;
    }
    for (std::size_t i = 0; i < bytes->head.size(); ++i) {
      Bytes one = *bytes;
      one.head = bytes->head.subspan(i, 1);
      events.emplace_back(WireEvent{.session = each.event.session, .time = each.time, .body = one});
    }
  }
  return events;
}

Skeleton timeline(const std::vector<EventCopy>& events, const Transcript& transcript) {
  struct Session {
    Session(SessionId id, const Transcript& of, RunHistory& history, TimelineSink& sink)
        : tracker(id, of.rules, history, sink),
          sanitizer({.keep_credentials = true}, nullptr, &tracker, of.mid_session) {}
    Tracker tracker;
    Sanitizer sanitizer;
  };
  Skeleton skeleton;
  RunHistory history;
  std::map<SessionId, std::unique_ptr<Session>> sessions;
  for (const EventCopy& each : events) {
    auto& session = sessions[each.event().session];
    if (!session) {
      session = std::make_unique<Session>(each.event().session, transcript, history, skeleton);
    }
    session->sanitizer.feed(each.event());
  }
  return skeleton;
}

/// The first lines in which they differ.
std::string difference(const Skeleton& was, const Skeleton& is) {
  std::string text;
  const std::size_t lines = std::max(was.lines().size(), is.lines().size());
  for (std::size_t i = 0; i < lines && text.size() < 3000; ++i) {
    const std::string a = i < was.lines().size() ? was.lines()[i] : "(nothing)";
    const std::string b = i < is.lines().size() ? is.lines()[i] : "(nothing)";
    if (a != b) text += fmt::format("  was {}\n  is  {}\n", a, b);
  }
  return text;
}

std::string told(const std::vector<Leak>& leaks) {
  std::string text;
  for (const Leak& leak : leaks) {
    text += fmt::format("{} {} in {} {}\n", to_string(leak.kind), leak.original, leak.where,
                        leak.encoding);
  }
  return text;
}

void check(const Transcript& transcript, const std::vector<EventCopy>& events,
           std::span<const BodyPolicy> policies) {
  const Skeleton was = timeline(events, transcript);
  for (const BodyPolicy policy : policies) {
    const Redacted redacted(events, policy);
    INFO(transcript.name << " " << to_string(policy));
    CHECK(redacted.list.events().size() == events.size());
    CHECK(difference(was, timeline(redacted.list.events(), transcript)) == "");
    CHECK(told(redacted.leaks) == "");
  }
}

TEST_CASE("a redacted session has the findings, entries and verdict that it had") {
  const std::vector<std::string> files = all_transcripts();
  REQUIRE(files.size() > 500);
  for (const std::string& file : files) {
    Transcript transcript = read_transcript(file);
    transcript.settle_views();
    check(transcript, as_it_was(transcript), kPolicies);
  }
}

TEST_CASE("so has one of which the capture holds no messages") {
  for (const std::string& file : all_transcripts()) {
    Transcript transcript = read_transcript(file);
    transcript.settle_views();
    // One message in two sessions, cut into reads in two ways: of a message that is shorter than
    // what goes into its digest, and of which nothing was kept, the keyed hash depends on that
    // (docs/redaction.md).
    if (transcript.name.find("interception-suspected_fires_fingerprint") != std::string::npos)
      continue;
    check(transcript, recorded(transcript, 0), std::span(kPolicies).first(1));
  }
}

TEST_CASE("how octets are cut into reads does not change what they are redacted to") {
  // A read per octet takes its time: some of them are enough, session_redactor_test has its own.
  constexpr std::size_t kEach = 8;
  const std::vector<std::string> files = all_transcripts();
  for (std::size_t i = 0; i < files.size(); i += kEach) {
    Transcript transcript = read_transcript(files[i]);
    transcript.settle_views();
    INFO(transcript.name);
    const Redacted whole(as_it_was(transcript), BodyPolicy::kShape);
    const Redacted cut(as_it_was(transcript, true), BodyPolicy::kShape);
    for (const Side side : {Side::kClient, Side::kServer}) {
      CHECK(whole.list.octets(side) == cut.list.octets(side));
    }
  }
}

}  // namespace
}  // namespace smtpscope::test
