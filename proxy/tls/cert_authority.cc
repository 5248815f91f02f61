#include "proxy/tls/cert_authority.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

#include "base/system_error.h"
#include "proxy/tls/cert_parts.h"
#include "proxy/tls/tls_facts.h"

namespace smtpscope {
namespace {

constexpr std::string_view kKeyFile = "ca.key";
constexpr std::string_view kCertificateFile = "ca.pem";

std::string path_in(const std::string& folder, std::string_view file) {
  return fmt::format("{}/{}", folder, file);
}

/// Writes a file that did not exist.
Result<Done> write_new(const std::string& path, std::string_view text, mode_t mode) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (descriptor < 0) {
    return Error{fmt::format("cannot create {}: {}", path, system_words(errno))};
  }
  const ssize_t written = ::write(descriptor, text.data(), text.size());
  const int fault = errno;
  const bool closed = ::close(descriptor) == 0;
  if (written != static_cast<ssize_t>(text.size()) || !closed) {
    ::unlink(path.c_str());
    return Error{fmt::format("cannot write {}: {}", path, system_words(fault))};
  }
  return Done{};
}

/// A folder that nobody else can enter, made if there is none. One that is there stays as it is: to
/// take others' rights away may break what they do in it.
Result<Done> make_private_folder(const std::string& folder) {
  std::error_code fault;
  std::filesystem::path parent = std::filesystem::path(folder).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, fault);
  if (fault) return Error{fmt::format("cannot create {}: {}", folder, fault.message())};
  if (::mkdir(folder.c_str(), 0700) == 0) return Done{};
  const int error = errno;
  struct stat there {};
  if (error != EEXIST || ::stat(folder.c_str(), &there) != 0 || !S_ISDIR(there.st_mode)) {
    return Error{fmt::format("cannot create {}: {}", folder, system_words(error))};
  }
  if (there.st_uid != ::geteuid()) {
    return Error{fmt::format(
        "{} belongs to another user, who could use the CA's key: name a folder that does not exist",
        folder)};
  }
  if ((there.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Error{
        fmt::format("{} can be entered by others (mode {:04o}), and the CA's key is for nobody "
                    "else: name a folder that does not exist, or chmod 700 it if it is for the CA "
                    "alone",
                    folder, there.st_mode & 07777)};
  }
  return Done{};
}

Result<std::string> read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{fmt::format("cannot read {}: {}", path, system_words(errno))};
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string pem_of(const BioHandle& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace

Result<std::unique_ptr<CertAuthority>> CertAuthority::make(const Wishes& wishes) {
  KeyHandle key(EVP_EC_gen("P-256"));
  CertificateHandle certificate(X509_new());
  X509* made = certificate.get();
  if (!key || made == nullptr) {
    return Error{fmt::format("cannot make a key for the CA: {}", tls_fault_words())};
  }
  // Told apart from a CA of another day, or of another host, by its name.
  std::array<unsigned char, 4> mark{};
  RAND_bytes(mark.data(), mark.size());
  const std::string name = fmt::format("smtpscope tracing CA {:02x}{:02x}{:02x}{:02x}", mark[0],
                                       mark[1], mark[2], mark[3]);
  constexpr long kDay = 24L * 60 * 60;
  bool good = X509_set_version(made, X509_VERSION_3) == 1 && set_random_serial(made) &&
              set_common_name(X509_get_subject_name(made), name) &&
              set_common_name(X509_get_issuer_name(made), name) &&
              // Clocks of clients may be a little behind.
              X509_gmtime_adj(X509_getm_notBefore(made), -kDay) != nullptr &&
              X509_gmtime_adj(X509_getm_notAfter(made), kDay * wishes.days) != nullptr &&
              X509_set_pubkey(made, key.get()) == 1 &&
              add_extension(made, made, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
              add_extension(made, made, NID_key_usage, "critical,keyCertSign,cRLSign") &&
              add_extension(made, made, NID_ext_key_usage, "serverAuth") &&
              add_extension(made, made, NID_subject_key_identifier, "hash");
  if (good && !wishes.permitted.empty()) {
    // RFC 5280 4.2.1.10. Without IP addresses: none of them is permitted then.
    std::string constraints = "critical";
    for (const std::string& domain : wishes.permitted) {
      if (domain.empty() || !is_plain_name(domain)) {
        return Error{fmt::format("'{}' is not a domain that a CA can be limited to", domain)};
      }
      constraints += fmt::format(",permitted;DNS:{}", domain);
    }
    good = add_extension(made, made, NID_name_constraints, constraints);
  }
  if (!good || X509_sign(made, key.get(), EVP_sha256()) == 0) {
    return Error{fmt::format("cannot make the CA's certificate: {}", tls_fault_words())};
  }
  return std::unique_ptr<CertAuthority>(new CertAuthority(std::move(certificate), std::move(key)));
}

bool CertAuthority::exists(const std::string& folder) {
  struct stat there {};
  return ::lstat(path_in(folder, kKeyFile).c_str(), &there) == 0 ||
         ::lstat(path_in(folder, kCertificateFile).c_str(), &there) == 0;
}

Result<std::string> CertAuthority::default_folder() {
  const char* configuration = std::getenv("XDG_CONFIG_HOME");
  if (configuration != nullptr && configuration[0] == '/') {
    return fmt::format("{}/smtpscope/ca", configuration);
  }
  const char* home = std::getenv("HOME");
  if (home == nullptr || home[0] == '\0') {
    return Error{"HOME is not set, so there is no place for a CA: name a folder"};
  }
  return fmt::format("{}/.config/smtpscope/ca", home);
}

Result<std::unique_ptr<CertAuthority>> CertAuthority::load(const std::string& folder) {
  const std::string key_path = path_in(folder, kKeyFile);
  const std::string certificate_path = path_in(folder, kCertificateFile);
  struct stat there {};
  if (::stat(key_path.c_str(), &there) == 0 && (there.st_mode & 077) != 0) {
    return Error{fmt::format(
        "{} can be read by others, who could then speak for any server to your clients: make a new "
        "CA (smtpscope ca --new)",
        key_path)};
  }
  auto key_pem = read_whole(key_path);
  if (!key_pem) return key_pem.error();
  auto certificate_pem = read_whole(certificate_path);
  if (!certificate_pem) return certificate_pem.error();
  auto key = parse_key(key_pem.value(), key_path);
  OPENSSL_cleanse(key_pem.value().data(), key_pem.value().size());
  if (!key) return key.error();
  auto certificates = parse_certificates(certificate_pem.value(), certificate_path);
  if (!certificates) return certificates.error();
  CertificateHandle certificate = std::move(certificates.value().front());
  if (X509_check_private_key(certificate.get(), key.value().get()) != 1) {
    ERR_clear_error();
    return Error{fmt::format("{} is not the key of {}", key_path, certificate_path)};
  }
  if (X509_cmp_current_time(X509_get0_notAfter(certificate.get())) <= 0) {
    return Error{fmt::format(
        "the CA in {} expired on {}: make a new one (smtpscope ca --new) and let clients trust it",
        folder, certificate_facts(certificate.get()).not_after)};
  }
  return std::unique_ptr<CertAuthority>(
      new CertAuthority(std::move(certificate), std::move(key.value())));
}

Result<Done> CertAuthority::save(const std::string& folder, bool force) const {
  if (!force && exists(folder)) {
    return Error{fmt::format("there is a CA in {} already; --new replaces it", folder)};
  }
  if (auto made = make_private_folder(folder); !made) return made;
  const BioHandle key(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PKCS8PrivateKey(key.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) !=
      1) {
    return Error{fmt::format("cannot write the CA's key down: {}", tls_fault_words())};
  }
  for (const std::string_view file : {kKeyFile, kCertificateFile}) {
    if (::unlink(path_in(folder, file).c_str()) != 0 && errno != ENOENT) {
      return Error{
          fmt::format("cannot replace {}: {}", path_in(folder, file), system_words(errno))};
    }
  }
  std::string key_pem = pem_of(key);
  auto written = write_new(path_in(folder, kKeyFile), key_pem, 0600);
  OPENSSL_cleanse(key_pem.data(), key_pem.size());
  if (!written) return written;
  return write_new(path_in(folder, kCertificateFile), certificate_pem(), 0644);
}

std::string CertAuthority::certificate_pem() const {
  const BioHandle out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(out.get(), certificate_.get());
  return pem_of(out);
}

TlsCertificate CertAuthority::facts() const { return certificate_facts(certificate_.get()); }

std::vector<std::string> CertAuthority::permitted() const {
  std::vector<std::string> domains;
  auto* constraints = static_cast<NAME_CONSTRAINTS*>(
      X509_get_ext_d2i(certificate_.get(), NID_name_constraints, nullptr, nullptr));
  if (constraints == nullptr) return domains;
  for (int i = 0; i < sk_GENERAL_SUBTREE_num(constraints->permittedSubtrees); ++i) {
    const GENERAL_NAME* base = sk_GENERAL_SUBTREE_value(constraints->permittedSubtrees, i)->base;
    if (base->type != GEN_DNS) continue;
    domains.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(base->d.dNSName)),
                         static_cast<std::size_t>(ASN1_STRING_length(base->d.dNSName)));
  }
  NAME_CONSTRAINTS_free(constraints);
  return domains;
}

}  // namespace smtpscope
