#include "cli/snapshot_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>

#include "cli/api_client.h"
#include "sdk/base/defer.h"
#include "sdk/base/file.h"

namespace drover::cli {

std::string format_utc(std::int64_t nanos, const char* form) {
  const std::time_t seconds = nanos / 1'000'000'000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[64];
  return std::string(text, std::strftime(text, sizeof text, form, &parts));
}

Result<Fd> open_snapshot(const std::string& path) {
  auto file = open_file(path, O_RDONLY);
  if (file) return file;
  const int error = file.error().sys_errno();
  if (error == ENOENT) return fail(Code::not_found, "open {}: no such file or directory", path);
  return fail(Code::internal, "open {}: {}", path, error != 0 ? std::strerror(error) : file.error().message());
}

Result<std::uint64_t> file_bytes(const Fd& file) {
  struct stat found{};
  if (::fstat(file.get(), &found) != 0) return fail_errno("reading the size of the file");
  return static_cast<std::uint64_t>(found.st_size);
}

Result<snapshot::Meta> fetch_snapshot(ApiClient& api, const std::string& path, bool stale) {
  std::string temporary = path + ".XXXXXX.tmp";
  const Fd file(::mkostemps(temporary.data(), 4, O_CLOEXEC));
  if (!file) return fail_errno("writing snapshot file {}", path);
  const Defer clean_up([&] { ::unlink(temporary.c_str()); });
  std::vector<std::pair<std::string, std::string>> query;
  if (stale) query.emplace_back("stale", "");
  Result<> written;
  const auto fetched = api.stream("/v1/operator/snapshot", query, [&](std::string_view part) {
    written = write_all(file.get(), part);
    return written.has_value();
  });
  if (!fetched) return fail(fetched.error(), "Failed to get snapshot file");
  if (!written) return fail(written.error(), "Error writing snapshot file {}", path);
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return fail_errno("rewinding \"{}\"", temporary);
  auto meta = snapshot::read_archive(file.get(), [](std::string_view) { return Result<>(); });
  if (!meta) return fail(meta.error(), "Failed to validate snapshot file");
  if (::fsync(file.get()) != 0) return fail_errno("Error writing snapshot file {}", path);
  if (::rename(temporary.c_str(), path.c_str()) != 0) return fail_errno("Error writing snapshot file {}", path);
  const std::string directory = std::filesystem::path(path).parent_path().string();
  DROVER_TRY(sync_directory(directory.empty() ? "." : directory));
  return meta;
}

}  // namespace drover::cli
