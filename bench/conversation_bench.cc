// Octets of a whole session to items. A pair is a command and its reply, each received and pulled
// on its own, as a relay does.

#include <benchmark/benchmark.h>

#include <string>
#include <string_view>

#include "parser/conversation.h"

namespace {

using namespace smtpscope;

std::size_t feed(Conversation& conversation, Side side, std::string_view text) {
  conversation.receive(side, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  std::size_t items = 0;
  while (conversation.next() != nullptr) ++items;
  return items;
}

void greet(Conversation& conversation) {
  feed(conversation, Side::kServer, "220 mx.example.com ESMTP\r\n");
  feed(conversation, Side::kClient, "EHLO client.example.com\r\n");
  feed(conversation, Side::kServer, "250-mx.example.com\r\n250-PIPELINING\r\n250 CHUNKING\r\n");
}

void count_pairs(benchmark::State& state, std::int64_t pairs) {
  state.SetItemsProcessed(state.iterations() * pairs);
}

void BM_ShortCommands(benchmark::State& state) {
  Conversation conversation;
  greet(conversation);
  for (auto _ : state) {
    benchmark::DoNotOptimize(feed(conversation, Side::kClient, "NOOP\r\n"));
    benchmark::DoNotOptimize(feed(conversation, Side::kServer, "250 2.0.0 Ok\r\n"));
  }
  count_pairs(state, 1);
}
BENCHMARK(BM_ShortCommands);

void BM_Envelopes(benchmark::State& state) {
  Conversation conversation;
  greet(conversation);
  for (auto _ : state) {
    feed(conversation, Side::kClient, "MAIL FROM:<alice@example.com> SIZE=1000\r\n");
    feed(conversation, Side::kServer, "250 2.1.0 Ok\r\n");
    feed(conversation, Side::kClient, "RCPT TO:<bob@example.net>\r\n");
    feed(conversation, Side::kServer, "250 2.1.5 Ok\r\n");
    feed(conversation, Side::kClient, "RSET\r\n");
    feed(conversation, Side::kServer, "250 2.0.0 Ok\r\n");
  }
  count_pairs(state, 3);
}
BENCHMARK(BM_Envelopes);

void BM_PipelinedRecipients(benchmark::State& state) {
  constexpr int kGroup = 50;
  std::string commands, replies;
  for (int i = 0; i < kGroup; ++i) {
    commands += "RCPT TO:<bob@example.net>\r\n";
    replies += "250 2.1.5 Ok\r\n";
  }
  Conversation conversation;
  greet(conversation);
  for (auto _ : state) {
    feed(conversation, Side::kClient, commands);
    feed(conversation, Side::kServer, replies);
  }
  count_pairs(state, kGroup);
}
BENCHMARK(BM_PipelinedRecipients);

void BM_Messages(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const std::string line = std::string(76, 'x') + "\r\n";
  std::string block;
  while (block.size() < std::min<std::size_t>(size, 64 * 1024)) block += line;
  Conversation conversation;
  greet(conversation);
  std::size_t octets = 0;
  for (auto _ : state) {
    feed(conversation, Side::kClient, "DATA\r\n");
    feed(conversation, Side::kServer, "354 go\r\n");
    for (std::size_t sent = 0; sent < size; sent += block.size()) {
      feed(conversation, Side::kClient, block);
      octets += block.size();
    }
    feed(conversation, Side::kClient, ".\r\n");
    feed(conversation, Side::kServer, "250 2.0.0 Ok: queued\r\n");
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(octets));
}
BENCHMARK(BM_Messages)->Arg(4 << 10)->Arg(64 << 10)->Arg(10 << 20);

}  // namespace
