#include "timeline/state/arrival_times.h"

#include <array>

#include "tests/catch.h"

namespace smtpscope {
namespace {

using Pieces = std::array<ReadPiece, ArrivalTimes::kKeptReads>;
constexpr Time kNever = at_ns(999);

TEST_CASE("an item that came in one read has its time") {
  ArrivalTimes times;
  times.add(Side::kClient, 10, at_ns(5), false, false);
  Pieces pieces;
  const auto arrival = times.look_up(Side::kClient, 2, 8, kNever, pieces);
  CHECK(arrival.first == at_ns(5));
  CHECK(arrival.last == at_ns(5));
  CHECK(arrival.read_count == 1);
  REQUIRE(arrival.pieces == 1);
  CHECK(pieces[0].octets == 6);
}

TEST_CASE("an item that came in several reads knows what each of them brought") {
  ArrivalTimes times;
  times.add(Side::kClient, 4, at_ns(1), false, false);
  times.add(Side::kClient, 3, at_ns(2), false, false);
  times.add(Side::kClient, 5, at_ns(3), false, false);
  Pieces pieces;
  const auto arrival = times.look_up(Side::kClient, 2, 9, kNever, pieces);
  CHECK(arrival.first == at_ns(1));
  CHECK(arrival.last == at_ns(3));
  REQUIRE(arrival.pieces == 3);
  CHECK(pieces[0].octets == 2);
  CHECK(pieces[1].octets == 3);
  CHECK(pieces[2].octets == 2);
  CHECK(times.time_of(Side::kClient, 4, kNever) == at_ns(1));
  CHECK(times.time_of(Side::kClient, 5, kNever) == at_ns(2));
}

TEST_CASE("a read that began in an item before is cut at its end") {
  ArrivalTimes times;
  times.add(Side::kServer, 10, at_ns(1), false, false);
  times.forget(Side::kServer, 6);
  Pieces pieces;
  const auto arrival = times.look_up(Side::kServer, 6, 10, kNever, pieces);
  REQUIRE(arrival.pieces == 1);
  CHECK(pieces[0].octets == 4);
}

TEST_CASE("the two sides do not mix") {
  ArrivalTimes times;
  times.add(Side::kClient, 10, at_ns(1), false, false);
  times.add(Side::kServer, 10, at_ns(2), true, false);
  Pieces pieces;
  CHECK(!times.look_up(Side::kClient, 0, 10, kNever, pieces).by_proxy);
  CHECK(times.look_up(Side::kServer, 0, 10, kNever, pieces).by_proxy);
}

TEST_CASE("what nobody remembers has the time of the fallback") {
  ArrivalTimes times;
  Pieces pieces;
  const auto arrival = times.look_up(Side::kClient, 0, 5, kNever, pieces);
  CHECK(arrival.first == kNever);
  CHECK(arrival.read_count == 0);
  CHECK(times.time_of(Side::kClient, 5, kNever) == kNever);
}

TEST_CASE("reads that came at one time count as one") {
  ArrivalTimes times;
  for (int i = 0; i < 1000; ++i) times.add(Side::kClient, 1, at_ns(1), false, false);
  times.add(Side::kClient, 1, at_ns(2), false, false);
  Pieces pieces;
  const auto arrival = times.look_up(Side::kClient, 990, 1001, kNever, pieces);
  CHECK(arrival.read_count == 2);
  REQUIRE(arrival.pieces == 2);
  CHECK(pieces[0].octets == 10);
  CHECK(pieces[1].octets == 1);
}

TEST_CASE("reads of one time stay apart when only one of them was delivered") {
  ArrivalTimes times;
  times.add(Side::kServer, 4, at_ns(1), false, false);
  times.add(Side::kServer, 4, at_ns(1), false, true);
  Pieces pieces;
  CHECK(!times.look_up(Side::kServer, 0, 4, kNever, pieces).undelivered);
  CHECK(times.look_up(Side::kServer, 4, 8, kNever, pieces).undelivered);
}

TEST_CASE("with too many reads the first ones and the last ones stay exact") {
  ArrivalTimes times;
  constexpr int kReads = 1000;
  for (int i = 1; i <= kReads; ++i) times.add(Side::kClient, 10, at_ns(i), false, false);
  Pieces pieces;
  std::array<ReadPiece, ArrivalTimes::kLastReads> last;
  const auto arrival = times.look_up(Side::kClient, 0, 10 * kReads, kNever, pieces, last);
  REQUIRE(arrival.last_pieces == last.size());
  for (std::size_t i = 0; i < last.size(); ++i) {
    CHECK(last[i].time == at_ns(kReads - static_cast<int>(last.size() - i) + 1));
    CHECK(last[i].octets == 10);
  }
  CHECK(arrival.first == at_ns(1));
  CHECK(arrival.last == at_ns(kReads));
  CHECK(arrival.read_count == kReads);
  CHECK(pieces[1].time == at_ns(2));
  times.forget(Side::kClient, 10 * kReads);
  times.add(Side::kClient, 1, at_ns(2000), false, false);
  CHECK(times.time_of(Side::kClient, 10 * kReads + 1, kNever) == at_ns(2000));
}

TEST_CASE("missing octets shift what follows") {
  ArrivalTimes times;
  times.add(Side::kServer, 10, at_ns(1), false, false);
  times.forget(Side::kServer, 10);
  times.skip(Side::kServer, 100);
  times.add(Side::kServer, 5, at_ns(2), false, true);
  Pieces pieces;
  const auto arrival = times.look_up(Side::kServer, 110, 115, kNever, pieces);
  CHECK(arrival.first == at_ns(2));
  CHECK(arrival.undelivered);
  REQUIRE(arrival.pieces == 1);
  CHECK(pieces[0].octets == 5);
}

}  // namespace
}  // namespace smtpscope
