// Which format a file is of, gzipped or not.

#include "readers/reader_list.h"

#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>

#include "base/octets.h"
#include "readers/gunzip_octets.h"
#include "readers/utf16_octets.h"
#include "tests/capture/temp_folder.h"
#include "tests/catch.h"
#include "tests/readers/memory_octets.h"
#include "tests/readers/packet_kit.h"

using namespace smtpscope;
using namespace smtpscope::test;

namespace {

const std::string kCapture =
    "{\"smtpcap\":1,\"started\":\"2026-11-23T12:00:00Z\",\"writer\":\"test\"}\n"
    "{\"t\":1,\"s\":1,\"e\":\"end\"}\n";

std::string gzip(const std::string& text) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string packed(deflateBound(&stream, text.size()) + 64, '\0');
  std::string copy = text;
  stream.next_in = reinterpret_cast<Bytef*>(copy.data());
  stream.avail_in = static_cast<uInt>(copy.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

struct Counter : WireSink {
  int events = 0;
  void on_wire(const WireEvent& /*event*/) override { ++events; }
};

struct Opened {
  int events = 0;
  std::string writer;
  std::vector<SourceNotice> notices;
  std::string error;
};

Opened open_file(const std::string& content) {
  const TempFolder folder;
  const std::string path = folder.file("a");
  write_file(path, content);
  auto source = open_source(path, {});
  Opened opened;
  if (!source) {
    opened.error = source.error().message;
    return opened;
  }
  Counter counter;
  while (source.value()->next(counter).value()) {
  }
  source.value()->finish(counter);
  opened.events = counter.events;
  opened.writer = source.value()->run().writer;
  opened.notices = source.value()->notices();
  CHECK(source.value()->run().source == path);
  return opened;
}

std::string mail_pcap() {
  Pcap file;
  Talk talk(file);
  short_session(talk);
  return file.octets();
}

std::string log_sample(const std::string& name) {
  std::ifstream file(std::filesystem::path(SMTPSCOPE_SOURCE_DIR) / "tests/readers/logs" / name);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string unpack(const std::string& packed, std::size_t piece) {
  GunzipOctets gunzip(std::make_unique<MemoryOctets>(packed, piece));
  std::string text;
  std::uint8_t room[100];
  while (true) {
    const std::size_t got = gunzip.read(room).value();
    if (got == 0) return text + gunzip.damage();
    text.append(text_of(std::span(room).first(got)));
  }
}

}  // namespace

TEST_CASE("formats are told by their contents") {
  CHECK(open_file(kCapture).writer == "test");
  CHECK(open_file(mail_pcap()).writer == "pcap");
  CHECK(open_file(mail_pcap()).events == 10);
  CHECK(open_file(gzip(kCapture)).events == 1);
  CHECK(open_file(gzip(mail_pcap())).events == 10);
  CHECK(open_file(gzip(mail_pcap())).notices.empty());
}

TEST_CASE("every format is recognised by what is in a file of it") {
  const std::string pcapng = little(0x0A0D0D0A, 4) + little(28, 4) + little(0x1A2B3C4D, 4);
  const std::pair<std::string, std::string> samples[] = {
      {"smtpcap", kCapture},
      {"pcap", mail_pcap()},
      {"pcapng", pcapng},
      {"exchange", log_sample("exchange-receive.log")},
      {"swaks", log_sample("swaks.txt")},
      {"postfix", log_sample("postfix-origin.log")},
      {"ssmtp", log_sample("ssmtp-v.txt")},
      {"exim", log_sample("exim-d.txt")},
      {"dialogue", "220 mx ESMTP\r\nQUIT\r\n221 bye\r\n"},
      {"", "nothing that anybody said"}};
  for (const auto& [name, sample] : samples) CHECK(format_of(octets_of(sample)) == name);
}

TEST_CASE("every format says how to get a file of it") {
  std::set<std::string_view> names;
  for (const FormatWords& format : all_formats()) {
    INFO(format.name);
    CHECK(names.insert(format.name).second);
    CHECK_FALSE(format.description.empty());
    CHECK_FALSE(format.how.empty());
  }
  CHECK(names.size() == 44);
}

TEST_CASE("a reply that stands alone in a text is told how to ask about it") {
  const auto refused = [](const char* text) { return open_file(text).error; };
  CHECK_THAT(refused("It fails with\n  (553, b'5.7.1 <a@example.com>: not logged in')\n"),
             !holds("has a reply"));
  CHECK_THAT(refused("It fails:\nanswer: 530 Must issue a STARTTLS command first\n"),
             holds("no greeting or command (line 1: It fails:)") &&
                 holds("; line 2 has a reply: smtpscope reason '530 Must issue a STARTTLS "
                       "command first' says what it means"));
  CHECK_THAT(refused("error: \"550 Can't relay\"\n"),
             holds("smtpscope reason '550 Can'\\''t relay' says"));
  CHECK_THAT(refused("version 5.500 5.5.0 of 550 things\n"), !holds("has a reply"));
}

TEST_CASE("what is of no format is refused with what it looks like, a line of it, and what to do") {
  CHECK_THAT(open_file("").error, holds("is empty"));
  CHECK_THAT(
      open_file("\nHello,\nmail does not work.\n").error,
      holds("no SMTP dialogue is found in it: no greeting, command or reply (line 2: Hello,); "
            "smtpscope formats lists what can be read"));
  CHECK_THAT(open_file(gzip("nothing")).error, holds("no SMTP dialogue"));
  CHECK_THAT(open_file("Nov 25 12:00:00 mx postfix/qmgr[1]: 4F1: from=<a@example.com>\n").error,
             holds("it looks like a log of Postfix in which no program tells of a connection "
                   "(line 1: Nov 25 12:00:00 mx postfix/qmgr[1]"));
  CHECK_THAT(open_file(std::string("a\0b", 3)).error, holds("it is no text"));
  CHECK_THAT(open_file(little(0xA1B2C3D4, 4)).error, holds("ends inside its header"));
}

TEST_CASE("text in UTF-16 is read") {
  const std::string text = "S: 220 mx ESMTP\nC: QUIT\nS: 221 sch\xC3\xB6n \xF0\x9F\x91\x8D\n";
  // The same in UTF-16: only the last line has characters beyond ASCII.
  const auto wide = [](bool little_endian) {
    std::string octets = little_endian ? "\xFF\xFE" : "\xFE\xFF";
    for (const char16_t unit : u"S: 220 mx ESMTP\nC: QUIT\nS: 221 sch\u00F6n \U0001F44D\n") {
      if (unit == 0) break;
      const char high = static_cast<char>(unit >> 8), low = static_cast<char>(unit & 0xFF);
      octets += little_endian ? std::string{low, high} : std::string{high, low};
    }
    return octets;
  };
  CHECK(open_file(text).events == open_file(wide(true)).events);
  for (const bool little_endian : {true, false}) {
    for (const std::size_t piece : {1U, 2U, 3U, 1000U}) {
      const std::string octets = wide(little_endian);
      Utf16Octets narrow(std::make_unique<MemoryOctets>(octets, piece),
                         utf16_order(octets_of(octets)).value());
      std::string read;
      std::uint8_t room[5];
      while (const std::size_t got = narrow.read(room).value()) {
        read.append(text_of(std::span(room).first(got)));
      }
      CHECK(read == text);
    }
  }
  CHECK_FALSE(utf16_order(octets_of("S:")));
}

TEST_CASE("compression that is cut or damaged is told, and what came before is read") {
  const std::string packed = gzip(mail_pcap());
  const Opened cut = open_file(packed.substr(0, packed.size() - 9));
  CHECK(cut.notices.back().text == "its compression has no end: it was cut off");
  std::string damaged = packed;
  damaged[packed.size() - 6] = static_cast<char>(damaged[packed.size() - 6] ^ 1);  // its checksum
  const Opened opened = open_file(damaged);
  CHECK(opened.events == 10);
  CHECK(opened.notices.back().kind == SourceNotice::Kind::kCorrupt);
}

TEST_CASE("gzip members one after the other, padding behind, in pieces of any size") {
  const std::string packed = gzip("one ") + gzip("") + gzip("two") + std::string(10, '\0');
  for (const std::size_t piece :
       {std::size_t{1}, std::size_t{2}, std::size_t{17}, std::size_t{1000}})
    CHECK(unpack(packed, piece) == "one two");
  CHECK(unpack(gzip(std::string(100'000, 'x')), 50) == std::string(100'000, 'x'));
}
