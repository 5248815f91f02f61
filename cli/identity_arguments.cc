#include "cli/identity_arguments.h"

#include <fmt/format.h>

namespace smtpscope {

void add_identity_options(CLI::App& app, IdentityArguments& arguments) {
  constexpr const char* kGroup = "Who the client is";
  app.add_option("--send-proxy", arguments.send_proxy,
                 "Tell the server who the client is by a PROXY header of this version")
      ->type_name("v1|v2")
      ->default_str("none is sent")
      ->group(kGroup);
  app.add_flag("--xclient", arguments.xclient,
               "Tell the server who the client is by XCLIENT (Postfix: "
               "smtpd_authorized_xclient_hosts); a server that does not take it gets no mail")
      ->group(kGroup);
  app.add_flag("--accept-proxy", arguments.accept_proxy,
               "Be told who the client is by a PROXY header, of either version")
      ->group(kGroup);
  app.add_option("--proxy-from", arguments.proxy_from,
                 "Network of the peers that send such a header, and have to. May be repeated")
      ->default_str("none")
      ->type_name("CIDR")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->group(kGroup);
}

Result<Done> read_identity_arguments(const IdentityArguments& arguments, ProxyOptions& options) {
  if (!arguments.send_proxy.empty() && arguments.xclient) {
    return Error{"--send-proxy and --xclient are two ways to tell the server the same; give one"};
  }
  if (arguments.send_proxy == "v1") {
    options.announce = Announce::kProxyV1;
  } else if (arguments.send_proxy == "v2") {
    options.announce = Announce::kProxyV2;
  } else if (!arguments.send_proxy.empty()) {
    return Error{fmt::format("--send-proxy: '{}' is no version; give v1 or v2 (Postfix takes both)",
                             arguments.send_proxy)};
  } else if (arguments.xclient) {
    options.announce = Announce::kXclient;
  }
  if (options.announce != Announce::kNothing && options.upstream.is_local_server()) {
    return Error{"a server inside smtpscope takes neither --send-proxy nor --xclient"};
  }
  if (arguments.accept_proxy == arguments.proxy_from.empty()) {
    return Error{
        "--accept-proxy and --proxy-from CIDR go together: who may say for whom it connects has "
        "to be named, such as --accept-proxy --proxy-from 192.0.2.1"};
  }
  for (const std::string& cidr : arguments.proxy_from) {
    if (auto added = options.announced_by.add(cidr); !added) {
      return Error{"--proxy-from: " + added.error().message};
    }
  }
  return Done{};
}

}  // namespace smtpscope
