#include "diff/taps/taps_exchanges.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "diff/exchange_name.h"
#include "diff/reply_text.h"
#include "timeline/rules/masked_keyword.h"

namespace smtpscope {
namespace {

/// Two clocks of good quality go apart by no more than this share of the time that they measure.
constexpr std::int64_t kClockQuality = 1000;
/// What a machine under load may add between an octet's arrival and the note of it.
constexpr Duration kJitter = std::chrono::milliseconds(1);

/// "250 mx.example": shorter answers to EHLO name nobody.
constexpr std::size_t kNamingAnswer = 12;
/// A word with a digit and of so many octets at least is an id: "4F1B2A0C3D", "1rGx2k-0003Zq-1B".
constexpr std::size_t kIdOctets = 5;

bool is_asked(const ExchangeRecord& exchange) {
  return exchange.kind != ExchangeKind::kGreeting && exchange.kind != ExchangeKind::kUnasked;
}

/// The reply has a word that is the server's own: by which it names what it took.
bool has_id(std::string_view reply) {
  // Behind the code and the enhanced code (RFC 3463), which anybody may give.
  constexpr std::size_t kCodes = sizeof("250 2.0.0 ") - 1;
  reply.remove_prefix(std::min(kCodes, reply.size()));
  std::size_t octets = 0;
  bool digit = false;
  for (const char c : reply) {
    if (!is_alphanumeric(c) && c != '-' && c != '.') {
      octets = 0;
      digit = false;
      continue;
    }
    ++octets;
    digit = digit || is_digit(c);
    if (digit && octets >= kIdOctets) return true;
  }
  return false;
}

/// Both replies are the server's: nobody else would have said just this.
bool is_of_server(const ExchangeRecord& exchange, std::string_view got, std::string_view given) {
  if (exchange.kind == ExchangeKind::kMailData) return got == given && has_id(got);
  const bool hello =
      exchange.verb == Verb::kEhlo || exchange.verb == Verb::kHelo || exchange.verb == Verb::kLhlo;
  // Of what it offers something may have been changed; its name is in the first line.
  const auto name = [](std::string_view reply) { return reply_lines(reply).front(); };
  return hello && got.size() >= kNamingAnswer && name(got) == name(given);
}

/// Compares the replies to one exchange.
class ReplyComparer {
 public:
  ReplyComparer(const TapsExchange& exchange, std::vector<TapsChange>& changes)
      : exchange_(exchange), changes_(changes) {}

  void compare() {
    const ExchangeRecord& got = *exchange_.near_client.exchange;
    const ExchangeRecord& said = *exchange_.near_server.exchange;
    for (std::uint32_t i = 0; i < std::max(got.reply_count, said.reply_count); ++i) {
      const ReplyRecord* client = i < got.reply_count ? reply(exchange_.near_client, i) : nullptr;
      const ReplyRecord* server = i < said.reply_count ? reply(exchange_.near_server, i) : nullptr;
      if (client == nullptr) {
        add(TapsChangeKind::kReplyDropped, "", text_of(exchange_.run_near_server, *server));
      } else if (server == nullptr) {
        add(TapsChangeKind::kReplyInjected, text_of(exchange_.run_near_client, *client), "");
      } else {
        both(*client, *server);
      }
    }
  }

 private:
  static const ReplyRecord* reply(const TapsStep& step, std::uint32_t i) {
    return &step.session->replies[step.exchange->first_reply + i];
  }

  TapsChange& add(TapsChangeKind kind, std::string_view near_client, std::string_view near_server) {
    TapsChange& change = changes_.emplace_back(
        change_at(kind, exchange_.run_near_client, exchange_.near_client, exchange_.near_server));
    change.near_client = near_client;
    change.near_server = near_server;
    return change;
  }

  void both(const ReplyRecord& client, const ReplyRecord& server) {
    const std::string_view got = text_of(exchange_.run_near_client, client);
    const std::string_view said = text_of(exchange_.run_near_server, server);
    if (got == said) return;
    if (is_ehlo_offer(*exchange_.near_client.exchange, client) &&
        is_ehlo_offer(*exchange_.near_server.exchange, server)) {
      keywords(got, said);
    } else {
      add(TapsChangeKind::kReplyRewritten, got, said);
    }
  }

  /// RFC 5321 4.1.1.1: the first line greets, each other offers something.
  void keywords(std::string_view got, std::string_view said) {
    const std::size_t known = changes_.size();
    if (reply_lines(got).front() != reply_lines(said).front()) {
      add(TapsChangeKind::kReplyRewritten, first_reply_line(got), first_reply_line(said));
    }
    const Capabilities client = offered_by(got), server = offered_by(said);
    std::vector<const Capabilities::Keyword*> masks;  // that the server did not offer so
    for (const Capabilities::Keyword& each : client.keywords()) {
      if (is_masked_keyword(each.name()) && !server.has(each.name())) masks.push_back(&each);
    }
    for (const Capabilities::Keyword& each : server.keywords()) {
      const Capabilities::Keyword* other = client.find(each.name());
      if (other == nullptr) {
        lost(each, masks);
      } else if (other->parameters() != each.parameters()) {
        keyword(TapsChangeKind::kKeywordRewritten, other, &each);
      }
    }
    for (const Capabilities::Keyword& each : client.keywords()) {
      if (!server.has(each.name()) && !is_masked_keyword(each.name())) {
        keyword(TapsChangeKind::kKeywordAdded, &each, nullptr);
      }
    }
    for (const Capabilities::Keyword* each : masks) {
      if (each != nullptr) keyword(TapsChangeKind::kKeywordAdded, each, nullptr);
    }
    // The same keywords in another order, or spelled otherwise.
    if (changes_.size() == known) add(TapsChangeKind::kReplyRewritten, got, said);
  }

  /// A keyword of the server's that did not come through: written over in place, or taken out.
  void lost(const Capabilities::Keyword& offer, std::vector<const Capabilities::Keyword*>& masks) {
    const auto mask = std::ranges::find_if(masks, [&](const Capabilities::Keyword* each) {
      return each != nullptr && each->name().size() == offer.name().size();
    });
    if (mask == masks.end()) {
      keyword(TapsChangeKind::kKeywordRemoved, nullptr, &offer);
      return;
    }
    keyword(TapsChangeKind::kKeywordMasked, *mask, &offer);
    *mask = nullptr;
  }

  void keyword(TapsChangeKind kind, const Capabilities::Keyword* near_client,
               const Capabilities::Keyword* near_server) {
    const auto line = [](const Capabilities::Keyword* each) {
      return each == nullptr ? std::string() : keyword_line(*each);
    };
    TapsChange& change = add(kind, line(near_client), line(near_server));
    change.subject = (near_server != nullptr ? near_server : near_client)->name();
  }

  const TapsExchange& exchange_;
  std::vector<TapsChange>& changes_;
};

void compare_commands(const TapsExchange& exchange, std::vector<TapsChange>& changes) {
  const ExchangeRecord& said = *exchange.near_client.exchange;
  const ExchangeRecord& heard = *exchange.near_server.exchange;
  // What is in a message is compared as a message.
  if (!is_asked(said) || said.kind == ExchangeKind::kMailData) return;
  const auto add = [&](std::string_view near_client, std::string_view near_server) {
    TapsChange& change =
        changes.emplace_back(change_at(TapsChangeKind::kCommandRewritten, exchange.run_near_client,
                                       exchange.near_client, exchange.near_server));
    change.near_client = near_client;
    change.near_server = near_server;
  };
  const std::string_view a = exchange.run_near_client.commands.text(said.text);
  const std::string_view b = exchange.run_near_server.commands.text(heard.text);
  if (a != b) add(a, b);
  if (said.ending != heard.ending) add(ending_words(said.ending), ending_words(heard.ending));
}

/// The client had its answer before the server can have given one: what is in between made it.
struct EarlyAnswer {
  bool is = false;
  std::optional<Duration> by;  // before the server had been asked
};

EarlyAnswer early_answer(const TapsExchange& exchange, const ClockOffset& clock,
                         const TapsRow& row) {
  const ReplyRecord* got = first_reply_of(exchange.near_client);
  if (got == nullptr || !is_asked(*exchange.near_client.exchange)) return {};
  if (clock.known) {
    const Duration asked =
        wall_of(exchange.run_near_server, exchange.near_server.exchange->last) - clock.offset;
    const Duration lead = asked - wall_of(exchange.run_near_client, got->first);
    if (lead > clock.uncertainty + kJitter) return {true, lead};
  }
  if (!row.added) return {};
  const ReplyRecord* said = first_reply_of(exchange.near_server);
  const Duration took = said->first - exchange.near_server.exchange->last;
  return {*row.added < -std::max(kJitter, took / kClockQuality), std::nullopt};
}

/// Adds what took too long, if it did.
void compare_times(const TapsExchange& exchange, const ClockOffset& clock, const TapsRow& row,
                   Duration threshold, std::vector<TapsChange>& changes) {
  // Both ways are measured without the clocks' difference; one way alone is not.
  const Duration forward = row.forward.value_or(Duration{}), back = row.back.value_or(Duration{});
  const bool late = row.added ? *row.added >= threshold
                              : std::max(forward, back) - clock.uncertainty >= threshold;
  if (!late) return;
  TapsChange& change =
      changes.emplace_back(change_at(TapsChangeKind::kDelayed, exchange.run_near_client,
                                     exchange.near_client, exchange.near_server));
  change.on_the_way_back = back > forward;
  change.time = row.forward || row.back ? std::max(forward, back) : *row.added;
}

}  // namespace

const ReplyRecord* first_reply_of(const TapsStep& step) {
  return step.exchange->reply_count == 0 ? nullptr
                                         : &step.session->replies[step.exchange->first_reply];
}

std::string_view text_of(const RunRecord& run, const ReplyRecord& reply) {
  return run.replies.text(reply.text);
}

TapsChange change_at(TapsChangeKind kind, const RunRecord& run, const TapsStep& near_client,
                     const TapsStep& near_server) {
  TapsChange change;
  change.kind = kind;
  const TapsStep& known = near_client.exchange != nullptr ? near_client : near_server;
  change.verb = known.exchange->verb;
  change.exchange = known.exchange->kind;
  change.subject = exchange_name(run, *known.exchange);
  if (near_client.exchange != nullptr) {
    change.session_near_client = near_client.session->id;
    change.entry_near_client = near_client.exchange->entry;
  }
  if (near_server.exchange != nullptr) {
    change.session_near_server = near_server.session->id;
    change.entry_near_server = near_server.exchange->entry;
  }
  return change;
}

std::optional<OffsetSample> offset_sample(const TapsExchange& exchange) {
  const ExchangeRecord& said = *exchange.near_client.exchange;
  const ExchangeRecord& heard = *exchange.near_server.exchange;
  const ReplyRecord* got = first_reply_of(exchange.near_client);
  const ReplyRecord* given = first_reply_of(exchange.near_server);
  if (!is_asked(said) || got == nullptr || given == nullptr) return std::nullopt;
  if (!is_of_server(said, text_of(exchange.run_near_client, *got),
                    text_of(exchange.run_near_server, *given))) {
    return std::nullopt;
  }
  return OffsetSample{
      wall_of(exchange.run_near_server, given->first) -
          wall_of(exchange.run_near_client, got->first),
      wall_of(exchange.run_near_server, heard.last) - wall_of(exchange.run_near_client, said.last)};
}

void measure(const TapsExchange& exchange, const ClockOffset& clock, TapsRow& row) {
  const ExchangeRecord& said = *exchange.near_client.exchange;
  const ExchangeRecord& heard = *exchange.near_server.exchange;
  const ReplyRecord* got = first_reply_of(exchange.near_client);
  const ReplyRecord* given = first_reply_of(exchange.near_server);
  const bool answered = got != nullptr && given != nullptr;
  if (is_asked(said)) {
    if (answered) row.added = (got->first - said.last) - (given->first - heard.last);
    if (clock.known) {
      row.forward = wall_of(exchange.run_near_server, heard.last) -
                    wall_of(exchange.run_near_client, said.last) - clock.offset;
    }
  }
  if (answered && clock.known) {
    row.back = wall_of(exchange.run_near_client, got->first) -
               wall_of(exchange.run_near_server, given->first) + clock.offset;
  }
}

void compare_exchange(const TapsExchange& exchange, const ClockOffset& clock, const TapsRow& row,
                      Duration delay_threshold, std::vector<TapsChange>& changes) {
  compare_commands(exchange, changes);
  const EarlyAnswer early = early_answer(exchange, clock, row);
  if (!early.is) {
    ReplyComparer(exchange, changes).compare();
    compare_times(exchange, clock, row, delay_threshold, changes);
    return;
  }
  TapsChange& change =
      changes.emplace_back(change_at(TapsChangeKind::kAnsweredBetween, exchange.run_near_client,
                                     exchange.near_client, exchange.near_server));
  change.near_client = text_of(exchange.run_near_client, *first_reply_of(exchange.near_client));
  if (const ReplyRecord* given = first_reply_of(exchange.near_server)) {
    change.near_server = text_of(exchange.run_near_server, *given);
  }
  change.time = early.by;
}

}  // namespace smtpscope
