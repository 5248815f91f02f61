#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "exporters/exporter.h"
#include "exporters/otlp/collector_answer.h"
#include "exporters/otlp/collector_queue.h"
#include "exporters/otlp/collector_settings.h"
#include "exporters/otlp/protobuf.h"
#include "tests/catch.h"
#include "tests/exporters/golden.h"
#include "tests/exporters/story.h"

// Spans: what is written of the stories, what the environment may say, and how they come to a
// collector that is not well.

namespace smtpscope {
namespace {

using namespace std::chrono_literals;

/// Without the version of the program in the scope of each line.
std::string without_scope_version(std::string text) {
  const std::string key = "\"version\":\"";
  for (std::size_t at = text.find(key); at != std::string::npos; at = text.find(key, at)) {
    at += key.size();
    text.replace(at, text.find('"', at) - at, "0.0.0");
  }
  return text;
}

TEST_CASE("spans of all stories") {
  StringOutput output;
  const SpanResource resource = {{"service.version", "0.0.0"}, {"deployment.environment", "test"}};
  ExporterOptions options;
  options.host = "mx.example";
  options.resource = &resource;
  const std::unique_ptr<Exporter> exporter = find_exporter("otlp")->make(options, output);
  exporter->begin_run(story_run());
  Story origin(1, *exporter);
  tell_origin(origin);
  Story unreachable(2, *exporter);
  tell_unreachable(unreachable, 60s);
  Story oddities(3, *exporter);
  tell_oddities(oddities, 70s);
  exporter->end_run();
  exporter->finish();
  CHECK(output.writes() == std::count(output.text().begin(), output.text().end(), '\n'));
  check_golden("spans.jsonl", without_scope_version(output.text()));
}

TEST_CASE("protocol buffers") {
  std::string text;
  ProtobufWriter out(text);
  out.varint(1, 150);
  out.octets(2, "testing");
  const std::size_t begun = out.begin_message(3);
  out.varint(1, 150);
  out.end_message(begun);
  out.fixed64(4, 0x0102030405060708);
  out.varint(16, ~std::uint64_t{0});
  // The first three are the examples of protobuf.dev/programming-guides/encoding.
  CHECK(text == std::string("\x08\x96\x01"
                            "\x12\x07testing"
                            "\x1a\x03\x08\x96\x01"
                            "\x21\x08\x07\x06\x05\x04\x03\x02\x01"
                            "\x80\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
  ProtobufReader in(text);
  CHECK(in.next()->value == 150);
  CHECK(in.next()->octets == "testing");
  CHECK(in.next()->octets == "\x08\x96\x01");
  CHECK(in.next()->value == 0x0102030405060708);
  const auto last = in.next();
  CHECK(last->number == 16);
  CHECK(last->value == ~std::uint64_t{0});
  CHECK_FALSE(in.next());
  // Cut anywhere it ends early, and nothing else happens.
  for (std::size_t size = 0; size < text.size(); ++size) {
    ProtobufReader cut(std::string_view(text).substr(0, size));
    int fields = 0;
    while (cut.next()) ++fields;
    CHECK(fields < 5);
  }
}

TEST_CASE("a message of more than 127 octets") {
  std::string text;
  ProtobufWriter out(text);
  const std::size_t begun = out.begin_message(1);
  out.octets(1, std::string(300, 'x'));
  out.end_message(begun);
  ProtobufReader in(text);
  const auto message = in.next();
  REQUIRE(message);
  CHECK(message->octets.size() == 303);
  CHECK_FALSE(in.next());
}

/// What the collector says, as Protocol Buffers.
std::string partial_success(std::uint64_t rejected, std::string_view message) {
  std::string body;
  ProtobufWriter out(body);
  const std::size_t begun = out.begin_message(1);
  out.varint(1, rejected);
  out.octets(2, message);
  out.end_message(begun);
  return body;
}

TEST_CASE("what is done after an answer") {
  const auto step = [](int status) { return judge_answer({.status = status}, false).step; };
  for (const int status : {200, 202, 204}) CHECK(step(status) == DeliveryStep::kDone);
  for (const int status : {429, 502, 503, 504}) CHECK(step(status) == DeliveryStep::kRetry);
  for (const int status : {301, 400, 401, 403, 404, 408, 415, 422, 500, 501, 505}) {
    CHECK(step(status) == DeliveryStep::kGiveUp);
  }
  CHECK(step(413) == DeliveryStep::kSplit);
  const Delivery none = judge_answer({.status = 0, .fault = "refused"}, false);
  CHECK(none.step == DeliveryStep::kRetry);
  CHECK(none.words == "refused");
}

TEST_CASE("what a collector says in its answer") {
  Delivery some = judge_answer({.status = 200, .body = partial_success(3, "too old")}, false);
  CHECK(some.rejected == 3);
  CHECK(some.words == "too old");
  some =
      judge_answer({.status = 200,
                    .body = R"({"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}})"},
                   true);
  CHECK(some.rejected == 3);
  CHECK(some.words == "too old");
  CHECK(judge_answer({.status = 200, .body = R"({"partialSuccess":{"rejectedSpans":2}})"}, true)
            .rejected == 2);
  // A warning, or nothing at all, or nonsense: it has them.
  for (const std::string_view body : {"", "{}", R"({"partialSuccess":{}})", "<html>", "[1]",
                                      R"({"partialSuccess":{"errorMessage":"slow"}})"}) {
    CHECK(judge_answer({.status = 200, .body = std::string(body)}, true).rejected == 0);
    CHECK(judge_answer({.status = 200, .body = std::string(body)}, false).words.empty());
  }
  std::string status;
  ProtobufWriter(status).octets(2, "no such tenant\x1b");
  CHECK(judge_answer({.status = 400, .body = status}, false).words ==
        "it says 400 Bad Request: no such tenant\\x1B");
  CHECK(judge_answer({.status = 503, .body = R"({"code":14,"message":"busy"})"}, true).words ==
        "it says 503 Service Unavailable: busy");
}

class Variables {
 public:
  Variables(std::initializer_list<std::pair<const std::string, std::string>> all) : all_(all) {}
  std::optional<std::string> operator()(const std::string& name) const {
    const auto found = all_.find(name);
    return found == all_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  std::map<std::string, std::string> all_;
};

std::string url_of(const std::string& option, const Variables& environment) {
  const auto settings = read_collector_settings(option, environment);
  return settings ? settings.value().url : settings.error().message;
}

TEST_CASE("where spans go") {
  const Variables none{};
  CHECK(url_of("", {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://a"}}).empty());
  for (const std::string url :
       {"http://c:4318", "http://c:4318/", "http://c:4318/v1/traces", "http://c:4318/v1/traces/"}) {
    CHECK(url_of(url, none) == "http://c:4318/v1/traces");
  }
  CHECK(url_of("https://c/otlp/", none) == "https://c/otlp/v1/traces");
  CHECK(url_of("env", none) == "http://localhost:4318/v1/traces");
  CHECK(url_of("env", {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:1/x"}}) ==
        "http://a:1/x/v1/traces");
  // That of a signal is taken as it is, and counts more.
  CHECK(url_of("env", {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:1"},
                       {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://b:2/x"}}) == "http://b:2/x");
  CHECK(url_of("env", {{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", ""}}) ==
        "http://localhost:4318/v1/traces");
  for (const std::string url : {"c:4318", "ftp://c", "http://", "http:///x", "http://u@", "nowhere",
                                "http://c/ x", "http://c\r\nX: y"}) {
    CHECK(url_of(url, none).starts_with("--otlp: '"));
  }
  const auto settings = read_collector_settings("http://me:secret@c:1", none);
  CHECK(settings.value().url == "http://me:secret@c:1/v1/traces");
  CHECK(settings.value().shown == "http://c:1/v1/traces");
}

TEST_CASE("how spans are sent") {
  const auto read = [](const Variables& environment) {
    return read_collector_settings("http://c", environment);
  };
  const auto plain = read({}).value();
  CHECK_FALSE(plain.json);
  CHECK_FALSE(plain.gzip);
  CHECK(plain.timeout == 10s);
  const auto set = read({{"OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"},
                         {"OTEL_EXPORTER_OTLP_COMPRESSION", "none"},
                         {"OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "gzip"},
                         {"OTEL_EXPORTER_OTLP_TIMEOUT", "250"},
                         {"OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%2Cb=c, x = y ,"},
                         {"OTEL_EXPORTER_OTLP_CERTIFICATE", "ca.pem"}})
                       .value();
  CHECK(set.json);
  CHECK(set.gzip);
  CHECK(set.timeout == 250ms);
  CHECK(set.headers ==
        std::vector<std::pair<std::string, std::string>>{{"api-key", "a,b=c"}, {"x", "y"}});
  CHECK(set.authorities == "ca.pem");
  const auto refused = [&](const std::string& name, const std::string& value) {
    const auto result = read({{name, value}});
    REQUIRE_FALSE(result);
    CHECK(result.error().message.starts_with(name + ": "));
    return result.error().message;
  };
  CHECK(refused("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc").find("4318") != std::string::npos);
  refused("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http");
  refused("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd");
  for (const std::string time : {"0", "10s", "-1", "1e3", "99999999999"}) {
    refused("OTEL_EXPORTER_OTLP_TIMEOUT", time);
  }
  // They may be secrets.
  for (const std::string headers : {"secret", "=secret", "a=%2gsecret", "a=%0d%0asecret"}) {
    CHECK(refused("OTEL_EXPORTER_OTLP_HEADERS", headers).find("secret") == std::string::npos);
  }
  refused("OTEL_EXPORTER_OTLP_HEADERS", "a b=c");
}

TEST_CASE("what spans are said to be of") {
  const auto read = [](const Variables& environment) { return read_span_resource(environment); };
  CHECK(read({}).value().empty());
  CHECK(read({{"OTEL_RESOURCE_ATTRIBUTES", "service.name=x,deployment.environment=t%20e"},
              {"OTEL_SERVICE_NAME", "mail"}})
            .value() == SpanResource{{"service.name", "x"},
                                     {"deployment.environment", "t e"},
                                     {"service.name", "mail"}});
  CHECK_FALSE(read({{"OTEL_RESOURCE_ATTRIBUTES", "x"}}));
  CHECK_FALSE(read({{"OTEL_RESOURCE_ATTRIBUTES", "x=%ff"}}));
}

/// An encoding whose requests are the spans as they came.
class PlainEncoding : public SpanEncoding {
 public:
  void set_resource(const SpanResource&) override {}
  void append_span(const Span&, std::string&) const override {}
  std::string request(std::string_view spans) const override { return std::string(spans); }
};

/// A collector: the answers that it gives, one after the other, and what it got. It outlives its
/// link.
class Collector {
 public:
  /// `most`: octets that it takes in a request.
  explicit Collector(std::deque<CollectorAnswer> answers, std::size_t most = SIZE_MAX)
      : answers_(std::move(answers)), most_(most) {}

  /// Until it has got so many requests.
  std::vector<std::string> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, 60s, [&] { return requests_.size() >= count; });
    return requests_;
  }
  std::string taken() {
    const std::lock_guard lock(mutex_);
    return taken_;
  }
  std::vector<std::chrono::steady_clock::time_point> times() {
    const std::lock_guard lock(mutex_);
    return times_;
  }
  /// From now on no request is answered.
  void hang() {
    const std::lock_guard lock(mutex_);
    hangs_ = true;
  }

 private:
  friend class Link;
  class Link : public CollectorLink {
   public:
    explicit Link(Collector& collector) : collector_(collector) {}
    CollectorAnswer post(const std::string& request) override {
      return collector_.take(request, *this);
    }
    void end_by(Clock::time_point when) override {
      const std::lock_guard lock(collector_.mutex_);
      end_ = when;
      collector_.changed_.notify_all();
    }
    Collector& collector_;
    Clock::time_point end_ = Clock::time_point::max();
  };

  CollectorAnswer take(const std::string& request, const Link& link) {
    std::unique_lock lock(mutex_);
    requests_.push_back(request);
    times_.push_back(std::chrono::steady_clock::now());
    changed_.notify_all();
    if (hangs_) {
      changed_.wait(lock, [&] { return link.end_ != CollectorLink::Clock::time_point::max(); });
      changed_.wait_until(lock, link.end_, [] { return false; });
      return {.fault = "it did not answer before the end"};
    }
    if (request.size() > most_) return {.status = 413};
    CollectorAnswer answer{.status = 200};
    if (!answers_.empty()) {
      answer = answers_.front();
      answers_.pop_front();
    }
    if (answer.status == 200) taken_ += request;
    return answer;
  }

 public:
  std::unique_ptr<CollectorLink> link() { return std::make_unique<Link>(*this); }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<CollectorAnswer> answers_;
  const std::size_t most_;
  std::vector<std::string> requests_;
  std::vector<std::chrono::steady_clock::time_point> times_;
  std::string taken_;
  bool hangs_ = false;
};

/// What is told, on whatever thread.
class Told {
 public:
  CollectorQueue::Tell tell() {
    return [this](std::string_view words) {
      const std::lock_guard lock(mutex_);
      all_.emplace_back(words);
    };
  }
  std::vector<std::string> all() {
    const std::lock_guard lock(mutex_);
    return all_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> all_;
};

CollectorQueue::Limits quick() {
  CollectorQueue::Limits limits;
  limits.gather = 1ms;
  limits.first_wait = 1ms;
  limits.longest_wait = 4ms;
  return limits;
}

CollectorQueue queue_to(Collector& collector, Told& told,
                        const CollectorQueue::Limits& limits = quick()) {
  return CollectorQueue(collector.link(), std::make_shared<PlainEncoding>(), false, "http://c",
                        told.tell(), limits);
}

TEST_CASE("a collector that is away for a while loses nothing") {
  Collector collector({{.fault = "connection refused"},
                       {.status = 503},
                       {.status = 429},
                       {.status = 502},
                       {.status = 504}});
  Told told;
  CollectorQueue queue = queue_to(collector, told);
  queue.add("a");
  collector.wait_for(3);
  queue.add("b");
  collector.wait_for(7);
  CHECK(queue.close());
  CHECK(queue.lost() == 0);
  CHECK(queue.waiting() == 0);
  CHECK(collector.taken() == "ab");
  REQUIRE(told.all().size() == 2);
  CHECK(
      told.all()[0] ==
      "spans cannot be sent to http://c: connection refused; mail flows on, spans wait as long as "
      "there is room");
  CHECK(told.all()[1] == "spans are sent again to http://c; none was lost");
}

TEST_CASE("a collector says when it wants to be asked again") {
  Collector collector({{.status = 429, .retry_after = 200ms}});
  Told told;
  CollectorQueue queue = queue_to(collector, told);
  queue.add("a");
  collector.wait_for(2);
  CHECK(queue.close());
  REQUIRE(collector.times().size() == 2);
  CHECK(collector.times()[1] - collector.times()[0] >= 200ms);
}

TEST_CASE("a request that is too large is split") {
  Collector collector({}, 2);
  Told told;
  CollectorQueue::Limits limits = quick();
  limits.gather = 1h;  // all in one
  CollectorQueue queue = queue_to(collector, told, limits);
  for (const std::string_view span : {"a", "b", "c", "d", "long", "e", "f"}) queue.add(span);
  CHECK_FALSE(queue.close());
  CHECK(queue.lost() == 1);  // alone it is too large, too
  CHECK(collector.taken() == "abcdef");
  CHECK(told.all() == std::vector<std::string>{"1 span lost, not taken by http://c: it says 413 "
                                               "Content Too Large; mail flows on"});
}

TEST_CASE("what is refused is not sent again") {
  Collector collector({{.status = 400}, {.status = 200, .body = partial_success(1, "old")}});
  Told told;
  CollectorQueue queue = queue_to(collector, told);
  queue.add("a");
  collector.wait_for(1);
  queue.add("b");
  collector.wait_for(2);
  queue.add("c");
  CHECK_FALSE(queue.close());
  CHECK(queue.lost() == 2);
  CHECK(collector.wait_for(3) == std::vector<std::string>{"a", "b", "c"});
  // The second loss came within a minute of the first.
  CHECK(told.all().size() == 1);
}

TEST_CASE("what is partly taken is told in the collector's words") {
  Collector collector({{.status = 503}, {.status = 200, .body = partial_success(2, "too old")}});
  Told told;
  CollectorQueue queue = queue_to(collector, told);
  queue.add("a");
  collector.wait_for(2);
  CHECK_FALSE(queue.close());
  CHECK(queue.lost() == 1);  // no more than there were
  REQUIRE(told.all().size() == 3);
  CHECK(told.all()[1] == "1 span lost, not taken by http://c: too old; mail flows on");
  CHECK(told.all()[2] == "spans are sent again to http://c; 1 span lost");
}

TEST_CASE("what finds no room is counted and told at the end of the trouble") {
  Collector collector({{.status = 503, .retry_after = 1h}});  // only the end is earlier
  Told told;
  CollectorQueue::Limits limits = quick();
  limits.octets = 10;
  CollectorQueue queue = queue_to(collector, told, limits);
  queue.add("0123456789");
  collector.wait_for(1);
  queue.add("x");
  queue.add("y");
  CHECK(queue.lost() == 2);
  CHECK_FALSE(queue.close());
  CHECK(queue.lost() == 2);
  CHECK(collector.taken() == "0123456789");
  REQUIRE(told.all().size() == 2);
  CHECK(told.all()[1] == "spans are sent again to http://c; 2 spans lost");
}

TEST_CASE("a collector that hangs holds nothing up at the end") {
  Collector collector({});
  collector.hang();
  Told told;
  CollectorQueue queue = queue_to(collector, told);
  queue.add("a");
  collector.wait_for(1);
  queue.add("b");
  CHECK_FALSE(queue.close(10ms));
  CHECK(queue.lost() == 2);
}

}  // namespace
}  // namespace smtpscope
