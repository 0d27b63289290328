#include "agent/fs/stream.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "agent/fs/inotify.h"
#include "lib/model/json_text.h"
#include "sdk/base/encoding.h"

namespace drover::agent {
namespace {

using Steady = std::chrono::steady_clock;
constexpr std::size_t frame_bytes = 64 << 10;
constexpr std::chrono::seconds heartbeat{1};

struct Chunk {
  std::string data;
  std::int64_t size = 0;    // of the file now
  bool deleted = false;
  Error error;
  bool failed = false;
};
Chunk read_chunk(int fd, std::int64_t offset) {
  Chunk out;
  struct stat info {};
  if (fstat(fd, &info) == 0) {
    out.size = info.st_size;
    out.deleted = info.st_nlink == 0;
  }
  out.data.resize(frame_bytes);
  const auto got = pread(fd, out.data.data(), out.data.size(), offset);
  if (got < 0) {
    out.failed = true;
    out.error = errno_error(errno, "reading a file");
  }
  out.data.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return out;
}

// Writes frames or plain bytes, and a heartbeat each second whether data flows or not.
class Writer {
 public:
  Writer(ByteSink& sink, bool plain) : sink_(sink), plain_(plain), next_beat_(Steady::now() + heartbeat) {}

  Async<bool> data(std::string_view file, std::int64_t offset, std::string_view bytes, std::string_view event) {
    if (plain_ && bytes.empty()) co_return true;
    const std::string text = plain_ ? std::string(bytes) : encode_frame(file, offset, bytes, event);
    const bool open = co_await sink_.write(text);
    if (!open) co_return false;
    const bool beaten = co_await beat_if_due();
    co_return beaten;
  }
  Async<bool> beat_if_due() {
    if (plain_ || Steady::now() < next_beat_) co_return true;
    next_beat_ = std::max(next_beat_ + heartbeat, Steady::now());
    const bool open = co_await sink_.write("{}");
    co_return open;
  }
  // Sends what is held back, then waits for a change or the next heartbeat.
  Async<bool> idle(Inotify& watcher) {
    bool open = co_await sink_.flush();
    if (!open) co_return false;
    const auto left = std::max<std::chrono::nanoseconds>(next_beat_ - Steady::now(), std::chrono::milliseconds(1));
    (void)co_await watcher.wait_for(plain_ ? std::chrono::nanoseconds(std::chrono::hours(1)) : left);
    open = co_await beat_if_due();
    if (!open) co_return false;
    open = co_await sink_.flush();
    co_return open;
  }

 private:
  ByteSink& sink_;
  bool plain_;
  Steady::time_point next_beat_;
};

std::int64_t start_offset(const StreamOptions& options, std::int64_t size) {
  if (!options.from_end) return options.offset;
  return std::max<std::int64_t>(0, size - options.offset);
}

enum class Ended { gone, at_end, deleted, failed };

// How far a file was sent, and its size when last looked at: only a file that shrank was truncated, since a reader may also
// have asked for an offset that is not there yet.
struct Progress {
  std::int64_t offset = 0;
  std::int64_t size = 0;
};

// Sends the file from the offset on until its end.
Async<Ended> pump(Pool& pool, int fd, std::string_view name, Progress& progress, Writer& writer) {
  std::int64_t& offset = progress.offset;
  std::string event;
  for (;;) {
    const std::int64_t at = offset;
    Chunk chunk = co_await run_blocking(pool, [fd, at] { return read_chunk(fd, at); });
    if (chunk.failed) co_return Ended::failed;
    const bool shrank = chunk.size < progress.size;
    progress.size = chunk.size;
    if (chunk.data.empty() && shrank && chunk.size < offset) {
      offset = 0;
      event = "file truncated";
      if (chunk.size > 0) continue;  // what is there already comes with the event
    }
    if (chunk.data.empty() && event.empty()) co_return chunk.deleted ? Ended::deleted : Ended::at_end;
    offset += static_cast<std::int64_t>(chunk.data.size());
    const bool open = co_await writer.data(name, offset, chunk.data, event);
    if (!open) co_return Ended::gone;
    event.clear();
  }
}

std::string log_name(const std::string& task, const std::string& type, std::uint64_t index) { return fmt::format("{}.{}.{}", task, type, index); }

struct Position {
  std::uint64_t index = 0;
  std::int64_t offset = 0;
};
// Where to start: forward from the oldest file, or backward from the end of the newest.
Position find_position(const AllocFiles& files, const std::string& task, const std::string& type, const std::vector<std::uint64_t>& indexes,
                       const StreamOptions& options) {
  const bool backward = options.from_end || options.offset < 0;
  std::int64_t left = options.offset < 0 ? -options.offset : options.offset;
  const auto size_of = [&](std::uint64_t index) {
    auto file = files.read_log(log_name(task, type, index));
    return file ? file->size : 0;
  };
  if (!backward) {
    for (std::size_t i = 0; i < indexes.size(); ++i) {
      const auto size = size_of(indexes[i]);
      if (left <= size || i + 1 == indexes.size()) return {indexes[i], left};
      left -= size;
    }
    return {};
  }
  if (left == 0) return {indexes.back(), 0};
  for (auto at = indexes.rbegin(); at != indexes.rend(); ++at) {
    const auto size = size_of(*at);
    if (left <= size) return {*at, size - left};
    left -= size;
  }
  return {indexes.front(), 0};
}

std::optional<std::uint64_t> next_index(const Result<std::vector<std::uint64_t>>& indexes, std::uint64_t after) {
  if (!indexes) return std::nullopt;
  const auto at = std::upper_bound(indexes->begin(), indexes->end(), after);
  return at == indexes->end() ? std::nullopt : std::optional(*at);
}

}  // namespace

std::string encode_frame(std::string_view file, std::int64_t offset, std::string_view data, std::string_view event) {
  std::string out = "{";
  const auto field = [&](const char* name) {
    if (out.size() > 1) out += ',';
    out += '"';
    out += name;
    out += "\":";
  };
  if (!data.empty()) {
    field("Data");
    out += '"';
    out += base64_encode(data);
    out += '"';
  }
  if (!file.empty()) {
    field("File");
    model::append_json_string(out, file);
  }
  if (!event.empty()) {
    field("FileEvent");
    model::append_json_string(out, event);
  }
  if (offset != 0) {
    field("Offset");
    model::append_json_number(out, offset);
  }
  return out += '}';
}

Async<> stream_file(Pool& pool, OpenedFile file, std::string name, StreamOptions options, ByteSink& sink) {
  Writer writer(sink, options.plain);
  Progress progress{.offset = start_offset(options, file.size)};
  std::unique_ptr<Inotify> watcher;
  if (options.follow) {
    const auto executor = co_await asio::this_coro::executor;
    auto made = Inotify::make(executor);
    if (!made) co_return;
    watcher = std::move(*made);
    // Before the first read, so that no change falls between reading and watching.
    if (!watcher->watch_file(file.fd.get())) co_return;
  }
  for (;;) {
    const Ended ended = co_await pump(pool, file.fd.get(), name, progress, writer);
    if (ended == Ended::deleted && options.follow) {
      (void)co_await writer.data(name, progress.offset, {}, "file deleted");
      co_return;
    }
    if (ended != Ended::at_end || !options.follow) co_return;
    const bool open = co_await writer.idle(*watcher);
    if (!open) co_return;
  }
}

Async<> stream_logs(Pool& pool, std::shared_ptr<const AllocFiles> files, std::string task, std::string type, StreamOptions options,
                    ByteSink& sink) {
  Writer writer(sink, options.plain);
  std::unique_ptr<Inotify> watcher;
  if (options.follow) {
    const auto executor = co_await asio::this_coro::executor;
    auto made = Inotify::make(executor);
    auto directory = files->logs_directory();
    if (!made || !directory) co_return;
    watcher = std::move(*made);
    if (!watcher->watch_directory(directory->get())) co_return;
  }
  auto indexes = co_await run_blocking(pool, [files, task, type] { return files->log_indexes(task, type); });
  while (!indexes || indexes->empty()) {
    if (!options.follow) co_return;
    const bool open = co_await writer.idle(*watcher);
    if (!open) co_return;
    indexes = co_await run_blocking(pool, [files, task, type] { return files->log_indexes(task, type); });
  }
  const std::vector<std::uint64_t> first = *indexes;
  Position at = co_await run_blocking(pool, [files, task, type, first, options] { return find_position(*files, task, type, first, options); });

  for (;;) {
    const std::string name = log_name(task, type, at.index);
    auto file = co_await run_blocking(pool, [files, name] { return files->read_log(name); });
    const std::string shown = "alloc/logs/" + name;
    int watch = -1;
    if (file && watcher) watch = watcher->watch_file(file->fd.get()).value_or(-1);
    std::optional<std::uint64_t> next;
    Progress progress{.offset = at.offset};
    for (;;) {
      // First whether there is a newer file, then the rest of this one: its writer never comes back to it.
      indexes = co_await run_blocking(pool, [files, task, type] { return files->log_indexes(task, type); });
      next = next_index(indexes, at.index);
      Ended ended = Ended::at_end;
      if (file) ended = co_await pump(pool, file->fd.get(), shown, progress, writer);
      if (ended == Ended::gone || ended == Ended::failed) co_return;
      if (next) break;
      if (!options.follow) co_return;
      if (ended == Ended::deleted || !file) {
        (void)co_await writer.data(shown, progress.offset, {}, "file deleted");
        co_return;
      }
      const bool open = co_await writer.idle(*watcher);
      if (!open) co_return;
    }
    if (watch >= 0) watcher->forget(watch);
    at = {*next, 0};
  }
}

}  // namespace drover::agent
