// Names, addresses and numbers in the midst of texts: nothing of them is left, and what is the same
// has the same pseudonym.

#include <fmt/format.h>

#include <random>
#include <string>
#include <vector>

#include "base/octets.h"
#include "tests/catch.h"
#include "tests/redact/redacted.h"

namespace smtpscope::test {
namespace {

/// A session as events, a read per line.
class Dialogue {
 public:
  Dialogue() {
    add(SessionOpened{"10.17.3.9:50114", "10.17.3.1:2525", "mx.kestrel-mail.de:25"});
    add(UpstreamConnected{"10.17.3.25:25", Duration(5)});
    server("220 mx.kestrel-mail.de ESMTP");
  }
  Dialogue& client(std::string_view line) { return say(Side::kClient, line); }
  Dialogue& server(std::string_view line) { return say(Side::kServer, line); }
  const std::vector<EventCopy>& end() {
    add(SessionEnded{});
    return events_;
  }

 private:
  Dialogue& say(Side side, std::string_view line) {
    const std::string octets = std::string(line) + "\r\n";
    Bytes bytes;
    bytes.from = side;
    bytes.head = octets_of(octets);
    add(bytes);
    return *this;
  }
  template <typename Body>
  void add(const Body& body) {
    events_.emplace_back(
        WireEvent{1, at_ns(static_cast<std::int64_t>(events_.size()) * 1000), body});
  }

  std::vector<EventCopy> events_;
};

std::string line_of(const Redacted& redacted, Side side, std::size_t number) {
  std::string_view all;
  const std::string octets = redacted.list.octets(side);
  all = octets;
  for (; number > 0; --number) all.remove_prefix(all.find("\r\n") + 2);
  return std::string(all.substr(0, all.find("\r\n")));
}

std::string words_of(const std::vector<Leak>& leaks) {
  std::string words;
  for (const Leak& leak : leaks) words += fmt::format("{} in {}\n", leak.original, leak.where);
  return words;
}

/// What becomes of a reply's text.
std::string reply(std::string_view text) {
  Dialogue dialogue;
  dialogue.client("EHLO x").server("250 x").client("NOOP").server(fmt::format("550 {}", text));
  const Redacted redacted(dialogue.end(), BodyPolicy::kDrop);
  CHECK(words_of(redacted.leaks) == "");
  return line_of(redacted, Side::kServer, 2).substr(4);
}

TEST_CASE("addresses in words, and parts of addresses") {
  for (const char* text : {"host-10.77.201.213 refused",
                           "unknown-10.77.201.213",
                           "10.77.201.213-10.77.201.219",
                           "10.77.201.213-219",
                           "10.77.201.* is blocked",
                           "10.77.*.* is blocked",
                           "10.77.201.x",
                           "10.77.201/24",
                           "10.77.201.0/24",
                           "static-10-77-201-213",
                           "ip10.77.201.213x",
                           "x_10_77_201_213",
                           "10.77.201.213.25",
                           "10.77.201.213:25",
                           "[10.77.201.213]:25",
                           "10-77-201-213.dsl.osprey.net",
                           "dsl-010-077-201-213",
                           "host-2001:470:77:201::213",
                           "IPv6:2a01:4f8:77:201::213",
                           "2001-470-77-201--213",
                           "boundary=\"x-10.77.201.213\"",
                           "<10.77.201.213>",
                           "client=[10.77.201.213],",
                           "213.201.77.10.zen.osprey.net",
                           "2001:470:77:201::213x"}) {
    const std::string is = reply(text);
    INFO(text << " -> " << is);
    for (const char* part : {"10.77", "77.201", "201.213", "10-77", "77-201", "201-213", "77_201",
                             "77:201", "201::213", "201.219", "201.77", "077", "77-201--213"}) {
      CHECK(is.find(part) == std::string::npos);
    }
  }
}

TEST_CASE("an address in a word has the pseudonym that it has alone") {
  const std::string is = reply("[10.77.201.213] host-10-77-201-213 x10.77.201.213 10.77.201.*");
  const std::string alone = is.substr(1, is.find(']') - 1);
  std::string hyphened = alone;
  for (char& c : hyphened) c = c == '.' ? '-' : c;
  INFO(is);
  CHECK(is.find("host-" + hyphened) != std::string::npos);
  CHECK(is.find("x" + alone) != std::string::npos);
}

TEST_CASE("telephone numbers") {
  for (const char* text :
       {"call +49 30 7720 1213", "call (030) 772 012 13", "call 0800-772-0121",
        "call 772-201-2130 now", "tel: +1.772.201.2130.", "+49 (30) 77 20 12 13"}) {
    const std::string is = reply(text);
    INFO(text << " -> " << is);
    for (const char* part : {"772", "201", "012", "7720", "1213", "2130", " 77 20"}) {
      CHECK(is.find(part) == std::string::npos);
    }
  }
}

TEST_CASE("numbers that name nobody stay") {
  for (const char* text :
       {"5.7.1 try again in 300 seconds", "message size 1000 exceeds 10", "2026-11-30 12:34:56",
        "Mon, 30 Nov 2026 12:34:56 +0000", "code 2-3", "ESMTP Exim 4.98.2",
        "AUTH SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5", "TLS-1.3 utf-8 iso-8859-1", "127.0.0.1"}) {
    CHECK(reply(text) == text);
  }
}

TEST_CASE("a greeting's name is the same one when it comes back") {
  for (const char* name : {"ip-172-31-5-66", "host-12-34", "mail-4", "info-4", "vm-12345", "m-1",
                           "ws_17", "4711", "relay01", "a.b-7", "test-mail", "x4"}) {
    Dialogue dialogue;
    dialogue.client(fmt::format("EHLO {}", name)).server(fmt::format("250 Hello {}", name));
    dialogue.client("NOOP").server(
        fmt::format("250 bye {}, and <{}>:25 (host={};)", name, name, name));
    const Redacted redacted(dialogue.end(), BodyPolicy::kDrop);
    CHECK(words_of(redacted.leaks) == "");
    const std::string chosen = line_of(redacted, Side::kClient, 0).substr(5);
    INFO(name << " -> " << chosen);
    CHECK(chosen != name);
    CHECK(line_of(redacted, Side::kServer, 1) == "250 Hello " + chosen);
    CHECK(line_of(redacted, Side::kServer, 2) ==
          fmt::format("250 bye {}, and <{}>:25 (host={};)", chosen, chosen, chosen));
  }
}

TEST_CASE("a user's name is the same one when it comes back") {
  for (const char* name :
       {"4711", "k.w", "k-4", "7", "j.r.r", "bob", "alice.smith", "info-test", "info+test",
        "mail.admin", "o'kestrel", "x=y=merlin", "report", "image", "2026"}) {
    Dialogue dialogue;
    dialogue.client("EHLO x").server("250 x").client("MAIL FROM:<>").server("250 ok");
    dialogue.client(fmt::format("RCPT TO:<{}@osprey.net>", name));
    dialogue.server(fmt::format("550 User {} unknown", name));
    const Redacted redacted(dialogue.end(), BodyPolicy::kDrop);
    CHECK(words_of(redacted.leaks) == "");
    const std::string mailbox = line_of(redacted, Side::kClient, 2).substr(9);
    const std::string chosen = mailbox.substr(0, mailbox.find('@'));
    INFO(name << " -> " << chosen);
    CHECK(chosen != name);
    const std::string_view standard[] = {"report", "image"};
    if (std::ranges::find(standard, name) == std::end(standard)) {
      CHECK(line_of(redacted, Side::kServer, 3) == fmt::format("550 User {} unknown", chosen));
    }
  }
  // A number that counts is none.
  Dialogue dialogue;
  dialogue.client("EHLO x").server("250 x").client("RCPT TO:<300@osprey.net>");
  dialogue.server("450 4.7.1 300 is greylisted, try again in 300 seconds");
  const Redacted redacted(dialogue.end(), BodyPolicy::kDrop);
  const std::string is = line_of(redacted, Side::kServer, 2);
  CHECK(is.find("in 300 seconds") != std::string::npos);
  CHECK(is.find("4.7.1 300 is") == std::string::npos);
}

/// Names as they are, made by chance.
class Names {
 public:
  explicit Names(std::uint32_t seed) : random_(seed) {}

  std::size_t below(std::size_t limit) { return random_() % limit; }
  template <std::size_t kSize>
  std::string_view one_of(const std::string_view (&list)[kSize]) {
    return list[below(kSize)];
  }
  std::string word() {
    constexpr std::string_view kWords[] = {"mail", "info", "host", "static", "web", "test",
                                           "user", "spam", "mx",   "ip",     "vm",  "relay"};
    std::string text;
    switch (below(4)) {
      case 0:
        return std::string(one_of(kWords));
      case 1:
        return fmt::format("{}", below(100'000));
      case 2:
        return std::string(1, static_cast<char>('a' + below(26)));
      default:
        for (std::size_t n = 2 + below(7); n > 0; --n) text += static_cast<char>('a' + below(26));
        return text;
    }
  }
  std::string joined(std::string_view joints) {
    std::string text = word();
    for (std::size_t n = below(4); n > 0; --n) {
      text += joints[below(joints.size())];
      text += word();
    }
    return text;
  }
  std::string address() {
    const char separator = below(3) == 0 ? '-' : '.';
    return fmt::format("{1}{0}{2}{0}{3}{0}{4}", separator, 11 + below(180), below(256), below(256),
                       below(256));
  }
  std::string host() {
    switch (below(4)) {
      case 0:
        return joined("-");
      case 1:
        return word() + "-" + address();
      case 2:
        return joined("-") + "." + joined("-") + ".de";
      default:
        return joined("-.") + ".osprey.net";
    }
  }
  std::string mailbox() { return joined(".-+_=") + "@" + host(); }
  /// A text around a name.
  std::string sentence(std::string_view name) {
    constexpr std::string_view kTexts[] = {"Hello {}",
                                           "<{}>: unknown user",
                                           "User {} unknown",
                                           "'{}' refused",
                                           "blocked ({}): x",
                                           "host={};",
                                           "{}, try later",
                                           "mailbox for {}.",
                                           "{}/{} is not here",
                                           "queued as {}",
                                           "no-{}",
                                           "{}-list",
                                           "\"{}\"",
                                           "[{}]"};
    std::string text(one_of(kTexts));
    for (std::size_t at = text.find("{}"); at != std::string::npos; at = text.find("{}")) {
      text.replace(at, 2, name);
    }
    return text;
  }

 private:
  std::mt19937 random_;
};

TEST_CASE("no generated name is left in any place, and a copy is made of every capture") {
  for (std::uint32_t seed = 0; seed < 250; ++seed) {
    Names names(seed);
    std::vector<std::string> all;
    for (std::size_t n = 2 + names.below(6); n > 0; --n) {
      all.push_back(names.below(2) == 0 ? names.host() : names.mailbox());
    }
    Dialogue dialogue;
    const auto any = [&]() -> const std::string& { return all[names.below(all.size())]; };
    const auto local = [&] {
      const std::string& name = any();
      return name.substr(0, name.find('@'));
    };
    dialogue.client("EHLO " + all.front().substr(all.front().find('@') + 1));
    dialogue.server("250-" + names.host() + " Hello " + any()).server("250 SIZE 10");
    for (std::size_t n = 2 + names.below(5); n > 0; --n) {
      const std::string& name = any();
      const bool is_mailbox = name.find('@') != std::string::npos;
      dialogue.client(fmt::format("{}<{}>", n % 2 == 0 ? "MAIL FROM:" : "RCPT TO:",
                                  is_mailbox ? name : names.word() + "@" + name));
      dialogue.server("550-5.1.1 " + names.sentence(local()));
      dialogue.server("550 5.1.1 " + names.sentence(any()));
    }
    dialogue.client("DATA")
        .server("354 go")
        .client("From: " + any())
        .client("X-" + local() + ": y");
    dialogue.client("Content-Type: multipart/mixed; boundary=\"x-" + local() + "\"").client("");
    dialogue.client(names.sentence(any())).client("--x-" + local()).client(names.sentence(local()));
    dialogue.client(".").server("250 " + names.sentence(any()));
    const std::vector<EventCopy>& events = dialogue.end();
    for (const BodyPolicy policy : {BodyPolicy::kDrop, BodyPolicy::kShape, BodyPolicy::kKeep}) {
      const Redacted redacted(events, policy);
      INFO("seed " << seed << ", " << to_string(policy));
      const std::string leaks = words_of(redacted.leaks);
      if (!leaks.empty()) {
        FAIL_CHECK(leaks << redacted.list.octets(Side::kClient)
                         << redacted.list.octets(Side::kServer));
      }
    }
  }
}

}  // namespace
}  // namespace smtpscope::test
