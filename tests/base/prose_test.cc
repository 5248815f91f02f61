#include "base/prose.h"

#include "tests/catch.h"

namespace smtpscope {

extern const std::span<const ProseSource> kPagesProse;  // pages/*.md

namespace {

using Parts = std::vector<std::string>;

Parts parts_of(const ProsePage& page, std::string_view heading) {
  const std::span<const std::string> parts = page.parts(heading);
  return {parts.begin(), parts.end()};
}

TEST_CASE("the pages of a folder are compiled in as they were written") {
  const std::vector<ProsePage> pages = read_pages(kPagesProse);
  REQUIRE(pages.size() == 2);
  CHECK(pages[0].id == "short");
  CHECK(pages[0].title == "Only a title");
  CHECK(pages[0].sections.empty());

  const ProsePage& page = pages[1];
  CHECK(page.id == "with-everything");
  CHECK(page.title == "A title with MAIL FROM:<> and a * in it");
  REQUIRE(page.sections.size() == 3);
  CHECK(page.sections[0].heading == R"(Prose; with "signs" that build tools like: [a] ${b} \\n)");
  CHECK(!page.sections[0].numbered);
  CHECK(page.sections[0].parts ==
        Parts{"The first paragraph, which goes on in a second line, and has code that is wrapped.",
              "1999 is a year. 2. is no entry here: 2. nor here."});
  CHECK(page.sections[1].numbered);
  CHECK(page.sections[1].parts == Parts{"The first entry, in two lines.",
                                        R"(The second; it has `ticks` and C:\temp.)", "The last."});
  CHECK(page.sections[2].heading == "Nothing");
  CHECK(page.sections[2].parts.empty());
}

TEST_CASE("a section is found by its heading") {
  const ProsePage page = read_page({"x", "# T\n\n## One\n\na\n\nb\n\n## Two\n1. c\n"});
  CHECK(parts_of(page, "One") == Parts{"a", "b"});
  CHECK(page.text("One") == "a\nb");
  CHECK(parts_of(page, "Two") == Parts{"c"});
  CHECK(parts_of(page, "Three").empty());
  CHECK(page.text("Three").empty());
}

TEST_CASE("lines may end with CR LF, and the last one not at all") {
  const ProsePage page = read_page({"x", "# T\r\n\r\n## One\r\n\r\na \r\nb\r\n\r\nc"});
  CHECK(page.title == "T");
  CHECK(parts_of(page, "One") == Parts{"a b", "c"});
}

}  // namespace
}  // namespace smtpscope
