#include "cli/transparent_setup.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include "net/local_delivery.h"

namespace smtpscope {
namespace {

constexpr int kTable = 100;

std::string rule_command(std::string_view ip) {
  return fmt::format("{} rule add fwmark {} lookup {}", ip, kTransparentMark, kTable);
}

std::string route_command(std::string_view ip) {
  return fmt::format("{} route add local default dev lo table {}", ip, kTable);
}

std::string tproxy_script(const TransparentSetup& setup) {
  const std::string from =
      setup.interface.empty() ? "" : fmt::format("iifname \"{}\" ", setup.interface);
  std::string text = fmt::format(
      "# On a gateway that clients' packets pass. While smtpscope is down they go on to the "
      "server.\n"
      "nft -f - <<'END'\n"
      "table inet smtpscope {{\n"
      "  chain divert {{\n"
      "    type filter hook prerouting priority -160;\n"
      "    meta l4proto tcp socket transparent 1 meta mark set {mark} accept\n"
      "  }}\n"
      "  chain in {{\n"
      "    type filter hook prerouting priority mangle;\n"
      "    {from}meta nfproto ipv4 tcp dport {server} tproxy ip to :{port} meta mark set {mark} "
      "accept\n"
      "    {from}meta nfproto ipv6 tcp dport {server} tproxy ip6 to :{port} meta mark set {mark} "
      "accept\n"
      "  }}\n"
      "}}\n"
      "END\n",
      fmt::arg("mark", kTransparentMark), fmt::arg("from", from),
      fmt::arg("server", setup.server_port), fmt::arg("port", setup.port));
  for (const std::string_view ip : {"ip", "ip -6"}) {
    text += rule_command(ip) + "\n" + route_command(ip) + "\n";
  }
  text += fmt::format(
      "sysctl -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1\n"
      "# smtpscope proxy --transparent tproxy --listen '[::]:{}' --allow CLIENTS\n"
      "# It needs the capability CAP_NET_RAW (or root). With --spoof-client the server's answers "
      "have to\n"
      "# come back through this host.\n"
      "#\n"
      "# Taken away again:\n"
      "#   nft delete table inet smtpscope\n",
      setup.port);
  for (const std::string_view ip : {"ip", "ip -6"}) {
    text += fmt::format(
        "#   {} rule del fwmark {} lookup {}\n#   {} route del local default dev lo table {}\n", ip,
        kTransparentMark, kTable, ip, kTable);
  }
  return text;
}

std::string redirect_script(const TransparentSetup& setup) {
  const bool own = setup.interface.empty();
  const std::string chain =
      own ? "type nat hook output priority -100;" : "type nat hook prerouting priority -100;";
  const std::string whose = own ? fmt::format("meta skuid != \"{}\" ", setup.user)
                                : fmt::format("iifname \"{}\" ", setup.interface);
  return fmt::format(
      "# {}\n"
      "nft -f - <<'END'\n"
      "table inet smtpscope {{\n"
      "  chain turn {{\n"
      "    {}\n"
      "    {}tcp dport {} redirect to :{}\n"
      "  }}\n"
      "}}\n"
      "END\n"
      "# smtpscope proxy --transparent redirect --listen {}{}{}\n"
      "# While smtpscope is down, these connections are refused.\n"
      "#\n"
      "# Taken away again:\n"
      "#   nft delete table inet smtpscope\n",
      own ? fmt::format(
                "For programs of this host. smtpscope has to run as the user {}, or it would be "
                "sent to itself.",
                setup.user)
          : std::string("For clients whose packets pass this host."),
      chain, whose, setup.server_port, setup.port, own ? "" : "[::]:", setup.port,
      own ? "" : " --allow CLIENTS");
}

}  // namespace

std::string setup_script(const TransparentSetup& setup) {
  return setup.mode == Transparent::kTproxy ? tproxy_script(setup) : redirect_script(setup);
}

std::vector<std::string> missing_for_tproxy() {
  std::vector<std::string> missing;
  for (const int family : {AF_INET, AF_INET6}) {
    if (delivers_locally(family, kTransparentMark) != LocalDelivery::kNo) continue;
    const std::string_view ip = family == AF_INET6 ? "ip -6" : "ip";
    missing.push_back(rule_command(ip));
    missing.push_back(route_command(ip));
  }
  return missing;
}

Result<Transparent> parse_transparent(const std::string& text, const char* option) {
  if (text == "redirect") return Transparent::kRedirect;
  if (text == "tproxy") return Transparent::kTproxy;
  return Error{fmt::format("{}: '{}' is neither redirect nor tproxy", option, text)};
}

}  // namespace smtpscope
