#include "exporters/escape.h"

#include <string>

#include "exporters/json_writer.h"
#include "exporters/text/text_style.h"
#include "exporters/text/text_width.h"
#include "exporters/time_words.h"
#include "tests/catch.h"

namespace smtpscope {
namespace {

std::string wire(std::string_view text) { return escape(text, Wording::kWire, Charset::kUtf8); }

TEST_CASE("what could drive a terminal is escaped") {
  struct Case {
    std::string_view text;
    std::string_view escaped;
  };
  const auto given = GENERATE(values<Case>({
      {"250 2.1.0 Ok", "250 2.1.0 Ok"},
      {"", ""},
      {{"a\0b", 3}, "a\\x00b"},
      {"a\tb\rc\nd", "a\\tb\\rc\\nd"},
      {"\x1B]0;title\x07", "\\x1B]0;title\\x07"},  // OSC: sets the window's title
      {"\x1B[2J\x1B[31m", "\\x1B[2J\\x1B[31m"},    // CSI
      {"\x1BPq\x1B\\", "\\x1BPq\\x1B\\\\"},        // DCS, ended by ST
      {"\x7F\x08", "\\x7F\\x08"},                  // DEL, BS
      {"\xC2\x9B"
       "31m",
       "\\u{9B}31m"},  // CSI as one C1 character
      {"\x9B"
       "31m",
       "\\x9B31m"},             // and as one octet
      {"\xC2\x85", "\\u{85}"},  // NEL
      {"\xE2\x80\xAE"
       "moc",
       "\\u{202E}moc"},                                      // right-to-left override
      {"\xE2\x81\xA6x\xE2\x81\xA9", "\\u{2066}x\\u{2069}"},  // isolates
      {"a\xE2\x80\x8B"
       "b",
       "a\\u{200B}b"},  // zero width space
      {"\xEF\xBB\xBF"
       "220",
       "\\u{FEFF}220"},                              // byte order mark
      {"\xE2\x80\xA8", "\\u{2028}"},                 // line separator
      {"\xF3\xA0\x81\x81", "\\u{E0041}"},            // a tag character
      {"C:\\x1B", "C:\\\\x1B"},                      // a backslash is doubled
      {"gr\xC3\xBC\xC3\x9F", "gr\xC3\xBC\xC3\x9F"},  // printable UTF-8 stays
      {"\xF0\x9F\x93\xA7", "\xF0\x9F\x93\xA7"},
      {"\xC3", "\\xC3"},           // cut sequence
      {"\xC0\xAF", "\\xC0\\xAF"},  // overlong "/"
      {"\xE0\x80\xAF", "\\xE0\\x80\\xAF"},
      {"\xED\xA0\x80", "\\xED\\xA0\\x80"},           // a surrogate
      {"\xF4\x90\x80\x80", "\\xF4\\x90\\x80\\x80"},  // beyond U+10FFFF
      {"\xF8\x88\x80\x80\x80", "\\xF8\\x88\\x80\\x80\\x80"},
      {"\xE6\xBC", "\\xE6\\xBC"},
      {"\xE6(\xA2", "\\xE6(\\xA2"},
  }));
  CHECK(wire(given.text) == given.escaped);
}

TEST_CASE("no octet gets through that is a control, whatever stands around it") {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string text{static_cast<char>(first), static_cast<char>(second)};
      const std::string escaped = wire(text);
      CHECK(is_utf8(escaped));
      for (std::string_view rest = escaped; !rest.empty();) {
        const CodePoint point = first_code_point(rest);
        CHECK_FALSE(is_unsafe(point.value));
        rest.remove_prefix(point.octets);
      }
    }
  }
}

TEST_CASE("words of ours keep their backslashes") {
  CHECK(escape("\"451 \\x1B\" \x1B", Wording::kOurs, Charset::kUtf8) == "\"451 \\x1B\" \\x1B");
}

TEST_CASE("ASCII readers get escapes for the rest") {
  CHECK(escape("gr\xC3\xBC\xC3\x9F \xE6\xBC\xA2", Wording::kWire, Charset::kAscii) ==
        "gr\\u{FC}\\u{DF} \\u{6F22}");
}

TEST_CASE("width counts columns") {
  CHECK(display_width("") == 0);
  CHECK(display_width("abc") == 3);
  CHECK(display_width("caf\xC3\xA9") == 4);
  CHECK(display_width("e\xCC\x81") == 1);                 // e and a combining acute accent
  CHECK(display_width("\xE6\xBC\xA2\xE5\xAD\x97") == 4);  // two ideographs
  CHECK(display_width("\xF0\x9F\x93\xA7") == 2);          // an envelope
  CHECK(display_width("\xEF\xBC\xA1") == 2);              // fullwidth A
}

TEST_CASE("a cut falls neither into a character nor into an escape") {
  CHECK(cut_to_width("abcdef", 6, "…") == "abcdef");
  CHECK(cut_to_width("abcdef", 5, "…") == "abcd…");
  CHECK(cut_to_width("ab\\x1Bcd", 6, "…") == "ab…");
  CHECK(cut_to_width("ab\\x1Bcd", 7, "…") == "ab\\x1B…");
  CHECK(cut_to_width("ab\\u{202E}cd", 9, "…") == "ab…");
  CHECK(cut_to_width("a\xE6\xBC\xA2\xE5\xAD\x97", 4, "…") == "a\xE6\xBC\xA2…");
  CHECK(cut_to_width("e\xCC\x81"
                     "e\xCC\x81"
                     "e\xCC\x81",
                     2, "…") == "e\xCC\x81…");
  CHECK(cut_to_width("abcdef", 1, "...") == "a");
}

TEST_CASE("words wrap at blanks, long ones where they must") {
  using Lines = std::vector<std::string>;
  CHECK(wrap("", 10) == Lines{""});
  CHECK(wrap("one two three", 0) == Lines{"one two three"});
  CHECK(wrap("one two three", 13) == Lines{"one two three"});
  CHECK(wrap("one two three", 8) == Lines{"one two", "three"});
  CHECK(wrap("one two three", 7) == Lines{"one two", "three"});
  CHECK(wrap("one two three", 7, 3) == Lines{"one", "two", "three"});
  CHECK(wrap("one two", 7, 3) == Lines{"one", "two"});
  CHECK(wrap("abcdefgh", 3) == Lines{"abc", "def", "gh"});
  CHECK(wrap("ab cdefgh", 3) == Lines{"ab", "cde", "fgh"});
  CHECK(wrap("\xE6\xBC\xA2\xE5\xAD\x97", 1) == Lines{"\xE6\xBC\xA2", "\xE5\xAD\x97"});
  CHECK(chop("one two", 4) == Lines{"one ", "two"});
}

TEST_CASE("durations fit seven columns") {
  struct Case {
    Duration duration;
    std::string_view text;
  };
  using std::chrono::hours;
  using std::chrono::microseconds;
  using std::chrono::milliseconds;
  using std::chrono::nanoseconds;
  using std::chrono::seconds;
  const auto given = GENERATE(values<Case>({
      {nanoseconds(0), "0 us"},
      {nanoseconds(1'499), "1 us"},
      {microseconds(850), "850 us"},
      {nanoseconds(999'499), "999 us"},
      {nanoseconds(999'500), "1 ms"},
      {milliseconds(4), "4 ms"},
      {microseconds(999'499), "999 ms"},
      {microseconds(999'500), "1.00 s"},
      {seconds(10), "10.00 s"},
      {milliseconds(99'994), "99.99 s"},
      {milliseconds(99'995), "100 s"},
      {seconds(600), "600 s"},
      {hours(2), "7200 s"},
      {hours(28), "28.0 h"},
  }));
  CHECK(short_duration(given.duration) == given.text);
  CHECK(given.text.size() <= 7);
}

TEST_CASE("JSON strings can be looked at") {
  JsonWriter json;
  json.begin_object();
  json.number_of("a\"b", 1);
  json.string("c", "x\\y \x1B \x7F \xC2\x9B \xE2\x80\xAE \xF3\xA0\x81\x81 \xC3\xBC \xFF\r\n\t");
  json.end_object();
  CHECK(json.text() ==
        "{\"a\\\"b\":1,\"c\":\"x\\\\y \\u001b \\u007f \\u009b \\u202e \\udb40\\udc41 \xC3\xBC "
        "\xEF\xBF\xBD\\r\\n\\t\"}");
}

TEST_CASE("JSON keeps octets that are no UTF-8") {
  JsonWriter json;
  json.begin_object();
  json.wire("text", "caf\xC3\xA9");
  json.wire("odd", "caf\xE9\\");
  json.wire("one", "\xFF");
  json.wire("two", "\xFF\xFE");
  json.end_object();
  CHECK(json.text() ==
        "{\"text\":\"caf\xC3\xA9\",\"odd\":\"caf\\\\xE9\\\\\\\\\",\"odd_b64\":\"Y2Fm6Vw=\","
        "\"one\":\"\\\\xFF\",\"one_b64\":\"/w==\","
        "\"two\":\"\\\\xFF\\\\xFE\",\"two_b64\":\"//4=\"}");
}

TEST_CASE("JSON values stand apart") {
  JsonWriter inner;
  inner.begin_object();
  inner.number("n", -1);
  inner.end_object();
  JsonWriter json;
  json.begin_object();
  json.begin_array("list");
  json.element("a");
  json.element_number(2);
  json.begin_object();
  json.end_object();
  json.end_array();
  json.members_of("{}");
  json.members_of(inner.text());
  json.true_if("no", false);
  json.true_if("yes", true);
  json.number_if("zero", 0);
  json.time("at", at_ns(5));
  json.end_object();
  CHECK(json.text() == "{\"list\":[\"a\",2,{}],\"n\":-1,\"yes\":true,\"at_ns\":5}");
}

}  // namespace
}  // namespace smtpscope
