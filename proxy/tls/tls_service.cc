#include "proxy/tls/tls_service.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <sys/prctl.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <utility>

#include "base/system_error.h"
#include "proxy/tls/cert_parts.h"
#include "proxy/tls/tls_facts.h"

namespace smtpscope {
namespace {

constexpr std::string_view kSessionContext = "smtpscope";

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{fmt::format("cannot read {}: {}", path, system_words(errno))};
  return std::string(std::istreambuf_iterator<char>(file), {});
}

TlsContextHandle make_context(const SSL_METHOD* method) {
  TlsContextHandle context(SSL_CTX_new(method));
  if (!context) return nullptr;
  // RFC 7525 is for those who can choose: a client that cannot be changed may know nothing newer.
  // What is too old for the server, the server refuses, as it would without us.
  SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
  SSL_CTX_set_security_level(context.get(), 0);
  SSL_CTX_set_cipher_list(context.get(), "DEFAULT:@SECLEVEL=0");
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  TlsChannel::prepare(context.get());
  return context;
}

bool looks_like_address(const std::string& host) {
  return host.find(':') != std::string::npos ||
         host.find_first_not_of("0123456789.") == std::string::npos;
}

}  // namespace

TlsService::TlsService(const TlsOptions& options, std::string upstream_host)
    : options_(options), upstream_host_(std::move(upstream_host)) {}

Result<std::unique_ptr<TlsService>> TlsService::make(const TlsOptions& options,
                                                     std::string upstream_host,
                                                     TlsKeyLog::Tell tell) {
  std::unique_ptr<TlsService> service(new TlsService(options, std::move(upstream_host)));
  service->tell_ = std::move(tell);
  // Before any key is in memory: no core dump may hold one.
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  if (!options.key_log.empty()) {
    using Existing = TlsKeyLog::Existing;
    const Existing existing = options.append  ? Existing::kGoOn
                              : options.force ? Existing::kReplace
                                              : Existing::kRefuse;
    auto log = TlsKeyLog::create(options.key_log, existing, service->tell_);
    if (!log) return log.error();
    service->key_log_ = std::move(log.value());
  }
  if (auto opened = service->open(service->key_log_.get()); !opened) return opened.error();
  return service;
}

Result<Done> TlsService::reload() {
  if (key_log_) key_log_->reopen();
  TlsService fresh(options_, upstream_host_);
  if (auto opened = fresh.open(key_log_.get()); !opened) return opened;
  // Sessions in TLS hold what they use of the old ones.
  client_side_ = std::move(fresh.client_side_);
  server_side_ = std::move(fresh.server_side_);
  origin_ = fresh.origin_;
  mint_ = std::move(fresh.mint_);  // before the authority that it signs with
  authority_ = std::move(fresh.authority_);
  chain_ = std::move(fresh.chain_);
  own_ = std::move(fresh.own_);
  own_key_ = std::move(fresh.own_key_);
  return Done{};
}

Result<Done> TlsService::open(TlsKeyLog* key_log) {
  client_side_ = make_context(TLS_server_method());
  server_side_ = make_context(TLS_client_method());
  if (!client_side_ || !server_side_) {
    return Error{fmt::format("cannot set TLS up: {}", tls_fault_words())};
  }
  SSL_CTX_set_session_id_context(client_side_.get(),
                                 reinterpret_cast<const unsigned char*>(kSessionContext.data()),
                                 static_cast<unsigned>(kSessionContext.size()));
  if (key_log != nullptr) {
    key_log->watch(client_side_.get());
    key_log->watch(server_side_.get());
    notices_.push_back(fmt::format(
        "key log: {}; whoever has it can read these TLS sessions, from a capture of packets too",
        options_.key_log));
  }
  if (options_.mode == TlsMode::kIntercept) {
    if (auto opened = open_certificates(); !opened) return opened;
  }
  return open_trust();
}

Result<Done> TlsService::open_certificates() {
  if (!options_.certificate.empty()) return open_own_certificate();
  std::string folder = options_.ca_folder;
  if (folder.empty()) {
    auto usual = CertAuthority::default_folder();
    if (usual) folder = usual.value();
  }
  const bool kept = !folder.empty() && CertAuthority::exists(folder);
  if (!kept && !options_.ca_folder.empty()) {
    return Error{
        fmt::format("there is no CA in {}: make one with smtpscope ca --dir {}", folder, folder)};
  }
  auto authority = kept ? CertAuthority::load(folder) : CertAuthority::make({.days = 1});
  if (!authority) return authority.error();
  authority_ = std::move(authority.value());
  auto mint = CertMint::make(*authority_);
  if (!mint) return mint.error();
  mint_ = std::move(mint.value());
  chain_ = {mint_->authority()};
  origin_ = kept ? TlsCertificateOrigin::kMade : TlsCertificateOrigin::kMadeForRun;
  notices_.push_back(
      kept ? fmt::format("certificates for clients are signed by the CA in {}", folder)
           : "certificates for clients are signed by a CA made for this run, which no client can "
             "know: those that verify will refuse (smtpscope ca makes one to be trusted)");
  return Done{};
}

Result<Done> TlsService::open_own_certificate() {
  auto certificates_pem = read_file(options_.certificate);
  if (!certificates_pem) return certificates_pem.error();
  auto certificates = parse_certificates(certificates_pem.value(), options_.certificate);
  if (!certificates) return certificates.error();
  own_ = std::move(certificates.value());
  auto key_pem = read_file(options_.key);
  if (!key_pem) return key_pem.error();
  auto key = parse_key(key_pem.value(), options_.key);
  OPENSSL_cleanse(key_pem.value().data(), key_pem.value().size());
  if (!key) return key.error();
  own_key_ = std::move(key.value());
  if (X509_check_private_key(own_.front().get(), own_key_.get()) != 1) {
    ERR_clear_error();
    return Error{fmt::format("{} is not the key of {}", options_.key, options_.certificate)};
  }
  for (std::size_t i = 1; i < own_.size(); ++i) chain_.push_back(own_[i].get());
  origin_ = TlsCertificateOrigin::kUser;
  notices_.push_back(fmt::format("clients are shown the certificate in {}", options_.certificate));
  return Done{};
}

Result<Done> TlsService::open_trust() {
  SSL_CTX* context = server_side_.get();
  if (options_.upstream_ca.empty()) {
    SSL_CTX_set_default_verify_paths(context);
    ERR_clear_error();
  } else if (SSL_CTX_load_verify_file(context, options_.upstream_ca.c_str()) != 1) {
    return Error{fmt::format("cannot read CA certificates in {}: {}", options_.upstream_ca,
                             tls_fault_words())};
  }
  if (options_.insecure_upstream) {
    notices_.emplace_back(
        "the server's certificate is not checked: whoever answers in its place gets the mail, "
        "and the passwords of those who log in");
  }
  if (options_.upstream_certificate.empty()) return Done{};
  if (SSL_CTX_use_certificate_chain_file(context, options_.upstream_certificate.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, options_.upstream_key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return Error{fmt::format("cannot use the client certificate in {} with the key in {}: {}",
                             options_.upstream_certificate, options_.upstream_key,
                             tls_fault_words())};
  }
  return Done{};
}

std::unique_ptr<TlsChannel> TlsService::to_client() {
  TlsHandle tls(SSL_new(client_side_.get()));
  if (!tls) return nullptr;
  SSL_set_accept_state(tls.get());
  return std::make_unique<TlsChannel>(std::move(tls), outgoing_);
}

std::unique_ptr<TlsChannel> TlsService::to_server(const TlsHello* client, const std::string& host) {
  TlsHandle tls(SSL_new(server_side_.get()));
  if (!tls) return nullptr;
  SSL_set_connect_state(tls.get());
  const bool named = !host.empty() && !looks_like_address(host);
  std::string asked = named && client == nullptr ? host : "";
  if (client != nullptr) {
    asked = client->server_name;
    if (!client->versions.empty()) {
      SSL_set_max_proto_version(tls.get(), client->versions.front());
      SSL_set_min_proto_version(tls.get(), client->versions.back());
    }
    if (!client->alpn.empty()) {
      SSL_set_alpn_protos(tls.get(), client->alpn.data(),
                          static_cast<unsigned>(client->alpn.size()));
    }
  } else {
    SSL_set_min_proto_version(tls.get(), TLS1_2_VERSION);
    SSL_set_security_level(tls.get(), 1);
  }
  if (!asked.empty()) SSL_set_tlsext_host_name(tls.get(), asked.c_str());
  auto channel = std::make_unique<TlsChannel>(std::move(tls), outgoing_);
  // An address proves nothing about a name that the client may have asked for by name.
  channel->expect_name(named || asked.empty() ? host : asked, !options_.insecure_upstream);
  return channel;
}

TlsAnswer TlsService::answer(const TlsHello& hello, const TlsChannel* server,
                             const std::string& host) {
  TlsAnswer answer;
  answer.chain = chain_;
  if (mint_) {
    const std::string& name = hello.server_name.empty() ? host : hello.server_name;
    answer.certificate =
        mint_->certificate_for(name, server != nullptr ? server->peer_certificate() : nullptr);
    answer.key = mint_->key();
  } else {
    answer.certificate = own_.front().get();
    answer.key = own_key_.get();
  }
  if (server == nullptr) return answer;
  // What the client and the server would have agreed on without us.
  answer.highest_version = server->version();
  answer.alpn = server->alpn();
  answer.ask_certificate = server->was_asked();
  return answer;
}

}  // namespace smtpscope
