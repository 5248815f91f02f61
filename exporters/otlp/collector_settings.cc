#include "exporters/otlp/collector_settings.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>

#include "base/ascii.h"
#include "exporters/escape.h"

namespace smtpscope {
namespace {

constexpr std::string_view kTracesPath = "/v1/traces";
/// Of the OTLP specification.
constexpr std::string_view kDefaultEndpoint = "http://localhost:4318";

/// What the environment says, and where: that for traces counts more than that for all signals.
struct OtlpVariable {
  std::string name;
  std::string value;
};
std::optional<OtlpVariable> find_setting(const EnvironmentLookup& environment,
                                         std::string_view what) {
  for (const std::string_view signal : {"TRACES_", ""}) {
    std::string name = fmt::format("OTEL_EXPORTER_OTLP_{}{}", signal, what);
    // Empty is as if it were not there (opentelemetry.io/docs/specs/otel/configuration).
    if (auto value = environment(name); value && !value->empty()) return OtlpVariable{name, *value};
  }
  return std::nullopt;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  return without_trailing_blanks(text);
}

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

/// RFC 3986 2.1; nothing where a percent sign is followed by something else.
std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const auto high = hex_digit(text[i + 1]);
    const auto low = hex_digit(text[i + 2]);
    if (!high || !low) return std::nullopt;
    out += static_cast<char>(*high << 4 | *low);
    i += 2;
  }
  return out;
}

/// "key1=value1,key2=value2" as W3C Baggage writes it, without metadata. Values may be secrets: the
/// error does not repeat them.
Result<SpanResource> read_pairs(const OtlpVariable& from) {
  SpanResource pairs;
  std::string_view rest = from.value;
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view member = trimmed(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    if (member.empty()) continue;
    const std::size_t equals = member.find('=');
    const std::string_view key = trimmed(member.substr(0, equals));
    const auto value = equals == std::string_view::npos
                           ? std::nullopt
                           : percent_decoded(trimmed(member.substr(equals + 1)));
    if (!value || key.empty()) {
      return Error{fmt::format(
          "{}: member {} is not key=value; give key1=value1,key2=value2, with %2C for a comma in a "
          "value",
          from.name, pairs.size() + 1)};
    }
    pairs.emplace_back(key, *value);
  }
  return pairs;
}

/// Whether it is an URL of HTTP: scheme and host. What else is wrong with it, libcurl says.
bool is_http_url(std::string_view url) {
  const std::string scheme = in_lower_case(url.substr(0, url.find(':')));
  if (scheme != "http" && scheme != "https") return false;
  std::string_view rest = url.substr(scheme.size());
  if (!rest.starts_with("://")) return false;
  rest.remove_prefix(3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  for (const char c : url) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '\x7f') return false;
  }
  return !authority.substr(authority.rfind('@') + 1).empty();
}

/// A user and a password in front of the host are nobody's business.
std::string without_password(std::string_view url) {
  const std::size_t begin = url.find("://") + 3;
  const std::size_t end = std::min(url.find_first_of("/?#", begin), url.size());
  const std::size_t at = url.substr(0, end).rfind('@');
  if (at == std::string_view::npos || at < begin) return std::string(url);
  return fmt::format("{}{}", url.substr(0, begin), url.substr(at + 1));
}

/// A collector, as a whole: traces have a path of their own there.
std::string with_traces_path(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  if (!url.ends_with(kTracesPath)) url += kTracesPath;
  return url;
}

Result<std::string> find_url(const std::string& url, const EnvironmentLookup& environment) {
  std::string from = "--otlp";
  std::string found = url;
  bool whole = false;
  if (url == "env") {
    constexpr std::string_view kForTraces = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    const auto setting = find_setting(environment, "ENDPOINT");
    from = setting ? setting->name : std::string("OTEL_EXPORTER_OTLP_ENDPOINT");
    found = setting ? setting->value : std::string(kDefaultEndpoint);
    whole = from == kForTraces;
  }
  if (!is_http_url(found)) {
    return Error{fmt::format(
        "{}: '{}' is no URL of a collector; give http://HOST:4318, or https://HOST:4318", from,
        found)};
  }
  return whole ? found : with_traces_path(found);
}

}  // namespace

Result<CollectorSettings> read_collector_settings(const std::string& url,
                                                  const EnvironmentLookup& environment) {
  CollectorSettings settings;
  if (url.empty()) return settings;
  auto found = find_url(url, environment);
  if (!found) return found.error();
  settings.url = std::move(found.value());
  settings.shown = without_password(settings.url);
  if (const auto protocol = find_setting(environment, "PROTOCOL")) {
    settings.json = protocol->value == "http/json";
    if (!settings.json && protocol->value != "http/protobuf") {
      return Error{fmt::format("{}: '{}' is not spoken here; give http/protobuf or http/json{}",
                               protocol->name, protocol->value,
                               protocol->value == "grpc" ? ", mostly at port 4318" : "")};
    }
  }
  if (const auto compression = find_setting(environment, "COMPRESSION")) {
    settings.gzip = compression->value == "gzip";
    if (!settings.gzip && compression->value != "none") {
      return Error{fmt::format("{}: '{}' is not known; give gzip or none", compression->name,
                               compression->value)};
    }
  }
  if (const auto timeout = find_setting(environment, "TIMEOUT")) {
    std::uint32_t milliseconds = 0;
    const char* const end = timeout->value.data() + timeout->value.size();
    const auto [rest, error] = std::from_chars(timeout->value.data(), end, milliseconds);
    if (error != std::errc() || rest != end || milliseconds == 0) {
      return Error{fmt::format("{}: '{}' is no time; give milliseconds, such as 10000",
                               timeout->name, timeout->value)};
    }
    settings.timeout = std::chrono::milliseconds(milliseconds);
  }
  if (const auto headers = find_setting(environment, "HEADERS")) {
    auto pairs = read_pairs(*headers);
    if (!pairs) return pairs.error();
    for (const auto& [name, value] : pairs.value()) {
      // RFC 9110 5.1 and 5.5: a line end in one would begin another header.
      if (name.find_first_not_of("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz") != std::string::npos ||
          value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
        return Error{fmt::format("{}: what it has for '{}' is no header of HTTP", headers->name,
                                 escape(name, Wording::kWire, Charset::kAscii))};
      }
    }
    settings.headers = std::move(pairs.value());
  }
  const auto file = [&](std::string_view what) {
    const auto setting = find_setting(environment, what);
    return setting ? setting->value : std::string();
  };
  settings.authorities = file("CERTIFICATE");
  settings.client_certificate = file("CLIENT_CERTIFICATE");
  settings.client_key = file("CLIENT_KEY");
  return settings;
}

Result<SpanResource> read_span_resource(const EnvironmentLookup& environment) {
  SpanResource resource;
  constexpr std::string_view kAttributes = "OTEL_RESOURCE_ATTRIBUTES";
  if (const auto value = environment(std::string(kAttributes))) {
    auto pairs = read_pairs({std::string(kAttributes), *value});
    if (!pairs) return pairs.error();
    for (auto& [name, text] : pairs.value()) {
      if (!is_utf8(name) || !is_utf8(text)) {
        return Error{fmt::format("{}: it is not UTF-8", kAttributes)};
      }
    }
    resource = std::move(pairs.value());
  }
  if (const auto name = environment("OTEL_SERVICE_NAME"); name && !name->empty()) {
    resource.emplace_back("service.name", *name);  // the last one counts
  }
  return resource;
}

}  // namespace smtpscope
