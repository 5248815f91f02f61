#include "parser/headline.h"

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/octets.h"
#include "parser/conversation.h"
#include "parser/encoded_words.h"
#include "tests/catch.h"

using namespace smtpscope;
using namespace std::string_view_literals;

namespace {

constexpr std::uint64_t kAll = std::numeric_limits<std::uint64_t>::max();

struct Told {
  std::string subject;
  std::string message_id;
};

/// The same however it is split.
Told headline_of(std::string_view text, std::uint64_t limit = kAll) {
  Told told;
  for (std::size_t piece = 1; piece <= text.size(); piece = piece < 20 ? piece + 1 : piece * 3) {
    HeadlineReader reader(limit);
    for (std::size_t at = 0; at < text.size(); at += piece) {
      reader.scan(octets_of(text.substr(at, piece)));
    }
    if (piece == 1) told = {reader.subject(), reader.message_id()};
    INFO(text.substr(0, 100) << " in pieces of " << piece);
    REQUIRE(reader.subject() == told.subject);
    REQUIRE(reader.message_id() == told.message_id);
  }
  return told;
}

std::string subject_of(std::string_view text) { return headline_of(text).subject; }

}  // namespace

TEST_CASE("the first Subject and Message-ID of a header are its headline") {
  const Told told = headline_of(
      "From: a@b\r\nSUBJECT : Lunch \r\nSubject: no\r\nmessage-id:<1@a>\r\nMessage-ID: <2@a>\r\n");
  CHECK(told.subject == "Lunch");
  CHECK(told.message_id == "<1@a>");
  CHECK(subject_of("Subject:\r\n Lunch\r\n\tat\r\n twelve\r\n\r\n") == "Lunch\tat twelve");
  CHECK(subject_of("Subject: a\nTo: b\n\n") == "a");
  CHECK(subject_of("Subject: a\r\r\nTo: b\r\n") == "a");
}

TEST_CASE("what is no such field, or lies behind the header, is not") {
  for (const std::string_view text :
       {"To: a\r\n\r\nSubject: x\r\n"sv, "\r\nSubject: x\r\n"sv, "\nSubject: x\n"sv,
        "To: a\r\n Subject: x\r\n"sv, "X-Subject: x\r\n"sv, "Subjects: x\r\n"sv, "Subject x\r\n"sv,
        "Subject:\r\n\r\n"sv, "Subject:  \r\nTo: a\r\n"sv, "message-ids: <a@b>\r\n"sv,
        ".Subject: x\r\n"sv, "Sub ject: x\r\n"sv}) {
    INFO(text);
    CHECK(subject_of(text).empty());
    CHECK(headline_of(text).message_id.empty());
  }
}

TEST_CASE("long ones are cut, and nothing beyond the limit is read") {
  const std::string much =
      "Subject: " + std::string(100'000, 'x') + "\r\nMessage-ID: <a@b>\r\n\r\n";
  CHECK(subject_of(much) == std::string(250, 'x') + "\u2026");
  CHECK(headline_of(much).message_id.empty());  // behind the first 64 KiB
  CHECK(subject_of("Subject: " + std::string(250, 'x') + "\r\n\r\n") == std::string(250, 'x'));
  const std::string_view text = "To: a\r\nSubject: Lunch\r\n\r\n";
  CHECK(headline_of(text, 0).subject.empty());
  CHECK(headline_of(text, 15).subject.empty());
  CHECK(headline_of(text, 19).subject == "Lun\u2026");
  CHECK(headline_of(text, text.size()).subject == "Lunch");
  // Of a word that was cut nobody can read the rest.
  CHECK(headline_of("Subject: a =?utf-8?Q?=c3=a9t=c3=a9?=\r\n", 24).subject == "a\u2026");
}

TEST_CASE("encoded words are read as people mean them (RFC 2047)") {
  for (const auto& [text, read] : {
           std::pair{"plain"sv, "plain"sv},
           {"=?utf-8?Q?=C3=A9t=C3=a9_=3F?= x", "\u00e9t\u00e9 ? x"},
           {"=?UTF-8?b?w6l0w6k=?=", "\u00e9t\u00e9"},
           {"=?iso-8859-1?q?=E9t=E9?=", "\u00e9t\u00e9"},
           {"=?ISO-8859-15?Q?=A4?=", "\u20ac"},
           {"=?windows-1252?Q?=80=99?=", "\u20ac\u2122"},
           {"=?us-ascii*en?Q?a?=", "a"},  // RFC 2231 5
           // Blanks between words go, all others stay; a character may be in two of them.
           {"a =?utf-8?Q?b?= \t =?utf-8?Q?c?= d", "a bc d"},
           {"=?utf-8?B?w6k=?= =?utf-8?B?dMM=?= =?utf-8?B?qQ==?=", "\u00e9t\u00e9"},
           {"=?utf-8?Q?"
            "?=x",
            "x"},
       }) {
    INFO(text);
    CHECK(decode_encoded_words(text) == read);
  }
  for (const std::string_view text :
       {"=?"sv, "=?utf-8"sv, "=?utf-8?"sv, "=?utf-8?Q"sv, "=?utf-8?Q?"sv, "=?utf-8?Q?a"sv,
        "=?utf-8?X?a?="sv, "=?utf-8?Q?=4?="sv, "=?utf-8?Q?=xy?="sv, "=?utf-8?B?a b?="sv,
        "=?iso-2022-jp?B?GyRC?="sv, "=?../../etc?Q?a?="sv, "a=b?c"sv}) {
    INFO(text);
    CHECK(decode_encoded_words(text) == text);
  }
  CHECK(subject_of("Subject: =?utf-8?Q?a?=\r\n =?utf-8?Q?b?=\r\n\r\n") == "ab");
}

TEST_CASE("a conversation tells headlines to who asks for them, of DATA and BDAT") {
  const auto told = [](std::uint64_t octets, std::string_view commands, std::string_view reply) {
    Conversation conversation;
    conversation.tell_headlines(octets);
    Told all;
    const auto drain = [&] {
      while (const Item* item = conversation.next()) {
        const auto note = [&](const Headline& headline) {
          all.subject += headline.subject;
          all.message_id += headline.message_id;
        };
        if (const auto* data = std::get_if<MailData>(&item->body)) note(data->headline);
        if (const auto* chunk = std::get_if<Chunk>(&item->body)) note(chunk->headline);
      }
    };
    const auto say = [&](Side side, std::string_view text) {
      conversation.receive(side, octets_of(text));
      drain();
    };
    say(Side::kServer, "220 a\r\n");
    say(Side::kClient, "EHLO a\r\n");
    say(Side::kServer, "250-a\r\n250 CHUNKING\r\n");
    const std::size_t end = commands.find("\r\n") + 2;
    say(Side::kClient, commands.substr(0, end));
    if (!reply.empty()) say(Side::kServer, reply);
    say(Side::kClient, commands.substr(end));
    return all;
  };
  constexpr auto kData = "DATA\r\nSubject: a\r\nMessage-ID: <b>\r\n\r\n.\r\n"sv;
  CHECK(told(kAll, kData, "354 go\r\n").subject == "a");
  CHECK(told(kAll, kData, "354 go\r\n").message_id == "<b>");
  CHECK(told(0, kData, "354 go\r\n").subject.empty());
  CHECK(told(0, kData, "354 go\r\n").message_id.empty());
  constexpr auto kChunks = "BDAT 9\r\nSubject: BDAT 5 LAST\r\nab\r\n\n"sv;
  CHECK(told(kAll, kChunks, "").subject == "ab");
  // What a server may take for the end may begin another message.
  constexpr auto kTwo = "DATA\r\nTo: x\n.\nSubject: of another\r\n\r\n.\r\n"sv;
  CHECK(told(kAll, kTwo, "354 go\r\n").subject.empty());
}
