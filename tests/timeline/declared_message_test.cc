#include "timeline/state/declared_message.h"

#include "tests/catch.h"

namespace smtpscope {
namespace {

using Body = DeclaredMessage::Body;

TEST_CASE("MAIL's parameters say what message is to come") {
  const DeclaredMessage declared =
      read_declared_message("RET=HDRS size=512 BODY=8bitmime SMTPUTF8");
  CHECK(declared.size == 512);
  CHECK(declared.body == Body::kEightBit);
  CHECK(declared.utf8);
}

TEST_CASE("what MAIL does not say is not known") {
  const DeclaredMessage declared = read_declared_message("ENVID=SIZE=3 XSIZE=4");
  CHECK(!declared.size);
  CHECK(declared.body == Body::kNone);
  CHECK(!declared.utf8);
}

TEST_CASE("a size that is no number declares nothing") {
  for (const char* text : {"SIZE", "SIZE=", "SIZE=12k", "SIZE=-1", "SIZE=99999999999999999999"}) {
    CAPTURE(text);
    CHECK(!read_declared_message(text).size);
  }
}

TEST_CASE("each body type is told apart, and the first one counts") {
  CHECK(read_declared_message("BODY=7BIT").body == Body::kSevenBit);
  CHECK(read_declared_message("BODY=BINARYMIME BODY=7BIT").body == Body::kBinaryMime);
  CHECK(read_declared_message("BODY=9BIT").body == Body::kOther);
  CHECK(read_declared_message("SIZE=1 SIZE=2").size == 1);
}

TEST_CASE("what is nothing but that, written as it should be, is plain") {
  for (const char* text : {"", "SIZE=1", "BODY=7BIT SIZE=0 SMTPUTF8"}) {
    CAPTURE(text);
    CHECK(read_declared_message(text).plain);
  }
  for (const char* text : {"SIZE", "SIZE=x", "SIZE=1 SIZE=1", "BODY=9BIT", "BODY", "SMTPUTF8=1",
                           "SMTPUTF8 SMTPUTF8", "RET=FULL", "SIZE=1 AUTH=<>"}) {
    CAPTURE(text);
    CHECK(!read_declared_message(text).plain);
  }
}

}  // namespace
}  // namespace smtpscope
