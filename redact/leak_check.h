#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "capture/wire_event.h"
#include "redact/needle_search.h"
#include "redact/originals.h"

namespace smtpscope {

/// Something that was to be replaced and was found all the same.
struct Leak {
  OriginalKind kind = OriginalKind::kWord;
  SessionId session = kWholeRun;
  std::string where;     // "what the client sent"
  std::string encoding;  // "", "base64"
  std::string original;  // for nobody but the owner of the capture
};

/// Reads a redacted capture and looks for originals in it: in every text and in the octets of both
/// sides, however these were cut into reads, as they are and decoded from base64, quoted-printable,
/// xtext, URLs and the escapes of RFC 6533; internationalised domains in both of their forms. It
/// knows nothing of how the capture was redacted. Not thread-safe.
class LeakCheck : public WireSink {
 public:
  explicit LeakCheck(std::initializer_list<const Originals*> originals);

  void read(const RunInfo& run);
  void on_wire(const WireEvent& event) override;
  /// Nothing more comes.
  void finish();

  /// The first kMostTold of them.
  const std::vector<Leak>& leaks() const { return leaks_; }
  std::uint64_t found() const { return found_; }
  /// How many originals were looked for.
  std::size_t originals() const { return kinds_.size(); }

 private:
  static constexpr std::size_t kMostTold = 20;
  /// Octets that are searched together, and as many from before that are searched again, so that
  /// what lies across is found.
  static constexpr std::size_t kWindow = 64 * 1024;
  static constexpr std::size_t kOverlap = 2 * 1024;

  struct Place {
    SessionId session = kWholeRun;
    std::string_view where;
  };

  void add(OriginalKind kind, const std::string& original);
  void gather(SessionId session, Side side, std::string_view octets);
  void search(const Place& place, std::string_view text);
  void search_tls(const Place& place, const TlsFacts& facts);
  void search_view(const Place& place, std::string_view encoding, std::string_view text);
  void end_stream(SessionId session, Side side);

  NeedleSearch search_;
  std::vector<OriginalKind> kinds_;  // of each original
  std::map<std::pair<SessionId, Side>, std::string> open_;
  std::vector<Leak> leaks_;
  std::uint64_t found_ = 0;
};

}  // namespace smtpscope
