#include "cli/proxy_plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <ratio>
#include <string_view>
#include <utility>
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
  std::string most;
  if (options.most_sessions > 0) most += fmt::format("{} sessions; ", options.most_sessions);
  if (options.most_sessions_per_client > 0) {
    most += fmt::format("{} of a client; ", options.most_sessions_per_client);
  }
  return fmt::format("{}{} for an address of the server", most,
                     time_in_words(options.connect_timeout));
}

std::string limits_of_process(const ProxyOptions& options) {
  raise_descriptor_limit();
  return fmt::format(
      "{} more files can be open, two for each session; {} for open sessions at the end",
      free_descriptors(), time_in_words(options.grace));
}

/// A line for each matter.
class Plan {
 public:
  void say(std::string_view name, std::string_view words) {
    put_wrapped(text_, fmt::format("{:<16}", name), words, 0);
  }
  void blank() { text_ += '\n'; }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

void tell_route(const ProxyOptions& route, const std::string& clients, Plan& plan) {
  if (!route.listen.empty() || route.listen_tls.empty()) plan.say("listen", where(route.listen));
  if (!route.listen_tls.empty()) plan.say("listen, TLS", where(route.listen_tls));
  for (const InheritedListener& given : route.inherited) {
    plan.say(given.tls ? "listen, TLS" : "listen", fmt::format("the socket '{}'", given.name));
  }
  plan.say("upstream", route.transparent == Transparent::kNo
                           ? route.upstream.text() + " (not tried)"
                           : std::string("where each client wanted to go"));
  plan.say("clients from", clients);
  plan.say("server is told", announcement(route.announce));
  plan.say("TLS", tls(route.tls));
}

}  // namespace

std::string plan_text(const LiveRunOptions& options, const std::vector<std::string>& clients,
                      const std::vector<std::string>& filters) {
  Plan plan;
  for (std::size_t i = 0; i < options.routes.size(); ++i) {
    const ProxyOptions& route = options.routes[i];
    if (!route.name.empty()) plan.say("route", route.name);
    tell_route(route, clients[i], plan);
    if (route.name.empty()) continue;
    if (route.experiment) plan.say("scenario", "yes");
    if (!filters[i].empty()) plan.say("filter", filters[i]);
    plan.say("limits", limits(route));
    plan.blank();
  }
  const ProxyOptions& first = options.routes.front();
  plan.say("capture", capture(options));
  plan.say("records", options.records.empty() ? "none" : options.records);
  plan.say("spans",
           options.collector.url.empty() ? "none" : options.collector.shown + " (not tried)");
  plan.say("output", options.rendering.format);
  if (!options.rendering.filter_text.empty()) plan.say("filter", options.rendering.filter_text);
  plan.say("page", options.web.address.empty() ? "none" : options.web.address);
  plan.say("limits", first.name.empty()
                         ? fmt::format("{}; {}", limits(first), limits_of_process(first))
                         : limits_of_process(first));
  return plan.take();
}

}  // namespace smtpscope
