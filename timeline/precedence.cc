#include "timeline/precedence.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

namespace smtpscope {
namespace {

using enum FoldScope;

constexpr Precedence kPrecedences[] = {
    {"callout-probe", "txn-aborted-rset", kSameTransaction},
    {"callout-probe", "txn-aborted-quit", kSameTransaction},
    {"callout-probe", "txn-aborted-disconnect", kSameTransaction},

    {"txn-replayed-after-rset", "txn-aborted-rset", kBetweenTransactions},
    {"txn-replayed-after-rset", "rset-repeated", kBetweenTransactions},
    {"txn-replayed-after-rset", "rset-noop", kBetweenTransactions},
    {"txn-replayed-after-rset", "gap-client", kBetweenTransactions},
    {"txn-replayed-after-rset", "round-pause", kBetweenTransactions},

    {"rset-liveness-probe", "rset-noop", kSamePlace},

    {"all-rcpt-rejected", "txn-aborted-rset", kSameTransaction, "after-reject"},
    {"all-rcpt-rejected", "txn-aborted-quit", kSameTransaction, "after-reject"},
    {"all-rcpt-rejected", "txn-aborted-ehlo", kSameTransaction, "after-reject"},
    {"all-rcpt-rejected", "txn-aborted-disconnect", kSameTransaction, "after-reject"},
    {"all-rcpt-rejected", "txn-aborted-tcp-reset", kSameTransaction, "after-reject"},
    {"all-rcpt-rejected", "data-without-rcpt", kSameTransaction},
    {"greylist-tempfail", "txn-aborted-rset", kSameTransaction, "after-reject"},
    {"greylist-tempfail", "txn-aborted-quit", kSameTransaction, "after-reject"},
    {"greylist-tempfail", "txn-aborted-disconnect", kSameTransaction, "after-reject"},
    {"greylist-tempfail", "data-without-rcpt", kSameTransaction},
    {"auth-required", "txn-aborted-rset", kSameTransaction, "after-reject"},
    {"auth-required", "txn-aborted-quit", kSameTransaction, "after-reject"},
    {"auth-required", "txn-aborted-disconnect", kSameTransaction, "after-reject"},
    {"auth-required", "data-without-rcpt", kSameTransaction},

    {"lost-after-eod", "txn-aborted-disconnect", kSameTransaction},
    {"lost-after-eod", "txn-aborted-tcp-reset", kSameTransaction},
    {"lost-after-eod", "txn-aborted-timeout", kSameTransaction},
    {"lost-after-eod", "reply-missing", kSameSession},
    {"lost-after-eod", "half-close", kSameSession, "replies-after-client-gone"},

    // Who leaves in the middle of a transaction leaves commands unanswered.
    {"txn-aborted-disconnect", "reply-missing", kSameSession},
    {"txn-aborted-tcp-reset", "reply-missing", kSameSession},
    {"txn-aborted-tcp-reset", "server-closed-without-421", kSameTransaction},
    {"txn-aborted-timeout", "reply-missing", kSameSession},
    {"txn-aborted-timeout", "server-closed-without-421", kSamePlace},

    {"rset-server-closed", "reply-missing", kSameSession},
    {"rset-server-closed", "server-closed-without-421", kSameSession},

    {"unsolicited-421", "txn-aborted-421", kSamePlace},
    {"unsolicited-421", "txn-aborted-timeout", kSamePlace},
    {"unsolicited-421", "idle-connection", kSamePlace},
    {"unsolicited-421", "gap-client", kSamePlace},
    {"unsolicited-421", "round-pause", kSamePlace},
    {"unsolicited-421", "near-rfc-timeout", kSamePlace},

    {"server-closed-without-421", "reply-missing", kSameSession},
    {"client-timeout-short", "reply-missing", kSameSession},
    {"server-closed-without-421", "half-close", kSameSession},
    {"idle-connection", "server-closed-without-421", kSamePlace},
    {"no-dialogue", "missing-quit", kSameSession},

    {"lmtp-reply-count", "unsolicited-reply", kSamePlace},
    {"rset-rejected", "reply-code-unexpected", kSamePlace},
    {"too-many-errors", "too-many-errors", kSameSession, "counted"},

    {"eod-nonstandard-accepted", "eod-nonstandard-seq", kNamedEntries},
    {"eod-nonstandard-seq", "unsolicited-reply", kSameSession, "smuggled"},
    {"eod-nonstandard-accepted", "content-parsed-as-commands", kSameSession},

    {"eod-nonstandard-seq", "line-ending-data", kSameTransaction},
    {"eod-nonstandard-accepted", "line-ending-data", kSameTransaction},

    {"data-without-rcpt", "command-out-of-order", kSamePlace},
    {"command-out-of-order", "unknown-command", kSamePlace},
    {"command-syntax", "unknown-command", kSamePlace},
    {"command-line-too-long", "unknown-command", kSamePlace},
    {"ehlo-rejected", "unknown-command", kSamePlace},
    {"ext-command-unadvertised", "unknown-command", kSamePlace},
    {"starttls-refused", "unknown-command", kSamePlace},
    {"auth-failed", "unknown-command", kSamePlace},
    {"bdat-misuse", "unknown-command", kSamePlace},
    {"bdat-size-mismatch", "unknown-command", kSamePlace},
    {"txn-aborted-rset", "bdat-misuse", kSameTransaction, "aborted"},
    {"txn-aborted-disconnect", "bdat-size-mismatch", kSameTransaction, "cut"},
    {"txn-aborted-tcp-reset", "bdat-size-mismatch", kSameTransaction, "cut"},
    {"txn-aborted-timeout", "bdat-size-mismatch", kSameTransaction},
    {"txn-aborted-timeout", "txn-aborted-421", kSameTransaction},
    {"txn-aborted-timeout", "data-stall", kSameTransaction},
    {"txn-aborted-timeout", "round-pause", kSameTransaction},
    {"bdat-size-mismatch", "data-without-rcpt", kSameTransaction, "empty"},
    {"bdat-size-mismatch", "reply-during-data", kSameTransaction},
    // The end of the connection says again what the server's reply has shown.
    {"bdat-size-mismatch", "bdat-size-mismatch", kSameTransaction, "cut"},

    {"non-smtp-protocol", "unknown-command", kSameSession},
    {"non-smtp-protocol", "command-syntax", kSameSession},
    {"non-smtp-protocol", "content-parsed-as-commands", kSameSession},
    {"non-smtp-protocol", "line-ending-command", kSameSession},
    {"non-smtp-protocol", "nonprintable-octets", kSameSession},
    {"non-smtp-protocol", "client-talks-first", kSameSession},
    {"non-smtp-protocol", "pipelining-unadvertised", kSameSession},
    {"non-smtp-protocol", "unsolicited-reply", kSameSession},
    {"non-smtp-protocol", "tls-handshake-failed", kSameSession, "closed"},
    {"non-smtp-protocol", "missing-quit", kSameSession},
    {"content-parsed-as-commands", "unknown-command", kSameSession},
    {"content-parsed-as-commands", "too-many-errors", kSameSession},
    {"content-parsed-as-commands", "pipelining-unadvertised", kSameSession},

    // One silence, one line; the label that says most comes first.
    {"greeting-delay", "gap-server", kSamePlace},
    {"greeting-delay", "dns-timeout-signature", kSamePlace},
    {"greeting-delay", "near-rfc-timeout", kSamePlace},
    {"eod-reply-slow", "near-rfc-timeout", kSamePlace},
    {"txn-aborted-timeout", "near-rfc-timeout", kSamePlace},
    {"idle-connection", "near-rfc-timeout", kSamePlace},
    {"data-stall", "near-rfc-timeout", kSameSilence},
    {"tarpit-pattern", "gap-server", kNamedEntries},
    {"tarpit-pattern", "round-pause", kNamedEntries},
    {"tarpit-pattern", "dns-timeout-signature", kNamedEntries},
    {"dns-timeout-signature", "gap-server", kSamePlace},
    {"dns-timeout-signature", "round-pause", kSamePlace},
    {"reply-dripped", "gap-server", kSamePlace},
    {"reply-dripped", "round-pause", kSamePlace},
    // The close that ends such a silence was the client's timer, not the server's.
    {"client-timeout-short", "gap-server", kSamePlace},
    {"client-timeout-short", "round-pause", kSamePlace},
    {"round-pause", "gap-client", kSameSilence},
    {"round-pause", "gap-server", kSameSilence},
    {"near-rfc-timeout", "gap-client", kSameSilence},
    {"near-rfc-timeout", "gap-server", kSameSilence},
    {"pre-dot-pause", "gap-client", kSameSilence},
    {"pre-dot-pause", "round-pause", kSameSilence},
    {"pre-dot-pause", "data-stall", kSameSilence},
    {"data-stall", "gap-client", kSamePlace},
    {"data-stall", "gap-server", kSamePlace},

    {"greeting-refused", "no-dialogue", kSameSession},
    {"greeting-refused", "server-closed-without-421", kSameSession},
    {"greeting-refused", "missing-quit", kSameSession},
    {"greeting-refused", "txn-aborted-421", kSameSession},
    {"greeting-refused", "txn-aborted-disconnect", kSameSession},
    {"greeting-refused", "txn-aborted-quit", kSameSession},

    // In LMTP the refusals are what to look at.
    {"rejected-after-data", "partial-rcpt-accept", kSameTransaction, "per-recipient"},
    // The server ended the silence that had just been told.
    {"idle-connection", "idle-connection", kSamePlace, "held"},
    {"auth-cleartext", "auth-cleartext", kSameSession, "offered"},
};

bool in_reach(FoldScope scope, const FoldSubject& headline, const FoldSubject& folded,
              PlaceRange between) {
  switch (scope) {
    case kSameSilence:
      return headline.silence != 0 && headline.silence == folded.silence;
    case kSamePlace:
      return headline.place == folded.place;
    case kNamedEntries:
      return std::ranges::find(headline.entries, folded.place) != headline.entries.end();
    case kSameTransaction:
      return headline.transaction != 0 && headline.transaction == folded.transaction;
    case kBetweenTransactions:
      return folded.place >= between.begin && folded.place <= between.end;
    case kSameSession:
      return true;
  }
  return false;
}

}  // namespace

std::span<const Precedence> all_precedences() { return kPrecedences; }

PrecedenceTable::PrecedenceTable(std::span<const Precedence> rows) {
  for (const Rule* rule : all_rules()) {
    std::vector<Row> own;
    for (const Precedence& row : rows) {
      const Rule* folded = row.headline == rule->id ? find_rule(row.folded) : nullptr;
      if (folded != nullptr) own.push_back({folded, row.scope, row.variant});
    }
    if (!own.empty()) rows_.emplace_back(rule, std::move(own));
  }
  std::ranges::sort(rows_, std::less<>{}, [](const auto& each) { return each.first; });
}

bool PrecedenceTable::folds(const FoldSubject& headline, const FoldSubject& folded,
                            PlaceRange between) const {
  const auto at = std::ranges::lower_bound(rows_, headline.rule, std::less<>{},
                                           [](const auto& each) { return each.first; });
  if (at == rows_.end() || at->first != headline.rule) return false;
  return std::ranges::any_of(at->second, [&](const Row& row) {
    return row.folded == folded.rule && (row.variant.empty() || row.variant == folded.variant) &&
           in_reach(row.scope, headline, folded, between);
  });
}

const PrecedenceTable& PrecedenceTable::standard() {
  static const PrecedenceTable kStandard(kPrecedences);
  return kStandard;
}

}  // namespace smtpscope
