// Files that are slow, stalled, full or gone.

#include "capture/background_file.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/capture/temp_folder.h"
#include "tests/catch.h"

using namespace smtpscope;
using namespace smtpscope::test;

namespace {

constexpr Duration kLong = std::chrono::seconds(60);
constexpr Duration kShort = std::chrono::milliseconds(1);

int create(const std::string& path) {
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
}

struct Pipe {
  Pipe() { REQUIRE(::pipe(ends) == 0); }
  ~Pipe() { close_reader(); }
  void close_reader() {
    if (ends[0] >= 0) ::close(ends[0]);
    ends[0] = -1;
  }
  /// Reads all until the writer is gone.
  std::string drain() const {
    std::string all;
    char buffer[65536];
    while (true) {
      const ssize_t got = ::read(ends[0], buffer, sizeof buffer);
      if (got <= 0) return all;
      all.append(buffer, static_cast<std::size_t>(got));
    }
  }
  int ends[2] = {-1, -1};
};

/// Forbids the process to write files beyond a size: a full disk that can be freed.
class FileSizeLimit {
 public:
  FileSizeLimit() {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, SIG_IGN);
  }
  ~FileSizeLimit() { lift(); }
  void set(rlim_t octets) const {
    const rlimit limit{octets, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  void lift() const { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

/// Little more than what the process has: nothing that the relay may need is taken any more.
class NoMoreMemory {
 public:
  NoMoreMemory() {
    ::getrlimit(RLIMIT_AS, &before_);
    std::ifstream pages("/proc/self/statm");
    rlim_t mapped = 0;
    pages >> mapped;
    const rlimit limit{mapped * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + (8 << 20),
                       before_.rlim_max};
    ::setrlimit(RLIMIT_AS, &limit);
  }
  ~NoMoreMemory() { ::setrlimit(RLIMIT_AS, &before_); }

 private:
  rlimit before_{};
};

/// Appends lines with their number until there is no room. Gives how many went in.
int fill(BackgroundFile& file, int first) {
  int n = first;
  while (file.append("line " + std::to_string(n) + std::string(1000, '.') + "\n")) ++n;
  return n - first;
}

std::string lines(int first, int end) {
  std::string all;
  for (int i = first; i < end; ++i) {
    all += "line " + std::to_string(i) + std::string(1000, '.') + "\n";
  }
  return all;
}

}  // namespace

TEST_CASE("what is appended is in the file, in order") {
  const TempFolder folder;
  std::string expected;
  {
    BackgroundFile file(create(folder.file("a")));
    for (int i = 0; i < 20000; ++i) {
      const std::string text =
          std::to_string(i) + std::string(static_cast<std::size_t>(i % 97), 'x');
      REQUIRE(file.append(text));
      expected += text;
      if (i % 1000 == 0) file.flush();
    }
    CHECK(file.close(kLong));
    CHECK(file.status().written == expected.size());
    CHECK(file.status().lost == 0);
    CHECK(file.status().error == 0);
    CHECK(!file.append("too late"));
  }
  CHECK(content_of(folder.file("a")) == expected);
}

TEST_CASE("the destructor writes what is left") {
  const TempFolder folder;
  { BackgroundFile(create(folder.file("a"))).append("last words"); }
  CHECK(content_of(folder.file("a")) == "last words");
}

TEST_CASE("something pends until it is flushed") {
  const TempFolder folder;
  BackgroundFile file(create(folder.file("a")));
  CHECK(!file.pending());
  file.append("x");
  CHECK(file.pending());
  file.flush();
  CHECK(!file.pending());
  file.flush();
  CHECK(file.close(kLong));
}

TEST_CASE("appends of any size fit, up to the limit") {
  const TempFolder folder;
  BackgroundFile file(create(folder.file("a")), BackgroundFile::Ownership::kOwned, 5000000);
  std::string expected;
  constexpr std::size_t kSizes[] = {1, 300000, 10, 700000, 2000000, 5, 0};
  for (const std::size_t size : kSizes) {
    const std::string text(size, static_cast<char>('a' + size % 26));
    REQUIRE(file.append(text));
    expected += text;
  }
  CHECK(!file.append(std::string(5000001, 'z')));
  CHECK(file.close(kLong));
  CHECK(content_of(folder.file("a")) == expected);
}

TEST_CASE("reserved room is used as far as it is committed") {
  const TempFolder folder;
  BackgroundFile file(create(folder.file("a")));
  char* room = file.reserve(100);
  REQUIRE(room != nullptr);
  room[0] = 'a';
  file.commit(1);
  room = file.reserve(600000);
  REQUIRE(room != nullptr);
  std::fill_n(room, 500000, 'b');
  file.commit(500000);
  CHECK(file.close(kLong));
  CHECK(content_of(folder.file("a")) == "a" + std::string(500000, 'b'));
}

TEST_CASE("a stalled reader blocks nobody, and nothing is lost when he goes on") {
  Pipe pipe;
  BackgroundFile file(pipe.ends[1], BackgroundFile::Ownership::kOwned, 2000000);
  const int first = fill(file, 0);
  // The pipe and the queue are full.
  CHECK(first > 1000);
  CHECK(!file.append("x"));
  CHECK(!file.drain(kShort));
  std::string got;
  std::thread reader([&] { got = pipe.drain(); });
  CHECK(file.close(kLong));
  reader.join();
  CHECK(got == lines(0, first));
}

TEST_CASE("after a refusal a quarter of the queue must be free") {
  Pipe pipe;
  BackgroundFile file(pipe.ends[1], BackgroundFile::Ownership::kOwned, 1000000);
  REQUIRE(file.append(std::string(990000, 'x')));
  CHECK(!file.append(std::string(20000, 'y')));
  CHECK(!file.append("y"));
  std::size_t got = 0;
  char buffer[4096];
  while (got < 990000) got += static_cast<std::size_t>(::read(pipe.ends[0], buffer, sizeof buffer));
  // All was read, so all was written; the thread will have noted it when it takes the next.
  while (!file.append("y")) std::this_thread::yield();
  CHECK(file.close(kLong));
}

TEST_CASE("a line finds room in what was written before when there is no memory") {
  Pipe pipe;
  std::string stuffing;
  ::fcntl(pipe.ends[1], F_SETFL, O_NONBLOCK);
  const std::string page(4096, '.');
  while (::write(pipe.ends[1], page.data(), page.size()) > 0) stuffing += page;
  ::fcntl(pipe.ends[1], F_SETFL, 0);
  BackgroundFile file(pipe.ends[1]);
  // The thread waits with the first one, so that no chunk comes back for the second.
  REQUIRE(file.append("one\n"));
  file.flush();
  REQUIRE(file.append("two\n"));
  file.flush();
  std::string got;
  std::thread reader([&] { got = pipe.drain(); });
  CHECK(file.drain(kLong));
  {
    const NoMoreMemory limit;
    CHECK(file.append("three\n"));
  }
  CHECK(file.close(kLong));
  reader.join();
  CHECK(got == stuffing + "one\ntwo\nthree\n");
}

TEST_CASE("a thread that hangs is left behind") {
  Pipe pipe;
  {
    BackgroundFile file(pipe.ends[1], BackgroundFile::Ownership::kOwned, 1000000);
    fill(file, 0);
    CHECK(!file.close(kShort));
    // All but the chunk that the thread hangs with, of which nobody can tell. Nor is it waited for
    // again.
    CHECK(file.status().lost > 1000000 - 3 * BackgroundFile::kChunk);
  }
}

TEST_CASE("a broken pipe ends all, without a signal") {
  Pipe pipe;
  pipe.close_reader();
  BackgroundFile file(pipe.ends[1]);
  REQUIRE(file.append("nobody reads this"));
  file.flush();
  while (file.append("nor this")) {
    file.flush();
    std::this_thread::yield();
  }
  CHECK(!file.close(kLong));
  CHECK(file.status().error == EPIPE);
  CHECK(file.status().written == 0);
  CHECK(file.status().lost > 0);
}

TEST_CASE("a borrowed descriptor stays open") {
  Pipe pipe;
  {
    BackgroundFile file(pipe.ends[1], BackgroundFile::Ownership::kBorrowed);
    file.append("x");
  }
  CHECK(::write(pipe.ends[1], "y", 1) == 1);
  ::close(pipe.ends[1]);
  CHECK(pipe.drain() == "xy");
}

TEST_CASE("a pipe that somebody made non-blocking is written all the same") {
  Pipe pipe;
  ::fcntl(pipe.ends[1], F_SETFL, O_NONBLOCK);
  BackgroundFile file(pipe.ends[1]);
  const std::string text(300000, 'x');
  REQUIRE(file.append(text));
  file.flush();
  std::string got;
  std::thread reader([&] { got = pipe.drain(); });
  CHECK(file.close(kLong));
  reader.join();
  CHECK(got == text);
}

TEST_CASE("a full disk is told, and what it did not take is counted at the end") {
  const int full = ::open("/dev/full", O_WRONLY);
  REQUIRE(full >= 0);
  BackgroundFile file(full, BackgroundFile::Ownership::kOwned, 1000000);
  const int taken = fill(file, 0);
  CHECK(taken > 0);
  CHECK(!file.close(kLong));
  CHECK(file.status().error == ENOSPC);
  CHECK(file.status().written == 0);
  CHECK(file.status().lost == lines(0, taken).size());
}

TEST_CASE("when a full disk has room again, writing goes on where it stopped") {
  const TempFolder folder;
  const FileSizeLimit limit;
  BackgroundFile file(create(folder.file("a")), BackgroundFile::Ownership::kOwned, 3000000);
  // In the middle of a line, and of a chunk.
  limit.set(500123);
  int n = fill(file, 0);
  while (file.status().error == 0) std::this_thread::yield();
  CHECK(file.status().error == EFBIG);
  CHECK(file.status().written == 500123);
  limit.lift();
  CHECK(file.close(kLong));
  CHECK(file.status().lost == 0);
  CHECK(content_of(folder.file("a")) == lines(0, n));
}

TEST_CASE("writing goes on when more is handed over") {
  const TempFolder folder;
  const FileSizeLimit limit;
  BackgroundFile file(create(folder.file("a")));
  limit.set(10);
  file.append("0123456789abc");
  file.flush();
  while (file.status().error == 0) std::this_thread::yield();
  limit.lift();
  file.append("def");
  file.flush();
  while (file.status().written < 16) std::this_thread::yield();
  CHECK(file.status().error == 0);
  CHECK(content_of(folder.file("a")) == "0123456789abcdef");
  CHECK(file.close(kLong));
}

TEST_CASE("small flushes behind a stalled writer share chunks") {
  Pipe pipe;
  BackgroundFile file(pipe.ends[1]);
  REQUIRE(file.append(std::string(100000, 'x')));
  file.flush();
  rusage before{};
  ::getrusage(RUSAGE_SELF, &before);
  std::string expected(100000, 'x');
  for (int i = 0; i < 20000; ++i) {
    REQUIRE(file.append("0123456789"));
    file.flush();
    expected += "0123456789";
  }
  rusage after{};
  ::getrusage(RUSAGE_SELF, &after);
  // In kilobytes; a chunk for each flush would have cost 80 MB.
  CHECK(after.ru_maxrss - before.ru_maxrss < 20000);
  std::string got;
  std::thread reader([&] { got = pipe.drain(); });
  CHECK(file.close(kLong));
  reader.join();
  CHECK(got == expected);
}

TEST_CASE("when a full disk has room again, writing goes on though nothing more comes") {
  const TempFolder folder;
  const FileSizeLimit limit;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<int> told;
  BackgroundFile file(create(folder.file("a")), BackgroundFile::Ownership::kOwned, 3000000,
                      [&](int error) {
                        const std::lock_guard lock(mutex);
                        told.push_back(error);
                        changed.notify_all();
                      });
  const auto wait_for = [&](std::size_t number) {
    std::unique_lock lock(mutex);
    CHECK(changed.wait_for(lock, kLong, [&] { return told.size() >= number; }));
  };
  limit.set(500123);
  const int n = fill(file, 0);
  file.flush();
  wait_for(1);
  // The queue is full, so nothing is handed over any more that could remind the thread.
  REQUIRE(!file.append("refused"));
  limit.lift();
  wait_for(2);
  CHECK(told == std::vector<int>{EFBIG, 0});
  CHECK(content_of(folder.file("a")) == lines(0, n));
  CHECK(file.append("more"));
  CHECK(file.close(kLong));
}

TEST_CASE("a disk that stays full is not waited for") {
  const int full = ::open("/dev/full", O_WRONLY);
  REQUIRE(full >= 0);
  BackgroundFile file(full, BackgroundFile::Ownership::kOwned, 1000000);
  fill(file, 0);
  // An hour of patience: each returns when a try has failed.
  CHECK(!file.drain(std::chrono::hours(1)));
  CHECK(!file.close(std::chrono::hours(1)));
}

TEST_CASE("what was given up is counted by what it stands for") {
  const TempFolder folder;
  const FileSizeLimit limit;
  limit.set(1005);
  BackgroundFile file(create(folder.file("a")));
  const auto append = [&](std::uint64_t events, std::uint64_t octets) {
    std::fill_n(file.reserve(100), 100, 'x');
    file.commit(100, {events, octets});
  };
  // Ten lines fit, and a part of the eleventh. Handed over one by one: chunks are joined.
  for (std::uint64_t i = 0; i < 25; ++i) {
    append(1, i);
    if (i % 3 == 0) file.flush();
  }
  append(0, 0);
  CHECK(!file.close(kLong));
  const BackgroundFile::Status status = file.status();
  CHECK(status.written == 1005);
  CHECK(status.lost == 2600 - 1005);
  CHECK(status.lost_counts.events == 15);
  CHECK(status.lost_counts.octets == (10 + 24) * 15 / 2);
}
