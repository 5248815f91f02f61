#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "base/time.h"

namespace smtpscope {

/// A file, pipe or terminal that is written by a thread of its own, so that the loop never waits
/// for a disk or a reader. What is appended gathers in a chunk; full chunks, and on flush() the
/// last one, go through a bounded queue to the thread. When the queue is full, append() refuses.
///
/// Octets are written in order and without holes: after an error (disk full, I/O error) the thread
/// keeps what it has and goes on exactly where it stopped when more is handed over, every kRetry,
/// and at close(). So the file holds whole appends, the last one maybe cut. Only when nobody can
/// read any more (broken pipe, bad descriptor) everything is dropped, and counted.
///
/// All functions are called from one thread. Blocks only in close() and the destructor.
class BackgroundFile {
 public:
  static constexpr std::size_t kDefaultLimit = std::size_t{64} * 1024 * 1024;
  /// A chunk is handed over when it holds this much.
  static constexpr std::size_t kChunk = std::size_t{128} * 1024;

  enum class Ownership : std::uint8_t { kOwned, kBorrowed };

  /// What an append stands for, to be counted should it not be written as a whole.
  struct Counts {
    std::uint64_t events = 0;  // 0: it is not counted
    std::uint64_t octets = 0;  // from the wire
  };

  struct Status {
    std::uint64_t written = 0;  // octets
    std::uint64_t lost = 0;     // octets taken by append(), but never to be written
    Counts lost_counts;         // of the appends that they belong to
    int error = 0;              // errno of the last failure, 0 when writing works
  };

  /// Called on the thread of the file: with an errno when writing begins to fail, with 0 when all
  /// that waited has been written after that. Must not block, nor use the file. Not called any more
  /// after close().
  using Tell = std::function<void(int error)>;

  /// Opens the file: gives a descriptor, or an errno as a negative number. Called on the thread of
  /// the file, until it has given a descriptor.
  using Open = std::function<int()>;

  /// Writes to `descriptor`, from its current position. An owned one is closed at the end. At most
  /// `limit` octets are queued.
  explicit BackgroundFile(int descriptor, Ownership ownership = Ownership::kOwned,
                          std::size_t limit = kDefaultLimit, Tell tell = {});
  /// Writes to what `open` gives, which is closed at the end. That it cannot be opened is no other
  /// trouble than that it cannot be written.
  explicit BackgroundFile(Open open, std::size_t limit = kDefaultLimit, Tell tell = {});
  /// Closes, waiting at most kPatience.
  ~BackgroundFile();
  BackgroundFile(const BackgroundFile&) = delete;
  BackgroundFile& operator=(const BackgroundFile&) = delete;

  /// Takes `text` as a whole, or refuses it (false) when there is no room, or no memory. After a
  /// refusal there is none until a quarter of the queue is free again, so that holes are few and
  /// long.
  bool append(std::string_view text);

  /// The same without a copy: room for `octets`, or nullptr; write there, then commit() how many
  /// were used. Memory that cannot be had is no room either.
  char* reserve(std::size_t octets);
  void commit(std::size_t octets, Counts counts);
  void commit(std::size_t octets) { commit(octets, Counts()); }

  /// Octets that were appended and are not yet written.
  std::uint64_t queued() const;
  /// Something was appended that was not handed to the thread yet.
  bool pending() const;
  /// Hands over what is pending.
  void flush();

  /// Hands over, and waits until nothing is queued any more, at most `patience`. For the end of a
  /// run only: it waits for the disk. False when time ran out, or writing fails.
  bool drain(Duration patience);

  Status status() const;
  /// What it writes to; -1 while it is not open.
  int descriptor() const;

  /// Hands over, waits for the thread to write, at most `patience`. False when not everything
  /// could be written. Nothing can be appended afterwards. A thread that hangs in a write is left
  /// behind, holding nothing that anyone else uses; what waited behind that write is lost, and no
  /// later call waits again.
  bool close(Duration patience);

  static constexpr Duration kPatience = std::chrono::seconds(5);
  /// After an error it is tried again so often, whether anything comes or not.
  static constexpr Duration kRetry = std::chrono::seconds(1);

 private:
  struct Chunk;
  class Shared;

  void start();
  bool has_room_for(std::size_t octets);

  std::shared_ptr<Shared> shared_;  // with the thread
  std::unique_ptr<Chunk> chunk_;    // being filled
  std::size_t limit_;
  std::uint64_t handed_over_ = 0;  // octets, ever
  bool full_ = false;
  bool closed_ = false;
  bool given_up_ = false;
};

}  // namespace smtpscope
