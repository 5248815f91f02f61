#include "cli/folder_output.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <span>
#include <system_error>
#include <utility>

#include "base/system_error.h"
#include "cli/file_output.h"

namespace smtpscope {

Result<FolderOutput> FolderOutput::create(const std::string& path, bool force) {
  if (mkdir(path.c_str(), 0700) == 0) return FolderOutput(path, force);
  if (errno != EEXIST) {
    return Error{fmt::format("cannot make the folder {}: {}", path, system_words(errno))};
  }
  std::error_code fault;
  if (!std::filesystem::is_directory(path, fault)) {
    return Error{fmt::format("cannot make the folder {}: there is a file of that name", path)};
  }
  const bool empty = std::filesystem::is_empty(path, fault);
  if (fault) return Error{fmt::format("cannot look into {}: {}", path, fault.message())};
  if (!empty && !force) {
    return Error{fmt::format(
        "{} is not empty; choose another folder, or overwrite in this one with --force", path)};
  }
  return FolderOutput(path, force);
}

void FolderOutput::write_file(std::string_view name, std::string_view content) {
  if (broken()) return;
  Result<FileOutput> file = FileOutput::create(fmt::format("{}/{}", path_, name), force_, {});
  if (!file) {
    fault_ = file.error();
    return;
  }
  file.value().write(content);
  file.value().flush();
  fault_ = file.value().fault();
}

void FolderOutput::append(std::string_view table, std::string_view hour, std::string_view line) {
  constexpr std::size_t kGathered = std::size_t{64} * 1024;
  auto at = rows_.find(table);
  if (at == rows_.end()) at = rows_.emplace(std::string(table), std::string()).first;
  at->second += line;
  if (at->second.size() >= kGathered) write_rows(table, hour, at->second);
}

void FolderOutput::complete(std::string_view hour) {
  for (auto& [table, lines] : rows_) write_rows(table, hour, lines);
  if (records_ && !broken()) note(records_->complete(hour));
}

void FolderOutput::write_rows(std::string_view table, std::string_view hour, std::string& lines) {
  const std::string whole = std::exchange(lines, {});
  if (whole.empty() || broken()) return;
  if (!records_) {
    Result<RecordFolder> opened = RecordFolder::open(path_);
    if (!opened) {
      fault_ = opened.error();
      return;
    }
    records_.emplace(std::move(opened.value()));
  }
  note(records_->append(table, hour, whole));
}

void FolderOutput::note(int error) {
  if (error != 0 && !fault_) {
    fault_ = Error{fmt::format("cannot write records to {}: {}", path_, system_words(error))};
  }
}

}  // namespace smtpscope
