#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/file_output.h"
#include "cli/option_values.h"
#include "cli/subcommand.h"
#include "proxy/tls/cert_authority.h"

namespace smtpscope {
namespace {

/// A mail problem is found within days; a CA that is forgotten should not work for years.
constexpr int kMostDays = 825;

struct CaArguments {
  std::string folder;
  std::string out;
  int days = 30;
  std::vector<std::string> permitted;
  bool force = false;
  bool anew = false;
};

std::string described(const CertAuthority& authority, const std::string& folder) {
  const TlsCertificate facts = authority.facts();
  std::string text = fmt::format(
      "{}\n  folder     {}\n  valid      {} to {}\n  key        {}\n  SHA-256    {}\n",
      facts.subject, folder, facts.not_before, facts.not_after, facts.key, facts.fingerprint);
  const std::vector<std::string> domains = authority.permitted();
  text += fmt::format("  signs for  {}\n",
                      domains.empty() ? "any name" : fmt::format("{}", fmt::join(domains, ", ")));
  return text;
}

int run(const CaArguments& arguments) {
  std::string folder = arguments.folder;
  if (folder.empty()) {
    auto usual = CertAuthority::default_folder();
    if (!usual) return fail(usual.error().message + " with --dir");
    folder = usual.value();
  }
  if (arguments.days < 1 || arguments.days > kMostDays) {
    return fail(fmt::format("a CA is valid for 1 to {} days, not {}", kMostDays, arguments.days));
  }
  const bool make = arguments.anew || !CertAuthority::exists(folder);
  auto authority =
      make ? CertAuthority::make({.days = arguments.days, .permitted = arguments.permitted})
           : CertAuthority::load(folder);
  if (!authority) return fail(authority.error().message);
  if (!make && !arguments.permitted.empty() &&
      arguments.permitted != authority.value()->permitted()) {
    return fail(
        fmt::format("the CA in {} was made for other domains; --new replaces it, and clients have "
                    "then have to "
                    "trust the new one",
                    folder));
  }
  if (make) {
    if (auto saved = authority.value()->save(folder, arguments.anew); !saved) {
      return fail(saved.error().message);
    }
  }
  if (!arguments.out.empty() && arguments.out != "-") {
    auto out = FileOutput::create(arguments.out, arguments.force, {});
    if (!out) return fail(out.error().message);
    out.value().write(authority.value()->certificate_pem());
    out.value().flush();
    if (const auto fault = out.value().fault()) return fail(fault->message);
  }
  const bool pem = arguments.out == "-";
  return print(pem ? authority.value()->certificate_pem() : described(*authority.value(), folder));
}

std::function<int()> declare_ca(CLI::App& app) {
  auto arguments = std::make_shared<CaArguments>();
  app.add_option("-o,--output", arguments->out,
                 "File for the CA's certificate, for clients to trust; - is standard output")
      ->default_str("none")
      ->type_name("FILE.pem");
  app.add_flag("--force", arguments->force, "Overwrite that file if it exists");
  app.add_option("--dir", arguments->folder, "Folder of the CA, created with mode 0700")
      ->default_str("~/.config/smtpscope/ca")
      ->type_name("DIR");
  app.add_option("--days", arguments->days, "Days that a new CA is valid")
      ->type_name("DAYS")
      ->capture_default_str();
  app.add_option("--permit", arguments->permitted,
                 "Limit a new CA to this domain and its subdomains. May be repeated")
      ->type_name("DOMAIN")
      ->default_str("any name")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_flag("--new", arguments->anew, "Replace the existing CA");
  return [arguments] { return run(*arguments); };
}

}  // namespace

const Subcommand kCaCommand = {
    .name = "ca",
    .description = "Make or show the CA that signs the certificates of --tls intercept",
    .examples =
        "  smtpscope ca                           make it, or show it\n"
        "  smtpscope ca -o smtpscope-ca.pem       the same, and a copy for clients to trust\n"
        "  smtpscope ca --new --permit example.com --days 7\n",
    .declare = declare_ca,
};

}  // namespace smtpscope
