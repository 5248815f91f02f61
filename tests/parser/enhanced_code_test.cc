#include "parser/enhanced_code.h"

#include "tests/catch.h"

using namespace smtpscope;

TEST_CASE("enhanced status codes") {
  CHECK(enhanced_code("2.1.0 Ok") == EnhancedCode{2, 1, 0});
  CHECK(enhanced_code("5.7.133") == EnhancedCode{5, 7, 133});
  CHECK(enhanced_code("4.100.0\tx") == EnhancedCode{4, 100, 0});
  for (const char* none : {"", "2", "2.1", "2.1.", "2.1.x", "3.1.0 x", "2.1.0x", "2.01.0 x",
                           "2.1000.0 x", "22.1.0 x", " 2.1.0", "2..0", "Ok 2.1.0", "5.7.1-x"}) {
    CAPTURE(none);
    CHECK_FALSE(enhanced_code(none));
  }
}
