// Whatever the dialogue and the reads: a record can be read back to the same items, holds no
// credentials, and has each octet at its place.

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <string_view>

#include "capture/event_format.h"
#include "capture/event_line.h"
#include "tests/capture/wire_script.h"
#include "tests/catch.h"

using namespace smtpscope;
using namespace smtpscope::test;

namespace {

using namespace std::string_view_literals;

constexpr std::string_view kCommands[] = {
    "MAIL FROM:<a@b>\r\n"sv,
    "RCPT TO:<c@d>\r\n"sv,
    "DATA\r\n"sv,
    "RSET\r\n"sv,
    "NOOP\r\n"sv,
    "QUIT\r\n"sv,
    "STARTTLS\r\n"sv,
    "AUTH LOGIN\r\n"sv,
    "AUTH PLAIN abcd\r\n"sv,
    "dXNlcg==\r\n"sv,
    "auth "sv,
    "c2VjcmV0"sv,
    "BDAT 5\r\n"sv,
    "BDAT 40\r\n"sv,
    "BDAT 7 LAST\r\n"sv,
    "BDAT 0 LAST\r\n"sv,
    "XEXCH50 4 2\r\n"sv,
    "\x16\x03\x01\x00\x01z"sv,
    "TURN\r\n"sv,
    "EHLO x\r\n"sv,
};
constexpr std::string_view kContent[] = {
    "x"sv,
    "Subject: a\r\n"sv,
    "\r\n"sv,
    "a line of some length, as mail has\r\n"sv,
    "\r\n.\r\n"sv,
    "\r\n.\r\n"sv,
    "\n.\n"sv,
    "\r.\r"sv,
    "\r\r\n.\r\r\n"sv,
    "\r\n.\r"sv,
    "\r"sv,
    "\n"sv,
    "."sv,
    "\0"sv,
    "\r\n..dot"sv,
    "\r\n.dot"sv,
    "\xc3\xa9"sv,
    "\r\r\r"sv,
    "\r\n.\n"sv,
    "\0.\r\n"sv,
};
constexpr std::string_view kReplies[] = {
    "250 ok\r\n"sv, "250 ok\r\n"sv,  "354 go\r\n"sv, "354 go\r\n"sv, "334 a\r\n"sv, "235 ok\r\n"sv,
    "550 no\r\n"sv, "421 bye\r\n"sv, "220 go\r\n"sv, "25"sv,         "0 ok\r\n"sv,  "503 no\r\n"sv,
};

template <std::size_t kSize>
std::string pick(const std::string_view (&pieces)[kSize], std::mt19937& random) {
  return std::string(pieces[random() % kSize]);
}

template <std::size_t kSize>
std::string picks(const std::string_view (&pieces)[kSize], std::size_t most, std::mt19937& random) {
  std::string text = pick(pieces, random);
  for (std::size_t n = random() % most; n > 0; --n) text += pick(pieces, random);
  return text;
}

/// More than is kept behind an end-of-data candidate.
std::string long_line() { return std::string(20000, 'y'); }

/// A few transactions with much content, the rest by chance.
Script random_script(std::mt19937& random) {
  Script script = {S("220 mx\r\n"), C("EHLO c\r\n")};
  script.push_back(S(random() % 3 == 0 ? "250 mx\r\n" : "250-mx\r\n250-CHUNKING\r\n250 AUTH\r\n"));
  for (std::size_t n = 1 + random() % 6; n > 0; --n) {
    switch (random() % 8) {
      case 0:
      case 1:
      case 2: {
        script.push_back(C("DATA\r\n"));
        script.push_back(S("354 go\r\n"));
        std::string content = picks(kContent, 30, random);
        if (random() % 50 == 0) content += long_line();
        if (random() % 3 != 0) content += "\r\n.\r\n";
        if (random() % 3 == 0) content += picks(kCommands, 3, random);
        script.push_back(C(content));
        if (random() % 2 == 0) script.push_back(S("250 ok\r\n"));
        break;
      }
      case 3: {
        std::string chunks;
        for (std::size_t i = 1 + random() % 3; i > 0; --i) {
          std::string content = picks(kContent, 8, random);
          chunks += fmt::format("BDAT {}{}\r\n", content.size(), random() % 2 ? " LAST" : "");
          chunks += content;
        }
        script.push_back(C(chunks));
        break;
      }
      case 4:
        script.push_back(C(picks(kCommands, 5, random)));
        break;
      case 5:
        script.push_back(C(picks(kContent, 12, random)));
        break;
      case 6:
        script.push_back(S(picks(kReplies, 4, random)));
        break;
      case 7:
        if (random() % 4 == 0) {
          script.push_back(gap(random() % 2 ? Side::kClient : Side::kServer, random() % 9));
        } else {
          script.push_back(C("AUTH LOGIN\r\n" + picks(kCommands, 3, random)));
          script.push_back(S(pick(kReplies, random)));
        }
        break;
    }
  }
  return script;
}

/// The events as they are after they were written to a capture and read back.
std::vector<EventCopy> saved_and_loaded(const std::vector<EventCopy>& events) {
  std::vector<EventCopy> loaded;
  for (const EventCopy& each : events) {
    std::string text(most_event_line(each.event()), '\0');
    char* const end = format_event(text.data(), each.event());
    text.resize(static_cast<std::size_t>(end - text.data()));
    REQUIRE(text.ends_with('\n'));
    text.pop_back();
    EventLine line;
    const EventLine::Kind kind = line.parse(text);
    INFO(text << "\n" << line.complaint());
    REQUIRE(kind == EventLine::Kind::kEvent);
    loaded.emplace_back(line.event());
  }
  return loaded;
}

/// Each octet of the record is that of the wire, or '#' where it is secret.
std::string find_wrong_octets(const std::vector<EventCopy>& raw, const Sanitized& result,
                              bool masks) {
  if (raw.size() != result.events.size()) {
    return fmt::format("{} events became {}", raw.size(), result.events.size());
  }
  std::uint64_t at[2] = {0, 0};
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const auto* before = std::get_if<Bytes>(&raw[i].event().body);
    const auto* after = std::get_if<Bytes>(&result.events[i].event().body);
    if (const auto* lost = std::get_if<Gap>(&raw[i].event().body)) {
      at[index(*lost->from)] += lost->octets;
    }
    if (!before) continue;
    if (!after || after->from != before->from) return fmt::format("event {} is another one", i);
    if (after->octets() != before->octets()) return fmt::format("event {} changed its size", i);
    std::uint64_t& offset = at[index(before->from)];
    std::size_t in_read = 0;
    std::size_t present = 0;
    std::string complaint;
    const auto check = [&](std::span<const std::uint8_t> part) {
      for (const std::uint8_t octet : part) {
        const bool secret =
            masks && std::any_of(result.log.secrets.begin(), result.log.secrets.end(),
                                 [&](const ItemLog::Secret& each) {
                                   return each.side == before->from && each.begin <= offset &&
                                          offset < each.end;
                                 });
        const bool told =
            std::any_of(after->masked.begin(), after->masked.end(), [&](const Masked& mask) {
              return mask.offset <= present && present < mask.offset + mask.octets;
            });
        if (octet != (secret ? '#' : before->head[in_read]) || told != secret) {
          complaint = fmt::format("event {}, octet {} of the stream is {:#x}, {}secret, {}masked",
                                  i, offset, octet, secret ? "" : "not ", told ? "" : "not ");
        }
        ++offset;
        ++in_read;
        ++present;
      }
    };
    const auto skip = [&](std::uint64_t octets) {
      offset += octets;
      in_read += static_cast<std::size_t>(octets);
    };
    check(after->head);
    if (after->left_out) skip(after->left_out->octets);
    check(after->tail);
    for (const FurtherPart& part : after->further) {
      skip(part.left_out.octets);
      check(part.octets);
    }
    if (!complaint.empty()) return complaint;
  }
  return "";
}

std::uint64_t octets_left_out(const std::vector<EventCopy>& events) {
  std::uint64_t sum = 0;
  for (const EventCopy& each : events) {
    if (const auto* bytes = std::get_if<Bytes>(&each.event().body)) {
      if (bytes->left_out) sum += bytes->left_out->octets;
      for (const FurtherPart& part : bytes->further) sum += part.left_out.octets;
    }
  }
  return sum;
}

void check_dialogues(std::uint32_t first, std::uint32_t count) {
  std::uint64_t left_out = 0;
  std::uint64_t secrets = 0;
  for (std::uint32_t seed = first; seed < first + count; ++seed) {
    std::mt19937 random(seed);
    const Script script = random_script(random);
    const bool mid_session = random() % 8 == 0;
    // Thousands of tiny reads that wait for one reply are another matter: see sanitizer_mask_test.
    const bool is_long = std::any_of(script.begin(), script.end(),
                                     [](const Step& step) { return step.octets.size() > 5000; });
    const std::size_t smallest = is_long ? 100 : 1;
    const std::size_t largest = std::size_t{1} << random() % 8;
    const std::vector<EventCopy> raw =
        random() % 3 == 0 ? wire_events(script)
                          : wire_events(script, [&] { return smallest + random() % largest; });
    constexpr std::uint64_t kLimits[] = {0, 1, 7, 30, 200, SanitizerPolicy::kEverything};
    const SanitizerPolicy policy{random() % 4 == 0, kLimits[random() % std::size(kLimits)]};

    INFO("seed " << seed << ", limit " << policy.message_octets << "\n" << to_text(script));
    const Sanitized result = sanitized(raw, policy, mid_session);
    const std::string wrong = find_wrong_octets(raw, result, !policy.keep_credentials);
    if (!wrong.empty()) FAIL(wrong);
    left_out += octets_left_out(result.events);
    secrets += policy.keep_credentials ? 0 : result.log.secrets.size();

    const std::vector<EventCopy> loaded = saved_and_loaded(result.events);
    const Sanitized again =
        sanitized(loaded, SanitizerPolicy{.keep_credentials = true}, mid_session);
    if (again.log.lines != result.log.lines) {
      FAIL("live:\n"
           << joined(result.log.lines) << "\nfrom the record:\n"
           << joined(again.log.lines));
    }
  }
  // Or else it was no test.
  CHECK(left_out > 1000);
  CHECK(secrets > 100);
}

}  // namespace

TEST_CASE("a record gives the same items as the wire") { check_dialogues(0, 4000); }
