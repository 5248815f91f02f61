// What is in a batch owes nothing to where it came from.

#include <memory>
#include <string>
#include <vector>

#include "base/octets.h"
#include "capture/event_format.h"
#include "tests/catch.h"
#include "trace/batch_memory.h"
#include "trace/batch_queue.h"
#include "trace/reused_objects.h"
#include "trace/timeline_batch.h"
#include "trace/wire_batch.h"

using namespace smtpscope;

namespace {

std::string told_line(const WireEvent& event) {
  std::string line(most_event_line(event), '\0');
  line.resize(static_cast<std::size_t>(format_event(line.data(), event) - line.data()));
  return line;
}

}  // namespace

TEST_CASE("memory of a batch keeps what it was given where it is, whatever comes behind") {
  BatchMemory memory;
  for (int round = 0; round < 3; ++round) {
    std::vector<std::string_view> kept;
    std::size_t octets = 0;
    for (std::size_t size = 0; size < 1500; ++size) {
      kept.push_back(memory.keep(std::string(size, static_cast<char>('a' + size % 26))));
      octets += size;
    }
    kept.push_back(memory.keep(std::string(2 * BatchMemory::kBlock, 'z')));
    kept.push_back(memory.keep(std::string("behind it")));
    std::size_t wrong = 0;
    for (std::size_t size = 0; size < 1500; ++size) {
      wrong += kept[size] == std::string(size, static_cast<char>('a' + size % 26)) ? 0U : 1U;
    }
    CHECK(wrong == 0);
    CHECK(kept[1500] == std::string(2 * BatchMemory::kBlock, 'z'));
    CHECK(kept[1501] == "behind it");
    CHECK(memory.used() >= octets + 2 * BatchMemory::kBlock);
    memory.clear();
    CHECK(memory.used() == 0);
  }
}

TEST_CASE("numbers in the memory of a batch stand where a processor wants them") {
  BatchMemory memory;
  memory.keep(std::string_view("x"));
  const std::vector<std::uint64_t> numbers = {1, 2, 3};
  const auto kept = memory.keep(std::span<const std::uint64_t>(numbers));
  CHECK(reinterpret_cast<std::uintptr_t>(kept.data()) % alignof(std::uint64_t) == 0);
  CHECK(std::vector<std::uint64_t>(kept.begin(), kept.end()) == numbers);
}

TEST_CASE("a batch of wire events keeps all that they point to") {
  std::vector<std::string> texts(16);
  std::vector<std::string> expected;
  WireBatch batch;
  const auto text = [&](std::size_t at, std::string_view content) -> std::string_view {
    return texts[at] = content;
  };
  const auto add = [&](decltype(WireEvent::body) body) {
    const WireEvent event{7, at_ns(5), std::move(body)};
    expected.push_back(told_line(event));
    batch.add(event);
  };
  add(SessionOpened{.client = text(0, "192.0.2.10:50114, a long one"),
                    .listener = text(1, "127.0.0.1:25"),
                    .upstream = text(2, "mx.example:25"),
                    .announced_by = text(3, "192.0.2.1:40000 (PROXY v2)"),
                    .route = text(4, "mx")});
  add(UpstreamConnected{.server = text(5, "192.0.2.25:25")});
  add(UpstreamFailed{text(6, "connection refused")});
  add(Closed{.from = Side::kServer, .reason = text(7, "the reason why")});
  add(Gap{.from = Side::kClient, .octets = 9, .events = 1, .why = text(8, "the disk was full")});
  add(Remark{.kind = RemarkKind::kTarpit, .by = {}, .length = {}, .text = text(9, "a tarpit")});

  Bytes bytes;
  bytes.head = octets_of(text(10, "AUTH PLAIN ####\r\nDATA\r\n"));
  auto left_out = std::make_shared<LeftOut>();
  left_out->octets = 1000;
  bytes.left_out = left_out;
  bytes.tail = octets_of(text(11, ".\r\n"));
  std::vector<FurtherPart> further(2);
  further[0].left_out.octets = 5;
  further[0].octets = octets_of(text(12, "BDAT 5\r\n"));
  further[1].left_out.octets = 6;
  further[1].octets = octets_of(text(13, "QUIT\r\n"));
  bytes.further = further;
  std::vector<Masked> masked = {{.offset = 11, .octets = 4}};
  bytes.masked = masked;
  bytes.instead = octets_of(text(14, "NOOP\r\n"));
  bytes.scenario = text(15, "on AUTH: drop");
  add(bytes);
  Bytes none;
  none.instead = std::span<const std::uint8_t>();
  add(none);
  add(SessionEnded{});

  for (std::string& gone : texts) gone.assign(gone.size(), '?');
  further.assign(2, {});
  masked.assign(1, {});
  REQUIRE(batch.events().size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(told_line(batch.events()[i]) == expected[i]);
  }
  batch.clear();
  CHECK(batch.empty());
}

TEST_CASE("objects that are used again hold what was assigned last, and nothing of before") {
  ReusedObjects<std::vector<std::string>> objects;
  const std::vector<std::string>& first = objects.add({"a", "b", std::string(100, 'c')});
  const std::vector<std::string>& second = objects.add({"d"});
  CHECK(first.size() == 3);
  objects.clear();
  const std::vector<std::string>& again = objects.add({"e"});
  CHECK(&again == &first);
  CHECK(again == std::vector<std::string>{"e"});
  CHECK(second == std::vector<std::string>{"d"});
}

TEST_CASE("a batch of timeline events gives each item as it was, whatever kind it is") {
  TimelineBatch batch;
  for (int round = 0; round < 2; ++round) {
    std::string text = "MAIL FROM:<a@example.com>";
    std::string mail = "Re: hello";
    std::vector<ReplyLine> lines(2);
    lines[0] = {.code = 250, .text = text, .end = 3, .octets = 4};
    lines[1] = {.code = 250, .text = mail, .end = 5, .octets = 6};
    const auto add = [&](std::uint64_t begin, ItemBody body) {
      Item item{.side = Side::kServer, .begin = begin, .end = begin + 1, .body = std::move(body)};
      item.secret_begin = begin + 2;
      item.secret_end = begin + 3;
      Entry entry;
      entry.number = begin;
      entry.item = &item;
      batch.add({.session = 7, .time = at_ns(9), .body = entry});
    };
    Command command;
    command.verb = Verb::kMail;
    command.text = text;
    add(1, command);
    batch.add({.session = 7, .time = at_ns(9), .body = TimelineConnected{.server = text}});
    add(2, Reply{.code = 250, .lines = lines, .line_count = 2});
    MailData data;
    data.headline = {.subject = mail, .message_id = text};
    add(3, data);
    add(4, Junk{.reason = JunkReason::kCut, .text = text});
    for (std::string* gone : {&text, &mail}) gone->assign(gone->size(), '?');
    lines.assign(2, {});

    const auto next = [&]() -> const Item& { return *std::get<Entry>(batch.next().body).item; };
    const Item& first = next();
    CHECK(first.side == Side::kServer);
    CHECK(std::vector<std::uint64_t>{first.begin, first.end, first.secret_begin,
                                     first.secret_end} == std::vector<std::uint64_t>{1, 2, 3, 4});
    CHECK(std::get<Command>(first.body).text == "MAIL FROM:<a@example.com>");
    CHECK(std::get<Command>(first.body).verb == Verb::kMail);
    CHECK(std::get<TimelineConnected>(batch.next().body).server == "MAIL FROM:<a@example.com>");
    const Reply reply = std::get<Reply>(next().body);
    REQUIRE(reply.lines.size() == 2);
    CHECK(reply.lines[0].text == "MAIL FROM:<a@example.com>");
    CHECK(reply.lines[1].text == "Re: hello");
    CHECK(reply.lines[1].octets == 6);
    CHECK(std::get<MailData>(next().body).headline.subject == "Re: hello");
    CHECK(std::get<Junk>(next().body).reason == JunkReason::kCut);
    batch.clear();
  }
}

namespace {

struct Weighed {
  std::size_t octets() const { return weight; }
  void clear() { weight = 0; }
  std::size_t weight = 0;
};

}  // namespace

TEST_CASE("batches come in order, empty when they are used again, and none behind the last") {
  BatchQueue<Weighed> queue(100);
  for (const std::size_t weight : {std::size_t{7}, std::size_t{8}}) {
    auto batch = queue.blank();
    batch->weight = weight;
    queue.put(std::move(batch));
  }
  auto first = queue.take();
  CHECK(first->weight == 7);
  Weighed* const memory = first.get();
  queue.give_back(std::move(first));
  auto again = queue.blank();
  CHECK(again.get() == memory);
  CHECK(again->weight == 0);
  queue.close();
  CHECK(queue.take()->weight == 8);
  CHECK(queue.take() == nullptr);
  queue.stop();
  CHECK(queue.blank() == nullptr);
}
