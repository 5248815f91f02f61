// Which format a file is of, gzipped or not.

#include "readers/reader_list.h"

#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/octets.h"
#include "readers/gunzip_octets.h"
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

TEST_CASE("every row of the list recognises its own format only") {
  const std::string pcapng = little(0x0A0D0D0A, 4) + little(28, 4) + little(0x1A2B3C4D, 4);
  const std::string samples[] = {kCapture,
                                 mail_pcap(),
                                 pcapng,
                                 log_sample("exchange-receive.log"),
                                 log_sample("swaks.txt"),
                                 log_sample("postfix-origin.log"),
                                 log_sample("ssmtp-v.txt"),
                                 log_sample("exim-d.txt")};
  REQUIRE(all_readers().size() == std::size(samples));
  for (std::size_t i = 0; i < std::size(samples); ++i) {
    for (std::size_t k = 0; k < std::size(samples); ++k) {
      INFO(all_readers()[i].name << " of sample " << k);
      const auto first = octets_of(samples[k]);
      CHECK(all_readers()[i].recognises(first.first(std::min(first.size(), kLogRecognisedBy))) ==
            (i == k));
    }
  }
}

TEST_CASE("what is of no format is refused with words") {
  using Catch::Matchers::Contains;
  CHECK_THAT(open_file("").error, Contains("is empty"));
  CHECK_THAT(
      open_file("220 mx ESMTP\r\n").error,
      Contains("no known format (smtpcap, pcap, pcapng, exchange, swaks, postfix, ssmtp, exim; "
               "gzipped or not)"));
  CHECK_THAT(open_file(gzip("nothing")).error, Contains("no known format"));
  CHECK_THAT(open_file(little(0xA1B2C3D4, 4)).error, Contains("ends inside its header"));
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
