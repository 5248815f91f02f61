#include "cli/proxy_plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <ratio>
#include <string_view>
#include <vector>

#include "exporters/text/text_width.h"
#include "net/descriptor_limit.h"

namespace smtpscope {
namespace {

std::string time_in_words(Duration time) {
  using Days = std::chrono::duration<double, std::ratio<86400>>;
  using Hours = std::chrono::duration<double, std::ratio<3600>>;
  if (time >= Days(1)) return fmt::format("{:g} d", Days(time).count());
  if (time >= Hours(1)) return fmt::format("{:g} h", Hours(time).count());
  return fmt::format("{:g} s", std::chrono::duration<double>(time).count());
}

std::string where(const std::vector<Endpoint>& endpoints) {
  std::vector<std::string> texts;
  texts.reserve(endpoints.size());
  for (const Endpoint& each : endpoints) {
    texts.push_back(each.host.empty() ? fmt::format("127.0.0.1:{0}, [::1]:{0}", each.port)
                                      : each.text());
  }
  return texts.empty() ? "nowhere" : fmt::format("{}", fmt::join(texts, ", "));
}

std::string_view announcement(Announce how) {
  switch (how) {
    case Announce::kProxyV1:
      return "PROXY v1";
    case Announce::kProxyV2:
      return "PROXY v2";
    case Announce::kXclient:
      return "XCLIENT";
    case Announce::kNothing:
      break;
  }
  return "no: it sees them come from this host";
}

std::string tls(const TlsOptions& options) {
  if (options.mode == TlsMode::kPass) return "relayed untouched";
  std::string text =
      options.mode == TlsMode::kStrip ? "STARTTLS is hidden from clients" : "ended on both sides";
  if (options.mode == TlsMode::kIntercept) {
    text += options.certificate.empty()
                ? fmt::format("; clients are shown certificates of {}",
                              options.ca_folder.empty() ? "the usual CA, or one of this run"
                                                        : "the CA in " + options.ca_folder)
                : fmt::format("; clients are shown {}", options.certificate);
  }
  text += options.insecure_upstream ? "; the server's certificate is NOT checked"
                                    : "; the server's certificate is checked";
  if (!options.key_log.empty()) text += "; secrets go to " + options.key_log;
  return text;
}

std::string message(std::uint64_t octets) {
  if (octets == SanitizerPolicy::kEverything) return "messages are kept whole";
  if (octets == 0) return "nothing of messages is kept";
  return fmt::format("{} octets of each message are kept", octets);
}

std::string capture(const LiveRunOptions& options) {
  const CaptureSeriesOptions& files = options.capture;
  if (files.path.empty()) return "none";
  std::string text = files.path;
  if (files.append) text += "; goes on with it if it is there";
  if (files.force) text += "; REPLACES it if it is there";
  if (files.rotate_octets) text += fmt::format("; a new one after {} octets", *files.rotate_octets);
  if (files.rotate_every) text += "; a new one every " + time_in_words(*files.rotate_every);
  const CaptureKeeping& kept = files.keeping;
  if (kept.most_files) text += fmt::format("; {} older ones are kept", *kept.most_files);
  if (kept.most_octets)
    text += fmt::format("; {} octets of older ones are kept", *kept.most_octets);
  if (kept.oldest) text += "; older ones are kept for " + time_in_words(*kept.oldest);
  return fmt::format("{}; {}; credentials are {}", text, message(options.policy.message_octets),
                     options.policy.keep_credentials ? "KEPT" : "masked");
}

std::string limits(const ProxyOptions& options) {
  raise_descriptor_limit();
  std::string most;
  if (options.most_sessions > 0) most += fmt::format("{} sessions; ", options.most_sessions);
  if (options.most_sessions_per_client > 0) {
    most += fmt::format("{} of a client; ", options.most_sessions_per_client);
  }
  return fmt::format(
      "{}{} more files can be open, two for each session; {} for an address of the server; {} for "
      "open sessions at the end",
      most, free_descriptors(), time_in_words(options.connect_timeout),
      time_in_words(options.grace));
}

}  // namespace

std::string plan_text(const LiveRunOptions& options, const std::string& clients) {
  const ProxyOptions& proxy = options.proxy;
  std::string out;
  const auto say = [&out](std::string_view name, std::string_view words) {
    put_wrapped(out, fmt::format("{:<16}", name), words, 0);
  };
  if (!proxy.listen.empty() || proxy.listen_tls.empty()) say("listen", where(proxy.listen));
  if (!proxy.listen_tls.empty()) say("listen, TLS", where(proxy.listen_tls));
  say("upstream", proxy.transparent == Transparent::kNo
                      ? proxy.upstream.text() + " (not tried)"
                      : std::string("where each client wanted to go"));
  say("clients from", clients);
  say("server is told", announcement(proxy.announce));
  say("TLS", tls(proxy.tls));
  say("capture", capture(options));
  say("records", options.records.empty() ? "none" : options.records);
  say("spans", options.collector.url.empty() ? "none" : options.collector.shown + " (not tried)");
  say("output", options.rendering.format);
  if (!options.rendering.filter_text.empty()) say("filter", options.rendering.filter_text);
  say("page", options.web.address.empty() ? "none" : options.web.address);
  say("limits", limits(proxy));
  return out;
}

}  // namespace smtpscope
