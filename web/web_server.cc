#include "web/web_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <microhttpd.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <condition_variable>
#include <cstring>
#include <list>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "base/ascii.h"
#include "base/system_error.h"
#include "page/page_files.h"
#include "web/older_reader.h"
#include "web/older_sessions.h"
#include "web/record_ring.h"

namespace smtpscope {
namespace {

constexpr unsigned kMostConnections = 64;
constexpr unsigned kRequestSeconds = 30;  // for a request to come, and its answer to be taken
constexpr std::size_t kPieceOctets = std::size_t{64} * 1024;
/// Records are sent together that come in so short a time: nobody sees the difference.
constexpr auto kTogether = std::chrono::milliseconds(100);
/// How often a page that hears nothing is told what time it is; it notices a lost server by that.
constexpr auto kClock = std::chrono::seconds(5);

constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'";

/// `can_look_back`: what is not in memory any more can be asked for.
std::string make_document(bool can_look_back) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>smtpscope</title><link rel=\"stylesheet\" href=\"page.css\">\n"
      "<script src=\"page.js\" defer></script></head><body data-events=\"events\"{}>\n"
      "<noscript>This page needs JavaScript; smtpscope show prints the same as text.</noscript>\n"
      "</body></html>\n",
      can_look_back ? " data-older=\"older\"" : "");
}

/// No shorter way out for a wrong first letter.
bool same_secret(std::string_view a, std::string_view b) {
  unsigned differs = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size(); ++i) {
    differs |= static_cast<unsigned char>(a[i]) ^
               static_cast<unsigned char>(b.empty() ? 0 : b[i % b.size()]);
  }
  return differs == 0;
}

bool is_address(const std::string& text) {
  std::array<unsigned char, 16> octets{};
  return inet_pton(AF_INET, text.c_str(), octets.data()) == 1 ||
         inet_pton(AF_INET6, text.c_str(), octets.data()) == 1;
}

/// The host of a Host header (RFC 9110 7.2), without its port.
std::string host_of(std::string_view header) {
  if (header.starts_with('[')) {
    const std::size_t end = header.find(']');
    return std::string(header.substr(1, end == std::string_view::npos ? end : end - 1));
  }
  return in_lower_case(header.substr(0, header.find(':')));
}

std::string make_epoch() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}", device(), device());
}

}  // namespace

/// All of it but the public face; libmicrohttpd's callbacks end here.
class WebServer::Core {
 public:
  explicit Core(const WebOptions& options)
      : options_(options),
        document_(make_document(options.older != nullptr)),
        ring_(make_epoch(), options.memory, [this] { wake(); }) {}

  ~Core() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    woken_.notify_all();
    if (ticker_.joinable()) ticker_.join();
    // The library must not be stopped while connections are suspended.
    resume_all();
    if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
    older_.reset();
  }
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  Result<Done> listen() {
    sockaddr_in6 six{};
    sockaddr_in four{};
    const bool is_four = inet_pton(AF_INET, options_.host.c_str(), &four.sin_addr) == 1;
    if (is_four) {
      four.sin_family = AF_INET;
      four.sin_port = htons(options_.port);
    } else if (inet_pton(AF_INET6, options_.host.c_str(), &six.sin6_addr) == 1) {
      six.sin6_family = AF_INET6;
      six.sin6_port = htons(options_.port);
    } else {
      return Error{fmt::format("--web: '{}' is no address", options_.host)};
    }
    errno = 0;
    daemon_ = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
            static_cast<unsigned>(is_four ? 0 : MHD_USE_IPv6),
        options_.port, nullptr, nullptr, &Core::on_request, this, MHD_OPTION_SOCK_ADDR,
        is_four ? reinterpret_cast<sockaddr*>(&four) : reinterpret_cast<sockaddr*>(&six),
        MHD_OPTION_CONNECTION_LIMIT, kMostConnections, MHD_OPTION_CONNECTION_TIMEOUT,
        kRequestSeconds, MHD_OPTION_END);
    if (daemon_ == nullptr) {
      const int fault = errno;
      return Error{fmt::format("--web: cannot listen on {}: {}{}", authority(options_.port),
                               fault != 0 ? system_words(fault) : "libmicrohttpd did not start",
                               fault == EADDRINUSE ? "; choose another port with --web" : "")};
    }
    const MHD_DaemonInfo* info = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_BIND_PORT);
    port_ = info != nullptr ? info->port : options_.port;
    ticker_ = std::thread([this] { tick(); });
    if (options_.older != nullptr) older_ = std::make_unique<OlderReader>();
    return Done{};
  }

  RecordRing& ring() { return ring_; }

  std::string address() const {
    return fmt::format("http://{}/{}{}", authority(port_),
                       options_.token.empty() ? "" : "?token=", options_.token);
  }

 private:
  /// One reader of the records, or of older ones.
  struct Stream {
    Core* core = nullptr;
    MHD_Connection* connection = nullptr;
    std::shared_ptr<OlderReader::Question> question;  // else it is given what comes
    bool answered = false;                            // `pending` is the answer
    std::uint64_t after = 0;                          // the last record that it was given
    std::string pending;
    std::size_t sent = 0;  // of `pending`
    bool wants_clock = true;
    bool suspended = false;
  };

  std::string authority(std::uint16_t port) const {
    const bool six = options_.host.find(':') != std::string::npos;
    return fmt::format("{}{}{}:{}", six ? "[" : "", options_.host, six ? "]" : "", port);
  }

  std::string cookie_name() const { return fmt::format("smtpscope-{}", port_); }

  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url,
                               const char* method, const char* /*version*/, const char* /*upload*/,
                               std::size_t* upload_size, void** seen) {
    // Called once with the headers, once behind the body, which nothing here has a use for.
    static int headers_seen;
    if (*seen == nullptr) {
      *seen = &headers_seen;
      return MHD_YES;
    }
    if (*upload_size > 0) {
      *upload_size = 0;
      return MHD_YES;
    }
    return static_cast<Core*>(self)->answer(connection, url, method);
  }

  static std::string header(MHD_Connection* connection, const char* name) {
    const char* value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
    return value != nullptr ? value : "";
  }

  MHD_Result answer(MHD_Connection* connection, std::string_view url, std::string_view method) {
    if (method != "GET" && method != "HEAD") {
      return send(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "text/plain", "GET only\n");
    }
    // Says that the program answers, and nothing else.
    if (url == "/healthz") return send(connection, MHD_HTTP_OK, "text/plain", "ok\n");
    // A name of somebody's own that resolves to this host must not make his page ours.
    const std::string host = host_of(header(connection, "Host"));
    const bool known = is_address(host) || host == "localhost" ||
                       std::ranges::find(options_.names, host) != options_.names.end();
    if (!known) {
      return send(connection, MHD_HTTP_FORBIDDEN, "text/plain",
                  "This name is not known here; use the address, or name it with --web-name.\n");
    }
    if (!options_.token.empty()) {
      const char* given = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "token");
      if (given != nullptr && same_secret(given, options_.token)) return welcome(connection);
      const char* cookie =
          MHD_lookup_connection_value(connection, MHD_COOKIE_KIND, cookie_name().c_str());
      const bool known_reader = cookie != nullptr && same_secret(cookie, options_.token);
      // A program has no cookies; it says the same in a header (RFC 6750 2.1).
      const bool bearer =
          same_secret(header(connection, "Authorization"), "Bearer " + options_.token);
      if (!known_reader && !bearer) {
        return send(connection, MHD_HTTP_FORBIDDEN, "text/plain",
                    "Open the address that smtpscope printed, with its ?token=.\n");
      }
    }
    // The page asks without an Origin, as GET of the same one does (Fetch, 3.1); a foreign page
    // that asks says who it is, or "null".
    const std::string origin = header(connection, "Origin");
    const std::string named = header(connection, "Host");
    const bool is_foreign =
        !origin.empty() && origin != "http://" + named && origin != "https://" + named;
    if (is_foreign || (header(connection, "Sec-Fetch-Site") == "cross-site" && url != "/")) {
      return send(connection, MHD_HTTP_FORBIDDEN, "text/plain", "not from another site\n");
    }
    if (url == "/") return send(connection, MHD_HTTP_OK, "text/html; charset=utf-8", document_);
    if (url == "/page.js") {
      return send(connection, MHD_HTTP_OK, "text/javascript", kPageScript.text);
    }
    if (url == "/page.css") return send(connection, MHD_HTTP_OK, "text/css", kPageStyle.text);
    if (url == "/metrics" && options_.metrics) return send_metrics(connection);
    if (url == "/events" && method == "GET") return stream(connection);
    if (url == "/older" && method == "GET" && older_) return look_back(connection);
    if (url == "/export" && method == "GET" && older_) return save(connection);
    return send(connection, MHD_HTTP_NOT_FOUND, "text/plain", "there is no such page\n");
  }

  static void add_common(MHD_Response* response) {
    MHD_add_response_header(response, "Content-Security-Policy", kPolicy.data());
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
    MHD_add_response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
    MHD_add_response_header(response, "Cross-Origin-Opener-Policy", "same-origin");
    MHD_add_response_header(response, "X-Frame-Options", "DENY");
  }

  static MHD_Result queue(MHD_Connection* connection, unsigned status, MHD_Response* response) {
    if (response == nullptr) return MHD_NO;
    add_common(response);
    const MHD_Result queued = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return queued;
  }

  /// `text` lives as long as this.
  static MHD_Result send(MHD_Connection* connection, unsigned status, const char* type,
                         std::string_view text) {
    // The library does not write through this pointer.
    MHD_Response* response = MHD_create_response_from_buffer(
        text.size(), const_cast<char*>(text.data()), MHD_RESPMEM_PERSISTENT);
    if (response != nullptr) MHD_add_response_header(response, "Content-Type", type);
    return queue(connection, status, response);
  }

  MHD_Result send_metrics(MHD_Connection* connection) const {
    std::string text = options_.metrics();
    MHD_Response* response =
        MHD_create_response_from_buffer(text.size(), text.data(), MHD_RESPMEM_MUST_COPY);
    if (response != nullptr) {
      MHD_add_response_header(response, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    }
    return queue(connection, MHD_HTTP_OK, response);
  }

  /// The token goes into a cookie, so that it does not stay in the address.
  MHD_Result welcome(MHD_Connection* connection) const {
    MHD_Response* response = MHD_create_response_from_buffer(0, nullptr, MHD_RESPMEM_PERSISTENT);
    if (response == nullptr) return MHD_NO;
    MHD_add_response_header(response, "Location", "/");
    MHD_add_response_header(
        response, "Set-Cookie",
        fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict", cookie_name(), options_.token)
            .c_str());
    return queue(connection, MHD_HTTP_SEE_OTHER, response);
  }

  MHD_Result stream(MHD_Connection* connection) {
    auto owned = std::make_unique<Stream>();
    const char* after = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "after");
    // A browser that connects again by itself says it in the header, and that is newer.
    std::string id = header(connection, "Last-Event-ID");
    if (id.empty() && after != nullptr) id = after;
    if (!id.empty()) owned->after = ring_.number_of(id);
    return give(connection, std::move(owned), "text/event-stream");
  }

  static std::string argument(MHD_Connection* connection, const char* name) {
    const char* text = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
    return text != nullptr ? text : "";
  }

  static bool read_number(MHD_Connection* connection, const char* name, std::uint64_t& number) {
    const std::string digits = argument(connection, name);
    const char* const end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, number);
    return !digits.empty() && read.ec == std::errc() && read.ptr == end;
  }

  MHD_Result look_back(MHD_Connection* connection) {
    OlderSessions::Asked asked;
    if (!read_number(connection, "run", asked.run) ||
        !read_number(connection, "from", asked.from) ||
        !read_number(connection, "before", asked.before)) {
      return send(connection, MHD_HTTP_BAD_REQUEST, "text/plain",
                  "run=, from= and before= are numbers\n");
    }
    return ask(connection, "application/jsonl; charset=utf-8",
               [this, asked](const std::atomic<bool>& stop, Output& into) {
                 options_.older->read(asked, stop, into);
               });
  }

  MHD_Result save(MHD_Connection* connection) {
    OlderSessions::Save asked;
    asked.filter = argument(connection, "q");
    asked.format = argument(connection, "format");
    asked.redacted = argument(connection, "redacted") != "no";
    if (!read_number(connection, "run", asked.run) ||
        !read_number(connection, "session", asked.session)) {
      return send(connection, MHD_HTTP_BAD_REQUEST, "text/plain",
                  "run= and session= are numbers\n");
    }
    return ask(connection, "application/octet-stream",
               [this, asked](const std::atomic<bool>& stop, Output& into) {
                 options_.older->save(asked, stop, into);
               });
  }

  /// An answer that takes a while.
  MHD_Result ask(MHD_Connection* connection, const char* type,
                 std::function<void(const std::atomic<bool>&, Output&)> read) {
    auto owned = std::make_unique<Stream>();
    auto question = std::make_shared<OlderReader::Question>();
    owned->question = question;
    question->read = std::move(read);
    question->answered = [this, stream = owned.get(), asked = question.get()](std::string text) {
      const std::lock_guard lock(mutex_);
      if (asked->dropped) return;  // and the stream is gone
      stream->pending = std::move(text);
      stream->answered = true;
      if (std::exchange(stream->suspended, false)) MHD_resume_connection(stream->connection);
    };
    if (!older_->ask(question)) {
      return send(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "text/plain", "too many ask at once\n");
    }
    return give(connection, std::move(owned), type);
  }

  /// An answer that goes on while there is something to be told.
  MHD_Result give(MHD_Connection* connection, std::unique_ptr<Stream> owned, const char* type) {
    owned->core = this;
    owned->connection = connection;
    Stream* const stream = owned.get();
    {
      const std::lock_guard lock(mutex_);
      streams_.push_back(std::move(owned));
    }
    // It has no end that a timeout could wait for.
    MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, 0U);
    MHD_Response* response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, kPieceOctets, &Core::on_read, stream, &Core::on_gone);
    if (response == nullptr) {
      on_gone(stream);
      return MHD_NO;
    }
    MHD_add_response_header(response, "Content-Type", type);
    return queue(connection, MHD_HTTP_OK, response);
  }

  static ssize_t on_read(void* stream, std::uint64_t /*at*/, char* into, std::size_t room) {
    auto& of = *static_cast<Stream*>(stream);
    return of.core->read(of, into, room);
  }

  static void on_gone(void* stream) {
    auto* const gone = static_cast<Stream*>(stream);
    Core& core = *gone->core;
    const std::lock_guard lock(core.mutex_);
    if (gone->question) gone->question->dropped = true;
    std::erase_if(core.streams_, [gone](const auto& each) { return each.get() == gone; });
  }

  ssize_t read(Stream& stream, char* into, std::size_t room) {
    const std::lock_guard lock(mutex_);
    if (stopping_) return MHD_CONTENT_READER_END_OF_STREAM;
    if (stream.question) {
      if (stream.answered && stream.sent == stream.pending.size()) {
        return MHD_CONTENT_READER_END_OF_STREAM;
      }
    } else if (stream.sent == stream.pending.size()) {
      RecordRing::Piece piece = ring_.read(stream.after, kPieceOctets);
      stream.after = piece.last;
      stream.pending = std::move(piece.events);
      stream.sent = 0;
      if (std::exchange(stream.wants_clock, false)) {
        const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::system_clock::now().time_since_epoch());
        stream.pending +=
            fmt::format("event: {}\ndata: {}\n\n", options_.live ? "clock" : "whole", now.count());
      }
    }
    if (stream.pending.empty()) {
      // What is written meanwhile waits at the mutex in wake(), and is seen by the ticker.
      stream.suspended = true;
      MHD_suspend_connection(stream.connection);
      return 0;
    }
    const std::size_t size = std::min(room, stream.pending.size() - stream.sent);
    std::memcpy(into, stream.pending.data() + stream.sent, size);
    stream.sent += size;
    return static_cast<ssize_t>(size);
  }

  /// From the writer's thread.
  void wake() {
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(news_, true)) return;
    }
    woken_.notify_one();
  }

  void resume_all() {
    const std::lock_guard lock(mutex_);
    for (const auto& stream : streams_) {
      if (stream->question && !stopping_) continue;
      if (std::exchange(stream->suspended, false)) MHD_resume_connection(stream->connection);
    }
  }

  /// Its thread lets suspended readers go on when there is something for them.
  void tick() {
    auto clock = std::chrono::steady_clock::now() + kClock;
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      woken_.wait_until(lock, clock, [this] { return news_ || stopping_; });
      if (stopping_) return;
      news_ = false;
      if (std::chrono::steady_clock::now() >= clock) {
        clock = std::chrono::steady_clock::now() + kClock;
        for (const auto& stream : streams_) stream->wants_clock = options_.live;
      }
      lock.unlock();
      resume_all();
      lock.lock();
      woken_.wait_for(lock, kTogether, [this] { return stopping_; });
    }
  }

  const WebOptions options_;
  const std::string document_;
  RecordRing ring_;
  std::unique_ptr<OlderReader> older_;
  MHD_Daemon* daemon_ = nullptr;
  std::uint16_t port_ = 0;
  std::thread ticker_;

  std::mutex mutex_;  // for what follows
  std::condition_variable woken_;
  bool news_ = false;
  bool stopping_ = false;
  std::list<std::unique_ptr<Stream>> streams_;
};

WebServer::WebServer(std::unique_ptr<Core> core) : core_(std::move(core)) {}

WebServer::~WebServer() = default;

Result<std::unique_ptr<WebServer>> WebServer::start(const WebOptions& options) {
  const bool loopback = options.host == "::1" || options.host.starts_with("127.");
  if (!loopback && options.token.empty()) {
    return Error{fmt::format(
        "--web: whoever reaches {} could read the mail; give a word that only readers know with "
        "--web-token",
        options.host)};
  }
  auto core = std::make_unique<Core>(options);
  if (auto listening = core->listen(); !listening) return listening.error();
  return std::unique_ptr<WebServer>(new WebServer(std::move(core)));
}

Output& WebServer::records() { return core_->ring(); }

std::string WebServer::address() const { return core_->address(); }

std::size_t WebServer::held() const { return core_->ring().held(); }

Result<Done> read_web_address(std::string_view text, WebOptions& options) {
  const std::size_t colon = text.rfind(':');
  std::string_view port = text;
  if (colon != std::string_view::npos) {
    std::string_view host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (host == "localhost") host = "127.0.0.1";
    options.host = host;
    port = text.substr(colon + 1);
    if (!is_address(options.host)) {
      return Error{fmt::format("--web: '{}' is no address; give a port, or ADDRESS:PORT", host)};
    }
  }
  constexpr unsigned long kMostPort = 65535;
  const bool digits = !port.empty() && port.size() <= 5 && std::ranges::all_of(port, is_digit);
  if (!digits || std::stoul(std::string(port)) > kMostPort) {
    return Error{fmt::format("--web: '{}' is no port; give a number up to 65535", port)};
  }
  options.port = static_cast<std::uint16_t>(std::stoul(std::string(port)));
  return Done{};
}

}  // namespace smtpscope
