#pragma once

#include <atomic>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "exporters/output.h"

namespace smtpscope {

/// Text to a file, or to standard output, through a buffer. Owns the descriptor of a file that it
/// created. After the first fault it swallows what comes: see fault(). Not thread-safe.
class FileOutput : public Output {
 public:
  /// Standard output.
  FileOutput();
  /// A new file that only its owner may read: timelines hold addresses and what was said. An
  /// existing file is refused unless `force`, and never if it is one of `inputs`; see
  /// create_new_file(), and there for `what`.
  static Result<FileOutput> create(const std::string& path, bool force,
                                   std::span<const std::string> inputs,
                                   std::string_view what = "the output");
  FileOutput(FileOutput&& from) noexcept;
  FileOutput& operator=(FileOutput&&) = delete;
  ~FileOutput() override;

  void write(std::string_view text) override;
  void flush();

  int descriptor() const { return descriptor_; }
  /// Nothing written from now on arrives: the caller may stop. May be asked by any thread.
  bool broken() const { return fault_ != 0; }
  /// What kept the text from being written, in words. Empty if nothing did, or if the reader has
  /// gone (EPIPE): whoever closed the pipe knows.
  std::optional<Error> fault() const;

 private:
  FileOutput(int descriptor, std::string name, bool owned);

  int descriptor_;
  std::string name_;
  bool owned_;
  std::string buffer_;
  std::atomic<int> fault_ = 0;  // errno of the first failed write
};

/// Prints `text` on standard output; gives the exit code.
int print(std::string_view text);

}  // namespace smtpscope
