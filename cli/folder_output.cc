#include "cli/folder_output.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <span>
#include <system_error>

#include "base/system_error.h"
#include "cli/file_output.h"

namespace smtpscope {

Result<FolderOutput> FolderOutput::create(const std::string& path, bool force) {
  if (mkdir(path.c_str(), 0700) == 0) return FolderOutput(path, force);
  if (errno != EEXIST) {
    return Error{fmt::format("cannot make the folder {}: {}", path, system_words(errno))};
  }
  std::error_code fault;
  const bool empty = std::filesystem::is_empty(path, fault);
  if (fault || !std::filesystem::is_directory(path, fault)) {
    return Error{fmt::format("{} is no folder that can be written to", path)};
  }
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

}  // namespace smtpscope
