#include "exporters/otlp/collector_link.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <string_view>

namespace smtpscope {
namespace {

/// What is read of an answer: Protocol Buffers of a few members.
constexpr std::size_t kMostAnswer = std::size_t{64} * 1024;
/// A collector that asks for more than that is asked again all the same.
constexpr Duration kMostRetryAfter = std::chrono::hours(1);
/// So long libcurl may sleep; end_by() wakes it.
constexpr int kPollMs = 1000;

std::string gzipped(std::string_view text) {
  z_stream stream{};
  constexpr int kGzip = 15 + 16;  // the largest window, and gzip's header
  constexpr int kMemory = 8;
  // Speed: the thread shares the processor with the relay.
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzip, kMemory, Z_DEFAULT_STRATEGY) != Z_OK) {
    return {};
  }
  std::string out(deflateBound(&stream, static_cast<uLong>(text.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));  // it only reads
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int done = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return done == Z_STREAM_END ? out : std::string();
}

/// One connection, kept open between requests.
class HttpLink : public CollectorLink {
 public:
  explicit HttpLink(const CollectorSettings& settings) : settings_(settings) {}
  Result<Done> open();

  CollectorAnswer post(const std::string& request) override;
  void end_by(Clock::time_point when) override {
    end_ = when;
    curl_multi_wakeup(multi_.get());
  }

 private:
  static std::size_t take_body(char* octets, std::size_t size, std::size_t count, void* answer);
  CURLcode perform();
  bool add_header(const std::string& line);

  const CollectorSettings settings_;
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers_{nullptr,
                                                                       &curl_slist_free_all};
  std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)> multi_{nullptr, &curl_multi_cleanup};
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy_{nullptr, &curl_easy_cleanup};
  std::array<char, CURL_ERROR_SIZE> words_{};
  std::atomic<Clock::time_point> end_{Clock::time_point::max()};
};

bool HttpLink::add_header(const std::string& line) {
  curl_slist* const longer = curl_slist_append(headers_.get(), line.c_str());
  if (longer == nullptr) return false;
  (void)headers_.release();
  headers_.reset(longer);
  return true;
}

Result<Done> HttpLink::open() {
  // Debian's libcurl may do this from any thread; nothing else here uses it.
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0) return Error{"--otlp: libcurl cannot be used"};
  multi_.reset(curl_multi_init());
  easy_.reset(curl_easy_init());
  bool listed = multi_ != nullptr && easy_ != nullptr;
  listed = listed &&
           add_header(fmt::format("Content-Type: {}",
                                  settings_.json ? "application/json" : "application/x-protobuf"));
  listed = listed && add_header("Expect:");  // no question before the body
  if (settings_.gzip) listed = listed && add_header("Content-Encoding: gzip");
  for (const auto& [name, value] : settings_.headers) {
    // libcurl sends a header without a value only if it ends with a semicolon.
    listed = listed && add_header(value.empty() ? fmt::format("{};", name)
                                                : fmt::format("{}: {}", name, value));
  }
  if (!listed) return Error{"--otlp: no memory for libcurl"};
  CURL* const easy = easy_.get();
  CURLcode code = CURLE_OK;
  const auto set = [&](CURLoption option, auto value) {
    if (code == CURLE_OK) code = curl_easy_setopt(easy, option, value);
  };
  const auto timeout = std::chrono::ceil<std::chrono::milliseconds>(settings_.timeout).count();
  set(CURLOPT_URL, settings_.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_POST, 1L);
  set(CURLOPT_HTTPHEADER, headers_.get());
  set(CURLOPT_USERAGENT, "smtpscope/" SMTPSCOPE_VERSION);
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(timeout));
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(timeout));
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  // A name server that hangs is not waited for at the end.
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_ERRORBUFFER, words_.data());
  set(CURLOPT_WRITEFUNCTION, &HttpLink::take_body);
  if (!settings_.authorities.empty()) set(CURLOPT_CAINFO, settings_.authorities.c_str());
  if (!settings_.client_certificate.empty()) {
    set(CURLOPT_SSLCERT, settings_.client_certificate.c_str());
  }
  if (!settings_.client_key.empty()) set(CURLOPT_SSLKEY, settings_.client_key.c_str());
  if (code == CURLE_OK) return Done{};
  return Error{fmt::format("--otlp: {}: {}", settings_.shown, curl_easy_strerror(code))};
}

std::size_t HttpLink::take_body(char* octets, std::size_t size, std::size_t count, void* answer) {
  std::string& body = *static_cast<std::string*>(answer);
  body.append(octets, std::min(size * count, kMostAnswer - body.size()));
  return size * count;  // the rest is read, and of no interest
}

CURLcode HttpLink::perform() {
  int running = 0;
  do {
    if (curl_multi_perform(multi_.get(), &running) != CURLM_OK) return CURLE_FAILED_INIT;
    if (running == 0) break;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::max(end_.load() - Clock::now(), Clock::duration::zero()));
    if (left <= std::chrono::milliseconds::zero()) return CURLE_ABORTED_BY_CALLBACK;
    const auto sleep = std::min<std::chrono::milliseconds::rep>(left.count(), kPollMs);
    curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(sleep), nullptr);
  } while (running > 0);
  int left = 0;
  const CURLMsg* const message = curl_multi_info_read(multi_.get(), &left);
  return message == nullptr ? CURLE_FAILED_INIT : message->data.result;
}

CollectorAnswer HttpLink::post(const std::string& request) {
  CollectorAnswer answer;
  CURL* const easy = easy_.get();
  const std::string packed = settings_.gzip ? gzipped(request) : std::string();
  const std::string& body = settings_.gzip ? packed : request;
  if (body.empty()) {
    answer.fault = "no memory to compress what is to be sent";
    return answer;
  }
  words_.front() = '\0';
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &answer.body);
  if (curl_multi_add_handle(multi_.get(), easy) != CURLM_OK) {
    answer.fault = "libcurl takes no request";
    return answer;
  }
  const CURLcode code = perform();
  if (code == CURLE_OK) {
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    answer.status = static_cast<int>(status);
    curl_off_t seconds = 0;
    curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds);
    if (seconds > 0) {
      constexpr curl_off_t kMost = kMostRetryAfter / std::chrono::seconds(1);
      answer.retry_after = std::chrono::seconds(std::min(seconds, kMost));
    }
  } else if (code == CURLE_ABORTED_BY_CALLBACK) {
    answer.fault = "it did not answer before the end";
  } else {
    answer.fault = words_.front() != '\0' ? words_.data() : curl_easy_strerror(code);
  }
  curl_multi_remove_handle(multi_.get(), easy);
  return answer;
}

}  // namespace

Result<std::unique_ptr<CollectorLink>> open_collector_link(const CollectorSettings& settings) {
  auto link = std::make_unique<HttpLink>(settings);
  if (auto opened = link->open(); !opened) return opened.error();
  return std::unique_ptr<CollectorLink>(std::move(link));
}

}  // namespace smtpscope
